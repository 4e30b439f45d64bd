import threading
from collections.abc import Iterator

import numpy as np
import pytest

from app.window.tail_source import TailSource, merged
from models.domain.clock import SystemClock
from models.domain.presence_words import Cause
from models.domain.problems import trouble
from models.domain.queries import PresenceColumns, SeriesColumns
from models.domain.tail import Interest, TailCursor, TailPage
from tests.helpers.poll import until


def page(batch: int, times: tuple[int, ...] = (), batches: int = 1, cause: Cause = Cause.HEARD) -> TailPage:
    stamps = np.array(times, dtype=np.int64)
    presence = PresenceColumns(
        np.array([batch]), np.array([1]), np.array([1], np.uint8), np.array([0], np.uint8), [cause]
    )
    points = (SeriesColumns(7, stamps, stamps, stamps.astype(float), False),) if times else ()
    return TailPage(
        TailCursor(((1, batch),)), batches, 10, 20, 3, 1, batch == 1, 1000 + batch, 900 + batch, points, presence
    )


class Store:
    """Batches that a test puts down, and what was asked of it."""

    def __init__(self) -> None:
        self.waiting: list[TailPage | Exception] = []
        self.asked: list[tuple[TailCursor, Interest]] = []
        self.closed = 0

    def poll(self, cursor: TailCursor, interest: Interest) -> TailPage:
        self.asked.append((cursor, interest))
        if not self.waiting:
            return _nothing(cursor)
        found = self.waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        self.closed += 1


def _nothing(cursor: TailCursor) -> TailPage:
    empty = np.array([], np.int64)
    none = PresenceColumns(empty, empty, empty.astype(np.uint8), empty.astype(np.uint8), [])
    return TailPage(cursor, 0, 0, 0, 0, 0, False, 0, 0, (), none)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def tail(qapp: object, store: Store) -> Iterator[TailSource]:
    source = TailSource(lambda: store, SystemClock())
    source.set_watched(True, lists=True)
    yield source
    source.shutdown()


def test_delivers_what_is_new_in_the_gui_thread_and_asks_on_from_there(tail, store, qtbot) -> None:
    got: list[TailPage] = []
    threads: set[threading.Thread] = set()
    tail.follow(got.append)
    tail.follow(lambda _page: threads.add(threading.current_thread()))
    store.waiting = [page(1, (5, 6))]
    tail.set_interest(Interest(frozenset({7})))
    tail.start()
    qtbot.waitUntil(lambda: len(got) == 1)
    assert got[0].newest_received_us == 901
    assert threads == {threading.main_thread()}
    qtbot.waitUntil(lambda: store.asked[-1] == (TailCursor(((1, 1),)), Interest(frozenset({7}))))
    assert len(got) == 1  # nothing new, nothing delivered


def test_pages_the_gui_had_no_time_for_come_as_one(tail, store, qtbot) -> None:
    got: list[TailPage] = []
    tail.follow(got.append)
    store.waiting = [page(1, (5, 6)), page(2, (7,)), page(3, (8, 9), cause=Cause.WILL)]
    tail.start()
    until(lambda: not store.waiting and len(store.asked) > 3, "all are read while the event loop does not turn")
    qtbot.waitUntil(lambda: len(got) == 1)
    (one,) = got
    assert one.cursor == TailCursor(((1, 3),))
    assert (one.batches, one.messages, one.samples, one.logs, one.tasks) == (3, 30, 60, 9, 3)
    assert (one.new_names, one.committed_us, one.newest_received_us) == (True, 1003, 903)
    assert one.points[0].time_us.tolist() == [5, 6, 7, 8, 9]
    assert one.presence.cause == [Cause.HEARD, Cause.HEARD, Cause.WILL]
    assert one.presence.time_us.tolist() == [1, 2, 3]


def test_merging_keeps_the_order_of_arrival_and_series_of_one_page_only() -> None:
    second = page(2, (4, 6))
    other = SeriesColumns(8, *(np.array([1]),) * 2, np.array([1.0]), False)
    joined = merged(page(1, (3, 5)), TailPage(*_fields(second, points=(*second.points, other))))
    assert {one.series: one.received_us.tolist() for one in joined.points} == {7: [3, 4, 5, 6], 8: [1]}


def _fields(one: TailPage, **changed: object) -> list[object]:
    return [changed.get(name, getattr(one, name)) for name in TailPage.__dataclass_fields__]


@pytest.mark.parametrize("error", [trouble("workspace.missing", path="/x"), ZeroDivisionError()])
def test_goes_on_after_trouble_with_a_new_reader_from_the_same_place(
    tail, store, qtbot, error: Exception, caplog
) -> None:
    got: list[TailPage] = []
    tail.follow(got.append)
    store.waiting = [page(1), error, page(2)]
    tail.start()
    qtbot.waitUntil(lambda: not store.waiting and len(got) > 0 and got[-1].cursor == TailCursor(((1, 2),)))
    assert store.closed == 1
    assert store.asked[2][0] == TailCursor(((1, 1),))
    assert ("ZeroDivisionError" in caplog.text) == isinstance(error, ZeroDivisionError)


def test_one_follower_that_fails_does_not_cost_the_others_the_page(tail, store, qtbot, caplog) -> None:
    got: list[TailPage] = []
    tail.follow(lambda _page: 1 / 0)
    tail.follow(got.append)
    store.waiting = [page(1)]
    tail.start()
    qtbot.waitUntil(lambda: len(got) == 1)
    assert "ZeroDivisionError" in caplog.text


def test_shutdown_closes_the_reader(tail, store, qtbot) -> None:
    tail.start()
    qtbot.waitUntil(lambda: len(store.asked) > 0)
    tail.shutdown()
    assert store.closed == 1
    asked = len(store.asked)
    tail.set_interest(Interest())
    assert len(store.asked) == asked
