"""Celery's workers and tasks, as RabbitMQ passes their events on."""

import json
from typing import Any

import pytest

from models.domain.clock import Instant
from models.domain.messages import Origin
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.records import TaskState
from tests.helpers.reading import Reading, recorded

BASE = {"hostname": "celery@box-4", "utcoffset": 0.0, "pid": 7, "clock": 1, "timestamp": 1_795_420_050.5}


def event(kind: str, **more: object) -> tuple[str, dict[str, Any]]:
    return kind.replace("-", "/", 1), {**BASE, "type": kind, **more}


def test_the_recording_of_a_worker() -> None:
    """Three tasks done, one tried twice, one that still waits for its time."""
    reading, keeper, presence, tasks = Reading(), PresenceKeeper(), [], {}
    for message in recorded("celery-5.7-on-rabbitmq-3.10"):
        batch = reading.read(message)
        presence += keeper.observe(batch, Instant(message.received_us, message.received_us))
        assert not batch.unreadable
        for one in batch.tasks:
            tasks.setdefault(one.task, []).append(one)
    assert reading.agents() == {"box-4@lab"}
    assert [(one.presence, one.cause) for one in presence] == [
        (Presence.ONLINE, Cause.STATUS), (Presence.STOPPED, Cause.GOODBYE),
    ]  # fmt: skip
    counts: dict[tuple[str, str], int] = {}
    for one in reading.points:
        counts[one.metric, one.unit] = counts.get((one.metric, one.unit), 0) + 1
    assert counts == {
        ("active", "{task}"): 7, ("processed", "{task}"): 7, ("loadavg.1m", ""): 7, ("loadavg.5m", ""): 7,
        ("loadavg.15m", ""): 7, ("runtime", "s"): 3,
    }  # fmt: skip
    *done, failed, waits = tasks.values()
    begun, working, ended = TaskState.SUBMITTED, TaskState.WORKING, TaskState.COMPLETED
    assert [[one.state for one in task] for task in done] == [[begun, working, ended]] * 3
    assert [task[-1].result for task in done] == ["0", "2", "4"]
    assert {one.type for task in done for one in task} == {"shop.add"}
    assert {one.requester for task in done for one in task} == {"gen12723@vm"}
    assert [(one.state, one.attempt) for one in failed] == [
        (begun, 1), (working, None), (begun, None), (begun, 2), (working, None), (TaskState.FAILED, None),
    ]  # fmt: skip
    assert failed[-1].error == "ValueError('no stock')"
    assert {one.parent for one in failed} == {None}
    assert [one.state for one in waits] == [begun]


def test_a_task_is_submitted_when_it_was_sent() -> None:
    reading = Reading()
    reading.send(*event("task-sent", uuid="t-1", name="add", hostname="gen7@box", timestamp=1_795_420_040.0))
    assert not reading.agents()
    batch = reading.send(*event("task-received", uuid="t-1", name="add", parent_id="p-1", retries=0))
    [one] = batch.tasks
    assert (one.time_us, one.requester, one.parent, one.attempt) == (1_795_420_040_000_000, "gen7@box", "p-1", 1)


def test_a_batch_of_several_workers_is_heard_of_all() -> None:
    reading, keeper = Reading(), PresenceKeeper()
    several = [event("task-started", uuid="t-1", hostname=f"celery@{name}")[1] for name in "ab"]
    batch = reading.send("task/multi", [*several, event("task-started", uuid=7)[1]])
    assert [(reading.names.agents[one.agent], one.state) for one in batch.tasks] == [
        ("celery@a", TaskState.WORKING), ("celery@b", TaskState.WORKING),
    ]  # fmt: skip
    assert [one.reason for one in batch.unreadable] == ["shape"]
    at_us = batch.messages[0].received_us
    changes = keeper.observe(batch, Instant(at_us, at_us))
    assert {reading.names.agents[one.agent] for one in changes if one.presence is Presence.ONLINE} >= {
        "celery@a", "celery@b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("worker/online", {"type": "worker", "hostname": "box-4", "queue": 3}),
        ("worker/online", {"type": "task-started", "hostname": "box-4", "queue": 3}),
        ("task/multi", {"hostname": "box-4", "queue": 3}),
        ("fleet/worker-4", {"type": "worker-online", "hostname": "box-4", "queue": 3}),
    ],
)
def test_what_only_looks_like_an_event_is_read_as_ever(topic: str, body: dict[str, object]) -> None:
    reading = Reading()
    reading.send(topic, body)
    assert "queue" in {one.metric for one in reading.points}


def test_replays_and_broken_events_say_nothing() -> None:
    reading = Reading()
    topic, body = event("worker-heartbeat", active=1, freq=2)
    assert not reading.send(topic, body, Origin.REPLAY).evidence
    assert not reading.agents()
    for broken in ({**body, "hostname": 7}, {**body, "hostname": ""}):
        assert reading.send(topic, broken).unreadable
    assert reading.send(topic, json.dumps(body)[:-9]).unreadable
    for odd in ({"active": "x", "loadavg": 7, "freq": -1}, {"loadavg": [1, None, "x", 4, 5]}, {"timestamp": "never"}):
        assert not reading.send(topic, {**body, **odd}).unreadable
    assert reading.agents() == {"celery@box-4"}
    assert {one.metric for one in reading.points} <= {"active", "loadavg.1m"}
