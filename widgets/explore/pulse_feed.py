"""What agents did over time, as the recorder counts it: asked in steps that fit the range, again as time goes on. GUI thread."""

from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from models.domain.problems import Problem
from models.domain.pulse_figures import COUNTS, ERROR_RATIO, FIGURES, PULSE_US, PulseRequest, PulseResult
from models.domain.queries import DataSource, Failed, Float64, Int64, Result, SeriesColumns, Ticket
from widgets.plots.buckets import step_of
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.series_feed import NO_GAPS, ShownRange

_SETTLE_MS = 60
_LEAST_AGAIN_MS, _MOST_AGAIN_MS = 5_000, 60_000
SETTLE_US = 2_000_000
"""The store sums up ten seconds within this after they are over."""
_MARGIN = 4


def pulse_series(agent: int, figure: str) -> int:
    """Stands for a series where series are told apart; never the id of one that is stored."""
    return -(agent * len(FIGURES) + list(FIGURES).index(figure)) - 1


class PulseFeed(QObject):
    """Keeps a buffer for every figure of the watched agents. While inactive (hidden) it asks for nothing."""

    updated = Signal(object)  # frozenset[int]
    state_changed = Signal()

    def __init__(self, source: DataSource, time_range: ShownRange, parent: QObject) -> None:
        super().__init__(parent)
        self._source, self._range = source, time_range
        self._agents: tuple[int, ...] = ()
        self._active = False
        self._ticket: Ticket | None = None
        self._loaded = (0, 0)
        self.step_us = PULSE_US
        self.counted_until_us = 0  # what happened up to then is told
        self.buffers: dict[int, SeriesBuffer] = {}
        self.gaps = NO_GAPS
        self.loading = False
        self.problem: Problem | None = None
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.reload)
        self._again = QTimer(self)
        self._again.timeout.connect(self._time_passed)
        time_range.changed.connect(self._range_changed)

    def watch(self, agents: Collection[int]) -> None:
        """From now on these."""
        wanted = tuple(sorted(set(agents)))
        if wanted == self._agents:
            return
        more = set(wanted) - set(self._agents)
        self._agents = wanted
        series = [pulse_series(agent, figure) for agent in wanted for figure in FIGURES]
        self.buffers = {one: self.buffers.get(one) or SeriesBuffer(one) for one in series}
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
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
        self.loading = self._active and bool(self._agents)
        self._settle.stop()
        if not self.loading:
            self._again.stop()
            return
        now = self._range.current()
        step = step_of(now.span_us)
        margin = 0 if now.live else now.span_us // _MARGIN
        request = PulseRequest(self._agents, now.since_us - step - margin, now.until_us + margin, step)
        self.problem = None
        self._ticket = self._source.ask(request, self._take)
        self._again.start(min(max(step // 1_000, _LEAST_AGAIN_MS), _MOST_AGAIN_MS))
        self.state_changed.emit()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        now, (since, until) = self._range.current(), self._loaded
        covered = since <= now.since_us and now.until_us <= until and step_of(now.span_us) == self.step_us
        if self._active and not covered:
            self._settle.start()

    @Slot()
    def _time_passed(self) -> None:
        if self._range.live and self._ticket is None:  # one that takes longer than that is waited for
            self.reload()

    def _take(self, result: Result | Failed) -> None:
        self._ticket, self.loading = None, False
        if isinstance(result, Failed):
            self.problem = result.problem
        elif isinstance(result, PulseResult):
            self._fill(result)
        self.state_changed.emit()
        self.updated.emit(frozenset(self.buffers))

    def _fill(self, result: PulseResult) -> None:
        request, at = result.request, result.time_us
        self._loaded, self.step_us, self.gaps = (request.since_us, request.until_us), request.step_us, result.gaps
        self.counted_until_us = request.until_us - PULSE_US - SETTLE_US
        for row, agent in enumerate(request.agents):
            counts = {name: found[row].astype(np.float64) for name, found in result.counts.items()}
            for name in COUNTS:
                self._put(pulse_series(agent, name), at, counts[name])
            some = counts["finished"] > 0
            self._put(pulse_series(agent, ERROR_RATIO), at[some], counts["failed"][some] / counts["finished"][some])

    def _put(self, series: int, at: Int64, value: Float64) -> None:
        buffer = self.buffers.get(series)
        if buffer is not None:
            buffer.replace(SeriesColumns(series, at, at, value, reduced=False))
