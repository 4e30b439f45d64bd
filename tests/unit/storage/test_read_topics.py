"""Totals per topic: added to with every take-in, counted once whatever happens, answered whole or as what changed."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from models.domain.messages import Kind
from models.domain.problems import EnvironmentProblem
from models.domain.queries import CancelToken, MessageRequest, MessageResult, TopicsRequest, TopicsResult
from models.storage.history.reader import HistoryReader
from models.storage.history.topics import presence_topics
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message, rows

SECOND = 1_000_000
HOSTILE = (b"/", b"//", b"a//b", b"\xff\xfe/x", b"$SYS/broker/load", b"a/" + b"/" * 2_000, b"caf\xc3\xa9/\xe2\x80\xae")


@pytest.fixture
def reader(workspace: Workspace) -> Iterator[HistoryReader]:
    one = HistoryReader(workspace)
    yield one
    one.close()


def store(writer: StoreWriter, clock: FakeClock, *messages: tuple[bytes, bytes, str]) -> None:
    """(topic, payload, agent) each, then a second passes."""
    now = clock.wall_us()
    raw = [message(now + place, topic, payload) for place, (topic, payload, _) in enumerate(messages)]
    writer.commit(batch_of(writer.names, raw, [agent for *_, agent in messages]))
    clock.advance(SECOND)
    writer.housekeep()


def topics(reader: HistoryReader, since: int = 0) -> TopicsResult:
    (found,) = reader.answer(TopicsRequest(since), CancelToken())
    assert isinstance(found, TopicsResult)
    return found


def sums(found: TopicsResult) -> dict[bytes, tuple[int, int, int, int]]:
    columns = (found.messages, found.payload_bytes, found.last_us, found.agent)
    return {name: tuple(row) for name, *row in zip(found.name, *(column.tolist() for column in columns), strict=True)}


def listed(reader: HistoryReader, **request: object) -> list[bytes]:
    (found,) = reader.answer(MessageRequest(**request), CancelToken())  # type: ignore[arg-type]
    assert isinstance(found, MessageResult)
    return [row.topic for row in found.rows]


def test_totals_are_those_of_all_messages(writer: StoreWriter, clock: FakeClock, reader: HistoryReader) -> None:
    store(writer, clock, (b"a/x", b"12345", "a"), (b"a/x", b"1", "b"), (b"b", b"", ""))
    store(writer, clock, (b"a/x", b"22", "a"))
    a = writer.names.known_agent("a")
    found = topics(reader)
    assert sums(found) == {b"a/x": (3, 8, T0 + SECOND, a), b"b": (1, 0, T0 + 2, 0)}
    assert found.whole


def test_only_what_changed_since_comes_again(writer: StoreWriter, clock: FakeClock, reader: HistoryReader) -> None:
    store(writer, clock, (b"one", b"1", ""), (b"two", b"1", ""))
    first = topics(reader)
    assert topics(reader, first.revision).name == []
    store(writer, clock, (b"two", b"1", ""), (b"three", b"1", ""))
    second = topics(reader, first.revision)
    assert sums(second) == {b"two": (2, 2, T0 + SECOND, 0), b"three": (1, 1, T0 + SECOND + 1, 0)}
    assert not second.whole
    assert second.revision > first.revision


def test_a_segment_that_ends_does_not_turn_revisions_back(
    writer: StoreWriter, clock: FakeClock, reader: HistoryReader
) -> None:
    store(writer, clock, (b"one", b"1", ""))
    before = topics(reader)
    clock.step_wall(5 * SECOND)
    store(writer, clock, (b"two", b"1", ""))
    assert list(sums(topics(reader, before.revision))) == [b"two"]


def test_totals_outlive_what_retention_removes(workspace: Workspace, clock: FakeClock, reader: HistoryReader) -> None:
    writer = StoreWriter(workspace, clock, StoreLimits(segment_s=1, retention_s=3))
    writer.begin_capture("mqtt://broker", "client")
    store(writer, clock, (b"old", b"123", ""))
    for _ in range(4):
        clock.advance(300 * SECOND)
        store(writer, clock, (b"new", b"1", ""))
    assert rows(workspace, "catalogue", "SELECT count(*) FROM segment WHERE state = 'removed'") > [(0,)]
    assert listed(reader, topic=b"old") == []
    assert sums(topics(reader))[b"old"] == (1, 3, T0, 0)
    writer.close()


def test_a_catalogue_that_was_made_anew_is_answered_whole(
    workspace: Workspace, clock: FakeClock, reader: HistoryReader
) -> None:
    for turn in range(2):
        writer = StoreWriter(workspace, clock)
        writer.begin_capture("mqtt://broker", "client")
        store(writer, clock, (b"t%d" % turn, b"1", ""))
        store(writer, clock, (b"t%d" % turn, b"1", ""))
        writer.close()
    before = topics(reader)
    for ending in ("", "-wal", "-shm"):
        Path(f"{workspace.catalogue}{ending}").unlink(missing_ok=True)
    workspace.segment(2).unlink()
    StoreWriter(workspace, clock).close()
    after = topics(reader, before.revision)
    assert after.whole
    assert sums(after) == {b"t0": (2, 2, T0 + SECOND, 0)}


def test_a_workspace_of_the_first_schema_gets_its_totals(
    workspace: Workspace, clock: FakeClock, reader: HistoryReader
) -> None:
    """Two closed segments, one damaged, and one that a kill left open with a batch that nobody had taken in."""
    for turn in range(3):
        writer = StoreWriter(workspace, clock)
        writer.begin_capture("mqtt://broker", "client")
        store(writer, clock, (b"a/x", b"123", "a"), (b"t%d" % turn, b"", ""))
        writer.close()
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "client")
    store(writer, clock, (b"a/x", b"4", "a"))
    writer.commit(batch_of(writer.names, [message(clock.wall_us(), b"late", b"55")], [""]))
    writer._upkeep.release()
    writer._database.close()  # no close: as a kill leaves it
    as_schema_1(workspace)
    workspace.segment(2).write_bytes(b"no database at all")
    names_alone = sums(topics(reader))
    assert names_alone[b"a/x"] == (0, 0, 0, 0)
    StoreWriter(workspace, clock).close()
    a = rows(workspace, "catalogue", "SELECT id FROM agent WHERE name = 'a'")[0][0]
    assert sums(topics(reader)) == {
        b"a/x": (3, 7, T0 + 3 * SECOND, a), b"t0": (1, 0, T0 + 1, 0), b"t2": (1, 0, T0 + 2 * SECOND + 1, 0),
        b"late": (1, 2, T0 + 4 * SECOND, 0),
    }  # fmt: skip
    assert (workspace.root / "catalogue-1.bak").exists()


def as_schema_1(workspace: Workspace) -> None:
    connection = apsw.Connection(str(workspace.catalogue))
    for table in ("topic_total", "imported_file", "hours", "remembered", "annotation"):
        connection.execute(f"DROP TABLE {table}")
    for table, column in (
        ("series", "imported"), ("agent_now", "imported"), ("segment", "unsealed_bytes"), ("segment", "seal_failures"),
        ("segment", "generation"),
    ):  # fmt: skip
        connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute("DELETE FROM schema_migration WHERE name NOT LIKE '0001%'")
    connection.pragma("user_version", 1)
    connection.close()


@pytest.mark.parametrize("topic", HOSTILE)
def test_hostile_topics_are_counted_and_found(
    writer: StoreWriter, clock: FakeClock, reader: HistoryReader, topic: bytes
) -> None:
    store(writer, clock, (topic, b"{}", ""), (topic + b"/below", b"{}", ""), (topic + b"0", b"{}", ""))
    assert sums(topics(reader))[topic] == (1, 2, T0, 0)
    assert listed(reader, topic=topic) == [topic]
    assert listed(reader, topic=topic, branch=True) == [topic + b"/below", topic]


def test_a_branch_is_whole_levels(writer: StoreWriter, clock: FakeClock, reader: HistoryReader) -> None:
    names = (b"a", b"a/b", b"a/b/c", b"a/bc", b"ab", b"a.b/c", b"b/a")
    store(writer, clock, *((name, b"", "x" if name == b"a/b" else "") for name in names))
    assert listed(reader, topic=b"a", branch=True) == [b"a/bc", b"a/b/c", b"a/b", b"a"]
    assert listed(reader, topic=b"a/b", branch=True) == [b"a/b/c", b"a/b"]
    assert listed(reader, topic=b"a", branch=True, agent=writer.names.known_agent("x")) == [b"a/b"]
    assert listed(reader, topic=b"none", branch=True) == []


def test_text_is_looked_for_in_topic_and_payload(writer: StoreWriter, clock: FakeClock, reader: HistoryReader) -> None:
    store(
        writer, clock, (b"Caf\xc3\xa9/1", b"x", ""), (b"b", "Straße".encode(), ""), (b"b", b"\xffCAF\xc3\x89\xff", "")
    )
    assert listed(reader, text="café") == [b"b", b"Caf\xc3\xa9/1"]
    assert listed(reader, text="STRASSE") == [b"b"]
    assert listed(reader, text="x", topic=b"b") == []
    assert listed(reader, text="none") == []


def test_topics_that_told_presence_last(writer: StoreWriter, clock: FakeClock, workspace: Workspace) -> None:
    now = clock.wall_us()
    told = [(b"a/status", Kind.STATUS), (b"a/x", Kind.METRICS), (b"b/status", Kind.STATUS), (b"c/state", Kind.STATUS)]
    batch = batch_of(writer.names, [message(now + n, topic, b"1") for n, (topic, _) in enumerate(told)], [""] * 4)
    batch.kind[:] = [kind for _, kind in told]
    writer.commit(batch)
    clock.advance(SECOND)
    writer.housekeep()
    assert presence_topics(workspace, 10) == [b"c/state", b"b/status", b"a/status"]
    assert presence_topics(workspace, 2) == [b"c/state", b"b/status"]
    batch = batch_of(writer.names, [message(clock.wall_us(), b"c/state", b"21")], [""])
    batch.kind[:] = [Kind.METRICS]
    writer.commit(batch)
    clock.advance(SECOND)
    writer.housekeep()
    assert presence_topics(workspace, 10) == [b"b/status", b"a/status"]


def test_a_catalogue_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem):
        presence_topics(Workspace.at(tmp_path), 10)
