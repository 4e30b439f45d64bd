"""Tasks that programs without a convention tell of."""

from typing import Any

import pytest

from models.domain.messages import Kind, Origin
from models.domain.records import Outcome, TaskState
from tests.helpers.reading import Reading

S = 1_000_000


@pytest.mark.parametrize(
    ("topic", "body", "agent", "task"),
    [
        ("fleet/crawler-1/events", {"task_id": "t-1", "state": "running"}, "crawler-1", "t-1"),
        ("fleet/crawler-1/events", {"jobId": 7, "status": "in_progress"}, "crawler-1", "7"),
        ("fleet/crawler-1", {"task": "index", "status": "started"}, "crawler-1", "index"),
        ("crawler-1/tasks/1234/status", {"state": "running"}, "crawler-1", "1234"),
        ("jobs/updates", {"id": "j", "status": "running", "worker": "w-1"}, "w-1", "j"),
        ("a2a/team/cmd/builder-2/task-status", {"id": "t", "status": "working", "from": "b", "to": "c"}, "b", "t"),
        ("fleet/tasks", {"task_id": "t", "agent": "planner", "state": "active", "status": "working"}, "planner", "t"),
    ],
)
def test_whose_task_it_is(topic: str, body: dict[str, Any], agent: str, task: str) -> None:
    reading = Reading()
    batch = reading.send(topic, body)
    [one] = batch.tasks
    assert (reading.names.agents[one.agent], one.task, one.state) == (agent, task, TaskState.WORKING)
    assert batch.kind == [Kind.TASK]
    assert [reading.agents(), reading.points, batch.evidence] == [{agent}, [], []]


def test_all_that_a_report_can_hold() -> None:
    [one] = Reading().send("w-1/tasks", {
        "task_id": "t", "type": "sum", "state": "failed", "parent_id": "p", "requested_by": "ui", "attempt": 2,
        "progress": 0.5, "result": {"n": 1}, "error": "no", "ts": 1_795_420_055, "duration_ms": 12,
    }).tasks  # fmt: skip
    assert one[1:2] + one[3:] == (
        1_795_420_055 * S, "t", "sum", TaskState.FAILED, "p", "ui", 2, 0.5, '{"n":1}', "no",
    )  # fmt: skip


def test_a_task_asked_for_and_answered() -> None:
    reading = Reading()
    name = reading.names.agents
    task = {"id": "t-1", "from": "boss", "to": "builder", "status": "pending"}
    batch = reading.send("a2a/team/cmd/builder/request", task)
    [report] = batch.tasks
    assert (name[report.agent], report.requester, report.state) == ("builder", "boss", TaskState.SUBMITTED)
    reading.now_us += S
    batch = reading.send(
        "a2a/team/cmd/builder/response", {"id": "t-1", "from": "builder", "to": "boss", "status": "failed"}
    )
    [report], [talk] = batch.tasks, batch.interactions
    assert (name[report.agent], report.requester, report.state) == ("builder", "boss", TaskState.FAILED)
    assert (name[talk.sender], name[talk.receiver], talk.reply_us, talk.outcome) == (
        "boss",
        "builder",
        S,
        Outcome.ERROR,
    )
    assert reading.agents() == {"boss", "builder"}


def test_figures_beside_a_task_stay_figures() -> None:
    reading = Reading()
    batch = reading.send("fleet/crawler-1", {"task": "index", "status": "running", "cpu": 55})
    assert [len(batch.tasks), [one.metric for one in reading.points], batch.evidence] == [1, ["cpu"], []]


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("fleet/crawler-1/status", {"task": "index", "status": "running"}),  # how the agent is
        ("fleet/crawler-1", {"task": "index", "status": "idle"}),
        ("fleet/crawler-1", {"id": "x", "status": "running"}),
        ("fleet/crawler-1", {"task": ["x"], "status": "running"}),
        ("fleet/crawler-1", {"task": "x" * 600, "state": "running"}),
        ("tasks/status", {"state": "running"}),
    ],
)
def test_what_is_no_task(topic: str, body: dict[str, Any]) -> None:
    assert not Reading().send(topic, body).tasks


def test_a_task_that_is_nobody_s_makes_nobody() -> None:
    reading = Reading()
    batch = reading.send("tasks/1234/status", {"state": "running"})
    assert [one.reason for one in batch.unreadable] == ["nobody"]
    assert [batch.tasks, reading.agents()] == [[], set()]


def test_replays_report_nothing() -> None:
    assert not Reading().send("w-1/tasks", {"task_id": "t", "state": "running"}, Origin.REPLAY).tasks
