"""Presence changes, gaps and connection attempts of one agent as marks and bands for its plots. GUI thread."""

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot

from models.domain.presence_words import Condition, Presence
from models.domain.queries import (
    AttemptColumns,
    DataSource,
    EventsRequest,
    EventsResult,
    Failed,
    GapColumns,
    PresenceColumns,
    Result,
    Ticket,
)  # fmt: skip
from models.domain.records import Outcome
from models.domain.tail import Tail, TailPage
from widgets.common.numbers import duration_text
from widgets.common.plain import visible
from widgets.common.throttle import Throttle
from widgets.common.words import cause_word, outcome_word, presence_word
from widgets.frame.time_range import TimeRangeModel
from widgets.plots.gap_bands import gap_bands
from widgets.plots.marks import Band, Mark, MarkKind
from widgets.plots.series_feed import NO_GAPS

REFRESH_MS = 2_000
_TEXT_LIMIT = 120
_KINDS = {
    Presence.ONLINE: MarkKind.ONLINE,
    Presence.STOPPED: MarkKind.STOPPED,
    Presence.UNKNOWN: MarkKind.UNKNOWN,
    Presence.LATE: MarkKind.LATE,
    Presence.OFFLINE: MarkKind.OFFLINE,
}


class AgentEvents(QObject):
    """Asks for the events that the time range shows, again when the tail tells of more (every 2 s at most)."""

    changed = Signal()

    def __init__(
        self, source: DataSource, tail: Tail, time_range: TimeRangeModel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._source, self._range = source, time_range
        self._agent = 0
        self._active = False
        self._ticket: Ticket | None = None
        self.marks: list[Mark] = []
        self.attempts: list[Mark] = []
        self.bands: list[Band] = []
        self.gaps: GapColumns = NO_GAPS
        self._throttle = Throttle(self._ask, REFRESH_MS, self)
        time_range.changed.connect(self._range_changed)
        tail.follow(self._take_page)

    def show_agent(self, agent: int) -> None:
        self._agent = agent
        self.marks, self.attempts, self.bands, self.gaps = [], [], [], NO_GAPS
        self._ask()

    def reload(self) -> None:
        """Ask again."""
        self._ask()

    def set_active(self, active: bool) -> None:
        """Does anybody see it?"""
        if active != self._active:
            self._active = active
            self._ask()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        self._throttle.stop()
        self._throttle.want()

    def _take_page(self, page: TailPage) -> None:
        if self._active and self._range.live and page.batches:
            self._throttle.want()

    def _ask(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
        if self._active and self._agent:
            now = self._range.current()
            self._ticket = self._source.ask(EventsRequest(self._agent, now.since_us, now.until_us), self._take)

    def _take(self, result: Result | Failed) -> None:
        if not isinstance(result, EventsResult) or result.request.agent != self._agent:
            return  # the lists and plots of the same store tell of the problem
        before = (self.marks, self.attempts, self.bands)
        self.gaps = result.gaps
        self.marks = presence_marks(result.presence, result.request.since_us)
        self.attempts = attempt_marks(result.attempts)
        self.bands = gap_bands(result.gaps, self._agent)
        if (self.marks, self.attempts, self.bands) != before:
            self.changed.emit()


translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def presence_marks(columns: PresenceColumns, since_us: int) -> list[Mark]:
    """A mark for every change; the one in force before is none."""
    marks = []
    rows = zip(
        columns.time_us.tolist(), columns.presence.tolist(), columns.condition.tolist(), columns.cause, strict=True
    )
    for at_us, presence, condition, cause in rows:
        if at_us >= since_us:
            word = presence_word(Presence(presence), Condition(condition))
            degraded = presence == Presence.ONLINE and condition == Condition.DEGRADED
            kind = MarkKind.DEGRADED if degraded else _KINDS[Presence(presence)]
            marks.append(Mark(at_us, kind, f"{word} ({cause_word(cause)})"))
    return marks


def attempt_marks(columns: AttemptColumns) -> list[Mark]:
    """A mark for every connection attempt that failed, with what the agent told of it."""
    failed = np.flatnonzero(columns.outcome != Outcome.OK)
    marks = []
    for row in failed.tolist():
        told = [outcome_word(Outcome(int(columns.outcome[row])))]
        told += [visible(text, _TEXT_LIMIT) for text in (columns.target[row], columns.error[row]) if text]
        if columns.duration_us[row] >= 0:
            told.append(duration_text(int(columns.duration_us[row])))
        words = translate("AgentEvents", "connection {told}").replace("{told}", ", ".join(told))
        marks.append(Mark(int(columns.time_us[row]), MarkKind.FAILED_ATTEMPT, words))
    return marks
