"""Take-in, pulses, closing, recovery, retention: what the store does beside committing."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from models.domain.batch import RecordBatch
from models.domain.messages import Origin
from models.domain.names import SeriesKey, SeriesKind
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
)  # fmt: skip
from models.storage.engine import open_reader
from models.storage.segments.pulse_columns import PULSE, PULSE_US, RESPONSE, bin_middle_s
from models.storage.segments.segment_file import SegmentFile
from models.storage.workspace import Workspace
from models.storage.writing.take_in import NAMES_A_STEP, SegmentTaker
from models.storage.writing.upkeep import BRIEFLY_US
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.poll import until
from tests.helpers.store import batch_of, message, rows

SECOND = 1_000_000


class Bench:
    """A writer on a workspace that can be closed, killed and opened again."""

    def __init__(self, workspace: Workspace, clock: FakeClock) -> None:
        self.workspace, self.clock, self.writer = workspace, clock, None

    def open(self, limits: StoreLimits | None = None, *, record: bool = True) -> StoreWriter:
        self.writer = StoreWriter(self.workspace, self.clock, limits or StoreLimits())
        if record:
            self.writer.begin_capture("mqtt://broker", "client")
        return self.writer

    def kill(self) -> None:
        """As a kill -9 leaves the files: nothing is finished, only the locks are gone."""
        writer = self.writer
        assert writer is not None
        upkeep = writer._upkeep
        for segment in [one.segment for one in (*upkeep._takers, *upkeep._ended._ended)]:
            copy_away(segment.path)
            segment.close()
            copy_back(segment.path)
        copy_away(self.workspace.catalogue)
        writer._database.close()
        copy_back(self.workspace.catalogue)
        self.writer = None

    def catalogue(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.workspace, "catalogue", query)

    def pass_time(self, us: int) -> None:
        self.clock.advance(us)
        assert self.writer is not None
        self.writer.housekeep()


def copy_away(path: Path) -> None:
    for ending in ("", "-wal"):
        file = Path(f"{path}{ending}")
        if file.exists():
            Path(f"{path}{ending}.killed").write_bytes(file.read_bytes())


def copy_back(path: Path) -> None:
    for ending in ("", "-wal"):
        kept = Path(f"{path}{ending}.killed")
        if kept.exists():
            kept.rename(f"{path}{ending}")


@pytest.fixture
def bench(workspace: Workspace, clock: FakeClock) -> Iterator[Bench]:
    one = Bench(workspace, clock)
    yield one
    if one.writer is not None:
        one.writer.close()


def lively_batch(bench: Bench, turn: int) -> RecordBatch:
    """A bit of everything, different each turn."""
    assert bench.writer is not None
    names, now = bench.writer.names, bench.clock.wall_us()
    messages = [message(now + row, b"t%d" % row, b"p" * 9, packet_id=100 * turn + row) for row in range(4)]
    batch = batch_of(
        names, messages, ["a", "b", "a", f"new-{turn}"],
        [(0, "cpu_percent", 10.0 + turn), (1, "rss_bytes", 1000.0 * turn), (2, "latency_ms", 100.0 * turn)],
    )  # fmt: skip
    counter = names.series_of(SeriesKey(1, "agent.connection.attempts", "", "", SeriesKind.COUNTER, "test"))
    batch.add_samples(3, now, [counter], [5.0 * turn])
    batch.logs.append(LogRow(0, now, 1, Level.ERROR, None, "bad"))
    batch.logs.append(LogRow(1, now, 2, Level.INFO, None, "good"))
    batch.tasks.append(TaskReport(1, now, 2, f"task-{turn}", None, TaskState.WORKING))
    if turn % 2:
        batch.tasks.append(TaskReport(2, now, 2, f"task-{turn}", None, TaskState.FAILED))
    batch.attempts.append(Attempt(2, now, 2, Outcome.ERROR if turn % 3 else Outcome.OK, None, None, None))
    batch.interactions.append(Interaction(3, now, 1, 2, "task", str(turn), 250_000, Outcome.OK))
    batch.interactions.append(Interaction(-1, now, 1, 2, "task", str(turn), None, Outcome.TIMEOUT))
    presence = Presence.ONLINE if turn % 2 else Presence.LATE
    batch.presence.append(PresenceChange(now, 1, presence, Condition.OK, Cause.HEARD))
    batch.declarations.append(Declaration(0, 1, "ours", f"name-{turn}", None, 30 * SECOND if turn < 3 else None))
    if turn == 2:
        batch.gaps.append(Gap(now - 5, now, 1, GapCause.SEQUENCE, 2))
    return batch


KNOWN = {
    "agent": "SELECT id, name, convention, own_name, own_group, host, version, capabilities, interval_us FROM agent ORDER BY id",
    "now": "SELECT * FROM agent_now ORDER BY agent_id",
    "topic": "SELECT * FROM topic ORDER BY id",
    "topic_total": "SELECT topic_id, messages, payload_bytes, last_us, agent_id, kind FROM topic_total ORDER BY 1",
    "series": "SELECT * FROM series ORDER BY id",
    "open_task": "SELECT * FROM open_task ORDER BY 1, 2",
    "gap": "SELECT since_us, until_us, agent_id, cause, count, segment_id FROM gap ORDER BY segment_id, since_us",
    "segment": "SELECT id, capture_id, state, first_us, last_us, messages, samples, logs, tasks, unreadable, payload_bytes, taken_batch FROM segment ORDER BY id",
    "capture": "SELECT id, kind, started_us, broker, client_id, host, version FROM capture ORDER BY id",
}  # fmt: skip


def known(bench: Bench) -> dict[str, object]:
    return {name: bench.catalogue(query) for name, query in KNOWN.items()}


def pulses(bench: Bench, segments: tuple[int, ...] = (1,)) -> dict[tuple[int, int], dict[str, float]]:
    """(since, agent) -> what stands in all pulse rows of it, added up."""
    found: dict[tuple[int, int], dict[str, float]] = {}
    for segment in segments:
        for since, data, responses in rows(bench.workspace, segment, "SELECT since_us, data, responses FROM pulse"):
            for entry in np.frombuffer(data, PULSE):
                at = found.setdefault(
                    (since, int(entry["agent"])), dict.fromkeys(PULSE.names[1:], 0.0) | {"responses": 0}
                )
                for name in PULSE.names[1:]:
                    at[name] += 0.0 if np.isnan(entry[name]) else float(entry[name])
            for entry in np.frombuffer(responses or b"", RESPONSE):
                found[since, int(entry["agent"])]["responses"] += int(entry["n"])
    return found


def test_take_in_tells_what_every_agent_does(bench: Bench) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    bench.pass_time(2 * SECOND)
    writer.commit(lively_batch(bench, 2))
    bench.pass_time(2 * SECOND)
    query = "SELECT presence, cause, messages, cpu, last_seen_us, tasks_open FROM agent_now ORDER BY agent_id"
    later = T0 + 2 * SECOND
    assert bench.catalogue(query) == [
        (Presence.LATE, "heard", 4, pytest.approx(0.12), later + 2, 0),
        (Presence.UNKNOWN, "not-heard", 2, None, later + 1, 1),
        (Presence.UNKNOWN, "not-heard", 1, None, T0 + 3, 0),
        (Presence.UNKNOWN, "not-heard", 1, None, later + 3, 0),
    ]
    assert bench.catalogue("SELECT memory FROM agent_now WHERE agent_id = 2") == [(2000.0,)]
    chosen = "SELECT cpu_series, response_series, attempts_series FROM agent_now WHERE agent_id = 1"
    assert bench.catalogue(chosen) == [(1, 3, 4)]
    assert bench.catalogue("SELECT own_name, interval_us FROM agent WHERE id = 1") == [("name-2", 30 * SECOND)]
    assert bench.catalogue("SELECT agent_id, cause, count, segment_id FROM gap") == [(1, "sequence", 2, 1)]
    assert bench.catalogue("SELECT messages, samples, logs, tasks, payload_bytes, taken_batch FROM segment") == [
        (8, 8, 4, 3, 72, 2)
    ]


def test_only_what_is_live_makes_an_agent_seen(bench: Bench) -> None:
    writer = bench.open()
    origins = [Origin.REPLAY, Origin.BACKLOG, Origin.LIVE]
    messages = [message(T0 + at, origin=origin) for at, origin in enumerate(origins)]
    writer.commit(
        batch_of(writer.names, messages, ["a", "b", "c"], [(0, "cpu_percent", 50.0), (2, "cpu_percent", 50.0)])
    )
    bench.pass_time(12 * SECOND)
    seen = bench.catalogue("SELECT first_seen_us, last_seen_us, cpu FROM agent_now ORDER BY agent_id")
    assert seen == [(T0, 0, None), (T0 + 1, 0, None), (T0 + 2, T0 + 2, 0.5)]
    assert sorted(agent for _, agent in pulses(bench)) == [2, 3]


def test_pulses_sum_up_ten_seconds(bench: Bench) -> None:
    writer = bench.open()
    for turn in range(1, 9):  # 0 s … 21 s
        writer.commit(lively_batch(bench, turn))
        bench.pass_time(3 * SECOND)
    found = pulses(bench)
    first = found[T0, 1]
    assert first["messages"] == 8
    assert first["cpu"] == pytest.approx(np.mean([0.11, 0.12, 0.13, 0.14]))
    assert first["cpu_max"] == pytest.approx(0.14)
    assert first["attempts"] == 15  # 5, 10, 15, 20: the first value tells nothing
    assert (first["log_errors"], first["responses"]) == (4, 4)
    second = found[T0, 2]
    assert second["memory"] == 4000
    assert (second["finished"], second["failed"]) == (2 + 8, 2 + 4)  # failed tasks; answered and timed out requests
    assert (second["attempts"], second["successes"], second["errors"]) == (4, 1, 3)
    assert found[T0 + PULSE_US, 1]["attempts"] == 15
    assert (T0 + 2 * PULSE_US, 1) not in found
    ((responses,),) = rows(bench.workspace, 1, f"SELECT responses FROM pulse WHERE since_us = {T0}")
    spread = np.frombuffer(responses, RESPONSE)
    middles = bin_middle_s(spread["bin"][spread["agent"] == 1])
    np.testing.assert_allclose(np.sort(middles), [0.1, 0.2, 0.3, 0.4], rtol=0.021)


def test_a_counter_that_restarts_and_one_that_comes_late(bench: Bench) -> None:
    writer = bench.open()
    key = SeriesKey(writer.names.agent("a"), "agent.connection.errors", "", "", SeriesKind.COUNTER, "test")
    series = writer.names.series_of(key)
    for at, (time_us, value) in enumerate([(0, 10), (1, 14), (3, 20), (2, 17), (4, 3), (5, 4)]):
        batch = batch_of(writer.names, [message(T0 + at)], ["a"])
        batch.add_samples(0, T0 + time_us, [series], [float(value)])
        writer.commit(batch)
        if at == 2:
            bench.pass_time(SECOND)
    bench.pass_time(12 * SECOND)
    assert pulses(bench)[T0, 1]["errors"] == 4 + 6 + 3 + 1


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 6, 8])
@pytest.mark.parametrize("upkeep_every", [1, 3, 100])
def test_a_crash_loses_nothing_and_counts_nothing_twice(
    bench: Bench, tmp_path: Path, turns: int, upkeep_every: int
) -> None:
    """Killed at any moment, however far upkeep had come: the same catalogue and the same pulses as without a kill."""
    calm = Bench(Workspace.at(tmp_path / "calm"), FakeClock())
    for one in (calm, bench):
        one.open()
        for turn in range(1, turns + 1):
            assert one.writer is not None
            one.writer.commit(lively_batch(one, turn))
            one.clock.advance(1_700_000 if turn % 2 else 4_100_000)
            if not turn % (upkeep_every if one is bench else 1):
                one.writer.housekeep()
        if one is bench:
            one.writer.commit(lively_batch(one, turns + 1))
            one.kill()
            one.open(record=False)
        else:
            one.writer.commit(lively_batch(one, turns + 1))
        one.writer.close()
        one.writer = None
    assert known(bench) == known(calm)
    assert pulses(bench) == pulses(calm)


def test_a_batch_over_two_windows_is_given_back_in_part(bench: Bench) -> None:
    """The first ten seconds were stored before the kill, the second were not."""
    writer = bench.open()
    messages = [message(T0 + 9_900_000), message(T0 + 10_100_000)]
    bench.clock.advance(10_200_000)
    writer.commit(batch_of(writer.names, messages, ["a", "a"], [(0, "cpu_percent", 50.0), (1, "cpu_percent", 70.0)]))
    bench.pass_time(SECOND)
    assert list(pulses(bench)) == [(T0, 1)]
    bench.kill()
    bench.open(record=False)
    found = pulses(bench)
    assert [(one["messages"], one["cpu"]) for one in found.values()] == [(1, 0.5), (1, pytest.approx(0.7))]
    assert rows(bench.workspace, 1, "SELECT count(*) FROM pulse") == [(2,)]


def test_a_lost_catalogue_is_made_again_from_the_segments(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open()
    for turn in range(1, 9):
        writer.commit(lively_batch(bench, turn))
        bench.pass_time(3 * SECOND)
        if turn == 4:
            bench.clock.step_wall(2 * SECOND)
    writer.close()
    before = known(bench)
    assert len(before["segment"]) == 2
    ids = bench.catalogue("SELECT value FROM workspace WHERE key = 'id'")
    for ending in ("", "-wal", "-shm"):
        Path(f"{workspace.catalogue}{ending}").unlink(missing_ok=True)
    names = bench.open(record=False).names
    assert known(bench) == before
    assert bench.catalogue("SELECT value FROM workspace WHERE key = 'id'") == ids
    assert names.known_agent("new-8")


def test_a_damaged_catalogue_is_set_aside_and_made_again(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    writer.close()
    before = known(bench)
    data = bytearray(workspace.catalogue.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    workspace.catalogue.write_bytes(data)
    writer = bench.open(record=False)
    assert known(bench) == before
    assert [one.code for one in writer.problems] == ["store.corrupt", "catalogue.words"]
    assert len(list(workspace.root.glob("catalogue.db.damaged-*[0-9]"))) == 1


def test_a_damaged_segment_of_a_lost_catalogue_is_told_and_kept(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    writer.close()
    data = b"\xa5" * 4_096 + workspace.segment(1).read_bytes()[4_096:]
    workspace.segment(1).write_bytes(data)
    workspace.catalogue.unlink()
    writer = bench.open()
    assert [one.code for one in writer.problems] == ["store.corrupt"]
    assert bench.catalogue("SELECT id, state FROM segment") == [(1, "quarantined")]
    assert writer.commit(lively_batch(bench, 2)).segment == 2
    assert workspace.segment(1).read_bytes() == data


def test_what_the_user_said_is_read_out_of_a_damaged_catalogue(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    writer.submit(
        [{"do": "agent.rename", "agent": "a", "name": "Anna"}, {"do": "agent.note", "agent": "b", "note": "n"}]
    )
    writer.close()
    data = bytearray(workspace.catalogue.read_bytes())
    data[:4096] = bytes(4096)
    workspace.catalogue.write_bytes(data)
    writer = bench.open(record=False)
    assert bench.catalogue("SELECT name, given_name, note FROM agent WHERE name < 'c' ORDER BY 1") == [
        ("a", "Anna", ""), ("b", "", "n"),
    ]  # fmt: skip
    assert [(one.code, one.params.get("count")) for one in writer.problems] == [
        ("store.corrupt", None),
        ("catalogue.words", 2),
    ]


def test_a_damaged_open_segment_is_kept_aside_at_start(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    bench.pass_time(2 * SECOND)
    bench.kill()
    Path(f"{workspace.segment(1)}-wal").unlink()
    workspace.segment(1).write_bytes(b"no database at all, " * 500)
    writer = bench.open()
    assert bench.catalogue("SELECT state FROM segment") == [("quarantined",)]
    assert ("damaged", 4) in bench.catalogue("SELECT cause, count FROM gap")
    assert workspace.segment(1).read_bytes().startswith(b"no database")
    assert [one.code for one in writer.problems] == ["store.corrupt"]
    assert writer.commit(lively_batch(bench, 2)).segment == 2


def test_many_new_names_come_in_steps_and_commits_get_their_turn_between(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = bench.open()
    agents = [f"agent-{number}" for number in range(NAMES_A_STEP)]
    messages = [message(T0 + row, b"topic/%d" % row) for row in range(NAMES_A_STEP)]
    samples = [(row, "cpu_percent", 50.0) for row in range(NAMES_A_STEP)]
    apply_names = SegmentTaker.apply_names

    def slowly(taker: SegmentTaker[Any]) -> None:
        apply_names(taker)
        bench.clock.advance(BRIEFLY_US)

    monkeypatch.setattr(SegmentTaker, "apply_names", slowly)
    writer.commit(batch_of(writer.names, messages, agents, samples))
    bench.clock.advance(SECOND)
    known = []
    for _ in range(3):  # topics, agents, and the series with the messages
        writer.housekeep(brief=True)
        known.append(
            tuple(bench.catalogue(f"SELECT count(*) FROM {table}")[0][0] for table in ("topic", "agent", "series"))
        )
    assert known == [(500, 0, 0), (500, 500, 0), (500, 500, 500)]
    assert not writer.behind
    assert bench.catalogue("SELECT sum(messages), count(cpu) FROM agent_now") == [(500, 500)]


def test_names_and_what_is_unacknowledged_outlive_a_crash(bench: Bench) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    series = list(writer.names.series)
    bench.kill()
    writer = bench.open()
    assert len(writer.before.unacknowledged) == 4
    assert list(writer.names.series) == series
    assert writer.names.agent("b") == 2
    assert writer.before.declared_intervals == {1: 30 * SECOND}


def test_the_time_between_captures_is_a_gap_and_nobody_stays_online(bench: Bench) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    bench.pass_time(2 * SECOND)
    ended_us = bench.clock.wall_us()
    writer.close()
    bench.clock.advance(3_600 * SECOND)
    bench.open()
    bench.pass_time(SECOND)
    bench.pass_time(SECOND)
    gaps = bench.catalogue(
        "SELECT since_us, until_us, agent_id, cause, segment_id FROM gap WHERE cause = 'not-recording'"
    )
    assert gaps == [(ended_us, ended_us + 3_600 * SECOND, 0, "not-recording", 2)]
    now = bench.catalogue("SELECT presence, cause, since_us FROM agent_now WHERE agent_id = 1")
    assert now == [(Presence.UNKNOWN, "not-recording", ended_us)]


def test_a_second_capture_of_a_recorder_leaves_presence_alone(bench: Bench) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    first = writer.begin_capture("mqtt://other", "client")
    assert first == 2
    bench.pass_time(2 * SECOND)
    assert bench.catalogue("SELECT presence FROM agent_now WHERE agent_id = 1") == [(Presence.ONLINE,)]
    assert bench.catalogue("SELECT count(*) FROM gap") == [(0,)]
    assert bench.catalogue("SELECT id, ended_us IS NULL FROM capture ORDER BY id") == [(1, 0), (2, 1)]
    assert writer.commit(lively_batch(bench, 2)).segment == 2


@pytest.mark.parametrize("step_us", [-3_600 * SECOND, 3_600 * SECOND])
def test_a_step_of_the_clock_ends_the_segment(bench: Bench, step_us: int) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    before_us = bench.clock.wall_us()
    bench.clock.step_wall(step_us)
    second = writer.commit(lively_batch(bench, 2))
    assert second.segment == 2
    bench.pass_time(2 * SECOND)
    bench.pass_time(2 * SECOND)
    low, high = sorted((before_us, before_us + step_us))
    assert bench.catalogue("SELECT since_us, until_us, segment_id FROM gap WHERE cause = 'clock-step'") == [
        (low, high, 2)
    ]
    assert bench.catalogue("SELECT id, state FROM segment ORDER BY id") == [(1, "closed"), (2, "open")]
    bench.clock.step_wall(900_000)
    assert writer.commit(lively_batch(bench, 3)).segment == 2


def test_segments_end_by_size_and_by_age_and_become_plain_files(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open(StoreLimits(segment_bytes=600_000, segment_s=3_600))
    segments = []
    for _ in range(12):
        segments.append(writer.commit(batch_of(writer.names, [message(T0, payload=b"x" * 100_000)], ["a"])).segment)
        bench.pass_time(SECOND)
    assert segments[0] == 1
    assert segments[-1] > 1
    last = writer.commit(lively_batch(bench, 1)).segment
    bench.pass_time(3_600 * SECOND)
    assert writer.commit(lively_batch(bench, 2)).segment == last + 1
    files = sorted(path.name for path in workspace.segments.iterdir())
    assert [name for name in files if not name.startswith(f"{last + 1}.")] == sorted(
        f"{id_}.db" for id_ in range(1, last + 1)
    )
    assert rows(workspace, 1, "SELECT count(*) FROM meta WHERE key = 'closed_us'") == [(1,)]
    states = bench.catalogue(f"SELECT DISTINCT state FROM segment WHERE id <= {last}")
    assert states == [("closed",)]


def test_a_reader_in_the_way_delays_closing_but_never_the_recorder(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    reader = open_reader(workspace.segment(1))
    reader.execute("BEGIN; SELECT * FROM batch").fetchall()
    writer.commit(lively_batch(bench, 2))
    bench.clock.step_wall(5 * SECOND)
    bench.pass_time(SECOND)
    assert bench.catalogue("SELECT state FROM segment WHERE id = 1") == [("open",)]
    assert writer.commit(lively_batch(bench, 3)).segment == 2
    reader.execute("COMMIT")
    bench.pass_time(SECOND)
    assert bench.catalogue("SELECT state FROM segment WHERE id = 1") == [("closed",)]
    assert reader.execute("SELECT count(*) FROM batch").fetchall() == [(2,)]
    reader.close()
    bench.pass_time(SECOND)
    assert not Path(f"{workspace.segment(1)}-wal").exists()


def test_readers_that_never_let_go_do_not_pile_up_connections(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open()
    readers = []
    for turn in range(1, 9):
        readers.append(open_reader(workspace.segment(writer.commit(lively_batch(bench, turn)).segment)))
        readers[-1].execute("SELECT * FROM batch").fetchall()
        bench.clock.step_wall(2 * SECOND)
        bench.pass_time(SECOND)
    assert bench.catalogue("SELECT count(*) FROM segment WHERE state = 'closed'") == [(8,)]
    assert len(writer._upkeep._ended._ended) == 4
    assert [reader.execute("SELECT count(*) FROM message").fetchall() for reader in readers] == [[(4,)]] * 8
    writer.close()
    for reader in readers:
        reader.close()
    bench.open(record=False)
    assert not list(workspace.segments.glob("*-wal"))


def fill(bench: Bench, writer: StoreWriter, n: int) -> None:
    for _ in range(n):
        writer.commit(batch_of(writer.names, [message(bench.clock.wall_us(), payload=b"x" * 100_000)], ["a"]))
        bench.pass_time(SECOND)


def test_the_oldest_segments_go_when_the_limit_is_reached(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open(StoreLimits(segment_bytes=300_000, retention_bytes=1_000_000))
    writer.commit(lively_batch(bench, 2))
    fill(bench, writer, 30)
    bench.pass_time(SECOND)
    removed = bench.catalogue(
        "SELECT id, first_us, last_us, messages, bytes FROM segment WHERE state = 'removed' ORDER BY id"
    )
    assert len(removed) >= 3
    assert [row[0] for row in removed] == list(range(1, len(removed) + 1))
    assert all(row[4] == 0 and not workspace.segment(row[0]).exists() for row in removed)
    gaps = bench.catalogue("SELECT segment_id, since_us, until_us, count FROM gap WHERE cause = 'retention' ORDER BY 1")
    assert gaps == [row[:4] for row in removed]
    assert writer.store_bytes < 1_600_000
    assert bench.catalogue("SELECT count(*) FROM agent") == [(3,)]
    assert bench.catalogue("SELECT count(*) FROM open_task") == [(0,)]
    assert bench.catalogue("SELECT sum(tasks_open) FROM agent_now") == [(0,)]


def test_other_limits_take_effect_at_once(bench: Bench, workspace: Workspace) -> None:
    writer = bench.open(StoreLimits(segment_bytes=300_000))
    fill(bench, writer, 15)
    assert bench.catalogue("SELECT count(*) FROM segment WHERE state = 'removed'") == [(0,)]
    for _ in range(2):
        bench.pass_time(300 * SECOND)
    days = writer.disk_days()
    writer.use_limits(StoreLimits(segment_bytes=300_000, retention_bytes=1_000_000))
    assert bench.catalogue("SELECT count(*) FROM segment WHERE state = 'removed'")[0][0] >= 1
    assert not workspace.segment(1).exists()
    for _ in range(10):  # a turn is short; the next ones do the rest
        bench.pass_time(SECOND)
    assert writer.store_bytes < 1_600_000
    later = writer.disk_days()
    assert days is not None
    assert later is not None
    assert later < days / 100
    fill(bench, writer, 15)
    assert writer.store_bytes < 1_600_000


def test_history_goes_by_age_but_not_by_a_clock_that_was_just_set(bench: Bench) -> None:
    writer = bench.open(StoreLimits(retention_s=86_400))
    writer.commit(lively_batch(bench, 1))
    bench.clock.step_wall(400 * 86_400 * SECOND)
    writer.commit(lively_batch(bench, 2))
    bench.pass_time(2 * SECOND)
    bench.pass_time(2 * SECOND)
    assert bench.catalogue("SELECT state FROM segment WHERE id = 1") == [("closed",)]
    bench.pass_time(700 * SECOND)
    assert bench.catalogue("SELECT state FROM segment WHERE id = 1") == [("removed",)]


def test_a_killed_retention_is_finished_at_the_next_start(
    bench: Bench, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = bench.open(StoreLimits(segment_bytes=300_000, retention_bytes=1_000_000))

    def killed(_path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("models.storage.keeping.retention.remove_files", killed)
        with pytest.raises(KeyboardInterrupt):
            fill(bench, writer, 30)
    assert workspace.segment(1).exists()
    bench.kill()
    bench.open(record=False)
    assert not workspace.segment(1).exists()
    assert bench.catalogue("SELECT count(*) FROM gap WHERE cause = 'retention' AND segment_id = 1") == [(1,)]


def test_days_of_disk_follow_the_rate_of_the_last_hour(bench: Bench) -> None:
    writer = bench.open(StoreLimits(retention_bytes=100_000_000))
    assert writer.disk_days() is None
    for _ in range(5):
        fill(bench, writer, 2)
        bench.pass_time(60 * SECOND)
    days = writer.disk_days()
    assert days is not None
    rate = 200_000 / 62
    assert days == pytest.approx((100_000_000 - writer.store_bytes) / rate / 86_400, rel=0.4)


def test_commands_are_audited_and_take_effect(bench: Bench) -> None:
    writer = bench.open()
    writer.commit(batch_of(writer.names, [message(T0)], ["a"]))
    now = bench.clock.wall_us()
    writer.submit([
        {"do": "agent.rename", "agent": "a", "name": "Alpha <b>"}, {"do": "agent.group", "agent": "a", "group": "G"},
        {"do": "agent.note", "agent": "a", "note": "n\ud800"}, {"do": "agent.maintenance", "agent": "a", "until_us": now + 5},
        {"do": "agent.retire", "agent": "a", "retired": True},
    ])  # fmt: skip
    query = "SELECT given_name, given_group, note, maintenance_until_us, retired_us FROM agent"
    assert bench.catalogue(query) == [("Alpha <b>", "G", "n\\ud800", now + 5, now)]
    with pytest.raises(EnvironmentProblem) as raised:
        writer.submit(
            [{"do": "agent.note", "agent": "a", "note": "x"}, {"do": "agent.retire", "agent": "?", "retired": True}]
        )
    assert raised.value.problem.code == "agent.unknown"
    for broken in (
        {"do": "agent.note", "agent": "a", "note": 5},
        {"do": "drop"},
        {},
        {"do": "agent.retire", "agent": "a", "retired": 1},
    ):
        with pytest.raises(ValueError):
            writer.submit([broken])
    assert bench.catalogue("SELECT count(*) FROM audit") == [(5,)]
    writer.commit(lively_batch(bench, 1))
    bench.pass_time(2 * SECOND)
    assert bench.catalogue("SELECT given_name, own_name FROM agent WHERE id = 1") == [("Alpha <b>", "name-1")]


def test_three_thousand_agents(bench: Bench) -> None:
    writer = bench.open()
    agents = [f"agent-{n}" for n in range(3_000)]
    for turn in range(3):
        messages = [message(bench.clock.wall_us() + n, b"m/%d" % n) for n in range(3_000)]
        samples = [(n, metric, float(turn + n)) for n in range(3_000) for metric in ("cpu", "rss_bytes", "x", "y")]
        writer.commit(batch_of(writer.names, messages, agents, samples))
        bench.pass_time(6 * SECOND)
    assert bench.catalogue("SELECT count(*), sum(messages), max(cpu), max(memory) FROM agent_now") == [
        (3_000, 9_000, 3_001.0, 3_001.0)
    ]
    assert len(pulses(bench)) == 3_000
    assert bench.catalogue("SELECT count(*) FROM series") == [(12_000,)]


HALFWAY = """
import os, sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE message SET payload = zeroblob(20000)")
os._exit(0)  # with a journal that has to be rolled back
"""


def test_a_closed_segment_that_was_left_with_a_journal_is_readable_again(bench: Bench) -> None:
    writer = bench.open()
    writer.commit(lively_batch(bench, 1))
    writer.close()
    path = bench.workspace.segment(1)
    subprocess.run([sys.executable, "-c", HALFWAY, str(path)], check=True)
    assert Path(f"{path}-journal").exists()
    writer = bench.open()
    assert len(writer.before.unacknowledged) == 4
    assert not Path(f"{path}-journal").exists()
    assert writer.problems == []


INDEXES = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'message'"


def test_messages_of_busy_times_are_indexed_once_nothing_follows(
    bench: Bench, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = bench.open(StoreLimits(segment_s=10))
    for turn in (1, 2):
        writer.commit(lively_batch(bench, turn))
        bench.clock.advance(SECOND)
        writer.housekeep()
        assert rows(workspace, 1, INDEXES) == [("message_agent_id",)]
    monkeypatch.setattr("models.storage.writing.upkeep.BUSY_PER_S", 2)
    writer.commit(lively_batch(bench, 3))
    bench.clock.advance(SECOND)
    writer.housekeep()
    assert not rows(workspace, 1, INDEXES)
    writer.commit(lively_batch(bench, 4))
    bench.kill()
    writer = bench.open(StoreLimits(segment_s=1))
    assert rows(workspace, 1, INDEXES) == [("message_agent_id",)]
    writer.commit(lively_batch(bench, 5))
    writer.housekeep()
    bench.clock.advance(2 * SECOND)
    writer.housekeep()
    assert rows(workspace, 2, INDEXES) == [("message_agent_id",)]
    for segment in (1, 2):
        assert rows(workspace, segment, "PRAGMA integrity_check") == [("ok",)]


class Slow(ThreadPoolExecutor):
    """A disk that takes as long as the test wants."""

    def __init__(self) -> None:
        super().__init__(1)
        self.may_go_on = threading.Event()

    def submit(self, work: Callable[[], bool]) -> Future[bool]:  # type: ignore[override]
        return super().submit(lambda: self.may_go_on.wait(30) and work())


def test_a_slow_disk_at_closing_keeps_nobody_waiting(workspace: Workspace, clock: FakeClock) -> None:
    disk = Slow()
    writer = StoreWriter(workspace, clock, StoreLimits(segment_s=1), disk)
    writer.begin_capture("mqtt://broker", "client")
    bench = Bench(workspace, clock)
    bench.writer = writer
    for turn in range(1, 4):
        assert writer.commit(lively_batch(bench, turn)).segment == turn
        clock.advance(2 * SECOND)
        writer.housekeep()
    assert bench.catalogue("SELECT state FROM segment") == [("open",)] * 3
    disk.may_go_on.set()
    until(lambda: [writer.housekeep(), clock.advance(SECOND)] and bench.catalogue(
        "SELECT count(*) FROM segment WHERE state = 'closed'") == [(3,)], "all are closed")  # fmt: skip
    until(
        lambda: [writer.housekeep(), clock.advance(SECOND)] and not writer._upkeep._ended._ended, "all are plain files"
    )
    assert not list(workspace.segments.glob("*-wal"))
    writer.close()


def test_ending_waits_for_a_closing_under_way(workspace: Workspace, clock: FakeClock) -> None:
    disk = Slow()
    writer = StoreWriter(workspace, clock, StoreLimits(segment_s=1), disk)
    writer.begin_capture("mqtt://broker", "client")
    bench = Bench(workspace, clock)
    bench.writer = writer
    writer.commit(lively_batch(bench, 1))
    clock.advance(2 * SECOND)
    writer.housekeep()
    disk.may_go_on.set()
    writer.close()
    assert rows(workspace, "catalogue", "SELECT state FROM segment") == [("closed",)]
    assert not list(workspace.segments.glob("*-wal"))


def test_damage_found_while_closing_beside_sets_the_segment_aside(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = StoreWriter(workspace, clock, StoreLimits(segment_s=1), ThreadPoolExecutor(1))
    writer.begin_capture("mqtt://broker", "client")
    bench = Bench(workspace, clock)
    bench.writer = writer
    writer.commit(lively_batch(bench, 1))

    def broken(*_: object) -> bool:
        raise apsw.CorruptError("a page is no page")

    monkeypatch.setattr(SegmentFile, "fold_log", broken)
    until(lambda: [clock.advance(2 * SECOND), writer.housekeep()] and writer.problems, "it is told")
    monkeypatch.undo()
    assert [one.code for one in writer.problems] == ["store.corrupt"]
    assert bench.catalogue("SELECT state FROM segment WHERE id = 1") == [("quarantined",)]
    assert writer.commit(lively_batch(bench, 2)).segment == 2
    writer.close()


def test_topics_beyond_what_memory_holds(bench: Bench, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.domain.topic_table.MOST_TOPICS", 8)
    monkeypatch.setattr("models.storage.names_table.MOST_TOPICS", 8)
    writer = bench.open(StoreLimits(segment_s=5))
    seen = []
    for turn in range(12):
        some = [b"t/%d" % (turn * 5 % 40 + n) for n in range(5)]
        messages = [message(bench.clock.wall_us(), topic=name) for name in some]
        writer.commit(batch_of(writer.names, messages, [""] * 5))
        seen += some
        bench.clock.advance(SECOND)
        writer.housekeep()
        assert len(writer.names.topics._ids) <= 16
        if turn == 7:
            writer.close()
            writer = bench.open(StoreLimits(segment_s=5))
    writer.close()
    assert len(bench.catalogue("SELECT id FROM topic")) == len(set(seen))
    assert sum(n for (n,) in bench.catalogue("SELECT messages FROM topic_total")) == len(seen)
    stored = []
    for (segment,) in bench.catalogue("SELECT id FROM segment ORDER BY id"):
        query = "SELECT name FROM message JOIN topic ON topic.id = topic_id ORDER BY seq"
        stored += [name for (name,) in rows(workspace, segment, query)]
    assert stored == seen
