"""How much history is kept, kind by kind. Of what was recorded and of what was imported the oldest closed segment goes whole,
and leaves a gap with its reason; its hour roll-ups stay, and go by limits of their own."""

import contextlib
import logging
import shutil
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from models.domain.queries import StoreKind
from models.domain.records import GapCause
from models.storage.engine import open_reader
from models.storage.keeping.hour_columns import HourRow
from models.storage.keeping.hour_store import HourStore
from models.storage.keeping.pins import Pins
from models.storage.keeping.reserve import Reserve
from models.storage.keeping.segment_hours import stored_hours, summed_hours
from models.storage.segments.segment_file import files_size, remove_files
from models.storage.store_errors import DAMAGED, environment_problem
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

STEADY_CLOCK_US = 600_000_000
"""Age counts only after the wall clock has run this long without a step: a computer that starts in the wrong year must
not throw history away."""
_RATE_US = 3_600_000_000
_RATE_LEAST_US = 60_000_000
_RATE_SETTLES_US = 300_000_000  # before that, new files weigh more than what is written into them
_DAY_S = 86_400
_GIB = 1024**3
_TURN_S = 0.06
"""So long one turn may sum up hours, or join them: live traffic waits for it."""
_NEARLY_FULL_BYTES = 256 * 1024 * 1024
"""With less left on the disk nothing waits for roll-ups any more: what cannot be recorded is worth more."""
NO_LIMIT = 1 << 50
HELD = """SELECT segment.id, first_us, last_us, messages, bytes, iif(kind = 'import', ended_us, last_us) AS aged_us
    FROM segment LEFT JOIN capture ON capture.id = capture_id WHERE state = 'closed' AND (kind IS 'import') = ?
    ORDER BY aged_us, segment.id"""
"""Closed segments of imports (1) or recordings (0), oldest first. An import is as old as the day on which it was imported:
who brings in last year's recording wants to look at it."""
SIZE = """SELECT coalesce(sum(segment.bytes), 0) FROM segment LEFT JOIN capture ON capture.id = capture_id
    WHERE state IN ('open', 'closed') AND (kind IS 'import') = ?"""
"""Damaged files that were set aside do not push good history out."""

_log = logging.getLogger(__name__)
_GONE_TASKS = """SELECT agent_id, task FROM open_task JOIN agent_now USING (agent_id) WHERE reported_us < (
    SELECT coalesce(min(first_us), 1 << 62) FROM segment LEFT JOIN capture ON capture.id = capture_id
    WHERE state IN ('open', 'closed') AND (kind IS 'import') = imported)"""


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """When a segment is closed, and how much is kept of each kind: of recorded history (`retention_*`), of imports, and of the
    hour roll-ups that outlive both. `NO_LIMIT` is none."""

    segment_bytes: int = 256 * 1024 * 1024
    segment_s: int = _DAY_S
    retention_bytes: int = 2 * _GIB
    retention_s: int = 14 * _DAY_S
    import_bytes: int = 2 * _GIB
    import_s: int = NO_LIMIT
    hours_bytes: int = _GIB // 4
    hours_s: int = 730 * _DAY_S
    reserve_bytes: int = 0  # kept free, so that history can be removed from a full disk

    def of(self, kind: StoreKind) -> tuple[int, int]:
        """Most bytes and most seconds of a kind."""
        return {
            StoreKind.RECORDED: (self.retention_bytes, self.retention_s),
            StoreKind.IMPORTED: (self.import_bytes, self.import_s),
            StoreKind.HOURS: (self.hours_bytes, self.hours_s),
        }[kind]


class ClosedSegment(NamedTuple):
    """A row of `HELD`."""

    id: int
    first_us: int
    last_us: int
    messages: int
    bytes: int
    aged_us: int


def beyond(
    closed: Iterable[ClosedSegment], kept_bytes: int, most_bytes: int, oldest_us: int
) -> Iterator[ClosedSegment]:
    """Those of the segments, oldest first, that have to go until no more than `most_bytes` of `kept_bytes` are left and none
    is older than `oldest_us`."""
    for one in closed:
        if kept_bytes <= most_bytes and one.aged_us >= oldest_us:
            return
        kept_bytes -= one.bytes
        yield one


class Retention:
    """Removes segments. Recorder's ingest thread."""

    def __init__(self, workspace: Workspace, catalogue: apsw.Connection, limits: StoreLimits) -> None:
        self._workspace = workspace
        self._catalogue = catalogue
        self._limits = limits
        self._pins = Pins(workspace)
        self._summing: _Summing | None = None
        self.hours = HourStore(catalogue)
        self._reserve = Reserve(workspace.reserve)

    def use_limits(self, limits: StoreLimits) -> None:
        """From the next `run` on."""
        self._limits = limits

    def release(self) -> None:
        """Let go of a segment that is being summed up; the next start begins with it anew."""
        if self._summing is not None:
            self._summing.close()
            self._summing = None

    def used_bytes(self) -> int:
        """Of the catalogue and all segments, as the catalogue last saw them."""
        query = "SELECT coalesce(sum(bytes), 0) FROM segment WHERE state <> 'removed'"
        return int(self._rows(query)[0][0]) + files_size(self._workspace.catalogue)

    def recorded_bytes(self) -> int:
        """Of what is recorded, with the catalogue but for its roll-ups."""
        return int(self._rows(SIZE, 0)[0][0]) + files_size(self._workspace.catalogue) - self.hours.used_bytes

    def run(self, now_us: int, steady_us: int) -> int:
        """Remove what is beyond the limits, as far as one turn allows. `steady_us` is how long the wall clock ran without a
        step. Answers the recorded bytes that were freed. Killed anywhere, `sweep` finishes it. What a full disk does not let
        be written down is done with the room of the reserve."""
        try:
            freed = self._run(now_us, steady_us)
        except Exception as error:
            problem = environment_problem(error, self._workspace.catalogue)
            if problem is None or problem.problem.code != "store.full" or not self._reserve.give_back():
                raise
            _log.warning("the disk is full; its reserve is given back, for history to be removed")
            freed = self._run(now_us, steady_us)
        self._reserve.keep(self._limits.reserve_bytes)
        return freed

    def _run(self, now_us: int, steady_us: int) -> int:
        end_s = time.monotonic() + _TURN_S
        limits, steady = self._limits, steady_us >= STEADY_CLOCK_US

        def oldest_us(kept_s: int) -> int:
            return now_us - kept_s * 1_000_000 if steady else 0

        freed = self._shrink(0, self.recorded_bytes(), limits.retention_bytes, oldest_us(limits.retention_s), end_s)
        self._shrink(1, int(self._rows(SIZE, 1)[0][0]), limits.import_bytes, oldest_us(limits.import_s), end_s)
        self.hours.tidy(end_s)
        self.hours.keep_within(limits.hours_bytes, oldest_us(limits.hours_s))
        return freed

    def _shrink(self, imported: int, kept: int, most: int, oldest_us: int, end_s: float) -> int:
        freed = 0
        closed = [ClosedSegment(*row) for row in self._rows(HELD, imported)]
        for one in beyond(closed, kept, most, oldest_us):
            with self._pins.removing(one.id) as may:
                if not may or not self._remove(one, end_s):
                    break  # newer history does not go before older
            freed += one.bytes
        return freed

    def _remove(self, one: ClosedSegment, end_s: float) -> bool:
        """False: its hours are not summed up yet, which goes on at the next turn."""
        rows: list[HourRow] = []
        if not self.hours.knows(one.id):
            if self._summing is None or self._summing.segment != one.id:
                self._summing = _Summing(one.id, self._workspace)
            if not self._summing.go_on(end_s) and self._free_bytes() > _NEARLY_FULL_BYTES:
                return False
            rows, self._summing = self._summing.rows, None
        with transaction(self._catalogue):
            self.hours.take(one.id, rows)
            self.hours.outlive(one.id)
            self._write_removed(one, GapCause.RETENTION)
        remove_files(self._workspace.segment(one.id))
        return True

    def mark_removed(self, one: ClosedSegment, cause: GapCause = GapCause.RETENTION) -> None:
        """Say in the catalogue that a segment is gone, and why."""
        with transaction(self._catalogue):
            self._write_removed(one, cause)

    def sweep(self) -> None:
        """Unlink what a killed `run` left. Raises `OSError`."""
        self._pins.make()
        for (id_,) in self._rows("SELECT id FROM segment WHERE state = 'removed'"):
            remove_files(self._workspace.segment(id_))

    def _write_removed(self, one: ClosedSegment, cause: GapCause) -> None:
        self._catalogue.execute("UPDATE segment SET state = 'removed', bytes = 0 WHERE id = ?", (one.id,))
        self._catalogue.execute(
            "INSERT INTO gap(since_us, until_us, agent_id, cause, count, segment_id) VALUES (?, ?, 0, ?, ?, ?)",
            (one.first_us, one.last_us, cause.value, one.messages, one.id),
        )
        self._forget_tasks()

    def _forget_tasks(self) -> None:
        """Tasks whose last report is gone are no longer known to be open. How an import ended goes with the imports."""
        gone = self._rows(_GONE_TASKS)
        self._catalogue.executemany("DELETE FROM open_task WHERE agent_id = ? AND task = ?", gone)
        agents = [(agent,) for agent in sorted({agent for agent, _ in gone})]
        self._catalogue.executemany(
            "UPDATE agent_now SET tasks_open = (SELECT count(*) FROM open_task WHERE agent_id = ?1) WHERE agent_id = ?1",
            agents,
        )

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._workspace.root).free

    def _rows(self, query: str, *bindings: int) -> list[Any]:
        return self._catalogue.execute(query, bindings).fetchall()


class _Summing:
    """The hours of a segment that is about to go, a little at a time. What cannot be read tells nothing."""

    def __init__(self, segment: int, workspace: Workspace) -> None:
        self.segment = segment
        self.rows: list[HourRow] = []
        self._steps = self._made(workspace.segment(segment))

    def go_on(self, end_s: float) -> bool:
        """Whether all is summed up. At least one step is made."""
        for rows in self._steps:
            self.rows += rows
            if time.monotonic() >= end_s:
                return False
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._steps.close()

    def _made(self, path: Path) -> Generator[list[HourRow], None, None]:
        try:
            reader = open_reader(path)
            try:
                kept = stored_hours(reader)
                yield from summed_hours(reader) if kept is None else (kept,)
            finally:
                reader.close()
        except (*DAMAGED, apsw.CantOpenError, apsw.IOError, apsw.SQLError) as error:
            _log.warning("segment %d goes without some of its hour roll-ups: %s", self.segment, error)


class DiskUse:
    """How fast recorded history grows. Bytes that retention freed count as written, times are monotonic."""

    def __init__(self, workspace: Workspace, limit_bytes: int) -> None:
        self._workspace = workspace
        self._limit_bytes = limit_bytes
        self._seen: deque[tuple[int, int]] = deque()
        self._freed_bytes = 0

    def use_limit(self, limit_bytes: int) -> None:
        """How much may be kept from now on."""
        self._limit_bytes = limit_bytes

    def note(self, monotonic_us: int, used_bytes: int, freed_bytes: int) -> None:
        """Take a measure; one a minute is kept."""
        self._freed_bytes += freed_bytes
        if not self._seen or monotonic_us - self._seen[-1][0] >= _RATE_LEAST_US:
            self._seen.append((monotonic_us, used_bytes + self._freed_bytes))
        while monotonic_us - self._seen[0][0] > _RATE_US:
            self._seen.popleft()

    def days_kept(self, used_bytes: int) -> float | None:
        """How many days of history the limit, or what the disk has room for, holds at the rate of the last hour. None where
        no rate is known yet."""
        if len(self._seen) < 2:
            return None
        (since_us, before), (until_us, after) = self._seen[0], self._seen[-1]
        if after <= before or until_us - since_us < _RATE_SETTLES_US:
            return None
        room = self._limit_bytes
        with contextlib.suppress(OSError):
            room = min(room, used_bytes + shutil.disk_usage(self._workspace.root).free)
        return room * (until_us - since_us) / 1e6 / (after - before) / _DAY_S
