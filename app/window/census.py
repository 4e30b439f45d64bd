"""Who is there and what cannot be read, told once after each connection: who has just chosen a broker wants to know both."""

from collections import Counter
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer, Slot

from app.window.recorder_notices import Notices
from models.domain.control import Link, RecorderState
from models.domain.presence_words import Presence
from models.domain.problems import Severity
from models.domain.queries import (
    DataSource,
    Failed,
    FleetRequest,
    FleetResult,
    Result,
    Ticket,
    UnreadableRequest,
    UnreadableResult,
)
from widgets.common.numbers import count_text
from widgets.common.words import convention_word
from widgets.frame.notice_bar import Notice

CENSUS = "census"
SETTLED_MS = 7_000
"""After connecting: what is retained has come, and most have spoken. Told within ten seconds."""
MOST_NAMED = 5


class Census(QObject):
    """GUI thread. Not for a broker of our own, where the agents are this computer's or made up."""

    def __init__(
        self, notices: Notices, source: DataSource, show_unreadable: Callable[[], object], parent: QObject
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._notices, self._source, self._show_unreadable = notices, source, show_unreadable
        self._connected_us = 0  # the connection that was counted, or is about to be
        self._fleet: FleetResult | None = None
        self._tickets: list[Ticket] = []
        self._settled = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._settled.timeout.connect(self._ask)

    @Slot(object)
    def recorder_told(self, state: RecorderState | None) -> None:
        """Counts anew after every connection, not while none stands."""
        if state is None or state.embedded or state.link is not Link.CONNECTED:
            self._settled.stop()
            self._connected_us = 0
        elif self._connected_us != state.since_us:
            self._connected_us = state.since_us
            self._settled.start()

    @Slot()
    def _ask(self) -> None:
        for ticket in self._tickets:
            ticket.cancel()
        self._fleet = None
        self._tickets = [self._source.ask(FleetRequest(), self._take_fleet)]

    def _take_fleet(self, result: Result | Failed) -> None:
        if isinstance(result, FleetResult):
            self._fleet = result
            self._tickets.append(self._source.ask(UnreadableRequest(self._connected_us, 0), self._take_unreadable))

    def _take_unreadable(self, result: Result | Failed) -> None:
        fleet = self._fleet
        if not isinstance(result, UnreadableResult) or fleet is None:
            return
        there = [
            word
            for word, presence in zip(fleet.convention, fleet.presence, strict=True)
            if presence != Presence.STOPPED
        ]
        topics = len(result.topics)
        several = self.tr("{n} topics cannot be read.").replace("{n}", count_text(topics))
        unread = several if topics > 1 else self.tr("One topic cannot be read.") if topics else ""
        show = self.tr("Show them") if topics else ""
        sentence = self._sentence(there)
        if sentence or unread:
            self._notices.show_notice(
                Notice(CENSUS, Severity.INFO, sentence or unread, unread if sentence else "", action=show,
                       on_action=self._show_unreadable if topics else None)
            )  # fmt: skip

    def _sentence(self, conventions: Iterable[str]) -> str:
        """Such as “37 agents: 14 home-made, 12 Home Assistant, 9 logs, 2 A2A.”; "" where nobody is there."""
        counts = Counter(convention_word(one) for one in conventions).most_common()
        if not counts:
            return ""
        named = [f"{count} {word}" for word, count in counts[:MOST_NAMED]]
        rest = sum(count for _, count in counts[MOST_NAMED:])
        if rest:
            named.append(self.tr("{n} of other kinds").replace("{n}", count_text(rest)))
        every = sum(count for _, count in counts)
        if every == 1:
            return self.tr("One agent: {kind}.").replace("{kind}", counts[0][0])
        told = self.tr("{n} agents: {kinds}.").replace("{n}", count_text(every))
        return told.replace("{kinds}", ", ".join(named))
