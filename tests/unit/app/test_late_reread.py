"""When history is read again by itself: soon where all is quiet, seldom where somebody new is announced all the time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from app.recorder import late_reread
from app.recorder.late_reread import LateReread
from models.domain.problems import trouble
from models.domain.recorded import RereadProgress, RereadResult
from models.storage.rereading.late import Late
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.poll import until
from tests.helpers.store import batch_of, message

SECOND = 1_000_000
OnProgress = Callable[[RereadProgress], None]


class Store:
    def __init__(self) -> None:
        self.since_us = self.left_us = self.times = 0
        self.topics: frozenset[int] = frozenset()
        self.bytes = 5

    def note(self, since_us: int) -> None:
        self.since_us = min(self.since_us or since_us, since_us)
        self.times += 1

    def look_up(self) -> None:
        raise AssertionError("there are no topics")

    def leave(self) -> None:
        self.left_us, self.since_us = self.since_us, 0

    def size_bytes(self) -> int:
        return self.bytes


class Bench:
    def __init__(self) -> None:
        self.clock, self.store = FakeClock(), Store()
        self.began: list[tuple[int, int]] = []  # when, of what
        self.takes_us = 0
        self.error: Exception | None = None
        self.hold: threading.Event | None = None
        self.late = LateReread(self.store, self._ask, self._reread, self.clock)

    def _ask(self, job: Callable[[], Any]) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(job())
        return done

    def _reread(self, since_us: int, on_progress: OnProgress) -> RereadResult:
        self.began.append((self.clock.monotonic_us(), since_us))
        self.clock.advance(self.takes_us)
        while self.hold is not None and not self.hold.wait(0.01):
            on_progress(RereadProgress())
        if self.error is not None:
            raise self.error
        self.store.since_us = 0
        return RereadResult()

    def look(self) -> None:
        self.late.look()
        thread = self.late._thread
        if thread is not None and self.hold is None:
            thread.join()

    def seconds(self, count: int, each: Callable[[int], None] = lambda _: None) -> None:
        for second in range(count):
            each(second)
            self.look()
            self.clock.advance(SECOND)

    @property
    def codes(self) -> list[str]:
        return [one.code for one in self.late.warnings]


def test_it_begins_once_all_is_quiet_and_tells_it() -> None:
    bench = Bench()
    bench.seconds(5)
    assert bench.codes == []
    began_us = bench.clock.monotonic_us()
    bench.seconds(3, lambda _: bench.store.note(T0))
    assert (bench.began, bench.codes) == ([], ["reread.late"])
    assert "2026-01-01T00:00:00Z" in bench.late.warnings[0].sentence()
    bench.seconds(10)
    assert bench.began == [(began_us + 7 * SECOND, T0)]
    assert bench.codes == []


def test_of_a_fleet_where_somebody_new_comes_all_the_time_it_does_so_less_and_less_often() -> None:
    bench = Bench()
    bench.takes_us = SECOND
    first_us = bench.clock.monotonic_us()
    bench.seconds(24 * 3_600, lambda second: bench.store.note(T0 + second) if second % 10 == 0 else None)
    apart = [(after - before) // SECOND for (before, _), (after, _) in zip(bench.began, bench.began[1:], strict=False)]
    assert bench.began[0][0] - first_us <= 60 * SECOND
    assert apart == sorted(apart)
    assert 60 <= apart[0] <= 130
    assert 3_600 <= apart[-1] <= 3_670
    assert len(bench.began) < 32
    bench.seconds(2 * 3_600)  # quiet again
    count = len(bench.began)
    bench.store.note(T0)
    bench.seconds(6)
    assert len(bench.began) == count + 1


def test_a_long_one_is_followed_by_a_longer_pause() -> None:
    bench = Bench()
    bench.takes_us = 1_000 * SECOND
    bench.seconds(30_000, lambda second: bench.store.note(T0) if second % 10 == 0 else None)
    (one, _), (other, _), *_ = bench.began
    assert other - one >= 21_000 * SECOND


def test_without_an_end_of_announcements_it_begins_after_a_minute() -> None:
    bench = Bench()
    began_us = bench.clock.monotonic_us()
    bench.seconds(70, lambda _: bench.store.note(T0))
    assert bench.began == [(began_us + 60 * SECOND, T0)]


def test_more_than_a_gigabyte_is_left_to_the_user() -> None:
    bench = Bench()
    bench.store.bytes = late_reread.MOST_BYTES + 1
    bench.store.note(T0)
    bench.seconds(10)
    assert (bench.began, bench.codes) == ([], ["reread.late-large"])
    assert "murmurscope reread --from 2026-01-01T00:00:00Z" in bench.late.warnings[0].sentence()
    bench.store.bytes = 5
    bench.store.note(T0 + 50)
    bench.seconds(120)
    assert [since_us for _, since_us in bench.began] == [T0 + 50]


def test_what_goes_wrong_is_told_and_tried_again_later() -> None:
    bench = Bench()
    bench.error = trouble("reread.no-room", path="/data", needed="1.00 GiB")
    bench.store.note(T0)
    bench.seconds(200)
    assert [now_us - bench.began[0][0] for now_us, _ in bench.began] == [0, 60 * SECOND, 180 * SECOND]
    assert bench.codes == ["reread.late-failed"]
    assert "1.00 GiB" in bench.late.warnings[0].sentence()
    bench.error = None
    bench.seconds(300)
    assert bench.codes == []


def test_an_import_that_runs_elsewhere_is_waited_for() -> None:
    bench = Bench()
    bench.error = trouble("import.busy")
    bench.store.note(T0)
    bench.seconds(36)
    assert [now_us - bench.began[0][0] for now_us, _ in bench.began] == [0, 10 * SECOND, 20 * SECOND, 30 * SECOND]
    assert bench.codes == ["reread.late"]


def test_what_the_user_wants_goes_first() -> None:
    bench = Bench()
    bench.hold = threading.Event()
    bench.store.note(T0)
    bench.seconds(6)
    until(lambda: len(bench.began) == 1, "it reads")
    with bench.late.held_off():
        assert not bench.late._thread.is_alive()  # type: ignore[union-attr]
        bench.seconds(20)
        assert len(bench.began) == 1
    bench.hold = None
    bench.seconds(7)
    assert len(bench.began) == 2
    assert bench.codes == []
    bench.hold = threading.Event()
    bench.clock.advance(3_600 * SECOND)
    bench.store.note(T0)
    bench.seconds(6)
    until(lambda: len(bench.began) == 3, "it reads")
    bench.late.stop()
    assert not bench.late._thread.is_alive()  # type: ignore[union-attr]


def stored(store: StoreWriter, clock: FakeClock, *topics: bytes, late: tuple[bytes, ...] = ()) -> None:
    clock.advance(SECOND)
    batch = batch_of(store.names, [message(clock.wall_us(), one) for one in topics], ["a"] * len(topics))
    batch.late = [store.names.topic(one) for one in late]
    store.commit(batch)


def looked_up(store: StoreWriter) -> int:
    while store.late.topics:
        store.late.look_up()
    return store.late.since_us


def began(store: StoreWriter) -> list[int]:
    return [first_us for (first_us,) in store._catalogue.execute("SELECT first_us FROM segment ORDER BY id")]


def test_what_is_noticed_outlives_a_kill_and_begins_with_the_first_file_that_holds_it(tmp_path: Path) -> None:
    workspace, clock = Workspace.at(tmp_path / "ws"), FakeClock()
    store = StoreWriter(workspace, clock)
    for topic in (b"t/1", b"t/2", b"t/3", b"t/4"):
        store.begin_capture("mqtt://broker", "client")
        stored(store, clock, topic)
    stored(store, clock, b"x", late=(b"t/3", b"nowhere"))
    again = Late(workspace, store._catalogue, clock)
    assert again.topics == store.late.topics == {store.names.topic(b"t/3"), store.names.topic(b"nowhere")}
    assert looked_up(store) == began(store)[2]
    stored(store, clock, b"x", late=(b"t/2",))
    assert looked_up(store) == began(store)[1]
    stored(store, clock, b"x", late=(b"t/4",))
    assert looked_up(store) == began(store)[1]
    assert Late(workspace, store._catalogue, clock).since_us == began(store)[1]
    stored(store, clock, b"x", late=(b"nowhere",))
    assert looked_up(store) == began(store)[1]
    store.close()


def test_only_what_was_read_again_is_done(tmp_path: Path) -> None:
    workspace, clock = Workspace.at(tmp_path / "ws"), FakeClock()
    store = StoreWriter(workspace, clock)
    for topic in (b"t/1", b"t/2"):
        store.begin_capture("mqtt://broker", "client")
        stored(store, clock, topic)
    stored(store, clock, b"x", late=(b"t/2",))
    late, since_us = store.late, looked_up(store)
    late.begin(since_us + 100, 0)
    late.done()
    assert late.since_us == since_us, "not from its beginning"
    late.begin(0, since_us + 50)
    late.done()
    assert late.since_us == since_us, "not to its end"
    late.begin(since_us, 0)
    stored(store, clock, b"x", late=(b"t/1",))
    looked_up(store)
    late.done()
    assert late.since_us == began(store)[0], "it came meanwhile"
    late.leave()
    again = Late(workspace, store._catalogue, clock)
    assert (again.since_us, again.left_us) == (0, began(store)[0])
    again.begin(0, 0)
    again.done()
    assert (again.since_us, again.left_us) == (0, 0)
    stored(store, clock, b"x", late=tuple(b"t/%d" % n for n in range(10_001)))
    assert (late.since_us, late.topics) == (1, set()), "of so many all history is"
    store.close()
