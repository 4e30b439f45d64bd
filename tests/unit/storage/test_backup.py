"""A backup holds everything up to one moment and comes back as it was; what is no whole backup leaves nothing."""

import contextlib
import gzip
import io
import os
import platform
import random
import shutil
import signal
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from models.domain.problems import EnvironmentProblem
from models.domain.recorded import ImportedFile
from models.domain.records import Level, LogRow
from models.storage.copies import backup as backup_module
from models.storage.copies.backup import backup_file
from models.storage.copies.restore import restore
from models.storage.copies.verify import verify
from models.storage.export.run import DATASETS, export
from models.storage.keeping.retention import StoreLimits
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message, rows

TEXTS = {
    "settings.toml": b"[retention]\ngib = 1.0\n", "rules.toml": b"# mine\n", "queries.toml": b"[saved]\n",
    "layouts/errors & Łódź.toml": b"version = 1\n",
}  # fmt: skip
SECOND = 1_000_000


@pytest.fixture
def copy(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path / "copy")


def commit(writer: StoreWriter, clock: FakeClock, numbers: range) -> None:
    """One batch a number, each with samples and a log record."""
    for n in numbers:
        clock.advance(SECOND)
        batch = batch_of(
            writer.names, [message(clock.wall_us(), b"t/%d" % (n % 5), b"%d" % n)] * 2, [f"agent-{n % 3}", ""],
            [(0, "cpu_percent", float(n))],
        )  # fmt: skip
        batch.logs.append(LogRow(0, clock.wall_us(), batch.agent[0], Level.INFO, None, f"line {n}", None, None, None))
        writer.commit(batch)
        writer.housekeep()


def next_segment(writer: StoreWriter) -> None:
    writer.begin_capture("mqtt://broker", "client")
    writer.housekeep()


def make(workspace: Workspace, path: Path, *, overwrite: bool = False) -> dict[int, str]:
    """A backup, and what it told of damaged segments."""
    told: dict[int, str] = {}
    backup_file(
        workspace, path, TEXTS, "1.2.3", FakeClock(), overwrite=overwrite, progress=lambda done, total: None,
        damaged=told.__setitem__,
    )  # fmt: skip
    return told


def make_since(workspace: Workspace, path: Path, since_us: int) -> tuple[int, int]:
    """A backup of the newer history; answers how many segments and messages it left out."""
    return backup_file(
        workspace, path, TEXTS, "1", FakeClock(), overwrite=False, progress=lambda *_: None, damaged=lambda *_: None,
        since_us=since_us,
    )[1:]  # fmt: skip


def bring_back(path: Path, copy: Workspace) -> list[int]:
    return restore(copy, path, lambda done, total: None).missing


def exported(workspace: Workspace) -> dict[str, bytes]:
    found = {}
    for dataset in DATASETS:
        out = io.BytesIO()
        export(workspace, dataset, out, clock=FakeClock(T0 + 3_600 * SECOND))
        found[dataset] = out.getvalue()
    return found


def payloads(workspace: Workspace) -> list[int]:
    out = io.BytesIO()
    export(workspace, "messages", out, format="jsonl")
    return [int(msgspec.json.decode(line)["payload"]) for line in out.getvalue().splitlines()]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Path]]:
    """A workspace with a closed segment and one that is being written, and its backup."""
    folder = tmp_path_factory.mktemp("original")
    workspace, clock = Workspace.at(folder / "ws"), FakeClock()
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "client")
    commit(writer, clock, range(20))
    next_segment(writer)
    commit(writer, clock, range(20, 40))
    make(workspace, folder / "b.tar.gz")
    yield workspace, folder / "b.tar.gz"
    writer.close()


@pytest.fixture
def archive(original: tuple[Workspace, Path], tmp_path: Path) -> Path:
    """The backup of `original`, to play with."""
    return Path(shutil.copy(original[1], tmp_path))


def test_what_comes_back_is_exported_as_the_original(original: tuple[Workspace, Path], copy: Workspace) -> None:
    workspace, archive = original
    assert bring_back(archive, copy) == []
    assert {name: (copy.root / name).read_bytes() for name in TEXTS} == TEXTS
    tops = {name.partition("/")[0] for name in TEXTS}
    assert {one.name for one in copy.root.iterdir()} == {"catalogue.db", "segments", *tops}
    assert {one.stat().st_mode & 0o777 for one in (copy.root, copy.segments, copy.layouts)} == {0o700}
    assert {one.stat().st_mode & 0o777 for one in copy.root.rglob("*.*")} == {0o600}
    assert archive.stat().st_mode & 0o777 == 0o600
    assert exported(copy) == exported(workspace)
    assert list(verify(copy)) == []


def test_sealed_history_comes_back_sealed(
    writer: StoreWriter, workspace: Workspace, copy: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    for first in (0, 10, 20):
        commit(writer, clock, range(first, first + 10))
        next_segment(writer)
    clock.advance(3 * SECOND)
    writer.housekeep()
    for id_ in writer.sealing.waiting():
        seal(workspace.segment(id_), workspace.sealing(id_))
        writer.sealing.swap_in(id_)
    assert make_since(workspace, tmp_path / "b", T0 + 15 * SECOND) == (1, 20)
    assert bring_back(tmp_path / "b", copy) == []
    assert rows(copy, "catalogue", "SELECT id, layout FROM segment WHERE state = 'closed'") == [(2, 2), (3, 2)]
    assert payloads(copy) == [n // 2 for n in range(20, 60)]
    assert list(verify(copy)) == []
    ours, theirs = exported(copy), exported(workspace)
    for dataset in ("messages", "samples", "logs"):
        rows_here = ours[dataset].splitlines()[1:]
        assert rows_here == theirs[dataset].splitlines()[-len(rows_here) :]


def test_a_closed_segment_is_the_same_file(original: tuple[Workspace, Path], copy: Workspace) -> None:
    workspace, archive = original
    bring_back(archive, copy)
    assert copy.segment(1).read_bytes() == workspace.segment(1).read_bytes()


def test_a_recorder_goes_on_from_what_came_back(archive: Path, copy: Workspace) -> None:
    clock = FakeClock(T0 + 100 * SECOND)
    bring_back(archive, copy)
    writer = StoreWriter(copy, clock)
    assert writer.problems == []
    writer.begin_capture("mqtt://broker", "another")
    commit(writer, clock, range(40, 50))
    writer.close()
    assert payloads(copy) == [n // 2 for n in range(100)]
    assert list(verify(copy)) == []
    assert rows(copy, "catalogue", "SELECT sum(messages) FROM agent_now") == [(50,)]
    assert rows(copy, "catalogue", "SELECT sum(messages) FROM topic_total") == [(100,)]


def test_what_is_stored_while_the_segment_is_copied_is_not_half_there(
    writer: StoreWriter, workspace: Workspace, copy: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    commit(writer, clock, range(10))
    numbers = iter(range(10, 1_000))
    told: list[int] = []

    def on_the_way(_done: int, _total: int) -> None:
        n = next(numbers)
        told.append(n)
        commit(writer, clock, range(n, n + 1))

    backup_file(
        workspace, tmp_path / "b", TEXTS, "1", clock, overwrite=False, progress=on_the_way, damaged=lambda *_: None
    )
    assert len(told) > 10, "commits went on meanwhile"
    bring_back(tmp_path / "b", copy)
    held = payloads(copy)
    assert held == [n // 2 for n in range(len(held))]
    assert 20 <= len(held) < 2 * told[-1]
    assert [one for one in verify(copy) if one.code != "catalogue"] == []
    StoreWriter(copy, clock).close()
    assert payloads(copy) == held
    assert list(verify(copy)) == []


def test_a_segment_that_retention_removes_meanwhile_is_a_gap(
    writer: StoreWriter, workspace: Workspace, copy: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    for first in range(0, 40, 10):
        commit(writer, clock, range(first, first + 10))
        next_segment(writer)

    def on_the_way(_done: int, _total: int) -> None:
        """Once it knows what there is, and before it keeps that from being removed."""
        for _ in range(30):
            writer.use_limits(StoreLimits(retention_bytes=workspace.segment(4).stat().st_size * 2))

    told: dict[int, str] = {}
    backup_file(
        workspace, tmp_path / "b", {}, "1", clock, overwrite=False, progress=on_the_way, damaged=told.__setitem__
    )
    assert told == {}
    assert bring_back(tmp_path / "b", copy) == []
    gone = rows(workspace, "catalogue", "SELECT id FROM segment WHERE state = 'removed'")
    assert gone
    assert rows(copy, "catalogue", "SELECT id FROM segment WHERE state = 'removed'") == gone
    assert exported(copy)["gaps"] == exported(workspace)["gaps"]
    assert exported(copy)["messages"] == exported(workspace)["messages"]
    assert list(verify(copy)) == []


def test_a_segment_that_is_sealed_meanwhile_comes_along(
    workspace: Workspace, copy: Workspace, writer: StoreWriter, clock: FakeClock, tmp_path: Path
) -> None:
    commit(writer, clock, range(20))
    next_segment(writer)
    commit(writer, clock, range(20, 40))

    def end_and_seal(*_: int) -> None:
        if not rows(workspace, "catalogue", "SELECT 1 FROM segment WHERE id = 2 AND layout = 2"):
            next_segment(writer)
            clock.advance(SECOND)
            writer.housekeep()
            seal(workspace.segment(2), workspace.sealing(2))
            writer.sealing.swap_in(2)

    told: dict[int, str] = {}
    backup_file(
        workspace, tmp_path / "b", TEXTS, "1", FakeClock(), overwrite=False, progress=end_and_seal,
        damaged=told.__setitem__,
    )  # fmt: skip
    assert (told, bring_back(tmp_path / "b", copy)) == ({}, [])
    again = StoreWriter(copy, clock)
    assert again.problems == []
    again.close()
    assert payloads(copy) == [n for n in range(40) for _ in range(2)]
    assert list(verify(copy)) == []


def test_what_ended_before_is_left_out_and_told_as_a_gap(
    writer: StoreWriter, workspace: Workspace, copy: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    for first in (0, 10, 20):
        commit(writer, clock, range(first, first + 10))
        next_segment(writer)
    commit(writer, clock, range(30, 40))
    at_the_end = T0 + 20 * SECOND  # of the second
    assert make_since(workspace, tmp_path / "b", at_the_end) == (1, 20)
    assert make_since(workspace, tmp_path / "later", at_the_end + 1) == (2, 40)
    assert bring_back(tmp_path / "b", copy) == []
    assert sorted(one.name for one in copy.segments.iterdir()) == ["2.db", "3.db", "4.db"]
    assert payloads(copy) == [n // 2 for n in range(20, 80)]
    gaps = "SELECT since_us, until_us, agent_id, cause, count, segment_id FROM gap WHERE cause = 'left-out'"
    assert rows(copy, "catalogue", gaps) == [(T0 + SECOND, T0 + 10 * SECOND, 0, "left-out", 20, 1)]
    assert rows(workspace, "catalogue", gaps) == [], "the original knows nothing of it"
    assert list(verify(copy)) == []
    StoreWriter(copy, clock).close()
    assert payloads(copy) == [n // 2 for n in range(20, 80)]


def test_without_older_history_nothing_is_left_out(original: tuple[Workspace, Path], tmp_path: Path) -> None:
    assert make_since(original[0], tmp_path / "b", T0) == (0, 0)
    with tarfile.open(tmp_path / "b", "r:gz") as made:
        first = made.extractfile("backup.json")
        assert first is not None
        about = msgspec.json.decode(first.read())
    assert (about["since_us"], about["host"]) == (0, platform.node())


def test_a_damaged_file_that_ended_before_is_left_out_with_the_gap_it_has(
    writer: StoreWriter, workspace: Workspace, copy: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    commit(writer, clock, range(10))
    next_segment(writer)
    writer.close()
    workspace.segment(1).unlink()
    StoreWriter(workspace, clock).close()
    assert make_since(workspace, tmp_path / "b", clock.wall_us() + 1) == (1, 20)
    assert bring_back(tmp_path / "b", copy) == []
    assert rows(copy, "catalogue", "SELECT cause FROM gap") == [("damaged",)]
    assert list(verify(copy)) == []


def test_an_import_under_way_is_left_out(
    writer: StoreWriter, workspace: Workspace, copy: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    commit(writer, clock, range(5))
    run = writer.begin_import([ImportedFile("/old", "abc", 1)])
    run.commit(batch_of(writer.names, [message(T0 - SECOND, b"old", b"99")], ["old"]))
    make(workspace, tmp_path / "b")
    run.cancel()
    bring_back(tmp_path / "b", copy)
    assert rows(copy, "catalogue", "SELECT id, state FROM segment") == [(1, "open")]
    assert [one.name for one in copy.segments.iterdir()] == ["1.db"]
    assert payloads(copy) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_damaged_segment_comes_along_and_a_lost_one_is_told(
    writer: StoreWriter, workspace: Workspace, copy: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    for first in (0, 10, 20):
        commit(writer, clock, range(first, first + 10))
        next_segment(writer)
    writer.close()
    workspace.segment(1).write_bytes(b"nonsense")
    workspace.segment(2).unlink()
    told = make(workspace, tmp_path / "b")
    assert list(told) == [2]
    assert bring_back(tmp_path / "b", copy) == [2]
    assert copy.segment(1).read_bytes() == b"nonsense"
    assert {(one.segment, one.code) for one in verify(copy)} >= {(1, "unreadable"), (2, "missing")}
    assert payloads(copy) == [n // 2 for n in range(40, 60)]


def test_a_file_that_is_there_is_replaced_only_where_wanted(original: tuple[Workspace, Path], archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(EnvironmentProblem, match="exists already"):
        make(original[0], archive)
    assert archive.read_bytes() == before
    archive.write_bytes(b"old")
    make(original[0], archive, overwrite=True)
    assert archive.read_bytes()[:2] == b"\x1f\x8b"


def test_a_backup_that_breaks_off_leaves_nothing(
    writer: StoreWriter, workspace: Workspace, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(writer, clock, range(5))

    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(backup_module, "Manifest", interrupt)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        make(workspace, tmp_path / "b")
    assert sorted(tmp_path.iterdir()) == before


def refused(path: Path, copy: Workspace, code: str = "backup.unusable") -> str:
    """Why it is refused; nothing is left of it."""
    before = sorted(copy.root.parent.iterdir())
    with pytest.raises(EnvironmentProblem) as raised:
        bring_back(path, copy)
    assert raised.value.problem.code == code
    assert sorted(copy.root.parent.iterdir()) == before
    return str(raised.value)


def test_a_backup_that_was_cut_is_refused(archive: Path, copy: Workspace) -> None:
    data = archive.read_bytes()
    for size in [*range(0, len(data), 4096), *range(len(data) - 40, len(data))]:
        archive.write_bytes(data[:size])
        refused(archive, copy)


def test_a_backup_that_was_damaged_is_refused(archive: Path, copy: Workspace) -> None:
    data = archive.read_bytes()
    chance = random.Random(1)
    for _ in range(60):
        damaged = bytearray(data)
        damaged[chance.randrange(10, len(data))] ^= 1 << chance.randrange(8)
        archive.write_bytes(damaged)
        if not same_inside(damaged, data):  # a bit that stands for nothing
            refused(archive, copy)


def test_an_archive_that_was_changed_is_refused(
    archive: Path, original: tuple[Workspace, Path], copy: Workspace
) -> None:
    """Whole as far as gzip can tell: any byte of a header, of a file or of the manifest."""
    data = gzip.decompress(archive.read_bytes())
    with tarfile.open(archive, "r:gz") as old:
        headers = [info.offset for info in old.getmembers()]
    chance = random.Random(2)
    outcomes = set()
    for turn in range(150):
        changed = bytearray(data)
        place = chance.choice(headers) + chance.randrange(512) if turn % 3 else chance.randrange(len(data))
        changed[place] = chance.randrange(256)
        archive.write_bytes(gzip.compress(changed, 1))
        try:
            bring_back(archive, copy)
        except EnvironmentProblem as problem:
            outcomes.add(problem.problem.code)
            assert not copy.root.exists()
        else:  # a byte that stands for nothing, such as an owner's name
            outcomes.add("same")
            assert copy.segment(1).read_bytes() == original[0].segment(1).read_bytes()
            assert list(verify(copy)) == []
            shutil.rmtree(copy.root)
    assert outcomes <= {"same", "backup.unusable", "backup.newer"}
    assert "backup.unusable" in outcomes


def same_inside(one: bytes, other: bytes) -> bool:
    try:
        return gzip.decompress(one) == gzip.decompress(other)
    except (OSError, EOFError, zlib.error):
        return False


@pytest.mark.parametrize(
    "data",
    [b"", b"not a backup", gzip.compress(b"x" * 100_000), gzip.compress(b"\0" * 20_480)],
    ids=["empty", "text", "letters", "zeros"],
)
def test_another_file_is_refused(data: bytes, copy: Workspace, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(data)
    refused(tmp_path / "b", copy)


def test_a_file_that_is_not_there_is_told(copy: Workspace, tmp_path: Path) -> None:
    assert "cannot be used" in refused(tmp_path / "b", copy, "file.unusable")


def rewritten(archive: Path, *more: tarfile.TarInfo, change: dict[str, bytes] | None = None) -> Path:
    """The same backup with other members after its first, or with other bytes in one."""
    path = archive.with_name("hostile.tar.gz")
    with tarfile.open(archive, "r:gz") as old, tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT) as new:
        for place, info in enumerate(old.getmembers()):
            member = old.extractfile(info)
            assert member is not None
            data = (change or {}).get(info.name, member.read())
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
            for one in more if place == 0 else ():
                new.addfile(one, io.BytesIO(b"x" * one.size))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    "info",
    [
        member("../escaped"), member("/tmp/escaped"), member("segments/../../escaped"), member("recorder.lock"),
        member("segments/01.db"), member("segments/x.db"), member("catalogue.db-wal"), member("x" * 200),
        member("segments/7.db", tarfile.SYMTYPE, "/etc/passwd"), member("segments/7.db", tarfile.LNKTYPE, "catalogue.db"),
        member("segments", tarfile.DIRTYPE), member("segments/7.db", tarfile.FIFOTYPE),
        member("segments/7.db", tarfile.CHRTYPE), member("segments/7.db", tarfile.BLKTYPE), member("segments/7.db"),
        member("catalogue.db"), member("manifest.json"), member("backup.json"), member("layouts/../../escaped.toml"),
        member("layouts/.hidden.toml"), member("layouts/a/b.toml"), member("layouts/a\\b.toml"), member("layouts/a\n.toml"),
        member("layouts/a.db"), member("layouts", tarfile.DIRTYPE), member("layouts/a.toml", tarfile.SYMTYPE, "/etc/passwd"),
    ],
)  # fmt: skip
def test_a_hostile_member_is_refused(info: tarfile.TarInfo, archive: Path, copy: Workspace) -> None:
    path = rewritten(archive, info)
    refused(path, copy)
    assert not (copy.root.parent / "escaped").exists()


def test_a_backup_of_before_comes_back_as_before(archive: Path, copy: Workspace) -> None:
    """It held neither rules nor queries nor layouts."""
    path = archive.with_name("old.tar.gz")
    with tarfile.open(archive, "r:gz") as old, tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as new:
        for info in old.getmembers():
            if info.name.startswith(("rules", "queries", "layouts")):
                continue
            member = old.extractfile(info)
            assert member is not None
            data = member.read()
            if info.name == "backup.json":
                data = data.replace(b'"murmurscope_backup": 3', b'"murmurscope_backup": 2')
            elif info.name == "manifest.json":
                held = msgspec.json.decode(data)
                held["files"] = [
                    one for one in held["files"] if not one["name"].startswith(("rules", "queries", "lay"))
                ]
                data = msgspec.json.encode(held)
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    assert bring_back(path, copy) == []
    assert {one.name for one in copy.root.iterdir()} == {"catalogue.db", "segments", "settings.toml"}
    assert list(verify(copy)) == []


def killed_at(calls: int, run: Callable[[], object]) -> bool:
    """Run it in a process that is killed at this call of a function; False: it came to its end before."""

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls -= event == "call"
        if calls < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        try:
            sys.setprofile(count)
            run()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_killed_at_any_moment_a_backup_and_what_comes_back_is_whole_or_not_there(
    original: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, archive = original
    path, number = tmp_path / "b.tar.gz", 0
    while killed_at(40 * (number := number + 1), lambda: make(workspace, path)) and not path.exists():
        number += number // 4
    whole = Workspace.at(tmp_path / "whole")
    assert bring_back(path, whole) == []
    assert exported(whole) == exported(workspace)
    copy, number = Workspace.at(tmp_path / "killed"), 0
    while killed_at(40 * (number := number + 1), lambda: bring_back(archive, copy)) and not copy.root.exists():
        number += number // 4
    assert {name: (copy.root / name).read_bytes() for name in TEXTS} == TEXTS
    assert exported(copy) == exported(workspace)


def test_a_file_that_is_not_as_its_manifest_says_is_refused(archive: Path, copy: Workspace) -> None:
    path = rewritten(archive, change={"settings.toml": b"[retention]\ngib = 2.0\n"})
    assert "settings.toml in it is not as it was backed up" in refused(path, copy)


@pytest.mark.parametrize("key", ["murmurscope_backup", "catalogue_schema", "segment_layout"])
def test_a_backup_of_a_newer_program_is_refused(key: str, archive: Path, copy: Workspace) -> None:
    with tarfile.open(archive, "r:gz") as old:
        first = old.extractfile("backup.json")
        assert first is not None
        about = msgspec.json.decode(first.read())
    path = rewritten(archive, change={"backup.json": msgspec.json.encode({**about, key: 1_000})})
    assert "written by a newer Murmurscope (1.2.3)" in refused(path, copy, "backup.newer")


def test_only_an_empty_folder_is_restored_into(archive: Path, copy: Workspace) -> None:
    copy.root.mkdir()
    (copy.root / "mine").touch()
    assert "is not empty" in refused(archive, copy, "workspace.used")
    assert [one.name for one in copy.root.iterdir()] == ["mine"]
    (copy.root / "mine").unlink()
    bring_back(archive, copy)
    assert list(verify(copy)) == []


def test_folders_made_for_nothing_are_taken_away(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])
    with contextlib.suppress(EnvironmentProblem):
        bring_back(archive, Workspace.at(tmp_path / "a" / "b" / "c"))
    assert not (tmp_path / "a").exists()
