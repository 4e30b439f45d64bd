"""A sealed segment of another workspace, written as an open one with the ids that its names have in this one.

What its blocks and indexes say of ids is for the sealer to know: it makes them anew, as it does for what is recorded here.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from models.storage.copies.merge_copy import (
    NAME_TABLES,
    Renumbering,
    bytes_with_ids,
    id_kind,
    making,
    new_ids,
    renumbering,
)
from models.storage.sealing.sample_order import EVER_US, read_in_order
from models.storage.sealing.seal import UNSEALED_BYTES
from models.storage.segments import sample_columns
from models.storage.segments.open_segment import OpenSegment, SegmentRow
from models.storage.segments.sample_columns import Samples
from models.storage.segments.schema import LAYOUT, SEALED_LAYOUT
from models.storage.store_errors import DamagedError

_PAGE_ROWS = 5_000


def _damaged(error: Exception) -> None:
    raise DamagedError(str(error)) from error


def write_unsealed(source: Path, target: Path, ids: Renumbering, tell: Callable[[int], None]) -> None:
    """Fill `target`, an empty segment of the open layout. As `copy_segment` otherwise; raises also `DamagedError`."""
    opened = OpenSegment(SegmentRow(0, 0, "closed", 0, 0, 0, 0, 0, 0, 0, layout=SEALED_LAYOUT), source)
    try:
        with making(target) as writer:
            _Copy(opened, writer, ids, source.stat().st_size, tell).run()
    finally:
        opened.connection.close()


class _Copy:
    """One use."""

    def __init__(
        self, opened: OpenSegment, target: apsw.Connection, ids: Renumbering, size_bytes: int, tell: Callable[[int], None]
    ) -> None:  # fmt: skip
        self._opened, self._target, self._ids, self._tell = opened, target, ids, tell
        self._size_bytes = size_bytes
        self._functions = bytes_with_ids(ids)

    def run(self) -> None:
        names = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = [str(name) for (name,) in self._target.execute(names)]
        counts = {table: self._opened.number(f"select max(rowid) from {table}") for table in tables if table != "meta"}
        row_bytes = self._size_bytes / (sum(counts.values()) or 1)
        for table, last in counts.items():
            self._rows(table, last, row_bytes)
        if self._opened.has_chunks:
            self._samples()
        meta = self._opened.rows("select key, value from meta where key not in ('layout', ?)", UNSEALED_BYTES)
        self._target.executemany("INSERT INTO meta VALUES (?, ?)", [*meta, ("layout", str(LAYOUT))])

    def _rows(self, table: str, last: int, row_bytes: float) -> None:
        columns = [str(name) for _, name, *_ in self._target.execute(f"PRAGMA main.table_info({table})")]
        quoted = ", ".join(f'"{column}"' for column in columns)
        insert = f"INSERT INTO main.{table}({quoted}) VALUES ({', '.join('?' * len(columns))})"
        select = f"select {quoted} from {table} where rowid > ? and rowid <= ? order by rowid"
        for first in range(0, last, _PAGE_ROWS):
            rows = self._opened.rows(select, first, first + _PAGE_ROWS)
            if rows:
                told = zip(columns, zip(*rows, strict=True), strict=True)
                values = [self._values(table, column, some) for column, some in told]
                self._target.execute("BEGIN")
                self._target.executemany(insert, list(zip(*values, strict=True)))
                self._target.execute("COMMIT")
            self._tell(round(row_bytes * min(_PAGE_ROWS, last - first)))

    def _samples(self) -> None:
        """From the chunks back into their batches."""
        owner = renumbering((id_, agent) for id_, agent in self._target.execute("SELECT id, agent_id FROM series"))
        first_seq = {int(id_): int(seq) for id_, seq in self._target.execute("SELECT id, first_seq FROM batch")}
        every = (0, 1 << 62)
        for part in read_in_order(self._opened.connection, -EVER_US, EVER_US, every, None, _damaged):
            batch = part.batch[part.stamp]
            series = new_ids(self._ids.series, part.series)
            starts = np.flatnonzero(np.r_[True, batch[1:] != batch[:-1]]) if len(batch) else batch
            rows = []
            for low, high in itertools.pairwise((*starts.tolist(), len(batch))):
                id_, first, last = int(batch[low]), int(part.stamp[low]), int(part.stamp[high - 1]) + 1
                order = low + np.argsort(series[low:high], kind="stable")
                samples = Samples(
                    part.time_us[first:last], part.received_us[first:last], (part.seq[first:last] - first_seq[id_]).astype(np.uint32),
                    part.value[order], series[order], (part.stamp[order] - first).astype(np.uint32),
                )  # fmt: skip
                agents = np.unique(new_ids(owner, samples.series)).astype("<u4")
                rows.append((agents.tobytes(), sample_columns.join(samples), id_))
            self._target.execute("BEGIN")
            self._target.executemany("UPDATE batch SET agents = ?, samples = ? WHERE id = ?", rows)
            self._target.execute("COMMIT")
            self._tell(0)

    def _values(self, table: str, column: str, values: tuple[Any, ...]) -> Iterator[Any] | tuple[Any, ...]:
        kind = id_kind(table, column)
        if kind is not None:
            found: list[int] = new_ids(self._ids[NAME_TABLES.index(kind)], np.array(values, np.int64)).tolist()
            return iter(found)
        function = self._functions.get(f"{table}_{column}")
        return map(function, values) if function is not None else values
