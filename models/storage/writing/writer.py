"""The only writer of a workspace: commits of messages, and the calls that keep the store small, readable and mended."""

import contextlib
import logging
import platform
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import apsw

from models.domain.batch import RecordBatch
from models.domain.clock import Clock
from models.domain.messages import RawMessage
from models.domain.names import Names
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.recorded import ImportedFile
from models.domain.records import Gap, GapCause, PresenceChange
from models.storage.access import prepare_folder
from models.storage.catalogue import Capture
from models.storage.catalogue_file import open_or_replace_catalogue
from models.storage.copies.merge_writer import MergeWriter
from models.storage.identity import own_version
from models.storage.journal import ArrivalJournal
from models.storage.keeping.retention import DiskUse, Retention, StoreLimits
from models.storage.names_table import CatalogueTopics, load_names
from models.storage.rereading.late import Late
from models.storage.rereading.reread_writer import OnSwapped, RereadWriter
from models.storage.sealing.swap import Sealing
from models.storage.segments.schema import LAYOUT
from models.storage.segments.segment_file import ARRIVED_TO, SegmentFile
from models.storage.store_errors import DAMAGED, problems_of
from models.storage.workspace import Workspace
from models.storage.writing.batch_rows import CommitRows
from models.storage.writing.commands import submit_commands
from models.storage.writing.import_writer import ImportWriter, refuse_known
from models.storage.writing.known_before import read_known_before
from models.storage.writing.recovery import Recovery
from models.storage.writing.remembered import read_remembered
from models.storage.writing.segment_rows import insert_segment
from models.storage.writing.take_in import load_headlines
from models.storage.writing.upkeep import Upkeep

UPKEEP_US = 1_000_000
CLOCK_STEP_US = 1_000_000
SHORTEST_GAP_US = 1_000_000
_LAST_WAIT_MS = 500
_log = logging.getLogger(__name__)


class Committed(NamedTuple):
    """What one commit stored. `batch` 0: there was nothing to store. `duration_us` is monotonic."""

    segment: int
    batch: int
    first_seq: int
    committed_us: int
    duration_us: int


class _Running(NamedTuple):
    id: int
    meta: dict[str, str]  # for its segments


class StoreWriter:
    """One thread (the recorder's ingest thread), with the recorder's lock held.

    `problems` collects what was mended on the way (a damaged file set aside); whoever tells the user empties it. `before` is
    what the recordings before tell; `journal` keeps what came and is not committed yet.
    """

    def __init__(
        self, workspace: Workspace, clock: Clock, limits: StoreLimits = StoreLimits(), closing: Executor | None = None  # noqa: B008 - frozen
    ) -> None:  # fmt: skip
        """Opens, migrates, mends what a crash left. `closing` (one thread, ours from now on) waits for the disk where a segment
        is closed or a log is copied, so that commits need not. Raises `EnvironmentProblem` workspace.* or store.*."""
        prepare_folder(workspace)
        self._workspace = workspace
        self._clock = clock
        self._limits = limits
        self._closing = closing
        self.problems: list[Problem] = []
        self.names = Names()
        self._disk_use = DiskUse(workspace, limits.retention_bytes)
        self._capture: _Running | None = None
        self._recording_since_us = 0  # wall time; 0: no recording began yet
        self._import: ImportWriter | MergeWriter | RereadWriter | None = None
        self._segment_since_us = 0  # monotonic
        self._gaps: list[Gap] = []
        self._presence: list[PresenceChange] = []
        self._upkept_us = 0
        self.behind = False  # the catalogue was not brought up to date in one go
        self._clock_offset_us = clock.wall_us() - clock.monotonic_us()
        self._steady_since_us = clock.monotonic_us()
        with problems_of(workspace.catalogue):
            self._database, replaced = open_or_replace_catalogue(workspace, clock, closing)
            try:
                self._upkeep = self._mend(replaced)
                self.names.topics.shelf = CatalogueTopics(self._catalogue)
                load_names(self._catalogue, self.names)
                self.late = Late(workspace, self._catalogue, clock)
                self.before = read_known_before(workspace, self._catalogue)
                with problems_of(workspace.root):
                    unknown = not self._ask("SELECT count(*) FROM capture")[0][0]
                    self.journal = ArrivalJournal(
                        workspace, clock, self._workspace_id, self.before.arrived_to, adopts=unknown
                    )
                self.problems += self.journal.damage
            except BaseException:
                self._database.close()
                raise

    @property
    def store_bytes(self) -> int:
        """Of the catalogue and all segments, as of the last upkeep."""
        return self._upkeep.store_bytes

    @property
    def newest_segment(self) -> int:
        """Id of the newest segment; what is stored from now on goes to newer ones until a capture begins. 0: none."""
        with problems_of(self._workspace.catalogue):
            return int(self._ask("SELECT coalesce(max(id), 0) FROM segment")[0][0])

    def disk_days(self) -> float | None:
        """How long until the limit of recorded history or the disk is full, at the rate of the last hour; None: not known yet."""
        return self._disk_use.days_kept(self._upkeep.recorded_bytes)

    def begin_capture(self, broker: str, client_id: str, heard_us: int = 0) -> int:
        """Start to record what a broker delivers. The time since the last recording is remembered as a gap, and after a start
        of the program nobody counts as online until heard again. `heard_us`: when the last message came of those that the
        last recording did not come to store. Answers the capture's id."""
        self._end_capture()
        now_us = self._clock.wall_us()
        row = {
            "kind": "record",
            "broker": broker,
            "client_id": client_id,
            "host": platform.node(),
            "version": own_version(),
        }
        with problems_of(self._workspace.catalogue):
            gaps, presence = self._absence(now_us, heard_us)
            id_ = int(Capture.insert(started_us=now_us, **row).execute(self._database))
            workspace_id = self._workspace_id
        self._gaps += gaps
        self._presence += presence
        self._recording_since_us = self._recording_since_us or now_us
        meta = {"capture": str(id_), "workspace": workspace_id, "started_us": str(now_us), **row}
        self._capture = _Running(id_, meta)
        return id_

    def begin_import(
        self, files: Sequence[ImportedFile], *, again: bool = False, make_room: bool = False
    ) -> ImportWriter:
        """Take in recorded traffic beside what is recorded. One at a time. `make_room`: older imports may go for it. Raises
        `EnvironmentProblem` import.busy, and unless `again` import.known where a file is held already and import.twice where
        two of them are the same."""
        self._refuse_second_import()
        if not again:
            refuse_known(self._workspace, self._catalogue, files)
        self._import = ImportWriter(
            self._workspace, self._clock, self._database, self.names, self._upkeep.headlines, self._limits, own_version(),
            lambda: self._recording_since_us, make_room=make_room,
        )  # fmt: skip
        return self._import

    def begin_merge(self, *, make_room: bool = False) -> MergeWriter:
        """Bring in what another workspace recorded, beside what is recorded here. Raises `EnvironmentProblem` import.busy."""
        self._refuse_second_import()
        self._import = begun = MergeWriter(
            self._workspace, self._clock, self._database, self.names, self._upkeep.headlines, self._upkeep.hours,
            self._limits, lambda: self._recording_since_us, make_room=make_room,
        )  # fmt: skip
        return begun

    def begin_reread(self, since_us: int, until_us: int, on_swapped: OnSwapped) -> RereadWriter:
        """Read history again, as it is now. What comes next goes to a new segment.
        Raises `EnvironmentProblem` import.busy, as an import."""
        self._refuse_second_import()
        self._commit_remembered()
        self._upkeep.present = None
        self._import = begun = RereadWriter(
            self._workspace, self._clock, self._database, self.names, self._upkeep.headlines, self._upkeep.hours,
            lambda: int(self._capture.meta["started_us"]) if self._capture else 0, (since_us, until_us), on_swapped, self.late,
        )  # fmt: skip
        return begun

    def _refuse_second_import(self) -> None:
        if self._import is not None and self._import.running:
            raise trouble("import.busy")

    def commit(self, batch: RecordBatch) -> Committed:
        """Store a batch, durably, with what was remembered meanwhile. A batch of nothing writes nothing.

        Raises `EnvironmentProblem` store.full or store.io: then nothing is stored, and the same batch may be committed
        again. A damaged segment is set aside and the batch goes into a new one.
        """
        started_us = self._clock.monotonic_us()
        self._watch_clock()
        now_us = self._clock.wall_us()
        if not (self._gaps or self._presence or _says_something(batch)):
            return Committed(0, 0, 0, now_us, 0)
        self.late.note(batch.late)
        segment = self._present_segment(now_us)
        try:
            rows = self._write(segment, batch, now_us)
        except DAMAGED as error:
            self._upkeep.set_aside(segment, error)
            segment = self._present_segment(now_us)
            with problems_of(segment.path):
                rows = self._write(segment, batch, now_us)
        self._gaps, self._presence = [], []
        self.journal.stored(batch.arrived_to)
        self._upkeep.stored_lately += rows.n
        duration_us = self._clock.monotonic_us() - started_us
        return Committed(segment.id, rows.batch_id, rows.first_seq, now_us, duration_us)

    def remembered(self) -> list[RawMessage]:
        """What others cannot be read without, for a new reader. Raises `EnvironmentProblem` store.*"""
        self._upkeep.take_in()
        with problems_of(self._workspace.catalogue):
            return read_remembered(self._catalogue)

    def submit(self, commands: list[dict[str, object]]) -> None:
        """Apply `control.Command`s, durably. Raises `EnvironmentProblem` agent.unknown or store.*, `ValueError` for no command."""
        self._upkeep.take_in()  # an agent just heard of gets its row
        with problems_of(self._workspace.catalogue):
            submit_commands(self._catalogue, self.names, commands, self._clock.wall_us())

    def use_limits(self, limits: StoreLimits) -> None:
        """Other limits from now on; what is beyond them is removed from now on, as far as one turn goes, even where a full
        disk keeps the rest of the upkeep from its work. Raises `EnvironmentProblem` store.*; `housekeep` then tries again."""
        self._limits = limits
        self._upkeep.use_limits(limits)
        self._upkeep.keep_within_limits(self._clock.monotonic_us() - self._steady_since_us)

    def housekeep(self, *, brief: bool = False) -> None:
        """Upkeep; call about every 250 ms, most calls do nothing. Raises `EnvironmentProblem` store.*; what was not done
        is done by a later call. `brief`: a commit is waited for all the time; then call again while it is `behind`."""
        self._watch_clock()
        now_us = self._clock.monotonic_us()
        due = now_us - self._upkept_us >= UPKEEP_US
        if due:
            self._upkeep.spare_index(now_us - self._upkept_us)
            self._upkept_us = now_us
            self._commit_remembered()
            self._end_segment_if_due(now_us)
        if due or self.behind:
            self.behind = not self._upkeep.take_in_some(brief=brief)
            if not self.behind and (self._import is None or not self._import.running):
                self.names.topics.forget()  # the catalogue knows all of them now
        if not due:
            return
        self._upkeep.store_pulses()
        self._upkeep.close_ended()
        self._upkeep.keep_within_limits(now_us - self._steady_since_us)
        if isinstance(self._import, RereadWriter):
            self._import.go_on()  # after the room was made that it may need

    def close(self) -> None:
        """End the capture, close its segment, let go of all files. Raises `EnvironmentProblem` where something could not
        be written; the next start makes up for it."""
        try:
            self._cancel_import()
            self._commit_remembered()
            self._end_capture()
            self._upkeep.close_ended(_LAST_WAIT_MS)
        finally:
            self.journal.close()
            self._upkeep.release()
            if self._closing is not None:
                self._closing.shutdown()
            with contextlib.suppress(apsw.Error):  # of readers, which keep the log from being left
                self._catalogue.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._database.close()

    # ---------------------------------------------------------------- opening

    @property
    def _catalogue(self) -> apsw.Connection:
        connection: apsw.Connection = self._database.connection()
        return connection

    @property
    def _workspace_id(self) -> str:
        return str(self._ask("SELECT value FROM workspace WHERE key = 'id'")[0][0])

    def _mend(self, replaced: Problem | None) -> Upkeep:
        retention = Retention(self._workspace, self._catalogue, self._limits)
        self.sealing = Sealing(self._workspace, self._catalogue, retention.hours)
        headlines = load_headlines(self._catalogue)
        recovery = Recovery(self._workspace, self._database, headlines, retention, self.sealing, self._clock)
        recovery.run(replaced)
        self.problems += recovery.problems
        return Upkeep(
            self._workspace, self._clock, self._catalogue, headlines, retention, self._disk_use, self.problems,
            self._closing,
        )  # fmt: skip

    def _absence(self, now_us: int, heard_us: int) -> tuple[list[Gap], list[PresenceChange]]:
        """The time without a recorder, and who was present before it. From the second capture of a recorder on, whoever
        keeps presence knows better."""
        last_us = self._ask("SELECT max(ended_us) FROM capture WHERE kind = 'record'")[0][0]
        if last_us is None:
            return [], []
        since_us = min(max(int(last_us), heard_us), now_us)
        gaps = [Gap(since_us, now_us, 0, GapCause.NOT_RECORDING, 0)] if now_us - since_us >= SHORTEST_GAP_US else []
        query = "SELECT agent_id FROM agent_now WHERE presence IN (?, ?) AND NOT imported ORDER BY 1"
        return gaps, [
            PresenceChange(since_us, agent, Presence.UNKNOWN, Condition.OK, Cause.NOT_RECORDING)
            for (agent,) in self._ask(query, int(Presence.ONLINE), int(Presence.LATE))
            if not self._recording_since_us
        ]

    def _ask(self, query: str, *bindings: int | str) -> list[Any]:
        return self._catalogue.execute(query, bindings).fetchall()

    # ---------------------------------------------------------------- segments

    def _write(self, segment: SegmentFile, batch: RecordBatch, now_us: int) -> CommitRows:
        with problems_of(segment.path, let=DAMAGED):
            return segment.write(batch, self.names, self._presence, self._gaps, now_us)

    def _commit_remembered(self) -> None:
        if self._capture is not None and (self._gaps or self._presence):
            self.commit(RecordBatch())

    def _present_segment(self, now_us: int) -> SegmentFile:
        if self._capture is None:
            raise RuntimeError("commit() before begin_capture()")
        if self._upkeep.present is not None:
            return self._upkeep.present
        with problems_of(self._workspace.segments):
            id_ = self._reserve_segment(self._capture.id, now_us)
            meta = {**self._capture.meta, "created_us": str(now_us), ARRIVED_TO: str(self.journal.stored_to)}
            segment = SegmentFile.create(id_, self._workspace.segment(id_), meta, aside=self._closing)
            self._upkeep.add(segment)
        self._segment_since_us = self._clock.monotonic_us()
        return segment

    def _reserve_segment(self, capture: int, now_us: int) -> int:
        """The row comes before the file, so that a kill between them leaves nothing that nobody knows of."""
        query = "SELECT max(id), (SELECT max(id) FROM segment WHERE state = 'open' AND taken_batch = 0) FROM segment"
        last, reserved = self._ask(query)[0]
        if reserved is not None and reserved not in self._upkeep.segment_ids():
            statement = "UPDATE segment SET capture_id = ?, first_us = ?, last_us = ? WHERE id = ?"
            self._ask(statement, capture, now_us, now_us, reserved)
            return int(reserved)  # by a try that failed
        id_ = int(last or 0) + 1
        insert_segment(self._database, id_, capture, LAYOUT, now_us)
        return id_

    def _watch_clock(self) -> None:
        """A wall clock that was set ends the segment: within one, time only goes on."""
        now_us = self._clock.wall_us()
        offset_us = now_us - self._clock.monotonic_us()
        step_us, self._clock_offset_us = offset_us - self._clock_offset_us, offset_us
        if abs(step_us) <= CLOCK_STEP_US:
            return
        self._steady_since_us = self._clock.monotonic_us()
        if self._capture is not None:
            since_us, until_us = sorted((now_us, now_us - step_us))
            self._gaps.append(Gap(since_us, until_us, 0, GapCause.CLOCK_STEP, 0))
            self._upkeep.present = None

    def _end_segment_if_due(self, now_us: int) -> None:
        """A segment also ends early where it alone would fill half of what is kept, as an open one cannot be removed."""
        segment = self._upkeep.present
        if segment is None:
            return
        most = min(self._limits.segment_bytes, self._limits.retention_bytes // 2)
        if segment.size_bytes >= most or now_us - self._segment_since_us >= self._limits.segment_s * 1_000_000:
            self._upkeep.present = None

    def _cancel_import(self) -> None:
        if self._import is not None and self._import.running:
            try:
                self._import.cancel()
            except EnvironmentProblem as error:
                _log.warning("the next start removes what was imported so far: %s", error)

    def _end_capture(self) -> None:
        if self._capture is None:
            return
        self._upkeep.present = None
        self._upkeep.take_in()
        with problems_of(self._workspace.catalogue):
            ended = Capture.update(ended_us=self._clock.wall_us()).where(Capture.id == self._capture.id)
            ended.execute(self._database)
        self._capture = None


def _says_something(batch: RecordBatch) -> bool:
    return bool(
        batch.messages or batch.presence or batch.gaps or batch.interactions or batch.duplicates or batch.dropped
    )
