"""Curves of counters: how much they rose in each bucket, and how fast. Exact: first and last values and restarts, nothing is
averaged. Pure numpy."""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from models.domain.queries import Float64, HourColumns, Int64
from models.domain.reduce import increases
from widgets.plots.buckets import bucket_width_us, middles
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.curves import (
    NO_READING,
    NO_SHAPE,
    ON_ITS_WAY_US,
    SILENCE_FACTOR,
    Reading,
    Shape,
    Spans,
    Window,
    joints,
    raw_points,
)
from widgets.plots.hours import HOUR_US, hours_within

PER_SECOND = "/s"
"""Follows the unit of a counter in the unit of its rate."""
Flags = npt.NDArray[np.bool_]
T = TypeVar("T", np.float64, np.int64)


def rate_unit(unit: str) -> str:
    """Of a counter's rate: a counter without a unit, or in ones, rises by so many a second."""
    return (unit or "1") + PER_SECOND


class Rises(NamedTuple):
    """What a counter did in the buckets that begin at `starts_us`, of those that have any. `over_us`: from the last sample before
    a bucket to the last one in it, silences left out: `rise` came in that time. `hourly`: known by the hour."""

    starts_us: Int64
    rise: Float64
    over_us: Int64
    hourly: Flags
    width_us: int
    silence_us: int


NO_RISES = Rises(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, bool), 1, 0)


class IncreaseCurve:
    """How much a counter rose in each bucket. A restart counts what came after it and is marked; so is a rise over a gap or
    silence, which counts in the sum alone."""

    def __init__(
        self, name: str, unit: str, buffer: SeriesBuffer, colour: int, *, bars: bool = False, declared: bool = True
    ) -> None:
        """`unit` is that of what is drawn. What is not `declared` a counter is reduced by the store as a gauge, and tells then
        nothing."""
        self.name = name
        self.unit = unit
        self.colour = colour
        self.tooltip = ""
        self.buffer = buffer
        self._bars, self._declared = bars, declared
        self._last = NO_RISES
        self.rise = float("nan")
        """Over all that was drawn last, what rose over gaps included; NaN: nothing is known."""

    def shape(self, window: Window) -> Shape:
        if self.buffer.reduced and not self._declared:
            self._last, self.rise = NO_RISES, float("nan")
            return NO_SHAPE
        hours, some = self.buffer.hours, hours_within(self.buffer.hours, window.since_us, window.until_us)
        width = bucket_width_us(window)
        if some.start < some.stop:
            width = max(width, HOUR_US)  # a rise within an hour cannot be shared out
        edges = np.arange(window.since_us // width * width, window.until_us + width, width)
        x, value = self.buffer.visible(int(edges[0]), int(edges[-1]))
        at, before = x[1:], x[:-1]  # the first point is only a start, be it the one before the window or the first ever
        step, reset = increases(value)
        step, reset = step[1:], reset[1:]
        silence = int(SILENCE_FACTOR * self.buffer.usual_interval_us())
        followed = joints(x, silence, window.gaps)[:-1]
        carried = ~followed & (step > 0)
        seen = carried & (at >= window.since_us) & (at < window.until_us)
        carried_by = step[seen]
        step[carried] = 0.0
        places = np.searchsorted(at, edges)
        rise = _sums(step, places)
        over = _sums(np.where(followed, at - before, 0), places)
        full = _sums(np.where(carried, 0, 1), places) > 0  # a step of which only the carried rise is known has no value
        hourly = np.zeros(len(rise), bool)
        if hours is not None and some.start < some.stop:
            bucket = (hours.since_us[some] - edges[0]) // width
            inside = (bucket >= 0) & (bucket < len(rise))
            np.add.at(rise, bucket[inside], hours.increase[some][inside])
            np.add.at(over, bucket[inside], _hours_took(hours)[some][inside])
            hourly[bucket[inside]] = True
        full |= hourly
        self._last = Rises(edges[:-1][full], rise[full], over[full], hourly[full], width, silence)
        self.rise = float(rise[full].sum() + carried_by.sum()) if full.any() else float("nan")
        shape = self._drawn(window.gaps)
        shape.resets, shape.carried, shape.carried_by = at[reset], at[seen], carried_by
        shape.carried_unit = self.unit.removesuffix(PER_SECOND)
        if hours is not None and some.start < some.stop:
            shape.resets = np.concatenate((hours.since_us[some][hours.reset[some]], shape.resets))
            shape.hourly = int(hours.since_us[some][0]), int(hours.since_us[some][-1]) + HOUR_US
        return shape

    @property
    def mean(self) -> float:
        """A second, over all that was drawn last; NaN: nothing is known."""
        over_us = int(self._last.over_us.sum())
        return float(self._last.rise.sum()) * 1e6 / over_us if over_us else float("nan")

    def _drawn(self, gaps: Spans) -> Shape:
        last = self._last
        if self._bars:
            none = np.zeros(len(last.starts_us), bool)
            return Shape(last.starts_us, last.rise, none, bar_us=last.width_us, bucket_us=last.width_us)
        return _line(last, last.rise, gaps)

    def reading(self, at_us: int) -> Reading:
        place = self._place(at_us)
        return NO_READING if place < 0 else Reading(float(self._last.rise[place]))

    def current(self, until_us: int) -> Reading:  # noqa: ARG002 - what was drawn last ends there
        """The increase over all that is seen."""
        return Reading(self.rise)

    def points(self, since_us: int, until_us: int) -> tuple[Int64, Float64]:
        return raw_points(self.buffer, since_us, until_us)

    def _place(self, at_us: int) -> int:
        """The bucket that holds a moment; -1: there is none."""
        last = self._last
        place = int(np.searchsorted(last.starts_us, at_us, side="right")) - 1
        return place if place >= 0 and at_us < int(last.starts_us[place]) + last.width_us else -1


class RateCurve(IncreaseCurve):
    """How fast a counter rose: the increase from the last sample before a bucket to the last one in it, for each second of the
    time between them. What rose over a gap or silence belongs to no bucket."""

    def _drawn(self, gaps: Spans) -> Shape:
        last = self._last
        some = last.over_us > 0
        self._last = last = last._replace(
            starts_us=last.starts_us[some], rise=last.rise[some], over_us=last.over_us[some], hourly=last.hourly[some]
        )
        return _line(last, last.rise * 1e6 / last.over_us, gaps)

    def reading(self, at_us: int) -> Reading:
        place = self._place(at_us)
        return NO_READING if place < 0 else Reading(self._rate(place))

    def current(self, until_us: int) -> Reading:
        """The newest one, unless nothing came for too long since."""
        last = self._last
        if not len(last.starts_us):
            return NO_READING
        ended_us = int(last.starts_us[-1]) + last.width_us
        return NO_READING if until_us - ended_us > max(last.silence_us, ON_ITS_WAY_US) else Reading(self._rate(-1))

    def _rate(self, place: int) -> float:
        return float(self._last.rise[place]) * 1e6 / int(self._last.over_us[place])


def _sums(each: npt.NDArray[T], places: Int64) -> npt.NDArray[T]:
    """Of the stretches between neighbouring places."""
    ran = np.zeros(len(each) + 1, each.dtype)
    np.cumsum(each, out=ran[1:])
    sums: npt.NDArray[T] = ran[places[1:]] - ran[places[:-1]]
    return sums


def _hours_took(hours: HourColumns) -> Int64:
    """The time in which each hour's increase came: from the last sample of the hour before, where it follows that."""
    took = hours.last_us - hours.first_us
    follows = np.diff(hours.since_us) == HOUR_US
    took[1:] = np.where(follows, hours.last_us[1:] - hours.last_us[:-1], took[1:])
    return took


def _line(rises: Rises, value: Float64, gaps: Spans) -> Shape:
    starts, width, hourly = rises.starts_us, rises.width_us, rises.hourly
    x = np.where(hourly, starts + width // 2, middles(starts, width, gaps))
    joined = joints(x, max(width, rises.silence_us) + width, gaps)
    joined[:-1] |= hourly[:-1] & hourly[1:] & (np.diff(starts) == width)
    return Shape(x, value, joined, bucket_us=width)
