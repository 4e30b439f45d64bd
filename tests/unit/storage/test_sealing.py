"""A closed segment is written anew and swapped in: the same rows, whatever is killed, broken or full."""

import io
import os
import random
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import apsw
import pytest

from models.domain.problems import EnvironmentProblem
from models.storage.copies.backup import backup_file
from models.storage.copies.restore import restore
from models.storage.copies.verify import verify
from models.storage.export.run import DATASETS, STREAMS, export
from models.storage.history.follow import Follower, Place
from models.storage.history.info import store_info
from models.storage.history.store_view import StoreView
from models.storage.keeping.retention import StoreLimits
from models.storage.sealing import swap
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.unacknowledged import read_last_commits
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.reading import RECORDINGS, recorded
from tests.helpers.recorded_store import as_live, of_our_own_agents, record
from tests.helpers.store import rows

SMALL = StoreLimits(segment_bytes=500_000)
NAMES = [path.stem for path in sorted(RECORDINGS.glob("*.jsonl"))]


def exports(workspace: Workspace, kinds: Sequence[str] = ("csv", "jsonl")) -> dict[str, bytes]:
    found = {}
    for dataset in DATASETS:
        for kind in kinds:
            out = io.BytesIO()
            export(workspace, dataset, out, format=kind, clock=FakeClock())
            found[f"{dataset}.{kind}"] = out.getvalue()
    return found


def reopen(workspace: Workspace) -> StoreWriter:
    return StoreWriter(workspace, FakeClock())


def seal_all(workspace: Workspace) -> int:
    """What recorder and sealer do together; answers how many there were."""
    writer = reopen(workspace)
    waiting = writer.sealing.waiting()
    for id_ in waiting:
        seal(workspace.segment(id_), workspace.sealing(id_))
        writer.sealing.swap_in(id_)
    assert writer.sealing.waiting() == []
    writer.close()
    return len(waiting)


def layouts(workspace: Workspace) -> list[str]:
    ids = [id_ for (id_,) in rows(workspace, "catalogue", "SELECT id FROM segment WHERE state = 'closed'")]
    return [rows(workspace, id_, "SELECT value FROM meta WHERE key = 'layout'")[0][0] for id_ in ids]


def assert_whole(workspace: Workspace, before: dict[str, bytes]) -> None:
    assert list(verify(workspace)) == []
    after = exports(workspace, sorted({name.partition(".")[2] for name in before}))
    assert [name for name in before if after[name] != before[name]] == []


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A fleet in several closed segments. Copied by whoever changes it."""
    return record(tmp_path_factory.mktemp("fleet") / "ws", of_our_own_agents(), SMALL)


@pytest.fixture
def workspace(fleet: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(fleet.root, tmp_path / "ws")
    return Workspace.at(tmp_path / "ws")


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_is_exported_the_same_once_it_is_sealed(name: str, tmp_path: Path) -> None:
    workspace = record(tmp_path / "ws", as_live(recorded(name)))
    before = exports(workspace)
    assert seal_all(workspace) == 1
    assert layouts(workspace) == ["2"]
    assert_whole(workspace, before)


def test_a_fleet_in_several_segments_is_exported_the_same(workspace: Workspace) -> None:
    before = exports(workspace)
    count = seal_all(workspace)
    assert count > 2
    assert set(layouts(workspace)) == {"2"}
    assert_whole(workspace, before)
    assert rows(workspace, "catalogue", "SELECT count(*) FROM segment WHERE unsealed_bytes > 0") == [(count,)]
    told = store_info(workspace)["sealed"]
    assert told == {
        "segments": count, "bytes": told["bytes"], "bytes_before": told["bytes_before"],
        "bytes_saved": told["bytes_before"] - told["bytes"], "waiting": 0, "failures": 0,
    }  # fmt: skip


def test_a_reader_reads_on_in_what_was_there_and_then_takes_the_new_file(workspace: Workspace) -> None:
    view = StoreView(workspace)
    view.refresh()
    row = view.all()[0]
    opened = view.open(row)
    count = opened.number("select count(*) from message")
    seal_all(workspace)
    assert opened.number("select count(*) from message") == count
    view.refresh()
    again = view.open(view.all()[0])
    assert (again.layout, again is opened) == (2, False)
    assert again.number("select count(*) from message") == count
    view.close()


def test_recording_goes_on_after_sealed_segments(workspace: Workspace) -> None:
    seal_all(workspace)
    sealed = {path: path.read_bytes() for path in workspace.segments.glob("*.db")}
    writer = reopen(workspace)
    assert writer.problems == []
    writer.begin_capture("mqtt://h", "c")
    writer.close()
    assert {path: path.read_bytes() for path in sealed} == sealed, "a sealed file is never written again"
    assert list(verify(workspace)) == []


def test_a_lost_catalogue_is_filled_from_sealed_segments_too(workspace: Workspace) -> None:
    told = [name for name in exports(workspace) if not name.startswith(("agents", "presence"))]
    before = exports(workspace)
    seal_all(workspace)
    for path in workspace.root.glob("catalogue.db*"):
        path.unlink()
    writer = reopen(workspace)
    assert writer.problems == []
    assert writer.sealing.waiting() == []
    writer.close()
    after = exports(workspace)
    assert [name for name in told if after[name] != before[name]] == []
    assert list(verify(workspace)) == []


# ---------------------------------------------------------------- what goes wrong


def test_a_damaged_source_stays_as_it_is(workspace: Workspace) -> None:
    path = workspace.segment(1)
    data = bytearray(path.read_bytes())
    data[data.index(b"crawler", len(data) // 2)] ^= 1
    path.write_bytes(data)
    with pytest.raises(EnvironmentProblem) as caught:
        seal(path, workspace.sealing(1))
    assert caught.value.problem.code == "sealing.damaged"
    assert path.read_bytes() == data
    assert not workspace.sealing(1).exists()


def test_a_full_disk_is_told_and_the_source_stays(workspace: Workspace) -> None:
    path = workspace.segment(1)
    data = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(EnvironmentProblem) as caught:
            seal(path, workspace.sealing(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.problem.code in ("store.full", "store.io")
    assert path.read_bytes() == data
    assert not workspace.sealing(1).exists(), "what was begun gives its room back"
    seal(path, workspace.sealing(1))  # once there is room


def test_failures_are_counted_where_info_finds_them(workspace: Workspace) -> None:
    writer = reopen(workspace)
    for _ in range(3):
        writer.sealing.failed(1)
    assert store_info(workspace)["sealed"]["failures"] == 3
    seal(workspace.segment(1), workspace.sealing(1))
    writer.sealing.swap_in(1)
    assert store_info(workspace)["sealed"]["failures"] == 0
    writer.close()


def test_a_segment_that_retention_removed_meanwhile_stays_removed(workspace: Workspace) -> None:
    seal(workspace.segment(1), workspace.sealing(1))
    writer = reopen_without_mending(workspace)
    while workspace.segment(1).exists():  # its hours are summed up first, a little at a time
        writer.use_limits(StoreLimits(retention_bytes=1))
    writer.sealing.swap_in(1)
    assert not workspace.segment(1).exists()
    assert list(workspace.segments.glob("*.sealing*")) == []
    writer.close()


def reopen_without_mending(workspace: Workspace) -> StoreWriter:
    aside = workspace.root / "aside"
    workspace.sealing(1).rename(aside)  # a recorder that starts removes what another one left
    writer = reopen(workspace)
    aside.rename(workspace.sealing(1))
    return writer


def test_what_is_swapped_in_is_on_the_disk_before_the_catalogue_knows(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut keeps only what was synced: first the file, then its name, then the catalogue."""
    done: list[str] = []
    sync, sync_folder, replace, begin = os.fsync, swap.sync_folder, Path.replace, swap.transaction

    def noting(what: str, call: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object) -> object:
            done.append(what)
            return call(*arguments)

        return noted

    monkeypatch.setattr(os, "fsync", noting("sync", sync))
    writer = reopen(workspace)
    done.clear()
    seal(workspace.segment(1), workspace.sealing(1))
    assert done == ["sync"]
    monkeypatch.setattr(Path, "replace", noting("rename", replace))
    monkeypatch.setattr(swap, "sync_folder", noting("folder", sync_folder))
    monkeypatch.setattr(swap, "transaction", noting("catalogue", begin))
    writer.sealing.swap_in(1)
    assert [one for one in done if one != "sync"] == ["rename", "folder", "catalogue"]
    assert done.index("sync") < done.index("rename")
    monkeypatch.undo()
    writer.close()


# ---------------------------------------------------------------- killed


def killed(workspace: Workspace, prepare: Callable[[], None]) -> bool:
    """Seal everything in a process that `prepare` has killed at some moment; false where it came to the end before."""
    child = os.fork()
    if not child:
        try:
            prepare()
            seal_all(workspace)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def after_seconds(seconds: float) -> Callable[[], None]:
    def prepare() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # which ends the process, wherever it is
        signal.setitimer(signal.ITIMER_REAL, seconds)

    return prepare


def within_the_swaps(calls: int) -> Callable[[], None]:
    """At the given call, or end of one, of any function while something is swapped in."""

    def prepare() -> None:
        left = calls
        swap_in = swap.Sealing.swap_in

        def count(_frame: object, _event: str, _argument: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def counted(sealing: swap.Sealing, id_: int) -> None:
            sys.setprofile(count)
            swap_in(sealing, id_)
            sys.setprofile(None)

        swap.Sealing.swap_in = counted  # type: ignore[method-assign] # of this process alone

    return prepare


STEPS = 1_000
"""Calls and returns while two or three files are swapped in."""


def check_kills(folder: Path, kills: int) -> None:
    """Half at any moment, half at every step of the swaps."""
    chance = random.Random(20261127)
    fleet = record(folder / "fleet", of_our_own_agents(15), SMALL)
    before = exports(fleet, ("csv",))
    for number in range(kills):
        workspace = Workspace.at(folder / str(number))
        shutil.copytree(fleet.root, workspace.root)
        moment = after_seconds(chance.uniform(0, 0.3)) if number % 2 else within_the_swaps(number * STEPS // kills)
        while killed(workspace, moment) and number % 3 == 0:
            moment = after_seconds(chance.uniform(0.05, 0.8))  # and killed again, where the first one left it
        writer = reopen(workspace)
        assert writer.problems == []
        waiting = writer.sealing.waiting()
        writer.close()
        assert list(workspace.segments.glob("*.sealing*")) == []
        told = rows(workspace, "catalogue", "SELECT layout FROM segment WHERE state = 'closed' ORDER BY id")
        assert [str(layout) for (layout,) in told] == layouts(workspace)
        assert_whole(workspace, before)
        assert seal_all(workspace) == len(waiting)
        assert_whole(workspace, before)
        shutil.rmtree(workspace.root)


def test_killed_at_any_moment_nothing_is_half(tmp_path: Path) -> None:
    check_kills(tmp_path, 10)


@pytest.mark.long
def test_killed_two_hundred_times_nothing_is_half(tmp_path: Path) -> None:
    check_kills(tmp_path, 200)


def test_verify_names_a_damaged_block_and_goes_on(workspace: Workspace) -> None:
    seal_all(workspace)
    database = apsw.Connection(str(workspace.segment(2)))
    (data,) = next(iter(database.execute("SELECT data FROM message_block WHERE block = 0")))
    broken = bytearray(data)
    broken[len(broken) // 2] ^= 16
    database.execute("UPDATE message_block SET data = ? WHERE block = 0", (bytes(broken),))
    database.close()
    found = [(one.segment, one.code, one.detail.partition(":")[0]) for one in verify(workspace)]
    count = rows(workspace, "catalogue", "SELECT messages FROM segment WHERE id = 2")[0][0]
    assert (2, "checksum", f"message 1 to {min(1000, count)}") in found
    assert {segment for segment, *_ in found} == {2}


@pytest.mark.parametrize(("table", "number"), [("message", -1), ("message", -4), ("log", -2), ("batch", -3)])
def test_verify_names_a_damaged_copy_of_a_directory(workspace: Workspace, table: str, number: int) -> None:
    seal_all(workspace)
    database = apsw.Connection(str(workspace.segment(2)))
    database.execute(f"UPDATE {table}_block SET data = zeroblob(40) WHERE block = ?", (number,))
    assert database.changes() == 1
    database.close()
    found = [(one.segment, one.code, one.detail.partition(":")[0]) for one in verify(workspace)]
    assert found == [(2, "checksum", f"copy {-number} in {table}_block")]


def test_what_may_come_again_is_known_from_sealed_segments_too(workspace: Workspace) -> None:
    ids = [id_ for (id_,) in rows(workspace, "catalogue", "SELECT id FROM segment ORDER BY id DESC")]
    before = read_last_commits(workspace, ids).unacknowledged
    assert before
    seal_all(workspace)
    assert read_last_commits(workspace, ids).unacknowledged == before


def test_whoever_follows_goes_on_in_a_sealed_segment_where_he_was(workspace: Workspace) -> None:
    found: dict[str, list[str]] = {dataset: [] for dataset in STREAMS}

    def follow(place: Place, pieces: int) -> Place:
        follower = Follower(workspace, jsonl=True)
        for piece in islice(follower.pieces(place), pieces):
            if piece.dataset:
                found[piece.dataset] += piece.lines
            assert piece.lost == 0
            place = piece.place
        follower.close()
        return place

    place = follow(Place(), 7)  # within the second segment
    seal_all(workspace)
    place = follow(place, 9)
    follow(place, 1_000_000)
    for dataset, lines in found.items():
        out = io.BytesIO()
        export(workspace, dataset, out, format="jsonl")
        assert "".join(lines).encode() == out.getvalue(), dataset


def test_a_backup_of_sealed_segments_comes_back_whole(workspace: Workspace, tmp_path: Path) -> None:
    before = exports(workspace, ("csv",))
    seal_all(workspace)
    path, clock = tmp_path / "kept.backup", FakeClock()
    done = backup_file(
        workspace, path, {}, "1", clock, overwrite=False, progress=lambda *_: None, damaged=lambda *_: None
    )
    assert done.size_bytes > 0
    back = Workspace.at(tmp_path / "back")
    restore(back, path, lambda *_: None)
    assert set(layouts(back)) == {"2"}
    assert_whole(back, before)


@pytest.mark.parametrize("table", ["log_words_data", "message_topic", "pulse", "sample_chunk", "topic"])
def test_verify_finds_damage_beside_the_blocks(workspace: Workspace, table: str) -> None:
    seal_all(workspace)
    database = apsw.Connection(str(workspace.segment(2)))
    columns = [str(name) for _, name, *_ in database.execute(f"PRAGMA table_info({table})")]
    (row,) = database.execute(f"SELECT * FROM {table} ORDER BY 1 DESC LIMIT 1").fetchall()
    name, value = columns[-1], row[-1]
    changed = bytes([value[0] ^ 1]) + value[1:] if isinstance(value, bytes) else f"{value}!"
    database.execute(f"UPDATE {table} SET {name} = ? WHERE {columns[0]} = ?", (changed, row[0]))
    database.close()
    found = [(one.segment, one.code, one.detail) for one in verify(workspace)]
    assert (2, "checksum", f"{table} is not as it was written") in found
    assert {segment for segment, *_ in found} == {2}
