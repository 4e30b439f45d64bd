"""Write-ahead logs are copied beside the commits, and begun anew."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import apsw
import pytest

from models.storage.engine import open_database, open_reader
from models.storage.log_copying import LogCopying

PAGES = 20


class ByHand(Executor):
    """Another thread that works when told."""

    def __init__(self) -> None:
        self.asked: list[Callable[[], None]] = []

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def carry_out() -> None:
            try:
                future.set_result(work(*arguments))
            except apsw.Error as error:
                future.set_exception(error)

        self.asked.append(carry_out)
        return future

    def work(self) -> None:
        self.asked.pop(0)()


@pytest.fixture
def aside() -> ByHand:
    return ByHand()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
def connection(path: Path, aside: ByHand) -> Iterator[apsw.Connection]:
    database = open_database(path, create=True)
    database.connection().execute("CREATE TABLE t(x)")
    LogCopying(database.connection(), path, aside, PAGES)
    yield database.connection()
    database.close()


def commit(connection: apsw.Connection, times: int = 1) -> None:
    """Each fills at least two pages of the log."""
    for _ in range(times):
        connection.execute("INSERT INTO t VALUES (zeroblob(5000))")


def log_pages(connection: apsw.Connection) -> tuple[int, int]:
    """Of the log, and of those the ones that the database has."""
    return connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)


def commit_until_asked(connection: apsw.Connection, aside: ByHand) -> None:
    while not aside.asked:
        commit(connection)


def test_a_long_log_is_copied_by_the_other_thread_alone(connection: apsw.Connection, aside: ByHand) -> None:
    commit_until_asked(connection, aside)
    before, copied = log_pages(connection)
    assert (before >= PAGES, copied) == (True, 0)
    aside.work()
    assert log_pages(connection) == (before, before)


def test_the_rest_is_copied_between_two_commits_and_then_the_log_begins_anew(
    connection: apsw.Connection, aside: ByHand
) -> None:
    commit_until_asked(connection, aside)
    aside.work()
    commit(connection)
    pages, copied = log_pages(connection)
    assert pages == copied
    commit(connection)
    assert log_pages(connection)[0] < PAGES
    commit_until_asked(connection, aside)
    assert log_pages(connection)[0] < 2 * PAGES


def test_a_reader_in_the_way_has_it_tried_again(connection: apsw.Connection, aside: ByHand, path: Path) -> None:
    commit(connection)
    reader = open_reader(path)
    reader.execute("BEGIN; SELECT count(*) FROM t")
    commit_until_asked(connection, aside)
    aside.work()
    commit(connection)
    pages, copied = log_pages(connection)
    assert copied < pages
    reader.execute("COMMIT")
    reader.close()
    commit_until_asked(connection, aside)
    aside.work()
    commit(connection, 2)
    assert log_pages(connection)[0] < PAGES


def test_another_thread_that_is_busy_for_long_is_not_waited_for(connection: apsw.Connection, aside: ByHand) -> None:
    commit_until_asked(connection, aside)
    commit(connection, 4 * PAGES)
    assert log_pages(connection)[0] < 4 * PAGES + 10
    while aside.asked:
        aside.work()


def test_a_log_that_cannot_be_copied_fails_no_commit_and_is_told(
    connection: apsw.Connection, aside: ByHand, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    commit_until_asked(connection, aside)
    moved = path.rename(path.with_suffix(".moved"))
    aside.work()
    commit(connection)
    moved.rename(path)
    assert "the log of" in caplog.text
    commit_until_asked(connection, aside)
    aside.work()
    commit(connection, 2)
    assert log_pages(connection)[0] < PAGES
    found = connection.execute("SELECT count(*) > 10 FROM t").fetchall()
    assert found == [(1,)]
