"""Messages that later ones cannot be read without: kept over a start, whatever happens to the files."""

import shutil
from pathlib import Path

from models.domain.messages import Origin, Properties, RawMessage
from models.domain.recorded import ImportedFile
from models.storage.copies.verify import verify
from models.storage.rereading.stored import StoredSegment
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.merging import Recorder
from tests.helpers.store import batch_of, catalogue_now, message, put_back, rows

FILE = ImportedFile("/data/monday.jsonl", "abc", 1_000)
PROPERTIES = Properties(content_type="text/x", user=(("who", "a"), ("who", "b")))


def declare(store: StoreWriter, clock: FakeClock, *told: tuple[bytes, bytes]) -> None:
    """A commit of messages that are to be remembered, and of one that is not."""
    clock.advance(1_000_000)
    now = clock.wall_us()
    some = [message(now + n, *one, properties=PROPERTIES if not n else None) for n, one in enumerate(told)]
    batch = batch_of(store.names, [*some, message(now, b"other", b"x")], ["a"] * (len(told) + 1))
    batch.remembered = list(range(len(told)))
    store.commit(batch)


def known(workspace: Workspace, clock: FakeClock) -> dict[bytes, bytes]:
    store = StoreWriter(workspace, clock)
    assert store.problems == []
    found = store.remembered()
    store.close()
    assert all(one.origin is Origin.REPLAY for one in found)
    assert list(verify(workspace)) == []
    return {one.topic: one.payload for one in found}


def test_the_last_of_each_topic_is_kept_and_an_empty_one_forgets(workspace: Workspace, clock: FakeClock) -> None:
    store = StoreWriter(workspace, clock)
    store.begin_capture("mqtt://broker", "client")
    declare(store, clock, (b"c/1", b"old"), (b"c/2", b"{}"), (b"c/1", b"newer"))
    declare(store, clock, (b"c/3", b"three"), (b"c/2", b""))
    assert [(one.topic, one.payload) for one in store.remembered()] == [(b"c/1", b"newer"), (b"c/3", b"three")]
    declare(store, clock, (b"c/1", b"newest"))
    first = store.remembered()[-1]
    assert first == RawMessage(b"c/1", b"newest", 0, True, False, 0, PROPERTIES, clock.wall_us(), Origin.REPLAY, 0)
    store.close()
    assert known(workspace, clock) == {b"c/1": b"newest", b"c/3": b"three"}


def test_what_there_is_no_room_for_is_forgotten_with_what_was_known_of_its_topic(
    workspace: Workspace, clock: FakeClock
) -> None:
    store = StoreWriter(workspace, clock)
    store.begin_capture("mqtt://broker", "client")
    declare(store, clock, (b"c/1", b"old"), (b"c/2", b"{}"))
    batch = batch_of(store.names, [message(clock.wall_us(), b"c/1", b"too large")], ["a"])
    batch.forgotten = [0]
    store.commit(batch)
    assert [(one.topic, one.payload) for one in store.remembered()] == [(b"c/2", b"{}")]
    store.begin_capture("mqtt://broker", "client")
    clock.advance(1_000_000)
    store.housekeep()
    for sealed in (False, True):
        if sealed:
            seal(workspace.segment(1), workspace.sealing(1))
            store.sealing.swap_in(1)
        with StoredSegment.opened(workspace, 1) as stored:
            told = [(one.topic, one.payload) for one in stored.remembered()]
        assert told == [(b"c/1", b"old"), (b"c/2", b"{}"), (b"c/1", b"")]
    store.close()
    assert known(workspace, clock) == {b"c/2": b"{}"}
    put_back(workspace, None)
    assert known(workspace, clock) == {b"c/2": b"{}"}


def test_a_kill_after_the_commit_costs_none(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    store = StoreWriter(workspace, clock)
    store.begin_capture("mqtt://broker", "client")
    declare(store, clock, (b"c/1", b"one"), (b"c/2", b"two"))
    store.housekeep()
    declare(store, clock, (b"c/1", b"uno"), (b"c/2", b""))
    killed = Workspace.at(tmp_path / "killed")
    shutil.copytree(workspace.root, killed.root)
    store.close()
    assert known(killed, clock) == {b"c/1": b"uno"}


def test_a_lost_catalogue_gets_them_back_from_the_segments(workspace: Workspace, clock: FakeClock) -> None:
    store = StoreWriter(workspace, clock)
    store.begin_capture("mqtt://broker", "client")
    declare(store, clock, (b"c/1", b"one"), (b"c/2", b"two"))
    store.begin_capture("mqtt://broker", "client")
    clock.advance(1_000_000)
    store.housekeep()
    seal(workspace.segment(1), workspace.sealing(1))
    store.sealing.swap_in(1)
    declare(store, clock, (b"c/1", b"uno"))
    store.close()
    put_back(workspace, None)
    assert known(workspace, clock) == {b"c/1": b"uno", b"c/2": b"two"}


def test_an_import_replaces_nothing_that_is_newer(workspace: Workspace, clock: FakeClock) -> None:
    store = StoreWriter(workspace, clock)
    store.begin_capture("mqtt://broker", "client")
    declare(store, clock, (b"c/1", b"live"), (b"c/2", b"live"))
    run = store.begin_import([FILE])
    for later in (0, -5):  # time begins again in it
        some = [message(T0 - 1_000 + later, b"c/%d" % n, b"%d" % later, origin=Origin.IMPORTED) for n in (1, 3)]
        batch = batch_of(run.names, [*some, message(T0 - 990, b"c/2", b"", origin=Origin.IMPORTED)], ["a"] * 3)
        batch.remembered = [0, 1, 2]
        run.commit(batch)
        run.end_segment()
    before = catalogue_now(workspace)
    run.finish([FILE])
    store.close()
    expected = {b"c/1": b"live", b"c/2": b"live", b"c/3": b"0"}
    assert known(workspace, clock) == expected
    put_back(workspace, before)
    assert known(workspace, clock) == expected


def test_another_workspace_brings_its_own(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    other = Recorder(tmp_path / "other", clock)
    other.begin()
    declare(other.store, clock, (b"c/0", b"there"), (b"c/1", b"there"))
    other.store.close()
    here = Recorder(workspace.root, clock)
    here.begin()
    declare(here.store, clock, (b"c/1", b"here"))
    here.bring(other.workspace.root)
    here.store.close()
    assert known(workspace, clock) == {b"c/0": b"there", b"c/1": b"here"}


def test_retention_leaves_them(workspace: Workspace, clock: FakeClock) -> None:
    store = StoreWriter(workspace, clock)
    store.begin_capture("mqtt://broker", "client")
    declare(store, clock, (b"c/1", b"one"))
    store.begin_capture("mqtt://broker", "client")
    clock.advance(1_000_000)
    store.housekeep()
    store.use_limits(StoreLimits(retention_bytes=1))
    clock.advance(1_000_000)
    store.housekeep()
    assert rows(workspace, "catalogue", "SELECT state FROM segment WHERE id = 1") == [("removed",)]
    store.close()
    assert known(workspace, clock) == {b"c/1": b"one"}
