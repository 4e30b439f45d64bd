"""Hour roll-ups: what is known of every hour of a series when its samples are gone. Pure numpy; any thread.

Parts add up in any order and nothing of them is ever changed: late samples are a further part of their hour. Of parts that
overlap in time, a counter's rise counts once: what lies before the end of what was counted tells nothing new.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.headline import BASE_UNITS, headline
from models.domain.names import SeriesKey, SeriesKind
from models.domain.reduce import MAX_SKEW_US, increases, plot_time
from models.storage.keeping.hour_columns import (
    BUCKET,
    HOUR_US,
    NOTHING,
    Float64,
    HourParts,
    Int64,
    UInt32,
    duration_bin,
)

_MS_US = 1_000
_HOUR_MS = HOUR_US // _MS_US
_MERGE_AT = 8
"""Slices are merged when there are so many, so that memory holds hours and not slices."""
_SET_ASIDE_PARTS = 65_536
"""So many are merged at a time: it takes some tens of milliseconds."""


class SeriesTraits(NamedTuple):
    """By series id: which are counters, and which are durations (seconds for one of the unit, else 0)."""

    counter: npt.NDArray[np.bool_]
    seconds: Float64

    @classmethod
    def of(cls, keys: Iterable[tuple[int, SeriesKey]]) -> "SeriesTraits":
        """Of all that are ever asked for."""
        known = dict(keys)
        size = 1 + max(known, default=0)
        traits = cls(np.zeros(size, bool), np.zeros(size))
        for id_, key in known.items():
            traits.counter[id_] = key.kind == SeriesKind.COUNTER
            traits.seconds[id_] = _seconds(key)
        return traits


def _seconds(key: SeriesKey) -> float:
    if key.kind == SeriesKind.COUNTER:
        return 0.0
    found = headline(key.metric, key.unit, key.labels)
    if found is not None and found.role == "response":
        return found.factor
    unit, factor = BASE_UNITS.get(key.unit, ("", 0.0))
    return factor if unit == "s" else 0.0


class HourSums:
    """Adds up the samples of a segment, slice after slice in order of arrival. No call takes long. One thread."""

    def __init__(self, traits: SeriesTraits) -> None:
        self._traits = traits
        self._slices: list[HourParts] = []
        self._aside: list[HourParts] = []

    def add(self, series: UInt32, time_us: Int64, received_us: Int64, value: Float64) -> None:
        """Some samples, as stored."""
        at_us = drawn_at(series, time_us, received_us)
        self._slices.append(parts_of(series, at_us, value, self._traits))
        if len(self._slices) >= _MERGE_AT:
            joined = merged(self._slices)
            self._slices = [joined]
            if len(joined.series) >= _SET_ASIDE_PARTS:
                self._aside += self._slices
                self._slices = []

    def by_bucket(self) -> Iterator[HourParts]:
        """What they add up to, a bucket at a time."""
        every = [*self._aside, merged(self._slices)]
        buckets = np.unique(np.concatenate([one.series // BUCKET for one in every]))
        for bucket in buckets.tolist():
            ends = np.array((bucket * BUCKET, (bucket + 1) * BUCKET), np.uint32)
            places = [np.arange(*np.searchsorted(one.series, ends)) for one in every]
            yield merged([one.pick(some) for one, some in zip(every, places, strict=True)])


def drawn_at(series: UInt32, time_us: Int64, received_us: Int64) -> Int64:
    """When a plot draws each of these samples: `plot_time`, series by series."""
    if not len(series) or int(np.abs(time_us - received_us).max()) <= MAX_SKEW_US:
        return time_us
    order = np.argsort(series, kind="stable")
    found = np.empty_like(time_us)
    for places in np.split(order, np.flatnonzero(np.diff(series[order])) + 1):
        found[places] = plot_time(time_us[places], received_us[places])
    return found


def parts_of(series: UInt32, at_us: Int64, value: Float64, traits: SeriesTraits) -> HourParts:
    """Samples in any order, summed up by series and hour."""
    if not len(series):
        return NOTHING
    order = np.argsort(series, kind="stable")  # quick where slices are sorted runs, as those of batches are
    sorted_, times = series[order], at_us[order]
    if ((times[1:] < times[:-1]) & (sorted_[1:] == sorted_[:-1])).any():
        order = np.lexsort((at_us, series))
    series, at_us, value = series[order], at_us[order], value[order]
    hour = at_us // HOUR_US
    starts = _starts(series, hour)
    ends = np.append(starts[1:], len(series)) - 1
    step, reset = increases(value)
    step[starts], reset[starts] = 0.0, False
    counter = traits.counter[series[starts]]
    bins, bin_, count = _histogram(series, value, starts, traits)
    return HourParts(
        series[starts],
        hour[starts],
        ends - starts + 1,
        at_us[starts] // _MS_US - hour[starts] * _HOUR_MS,
        at_us[ends] // _MS_US - hour[starts] * _HOUR_MS,
        np.where(counter, np.minimum(value[starts], value[ends]), np.minimum.reduceat(value, starts)),
        np.where(counter, np.maximum(value[starts], value[ends]), np.maximum.reduceat(value, starts)),
        np.where(counter, 0.0, np.add.reduceat(value, starts)),
        value[starts],
        value[ends],
        np.where(counter, np.add.reduceat(step, starts), 0.0),
        np.where(counter, np.add.reduceat(reset.astype(np.int64), starts), -1),
        bins,
        bin_,
        count,
    )


def merged(parts: Sequence[HourParts]) -> HourParts:
    """All parts, one for each series and hour, in that order."""
    parts = [one for one in parts if len(one.series)]
    if not parts:
        return NOTHING
    every = parts[0] if len(parts) == 1 else HourParts(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    every = every.pick(np.lexsort((every.last_ms, every.first_ms, every.hour, every.series)))
    starts = _starts(every.series, every.hour)
    if len(starts) == len(every.series):
        return every
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(every.series)))
    ends = np.append(starts[1:], len(every.series)) - 1
    latest = np.lexsort((every.last_ms, group))[ends]
    increase, resets = _risen(every, group, len(starts))
    bins, bin_, count = _joined_bins(every, group, len(starts))
    first, last, counter = every.first[starts], every.last[latest], resets >= 0
    return HourParts(
        every.series[starts],
        every.hour[starts],
        np.add.reduceat(every.n, starts),
        every.first_ms[starts],
        every.last_ms[latest],
        np.where(counter, np.minimum(first, last), np.minimum.reduceat(every.low, starts)),
        np.where(counter, np.maximum(first, last), np.maximum.reduceat(every.high, starts)),
        np.add.reduceat(every.total, starts),
        first,
        last,
        increase,
        resets,
        bins,
        bin_,
        count,
    )


def _starts(series: UInt32, hour: Int64) -> Int64:
    """Where each series and hour begins, of sorted ones."""
    change = (series[1:] != series[:-1]) | (hour[1:] != hour[:-1])
    return np.flatnonzero(np.concatenate(([True], change)))


def _risen(every: HourParts, group: Int64, groups: int) -> tuple[Float64, Int64]:
    """Rises and resets of every group, with those from each part to the next."""
    # ascending from group to group, so that one running maximum is one for each
    end = group * (2 * _HOUR_MS) + every.last_ms
    before = np.concatenate(([-1], np.maximum.accumulate(end)[:-1]))
    inner = before >= group * (2 * _HOUR_MS)  # there is a part before it in its group
    news = np.flatnonzero(~inner | (end > before))
    kept, of = every.pick(news), group[news]
    follows = np.concatenate(([False], of[1:] == of[:-1]))
    last = np.concatenate(([0.0], kept.last[:-1]))
    over = follows & (kept.first_ms < np.concatenate(([0], kept.last_ms[:-1])))  # began before the other ended
    reached = np.where(over, kept.last, kept.first)
    step = reached - last
    reset = step < 0
    step = np.where(follows, np.where(reset, reached, step), 0.0)
    counter = kept.resets >= 0
    increase = np.where(counter, step + np.where(over, 0.0, kept.increase), 0.0)
    resets = np.where(over, 0, np.maximum(kept.resets, 0)) + (follows & reset)
    counters = np.zeros(groups, bool)
    counters[of] = counter
    total = np.bincount(of, increase, groups).astype(np.float64)
    number = np.bincount(of, resets, groups).astype(np.int64)
    return total, np.where(counters, number, -1)


def _histogram(series: UInt32, value: Float64, starts: Int64, traits: SeriesTraits) -> tuple[Int64, Int64, Int64]:
    seconds = traits.seconds[series]
    some = np.flatnonzero(seconds)
    part = np.searchsorted(starts, some, side="right") - 1
    codes = (part << 16) | (duration_bin(value[some] * seconds[some]) + 0x8000)
    codes, count = np.unique(codes, return_counts=True)
    return np.bincount(codes >> 16, minlength=len(starts)), (codes & 0xFFFF) - 0x8000, count.astype(np.int64)


def _joined_bins(every: HourParts, group: Int64, groups: int) -> tuple[Int64, Int64, Int64]:
    codes = (np.repeat(group, every.bins) << 16) | (every.bin + 0x8000)
    codes, place = np.unique(codes, return_inverse=True)
    count = np.bincount(place, every.bin_n, len(codes)).astype(np.int64)
    return np.bincount(codes >> 16, minlength=groups), (codes & 0xFFFF) - 0x8000, count
