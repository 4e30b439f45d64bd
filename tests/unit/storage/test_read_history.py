"""Series, events, lists, tasks, agent and store: answered from segments built row by row."""

from pathlib import Path

import numpy as np
import pytest

from models.domain.batch import RecordBatch
from models.domain.messages import Kind, Properties
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import EnvironmentProblem
from models.domain.queries import (
    AgentRequest,
    Cancelled,
    CancelToken,
    EventsRequest,
    LogRequest,
    MessageRequest,
    Request,
    Result,
    RowKey,
    SeriesRequest,
    StoreRequest,
    TaskRequest,
)  # fmt: skip
from models.domain.records import (
    Attempt,
    Gap,
    GapCause,
    Level,
    LogRow,
    Outcome,
    PresenceChange,
    TaskReport,
    TaskState,
)
from models.domain.reduce import (
    increases,  # fmt: skip
    plot_time,
)
from models.domain.search.terms import Anywhere, Comparison, LevelIs
from models.storage.history.reader import HistoryReader
from models.storage.lock import RecorderLock
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import HistoryBuilder, raw

S = 1_000_000


def ask(reader: HistoryReader, request: Request) -> Result:
    return list(reader.answer(request, CancelToken()))[-1]


def sample(
    build: HistoryBuilder, agent: int, series: int, at_us: int, value: float, own_us: int | None = None
) -> RecordBatch:
    batch = build.messages([raw(at_us=at_us)], agent)
    batch.add_samples(0, at_us if own_us is None else own_us, [series], [value])
    return batch


def test_no_workspace_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        ask(HistoryReader(Workspace.at(tmp_path / "none")), StoreRequest())
    assert caught.value.problem.code == "workspace.missing"
    assert not (tmp_path / "none").exists()


def test_a_newer_catalogue_is_refused(build: HistoryBuilder, reader: HistoryReader) -> None:
    build.database.connection().pragma("user_version", 999)
    with pytest.raises(EnvironmentProblem) as caught:
        ask(reader, StoreRequest())
    assert caught.value.problem.code == "workspace.newer"


def test_a_series_is_read_over_segments_in_the_range_asked_for(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, b = build.agent("a"), build.agent("b")
    cpu, other = build.series(a, "cpu"), build.series(b, "cpu")
    for number in range(3):
        segment = build.segment()
        for second in range(10):
            at = T0 + (number * 10 + second) * S
            segment.write(sample(build, a, cpu, at, number * 10 + second))
            segment.write(sample(build, b, other, at, -1))
        if number < 2:
            segment.close()
    result = ask(reader, SeriesRequest((cpu,), T0 + 5 * S, T0 + 25 * S))
    (column,) = result.columns
    assert column.value.tolist() == list(range(5, 25))
    assert column.time_us.tolist() == [T0 + n * S for n in range(5, 25)]
    assert result.complete
    assert not column.reduced
    assert ask(reader, SeriesRequest((cpu, other), T0, T0 + S)).columns[1].value.tolist() == [-1]


def test_large_and_small_batches_read_alike(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    series = [build.series(a, f"m{n}") for n in range(100)]
    segment = build.segment()
    for second, rows in enumerate((1, 40, 1, 40)):  # 40 messages of 100 samples are more than a small blob
        batch = build.messages([raw(at_us=T0 + second * S + n) for n in range(rows)], a)
        for row in range(rows):
            batch.add_samples(row, T0 + second * S + row, series, [float(row + n) for n in range(100)])
        segment.write(batch)
    for wanted in (0, 57, 99):
        (column,) = ask(reader, SeriesRequest((series[wanted],), T0, T0 + 9 * S)).columns
        assert column.value.tolist() == [wanted + row for rows in (1, 40, 1, 40) for row in range(rows)]


def test_a_long_series_comes_as_its_envelope(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    cpu = build.series(a, "cpu")
    segment = build.segment()
    batch = build.messages([raw(at_us=T0 + n) for n in range(1000)], a)
    for n in range(1000):
        batch.add_samples(n, T0 + n, [cpu], [100.0 if n == 700 else float(n % 5)])
    segment.write(batch)
    (column,) = ask(reader, SeriesRequest((cpu,), T0, T0 + S, max_points=20)).columns
    assert column.reduced
    assert len(column.value) == len(column.received_us) <= 20
    assert column.value.max() == 100.0


def test_a_long_counter_keeps_its_rise_and_its_restarts(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    errors = build.series(a, "errors", kind=SeriesKind.COUNTER)
    segment = build.segment()
    batch = build.messages([raw(at_us=T0 + n) for n in range(1000)], a)
    counted = [float(n if n < 503 else n - 500) for n in range(1000)]  # one restart in the middle of a stretch, at 3
    for n in range(1000):
        batch.add_samples(n, T0 + n, [errors], [counted[n]])
    segment.write(batch)
    (column,) = ask(reader, SeriesRequest((errors,), T0, T0 + S, max_points=20)).columns
    assert column.reduced
    step, reset = increases(column.value)
    assert (step.sum(), reset.sum()) == (502 + 3 + 496, 1)
    assert len(column.value) <= 20


def test_own_times_stay_as_they_were_sent_in_order_of_time(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    late, wrong = build.series(a, "late"), build.series(a, "wrong")
    segment = build.segment()
    for second in (1, 2, 3):
        segment.write(sample(build, a, wrong, T0 + second * S, second, T0 + (second - 60) * S))
        segment.write(sample(build, a, late, T0 + second * S, second, T0 + second * S - 2_500_000 * (second == 3)))
    result = ask(reader, SeriesRequest((late, wrong), T0, T0 + 9 * S))
    assert result.columns[0].value.tolist() == [3, 1, 2]
    assert (np.diff(result.columns[0].time_us) >= 0).all()
    assert result.columns[0].received_us.tolist() == [T0 + 3 * S, T0 + S, T0 + 2 * S]
    assert result.columns[1].time_us.tolist() == [T0 + (second - 60) * S for second in (1, 2, 3)]
    assert plot_time(*result.columns[1][1:3]).tolist() == [T0 + second * S for second in (1, 2, 3)]


def test_gaps_of_the_agent_and_of_everybody_come_with_a_series(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, b = build.agent("a"), build.agent("b")
    cpu = build.series(a, "cpu")
    segment = build.segment()
    batch = sample(build, a, cpu, T0, 1)
    batch.gaps = [
        Gap(T0, T0 + S, a, GapCause.SEQUENCE, 3),
        Gap(T0, T0 + S, b, GapCause.SEQUENCE, 4),
        Gap(T0 + S, T0 + 2 * S, 0, GapCause.NOT_CONNECTED, 0),
        Gap(T0 + 90 * S, T0 + 91 * S, 0, GapCause.DROPPED, 5),
    ]
    segment.write(batch)
    with_lock = RecorderLock(build.workspace, FakeClock())
    with_lock.acquire("t")
    gaps = ask(reader, SeriesRequest((cpu,), T0, T0 + 60 * S)).gaps
    with_lock.release()
    assert gaps.cause == [GapCause.SEQUENCE, GapCause.NOT_CONNECTED]
    assert gaps.missing.tolist() == [3, 0]


def test_time_since_the_recorder_ended_or_died_is_a_gap(
    build: HistoryBuilder, reader: HistoryReader, clock: FakeClock
) -> None:
    a = build.agent("a")
    cpu = build.series(a, "cpu")
    capture = build.capture()
    segment = build.segment()
    segment.write(sample(build, a, cpu, T0, 1), committed_us=T0 + 1)
    clock.advance(100 * S)
    for _ in range(2):  # first as after a crash, then as after a clean end
        gaps = ask(reader, SeriesRequest((cpu,), T0, T0 + 60 * S)).gaps
        assert (gaps.cause, gaps.since_us.tolist(), gaps.until_us.tolist()) == (
            [GapCause.NOT_RECORDING], [T0 + 1], [T0 + 100 * S],
        )  # fmt: skip
        build.end_capture(capture, T0 + 2)
    assert ask(reader, SeriesRequest((cpu,), T0 - 9, T0)).gaps.cause == []


def test_a_damaged_or_missing_segment_is_skipped_and_told(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    cpu = build.series(a, "cpu")
    for number in range(4):
        segment = build.segment()
        segment.write(sample(build, a, cpu, T0 + number * S, number))
        segment.close()
    build.workspace.segment(2).write_bytes(b"no database at all, but long enough to be looked at" * 50)
    build.workspace.segment(3).unlink()
    result = ask(reader, SeriesRequest((cpu,), T0, T0 + 9 * S))
    assert result.columns[0].value.tolist() == [0, 3]
    damaged = [
        since for since, cause in zip(result.gaps.since_us, result.gaps.cause, strict=True) if cause == "damaged"
    ]
    assert damaged == [T0 + S, T0 + 2 * S]
    assert len(ask(reader, MessageRequest()).rows) == 2


def test_a_damaged_batch_costs_only_itself(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    cpu = build.series(a, "cpu")
    segment = build.segment()
    for second in range(4):
        segment.write(sample(build, a, cpu, T0 + second * S, second))
    segment.database.execute_sql("update batch set samples = x'0102' where id = 2")
    result = ask(reader, SeriesRequest((cpu,), T0, T0 + 9 * S))
    assert result.columns[0].value.tolist() == [0, 2, 3]
    assert "damaged" in result.gaps.cause


def test_a_cancelled_question_stops(build: HistoryBuilder, reader: HistoryReader) -> None:
    segment = build.segment()
    segment.write(build.messages([raw()]))
    with pytest.raises(Cancelled):
        list(reader.answer(MessageRequest(), CancelToken(cancelled=True)))
    reader.interrupt()  # nothing under way: harmless
    assert len(ask(reader, MessageRequest()).rows) == 1


def test_looking_at_closed_segments_leaves_no_files(build: HistoryBuilder, reader: HistoryReader) -> None:
    segment = build.segment()
    segment.write(build.messages([raw()]))
    segment.close()
    ask(reader, MessageRequest())
    reader.close()
    assert [one.name for one in build.workspace.segments.iterdir()] == ["1.db"]


def pages(reader: HistoryReader, request: MessageRequest | LogRequest) -> list:
    """All pages of a list, one after another."""
    rows, before = [], None
    while True:
        page = ask(
            reader, type(request)(**{name: getattr(request, name) for name in request.__slots__} | {"before": before})
        )
        rows += page.rows
        if page.reach.searched is None:
            return rows
        before = page.reach.searched


def test_pages_of_messages_give_every_row_once_newest_first_over_overlapping_captures(
    build: HistoryBuilder, reader: HistoryReader
) -> None:
    a = build.agent("a")
    first, second, third = build.segment(), build.segment(), build.segment()
    for n in range(20):
        for place, segment in enumerate((first, second, third)):
            at = T0 + n * S if place < 2 else T0 + (100 + n) * S
            segment.write(build.messages([raw(at_us=at, payload=b"%d" % n)], a))
    rows = pages(reader, MessageRequest(limit=7))
    keys = [row.key for row in rows]
    assert len(set(keys)) == len(keys) == 60
    assert keys == sorted(keys, reverse=True)
    assert len(pages(reader, MessageRequest(limit=7, since_us=T0 + 5 * S, until_us=T0 + 15 * S))) == 20


def test_a_message_comes_back_whole(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    properties = Properties("text/plain", "reply/to", b"\x00\xff", None, (("k", "v"),))
    message = raw(b"odd/\xff", b"x" * 100, T0, properties, retain=True, qos=2)
    build.segment().write(build.messages([message], a, Kind.STATUS))
    (row,) = ask(reader, MessageRequest(payload_limit=10)).rows
    assert row[1:] == (b"odd/\xff", a, Kind.STATUS, 0, 2, True, False, 100, b"x" * 10, properties)


def test_messages_of_one_topic_and_of_one_agent(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, b = build.agent("a"), build.agent("b")
    segment = build.segment()
    for n in range(30):
        segment.write(build.messages([raw("one" if n % 10 == 0 else "many", at_us=T0 + n)], a if n % 2 else b))
    assert [row.key.seq for row in pages(reader, MessageRequest(topic=b"one", limit=2))] == [21, 11, 1]
    assert pages(reader, MessageRequest(topic=b"none")) == []
    assert len(pages(reader, MessageRequest(agent=a, limit=4))) == 15


def test_logs_by_level_text_agent_and_time_even_several_of_one_message(
    build: HistoryBuilder, reader: HistoryReader
) -> None:
    a = build.agent("a")
    segment = build.segment()
    for n in range(10):
        batch = build.messages([raw(at_us=T0 + n * S)], a, Kind.LOG)
        batch.logs = [
            LogRow(0, T0 + n * S, a, Level.INFO, None, f"line {n}"),
            LogRow(0, T0 + n * S, a, Level.ERROR, "net.http", f"Straße {n}", "Timeout", "at x", '{"k":1}'),
        ]
        segment.write(batch)
    rows = pages(reader, LogRequest(limit=3))
    assert len({row.key for row in rows}) == 20
    assert len(pages(reader, LogRequest(query=LevelIs(Comparison.AT_LEAST, Level.WARN), limit=3))) == 10
    assert [row.text for row in pages(reader, LogRequest(query=Anywhere("STRASSE 7")))] == ["Straße 7"]
    assert len(pages(reader, LogRequest(query=Anywhere("HTTP"), limit=4))) == 10
    assert pages(reader, LogRequest(agent=a + 1)) == []
    assert len(pages(reader, LogRequest(since_us=T0 + 2 * S, until_us=T0 + 4 * S))) == 4
    assert rows[0][1:-1] == (T0 + 9 * S, a, Level.ERROR, "net.http", "Straße 9", "Timeout", "at x", '{"k":1}')
    assert rows[0].message == 10


def test_the_page_before_a_key_of_another_segment(build: HistoryBuilder, reader: HistoryReader) -> None:
    for number in range(2):
        segment = build.segment()
        segment.write(build.messages([raw(at_us=T0 + n * S + number) for n in range(5)]))
    found = ask(reader, MessageRequest(before=RowKey(T0 + 2 * S + 1, 2, 3))).rows
    assert [row.key[:2] for row in found] == [(T0 + 2 * S, 1), (T0 + S + 1, 2), (T0 + S, 1), (T0 + 1, 2), (T0, 1)]


def report(batch: RecordBatch, agent: int, task: str, state: TaskState, at_us: int, **more: object) -> RecordBatch:
    batch.tasks.append(TaskReport(0, at_us, agent, task, more.pop("type", None), state, **more))
    return batch


def test_tasks_as_last_reported_with_their_times(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, b = build.agent("a"), build.agent("b")
    segment = build.segment()

    def tell(second: int, agent: int, task: str, state: TaskState, **more: object) -> None:
        at = T0 + second * S
        segment.write(report(build.messages([raw(at_us=at)], agent, Kind.TASK), agent, task, state, at, **more))

    tell(1, a, "one", TaskState.SUBMITTED, type="fetch", requester="boss", parent="p")
    tell(2, a, "one", TaskState.WORKING, attempt=1)
    tell(3, a, "one", TaskState.FAILED, error="no")
    tell(4, a, "two", TaskState.WORKING, progress=0.5)
    tell(5, a, "one", TaskState.WORKING, attempt=2)
    tell(6, a, "one", TaskState.COMPLETED, result="42")
    tell(7, a, "one", TaskState.COMPLETED, result="42")
    tell(7, a, "one", TaskState.UNKNOWN, progress=1.0)  # a report without a state leaves it as it was
    tell(8, b, "one", TaskState.SUBMITTED)
    rows = ask(reader, TaskRequest()).rows
    assert [(row.agent, row.task) for row in rows] == [(b, "one"), (a, "one"), (a, "two")]
    done = rows[1]
    assert done[2:6] == (a, "fetch", TaskState.COMPLETED, "p")
    assert (done.submitted_us, done.started_us, done.ended_us) == (T0 + S, T0 + 2 * S, T0 + 6 * S)
    assert (done.attempt, done.result, done.error, done.requester) == (2, "42", "no", "boss")
    assert rows[2].progress == 0.5
    assert rows[2].ended_us == 0
    late = ask(reader, TaskRequest(since_us=T0 + 5 * S, until_us=T0 + 6 * S)).rows
    assert [(row.task, row.state, row.submitted_us) for row in late] == [("one", TaskState.WORKING, T0 + S)]
    then = ask(reader, TaskRequest(until_us=T0 + 4 * S + 1)).rows  # as it was at a moment
    assert [(row.task, row.state, row.ended_us) for row in then] == [
        ("two", TaskState.WORKING, 0), ("one", TaskState.FAILED, T0 + 3 * S),
    ]  # fmt: skip
    assert len(ask(reader, TaskRequest(limit=1)).rows) == 1
    assert [row.task for row in ask(reader, TaskRequest(agent=b)).rows] == ["one"]


def test_events_begin_with_what_was_in_force(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    first = build.segment()
    batch = build.messages([raw(at_us=T0)], a)
    batch.presence = [PresenceChange(T0, a, Presence.ONLINE, Condition.DEGRADED, Cause.STATUS)]
    first.write(batch)
    first.close()
    second = build.segment()
    batch = build.messages([raw(at_us=T0 + 100 * S)], a)
    batch.presence = [PresenceChange(T0 + 100 * S, a, Presence.OFFLINE, Condition.OK, Cause.WILL)]
    batch.attempts = [Attempt(0, T0 + 100 * S, a, Outcome.TIMEOUT, "slow", None, "db:5432")]
    second.write(batch)
    result = ask(reader, EventsRequest(a, T0 + 50 * S, T0 + 200 * S))
    assert result.presence.presence.tolist() == [Presence.ONLINE, Presence.OFFLINE]
    assert result.presence.cause == [Cause.STATUS, Cause.WILL]
    assert result.attempts.duration_us.tolist() == [-1]
    assert result.attempts.target == ["db:5432"]
    everybody = ask(reader, EventsRequest(0, T0 + 50 * S, T0 + 200 * S))
    assert everybody.presence.agent.tolist() == [a]


def test_an_agent_with_its_series_and_headlines(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    cpu, memory = build.series(a, "cpu"), build.series(a, "mem", unit="By")
    build.update_agent_now(a, messages=7, cpu_series=cpu, memory_series=memory)
    result = ask(reader, AgentRequest(a))
    assert (result.id, result.name, result.messages) == ("a", "a", 7)
    assert result.headline == {"cpu": cpu, "memory": memory}
    assert [info.key.unit for info in result.series] == ["1", "By"]


def test_an_agent_that_only_a_segment_knows_has_at_least_its_name(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.names.agent("new")
    build._known.add(("agent", a))  # the catalogue has not taken it in
    build.segment().write(build.messages([raw()], a))
    assert ask(reader, AgentRequest(a)).id == "new"
    assert ask(reader, AgentRequest(99)).id == ""


def test_what_the_store_holds(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    cpu = build.series(a, "cpu")
    segment = build.segment()
    segment.write(sample(build, a, cpu, T0, 1))
    segment.write(sample(build, a, cpu, T0 + S, 1))
    result = ask(reader, StoreRequest())
    assert (result.first_us, result.last_us) == (T0, T0 + S)
    assert result.rows == {"messages": 2, "samples": 2, "logs": 0, "tasks": 0}
    assert result.agents == 1
    assert result.bytes >= build.workspace.catalogue.stat().st_size


def test_an_empty_workspace_answers_with_nothing(build: HistoryBuilder, reader: HistoryReader) -> None:
    assert ask(reader, StoreRequest()).rows["messages"] == 0
    assert ask(reader, MessageRequest()).rows == ()
    assert ask(reader, SeriesRequest((1,), 0, T0)).columns[0].value.tolist() == []


def test_a_restored_workspace_is_noticed(build: HistoryBuilder, reader: HistoryReader, tmp_path: Path) -> None:
    build.segment().write(build.messages([raw()]))
    assert len(ask(reader, MessageRequest()).rows) == 1
    other = HistoryBuilder(Workspace.at(tmp_path / "other"))
    other.close()
    for file in build.workspace.root.glob("catalogue.db-*"):
        file.unlink()
    other.workspace.catalogue.replace(build.workspace.catalogue)
    assert ask(reader, StoreRequest()).rows["messages"] == 0
