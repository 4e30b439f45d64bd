"""Commits: what was handed over stands in the file, completely, or nothing does."""

from pathlib import Path

import apsw
import numpy as np
import pytest

from models.domain.batch import RecordBatch
from models.domain.messages import Kind, Origin, Properties
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import EnvironmentProblem
from models.domain.records import (
    Attempt,
    Declaration,
    Gap,
    GapCause,
    Interaction,
    Level,
    LogRow,
    Outcome,
    PresenceChange,
    TaskReport,
    TaskState,
    Unreadable,
)  # fmt: skip
from models.storage.segments import message_properties, sample_columns
from models.storage.transaction import transaction
from models.storage.workspace import Workspace
from models.storage.writing.batch_rows import PAIRS
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, crc_of, message, rows


def test_messages_and_samples_are_stored_as_they_came(writer: StoreWriter, workspace: Workspace) -> None:
    properties = Properties("text/plain", "back/here", b"\x00\xff", 5, (("k", "v"), ("k", "w")))
    messages = [
        message(T0, b"agents/\xff/metrics", b"\x00\xfe", qos=1, packet_id=7),
        message(T0 + 5, b"t", b"", qos=0, origin=Origin.BACKLOG, properties=properties),
        message(T0 + 9, b"t", b"x" * 70_000, qos=1, packet_id=8, origin=Origin.REPLAY),
    ]
    batch = batch_of(writer.names, messages, ["a", "", "b"], [(0, "cpu", 0.5), (0, "mem", 3.0), (2, "cpu", -1.5)])
    batch.duplicate[2] = True
    committed = writer.commit(batch)
    assert (committed.batch, committed.first_seq) == (1, 1)
    stored = rows(
        workspace,
        committed.segment,
        "SELECT seq, received_us, topic_id, agent_id, kind, flags, crc, payload, properties FROM message",
    )
    assert [row[:5] for row in stored] == [(1, T0, 1, 1, Kind.METRICS), (2, T0 + 5, 2, 0, 2), (3, T0 + 9, 2, 2, 2)]
    assert [row[5] for row in stored] == [1, Origin.BACKLOG << 4, 1 | 8 | Origin.REPLAY << 4]
    assert [row[6] for row in stored] == [crc_of(one) for one in messages]
    assert [row[7] for row in stored] == [one.payload for one in messages]
    assert message_properties.decode(stored[1][8]) == properties
    ((n, n_samples, agents, packets, blob),) = rows(
        workspace, committed.segment, "SELECT n, n_samples, agents, packets, samples FROM batch"
    )
    assert (n, n_samples) == (3, 3)
    assert memoryview(agents).cast("I").tolist() == [1, 2]
    samples = sample_columns.decode(blob)
    assert [one.tolist() for one in samples.of(3)] == [[T0 + 9], [T0 + 9], [-1.5]]
    assert rows(workspace, committed.segment, "SELECT * FROM topic") == [(1, b"agents/\xff/metrics"), (2, b"t")]
    assert rows(workspace, committed.segment, "SELECT id, agent_id, metric FROM series") == [
        (1, 1, "cpu"),
        (2, 1, "mem"),
        (3, 2, "cpu"),
    ]
    assert np.frombuffer(packets, PAIRS).tolist() == [(7, crc_of(messages[0])), (8, crc_of(messages[2]))]


def test_a_start_knows_whether_the_recording_before_heard_anything(workspace: Workspace, clock: FakeClock) -> None:
    known = []
    for messages in ([], [message(T0)], []):
        one = StoreWriter(workspace, clock)
        known.append(one.before.heard)
        one.begin_capture("mqtt://broker", "client")
        if messages:
            one.commit(batch_of(one.names, messages, ["a"]))
        one.close()
    known.append(StoreWriter(workspace, clock).before.heard)
    assert known == [None, None, ("mqtt://broker", "client"), None]


def test_every_kind_of_record_is_stored(writer: StoreWriter, workspace: Workspace) -> None:
    batch = batch_of(writer.names, [message(T0), message(T0 + 1)], ["a", "b"])
    a, b, c = 1, 2, writer.names.agent("c")
    batch.logs.append(LogRow(0, T0 - 5, a, Level.ERROR, "lib", "boom", "E", "at x", '{"k":1}'))
    batch.tasks.append(TaskReport(1, T0, b, "t-1", "sum", TaskState.WORKING, "t-0", "a", 2, 0.5, None, None))
    batch.interactions.append(Interaction(0, T0, a, c, "task", "x", 1_500, Outcome.OK))
    batch.interactions.append(Interaction(-1, T0, a, c, "task", "y", None, Outcome.TIMEOUT))
    batch.attempts.append(Attempt(0, T0, a, Outcome.REFUSED, "no", 12, "db"))
    batch.declarations.append(Declaration(1, b, "ours", "B", None, 30_000_000, "host", "1", ("x", "y")))
    batch.presence.append(PresenceChange(T0, a, Presence.ONLINE, Condition.OK, Cause.HEARD))
    batch.gaps.append(Gap(T0 - 9, T0, b, GapCause.SEQUENCE, 4))
    batch.unreadable.append(Unreadable(1, "json"))
    segment = writer.commit(batch).segment

    def all_of(table: str) -> list[tuple[object, ...]]:
        return [row[1:] if table != "unreadable" else row for row in rows(workspace, segment, f"SELECT * FROM {table}")]

    assert all_of("log") == [(1, T0 - 5, T0, a, 4, "lib", "boom", "E", "at x", '{"k":1}')]
    assert all_of("task_report") == [(2, T0, T0 + 1, b, "t-1", "sum", 2, "t-0", "a", 2, 0.5, None, None)]
    assert all_of("interaction") == [(1, T0, T0, a, c, "task", "x", 1_500, 0), (0, T0, T0, a, c, "task", "y", None, 2)]
    assert all_of("attempt") == [(1, T0, T0, a, 3, "no", 12, "db")]
    assert all_of("declaration") == [(2, b, "ours", "B", None, 30_000_000, "host", "1", '["x", "y"]')]
    assert all_of("presence_change") == [(1, T0, a, Presence.ONLINE, Condition.OK, "heard")]
    assert all_of("gap") == [(1, T0 - 9, T0, b, "sequence", 4)]
    assert all_of("unreadable") == [(2, 1, "json")]
    assert rows(workspace, segment, "SELECT name FROM agent ORDER BY id") == [("a",), ("b",), ("c",)]


def test_an_empty_batch_writes_nothing_and_one_with_news_alone_is_a_batch(
    writer: StoreWriter, workspace: Workspace
) -> None:
    assert writer.commit(RecordBatch()).batch == 0
    assert rows(workspace, "catalogue", "SELECT count(*) FROM segment") == [(0,)]
    a = writer.names.agent("a")
    told = RecordBatch(presence=[PresenceChange(T0, a, Presence.OFFLINE, Condition.OK, Cause.WILL)])
    committed = writer.commit(told)
    assert rows(workspace, committed.segment, "SELECT id, first_us, last_us, first_seq, n FROM batch") == [
        (1, T0, T0, 1, 0)
    ]
    assert writer.commit(batch_of(writer.names, [message(T0)], ["a"])).first_seq == 1
    assert writer.commit(RecordBatch(dropped=3)).batch == 3


def test_names_are_written_once_a_segment(
    writer: StoreWriter, workspace: Workspace, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        first = writer.commit(batch_of(writer.names, [message(T0)], ["a"], [(0, "cpu", 1.0)]))
    clock.step_wall(-5_000_000)
    second = writer.commit(batch_of(writer.names, [message(T0)], ["a"], [(0, "cpu", 1.0)]))
    assert first.segment != second.segment
    for segment in (first.segment, second.segment):
        assert rows(workspace, segment, "SELECT id, name FROM agent") == [(1, "a")]
        assert rows(workspace, segment, "SELECT id, metric FROM series") == [(1, "cpu")]
    assert not caplog.records, "a name written twice falls back to the slow way"


def test_odd_text_is_stored_with_visible_escapes(writer: StoreWriter, workspace: Workspace) -> None:
    odd = "a\ud800\x00b\u202e"
    batch = batch_of(writer.names, [message(T0, properties=Properties(content_type=odd))], [odd])
    batch.logs.append(LogRow(0, T0, 1, Level.INFO, odd, odd))
    batch.attempts.append(Attempt(0, T0, 1, Outcome.OK, odd, None, odd))
    segment = writer.commit(batch).segment
    shown = "a\\ud800\x00b\u202e"
    assert rows(workspace, segment, "SELECT name FROM agent") == [(shown,)]
    assert rows(workspace, segment, "SELECT logger, text FROM log") == [(shown, shown)]
    assert rows(workspace, segment, "SELECT error, target FROM attempt") == [(shown, shown)]
    ((properties,),) = rows(workspace, segment, "SELECT properties FROM message")
    assert message_properties.decode(properties) is not None


def test_a_row_that_does_not_store_never_blocks_the_rest(writer: StoreWriter, workspace: Workspace) -> None:
    messages = [message(T0), message(1 << 70, payload=b"kept"), message(T0 + 2)]
    batch = batch_of(writer.names, messages, ["a", "a", "a"])
    batch.messages = [messages[0], message(T0 + 1, payload=b"kept"), messages[2]]
    batch.kind[1] = 1 << 70
    batch.tasks.append(TaskReport(2, T0, 1, "t", None, TaskState.WORKING, attempt=1 << 70))
    batch.logs.append(LogRow(0, T0, 1, Level.INFO, None, "fine"))
    committed = writer.commit(batch)
    assert rows(workspace, committed.segment, "SELECT seq, kind, payload FROM message") == [
        (1, 2, b"{}"),
        (2, 0, b"kept"),
        (3, 2, b"{}"),
    ]
    assert rows(workspace, committed.segment, "SELECT seq, reason FROM unreadable") == [
        (2, "unstorable"),
        (3, "unstorable"),
    ]
    assert rows(workspace, committed.segment, "SELECT n_logs, n_tasks, unreadable FROM batch") == [(1, 0, 2)]
    assert rows(workspace, committed.segment, "SELECT text FROM log") == [("fine",)]
    assert writer.commit(batch_of(writer.names, [message(T0)], ["a"])).first_seq == 4


def test_a_full_disk_stores_nothing_and_the_same_batch_goes_in_later(writer: StoreWriter, workspace: Workspace) -> None:
    first = writer.commit(batch_of(writer.names, [message(T0)], ["a"]))
    connection = writer._upkeep.present.connection  # type: ignore[union-attr]
    pages = connection.pragma("page_count")
    connection.pragma("max_page_count", pages)
    big = batch_of(writer.names, [message(T0 + 1, b"new", b"x" * 100_000, packet_id=3)], ["b"], [(0, "cpu", 1.0)])
    big.gaps.append(Gap(T0, T0, 0, GapCause.NOT_CONNECTED, 0))
    for _ in range(3):
        with pytest.raises(EnvironmentProblem) as raised:
            writer.commit(big)
        assert raised.value.problem.code == "store.full"
    assert rows(workspace, first.segment, "SELECT max(seq), count(*) FROM message") == [(1, 1)]
    connection.pragma("max_page_count", 1 << 30)
    committed = writer.commit(big)
    assert (committed.batch, committed.first_seq) == (2, 2)
    assert rows(workspace, first.segment, "SELECT name FROM agent ORDER BY id") == [("a",), ("b",)]
    assert rows(workspace, first.segment, "SELECT count(*) FROM gap") == [(1,)]


def test_no_room_for_a_new_segment_is_told_and_overcome(
    writer: StoreWriter, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise apsw.FullError("disk full")

    batch = batch_of(writer.names, [message(T0)], ["a"])
    with monkeypatch.context() as patched:
        patched.setattr("models.storage.segments.segment_file.create_tables", full)
        for _ in range(2):
            with pytest.raises(EnvironmentProblem, match="disk"):
                writer.commit(batch)
    assert writer.commit(batch)[:3] == (1, 1, 1)
    assert rows(workspace, "catalogue", "SELECT id, state FROM segment") == [(1, "open")]


def test_a_damaged_segment_is_set_aside_and_recording_goes_on(
    writer: StoreWriter, workspace: Workspace, clock: FakeClock
) -> None:
    first = writer.commit(batch_of(writer.names, [message(T0)], ["a"]))
    assert writer._upkeep.present is not None
    original = writer._upkeep.present._write

    def broken(_rows: object) -> None:
        raise apsw.CorruptError("database disk image is malformed")

    writer._upkeep.present._write = broken  # type: ignore[method-assign]
    second = writer.commit(batch_of(writer.names, [message(T0 + 1, payload=b"goes on")], ["a"]))
    assert original
    assert second.segment == first.segment + 1
    assert [one.code for one in writer.problems] == ["store.corrupt"]
    assert rows(workspace, "catalogue", "SELECT id, state FROM segment") == [(1, "quarantined"), (2, "open")]
    assert rows(workspace, "catalogue", "SELECT cause, segment_id FROM gap") == [("damaged", 1)]
    assert workspace.segment(1).exists()
    assert rows(workspace, 2, "SELECT payload FROM message") == [(b"goes on",)]
    assert rows(workspace, 2, "SELECT name FROM agent") == [("a",)]
    clock.advance(2_000_000)
    writer.housekeep()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "x.db"))
    connection.execute("CREATE TABLE t (x UNIQUE)")
    with pytest.raises(apsw.ConstraintError), transaction(connection):
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("INSERT INTO t VALUES (1)")
    assert not connection.in_transaction
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(0,)]
    with transaction(connection):
        connection.execute("INSERT INTO t VALUES (1)")
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(1,)]
    connection.close()
