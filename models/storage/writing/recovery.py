"""What opening a workspace has to mend: segments that a kill left open, files that a killed retention left, a catalogue
that is gone. Afterwards every segment is closed, and the catalogue knows all that the segments know."""

import shutil
from pathlib import Path
from typing import Any

import apsw

from models.domain.clock import Clock
from models.domain.problems import Problem
from models.storage.copies.salvage_words import bring_back_words
from models.storage.engine import WorkspaceDatabase
from models.storage.keeping.retention import Retention
from models.storage.rereading.fallen_back import forget_agents_of_earlier_reading, forget_earlier_reading
from models.storage.rereading.shadow import Shadow, throw_away
from models.storage.rereading.swap import swap_in
from models.storage.sealing.sealed_file import take_in_sealed
from models.storage.sealing.swap import Sealing
from models.storage.segments.open_segment import DAMAGE_ALONE
from models.storage.segments.pulse_columns import PULSE_US
from models.storage.segments.schema import SEALED_LAYOUT
from models.storage.segments.segment_file import SegmentFile, remove_files
from models.storage.store_errors import DAMAGED, IMPOSSIBLE, engine_error, problems_of
from models.storage.workspace import Workspace
from models.storage.writing.adoption import Adoption, read_meta
from models.storage.writing.closing import close_segment
from models.storage.writing.headlines import Headlines
from models.storage.writing.intake import SegmentReader
from models.storage.writing.pulses import Pulses
from models.storage.writing.segment_rows import quarantine
from models.storage.writing.take_in import SegmentTaker, load_headlines

_LOOK_BACK = 256
"""Batches in which the value of a counter before a crash is looked for."""
_EVER = 1 << 62
_UNUSABLE = (*DAMAGED, *IMPOSSIBLE, LookupError)
"""What opening a damaged segment raises. One that just cannot be opened or read is not damaged: the start fails, and says so."""


class Recovery:
    """One use, at the start of the writer. What is wrong and is no damaged segment goes on to the caller."""

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
        shutil.rmtree(self._workspace.importing, ignore_errors=True)  # of an import that did not end
        adoption = Adoption(self._workspace, self._database, self._retention.hours, self._clock)
        adoption.run(fell_back=replaced is not None)
        self.problems += adoption.problems
        self._retention.sweep()
        self._finish_reread()
        fell_back = forget_earlier_reading(self._workspace, self._catalogue)
        if fell_back:
            self._headlines.become(load_headlines(self._catalogue))
        self._sealing.mend()
        for id_, state, layout, taken in self._rows(
            "SELECT id, state, layout, taken_batch FROM segment WHERE state IN ('open', 'closed')"
        ):
            path = self._workspace.segment(id_)
            with problems_of(path):
                if not path.exists():
                    self._mend_missing(id_, path, state, taken)
                elif state == "open" and (layout == SEALED_LAYOUT or _is_sealed(path)):
                    self._take_in_sealed(id_, path, taken)
                elif state == "open":
                    self._finish(id_, path, taken)
                elif any(Path(f"{path}-{log}").exists() for log in ("wal", "journal")):
                    self._settle(id_, path)
        if fell_back:
            forget_agents_of_earlier_reading(self._catalogue)
        self._end_captures()
        if replaced is not None:
            aside = str(replaced.params["path"])
            agents, annotations = bring_back_words(Path(aside), self._catalogue)
            told: dict[str, str | int | float] = {"path": aside, "count": agents, "annotations": annotations}
            self.problems.append(Problem("catalogue.words", told))

    def _finish_reread(self) -> None:
        """History that was read again, if that was decided before a kill; else what there is of it goes."""
        with problems_of(self._workspace.rereading):
            shadow = _decided_shadow(self._workspace, self._clock)
            if shadow is not None:
                try:
                    swap_in(self._workspace, self._catalogue, self._retention.hours, shadow, None)
                finally:
                    shadow.close()
                self._headlines.become(load_headlines(self._catalogue))
        throw_away(self._workspace)

    def _mend_missing(self, id_: int, path: Path, state: str, taken_batch: int) -> None:
        if state == "open" and not taken_batch:
            self._drop(id_, path)  # killed between the row and the file
        else:
            self._quarantine(id_, path, FileNotFoundError("the file is gone"))

    def _finish(self, id_: int, path: Path, taken_batch: int) -> None:
        """Take the rest in, make up for lost pulses, close."""
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
        except DAMAGE_ALONE as error:
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

    def _end_captures(self) -> None:
        """A capture ended with its last segment's last message, where nobody said when."""
        self._catalogue.execute(
            """UPDATE capture SET ended_us = max(started_us, coalesce((SELECT max(last_us) FROM segment
            WHERE capture_id = capture.id), 0)) WHERE ended_us IS NULL"""
        )

    def _rows(self, query: str) -> list[Any]:
        return self._catalogue.execute(query).fetchall()


def _decided_shadow(workspace: Workspace, clock: Clock) -> Shadow | None:
    """None also where its catalogue was never whole: decided is only what was."""
    try:
        shadow = Shadow.reopen(workspace, clock)
    except Exception as error:
        if not isinstance(engine_error(error), _UNUSABLE):
            raise
        return None
    if shadow is not None and not shadow.decided():
        shadow.close()
        return None
    return shadow


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


def _is_sealed(path: Path) -> bool:
    """False also where the file is damaged: whoever opens it to write says what is wrong."""
    try:
        return read_meta(path).get("layout") == str(SEALED_LAYOUT)
    except (*DAMAGED, apsw.SQLError, UnicodeDecodeError):
        return False
