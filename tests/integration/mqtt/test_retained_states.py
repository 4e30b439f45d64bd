"""What a broker keeps of topics that told presence: by itself, or asked for by name; never twice, and live messages once."""

import struct
from collections.abc import Callable

import pytest

from models.domain.connection import Protocol
from models.domain.messages import Origin
from mqtt import retained_states
from tests.helpers.fake_broker import SUBSCRIBE, UNSUBSCRIBE, FakeBroker, Packet, Script
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.sessions import Listening, Publisher

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("either_way")]
TOPICS = [f"agents/{n}/status" for n in range(20)]
BOTH = pytest.mark.parametrize("protocol", [Protocol.AUTO, Protocol.MQTT_311])


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retained_states, "QUIET_US", 50_000)


def known(asked: list[int]) -> Callable[[int], list[bytes]]:
    return lambda most: asked.append(most) or [one.encode() for one in TOPICS]


def topics(packet: Packet, *, of_5: bool, options: int) -> list[str]:
    """Of a SUBSCRIBE (each followed by a byte of options) or an UNSUBSCRIBE."""
    at, found = 2 + of_5, []
    while at < len(packet.body):
        (length,) = struct.unpack_from("!H", packet.body, at)
        found.append(packet.body[at + 2 : at + 2 + length].decode())
        at += 2 + length + options
    return found


@BOTH
def test_a_broker_that_tells_wildcards_nothing_is_asked_by_name(at_once: None, protocol: Protocol) -> None:
    asked: list[int] = []
    with FakeBroker() as broker:
        name = f"by-name-{protocol}"
        with Listening(broker.url, client_id=name, protocol=protocol, known_states=known(asked)) as listening:
            of_5 = listening.connected().mqtt_version == "5"
            until(lambda: len(broker.of(UNSUBSCRIBE)) == 3, "all were let go of")
            filters, *by_name = [topics(one, of_5=of_5, options=1) for one in broker.of(SUBSCRIBE)]
            assert "#" in filters
            assert by_name == [TOPICS[:8], TOPICS[8:16], TOPICS[16:]]
            assert [topics(one, of_5=of_5, options=0) for one in broker.of(UNSUBSCRIBE)] == by_name
            broker.publish(TOPICS[0], b"{}", retain=True)
            assert [one.origin for one in listening.bring_count(1)] == [Origin.REPLAY]
        assert asked == [retained_states.MOST_STATES]
        broker.script = Script(session_present=True)
        with Listening(
            broker.url, client_id=name, protocol=protocol, known_states=known(asked), expects_session=True
        ) as again:
            again.connected()
            broker.publish("agents/0/log", b"1")
            again.bring_count(1)
    assert len(asked) == 1  # it queued what changed, so nobody has to ask


@BOTH
def test_mosquitto_tells_by_itself_and_is_not_asked(
    at_once: None, broker: Mosquitto, protocol: Protocol, either_way: str
) -> None:
    asked: list[int] = []
    with Publisher(broker.port) as publish:
        for topic in TOPICS:
            publish(topic, topic, retain=True)
        with Listening(
            broker.url, client_id=f"told-{protocol}-{either_way}", protocol=protocol, known_states=known(asked)
        ) as listening:
            listening.connected()
            listening.bring_count(1, TOPICS[-1].encode())
            publish(TOPICS[0], "live")
            publish("agents/end/log", "end")
            listening.bring_count(1, b"agents/end/log")
        found = [(one.topic.decode(), one.origin) for one in listening.on(None) if one.topic.endswith(b"/status")]
        for topic in TOPICS:
            publish(topic, b"", retain=True)
    assert sorted(found) == sorted([*((one, Origin.REPLAY) for one in TOPICS), (TOPICS[0], Origin.LIVE)])
    assert asked == []


def test_mosquitto_that_kept_nothing_may_be_asked_and_brings_live_messages_once(
    at_once: None, broker: Mosquitto, either_way: str
) -> None:
    asked: list[int] = []
    name = f"kept-nothing-{either_way}"
    filters = ("agents/#",)  # no retained figures of its own
    with (
        Publisher(broker.port) as publish,
        Listening(broker.url, client_id=name, filters=filters, known_states=known(asked)) as listening,
    ):
        listening.connected()
        until(lambda: asked, "it was asked")
        until(lambda: broker.log_file.read_text().count(f"Sending UNSUBACK to {name}") == 3, "all were let go of")
        publish(TOPICS[0], "once")
        publish("agents/end/log", "end")
        listening.bring_count(1, b"agents/end/log")
    assert [one.payload for one in listening.on(TOPICS[0].encode())] == [b"once"]
