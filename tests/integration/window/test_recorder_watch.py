import itertools
from dataclasses import dataclass, replace

import pytest

from app.window.recorder_watch import HELLO_S, RecorderWatch, Seen
from models.domain.control import Link, RecorderState
from models.domain.problems import EnvironmentProblem, ExitCode, trouble
from tests.helpers.clock import FakeClock

STATE = RecorderState(7, "0.1.0", 1, "window", 0, Link.CONNECTED, 0, "mqtt://localhost:1883")


@dataclass
class Lock:
    held: bool = False
    pid: int = 7
    host: str = "here"
    beat_us: int = 0
    start_time: float = 5.0


class Process:
    def __init__(self) -> None:
        self.ready = False
        self.end: tuple[int, str] | None = None

    def ended(self) -> tuple[int, str] | None:
        return self.end


class World:
    """A workspace, its lock, and whoever listens on its socket."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.lock = Lock(host="")
        self.answer: RecorderState | EnvironmentProblem = trouble("recorder.absent", path="/w")
        self.started: list[Process] = []
        self.ended: list[tuple[int, float]] = []
        self.stopped = 0
        self.start_fails: EnvironmentProblem | None = None
        self.watch = RecorderWatch(self, self.start, self.end, lambda: self.lock, "here", clock)

    def hello(self, role: str) -> RecorderState:
        assert role == "window"
        if isinstance(self.answer, EnvironmentProblem):
            raise self.answer
        return self.answer

    def stop(self) -> None:
        self.stopped += 1

    def start(self) -> Process:
        if self.start_fails:
            raise self.start_fails
        self.started.append(Process())
        self.lock = Lock(True, beat_us=self.clock.wall_us())
        return self.started[-1]

    def end(self, pid: int, start_time: float) -> bool:
        self.ended.append((pid, start_time))
        return True

    def comes_up(self) -> None:
        self.started[-1].ready = True
        self.answer = STATE

    def dies(self, code: int = -9, words: str = "Killed") -> None:
        self.started[-1].end = (code, words)
        self.lock = Lock()
        self.answer = trouble("recorder.absent", path="/w")

    def look(self, times: int = 1) -> Seen:
        for _ in range(times):
            seen = self.watch.look()
            self.clock.advance(int(seen.pause_s * 1e6))
        return seen

    def look_for(self, seconds: float) -> list[Seen]:
        """Look as often as asked to for so long."""
        end_us = self.clock.monotonic_us() + int(seconds * 1e6)
        seen = []
        while self.clock.monotonic_us() < end_us:
            seen.append(self.look())
        return seen


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)


def test_starts_one_where_there_is_none_and_attaches_when_it_is_ready(world: World) -> None:
    world.look(5)
    assert len(world.started) == 1
    world.comes_up()
    assert world.look() == Seen(STATE, None, HELLO_S)
    world.look(100)
    assert len(world.started) == 1


def test_attaches_to_one_that_runs(world: World) -> None:
    world.answer = STATE
    assert world.look() == Seen(STATE, None, HELLO_S)
    assert not world.started


def test_waits_for_one_that_somebody_else_is_starting(world: World) -> None:
    world.lock = Lock(True, beat_us=world.clock.wall_us())
    assert world.look(3).problem is None
    assert not world.started


def test_one_that_hangs_up_is_told_of_and_started_again_within_five_seconds(world: World, clock: FakeClock) -> None:
    world.look()
    world.comes_up()
    world.look()
    died_us = clock.monotonic_us()
    world.dies()
    seen = world.look()
    assert seen.state is None
    assert (seen.problem.code, seen.problem.params) == ("recorder.died", {"detail": "Killed"})
    while len(world.started) < 2:
        assert world.look().problem.code == "recorder.died"
    assert clock.monotonic_us() - died_us < 5_000_000
    world.comes_up()
    assert world.look() == Seen(STATE, None, HELLO_S)


def test_one_of_somebody_else_that_hangs_up_is_replaced_by_ours(world: World) -> None:
    world.answer = STATE
    world.look()
    world.answer = trouble("recorder.died", detail="it hung up")
    assert world.look().problem.code == "recorder.died"
    world.answer = trouble("recorder.absent", path="/w")
    world.look(2)
    assert len(world.started) == 1


def test_pauses_longer_each_time_and_gives_up_after_five_in_a_minute(world: World, clock: FakeClock) -> None:
    starts = []
    for _ in range(5):
        before = len(world.started)
        while len(world.started) == before:
            world.look()
        starts.append(clock.monotonic_us())
        world.dies(1, "no luck")
    pauses = [round((after - start) / 1e6) for start, after in itertools.pairwise(starts)]
    assert pauses == [1, 2, 5, 5]
    seen = world.look_for(3600)[-1]
    assert (seen.problem.code, seen.problem.params) == ("recorder.failing", {"detail": "no luck"})
    assert len(world.started) == 5
    world.watch.start_again()
    assert world.look().problem is None
    assert len(world.started) == 6


def test_deaths_far_apart_never_make_it_give_up(world: World) -> None:
    for _ in range(20):
        world.look_for(61)
        world.comes_up()
        world.look()
        world.dies()
    world.look_for(5)
    assert len(world.started) == 21


@pytest.mark.parametrize("code", [ExitCode.WORKSPACE, ExitCode.MISSING_PACKAGE, ExitCode.USAGE])
def test_what_trying_again_does_not_mend_is_left_to_the_user_at_once(world: World, code: int) -> None:
    world.look()
    world.dies(code, "This workspace was written by a newer Murmurscope.")
    seen = world.look_for(60)[-1]
    assert seen.problem.code == "recorder.failing"
    assert seen.problem.params["detail"].startswith("This workspace")
    assert len(world.started) == 1


def test_ours_that_found_the_workspace_taken_gives_way_to_the_one_that_took_it(world: World) -> None:
    world.look()
    world.dies(ExitCode.WORKSPACE, "taken")
    world.lock = Lock(True, pid=8, beat_us=world.clock.wall_us())
    assert world.look().problem is None
    world.answer = replace(STATE, pid=8)
    assert world.look().state.pid == 8


def test_one_that_does_not_answer_is_said_to_be_silent_and_left_alone(world: World, clock: FakeClock) -> None:
    world.answer = STATE
    world.look()
    world.lock = Lock(True, beat_us=clock.wall_us())
    world.answer = trouble("recorder.silent", pid=7, seconds=3)
    clock.advance(3_000_000)
    seen = world.look()
    assert seen.state is None
    assert (seen.problem.code, seen.problem.params) == ("recorder.silent", {"pid": 7, "seconds": 4})
    world.look(20)
    assert not world.started
    assert not world.ended


def test_a_lock_without_heartbeat_is_told_with_its_pid_which_the_user_may_end(world: World, clock: FakeClock) -> None:
    world.lock = Lock(True, 9, beat_us=clock.wall_us())
    clock.advance(10_000_001)
    seen = world.look()
    assert (seen.problem.code, seen.problem.params) == ("recorder.silent", {"pid": 9, "seconds": 10})
    assert not world.started
    world.watch.end_silent()
    assert world.ended == [(9, 5.0)]
    world.lock = Lock()
    world.look()
    assert len(world.started) == 1


def test_a_workspace_held_by_another_computer_is_left_alone_while_that_lives(world: World, clock: FakeClock) -> None:
    world.lock = Lock(False, host="there", beat_us=clock.wall_us())
    assert world.look().problem.code == "workspace.busy-elsewhere"
    world.watch.end_silent()
    assert not world.ended
    assert not world.started
    clock.advance(30_000_000)
    world.look()
    assert len(world.started) == 1


def test_another_version_is_told_and_replaced_when_the_user_says_so(world: World) -> None:
    world.answer = trouble("recorder.version", found="9.9")
    assert world.look(3).problem.code == "recorder.version"
    assert not world.started
    world.watch.restart()
    assert world.stopped == 1
    world.answer = trouble("recorder.absent", path="/w")
    world.look()
    assert len(world.started) == 1


def test_a_process_that_cannot_even_be_made_counts_as_a_start(world: World) -> None:
    world.start_fails = trouble("recorder.failing", detail="Exec format error")
    seen = world.look_for(60)[-1]
    assert seen.problem.code == "recorder.failing"
    assert seen.problem.params == {"detail": "Exec format error"}
