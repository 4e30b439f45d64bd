"""Percentiles of raw observations, bucket by bucket. Never averaged. Live points touch only the last buckets."""

from collections.abc import Sequence

import numpy as np

from models.domain.queries import Float64, HourColumns, Int64
from models.domain.reduce import quantiles_by_bucket
from widgets.plots.buckets import bucket_width_us, middles
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.curves import NO_READING, Reading, Shape, Window, joints
from widgets.plots.hours import HOUR_US, hour_at, hours_within

FEW = 100
"""Below so many observations the highest percentile is hardly more than the maximum, and is drawn as such."""
_MOST_EMPTY = 3
"""A line of buckets runs over so many buckets without an observation, no farther."""


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
        x = middles(one.starts_us[first:][full], one.width_us, window.gaps)
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
            n = int(one.buffer.hours.n[hour]) if self._marks_few else 0
            return Reading(float(one.buffer.hours.quantiles[self._row, hour]), n)
        return self._at(place)

    def current(self, until_us: int) -> Reading:
        one = self._buckets
        full = np.flatnonzero(one.n[: int(np.searchsorted(one.starts_us, until_us))] > 0)
        return self._at(int(full[-1])) if len(full) else NO_READING

    def _at(self, place: int) -> Reading:
        # the three stand side by side: once is enough to tell on how many observations they rest
        n = int(self._buckets.n[place]) if self._marks_few else 0
        return Reading(float(self._buckets.value[self._row, place]), n)


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
