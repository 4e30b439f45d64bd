"""Hour parts as bytes: what the roll-ups of one week of some neighbouring series are stored as.

    blocks of: u32 parts, u32 bins; then for every column u32 length and its numbers, compressed

A row of a table of hours holds the series of one *bucket* (`BUCKET` ids in a row) in one week, so that a year of one
series is read from 53 rows. Numbers that do not compress (noise in every bit) are kept to 24 bits of mantissa, one part in
17 million; those of counters stay exact.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, standalone

from models.storage.segments.pulse_columns import BIN_RATIO, response_bin

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt32 = npt.NDArray[np.uint32]

HOUR_US = 3_600_000_000
WEEK_HOURS = 168
BUCKET = 32
DAMAGED = (ValueError, RuntimeError)
"""What `decode` raises for bytes that are damaged."""
_HEADER = 8
_DEAR_BYTES = 4.0
"""A column of fractions that needs more for each number is noise down to its last bit."""
_NOISE_BITS = 29
_DECIMALS = 1e4


class HourParts(NamedTuple):
    """Columns, one entry for each part, by series and hour. A part sums up samples of one series that lie in one hour; they
    may be all of them or not: parts of the same hour are added up by `rollups.merged`.

    `hour` counts from 1970. `first_ms`, `last_ms` lie within the hour, `first` and `last` are the values then. `resets` is
    how often a counter began again, -1 for what is no counter; `increase` is its exact rise from `first` to `last`.
    Its lowest, highest and summed value mean nothing and are not stored: `low` and `high` are then the ends, `total` is 0.
    `bins` says how many entries of `bin` and `bin_n` belong to a part: its histogram of durations, in bins of twice the width
    of those of a pulse (`bin_middle_s` here), so that a quantile is off by at most 4 %.
    """

    series: UInt32
    hour: Int64
    n: Int64
    first_ms: Int64
    last_ms: Int64
    low: Float64
    high: Float64
    total: Float64
    first: Float64
    last: Float64
    increase: Float64
    resets: Int64
    bins: Int64
    bin: Int64
    bin_n: Int64

    def pick(self, which: Int64 | npt.NDArray[np.bool_]) -> "HourParts":
        """Some of the parts, by place or by mask."""
        places = np.flatnonzero(which) if which.dtype == bool else which
        starts = np.cumsum(self.bins) - self.bins
        bins = self.bins[places]
        within = np.repeat(starts[places] - (np.cumsum(bins) - bins), bins) + np.arange(int(bins.sum()))
        one_each = self._asdict()
        del one_each["bin"], one_each["bin_n"]
        return HourParts(
            **{name: column[places] for name, column in one_each.items()},
            bin=self.bin[within],
            bin_n=self.bin_n[within],
        )


_INTS = np.empty(0, np.int64)
_FLOATS = np.empty(0)
NOTHING = HourParts(
    np.empty(0, np.uint32), _INTS, _INTS, _INTS, _INTS, _FLOATS, _FLOATS, _FLOATS, _FLOATS, _FLOATS, _FLOATS, _INTS, _INTS,
    _INTS, _INTS,
)  # fmt: skip


def joined(parts: Sequence[HourParts]) -> HourParts:
    """All of them, one after another."""
    return HourParts(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class HourRow(NamedTuple):
    """A row of a table of hours. `week` counts from 1970-01-01, `bucket` holds the series `bucket * BUCKET` and following."""

    week: int
    bucket: int
    parts: int
    data: bytes


def rows_of(parts: HourParts) -> list[HourRow]:
    """Parts as rows to store."""
    if not len(parts.series):
        return []
    bucket, week = parts.series.astype(np.int64) // BUCKET, parts.hour // WEEK_HOURS
    order = np.lexsort((parts.hour, parts.series, week, bucket))
    parts, bucket, week = parts.pick(order), bucket[order], week[order]
    new = np.flatnonzero(np.concatenate(([True], (bucket[1:] != bucket[:-1]) | (week[1:] != week[:-1]))))
    rows = []
    for start, end in zip(new.tolist(), [*new[1:].tolist(), len(week)], strict=True):
        data = encode(parts.pick(np.arange(start, end)), int(bucket[start]), int(week[start]))
        rows.append(HourRow(int(week[start]), int(bucket[start]), end - start, data))
    return rows


def encode(parts: HourParts, bucket: int, week: int) -> bytes:
    """Parts of one bucket and week: a block for each sort of series, as numbers of one sort compress best together."""
    sort = _sorts(parts)
    return b"".join(_block(parts.pick(sort == one), bucket, week) for one in np.unique(sort).tolist())


def _block(parts: HourParts, bucket: int, week: int) -> bytes:
    gauges = bool((parts.resets < 0).all())
    extremes = (parts.low, parts.high, parts.total) if gauges else (np.zeros(len(parts.series)),) * 3
    columns = [
        _whole(parts.series - np.uint32(bucket * BUCKET)),
        _whole(parts.hour - week * WEEK_HOURS),
        _whole(parts.n),
        _whole(parts.first_ms),
        _whole(parts.last_ms),
        *(_fraction(one, may_round=gauges) for one in (*extremes, parts.first, parts.last)),
        _packed(parts.increase),
        _whole(parts.resets + 1),
        _whole(parts.bins),
        _whole(parts.bin + 0x8000),
        _whole(parts.bin_n),
    ]
    header = np.array((len(parts.series), len(parts.bin)), "<u4").tobytes()
    return header + b"".join(np.array((len(one),), "<u4").tobytes() + one for one in columns)


def _sorts(parts: HourParts) -> Int64:
    """Of each part by its series: 0 a counter, 1 numbers of few decimals, 2 any others."""
    plain = np.ones(len(parts.series), bool)
    with np.errstate(over="ignore", invalid="ignore"):
        for one in (parts.low, parts.high, parts.first, parts.last):
            plain &= np.rint(one * _DECIMALS) / _DECIMALS == one
    _, place = np.unique(parts.series, return_inverse=True)
    others = np.bincount(place, ~plain)[place] > 0
    return np.where(parts.resets >= 0, 0, np.where(others, 2, 1))


def decode(data: bytes, bucket: int, week: int, parts: int) -> HourParts:
    """The `parts` of a row. Raises one of `DAMAGED`."""
    found = joined([NOTHING, *(_read(block, bucket, week) for block in _blocks(data))])
    if len(found.series) != parts:
        raise ValueError("hour parts are cut short")
    return found


def decode_some(data: bytes, bucket: int, week: int, wanted: UInt32) -> HourParts:
    """Those of some series alone; blocks without them are passed over. Raises one of `DAMAGED`."""
    ids = wanted - np.uint32(bucket * BUCKET)
    blocks = (block for block in _blocks(data) if np.isin(_numbers(block.columns[0]), ids).any())
    every = [_read(block, bucket, week) for block in blocks]
    return joined([NOTHING, *(one.pick(np.isin(one.series, wanted)) for one in every)])


class _Packed(NamedTuple):
    """A block as it is stored: how many parts and bins, and the bytes of every column."""

    parts: int
    bins: int
    columns: list[bytes]


def _blocks(data: bytes) -> Iterator[_Packed]:
    at = 0
    while at < len(data):
        if len(data) < at + _HEADER:
            raise ValueError("hour parts are cut short")
        parts, bins = (int(one) for one in np.frombuffer(data, "<u4", 2, at))
        columns = []
        at += _HEADER
        for _ in HourParts._fields:
            if at + 4 > len(data):
                raise ValueError("hour parts are cut short")
            end = at + 4 + int(np.frombuffer(data, "<u4", 1, at)[0])
            columns.append(data[at + 4 : end])
            at = end
        yield _Packed(parts, bins, columns)


def _numbers(column: bytes) -> npt.NDArray[Any]:
    found = standalone.simple_decompress(column)
    return np.empty(0, np.uint32) if found is None else np.asarray(found)  # None: nothing was compressed


def _read(block: _Packed, bucket: int, week: int) -> HourParts:
    found = [_numbers(column) for column in block.columns]
    bins = block.bins
    if [len(column) for column in found] != [block.parts] * 13 + [bins] * 2 or int(
        found[12].astype(np.int64).sum()
    ) != bins:
        raise ValueError("hour parts do not fit their header")
    ints = [column.astype(np.int64) for column in (*found[1:5], *found[11:])]
    hour, count, first_ms, last_ms, resets, per_part, bin_, counts = ints
    low, high, total, first, last, increase = (column.astype(np.float64) for column in found[5:11])
    if block.parts and resets[0]:
        low, high = np.minimum(first, last), np.maximum(first, last)
    series = found[0].astype(np.uint32) + np.uint32(bucket * BUCKET)
    return HourParts(
        series, hour + week * WEEK_HOURS, count, first_ms, last_ms, low, high, total, first, last, increase, resets - 1,
        per_part, bin_ - 0x8000, counts,
    )  # fmt: skip


def duration_bin(seconds: Float64) -> Int64:
    """Bin of each duration."""
    return response_bin(seconds).astype(np.int64) // 2


def bin_middle_s(bins: Int64) -> Float64:
    """Geometric middle of each bin, seconds."""
    middle: Float64 = np.exp((2.0 * bins + 1.0) * np.log(BIN_RATIO))
    return middle


def _whole(column: npt.NDArray[np.integer]) -> bytes:
    return _packed(column.astype(np.uint32))


def _packed(column: Float64 | UInt32) -> bytes:
    return bytes(standalone.simple_compress(np.ascontiguousarray(column), ChunkConfig()))


def _fraction(column: Float64, *, may_round: bool) -> bytes:
    exact = _packed(column)
    if len(exact) <= _DEAR_BYTES * len(column) or not may_round:
        return exact
    return min(exact, _packed(_rounded(column)), key=len)


def _rounded(column: Float64) -> Float64:
    """To the nearest number with 24 bits of mantissa; what would become infinite stays."""
    bits = column.view(np.int64)
    half = np.int64(1 << (_NOISE_BITS - 1))
    rounded = ((bits + half) & ~np.int64((1 << _NOISE_BITS) - 1)).view(np.float64)
    return np.where(np.isfinite(rounded) & np.isfinite(column), rounded, column)
