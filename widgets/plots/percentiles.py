"""Curves made of buckets: percentiles of raw observations, and exact increases of counters. Never averaged.

Buckets lie on round times, so a bucket keeps its value while the window moves. Live points touch only the last ones.
"""

from collections.abc import Sequence

import numpy as np

from models.domain.queries import Float64, HourColumns, Int64
from models.domain.reduce import increases, quantiles_by_bucket
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.curves import NO_READING, SILENCE_FACTOR, Reading, Shape, Spans, Window, joints, raw_points
from widgets.plots.hours import HOUR_US, hour_at, hours_within

BUCKET_PIXELS = 8
FEW = 100
"""Below so many observations the highest percentile is hardly more than the maximum, and is drawn as such."""
_MOST_EMPTY = 3
"""A line of buckets runs over so many buckets without an observation, no farther."""
_WIDTHS_S = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600,
    7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400,
)  # fmt: skip


def bucket_width_us(window: Window) -> int:
    """A round width of about eight pixels."""
    wanted_s = (window.until_us - window.since_us) / 1e6 * BUCKET_PIXELS / max(window.columns, 1)
    return round(next((width for width in _WIDTHS_S if width >= wanted_s), _WIDTHS_S[-1]) * 1_000_000)


class QuantileBuckets:
    """Percentiles of one series of observations, shared by the curves that draw them."""

    def __init__(self, buffer: SeriesBuffer, quantiles: Sequence[float]) -> None:
        self.buffer = buffer
        self.quantiles = tuple(quantiles)
        self.starts_us: Int64 = np.empty(0, np.int64)
        self.value: Float64 = np.empty((len(quantiles), 0))
        self.n: Int64 = np.empty(0, np.int64)
        self.width_us = 0
        self._version = -1
        self._seen = 0

    def refresh(self, window: Window) -> None:
        """Bring the buckets of the window up to date; only new ones are computed while the window moves on."""
        width = bucket_width_us(window)
        since = window.since_us // width * width
        until = -(-window.until_us // width) * width
        old = self.buffer.version != self._version or width != self.width_us
        if old or not len(self.starts_us) or since < int(self.starts_us[0]):
            self._version, self.width_us = self.buffer.version, width
            self._compute(since, until, keep=0)
        elif len(self.buffer) != self._seen or until > int(self.starts_us[-1]) + width:
            x = self.buffer.x_us
            first_new = int(x[self._seen]) if self._seen < len(x) else until
            keep = int(np.searchsorted(self.starts_us, first_new, side="right")) - 1
            self._compute(int(self.starts_us[0]), until, keep=max(0, keep))
        drop = int(np.searchsorted(self.starts_us, since))
        if drop > len(self.starts_us) // 2:
            self.starts_us, self.n, self.value = self.starts_us[drop:], self.n[drop:], self.value[:, drop:]
        self._seen = len(self.buffer)

    def _compute(self, since: int, until: int, keep: int) -> None:
        edges = np.arange(since, until + 1, self.width_us)
        fresh = edges[keep:]
        x, value = self.buffer.visible(int(fresh[0]), until)
        found = quantiles_by_bucket(x, value, fresh, self.quantiles)
        self.starts_us = edges[:-1]
        self.value = np.concatenate((self.value[:, :keep], found.value), axis=1)
        self.n = np.concatenate((self.n[:keep], found.n))


class QuantileCurve:
    """One percentile. `marks_few` for the highest one: it is thin where its bucket has under 100 observations."""

    def __init__(
        self, name: str, unit: str, buckets: QuantileBuckets, row: int, colour: int, *, marks_few: bool = False
    ) -> None:
        self.name = name
        self.unit = unit
        self.colour = colour
        self.tooltip = ""
        self._buckets = buckets
        self._row = row
        self._marks_few = marks_few

    def shape(self, window: Window) -> Shape:
        return with_hours(self._of_samples(window), self._buckets.buffer.hours, self._row, window)

    def _of_samples(self, window: Window) -> Shape:
        if self._buckets.buffer.reduced:  # an envelope says nothing of ranks
            return Shape(np.empty(0, np.int64), np.empty(0), np.zeros(0, bool))
        self._buckets.refresh(window)
        one = self._buckets
        first = int(np.searchsorted(one.starts_us, window.since_us - one.width_us))
        value, n = one.value[self._row, first:], one.n[first:]
        full = n > 0
        x = _middles(one.starts_us[first:][full], one.width_us, window.gaps)
        joined = joints(x, _MOST_EMPTY * one.width_us + one.width_us, window.gaps)
        thin = (n[full] < FEW) if self._marks_few else None
        return Shape(x, value[full], joined, thin, bucket_us=one.width_us)

    def reading(self, at_us: int) -> Reading:
        one = self._buckets
        place = int(np.searchsorted(one.starts_us, at_us, side="right")) - 1
        if place < 0 or one.n[place] == 0 or at_us >= int(one.starts_us[place]) + one.width_us:
            hour = hour_at(one.buffer.hours, at_us)
            if hour < 0 or one.buffer.hours is None:
                return NO_READING
            return Reading(float(one.buffer.hours.quantiles[self._row, hour]))
        return self._at(place)

    def current(self, until_us: int) -> Reading:
        one = self._buckets
        full = np.flatnonzero(one.n[: int(np.searchsorted(one.starts_us, until_us))] > 0)
        return self._at(int(full[-1])) if len(full) else NO_READING

    def _at(self, place: int) -> Reading:
        # the three stand side by side: once is enough to tell on how many observations they rest
        n = int(self._buckets.n[place]) if self._marks_few else 0
        return Reading(float(self._buckets.value[self._row, place]), n)


class IncreaseCurve:
    """How much a counter rose in each bucket, exactly. A reset counts what came after it and is marked; so is a rise over a
    gap or silence, which counts in the sum alone."""

    def __init__(self, name: str, unit: str, buffer: SeriesBuffer, colour: int, *, bars: bool = False) -> None:
        self.name = name
        self.unit = unit
        self.colour = colour
        self.tooltip = ""
        self.buffer = buffer
        self._bars = bars
        self._last: tuple[Int64, Float64, int] = (np.empty(0, np.int64), np.empty(0), 1)
        self._sum = float("nan")

    def shape(self, window: Window) -> Shape:
        width = bucket_width_us(window)
        hours = self.buffer.hours
        some = hours_within(hours, window.since_us, window.until_us)
        if some.start < some.stop:
            width = max(width, HOUR_US)  # a rise within an hour cannot be shared out
        edges = np.arange(window.since_us // width * width, window.until_us + width, width)
        x, value = self.buffer.visible(int(edges[0]), int(edges[-1]))
        at = x[1:]  # the first point is only a start, be it the neighbour before the window or the first one ever
        step, reset = increases(value)
        step, reset = step[1:], reset[1:]
        silence = int(SILENCE_FACTOR * self.buffer.usual_interval_us())
        carried = ~joints(x, silence, window.gaps)[:-1] & (step > 0)
        seen = carried & (at >= window.since_us) & (at < window.until_us)
        carried_by = step[seen]
        step[carried] = 0.0
        places = np.searchsorted(at, edges)
        ran = np.concatenate(([0.0], np.cumsum(step)))
        rise = ran[places[1:]] - ran[places[:-1]]
        full = np.diff(places) > 0
        hourly = np.zeros(len(rise), bool)
        if hours is not None and some.start < some.stop:
            bucket = (hours.since_us[some] - edges[0]) // width
            inside = (bucket >= 0) & (bucket < len(rise))
            np.add.at(rise, bucket[inside], hours.increase[some][inside])
            hourly[bucket[inside]] = True
        full |= hourly
        starts, total, hourly = edges[:-1][full], rise[full], hourly[full]
        self._last = (starts, total, width)
        self._sum = float(total.sum() + carried_by.sum()) if len(total) else float("nan")
        if self._bars:
            shape = Shape(starts, total, np.zeros(len(starts), bool), bar_us=width, bucket_us=width)
        else:
            middles = np.where(hourly, starts + width // 2, _middles(starts, width, window.gaps))
            joined = joints(middles, max(width, silence) + width, window.gaps)
            joined[:-1] |= hourly[:-1] & hourly[1:] & (np.diff(starts) == width)
            shape = Shape(middles, total, joined, bucket_us=width)
        shape.resets, shape.carried, shape.carried_by = at[reset], at[seen], carried_by
        if hours is not None and some.start < some.stop:
            again = hours.reset[some]
            shape.resets = np.concatenate((hours.since_us[some][again], shape.resets))
            shape.hourly = int(hours.since_us[some][0]), int(hours.since_us[some][-1]) + HOUR_US
        return shape

    def reading(self, at_us: int) -> Reading:
        starts, total, width = self._last
        place = int(np.searchsorted(starts, at_us, side="right")) - 1
        if place < 0 or at_us >= int(starts[place]) + width:
            return NO_READING
        return Reading(float(total[place]))

    def current(self, until_us: int) -> Reading:  # noqa: ARG002 - what was drawn last ends there
        """The increase over all that is seen."""
        return Reading(self._sum)

    def points(self, since_us: int, until_us: int) -> tuple[Int64, Float64]:
        return raw_points(self.buffer, since_us, until_us)


def with_hours(shape: Shape, hours: HourColumns | None, row: int, window: Window) -> Shape:
    """The percentile of every hour whose samples are gone, before those of samples."""
    some = hours_within(hours, window.since_us, window.until_us)
    value = hours.quantiles[row, some] if hours is not None else np.empty(0)
    known = ~np.isnan(value)
    if hours is None or not known.any():
        return shape
    since_us = hours.since_us[some][known]
    x = np.concatenate((since_us + HOUR_US // 2, shape.x_us))
    order = np.argsort(x, kind="stable")
    joined = np.concatenate((np.append(np.diff(since_us) == HOUR_US, False), shape.joined))
    thin = None if shape.thin is None else np.concatenate((hours.n[some][known] < FEW, shape.thin))[order]
    values = np.concatenate((value[known], shape.value))[order]
    span = int(since_us[0]), int(since_us[-1]) + HOUR_US
    return Shape(x[order], values, joined[order], thin, hourly=span, bucket_us=shape.bucket_us)


def _middles(starts_us: Int64, width_us: int, gaps: Spans) -> Int64:
    """Where to draw each bucket: in its middle, or at the edge of a gap that covers the middle."""
    middle = starts_us + width_us // 2
    for since, until in zip(gaps.since_us.tolist(), gaps.until_us.tolist(), strict=True):
        first, last = np.searchsorted(middle, [since, until])
        ends_after = starts_us[first:last] + width_us > until
        middle[first:last] = np.where(ends_after, until, np.maximum(since, starts_us[first:last]))
    return middle
