"""History is read again by itself where values had come before whoever announced what they are: soon, but never often.

Where all is quiet it begins some seconds after the last such announcement. In a fleet that announces somebody new all the time
each re-read waits longer than the one before, an hour at most, and twenty times as long as that one took. What the user has done
(an import, a re-read) goes first.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Protocol

from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.recorded import RereadProgress, RereadResult
from models.domain.time_range import SECOND_US, moment_text

QUIET_US, LONGEST_QUIET_US = 5_000_000, 60_000_000
"""So long nothing more may have been noticed; and so long that is waited for at most."""
FIRST_PAUSE_US, LONGEST_PAUSE_US = 60_000_000, 3_600_000_000
SHARE = 20
"""A pause is so many times as long as the re-read before it."""
MOST_BYTES = 1024 * 1024 * 1024
"""More history than that is for the user to read again."""
BUSY_PAUSE_US = 10_000_000
_END_LIMIT_S = 10.0


class _Stopped(Exception):  # noqa: N818 - no error
    """Somebody else wants to write, or the recorder ends."""


class LateStore(Protocol):
    """`models.storage.rereading.late.Late`. What it counts is read by any thread, what it does is done in the one that stores."""

    since_us: int
    left_us: int
    topics: frozenset[int]
    times: int

    def look_up(self) -> None: ...
    def leave(self) -> None: ...
    def size_bytes(self) -> int: ...


class LateReread:
    """Main thread, but for `warnings` and `held_off`."""

    def __init__(
        self, late: LateStore, ask: Callable[[Callable[[], Any]], Future[Any]],
        reread: Callable[[int, Callable[[RereadProgress], None]], RereadResult], clock: Clock,
    ) -> None:  # fmt: skip
        """`ask` has something done in the thread that stores. `reread` reads again what came since a moment (wall µs), as
        `Rereader.run`."""
        self._late, self._ask, self._reread, self._clock = late, ask, reread, clock
        self._times = 0
        self._noticed_us = self._last_us = 0  # the first time since the last re-read, and the last
        self._next_us = 0
        self._in_a_row = 0
        self._lock = threading.Lock()
        self._holders = 0  # whoever goes first
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem: Problem | None = None
        self._lookup: Future[Any] | None = None

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is the matter, in one sentence."""
        since_us, left_us, found = self._late.since_us, self._late.left_us, []
        if left_us:
            found.append(Problem("reread.late-large", {"time": _moment(left_us)}))
        if since_us and self._problem is not None:
            found.append(self._problem)
        elif since_us:
            found.append(Problem("reread.late", {"time": _moment(since_us)}))
        return tuple(found)

    def look(self) -> None:
        """Call about every second."""
        now_us, times = self._clock.monotonic_us(), self._late.times
        if self._late.topics:
            if self._lookup is None or self._lookup.done():
                self._lookup = self._ask(self._late.look_up)
        elif not self._late.since_us:
            self._noticed_us = 0
            return
        if times != self._times or not self._noticed_us:
            self._times, self._last_us = times, now_us
            self._noticed_us = self._noticed_us or now_us
        quiet = now_us - self._last_us >= QUIET_US or now_us - self._noticed_us >= LONGEST_QUIET_US
        if self._late.topics or not quiet or now_us < self._next_us:
            return
        with self._lock:
            if self._holders or (self._thread is not None and self._thread.is_alive()):
                return
            self._stopping.clear()
            self._noticed_us = 0
            self._thread = threading.Thread(target=self._run, name="late-reread", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """The recorder ends: what is under way is thrown away, and begun again after the next start."""
        with self._lock:
            self._holders += 1
        self._give_way()

    @contextlib.contextmanager
    def held_off(self) -> Iterator[None]:
        """Meanwhile somebody else writes: what is under way is thrown away, and begun again afterwards. Any thread."""
        with self._lock:
            self._holders += 1
        try:
            self._give_way()
            yield
        finally:
            with self._lock:
                self._holders -= 1

    def _give_way(self) -> None:
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join(_END_LIMIT_S)

    def _run(self) -> None:
        began_us = self._clock.monotonic_us()
        if began_us - self._next_us > LONGEST_PAUSE_US:
            self._in_a_row = 0
        pause_us = min(FIRST_PAUSE_US << min(self._in_a_row, 10), LONGEST_PAUSE_US)
        try:
            if self._ask(self._late.size_bytes).result() > MOST_BYTES:
                self._ask(self._late.leave).result()
            else:
                self._reread(self._late.since_us, self._tell)
            self._problem = None
        except _Stopped:
            pause_us = 0
        except EnvironmentProblem as error:
            if error.problem.code == "import.busy":
                pause_us = BUSY_PAUSE_US
            else:
                params = {"time": _moment(self._late.since_us), "detail": str(error)}
                self._problem = Problem("reread.late-failed", params)
        finally:
            ended_us = self._clock.monotonic_us()
            if pause_us >= FIRST_PAUSE_US:
                self._in_a_row += 1
                pause_us = max(pause_us, SHARE * (ended_us - began_us))
            self._next_us = ended_us + pause_us

    def _tell(self, _progress: RereadProgress) -> None:
        if self._stopping.is_set():
            raise _Stopped


def _moment(us: int) -> str:
    """To the second before."""
    return moment_text(us - us % SECOND_US)
