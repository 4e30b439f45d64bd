import threading
from collections.abc import Callable, Iterator

import pytest

from app.window.data_source import DEADLINE_US, HistorySource
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.queries import (
    AgentRequest,
    CancelToken,
    Failed,
    LogResult,
    Reach,
    Request,
    Result,
    RowKey,
    StoreRequest,
)
from tests.helpers.clock import FakeClock
from tests.helpers.poll import until


class Gate:
    """What the readers of a test do, question by question."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[Request] = []
        self.interrupted = 0
        self.made = 0
        self.closed = 0
        self.make_fails: EnvironmentProblem | None = None

    def make(self) -> "FakeReader":
        self.made += 1
        if self.make_fails:
            raise self.make_fails
        return FakeReader(self)


class FakeReader:
    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.stop = threading.Event()

    def answer(self, request: Request, token: CancelToken) -> Iterator[Result]:
        self.gate.begun.append(request)
        self.stop.clear()
        if isinstance(request, AgentRequest):
            if request.agent < 0:
                raise ZeroDivisionError
            while not self.gate.open.wait(0.005):
                if self.stop.is_set():
                    raise RuntimeError("interrupted")
        yield LogResult(request, (), Reach(RowKey(1, 1, 1)))  # type: ignore[arg-type]
        yield LogResult(request, ())  # type: ignore[arg-type]

    def interrupt(self) -> None:
        self.gate.interrupted += 1
        self.stop.set()

    def close(self) -> None:
        self.gate.closed += 1


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def make_source(qapp: object, gate: Gate, clock: FakeClock) -> Iterator[Callable[..., HistorySource]]:
    made: list[HistorySource] = []

    def make(readers: int = 1) -> HistorySource:
        made.append(HistorySource(gate.make, clock, readers=readers))
        return made[-1]

    yield make
    for source in made:
        source.shutdown()


def test_delivers_every_page_in_the_gui_thread(make_source, qtbot) -> None:
    source, got, threads = make_source(), [], set()

    def deliver(answer: Result | Failed) -> None:
        got.append(answer)
        threads.add(threading.current_thread())

    source.ask(StoreRequest(), deliver)
    assert source.pending == 1
    qtbot.waitUntil(lambda: source.pending == 0)
    assert [page.reach.searched is None for page in got] == [False, True]
    assert threads == {threading.main_thread()}


def test_a_cancelled_question_is_interrupted_and_never_delivered(make_source, gate, qtbot) -> None:
    source, got = make_source(), []
    ticket = source.ask(AgentRequest(1), got.append)
    qtbot.waitUntil(lambda: len(gate.begun) == 1)
    ticket.cancel()
    ticket.cancel()
    assert gate.interrupted == 1
    later: list[object] = []
    source.ask(StoreRequest(), later.append)
    qtbot.waitUntil(lambda: len(later) == 2)
    assert got == []
    assert gate.closed == 0  # its own complaint at being interrupted is no mistake


def test_a_question_cancelled_while_it_waits_is_never_begun(make_source, gate, qtbot) -> None:
    source = make_source()
    source.ask(AgentRequest(1), lambda _answer: None)
    qtbot.waitUntil(lambda: len(gate.begun) == 1)
    source.ask(AgentRequest(2), lambda _answer: None).cancel()
    gate.open.set()
    qtbot.waitUntil(lambda: source.pending == 0)
    assert gate.begun == [AgentRequest(1)]
    assert gate.interrupted == 0


def test_a_page_on_its_way_when_cancelled_is_dropped(make_source, gate, qtbot) -> None:
    source, got = make_source(), []
    gate.open.set()
    ticket = source.ask(AgentRequest(1), got.append)
    other = source.ask(StoreRequest(), lambda _answer: None)
    until(lambda: len(gate.begun) == 2, "pages are put down, while the event loop does not turn")
    ticket.cancel()
    qtbot.waitUntil(lambda: source.pending == 0)
    assert got == []
    other.cancel()


def test_the_newest_question_is_first_but_the_oldest_does_not_starve(make_source, gate, qtbot) -> None:
    source = make_source()
    source.ask(AgentRequest(0), lambda _answer: None)
    qtbot.waitUntil(lambda: len(gate.begun) == 1)
    for agent in range(1, 7):
        source.ask(AgentRequest(agent), lambda _answer: None)
    gate.open.set()
    qtbot.waitUntil(lambda: source.pending == 0)
    assert [request.agent for request in gate.begun] == [0, 6, 5, 1, 4, 3, 2]


def test_a_question_past_its_deadline_fails_and_its_reader_goes_on(make_source, gate, clock, qtbot) -> None:
    source, got = make_source(), []
    source.ask(AgentRequest(1), got.append)
    qtbot.waitUntil(lambda: len(gate.begun) == 1)
    clock.advance(DEADLINE_US)
    source.check_deadlines()
    assert got == []
    clock.advance(1)
    qtbot.waitUntil(lambda: len(got) == 1)  # its own timer looks
    assert isinstance(got[0], Failed)
    assert got[0].problem.code == "query.deadline"
    source.ask(StoreRequest(), got.append)
    qtbot.waitUntil(lambda: len(got) == 3)


def test_a_mistake_is_logged_and_told_and_the_thread_lives_with_a_new_reader(make_source, gate, qtbot, caplog) -> None:
    source, got = make_source(), []
    source.ask(AgentRequest(-1), got.append)
    qtbot.waitUntil(lambda: source.pending == 0)
    assert [(type(one), one.problem.code) for one in got] == [(Failed, "query.failed")]
    assert "ZeroDivisionError" in caplog.text
    source.ask(StoreRequest(), got.append)
    qtbot.waitUntil(lambda: len(got) == 3)
    assert (gate.made, gate.closed) == (2, 1)


def test_a_workspace_that_is_not_there_yet_fails_the_question_and_is_tried_again(make_source, gate, qtbot) -> None:
    source, got = make_source(), []
    gate.make_fails = trouble("workspace.missing", path="/x")
    source.ask(StoreRequest(), got.append)
    qtbot.waitUntil(lambda: len(got) == 1)
    assert got[0].problem.code == "workspace.missing"
    gate.make_fails = None
    source.ask(StoreRequest(), got.append)
    qtbot.waitUntil(lambda: len(got) == 3)


def test_shutdown_interrupts_what_runs_and_ends_the_threads(make_source, gate, qtbot) -> None:
    source = make_source(readers=3)
    for agent in range(5):
        source.ask(AgentRequest(agent), lambda _answer: None)
    qtbot.waitUntil(lambda: len(gate.begun) == 3)
    source.shutdown()
    assert not any(worker.thread.is_alive() for worker in source._workers)
    assert gate.closed == 3


def test_one_receiver_that_fails_does_not_cost_the_others_their_answers(make_source, gate, qtbot) -> None:
    source, got = make_source(), []
    with qtbot.captureExceptions() as raised:
        source.ask(StoreRequest(), lambda _answer: 1 / 0)
        source.ask(StoreRequest(), got.append)
        qtbot.waitUntil(lambda: len(got) == 2)
        qtbot.waitUntil(lambda: source.pending == 0)
    assert {kind for kind, _error, _trace in raised} == {ZeroDivisionError}
