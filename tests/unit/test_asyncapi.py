"""The AsyncAPI document: whole in itself, and true: our reader makes of its examples what they say."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from models.domain.batch import RecordBatch
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level, Outcome, TaskState
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.orders import Fan, Gather, TaskOrder
from models.domain.tasks.work import Dispatch, Work
from mqtt.delegating.contract import command_for, end_for, message_for, read_inbox
from tests.helpers.asyncapi import DOCUMENT, broken_promises, channel_of, faults, follow
from tests.helpers.reading import ARRIVAL_US, Reading

MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
EXAMPLES = {one["name"]: (kind, one) for kind, message in MESSAGES.items() for one in message["examples"]}
TS_US = 1_795_420_056_425_000


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_it_is_a_whole_document() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    for reference in references(DOCUMENT):
        follow(reference)
    for channel in DOCUMENT["channels"].values():
        for name in channel["parameters"]:
            assert f"{{{name}}}" in channel["address"]
        assert channel["address"].count("{") == len(channel["parameters"])
        assert channel["messages"]
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        for one in operation["messages"]:
            assert one["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")
    used = {reference.rpartition("/")[2] for reference in references(DOCUMENT)}
    assert used >= DOCUMENT["components"]["schemas"].keys() | MESSAGES.keys()
    assert len(EXAMPLES) == sum(len(message["examples"]) for message in MESSAGES.values()), "names are used once"


def test_it_names_every_topic_that_the_reader_knows_as_ours() -> None:
    from mqtt.reading.contract import _PLANS

    known = {channel["address"].split("/")[2] for channel in DOCUMENT["channels"].values()}
    assert known == {*_PLANS, "inbox", "tail"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_keep_what_their_schemas_promise(name: str) -> None:
    kind, example = EXAMPLES[name]
    channel = channel_of(example["x-topic"])
    assert channel is not None
    assert kind in channel["messages"]
    assert faults(example["payload"], MESSAGES[kind]["payload"]) == []
    if isinstance(example["payload"], dict):
        for key in MESSAGES[kind]["payload"].get("required", []):
            less = {name: one for name, one in example["payload"].items() if name != key}
            assert faults(less, MESSAGES[kind]["payload"])


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("agents/a/status", {"state": "purple"}), ("agents/a/status", {"name": "x"}), ("agents/a/status", {"state": "online", "seq": -1}),
        ("agents/a/status", {"state": "online", "interval_s": 0}), ("agents/a/status", {"state": "online", "capabilities": [5]}),
        ("agents/a/metrics", {"metrics": {"x": "5"}}), ("agents/a/metrics", {"metrics": {"x": True}}), ("agents/a/metrics", {"x": "5"}),
        ("agents/a/log", {"level": "info"}), ("agents/a/task", {"task": "t", "state": "odd"}), ("agents/a/task", {"state": "working"}),
        ("agents/a/task", {"task": "t", "state": "working", "progress": 2}), ("agents/a/connection", {"outcome": "maybe"}),
        ("agents/a/inbox/b", {"type": "task", "body": {"type": "x"}}), ("agents/a/inbox/b", {"type": "cancel"}), ("agents/a/x", {}),
        ("agents/a/inbox/b", {"type": "input", "body": {"task": "t"}}), ("agents/a/inbox/b", {"type": "command", "body": {"command": "ping"}}),
        ("agents/a/inbox/b", {"type": "result", "reply_to": "c", "body": {"state": "paused"}}),
        ("agents/a/inbox/b", {"type": "task", "body": {"task": "t", "fan": "some"}}),
    ],
)  # fmt: skip
def test_what_breaks_the_contract_is_noticed(topic: str, payload: object) -> None:
    assert broken_promises(topic, json.dumps(payload).encode())


class Read:
    """Examples, read in their order."""

    def __init__(self, *names: str) -> None:
        self.reading = Reading()
        messages = []
        for name in names:
            told = EXAMPLES[name][1]["payload"]
            payload = told if isinstance(told, str) else json.dumps(told)
            messages.append(self.reading.message(EXAMPLES[name][1]["x-topic"], payload))
        self.batch: RecordBatch = self.reading.read(*messages)
        assert self.batch.unreadable == []
        assert self.batch.duplicate == [False] * len(names)

    def name(self, agent: int) -> str:
        return self.reading.names.agents[agent]


def test_status_examples() -> None:
    read = Read("birth", "will", "goodbye")
    assert [(read.name(one.agent), one.presence, one.cause) for one in read.batch.evidence] == [
        ("crawler-7", Presence.ONLINE, Cause.STATUS),
        ("crawler-7", Presence.OFFLINE, Cause.WILL),
        ("crawler-7", Presence.STOPPED, Cause.GOODBYE),
    ]
    declared = read.batch.declarations[0]
    assert declared[3:] == ("Crawler 7", "crawlers", 10_000_000, "node-3", "1.4.2", ("crawl",), False)


def test_metrics_examples() -> None:
    assert Read("figures").reading.points == [
        ("crawler-7", "process.cpu.utilization", "1", TS_US, 0.12),
        ("crawler-7", "process.memory.usage", "By", TS_US, 73_400_320.0),
        ("crawler-7", "agent.request.duration", "s", TS_US, 0.213),
    ]
    assert Read("top-level").reading.points == [
        ("crawler-7", "process.cpu.utilization", "1", ARRIVAL_US, 0.12), ("crawler-7", "queue", "", ARRIVAL_US, 4.0),
    ]  # fmt: skip


def test_log_and_line_examples() -> None:
    read = Read("record", "exception", "text", "json")
    assert [(read.name(one.agent), one.level, one.logger, one.text, one.error) for one in read.batch.logs] == [
        ("crawler-7", Level.WARN, "net", "slow answer", None),
        ("crawler-7", Level.ERROR, None, "page lost", "TimeoutError: 30 s"),
        ("node-3", Level.ERROR, "net", "no route", None),
        ("crawler-7", Level.INFO, "crawlers", '{"pages":12}', None),
    ]
    assert read.batch.logs[0].attributes == '{"attempt":2}'
    assert read.batch.logs[1].stack is not None


def test_task_examples() -> None:
    read = Read("delegation", "progress", "completed", "failed", "answer", "cancellation")
    told = [(read.name(one.agent), one.task, one.type, one.state, one.requester) for one in read.batch.tasks]
    assert told == [
        ("crawler-7", "t-81", "crawl", TaskState.SUBMITTED, "planner"),
        ("crawler-7", "t-81", "crawl", TaskState.WORKING, "planner"),
        ("crawler-7", "t-81", "crawl", TaskState.COMPLETED, "planner"),
        ("crawler-7", "t-82", "crawl", TaskState.FAILED, "planner"),
    ]
    assert [(one.progress, one.result, one.error) for one in read.batch.tasks[1:]] == [
        (0.5, None, None), (None, '{"pages":12}', None), (None, None, "TimeoutError: 30 s"),
    ]  # fmt: skip
    assert [(one.kind, one.outcome) for one in read.batch.interactions] == [
        ("task", Outcome.OK),
        ("cancel", Outcome.OK),
    ]


def test_examples_of_what_is_said_about_a_task_and_to_an_agent() -> None:
    read = Read("order", "input", "command", "outcome")
    assert [(read.name(one.sender), one.kind, one.id, one.reply_us) for one in read.batch.interactions] == [
        ("planner", "task", "m-5", None), ("planner", "input", "m-6", None), ("planner", "command", "m-7", 0),
    ]  # fmt: skip


def test_the_order_is_one_that_the_orchestrator_takes_and_its_messages_are_as_described() -> None:
    example = EXAMPLES["order"][1]
    us = example["x-topic"].split("/")[1]
    order = read_inbox(Reading().message(example["x-topic"], example["payload"]), "agents", us)
    assert isinstance(order, TaskOrder)
    assert (order.capability, order.attempts, order.idempotent, order.requester) == ("crawl", 3, True, "planner")
    work = Work(order, 0)
    said = [
        *(message_for(Dispatch(kind, work, "a", 1, '"x"'), "agents", us, 0) for kind in ("task", "answer", "cancel")),
        command_for(AgentCommand("c", "a", "ping", "null", 0), "agents", us),
        end_for(replace(work, state=TaskState.COMPLETED, result="5"), "agents", us),
    ]
    assert [fault for one in said for fault in broken_promises(one.topic, one.payload)] == []
    assert {one.value for one in Fan} == set(body_of("delegation")["fan"]["enum"])
    assert {one.value for one in Gather} == set(body_of("delegation")["gather"]["enum"])


def body_of(schema: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema]["properties"]["body"]["properties"]
    return found


def test_connection_and_message_examples() -> None:
    read = Read("refused", "question", "reply", "event")
    [attempt] = read.batch.attempts
    assert attempt[1:2] + attempt[3:] == (TS_US, Outcome.REFUSED, "no route", 250_000, "db:5432")
    assert [
        (read.name(one.sender), read.name(one.receiver), one.kind, one.id, one.reply_us, one.outcome)
        for one in read.batch.interactions
    ] == [
        ("planner", "crawler-7", "question", "m-1", 0, Outcome.OK),
        ("planner", "crawler-7", "event", "", None, Outcome.OK),
    ]
