"""What another workspace recorded comes into this one: whole or not at all, once, and never in the way of what is live."""

import errno
import platform
import random
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.recorder import merge_run
from models.domain.presence_words import Presence
from models.domain.problems import EnvironmentProblem
from models.domain.recorded import ImportProgress
from models.storage.copies import merge_writer
from models.storage.copies.stand_in import stand_in
from models.storage.copies.verify import verify
from models.storage.history.info import store_info
from models.storage.keeping.pins import pinned
from models.storage.keeping.retention import StoreLimits
from models.storage.lock import RecorderLock
from models.storage.sealing.seal import seal
from models.storage.segments.segment_file import remove_files
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.merging import DATASETS, Recorder, by_content, whole

SECOND = 1_000_000


@pytest.fixture
def server(tmp_path: Path, clock: FakeClock) -> Iterator[Recorder]:
    one = Recorder(tmp_path / "server", clock)
    yield one
    one.store.close()


@pytest.fixture
def laptop(tmp_path: Path, clock: FakeClock) -> Iterator[Recorder]:
    """Has recorded something else, so that no id is the same."""
    one = Recorder(tmp_path / "laptop", clock, first_agent=100)
    one.begin()
    one.record(7)
    yield one
    one.store.close()


def test_all_of_it_comes_in_beside_what_is_here(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(20, presence=Presence.ONLINE, gap=True)
    server.begin()
    server.record(10)
    result = laptop.bring(server.back_up(tmp_path / "b"))
    assert (result.segments, result.held_segments, result.messages, result.agents) == (2, 0, 60, 3)
    assert (result.samples, result.logs) == (60, 30)
    server.store.close()
    laptop.store.close()
    whole(laptop)
    alone = Recorder(tmp_path / "alone", FakeClock(T0), first_agent=100)
    alone.begin()
    alone.record(7)
    alone.store.close()
    assert by_content(laptop.exported()) == by_content(server.exported(), alone.exported())


def test_the_same_backup_again_adds_nothing(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(5)
    server.back_up(tmp_path / "b")
    laptop.bring(tmp_path / "b")
    before, captures = laptop.exported(), laptop.ask("SELECT count(*) FROM capture")
    result = laptop.bring(tmp_path / "b")
    assert (result.segments, result.held_segments, result.messages, result.agents) == (0, 1, 0, 0)
    assert laptop.exported() == before
    assert laptop.ask("SELECT count(*) FROM capture") == captures
    whole(laptop)


def test_rules_queries_and_layouts_of_the_other_are_not_taken(
    server: Recorder, laptop: Recorder, tmp_path: Path
) -> None:
    server.begin()
    server.record(5)
    mine = laptop.workspace.rules
    mine.write_bytes(b"# mine")
    texts = {"rules.toml": b"# theirs", "queries.toml": b"# theirs", "layouts/Theirs.toml": b"# theirs"}
    assert laptop.bring(server.back_up(tmp_path / "b", texts=texts)).segments == 1
    assert mine.read_bytes() == b"# mine"
    assert not laptop.workspace.queries.exists()
    assert not laptop.workspace.layouts.exists()
    whole(laptop)


def test_a_segment_that_grew_takes_the_place_of_its_beginning(
    server: Recorder, laptop: Recorder, tmp_path: Path
) -> None:
    server.begin()
    server.record(5, presence=Presence.ONLINE, gap=True)
    laptop.bring(server.back_up(tmp_path / "b"))
    server.record(5, gap=True)
    server.begin()
    server.record(3)
    result = laptop.bring(server.back_up(tmp_path / "b"))
    assert (result.segments, result.held_segments, result.messages) == (2, 0, 16), "only what is new counts"
    server.store.close()
    laptop.store.close()
    whole(laptop)
    own = by_content(laptop.exported())
    theirs = by_content(server.exported())
    assert all(set(theirs[dataset]) <= set(own[dataset]) for dataset in DATASETS)
    assert len(own["gaps"]) == len(theirs["gaps"])
    assert len(own["presence"]) == len(theirs["presence"])
    assert laptop.ask("SELECT sum(messages) FROM agent_now") == [(7 + 13,)]


def test_what_is_replaced_stays_while_somebody_reads_it(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(5)
    laptop.bring(server.back_up(tmp_path / "b"))
    ((old,),) = laptop.ask("SELECT max(id) FROM segment")
    server.record(5)
    server.back_up(tmp_path / "b")
    with pinned(laptop.workspace, lambda: [old]):
        laptop.bring(tmp_path / "b")
        assert laptop.workspace.segment(old).exists()
    laptop.store.close()
    laptop.store = StoreWriter(laptop.workspace, laptop.clock)
    whole(laptop)


def test_what_came_in_stays_where_what_it_replaces_cannot_be_removed(
    server: Recorder, laptop: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.begin()
    server.record(5)
    laptop.bring(server.back_up(tmp_path / "b"))
    ((old,),) = laptop.ask("SELECT max(id) FROM segment")
    server.record(5)
    server.back_up(tmp_path / "b")

    def remove(path: Path) -> None:
        if path == laptop.workspace.segment(old):
            raise OSError(errno.EIO, "broken")
        remove_files(path)

    monkeypatch.setattr(merge_writer, "remove_files", remove)
    assert laptop.bring(tmp_path / "b").messages == 10
    assert laptop.ask("SELECT count(*), sum(messages) FROM segment WHERE id > 1 AND state = 'closed'") == [(1, 20)]
    laptop.store.close()
    laptop.store = StoreWriter(laptop.workspace, laptop.clock)
    whole(laptop)


def limited_once(laptop: Recorder, limits: StoreLimits) -> Callable[[object], None]:
    """What has history removed as soon as something is on its way in, and then nothing more."""
    left = [limits]

    def look(_: object) -> None:
        if left and laptop.ask("SELECT 1 FROM segment WHERE state = 'importing'"):
            laptop.store.use_limits(left.pop())
            laptop.store.use_limits(StoreLimits())

    return look


def test_what_grew_leaves_no_gap_where_retention_removed_its_beginning_meanwhile(
    server: Recorder, laptop: Recorder, tmp_path: Path
) -> None:
    server.begin()
    server.record(5, gap=True)
    laptop.bring(server.back_up(tmp_path / "b"))
    server.record(5, gap=True)
    server.back_up(tmp_path / "b")
    laptop.bring(tmp_path / "b", limited_once(laptop, StoreLimits(import_bytes=1)))
    assert laptop.ask("SELECT state FROM segment WHERE id = 2") == [("removed",)]
    server.store.close()
    laptop.store.close()
    whole(laptop)
    own, theirs = laptop.exported(), server.exported()
    assert len(own["messages"]) == 2 * 7 + len(theirs["messages"])
    assert len(own["gaps"]) == len(theirs["gaps"])
    assert laptop.ask("SELECT sum(messages) FROM agent_now") == [(7 + 10,)]


def test_what_was_held_and_is_removed_meanwhile_stays_a_gap(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(5)
    server.begin()
    laptop.bring(server.back_up(tmp_path / "b"))
    server.record(5)
    result = laptop.bring(server.back_up(tmp_path / "b"), limited_once(laptop, StoreLimits(import_bytes=1)))
    assert (result.segments, result.held_segments) == (1, 1)
    assert list(verify(laptop.workspace)) == []
    gaps = [(row["cause"], row["count"]) for row in laptop.exported()["gaps"] if row["cause"] == "retention"]
    assert gaps == [("retention", 10)]


def test_nobody_is_online_here_for_having_been_there(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(6, presence=Presence.ONLINE)
    server.record(3, presence=Presence.STOPPED)
    ended_us = server.clock.wall_us()
    server._agent = 50
    server.record(3, presence=Presence.ONLINE)
    laptop.bring(server.back_up(tmp_path / "b"))
    now = """SELECT name, presence, cause, since_us, n.imported FROM agent JOIN agent_now AS n ON agent_id = agent.id
        WHERE n.imported ORDER BY agent.id"""
    stopped = [(f"agent-{n}", int(Presence.STOPPED), "heard", ended_us - (2 - n) * SECOND, 1) for n in range(3)]
    last_us = server.clock.wall_us()
    unknown = [(f"agent-{50 + n}", int(Presence.UNKNOWN), "not-recording", last_us, 1) for n in range(3)]
    assert laptop.ask(now) == stopped + unknown


def test_who_is_heard_here_stays_as_heard(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server._agent = 100
    server.begin()
    laptop.record(3, presence=Presence.ONLINE)
    server.record(3, presence=Presence.OFFLINE)
    laptop.store.housekeep()
    laptop.bring(server.back_up(tmp_path / "b"))
    assert laptop.ask("SELECT presence, imported FROM agent_now") == [(int(Presence.ONLINE), 0)] * 3
    assert laptop.ask("SELECT sum(messages) FROM agent_now") == [(7 + 3 + 3,)]
    laptop.record(2)
    whole(laptop)


def test_a_part_and_then_the_rest_are_the_whole(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    for _ in range(4):
        server.begin()
        server.record(5)
    laptop.bring(server.back_up(tmp_path / "b", since_us=T0 + 15 * SECOND))
    left = "SELECT since_us, until_us, count FROM gap WHERE cause = 'left-out' ORDER BY 1"
    assert [count for _, _, count in laptop.ask(left)] == [10], "the day before T is missing, and told"
    result = laptop.bring(server.back_up(tmp_path / "b"))
    assert (result.segments, result.held_segments) == (1, 3)
    assert laptop.ask(left) == []


def test_the_users_own_words_are_taken_where_there_are_none(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(3)
    server.store.submit([
        {"do": "agent.rename", "agent": "agent-0", "name": "theirs"}, {"do": "agent.note", "agent": "agent-0", "note": "n"},
    ])  # fmt: skip
    laptop.bring(server.back_up(tmp_path / "b"))
    said = "SELECT given_name, given_group, note FROM agent WHERE name = 'agent-0'"
    assert laptop.ask(said) == [("theirs", "", "n")]
    laptop.store.submit([{"do": "agent.rename", "agent": "agent-0", "name": "ours"}])
    server.store.submit([{"do": "agent.group", "agent": "agent-0", "group": "g"}])
    assert laptop.bring(server.back_up(tmp_path / "b")).segments == 0
    assert laptop.ask(said) == [("ours", "g", "n")]


def test_a_folder_that_was_copied_comes_in_and_stays_as_it_is(
    server: Recorder, laptop: Recorder, tmp_path: Path
) -> None:
    server.begin()
    server.record(5)
    server.begin()
    server.record(5)
    copy = copied(server.workspace, tmp_path / "copy")
    before = fingerprint(copy)
    result = laptop.bring(copy)
    assert (result.segments, result.messages) == (2, 20)
    assert fingerprint(copy) == before
    assert laptop.bring(server.back_up(tmp_path / "b")).segments == 0, "whichever way it came"
    whole(laptop)


def copied(workspace: Workspace, to: Path) -> Path:
    """As a user copies it while it is in use: with the logs of its databases."""
    shutil.copytree(workspace.root, to, ignore=shutil.ignore_patterns("*-shm", "recorder.*"))
    return to


def fingerprint(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_workspace_that_is_being_written_is_refused(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    lock = RecorderLock(server.workspace, server.clock)
    lock.acquire("1")
    with pytest.raises(EnvironmentProblem, match="Make a backup of it"):
        laptop.bring(server.workspace.root)
    lock.release()
    whole(laptop)


def test_what_was_removed_or_damaged_here_comes_back_from_an_own_backup(laptop: Recorder, tmp_path: Path) -> None:
    laptop.begin()
    laptop.record(5)
    laptop.begin()
    laptop.back_up(tmp_path / "b")
    before = by_content(laptop.exported())
    laptop.store.use_limits(StoreLimits(retention_bytes=1))
    laptop.store.close()
    laptop.workspace.segment(2).unlink(missing_ok=True)
    laptop.store = StoreWriter(laptop.workspace, laptop.clock)
    assert {row["cause"] for row in laptop.exported()["gaps"]} <= {"retention", "damaged"}
    assert laptop.exported()["messages"] == []
    assert laptop.bring(tmp_path / "b").segments == 2
    after = by_content(laptop.exported())
    assert {key: after[key] for key in ("messages", "samples", "logs", "gaps")} == {
        key: before[key] for key in ("messages", "samples", "logs", "gaps")
    }


def test_a_backup_of_what_was_merged_is_known_for_what_it_is(
    server: Recorder, laptop: Recorder, tmp_path: Path, clock: FakeClock
) -> None:
    server.begin()
    server.record(5)
    laptop.bring(server.back_up(tmp_path / "b"))
    third = Recorder(tmp_path / "third", clock, first_agent=200)
    third.begin()
    third.record(1)
    assert third.bring(laptop.back_up(tmp_path / "of-laptop")).segments == 2
    again = third.bring(tmp_path / "b")
    assert (again.segments, again.held_segments) == (0, 1)
    whole(third)
    third.store.close()


def test_cancelling_anywhere_leaves_nothing(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(8)
    server.begin()
    server.record(8)
    server.back_up(tmp_path / "b")
    laptop.store.housekeep()
    before, files = laptop.exported(), fingerprint(laptop.workspace.segments)
    for at in range(1, 200):
        calls = []
        try:
            laptop.bring(tmp_path / "b", lambda progress, calls=calls, at=at: calls.append(1) or stop(len(calls) >= at))
        except KeyboardInterrupt:
            assert laptop.exported() == before
            assert set(fingerprint(laptop.workspace.segments)) == set(files)
            assert laptop.ask("SELECT count(*) FROM segment WHERE state = 'importing'") == [(0,)]
            assert not laptop.workspace.importing.exists()
        else:
            break
    else:
        pytest.fail("it never came to its end")
    assert at > 10, "it could be cancelled in many places"
    whole(laptop)


def test_a_file_that_is_copied_as_it_is_tells_how_far_it_is_and_may_be_cancelled(
    server: Recorder, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_run, "_BLOCK_BYTES", 4_096)
    server.begin()
    server.record(60)
    server.store.close()
    size = server.workspace.segment(1).stat().st_size
    original = server.workspace.segment(1).read_bytes()
    empty = Recorder(tmp_path / "empty", clock)
    told: list[int] = []

    def cancel(progress: ImportProgress) -> None:
        told.append(progress.bytes_done)
        stop(empty.workspace.segment(1).exists() and progress.bytes_total - progress.bytes_done < size // 2)

    with pytest.raises(KeyboardInterrupt):
        empty.bring(server.workspace.root, cancel)
    assert len({done for done in told if 0 < max(told) - done < size // 2}) > 5
    assert not list(empty.workspace.segments.iterdir())
    assert empty.bring(server.workspace.root).messages == 120
    assert stat.S_IMODE(empty.workspace.segment(1).stat().st_mode) == 0o600
    assert server.workspace.segment(1).read_bytes() == original
    whole(empty)
    empty.store.close()


def stop(now: bool) -> None:
    if now:
        raise KeyboardInterrupt


def test_what_a_kill_left_is_gone_at_the_next_start(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(8)
    server.back_up(tmp_path / "b")
    laptop.store.housekeep()
    laptop.store.close()
    before = laptop.exported()
    for at in (1, 3, 6, 12, 18, 24, 30, 40, 200):
        dead = shutil.copytree(laptop.workspace.root, tmp_path / f"dead-{at}", symlinks=True)
        child = subprocess.run([sys.executable, "-c", KILLED, str(dead), str(tmp_path / "b"), str(at)], check=False)
        again = Recorder(dead, laptop.clock)
        again.store.close()
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
        assert again.exported() == before
        whole(again)
    else:
        pytest.fail("it never came to its end")
    assert at > 13, "it could be killed in many places"


KILLED = """
import os, sys
from pathlib import Path
from app.recorder.import_run import at_once
from app.recorder.merge_run import Merger
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from models.domain.clock import SystemClock
workspace, clock, left = Workspace.at(sys.argv[1]), SystemClock(), int(sys.argv[3])
store = StoreWriter(workspace, clock)
def told(_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), 9)
Merger(workspace, store, at_once, clock).run(Path(sys.argv[2]), told)
store.close()
"""


@pytest.mark.parametrize("seed", range(6))
def test_backups_that_overlap_add_up_to_exactly_the_whole(seed: int, tmp_path: Path) -> None:
    """Two servers record and seal, some backups of each are brought in any order, some of them twice: what is here afterwards
    is what they hold together, and nothing twice."""
    chance, clock = random.Random(seed), FakeClock()
    servers = [Recorder(tmp_path / f"s{n}", clock, first_agent=10 * n) for n in range(2)]
    for server in servers:
        server.begin()
    backups: list[Path] = []
    for turn in range(10):
        server = chance.choice(servers)
        if chance.random() < 0.3:
            server.begin()
        presence = chance.choice([Presence.ONLINE, Presence.ONLINE, Presence.STOPPED, None])
        server.record(chance.randrange(1, 6), presence=presence, gap=chance.random() < 0.5)
        if chance.random() < 0.3:
            seal_all(server)
        if chance.random() < 0.6:
            since_us = clock.wall_us() - chance.randrange(40) * SECOND if chance.random() < 0.6 else 0
            backups.append(server.back_up(tmp_path / f"b{turn}", since_us))
    for server in servers:
        server.store.close()
    laptop = Recorder(tmp_path / "laptop", clock)
    for path in backups + chance.sample(backups, len(backups) // 2):
        laptop.bring(path)
    chance.shuffle(backups)
    other = Recorder(tmp_path / "other", clock, first_agent=500)
    other.begin()  # so that no name has the same id
    for path in backups:
        other.bring(path)
    for server in servers:
        laptop.bring(server.back_up(tmp_path / "last"))
        other.bring(tmp_path / "last")
    expected = by_content(*(server.exported() for server in servers))
    for one in (laptop, other):
        one.store.close()
        whole(one)
        assert by_content(one.exported()) == expected


def seal_all(recorder: Recorder) -> int:
    """What recorder and sealer do together; answers how many there were."""
    waiting = recorder.store.sealing.waiting()
    for id_ in waiting:
        seal(recorder.workspace.segment(id_), recorder.workspace.sealing(id_))
        recorder.store.sealing.swap_in(id_)
    return len(waiting)


def test_sealed_history_comes_in_under_other_ids(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    for _ in range(3):
        server.begin()
        server.record(6, presence=Presence.ONLINE, gap=True)
    server.store.housekeep()
    assert seal_all(server) == 2
    result = laptop.bring(server.back_up(tmp_path / "b"))
    assert (result.segments, result.messages, result.samples, result.logs) == (3, 36, 36, 18)
    whole(laptop)
    theirs, ours = by_content(server.exported()), by_content(laptop.exported())
    for dataset in ("messages", "samples", "logs", "gaps"):
        assert set(theirs[dataset]) <= set(ours[dataset])
    laptop.store.housekeep()
    assert seal_all(laptop) >= 3, "it is sealed again here"
    again = by_content(laptop.exported())
    assert {name: again[name] for name in ("messages", "samples", "logs")} == {
        name: ours[name] for name in ("messages", "samples", "logs")
    }
    assert laptop.bring(tmp_path / "b").segments == 0


def test_a_sealed_file_is_taken_as_it_is_where_no_id_changes(
    server: Recorder, tmp_path: Path, clock: FakeClock
) -> None:
    for _ in range(3):
        server.begin()
        server.record(6)
    server.store.housekeep()
    seal_all(server)
    empty = Recorder(tmp_path / "empty", clock)
    assert empty.bring(server.back_up(tmp_path / "b")).segments == 3
    assert empty.ask("SELECT layout, unsealed_bytes > 0 FROM segment ORDER BY id") == [(2, 1), (2, 1), (1, 0)]
    whole(empty)
    empty.store.close()
    server.store.close()
    assert by_content(empty.exported()) == by_content(server.exported())


def test_sealing_in_between_is_no_news(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(4)
    server.begin()
    server.record(4)
    server.store.housekeep()
    laptop.bring(server.back_up(tmp_path / "b"))
    seal_all(server)
    result = laptop.bring(server.back_up(tmp_path / "b"))
    assert (result.segments, result.held_segments) == (0, 2)


@pytest.mark.parametrize("sealed", [False, True], ids=["open layout", "sealed"])
def test_what_is_damaged_there_is_left_out_and_told(
    sealed: bool, server: Recorder, laptop: Recorder, tmp_path: Path
) -> None:
    for _ in range(3):
        server.begin()
        server.record(40)
    server.store.housekeep()
    if sealed:
        seal_all(server)
    path = server.workspace.segment(2)
    data = bytearray(path.read_bytes())
    for at in range(8_192, len(data), 4_096):
        data[at : at + 600] = random.Random(at).randbytes(600)
    path.write_bytes(data)
    result = laptop.bring(server.back_up(tmp_path / "b"))
    assert (result.segments, result.damaged_segments, result.messages) == (2, 1, 160)
    lost = [row for row in laptop.exported()["gaps"] if row["cause"] == "damaged"]
    assert [row["count"] for row in lost] == [80]
    whole(laptop)


def test_a_capture_tells_where_it_was_recorded(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(3)
    laptop.bring(server.back_up(tmp_path / "b"))
    told = [(one["kind"], one["broker"]) for one in store_info(laptop.workspace)["captures"]]
    assert told == [("record", "mqtt://broker"), ("import", f"{platform.node()} · mqtt://broker")]


def test_what_came_in_is_known_after_the_catalogue_was_lost(server: Recorder, laptop: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(5, presence=Presence.ONLINE)
    server.begin()
    server.record(5)
    laptop.bring(server.back_up(tmp_path / "b"))
    laptop.store.close()
    before = by_content(laptop.exported())
    for path in laptop.workspace.root.glob("catalogue*"):
        path.unlink()
    laptop.store = StoreWriter(laptop.workspace, laptop.clock)
    after = by_content(laptop.exported())
    assert {name: after[name] for name in DATASETS if name != "gaps"} == {
        name: before[name] for name in DATASETS if name != "gaps"
    }
    result = laptop.bring(tmp_path / "b")
    assert (result.segments, result.held_segments) == (0, 2)


def test_what_stands_in_is_for_its_owner_alone(server: Recorder, tmp_path: Path) -> None:
    server.begin()
    server.record(3)
    for path in (server.workspace.root, *server.workspace.root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    copy = copied(server.workspace, tmp_path / "copy")
    stand_in(copy, tmp_path / "in" / "place", server.clock, lambda *_: None)
    made = [tmp_path / "in" / "place", *(tmp_path / "in" / "place").rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in made if not path.is_symlink()} == {0}
