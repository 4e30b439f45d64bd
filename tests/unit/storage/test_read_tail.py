"""The tail: what was committed since the last look, over segments that come and go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.domain.batch import RecordBatch
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Level, LogRow, PresenceChange, TaskReport, TaskState
from models.domain.tail import Interest, TailCursor
from models.storage.history import tail_reader
from models.storage.history.tail_reader import TailReader
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, SegmentBuilder, raw

S = 1_000_000


@pytest.fixture
def tail(build: HistoryBuilder) -> Iterator[TailReader]:
    one = TailReader(build.workspace)
    yield one
    one.close()


class Follower:
    """Polls with the cursor of the page before."""

    def __init__(self, tail: TailReader, *series: int) -> None:
        self.tail, self.interest = tail, Interest(frozenset(series))
        self.cursor = TailCursor()
        self.values: list[float] = []

    def poll(self) -> tail_reader.TailPage:
        page = self.tail.poll(self.cursor, self.interest)
        self.cursor = page.cursor
        self.values += [value for column in page.points for value in column.value.tolist()]
        return page


def sample(build: HistoryBuilder, agent: int, series: int, at_us: int, value: float) -> RecordBatch:
    batch = build.messages([raw(at_us=at_us)], agent)
    batch.add_samples(0, at_us - 1, [series], [value])
    return batch


@pytest.fixture
def cpu(build: HistoryBuilder) -> tuple[int, int]:
    a = build.agent("a")
    return a, build.series(a, "cpu")


def add(build: HistoryBuilder, segment: SegmentBuilder, cpu: tuple[int, int], *values: int) -> None:
    for value in values:
        segment.write(sample(build, *cpu, T0 + value, value))


def test_only_what_comes_after_the_present_end_is_told(
    build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]
) -> None:
    segment = build.segment()
    add(build, segment, cpu, 1, 2)
    follower = Follower(tail, cpu[1])
    assert follower.poll().batches == 0
    assert follower.poll().committed_us == 0
    add(build, segment, cpu, 3, 4)
    page = follower.poll()
    assert (page.batches, page.messages, page.samples) == (2, 2, 2)
    assert (page.committed_us, page.newest_received_us) == (T0 + 4, T0 + 4)
    assert follower.values == [3, 4]
    assert page.points[0].received_us.tolist() == [T0 + 3, T0 + 4]
    assert page.points[0].time_us.tolist() == [T0 + 2, T0 + 3]
    assert follower.poll().batches == 0


def test_points_only_of_what_is_visible(build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]) -> None:
    other = build.series(cpu[0], "other")
    segment = build.segment()
    blind, seeing = Follower(tail), Follower(tail, other, 999)
    blind.poll(), seeing.poll()
    add(build, segment, cpu, 1)
    add(build, segment, (cpu[0], other), 2)
    assert blind.poll().points == ()
    page = seeing.poll()
    assert [column.series for column in page.points] == [other]
    assert page.batches == 2


def test_a_closed_segment_is_read_to_its_end_and_the_next_from_its_beginning(
    build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]
) -> None:
    follower = Follower(tail, cpu[1])
    follower.poll()  # no segment at all yet
    for number in range(0, 30, 3):
        segment = build.segment()
        add(build, segment, cpu, number)
        if number % 2:
            follower.poll()
        add(build, segment, cpu, number + 1, number + 2)
        segment.close()
    follower.poll()
    assert follower.values == list(range(30))
    assert len(follower.cursor.seen) == 1


def test_two_segments_open_at_once_are_both_followed(
    build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]
) -> None:
    follower = Follower(tail, cpu[1])
    follower.poll()
    first, second = build.segment(), build.segment()
    add(build, first, cpu, 1)
    add(build, second, cpu, 2)
    follower.poll()
    add(build, first, cpu, 3)
    follower.poll()
    second.close()
    add(build, first, cpu, 4)
    follower.poll()
    assert sorted(follower.values) == [1, 2, 3, 4]


def test_a_call_is_bounded_and_the_rest_comes_next(
    build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_reader, "MAX_BATCHES", 4)
    follower = Follower(tail, cpu[1])
    follower.poll()
    first, second = build.segment(), build.segment()
    add(build, first, cpu, *range(6))
    first.close()
    add(build, second, cpu, *range(6, 12))
    sizes = [follower.poll().batches for _ in range(4)]
    assert sizes == [4, 4, 4, 0]
    assert follower.values == list(range(12))
    monkeypatch.setattr(tail_reader, "MAX_BYTES", 1)
    add(build, second, cpu, 12, 13)
    assert [follower.poll().batches for _ in range(3)] == [1, 1, 0]


def test_presence_names_logs_and_tasks(build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]) -> None:
    segment = build.segment()
    follower = Follower(tail)
    follower.poll()
    batch = build.messages([raw(at_us=T0)], cpu[0])
    batch.presence = [PresenceChange(T0, cpu[0], Presence.ONLINE, Condition.OK, Cause.HEARD)]
    batch.logs = [LogRow(0, T0, cpu[0], Level.INFO, None, "x")]
    batch.tasks = [TaskReport(0, T0, cpu[0], "t", None, TaskState.WORKING)]
    segment.write(batch)
    page = follower.poll()
    assert (page.logs, page.tasks, page.new_names) == (1, 1, True)
    assert page.presence.cause == [Cause.HEARD]
    add(build, segment, cpu, 1)
    assert follower.poll().new_names  # the series
    add(build, segment, cpu, 2)
    page = follower.poll()
    assert not page.new_names
    assert page.presence.cause == []


def test_another_reader_goes_on_from_a_cursor(build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]) -> None:
    segment = build.segment()
    for value in (1, 2, 3):
        batch = sample(build, *cpu, T0 + value, value)
        batch.presence = [PresenceChange(T0 + value, cpu[0], Presence(value), Condition.OK, Cause.HEARD)]
        segment.write(batch)
    page = tail.poll(TailCursor(((1, 2),)), Interest(frozenset((cpu[1],))))
    assert page.points[0].value.tolist() == [3]
    assert page.presence.presence.tolist() == [3]
    assert page.cursor == TailCursor(((1, 3),))


def test_missing_files_and_retention_are_skipped(build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]) -> None:
    follower = Follower(tail, cpu[1])
    follower.poll()
    first, second, third, fourth = (build.segment() for _ in range(4))
    for value, segment in enumerate((first, second, third, fourth)):
        add(build, segment, cpu, value)
    first.close("removed")
    second.close()
    build.workspace.segment(1).unlink()
    build.workspace.segment(2).unlink()
    third.close()
    build.workspace.segment(3).write_bytes(b"damaged" * 1000)
    assert follower.poll().batches == 1
    add(build, fourth, cpu, 9)
    follower.poll()
    assert follower.values == [3, 9]


def test_a_workspace_may_come_later(tmp_path: Path) -> None:
    tail = TailReader(Workspace.at(tmp_path / "later"))
    follower = Follower(tail)
    assert follower.poll().batches == 0
    build = HistoryBuilder(Workspace.at(tmp_path / "later"))
    follower.poll()
    build.segment().write(build.messages([raw()]))
    assert follower.poll().batches == 1
    build.close()
    tail.close()


def test_a_damaged_batch_is_counted_without_its_points(
    build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]
) -> None:
    segment = build.segment()
    follower = Follower(tail, cpu[1])
    follower.poll()
    add(build, segment, cpu, 1, 2, 3)
    segment.database.execute_sql("update batch set samples = x'01' where id = 2")
    assert follower.poll().batches == 3
    assert follower.values == [1, 3]


def test_a_closed_segment_that_retention_removed_lets_go_of_its_disk(
    build: HistoryBuilder, tail: TailReader, cpu: tuple[int, int]
) -> None:
    segment = build.segment()
    follower = Follower(tail, cpu[1])
    follower.poll()
    add(build, segment, cpu, 1)
    follower.poll()
    segment.close("removed")
    build.segment()
    follower.poll()
    held = [str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.exists()]
    assert str(build.workspace.segment(1)) not in held
    assert str(build.workspace.segment(2)) in held
