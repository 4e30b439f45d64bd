"""Keeps the histogram and the facets of the records that are looked for, and what history does not cover of their time. While inactive it asks for nothing. GUI thread."""

from PySide6.QtCore import QObject, Signal, Slot

from models.domain.problems import Problem
from models.domain.queries import Failed, GapsRequest, GapsResult, LogSummaryRequest, LogSummaryResult, Result, Ticket
from widgets.common.throttle import Throttle
from widgets.frame.screen_context import ScreenContext
from widgets.logs.log_query import LogQuery
from widgets.plots.gap_bands import gap_bands
from widgets.plots.marks import Band

REFRESH_MS = 2_000
MOST_CELLS = 150
_REST = 5
"""What has to be counted record by record is counted again only so many times later than it took."""
_SECOND_US = 1_000_000
_CELLS_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 604_800)


def cell_of(span_us: int) -> int:
    """The shortest round cell, in µs, of which at most about `MOST_CELLS` fit into the span."""
    return next(
        (one * _SECOND_US for one in _CELLS_S if span_us <= one * _SECOND_US * MOST_CELLS), _CELLS_S[-1] * _SECOND_US
    )


class SummaryFeed(QObject):
    """`changed` tells of another `result`, `problem` or `gaps`; `result` is None until the first answer."""

    changed = Signal()

    def __init__(
        self, context: ScreenContext, query: LogQuery, refresh_ms: int = REFRESH_MS, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._source, self._times, self._query = context.source, context.times, query
        self._active = False
        self._stale = True
        self._ticket: Ticket | None = None
        self._clock, self._refresh_ms, self._asked_us = context.clock, refresh_ms, 0
        self._throttle = Throttle(self._ask, refresh_ms, self)
        self.result: LogSummaryResult | None = None
        self.problem: Problem | None = None
        self.gaps: list[Band] = []
        self._gaps_ticket: Ticket | None = None
        query.changed.connect(self.reload)
        context.times.changed.connect(self.reload)

    def set_active(self, active: bool) -> None:
        """Ask only while somebody looks."""
        self._active = active
        if not active:
            self._cancel()
        elif self._stale:
            self.reload()

    @Slot()
    def reload(self) -> None:
        """Ask again, for what is looked for now; what is shown stays until the answer comes."""
        self._stale = True
        self._cancel()
        if self._active:
            self._ask()

    def records_added(self) -> None:
        """The tail tells of new ones."""
        if not self._times.live:
            return
        self._stale = True
        if self._active and self._ticket is None:
            self._throttle.want()

    def _ask(self) -> None:
        if not self._active or self._ticket is not None:
            return
        self._stale = False
        self._asked_us = self._clock.monotonic_us()
        now = self._times.current()
        cell_us = cell_of(now.span_us)
        since_us, until_us = now.since_us // cell_us * cell_us, -(-now.until_us // cell_us) * cell_us
        self._ticket = self._source.ask(LogSummaryRequest(self._query.term(), since_us, until_us, cell_us), self._take)
        if self._gaps_ticket is None:
            self._gaps_ticket = self._source.ask(GapsRequest(since_us, until_us), self._take_gaps)

    def _take_gaps(self, result: Result | Failed) -> None:
        self._gaps_ticket = None
        if isinstance(result, GapsResult):  # else those that are known stay
            self.gaps = gap_bands(result.gaps, 0)
            self.changed.emit()

    def _take(self, result: Result | Failed) -> None:
        if isinstance(result, Failed):
            self._ticket, self.problem = None, result.problem
        elif isinstance(result, LogSummaryResult):
            self.result, self.problem = result, None
            if result.complete:
                self._ticket = None
                took_ms = (self._clock.monotonic_us() - self._asked_us) // 1_000
                self._throttle.set_interval(max(self._refresh_ms, _REST * took_ms))
        self.changed.emit()
        if self._stale and self._ticket is None:
            self._throttle.want()

    def _cancel(self) -> None:
        self._throttle.stop()
        if self._gaps_ticket is not None:
            self._gaps_ticket.cancel()
            self._gaps_ticket = None
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
            self._stale = True
