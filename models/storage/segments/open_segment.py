"""One segment, open read-only in one thread; and what a damaged file looks like, which is known here alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from models.domain.names import SeriesKey, SeriesKind
from models.storage.engine import APPLICATION_ID, open_reader
from models.storage.names_table import SERIES_KEY, series_key
from models.storage.sealing.log_field_reading import LogFields
from models.storage.sealing.log_search import LogIndex
from models.storage.sealing.row_reading import RowBlocks
from models.storage.sealing.row_shapes import SHAPES
from models.storage.sealing.row_table import register
from models.storage.sealing.sample_tables import has_chunks
from models.storage.segments.batch_agents import BatchAgents
from models.storage.segments.schema import LAYOUT, SEALED_LAYOUT
from models.storage.store_errors import DAMAGED, DamagedError, UnmadeError

Row = tuple[Any, ...]
"""A row as the engine gives it; whoever selects columns knows their types."""
GENERATION = "generation"
"""In `meta`: how often what was derived from its messages was derived anew. Absent: never."""
DISORDER_US = 5_000_000
"""Arrivals of one segment ascend, but for steps of the clock below this."""


class SegmentRow(NamedTuple):
    """What the catalogue knows of a segment. Of an open one, `first_us` and `last_us` are read from the file itself."""

    id: int
    capture: int
    state: str
    first_us: int
    last_us: int
    messages: int
    samples: int
    logs: int
    tasks: int
    taken_batch: int
    imported: bool = False
    layout: int = LAYOUT
    generation: int = 0

    @property
    def is_open(self) -> bool:
        return self.state == "open"


DAMAGE = (
    DamagedError, apsw.CorruptError, apsw.NotADBError, apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.BusyError,
    UnicodeDecodeError,
)  # fmt: skip
"""What reading a damaged or vanished file raises, or one that just cannot be read. Anything else is a mistake of ours."""
DAMAGE_ALONE = (*DAMAGED, DamagedError, UnicodeDecodeError)
"""Of these, what a file that just cannot be read does not raise."""


def fetch(connection: apsw.Connection, sql: str, bindings: Sequence[Any] = ()) -> list[Row]:
    """All rows at once, so that no read transaction stays open."""
    return connection.execute(sql, bindings).fetchall()


def open_reading(path: Path, closed: bool) -> apsw.Connection:
    """A closed file without a log is opened immutable, so that looking at it leaves no files behind."""
    journal = path.with_name(path.name + "-wal")
    try:
        settled = journal.stat().st_size == 0
    except FileNotFoundError:  # perhaps just now, as its recorder let go of it
        settled = True
    if closed and settled:
        return open_reader(path, immutable=True)
    connection = open_reader(path)
    try:
        connection.pragma("schema_version")
    except (apsw.CantOpenError, apsw.ReadOnlyError):  # a folder that may not be written
        connection.close()
        if not settled:
            raise
        return open_reader(path, immutable=True)
    except BaseException:
        connection.close()
        raise
    return connection


class OpenSegment:
    """A segment open for reading, in one thread. Names are read when first asked for; an unknown id has the empty name."""

    def __init__(self, row: SegmentRow, path: Path) -> None:
        if not path.is_file():
            raise UnmadeError(f"{path.name} is missing")
        self.id = row.id
        self.was_open = row.is_open
        self.connection = open_reading(path, closed=not row.is_open)
        self.connection.create_scalar_function("holds", holds, 2, deterministic=True)  # type: ignore[arg-type]
        self._topics: dict[int, bytes] = {0: b""}
        self._agents: dict[int, str] = {0: ""}
        self._series: dict[int, SeriesKey] = {}
        try:
            self._look(path.name)
        except BaseException:
            self.connection.close()
            raise

    def _look(self, name: str) -> None:
        """What it is, and how it is to be read."""
        if not self.number("select count(*) from sqlite_schema"):
            raise UnmadeError(f"{name} has no tables")
        try:
            layout = self.rows("select value from meta where key = 'layout'")
            generation = self.number("select value from meta where key = ?", GENERATION)
        except apsw.SQLError as error:
            raise DamagedError(str(error)) from error
        application = self.connection.pragma("application_id")
        if application != APPLICATION_ID or not layout or int(layout[0][0]) > SEALED_LAYOUT:
            raise DamagedError(f"{name} has application id {application} and layout {layout}")
        self.layout, self.generation = int(layout[0][0]), generation
        self.has_chunks = self.layout == SEALED_LAYOUT and has_chunks(self.connection)  # or samples are in the batches
        self.batch_agents = BatchAgents(self.connection)
        self.blocks: dict[str, RowBlocks] = {}  # of a sealed segment; SQL sees tables in their place
        if self.layout == SEALED_LAYOUT:
            self.blocks = {table: RowBlocks(self.connection, shape) for table, shape in SHAPES.items()}
            for blocks in self.blocks.values():
                register(self.connection, blocks)
            self.log_index = LogIndex(self.connection)
            self.log_fields = LogFields(self.connection)

    def is_behind(self, row: SegmentRow) -> bool:
        """Has another file taken its place: sealed, or read again?"""
        return row.layout > self.layout or row.generation > self.generation

    def rows(self, sql: str, *bindings: Any) -> list[Row]:
        """All rows at once, so that no read transaction stays open."""
        return fetch(self.connection, sql, bindings)

    def number(self, sql: str, *bindings: Any) -> int:
        """The single number that a query yields; 0 where it yields none."""
        found = self.rows(sql, *bindings)
        return int(found[0][0]) if found and found[0][0] is not None else 0

    def topic(self, id_: int) -> bytes:
        found = self._topics.get(id_)
        if found is None:
            rows = self.rows("select name from topic where id = ?", id_)
            found = self._topics[id_] = bytes(rows[0][0]) if rows else b""
        return found

    def agent(self, id_: int) -> str:
        found = self._agents.get(id_)
        if found is None:
            rows = self.rows("select name from agent where id = ?", id_)
            found = self._agents[id_] = str(rows[0][0]) if rows else ""
        return found

    def series(self, id_: int) -> SeriesKey:
        found = self._series.get(id_)
        if found is None:
            rows = self.rows(f"select {SERIES_KEY} from series where id = ?", id_)
            found = self._series[id_] = series_key(*rows[0]) if rows else SeriesKey(0, "", "", "", SeriesKind.GAUGE, "")
        return found

    def first_row(self, table: str, at_us: int) -> int:
        """Smallest rowid whose row arrived at `at_us` or later; one past the end where none did."""
        if table in self.blocks:
            return self.blocks[table].first_row(at_us)
        low = self.number(f"select min(rowid) from {table}")
        end = self.number(f"select max(rowid) from {table}") + 1
        sql = f"select rowid, received_us from {table} where rowid >= ? order by rowid limit 1"
        while low < end:
            middle = (low + end) // 2
            row = self.rows(sql, middle)
            if row and row[0][1] < at_us:
                low = int(row[0][0]) + 1
            else:
                end = middle
        return end

    def row_range(self, table: str, since_us: int, until_us: int) -> tuple[int, int]:
        """Rowids [first, end) among which all rows that arrived in [since_us, until_us) are; `until_us` 0: open end."""
        low = f"select min(rowid) from {table}"
        first = self.first_row(table, since_us - DISORDER_US) if since_us else self.number(low)
        if until_us:
            return first, self.first_row(table, until_us + DISORDER_US)
        return first, self.number(f"select max(rowid) from {table}") + 1


def holds(needle: str, text: str | bytes | None) -> bool:
    """Case-blind search, in every script; `needle` is casefolded already. Bytes are searched as UTF-8."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return text is not None and needle in text.casefold()
