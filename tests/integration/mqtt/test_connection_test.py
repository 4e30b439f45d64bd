"""The stepwise connection test against real and fake brokers."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from models.domain.connection import Connection, Secret, parse_url
from models.domain.control import StepState, TestStep
from models.domain.problems import Problem
from mqtt.connection_test import test_connection as run_test
from tests.helpers.fake_broker import CONNECT, FakeBroker, Script, packet
from tests.helpers.forwarder import Forwarder
from tests.helpers.mosquitto import Mosquitto, free_port
from tests.helpers.poll import until
from tests.helpers.sessions import Publisher

pytestmark = pytest.mark.services

MakeBroker = Callable[..., Mosquitto]
Told = list[tuple[TestStep, StepState, Problem | None]]


def steps(url: str, secret: Secret | None = None, **fields: object) -> Told:
    """Everything that was reported, without the RUNNING before each; that each has one is checked here."""
    connection, _ = parse_url(url)
    told: Told = []
    problem = run_test(replace(connection, **fields), secret, lambda *one: told.append(one))  # type: ignore[arg-type]
    assert [one[0] for one in told[0::2]] == [one[0] for one in told[1::2]] == list(TestStep)[: len(told) // 2]
    assert {one[1] for one in told[0::2]} == {StepState.RUNNING}
    ended = told[1::2]
    assert (ended[-1][1] is StepState.FAILED) == (problem is not None)
    assert problem == (ended[-1][2] if problem else None)
    return ended


def failure(told: Told) -> tuple[TestStep, str]:
    step, state, problem = told[-1]
    assert state is StepState.FAILED
    assert problem is not None
    return step, problem.code


def test_all_steps_pass_when_a_message_is_heard(broker: Mosquitto) -> None:
    with Publisher(broker.port) as publish:
        publish("heard", b"x", retain=True)
        told = steps(broker.url)
    assert [one[1] for one in told] == [
        StepState.PASSED,
        StepState.PASSED,
        StepState.SKIPPED,  # no TLS
        StepState.PASSED,
        StepState.PASSED,
        StepState.PASSED,
    ]


def test_it_leaves_nothing_behind_at_the_broker(make_broker: MakeBroker) -> None:
    broker = make_broker()
    steps(broker.url, filters=("$SYS/#",))
    assert "(p5, c1" in broker.log  # clean start
    assert "murmurscope-test-" in broker.log
    until(lambda: "disconnected." in broker.log, "it said goodbye")


def test_silence_is_no_failure(monkeypatch: pytest.MonkeyPatch, broker: Mosquitto) -> None:
    monkeypatch.setattr("mqtt.connection_test.MESSAGE_LIMIT_S", 0.2)
    assert steps(broker.url, filters=("nobody/here",))[-1] == (TestStep.MESSAGE, StepState.SKIPPED, None)


def test_unknown_name_and_closed_port_fail_at_their_step() -> None:
    assert failure(steps("mqtt://no-such-host.invalid")) == (TestStep.NAME, "broker.name")
    assert failure(steps("mqtt://" + "x" * 70 + ".test")) == (TestStep.NAME, "broker.name")
    assert failure(steps(f"mqtt://127.0.0.1:{free_port()}")) == (TestStep.TCP, "broker.refused-port")


def test_tls_failures_fail_at_tls(make_broker: MakeBroker, tmp_path: object) -> None:
    broker = make_broker(tls=True)
    files = broker.certificates
    assert files is not None
    assert failure(steps(broker.tls_url)) == (TestStep.TLS, "broker.tls-untrusted")
    assert failure(steps(broker.tls_url, ca_file="/nowhere")) == (TestStep.TLS, "broker.tls-file")
    assert failure(steps(broker.tls_url, ca_file=str(files.server_key))) == (TestStep.TLS, "broker.tls-file")
    assert failure(steps(broker.tls_url, ca_file=str(files.ca), certificate_file=str(files.ca))) == (
        TestStep.TLS,
        "broker.tls-file",
    )
    assert failure(steps(f"mqtts://127.0.0.1:{broker.tcp_port}", ca_file=str(files.ca))) == (TestStep.TLS, "broker.tls")
    assert failure(steps(f"mqtt://127.0.0.1:{broker.tls_port}")) == (TestStep.CONNACK, "broker.hung-up")


def test_a_certificate_for_another_host_fails_at_tls(make_broker: MakeBroker) -> None:
    """127.0.0.2 is this computer too; the certificate names 127.0.0.1 and localhost only."""
    broker = make_broker(tcp=False, tls=True)
    files = broker.certificates
    assert files is not None
    with Forwarder("127.0.0.2", broker.port) as port:
        url = f"mqtts://127.0.0.2:{port}"
        assert failure(steps(url, ca_file=str(files.ca))) == (TestStep.TLS, "broker.tls-host")


def test_client_certificate(make_broker: MakeBroker) -> None:
    broker = make_broker(tcp=False, tls=True, require_client_certificate=True)
    files = broker.certificates
    assert files is not None
    step, code = failure(steps(broker.tls_url, ca_file=str(files.ca)))
    assert code == "broker.tls-client"
    assert step in {TestStep.TLS, TestStep.CONNACK}  # TLS 1.3 says it after the handshake
    own = {"certificate_file": str(files.client_cert), "key_file": str(files.client_key)}
    told = steps(broker.tls_url, ca_file=str(files.ca), filters=("$SYS/#",), **own)
    assert told[2] == (TestStep.TLS, StepState.PASSED, None)
    assert told[3][1] is StepState.PASSED


def test_password(make_broker: MakeBroker) -> None:
    broker = make_broker(allow_anonymous=False, username="ada", password="right")
    step, code = failure(steps(broker.url, Secret("wrong"), user="ada"))
    assert step is TestStep.CONNACK
    assert code in {"broker.credentials", "broker.not-authorised"}
    assert steps(broker.url, Secret("right"), user="ada", filters=("$SYS/#",))[3][1] is StepState.PASSED


def test_an_old_broker_is_met_in_its_own_version() -> None:
    with FakeBroker(Script(raw_instead=packet(2, 0, b"\x00\x01"))) as fake:
        assert failure(steps(fake.url)) == (TestStep.CONNACK, "broker.hung-up")
        assert [one.body[6] for one in fake.of(CONNECT)] == [5, 4]


def test_refused_filters_warn_and_all_refused_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.connection_test.MESSAGE_LIMIT_S", 0.1)
    with FakeBroker(Script(suback=0x87)) as fake:
        assert failure(steps(fake.url)) == (TestStep.SUBSCRIBE, "broker.all-subscriptions")


def test_silence_at_connack_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.connection_test.WHOLE_LIMIT_S", 1.0)
    with FakeBroker(Script(connack=None)) as fake:
        assert failure(steps(fake.url)) == (TestStep.CONNACK, "broker.no-answer")


def test_cancelling_ends_it_without_a_further_word() -> None:
    cancelled = threading.Event()
    told: Told = []
    with FakeBroker(Script(connack=None)) as fake:
        connection: Connection = parse_url(fake.url)[0]
        thread = threading.Thread(
            target=run_test, args=(connection, None, lambda *one: told.append(one), cancelled.is_set)
        )
        thread.start()
        fake.wait_for(CONNECT)
        cancelled.set()
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert told[-1] == (TestStep.CONNACK, StepState.RUNNING, None)
