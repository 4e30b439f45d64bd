"""Reads chosen series from the chunks of a sealed segment."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from models.storage.sealing.number_column import unpack
from models.storage.sealing.sample_tables import COLUMNS
from models.storage.segments.open_segment import fetch
from models.storage.segments.sample_pick import Float64, Int64, Piece, UInt32

MOST_NUMBERS = 1 << 26
"""No column is longer, whatever a damaged file says."""
MANY_SERIES = 1_000
"""For more it is cheaper to read the whole directory."""


class Entry(NamedTuple):
    """Where the samples of a series stand in a chunk."""

    series: int
    column: int
    at: int
    n: int
    first_row: int


def read_series(
    connection: apsw.Connection,
    wanted: Sequence[int],
    since_us: int,
    until_us: int,
    damaged: Callable[[Exception], None],
) -> Iterator[Piece]:
    """Samples of the `wanted` series that arrived in [since_us, until_us), the newest chunk first, one
    series at a time. A damaged column is told, and
    costs the series that stand in it only. No transaction outlives a chunk."""
    for chunk, entries in sorted(_directory(connection, wanted).items(), reverse=True):
        rows = fetch(
            connection,
            "SELECT n_rows, first_us, last_us, time, delay FROM sample_chunk WHERE id = ? AND last_us >= ? AND first_us < ?",
            (chunk, since_us, until_us),
        )
        if not rows:
            continue
        n_rows, first_us, last_us, time, delay = rows[0]
        try:
            time_us = numbers(time, n_rows, np.int64)
            received_us = time_us + numbers(delay, n_rows, np.int64)
        except ValueError as error:
            damaged(error)
            continue
        inside = since_us <= first_us and last_us < until_us
        columns = ChunkColumns(connection, chunk)
        times: dict[tuple[int, int], tuple[Int64, Int64]] = {}  # shared by the series of a group
        for entry in entries:
            try:
                rows_of, value = columns.samples(entry, n_rows)
            except ValueError as error:
                damaged(error)
                continue
            if isinstance(rows_of, slice):
                own = times.setdefault((rows_of.start, rows_of.stop), (time_us[rows_of], received_us[rows_of]))
            else:
                own = time_us[rows_of], received_us[rows_of]
            found = Piece(entry.series, *own, value)
            yield found if inside else _within(found, since_us, until_us)


def _within(found: Piece, since_us: int, until_us: int) -> Piece:
    kept = (found.received_us >= since_us) & (found.received_us < until_us)
    return Piece(found.series, found.time_us[kept], found.received_us[kept], found.value[kept])


def _directory(connection: apsw.Connection, wanted: Sequence[int]) -> dict[int, list[Entry]]:
    """Entries by chunk."""
    found: dict[int, list[Entry]] = {}
    sql = "SELECT chunk, series_id, col, at, n, first_row FROM sample_series"
    if len(wanted) > MANY_SERIES:
        chosen = set(wanted)
        rows = [row for row in fetch(connection, sql) if row[1] in chosen]
    else:
        rows = [row for series in wanted for row in fetch(connection, sql + " WHERE series_id = ?", (series,))]
    for chunk, *entry in rows:
        found.setdefault(chunk, []).append(Entry(*entry))
    return found


class ChunkColumns:
    """Columns of one chunk, each read when first asked for."""

    def __init__(self, connection: apsw.Connection, chunk: int) -> None:
        self._connection, self._chunk = connection, chunk
        self._read: dict[int, tuple[Float64, UInt32 | None]] = {}

    def samples(self, entry: Entry, n_rows: int) -> tuple[slice | UInt32, Float64]:
        """Rows and values of a series. Raises `ValueError` where they do not fit."""
        found = self._read.get(entry.column)
        if found is None:
            found = self._read[entry.column] = self.column(entry.column)
        value, step = found
        end = entry.at + entry.n
        if min(entry) < 0 or end > len(value):
            raise ValueError("the directory of samples points outside")
        if step is None:
            if entry.first_row + entry.n > n_rows:
                raise ValueError("the directory of samples points outside")
            return slice(entry.first_row, entry.first_row + entry.n), value[entry.at : end]
        rows = step[entry.at : end] + np.uint32(entry.first_row)
        if len(rows) and int(rows.max()) >= n_rows:
            raise ValueError("samples without a message")
        return rows, value[entry.at : end]

    def column(self, number: int) -> tuple[Float64, UInt32 | None]:
        """Values and steps (None: one value in each row) of all series in it. Raises `ValueError`."""
        sql = "SELECT n, value, step FROM sample_column WHERE id = ?"
        rows = fetch(self._connection, sql, (self._chunk * COLUMNS + number,))
        if not rows:
            raise ValueError("a column of samples is missing")
        n, value, step = rows[0]
        return numbers(value, n, np.float64), None if step is None else numbers(step, n, np.uint32)


def numbers(data: object, n: object, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """A stored column. Raises `ValueError` for whatever is no column of `n` numbers."""
    if not isinstance(data, bytes) or not isinstance(n, int) or not 0 <= n <= MOST_NUMBERS:
        raise ValueError("a column of numbers is damaged")
    return unpack(data, n, kind)
