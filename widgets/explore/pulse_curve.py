"""Curves of what the recorder counts, of agents or of the log records that a query finds: in each step, a second, or as the share that failed."""

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from models.domain.pulse_figures import ERROR_RATIO, PULSE_US
from models.domain.queries import Float64, Int64
from widgets.plots.buckets import covered_us
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.curves import NO_READING, Reading, Shape, Window, joints

_NAN = float("nan")


class Steps(Protocol):
    """What is told of the steps in which something was counted."""

    step_us: int
    counted_until_us: int


class PulseCurve:
    """Implements `Curve`: how often something happened in each step or (`per_second`) in each second that history covers of it,
    or which share of it failed. A rate is told of steps that are over."""

    def __init__(
        self,
        name: str,
        unit: str,
        steps: Steps,
        buffers: Mapping[str, SeriesBuffer],
        figure: str,
        colour: int,
        *,
        per_second: bool = False,
    ) -> None:
        """`buffers` by figure: of one agent, or of a query."""
        self.name, self.unit, self.colour, self.tooltip = name, unit, colour, ""
        self._feed, self._figure, self._per_second = steps, figure, per_second
        self._buffers = buffers
        self._shown = (0, 0)
        self._starts_us: Int64 = np.empty(0, np.int64)
        self._rates: Float64 = np.empty(0)
        self.mean = _NAN
        """A second, over all that was drawn last; NaN: nothing is known, or no rate is drawn."""

    def shape(self, window: Window) -> Shape:
        step = self._feed.step_us
        self._shown = (window.since_us // step * step, window.until_us)
        x, value = self._buffers[self._figure].visible(*self._shown)
        if self._per_second:
            x, value = self._a_second(x, value, window)
        middles = x + step // 2
        return Shape(middles, value, joints(middles, step + 1, window.gaps), bucket_us=step)

    def _a_second(self, x: Int64, value: Float64, window: Window) -> tuple[Int64, Float64]:
        step = self._feed.step_us
        covered = covered_us(x, x + step, window.gaps)
        over = (x + step <= self._feed.counted_until_us) if step > PULSE_US else np.ones(len(x), bool)
        some = over & (covered > 0)
        x, value, covered = x[some], value[some], covered[some]
        self._starts_us, self._rates = x, value * 1e6 / covered
        inside = slice(*np.searchsorted(x, self._shown))
        whole_us = int(covered[inside].sum())
        self.mean = float(value[inside].sum()) * 1e6 / whole_us if whole_us else _NAN
        return x, self._rates

    @property
    def rise(self) -> float:
        """How often in all that was drawn last; NaN: nothing is known."""
        some = self._inside(self._figure)
        return float(some.sum()) if len(some) else _NAN

    def reading(self, at_us: int) -> Reading:
        step = self._feed.step_us
        if self._per_second:
            place = int(np.searchsorted(self._starts_us, at_us, side="right")) - 1
            here = place >= 0 and at_us < int(self._starts_us[place]) + step
            return Reading(float(self._rates[place])) if here else NO_READING
        value = self._buffers[self._figure].value_at(at_us, step - 1)
        if self._figure != ERROR_RATIO or math.isnan(value):
            return Reading(value)
        return Reading(value, int(self._buffers["finished"].value_at(at_us, step - 1)))

    def current(self, until_us: int) -> Reading:  # noqa: ARG002 - what was drawn last ends there
        """All that is seen, taken together; of a rate the newest."""
        if self._per_second:
            return Reading(float(self._rates[-1])) if len(self._rates) else NO_READING
        if self._figure != ERROR_RATIO:
            return Reading(self.rise)
        finished = int(self._inside("finished").sum())
        return Reading(float(self._inside("failed").sum()) / finished, finished) if finished else NO_READING

    def _inside(self, figure: str) -> Float64:
        buffer = self._buffers[figure]
        return buffer.value[slice(*np.searchsorted(buffer.x_us, self._shown))]
