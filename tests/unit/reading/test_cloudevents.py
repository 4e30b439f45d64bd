import base64

import pytest

from models.domain.clock import Instant
from models.domain.messages import Properties
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Presence
from models.domain.records import Level
from tests.helpers.reading import Reading

EVENT = {
    "specversion": "1.0",
    "type": "com.x.status",
    "source": "/fleet/crawler-1",
    "id": "1",
    "time": "2026-11-23T07:47:30Z",
}


def test_what_is_inside_is_read_as_the_source_s() -> None:
    reading = Reading()
    batch = reading.send("events/all", {**EVENT, "data": {"cpu_percent": 50}})
    assert [(one.agent, one.metric, one.value, one.time_us) for one in reading.points] == [
        ("crawler-1", "cpu_percent", 0.5, 1_795_420_050_000_000)
    ]
    assert [one.convention for one in batch.declarations] == ["cloudevents"]
    assert reading.agents() == {"crawler-1"}


def test_logs_and_several_sources_on_one_topic() -> None:
    reading = Reading()
    batches = [
        reading.send("events", {**EVENT, "source": f"urn:agents:{name}", "data": {"level": "warn", "message": "hm"}})
        for name in ("a", "b")
    ]
    assert [one.level for batch in batches for one in batch.logs] == [Level.WARN] * 2
    assert reading.agents() == {"a", "b"}


def test_an_otlp_export_inside() -> None:
    reading = Reading()
    points = [{"asDouble": 1}]
    export = {"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]},
        "scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": points}}]}],
    }]}  # fmt: skip
    reading.send("events", {**EVENT, "data": export})
    assert [(one.agent, one.metric) for one in reading.points] == [("s", "m")]


@pytest.mark.parametrize("prefix", ["", "ce-", "ce_", "cloudEvents:"])
@pytest.mark.parametrize("source", ["/fleet/crawler-1", "//host/agents/crawler-1/events", "urn:agents:crawler-1"])
def test_attributes_as_other_protocols_write_them(prefix: str, source: str) -> None:
    reading = Reading()
    user = tuple((prefix + key, value) for key, value in {**EVENT, "source": source}.items())
    reading.send("e", b'{"queue":3}', properties=Properties("application/json", user=user))
    assert [(one.agent, one.metric) for one in reading.points] == [("crawler-1", "queue")]


@pytest.mark.parametrize("packed", [True, False])
def test_bytes_inside(packed: bool) -> None:
    reading = Reading()
    data = b'{"queue":3}'
    if packed:
        reading.send("e", {**EVENT, "data_base64": base64.b64encode(data).decode()})
    else:
        user = tuple((key, value) for key, value in EVENT.items())
        reading.send("e", data, properties=Properties("application/json", user=user))
    assert [(one.agent, one.metric, one.value) for one in reading.points] == [("crawler-1", "queue", 3)]


@pytest.mark.parametrize(
    "event",
    [
        {**EVENT, "source": 7},
        {**EVENT, "source": "///"},
        {**EVENT, "data_base64": "!"},
        [],
        [7],
        [{**EVENT, "source": 7}],
    ],
)
def test_broken_ones_are_counted(event: dict[str, object]) -> None:
    reading = Reading()
    properties = Properties("application/cloudevents+json")
    assert reading.send("e", event, properties=properties).unreadable
    assert not reading.agents()


@pytest.mark.parametrize("data", [None, "plain words", {"reason": "deployed"}])
def test_an_event_is_a_life_sign_whatever_is_inside(data: object) -> None:
    reading = Reading()
    batch = reading.send("e", {**EVENT, "data": data})
    assert reading.agents() == {"crawler-1"}
    assert not batch.unreadable
    assert not reading.points


def test_events_of_any_kind_on_one_topic() -> None:
    reading = Reading()
    points = [{"asDouble": 1}]
    export = {"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]},
        "scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": points}}]}],
    }]}  # fmt: skip
    batches = [
        reading.send("events", {**EVENT, "data": data})
        for data in (export, {"queue": 3}, {"level": "warn", "message": "hm"}, {"task": "t-1", "state": "done"}, export)
    ]
    assert [(one.agent, one.metric) for one in reading.points] == [("s", "m"), ("crawler-1", "queue"), ("s", "m")]
    assert [len(one.logs) for one in batches] == [0, 0, 1, 0, 0]
    assert [(reading.names.agents[one.agent], one.task) for one in batches[3].tasks] == [("crawler-1", "t-1")]
    assert not any(one.unreadable for one in batches)
    assert reading.agents() == {"crawler-1", "s"}


@pytest.mark.parametrize("declared", [True, False])  # an MQTT 3.1.1 client cannot say what it sends
def test_a_batch_is_of_all_its_sources(declared: bool) -> None:
    reading = Reading()
    properties = Properties("application/cloudevents-batch+json") if declared else None
    events = [{**EVENT, "source": f"/fleet/crawler-{n}", "data": {"queue": n}} for n in (1, 2)]
    batch = reading.send("events", [*events, {"specversion": "1.0"}], properties=properties)
    assert [(one.agent, one.metric, one.value) for one in reading.points] == [
        ("crawler-1", "queue", 1), ("crawler-2", "queue", 2),
    ]  # fmt: skip
    assert [one.reason for one in batch.unreadable] == ["shape"]
    keeper, at_us = PresenceKeeper(), batch.messages[0].received_us
    changes = keeper.observe(batch, Instant(at_us, at_us))
    assert {reading.names.agents[one.agent] for one in changes if one.presence is Presence.ONLINE} == reading.agents()
    assert reading.agents() == {"crawler-1", "crawler-2"}


def test_what_only_looks_like_one_is_read_as_ever() -> None:
    reading = Reading()
    reading.send("plant/mixer-1", {"specversion": "1.0", "speed": 3})
    assert [(one.agent, one.metric) for one in reading.points] == [("mixer-1", "speed")]
