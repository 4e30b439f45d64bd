"""The recorder's side of sealing: real child processes on a real store, a clock of our own."""

import shutil
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import apsw
import pytest

from app.recorder import sealing as module
from app.recorder.sealing import LOOK_US, SETTLED_US, Sealer
from models.storage.history.info import store_info
from models.storage.keeping.retention import StoreLimits
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.poll import until
from tests.helpers.recorded_store import of_our_own_agents, record


def at_once(job: Callable[[], Any]) -> Future[Any]:
    done: Future[Any] = Future()
    try:
        done.set_result(job())
    except Exception as error:
        done.set_exception(error)
    return done


class Bench:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.clock = workspace, FakeClock()
        self.store = StoreWriter(workspace, self.clock)
        self.sealer = Sealer(workspace, self.store.sealing, at_once, self.clock)

    def sealed(self) -> int:
        return int(store_info(self.workspace)["sealed"]["segments"])

    def failures(self) -> int:
        return int(store_info(self.workspace)["sealed"]["failures"])

    def settle(self) -> None:
        """All that waits has waited long enough."""
        self.sealer.look()
        self.sealer.look()
        self.clock.advance(max(SETTLED_US, LOOK_US))

    def until(self, predicate: Callable[[], object], what: str) -> None:
        def looked() -> object:
            self.sealer.look()
            return predicate()

        until(looked, what, 30)

    def close(self) -> None:
        self.sealer.stop()
        self.store.close()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return record(tmp_path_factory.mktemp("made") / "ws", of_our_own_agents(12), StoreLimits(segment_bytes=500_000))


@pytest.fixture
def bench(recorded: Workspace, tmp_path: Path):
    shutil.copytree(recorded.root, tmp_path / "ws")
    one = Bench(Workspace.at(tmp_path / "ws"))
    yield one
    one.close()


def test_a_segment_is_left_alone_for_a_while_after_it_was_closed(bench: Bench) -> None:
    for _ in range(4):
        bench.sealer.look()
        bench.clock.advance(LOOK_US - 1_000_000)
        assert not bench.sealer._segment


def test_all_are_sealed_one_after_the_other_the_oldest_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    swapped: list[int] = []
    swap_in = bench.store.sealing.swap_in
    monkeypatch.setattr(bench.store.sealing, "swap_in", lambda id_: (swapped.append(id_), swap_in(id_)))
    waiting = bench.store.sealing.waiting()
    bench.settle()
    bench.until(lambda: bench.sealed() == len(waiting), "all are sealed")
    assert swapped == waiting
    assert bench.sealer.warnings == ()


def test_a_file_that_somebody_still_has_a_log_of_waits(bench: Bench) -> None:
    log = bench.workspace.segment(1).with_name("1.db-wal")
    log.touch()
    bench.settle()
    bench.until(bench.sealed, "another one is sealed")
    assert bench.store.sealing.waiting()[0] == 1
    log.unlink()


def test_a_damaged_one_is_told_counted_and_tried_later_and_the_others_are_sealed(bench: Bench) -> None:
    path = bench.workspace.segment(1)
    data = bytearray(path.read_bytes())
    data[data.index(b"crawler", len(data) // 2)] ^= 1
    path.write_bytes(data)
    bench.settle()
    bench.until(lambda: bench.failures() == 1, "it failed")
    (warning,) = bench.sealer.warnings
    assert (warning.code, warning.params["segment"]) == ("sealing.failed", 1)
    assert "is damaged: message" in warning.sentence()
    for _ in range(5):
        bench.sealer.look()
    assert not bench.sealer._segment, "not at once"
    bench.clock.advance(module.FIRST_PAUSE_US)
    bench.until(lambda: bench.store.sealing.waiting() == [1], "the others are sealed")
    assert bench.sealer.warnings == ()
    assert path.read_bytes() == data


def test_pauses_grow_and_what_cannot_be_started_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(12, "no memory")

    monkeypatch.setattr(bench.sealer._child, "start", refuse)
    bench.settle()
    pauses = []
    for _ in range(9):
        bench.until(lambda: bench.failures() == len(pauses) + 1, "it failed")
        bench.sealer.look()
        pauses.append(bench.sealer._next_us - bench.clock.monotonic_us())
        bench.clock.advance(pauses[-1])
    assert pauses == [min(60_000_000 << n, 3_600_000_000) for n in range(9)]
    assert "no memory" in bench.sealer.warnings[0].sentence()


def test_a_sealer_that_was_killed_is_started_again_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "own_command", lambda *_: ["/bin/sh", "-c", "kill -9 $$"])
    bench.settle()
    bench.until(lambda: bench.failures() == 1, "it was killed")
    assert "-9" in bench.sealer.warnings[0].sentence() or "137" in bench.sealer.warnings[0].sentence()
    monkeypatch.undo()
    bench.clock.advance(module.FIRST_PAUSE_US)
    bench.until(bench.sealed, "it went on")


def test_one_that_ends_well_and_leaves_no_file_has_failed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "own_command", lambda *_: ["/bin/true"])
    bench.settle()
    bench.until(lambda: bench.failures() == 1, "it is counted")
    assert "it left no file" in bench.sealer.warnings[0].sentence()
    assert not bench.sealer._segment, "not at once again"
    monkeypatch.undo()
    bench.clock.advance(module.FIRST_PAUSE_US)
    bench.until(bench.sealed, "it went on")


def test_a_swap_that_the_catalogue_was_not_told_of_is_told_later_and_nothing_is_sealed_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_id: int) -> None:
        raise apsw.IOError("disk I/O error")

    monkeypatch.setattr(bench.store.sealing, "_take_notice", broken)
    bench.settle()
    bench.until(lambda: bench.sealer.warnings, "it failed")
    assert "disk I/O error" in bench.sealer.warnings[0].sentence()
    monkeypatch.undo()
    waiting = len(bench.store.sealing.waiting())
    assert bench.sealed() == 1
    bench.clock.advance(module.FIRST_PAUSE_US)
    bench.until(lambda: bench.sealed() == 1 + waiting, "the others are sealed")
    assert bench.sealer.warnings == ()
    assert bench.failures() == 0
