"""What the writer stored is what every reader tells: tail, history, fleet, export, info and verify, while it is being written."""

import csv
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.domain.messages import Kind
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.queries import (
    AgentRequest,
    Cancelled,
    CancelToken,
    EventsRequest,
    FleetRequest,
    LogRequest,
    MessageRequest,
    Request,
    Result,
    SeriesRequest,
    StoreRequest,
    TaskRequest,
)
from models.domain.records import GapCause, Level, LogRow, PresenceChange, TaskReport, TaskState
from models.domain.search.terms import Anywhere
from models.domain.tail import Interest, TailCursor
from models.storage.copies.verify import verify
from models.storage.export.run import export
from models.storage.history.info import store_info
from models.storage.history.reader import HistoryReader
from models.storage.history.tail_reader import TailReader
from models.storage.keeping.retention import StoreLimits
from models.storage.lock import RecorderLock
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.poll import until
from tests.helpers.store import batch_of, message

S = 1_000_000


class Recorder:
    """Writes one message of each of two agents a second, as a recorder would."""

    def __init__(self, workspace: Workspace, clock: FakeClock, limits: StoreLimits | None = None) -> None:
        self.clock = clock
        self.lock = RecorderLock(workspace, clock)
        self.lock.acquire("test")
        self.writer = StoreWriter(workspace, clock, limits or StoreLimits())
        self.writer.begin_capture("mqtt://localhost", "c")
        self.second = 0

    def go(self, seconds: int) -> None:
        names = self.writer.names
        for _ in range(seconds):
            self.clock.advance(S)
            now, value = self.clock.wall_us(), float(self.second)
            batch = batch_of(
                names,
                [message(now, b"agents/a/metrics", b'{"n":%d}' % self.second), message(now, b"agents/b/log", b"x")],
                ["a", "b"],
                [(0, "process.cpu.utilization", 0.5), (0, "count", value)],
                kind=Kind.METRICS,
                series_kind=SeriesKind.GAUGE,
                unit="1",
            )
            b = names.agent("b")
            batch.logs = [LogRow(1, now, b, Level.ERROR, None, f"line {self.second}")]
            batch.tasks = [TaskReport(1, now, b, f"t{self.second // 10}", "x", TaskState.WORKING)]
            if self.second == 0:
                batch.presence = [
                    PresenceChange(now, agent, Presence.ONLINE, Condition.OK, Cause.HEARD) for agent in batch.agent
                ]
            self.writer.commit(batch)
            self.writer.housekeep()
            self.second += 1

    def close(self) -> None:
        self.writer.close()
        self.lock.release()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path / "w")


@pytest.fixture
def recorder(workspace: Workspace, clock: FakeClock) -> Iterator[Recorder]:
    one = Recorder(workspace, clock, StoreLimits(segment_s=25))
    yield one
    one.close()


@pytest.fixture
def reader(workspace: Workspace, clock: FakeClock) -> Iterator[HistoryReader]:
    one = HistoryReader(workspace, clock)
    yield one
    one.close()


def ask(reader: HistoryReader, request: Request) -> Result:
    return list(reader.answer(request, CancelToken()))[-1]


def test_everything_written_is_told_while_segments_come_and_go(
    workspace: Workspace, recorder: Recorder, reader: HistoryReader, clock: FakeClock
) -> None:
    tail = TailReader(workspace)
    cursor = tail.poll(TailCursor(), Interest()).cursor
    values: list[float] = []
    for _ in range(20):
        recorder.go(6)
        count = recorder.writer.names.known_agent("a") and 2  # the second series of the first message
        page = tail.poll(cursor, Interest(frozenset((count,))))
        cursor = page.cursor
        values += [value for column in page.points for value in column.value.tolist()]
        if recorder.second % 30 == 0:
            ask(reader, FleetRequest())
            ask(reader, SeriesRequest((count,), 0, clock.wall_us() + 1))
    assert values == list(range(120))
    recorder.go(2)  # and everything is taken in
    now = clock.wall_us() + 1
    agent = ask(reader, AgentRequest(1))
    (count,) = [info.id for info in agent.series if info.key.metric == "count"]
    assert ask(reader, SeriesRequest((count,), 0, now)).columns[0].value.tolist() == list(range(122))
    assert len(store_info(workspace)["segments"]) == 2  # closed and open
    assert ask(reader, StoreRequest()).rows == {"messages": 244, "samples": 244, "logs": 122, "tasks": 122}
    assert [row.text for row in ask(reader, LogRequest(limit=2)).rows] == ["line 121", "line 120"]
    assert len(ask(reader, MessageRequest(limit=500)).rows) == 244
    assert [row.task for row in ask(reader, TaskRequest(limit=2)).rows] == ["t12", "t11"]
    assert agent.headline["cpu"] != count
    assert list(verify(workspace)) == []
    out = io.BytesIO()
    assert export(workspace, "samples", out) == 244
    cells = list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))
    assert [cell["value"] for cell in cells if cell["metric"] == "count"] == [str(n) for n in range(122)]
    info = store_info(workspace)
    assert (info["received"], info["stored"], info["kinds"]["messages"]["rows"]) == (244, 244, 244)
    tail.close()


def test_the_fleet_from_what_the_writer_sums_up(recorder: Recorder, reader: HistoryReader, clock: FakeClock) -> None:
    recorder.go(45)
    fleet = ask(reader, FleetRequest())
    assert (fleet.id, fleet.at_us) == (["a", "b"], clock.wall_us())
    assert fleet.presence.tolist() == [Presence.ONLINE, Presence.ONLINE]
    assert fleet.cpu[0] == 0.5
    assert fleet.cpu_source[0] == "process.cpu.utilization"
    assert fleet.log_errors.tolist()[0] == 0
    assert 30 <= fleet.log_errors[1] <= 45  # the running ten seconds have no pulse yet
    assert fleet.hour_presence[0, -1] == Presence.ONLINE
    assert fleet.tasks_open.tolist() == [0, 5]


def test_after_the_recorder_history_says_that_nobody_records(
    workspace: Workspace, reader: HistoryReader, clock: FakeClock
) -> None:
    recorder = Recorder(workspace, clock)
    recorder.go(5)
    last_us = clock.wall_us()
    recorder.close()
    clock.advance(100 * S)
    gaps = ask(reader, EventsRequest(1, 0, clock.wall_us() + 1)).gaps
    assert (gaps.cause, gaps.since_us.tolist()) == ([GapCause.NOT_RECORDING], [last_us])
    assert ask(reader, FleetRequest()).cause == [Cause.NOT_RECORDING] * 2
    again = Recorder(workspace, clock)
    again.go(3)
    gaps = ask(reader, EventsRequest(1, 0, clock.wall_us() + 1)).gaps
    assert gaps.cause == [GapCause.NOT_RECORDING]
    assert gaps.until_us[0] < clock.wall_us()
    assert len(ask(reader, MessageRequest()).rows) == 16
    again.close()
    assert not [path for path in workspace.segments.glob("*-wal") if path.stat().st_size]


def test_reading_does_not_disturb_a_writer_in_another_thread(
    workspace: Workspace, recorder: Recorder, reader: HistoryReader, clock: FakeClock
) -> None:
    recorder.go(2)
    stop = threading.Event()
    failed: list[BaseException] = []

    def look() -> None:
        one = HistoryReader(workspace, clock)
        try:
            while not stop.is_set():
                for request in (
                    FleetRequest(),
                    MessageRequest(),
                    SeriesRequest((2,), 0, 2**61),
                    LogRequest(query=Anywhere("7")),
                ):
                    ask(one, request)
        except BaseException as error:
            failed.append(error)
        finally:
            one.close()

    thread = threading.Thread(target=look)
    thread.start()
    recorder.go(150)
    stop.set()
    thread.join()
    assert failed == []
    assert ask(reader, SeriesRequest((2,), 0, 2**61)).columns[0].value.tolist() == list(range(152))


def test_a_question_under_way_is_broken_off_from_another_thread(
    recorder: Recorder, reader: HistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.go(2)
    token = CancelToken()
    ended: list[str] = []

    def question() -> None:
        try:
            while True:  # asks again and again; only Cancelled ends it
                list(reader.answer(LogRequest(query=Anywhere("nothing like it")), token))
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=question)
    thread.start()
    token.cancelled = True
    reader.interrupt()
    until(lambda: ended, "the question ends")
    thread.join()
    token.cancelled = False
    assert ask(reader, LogRequest()).rows
