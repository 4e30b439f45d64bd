"""What has to follow commits: the catalogue brought up to date, pulses stored, segments closed, old history removed."""

import contextlib
from concurrent.futures import Executor

import apsw

from models.domain.clock import Clock
from models.domain.problems import Problem
from models.storage.keeping.retention import DiskUse, Retention, StoreLimits
from models.storage.segments.segment_file import SegmentFile
from models.storage.store_errors import DAMAGED, problems_of
from models.storage.workspace import Workspace
from models.storage.writing.ended_segments import EndedSegments
from models.storage.writing.given_tasks import GivenTasks
from models.storage.writing.headlines import Headlines
from models.storage.writing.pulses import SETTLE_US, Pulses
from models.storage.writing.segment_rows import quarantine
from models.storage.writing.take_in import MESSAGES_A_SHORT_STEP, MESSAGES_A_STEP, SegmentTaker

TAKE_IN_US, BRIEFLY_US = 40_000, 3_000
"""So long the catalogue is brought up to date before commits get their turn; the rest comes with the next call."""
BUSY_PER_S = 4_000
"""Messages a second from which on an index on the segment being written costs more than it is worth; a full segment lasts
two minutes then, and has its index when it is closed."""
_EVER = 1 << 62


class Upkeep:
    """Part of the writer, in its thread. Every method raises `EnvironmentProblem` store.* and can be called again: what was
    not done is done then. A damaged segment is set aside, which `problems` tells.

    `present` is the segment that commits go to; all older ones are on their way to being closed, oldest first.
    """

    def __init__(
        self, workspace: Workspace, clock: Clock, catalogue: apsw.Connection, headlines: Headlines, retention: Retention,
        disk_use: DiskUse, problems: list[Problem], aside: Executor | None = None,
    ) -> None:  # fmt: skip
        self._workspace = workspace
        self._clock = clock
        self._catalogue = catalogue
        self.headlines = headlines
        self.hours = retention.hours
        self._retention = retention
        self._disk_use = disk_use
        self._problems = problems
        self._pulses = Pulses()
        self._takers: list[SegmentTaker[SegmentFile]] = []
        self._ended = EndedSegments(workspace, clock, catalogue, aside)
        self._given = GivenTasks(workspace, clock, catalogue)
        self.present: SegmentFile | None = None
        self.stored_lately = 0
        """Messages since `spare_index` was asked."""
        self.store_bytes, self.recorded_bytes = retention.used_bytes(), retention.recorded_bytes()

    def add(self, segment: SegmentFile) -> None:
        """Commits go to this one from now on. It is ours: after an exception it is closed."""
        try:
            taker = SegmentTaker(self._catalogue, self.headlines, segment, segment.recent)
        except BaseException:
            segment.close()
            raise
        self._takers.append(taker)
        self.present = segment

    def segment_ids(self) -> list[int]:
        """Of all segments not yet closed."""
        return [*(taker.segment.id for taker in self._takers), *self._ended.open_ids()]

    def take_in_some(self, *, brief: bool) -> bool:
        """Bring the catalogue up to date for a while. True where all was done."""
        limit_us, a_step = (BRIEFLY_US, MESSAGES_A_SHORT_STEP) if brief else (TAKE_IN_US, MESSAGES_A_STEP)
        return self.take_in(self._clock.monotonic_us() + limit_us, a_step)

    def take_in(self, until_us: int | None = None, a_step: int = MESSAGES_A_STEP) -> bool:
        """Older segments first; the pulses of one that ended are stored in it before the next is looked at. False where
        `until_us` (monotonic) came before all was done; it is looked at after some `a_step` messages."""
        for taker in list(self._takers):
            segment = taker.segment
            try:
                while until_us is None or self._clock.monotonic_us() < until_us:
                    with problems_of(segment.path, let=DAMAGED):
                        names_only = taker.read_names()
                        intake = None if names_only else taker.read(a_step)
                    if names_only:
                        with problems_of(self._workspace.catalogue):
                            taker.apply_names()
                        continue
                    if intake is None:
                        break
                    with problems_of(self._workspace.catalogue):
                        taker.apply(intake)
                    self._pulses.add(intake, self.headlines)
                else:
                    return False
                if segment is not self.present:
                    self._write_pulses(segment, _EVER)
            except DAMAGED as error:
                self.set_aside(segment, error)
        return True

    def store_pulses(self) -> None:
        """Those of the ten seconds that are over."""
        if self.present is None:
            return
        try:
            self._write_pulses(self.present, self._clock.wall_us() - SETTLE_US)
        except DAMAGED as error:
            self.set_aside(self.present, error)

    def close_ended(self, wait_ms: int = 0) -> None:
        """Close the segments that commits no longer go to, as far as readers let us."""
        while self._takers and self._takers[0].segment is not self.present:
            segment = self._takers[0].segment
            if segment.taken_batch < segment.next_batch - 1:
                break  # first the rest has to be taken in
            self._ended.add(segment)
            self._takers.pop(0)
        while (damaged := self._ended.go_on(wait_ms)) is not None:
            self.set_aside(*damaged)

    def keep_within_limits(self, steady_us: int) -> None:
        """Remove history beyond the limits, and take the measure of the store."""
        with problems_of(self._workspace.catalogue):
            self._given.forget_ended()
            freed = self._retention.run(self._clock.wall_us(), steady_us)
            self.store_bytes, self.recorded_bytes = self._retention.used_bytes(), self._retention.recorded_bytes()
        self._disk_use.note(self._clock.monotonic_us(), self.recorded_bytes, freed)

    def use_limits(self, limits: StoreLimits) -> None:
        """What is kept from the next `keep_within_limits` on."""
        self._retention.use_limits(limits)
        self._disk_use.use_limit(limits.retention_bytes)

    def spare_index(self, passed_us: int) -> None:
        """Have the present segment indexed at its end where much was stored in that time."""
        lately, self.stored_lately = self.stored_lately, 0
        if self.present is None or lately * 1_000_000 <= BUSY_PER_S * passed_us:
            return
        try:
            with problems_of(self.present.path, let=DAMAGED):
                self.present.go_without_index()
        except DAMAGED as error:
            self.set_aside(self.present, error)

    def set_aside(self, segment: SegmentFile, error: BaseException) -> None:
        """Go on without a damaged segment; its files stay."""
        with contextlib.suppress(apsw.Error):  # it is broken; what matters is that it is closed
            segment.let_go()
        self._takers = [taker for taker in self._takers if taker.segment is not segment]
        if self.present is segment:
            self.present = None
        with problems_of(self._workspace.catalogue):
            self._problems.append(quarantine(self._catalogue, segment.id, segment.path, error, self._clock.wall_us()))

    def release(self) -> None:
        """Let go of all segment files, whatever their state; the next start closes what is still open."""
        for taker in self._takers:
            with contextlib.suppress(apsw.Error):  # its errors were told by the steps before
                taker.segment.close()
        self._ended.release()
        self._retention.release()
        self._takers, self.present = [], None

    def _write_pulses(self, segment: SegmentFile, until_us: int) -> None:
        rows = self._pulses.ended(until_us, segment.taken_batch)
        if rows:
            with problems_of(segment.path, let=DAMAGED):
                segment.add_pulses(rows)
        self._pulses.forget(until_us)
