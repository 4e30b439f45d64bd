"""Samples of chosen series out of the columns of many batches (`sample_columns`), all at once: no loop over the batches."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.storage.segments.sample_columns import words_of

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt32 = npt.NDArray[np.uint32]


class Picked(NamedTuple):
    """Samples of wanted series, in order of arrival within each series."""

    series: UInt32
    time_us: Int64
    received_us: Int64
    value: Float64


class Piece(NamedTuple):
    """Samples of one series, in order of arrival. Pieces of series that came in the same messages may share their times."""

    series: int
    time_us: Int64
    received_us: Int64
    value: Float64


NOTHING = Picked(np.array([], np.uint32), np.array([], np.int64), np.array([], np.int64), np.array([]))


def joined(parts: Sequence[Picked]) -> Picked:
    """Parts one after another."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return NOTHING
    return Picked(
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.received_us for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


def chosen(picked: Picked, which: Int64 | slice | npt.NDArray[np.bool_]) -> Picked:
    """Some of the samples, by place or by mask."""
    return Picked(picked.series[which], picked.time_us[which], picked.received_us[which], picked.value[which])


def pieces(picked: Picked) -> Iterator[Piece]:
    """Series by series, of samples that are ordered so."""
    bounds = np.flatnonzero(np.diff(picked.series.astype(np.int64), prepend=-1, append=-1)).tolist()
    for low, high in pairwise(bounds):
        times = picked.time_us[low:high], picked.received_us[low:high]
        yield Piece(int(picked.series[low]), *times, picked.value[low:high])


def pick(blobs: Sequence[bytes], wanted: UInt32, damaged: Callable[[Exception], None]) -> Picked:
    """Samples of the `wanted` (ascending) series, series after series. A damaged blob is told, and costs only itself."""
    try:
        return _pick(blobs, wanted)
    except ValueError as error:
        if len(blobs) == 1:
            damaged(error)
            return NOTHING
    parts = joined([pick([blob], wanted, damaged) for blob in blobs])
    return chosen(parts, np.argsort(parts.series, kind="stable"))


def _pick(blobs: Sequence[bytes], wanted: UInt32) -> Picked:
    """As words of 32 bits: places are computed for all blobs at once."""
    if not blobs or not len(wanted):
        return NOTHING
    words, start, n, stamps = words_of(blobs)
    values = start + 2 + 5 * stamps  # first words of each column, in every blob
    series = values + 2 * n
    find = _searched if len(wanted) * len(blobs) * int(n.max()).bit_length() < n.sum() else _looked_through
    blob, within, ids = find(words, series, n, wanted)
    stamp = words[series[blob] + n[blob] + within].astype(np.int64)
    if (stamp >= stamps[blob]).any():
        raise ValueError("sample columns point outside")
    time_at = start[blob] + 2 + 2 * stamp
    return Picked(
        ids,
        _pairs(words, time_at).view("<i8"),
        _pairs(words, time_at + 2 * stamps[blob]).view("<i8"),
        _pairs(words, values[blob] + 2 * within).view("<f8"),
    )


def _searched(words: UInt32, series: Int64, n: Int64, wanted: UInt32) -> tuple[Int64, Int64, UInt32]:
    """Blob, place in it and series of the wanted samples, by bisection in all blobs at once."""
    low = _bisect(words, series, n, wanted.astype(np.int64))  # [wanted, blob]
    count = _bisect(words, series, n, wanted.astype(np.int64) + 1) - low
    ids, first, count = np.repeat(wanted, count.sum(axis=1)), low.ravel(), count.ravel()
    blob = np.repeat(np.tile(np.arange(len(n)), len(wanted)), count)
    return blob, np.arange(len(blob)) + np.repeat(first - (np.cumsum(count) - count), count), ids


def _looked_through(words: UInt32, series: Int64, n: Int64, wanted: UInt32) -> tuple[Int64, Int64, UInt32]:
    """The same by a look at every sample: where many series are wanted of small blobs."""
    blob = np.repeat(np.arange(len(n)), n)
    within = np.arange(len(blob)) - np.repeat(np.cumsum(n) - n, n)
    ids = words[series[blob] + within]
    kept = np.flatnonzero(np.isin(ids, wanted))
    kept = kept[np.argsort(ids[kept], kind="stable")]
    return blob[kept], within[kept], ids[kept]


def _bisect(words: UInt32, start: Int64, n: Int64, wanted: Int64) -> Int64:
    """How many of the `n` ascending words from each `start` are less than each wanted number: [wanted, start]."""
    low = np.zeros((len(wanted), len(n)), np.int64)
    high = np.broadcast_to(n, low.shape)
    last = len(words) - 1
    while (low < high).any():
        middle = (low + high) // 2
        less = (low < high) & (words[np.minimum(start + middle, last)] < wanted[:, None])
        high = np.where(less | (low >= high), high, middle)
        low = np.where(less, middle + 1, low)
    return low


def _pairs(words: UInt32, at: Int64) -> UInt32:
    return np.ascontiguousarray(np.column_stack((words[at], words[at + 1]))).ravel()
