import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.window.recorder_link import RecorderLink
from app.window.recorder_watch import Seen
from models.domain.connection import Connection, Secret
from models.domain.control import Link, RecorderState, StepState, TestStep
from models.domain.problems import Problem, trouble
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportProgress, ImportResult

STATE = RecorderState(7, "0.1.0", 1, "window", 0, Link.CONNECTED, 0, "mqtt://localhost:1883")
RESULT = ImportResult(messages=5, agents=1)
DIED = Problem("recorder.died", {"detail": "it hung up"})


class Recorder:
    """Client and watch in one: what it is asked, and what is seen of it."""

    def __init__(self) -> None:
        self.seen = Seen(STATE, None, 0.01)
        self.asked: list[object] = []
        self.fails: Exception | None = None
        self.closed = False
        self.look_fails = 0
        self.gate: threading.Event | None = None

    def look(self) -> Seen:
        if self.look_fails:
            self.look_fails -= 1
            raise ZeroDivisionError
        return self.seen

    def _ask(self, what: object) -> None:
        if self.fails:
            raise self.fails
        self.asked.append(what)

    def submit(self, commands: list[dict[str, object]]) -> None:
        self._ask(commands)

    def secret(self, text: str) -> None:
        self._ask(("secret", text, self.seen.state.pid))

    def wake(self) -> None:
        self._ask("wake")

    def stop(self) -> None:
        self._ask("stop")

    def publish(self, message: OutgoingMessage) -> Published:
        self._ask(message)
        return Published(0, "Success", 7)

    def start_again(self) -> None:
        self._ask("start again")

    def test_connection(self, connection, password, on_step) -> None:
        on_step(TestStep.NAME, StepState.RUNNING, None)
        on_step(TestStep.NAME, StepState.FAILED, Problem("broker.name", {"host": connection.host}))
        if self.fails:
            raise self.fails

    def import_files(self, paths, on_progress, *, again=False, make_room=False):
        self._ask((paths, again, make_room))
        for done in range(1, 4):
            on_progress(ImportProgress(done, 3, done, 0))
            if self.gate is not None:
                assert self.gate.wait(20)
        return RESULT

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def link(qapp: object, recorder: Recorder) -> Iterator[RecorderLink]:
    link = RecorderLink(recorder, recorder)
    yield link
    link.shutdown()
    assert recorder.closed


def test_tells_states_and_problems_in_the_gui_thread_and_problems_only_when_they_change(link, recorder, qtbot) -> None:
    states, problems, threads = [], [], set()
    link.state_changed.connect(states.append)
    link.state_changed.connect(lambda _state: threads.add(threading.current_thread()))
    link.problem.connect(problems.append)
    link.start()
    qtbot.waitUntil(lambda: len(states) > 2)
    assert link.state == STATE
    recorder.seen = Seen(None, DIED, 0.01)
    qtbot.waitUntil(lambda: problems == [DIED])
    assert link.state is None
    recorder.seen = Seen(STATE, None, 0.01)
    qtbot.waitUntil(lambda: problems == [DIED, None])
    assert None in states
    assert threads == {threading.main_thread()}


def test_submit_answers_when_it_is_stored_or_says_why_not(link, recorder, qtbot) -> None:
    answers: list[Problem | None] = []
    link.start()
    link.submit([{"do": "agent.note"}], answers.append)
    qtbot.waitUntil(lambda: answers == [None])
    assert recorder.asked == [[{"do": "agent.note"}]]
    recorder.fails = trouble("store.full", path="/w")
    link.submit([{"do": "agent.note"}], answers.append)
    qtbot.waitUntil(lambda: len(answers) == 2)
    assert answers[1].code == "store.full"


def test_whoever_asked_hears_of_a_mistake_of_ours_too(link, recorder, qtbot) -> None:
    answers: list[Problem | None] = []
    link.start()
    recorder.fails = KeyError("ours")
    link.submit([{"do": "agent.note"}], answers.append)
    qtbot.waitUntil(lambda: len(answers) == 1)
    assert answers[0].code == "recorder.request"


def test_the_password_reaches_every_recorder_that_takes_over_but_no_other_broker(link, recorder, qtbot) -> None:
    link.start()
    qtbot.waitUntil(lambda: link.state == STATE)
    link.secret("s3cret", STATE.broker_url)
    qtbot.waitUntil(lambda: recorder.asked == [("secret", "s3cret", 7)])
    recorder.seen = Seen(None, DIED, 0.01)
    qtbot.waitUntil(lambda: link.state is None)
    recorder.seen = Seen(replace(STATE, pid=8), None, 0.01)
    qtbot.waitUntil(lambda: recorder.asked[1:] == [("secret", "s3cret", 8)])
    recorder.seen = Seen(replace(STATE, pid=9, broker_url="mqtt://elsewhere:1883"), None, 0.01)
    link.wake()
    qtbot.waitUntil(lambda: link.state.pid == 9 and "wake" in recorder.asked)
    link.stop()
    qtbot.waitUntil(lambda: "stop" in recorder.asked)
    assert len([one for one in recorder.asked if one[0] == "secret"]) == 2


def test_a_connection_test_is_told_step_by_step(link, recorder, qtbot) -> None:
    steps, answers = [], []
    link.test_connection(
        Connection(host="nowhere"),
        Secret("x"),
        lambda *step: steps.append((*step, threading.current_thread())),
        answers.append,
    )
    qtbot.waitUntil(lambda: len(answers) == 1)
    main = threading.main_thread()
    assert steps == [
        (TestStep.NAME, StepState.RUNNING, None, main),
        (TestStep.NAME, StepState.FAILED, Problem("broker.name", {"host": "nowhere"}), main),
    ]
    assert answers == [None]
    recorder.fails = trouble("recorder.absent", path="/w")
    link.test_connection(Connection(), None, lambda *_step: None, answers.append)
    qtbot.waitUntil(lambda: len(answers) == 2)
    assert answers[1].code == "recorder.absent"


def test_a_mistake_while_looking_is_logged_and_looking_goes_on(link, recorder, qtbot, caplog) -> None:
    recorder.look_fails = 1
    link.start()
    qtbot.waitUntil(lambda: link.state == STATE)
    assert "ZeroDivisionError" in caplog.text


def test_what_the_user_decides_reaches_the_watch(link, recorder, qtbot) -> None:
    link.start()
    link.start_again()
    qtbot.waitUntil(lambda: recorder.asked == ["start again"])


def test_publishes_beside_everything_else_and_tells_what_came_of_it(link, recorder, qtbot) -> None:
    answers, message = [], OutgoingMessage("a/b", b"x")
    link.publish(message, answers.append)  # also where nobody looks after the recorder
    qtbot.waitUntil(lambda: len(answers) == 1)
    recorder.fails = trouble("publish.not-connected")
    link.publish(message, answers.append)
    qtbot.waitUntil(lambda: len(answers) == 2)
    recorder.fails = ZeroDivisionError()
    link.publish(message, answers.append)
    qtbot.waitUntil(lambda: len(answers) == 3)
    assert recorder.asked == [message]
    assert answers[0] == Published(0, "Success", 7)
    assert [one.code for one in answers[1:]] == ["publish.not-connected", "recorder.request"]


def test_an_import_tells_its_progress_and_what_came(link, recorder, qtbot) -> None:
    seen, ended, main = [], [], threading.main_thread()
    told = lambda progress: seen.append((progress.bytes_done, threading.current_thread()))  # noqa: E731
    link.import_files([Path("/a")], told, lambda *end: ended.append(end), again=True)
    qtbot.waitUntil(lambda: len(ended) == 1)
    assert (recorder.asked, seen, ended) == (
        [([Path("/a")], True, False)],
        [(1, main), (2, main), (3, main)],
        [(RESULT, None)],
    )
    recorder.fails = trouble("import.no-recording", path="/a", detail="it is empty")
    link.import_files([Path("/a")], told, lambda *end: ended.append(end))
    qtbot.waitUntil(lambda: len(ended) == 2)
    assert (ended[1][0], ended[1][1].code) == (None, "import.no-recording")
    recorder.fails = ZeroDivisionError()
    link.import_files([Path("/a")], told, lambda *end: ended.append(end))
    qtbot.waitUntil(lambda: len(ended) == 3)
    assert ended[2][1].code == "query.failed"


def test_a_cancelled_import_ends_with_neither_result_nor_problem(link, recorder, qtbot) -> None:
    seen, ended = [], []
    recorder.gate = threading.Event()
    under_way = link.import_files([Path("/a")], seen.append, lambda *end: ended.append(end))
    qtbot.waitUntil(lambda: len(seen) == 1)
    under_way.cancel()
    recorder.gate.set()
    qtbot.waitUntil(lambda: len(ended) == 1)
    assert (len(seen), ended) == (1, [(None, None)])
