"""Real exports and checks as child processes, one after the other: whole files or none."""

import resource
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.window import child_job
from app.window.job_queue import JobQueue
from app.window.recorder_link import Cancelling
from models.domain.clock import SystemClock
from models.domain.problems import Problem
from models.domain.recorded import ImportProgress, ImportResult
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message
from widgets.data.jobs import ExportOrder, Job, JobKind, JobState, Salvaged

MANY = 200_000


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Messages of agent a, and one of b, over 100 s."""
    one, clock = Workspace.at(tmp_path_factory.mktemp("jobs") / "w"), FakeClock()
    writer = StoreWriter(one, clock)
    writer.begin_capture("mqtt://localhost:1883", "c")
    for _ in range(100):
        messages = [message(clock.wall_us() + n, payload=b'{"n": 1}' * 20) for n in range(MANY // 100)]
        writer.commit(batch_of(writer.names, messages, ["a"] * len(messages)))
        clock.advance(1_000_000)
    writer.commit(batch_of(writer.names, [message(clock.wall_us())], ["b"]))
    writer.close()
    return one


class FakeLink:
    """Imports when told."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[Path], bool]] = []
        self.under_way = Cancelling()

    def import_files(
        self, paths: list[Path], on_progress: Callable, done: Callable, *, again: bool = False, make_room: bool = False
    ) -> Cancelling:
        self.asked.append((list(paths), again, make_room))
        self.tell, self.done, self.under_way = on_progress, done, Cancelling()
        return self.under_way


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def queue(workspace: Workspace, link: FakeLink, qapp: object) -> Iterator[JobQueue]:
    one = JobQueue(workspace, link, SystemClock())  # type: ignore[arg-type]
    yield one
    one.shutdown()
    one.deleteLater()


def finish(queue: JobQueue, qtbot: QtBot) -> Job:
    """Wait until everything has ended; answers the newest."""
    qtbot.waitUntil(lambda: all(job.state.ended for job in queue.jobs), timeout=60_000)
    return queue.jobs[0]


def order(path: Path, **more: object) -> ExportOrder:
    return ExportOrder("messages", "csv", str(path), **more)  # type: ignore[arg-type]


def test_an_export_is_carried_out_with_its_range_and_agent(queue: JobQueue, qtbot: QtBot, tmp_path: Path) -> None:
    out = tmp_path / "-odd name.csv"
    queue.export(order(out, agent="a", since_us=T0 + 10_000_000, until_us=T0 + 12_000_000))
    told: list[tuple[JobState, int]] = []
    queue.changed.connect(lambda: told.append((queue.jobs[0].state, queue.jobs[0].rows)))
    job = finish(queue, qtbot)
    assert (job.state, job.problem, job.damaged) == (JobState.DONE, None, 0)
    assert (job.rows, job.bytes) == (2 * MANY // 100, out.stat().st_size)
    assert len(out.read_text().splitlines()) == job.rows + 1
    assert told[-1] == (JobState.DONE, job.rows)


def test_a_cancelled_export_leaves_no_file_and_ends_at_once(queue: JobQueue, qtbot: QtBot, tmp_path: Path) -> None:
    old = tmp_path / "m.csv"
    old.write_text("older")
    queue.export(order(old))
    queue.export(order(tmp_path / "second.csv", agent="b"))
    queue.export(order(tmp_path / "third.csv"))
    running = queue.jobs[-1]
    qtbot.waitUntil(lambda: running.rows > 0, timeout=30_000)
    assert [job.state for job in queue.jobs] == [JobState.WAITING, JobState.WAITING, JobState.RUNNING]
    queue.cancel(3)
    queue.cancel(running.number)
    qtbot.waitUntil(lambda: running.state.ended, timeout=30_000)
    finish(queue, qtbot)
    assert [job.state for job in queue.jobs] == [JobState.CANCELLED, JobState.DONE, JobState.CANCELLED]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["m.csv", "second.csv"]
    assert old.read_text() == "older"
    queue.cancel(running.number)  # too late, and harmless
    queue.cancel(99)


def test_an_export_without_room_says_so_and_leaves_nothing(queue: JobQueue, qtbot: QtBot, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        queue.export(order(tmp_path / "m.csv"))  # a child has the limits of its parent
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    job = finish(queue, qtbot)
    assert job.state is JobState.FAILED
    assert job.problem == Problem("file.full", {"path": str(tmp_path / "m.csv")})
    assert list(tmp_path.iterdir()) == []


def test_a_check_finds_a_damaged_file_and_names_it(queue: JobQueue, qtbot: QtBot, workspace: Workspace) -> None:
    queue.verify()
    job = finish(queue, qtbot)
    assert (job.state, job.findings, job.rows, job.total) == (JobState.DONE, [], MANY + 1, 1)
    path = workspace.segment(1)
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:8_192] + b"\xff" * 4_096 + whole[12_288:])
        queue.verify()
        job = finish(queue, qtbot)
    finally:
        path.write_bytes(whole)
    assert job.state is JobState.DONE
    assert {(one.segment, one.path) for one in job.findings} == {(1, str(path))}


def test_what_is_left_of_a_damaged_file_comes_back(
    queue: JobQueue, qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    shutil.copytree(workspace.root, tmp_path / "ws")
    path = Workspace.at(tmp_path / "ws").segment(1)
    path.write_bytes(bytes(4_096) + path.read_bytes()[4_096:])
    queue._workspace = Workspace.at(tmp_path / "ws")
    queue.salvage()
    job = finish(queue, qtbot)
    assert job.state is JobState.DONE
    assert job.salvaged == [Salvaged(1, str(path), MANY + 1, MANY + 1)]
    assert {one.segment for one in job.findings} == {1}
    queue.salvage()
    assert finish(queue, qtbot).salvaged == []


def test_a_child_that_dies_is_told(queue: JobQueue, qtbot: QtBot, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(child_job, "own_command", lambda *_: ["/bin/sh", "-c", "echo nonsense >&2; kill -9 $$"])
    queue.export(order(tmp_path / "m.csv"))
    assert finish(queue, qtbot).problem == Problem("job.died", {"detail": "nonsense"})
    monkeypatch.setattr(child_job, "own_command", lambda *_: [str(tmp_path / "no such program")])
    queue.verify()
    job = finish(queue, qtbot)
    assert job.state is JobState.FAILED
    assert job.problem is not None
    assert job.problem.code == "job.died"


def test_an_import_goes_through_the_recorder_in_its_turn(queue: JobQueue, link: FakeLink, qtbot: QtBot) -> None:
    queue.import_files(["/a.jsonl"])
    queue.import_files(["/b.jsonl"], again=True, make_room=True)
    assert link.asked == [([Path("/a.jsonl")], False, False)]
    link.tell(ImportProgress(5, 10, 3, 1))
    job = queue.jobs[-1]
    assert (job.share, job.rows, job.skipped) == (0.5, 3, 1)
    ended: list[Job] = []
    queue.ended.connect(ended.append)
    link.done(ImportResult(messages=3), None)
    assert (job.state, job.imported) == (JobState.DONE, ImportResult(messages=3))
    assert ended == [job]
    assert link.asked[1:] == [([Path("/b.jsonl")], True, True)]
    queue.cancel(2)
    with pytest.raises(CancelledError):
        link.under_way.check()
    link.done(None, None)
    assert queue.jobs[0].state is JobState.CANCELLED


def test_closing_the_window_ends_what_runs(queue: JobQueue, qtbot: QtBot, tmp_path: Path) -> None:
    queue.export(order(tmp_path / "m.csv"))
    queue.verify()
    qtbot.waitUntil(lambda: queue.jobs[-1].rows > 0, timeout=30_000)
    queue.shutdown()
    assert list(tmp_path.iterdir()) == []
    assert [job.kind for job in queue.jobs] == [JobKind.VERIFY, JobKind.EXPORT]
