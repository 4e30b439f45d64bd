"""What is known of one agent besides its data: name, host, interval, and how it is right now. GUI thread."""

from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from models.domain.clock import Clock
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import Problem
from models.domain.queries import (
    AgentRequest,
    AgentResult,
    DataSource,
    EventsRequest,
    EventsResult,
    Failed,
    PresenceColumns,
    Result,
    Ticket,
)  # fmt: skip
from models.domain.tail import Tail, TailPage
from widgets.common.throttle import Throttle
from widgets.frame.time_range import TimeCursor

REFRESH_MS = 2_000
_MOMENT_MS = 80
"""A moment that is slid is followed at most so often."""
_NOW_US = 1_000_000


class PresenceNow(NamedTuple):
    presence: Presence
    condition: Condition
    cause: Cause
    since_us: int


class AgentFacts(QObject):
    """Asks again when the tail tells of messages (every 2 s at most) and at once when agents or series appeared. Presence
    changes are taken from the tail itself; while the window stands at a moment, presence is that of then. Inactive (hidden) it
    asks for nothing."""

    changed = Signal()

    def __init__(
        self, source: DataSource, tail: Tail, cursor: TimeCursor, clock: Clock, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._source, self._cursor, self._clock = source, cursor, clock
        self._active = False
        self._tickets: list[Ticket] = []
        self.agent = 0
        self.result: AgentResult | None = None
        self.presence: PresenceNow | None = None
        self._is_of_moment = False  # the presence, and not of now
        self.problem: Problem | None = None
        self._throttle = Throttle(self._ask, REFRESH_MS, self)
        self._moments = Throttle(self._ask, _MOMENT_MS, self)
        cursor.pinned.connect(self._moments.want)
        tail.follow(self._take_page)

    @property
    def moment_us(self) -> int | None:
        """The moment at which the window stands; None: it is of now."""
        return self._cursor.pinned_us

    @property
    def told_us(self) -> int:
        """The moment that presence and ages are about."""
        return self._clock.wall_us() if self.moment_us is None else self.moment_us

    def show_agent(self, agent: int) -> None:
        """Follow this agent; 0: none."""
        if agent == self.agent:
            return
        self.agent, self.result, self.presence, self.problem = agent, None, None, None
        self._ask()
        self.changed.emit()

    def set_active(self, active: bool) -> None:
        """Does anybody see it?"""
        if active != self._active:
            self._active = active
            self._ask()

    def refresh(self) -> None:
        """Ask now."""
        self._ask()

    def _ask(self) -> None:
        for ticket in self._tickets:
            ticket.cancel()
        self._tickets = []
        if self._active and self.agent:
            at_us, around_us = self.told_us, _NOW_US if self.moment_us is None else 0
            events = EventsRequest(self.agent, at_us - around_us, at_us + around_us + 1)
            self._tickets = [self._source.ask(one, self._take) for one in (AgentRequest(self.agent), events)]

    def _take(self, result: Result | Failed) -> None:
        if isinstance(result, Failed):
            self.problem = result.problem
        elif isinstance(result, AgentResult) and result.request.agent == self.agent:
            self.result, self.problem = result, None
        elif isinstance(result, EventsResult) and result.request.agent == self.agent:
            if self.moment_us is not None or self._is_of_moment:
                self.presence = None  # then another state may have been the last
            self._is_of_moment = self.moment_us is not None
            self._take_presence(result.presence)
        self.changed.emit()

    def _take_page(self, page: TailPage) -> None:
        if not self._active or not self.agent:
            return
        if self.moment_us is None and (page.presence.agent == self.agent).any():
            self._take_presence(page.presence)
            self.changed.emit()
        if page.new_names:
            self._ask()
        elif page.messages:
            self._throttle.want()

    def _take_presence(self, columns: PresenceColumns) -> None:
        last_us = self.moment_us
        mine = [
            row
            for row, (agent, at_us) in enumerate(zip(columns.agent.tolist(), columns.time_us.tolist(), strict=True))
            if agent == self.agent and (last_us is None or at_us <= last_us)
        ]
        if not mine:
            return
        row = max(mine, key=lambda one: int(columns.time_us[one]))
        since_us = int(columns.time_us[row])
        if self.presence is None or since_us >= self.presence.since_us:
            self.presence = PresenceNow(
                Presence(int(columns.presence[row])),
                Condition(int(columns.condition[row])),
                columns.cause[row],
                since_us,
            )
