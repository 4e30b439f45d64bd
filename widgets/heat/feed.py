"""Keeps the cells of a heat-map: asked in steps that fit the range, and the newest again while time goes on. GUI thread."""

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from models.domain.heat_queries import Float32, HeatRequest, HeatResult, Int32
from models.domain.problems import Problem
from models.domain.pulse_figures import FIGURES, PULSE_US
from models.domain.queries import DataSource, Failed, GapsRequest, GapsResult, Result, Ticket
from models.domain.tail import Tail, TailPage
from models.domain.time_range import TimeRange
from widgets.common.throttle import Throttle
from widgets.heat.subject import HeatSubject
from widgets.plots.buckets import step_of
from widgets.plots.series_feed import NO_GAPS, ShownRange

_SETTLE_MS = 60
_LEAST_AGAIN_MS, _MOST_AGAIN_MS = 2_000, 30_000
_A_STEP = 10
"""The running step is asked for about so often while it runs."""
_MARGIN = 4
_MANY_HOLES = 0.4
_LATE_US, _SUMMED_US = PULSE_US, 3 * PULSE_US
"""What agents tell comes up to so much after its time, and what the recorder sums up."""


class HeatFeed(QObject):
    """While inactive (hidden) it asks for nothing. `value` and `n` are as in `HeatResult`, from `first_us` on."""

    changed = Signal()

    def __init__(self, source: DataSource, tail: Tail, time_range: ShownRange, parent: QObject) -> None:
        super().__init__(parent)
        self._source, self._range = source, time_range
        self._active = False
        self._ticket: Ticket | None = None
        self._gaps_ticket: Ticket | None = None
        self._least_us = PULSE_US
        self._covered = (0, 0)
        self.subject: HeatSubject | None = None
        self.first_us, self.step_us = 0, PULSE_US
        self.value: Float32 = np.zeros((0, 0), np.float32)
        self.n: Int32 = np.zeros((0, 0), np.int32)
        self.gaps = NO_GAPS
        """What history does not cover, of everybody and of each agent."""
        self.loads = 0
        """Rises whenever everything was asked for anew."""
        self.loading = False
        self.problem: Problem | None = None
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.reload)
        self._newest = Throttle(self._ask_newest, _LEAST_AGAIN_MS, self)
        time_range.changed.connect(self._range_changed)
        tail.follow(self._page_came)

    def show(self, subject: HeatSubject | None) -> None:
        """What it is about from now on."""
        if subject != self.subject:
            if subject is None or self.subject is None or subject.rows != self.subject.rows:
                self._forget(0 if subject is None else len(subject.rows))
            self.subject, self._least_us = subject, PULSE_US
            self.reload()

    def set_active(self, active: bool) -> None:
        """Does anybody see it?"""
        if active != self._active:
            self._active = active
            self.reload()

    @Slot()
    def reload(self) -> None:
        """Ask for everything again."""
        self._cancel()
        self._settle.stop()
        self._newest.stop()
        self.loading = self._active and self.subject is not None
        if not self.loading:
            return
        now = self._range.current()
        step_us = self._step_of(now)
        margin = 0 if now.live else now.span_us // _MARGIN
        self._newest.set_interval(min(max(step_us // _A_STEP // 1_000, _LEAST_AGAIN_MS), _MOST_AGAIN_MS))
        since_us, until_us = now.since_us - step_us - margin, now.until_us + margin
        self._ask(since_us, until_us, step_us)
        self._gaps_ticket = self._source.ask(GapsRequest(since_us, until_us), self._take_gaps)
        self.changed.emit()

    def _step_of(self, now: TimeRange) -> int:
        """Twice as fine as sums are drawn, but no finer than agents turned out to tell it."""
        return max(step_of(now.span_us // 2), self._least_us)

    def _ask(self, since_us: int, until_us: int, step_us: int) -> None:
        subject = self.subject
        assert subject is not None
        self.problem = None
        request = HeatRequest(subject.rows, subject.figure, subject.shown, since_us, until_us, step_us)
        self._ticket = self._source.ask(request, self._take)

    def _cancel(self) -> None:
        for ticket in filter(None, (self._ticket, self._gaps_ticket)):
            ticket.cancel()
        self._ticket = self._gaps_ticket = None

    def _forget(self, rows: int) -> None:
        self.value, self.n = np.zeros((rows, 0), np.float32), np.zeros((rows, 0), np.int32)
        self._covered = (0, 0)

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        if self._active and self.subject is not None:
            now, (since, until) = self._range.current(), self._covered
            if not (since <= now.since_us and now.until_us <= until and self._step_of(now) == self.step_us):
                self._settle.start()

    def _page_came(self, page: TailPage) -> None:
        if page.batches and self._active and self.subject is not None and self._range.live:
            self._newest.want()

    def _ask_newest(self) -> None:
        """From where the last answer ended."""
        if self._ticket is None and self._covered[1]:
            late_us = _SUMMED_US if self.subject is not None and self.subject.figure in FIGURES else _LATE_US
            self._ask(self._covered[1] - late_us, self._range.current().until_us, self.step_us)

    def _take(self, result: Result | Failed) -> None:
        if isinstance(result, Failed):
            self._ticket, self.loading, self.problem = None, False, result.problem
        elif isinstance(result, HeatResult):
            if result.complete:
                self._ticket, self.loading = None, False
            self._put(result)
        self.changed.emit()

    def _put(self, result: HeatResult) -> None:
        request = result.request
        whole = request.until_us - request.since_us >= self._range.current().span_us
        goes_on = not whole and request.step_us == self.step_us and self.value.shape[1] > 0
        if not goes_on:
            self.first_us, self.step_us, self._covered = (
                request.first_us,
                request.step_us,
                (request.since_us, request.until_us),
            )
            self.value, self.n = result.value, result.n
            self.loads += result.complete
            if result.complete:
                self._coarsen()
            return
        gone = max(0, (self._range.current().since_us - self.first_us) // self.step_us - 1)
        at = max(0, (request.first_us - self.first_us) // self.step_us - gone)
        value, n = self.value[:, gone:], self.n[:, gone:]
        more = max(0, at + request.steps - value.shape[1])
        value = np.pad(value, ((0, 0), (0, more)), constant_values=np.nan)
        n = np.pad(n, ((0, 0), (0, more)))
        told = ~np.isnan(result.value)  # what is not told again stands: a rate needs the sample before
        value[:, at : at + request.steps][told] = result.value[told]
        n[:, at : at + request.steps][told] = result.n[told]
        self.value, self.n = value, n
        self.first_us += gone * self.step_us
        self._covered = (max(self._covered[0], self.first_us), request.until_us)

    def _coarsen(self) -> None:
        """Where steps are shorter than agents tell it, most cells would be empty: take longer ones, as they say of themselves."""
        assert self.subject is not None
        told_us = step_of(self.subject.interval_us * 60)
        if self.step_us < told_us and _holes(self.value) > _MANY_HOLES:
            self._least_us = told_us
            self._settle.start()

    def _take_gaps(self, result: Result | Failed) -> None:
        self._gaps_ticket = None
        if isinstance(result, GapsResult):  # else the cells tell of the same problem
            self.gaps = result.gaps
            self.changed.emit()


def _holes(value: Float32) -> float:
    """Which share of the cells between the first and the last known one of their row is empty."""
    known = ~np.isnan(value)
    rows = known[known.any(axis=1)] if known.shape[1] else known[:0]
    if not len(rows):
        return 0.0
    inside = rows.shape[1] - np.argmax(rows, axis=1) - np.argmax(rows[:, ::-1], axis=1)
    return 1.0 - float(rows.sum()) / float(inside.sum())
