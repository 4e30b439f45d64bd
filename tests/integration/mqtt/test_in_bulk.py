"""The session where it takes messages out of the bytes many at a time: what is broken, TLS, WebSockets, a full socket."""

import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from models.domain.connection import Protocol
from models.domain.control import Link
from tests.helpers.fake_broker import DISCONNECT, PUBACK, PUBLISH, FakeBroker, packet
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.packet_streams import Streams
from tests.helpers.poll import until
from tests.helpers.sessions import Listening, Publisher

pytestmark = pytest.mark.services

MakeBroker = Callable[..., Mosquitto]
BOTH = pytest.mark.parametrize("protocol", [Protocol.MQTT_5, Protocol.MQTT_311])
GOOD = packet(PUBLISH, 2, b"\x00\x01t\x00\x05")


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b"\x30\x02\x00\x09", "a topic longer than its packet"),
        (b"\x30\x02\x00\x00", "empty topic"),
        (b"\x30\xff\xff\xff\xff\x01", "a length of more than four bytes"),
    ],
)
def test_a_broken_message_ends_the_connection_with_its_reason_and_is_counted(broken: bytes, why: str) -> None:
    with FakeBroker() as fake, Listening(fake.url, protocol=Protocol.MQTT_311) as listening:
        listening.connected()
        fake.send(GOOD + broken + GOOD)
        problem = listening.until_state(Link.WAITING).problem
        assert problem is not None
        assert problem.code == "broker.lost"
        assert why in str(problem.params["detail"])
        assert not fake.of(DISCONNECT)  # 3.1.1 has no word for it
        listening.bring_count(1)
        listening.connected(2)
        assert listening.session.counters.malformed == 1
        assert listening.session.counters.faults == 0
        assert len(listening.messages) == 1


def test_a_topic_alias_is_refused_for_we_take_none_and_the_broker_is_told() -> None:
    with FakeBroker() as fake, Listening(fake.url) as listening:
        listening.connected()
        fake.publish("t", b"x", properties=b"\x23\x00\x01")
        problem = listening.until_state(Link.WAITING).problem
        assert problem is not None
        assert "0x23" in str(problem.params["detail"])
        assert [one.body for one in fake.wait_for(DISCONNECT)] == [b"\x81"]


@BOTH
def test_messages_and_answers_cut_anywhere_arrive_in_order(protocol: Protocol) -> None:
    none = b"\x00" if protocol is Protocol.MQTT_5 else b""
    with FakeBroker() as fake, Listening(fake.url, protocol=protocol) as listening:
        listening.connected()
        data = b"".join(
            packet(PUBLISH, 2, b"\x00\x01t" + mid.to_bytes(2, "big") + none + b"%d" % mid) + b"\xd0\x00"
            for mid in range(1, 41)
        )
        for connection in fake._connections:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            fake.send(data[at : at + 1])
        listening.bring_count(40)
        assert [one.payload for one in listening.messages] == [b"%d" % mid for mid in range(1, 41)]
        assert [one.mid for one in fake.wait_for(PUBACK, 40)] == list(range(1, 41))


@BOTH
def test_acknowledgements_wait_for_a_broker_that_does_not_read_and_stay_whole(protocol: Protocol) -> None:
    """The socket takes few bytes at a time, and publications of our own go between."""
    count = 20_000
    none = b"\x00" if protocol is Protocol.MQTT_5 else b""
    with FakeBroker() as fake, Listening(fake.url, protocol=protocol) as listening:
        listening.connected()
        link = listening.session._link
        assert link is not None
        sock = link._wire.client.socket()
        sock.plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # type: ignore[union-attr]
        receipts = []
        for first in range(0, count, 1_000):
            fake.send(
                b"".join(
                    packet(PUBLISH, 2, b"\x00\x01t" + (mid + 1).to_bytes(2, "big") + none)
                    for mid in range(first, first + 1_000)
                )
            )
            receipts.append(listening.session.publish("mine", b"y" * 3_000))
        listening.bring_count(count)
        assert [one.mid for one in fake.wait_for(PUBACK, count)] == list(range(1, count + 1))
        assert [one.result(20).code for one in receipts] == [0] * len(receipts)
        assert listening.words() == [Link.CONNECTING, Link.CONNECTED]


@BOTH
def test_over_tls_nothing_stays_behind_in_the_socket(make_broker: MakeBroker, protocol: Protocol) -> None:
    """Decrypted bytes that select() knows nothing of, at the end of a burst."""
    broker = make_broker(tls=True, max_queued_messages=100_000)
    assert broker.certificates is not None
    url = f"mqtts://localhost:{broker.tls_port}"
    with (
        Listening(url, ca_file=str(broker.certificates.ca), protocol=protocol) as listening,
        Publisher(broker.port) as publish,
    ):
        assert listening.connected().in_bulk
        for number in range(60):
            publish("t", b"%d" % number + b" " * (number * 997))
        listening.bring_count(60, b"t")
        assert [int(one.payload) for one in listening.on(b"t")] == list(range(60))


def test_over_websockets_paho_brings_them(make_broker: MakeBroker) -> None:
    broker = make_broker(websockets=True)
    with Listening(f"ws://127.0.0.1:{broker.ws_port}") as listening, Publisher(broker.port) as publish:
        assert not listening.connected().in_bulk
        publish("t", b"x")
        assert listening.bring_count(1, b"t")[0].payload == b"x"


def test_a_broker_that_sends_only_messages_is_not_taken_for_dead() -> None:
    with FakeBroker() as fake, Listening(fake.url, keepalive_s=1) as listening:
        listening.connected()
        fake.script.answer = False  # no PINGRESP
        clock = listening.session._clock
        until_us = clock.monotonic_us() + 3_000_000

        def for_long() -> bool:
            fake.publish("t", b"x")
            return clock.monotonic_us() > until_us

        until(for_long, "three seconds are over")
        assert listening.words() == [Link.CONNECTING, Link.CONNECTED]


def test_the_network_thread_outlives_whatever_a_broker_sends() -> None:
    """Each connection gets a broken stream, cut anywhere; then one is as it should be."""
    with FakeBroker() as fake, Listening(fake.url, first_delay_s=3_600) as listening:

        def is_up(connection: int) -> bool:
            return fake.accepted == connection and listening.session.state.link is Link.CONNECTED

        for seed in range(60):
            until(lambda: is_up(seed + 1), f"connection {seed + 1}")  # noqa: B023 - it is asked at once
            streams = Streams(seed)
            data = streams.broken(20) if seed % 2 else streams.garbage(400)
            with suppress(OSError):  # the session hung up when it had seen enough
                for piece in streams.cuts(data):
                    fake.send(piece)
            fake.drop()
            until(lambda: listening.session.state.link in {Link.WAITING, Link.REFUSED}, "it noticed")
            listening.session.wake()
        until(lambda: is_up(61), "a connection as it should be")
        fake.publish("still/here", b"x", qos=1, mid=3)
        listening.bring_count(1, b"still/here")
        assert listening.session.counters.faults == 0
