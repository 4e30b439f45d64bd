"""The session with a real broker: what arrives, as what, and what is acknowledged."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from models.domain.connection import Protocol
from models.domain.control import Link
from models.domain.messages import Origin, Properties
from models.domain.problems import EnvironmentProblem
from tests.helpers.fake_broker import PUBACK, PUBLISH, SUBSCRIBE, FakeBroker, Script
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.sessions import Listening, Publisher

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("either_way")]

MakeBroker = Callable[..., Mosquitto]
BOTH = pytest.mark.parametrize("protocol", [Protocol.AUTO, Protocol.MQTT_311])


def texts(*numbers: range) -> list[bytes]:
    return [str(number).encode() for part in numbers for number in part]


@BOTH
def test_messages_arrive_live_and_whole(broker: Mosquitto, protocol: Protocol, either_way: str) -> None:
    name = f"whole-{protocol}-{either_way}"
    with Publisher(broker.port) as publish, Listening(broker.url, client_id=name, protocol=protocol) as listening:
        state = listening.connected()
        assert state.in_bulk is (either_way == "in bulk")
        assert state.mqtt_version == ("5" if protocol is Protocol.AUTO else "3.1.1")
        assert not state.session_present
        assert not state.session_lost
        publish(f"{name}/one", b"\x00\xff raw", 1)
        publish(f"{name}/none", b"", 0)
        publish(f"{name}/two", b"2", 2)
        listening.bring_count(3)
        one, none, two = (listening.on(f"{name}/{which}".encode())[0] for which in ("one", "none", "two"))
        assert (one.payload, one.qos, one.retain, one.dup, one.origin) == (
            b"\x00\xff raw",
            1,
            False,
            False,
            Origin.LIVE,
        )
        assert one.packet_id > 0
        assert one.epoch == state.epoch == 1
        assert one.properties is None
        assert (none.payload, none.qos, none.packet_id) == (b"", 0, 0)
        assert two.qos == 1  # subscribed at 1
        assert one.received_us >= state.since_us


def test_properties_come_along(broker: Mosquitto) -> None:
    sent = PahoProperties(PacketTypes.PUBLISH)
    sent.ContentType, sent.ResponseTopic, sent.CorrelationData = "text/x", "answer/here", b"\x01\xfe"
    sent.MessageExpiryInterval = 60
    sent.UserProperty = [("a", "1"), ("a", "2")]
    with Publisher(broker.port) as publish, Listening(broker.url, client_id="properties") as listening:
        listening.connected()
        publish("properties/t", b"x", properties=sent)
        got = listening.bring_count(1, b"properties/t")[0].properties
        assert got == Properties("text/x", "answer/here", b"\x01\xfe", 60, (("a", "1"), ("a", "2")))


@BOTH
def test_retained_messages_are_replays_and_later_ones_live(make_broker: MakeBroker, protocol: Protocol) -> None:
    broker = make_broker()
    with Publisher(broker.port) as publish:
        publish("status", b"old", retain=True)
        with Listening(broker.url, protocol=protocol) as listening:
            listening.connected()
            publish("status", b"new", retain=True)
            old, new = listening.bring_count(2, b"status")
    assert (old.payload, old.retain, old.origin) == (b"old", True, Origin.REPLAY)
    assert (new.payload, new.retain, new.origin) == (b"new", False, Origin.LIVE)


@BOTH
def test_what_was_queued_while_we_were_away_is_backlog_and_nothing_is_lost(
    make_broker: MakeBroker, protocol: Protocol
) -> None:
    """The broker restarts meanwhile, and sends ten at a time: every message comes once, in order."""
    broker = make_broker(persistence=True, max_inflight=10)
    with Listening(broker.url, protocol=protocol) as listening:
        assert not listening.connected().session_present
    with Publisher(broker.port) as publish:
        for text in texts(range(50)):
            publish("t", text)
    broker.restart()
    with Listening(broker.url, protocol=protocol, expects_session=True) as listening, Publisher(broker.port) as publish:
        state = listening.connected()
        assert state.session_present
        assert not state.session_lost

        listening.bring_count(50, b"t")
        assert [one.payload for one in listening.on(b"t")] == texts(range(50))
        assert {one.origin for one in listening.on(b"t")} == {Origin.BACKLOG}
        until(lambda: _live_after(listening, publish), "live again")
        assert not [one for one in listening.messages if one.topic.startswith(b"murmurscope/probe")]


def _live_after(listening: Listening, publish: Publisher, topic: str = "later") -> bool:
    publish(topic, b"x")
    return listening.bring_count(1, topic.encode())[-1].origin is Origin.LIVE


def test_backlog_ends_after_ten_seconds_even_if_the_probe_never_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.probe.LONGEST_BACKLOG_US", 300_000)
    with FakeBroker(Script(session_present=True)) as fake, Listening(fake.url) as listening:
        listening.connected()
        fake.wait_for(PUBLISH)
        fake.publish("t", b"early")

        def live() -> bool:
            fake.publish("t", b"x")
            listening.take()
            return bool(listening.messages) and listening.messages[-1].origin is Origin.LIVE

        until(live, "a live message")
        assert listening.messages[0].origin is Origin.BACKLOG


def test_an_old_probe_does_not_end_the_backlog() -> None:
    with (
        FakeBroker(Script(session_present=True)) as fake,
        Listening(fake.url, client_id="me", acknowledges=False) as listening,
    ):
        listening.connected()
        probe = fake.wait_for(PUBLISH)[0]
        length = int.from_bytes(probe.body[:2], "big")
        topic, payload = probe.body[2 : 2 + length], probe.body[2 + length + 2 + 1 :]
        assert topic == b"murmurscope/probe/me"
        fake.publish(topic, b"of yesterday", qos=1, mid=7)
        fake.publish("t", b"1")
        fake.publish(topic, payload, qos=1, mid=8)
        fake.publish("t", b"2")
        listening.bring_count(2)
        assert [one.origin for one in listening.messages] == [Origin.BACKLOG, Origin.LIVE]
        assert [one.mid for one in fake.wait_for(PUBACK, 2)] == [7, 8]  # nobody else would acknowledge them


def test_a_broker_that_forgot_us_is_told_of(make_broker: MakeBroker) -> None:
    broker = make_broker()  # keeps nothing over a restart
    with Listening(broker.url) as listening:
        assert not listening.connected().session_lost
        broker.kill()
        listening.until_state(Link.WAITING)
        broker.start()
        listening.session.wake()
        state = listening.connected(2)
        assert state.session_lost
        assert "broker.session-lost" in [one.code for one in state.warnings]
        assert state.epoch == 2
    with Listening(broker.url, expects_session=True) as listening:
        assert not listening.connected().session_lost  # stop() kept it
    with Listening(broker.url, client_id="never seen", expects_session=True) as listening:
        assert listening.connected().session_lost


@BOTH
def test_ending_the_session_makes_the_broker_forget(make_broker: MakeBroker, protocol: Protocol) -> None:
    broker = make_broker()
    with Listening(broker.url, protocol=protocol) as listening:
        listening.connected()
        assert listening.session.end_session()
    with Listening(broker.url, protocol=protocol, expects_session=True) as listening:
        assert listening.connected().session_lost


def test_acknowledgements_go_out_in_order_and_those_of_earlier_connections_do_not() -> None:
    with FakeBroker(Script(session_present=True)) as fake, Listening(fake.url, acknowledges=False) as listening:
        listening.connected()
        for mid in (3, 1, 2):
            fake.publish("t", b"first", qos=1, mid=mid)
        old = list(listening.bring_count(3))
        listening.session.acknowledge(old[:1])
        assert [one.mid for one in fake.wait_for(PUBACK)] == [3]
        fake.drop()
        listening.connected(2)
        fake.publish("t", b"second", qos=1, mid=1)
        new = listening.bring_count(4)[3:]
        assert new[0].epoch == old[0].epoch + 1
        listening.session.acknowledge([*old[1:], *new])
        pubacks = fake.wait_for(PUBACK, 2)
        assert [(one.connection, one.mid) for one in pubacks] == [(0, 3), (1, 1)]
        assert listening.session.counters.stale_acknowledgements == 2
        listening.session.publish("last", b"")  # anything written after it would show here
        until(lambda: any(b"last" in one.body for one in fake.of(PUBLISH)), "the last publication")
        assert len(fake.of(PUBACK)) == 2


def test_two_sessions_on_one_inbox_never_share_an_epoch() -> None:
    with FakeBroker() as fake:
        with Listening(fake.url) as first:
            epoch = first.connected().epoch
        with Listening(fake.url, inbox=first.inbox) as second:
            assert second.connected().epoch > epoch


def test_nothing_is_acknowledged_before_somebody_says_so(broker: Mosquitto) -> None:
    """A second session with the same id gets the same message again."""
    with Publisher(broker.port) as publish:
        with Listening(broker.url, client_id="hold", acknowledges=False) as listening:
            listening.connected()
            publish("hold/t", b"x")
            listening.bring_count(1, b"hold/t")
        with Listening(broker.url, client_id="hold", acknowledges=False) as listening:
            again = listening.bring_count(1, b"hold/t")[0]
            assert again.dup
            assert again.origin is Origin.BACKLOG
            listening.session.acknowledge([again])
        with Listening(broker.url, client_id="hold") as listening:
            until(lambda: _live_after(listening, publish), "live")
            assert not listening.on(b"hold/t")


def test_a_topic_that_is_no_utf_8_arrives_as_bytes() -> None:
    with FakeBroker() as fake, Listening(fake.url) as listening:
        listening.connected()
        fake.publish(b"bad/\xff\xfe", b"x", qos=1, mid=9)
        assert listening.bring_count(1)[0].topic == b"bad/\xff\xfe"
        assert listening.session.counters.faults == 0


def test_a_fault_on_the_way_to_the_inbox_does_not_end_the_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeBroker() as fake, Listening(fake.url) as listening:
        listening.connected()
        faults = iter([ValueError("a mistake of ours")])
        put = listening.inbox.put

        def failing(*arguments: Any, **more: Any) -> None:
            for fault in faults:
                raise fault
            put(*arguments, **more)

        monkeypatch.setattr(listening.inbox, "put", failing)
        fake.publish("t", b"1", qos=1, mid=1)
        listening.connected(2)
        fake.publish("t", b"2", qos=1, mid=1)
        assert [one.payload for one in listening.bring_count(1)] == [b"2"]
        assert listening.session.counters.faults == 1
        assert "a mistake of ours" in caplog.text


def test_a_listener_that_fails_does_not_end_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    with FakeBroker() as fake:
        listening = Listening(fake.url)
        listening.session._on_link = lambda _: 1 / 0
        with listening:
            fake.wait_for(SUBSCRIBE)
            until(lambda: listening.session.state.link is Link.CONNECTED, "connected all the same")
        assert listening.session.counters.faults >= 2
        assert "ZeroDivisionError" in caplog.text


def test_garbage_after_connack_is_survived() -> None:
    with FakeBroker(Script(raw_after=b"\xf7\xff\xff\xff\xff\xff")) as fake, Listening(fake.url) as listening:
        problem = listening.until_state(Link.WAITING, 2).problem
        assert problem is not None
        assert problem.code in {"broker.lost", "broker.hung-up"}
        fake.script = Script()
        listening.connected()


def test_a_frozen_broker_is_noticed_within_twice_the_keepalive(make_broker: MakeBroker) -> None:
    broker = make_broker()
    with Listening(broker.url, keepalive_s=2, first_delay_s=3_600) as listening:
        listening.connected()
        broker.freeze()
        began_us = listening.session._clock.wall_us()
        state = listening.until_state(Link.WAITING)
        broker.thaw()
        assert state.problem is not None
        assert state.problem.code == "broker.lost"
        assert state.since_us - began_us <= 2 * 2_000_000 + 500_000


def test_the_end_of_a_connection_counts_once_however_often_it_is_told() -> None:
    """The MQTT library tells it twice where a sign of life is not answered."""
    with FakeBroker() as fake, Listening(fake.url, keepalive_s=1, first_delay_s=3_600) as listening:
        listening.connected()
        ended = listening.session._link._disconnected  # type: ignore[union-attr]
        told: list[int] = []

        def count(*args: object) -> None:
            told.append(1)
            ended(*args)  # type: ignore[arg-type]

        listening.session._link._wire.client.on_disconnect = count  # type: ignore[union-attr]
        fake.script = Script(answer=False)
        state = listening.until_state(Link.WAITING)
        assert len(told) == 2
        assert listening.words().count(Link.WAITING) == 1
        assert state.problem is not None
        assert state.problem.params["detail"] == "no answer for 2 s"
        assert listening.session.counters.faults == 0


def test_many_connections_leave_no_handle_and_no_thread_behind() -> None:
    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def again(count: int) -> None:
        fake.drop()
        listening.connected(count)
        listening.session.wake()

    with FakeBroker() as fake, Listening(fake.url, first_delay_s=0.001) as listening:
        listening.connected()
        for count in range(2, 12):
            again(count)
        before, own = held(), len(fake._threads)
        for count in range(12, 112):
            again(count)
        ours = len([one for one in fake._threads[own:] if one.is_alive()])
        assert held()[0] <= before[0] + 2
        assert held()[1] - ours <= before[1] + 2


def test_refused_filters_are_named_and_the_rest_is_read(make_broker: MakeBroker) -> None:
    with FakeBroker(Script()) as fake:
        replies = {b"#": 0x87, b"$SYS/#": 0x87, b"$a2a/#": 0x00}
        _answer_filters(fake, replies)
        with Listening(fake.url, filters=("#", "$SYS/#", "$a2a/#")) as listening:
            state = listening.connected()
            assert [(one.code, one.params["filters"]) for one in state.warnings] == [
                ("broker.subscription", "#, $SYS/#")
            ]
            asked = [one.body for one in fake.of(SUBSCRIBE)]
            assert len(asked) == 2
            assert b"+/+/#" in asked[1]
            assert b"homeassistant/#" not in asked[1]


def _answer_filters(fake: FakeBroker, codes: dict[bytes, int]) -> None:
    """Let the fake broker answer each filter by its name; what it does not know it grants."""
    from tests.helpers import fake_broker

    reply = fake._reply

    def answer(version: int, one: fake_broker.Packet) -> bytes:
        if one.kind != SUBSCRIBE:
            return reply(version, one)
        at = 3 + one.body[2] if version == 5 else 2
        granted = bytearray()
        while at < len(one.body):
            length = int.from_bytes(one.body[at : at + 2], "big")
            granted.append(codes.get(one.body[at + 2 : at + 2 + length], 1))
            at += 2 + length + 1
        none = b"\x00" if version == 5 else b""
        return fake_broker.packet(fake_broker.SUBACK, 0, one.body[:2] + none + bytes(granted))

    fake._reply = answer  # type: ignore[method-assign]


def test_subscribes_so_that_retained_means_replay() -> None:
    """Options byte of MQTT 5: QoS 1, Retain As Published 0, Retain Handling 1; 0 for what the broker says of itself."""
    with FakeBroker() as fake, Listening(fake.url, filters=("a/#", "$SYS/#")) as listening:
        listening.connected()
        body = fake.of(SUBSCRIBE)[0].body
        at = body.index(b"a/#") + 3
        assert body[at] == 0b01_0_0_01
        assert body[body.index(b"$SYS/#") + 6] == 0b00_0_0_01


def test_publishing_gets_the_brokers_answer(make_broker: MakeBroker) -> None:
    broker = make_broker()
    with Listening(broker.url, client_id="publishing", filters=("heard/#",)) as listening:
        listening.connected()
        assert listening.session.publish("heard/t", b"1").result(20).code == 0
        assert listening.session.publish("unheard/t", b"1").result(20).code == 0x10
        assert listening.session.publish("heard/t", b"0", qos=0).result(20).code == 0
        properties = Properties("text/x", "r", b"c", 60, (("k", "v"),))
        listening.session.publish("heard/p", b"2", properties=properties).result(20)
        assert listening.bring_count(1, b"heard/p")[0].properties == properties
        with pytest.raises(ValueError, match="wildcard"):
            listening.session.publish("heard/#", b"").result(20)


def test_publishing_without_a_connection_fails_at_once() -> None:
    with FakeBroker(Script(connack=0x87)) as fake, Listening(fake.url) as listening:
        listening.until_state(Link.REFUSED)
        with pytest.raises(EnvironmentProblem, match="not connected"):
            listening.session.publish("x", b"").result(0)


def test_a_publication_without_an_answer_fails_with_the_connection() -> None:
    with FakeBroker() as fake, Listening(fake.url) as listening:
        listening.connected()
        fake.script = Script(answer=False)
        receipt = listening.session.publish("t", b"1")
        fake.wait_for(PUBLISH)
        fake.drop()
        with pytest.raises(EnvironmentProblem):
            receipt.result(20)
        assert len(fake.of(PUBLISH)) == 1  # it is not sent again


def test_stop_says_goodbye_and_is_quick(broker: Mosquitto) -> None:
    with Listening(broker.url, client_id="goodbye") as listening:
        listening.connected()
    assert "Client goodbye disconnected." in broker.log
    assert not listening.session._thread.is_alive()


def test_what_was_handed_in_before_stop_is_acknowledged_however_much_is_unread(
    make_broker: MakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket closed with bytes unread resets the connection, and the broker forgets what it had not read of ours."""
    broker = make_broker()
    released = threading.Event()
    with Publisher(broker.port) as publish:
        with Listening(broker.url, acknowledges=False, filters=("t/#",)) as listening:
            listening.connected()
            for number in range(50):
                publish("t/1", str(number))
            stored = list(listening.bring_count(50, b"t/1"))
            monkeypatch.setattr(listening.inbox, "put", lambda *_, **__: released.wait(20))
            for _ in range(400):
                publish("t/flood", b"x" * 5_000, qos=0)
            listening.session.acknowledge(stored)
            stopping = threading.Thread(target=listening.session.stop)
            stopping.start()
            until(lambda: listening.session._stopping, "it is told to stop")
            released.set()
            stopping.join(20)
        with Listening(broker.url, filters=("t/#",)) as listening:
            until(lambda: _live_after(listening, publish, "t/later"), "live again")
            assert not listening.on(b"t/1")
    until(lambda: broker.log.count("Client listener disconnected.") == 2, "both said goodbye")


def test_stop_while_waiting_or_refused_is_quick() -> None:
    with FakeBroker(Script(connack=0x87)) as fake, Listening(fake.url) as listening:
        listening.until_state(Link.REFUSED)
    assert not listening.session._thread.is_alive()
