"""The fleet: now and as it was, from the catalogue, pulses and presence changes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.domain.presence_words import Cause, Condition, Presence
from models.domain.queries import CancelToken, EventsRequest, FleetRequest, FleetResult
from models.domain.records import Gap, GapCause, PresenceChange, TaskReport, TaskState
from models.storage import catalogue
from models.storage.history import pulses
from models.storage.history.fleet import FleetHistory
from models.storage.history.reader import HistoryReader
from models.storage.history.store_view import IDLE_TURNS
from models.storage.lock import RecorderLock
from models.storage.segments.pulse_columns import bin_middle_s, response_bin
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import HistoryBuilder, SegmentBuilder, raw

S = 1_000_000
MINUTE = 60 * S


@pytest.fixture
def build(tmp_path: Path, clock: FakeClock) -> Iterator[HistoryBuilder]:
    one = HistoryBuilder(Workspace.at(tmp_path / "w"))
    lock = RecorderLock(one.workspace, clock)
    lock.acquire("test")
    one.capture()
    yield one
    lock.release()
    one.close()


def fleet(reader: HistoryReader, at_us: int = 0, **more: bool) -> FleetResult:
    (result,) = reader.answer(FleetRequest(at_us, **more), CancelToken())
    assert isinstance(result, FleetResult)
    n = len(result.agent)
    for name in FleetResult.__slots__[2:]:
        assert len(getattr(result, name)) == n, name
    return result


def change(segment: SegmentBuilder, agent: int, at_us: int, presence: Presence, cause: Cause = Cause.HEARD) -> None:
    batch = segment.builder.messages([raw(at_us=at_us)], agent)
    batch.presence = [PresenceChange(at_us, agent, presence, Condition.OK, cause)]
    segment.write(batch)


def test_an_empty_workspace_has_an_empty_fleet(reader: HistoryReader) -> None:
    assert fleet(reader).id == []


def test_agents_are_as_the_catalogue_knows_them(build: HistoryBuilder, reader: HistoryReader, clock: FakeClock) -> None:
    a, b = build.agent("a"), build.agent("b")
    cpu, memory = build.series(a, "process.cpu.utilization"), build.series(a, "process.memory.usage", unit="By")
    with build.database.bind_ctx([catalogue.Agent]):
        catalogue.Agent.update(own_name="Own", given_name="Given", own_group="g", interval_us=5 * S).where(
            catalogue.Agent.id == a
        ).execute()
    build.update_agent_now(
        a, presence=5, cause="will", since_us=T0 - S, cpu=0.25, cpu_series=cpu, memory=1e9, memory_series=memory,
        tasks_open=3, condition=3,
    )  # fmt: skip
    clock.advance(10 * S)
    result = fleet(reader)
    assert result.at_us == T0 + 10 * S
    assert (result.id, result.name, result.group) == (["a", "b"], ["Given", "b"], ["g", ""])
    assert result.presence.tolist() == [Presence.OFFLINE, Presence.UNKNOWN]
    assert result.cause == [Cause.WILL, Cause.NOT_HEARD]
    assert result.condition.tolist() == [3, 0]
    assert (result.cpu[0], result.cpu_unit[0], result.cpu_source[0]) == (0.25, "1", "process.cpu.utilization")
    assert (result.memory[0], result.memory_unit[0]) == (1e9, "By")
    assert np.isnan(result.cpu[1])
    assert result.tasks_open.tolist() == [3, 0]
    assert result.agent.tolist() == [a, b]


def test_retired_agents_are_left_out_unless_asked_for(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    build.agent("b")
    with build.database.bind_ctx([catalogue.Agent]):
        catalogue.Agent.update(retired_us=T0 - 1).where(catalogue.Agent.id == a).execute()
    assert fleet(reader).id == ["b"]
    assert fleet(reader, with_retired=True).retired.tolist() == [True, False]
    assert fleet(reader, at_us=T0 - 2).id == ["a", "b"]


def test_the_hour_moves_on_and_forgets(build: HistoryBuilder, reader: HistoryReader, clock: FakeClock) -> None:
    a, b = build.agent("a"), build.agent("b")
    segment = build.segment()
    for minute in range(90):
        at = T0 + minute * MINUTE
        clock.advance(at + 10 * S - clock.wall_us())
        change(segment, a, at, Presence.ONLINE)
        segment.pulse(at, [
            {"agent": a, "messages": 2, "failed": 1, "finished": 3, "errors": 1, "log_errors": 1, "attempts": 2},
            {"agent": b, "messages": 1, "successes": 1},
        ])  # fmt: skip
        if minute % 7 == 0 or minute == 89:
            result = fleet(reader)
            held = min(minute + 1, 60)
            assert result.messages.tolist() == [2 * held, held]
            assert result.finished.tolist() == [3 * held, 0]
            assert result.hour_errors.sum(axis=1).tolist() == [3 * held, 0]
            assert result.hour_errors[0, -1] == 3
    assert (result.attempts[0], result.successes[1], result.log_errors[0]) == (120, 60, 60)
    clock.advance(2 * 60 * MINUTE)
    assert fleet(reader).messages.tolist() == [0, 0]
    assert fleet(reader).hour_errors.sum() == 0


def test_readers_that_share_a_fleet_read_each_pulse_once(
    build: HistoryBuilder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = build.agent("a")
    segment = build.segment()
    change(segment, a, T0, Presence.ONLINE)
    segment.pulse(T0, [{"agent": a, "messages": 2}])
    read: list[int] = []
    real = pulses._read
    monkeypatch.setattr(pulses, "_read", lambda opened, ids, told: [read.extend(ids), *real(opened, ids, told)][1:])
    shared = FleetHistory(clock)
    readers = [HistoryReader(build.workspace, clock, shared) for _ in range(3)]
    assert [fleet(one).messages.tolist() for one in readers] == [[2]] * 3
    assert len(read) == 1
    for one in readers:
        one.close()


def test_closed_segments_are_read_once_and_then_let_go_of(
    build: HistoryBuilder, reader: HistoryReader, clock: FakeClock
) -> None:
    a = build.agent("a")
    for minute in range(3):
        segment = build.segment()
        change(segment, a, T0 + minute * MINUTE, Presence(1 + minute))
        segment.pulse(T0 + minute * MINUTE, [{"agent": a, "messages": 1}])
        assert fleet(reader).messages.tolist() == [minute + 1]  # also of one that was read while it was open
        segment.close()
    open_segment = build.segment()
    change(open_segment, a, T0 + 3 * MINUTE, Presence.ONLINE)
    clock.advance(4 * MINUTE - S)
    for _ in range(IDLE_TURNS + 2):
        first = fleet(reader)
    view = reader._view
    assert view is not None
    assert list(view._open) == [open_segment.id]
    assert first.messages.tolist() == [3]
    assert first.hour_presence[0, -4:].tolist() == [1, 2, 3, 3]


def test_a_restored_workspace_is_read_anew(
    build: HistoryBuilder, reader: HistoryReader, clock: FakeClock, tmp_path: Path
) -> None:
    a = build.agent("a")
    segment = build.segment()
    change(segment, a, T0, Presence.ONLINE)
    segment.pulse(T0, [{"agent": a, "messages": 2}])
    segment.close()
    assert fleet(reader).messages.tolist() == [2]
    other = HistoryBuilder(Workspace.at(tmp_path / "other"))
    b = other.agent("b")
    segment = other.segment()
    change(segment, b, T0, Presence.ONLINE)
    segment.pulse(T0, [{"agent": b, "messages": 5}])
    segment.close()
    other.close()
    build.close()
    shutil.rmtree(build.workspace.root)
    shutil.copytree(other.workspace.root, build.workspace.root)
    assert fleet(reader).messages.tolist() == [5]


def test_two_rows_of_the_same_ten_seconds_add_up_over_segments(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    first = build.segment()
    change(first, a, T0, Presence.ONLINE)
    first.pulse(T0, [{"agent": a, "messages": 2, "cpu": 0.5}])
    first.close()
    second = build.segment()
    change(second, a, T0 + 5 * S, Presence.ONLINE)
    second.pulse(T0, [{"agent": a, "messages": 3}])
    result = fleet(reader)
    assert result.messages.tolist() == [5]
    assert result.cpu_spark[0, -1] == np.float32(0.5)


def test_percentiles_come_from_merged_histograms(
    build: HistoryBuilder, reader: HistoryReader, clock: FakeClock
) -> None:
    a, b = build.agent("a"), build.agent("b")
    segment = build.segment()
    change(segment, a, T0, Presence.ONLINE)
    times = np.array([0.01] * 94 + [1.0] * 6)
    bins = response_bin(times)
    for place, part in enumerate((bins[:50], bins[50:])):
        some, n = np.unique(part, return_counts=True)
        segment.pulse(T0 + place * 10 * S, [{"agent": a, "messages": 1}],
                      [(a, int(one), int(count)) for one, count in zip(some, n, strict=True)])  # fmt: skip
    segment.pulse(T0 + 20 * S, [], [(b, 20_000, 1)])
    clock.advance(30 * S)
    result = fleet(reader)
    assert result.response_n.tolist() == [100, 1]
    assert result.response_p95_s[0] == pytest.approx(1.0, rel=0.021)
    assert result.response_p95_s[0] == bin_middle_s(bins[-1:])[0]
    assert result.response_p95_s[1] > 1e9
    clock.advance(61 * MINUTE)
    assert np.isnan(fleet(reader).response_p95_s).all()


def test_sparklines_end_with_the_running_value(build: HistoryBuilder, reader: HistoryReader, clock: FakeClock) -> None:
    a = build.agent("a")
    build.update_agent_now(a, cpu=0.9, memory=7.0)
    segment = build.segment()
    change(segment, a, T0, Presence.ONLINE)
    for cell in range(6):
        segment.pulse(T0 + cell * 10 * S, [{"agent": a, "cpu": cell / 10, "memory": cell}])
    clock.advance(65 * S)
    result = fleet(reader)
    assert result.cpu_spark[0, -7:].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9])
    assert result.memory_spark[0, -2:].tolist() == [5, 7]
    assert np.isnan(result.cpu_spark[0, :-7]).all()


def test_the_strip_holds_the_worst_of_each_minute(
    build: HistoryBuilder, reader: HistoryReader, clock: FakeClock
) -> None:
    a, b, c = build.agent("a"), build.agent("b"), build.agent("c")
    now = T0 + 60 * MINUTE - S  # so that the strip begins at T0
    old = build.segment()
    change(old, a, T0 - 30 * MINUTE, Presence.LATE)
    change(old, a, T0 - 20 * MINUTE, Presence.ONLINE)
    change(old, b, T0 - 20 * MINUTE, Presence.OFFLINE)
    old.close()
    segment = build.segment()
    change(segment, a, T0 + 10 * MINUTE + S, Presence.OFFLINE, Cause.WILL)
    change(segment, a, T0 + 10 * MINUTE + 2 * S, Presence.ONLINE)
    change(segment, c, T0 + 30 * MINUTE, Presence.ONLINE)
    build.update_agent_now(a, presence=1, since_us=T0 + 10 * MINUTE + 2 * S, first_seen_us=T0 - 99 * MINUTE)
    build.update_agent_now(b, presence=5, since_us=T0 - 20 * MINUTE, first_seen_us=T0 - 99 * MINUTE)
    build.update_agent_now(c, presence=1, since_us=T0 + 30 * MINUTE, first_seen_us=T0 + 30 * MINUTE)
    clock.advance(now - clock.wall_us())
    for _ in range(2):
        strip = fleet(reader).hour_presence
        assert strip[0].tolist() == [1] * 10 + [5] + [1] * 49
        assert strip[1].tolist() == [5] * 60
        assert strip[2].tolist() == [0] * 30 + [1] * 30
    past = fleet(reader, at_us=T0 + 20 * MINUTE)
    assert past.hour_presence[0].tolist() == [0] * 9 + [4] * 11 + [1] * 29 + [5] + [1] * 10
    assert past.presence.tolist() == [1, 5]


def test_what_we_did_not_see_is_unknown(build: HistoryBuilder, reader: HistoryReader, clock: FakeClock) -> None:
    a = build.agent("a")
    build.update_agent_now(a, presence=5, since_us=T0 - 90 * MINUTE, first_seen_us=T0 - 90 * MINUTE)
    segment = build.segment()
    batch = build.messages([raw(at_us=T0)], a)
    batch.gaps = [Gap(T0 + 10 * MINUTE, T0 + 12 * MINUTE + S, 0, GapCause.NOT_CONNECTED, 0)]
    segment.write(batch)
    clock.advance(60 * MINUTE - S)
    assert fleet(reader).hour_presence[0].tolist() == [5] * 10 + [3] * 2 + [5] * 48


def test_without_a_recorder_nobody_is_known(build: HistoryBuilder, clock: FakeClock, tmp_path: Path) -> None:
    other = HistoryBuilder(Workspace.at(tmp_path / "other"))
    capture = other.capture()
    a = other.agent("a")
    other.update_agent_now(a, presence=1)
    segment = other.segment()
    change(segment, a, T0, Presence.ONLINE)
    segment.write(other.messages([raw(at_us=T0 + S)], a), committed_us=T0 + 2 * S)
    clock.advance(10 * MINUTE)
    reader = HistoryReader(other.workspace, clock)
    for _ in range(2):  # after a crash, and after a clean end
        result = fleet(reader)
        assert result.at_us == T0 + 2 * S
        assert (result.presence.tolist(), result.cause) == ([Presence.UNKNOWN], [Cause.NOT_RECORDING])
        assert result.since_us.tolist() == [T0 + 2 * S]
        other.end_capture(capture, T0 + 3 * S)
    imported = other.capture("import", ended_us=T0 + MINUTE)
    change(other.segment(imported), a, T0 - MINUTE, Presence.LATE)
    other.update_agent_now(a, presence=1, imported=1)
    result = fleet(reader)
    assert result.at_us == T0 - MINUTE
    assert result.presence.tolist() == [1]  # the state at the last record stands
    reader.close()
    other.close()


def test_the_time_without_recorder_is_told_by_the_segment_after_it(
    build: HistoryBuilder, reader: HistoryReader, clock: FakeClock
) -> None:
    a = build.agent("a")
    build.update_agent_now(a, since_us=T0 + 31 * MINUTE)
    first = build.segment()
    change(first, a, T0, Presence.ONLINE)
    first.close()
    second = build.segment()
    batch = build.messages([raw(at_us=T0 + 30 * MINUTE)], a)
    batch.gaps = [Gap(T0 + 10 * MINUTE, T0 + 30 * MINUTE, 0, GapCause.NOT_RECORDING, 0)]
    batch.presence = [PresenceChange(T0 + 10 * MINUTE, a, Presence.UNKNOWN, Condition.OK, Cause.NOT_RECORDING)]
    second.write(batch)
    change(second, a, T0 + 31 * MINUTE, Presence.ONLINE)
    clock.advance(69 * MINUTE + S)
    assert fleet(reader).hour_presence[0].tolist() == [3] * 22 + [1] * 38
    past = fleet(reader, at_us=T0 + 20 * MINUTE)
    assert (past.presence.tolist(), past.cause) == ([Presence.UNKNOWN], [Cause.NOT_RECORDING])
    assert past.hour_presence[0, -21:].tolist() == [1] * 10 + [3] * 11
    (events,) = reader.answer(EventsRequest(a, T0 + MINUTE, T0 + 20 * MINUTE), CancelToken())
    assert events.presence.cause == [Cause.HEARD, Cause.NOT_RECORDING]


def test_the_fleet_as_it_was(build: HistoryBuilder, reader: HistoryReader, clock: FakeClock) -> None:
    a, b = build.agent("a"), build.agent("b")
    build.update_agent_now(a, presence=5, cpu=0.9, tasks_open=0)
    build.update_agent_now(b, first_seen_us=T0 + 30 * MINUTE)
    segment = build.segment()
    change(segment, a, T0, Presence.ONLINE)
    batch = build.messages([raw(at_us=T0 + S)], a)
    batch.tasks = [TaskReport(0, T0 + S, a, "t", None, TaskState.WORKING)]
    segment.write(batch)
    segment.pulse(T0, [{"agent": a, "cpu": 0.1, "memory": 10, "messages": 2}])
    segment.pulse(T0 + 10 * S, [{"agent": a, "cpu": 0.2, "messages": 1}])
    segment.pulse(T0 + 20 * S, [{"agent": a, "cpu": 0.3, "messages": 1}])
    change(segment, a, T0 + 20 * MINUTE, Presence.OFFLINE, Cause.WILL)
    batch = build.messages([raw(at_us=T0 + 20 * MINUTE + S)], a)
    batch.tasks = [TaskReport(0, T0 + S, a, "t", None, TaskState.FAILED)]
    segment.write(batch)
    clock.advance(40 * MINUTE)
    then = fleet(reader, at_us=T0 + 25 * S)
    assert then.id == ["a"]
    assert then.presence.tolist() == [Presence.ONLINE]
    assert then.cpu[0] == pytest.approx(0.2)  # the ten seconds that were not over do not count yet
    assert then.memory.tolist() == [10]
    assert then.cpu_spark[0, -2:].tolist() == pytest.approx([0.1, 0.2])
    assert then.messages.tolist() == [3]
    assert then.tasks_open.tolist() == [1]
    assert then.last_seen_us.tolist() == [T0 + 20 * S]
    later = fleet(reader, at_us=T0 + 21 * MINUTE)
    assert (later.presence.tolist(), later.tasks_open.tolist()) == ([Presence.OFFLINE], [0])
    assert later.cpu[0] == pytest.approx(0.3)
    assert fleet(reader).cpu[0] == 0.9


def test_a_damaged_pulse_does_not_end_the_fleet(build: HistoryBuilder, reader: HistoryReader) -> None:
    a = build.agent("a")
    segment = build.segment()
    change(segment, a, T0, Presence.ONLINE)
    segment.pulse(T0, [{"agent": a, "messages": 1}])
    segment.pulse(T0 - 10 * S, [{"agent": a, "messages": 1}])
    segment.database.execute_sql("update pulse set data = x'01' where id = 2")
    assert fleet(reader).messages.tolist() == [1]
