"""What agents did over time, as the recorder counts it: asked in steps that fit the range, again as time goes on. GUI thread."""

import math
from collections.abc import Collection, Mapping

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from models.domain.problems import Problem
from models.domain.pulse_figures import COUNTS, ERROR_RATIO, FIGURES, PULSE_US, PulseRequest, PulseResult
from models.domain.queries import DataSource, Failed, Float64, Int64, Result, SeriesColumns, Ticket
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.curves import NO_READING, Reading, Shape, Window, joints
from widgets.plots.series_feed import NO_GAPS, ShownRange

_SETTLE_MS = 60
_LEAST_AGAIN_MS, _MOST_AGAIN_MS = 5_000, 60_000
_STEPS = 60
"""Of a range, about so many: finer ones are narrower than what is read off a plot."""
_MARGIN = 4
_STEPS_S = (10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)


def step_of(span_us: int) -> int:
    """A round step of whole pulses, in microseconds."""
    wanted_s = span_us / 1e6 / _STEPS
    return next((step for step in _STEPS_S if step >= wanted_s), _STEPS_S[-1]) * 1_000_000


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
        if self._range.live:
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


class PulseCurve:
    """Implements `Curve`: how often something happened in each step, or which share of it failed."""

    def __init__(self, name: str, unit: str, feed: PulseFeed, agent: int, figure: str, colour: int) -> None:
        self.name, self.unit, self.colour, self.tooltip = name, unit, colour, ""
        self._feed, self._figure = feed, figure
        self._buffers: Mapping[str, SeriesBuffer] = {one: feed.buffers[pulse_series(agent, one)] for one in FIGURES}
        self._shown = (0, 0)

    def shape(self, window: Window) -> Shape:
        step = self._feed.step_us
        self._shown = (window.since_us // step * step, window.until_us)
        x, value = self._buffers[self._figure].visible(*self._shown)
        middles = x + step // 2
        return Shape(middles, value, joints(middles, step + 1, window.gaps), bucket_us=step)

    def reading(self, at_us: int) -> Reading:
        value = self._buffers[self._figure].value_at(at_us, self._feed.step_us - 1)
        if self._figure != ERROR_RATIO or math.isnan(value):
            return Reading(value)
        return Reading(value, int(self._buffers["finished"].value_at(at_us, self._feed.step_us - 1)))

    def current(self, until_us: int) -> Reading:  # noqa: ARG002 - what was drawn last ends there
        """All that is seen, taken together."""
        if self._figure != ERROR_RATIO:
            some = self._inside(self._figure)
            return Reading(float(some.sum())) if len(some) else NO_READING
        finished = int(self._inside("finished").sum())
        return Reading(float(self._inside("failed").sum()) / finished, finished) if finished else NO_READING

    def _inside(self, figure: str) -> Float64:
        buffer = self._buffers[figure]
        return buffer.value[slice(*np.searchsorted(buffer.x_us, self._shown))]
