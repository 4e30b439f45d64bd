"""Recorded traffic beside live: whole or not at all, and never in the way of what is newer."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.domain.batch import RecordBatch
from models.domain.messages import Origin
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import EnvironmentProblem
from models.domain.recorded import ImportedFile
from models.domain.records import Declaration, Gap, GapCause, Level, LogRow, PresenceChange, TaskReport, TaskState
from models.domain.tail import Interest, TailCursor
from models.storage.history.store_view import StoreView
from models.storage.history.tail_reader import TailReader
from models.storage.segments.pulse_columns import PULSE, PULSE_US
from models.storage.workspace import Workspace
from models.storage.writing.import_writer import ImportWriter
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message, rows

SECOND = 1_000_000
DAY = 86_400 * SECOND
THEN = (T0 - 30 * DAY) // PULSE_US * PULSE_US
FILE = ImportedFile("/data/monday.jsonl", "abc", 1_000)


@pytest.fixture
def writer(workspace: Workspace, clock: FakeClock) -> Iterator[StoreWriter]:
    one = StoreWriter(workspace, clock, StoreLimits())
    yield one
    one.close()


def recorded(writer: StoreWriter | ImportWriter, at_us: int, agent: str = "a", cpu: float | None = None) -> RecordBatch:
    one = message(at_us, b"agents/%s/metrics" % agent.encode(), origin=Origin.IMPORTED)
    return batch_of(writer.names, [one], [agent], [] if cpu is None else [(0, "cpu_percent", cpu)])


def online(batch: RecordBatch, presence: Presence = Presence.ONLINE, cause: Cause = Cause.HEARD) -> RecordBatch:
    at_us = batch.messages[0].received_us
    batch.presence.append(PresenceChange(at_us, batch.agent[0], presence, Condition.OK, cause))
    return batch


def bring(writer: StoreWriter, *batches: RecordBatch, file: ImportedFile = FILE) -> None:
    run = writer.begin_import([file], again=True)
    for batch in batches:
        run.commit(batch)
    run.finish([file])


def catalogue(workspace: Workspace, query: str) -> list[tuple]:
    return rows(workspace, "catalogue", query)


def code_of(raised: pytest.ExceptionInfo[EnvironmentProblem]) -> str:
    return raised.value.problem.code


def test_it_is_received_at_its_own_time(writer: StoreWriter, workspace: Workspace, clock: FakeClock) -> None:
    batches = [recorded(writer, THEN + turn * 7 * SECOND, cpu=10.0 * turn) for turn in range(4)]
    log = LogRow(0, THEN, batches[0].agent[0], Level.INFO, None, "hello")
    batches[0].logs.append(log)
    bring(writer, *batches)
    assert catalogue(workspace, "SELECT state, first_us, last_us, messages, samples, logs FROM segment") == [
        ("closed", THEN, THEN + 21 * SECOND, 4, 4, 1)
    ]
    assert catalogue(workspace, "SELECT first_seen_us, last_seen_us, messages, cpu FROM agent_now") == [
        (THEN, THEN + 21 * SECOND, 4, 0.3)
    ]
    assert catalogue(workspace, "SELECT kind, started_us, ended_us FROM capture") == [("import", T0, T0)]
    assert catalogue(workspace, "SELECT count(*) FROM gap") == [(0,)]
    pulses = rows(workspace, 1, "SELECT since_us, data FROM pulse ORDER BY since_us")
    found = {since: np.frombuffer(data, PULSE) for since, data in pulses}
    assert {since: int(one["messages"][0]) for since, one in found.items()} == {
        THEN: 2, THEN + PULSE_US: 1, THEN + 2 * PULSE_US: 1
    }  # fmt: skip
    assert found[THEN + 2 * PULSE_US]["cpu"][0] == pytest.approx(0.3)


def test_nobody_sees_it_before_it_is_whole(writer: StoreWriter, workspace: Workspace) -> None:
    writer.begin_capture("mqtt://b", "c")
    run = writer.begin_import([FILE])
    run.commit(recorded(writer, THEN))
    view = StoreView(workspace)
    view.refresh()
    assert view.all() == []
    assert catalogue(workspace, "SELECT kind FROM capture") == [("record",)]
    assert catalogue(workspace, "SELECT count(*) FROM agent") == [(0,)]
    run.finish([FILE])
    view.refresh()
    assert [(row.state, row.imported) for row in view.all()] == [("closed", True)]
    assert catalogue(workspace, "SELECT name FROM agent") == [("a",)]
    view.close()


def test_live_commits_and_slices_take_turns(writer: StoreWriter, workspace: Workspace, clock: FakeClock) -> None:
    writer.begin_capture("mqtt://b", "c")
    run = writer.begin_import([FILE])
    for turn in range(5):
        live = batch_of(writer.names, [message(clock.wall_us(), packet_id=turn + 1)], ["live"])
        writer.commit(live)
        run.commit(recorded(writer, THEN + turn * SECOND))
        clock.advance(2 * SECOND)
        writer.housekeep()
    run.finish([FILE])
    writer.close()
    kinds = "SELECT kind, messages, state FROM segment JOIN capture ON capture.id = capture_id ORDER BY kind"
    assert catalogue(workspace, kinds) == [("import", 5, "closed"), ("record", 5, "closed")]
    assert catalogue(workspace, "SELECT name, messages FROM agent JOIN agent_now ON agent_id = agent.id ORDER BY 1") == [
        ("a", 5), ("live", 5)
    ]  # fmt: skip


def test_cancelling_leaves_nothing(writer: StoreWriter, workspace: Workspace, clock: FakeClock) -> None:
    run = writer.begin_import([FILE])
    run.commit(recorded(writer, THEN))
    run.end_segment()
    run.commit(recorded(writer, THEN + SECOND))
    assert len(list(workspace.segments.glob("*.db"))) == 2
    run.cancel()
    assert not list(workspace.segments.iterdir())
    for table in ("segment", "capture", "agent", "topic", "imported_file"):
        assert catalogue(workspace, f"SELECT count(*) FROM {table}") == [(0,)]
    bring(writer, recorded(writer, THEN))  # and the way is free


def test_closing_the_store_cancels(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    writer.begin_import([FILE]).commit(recorded(writer, THEN))
    writer.close()
    assert not list(workspace.segments.iterdir())
    assert catalogue(workspace, "SELECT count(*) FROM segment") == [(0,)]


def test_what_a_crash_left_is_removed(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    writer = StoreWriter(workspace, clock)
    run = writer.begin_import([FILE])
    run.commit(recorded(writer, THEN))
    run.end_segment()
    run.commit(recorded(writer, THEN + SECOND))
    kept = {path.name: path.read_bytes() for path in (*workspace.segments.iterdir(), workspace.catalogue)}
    kept["catalogue.db-wal"] = Path(f"{workspace.catalogue}-wal").read_bytes()
    other = Workspace.at(tmp_path / "crashed")
    other.segments.mkdir(parents=True)
    for name, data in kept.items():
        (other.root if name.startswith("catalogue") else other.segments).joinpath(name).write_bytes(data)
    writer.close()
    StoreWriter(other, clock).close()
    assert not list(other.segments.iterdir())
    assert catalogue(other, "SELECT count(*) FROM segment") == [(0,)]
    # the catalogue lost as well: the file itself tells that its import never ended
    for name, data in kept.items():
        if not name.startswith("catalogue"):
            other.segments.joinpath(name).write_bytes(data)
    for path in other.root.glob("catalogue*"):
        path.unlink()
    StoreWriter(other, clock).close()
    assert not list(other.segments.iterdir())


def test_a_lost_catalogue_is_built_anew_with_its_imports(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://b", "c")
    live = batch_of(writer.names, [message(clock.wall_us())], ["a"], [(0, "cpu_percent", 90.0)])
    writer.commit(online(live))
    bring(writer, online(recorded(writer, THEN, cpu=10.0), Presence.OFFLINE, Cause.WILL))
    writer.close()
    before = catalogue(workspace, "SELECT presence, last_seen_us, messages, cpu, imported FROM agent_now")
    assert before == [(Presence.ONLINE, T0, 2, 0.9, 0)]
    for path in workspace.root.glob("catalogue*"):
        path.unlink()
    StoreWriter(workspace, clock).close()
    assert catalogue(workspace, "SELECT presence, last_seen_us, messages, cpu, imported FROM agent_now") == before
    assert catalogue(workspace, "SELECT kind FROM capture ORDER BY 1") == [("import",), ("record",)]


def test_the_same_file_is_refused_while_it_is_held(writer: StoreWriter, workspace: Workspace) -> None:
    bring(writer, recorded(writer, THEN))
    with pytest.raises(EnvironmentProblem) as raised:
        writer.begin_import([ImportedFile("/elsewhere", "other", 1), ImportedFile("/copy", FILE.digest, 1_000)])
    assert (code_of(raised), raised.value.problem.params["path"]) == ("import.known", "/copy")
    writer.begin_import([FILE], again=True).cancel()
    writer._catalogue.execute("UPDATE segment SET state = 'removed'")
    writer.begin_import([FILE]).cancel()  # it went with time: welcome again


def test_one_recording_named_twice_is_refused(writer: StoreWriter, workspace: Workspace) -> None:
    copy = ImportedFile("/copy", FILE.digest, FILE.bytes)
    with pytest.raises(EnvironmentProblem) as raised:
        writer.begin_import([FILE, ImportedFile("/other", "x", 1), copy])
    assert raised.value.problem.params == {"path": "/copy", "other": FILE.path}
    assert code_of(raised) == "import.twice"
    writer.begin_import([FILE, copy], again=True).cancel()


def test_one_import_at_a_time(writer: StoreWriter) -> None:
    run = writer.begin_import([FILE])
    with pytest.raises(EnvironmentProblem) as raised:
        writer.begin_import([ImportedFile("/other", "x", 1)])
    assert code_of(raised) == "import.busy"
    run.cancel()


def test_one_that_does_not_fit_is_refused(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock, StoreLimits(import_bytes=2_000_000))
    run = writer.begin_import([FILE])
    with pytest.raises(EnvironmentProblem) as raised:
        for turn in range(100):
            run.commit(
                batch_of(writer.names, [message(THEN + turn, b"t", b"x" * 100_000, origin=Origin.IMPORTED)], [""])
            )
    assert code_of(raised) == "import.too-large"
    assert run._ended, "no segment is more than half of what may be kept"
    writer.close()
    assert not list(workspace.segments.iterdir())


def test_older_imports_go_only_where_that_is_wanted(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock, StoreLimits(import_bytes=1_500_000, retention_bytes=1 << 40))
    for _ in range(6):
        writer.begin_capture("mqtt://b", "c")
        writer.commit(batch_of(writer.names, [message(clock.wall_us(), b"t", b"x" * 100_000)], [""]))
    live = "SELECT count(*) FROM segment JOIN capture ON capture.id = capture_id WHERE kind = 'record' AND state <> 'removed'"
    held = "SELECT count(*) FROM segment JOIN capture ON capture.id = capture_id WHERE kind = 'import' AND state = 'closed'"

    def bring_much(number: int, *, make_room: bool) -> None:
        run = writer.begin_import([ImportedFile(f"/{number}", str(number), 1)], make_room=make_room)
        try:
            for turn in range(9):
                batch = batch_of(
                    writer.names, [message(THEN + turn, b"t", b"x" * 100_000, origin=Origin.IMPORTED)], [""]
                )
                run.commit(batch)
            run.finish([ImportedFile(f"/{number}", str(number), 1)])
        except EnvironmentProblem:
            run.cancel()
            raise
        for _ in range(10):
            clock.advance(SECOND)
            writer.housekeep()

    bring_much(1, make_room=False)
    before = catalogue(workspace, held), catalogue(workspace, live)
    with pytest.raises(EnvironmentProblem) as raised:
        bring_much(2, make_room=False)
    assert code_of(raised) == "import.no-room"
    assert (catalogue(workspace, held), catalogue(workspace, live)) == before
    bring_much(2, make_room=True)
    first = (
        "SELECT state FROM segment JOIN imported_file AS file ON file.capture_id = segment.capture_id WHERE digest = ?"
    )
    assert set(catalogue(workspace, first.replace("?", "'1'"))) == {("removed",)}
    assert set(catalogue(workspace, first.replace("?", "'2'"))) == {("closed",)}
    assert catalogue(workspace, live) == before[1], "what is recorded never goes for an import"
    writer.close()


def test_it_is_as_old_as_its_import(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock, StoreLimits(import_s=14 * 86_400))
    bring(writer, recorded(writer, THEN))
    clock.advance(3_600 * SECOND)
    writer.housekeep()
    assert catalogue(workspace, "SELECT state FROM segment") == [("closed",)]
    clock.advance(14 * DAY)
    writer.housekeep()
    assert catalogue(workspace, "SELECT state FROM segment") == [("removed",)]
    assert catalogue(workspace, "SELECT since_us, cause FROM gap") == [(THEN, GapCause.RETENTION.value)]
    writer.close()


def agent_now(workspace: Workspace) -> tuple:
    query = """SELECT presence, cause, since_us, last_seen_us, cpu, tasks_open, own_name, interval_us, imported
        FROM agent_now JOIN agent ON agent.id = agent_id"""
    (found,) = catalogue(workspace, query)
    return found


def full(writer: StoreWriter, batch: RecordBatch, name: str, interval_us: int, task: TaskState) -> RecordBatch:
    batch.declarations.append(Declaration(0, batch.agent[0], "murmurscope", name=name, interval_us=interval_us))
    batch.tasks.append(TaskReport(0, batch.messages[0].received_us, batch.agent[0], f"t-{name}", None, task))
    return batch


def test_an_older_import_leaves_the_present_alone(writer: StoreWriter, workspace: Workspace, clock: FakeClock) -> None:
    writer.begin_capture("mqtt://b", "c")
    live = batch_of(writer.names, [message(clock.wall_us())], ["a"], [(0, "cpu_percent", 90.0)])
    writer.commit(full(writer, online(live), "live", 10 * SECOND, TaskState.WORKING))
    clock.advance(2 * SECOND)
    writer.housekeep()
    before = agent_now(workspace)
    old = recorded(writer, THEN, cpu=10.0)
    better = batch_of(
        writer.names, [message(THEN + SECOND, origin=Origin.IMPORTED)], ["a"], [(0, "process.cpu.utilization", 0.2)]
    )
    bring(writer, full(writer, online(old, Presence.OFFLINE, Cause.WILL), "old", SECOND, TaskState.WORKING), better)
    assert agent_now(workspace) == before
    assert catalogue(workspace, "SELECT first_seen_us, messages FROM agent_now") == [(THEN, 3)]
    assert catalogue(workspace, "SELECT imported, metric FROM series ORDER BY id") == [
        (0, "cpu_percent"), (1, "process.cpu.utilization"),
    ]  # fmt: skip
    # what stands for the agent goes on being what it sends
    live = batch_of(writer.names, [message(clock.wall_us())], ["a"], [(0, "cpu_percent", 80.0)])
    writer.commit(live)
    clock.advance(2 * SECOND)
    writer.housekeep()
    assert agent_now(workspace)[4] == 0.8


def test_nor_does_a_newer_one_touch_whom_the_recorder_hears(
    writer: StoreWriter, workspace: Workspace, clock: FakeClock
) -> None:
    writer.begin_capture("mqtt://b", "c")
    writer.commit(online(batch_of(writer.names, [message(clock.wall_us())], ["a"])))
    clock.advance(60 * SECOND)
    writer.housekeep()
    bring(writer, online(recorded(writer, clock.wall_us() - SECOND), Presence.OFFLINE, Cause.WILL))
    assert agent_now(workspace)[:2] == (Presence.ONLINE, Cause.HEARD)


def test_a_newer_one_tells_how_it_is_where_nobody_records(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://b", "c")
    writer.commit(online(batch_of(writer.names, [message(clock.wall_us())], ["a"], [(0, "cpu_percent", 90.0)])))
    writer.close()
    clock.advance(DAY)
    writer = StoreWriter(workspace, clock)
    at_us = clock.wall_us() - 3_600 * SECOND
    bring(writer, online(recorded(writer, at_us, cpu=10.0), Presence.STOPPED, Cause.GOODBYE))
    writer.close()
    now = agent_now(workspace)
    assert (now[0], now[1], now[2], now[4], now[-1]) == (Presence.STOPPED, Cause.GOODBYE, at_us, 0.1, 1)


def test_how_an_import_ended_stands_until_the_agent_is_heard(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    ended = full(writer, online(recorded(writer, THEN)), "old", 10 * SECOND, TaskState.WORKING)
    bring(writer, ended, online(recorded(writer, THEN + SECOND, "b"), Presence.OFFLINE, Cause.WILL))
    writer.begin_capture("mqtt://b", "c")
    writer.close()
    clock.advance(60 * SECOND)
    writer = StoreWriter(workspace, clock)
    assert (writer.before.declared_intervals, writer.before.gone) == ({}, {})  # nobody waits for them
    writer.begin_capture("mqtt://b", "c")
    clock.advance(2 * SECOND)
    writer.housekeep()
    standing = "SELECT name, presence, since_us, imported FROM agent_now JOIN agent ON agent.id = agent_id ORDER BY 1"
    assert catalogue(workspace, standing) == [
        ("a", Presence.ONLINE, THEN, 1), ("b", Presence.OFFLINE, THEN + SECOND, 1),
    ]  # fmt: skip
    writer.commit(online(batch_of(writer.names, [message(clock.wall_us())], ["a"])))
    clock.advance(2 * SECOND)
    writer.housekeep()
    assert catalogue(workspace, standing)[0][3] == 0
    writer.close()


def test_time_may_begin_again(writer: StoreWriter, workspace: Workspace) -> None:
    run = writer.begin_import([FILE])
    run.commit(online(recorded(writer, THEN + 100 * SECOND)))
    run.end_segment()
    run.commit(online(recorded(writer, THEN), Presence.OFFLINE, Cause.WILL))
    run.finish([FILE])
    assert catalogue(workspace, "SELECT first_us, capture_id FROM segment ORDER BY id") == [
        (THEN + 100 * SECOND, 1), (THEN, 1)
    ]  # fmt: skip
    assert agent_now(workspace)[:2] == (Presence.ONLINE, Cause.HEARD)  # the later word counts


def test_gaps_of_an_import_are_told(writer: StoreWriter, workspace: Workspace) -> None:
    batch = recorded(writer, THEN)
    batch.gaps.append(Gap(THEN - SECOND, THEN, batch.agent[0], GapCause.SEQUENCE, 3))
    bring(writer, batch)
    assert catalogue(workspace, "SELECT since_us, agent_id, cause, count, segment_id FROM gap") == [
        (THEN - SECOND, 1, "sequence", 3, 1)
    ]


def test_the_tail_does_not_take_it_for_news(writer: StoreWriter, workspace: Workspace, clock: FakeClock) -> None:
    writer.begin_capture("mqtt://b", "c")
    writer.commit(batch_of(writer.names, [message(clock.wall_us())], ["a"]))
    tail = TailReader(workspace)
    cursor = tail.poll(TailCursor(), Interest()).cursor
    bring(writer, online(recorded(writer, THEN)))
    page = tail.poll(cursor, Interest())
    assert (page.batches, len(page.presence.agent)) == (0, 0)
    writer.commit(batch_of(writer.names, [message(clock.wall_us())], ["a"]))
    assert tail.poll(page.cursor, Interest()).messages == 1
    tail.close()


def test_a_file_that_cannot_be_made_fails_the_import_alone(
    writer: StoreWriter, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = writer.begin_import([FILE])
    with monkeypatch.context() as full_disk:
        full_disk.setattr("models.storage.segments.segment_file.create_private_file", _no_space)
        with pytest.raises(EnvironmentProblem) as raised:
            run.commit(recorded(writer, THEN))
    assert code_of(raised) == "store.full"
    run.cancel()
    assert catalogue(workspace, "SELECT count(*) FROM segment") == [(0,)]
    bring(writer, recorded(writer, THEN))


def _no_space(_path: Path) -> None:
    raise OSError(28, "No space left on device")


def test_what_is_history_is_not_taken_back(writer: StoreWriter, workspace: Workspace) -> None:
    run = writer.begin_import([FILE])
    run.commit(recorded(run, THEN))
    run.finish([FILE])
    run.cancel()  # by whoever did not hear of its end
    assert catalogue(workspace, "SELECT state, messages FROM segment") == [("closed", 1)]
    assert workspace.segment(1).exists()


def test_open_tasks_go_with_what_told_of_them(workspace: Workspace, clock: FakeClock) -> None:
    """Those that an import left open stay as long as the import does, though a recorder's history begins later."""
    writer = StoreWriter(workspace, clock, StoreLimits(import_s=14 * 86_400))
    writer.begin_capture("mqtt://b", "c")
    live = online(batch_of(writer.names, [message(clock.wall_us())], ["live"]))
    live.tasks.append(TaskReport(0, clock.wall_us(), live.agent[0], "live", None, TaskState.WORKING))
    writer.commit(live)
    writer.close()
    clock.advance(13 * DAY)
    writer = StoreWriter(workspace, clock, StoreLimits(import_s=14 * 86_400))
    writer.begin_capture("mqtt://b", "c")
    bring(writer, full(writer, online(recorded(writer, THEN)), "old", SECOND, TaskState.WORKING))
    tasks = "SELECT task FROM open_task ORDER BY 1"
    assert catalogue(workspace, tasks) == [("live",), ("t-old",)]
    clock.advance(2 * DAY)
    writer.housekeep()
    assert catalogue(workspace, tasks) == [("t-old",)]
    clock.advance(14 * DAY)
    writer.housekeep()
    assert catalogue(workspace, tasks) == []
    assert catalogue(workspace, "SELECT sum(tasks_open) FROM agent_now") == [(0,)]
    writer.close()


def test_what_came_at_once_is_no_rate(writer: StoreWriter, workspace: Workspace, clock: FakeClock) -> None:
    writer.begin_capture("mqtt://b", "c")
    for minute in range(10):
        if minute == 5:
            payload = message(THEN, b"t", b"x" * 5_000_000, origin=Origin.IMPORTED)
            bring(writer, batch_of(writer.names, [payload], [""]))
        writer.commit(batch_of(writer.names, [message(clock.wall_us(), b"t", b"y" * 10_000)], [""]))
        clock.advance(60 * SECOND)
        writer.housekeep()
    days = writer.disk_days()
    assert days is not None
    assert days > 20, "5 MB in nine minutes would fill the limit in three"
