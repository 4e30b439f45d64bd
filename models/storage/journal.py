"""What came at QoS 1 and is not in a segment yet, safe on the disk all the same, so that it may be acknowledged early.

Two files that take turns. A record is what was kept at once, as it came, under a check sum; every arrival has a number, and every
commit notes in its segment up to which number all is stored. What lies behind that at a start was acknowledged and is stored then.
Records are only ever added behind what is safe, and a file begins again at its front once all in it is stored. After a clean end
nothing is left.
"""

import logging
import threading
from collections.abc import Sequence
from itertools import chain, count, groupby

from models.domain.arrivals import Arrival, Source
from models.domain.clock import Clock
from models.domain.problems import Problem
from models.storage.access import sync_folder
from models.storage.catalogue_file import set_aside
from models.storage.journal_file import JournalFile
from models.storage.store_errors import environment_problem
from models.storage.workspace import Workspace

TURN_BYTES = 4 * 1024 * 1024
"""Then it is the other file's turn, as soon as all in it is stored. So much of each is on the disk from the start: writing over
what is there does not wait for the file system's own journal, with whatever else is being synced."""
RETRY_US = 1_000_000
TOLD_US = 10_000_000
"""So long after the last failure it is told: where little comes, nothing may be kept for hours."""
SLOW_US, REST_US = 500_000, 5_000_000
"""A disk that took so long for one `keep` is left alone for a while: nothing is read from the socket meanwhile."""
CLOSE_LIMIT_S = 1.0
_log = logging.getLogger(__name__)


class ArrivalJournal:
    """`keep` is for the network thread, `stored` and `left_over` for the ingest thread.

    `busy_since_us`: monotonic time since when the disk is waited for, None: it is not. `damage`: what the start found broken.
    """

    def __init__(
        self, workspace: Workspace, clock: Clock, owner: str, stored_to: int, *, adopts: bool = False
    ) -> None:  # fmt: skip
        """`owner`: id of the workspace; another's journal is set aside, unless it `adopts`: its catalogue was lost, and the
        id with it. `stored_to`: number up to which all is in the segments.
        Raises `OSError`."""
        self.stored_to = stored_to
        self.busy_since_us: int | None = None
        self.damage: list[Problem] = []
        self._clock = clock
        self._lock = threading.Lock()
        self._not_before_us = 0
        self._failures = 0  # since something was kept
        self._problem: tuple[int, Problem] | None = None
        self._files: list[JournalFile] = []
        try:
            for number in (1, 2):
                self._open(workspace, number, owner, adopts=adopts)
            sync_folder(workspace.root)
        except BaseException:
            self.close()
            raise
        records = chain.from_iterable(file.take_records() for file in self._files)
        found = sorted(((one.source, arrival) for one in records for arrival in one.arrivals), key=_number)
        self._left = [one for one in found if _number(one) > stored_to]
        self._numbers = count(max(stored_to, *(file.last for file in self._files)) + 1)
        self._present = self._files[0]

    @property
    def problem(self) -> Problem | None:
        """Why nothing could be kept a moment ago; what comes is then acknowledged once it is stored. Any thread."""
        since_us, problem = self._problem or (0, None)
        return problem if self._clock.monotonic_us() - since_us < TOLD_US else None

    def left_over(self) -> list[tuple[Source, list[Arrival]]]:
        """What was kept in earlier runs and is not stored, by where it came from, in the order of arrival."""
        left = [one for one in self._left if _number(one) > self.stored_to]
        return [(source, [arrival for _, arrival in some]) for source, some in groupby(left, lambda one: one[0])]

    def next_number(self) -> int:
        """See `models.domain.arrivals.Journal`."""
        return next(self._numbers)

    def keep(self, source: Source, arrivals: Sequence[Arrival]) -> bool:
        """See `models.domain.arrivals.Journal`."""
        if not self._lock.acquire(blocking=False):
            return False  # a thread that was replaced still hangs in here
        try:
            began_us = self._clock.monotonic_us()
            if began_us < self._not_before_us or arrivals[0].number <= max(file.last for file in self._files):
                return False  # the latter of a thread that was replaced: behind a later one it would not be read
            self.busy_since_us = began_us
            kept = self._write(source, arrivals)
            took_us = self._clock.monotonic_us() - began_us
            if took_us >= SLOW_US:
                self._not_before_us = began_us + took_us + REST_US
                _log.warning("the disk took %d ms for the journal; it is left alone for a while", took_us // 1_000)
            return kept
        finally:
            self.busy_since_us = None
            self._lock.release()

    def stored(self, number: int) -> None:
        """All up to this number is in the segments."""
        self.stored_to = max(self.stored_to, number)
        if self._left and _number(self._left[-1]) <= self.stored_to:
            self._left = []

    def close(self) -> None:
        """Let go of the files. What is not stored is there at the next start; where all is, nothing is."""
        if not self._lock.acquire(timeout=CLOSE_LIMIT_S):
            return  # a disk that hangs in another thread: the end of the process lets go of them
        try:
            for file in self._files:
                if file.last <= self.stored_to:
                    file.forget()
                file.close()
        finally:
            self._lock.release()

    def _open(self, workspace: Workspace, number: int, owner: str, *, adopts: bool) -> None:
        path = workspace.journal(number)
        file = JournalFile(path, owner, TURN_BYTES, adopts=adopts)
        if file.unusable:
            file.close()
            aside = str(set_aside(path, self._clock, file.unusable))
            foreign = Problem("journal.foreign", {"path": aside})
            damaged = Problem("store.corrupt", {"path": aside, "detail": "its head cannot be read"})
            self.damage.append(foreign if file.unusable == "foreign" else damaged)
            file = JournalFile(path, owner, TURN_BYTES)
        self._files.append(file)
        lost = sum(one.gap for one in file.records if one.arrivals[0].number > self.stored_to + 1)
        if lost:
            self.damage.append(Problem("journal.damaged", {"path": str(path), "bytes": lost}))

    def _write(self, source: Source, arrivals: Sequence[Arrival]) -> bool:
        try:
            if not self._failures:  # what failed may be on the disk all the same: the next goes in its place
                self._take_turns()
            self._present.add(source, arrivals)
        except OSError as error:
            self._note_failure(error)
            return False
        if self._failures:
            _log.warning("the journal is written again, after %d failures", self._failures)
        self._failures, self._problem = 0, None
        return True

    def _take_turns(self) -> None:
        if self._present.end < TURN_BYTES:
            return
        other = self._files[self._present is self._files[0]]
        for file in (other, self._present):
            if file.last <= self.stored_to:
                file.begin_anew()
                self._present = file
                return

    def _note_failure(self, error: OSError) -> None:
        if not self._failures:
            _log.warning("the journal cannot be written: %s", error)
        self._failures += 1
        now_us = self._clock.monotonic_us()
        self._not_before_us = now_us + RETRY_US
        known = environment_problem(error, self._present.path)
        self._problem = (now_us, known.problem) if known is not None else None


def _number(one: tuple[Source, Arrival]) -> int:
    return one[1].number
