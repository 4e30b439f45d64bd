"""What opening a workspace has to mend: segments that a kill left open, files that a killed retention left, a catalogue
that is gone. Afterwards every segment is closed, and the catalogue knows all that the segments know."""

import logging
import shutil
from pathlib import Path
from typing import Any

import apsw

from models.domain.clock import Clock
from models.domain.problems import Problem
from models.domain.records import GapCause
from models.storage.catalogue import Segment
from models.storage.copies.salvage_words import bring_back_words
from models.storage.engine import WorkspaceDatabase, open_reader
from models.storage.keeping.retention import Retention
from models.storage.sealing.sealed_file import take_in_sealed
from models.storage.sealing.swap import Sealing
from models.storage.segments.open_segment import DAMAGE
from models.storage.segments.pulse_columns import PULSE_US
from models.storage.segments.schema import LAYOUT, SEALED_LAYOUT
from models.storage.segments.segment_file import SegmentFile, files_size, remove_files
from models.storage.store_errors import DAMAGED, IMPOSSIBLE, engine_error
from models.storage.transaction import transaction
from models.storage.workspace import Workspace
from models.storage.writing.closing import close_segment
from models.storage.writing.headlines import Headlines
from models.storage.writing.intake import SegmentReader
from models.storage.writing.pulses import Pulses
from models.storage.writing.take_in import SegmentTaker

_log = logging.getLogger(__name__)
_LOOK_BACK = 256
"""Batches in which the value of a counter before a crash is looked for."""
_EVER = 1 << 62
_UNFINISHED_BYTES = 4_096  # of a segment whose making a kill cut off
_UNUSABLE = (*DAMAGED, *IMPOSSIBLE, apsw.CantOpenError, LookupError)


class Recovery:
    """One use, at the start of the writer. Engine errors that are not a damaged segment go on to the caller."""

    def __init__(
        self,
        workspace: Workspace,
        catalogue: WorkspaceDatabase,
        headlines: Headlines,
        retention: Retention,
        sealing: Sealing,
        clock: Clock,
    ) -> None:
        self._workspace = workspace
        self._database = catalogue
        self._catalogue: apsw.Connection = catalogue.connection()
        self._headlines = headlines
        self._retention = retention
        self._sealing = sealing
        self._clock = clock
        self.problems: list[Problem] = []

    def run(self, replaced: Problem | None = None) -> None:
        """Mend everything. Killed anywhere, the next start does the rest. `replaced`: what is told of a catalogue that was set
        aside as damaged, if one was."""
        if replaced is not None:
            self.problems.append(replaced)
        shutil.rmtree(self._workspace.importing, ignore_errors=True)  # of an import that did not end; so below
        self._adopt_files()
        self._retention.sweep()
        self._sealing.mend()
        for (id_,) in self._rows("SELECT id FROM segment WHERE state = 'importing'"):
            self._drop(id_, self._workspace.segment(id_))  # of an import that did not end
        for id_, state, layout, taken in self._rows(
            "SELECT id, state, layout, taken_batch FROM segment WHERE state IN ('open', 'closed')"
        ):
            path = self._workspace.segment(id_)
            if state == "open" and (layout == SEALED_LAYOUT or _is_sealed(path)):
                self._take_in_sealed(id_, path, taken)
            elif state == "open":
                self._finish(id_, path, taken)
            elif not path.exists():
                self._quarantine(id_, path, FileNotFoundError("the file is gone"))
            elif any(Path(f"{path}-{log}").exists() for log in ("wal", "journal")):
                self._settle(id_, path)
        self._end_captures()
        if replaced is not None:
            aside = str(replaced.params["path"])
            back = bring_back_words(Path(aside), self._catalogue)
            self.problems.append(Problem("catalogue.words", {"path": aside, "count": back}))

    def _finish(self, id_: int, path: Path, taken_batch: int) -> None:
        """Take the rest in, make up for lost pulses, close."""
        if not path.exists() and not taken_batch:
            self._drop(id_, path)  # killed between the row and the file
            return
        try:
            segment = SegmentFile.reopen(id_, path, taken_batch)
        except Exception as error:
            cause = engine_error(error)
            if isinstance(cause, LookupError) and not isinstance(cause, IndexError) and not taken_batch:
                self._drop(id_, path)
                return
            if not isinstance(cause, _UNUSABLE):
                raise
            self._quarantine(id_, path, cause)
            return
        try:
            taker = SegmentTaker(self._catalogue, self._headlines, segment)
            while intake := taker.read():
                taker.apply(intake)
            restore_pulses(segment, self._headlines)
            close_segment(segment, self._catalogue, segment.last_committed_us or self._clock.wall_us(), wait_ms=500)
        except (*DAMAGED, *IMPOSSIBLE) as error:
            segment.let_go()
            self._quarantine(id_, path, error)
        except BaseException:
            segment.close()
            raise

    def _take_in_sealed(self, id_: int, path: Path, taken_batch: int) -> None:
        """A sealed one whose catalogue was lost, or is as of before its end. It is never written, here neither."""
        try:
            take_in_sealed(id_, path, taken_batch, self._catalogue, self._headlines, self._retention.hours)
        except DAMAGE as error:
            self._quarantine(id_, path, error)

    def _settle(self, id_: int, path: Path) -> None:
        """A closed segment whose log could not be folded in while somebody was reading, or whose turn into a plain file was
        killed: readers cannot roll its journal back."""
        try:
            segment = SegmentFile.reopen(id_, path, 0)
        except Exception as error:
            if not isinstance(engine_error(error), _UNUSABLE):
                raise
            self._quarantine(id_, path, error)
            return
        try:
            segment.leave_log(wait_ms=100)
        finally:
            segment.close()

    def _drop(self, id_: int, path: Path) -> None:
        remove_files(path)
        self._catalogue.execute("DELETE FROM segment WHERE id = ?", (id_,))

    def _quarantine(self, id_: int, path: Path, error: BaseException) -> None:
        self.problems.append(quarantine(self._catalogue, id_, path, error, self._clock.wall_us()))

    def _adopt_files(self) -> None:
        """Rows for segment files that the catalogue does not know: it was lost."""
        known = {id_ for (id_,) in self._rows("SELECT id FROM segment")}
        ids = sorted(int(path.stem) for path in self._workspace.segments.glob("*.db") if path.stem.isdigit())
        fresh = not self._rows("SELECT 1 FROM capture LIMIT 1")
        for id_ in ids:
            if id_ not in known:
                self._adopt(id_, self._workspace.segment(id_), fresh)

    def _adopt(self, id_: int, path: Path, fresh: bool) -> None:
        try:
            meta = _meta(path)
        except (*DAMAGED, apsw.SQLError, apsw.CantOpenError) as error:
            if path.stat().st_size > _UNFINISHED_BYTES:
                self._adopt_damaged(id_, path, error)
            else:
                _log.warning("%s is no segment: %s", path, error)
            return
        workspace_id = self._rows("SELECT value FROM workspace WHERE key = 'id'")[0][0]
        if not meta or (meta.get("workspace") != workspace_id and not fresh):
            _log.warning("%s belongs to another workspace and is left alone", path)
            return
        if meta.get("kind") == "import" and "capture" not in meta:
            _log.warning("%s is of an import that did not end", path)
            remove_files(path)
            return
        created_us = int(meta.get("created_us", "0"))
        capture = int(meta.get("capture", "0"))
        with transaction(self._catalogue):
            if fresh:
                statement = "UPDATE workspace SET value = ? WHERE key = 'id'"
                self._catalogue.execute(statement, (meta.get("workspace", workspace_id),))
            self._catalogue.execute(
                "INSERT OR IGNORE INTO capture VALUES (?, ?, ?, NULL, ?, ?, ?, ?)",
                (capture, meta.get("kind", "record"), int(meta.get("started_us", created_us)), meta.get("broker", ""),
                 meta.get("client_id", ""), meta.get("host", ""), meta.get("version", "")),
            )  # fmt: skip
            insert_segment(self._database, id_, capture, int(meta.get("layout", "1")), created_us)

    def _adopt_damaged(self, id_: int, path: Path, error: BaseException) -> None:
        """Nobody knows what it held; it is kept, and told."""
        written_us = path.stat().st_mtime_ns // 1_000
        with transaction(self._catalogue):
            insert_segment(self._database, id_, 0, LAYOUT, written_us)
        self._quarantine(id_, path, error)

    def _end_captures(self) -> None:
        """A capture ended with its last segment's last message, where nobody said when."""
        self._catalogue.execute(
            """UPDATE capture SET ended_us = max(started_us, coalesce((SELECT max(last_us) FROM segment
            WHERE capture_id = capture.id), 0)) WHERE ended_us IS NULL"""
        )

    def _rows(self, query: str) -> list[Any]:
        return self._catalogue.execute(query).fetchall()


def restore_pulses(segment: SegmentFile, headlines: Headlines) -> None:
    """Sum up again what a crash kept from being stored: records after the last stored window, or of batches that no stored
    window had counted in."""
    connection = segment.connection
    query = "SELECT coalesce(max(since_us), ?), coalesce(max(batch_id), 0) FROM pulse"
    since_us, counted = next(iter(connection.execute(query, (-PULSE_US,))))
    window = since_us // PULSE_US + 1
    query = "SELECT coalesce(min(id), 0) FROM batch WHERE last_us >= ? AND id <= ?"
    (first,) = next(iter(connection.execute(query, (window * PULSE_US, counted))))
    start = first - 1 if first else counted
    pulses = Pulses()
    if start:
        before = SegmentReader(connection, max(0, start - _LOOK_BACK)).read(headlines, _LOOK_BACK, start)
        if before is not None:
            pulses.remember_counters(before.samples, headlines)
    reader = SegmentReader(connection, start)
    while intake := reader.read(headlines, _LOOK_BACK, counted if reader.after_batch < counted else None):
        pulses.add(intake, headlines, from_window=window if intake.last_batch <= counted else 0)
        reader.accept(intake)
    rows = pulses.ended(_EVER, reader.after_batch)
    if rows:
        segment.add_pulses(rows)


def quarantine(catalogue: apsw.Connection, id_: int, path: Path, error: BaseException, now_us: int) -> Problem:
    """Set a damaged segment aside: its files stay where they are, nobody reads or removes them, history shows a gap."""
    _log.error("segment %d is damaged and set aside: %s", id_, error)
    with transaction(catalogue):
        catalogue.execute(
            """INSERT INTO gap(since_us, until_us, agent_id, cause, count, segment_id)
            SELECT first_us, CASE state WHEN 'open' THEN max(last_us, ?1) ELSE last_us END, 0, ?2, messages, id
            FROM segment WHERE id = ?3""",
            (now_us, GapCause.DAMAGED.value, id_),
        )
        catalogue.execute("UPDATE segment SET state = 'quarantined', bytes = ? WHERE id = ?", (files_size(path), id_))
    return Problem("store.corrupt", {"path": str(path), "detail": str(error)})


def insert_segment(
    database: WorkspaceDatabase, id_: int, capture: int, layout: int, now_us: int, state: str = "open"
) -> None:
    """The catalogue's row of a segment that is about to be made."""
    zeros = dict.fromkeys(("messages", "samples", "logs", "tasks", "bytes", "duplicates", "dropped", "unreadable", "payload_bytes", "taken_batch"), 0)  # fmt: skip
    row = {"id": id_, "capture_id": capture, "layout": layout, "state": state, "first_us": now_us, "last_us": now_us}
    Segment.insert({**row, **zeros}).execute(database)


def _is_sealed(path: Path) -> bool:
    """False also where the file cannot tell: whoever opens it to write says what is wrong."""
    try:
        return _meta(path).get("layout") == str(SEALED_LAYOUT)
    except (apsw.Error, UnicodeDecodeError):
        return False


def _meta(path: Path) -> dict[str, str]:
    reader = open_reader(path)
    try:
        return {str(key): str(value) for key, value in reader.execute("SELECT key, value FROM meta").fetchall()}
    finally:
        reader.close()
