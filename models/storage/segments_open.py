"""Finding the segments of a workspace and opening them read-only: the one place that knows what a damaged file looks like."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import apsw

from models.domain.names import SeriesKey, SeriesKind
from models.domain.problems import trouble
from models.storage.access import refuse_newer
from models.storage.catalogue import SCHEMA
from models.storage.engine import APPLICATION_ID, open_reader
from models.storage.names_table import SERIES_KEY, series_key
from models.storage.segment import LAYOUT
from models.storage.workspace import Workspace

log = logging.getLogger(__name__)
T = TypeVar("T")
Row = tuple[Any, ...]
"""A row as the engine gives it; whoever selects columns knows their types."""

OPEN_LIMIT = 48
"""Segments that one reader keeps open at once; each costs up to three file handles."""
DISORDER_US = 5_000_000
"""Arrivals of one segment ascend, but for steps of the clock below this."""


_IMPORTED_SCHEMA = 3


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

    @property
    def is_open(self) -> bool:
        return self.state == "open"


_ROW_COLUMNS = """id, capture_id, state, first_us, last_us, messages, samples, logs, tasks, taken_batch,
    (select kind from capture where capture.id = capture_id) is 'import'"""


class DamagedError(Exception):
    """A segment that is missing, of an unknown layout, or no segment at all."""


DAMAGE = (
    DamagedError, apsw.CorruptError, apsw.NotADBError, apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.BusyError,
    UnicodeDecodeError,
)  # fmt: skip
"""What reading a damaged or vanished file raises. Anything else is a mistake of ours."""


def fetch(connection: apsw.Connection, sql: str, bindings: Sequence[Any] = ()) -> list[Row]:
    """All rows at once, so that no read transaction stays open."""
    return connection.execute(sql, bindings).fetchall()


def read_catalogue(workspace: Workspace) -> apsw.Connection:
    """Raises `EnvironmentProblem` workspace.missing, workspace.newer, store.corrupt or store.io."""
    refuse_newer(workspace)
    path = workspace.catalogue
    if not path.is_file():
        raise trouble("workspace.missing", path=str(workspace.root))
    try:
        connection = _open(path, closed=False)
        found = int(connection.pragma("user_version"))
        tables = {name for (name,) in connection.execute("select name from sqlite_schema where type = 'table'")}
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise trouble("store.corrupt", path=str(path), detail=str(error)) from error
    except DAMAGE as error:
        raise trouble("store.io", path=str(path), detail=str(error)) from error
    if found > SCHEMA:
        connection.close()
        raise trouble("workspace.newer", found=found, known=SCHEMA)
    if not {"segment", "agent_now", "gap"} <= tables:  # a recorder is just making it
        connection.close()
        raise trouble("workspace.missing", path=str(workspace.root))
    return connection


def _open(path: Path, closed: bool) -> apsw.Connection:
    """A closed file without a log is opened immutable, so that looking at it leaves no files behind."""
    journal = path.with_name(path.name + "-wal")
    settled = not journal.exists() or journal.stat().st_size == 0
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
    return connection


class OpenSegment:
    """A segment open for reading, in one thread. Names are read when first asked for; an unknown id has the empty name."""

    def __init__(self, row: SegmentRow, path: Path) -> None:
        if not path.is_file():
            raise DamagedError(f"{path.name} is missing")
        self.id = row.id
        self.was_open = row.is_open
        self.connection = _open(path, closed=not row.is_open)
        self.connection.create_scalar_function("holds", _holds, 2, deterministic=True)  # type: ignore[arg-type]
        self._topics: dict[int, bytes] = {0: b""}
        self._agents: dict[int, str] = {0: ""}
        self._series: dict[int, SeriesKey] = {}
        try:
            layout = self.rows("select value from meta where key = 'layout'")
        except apsw.SQLError as error:
            raise DamagedError(str(error)) from error
        application = self.connection.pragma("application_id")
        if application != APPLICATION_ID or not layout or int(layout[0][0]) > LAYOUT:
            raise DamagedError(f"{path.name} has application id {application} and layout {layout}")

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


def _holds(needle: str, text: str | bytes | None) -> bool:
    """Case-blind search for SQL, in every script; `needle` is casefolded already. Bytes are searched as UTF-8."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return text is not None and needle in text.casefold()


class StoreView:
    """Catalogue and segments of one workspace, read-only, for one thread. Only `interrupt` may come from another."""

    def __init__(self, workspace: Workspace) -> None:
        """Raises the problems of `read_catalogue`."""
        self.workspace = workspace
        self.damaged: dict[int, str] = {}  # segments that could not be read since `refresh`, with the reason
        self._told: set[int] = set()
        self._lock = threading.Lock()  # closing a connection must not meet an interrupt
        self._open: OrderedDict[int, OpenSegment] = OrderedDict()
        self._file = _identity(workspace.catalogue)
        self.catalogue = read_catalogue(workspace)
        self._version = -1
        self._segments: list[SegmentRow] = []

    @property
    def imported_column(self) -> str:
        """SQL for `agent_now.imported`, which a catalogue lacks that no recorder of this version has opened yet."""
        return "n.imported" if int(self.catalogue.pragma("user_version")) >= _IMPORTED_SCHEMA else "0"

    def refresh(self) -> None:
        """Take notice of new, closed and removed segments. Raises the problems of `read_catalogue` after a replacement."""
        self.damaged.clear()
        file = _identity(self.workspace.catalogue)
        if file != self._file:  # restored from a backup
            self.close()
            self.catalogue, self._file, self._version = read_catalogue(self.workspace), file, -1
        version = int(self.catalogue.pragma("data_version"))
        if version == self._version:
            return
        self._version = version
        rows = fetch(self.catalogue, f"select {_ROW_COLUMNS} from segment order by id")
        self._segments = [SegmentRow(*row) for row in rows]
        states = {row.id: row.state for row in self._segments}
        for id_, opened in list(self._open.items()):
            if states.get(id_) != ("open" if opened.was_open else "closed"):  # closed ones are looked at without a log
                self._drop(id_, opened)

    def all(self) -> list[SegmentRow]:
        """Segments that should be readable, by id."""
        return [row for row in self._segments if row.state in ("open", "closed")]

    def newest(self) -> list[SegmentRow]:
        """The last segments of a recorder: where names stand that the catalogue does not know yet."""
        return [row for row in self.all() if not row.imported][-4:]

    def lost(self) -> list[SegmentRow]:
        """Segments set aside because they are damaged."""
        return [row for row in self._segments if row.state == "quarantined" or row.id in self.damaged]

    def telling(self, since_us: int, until_us: int) -> list[SegmentRow]:
        """As `overlapping`, and the recorded segment that comes next: what ended the time without recorder is told there."""
        found = self.overlapping(since_us, until_us)
        recorded = [row for row in self.all() if not row.imported]
        later = [row for row in recorded if until_us and row.first_us >= until_us and row not in found]
        return found + sorted(later, key=lambda row: row.first_us)[:1]

    def overlapping(self, since_us: int, until_us: int) -> list[SegmentRow]:
        """Readable segments with arrivals in [since_us, until_us), by their last one; `until_us` 0: open end. An import may
        be older than what was stored before it."""
        found = []
        for row in self.all():
            actual = self.attempt(row, self._actual, row) if row.is_open else row
            if actual.last_us >= since_us and (not until_us or actual.first_us < until_us):
                found.append(actual)
        return sorted(found, key=lambda row: (row.last_us, row.id))

    @staticmethod
    def _actual(opened: OpenSegment, row: SegmentRow) -> SegmentRow:
        first = opened.rows("select first_us from batch order by id limit 1")
        last = opened.rows("select last_us from batch order by id desc limit 1")
        if not first or not last:
            return row._replace(first_us=2**62, last_us=0)
        return row._replace(first_us=int(first[0][0]), last_us=int(last[0][0]))

    def open(self, row: SegmentRow) -> OpenSegment:
        """Raises one of `DAMAGE`."""
        found = self._open.get(row.id)
        if found is None:
            found = OpenSegment(row, self.workspace.segment(row.id))
            self._open[row.id] = found
            while len(self._open) > OPEN_LIMIT:
                self._open.popitem(last=False)  # closed when its last user lets go of it
        else:
            self._open.move_to_end(row.id)
        return found

    def attempt(self, row: SegmentRow, work: Callable[[OpenSegment, SegmentRow], T], otherwise: T) -> T:
        """`work` on a segment; `otherwise` where the file is damaged, which is noted and told."""
        try:
            return work(self.open(row), row)
        except DAMAGE as error:
            self._give_up(row.id, error)
            return otherwise

    def stream(self, row: SegmentRow, work: Callable[[OpenSegment, SegmentRow], Iterable[T]]) -> Iterator[T]:
        """What `work` yields, up to where the file is damaged, which is noted and told."""
        try:
            yield from work(self.open(row), row)
        except DAMAGE as error:
            self._give_up(row.id, error)

    def _give_up(self, segment: int, error: Exception) -> None:
        self.note_damage(segment, error)
        opened = self._open.get(segment)
        if opened is not None:  # perhaps it is another file next time
            self._drop(segment, opened)

    def note_damage(self, segment: int, error: Exception) -> None:
        """Remember it for gaps, and log it once."""
        if segment not in self._told:
            log.warning("segment %d cannot be read: %s", segment, error)
            self._told.add(segment)
        self.damaged[segment] = f"{type(error).__name__}: {error}"

    def interrupt(self) -> None:
        """Make the statement under way fail with `apsw.InterruptError`. Any thread."""
        with self._lock:
            for connection in (self.catalogue, *(opened.connection for opened in list(self._open.values()))):
                try:
                    connection.interrupt()
                except apsw.ConnectionClosedError:
                    continue

    def close(self) -> None:
        """Close all files."""
        for id_, opened in list(self._open.items()):
            self._drop(id_, opened)
        with self._lock:
            self.catalogue.close()

    def _drop(self, id_: int, opened: OpenSegment) -> None:
        with self._lock:
            self._open.pop(id_, None)
            opened.connection.close()


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


def clusters(rows: Iterable[SegmentRow]) -> list[list[SegmentRow]]:
    """Groups of segments whose arrivals overlap, oldest group first. Between groups nothing needs merging."""
    groups: list[list[SegmentRow]] = []
    end_us = -1
    for row in sorted(rows, key=lambda one: (one.first_us, one.id)):
        if groups and row.first_us < end_us:
            groups[-1].append(row)
        else:
            groups.append([row])
        end_us = max(end_us, row.last_us)
    return groups
