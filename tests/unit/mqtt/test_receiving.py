import pytest
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from models.domain.arrivals import Source
from models.domain.masking import Masking
from models.domain.messages import Origin, Properties, RawMessage
from mqtt.acknowledging import Acknowledging
from mqtt.inbox import Inbox, InboxLimits
from mqtt.probe import Probe
from mqtt.receiving import Receiver
from tests.helpers.clock import FakeClock
from tests.helpers.fake_broker import PUBLISH, packet
from tests.helpers.kept_arrivals import KeptArrivals


def arrived(topic: bytes, payload: bytes = b"x", qos: int = 0, *, retain: bool = False) -> MQTTMessage:
    message = MQTTMessage(5 if qos else 0, topic)
    message.payload, message.qos, message.retain = payload, qos, retain
    return message


def unjournaled() -> Acknowledging:
    return Acknowledging(None, Source("mqtt://broker", "me", version_5=True), None)


def taken(inbox: Inbox, clock: FakeClock) -> list[RawMessage]:
    clock.advance(50_000)
    return inbox.take()


def test_paho_still_keeps_the_topic_as_bytes_where_we_take_it() -> None:
    """The one private attribute of paho that we use: `.topic` raises for this one."""
    assert MQTTMessage(0, b"\xff")._topic == b"\xff"


def test_paho_still_puts_sent_properties_beside_four_of_its_own() -> None:
    properties = PahoProperties(PacketTypes.PUBLISH)
    assert len(vars(properties)) == 4
    properties.ContentType = "x"
    assert len(vars(properties)) == 5


def test_a_probe_that_returns_ends_the_backlog_between_two_messages_of_one_read(clock: FakeClock) -> None:
    inbox, probe = Inbox(clock), Probe("me", clock)
    probe.begin()
    acknowledging = unjournaled()
    receiver = Receiver(inbox, clock, 3, probe, acknowledging)
    for message in (
        arrived(b"t", b"1"),
        arrived(b"murmurscope/probe/me", b"another", 1),
        arrived(b"t", b"2"),
        arrived(b"murmurscope/probe/me", probe.payload, 1),
        arrived(b"t", b"3"),
        arrived(b"t", b"4", retain=True),
    ):
        receiver.on_message(None, None, message)
    assert receiver.count == 6
    receiver.flush()
    assert list(acknowledging.due()) == [(5, 1), (5, 1)]
    assert [(one.payload, one.origin) for one in taken(inbox, clock)] == [
        (b"1", Origin.BACKLOG),
        (b"2", Origin.BACKLOG),
        (b"3", Origin.LIVE),
        (b"4", Origin.REPLAY),
    ]


def test_without_room_qos_1_is_owed_and_qos_0_waits_as_always(clock: FakeClock) -> None:
    inbox, owed = Inbox(clock, InboxLimits(idle_us=0)), set[int]()
    receiver = Receiver(inbox, clock, 3, Probe("me", clock), unjournaled(), owed)

    def flush(*numbers: int) -> None:
        for number in numbers:
            message = arrived(b"t", b"%d" % number, int(number > 0))
            message.mid = number
            receiver.on_message(None, None, message)
        receiver.flush()

    def payloads() -> list[bytes]:
        return [one.payload for one in taken(inbox, clock)]

    flush(1)
    inbox.fill()
    flush(2, 0, 3)
    assert (owed, receiver.forgets) == ({2, 3}, True)
    assert payloads() == [b"1", b"0"]
    inbox.take()
    assert not inbox.full
    flush(4)
    assert owed == {2, 3, 4}, "it came later, so it must not be stored before those"
    receiver = Receiver(inbox, clock, 4, Probe("me", clock), unjournaled(), owed)
    flush(2, 3, 5)
    assert (owed, receiver.forgets, receiver.came_again) == ({4}, False, 2)
    assert payloads() == [b"2", b"3", b"5"]


def test_what_nobody_takes_any_more_is_not_acknowledged(clock: FakeClock) -> None:
    """A network thread that hung on a disk, and was replaced."""
    inbox, acknowledging = (
        Inbox(clock),
        Acknowledging(KeptArrivals(), Source("mqtt://broker", "me", version_5=False), None),
    )
    receiver = Receiver(inbox, clock, 1, Probe("me", clock), acknowledging, version_5=False)
    packets = b"".join(packet(PUBLISH, 2, b"\x00\x01t" + n.to_bytes(2, "big")) for n in range(1, 30))
    receiver.split(packets, 0)
    inbox.close()
    receiver.flush()
    acknowledging.stored([(1, 1)])
    assert not acknowledging.due()


def test_the_backlog_ends_after_ten_seconds(clock: FakeClock) -> None:
    inbox, probe = Inbox(clock), Probe("me", clock)
    probe.begin()
    receiver = Receiver(inbox, clock, 1, probe, unjournaled())
    clock.advance(9_999_999)
    receiver.flush()
    receiver.on_message(None, None, arrived(b"t", b"1"))
    receiver.flush()
    clock.advance(1)
    receiver.flush()
    receiver.on_message(None, None, arrived(b"t", b"2"))
    receiver.flush()
    assert [one.origin for one in taken(inbox, clock)] == [Origin.BACKLOG, Origin.LIVE]


def test_the_time_is_that_of_arrival(clock: FakeClock) -> None:
    inbox = Inbox(clock)
    receiver = Receiver(inbox, clock, 1, Probe("me", clock), unjournaled())
    receiver.on_message(None, None, arrived(b"t"))
    clock.advance(7)
    receiver.on_message(None, None, arrived(b"t"))
    receiver.flush()
    first, second = taken(inbox, clock)
    assert second.received_us - first.received_us == 7


def test_properties_that_we_do_not_keep_leave_none(clock: FakeClock) -> None:
    inbox = Inbox(clock)
    receiver = Receiver(inbox, clock, 1, Probe("me", clock), unjournaled())
    message = arrived(b"t")
    message.properties = PahoProperties(PacketTypes.PUBLISH)
    message.properties.PayloadFormatIndicator = 1
    receiver.on_message(None, None, message)
    receiver.flush()
    assert taken(inbox, clock)[0].properties is None


@pytest.mark.parametrize("version_5", [False, True])
def test_a_secret_leaves_the_network_thread_hidden_for_the_store_and_for_the_journal(
    clock: FakeClock, version_5: bool
) -> None:
    inbox, journal = Inbox(clock, InboxLimits(idle_us=0)), KeptArrivals()
    source = Source("mqtt://broker", "me", version_5)
    acknowledging = Acknowledging(journal, source, None)
    receiver = Receiver(
        inbox, clock, 1, Probe("me", clock), acknowledging, version_5=version_5, masking=Masking()
    )  # fmt: skip
    nothing = b"\x00" if version_5 else b""
    packets = [
        packet(PUBLISH, 2, b"\x00\x01t" + n.to_bytes(2, "big") + nothing + b'{"cpu":%d}' % n) for n in range(1, 30)
    ]
    packets[3] = packet(PUBLISH, 2, b"\x00\x01t\x00\x04" + nothing + b'{"token":"' + 200 * b"x" + b'"}')
    receiver.split(b"".join(packets), 0)
    receiver.flush()
    messages = taken(inbox, clock)
    assert messages[3].payload == b'{"token":"***"}'
    assert messages[3].properties == Properties(masked=True)
    kept = [one.payload for one in journal.messages()]
    assert kept == ([] if version_5 else [one.payload for one in messages])
    assert not any(b"xxx" in one for one in kept)
