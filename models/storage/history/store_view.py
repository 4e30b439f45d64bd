"""The store as readers see it: which segments there are, and those of them that are open."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import apsw

from models.domain.problems import trouble
from models.storage.access import refuse_newer
from models.storage.catalogue import SCHEMA
from models.storage.segments.open_segment import DAMAGE, OpenSegment, SegmentRow, fetch, open_reading
from models.storage.store_errors import UnmadeError
from models.storage.workspace import Workspace

log = logging.getLogger(__name__)
T = TypeVar("T")
OPEN_LIMIT = 48
"""Segments that one reader keeps open at once; each costs up to three file handles."""
IDLE_TURNS = 100
"""Closed segments that so many questions did not need are let go of."""
_IMPORTED_SCHEMA = 3
_HOURS_SCHEMA = 5
_GENERATION_SCHEMA = 7
_ANNOTATION_SCHEMA = 9
_ANNOTATION_CHANGES = "select value from workspace where key = 'annotations'"
_ROW_COLUMNS = """id, capture_id, state, first_us, last_us, messages, samples, logs, tasks, taken_batch,
    (select kind from capture where capture.id = capture_id) is 'import', layout, {}"""


def read_catalogue(workspace: Workspace) -> apsw.Connection:
    """Raises `EnvironmentProblem` workspace.missing, workspace.newer, store.corrupt or store.io."""
    refuse_newer(workspace)
    path = workspace.catalogue
    if not path.is_file():
        raise trouble("workspace.missing", path=str(workspace.root))
    try:
        connection = open_reading(path, closed=False)
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


class StoreView:
    """Catalogue and segments of one workspace, read-only, for one thread. Only `interrupt` may come from another."""

    def __init__(self, workspace: Workspace) -> None:
        """Raises the problems of `read_catalogue`."""
        self.workspace = workspace
        self.damaged: dict[int, str] = {}  # segments that could not be read since `refresh`, with the reason
        self._told: set[int] = set()
        self._lock = threading.Lock()  # closing a connection must not meet an interrupt
        self._open: OrderedDict[int, OpenSegment] = OrderedDict()
        self._turn = 0
        self._used: dict[int, int] = {}  # segment that is open -> turn
        self.file = _identity(workspace.catalogue)  # another one after a restore
        self.catalogue = read_catalogue(workspace)
        self._version = -1
        self._segments: list[SegmentRow] = []
        self.generations = 0
        """Rises whenever history was read again: what was remembered of closed segments is no more so."""
        self.annotation_changes = 0
        """Rises whenever an annotation is added, changed or removed."""

    @property
    def imported_column(self) -> str:
        """SQL for `agent_now.imported`, which a catalogue lacks that no recorder of this version has opened yet."""
        return "n.imported" if int(self.catalogue.pragma("user_version")) >= _IMPORTED_SCHEMA else "0"

    @property
    def has_hours(self) -> bool:
        """As above, for the hour roll-ups."""
        return int(self.catalogue.pragma("user_version")) >= _HOURS_SCHEMA

    @property
    def has_annotations(self) -> bool:
        """As above, for what people marked."""
        return int(self.catalogue.pragma("user_version")) >= _ANNOTATION_SCHEMA

    def refresh(self) -> None:
        """Take notice of new, closed and removed segments. Raises the problems of `read_catalogue` after a replacement."""
        self.damaged.clear()
        self._turn += 1
        for id_ in [one for one, turn in self._used.items() if turn < self._turn - IDLE_TURNS]:
            self._drop(id_, self._open[id_])
        file = _identity(self.workspace.catalogue)
        if file != self.file:  # restored from a backup
            self.close()
            self.catalogue, self.file, self._version = read_catalogue(self.workspace), file, -1
        version = int(self.catalogue.pragma("data_version"))
        if version == self._version:
            return
        self._version = version
        generation = "generation" if int(self.catalogue.pragma("user_version")) >= _GENERATION_SCHEMA else "0"
        rows = fetch(self.catalogue, f"select {_ROW_COLUMNS.format(generation)} from segment order by id")
        self._segments = [SegmentRow(*row) for row in rows]
        self.generations = sum(row.generation for row in self._segments)
        self.annotation_changes = next((int(value) for (value,) in fetch(self.catalogue, _ANNOTATION_CHANGES)), 0)
        rows_by_id = {row.id: row for row in self._segments}
        for id_, opened in list(self._open.items()):
            row = rows_by_id.get(
                id_
            )  # closed ones are looked at without a log, sealed and reread ones are another file
            if row is None or row.state != ("open" if opened.was_open else "closed") or opened.is_behind(row):
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
                gone, _ = self._open.popitem(last=False)  # closed when its last user lets go of it
                del self._used[gone]
        else:
            self._open.move_to_end(row.id)
        self._used[row.id] = self._turn
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
        """Remember it for gaps, and log it once; unless it was removed since we looked, or is only just being made."""
        if self.is_gone(segment) or (isinstance(error, UnmadeError) and self._is_new(segment)):
            return
        if segment not in self._told:
            log.warning("segment %d cannot be read: %s", segment, error)
            self._told.add(segment)
        self.damaged[segment] = f"{type(error).__name__}: {error}"

    def is_gone(self, segment: int) -> bool:
        """Was it removed, by now? Its gap is in the catalogue then."""
        states = fetch(self.catalogue, "select state from segment where id = ?", (segment,))
        return states in ([], [("removed",)])

    def _is_new(self, segment: int) -> bool:
        """Its row comes before its file, and the file before its first commit."""
        return any(row.id == segment and row.is_open and not row.taken_batch for row in self._segments)

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
            self._used.pop(id_, None)
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
