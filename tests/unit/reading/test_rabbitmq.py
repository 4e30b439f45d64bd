"""RabbitMQ: what AMQP publishes to `amq.topic`, and the firehose, which shows everything once more."""

from collections import Counter
from typing import Any

import pytest

from models.domain.clock import Instant
from models.domain.messages import Origin
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Presence
from tests.helpers.reading import Reading, recorded

METRICS = {"agent": "billing-3", "cpu": 5}


@pytest.mark.parametrize("size", [1, 100])
def test_recording_of_amqp_and_mqtt(size: int) -> None:
    reading, keeper, presence = Reading(), PresenceKeeper(), {}
    messages = recorded("rabbitmq-3.10-amqp-and-mqtt")
    logs: list[Any] = []
    unread: dict[bytes, str] = {}
    for i in range(0, len(messages), size):
        batch = reading.read(*messages[i : i + size])
        at_us = batch.messages[-1].received_us
        for change in keeper.observe(batch, Instant(at_us, at_us)):
            presence[reading.names.agents[change.agent]] = change.presence
        logs += batch.logs
        unread |= {batch.messages[one.row].topic: one.reason for one in batch.unreadable}
    assert reading.agents() == {"billing-3", "sensor-agent"}
    assert Counter((one.agent, one.metric) for one in reading.points) == {
        ("billing-3", "cpu"): 9, ("billing-3", "mem_mb"): 9, ("billing-3", "response_ms"): 9, ("sensor-agent", "cpu"): 7,
    }  # fmt: skip
    assert [round(1000 * one.value) for one in reading.points if one.metric == "response_ms"] == list(range(16, 25))
    assert presence == {"billing-3": Presence.ONLINE, "sensor-agent": Presence.OFFLINE}
    assert [one.text for one in logs] == ["routing key with slashes"]
    assert set(unread) == {b"$a2a/v1/discovery/o/u/x", b"agents/host/with/dots/cpu", b"spBv1/0/x/NDATA/y"}
    assert unread[b"agents/host/with/dots/cpu"] == "nobody"


def test_the_firehose_s_copies_of_what_came_anyway_count_for_nothing() -> None:
    reading = Reading()
    copies = [
        reading.send(topic, METRICS).duplicate
        for topic in (
            "publish/amq/topic",
            "fleet/billing-3/metrics",
            "deliver/mqtt-subscription-uiqos1",
            "deliver/archive",
        )
    ]
    assert copies == [[True], [False], [True], [True]]
    assert [(one.agent, one.metric) for one in reading.points] == [("billing-3", "cpu")]


def test_what_only_the_firehose_shows_is_read_once_where_it_says_whose_it_is() -> None:
    reading = Reading()
    for _ in range(2):  # twice the same is two messages
        for topic in ("publish/", "deliver/tasks", "deliver/audit/log"):
            reading.send(topic, METRICS)
    assert [one.agent for one in reading.points] == ["billing-3", "billing-3"]
    batch = reading.send("publish/orders", {"customer": "ACME", "amount": 5})
    assert [one.reason for one in batch.unreadable] == ["nobody"]
    assert reading.agents() == {"billing-3"}


def talk(reading: Reading, *sent: tuple[str, object]) -> list[tuple[bool, list[tuple[str, str, str]]]]:
    """Of each message whether it is a copy, and what was said by it."""
    name = reading.names.agents
    return [
        (batch.duplicate[0], [(name[one.sender], name[one.receiver], one.kind) for one in batch.interactions])
        for batch in (reading.send(*one) for one in sent)
    ]


@pytest.mark.parametrize(
    ("body", "sender", "kind"),
    [
        ({"page": 1}, "", "message"), ({"from": "planner", "type": "crawl"}, "planner", "crawl"),
        ({"agentId": "planner", "page": 1}, "planner", "message"), (b'"crawl!"', "", "message"),
    ],
)  # fmt: skip
def test_what_is_sent_to_a_queue_is_said_to_whoever_is_called_so(body: object, sender: str, kind: str) -> None:
    said = [("publish/", body), ("deliver/crawler-7", body)]
    found = talk(Reading(), *said, *said)
    assert found == [(False, []), (True, [(sender, "crawler-7", kind)])] * 2


def test_what_came_to_a_queue_by_another_way_is_not_said_again() -> None:
    body = {"id": "t.1", "type": "task", "body": {"task": "t"}}
    said = [("agents/adder-3/inbox/us", body), ("publish/amq/topic", body), ("deliver/adder-3", body)]
    assert talk(Reading(), ("publish/", {"go": 1}), *said)[1:] == [
        (False, [("us", "adder-3", "task")]), (True, []), (True, []),
    ]  # fmt: skip


def test_queues_that_are_nobody_s() -> None:
    said = [("publish/", {"page": 1}), ("deliver/amq/gen-XvD7", {"page": 1})]
    assert talk(Reading(), *said) == [(False, []), (True, [])]


def test_garbage_to_a_queue_is_counted_as_such() -> None:
    reading = Reading()
    batches = [reading.send(topic, b"\xff{") for topic in ("publish/", "deliver/crawler-7")]
    assert [[one.reason for one in batch.unreadable] for batch in batches] == [["binary"], []]
    assert reading.agents() == set()


def test_a_queue_without_its_exchange_is_read() -> None:
    reading = Reading()
    reading.send("deliver/mqtt-subscription-uiqos1", {"agent": "x-1", "n": 1})
    reading.send("deliver/tasks", METRICS)
    assert [one.agent for one in reading.points] == ["billing-3"]


def test_topics_of_these_names_are_home_made_until_the_firehose_shows() -> None:
    reading = Reading()
    reading.send("publish/crawler-1/temperature", "21.5")
    assert [one.agent for one in reading.points] == ["crawler-1"]
    reading.send("publish/amq/topic", "21.5")
    assert [one.reason for one in reading.send("publish/crawler-1/temperature", "22").unreadable] == ["shape"]
    assert len(reading.points) == 1


def test_replayed_copies_derive_nothing() -> None:
    reading = Reading()
    batch = reading.send("publish/", METRICS, Origin.REPLAY)
    assert [batch.duplicate, reading.points] == [[False], []]


@pytest.mark.parametrize(
    ("topic", "agent"),
    [
        ("agents/host/with/dots/cpu", None),
        ("agents/host/web-01/eu/cpu", "web-01"),
        ("agents/prod/crawler-1/cpu/total", "crawler-1"),
        ("agents/host/cpu", "host"),
        ("agents/db/pool/size", "db"),
    ],
)
def test_a_level_that_announces_a_name_is_none(topic: str, agent: str | None) -> None:
    reading = Reading()
    batch = reading.send(topic, "5")
    assert [one.reason for one in batch.unreadable] == ([] if agent else ["nobody"])
    assert reading.agents() == ({agent} if agent else set())


def test_unless_it_is_somebody_who_said_so() -> None:
    reading = Reading()
    reading.send("agents/host/with/dots/cpu", "5")
    reading.send("agents/host/status", {"state": "online", "name": "Host"})
    reading.send("agents/host/with/dots/cpu", "6")
    assert [(one.agent, one.metric, one.value) for one in reading.points] == [("host", "with.dots.cpu", 6.0)]
