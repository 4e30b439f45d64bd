"""Reads the chunks of a sealed segment whole, in the order in which its samples were stored: for export and for checks."""

import itertools
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from models.storage.sealing.sample_reading import MOST_NUMBERS, ChunkColumns, numbers
from models.storage.segments.open_segment import fetch
from models.storage.segments.sample_pick import Float64, Int64, Picked, UInt32, chosen, joined

EVER_US = 1 << 62
WINDOW_SAMPLES = 1_000_000
"""So many samples are sorted at once, in about 50 MB: chunks of small groups reach over a whole segment, and are decoded
once for each window."""


class Ordered(NamedTuple):
    """Samples in the order of storing, those of one message by series. `stamp` says which of the times is a sample's;
    `batch` and `seq` are commit and message of each stamp."""

    batch: Int64
    seq: Int64
    time_us: Int64
    received_us: Int64
    stamp: Int64
    series: UInt32
    value: Float64


class _Directory(NamedTuple):
    """All of `sample_series`, in the order of the columns."""

    series: Int64
    chunk: Int64
    column: Int64
    at: Int64
    n: Int64
    first_row: Int64

    def of(self, chunk: int) -> "_Directory":
        low, high = np.searchsorted(self.chunk, (chunk, chunk + 1))
        return _Directory(*(column[low:high] for column in self))


def read_in_order(
    connection: apsw.Connection,
    since_us: int,
    until_us: int,
    batches: tuple[int, int],
    wanted: Collection[int] | None,
    damaged: Callable[[Exception], None],
) -> Iterator[Ordered]:
    """Samples that arrived in [since_us, until_us) with batches [first, end), of some series (None: of all), a window at a
    time. Damage is told and costs a column, or a chunk."""
    directory = _read_directory(connection, wanted)
    for first, end in _windows(connection, since_us, until_us, batches):
        found = _window(connection, directory, first, end, damaged)
        batch, seq = _order(connection, first, end, damaged)
        kept = (found.received_us >= since_us) & (found.received_us < until_us)
        kept &= (batch >= batches[0]) & (batch < batches[1])
        which = np.flatnonzero(kept[found.stamp])
        which = which[_by_stamp(found.stamp[which])]
        yield found._replace(
            batch=batch, seq=seq, stamp=found.stamp[which], series=found.series[which], value=found.value[which]
        )  # fmt: skip


def read_batches(
    connection: apsw.Connection, batches: tuple[int, int], wanted: UInt32, damaged: Callable[[Exception], None]
) -> Picked:
    """Samples of the `wanted` series that came with batches [first, end), series after series."""
    parts = [
        Picked(part.series, part.time_us[part.stamp], part.received_us[part.stamp], part.value)
        for part in read_in_order(connection, -EVER_US, EVER_US, batches, set(wanted.tolist()), damaged)
    ]
    found = joined(parts)
    return chosen(found, np.argsort(found.series, kind="stable"))


def _windows(
    connection: apsw.Connection, since_us: int, until_us: int, batches: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Places [first, end), in order."""
    sql = """SELECT first, n, n_samples FROM sample_stamp
        WHERE last_us >= ? AND first_us < ? AND last_batch >= ? AND first_batch < ? ORDER BY first"""
    first = end = samples = 0
    for begin, n, more in fetch(connection, sql, (since_us, until_us, *batches)):
        if samples and (samples + more > WINDOW_SAMPLES or begin != end):
            yield first, end
            samples = 0
        if not samples:
            first = begin
        end, samples = begin + n, samples + more
    if samples:
        yield first, end


def _read_directory(connection: apsw.Connection, wanted: Collection[int] | None) -> _Directory:
    rows = fetch(
        connection, "SELECT series_id, chunk, col, at, n, first_row FROM sample_series ORDER BY chunk, col, at"
    )
    if wanted is not None:
        rows = [row for row in rows if row[0] in wanted]
    return _Directory(*np.array(rows, np.int64).reshape(-1, 6).T)


def _window(
    connection: apsw.Connection, directory: _Directory, first: int, end: int, damaged: Callable[[Exception], None]
) -> Ordered:
    """Samples at places [first, end), chunk after chunk."""
    times = np.zeros((2, end - first), np.int64)
    stamps, series, values = [np.zeros(0, np.int64)], [np.zeros(0, np.uint32)], [np.zeros(0)]
    sql = "SELECT id, n_rows, place, time, delay FROM sample_chunk WHERE id = ?"
    ids = fetch(connection, "SELECT id FROM sample_chunk WHERE last >= ? AND first < ? ORDER BY id", (first, end))
    for (id_,) in ids:
        entries = directory.of(id_)
        if not len(entries.n):
            continue
        try:
            for chunk, n_rows, place_data, time, delay in fetch(connection, sql, (id_,)):
                place = numbers(place_data, n_rows, np.uint32).astype(np.int64) - first
                inside = (place >= 0) & (place < end - first)
                time_us = numbers(time, n_rows, np.int64)
                row, value, owner = _samples(ChunkColumns(connection, chunk), entries, inside, damaged)
                times[0, place[inside]] = time_us[inside]
                times[1, place[inside]] = (time_us + numbers(delay, n_rows, np.int64))[inside]
                stamps.append(place[row])
                series.append(owner)
                values.append(value)
        except ValueError as error:
            damaged(error)
    nothing = np.zeros(0, np.int64)
    return Ordered(
        nothing, nothing, times[0], times[1], np.concatenate(stamps), np.concatenate(series), np.concatenate(values)
    )


def _samples(
    columns: ChunkColumns,
    entries: _Directory,
    inside: npt.NDArray[np.bool_],
    damaged: Callable[[Exception], None],
) -> tuple[Int64, Float64, UInt32]:
    """Row, value and series of the samples in those rows that are `inside`. A damaged column costs what stands in it."""
    bounds = np.flatnonzero(np.diff(entries.column, prepend=-1, append=-1))
    rows, values, owners = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.uint32)]
    for low, high in itertools.pairwise(bounds):
        try:
            some = _Directory(*(column[low:high] for column in entries))
            row, where, value = _places(columns, some, len(inside))
        except ValueError as error:
            damaged(error)
            continue
        kept = inside[row]
        rows.append(row[kept])
        values.append(value[where[kept]])
        owners.append(np.repeat(some.series.astype(np.uint32), some.n)[kept])
    return np.concatenate(rows), np.concatenate(values), np.concatenate(owners)


def _places(columns: ChunkColumns, some: _Directory, n_rows: int) -> tuple[Int64, Int64, Float64]:
    """Of all samples of one column: row, place among the values, and these. Raises `ValueError`."""
    value, step = columns.column(int(some.column[0]))
    at, n, first_row = some.at, some.n, some.first_row
    if min(at.min(), n.min(), first_row.min()) < 0 or max(at.max(), n.max(), first_row.max()) > MOST_NUMBERS:
        raise ValueError("the directory of samples points outside")
    if (at + n > len(value)).any() or (at[1:] < (at + n)[:-1]).any():
        raise ValueError("the directory of samples points outside")
    within: Int64 = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
    where: Int64 = within + np.repeat(at, n)
    row: Int64 = (within if step is None else step[where].astype(np.int64)) + np.repeat(first_row, n)
    if len(row) and int(row.max()) >= n_rows:
        raise ValueError("samples without a message")
    return row, where, value


def _order(
    connection: apsw.Connection, first: int, end: int, damaged: Callable[[Exception], None]
) -> tuple[Int64, Int64]:
    """Batch and message of each stamp at [first, end). Where the batches are damaged, the one before stands for them."""
    batch, seq = np.zeros(end - first, np.int64), np.zeros(end - first, np.int64)
    sql = "SELECT first, n, batch, seq FROM sample_stamp WHERE first >= ? AND first < ? ORDER BY first"
    for at, n, *data in fetch(connection, sql, (first, end)):
        place = slice(at - first, at - first + n)
        try:
            batch[place], seq[place] = (numbers(one, n, np.int64) for one in data)
        except ValueError as error:
            damaged(error)
    return np.maximum.accumulate(batch), seq


def _by_stamp(stamp: Int64) -> Int64:
    """The stable order: numpy sorts 16 bits in one pass, so twice 16 are sorted five times as fast as 32."""
    order = np.argsort((stamp & 0xFFFF).astype(np.uint16), kind="stable")
    if len(stamp) and int(stamp.max()) > 0xFFFF:
        order = order[np.argsort((stamp[order] >> 16).astype(np.uint16), kind="stable")]
    return order
