"""Commits in a write-ahead log that the engine cannot reach are counted, however large the log is."""

import tracemalloc
from pathlib import Path

import apsw
import pytest

from models.storage.copies.salvage_pages import FRAME_HEADER, LOG_HEADER, PAGE_BYTES
from models.storage.segments.log_check import lost_commits

FRAME = FRAME_HEADER + PAGE_BYTES
COMMITS = 40


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A database as a kill leaves it: forty commits of about 400 KB stand in its log."""
    path = tmp_path / "killed.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "WAL")
    connection.pragma("wal_autocheckpoint", 0)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.execute("CREATE TABLE t (x)")
    for _ in range(COMMITS - 1):
        connection.execute("INSERT INTO t VALUES (zeroblob(400000))")
    connection.close()
    return path


def ends_of_commits(log: bytes) -> list[int]:
    """Numbers of the frames that end a commit."""
    starts = range(LOG_HEADER, len(log), FRAME)
    return [number for number, at in enumerate(starts) if log[at + 4 : at + 8] != bytes(4)]


def lost(path: Path) -> int:
    connection = apsw.Connection(str(path))
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    try:
        return lost_commits(connection, path)
    finally:
        connection.close()


def damage(path: Path, at: int) -> None:
    log = Path(f"{path}-wal")
    data = bytearray(log.read_bytes())
    data[at] ^= 1
    log.write_bytes(data)


def test_a_whole_log_has_lost_nothing(killed: Path) -> None:
    assert lost(killed) == 0


@pytest.mark.parametrize("commit", [0, 7, COMMITS - 1])
def test_from_a_damaged_frame_on_all_are_lost(killed: Path, commit: int) -> None:
    frame = ends_of_commits(Path(f"{killed}-wal").read_bytes())[commit]
    damage(killed, LOG_HEADER + frame * FRAME + FRAME_HEADER + 100)
    assert lost(killed) == COMMITS - commit


def test_behind_a_damaged_header_all_are_lost(killed: Path) -> None:
    damage(killed, 20)
    assert lost(killed) == COMMITS


def test_a_log_that_was_cut_to_less_than_a_frame_tells_nothing(killed: Path) -> None:
    for size in (LOG_HEADER + FRAME_HEADER, LOG_HEADER + 3, 3, 0):
        with Path(f"{killed}-wal").open("r+b") as log:
            log.truncate(size)
        assert lost(killed) == 0
    Path(f"{killed}-wal").unlink()
    assert lost(killed) == 0


def test_a_large_log_is_not_held_in_memory(killed: Path) -> None:
    damage(killed, LOG_HEADER + FRAME_HEADER + 100)
    assert Path(f"{killed}-wal").stat().st_size > 15_000_000
    tracemalloc.start()
    try:
        assert lost(killed) == COMMITS
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
