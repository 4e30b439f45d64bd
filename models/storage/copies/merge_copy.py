"""A segment of another workspace, written anew with the ids that its names have in this one.

The rows stay as they are. Ids are told by the names of their columns, so a table that comes to the layout later is taken along;
ids within columns of bytes are known here by name. Readers then need to know nothing of where a segment came from.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import apsw
import numpy as np
import numpy.typing as npt

from models.storage.access import create_private_file, sync_file
from models.storage.engine import APPLICATION_ID
from models.storage.sealing.table_sums import renew_sums
from models.storage.segments import sample_columns
from models.storage.segments.import_mark import ENDED, REPLACES
from models.storage.segments.pulse_columns import PULSE, RESPONSE

Ids = npt.NDArray[np.uint32]
_PAGE_ROWS = 20_000
_ID_COLUMNS = {
    "topic_id": "topic", "agent_id": "agent", "from_id": "agent", "to_id": "agent", "series_id": "series"
}  # fmt: skip
NAME_TABLES = ("topic", "agent", "series")
"""In the order of `Renumbering`."""


class Renumbering(NamedTuple):
    """New ids by old ids; what a segment does not name becomes 0."""

    topic: Ids
    agent: Ids
    series: Ids

    @property
    def changes_nothing(self) -> bool:
        """Do all names have the same ids in both workspaces?"""
        return all(bool(((ids == 0) | (ids == np.arange(len(ids)))).all()) for ids in self)


def renumbering(pairs: Iterable[tuple[int, int]]) -> Ids:
    """From (old, new)."""
    known = dict(pairs)
    ids = np.zeros(1 + max(known, default=0), np.uint32)
    ids[list(known)] = list(known.values())
    return ids


def copy_segment(source: Path, target: Path, ids: Renumbering, tell: Callable[[int], None]) -> None:
    """Make `target`, which is not there yet, durable but for its name. `tell` gets about how many bytes more are done; what
    it raises ends the work, and so do the engine's errors and `OSError`: then `target` is to be removed."""
    create_private_file(target)
    with making(target) as connection:
        connection.execute("ATTACH ? AS source", (f"file:{quote(str(source))}?mode=ro&immutable=1",))
        _Copy(connection, ids, source.stat().st_size, tell).run()
        connection.execute("DETACH source")


@contextlib.contextmanager
def making(path: Path) -> Iterator[apsw.Connection]:
    """A segment under construction; what is written inside is durable afterwards."""
    connection = apsw.Connection(
        str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOMUTEX
    )
    try:
        for pragma in ("page_size = 4096", "journal_mode = OFF", "synchronous = OFF", "temp_store = MEMORY",
                       f"application_id = {APPLICATION_ID}", "cache_size = -16384"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")  # what goes wrong is thrown away
        yield connection
    finally:
        connection.close()
    sync_file(path)


class _Copy:
    """One use."""

    def __init__(
        self, connection: apsw.Connection, ids: Renumbering, size_bytes: int, tell: Callable[[int], None]
    ) -> None:
        self._connection, self._ids, self._size_bytes, self._tell = connection, ids, size_bytes, tell

    def run(self) -> None:
        connection = self._connection
        for table, ids in zip(NAME_TABLES, self._ids, strict=True):
            connection.execute(f"CREATE TEMP TABLE new_{table}(old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
            pairs = [(old, int(ids[old])) for old in np.flatnonzero(ids).tolist()]
            connection.executemany(f"INSERT INTO new_{table} VALUES (?, ?)", pairs)
        functions = bytes_with_ids(self._ids)
        for name, function in functions.items():
            connection.create_scalar_function(name, function, 1, deterministic=True)  # type: ignore[arg-type]
        schema = (
            "SELECT name, sql FROM source.sqlite_schema WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        )
        tables = {str(name): str(sql) for name, sql in connection.execute(schema, ("table",)).fetchall()}
        counts = {name: self._count(name) for name in tables}
        row_bytes = self._size_bytes / (sum(counts.values()) or 1)
        for name, sql in tables.items():
            connection.execute(sql)
            self._rows(name, counts[name], row_bytes, functions)
        for _, index in connection.execute(schema, ("index",)).fetchall():  # last: sorted, not grown row by row
            connection.execute(str(index))
            self._tell(0)

    def _count(self, table: str) -> int:
        return int(next(iter(self._connection.execute(f"SELECT coalesce(max(rowid), 0) FROM source.{table}")))[0])

    def _rows(self, table: str, last: int, row_bytes: float, functions: Mapping[str, object]) -> None:
        columns = [str(name) for _, name, *_ in self._connection.execute(f"PRAGMA source.table_info({table})")]
        values = ", ".join(_value(table, column, functions) for column in columns)
        copied = (
            f"INSERT INTO main.{table} SELECT {values} FROM source.{table} AS t WHERE t.rowid > ? AND t.rowid <= ?"
            " ORDER BY t.rowid"
        )
        for first in range(0, last, _PAGE_ROWS):
            self._connection.execute("BEGIN")
            self._connection.execute(copied, (first, first + _PAGE_ROWS))
            self._connection.execute("COMMIT")
            self._tell(round(row_bytes * min(_PAGE_ROWS, last - first)))


def id_kind(table: str, column: str) -> str | None:
    """Which of `NAME_TABLES` a column of whole numbers points at; None: at none."""
    return table if table in NAME_TABLES and column == "id" else _ID_COLUMNS.get(column)


def bytes_with_ids(ids: Renumbering) -> dict[str, Callable[[bytes | None], bytes | None]]:
    """What makes ids within columns of bytes new, by table and column."""
    return {
        "batch_agents": lambda data: None if data is None else _sorted_ids(data, ids.agent),
        "batch_samples": lambda data: None if data is None else _samples(data, ids.series),
        "pulse_data": lambda data: None if data is None else _by_agent(data, PULSE, ids.agent),
        "pulse_responses": lambda data: None if data is None else _by_agent(data, RESPONSE, ids.agent),
    }


def _value(table: str, column: str, functions: Mapping[str, object]) -> str:
    kind = id_kind(table, column)
    if kind is not None:
        return f"coalesce((SELECT new FROM temp.new_{kind} WHERE old = t.{column}), 0)"
    name = f"{table}_{column}"
    return f"{name}(t.{column})" if name in functions else f't."{column}"'


def new_ids(ids: Ids, old: npt.NDArray[Any]) -> Ids:
    """Of many at once."""
    known = old < len(ids)
    return np.where(known, ids[np.where(known, old, 0)], 0).astype("<u4")


def _sorted_ids(data: bytes, ids: Ids) -> bytes:
    return bytes(np.unique(new_ids(ids, np.frombuffer(data, "<u4"))).tobytes())


def _samples(data: bytes, ids: Ids) -> bytes:
    samples = sample_columns.decode(data)
    series = new_ids(ids, samples.series)
    order = np.argsort(series, kind="stable")
    return sample_columns.join(
        samples._replace(value=samples.value[order], series=series[order], stamp=samples.stamp[order])
    )


def _by_agent(data: bytes, kind: np.dtype[Any], ids: Ids) -> bytes:
    rows = np.frombuffer(data, kind).copy()
    rows["agent"] = new_ids(ids, rows["agent"])
    return bytes(rows[np.argsort(rows["agent"], kind="stable")].tobytes())


def write_meta(
    path: Path, meta: Mapping[str, str], presence: Sequence[tuple[object, ...]] = (), agents: Iterable[Any] = (), *,
    last_batch: int = 0,
) -> None:  # fmt: skip
    """Set what a finished copy says of itself (nothing any more of how it came to where it was), and let rows of presence
    changes, and of the agents they name, follow its last batch. Durable. Raises the engine's errors."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.pragma("journal_mode", "DELETE")
        connection.pragma("synchronous", "FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM meta WHERE key IN ('capture', ?, ?)", (ENDED, REPLACES))
        connection.executemany("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", list(meta.items()))
        statement = """INSERT INTO presence_change(batch_id, time_us, agent_id, presence, condition, cause)
            VALUES (?, ?, ?, ?, ?, ?)"""
        connection.executemany(statement, [(last_batch, *row) for row in presence])
        connection.executemany("INSERT OR IGNORE INTO agent(id, name) VALUES (?, ?)", agents)
        if presence:
            renew_sums(connection)
        connection.execute("COMMIT")
    finally:
        connection.close()
