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

REFRESH_MS = 2_000
_NOW_US = 1_000_000


class PresenceNow(NamedTuple):
    presence: Presence
    condition: Condition
    cause: Cause
    since_us: int


class AgentFacts(QObject):
    """Asks again when the tail tells of messages (every 2 s at most) and at once when agents or series appeared. Presence
    changes are taken from the tail itself. Inactive (hidden) it asks for nothing."""

    changed = Signal()

    def __init__(self, source: DataSource, tail: Tail, clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source, self._clock = source, clock
        self._active = False
        self._tickets: list[Ticket] = []
        self.agent = 0
        self.result: AgentResult | None = None
        self.presence: PresenceNow | None = None
        self.problem: Problem | None = None
        self._throttle = Throttle(self._ask, REFRESH_MS, self)
        tail.follow(self._take_page)

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
            now_us = self._clock.wall_us()
            events = EventsRequest(self.agent, now_us - _NOW_US, now_us + _NOW_US)
            self._tickets = [self._source.ask(one, self._take) for one in (AgentRequest(self.agent), events)]

    def _take(self, result: Result | Failed) -> None:
        if isinstance(result, Failed):
            self.problem = result.problem
        elif isinstance(result, AgentResult) and result.request.agent == self.agent:
            self.result, self.problem = result, None
        elif isinstance(result, EventsResult) and result.request.agent == self.agent:
            self._take_presence(result.presence)
        self.changed.emit()

    def _take_page(self, page: TailPage) -> None:
        if not self._active or not self.agent:
            return
        if (page.presence.agent == self.agent).any():
            self._take_presence(page.presence)
            self.changed.emit()
        if page.new_names:
            self._ask()
        elif page.messages:
            self._throttle.want()

    def _take_presence(self, columns: PresenceColumns) -> None:
        mine = [row for row, agent in enumerate(columns.agent.tolist()) if agent == self.agent]
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
