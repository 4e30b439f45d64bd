"""What most tests of the store begin with: an empty workspace with its writer, or a made up history with its reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.storage import journal
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import HistoryBuilder


@pytest.fixture(autouse=True)
def small_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disks whose every state is kept would grow with it."""
    monkeypatch.setattr(journal, "TURN_BYTES", 60_000)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path / "ws")


@pytest.fixture
def writer(workspace: Workspace, clock: FakeClock) -> Iterator[StoreWriter]:
    one = StoreWriter(workspace, clock)
    one.begin_capture("mqtt://broker", "client")
    yield one
    one.close()


@pytest.fixture
def build(tmp_path: Path) -> Iterator[HistoryBuilder]:
    one = HistoryBuilder(Workspace.at(tmp_path / "w"))
    yield one
    one.close()


@pytest.fixture
def reader(build: HistoryBuilder, clock: FakeClock) -> Iterator[HistoryReader]:
    one = HistoryReader(build.workspace, clock)
    yield one
    one.close()
