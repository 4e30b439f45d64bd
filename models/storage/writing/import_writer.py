"""Writing recorded traffic beside what is recorded live: a capture of its own that appears whole or not at all."""

import dataclasses
import platform
from collections.abc import Callable, Sequence
from typing import Any

import apsw

from models.domain.batch import RecordBatch
from models.domain.clock import Clock
from models.domain.names import Names
from models.domain.problems import trouble
from models.domain.recorded import ImportedFile
from models.domain.time_range import moment_text
from models.storage.engine import WorkspaceDatabase, open_reader
from models.storage.keeping.retention import SIZE, StoreLimits
from models.storage.names_table import NewNames, storable
from models.storage.segments.import_mark import IMPORT, import_mark, mark_ended
from models.storage.segments.schema import LAYOUT
from models.storage.segments.segment_file import SegmentFile, SegmentTotals
from models.storage.store_errors import problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace
from models.storage.writing.batch_rows import series_row
from models.storage.writing.headlines import Headlines
from models.storage.writing.import_intake import joined, newer
from models.storage.writing.intake import Intake, SegmentReader
from models.storage.writing.pulses import Pulses
from models.storage.writing.remembered import put_remembered
from models.storage.writing.segment_rows import insert_segment, take_back
from models.storage.writing.take_in import BATCHES_A_STEP, Rows, put_gaps, put_heard, put_names, put_present
from models.storage.writing.topic_totals import add_topics

_CHECKPOINT_PAGES = 2_000  # of 4 KiB: short pauses matter more here than few
_EVER = 1 << 62
_NEW_CAPTURE = "INSERT INTO capture VALUES (:id, 'import', :started_us, :ended_us, '', '', :host, :version)"
_NEW_FILE = "INSERT INTO imported_file(capture_id, path, digest, bytes) VALUES (?, ?, ?, ?)"
_HELD = """SELECT ended_us FROM imported_file AS file JOIN capture ON capture.id = capture_id WHERE digest = ? AND EXISTS
    (SELECT 1 FROM segment WHERE segment.capture_id = file.capture_id AND state <> 'removed') LIMIT 1"""
_FINISHED = """UPDATE segment SET state = 'closed', first_us = ?, last_us = ?, messages = ?, samples = ?, logs = ?, tasks = ?,
    duplicates = ?, dropped = ?, unreadable = ?, taken_batch = ?, payload_bytes = ?, bytes = ?, capture_id = ? WHERE id = ?"""


class _Part:
    """One segment of an import. `size_bytes` and `totals` once it has ended."""

    def __init__(self, file: SegmentFile) -> None:
        self.file = file
        self.reader = SegmentReader(file.connection, 0, file.recent)
        self.payload_bytes = self.size_bytes = 0
        self.totals = SegmentTotals()


def imported_bytes(workspace: Workspace, catalogue: apsw.Connection) -> int:
    """Of what was imported before. Raises `EnvironmentProblem` store.*"""
    with problems_of(workspace.catalogue):
        return int(next(iter(catalogue.execute(SIZE, (1,))))[0])


def refuse_known(workspace: Workspace, catalogue: apsw.Connection, files: Sequence[ImportedFile]) -> None:
    """Raises `EnvironmentProblem` import.known where a file is held already, import.twice where two are the same."""
    paths: dict[str, str] = {}
    for file in files:
        if file.digest in paths:
            raise trouble("import.twice", path=file.path, other=paths[file.digest])
        paths[file.digest] = file.path
        with problems_of(workspace.catalogue):
            held: list[Any] = catalogue.execute(_HELD, (file.digest,)).fetchall()
        if held:
            raise trouble("import.known", path=file.path, time=moment_text(held[0][0]))


def refuse_beyond(limits: StoreLimits, size_bytes: int, held_bytes: int) -> None:
    """Raises `EnvironmentProblem` import.too-large where so much is more than imports may hold, import.no-room where it is
    together with what is held."""
    limit = f"{limits.import_bytes / 1024**3:.2f} GiB"
    if size_bytes > limits.import_bytes:
        raise trouble("import.too-large", limit=limit)
    if size_bytes + held_bytes > limits.import_bytes:
        raise trouble("import.no-room", limit=limit)


class ImportWriter:
    """One import. The thread of the `StoreWriter` that made it; between two calls that one may write its own.

    Until `finish`, its segments are in the state `importing`: invisible, and gone after a crash. Methods raise
    `EnvironmentProblem` store.*, import.too-large or import.no-room; then call `cancel`.
    """

    def __init__(
        self, workspace: Workspace, clock: Clock, catalogue: WorkspaceDatabase, names: Names, headlines: Headlines,
        limits: StoreLimits, version: str, recording_since: Callable[[], int], *, make_room: bool = False,
    ) -> None:  # fmt: skip
        """`recording_since` tells since when a recorder listens (wall µs, 0: none does): whom it heard is its own.
        `make_room`: older imports may go for this one."""
        self.names = names
        self.running = True
        self._workspace = workspace
        self._clock = clock
        self._database = catalogue
        self._headlines = headlines  # what stands for each agent
        self._limits = limits
        self._began_us = clock.wall_us()
        self._about = {"started_us": str(self._began_us), "host": platform.node(), "version": version}
        self._recording_since = recording_since
        self._held_bytes = 0 if make_room else imported_bytes(workspace, catalogue.connection())
        self._own_headlines = Headlines()  # of what is imported, for its pulses
        self._pulses = Pulses()
        self._present: _Part | None = None
        self._ended: list[_Part] = []
        self._topics: set[int] = set()
        self._agents: set[int] = set()
        self._series: set[int] = set()
        self._found: Intake | None = None

    def commit(self, batch: RecordBatch) -> None:
        """Store a batch of messages in order of arrival."""
        part = self._present or self._new_part()
        with problems_of(part.file.path):
            part.file.write(batch, self.names, (), (), self._clock.wall_us())
            size = part.file.size_bytes
        refuse_beyond(self._limits, size + sum(one.size_bytes for one in self._ended), self._held_bytes)
        if size >= min(self._limits.segment_bytes, self._limits.import_bytes // 2):
            self.end_segment()

    def sum_up(self) -> None:
        """Read back what the last batches told, as is done with live ones. Call it soon after each commit: what waits for it
        is held in memory afterwards, ten seconds of recorded time at a time."""
        part = self._present
        if part is not None:
            with problems_of(part.file.path):
                self._read_back(part)

    def end_segment(self) -> None:
        """What comes next goes to another file: this one is large enough, or time begins again."""
        part, self._present = self._present, None
        if part is None:
            return
        self._ended.append(part)
        with problems_of(part.file.path):
            self._read_back(part)
            self._write_pulses(part, _EVER)
            part.file.mark_closed(self._clock.wall_us())
            part.totals = part.file.totals()
            part.file.fold_log()
            part.file.leave_log()
            part.file.close()
            part.size_bytes = part.file.size_bytes

    def finish(self, files: Sequence[ImportedFile]) -> None:
        """Let everybody see it, in one step."""
        self.end_segment()
        with problems_of(self._workspace.catalogue):
            capture = int(self._one("SELECT coalesce(max(id), 0) + 1 FROM capture"))
            for part in self._ended:
                with problems_of(part.file.path):
                    mark_ended(part.file.path, files)
            self._take_in(capture, files)
        self.running = False

    def cancel(self) -> None:
        """Take everything back, unless it is history already. What cannot be removed now is removed at the next start of the
        program."""
        if not self.running:
            return
        self.running = False
        parts = [*self._ended, *([self._present] if self._present is not None else [])]

        def discard() -> None:
            for part in parts:
                part.file.discard()

        with problems_of(self._workspace.segments):
            take_back(self._catalogue, [part.file.id for part in parts], discard)

    @property
    def _catalogue(self) -> apsw.Connection:
        connection: apsw.Connection = self._database.connection()
        return connection

    def _one(self, query: str) -> str:
        return str(next(iter(self._catalogue.execute(query)))[0])

    def _new_part(self) -> _Part:
        """The row comes before the file, as with any segment. Its capture is written where the import is complete."""
        with problems_of(self._workspace.segments):
            id_ = int(self._one("SELECT coalesce(max(id), 0) + 1 FROM segment"))
            insert_segment(self._database, id_, 0, LAYOUT, self._began_us, "importing")
            workspace_id = self._one("SELECT value FROM workspace WHERE key = 'id'")
            meta = {
                "kind": "import", "workspace": workspace_id, "created_us": str(self._clock.wall_us()),
                IMPORT: import_mark(self._began_us), **self._about,
            }  # fmt: skip
            try:
                file = SegmentFile.create(id_, self._workspace.segment(id_), meta, lazily=True)
            except BaseException:
                self._catalogue.execute("DELETE FROM segment WHERE id = ?", (id_,))
                raise
            file.connection.pragma("wal_autocheckpoint", _CHECKPOINT_PAGES)
        self._present = _Part(file)
        return self._present

    def _read_back(self, part: _Part) -> None:
        new, part.file.new_names = part.file.new_names, NewNames()
        for id_ in new.series:
            self._own_headlines.consider(id_, self.names.series[id_])
        self._own_headlines.saw_agents(new.agents)
        self._topics.update(new.topics)
        self._agents.update(new.agents)
        self._series.update(new.series)
        while (intake := part.reader.read(self._own_headlines, BATCHES_A_STEP)) is not None:
            self._pulses.add(intake, self._own_headlines)
            part.reader.accept(intake)
            part.file.taken_batch = intake.last_batch
            part.payload_bytes += intake.payload_bytes
            self._found = intake if self._found is None else joined(self._found, intake)
        self._write_pulses(part, self._pulses.newest_us())

    def _write_pulses(self, part: _Part, until_us: int) -> None:
        rows = self._pulses.ended(until_us, part.file.taken_batch)
        if rows:
            part.file.add_pulses(rows)
        self._pulses.forget(until_us)

    def _take_in(self, capture: int, files: Sequence[ImportedFile]) -> None:
        """All that the catalogue has to know, in one transaction: from then on it is history."""
        catalogue, found = self._catalogue, self._found
        if found is None:
            return
        names = self.names
        rows = Rows(
            [(id_, names.topics[id_]) for id_ in sorted(self._topics)],
            [(id_, storable(names.agents[id_])) for id_ in sorted(self._agents)],
            [series_row(names, id_) for id_ in sorted(self._series)],
        )
        present = newer(catalogue, self._own_headlines, found, self._recording_since())
        with transaction(catalogue):
            about = {**self._about, "id": capture, "ended_us": self._clock.wall_us()}
            catalogue.execute(_NEW_CAPTURE, about)
            self._headlines.saw_agents(self._agents)
            changed = [self._headlines.consider(row[0], names.series[row[0]], imported=True) for row in rows.series]
            put_names(catalogue, self._headlines, rows, set(filter(None, changed)), found.first_us, imported=True)
            put_heard(catalogue, found)
            put_present(catalogue, self._headlines, present, imported=True)
            put_remembered(catalogue, found.remembered, imported=True)
            for part in self._ended:
                put_gaps(catalogue, part.file.id, _gaps(part))
                sizes = (part.payload_bytes, part.size_bytes, capture, part.file.id)
                catalogue.execute(_FINISHED, (*dataclasses.astuple(part.totals), *sizes))
            add_topics(catalogue, found.topics)
            catalogue.executemany(_NEW_FILE, [(capture, storable(one.path), one.digest, one.bytes) for one in files])


def _gaps(part: _Part) -> list[tuple[Any, ...]]:
    reader = open_reader(part.file.path, immutable=True)
    try:
        return reader.execute("SELECT since_us, until_us, agent_id, cause, count FROM gap ORDER BY id").fetchall()
    finally:
        reader.close()
