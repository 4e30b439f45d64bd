"""How many log records a query finds over time: asked in the steps of what the recorder counts, again as time goes on. GUI thread."""

import hashlib
from collections.abc import Collection
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.pulse_figures import PULSE_US
from models.domain.queries import (
    DataSource,
    Failed,
    GapsRequest,
    GapsResult,
    LogSummaryRequest,
    LogSummaryResult,
    Result,
    SeriesColumns,
    Ticket,
)
from models.domain.search.parsing import parse
from widgets.explore.pulse_feed import SETTLE_US
from widgets.plots.buckets import step_of
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.series_feed import NO_GAPS, ShownRange

_SETTLE_MS = 60
_LEAST_AGAIN_MS, _MOST_AGAIN_MS, _REST = 5_000, 300_000, 5
"""A query that takes long is asked again only so many times later than it took."""
_FIRST = -(1 << 48)


def query_series(query: str) -> int:
    """Stands for a series where series are told apart; never one that is stored, nor one that the recorder counts."""
    return _FIRST - int.from_bytes(hashlib.blake2b(query.encode(), digest_size=6).digest(), "little")


def is_query(series: int) -> bool:
    """Is it one of `query_series`?"""
    return series <= _FIRST


class QueryFeed(QObject):
    """Keeps a buffer for every watched query: records in each step that is over. While inactive (hidden) it asks for nothing."""

    updated = Signal(object)  # frozenset[int]
    state_changed = Signal()

    def __init__(self, source: DataSource, time_range: ShownRange, clock: Clock, parent: QObject) -> None:
        super().__init__(parent)
        self._source, self._range, self._clock = source, time_range, clock
        self._queries: dict[int, str] = {}
        self._active = False
        self._tickets: dict[int, Ticket] = {}
        self._gaps_ticket: Ticket | None = None
        self._loaded, self._asked_us = (0, 0), 0
        self._whole = set[int]()  # drawn up to the end
        self.step_us = PULSE_US
        self.counted_until_us = 0  # what arrived up to then is counted
        self.buffers: dict[int, SeriesBuffer] = {}
        self.gaps = NO_GAPS
        self.problem: Problem | None = None
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.reload)
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._time_passed)
        time_range.changed.connect(self._range_changed)

    @property
    def loading(self) -> bool:
        return bool(self._tickets)

    def watch(self, queries: Collection[str]) -> None:
        """From now on these."""
        wanted = {query_series(one): one for one in queries}
        if wanted.keys() == self._queries.keys():
            return
        more = wanted.keys() - self._queries.keys()
        for series in self._queries.keys() - wanted.keys():
            self._let_go(series)
        self._queries = wanted
        self.buffers = {one: self.buffers.get(one) or SeriesBuffer(one) for one in wanted}
        if not wanted:
            self.gaps = NO_GAPS
        if more:
            self.reload()

    def set_active(self, active: bool) -> None:
        """Does anybody see it?"""
        if active != self._active:
            self._active = active
            self.reload()

    @Slot()
    def reload(self) -> None:
        """Ask for everything again."""
        self._whole.clear()
        self._ask()

    def _ask(self) -> None:
        for series in list(self._tickets):
            self._let_go(series)
        if self._gaps_ticket is not None:  # of another time, maybe: rates are of the time that no gap covers
            self._gaps_ticket.cancel()
            self._gaps_ticket = None
        self._settle.stop()
        self._again.stop()
        if not self._active or not self._queries:
            return
        now, now_us = self._range.current(), self._clock.wall_us()
        self.step_us = step = step_of(now.span_us)
        since, until = (now.since_us // step - 1) * step, -(-now.until_us // step) * step
        self._loaded, self._asked_us = (since, until), self._clock.monotonic_us()
        self.counted_until_us = min(until, now_us - SETTLE_US)
        self.problem = None
        for series, query in self._queries.items():
            try:
                term = parse(query, now_us)
            except EnvironmentProblem as error:
                self.problem = error.problem
                continue
            request = LogSummaryRequest(term, since, until, step, facets=False)
            self._tickets[series] = self._source.ask(request, partial(self._take, series))
        self._gaps_ticket = self._source.ask(GapsRequest(since, until), self._take_gaps)
        self.state_changed.emit()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        now, (since, until) = self._range.current(), self._loaded
        if self._active and not (
            since <= now.since_us and now.until_us <= until and step_of(now.span_us) == self.step_us
        ):
            self._settle.start()

    @Slot()
    def _time_passed(self) -> None:
        if self._range.live:
            self._ask()

    def _let_go(self, series: int) -> None:
        ticket = self._tickets.pop(series, None)
        if ticket is not None:
            ticket.cancel()

    def _take_gaps(self, result: Result | Failed) -> None:
        self._gaps_ticket = None
        if isinstance(result, GapsResult):  # else those that are known stay
            self.gaps = result.gaps
            self.state_changed.emit()

    def _take(self, series: int, result: Result | Failed) -> None:
        if isinstance(result, Failed):
            self.problem = result.problem
            self._tickets.pop(series, None)
        elif isinstance(result, LogSummaryResult):
            self._fill(series, result)
            if result.complete:
                self._tickets.pop(series, None)
        if not self._tickets:
            took_ms = (self._clock.monotonic_us() - self._asked_us) // 1_000
            self._again.start(min(max(self.step_us // 1_000, _LEAST_AGAIN_MS, _REST * took_ms), _MOST_AGAIN_MS))
        self.state_changed.emit()
        self.updated.emit(frozenset((series,)))

    def _fill(self, series: int, result: LogSummaryResult) -> None:
        """Steps that are counted as a whole. An answer that is whole stays until the next one is."""
        step, n = result.request.cell_us, result.counts.sum(axis=1)
        at = result.request.since_us + np.arange(len(n)) * step
        whole = (at >= result.counted_us) & (at + step <= self.counted_until_us)
        if result.complete:
            self._whole.add(series)
        if result.complete or series not in self._whole:
            told = n[whole].astype(np.float64)
            self.buffers[series].replace(SeriesColumns(series, at[whole], at[whole], told, reduced=False))
