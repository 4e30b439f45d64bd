"""Check sums of what a sealed segment holds beside its blocks, which have their own: names, records, samples, directories and
indexes. A sealed file never changes, so every difference is damage."""

import json
import zlib
from collections.abc import Iterator

import apsw

from models.domain.queries import CancelToken
from models.storage.sealing.row_shapes import SHAPES

SUMS = "sums"
"""In `meta`: JSON, CRC-32 by table."""
_TABLES = """SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite_%'
    AND name <> 'meta' ORDER BY name"""


def table_sums(connection: apsw.Connection) -> str:
    """As they are stored."""
    return json.dumps({name: _sum(connection, name, CancelToken()) for name in _tables(connection)}, sort_keys=True)


def renew_sums(connection: apsw.Connection) -> None:
    """After rows were added on purpose; the transaction is the caller's. Does nothing where there are no sums."""
    if connection.execute("SELECT 1 FROM meta WHERE key = ?", (SUMS,)).fetchall():
        connection.execute("UPDATE meta SET value = ? WHERE key = ?", (table_sums(connection), SUMS))


def wrong_tables(connection: apsw.Connection, stored: str, token: CancelToken) -> Iterator[str]:
    """Names of the tables that are not as they were written, or are not there. Raises `Cancelled` and the engine's errors;
    `ValueError` where the sums themselves are damaged."""
    sums = json.loads(stored)
    there = _tables(connection)
    for name, known in sums.items():
        if name not in there or _sum(connection, name, token) != known:
            yield name


def _tables(connection: apsw.Connection) -> list[str]:
    own = {shape.data for shape in SHAPES.values()}
    return [str(name) for (name,) in connection.execute(_TABLES).fetchall() if name not in own]


def _sum(connection: apsw.Connection, table: str, token: CancelToken) -> int:
    found = 0
    for number, row in enumerate(connection.execute(f"SELECT * FROM main.{table}")):
        if number % 1_000 == 0:
            token.check()
        for value in row:
            found = zlib.crc32(value if isinstance(value, bytes) else repr(value).encode(), found)
    return found
