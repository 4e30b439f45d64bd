"""How much history is kept: the oldest closed segment goes whole, and what it leaves is a gap with its reason."""

import contextlib
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw

from models.domain.records import GapCause
from models.storage.segment_file import files_size, remove_files
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

STEADY_CLOCK_US = 600_000_000
"""Age counts only after the wall clock has run this long without a step: a computer that starts in the wrong year must
not throw history away."""
_RATE_US = 3_600_000_000
_RATE_LEAST_US = 60_000_000
_RATE_SETTLES_US = 300_000_000  # before that, new files weigh more than what is written into them
_DAY_S = 86_400
CLOSED = """SELECT segment.id, first_us, last_us, messages, bytes, iif(kind = 'import', ended_us, last_us) AS aged_us
    FROM segment LEFT JOIN capture ON capture.id = capture_id WHERE state = 'closed' ORDER BY aged_us, segment.id"""
"""An import is as old as the day on which it was imported: who brings in last year's recording wants to look at it."""

_GONE_TASKS = """SELECT agent_id, task FROM open_task JOIN agent_now USING (agent_id) WHERE reported_us < (
    SELECT coalesce(min(first_us), 1 << 62) FROM segment LEFT JOIN capture ON capture.id = capture_id
    WHERE state IN ('open', 'closed') AND (kind IS 'import') = imported)"""


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """When a segment is closed, and how much history is kept."""

    segment_bytes: int = 256 * 1024 * 1024
    segment_s: int = _DAY_S
    retention_bytes: int = 2 * 1024 * 1024 * 1024
    retention_s: int = 14 * _DAY_S


class ClosedSegment(NamedTuple):
    """A row of `CLOSED`."""

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

    def use_limits(self, limits: StoreLimits) -> None:
        """From the next `run` on."""
        self._limits = limits

    def used_bytes(self) -> int:
        """Of the catalogue and all segments, as the catalogue last saw them."""
        query = "SELECT coalesce(sum(bytes), 0) FROM segment WHERE state <> 'removed'"
        return int(self._rows(query)[0][0]) + files_size(self._workspace.catalogue)

    def run(self, now_us: int, steady_us: int) -> int:
        """Remove what is beyond the limits. `steady_us` is how long the wall clock ran without a step. Answers the bytes
        that were freed. Killed anywhere, `sweep` finishes it."""
        freed = 0
        oldest_us = now_us - self._limits.retention_s * 1_000_000 if steady_us >= STEADY_CLOCK_US else 0
        closed = [ClosedSegment(*row) for row in self._rows(CLOSED)]
        for one in beyond(closed, self._kept_bytes(), self._limits.retention_bytes, oldest_us):
            self.mark_removed(one)
            remove_files(self._workspace.segment(one.id))
            freed += one.bytes
        return freed

    def mark_removed(self, one: ClosedSegment, cause: GapCause = GapCause.RETENTION) -> None:
        """Say in the catalogue that a segment is gone, and why."""
        with transaction(self._catalogue):
            self._catalogue.execute("UPDATE segment SET state = 'removed', bytes = 0 WHERE id = ?", (one.id,))
            self._catalogue.execute(
                "INSERT INTO gap(since_us, until_us, agent_id, cause, count, segment_id) VALUES (?, ?, 0, ?, ?, ?)",
                (one.first_us, one.last_us, cause.value, one.messages, one.id),
            )
            self._forget_tasks()

    def sweep(self) -> None:
        """Unlink what a killed `run` left."""
        for (id_,) in self._rows("SELECT id FROM segment WHERE state = 'removed'"):
            remove_files(self._workspace.segment(id_))

    def _kept_bytes(self) -> int:
        """Damaged files that were set aside do not push good history out."""
        query = "SELECT coalesce(sum(bytes), 0) FROM segment WHERE state IN ('open', 'closed')"
        return int(self._rows(query)[0][0]) + files_size(self._workspace.catalogue)

    def _forget_tasks(self) -> None:
        """Tasks whose last report is gone are no longer known to be open. How an import ended goes with the imports."""
        gone = self._rows(_GONE_TASKS)
        self._catalogue.executemany("DELETE FROM open_task WHERE agent_id = ? AND task = ?", gone)
        agents = [(agent,) for agent in sorted({agent for agent, _ in gone})]
        self._catalogue.executemany(
            "UPDATE agent_now SET tasks_open = (SELECT count(*) FROM open_task WHERE agent_id = ?1) WHERE agent_id = ?1",
            agents,
        )

    def _rows(self, query: str, *bindings: int) -> list[Any]:
        return self._catalogue.execute(query, bindings).fetchall()


class DiskUse:
    """How fast the store grows. Bytes that retention freed count as written, times are monotonic."""

    def __init__(self, workspace: Workspace, limit_bytes: int) -> None:
        self._workspace = workspace
        self._limit_bytes = limit_bytes
        self._seen: deque[tuple[int, int]] = deque()
        self._freed_bytes = 0

    def use_limit(self, limit_bytes: int) -> None:
        """How much may be kept from now on."""
        self._limit_bytes = limit_bytes

    def leave_out(self, imported_bytes: int) -> None:
        """What an import brought at once says nothing about how fast the store grows."""
        self._freed_bytes -= imported_bytes

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
