"""More comes at QoS 1 than may wait for the store: it is read and forgotten, and the broker sends it again when there is room."""

import pytest

from models.domain.clock import SystemClock
from models.domain.connection import Protocol
from models.domain.control import Link
from mqtt.inbox import Inbox, InboxLimits
from tests.helpers.fake_broker import CONNECT, DISCONNECT, PINGREQ, FakeBroker, Script
from tests.helpers.poll import until
from tests.helpers.sessions import Listening
from tests.helpers.strict_broker import StrictBroker

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("either_way")]

LIMIT_BYTES = 1_000_000
COUNT = 1_000
MESSAGES = [(b"t", b"%d " % number + b"x" * 10_000) for number in range(COUNT)]
AT_ONCE_BYTES = 2_500_000  # are read before anybody looks


@pytest.fixture(autouse=True)
def short_backlog(monkeypatch):
    """These brokers send no probe back."""
    monkeypatch.setattr("mqtt.probe.LONGEST_BACKLOG_US", 200_000)


def listen(broker: FakeBroker, **fields: object) -> Listening:
    inbox = Inbox(SystemClock(), InboxLimits(waiting_bytes=LIMIT_BYTES, take_bytes=300_000, idle_us=1_000))
    return Listening(broker.url, inbox=inbox, first_delay_s=0.01, **fields)  # type: ignore[arg-type]


def numbers(listening: Listening) -> list[int]:
    """In the order in which each came first."""
    return list(dict.fromkeys(int(one.payload.split()[0]) for one in listening.on(b"t")))


@pytest.mark.parametrize("protocol", [Protocol.AUTO, Protocol.MQTT_311])
def test_memory_is_bounded_the_link_stays_and_all_comes_when_there_is_room(protocol: Protocol) -> None:
    with StrictBroker(65_535, MESSAGES) as broker, listen(broker, keepalive_s=2, protocol=protocol) as listening:
        listening.connected()
        until(lambda: len(broker.of(PINGREQ)) >= 3, "time goes by")
        assert broker._next == COUNT, "all of it was sent"
        counters = listening.inbox.counters()
        assert LIMIT_BYTES < counters.waiting_bytes < LIMIT_BYTES + AT_ONCE_BYTES
        assert broker.accepted == 1
        assert broker.acknowledged == []
        listening.bring(lambda _: len(numbers(listening)) == COUNT, "all of it")
        assert numbers(listening) == list(range(COUNT))
        until(lambda: listening.take() or len(broker.acknowledged) == COUNT, "all of it is acknowledged")
        assert not listening.session._memory.owed
        assert listening.session.counters.attempts == broker.accepted
        assert not any(one.session_lost for one in listening.states)
        assert Link.WAITING not in listening.words()


def test_the_next_connection_begins_before_the_one_before_ends() -> None:
    """A broker keeps far less for a client that is away."""
    ended_at = []

    class Watched(StrictBroker):
        def _serve(self, connection):  # type: ignore[no-untyped-def]
            super()._serve(connection)
            ended_at.append((connection.number, len(self.of(CONNECT))))

    with Watched(65_535, MESSAGES) as broker, listen(broker) as listening:
        listening.connected()
        until(lambda: listening.inbox.full, "it is full")
        until(lambda: listening.take() or (0, 2) in ended_at, "the first one ends when the second one has begun")
        assert broker.of(DISCONNECT) == []


def test_what_a_broker_sends_again_in_parts_only_is_asked_for_again_and_again() -> None:
    with StrictBroker(65_535, MESSAGES, most_again=300) as broker, listen(broker) as listening:
        listening.connected()
        until(lambda: listening.inbox.full, "it is full")
        until(lambda: broker._next == COUNT, "all of it was sent")
        listening.bring(lambda _: len(numbers(listening)) == COUNT, "all of it")
        until(lambda: listening.take() or len(broker.acknowledged) == COUNT, "all of it is acknowledged")
        assert broker.accepted >= 4


def test_a_broker_that_sends_nothing_again_is_not_asked_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """What was to be sent may have expired."""
    with FakeBroker(Script(session_present=True)) as fake, listen(fake) as listening:
        listening.connected()
        for number in range(200):
            fake.publish("t", b"x" * 10_000, qos=1, mid=number + 1)
        until(lambda: listening.inbox.full, "it is full")
        fake.publish("t", b"more", qos=1, mid=201)
        until(lambda: listening.session._memory.owed, "some found no room")
        until(lambda: listening.take() or listening.words().count(Link.CONNECTED) == 2, "there is room again")
        until(lambda: listening.take() or "does not send" in caplog.text, "it is given up")
        assert not listening.session._memory.owed
        fake.publish("t", b"later", qos=1, mid=1)
        listening.bring(lambda messages: messages[-1].payload == b"later", "what comes now is taken")
        assert fake.accepted == 2


def test_where_the_broker_keeps_no_session_nothing_is_forgotten() -> None:
    with StrictBroker(65_535, MESSAGES) as broker, listen(broker, session_expiry_s=0) as listening:
        listening.connected()
        until(lambda: listening.inbox.counters().waiting == COUNT, "all of it waits")
        listening.bring(lambda _: len(numbers(listening)) == COUNT, "all of it")
        assert broker.accepted == 1


def test_stopping_while_it_is_full_acknowledges_what_is_stored() -> None:
    with StrictBroker(65_535, MESSAGES) as broker, listen(broker) as listening:
        listening.connected()
        until(lambda: listening.inbox.full, "it is full")
        listening.take()
        stored = len(listening.messages)
        assert stored
        listening.session.stop()
        until(lambda: len(broker.of(DISCONNECT)) == 1, "it said goodbye")
        assert broker.acknowledged == list(range(stored))
