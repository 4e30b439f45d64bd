"""Opening a database of a workspace: one SQLite engine (apsw), one set of pragmas.

The recorder has the only writing connection to a file; everybody else opens it read-only.
"""

import contextlib
import datetime
from pathlib import Path
from urllib.parse import quote

import apsw
from playhouse.apsw_ext import APSWDatabase

APPLICATION_ID = 0x4D55524D  # "MURM"
OLDEST_ENGINE = (3, 51, 3)  # older ones can lose committed pages when a WAL is reset
JOURNAL_SIZE_LIMIT_BYTES = 16 * 1024 * 1024


def engine_version() -> str:
    """Of SQLite itself, for reports."""
    return str(apsw.sqlite_lib_version())


class WorkspaceDatabase(APSWDatabase):
    """peewee's database over apsw. The migration runner stores datetimes, which apsw refuses as bindings: make them text."""

    def _connect(self) -> apsw.Connection:
        connection: apsw.Connection = super()._connect()
        connection.convert_binding = _convert_binding
        return connection

    def get_binary_type(self) -> type[bytes]:
        """Bytes: the interpreter's sqlite3, whose type peewee would take, is not in the packaged program."""
        return bytes


def _convert_binding(_cursor: apsw.Cursor, _number: int, value: object) -> object:
    return value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else NotImplemented


def open_database(path: Path, *, create: bool = False, incremental_vacuum: bool = False) -> WorkspaceDatabase:
    """Open for writing, from one thread: WAL, FULL (what is committed survives a power cut), no secure delete.

    Raises the errors of apsw; callers turn them into problems.
    """
    if apsw.SQLITE_VERSION_NUMBER < 3_051_003:
        raise RuntimeError(f"SQLite {apsw.sqlitelibversion()} is older than {OLDEST_ENGINE}")
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX | (apsw.SQLITE_OPEN_CREATE if create else 0)
    database = WorkspaceDatabase(str(path), thread_safe=False, timeout=5, flags=flags)
    database.connect()
    try:
        _set_up(database.connection(), create=create, incremental_vacuum=incremental_vacuum)
    except BaseException:
        let_go(database)
        raise
    return database


def let_go(database: WorkspaceDatabase) -> None:
    """Close a damaged database and leave its files as they are: the engine would bring its log into it."""
    if not database.is_closed():
        with contextlib.suppress(apsw.Error):
            database.connection().config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        database.close()


def _set_up(connection: apsw.Connection, *, create: bool, incremental_vacuum: bool) -> None:
    if create and not connection.pragma("application_id"):
        connection.pragma("page_size", 4096)
        if incremental_vacuum:
            connection.pragma("auto_vacuum", "INCREMENTAL")
        connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.pragma("secure_delete", "OFF")
    connection.pragma("trusted_schema", "OFF")
    connection.pragma("cell_size_check", "ON")
    connection.pragma("journal_size_limit", JOURNAL_SIZE_LIMIT_BYTES)
    connection.pragma("cache_size", -32_768)


def open_reader(path: Path, *, immutable: bool = False) -> apsw.Connection:
    """Open read-only. One connection belongs to one thread. No read transaction may last longer than 500 ms: read page by
    page. `immutable` only for a closed file without WAL (or in a folder that may not be written)."""
    name = f"file:{quote(str(path))}?mode=ro" + ("&immutable=1" if immutable else "")
    connection = apsw.Connection(
        name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOMUTEX
    )
    try:
        connection.set_busy_timeout(2_000)
        connection.pragma("trusted_schema", "OFF")
        connection.pragma("cell_size_check", "ON")
        connection.pragma("query_only", "ON")
    except BaseException:
        connection.close()
        raise
    return connection
