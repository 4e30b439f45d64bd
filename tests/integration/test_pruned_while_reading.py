"""Retention removes history while it is read: every kind of question, every dataset, an incident and a check of all files.

Whoever asks gets what is left, or what there was; nothing fails, and what was removed is told as that, never as damage.
"""

import io
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from app.incident import Incident, write_incident
from models.domain.annotations import AnnotationsRequest
from models.domain.field_queries import FieldRequest
from models.domain.flow_queries import FlowRequest, TalkRequest
from models.domain.heat_queries import HeatRequest, HeatRow
from models.domain.layouts.layout import Shown
from models.domain.paired import Marks
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.pulse_figures import PulseRequest
from models.domain.queries import (
    AgentRequest,
    CancelToken,
    EventsRequest,
    FleetRequest,
    GapsRequest,
    GapsResult,
    KeepLimit,
    LogRequest,
    LogSummaryRequest,
    MessageRequest,
    NamesRequest,
    Request,
    Result,
    RetentionRequest,
    RowKey,
    SeriesRequest,
    StoreKind,
    StoreRequest,
    StoreResult,
    TaskRequest,
    TopicsRequest,
    UnreadableRequest,
)
from models.domain.records import (
    Attempt,
    GapCause,
    Interaction,
    Level,
    LogRow,
    Outcome,
    PresenceChange,
    TaskReport,
    TaskState,
    Unreadable,
)
from models.domain.related_queries import RelatedRequest
from models.domain.search.parsing import parse
from models.domain.series_names import SeriesNamesRequest
from models.domain.task_queries import CommandsRequest, TasksRequest, TaskStoryRequest
from models.storage.copies.verify import verify
from models.storage.export.run import DATASETS, export
from models.storage.history.info import store_info
from models.storage.history.reader import HistoryReader
from models.storage.history.store_view import StoreView
from models.storage.sealing.seal import seal
from models.storage.segments.open_segment import OpenSegment, SegmentRow
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message, rows

SECOND = 1_000_000
END = T0 + 3_600 * SECOND
SEGMENTS, BATCHES = 5, 3
KEEP_ALL = StoreLimits(segment_bytes=1 << 40)
QUESTIONS: list[Request] = [
    FleetRequest(),
    FleetRequest(at_us=T0 + 20 * SECOND),
    AgentRequest(1),
    NamesRequest(),
    SeriesNamesRequest(),
    PulseRequest((1, 2), T0, END),
    HeatRequest((HeatRow(1, 1), HeatRow(2, 2)), "", Shown.VALUE, T0, T0 + 60 * SECOND, SECOND),
    SeriesRequest((1, 2), T0, END),
    EventsRequest(1, T0, END),
    EventsRequest(1, T0 + 50 * SECOND, END),
    AnnotationsRequest(),
    LogRequest(),
    LogRequest(oldest_first=True),
    LogRequest(query=parse('error:e* OR "line"', END)),
    LogRequest(after=RowKey(T0, 1, 0)),
    LogSummaryRequest(parse('"line"', END), T0, END, SECOND),
    MessageRequest(),
    MessageRequest(text="7"),
    FieldRequest(b"t/agent-0", ("n",)),
    RelatedRequest(RowKey(T0 + SECOND, 1, 1), b"t/agent-0", Marks(), 3_600 * SECOND),
    TopicsRequest(),
    TaskRequest(),
    TasksRequest(),
    TaskStoryRequest("t", "agent-0"),
    FlowRequest(),
    TalkRequest((1, 2)),
    CommandsRequest(),
    StoreRequest(),
    RetentionRequest((KeepLimit(StoreKind.RECORDED, 1, 1),)),
    GapsRequest(),
    UnreadableRequest(),
]


@dataclass
class Store:
    """A workspace that is recorded into, and its retention."""

    workspace: Workspace
    clock: FakeClock
    writer: StoreWriter
    n: int = 0

    def record(self, batches: int) -> None:
        names = self.writer.names
        for _ in range(batches):
            self.clock.advance(SECOND)
            now, n = self.clock.wall_us(), self.n
            some = [message(now, b"t/agent-%d" % one, b'{"n":%d}' % (10 * n + one)) for one in range(2)]
            batch = batch_of(names, some, ["agent-0", "agent-1"], [(0, "load", float(n)), (1, "load", 1.0)])
            one, other = batch.agent
            batch.logs.append(LogRow(0, now, one, Level.ERROR, None, f"line {n}", "e"))
            batch.tasks.append(TaskReport(0, now, one, f"task-{n}", "t", TaskState.WORKING))
            batch.interactions.append(Interaction(0, now, one, other, "k", f"i{n}", 5, Outcome.OK))
            batch.attempts.append(Attempt(0, now, one, Outcome.ERROR, "refused", 7, "db"))
            batch.presence.append(PresenceChange(now, one, Presence.ONLINE, Condition.OK, Cause.HEARD))
            batch.unreadable.append(Unreadable(1, "json"))
            self.writer.commit(batch)
            self.writer.housekeep()
            self.n += 1

    def end_segment(self, *, sealed: bool = False) -> None:
        self.writer.use_limits(KEEP_ALL)
        self.writer.begin_capture("mqtt://broker", "client")
        for _ in range(3):
            self.clock.advance(SECOND)
            self.writer.housekeep()
        if sealed:
            (newest,) = rows(self.workspace, "catalogue", "SELECT max(id) FROM segment WHERE state = 'closed'")[0]
            seal(self.workspace.segment(newest), self.workspace.sealing(newest))
            self.writer.sealing.swap_in(newest)

    def remove_all_closed(self) -> None:
        """But what somebody has pinned."""
        before = -1
        while (left := len(self.states("closed"))) != before:
            before = left
            self.writer.use_limits(StoreLimits(retention_bytes=1, segment_bytes=1 << 40))

    def states(self, state: str) -> list[int]:
        return [id_ for (id_,) in rows(self.workspace, "catalogue", f"SELECT id FROM segment WHERE state = '{state}'")]

    def close(self) -> None:
        self.writer.close()


def opened(root: Path, clock: FakeClock) -> Store:
    store = Store(Workspace.at(root), clock, StoreWriter(Workspace.at(root), clock, KEEP_ALL))
    store.writer.begin_capture("mqtt://broker", "client")
    return store


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Closed segments, every other one sealed."""
    root = tmp_path_factory.mktemp("pruned") / "ws"
    store = opened(root, FakeClock())
    for number in range(SEGMENTS):
        store.record(BATCHES)
        store.end_segment(sealed=number % 2 == 0)
    store.close()
    return root


@pytest.fixture
def store(recorded: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copytree(recorded, tmp_path / "ws")
    clock = FakeClock()
    clock.advance(120 * SECOND)
    one = opened(tmp_path / "ws", clock)
    one.n = SEGMENTS * BATCHES
    one.record(2)
    yield one
    one.close()


class Pruning:
    """Has retention remove everything that is closed, just when a closed segment is to be opened, after `at` others."""

    def __init__(self, store: Store, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._store, self._left = store, at
        self.done = False
        plain = StoreView.open

        def open_late(view: StoreView, row: SegmentRow) -> OpenSegment:
            self._left -= not row.is_open
            if self._left < 0 and not self.done:
                self.done = True
                store.remove_all_closed()
            return plain(view, row)

        monkeypatch.setattr(StoreView, "open", open_late)


def last(reader: HistoryReader, request: Request) -> Result:
    *_, result = reader.answer(request, CancelToken())
    return result


def untrue_gaps(result: Any) -> list[GapCause]:
    """What is told of as missing that nobody removed."""
    causes = result.gaps.cause if hasattr(result, "gaps") else []
    return [
        cause for cause in causes if cause not in (GapCause.RETENTION, GapCause.NOT_RECORDING, GapCause.NOT_CONNECTED)
    ]


def told(result: Result) -> str:
    """All of it but the room on the disk, which others use too."""
    return repr(replace(result, free_bytes=0) if isinstance(result, StoreResult) else result)


def test_every_kind_of_question_is_asked() -> None:
    assert {type(one) for one in QUESTIONS} == set(get_args(Request))


@pytest.mark.parametrize("request_", QUESTIONS, ids=lambda one: type(one).__name__)
def test_a_question_is_answered_with_what_is_left(
    store: Store, request_: Request, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader = HistoryReader(store.workspace, store.clock)
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        pruning = Pruning(store, 1, patch)
        result = last(reader, request_)
    if not pruning.done:
        store.remove_all_closed()  # it needed no segment
    assert store.states("closed") == []
    assert untrue_gaps(result) == []
    assert caplog.messages == [], "nothing is damaged"
    again, fresh = last(reader, request_), HistoryReader(store.workspace, store.clock)
    assert told(again) == told(last(fresh, request_)), "and nothing of it is remembered"
    gaps = last(reader, GapsRequest())
    assert isinstance(gaps, GapsResult)
    assert gaps.gaps.cause.count(GapCause.RETENTION) == len(store.states("removed")) >= SEGMENTS
    reader.close()
    fresh.close()


@pytest.mark.parametrize("request_", [LogRequest(limit=2), MessageRequest(limit=2)], ids=lambda one: type(one).__name__)
def test_a_list_goes_on_below_what_was_removed(store: Store, request_: Any) -> None:
    reader = HistoryReader(store.workspace, store.clock)
    first: Any = last(reader, request_)
    store.remove_all_closed()
    older: Any = last(reader, type(request_)(limit=50, before=first.rows[-1].key))
    newer: Any = last(reader, type(request_)(limit=50, after=RowKey(T0, 1, 1), oldest_first=True))
    assert {row.key.segment for row in older.rows} <= set(store.states("open"))
    assert {row.key.segment for row in newer.rows} == set(store.states("open"))
    reader.close()


@pytest.mark.parametrize("dataset", DATASETS)
def test_an_export_holds_what_there_was_when_it_began(
    store: Store, dataset: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole, pruned = io.BytesIO(), io.BytesIO()
    export(store.workspace, dataset, whole, clock=store.clock)
    damaged: list[int] = []
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        Pruning(store, 0, patch)
        export(store.workspace, dataset, pruned, clock=store.clock, damaged=lambda id_, _: damaged.append(id_))
    assert damaged == []
    assert caplog.messages == []
    if dataset not in ("gaps", "unreadable", "agents", "tasks", "presence"):
        assert pruned.getvalue() == whole.getvalue()


def test_an_incident_a_check_and_figures_of_what_is_removed_meanwhile(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "kept"
    store.close()
    shutil.copytree(store.workspace.root, kept)

    def of_a_copy(work: Callable[[Workspace], object], at: int) -> object:
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        shutil.copytree(kept, tmp_path / "again")
        clock = FakeClock()
        clock.advance(400 * SECOND)
        one = opened(tmp_path / "again", clock)
        try:
            with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
                Pruning(one, at, patch)
                return work(one.workspace)
        finally:
            one.close()

    damaged: list[int] = []
    incident = Incident(T0, END, ("agent-0",))
    told = lambda id_, _reason: damaged.append(id_)  # noqa: E731 - said twice
    for at in (0, 1, 8):
        of_a_copy(lambda ws: write_incident(ws, incident, tmp_path / "i.zip", lambda *_: None, told), at)
        assert of_a_copy(lambda ws: list(verify(ws)), at) == []
        assert isinstance(of_a_copy(store_info, at), dict)
    assert damaged == []
    assert caplog.messages == []
    store.writer = opened(kept, store.clock).writer  # for the fixture to close


def test_readers_go_on_while_history_comes_and_goes(store: Store) -> None:
    """In threads of their own, as fast as they can."""
    ending, wrong = threading.Event(), list[str]()

    def read() -> None:
        reader = HistoryReader(store.workspace, store.clock)
        try:
            while not ending.is_set():
                for one in QUESTIONS:
                    if some := untrue_gaps(last(reader, one)):
                        wrong.append(f"{one}: {some}")
        except Exception as error:  # told below
            wrong.append(repr(error))
        finally:
            reader.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for one in threads:
        one.start()
    try:
        for _ in range(5):
            store.record(2)
            store.end_segment()  # closed once no reader holds its log
            store.remove_all_closed()
    finally:
        ending.set()
        for one in threads:
            one.join()
    assert wrong == []
    assert len(store.states("removed")) > SEGMENTS, "while they read"
