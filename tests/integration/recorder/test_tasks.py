"""Delegation through the real recorder and a real broker, to agents made with our library."""

import json
import threading

import pytest

from app.control_client import ControlClient
from models.domain.problems import EnvironmentProblem
from models.domain.records import TaskState
from models.domain.tasks.orders import Fan, Gather
from models.storage.tasks.reading import TaskReading
from mqtt.agent import Agent
from tests.helpers.office import Office
from tests.helpers.poll import until
from tests.helpers.recorder_process import command

pytestmark = pytest.mark.services


@pytest.fixture
def office(broker, tmp_path, monkeypatch):
    with Office(tmp_path, broker.url, monkeypatch) as one:
        yield one


def test_a_task_goes_to_who_is_capable_and_its_result_comes_back(office):
    office.agent("adder", lambda task: sum(task.input))
    done = office.ends(office.give(input="[1, 2, 3]"))
    assert (done.state, done.agent, done.result, done.attempt) == (TaskState.COMPLETED, "adder", "6", 1)
    assert done.created_us <= done.sent_us <= done.started_us <= done.ended_us


def test_nobody_is_there_until_somebody_comes(office):
    task = office.give()
    until(lambda: office.now(task).reason == "nobody", "it says that nobody serves it")
    office.agent("late-comer", lambda _task: "here")
    assert office.ends(task).agent == "late-comer"


def test_a_failure_is_tried_again_and_kept_when_it_lasts(office):
    def fails(task):
        raise ValueError("no such file")

    office.agent("clumsy", fails)
    done = office.ends(office.give(attempts=2, backoff_us=1_000))
    assert (done.state, done.reason, done.attempt) == (TaskState.FAILED, "failed", 2)
    assert "no such file" in done.error
    assert len(office.ran) == 2


def test_all_results_are_gathered(office):
    for name in ("one", "two", "three"):
        office.agent(name, lambda task: {task._agent.id: 1}, ("count",))
    until(lambda: len(office.agents) == 3, "all are there")
    task = office.give("count", to=("one", "two", "three"), fan=Fan.EACH, gather=Gather.MERGED)
    done = office.ends(task)
    assert json.loads(done.result) == {"one": 1, "two": 1, "three": 1}


def test_cancelled_while_at_work(office):
    begun = threading.Event()

    def waits(task):
        begun.set()
        task.cancelled.wait(20)

    office.agent("patient", waits)
    task = office.give()
    assert begun.wait(20)
    office.ask("cancel_task", task)
    done = office.ends(task)
    assert (done.state, done.reason) == (TaskState.CANCELED, "asked")
    with pytest.raises(EnvironmentProblem) as refused:
        office.ask("cancel_task", task)
    assert refused.value.problem.code == "task.ended"


def test_what_was_given_while_the_recorder_died_is_carried_on(office):
    task = office.give()
    office.recorder.kill()
    office.recorder.start()
    office.agent("adder", lambda _task: 1)
    assert office.ends(task).state is TaskState.COMPLETED


def test_an_end_that_came_while_no_recorder_ran_is_found(office):
    go_on = threading.Event()

    def waits(task):
        go_on.wait(20)
        return "done"

    worker = office.agent("adder", waits)
    task = office.give()
    office.is_in(task, TaskState.WORKING)
    office.recorder.kill()
    go_on.set()
    until(lambda: not worker._work.tasks, "it is told")
    office.recorder.start()
    done = office.ends(task)
    assert (done.state, done.result, len(office.ran)) == (TaskState.COMPLETED, "done", 1)


def test_the_dataset_holds_each_task_once(office):
    office.agent("adder", lambda task: sum(task.input))
    task = office.give(input="[1, 2]")
    office.ends(task)
    waiting = office.give("paint")
    lines = command(office.workspace.root, "export", "tasks", "--format", "jsonl").stdout.splitlines()
    rows = {row["task"]: row for row in map(json.loads, lines)}
    assert len(lines) == 2
    assert {"agent": "adder", "state": "completed", "result": "3", "attempt": 1}.items() <= rows[task].items()
    assert {"agent": None, "state": "submitted", "type": "paint"}.items() <= rows[waiting].items()


def test_the_commands(office):
    office.agent("adder", lambda task: sum(task.input))
    root = office.workspace.root
    done = command(root, "task", "submit", "sum", "--input", "[4, 5]", "--wait", "--deadline", "1m")
    assert (done.returncode, done.stdout) == (0, b"9\n")
    waiting = command(root, "task", "submit", "paint").stdout.decode().strip()
    listed = command(root, "task", "list", "--state", "submitted", "--json").stdout
    assert json.loads(listed)["task"] == waiting
    assert command(root, "task", "cancel", waiting).returncode == 0
    shown = json.loads(command(root, "task", "show", waiting, "--json").stdout)
    assert (shown["state"], shown["reason"]) == ("canceled", "asked")
    assert [one["reason"] for one in shown["history"]] == [None, "nobody", "asked"]
    said = command(root, "task", "command", "adder", "ping", "--wait")
    assert (said.returncode, said.stdout) == (0, b"completed\n")
    said = command(root, "task", "command", "adder", "dance", "--wait", "--confirm", "adder")
    assert (said.returncode, b"no handler for the command" in said.stdout) == (1, True)
    with TaskReading(office.workspace) as reading:
        assert command(root, "task", "command", "adder", "ping").stdout.decode().strip() == reading.commands(1)[0].id
    refused = command(root, "task", "show", "nonsense")
    assert refused.returncode == 1
    assert b"No task nonsense was given from here" in refused.stderr


def test_a_command_is_noted_then_sent_and_its_answer_kept(office):
    office.agent("adder", lambda _task: 1).command("restart", lambda arguments: {"again": arguments})
    with ControlClient(office.workspace) as client:
        with pytest.raises(EnvironmentProblem) as refused:
            client.command_agent("adder", "restart")
        assert refused.value.problem.code == "command.unconfirmed"
        id_ = client.command_agent("adder", "ping")
        client.command_agent("adder", "restart", confirmed="adder")

    def given():
        with TaskReading(office.workspace) as reading:
            return {one.id: one for one in reading.commands(10)}

    until(lambda: all(one.answered_us for one in given().values()), "both are answered")
    assert {(one.name, one.state, one.answer) for one in given().values()} == {
        ("ping", "completed", None),
        ("restart", "completed", '{"again":null}'),
    }
    assert given()[id_].asked_us <= given()[id_].answered_us


def test_an_agent_has_others_work_for_it(office):
    office.agent("adder", lambda task: sum(task.input))
    asked = Agent(office.url, "boss")
    answers = []
    asked.listen(answers.append)
    office.agents.append(asked.start())
    assert asked.connected.wait(20)
    id_ = asked.say(office.us, {"type": "sum", "input": [1, 2]}, "task")
    nonsense = asked.say(office.us, {"type": "sum", "attempts": 0}, "task")
    until(lambda: len(answers) == 2, "both are answered")
    found = {one.reply_to: one.body for one in answers}
    assert (found[id_]["state"], found[id_]["result"]) == ("completed", 3)
    assert found[nonsense]["state"] == "rejected"
