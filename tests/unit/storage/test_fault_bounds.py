"""What must not grow, and what must not stay open."""

from pathlib import Path

import pytest

from models.storage.keeping.retention import StoreLimits
from models.storage.log_copying import LOG_PAGES
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.faulty_disk import FaultyDisk
from tests.helpers.store import batch_of, message
from tests.helpers.store_life import numbered

MOST_BYTES = 64 * 1024 * 1024


def test_a_log_stays_bounded(fast_folder: Path) -> None:
    workspace, clock = Workspace.at(fast_folder / "ws"), FakeClock()
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "client")
    log, largest = Path(f"{workspace.segment(1)}-wal"), 0
    for _ in range(100):
        some = [message(clock.wall_us(), payload=b"x" * 1_000_000)] * 2
        writer.commit(batch_of(writer.names, some, ["a", "a"]))
        largest = max(largest, log.stat().st_size)
        clock.advance(1_100_000)
        writer.housekeep()
    assert workspace.segment(1).stat().st_size > 150_000_000, "more went through it than it ever held"
    assert LOG_PAGES * 4_096 <= largest < MOST_BYTES
    assert Path(f"{workspace.catalogue}-wal").stat().st_size < MOST_BYTES
    writer.close()


def test_a_segment_that_is_half_summed_up_is_let_go_of(fast_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.storage.keeping.retention._TURN_S", 0.0)  # a turn is one step
    workspace, clock = Workspace.at(fast_folder / "ws"), FakeClock()
    workspace.root.mkdir()
    with FaultyDisk(workspace.root).installed():
        writer = StoreWriter(workspace, clock, StoreLimits(segment_bytes=200_000, retention_bytes=500_000))
        writer.begin_capture("mqtt://broker", "client")
        while writer._upkeep._retention._summing is None:
            writer.commit(numbered(writer, clock, 0))
            clock.advance(1_100_000)
            writer.housekeep()
        writer.close()
