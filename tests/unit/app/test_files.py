"""Files of what is recorded, in one process: a real store, real folders, and every way in which they can fail."""

import errno
import gzip
import json
import os
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.files import filer as filer_module
from app.files.beginning import beginning_of, forget_beginning
from app.files.cursor import NAME
from app.files.filer import Filer
from app.files.folder import FilesFolder
from app.files.names import FileName, our_files
from app.files.options import FilesOptions
from app.files.status import FilesStatus, files_place, read_status, write_status
from app.recorder.files_writer import FilesWriter, magnitude
from models.domain.problems import Problem
from models.domain.recorded import ImportedFile
from models.domain.records import Attempt, Interaction, Level, LogRow, Outcome
from models.storage.export.run import STREAMS, export_file
from models.storage.history import follow
from models.storage.history.follow import Follower
from models.storage.identity import read_workspace_id
from models.storage.keeping.retention import StoreLimits
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US, FakeClock
from tests.helpers.store import batch_of, message

DAY_US = 86_400_000_000
SECOND_US = 1_000_000


class Bench:
    """A store with a writer, and files of it."""

    def __init__(self, root: Path) -> None:
        self.clock = FakeClock(FIRST_WALL_US + DAY_US - 30 * SECOND_US)  # a day soon begins
        self.workspace = Workspace.at(root / "ws")
        self.out = root / "out"
        self.store = StoreWriter(self.workspace, self.clock)
        self.store.begin_capture("mqtt://h", "c")
        self.made = 0
        self.told: list[FilesStatus] = []
        self.filer: Filer | None = None

    def options(self, **more: object) -> FilesOptions:
        return FilesOptions(**{"folder": self.out, "format": "jsonl", "total_bytes": 1 << 40, **more})  # type: ignore[arg-type]

    def follow(self, since: int = 0, **more: object) -> Filer:
        """A writer of files as a new process makes it."""
        options = self.options(**more)
        follower = Follower(self.workspace, jsonl=options.format == "jsonl")
        folder = FilesFolder(options, read_workspace_id(self.workspace), since, follower.header)
        self.filer = Filer(follower, folder, options, self.clock, self.told.append, lambda: None, lambda: False)
        return self.filer

    def commit(self, count: int = 1, size: int = 20, step_us: int = SECOND_US) -> None:
        """Batches of a bit of everything; time goes on with each, and the store is kept up."""
        names = self.store.names
        for _ in range(count):
            self.made += 1
            now = self.clock.wall_us()
            messages = [message(now + row, b"t%d" % row, b"%d," % self.made * size) for row in range(3)]
            batch = batch_of(names, messages, ["a", "b", "=c"], [(0, "cpu", self.made / 3), (2, "rss", self.made)])
            batch.logs.append(LogRow(0, now, 1, Level.ERROR, "log,ger", f"said {self.made}\nżółw"))
            batch.attempts.append(Attempt(2, now, 2, Outcome.ERROR, "no", 5_500, "target"))
            batch.interactions.append(Interaction(1, now, 1, 2, "task", str(self.made), 250_000, Outcome.OK))
            self.store.commit(batch)
            self.clock.advance(step_us)
            self.store.housekeep()

    def new_segment(self) -> None:
        self.store.begin_capture("mqtt://h", "c")

    def exported(self, dataset: str, kind: str = "jsonl") -> bytes:
        path = self.workspace.root.parent / "exported"
        export_file(self.workspace, dataset, path, overwrite=True, format=kind)
        return path.read_bytes()

    def written(self, dataset: str) -> bytes:
        """All files of a dataset, one behind the other, with one header."""
        found, header = [], b""
        for name in our_files(self.out):
            if name.dataset != dataset:
                continue
            assert not name.end.endswith(".part")
            data = (self.out / str(name)).read_bytes()
            data = gzip.decompress(data) if name.end else data
            if name.format == "csv":
                first, _, data = data.partition(b"\r\n")
                header = first + b"\r\n"
            found.append(data)
        return header + b"".join(found)

    def assert_same(self, kind: str = "jsonl") -> None:
        for dataset in STREAMS:
            assert self.written(dataset) == self.exported(dataset, kind), dataset

    @property
    def status(self) -> FilesStatus:
        return self.told[-1]


@pytest.fixture
def bench(tmp_path):
    one = Bench(tmp_path)
    yield one
    one.store.close()


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_the_rows_are_those_of_export_over_rotations_days_and_segments(bench, kind):
    files = bench.follow(format=kind, total_bytes=1 << 40)
    bench.filer._folder._options = bench.options(format=kind, total_bytes=16 * 6_000)  # 6 kB a file
    for turn in range(12):
        bench.commit(9)
        if turn % 5 == 4:
            bench.new_segment()
        files.round()
    bench.clock.advance(2 * DAY_US)
    bench.store.housekeep()
    bench.commit(20)
    files.end(SECOND_US)
    bench.assert_same(kind)
    names = [one for one in our_files(bench.out) if one.dataset == "messages"]
    assert {one.day for one in names} == {"2026-01-01", "2026-01-02", "2026-01-04"}
    assert max(one.number for one in names) >= 3
    assert [one for one in names if not one.end] == names[-1:], "all but the present one are compressed"
    assert (bench.out / str(names[0])).stat().st_mode & 0o777 == 0o600
    assert sum(bench.status.rows.values()) == sum(bench.exported(one).count(b"\n") for one in STREAMS)


def test_a_day_goes_by_arrival_also_within_one_commit(bench):
    names, midnight = bench.store.names, FIRST_WALL_US + DAY_US
    arrivals = [midnight - 2, midnight - 1, midnight, midnight - 1, midnight + 1]
    bench.store.commit(batch_of(names, [message(at, payload=b"%d" % at) for at in arrivals], ["a"] * 5))
    bench.follow().round()
    first = (bench.out / "messages-2026-01-01.jsonl.gz").read_bytes()
    assert gzip.decompress(first).count(b"\n") == 2
    second = (bench.out / "messages-2026-01-02.jsonl").read_bytes()
    assert second.count(b"\n") == 3, "what is a moment late begins no file of its own"
    bench.store.housekeep()
    bench.clock.step_wall(-3 * DAY_US)
    bench.commit()
    bench.filer.round()
    assert (bench.out / "messages-2025-12-29.jsonl").exists(), "a clock that was set is another matter"


def test_only_what_is_recorded_since_the_start_is_written_and_no_import(bench):
    bench.commit(3)
    bench.new_segment()
    since = bench.store.newest_segment
    files = bench.follow(since=since)
    recording = ImportedFile("/monday.jsonl", "digest", 1)
    run = bench.store.begin_import([recording])
    run.commit(batch_of(bench.store.names, [message(bench.clock.wall_us())], ["a"], [(0, "cpu", 5.0)]))
    run.finish([recording])
    bench.commit(4)
    files.round()
    assert [json.loads(line)["value"] for line in bench.written("samples").splitlines()][1::2] == [4, 5, 6, 7]
    assert [json.loads(line)["value"] for line in bench.exported("samples").splitlines()].count(5.0) == 2


class KilledError(BaseException):
    """What a kill looks like from inside: nothing after it happens."""


@pytest.fixture
def kill_at(monkeypatch) -> Callable[[int], None]:
    """Dies before the nth thing that is asked of the system."""
    left = -1  # so many more; below 0: no end

    def is_last() -> bool:
        nonlocal left
        left -= left > 0
        return left == 0

    def counted(real):
        def call(*arguments, **options):
            if is_last():
                raise KilledError
            return real(*arguments, **options)

        return call

    def half_written(handle, data):
        if left == 1:
            real_write(handle, bytes(data)[: len(data) // 2])
        if is_last():
            raise KilledError
        return real_write(handle, data)

    real_write = os.write
    monkeypatch.setattr("app.files.folder.os.write", half_written)
    for name in ("open", "fsync", "truncate"):
        monkeypatch.setattr(f"app.files.folder.os.{name}", counted(getattr(os, name)))
    for name in ("replace", "unlink"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))

    def arm(count: int) -> None:
        nonlocal left
        left = count

    return arm


def test_killed_anywhere_nothing_is_lost_or_doubled(bench, kill_at, monkeypatch):
    monkeypatch.setattr(FilesOptions, "file_bytes", 2_000)
    kills = 0
    for _ in range(2):  # into no folder, and into one with files
        bench.commit(5)
        bench.new_segment()
        bench.commit(4)
        count = 1
        while True:
            files = bench.follow()
            kill_at(count)
            try:
                files.round()
            except KilledError:
                kills, count = kills + 1, count + 1
            else:
                break
            finally:
                kill_at(-1)
                files._follower.close()
                for handle in (*files._folder._handles.values(), *files._folder._ended):
                    os.close(handle)
        bench.assert_same()
    assert kills > 100
    assert not list(bench.out.glob("*.part"))


def test_a_folder_that_vanishes_is_told_and_caught_up_with(bench):
    files = bench.follow()
    bench.commit(5)
    files.round()
    assert bench.status.problem is None
    bench.out.rename(bench.out.with_name("away"))
    bench.out.write_text("somebody else's")  # else it would be made again
    bench.commit(5)
    files.round()
    problem = bench.status.problem
    assert problem is not None
    assert (problem.code, problem.params["count"], bench.status.behind) == ("files.hindered", 15, 15)
    assert "Not a directory" in problem.sentence()
    bench.commit(2)
    files.round()
    assert bench.status.behind == 21
    bench.out.unlink()
    bench.out.with_name("away").rename(bench.out)
    files.round()
    assert (bench.status.problem, bench.status.behind) == (None, 0)
    bench.assert_same()


def test_a_folder_that_somebody_emptied_is_gone_on_with_from_where_it_was(bench):
    files = bench.follow()
    bench.commit(5)
    files.round()
    for file in bench.out.iterdir():
        file.unlink()
    bench.out.rmdir()
    bench.commit(2)
    files.round()
    assert bench.status.problem is None
    assert bench.exported("logs").endswith(bench.written("logs"))
    assert bench.written("logs").count(b"\n") == 2


def test_one_file_that_somebody_took_away_or_cut_is_not_gone_on_with(bench):
    files = bench.follow()
    bench.commit(5)
    files.round()
    files.end(0)
    (bench.out / "logs-2026-01-01.jsonl").unlink()
    os.truncate(bench.out / "messages-2026-01-01.jsonl", 10)
    bench.commit(1)
    bench.follow().round()
    assert (bench.out / "logs-2026-01-01.jsonl").read_bytes().count(b"\n") == 1
    assert (bench.out / "messages-2026-01-01-2.jsonl").read_bytes().count(b"\n") == 3
    assert bench.written("samples") == bench.exported("samples")


def test_a_file_that_somebody_takes_away_while_it_is_written_to_is_begun_anew(bench):
    files = bench.follow()
    bench.commit(5)
    files.round()
    (bench.out / "logs-2026-01-01.jsonl").unlink()
    (bench.out / "messages-2026-01-01.jsonl").rename(bench.out / "mine")
    bench.commit(1)
    files.round()
    assert bench.written("logs").count(b"\n") == 1
    assert bench.exported("logs").endswith(bench.written("logs"))
    assert (bench.out / "mine").read_bytes() + bench.written("messages") == bench.exported("messages")
    assert bench.written("samples") == bench.exported("samples")


@pytest.mark.skipif(
    not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev,
    reason="there is no second file system here",
)
def test_what_a_folder_was_mounted_on_is_not_written_to_while_it_is_not_mounted(bench, tmp_path):
    bench.out.mkdir()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        mounted = bench.out / "mounted"
        mounted.symlink_to(elsewhere)
        below = tmp_path / "below"
        below.mkdir()
        bench.out = mounted / "files"
        files = bench.follow()
        bench.commit(2)
        files.round()
        assert bench.status.problem is None
        mounted.unlink()
        mounted.symlink_to(below)  # as the empty folder below a mount
        bench.commit(2)
        files.round()
        assert "not mounted" in bench.status.problem.sentence()
        (below / "files").mkdir()
        files.round()
        assert "not mounted" in bench.status.problem.sentence()
        assert not list((below / "files").iterdir())
        mounted.unlink()
        mounted.symlink_to(elsewhere)
        files.round()
        assert bench.status.problem is None
        bench.assert_same()
        files.end(0)


def test_a_full_disk_leaves_no_half_line_and_is_caught_up_with(bench):
    files = bench.follow()
    bench.commit(5)
    files.round()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (bench.out / "samples-2026-01-01.jsonl").stat().st_size
    bench.commit(20, size=100)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 700, before[1]))
    try:
        for _ in range(3):
            files.round()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert bench.status.problem.params["detail"] == os.strerror(errno.EFBIG)
    assert bench.status.behind == 60
    files.round()
    assert bench.status.problem is None
    bench.assert_same()


def test_what_retention_took_meanwhile_is_counted(bench):
    bench.store.use_limits(StoreLimits(segment_bytes=100_000, retention_bytes=700_000))
    files = bench.follow()
    bench.commit(4)
    files.round()
    bench.out.rename(bench.out.with_name("away"))
    bench.out.touch()
    bench.commit(150, size=2_000)
    files.round()
    lost = bench.status.lost
    assert lost > 100
    bench.out.unlink()
    bench.out.with_name("away").rename(bench.out)
    files.round()
    assert bench.status.lost == lost
    assert bench.status.rows["messages"] == 3 * bench.made - lost
    assert bench.written("logs").endswith(bench.exported("logs"))
    files.end(0)
    bench.follow().round()
    assert bench.status.lost == lost, "it is remembered"


def test_the_oldest_go_where_all_grow_too_large(bench):
    total = 60_000
    files = bench.follow(total_bytes=total)
    for _ in range(40):
        bench.commit(10, size=40)
        files.round()
        assert sum(file.stat().st_size for file in bench.out.iterdir() if FileName.parse(file.name)) < total
    assert bench.status.removed > 3
    assert bench.status.problem is None
    for dataset in STREAMS:
        assert bench.written(dataset)
        assert bench.exported(dataset).endswith(bench.written(dataset))


def test_a_folder_of_another_workspace_is_left_alone(bench, tmp_path):
    bench.commit(2)
    bench.follow().end(SECOND_US)
    before = {file.name: file.read_bytes() for file in bench.out.iterdir()}
    (tmp_path / "other").mkdir()
    other = Bench(tmp_path / "other")
    other.out = bench.out
    other.commit(2)
    other.follow().round()
    assert other.status.problem.code == "files.foreign"
    assert {file.name: file.read_bytes() for file in bench.out.iterdir()} == before
    other.store.close()


def test_a_cursor_that_cannot_be_read_is_told_and_nothing_is_touched(bench):
    bench.commit(2)
    bench.follow().end(SECOND_US)
    (bench.out / NAME).write_text("half a")
    bench.commit(2)
    bench.follow().round()
    assert bench.status.problem.code == "files.foreign"
    assert bench.written("logs").count(b"\n") == 2


def test_another_format_begins_other_files(bench):
    bench.commit(2)
    bench.follow().end(SECOND_US)
    bench.commit(2)
    bench.follow(format="csv").end(SECOND_US)
    assert bench.written("logs").startswith(b"time,received")
    assert sorted(file.name for file in bench.out.glob("logs*")) == [
        "logs-2026-01-01-2.csv",
        "logs-2026-01-01.jsonl.gz",
    ]


def test_a_store_that_was_brought_back_from_a_copy_is_followed_anew(bench):
    bench.commit(3)
    bench.follow(since=0).end(SECOND_US)
    bench.new_segment()
    bench.commit(3)
    files = bench.follow(since=0)
    files.round()
    assert files._folder.cursor.place.segment == 2
    files.end(0)
    bench.follow(since=1)._folder.enter()  # as after a restore: the recorder found one segment only
    assert bench.filer._folder.cursor.place == follow.Place(2)


def test_a_damaged_segment_is_given_up_after_some_patience(bench, monkeypatch):
    monkeypatch.setattr(follow, "PATIENCE", 3)
    files = bench.follow()
    bench.commit(3)
    bench.new_segment()
    bench.commit(2)
    path = bench.workspace.segment(1)
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"x" * (len(data) - 100))
    for _ in range(2):
        files.round()
        assert bench.status.rows == {}
    files.round()
    assert bench.status.rows["messages"] == 6
    assert bench.status.lost == 9


def test_a_last_round_keeps_its_limit_and_nothing_is_lost_by_it(bench, monkeypatch):
    monkeypatch.setattr(filer_module, "SAVE_BYTES", 10)
    files = bench.follow()
    bench.commit(5)
    told = bench.told.append

    def slow(status: FilesStatus) -> None:
        told(status)
        bench.clock.advance(SECOND_US)

    files._tell = slow
    files.end(SECOND_US // 2)
    assert 0 < sum(bench.status.rows.values()) < 35
    bench.follow().round()
    bench.assert_same()


# ---------------------------------------------------------------- the recorder's side


class FakeChild:
    pid = 0
    exit_code = 1
    kept = 0
    error: OSError | None = None

    def start(self, _argv: object) -> None:
        if self.error is not None:
            raise self.error
        self.pid, self.exit_code = 7, None

    def output_tail(self) -> str:
        return "its last words"

    def keep(self, _start: object) -> None:
        self.kept += 1

    def stop(self) -> None:
        self.pid = 0


@pytest.fixture
def writer(tmp_path, clock):
    workspace = Workspace.at(tmp_path / "ws")
    files_place(workspace).mkdir(parents=True)
    one = FilesWriter(workspace, FilesOptions(tmp_path / "out"), 0, clock)
    one._child = FakeChild()
    one._started_us = clock.wall_us()
    return one


def test_files_begin_where_an_earlier_recorder_could_write_none(tmp_path):
    workspace = Workspace.at(tmp_path)
    assert beginning_of(workspace, tmp_path / "out", 4) == 4
    assert beginning_of(workspace, tmp_path / "out", 6) == 4, "killed before the folder was entered"
    assert beginning_of(workspace, tmp_path / "out", 3) == 3, "another store"
    assert beginning_of(workspace, tmp_path / "elsewhere", 7) == 7
    forget_beginning(workspace)
    assert beginning_of(workspace, tmp_path / "elsewhere", 9) == 9


def codes(writer: FilesWriter) -> list[str]:
    return [one.code for one in writer.warnings]


def test_the_recorder_tells_what_the_writer_of_files_tells(writer, clock):
    writer._child.pid = 7
    writer.look()
    assert codes(writer) == [], "it has only just begun"
    status = FilesStatus(7, clock.wall_us(), "out", "jsonl", behind=4_321, lost=70)
    status.problem = Problem("files.hindered", {"path": "out", "detail": "full", "count": 4_321})
    write_status(writer._workspace, status)
    writer.look()
    assert codes(writer) == ["files.hindered", "files.lost"]
    assert [one.params["count"] for one in writer.warnings] == [1_000, 10]
    clock.advance(31 * SECOND_US)
    writer.look()
    assert codes(writer) == ["files.silent", "files.lost"]
    status.beat_us, status.problem, status.lost = clock.wall_us(), None, 0
    write_status(writer._workspace, status)
    writer.look()
    assert codes(writer) == []
    status.lost = 5
    write_status(writer._workspace, status)
    writer.stop()
    assert codes(writer) == ["files.lost"], "its last words count"


def test_a_writer_of_files_that_ended_is_told_and_started_again(writer):
    writer.look()
    assert codes(writer) == ["files.ended"]
    assert "its last words" in writer.warnings[0].sentence()
    assert writer._child.kept == 1
    assert read_status(writer._workspace) is None


def test_one_that_could_not_be_started_is_told_and_started_later(writer):
    writer._child.exit_code, writer._child.error = None, OSError(errno.ENOMEM, "no memory")
    writer.start()
    assert "no memory" in writer.warnings[0].sentence()
    writer.look()
    assert codes(writer) == ["files.ended"]
    writer._child.error = None
    writer.look()
    writer.look()
    assert (writer._child.pid, codes(writer)) == (7, [])


def test_one_that_never_speaks_is_told(writer, clock):
    writer._child.pid = 7
    clock.advance(31 * SECOND_US)
    writer.look()
    assert codes(writer) == ["files.silent"]


@pytest.mark.parametrize(("count", "told"), [(-1, 0), (0, 0), (1, 1), (9, 1), (10, 10), (99_999, 10_000)])
def test_a_count_is_news_when_it_has_grown_tenfold(count, told):
    assert magnitude(count) == told
