"""Delegation through the real recorder and a real broker, when agents talk nonsense, brokers restart, files are unreadable and
processes are killed: nothing lost, and nothing done twice that says it may not."""

import contextlib
import json
import threading
from collections import Counter

import pytest
from paho.mqtt import publish

from app.control_client import ControlClient
from models.domain.clock import SystemClock
from models.domain.problems import EnvironmentProblem
from models.domain.records import TaskState
from models.domain.tasks.orders import TaskOrder, new_task_id
from models.domain.tasks.work import RESULT_LIMIT
from models.storage.tasks.reading import TaskReading
from tests.helpers.office import Office
from tests.helpers.poll import until
from tests.helpers.recorder_process import RecorderProcess

pytestmark = pytest.mark.services
S = 1_000_000


@pytest.fixture
def open_office(tmp_path, monkeypatch):
    """A function that opens an office at a broker, whose recorder is not started."""
    made = []

    def open_(url, **more):
        made.append(Office(tmp_path, url, monkeypatch, **more))
        return made[-1]

    yield open_
    for one in made:
        one.__exit__()


def started(office):
    office.start()
    return office


def steps(office, task):
    with TaskReading(office.workspace) as reading:
        return [(one.agent, one.reason) for one in reading.steps(task)]


def test_garbage_huge_payloads_and_strangers_end_no_task_and_no_recorder(broker, open_office):
    office = started(open_office(broker.url))
    go_on = threading.Event()
    office.agent("adder", lambda task: go_on.wait(20) and sum(task.input))
    task = office.give(input="[1, 2]")
    office.is_in(task, TaskState.WORKING)
    deep = "[" * 100_000 + "]" * 100_000
    inbox = f"agents/{office.us}/inbox"
    nonsense = [
        ("agents/adder/task", b"\xff\xfe\x00"),
        ("agents/adder/task", b"[]"),
        ("agents/adder/task", json.dumps({"task": task, "state": 5, "progress": "much"})),
        ("agents/adder/task", f'{{"task": "{task}", "state": "completed", "result": {deep}}}'),
        ("agents/adder/task", json.dumps({"task": "x" * 100_000, "state": "completed"})),
        ("agents/stranger/task", json.dumps({"task": task, "state": "completed", "result": "mine"})),
        (f"{inbox}/adder", b"\x00\x01"),
        (f"{inbox}/adder", f'{{"reply_to": "nobody.1", "body": {deep}}}'),
        (f"{inbox}/adder", json.dumps({"reply_to": "nobody.1", "body": "x" * 3_000_000})),
        (f"{inbox}/adder", json.dumps({"id": "n", "type": "task", "body": {"type": "sum", "to": 7, "input": "\ud800"}})),
        (f"{inbox}/adder", json.dumps({"id": "m", "type": "task", "body": {"type": "", "attempts": -1, "fan": []}})),
        (f"{inbox}/adder", json.dumps({"id": "c", "type": "cancel", "body": {"task": task}})),
        (f"{inbox}/", json.dumps({"id": "e", "type": "task", "body": {"type": "sum"}})),
    ]  # fmt: skip
    publish.multiple([(topic, payload, 1, False) for topic, payload in nonsense], port=broker.tcp_port)
    until(lambda: ("stranger", "stranger") in steps(office, task), "it is noted that a stranger's word does not count")
    assert office.now(task).state is TaskState.WORKING
    go_on.set()
    done = office.ends(task)
    assert (done.state, done.agent, done.result) == (TaskState.COMPLETED, "adder", "3")
    with ControlClient(office.workspace) as client:
        assert not [one for one in client.hello("cli").warnings if one["code"] == "recorder.faults"]


def test_a_result_too_long_to_be_kept_ends_its_task_and_says_where_it_is(broker, open_office):
    office = started(open_office(broker.url))
    office.agent("talker", lambda _task: "x" * (RESULT_LIMIT + 1))
    done = office.ends(office.give())
    assert (done.state, done.result) == (TaskState.COMPLETED, None)
    assert "too long to be kept" in done.error


def test_a_handler_that_hangs_is_late_and_what_it_says_after_all_does_not_count(broker, open_office):
    office = started(open_office(broker.url))
    go_on = threading.Event()
    office.agent("deaf", lambda _task: go_on.wait(20))
    task = office.give(deadline_us=SystemClock().wall_us() + S)
    done = office.ends(task)
    assert (done.state, done.reason) == (TaskState.FAILED, "late")
    go_on.set()
    until(lambda: ("deaf", "too-late") in steps(office, task), "what it says after all is noted")
    assert office.now(task).state is TaskState.FAILED


@pytest.mark.parametrize("persistence", [pytest.param(True, marks=pytest.mark.long), False])
def test_a_broker_that_restarts_with_a_thousand_tasks_in_flight(make_broker, open_office, persistence):
    broker = make_broker(persistence=persistence)
    office = started(open_office(broker.url))
    for name in ("one", "two"):
        office.agent(name, lambda _task: 1, workers=2)
        office.ask("limit_agent", name, 1_000)
    orders = [
        TaskOrder(new_task_id(), "sum", to=(("one", "two")[number % 2],), idempotent=number % 4 < 2, attempts=3)
        for number in range(1_000)
    ]
    with ControlClient(office.workspace) as client:
        client.submit_tasks(orders)
    until(lambda: office.ran, "they are at it")
    broker.kill()
    broker.start()

    def over():
        with TaskReading(office.workspace) as reading:
            works = list(reading.given())
        return all(one.ended or one.state is TaskState.UNKNOWN for one in works) and works

    works = until(over, "each has an end, or nobody knows", 60, 0.25)
    assert len(works) == 1_000
    ran = Counter(task for _, task in office.ran)
    for one in works:
        if one.order.idempotent:
            assert one.state is TaskState.COMPLETED
        else:
            assert one.state in (TaskState.COMPLETED, TaskState.UNKNOWN)
            assert ran[one.order.id] <= 1
    lost = [one for one in works if one.state is TaskState.UNKNOWN]
    for one in lost:
        office.ask("retry_task", one.order.id)
    until(lambda: all(office.now(one.order.id).state is TaskState.COMPLETED for one in lost), "tried once more", 60)


@pytest.mark.parametrize(
    ("point", "idempotent", "state", "times"),
    [
        ("stored", True, TaskState.COMPLETED, 1),
        ("stored", False, TaskState.UNKNOWN, 0),
        ("sent", False, TaskState.COMPLETED, 1),
        ("told", False, TaskState.COMPLETED, 1),
    ],
)
def test_killed_at_each_point_of_its_way(broker, open_office, monkeypatch, point, idempotent, state, times):
    monkeypatch.setenv("MURMURSCOPE_DIES", point)
    name = f"adder-{point}-{idempotent}"
    office = started(open_office(broker.url, module="tests.helpers.mortal_orchestrator"))
    office.agent(name, lambda task: sum(task.input))
    order = TaskOrder(new_task_id(), "sum", "[1, 2]", (name,), idempotent=idempotent)
    with contextlib.suppress(EnvironmentProblem):  # it died before it could answer
        office.ask("submit_tasks", [order])
    until(lambda: not office.recorder.alive, "it died")
    office.recorder.kill()
    office.recorder = RecorderProcess(office.workspace.root, broker.url)
    started(office)
    office.is_in(order.id, state)
    assert len(office.ran) == times


def test_an_end_that_the_broker_dropped_is_asked_for(make_broker, open_office):
    """It keeps so many messages for a recorder that is away, and no more."""
    broker = make_broker(max_queued_messages=1)
    office = started(open_office(broker.url))
    go_on = threading.Event()
    adder = office.agent("adder", lambda task: go_on.wait(20) and sum(task.input))
    task = office.give(input="[1, 2]")
    office.is_in(task, TaskState.WORKING)
    office.recorder.kill()
    publish.multiple([("fills/it", b"x", 1, False)] * 100, port=broker.tcp_port)
    go_on.set()
    until(lambda: not adder._work.tasks and adder._sent == adder._answered, "it said so, to nobody")
    office.start()
    done = office.ends(task)
    assert (done.state, done.result) == (TaskState.COMPLETED, "3")
    assert office.ran == [("adder", task)]


def test_a_file_of_tasks_that_cannot_be_opened_keeps_no_message_from_being_stored(broker, open_office):
    office = open_office(broker.url)
    office.workspace.tasks.mkdir(parents=True)
    started(office)
    office.agent("adder", lambda _task: 1)
    with ControlClient(office.workspace) as client:
        until(lambda: [one for one in client.hello("cli").warnings if "tasks.db" in str(one)], "it is told")
        until(lambda: client.hello("cli").counters.stored, "messages are stored")
        with pytest.raises(EnvironmentProblem) as refused:
            client.submit_tasks([TaskOrder("t", "sum")])
    assert refused.value.problem.code.startswith(("store.", "workspace."))
    office.workspace.tasks.rmdir()
    with ControlClient(office.workspace) as client:
        until(lambda: not [one for one in client.hello("cli").warnings if "tasks.db" in str(one)], "it is well again")
    assert office.ends(office.give(to=("adder",))).state is TaskState.COMPLETED


def test_two_workspaces_at_one_broker_give_tasks_to_one_agent_and_each_knows_its_own(
    broker, tmp_path, open_office, monkeypatch
):
    right = Office(tmp_path / "right", broker.url, monkeypatch)
    left = started(open_office(broker.url))
    left.agent("shared", lambda task: task.input)
    first = left.give(to=("shared",), input="1")
    assert left.ends(first).result == "1"
    (tmp_path / "right").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "right" / "run"))
    with right:
        second = right.give(to=("shared",), input="2")
        assert right.ends(second).result == "2"
        assert left.us != right.us
        for office, task in ((left, first), (right, second)):
            with TaskReading(office.workspace) as reading:
                assert [one.order.id for one in reading.given()] == [task]
