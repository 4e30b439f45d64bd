"""Moleculer's nodes: who is there, how busy, and who calls whom."""

from typing import Any

import pytest

from models.domain.messages import Kind, Origin
from models.domain.presence_words import Cause, Presence
from models.domain.records import Outcome
from tests.unit.reading.test_home_made_talk import S, Talk

REQUEST = {"id": "d18b", "action": "math.add", "params": {"a": 1, "b": 2}, "timeout": 800, "level": 1, "stream": False,
           "ver": "4", "sender": "api-2"}  # fmt: skip


class Nodes(Talk):
    def packet(self, topic: str, sender: str, origin: Origin = Origin.LIVE, **body: object) -> Any:
        return self.tell(topic, {**body, "ver": "4", "sender": sender}, origin)


@pytest.mark.parametrize("separator", [".", "/"])  # RabbitMQ makes one of the other
def test_a_call_and_its_answer(separator: str) -> None:
    nodes = Nodes()
    for answer in ({"success": True, "data": 3}, {"success": False, "error": {"name": "Error", "code": 500}}):
        batch = nodes.tell(separator.join(("MOL", "REQ", "orders-1")), REQUEST)
        assert batch.kind == [Kind.MESSAGE]
        nodes.packet(separator.join(("MOL", "RES", "api-2")), "orders-1", id="d18b", meta={}, **answer)
    assert nodes.talks == [
        ("api-2", "orders-1", "math.add", S // 4, Outcome.OK), ("api-2", "orders-1", "math.add", S // 4, Outcome.ERROR),
    ]  # fmt: skip
    assert nodes.agents() == {"api-2", "orders-1"}
    assert not nodes.points


def test_beats_tell_how_busy_a_node_is_and_a_goodbye_that_it_went() -> None:
    nodes = Nodes()
    for cpu in (5, None, 100):
        nodes.packet("MOL-dev.HEARTBEAT", "orders-1", cpu=cpu)
    assert [(one.agent, one.metric, one.unit, one.value) for one in nodes.points] == [
        ("orders-1", "cpu", "1", 0.05), ("orders-1", "cpu", "1", 1),
    ]  # fmt: skip
    batch = nodes.packet("MOL-dev.DISCONNECT", "orders-1")
    assert [(one.presence, one.cause) for one in batch.evidence] == [(Presence.STOPPED, Cause.GOODBYE)]


def test_what_a_node_says_of_itself() -> None:
    nodes = Nodes()
    [first] = nodes.packet("MOL.DISCOVER", "orders-1").declarations
    assert (first.convention, first.host) == ("moleculer", None)
    services = [{"name": "$node", "actions": {"$node.list": {}}}, {"name": "math", "actions": {"math.add": {}}}, 7]
    [more] = nodes.packet("MOL.INFO.api-2", "orders-1", services=services, hostname="box-9").declarations
    assert (more.host, more.capabilities) == ("box-9", ("math.add",))
    assert not nodes.packet("MOL.HEARTBEAT", "orders-1", cpu=1).declarations
    assert nodes.agents() == {"orders-1"}  # whom it tells is nobody so far


def test_events_and_calls_that_anybody_may_take() -> None:
    nodes = Nodes()
    nodes.packet("MOL.EVENT.orders-1", "api-2", id="e", event="user.created", data={"id": 1})
    nodes.packet("MOL.HEARTBEAT", "orders-1", cpu=1)
    nodes.packet("MOL.EVENT.orders-1", "api-2", id="f", event="user.created", data={"id": 2})
    nodes.packet("MOL.EVENTB.mail.user.created", "api-2", id="g", event="user.created")
    nodes.packet("MOL.REQB.math.add", "api-2", id="h", action="math.add")
    nodes.packet("MOL.RES.api-2", "orders-1", id="h", success=True)
    event = ("user.created", None, Outcome.OK)
    assert nodes.talks == [
        ("api-2", "", *event), ("api-2", "orders-1", *event), ("api-2", "", *event),
        ("api-2", "orders-1", "math.add", S // 4, Outcome.OK),
    ]  # fmt: skip


def test_a_stream_is_one_call() -> None:
    nodes = Nodes()
    for part in range(3):
        nodes.tell("MOL.REQ.orders-1", {**REQUEST, "stream": True, "seq": part})
    nodes.packet("MOL.RES.api-2", "orders-1", id="d18b", success=True)
    assert nodes.talks == [("api-2", "orders-1", "math.add", 3 * S // 4, Outcome.OK)]


@pytest.mark.parametrize("topic", ["MOLD/sensor-1", "MOL.OTHER.x-1", "lab/MOL.REQ.x-1", "MOL"])
def test_what_only_looks_like_a_packet_is_read_as_ever(topic: str) -> None:
    nodes = Nodes()
    nodes.tell(topic, {"sender": "x-2", "temp": 5})
    assert len(nodes.points) == 1


def test_replays_and_packets_of_nobody() -> None:
    nodes = Nodes()
    nodes.packet("MOL.HEARTBEAT", "orders-1", Origin.REPLAY, cpu=5)
    assert not nodes.agents()
    assert [one.reason for one in nodes.tell("MOL.HEARTBEAT", {"cpu": 5, "sender": 7}).unreadable] == ["shape"]
