"""Agents written for Node, run by real node with real packages, seen through our own reader."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.own_process import child_environment, own_command
from models.domain.batch import RecordBatch
from models.domain.messages import Origin, RawMessage
from models.domain.names import Names
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level, LogRow, Outcome, TaskState
from mqtt.reading.reader import Reader
from tests.helpers.asyncapi import broken_promises
from tests.helpers.clock import FakeClock
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import bound_to_parent
from tests.helpers.node import EXAMPLE, Node
from tests.helpers.poll import until
from tests.helpers.sessions import Listening, Publisher

pytestmark = pytest.mark.services

SCRIPTS = Path(__file__).parent / "node"


@pytest.fixture
def listening(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Listening]:
    with Listening(broker.url, client_id=request.node.name) as one:
        one.connected()
        yield one


def on(listening: Listening, topic: str) -> list[dict[str, object]]:
    listening.take()
    return [json.loads(one.payload) for one in listening.on(topic.encode())]


def read(messages: list[RawMessage]) -> tuple[RecordBatch, dict[str, int]]:
    """What our reader makes of those published now, and the agents' ids by name."""
    names = Names()
    batch = Reader(names, "agents", FakeClock()).read(
        [one for one in messages if one.origin is Origin.LIVE and one.topic[:1] != b"$"]
    )
    return batch, {names.agents[i]: i for i in range(1, len(names.agents))}


def test_the_example_from_its_start_to_its_goodbye(
    node_packages: Path, broker: Mosquitto, listening: Listening, tmp_path: Path
) -> None:
    printed = subprocess.run(own_command("example", "node"), env=child_environment(), capture_output=True, check=True)
    (tmp_path / "agent.js").write_bytes(printed.stdout)
    with (
        Node(node_packages, tmp_path, tmp_path / "agent.js", broker.url, "pears") as node,
        Publisher(broker.port) as publish,
    ):
        until(lambda: len(on(listening, "agents/pears/metrics")) >= 2, "figures")
        for name, body in (
            ("t1", {"type": "sum", "input": [1, 2, 3.5], "parent": "t0"}), ("t2", {"type": "sum"}), ("t3", {"type": "fly"}),
        ):  # fmt: skip
            told = {"id": f"m-{name}", "type": "task", "body": {"task": name, **body}}
            publish("agents/pears/inbox/boss", json.dumps(told))
        publish("agents/pears/inbox/boss", b"\xff{")
        publish("agents/pears/inbox/boss", json.dumps({"type": "cancel", "body": {"task": "t9"}}))
        until(lambda: len(on(listening, "agents/boss/inbox/pears")) == 3, "answers")
        until(lambda: len(on(listening, "agents/pears/log")) == 5, "logs")
        said = node.end()
    assert node.process.returncode == 0, said
    listening.bring(lambda messages: any(b'"stopped"' in one.payload for one in messages), "its goodbye")
    assert [one["seq"] for one in on(listening, "agents/pears/status")][:2] == [0, 1]

    own = [
        one
        for one in listening.messages
        if one.topic.startswith((b"agents/pears/", b"agents/boss/")) and not one.topic.endswith(b"boss")
    ]
    assert [fault for one in own for fault in broken_promises(one.topic.decode(), one.payload)] == []
    batch, ids = read(listening.messages)
    pears = ids["pears"]
    told = [(one.agent, one.presence, one.cause) for one in batch.evidence]
    assert (told[0], told[-1]) == (
        (pears, Presence.ONLINE, Cause.STATUS), (pears, Presence.STOPPED, Cause.GOODBYE),
    )  # fmt: skip
    [declared] = [one for one in batch.declarations if one.agent == pears]
    assert (declared.name, declared.group, declared.interval_us, declared.capabilities) == (
        "pears", "examples", 10_000_000, ("sum", "inquiry"),
    )  # fmt: skip
    assert len(batch.sample_value) >= 6
    [attempt] = batch.attempts
    assert (attempt.agent, attempt.outcome, attempt.target) == (pears, Outcome.OK, broker.url.removeprefix("mqtt://"))
    logs = {one.text: one for one in batch.logs}
    first = logs["connected"]
    assert (first.agent, first.level) == (pears, Level.INFO)
    assert abs(first.time_us - batch.messages[first.row].received_us) < 30_000_000  # its own time
    assert logs["a message could not be handled"].stack
    assert logs["task t2 failed"].error == "TypeError: Cannot read properties of undefined (reading 'length')"
    assert logs["cancel for a task that is not open here, or asks nothing"].level is Level.WARN
    tasks = [(one.task, one.state, one.result, one.requester, one.parent) for one in batch.tasks if one.agent == pears]
    assert ("t1", TaskState.COMPLETED, "6.5", "boss", "t0") in tasks
    assert [state for name, state, *_ in tasks if name == "t1"].count(TaskState.WORKING) == 1
    assert {(name, state) for name, state, *_ in tasks} >= {("t2", TaskState.FAILED), ("t3", TaskState.REJECTED)}
    assert [one.reason for one in batch.unreadable] == ["binary"]  # what the boss sent, and the agent lived on
    assert not batch.gaps


def test_the_example_that_dies_is_offline_by_its_will(
    node_packages: Path, broker: Mosquitto, listening: Listening, tmp_path: Path
) -> None:
    with Node(node_packages, tmp_path, EXAMPLE / "agent.js", broker.url, "dies") as node:
        until(lambda: on(listening, "agents/dies/status"), "its birth")
        node.end(signal.SIGKILL)
    until(lambda: len(on(listening, "agents/dies/status")) == 2, "its will")
    batch, ids = read(listening.messages)
    assert [(one.agent, one.presence, one.cause) for one in batch.evidence][-1] == (
        ids["dies"], Presence.OFFLINE, Cause.WILL,
    )  # fmt: skip


def test_a_wrong_address_is_told_in_words(node_packages: Path, tmp_path: Path) -> None:
    with Node(node_packages, tmp_path, EXAMPLE / "agent.js", "mqtt://127.0.0.1:1", "a/b") as node:
        assert "cannot be one level of a topic" in node.wait()


def test_garbage_between_good_records_is_counted_and_the_good_ones_are_kept(
    node_packages: Path, broker: Mosquitto, listening: Listening, tmp_path: Path
) -> None:
    with Node(node_packages, tmp_path, SCRIPTS / "garbage.js", broker.url) as node:
        assert not node.wait()
    listening.bring(lambda messages: len([one for one in messages if b"messy" in one.topic]) == 32, "everything")
    batch, ids = read(listening.messages)
    good = [one for one in batch.logs if one.text.startswith("record ")]
    assert [(one.agent, one.text) for one in good] == [(ids["messy"], f"record {n}") for n in range(8)]
    assert batch.sample_value[:1] == [0.0]
    assert sorted({*batch.sample_value}) == [float(n) for n in range(8)]
    topics = [batch.messages[one.row].topic.decode().rpartition("/")[2] for one in batch.unreadable]
    # a log may be a line of text, such as "[1, 2]" and "null"; figures may be at top level, such as {"x": 1}
    assert (topics.count("log"), topics.count("metrics")) == (6, 7)
    assert {one.reason for one in batch.unreadable} == {"binary", "empty", "json", "shape", "too-deep"}


@pytest.mark.parametrize("followed", [["logs/all.log"], ["logs/all.log", "logs/failed.log"]])
def test_objects_logged_by_winston_are_records_of_the_agents_they_name(
    followed: list[str], node_packages: Path, broker: Mosquitto, listening: Listening, tmp_path: Path
) -> None:
    host = f"orchard-{len(followed)}"
    command = own_command("agent", "--broker", broker.url, "--id", host, "--tail", *followed)
    follower = subprocess.Popen(
        bound_to_parent(command), env=child_environment(), cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: on(listening, f"agents/{host}/status"), "the follower")
        (tmp_path / "logs").mkdir()
        with Node(node_packages, tmp_path, SCRIPTS / "logs_objects.js") as node:
            assert not node.wait()
        lines = sum(len((tmp_path / name).read_bytes().splitlines()) for name in followed)
        assert lines == (4 if len(followed) == 1 else 6)
        of_files = f"agents/{host}/tail/".encode()
        listening.bring(lambda all_: sum(one.topic.startswith(of_files) for one in all_) == lines, "every line")
    finally:
        follower.terminate()
        follower.wait()
    batch, ids = read(listening.messages)
    assert set(ids) == {host, "picker-3", "picker-4"}
    assert not batch.unreadable

    def told(agent: str) -> list[LogRow]:
        return [one for one in batch.logs if one.agent == ids[agent]]

    first, second = told("picker-3")  # the error stands in both files and is told once
    data = '{"fruit":{"kind":"pear","ripe":true},"row":12}'
    assert first[3:] == (Level.INFO, "harvest", data, None, None, data)
    written = json.loads((tmp_path / "logs/all.log").read_text(encoding="utf-8").splitlines()[0])
    assert first.time_us == _microseconds(written["message"]["timestamp"])
    assert (second.level, second.attributes) == (Level.ERROR, '{"row":13}')
    assert [(one.level, one.text) for one in told("picker-4")] == [(Level.INFO, "basket full")]
    # winston's plain JSON leaves nothing of an Error but its level, not even a time to know it again by
    assert {(one.level, one.text) for one in told(host)} == {(Level.ERROR, '{"level":"error","service":"harvest"}')}
    assert sum(batch.duplicate) == len(followed) - 1


def _microseconds(stamp: str) -> int:
    from datetime import datetime

    return round(datetime.fromisoformat(stamp).timestamp() * 1_000_000)
