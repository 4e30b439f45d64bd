"""Closed segments are written anew, small, one after the other: by a child of low priority, so that recording never waits."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Protocol

from app.own_process import own_command
from app.recorder.child import Child
from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem
from models.storage.catalogue_file import FILE_ENDINGS
from models.storage.workspace import Workspace

LOOK_US = 10_000_000
SETTLED_US = 30_000_000
"""So long a segment has to be closed: who follows what is recorded may still read its last batches."""
FIRST_PAUSE_US = 60_000_000
LONGEST_PAUSE_US = 3_600_000_000


class SealedStore(Protocol):
    """`models.storage.sealing.swap.Sealing`; called in the thread that stores."""

    def waiting(self) -> list[int]: ...
    def swap_in(self, id_: int) -> None: ...
    def failed(self, id_: int) -> None: ...


class Sealer:
    """Main thread only, but for `warnings`."""

    def __init__(
        self, workspace: Workspace, store: SealedStore, ask: Callable[[Callable[[], Any]], Future[Any]], clock: Clock
    ) -> None:
        """`ask` has something done in the thread that stores."""
        self._workspace = workspace
        self._store = store
        self._ask = ask
        self._clock = clock
        self._child = Child("the sealer", clock, workspace.root / "sealing.log")
        self._job: tuple[Future[Any], Callable[[Any], None]] | None = None
        self._segment = 0  # being sealed
        self._seen_us: dict[int, int] = {}  # waiting segments, since when
        self._failures: dict[int, int] = {}  # of waiting segments
        self._in_a_row = 0  # attempts that failed, of whatever segment
        self._next_us = 0
        self.warnings: tuple[Problem, ...] = ()

    def look(self) -> None:
        """Call about every second."""
        if self._job is not None:
            self._look_at_job(*self._job)
        elif self._segment:
            self._look_at_child()
        elif self._clock.monotonic_us() >= self._next_us:
            self._next_us = self._clock.monotonic_us() + LOOK_US
            self._job = self._ask(self._store.waiting), self._choose

    def stop(self) -> None:
        """End the child; what it began, the next start removes."""
        self._child.stop()

    def _look_at_job(self, job: Future[Any], then: Callable[[Any], None]) -> None:
        if not job.done():
            return
        self._job = None
        try:
            result = job.result()
        except EnvironmentProblem as error:
            self._fail(str(error))
        else:
            then(result)

    def _choose(self, waiting: Iterable[int]) -> None:
        """Begin with the oldest that nobody has open, one that failed after all others."""
        now_us = self._clock.monotonic_us()
        self._seen_us = {id_: self._seen_us.get(id_, now_us) for id_ in waiting}
        self._failures = {id_: self._failures[id_] for id_ in self._seen_us if id_ in self._failures}
        for id_ in sorted(self._seen_us, key=lambda id_: (self._failures.get(id_, 0), id_)):
            if now_us - self._seen_us[id_] >= SETTLED_US and self._settled(id_):
                self._begin(id_)
                return

    def _settled(self, id_: int) -> bool:
        path = self._workspace.segment(id_)
        return not any(path.with_name(path.name + ending).exists() for ending in FILE_ENDINGS if ending)

    def _begin(self, id_: int) -> None:
        self._segment = id_
        try:
            self._child.start(
                own_command("seal-segment", "--workspace", str(self._workspace.root), "--segment", str(id_))
            )
        except OSError as error:
            self._fail(error.strerror or str(error))

    def _look_at_child(self) -> None:
        if self._child.pid:
            return
        id_, code = self._segment, self._child.exit_code
        if code == 0 and self._workspace.sealing(id_).exists():
            self._job = self._ask(lambda: self._store.swap_in(id_)), self._swapped
        else:
            said = self._child.output_tail() or f"it ended with code {code}"
            self._fail(said if code else f"it left no file: {said}")

    def _swapped(self, _nothing: object) -> None:
        self._segment = self._in_a_row = self._next_us = 0
        self.warnings = ()

    def _fail(self, detail: str) -> None:
        """Tried again later, each time later."""
        id_, self._segment = self._segment, 0
        detail = detail.removeprefix("murmurscope: ")
        pause_us = min(FIRST_PAUSE_US << min(self._in_a_row, 10), LONGEST_PAUSE_US)
        self._in_a_row += 1
        self._next_us = self._clock.monotonic_us() + pause_us
        self.warnings = (Problem("sealing.failed", {"segment": id_, "detail": detail}),)
        if id_:
            self._failures[id_] = self._failures.get(id_, 0) + 1
            self._job = self._ask(lambda: self._store.failed(id_)), lambda _: None
