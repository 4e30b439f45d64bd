"""Every call of the disk fails once: no crash, no false acknowledgement, a clear problem, and all goes on afterwards."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from models.domain.problems import EnvironmentProblem
from models.storage.copies.verify import verify
from models.storage.engine import open_reader
from models.storage.keeping.retention import StoreLimits
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.faulty_disk import IO_ERRORS, JOURNAL_CALLS, Fault, FaultyDisk
from tests.helpers.faulty_disk_picture import Picture
from tests.helpers.store import catalogue_now, put_back, rows
from tests.helpers.store_life import BATCH, FILE, Told, bring, check_survived, keep, kill, numbered

T = TypeVar("T")
CALLS = (*IO_ERRORS, "os.open", "os.fsync", "os.unlink", *JOURNAL_CALLS)
LIMITS = StoreLimits(segment_bytes=200_000, retention_bytes=750_000)
SHORT = 120
"""In the short form one call in so many fails, another one of each kind."""


class Life:
    """A recorder that does what it could not do again as soon as the disk is whole."""

    def __init__(self, workspace: Workspace, fault: Fault) -> None:
        self.workspace, self.clock, self.fault = workspace, FakeClock(), fault
        self.disk = FaultyDisk(workspace.root)
        self.messages = 0
        self.problems: list[str] = []
        self.safe: Picture | None = None
        """What is on the disk when the first commit after the failure has returned."""
        self.safe_told = Told()

    def insist(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except EnvironmentProblem as error:
            self.problems.append(error.problem.code)
            self.disk.mend()
            return action()

    def live(self) -> None:
        self.workspace.root.mkdir(parents=True)
        with self.disk.installed():
            self.disk.fail(self.fault)
            for with_import in (False, True):
                self.run(with_import=with_import)

    def run(self, *, with_import: bool) -> None:
        writer = self.insist(lambda: StoreWriter(self.workspace, self.clock, LIMITS))
        try:
            self.insist(lambda: writer.begin_capture("mqtt://broker", "client"))
            self.record(writer, 2)
            if with_import:
                self.insist(lambda: bring(writer))
                self.record(writer, 1)
            assert writer.problems == []
        finally:
            self.insist(writer.close)

    def record(self, writer: StoreWriter, batches: int) -> None:
        for _ in range(batches):
            batch = numbered(writer, self.clock, self.messages)
            keep(writer, batch)  # where that fails, it is answered for once it is committed
            self.insist(lambda batch=batch: writer.commit(batch))
            self.messages += BATCH
            if self.disk.failed and self.safe is None:
                self.safe, self.safe_told = self.disk.picture(), Told(self.messages)
            self.clock.advance(1_100_000)
            self.insist(writer.housekeep)


def calls_of_a_life(folder: Path) -> dict[str, int]:
    life = Life(Workspace.at(folder), Fault("none", 0))
    life.live()
    shutil.rmtree(folder)
    return dict(life.disk.calls)


def let_fail(folder: Path, fault: Fault) -> Life:
    workspace = Workspace.at(folder / "ws")
    life = Life(workspace, fault)
    life.live()
    expected = {"store.full"} if fault.full else {"store.io"}
    assert set(life.problems) <= expected, (fault, life.problems)
    if life.safe is not None:
        life.safe.after_power_cut("none", random.Random(1), folder / "cut")
        check_survived(Workspace.at(folder / "cut"), life.safe_told)
    check_survived(workspace, Told(life.messages, imported=True))
    shutil.rmtree(folder)
    return life


def go_through(folder: Path, kind: str, every: int, *, full: bool) -> None:
    total = calls_of_a_life(folder / "whole").get("space" if full else kind, 0)
    assert total, f"a life that never calls {kind} tests nothing"
    for number in range(1 + random.Random(kind).randrange(min(every, total)), total + 1, every):
        life = let_fail(folder / "life", Fault(kind, number, full=full, lasting=bool(number % 2)))
        assert life.disk.failed
    print(f"{kind}: {total} calls")


@pytest.mark.parametrize("kind", CALLS)
def test_some_calls_fail(fast_folder: Path, kind: str) -> None:
    go_through(fast_folder, kind, SHORT, full=False)


def test_the_disk_is_full_at_some_calls(fast_folder: Path) -> None:
    go_through(fast_folder, "space", SHORT, full=True)


@pytest.mark.long
@pytest.mark.parametrize("kind", CALLS)
def test_every_call_fails(fast_folder: Path, kind: str) -> None:
    go_through(fast_folder, kind, 1, full=False)


@pytest.mark.long
def test_the_disk_is_full_at_every_call(fast_folder: Path) -> None:
    go_through(fast_folder, "space", 1, full=True)


@pytest.mark.parametrize("kind", ["xOpen", "xShmMap", "xWrite"])
def test_a_full_disk_is_called_so_whatever_the_engine_calls_it(fast_folder: Path, kind: str) -> None:
    assert let_fail(fast_folder / "life", Fault(kind, 3, full=True, lasting=True)).problems == ["store.full"]


def test_a_catalogue_that_just_could_not_be_read_is_not_taken_for_damaged(fast_folder: Path) -> None:
    """The engine's own check calls it so. Every read of a start fails once."""
    workspace, clock = Workspace.at(fast_folder / "ws"), FakeClock()
    workspace.root.mkdir(parents=True)
    StoreWriter(workspace, clock).close()
    number, failed, refused = 0, 1, set[str]()
    while failed:
        number += 1
        disk = FaultyDisk(workspace.root)
        with disk.installed():
            disk.fail(Fault("xRead", number))
            try:
                writer = StoreWriter(workspace, clock)
            except EnvironmentProblem as error:
                refused.add(error.problem.code)
            else:
                assert writer.problems == []
                writer.close()
        failed = disk.failed
    assert number > 10
    assert refused == {"store.io"}


@pytest.mark.parametrize("older", [False, True], ids=["present catalogue", "older catalogue"])
@pytest.mark.parametrize(
    ("kind", "every"), [("xOpen", 1), ("xRead", 7), ("xFileSize", 3), ("xAccess", 3), ("xShmMap", 1)]
)
def test_a_segment_that_just_cannot_be_opened_or_read_is_not_taken_for_damaged(
    fast_folder: Path, kind: str, every: int, older: bool
) -> None:
    """One call of a start fails, each in turn. There is a sealed segment, a closed one that kept its log, and one that a kill left
    open; an older catalogue knows only that the first was begun."""
    before, clock = Workspace.at(fast_folder / "before"), FakeClock()
    before.root.mkdir()
    writer = StoreWriter(before, clock)
    writer.begin_capture("mqtt://broker", "client")
    writer.commit(numbered(writer, clock, 0))
    catalogue = catalogue_now(before)
    writer.close()
    seal(before.segment(1), before.sealing(1))
    before.sealing(1).rename(before.segment(1))
    put_back(before, catalogue)
    writer = StoreWriter(before, clock)
    writer.begin_capture("mqtt://broker", "client")
    writer.commit(numbered(writer, clock, BATCH))
    reader = open_reader(before.segment(2))
    reader.execute("SELECT * FROM batch").fetchall()
    writer.close()
    reader.close()
    writer = StoreWriter(before, clock)
    writer.begin_capture("mqtt://broker", "client")
    writer.commit(numbered(writer, clock, 2 * BATCH))
    reader = open_reader(before.segment(3))
    reader.execute("SELECT * FROM batch").fetchall()
    kill(writer)
    reader.close()
    if older:
        put_back(before, catalogue)
    refused, number, failed = set[str](), 0, 1
    while failed:
        number += every
        workspace = Workspace.at(fast_folder / str(number))
        shutil.copytree(before.root, workspace.root)
        disk = FaultyDisk(workspace.root)
        with disk.installed():
            disk.fail(Fault(kind, number))
            try:
                writer = StoreWriter(workspace, clock)
            except EnvironmentProblem as error:
                refused.add(error.problem.code)
            else:
                assert writer.problems == []
                writer.close()
        failed = disk.failed
        writer = StoreWriter(workspace, clock)
        assert writer.problems == []
        writer.close()
        assert rows(workspace, "catalogue", "SELECT state, messages FROM segment") == [("closed", BATCH)] * 3
        assert list(verify(workspace)) == []
        shutil.rmtree(workspace.root)
    assert number > 4
    assert refused <= {"store.io"}


def make_a_segment(life: Life, writer: StoreWriter) -> None:
    batch = numbered(writer, life.clock, 0)
    life.insist(lambda: writer.commit(batch))


def begin_an_import(life: Life, writer: StoreWriter) -> None:
    life.insist(lambda: writer.begin_import([FILE], again=True))


def begin_a_merge(life: Life, writer: StoreWriter) -> None:
    life.insist(writer.begin_merge)


@pytest.mark.parametrize("step", [make_a_segment, begin_an_import, begin_a_merge])
def test_a_lock_that_fails_leaves_no_file_open(fast_folder: Path, step: Callable[[Life, StoreWriter], None]) -> None:
    number, failed = 0, 1
    while failed:
        number += 1
        life = Life(Workspace.at(fast_folder / str(number)), Fault("xShmLock", number))
        life.workspace.root.mkdir()
        with life.disk.installed():
            writer = StoreWriter(life.workspace, life.clock)
            writer.begin_capture("mqtt://broker", "client")
            life.disk.fail(life.fault)
            step(life, writer)
            failed = life.disk.failed
            life.disk.mend()
            writer.close()
        assert set(life.problems) <= {"store.io"}
    assert number > 2


def test_a_start_that_fails_where_it_leaves_a_log_leaves_no_file_open(fast_folder: Path) -> None:
    """A reader was in the way at the end of the program before."""
    before = Workspace.at(fast_folder / "before")
    before.root.mkdir()
    writer = StoreWriter(before, FakeClock())
    writer.begin_capture("mqtt://broker", "client")
    writer.commit(numbered(writer, FakeClock(), 0))
    reader = open_reader(before.segment(1))
    reader.execute("SELECT * FROM batch").fetchall()
    writer.close()
    reader.close()
    number, failed = 0, 1
    while failed:
        number += 1
        workspace = Workspace.at(fast_folder / str(number))
        shutil.copytree(before.root, workspace.root)
        life = Life(workspace, Fault("xWrite", number))
        assert Path(f"{workspace.segment(1)}-wal").exists()
        with life.disk.installed():
            life.disk.fail(life.fault)
            writer = life.insist(lambda life=life: StoreWriter(life.workspace, life.clock))  # type: ignore[misc]
            failed = life.disk.failed
            life.disk.mend()
            writer.close()
        assert writer.problems == []
        assert set(life.problems) <= {"store.io"}
        assert not Path(f"{workspace.segment(1)}-wal").exists()
    assert number > 2
