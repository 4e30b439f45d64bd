"""History in which an import, stored later, tells of an earlier time."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.domain.batch import RecordBatch
from models.domain.messages import Kind, Origin
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.queries import (
    CancelToken,
    EventsRequest,
    FleetRequest,
    LogRequest,
    Request,
    Result,
    SeriesRequest,
    TaskRequest,
)
from models.domain.recorded import ImportedFile
from models.domain.records import Level, LogRow, PresenceChange, TaskReport, TaskState
from models.storage.export.run import export
from models.storage.history.reader import HistoryReader
from models.storage.lock import RecorderLock
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message

S = 1_000_000
MINUTE = 60 * S
FILE = ImportedFile("/a", "digest", 1)


class Store:
    """An agent recorded live at T0 …, then a recording of it from an hour before imported."""

    def __init__(self, root: Path, clock: FakeClock) -> None:
        self.workspace = Workspace.at(root)
        self.clock = clock
        self.lock = RecorderLock(self.workspace, clock)
        self.lock.acquire("test")
        self.writer = StoreWriter(self.workspace, clock)
        self.reader = HistoryReader(self.workspace, clock)

    def batch(self, at_us: int, origin: Origin, presence: Presence, cause: Cause, cpu: float) -> RecordBatch:
        one = message(at_us, b"agents/a/x", b"%d" % at_us, origin=origin)
        found = batch_of(self.writer.names, [one], ["a"], [(0, "cpu_percent", cpu)], kind=Kind.LOG)
        agent = found.agent[0]
        found.presence.append(PresenceChange(at_us, agent, presence, Condition.OK, cause))
        found.logs.append(LogRow(0, at_us, agent, Level.INFO, None, str(at_us)))
        found.tasks.append(TaskReport(0, at_us, agent, f"task-{at_us}", None, TaskState.COMPLETED))
        return found

    def bring(self, *batches: RecordBatch) -> None:
        run = self.writer.begin_import([FILE], again=True)
        for one in batches:
            run.commit(one)
            run.sum_up()
        run.finish([FILE])

    def ask(self, request: Request) -> Result:
        return list(self.reader.answer(request, CancelToken()))[-1]

    def export(self, dataset: str) -> list[dict[str, str]]:
        written = io.BytesIO()
        export(self.workspace, dataset, written, clock=self.clock)
        return list(csv.DictReader(io.StringIO(written.getvalue().decode(), newline="")))


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    one = Store(tmp_path / "ws", clock)
    one.writer.begin_capture("mqtt://b", "c")
    one.writer.commit(one.batch(T0, Origin.LIVE, Presence.ONLINE, Cause.HEARD, 90.0))
    clock.advance(2 * S)
    one.writer.housekeep()
    one.bring(
        one.batch(T0 - 60 * MINUTE, Origin.IMPORTED, Presence.ONLINE, Cause.STATUS, 10.0),
        one.batch(T0 - 50 * MINUTE, Origin.IMPORTED, Presence.OFFLINE, Cause.WILL, 20.0),
    )
    yield one
    one.reader.close()
    one.writer.close()
    one.lock.release()


def test_how_it_was_is_told_by_time_not_by_the_order_of_storing(store: Store) -> None:
    for at_us, presence in (
        (T0 + S, Presence.ONLINE), (T0 - MINUTE, Presence.OFFLINE), (T0 - 55 * MINUTE, Presence.ONLINE),
    ):  # fmt: skip
        fleet = store.ask(FleetRequest(at_us=at_us))
        assert fleet.presence.tolist() == [presence], at_us
    strip = store.ask(FleetRequest(at_us=T0 + S)).hour_presence[0]
    assert strip.tolist()[-1] == Presence.OFFLINE  # the worst of the minute in which it came back
    assert strip.tolist()[-49] == Presence.OFFLINE
    assert strip.tolist()[-55] == Presence.ONLINE


def test_what_was_in_force_before_a_range(store: Store) -> None:
    def first(since_us: int) -> tuple[int, int]:
        found = store.ask(EventsRequest(1, since_us, since_us + S)).presence
        return int(found.time_us[0]), int(found.presence[0])

    assert first(T0 + S) == (T0, Presence.ONLINE)
    assert first(T0 - MINUTE) == (T0 - 50 * MINUTE, Presence.OFFLINE)
    assert first(T0 - 55 * MINUTE) == (T0 - 60 * MINUTE, Presence.ONLINE)


def test_samples_logs_and_tasks_come_by_time(store: Store) -> None:
    times = [T0 - 60 * MINUTE, T0 - 50 * MINUTE, T0]
    series = store.ask(SeriesRequest((1,), T0 - 120 * MINUTE, T0 + MINUTE)).columns[0]
    assert (series.time_us.tolist(), series.value.tolist()) == (times, [10.0, 20.0, 90.0])
    logs = store.ask(LogRequest(since_us=0, until_us=0, limit=2)).rows
    assert [one.text for one in logs] == [str(times[2]), str(times[1])]
    tasks = store.ask(TaskRequest(since_us=T0 - 120 * MINUTE, until_us=0, limit=2)).rows
    assert [one.task for one in tasks] == [f"task-{times[2]}", f"task-{times[1]}"]
    for dataset in ("messages", "samples", "logs"):
        assert [row["time"] for row in store.export(dataset)] == sorted(row["time"] for row in store.export(dataset))
    assert [row["presence"] for row in store.export("presence")] == ["online", "offline", "online"]


def test_how_an_import_ended_stands_when_nobody_records(store: Store, clock: FakeClock) -> None:
    """Unlike what was recorded: of that nobody knows how it went on."""
    other = batch_of(store.writer.names, [message(T0 - 40 * MINUTE, origin=Origin.IMPORTED)], ["b"])
    other.presence.append(PresenceChange(T0 - 40 * MINUTE, other.agent[0], Presence.ONLINE, Condition.OK, Cause.HEARD))
    store.bring(other)
    store.writer.close()
    store.lock.release()
    clock.advance(MINUTE)
    fleet = store.ask(FleetRequest())
    assert dict(zip(fleet.id, zip(fleet.presence.tolist(), fleet.cause, strict=True), strict=True)) == {
        "a": (Presence.UNKNOWN, Cause.NOT_RECORDING), "b": (Presence.ONLINE, Cause.HEARD),
    }  # fmt: skip
    last = {row["agent"]: (row["presence"], row["until"]) for row in store.export("presence")}
    assert last == {"a": ("unknown", ""), "b": ("online", "")}
    store.writer = StoreWriter(store.workspace, clock)  # for the fixture to close
