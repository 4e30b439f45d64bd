"""The writing side of one segment file: made, filled commit by commit, closed for ever."""

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import apsw

from models.domain.batch import RecordBatch
from models.domain.names import Names
from models.domain.records import Gap, PresenceChange
from models.storage.access import create_private_file, sync_folder
from models.storage.catalogue_file import FILE_ENDINGS
from models.storage.engine import WorkspaceDatabase, let_go, open_database
from models.storage.log_copying import LOG_PAGES, LogCopying
from models.storage.names_table import NamedIds, NewNames
from models.storage.segments.log_check import UNDER_WAY, lost_commits
from models.storage.segments.message_columns import RecentMessages
from models.storage.segments.schema import LAYOUT, create_tables, index_messages, leave_messages_unindexed
from models.storage.store_errors import UNSTORABLE
from models.storage.transaction import transaction
from models.storage.writing.batch_rows import WIDTHS, CommitRows, build_rows, insert_flat
from models.storage.writing.pulses import PulseRow

_TURN_S = 0.02
UNSTORABLE_REASON = "unstorable"
ARRIVED_TO = "arrived_to"
"""In `meta`: number up to which all arrivals are stored, here or in segments before."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SegmentTotals:
    """What the batches of a segment add up to."""

    first_us: int = 0
    last_us: int = 0
    messages: int = 0
    samples: int = 0
    logs: int = 0
    tasks: int = 0
    duplicates: int = 0
    dropped: int = 0
    unreadable: int = 0
    last_batch: int = 0


class SegmentFile:
    """One thread. Methods that touch the file raise the engine's errors and leave nothing half done."""

    def __init__(self, id_: int, path: Path, database: WorkspaceDatabase) -> None:
        self.id = id_
        self.path = path
        self.new_names = NewNames()  # named here and not yet taken in by the catalogue
        self.recent = RecentMessages()
        self.taken_batch = 0
        self.next_seq = 1
        self.next_batch = 1
        self.last_committed_us = 0
        self._database = database
        self._named = NamedIds()
        self._indexed = True  # its messages, by agent

    @classmethod
    def create(
        cls, id_: int, path: Path, meta: Mapping[str, str], *, lazily: bool = False, aside: Executor | None = None
    ) -> "SegmentFile":
        """A new file whose tables and `meta` (beside its layout) are there at once, or not at all. `lazily`: what is written
        survives a power cut only once the log is folded in. `aside`: see `LogCopying`; None: a commit does it now and then."""
        remove_files(path)  # of a try that failed; never had a commit
        create_private_file(path)
        database = open_database(path, create=True)
        try:
            connection = database.connection()
            connection.pragma("wal_autocheckpoint", LOG_PAGES)
            with database.atomic():
                create_tables(database)
                rows = {"layout": str(LAYOUT), "segment": str(id_), **meta}
                connection.executemany("INSERT INTO meta(key, value) VALUES (?, ?)", list(rows.items()))
            sync_folder(path.parent)
            if lazily:
                connection.pragma("synchronous", "NORMAL")
            if aside is not None:
                LogCopying(connection, path, aside)
        except BaseException:
            database.close()
            raise
        return cls(id_, path, database)

    @classmethod
    def reopen(cls, id_: int, path: Path, taken_batch: int) -> "SegmentFile":
        """A file that a crash left open, to be taken in and closed. Raises the engine's errors; `LookupError` where it
        was never finished being made."""
        database = open_database(path)
        try:
            connection = database.connection()
            if (lost := lost_commits(connection, path)) > UNDER_WAY:
                raise apsw.CorruptError(f"{lost} commits in its log cannot be reached")
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchall():
                raise LookupError(f"{path} has no tables")
            found = cls(id_, path, database)
            found.taken_batch = taken_batch
            found.next_seq = _one(connection, "SELECT coalesce(max(first_seq + n), 1) FROM batch")
            found.next_batch = _one(connection, "SELECT coalesce(max(id), 0) + 1 FROM batch")
            if found.next_batch <= taken_batch:
                raise apsw.CorruptError(f"batches {found.next_batch} to {taken_batch} are gone")
            found.last_committed_us = _one(connection, "SELECT coalesce(max(committed_us), 0) FROM batch")
            found.new_names = NewNames(
                *([id_ for (id_,) in connection.execute(f"SELECT id FROM {table} ORDER BY id")]
                  for table in ("topic", "agent", "series"))
            )  # fmt: skip
        except BaseException:
            let_go(database)
            raise
        return found

    @property
    def connection(self) -> apsw.Connection:
        connection: apsw.Connection = self._database.connection()
        return connection

    @property
    def size_bytes(self) -> int:
        return files_size(self.path)

    def meta(self) -> dict[str, str]:
        rows = self.connection.execute("SELECT key, value FROM meta").fetchall()
        return {str(key): str(value) for key, value in rows}

    def write(
        self,
        batch: RecordBatch,
        names: Names,
        presence: Sequence[PresenceChange],
        gaps: Sequence[Gap],
        committed_us: int,
    ) -> CommitRows:
        """One commit. After an exception nothing was written and no number was used up: write the same again later."""
        rows = build_rows(
            batch, names, self._named, batch_id=self.next_batch, first_seq=self.next_seq, committed_us=committed_us,
            presence=presence, gaps=gaps,
        )  # fmt: skip
        try:
            self._write(rows)
        except UNSTORABLE:
            _log.exception(
                "a row of batch %d of segment %d does not store; going on without it", rows.batch_id, self.id
            )
            self._write_carefully(rows)
        self._named.mark(rows.new_names)
        self.new_names.extend(rows.new_names)
        self.recent.add(rows.first_seq, rows.messages)
        self.next_batch += 1
        self.next_seq += rows.n
        self.last_committed_us = committed_us
        return rows

    def add_pulses(self, rows: Sequence[PulseRow]) -> None:
        """Store finished pulses, in a transaction of their own."""
        with transaction(self.connection):
            self.connection.executemany(
                "INSERT INTO pulse(since_us, batch_id, n, data, responses) VALUES (?, ?, ?, ?, ?)", rows
            )

    def go_without_index(self) -> None:
        """Much arrives: messages are indexed when nothing follows any more."""
        if self._indexed:
            leave_messages_unindexed(self._database)
            self._indexed = False

    def totals(self) -> SegmentTotals:
        return totals_of(self.connection)

    def mark_closed(self, closed_us: int) -> None:
        """Note in the file itself that nothing follows, and index what is there."""
        if "closed_us" in self.meta():
            return
        with transaction(self.connection):
            index_messages(self._database)
            self.connection.execute(
                "INSERT OR REPLACE INTO meta(key, value) VALUES ('closed_us', ?)", (str(closed_us),)
            )

    def fold_log(self, wait_ms: int = 0) -> bool:
        """Bring everything from the write-ahead log into the file; false while somebody reads (ask again later)."""
        self.connection.set_busy_timeout(wait_ms)
        try:
            self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except (apsw.BusyError, apsw.LockedError):
            return False
        self.connection.pragma("shrink_memory")  # it may wait a while for readers, and nobody writes it any more
        return True

    def leave_log(self, wait_ms: int = 0) -> bool:
        """Make it one plain file; false while somebody has it open (ask again later)."""
        end_s = time.monotonic() + wait_ms / 1_000
        while True:
            with contextlib.suppress(apsw.BusyError, apsw.LockedError):
                return str(self.connection.pragma("journal_mode", "DELETE")) == "delete"
            if time.monotonic() >= end_s:
                return False
            time.sleep(_TURN_S)  # here the engine's own busy timeout does not count

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def let_go(self) -> None:
        """Close it as it is: it is damaged, and stays so."""
        let_go(self._database)

    def discard(self) -> None:
        """Let go of it and remove it; what its log holds goes nowhere."""
        if not self._database.is_closed():
            with contextlib.suppress(apsw.Error):  # it may be damaged
                self.connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
                self.close()
        remove_files(self.path)

    def _write(self, rows: CommitRows) -> None:
        connection = self.connection
        with transaction(connection):
            for table, flat in rows.tables.items():
                if flat:
                    insert_flat(connection, table, flat)
            _note_arrived(connection, rows)

    def _write_carefully(self, rows: CommitRows) -> None:
        """Row by row. A message that does not store keeps its raw bytes and is marked unreadable; a derived row that does
        not store marks its message so. The batch counts what was stored."""
        connection = self.connection
        bad: dict[int, int] = {}  # seq -> topic id
        missing = dict.fromkeys(rows.tables, 0)  # rows of each table that do not store
        topics = dict(zip(rows.tables["message"][::9], rows.tables["message"][2::9], strict=True))
        with transaction(connection):
            for table, flat in rows.tables.items():
                width = WIDTHS[table]
                for at in range(0, len(flat), width):
                    row = flat[at : at + width]
                    if table == "batch":
                        unreadable = {*rows.tables["unreadable"][:: WIDTHS["unreadable"]], *bad}
                        row = _recounted(row, missing["log"], missing["task_report"], len(unreadable))
                    try:
                        insert_flat(connection, table, row)
                    except UNSTORABLE:
                        if table == "batch":
                            raise
                        missing[table] += 1
                        seq = row[0] if table not in ("presence_change", "gap", "topic", "agent", "series") else None
                        if seq in topics:
                            bad[seq] = topics[seq]  # type: ignore[index, assignment]
                        if table == "message":
                            insert_flat(connection, table, [*row[:4], 0, row[5], row[6], None, row[8]])
            statement = "INSERT OR IGNORE INTO unreadable(seq, topic_id, reason) VALUES (?, ?, ?)"
            connection.executemany(statement, [(seq, topic, UNSTORABLE_REASON) for seq, topic in bad.items()])
            _note_arrived(connection, rows)


def _note_arrived(connection: apsw.Connection, rows: CommitRows) -> None:
    if rows.arrived_to:
        connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", (ARRIVED_TO, str(rows.arrived_to)))


def totals_of(segment: apsw.Connection) -> SegmentTotals:
    """Counted from the batches."""
    query = """SELECT coalesce(min(first_us), 0), coalesce(max(last_us), 0), coalesce(sum(n), 0),
        coalesce(sum(n_samples), 0), coalesce(sum(n_logs), 0), coalesce(sum(n_tasks), 0), coalesce(sum(duplicates), 0),
        coalesce(sum(dropped), 0), coalesce(sum(unreadable), 0), coalesce(max(id), 0) FROM batch"""
    return SegmentTotals(*next(iter(segment.execute(query))))


def files_size(path: Path) -> int:
    """Bytes of a database with its write-ahead log; 0 where it is gone."""
    size = 0
    for ending in FILE_ENDINGS:
        with contextlib.suppress(FileNotFoundError):
            size += Path(f"{path}{ending}").stat().st_size
    return size


def remove_files(path: Path) -> None:
    """Unlink a database with its log and shared memory."""
    for ending in reversed(FILE_ENDINGS):  # the database last: what remains after a kill is still told by it
        Path(f"{path}{ending}").unlink(missing_ok=True)


def _recounted(batch: list[object], logs: int, tasks: int, unreadable: int) -> list[object]:
    """The row of a batch of which so many logs and task reports were not stored."""
    return [*batch[:7], _less(batch[7], logs), _less(batch[8], tasks), *batch[9:11], unreadable, *batch[12:]]


def _less(count: object, missing: int) -> int:
    assert isinstance(count, int)
    return count - missing


def _one(connection: apsw.Connection, query: str) -> int:
    return int(next(iter(connection.execute(query)))[0])
