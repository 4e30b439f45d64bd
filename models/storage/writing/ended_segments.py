"""Segments that commits no longer go to, on their way to being plain files. Folding a log in waits for the disk, so that is
done beside the thread that commits where somebody lends us another one; a connection is only ever in use by one of them."""

import contextlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import apsw

from models.domain.clock import Clock
from models.storage.segments.segment_file import SegmentFile, totals_of
from models.storage.store_errors import DAMAGED, problems_of
from models.storage.workspace import Workspace
from models.storage.writing.closing import note_closed

_MOST_SETTLING = 4
"""Closed segments that wait for readers with a connection each; beyond it, the next start of the program settles them."""


@dataclass(slots=True)
class _Ended:
    segment: SegmentFile
    closed_us: int
    is_closed: bool = False  # the catalogue says so; what is left is to become one plain file
    step: Future[bool] | None = None  # under way


class EndedSegments:
    """The writer's thread. `aside` None: everything is done at once, in this thread."""

    def __init__(self, workspace: Workspace, clock: Clock, catalogue: apsw.Connection, aside: Executor | None) -> None:
        self._workspace, self._clock, self._catalogue = workspace, clock, catalogue
        self._aside = aside
        self._ended: list[_Ended] = []

    def add(self, segment: SegmentFile) -> None:
        """All that it holds is taken in."""
        self._ended.append(_Ended(segment, self._clock.wall_us()))

    def open_ids(self) -> list[int]:
        """Of those not yet closed."""
        return [one.segment.id for one in self._ended if not one.is_closed]

    def go_on(self, wait_ms: int = 0) -> tuple[SegmentFile, BaseException] | None:
        """The next steps of all, as far as readers let us; with `wait_ms` (the program ends) none is left under way. Answers a
        segment that turned out to be damaged, and is no longer among these; then ask again. Raises `EnvironmentProblem`
        store.*; a later call tries again."""
        for one in list(self._ended):
            try:
                if not one.is_closed and self._step(one, lambda one=one: _folded(one, wait_ms), wait_ms):  # type: ignore[misc]
                    with problems_of(self._workspace.catalogue, let=DAMAGED):
                        totals = totals_of(one.segment.connection)
                        size = one.segment.size_bytes
                        note_closed(self._catalogue, one.segment.id, totals, one.closed_us, size)
                    one.is_closed = True
            except DAMAGED as error:
                self._ended.remove(one)
                return one.segment, error
            if one.is_closed:
                with problems_of(one.segment.path):
                    gone = one.step is None and not one.segment.path.exists()  # removed by retention meanwhile
                    alone = gone or self._step(one, lambda one=one: one.segment.leave_log(wait_ms), wait_ms)  # type: ignore[misc]
                    too_many = one.step is None and sum(other.is_closed for other in self._ended) > _MOST_SETTLING
                    if alone or too_many:
                        one.segment.close()
                        self._ended.remove(one)
        return None

    def release(self) -> None:
        """Let go of all, whatever their state."""
        for one in self._ended:
            with contextlib.suppress(Exception):  # its errors were told by the steps before
                if one.step is not None:
                    one.step.result()
            with contextlib.suppress(apsw.Error):
                one.segment.close()
        self._ended = []

    def _step(self, one: _Ended, work: Callable[[], bool], wait_ms: int) -> bool:
        """True once it is done; False while it is under way, or a reader is in the way. Raises what it raises."""
        if self._aside is None:
            return work()
        if one.step is None:
            one.step = self._aside.submit(work)
        if not wait_ms and not one.step.done():
            return False
        step, one.step = one.step, None
        with problems_of(self._workspace.catalogue, let=DAMAGED):
            return step.result()


def _folded(one: _Ended, wait_ms: int) -> bool:
    """Only when the whole log is in the file may the catalogue say `closed`, as readers may then look at the file alone."""
    with problems_of(one.segment.path, let=DAMAGED):
        one.segment.mark_closed(one.closed_us)
        return one.segment.fold_log(wait_ms)
