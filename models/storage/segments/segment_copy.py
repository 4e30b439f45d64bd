"""A copy of a segment that is being written, as of one of its commits.

Not the engine's backup: it begins again whenever somebody commits, twenty times a second here, or has to hold one read
transaction over the whole file, which keeps the recorder from reusing its log. Rows of a segment never change once
committed, so reading them page by page up to one batch gives the same state as a kill after that batch would.
"""

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import apsw

from models.storage.engine import APPLICATION_ID
from models.storage.segments.open_segment import Row, open_reading
from models.storage.whole_file import beside

PAGE_S = 0.05
"""So long one read transaction lasts, and the row more that is under way."""
_PAGE_ROWS = 5_000
_SCHEMA = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name"  # tables before indexes
_END = "SELECT coalesce(max(id), 0), coalesce(max(first_seq + n), 1) FROM batch"
_BOUNDS = {"batch": "id <= :last", "meta": "1", "topic": "1", "agent": "1", "series": "1"}
_NAMES = ("topic", "agent", "series")


@contextlib.contextmanager
def copied_segment(source: Path, folder: Path, progress: Callable[[], None]) -> Iterator[BinaryIO | None]:
    """The copy as a file that has a name in `folder` for a moment only, so that a kill leaves nothing; None where `source`
    was never finished being made. Raises the engine's errors about `source`, and `OSError` about the copy."""
    reader = open_reading(source, closed=False)
    try:
        schema = reader.execute(_SCHEMA).fetchall()
        if not schema:
            yield None
            return
        path = beside(folder / source.name)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "rb") as file:
            try:
                target = _Target(path)
            finally:
                path.unlink()
            try:
                _copy(reader, target, schema, progress)
            finally:
                target.close()
            yield file
    finally:
        reader.close()


class _Target:
    """The copy under construction. Raises `OSError` where it cannot be written, so that nobody takes that for damage of the
    source."""

    def __init__(self, path: Path) -> None:
        self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        self.run("PRAGMA journal_mode = OFF")  # what goes wrong is thrown away
        self.run("PRAGMA synchronous = OFF")
        self.run(f"PRAGMA application_id = {APPLICATION_ID}")

    def run(self, statement: str, rows: Sequence[Row] = ((),)) -> None:
        try:
            self._connection.executemany(statement, rows)
        except (apsw.FullError, apsw.IOError) as error:
            number = self._connection.system_errno or (errno.ENOSPC if isinstance(error, apsw.FullError) else errno.EIO)
            raise OSError(number, os.strerror(number)) from error

    def close(self) -> None:
        self._connection.close()


def _copy(
    reader: apsw.Connection, target: _Target, schema: Sequence[tuple[Any, ...]], progress: Callable[[], None]
) -> None:
    for _, sql in schema:
        target.run(sql)
    columns = {
        name: [column for _, column, *_ in reader.execute(f"PRAGMA table_info({name})")]
        for name, sql in schema
        if sql.startswith("CREATE TABLE")
    }
    records = [name for name in columns if name != "meta" and name not in _NAMES]
    bounds: dict[str, int] = {}
    # First `meta`: where it says closed, no batch follows. Names last: then all that the rows use are there.
    for table in ("meta", *records, *_NAMES):
        if not bounds and table != "meta":
            bounds = dict(zip(("last", "end"), next(iter(reader.execute(_END))), strict=True))
        wanted = _BOUNDS.get(table) or ("seq < :end" if "seq" in columns[table] else "batch_id <= :last")
        places = ", ".join("?" * len(columns[table]))
        for page in _pages(reader, table, wanted, bounds):
            target.run("BEGIN")
            target.run(f"INSERT INTO {table} VALUES ({places})", page)
            target.run("COMMIT")
            progress()


def _pages(reader: apsw.Connection, table: str, wanted: str, bounds: dict[str, int]) -> Iterator[list[Row]]:
    """Rows by rowid, as many at a time as a short read transaction gives."""
    query = f"SELECT rowid, * FROM {table} WHERE rowid > :after AND {wanted} ORDER BY rowid LIMIT {_PAGE_ROWS}"
    after = -1
    while True:
        page: list[Row] = []
        cursor = reader.cursor()
        end_s = time.monotonic() + PAGE_S
        for row in cursor.execute(query, {**bounds, "after": after}):
            page.append(row)
            if time.monotonic() > end_s:
                break
        cursor.close(True)
        if not page:
            return
        after = page[-1][0]
        yield [row[1:] for row in page]
