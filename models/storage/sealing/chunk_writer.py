"""From sorted samples to the rows of `sample_chunk`, `sample_column` and `sample_series`."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from models.storage.sealing.number_column import pack
from models.storage.sealing.sample_shards import Int64, Shard, UInt32
from models.storage.sealing.sample_tables import COLUMNS

CHUNK_ROWS = 16_384
"""Rows of a chunk at the most. Reading one series decodes whole columns, in about 0.1 ms each."""
CHUNK_SAMPLES = 1 << 20
COLUMN_VALUES = 2_048
"""A column takes in further series until it has as many: one by itself costs some fifty bytes."""


class _Entries(NamedTuple):
    """Series of one chunk: which samples of the shard are theirs, and where their group begins in the chunk. `number`: which
    series of its group it is. `low`: the first row of the group that is in this chunk."""

    rows: UInt32  # their places
    series: UInt32
    number: Int64
    first: Int64
    n: Int64
    first_row: Int64
    sparse: npt.NDArray[np.bool_]
    low: int


class ChunkWriter:
    """Fills chunks with group after group. One thread."""

    def __init__(self, target: apsw.Connection, time_us: Int64, received_us: Int64) -> None:
        self._target, self._time_us, self._received_us = target, time_us, received_us
        self._chunk = 0

    def write(self, shard: Shard) -> None:
        """All groups of a shard, in chunks of their own."""
        for entries in _chunks(shard):
            if len(entries.rows):
                self._chunk += 1
                self._write_rows(entries.rows)
                self._write_columns(shard, entries)

    def _write_rows(self, place: UInt32) -> None:
        time_us, received_us = self._time_us[place], self._received_us[place]
        self._target.execute(
            "INSERT INTO sample_chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._chunk, int(received_us.min()), int(received_us.max()), int(place.min()), int(place.max()), len(place),
             pack(time_us), pack(received_us - time_us), pack(place)),
        )  # fmt: skip

    def _write_columns(self, shard: Shard, entries: _Entries) -> None:
        order = np.argsort(entries.number, kind="stable")  # what measures the same comes together
        n = entries.n[order]
        ends = np.cumsum(n)
        samples = np.repeat(entries.first[order] - (ends - n), n) + np.arange(int(ends[-1]))
        value, step = shard.value[samples], shard.step[samples] - np.uint32(entries.low)
        bounds = _columns(n.tolist(), entries.number[order].tolist())
        columns, at = [], np.zeros(len(n), np.int64)
        number = np.zeros(len(n), np.int64)
        for column, (low, high) in enumerate(itertools.pairwise(bounds)):
            begin, end = int(ends[low] - n[low]), int(ends[high - 1])
            number[low:high] = column
            at[low:high] = ends[low:high] - n[low:high] - begin
            steps = pack(step[begin:end]) if entries.sparse[order[low:high]].any() else None
            columns.append((self._chunk * COLUMNS + column, end - begin, pack(value[begin:end]), steps))
        self._target.executemany("INSERT INTO sample_column VALUES (?, ?, ?, ?)", columns)
        told = (entries.series[order], np.full(len(n), self._chunk), number, at, n, entries.first_row[order])
        rows = zip(*(one.tolist() for one in told), strict=True)
        self._target.executemany("INSERT INTO sample_series VALUES (?, ?, ?, ?, ?, ?)", rows)


def _columns(n: list[int], number: list[int]) -> list[int]:
    """Where columns begin, and the end: series of the same number share one, and others join one that is small."""
    bounds, size = [0], n[0]
    for at in range(1, len(n)):
        if size + n[at] > CHUNK_ROWS or (number[at] != number[at - 1] and size >= COLUMN_VALUES):
            bounds.append(at)
            size = 0
        size += n[at]
    return [*bounds, len(n)]


def _chunks(shard: Shard) -> Iterator[_Entries]:
    """Runs of whole groups, as many as fit; a group that does not fit is cut into even parts."""
    series_of, rows_of = shard.group_start.tolist(), shard.row_start.tolist()
    first = 0
    for group in range(shard.groups):
        width = series_of[group + 1] - series_of[group]
        samples = shard.start[series_of[group + 1]] - shard.start[series_of[first]]
        rows = rows_of[group + 1] - rows_of[first]
        if group > first and (rows > CHUNK_ROWS or samples > CHUNK_SAMPLES):
            yield _whole(shard, first, group)
            first = group
        rows = rows_of[group + 1] - rows_of[group]
        most = max(1, min(CHUNK_ROWS, CHUNK_SAMPLES // width))
        if first == group and rows > most:
            parts = -(-rows // most)
            for part in range(parts):
                yield _part(shard, group, rows * part // parts, rows * (part + 1) // parts)
            first = group + 1
    if first < shard.groups:
        yield _whole(shard, first, shard.groups)


def _whole(shard: Shard, first: int, end: int) -> _Entries:
    """Groups [first, end)."""
    low, high = int(shard.group_start[first]), int(shard.group_start[end])
    group = np.repeat(np.arange(first, end), np.diff(shard.group_start[first : end + 1]))
    n = np.diff(shard.start[low : high + 1])
    kept = n > 0
    return _Entries(
        shard.rows[shard.row_start[first] : shard.row_start[end]],
        shard.series[low:high][kept],
        (np.arange(low, high) - shard.group_start[group])[kept],
        shard.start[low:high][kept],
        n[kept],
        (shard.row_start[group] - shard.row_start[first])[kept],
        shard.sparse[group][kept],
        0,
    )


def _part(shard: Shard, group: int, low: int, high: int) -> _Entries:
    """Rows [low, high) of one group."""
    series = range(int(shard.group_start[group]), int(shard.group_start[group + 1]))
    bounds = [
        shard.start[at] + np.searchsorted(shard.step[shard.start[at] : shard.start[at + 1]], (low, high))
        for at in series
    ]
    begin, end = np.array(bounds).T
    kept = np.flatnonzero(end > begin)
    base = int(shard.row_start[group])
    return _Entries(
        shard.rows[base + low : base + high],
        shard.series[series.start : series.stop][kept],
        kept,
        begin[kept],
        (end - begin)[kept],
        np.zeros(len(kept), np.int64),
        np.full(len(kept), shard.sparse[group]),
        low,
    )
