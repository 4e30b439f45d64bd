"""Curves made smaller or read differently, without telling anything untrue. Pure numpy; any thread.

Times are sorted int64 microseconds, values float64; arrays that come in are not changed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

MAX_SKEW_US = 5_000_000
"""An agent whose clock is off by more (in the median) is drawn by arrival."""
MAX_DELAY_US = 86_400_000_000
"""A single sample whose own time lies farther than a day from its arrival is drawn by arrival."""

_PART = 16_384
_MANY = 100
"""Points in a stretch from which on it is looked at by itself."""


def envelope_index(time_us: Int64, value: Float64, columns: int) -> Int64:
    """Places of the points that `envelope` keeps, ascending."""
    n = len(time_us)
    if n <= 2 * columns or columns < 1:
        return np.arange(n, dtype=np.int64)
    starts = _stretches(time_us, columns)
    if n > _MANY * len(starts) and not np.isnan(np.dot(value, value)):
        low, high = _extremes_in_turn(value, starts)
    else:
        low = _first_of(value, np.fmin.reduceat(value, starts), starts)
        high = _first_of(value, np.fmax.reduceat(value, starts), starts)
    both = np.column_stack((np.minimum(low, high), np.maximum(low, high))).ravel()
    kept: Int64 = both[np.concatenate(([True], both[1:] != both[:-1]))]
    return kept


def counter_index(time_us: Int64, value: Float64, columns: int) -> Int64:
    """Places of the points that a counter's rise is exactly made of, ascending: the first of all, the last one of each of
    `columns` equal stretches of time, and both sides of every restart, however many there are."""
    n = len(time_us)
    if n <= 2 * columns or columns < 1:
        return np.arange(n, dtype=np.int64)
    starts = _stretches(time_us, columns)
    fell = np.flatnonzero(value[1:] < value[:-1])
    return np.unique(np.concatenate(([0], starts[1:] - 1, [n - 1], fell, fell + 1)))


def _stretches(time_us: Int64, columns: int) -> Int64:
    """Where each of so many equal stretches of time begins; empty ones are left out."""
    n, first, span = len(time_us), int(time_us[0]), int(time_us[-1] - time_us[0])
    edges = first + (np.arange(columns) * (span / columns)).astype(np.int64)
    starts = np.searchsorted(time_us, edges)
    found: Int64 = starts[(starts < n) & np.diff(starts, append=n).astype(bool)]
    return found


def _extremes_in_turn(value: Float64, starts: Int64) -> tuple[Int64, Int64]:
    """Where each stretch has its least and its largest value for the first time. Long stretches: one pass over them costs
    less than arrays as long as all of them. No value is NaN."""
    stretches = list(zip(starts.tolist(), [*starts[1:].tolist(), len(value)], strict=True))
    low = [start + int(value[start:end].argmin()) for start, end in stretches]
    high = [start + int(value[start:end].argmax()) for start, end in stretches]
    return np.array(low, np.int64), np.array(high, np.int64)


def _first_of(value: Float64, wanted: Float64, starts: Int64) -> Int64:
    """Where each stretch that begins at `starts` has its wanted value for the first time."""
    each = np.repeat(wanted, np.diff(starts, append=len(value)))
    same = value == each
    if np.isnan(wanted).any():  # nothing but NaN in a stretch: the break in the line stays
        same |= np.isnan(each)
    places = np.flatnonzero(same)
    found: Int64 = places[np.searchsorted(places, starts)]
    return found


def envelope(time_us: Int64, value: Float64, columns: int) -> tuple[Int64, Float64]:
    """At most two points for each of `columns` equal stretches of time: its minimum and its maximum, in order of time.

    Fewer points than that come back as they are. NaN breaks a line only where a whole stretch is NaN.
    """
    kept = envelope_index(time_us, value, columns)
    return time_us[kept], value[kept]


def increases(value: Float64) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """Exact steps of a counter, and where it restarted from zero. The first value is only a start: its step is 0."""
    step = np.zeros(len(value))
    step[1:] = np.diff(value)
    reset = step < 0
    step[reset] = value[reset]
    return step, reset


class Quantiles(NamedTuple):
    """`value` [quantile, bucket], NaN where a bucket is empty; `n` observations in each bucket."""

    value: Float64
    n: Int64


def quantiles_by_bucket(time_us: Int64, value: Float64, edges: Int64, qs: Sequence[float]) -> Quantiles:
    """Quantiles of the observations in each [edges[i], edges[i+1]): the value at rank q·n, never interpolated.

    `time_us` need not be sorted.
    """
    buckets = len(edges) - 1
    bucket = np.searchsorted(edges, time_us, side="right") - 1
    inside = (bucket >= 0) & (bucket < buckets) & ~np.isnan(value)
    bucket, value = bucket[inside], value[inside]
    ordered = value[np.lexsort((value, bucket))]
    n = np.bincount(bucket, minlength=buckets).astype(np.int64)
    start = np.cumsum(n) - n
    found = np.full((len(qs), buckets), np.nan)
    full = n > 0
    for row, q in enumerate(qs):
        rank = np.clip(np.ceil(q * n[full]).astype(np.int64) - 1, 0, n[full] - 1)
        found[row, full] = ordered[start[full] + rank]
    return Quantiles(found, n)


def plot_time(time_us: Int64, received_us: Int64) -> Int64:
    """Time to draw one agent's samples by: its own, unless its clock is off by more than 5 s in the median; single times
    that cannot be true give way to arrival. Not sorted."""
    if not len(time_us):
        return time_us
    if _agree(time_us, received_us):  # as nearly always, and told in a tenth of the time that a median takes
        return time_us
    skew = np.abs(time_us - received_us)
    if np.median(skew) > MAX_SKEW_US:
        return received_us
    return np.where(skew > MAX_DELAY_US, received_us, time_us) if skew.max() > MAX_DELAY_US else time_us


def _agree(time_us: Int64, received_us: Int64) -> bool:
    """Is no time off by more than what is borne? By parts that stay in the processor's cache."""
    parts = (slice(at, at + _PART) for at in range(0, len(time_us), _PART))
    return all(int(np.abs(time_us[part] - received_us[part]).max()) <= MAX_SKEW_US for part in parts)
