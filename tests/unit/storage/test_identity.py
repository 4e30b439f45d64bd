"""Is a workspace where its recorder left it, or a copy? Whoever asks leaves no trace."""

import shutil
from pathlib import Path

import pytest

from models.storage.identity import client_id, home_of, read_workspace_id
from models.storage.lock import RecorderLock
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message


@pytest.fixture
def workspace(tmp_path: Path, clock: FakeClock) -> Workspace:
    """Recorded here, and at rest."""
    one = Workspace.at(tmp_path / "ws")
    record(one, clock)
    return one


def record(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", client_id(workspace, read_workspace_id(workspace)))
    writer.commit(batch_of(writer.names, [message(clock.wall_us())], ["a"]))
    writer.close()


def files(workspace: Workspace) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}


def test_where_it_was_recorded_it_is_at_home(workspace: Workspace) -> None:
    before = files(workspace)
    assert home_of(workspace) == (False, True, False)
    assert files(workspace) == before


def test_elsewhere_it_is_a_copy_until_somebody_records_there(workspace: Workspace, clock: FakeClock) -> None:
    copy = Workspace.at(shutil.copytree(workspace.root, workspace.root.with_name("copy")))
    before = files(copy)
    assert home_of(copy).copied
    assert files(copy) == before
    record(copy, clock)
    assert not home_of(copy).copied
    assert not home_of(workspace).copied


def test_one_that_was_copied_while_it_was_recorded_is_known_by_its_log(tmp_path: Path, clock: FakeClock) -> None:
    workspace = Workspace.at(tmp_path / "ws")
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "murmurscope-of-elsewhere")
    copy = Workspace.at(shutil.copytree(workspace.root, tmp_path / "copy", ignore=shutil.ignore_patterns("*-shm")))
    writer.close()
    before = files(copy)
    assert any(name.endswith("-wal") for name in before)
    assert home_of(copy).copied
    assert files(copy) == before


def test_one_that_is_recorded_just_now_is_no_copy(workspace: Workspace, clock: FakeClock) -> None:
    copy = Workspace.at(shutil.copytree(workspace.root, workspace.root.with_name("copy")))
    lock = RecorderLock(copy, clock)
    lock.acquire("1")
    assert home_of(copy) == (False, True, True)
    lock.release()


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1_000])
def test_what_nobody_can_read_is_left_to_whoever_opens_it(content: bytes, tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    workspace.catalogue.write_bytes(content)
    assert not home_of(workspace).copied
    assert [one.name for one in tmp_path.iterdir()] == ["catalogue.db"]
