"""What the session says, and how often it tries, when it does not get in."""

import select
from collections.abc import Callable

import paho.mqtt.client as paho
import pytest

from models.domain.connection import Protocol, Secret
from models.domain.control import Link
from mqtt.wire import Wire
from tests.helpers.fake_broker import CONNECT, DISCONNECT, PUBLISH, FakeBroker, Packet, Script, _Connection, packet
from tests.helpers.forwarder import Forwarder
from tests.helpers.mosquitto import Mosquitto, free_port
from tests.helpers.poll import until
from tests.helpers.sessions import Listening

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("either_way")]

MakeBroker = Callable[..., Mosquitto]


class Old(FakeBroker):
    """Does what its script says with MQTT 5, and answers 3.1.1 as it should."""

    def _react_to_connect(self, connection: object, one: Packet) -> None:
        script = self.script
        if one.body[6] == 4:
            self.script = Script()
        super()._react_to_connect(connection, one)  # type: ignore[arg-type]
        self.script = script


def problem_code(listening: Listening, link: Link) -> str:
    problem = listening.until_state(link).problem
    assert problem is not None
    return problem.code


@pytest.mark.parametrize("protocol", [Protocol.AUTO, Protocol.MQTT_311])
def test_wrong_password_is_tried_once_and_again_only_when_woken(make_broker: MakeBroker, protocol: Protocol) -> None:
    broker = make_broker(allow_anonymous=False, username="ada", password="right")
    with Listening(broker.url, user="ada", password="wrong", protocol=protocol) as listening:
        assert problem_code(listening, Link.REFUSED) in {"broker.credentials", "broker.not-authorised"}
        turn_us = listening.session.heartbeat_us
        until(lambda: listening.session.heartbeat_us > turn_us, "a further turn of the thread")
        assert listening.session.counters.attempts == 1
        assert broker.log.count("not authorised") == 1
        listening.session.wake()
        listening.until_state(Link.REFUSED, 2)
        assert listening.session.counters.attempts == 2


def test_no_password_where_one_is_needed_says_so(make_broker: MakeBroker) -> None:
    broker = make_broker(allow_anonymous=False, username="ada", password="right")
    with Listening(broker.url) as listening:
        assert problem_code(listening, Link.REFUSED) == "broker.login-needed"


def test_another_password_gets_in_when_woken(make_broker: MakeBroker) -> None:
    broker = make_broker(allow_anonymous=False, username="ada", password="right")
    with Listening(broker.url, user="ada", password="wrong") as listening:
        listening.until_state(Link.REFUSED)
        listening.session.use_secret(Secret("right"))
        listening.session.wake()
        listening.connected()


def test_refused_port_is_tried_again_later() -> None:
    with Listening(f"mqtt://127.0.0.1:{free_port()}") as listening:
        state = listening.until_state(Link.WAITING)
        assert state.problem is not None
        assert state.problem.code == "broker.refused-port"
        assert state.problem.retry_at_us is not None
        assert state.problem.retry_at_us > state.since_us
        listening.until_state(Link.WAITING, 3)


def test_unknown_name_says_so() -> None:
    with Listening("mqtt://no-such-host.invalid:1883") as listening:
        assert problem_code(listening, Link.WAITING) == "broker.name"


def test_wake_tries_at_once(make_broker: MakeBroker) -> None:
    broker = make_broker()
    broker.stop()
    with Listening(broker.url, first_delay_s=3_600) as listening:
        listening.until_state(Link.WAITING)
        broker.start()
        listening.session.wake()
        listening.connected()


def test_untrusted_authority_wrong_host_and_right_ones(make_broker: MakeBroker) -> None:
    broker = make_broker(tcp=False, tls=True)
    assert broker.certificates is not None
    with Listening(broker.tls_url) as listening:
        assert problem_code(listening, Link.WAITING) == "broker.tls-untrusted"
    with Listening(broker.tls_url, ca_file=str(broker.certificates.other_ca)) as listening:
        assert problem_code(listening, Link.WAITING) == "broker.tls-untrusted"
    with Forwarder("127.0.0.2", broker.port) as port:
        url = f"mqtts://127.0.0.2:{port}"
        with Listening(url, ca_file=str(broker.certificates.ca), first_delay_s=3_600) as listening:
            assert problem_code(listening, Link.WAITING) == "broker.tls-host"
    with Listening(broker.tls_url, ca_file=str(broker.certificates.ca)) as listening:
        assert listening.connected().mqtt_version == "5"


@pytest.mark.parametrize("protocol", [Protocol.AUTO, Protocol.MQTT_311])
def test_missing_client_certificate_is_named(make_broker: MakeBroker, protocol: Protocol) -> None:
    broker = make_broker(tcp=False, tls=True, require_client_certificate=True)
    files = broker.certificates
    assert files is not None
    with Listening(broker.tls_url, ca_file=str(files.ca), protocol=protocol) as listening:
        assert problem_code(listening, Link.WAITING) == "broker.tls-client"
    with Listening(
        broker.tls_url, ca_file=str(files.ca), certificate_file=str(files.client_cert), key_file=str(files.client_key)
    ) as listening:
        listening.connected()


def test_missing_client_certificate_is_named_where_the_broker_hung_up_before_we_wrote(
    make_broker: MakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With TLS 1.3 a broker refuses after our side of the handshake: it may be gone when CONNECT is to be written."""
    broker = make_broker(tcp=False, tls=True, require_client_certificate=True)
    opens = Wire.open

    def late(wire: Wire) -> None:
        opens(wire)
        waits = select.poll()
        waits.register(wire.client.socket().fileno(), select.POLLRDHUP)
        assert waits.poll(10_000)
        own = vars(wire)
        own["_wait"] = lambda _: own.pop("_wait") is None  # once: there is nothing to read, and room to write

    monkeypatch.setattr(Wire, "open", late)
    with Listening(broker.tls_url, ca_file=str(broker.certificates.ca), protocol=Protocol.MQTT_311) as listening:
        assert problem_code(listening, Link.WAITING) == "broker.tls-client"


def test_a_certificate_file_that_is_not_there_is_named(broker: Mosquitto) -> None:
    with Listening("mqtts://127.0.0.1:1", ca_file="/nowhere/ca.pem") as listening:
        problem = listening.until_state(Link.WAITING).problem
        assert problem is not None
        assert (problem.code, problem.params["file"]) == ("broker.tls-file", "/nowhere/ca.pem")


def test_tls_on_a_plain_port_and_plain_on_a_tls_port(make_broker: MakeBroker) -> None:
    broker = make_broker(tls=True)
    with Listening(f"mqtts://127.0.0.1:{broker.tcp_port}") as listening:
        assert problem_code(listening, Link.WAITING) == "broker.tls"
    with Listening(f"mqtt://127.0.0.1:{broker.tls_port}") as listening:
        assert problem_code(listening, Link.WAITING) == "broker.hung-up"


def test_websockets(make_broker: MakeBroker) -> None:
    broker = make_broker(websockets=True)
    with Listening(broker.ws_url) as listening:
        listening.connected()
        listening.session.publish("over/websockets", b"x" * 5_000).result(20)
        assert listening.bring_count(1, b"over/websockets")[0].payload == b"x" * 5_000


def test_falls_back_to_3_1_1_where_5_is_refused_and_remembers() -> None:
    """Mosquitto's answer of old: reason 1 in the form of 3.1.1; then the same as 0x84."""
    for refusal in (packet(2, 0, b"\x00\x01"), packet(2, 0, b"\x00\x84\x00")):
        with Old(Script(raw_instead=refusal)) as fake, Listening(fake.url) as listening:
            assert listening.connected().mqtt_version == "3.1.1"
            fake.drop()
            assert listening.connected(2).mqtt_version == "3.1.1"
            assert Link.WAITING not in listening.words()[: listening.words().index(Link.CONNECTED)]


def test_falls_back_to_3_1_1_where_the_broker_hangs_up_instead_of_answering() -> None:
    with Old(Script(close_at_connect=True)) as fake, Listening(fake.url) as listening:
        state = listening.connected()
        assert state.mqtt_version == "3.1.1"
        assert state.window is None


def test_a_broker_that_hangs_up_for_good_is_asked_in_both_versions_and_not_forever() -> None:
    with FakeBroker(Script(close_at_connect=True)) as fake, Listening(fake.url, first_delay_s=3_600) as listening:
        assert problem_code(listening, Link.WAITING) == "broker.hung-up"
        versions = [one.body[6] for one in fake.wait_for(CONNECT, 2)]
        assert versions == [5, 4]


def test_silence_instead_of_connack_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.link._ANSWER_LIMIT_US", 200_000)
    with FakeBroker(Script(connack=None)) as fake, Listening(fake.url, first_delay_s=3_600) as listening:
        assert problem_code(listening, Link.WAITING) == "broker.no-answer"


def test_silence_instead_of_suback_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.link._ANSWER_LIMIT_US", 200_000)
    with FakeBroker(Script(answer=False)) as fake, Listening(fake.url, first_delay_s=3_600) as listening:
        assert problem_code(listening, Link.WAITING) == "broker.no-answer"
        assert Link.CONNECTED not in listening.words()


@pytest.mark.parametrize(
    ("code", "link", "problem"),
    [
        (0x85, Link.REFUSED, "broker.client-id"),
        (0x86, Link.REFUSED, "broker.credentials"),
        (0x87, Link.REFUSED, "broker.not-authorised"),
        (0x8A, Link.REFUSED, "broker.refused"),
        (0x88, Link.WAITING, "broker.unreachable"),
        (0x89, Link.WAITING, "broker.unreachable"),
    ],
)
def test_every_reason_of_connack_has_its_answer(code: int, link: Link, problem: str) -> None:
    with FakeBroker(Script(connack=code)) as fake, Listening(fake.url, user="ada", first_delay_s=3_600) as listening:
        assert problem_code(listening, link) == problem
        assert len(fake.of(CONNECT)) == 1


@pytest.mark.parametrize("protocol", [Protocol.MQTT_5, Protocol.MQTT_311])
def test_all_subscriptions_refused_waits_for_somebody(protocol: Protocol) -> None:
    code = 0x87 if protocol is Protocol.MQTT_5 else 0x80
    with FakeBroker(Script(suback=code)) as fake, Listening(fake.url, protocol=protocol) as listening:
        assert problem_code(listening, Link.REFUSED) == "broker.all-subscriptions"
        assert listening.session.counters.attempts == 1
        assert len(fake.of(8)) == 3  # what was asked, then +/+/#, then the named roots


def test_two_clients_with_one_id_do_not_fight_for_long(broker: Mosquitto) -> None:
    """Mosquitto 2.0.11 cuts the older one without a word; whoever was cut three times gives way."""
    with Listening(broker.url, client_id="twin") as first:
        first.connected()
        with Listening(broker.url, client_id="twin") as second:
            second.connected()
            until(lambda: Link.REFUSED in first.words() + second.words(), "one gives way")
            loser, winner = (first, second) if Link.REFUSED in first.words() else (second, first)
            assert problem_code(loser, Link.REFUSED) == "broker.cut-off"
            assert loser.session.counters.attempts <= 4
            until(lambda: winner.session.state.link is Link.CONNECTED, "the other one has peace")
            assert Link.REFUSED not in winner.words()


@pytest.mark.parametrize("theirs", [paho.MQTTv311, paho.MQTTv5])
@pytest.mark.parametrize("ours", [Protocol.MQTT_311, Protocol.MQTT_5])
def test_another_program_that_keeps_no_session_is_given_way_too(
    broker: Mosquitto, ours: Protocol, theirs: paho.MQTTProtocolVersion
) -> None:
    """Each of its connections makes the broker forget our session, and nobody tells us."""
    name = f"clean-twin-{ours}-{theirs}"
    twin = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, protocol=theirs)
    twin.reconnect_delay_set(1, 1)
    with Listening(broker.url, client_id=name, protocol=ours) as listening:
        listening.connected()
        twin.connect("127.0.0.1", broker.port)
        twin.loop_start()
        try:
            assert problem_code(listening, Link.REFUSED) == "broker.cut-off"
            assert listening.session.counters.attempts <= 5
            until(twin.is_connected, "the other one has peace")
        finally:
            twin.disconnect()
            twin.loop_stop()
        listening.session.wake()
        until(lambda: listening.session.state.link is Link.CONNECTED, "it comes back when told")


def test_a_packet_that_is_no_mqtt_at_the_head_of_a_kept_session_is_not_fetched_for_ever(
    make_broker: MakeBroker,
) -> None:
    """After three times it is left to somebody, who may begin a new session."""
    malformed = packet(PUBLISH, 0b0010, b"\x00\xff" + b"topic")  # shorter than its topic says
    with (
        FakeBroker(Script(session_present=True, raw_after=malformed)) as fake,
        Listening(fake.url, protocol=Protocol.MQTT_311) as listening,
    ):
        assert problem_code(listening, Link.REFUSED) == "broker.malformed"
        state = listening.session.state
        assert state.problem is not None
        assert state.problem.retry_at_us is not None
        assert state.problem.retry_at_us - state.since_us > 60_000_000
        assert listening.session.counters.attempts == 3
        assert [one.body[7] & 2 for one in fake.of(CONNECT)] == [0, 0, 0], "the session was kept so far"
        fake.script = Script()
        listening.session.start_anew()
        assert listening.connected().session_lost
        assert [one.body[7] & 2 for one in fake.of(CONNECT)][3:] == [2, 0], "forgotten, then made anew to be kept"


def test_a_session_is_not_forgotten_by_a_broker_that_is_not_there() -> None:
    with FakeBroker() as fake, Listening(fake.url, protocol=Protocol.MQTT_311, first_delay_s=0.2) as listening:
        listening.connected()
        fake.script = Script(close_at_connect=True)
        fake.drop()
        listening.until_state(Link.WAITING)
        listening.session.start_anew()
        listening.until_state(Link.WAITING, 2)
        fake.script = Script()
        listening.connected(2)
        assert [one.body[7] & 2 for one in fake.of(CONNECT)][-2:] == [2, 0], "once it answers, it is told to forget"


def test_a_session_that_could_not_be_forgotten_is_not_gone_on_with_and_not_forgotten_later() -> None:
    """Else what was not to be had would come after all, and what came since would go with the next connection."""

    class HangsUpOnce(FakeBroker):
        """The first client that wants to begin anew is not answered."""

        hung_up = False

        def _react_to_connect(self, connection: _Connection, one: Packet) -> None:
            if one.body[7] & 2 and not self.hung_up:
                self.hung_up = True
                connection.close()
            else:
                super()._react_to_connect(connection, one)

    with HangsUpOnce() as fake, Listening(fake.url, protocol=Protocol.MQTT_311, first_delay_s=3_600) as listening:
        listening.connected()
        fake.drop()
        listening.until_state(Link.WAITING)
        listening.session.start_anew()
        told = listening.until_state(Link.WAITING, 2).problem
        assert told is not None
        assert told.code == "broker.hung-up"
        listening.session.wake()
        listening.connected(2)
        listening.session.start_anew()  # what is connected can be read
        fake.drop()
        listening.until_state(Link.WAITING, 3)
        listening.session.wake()
        listening.connected(3)
        assert [one.body[7] & 2 for one in fake.of(CONNECT)] == [0, 2, 2, 0, 0]


def test_a_broker_that_names_the_take_over_is_believed_at_once() -> None:
    with FakeBroker() as fake, Listening(fake.url) as listening:
        listening.connected()
        fake.send(packet(DISCONNECT, 0, b"\x8e\x00"))
        assert problem_code(listening, Link.REFUSED) == "broker.taken-over"
        assert listening.session.counters.attempts == 1


def test_three_cuts_of_a_resumed_session_just_after_connecting_count_as_taken_over() -> None:
    with FakeBroker(Script(session_present=True)) as fake, Listening(fake.url, protocol=Protocol.MQTT_311) as listening:
        for count in (1, 2, 3):
            listening.connected(count)
            fake.drop()
        assert problem_code(listening, Link.REFUSED) == "broker.cut-off"
        assert listening.session.counters.attempts == 3


def test_a_broker_that_answers_and_hangs_up_is_asked_less_and_less_often() -> None:
    with FakeBroker() as fake, Listening(fake.url, protocol=Protocol.MQTT_5) as listening:
        for count in range(1, 5):
            listening.connected(count)
            fake.drop()
        waits = [
            one.problem.retry_at_us - one.since_us
            for one in (listening.until_state(Link.WAITING, count) for count in range(1, 5))
            if one.problem is not None and one.problem.retry_at_us is not None
        ]
        assert len(waits) == 4
        for at, wait_us in enumerate(waits):
            assert 0.024e6 * 2**at <= wait_us <= 0.051e6 * 2**at
