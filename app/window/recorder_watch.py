"""What the window knows of its recorder and does about it: attach, start, start again, give up. Pure; one thread."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from models.domain.clock import Clock
from models.domain.control import RecorderState
from models.domain.problems import EnvironmentProblem, ExitCode, Problem

HELLO_S = 1.0
STARTING_S = 0.1
STALE_BEAT_US = 10_000_000
FOREIGN_BEAT_US = 30_000_000  # as the lock itself counts; the locks of another computer are not seen here
READY_LIMIT_US = 30_000_000
BACK_OFF_US = (0, 1_000_000, 2_000_000, 5_000_000, 5_000_000)
"""Pause before the first, second, … start within a minute; after the last of them it is left to the user."""
MINUTE_US = 60_000_000
HOPELESS = frozenset({ExitCode.USAGE, ExitCode.MISSING_PACKAGE, ExitCode.WORKSPACE})
"""Ends of a recorder that trying again does not mend."""


class Client(Protocol):
    """The part of `ControlClient` that is needed here."""

    def hello(self, role: str) -> RecorderState: ...
    def stop(self) -> None: ...


class Lock(Protocol):
    """What the lock file of a workspace says."""

    @property
    def held(self) -> bool: ...
    @property
    def pid(self) -> int: ...
    @property
    def host(self) -> str: ...
    @property
    def beat_us(self) -> int: ...
    @property
    def start_time(self) -> float: ...


class Started(Protocol):
    """A recorder that we started."""

    @property
    def ready(self) -> bool: ...
    def ended(self) -> tuple[int, str] | None: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """State of the recorder (None: there is none that answers), what is wrong, and when to look again."""

    state: RecorderState | None
    problem: Problem | None
    pause_s: float


class RecorderWatch:
    """`look` as often as it says. Everything blocks for as long as the client's answer limit at most."""

    def __init__(
        self,
        client: Client,
        start: Callable[[], Started],
        end: Callable[[int, float], bool],
        read_lock: Callable[[], Lock],
        host: str,
        clock: Clock,
    ) -> None:
        self._client, self._start, self._end, self._read_lock = client, start, end, read_lock
        self._host, self._clock = host, clock
        self._ours: Started | None = None
        self._starts: deque[int] = deque()
        self._lost_us = 0
        self._answered_us = clock.monotonic_us()
        self._trouble: Problem | None = None  # told until it is over
        self._given_up = False

    def look(self) -> Seen:
        """Find the recorder, or see to it that there is one."""
        now_us = self._clock.monotonic_us()
        if self._ours is not None:
            if (end := self._ours.ended()) is not None:
                self._ours = None
                self._lose(Problem("recorder.died", {"detail": end[1]}))
                if end[0] in HOPELESS:
                    self._trouble = Problem("recorder.failing", {"detail": end[1]})
                    self._given_up = True
            elif not self._ours.ready and now_us - self._starts[-1] < READY_LIMIT_US:
                return Seen(None, self._trouble, STARTING_S)
        try:
            state = self._client.hello("window")
        except EnvironmentProblem as error:
            return self._without(error.problem)
        self._answered_us = self._clock.monotonic_us()
        self._trouble, self._given_up = None, False
        return Seen(state, None, HELLO_S)

    def start_again(self) -> None:
        """The user says: try once more."""
        self._given_up, self._trouble = False, None
        self._starts.clear()

    def end_silent(self) -> None:
        """The user says: end the process that holds the lock and does not answer."""
        lock = self._read_lock()
        if lock.held and lock.host == self._host:
            self._end(lock.pid, lock.start_time)
        self.start_again()

    def restart(self) -> None:
        """The user says: replace the recorder of another version. It is asked to stop, and ended if it does not listen."""
        try:
            self._client.stop()
        except EnvironmentProblem:
            self.end_silent()
        self.start_again()

    def _without(self, problem: Problem) -> Seen:
        match problem.code:
            case "recorder.died":
                self._lose(problem)
                return Seen(None, self._trouble, STARTING_S)
            case "recorder.absent":
                return self._absent()
            case "recorder.silent":
                return self._silent()
        return Seen(None, problem, HELLO_S)

    def _lose(self, problem: Problem) -> None:
        self._lost_us = self._clock.monotonic_us()
        self._trouble = problem

    def _silent(self) -> Seen:
        lock = self._read_lock()
        seconds = (self._clock.monotonic_us() - self._answered_us) // 1_000_000
        return Seen(None, Problem("recorder.silent", {"pid": lock.pid, "seconds": seconds}), HELLO_S)

    def _absent(self) -> Seen:
        lock = self._read_lock()
        age_us = self._clock.wall_us() - lock.beat_us
        if lock.host not in ("", self._host) and age_us < FOREIGN_BEAT_US:
            return Seen(None, Problem("workspace.busy-elsewhere", {"host": lock.host}), HELLO_S)
        if not lock.held:
            return self._start_when_due()
        if age_us > STALE_BEAT_US:
            return Seen(None, Problem("recorder.silent", {"pid": lock.pid, "seconds": age_us // 1_000_000}), HELLO_S)
        if self._given_up:  # ours found the workspace taken
            self.start_again()
        return Seen(None, self._trouble, STARTING_S)  # it holds the lock and is about to listen, or to end

    def _start_when_due(self) -> Seen:
        now_us = self._clock.monotonic_us()
        if self._given_up:
            return Seen(None, self._trouble, HELLO_S)
        while self._starts and now_us - self._starts[0] > MINUTE_US:
            self._starts.popleft()
        if len(self._starts) >= len(BACK_OFF_US):
            detail = self._trouble.params.get("detail", "?") if self._trouble else "?"
            self._trouble, self._given_up = Problem("recorder.failing", {"detail": detail}), True
            return Seen(None, self._trouble, HELLO_S)
        left_us = self._lost_us + BACK_OFF_US[len(self._starts)] - now_us
        if self._starts and left_us > 0:
            return Seen(None, self._trouble, left_us / 1e6)
        self._starts.append(now_us)
        try:
            self._ours = self._start()
        except EnvironmentProblem as error:
            self._lose(error.problem)
        return Seen(None, self._trouble, STARTING_S)
