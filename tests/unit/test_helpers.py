"""The helpers do what tests rely on."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Self

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.helpers import fake_broker as fake
from tests.helpers.clock import FakeClock
from tests.helpers.fake_broker import FakeBroker, Script
from tests.helpers.mosquitto import Mosquitto, accepts
from tests.helpers.needs import program
from tests.helpers.poll import until
from tests.helpers.x11 import x_environment, x_server


class Peer:
    """A paho client that writes down what happens."""

    def __init__(self, protocol: int = paho.MQTTv5) -> None:
        self.codes: list[int] = []
        self.payloads: list[bytes] = []
        self.granted: list[int] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        self.client.reconnect_delay_set(0.05, 0.5)
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.codes.append(reason.value)
        self.client.on_message = lambda _c, _u, message: self.payloads.append(message.payload)
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self.granted.extend(code.value for code in codes)

    def __enter__(self) -> Self:
        return self

    def connect(self, port: int, host: str = "127.0.0.1") -> "Peer":
        self.client.connect(host, port)
        self.client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_until_names_what_it_waited_for() -> None:
    with pytest.raises(AssertionError, match="the moon is blue"):
        until(lambda: False, "the moon is blue", limit_s=0.02)
    assert until(lambda: 7, "an answer") == 7


def test_clock_moves_only_when_told(clock: FakeClock) -> None:
    wall_us, monotonic_us = clock.wall_us(), clock.monotonic_us()
    clock.advance(5)
    clock.step_wall(-100)
    assert (clock.wall_us(), clock.monotonic_us()) == (wall_us - 95, monotonic_us + 5)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


@pytest.mark.parametrize(("required", "outcome"), [("1", pytest.fail.Exception), ("0", pytest.skip.Exception)])
def test_missing_program_fails_where_services_are_required(
    monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("MURMURSCOPE_REQUIRE_SERVICES", required)
    with pytest.raises(outcome, match="no-such-broker is not installed"):
        program("no-such-broker")


@pytest.mark.parametrize("protocol", [paho.MQTTv311, paho.MQTTv5])
def test_fake_broker_serves_both_versions(protocol: int) -> None:
    with FakeBroker() as server, Peer(protocol).connect(server.port) as peer:
        server.wait_for(fake.CONNECT)
        until(lambda: peer.codes == [0], "the client is connected")
        peer.client.subscribe([("a/#", 1), ("b", 0)])
        until(lambda: peer.granted == [1, 0], "both filters are granted")
        server.publish("a/x", b"hello", qos=1, mid=7)
        assert server.wait_for(fake.PUBACK)[0].mid == 7
        assert peer.payloads == [b"hello"]
        assert peer.client.publish("c", b"up", qos=1).rc == 0
        server.wait_for(fake.PUBLISH)


@pytest.mark.parametrize("script", [Script(close_at_accept=True), Script(close_at_connect=True), Script(connack=None)])
def test_fake_broker_can_refuse_to_talk(script: Script) -> None:
    with FakeBroker(script) as server, Peer() as peer:
        peer.client.connect("127.0.0.1", server.port)
        peer.client.loop_start()
        until(lambda: server.accepted, "a connection came in")
        assert peer.codes == []


def test_fake_broker_sends_a_refusal_and_raw_bytes() -> None:
    with FakeBroker(Script(connack=0x87)) as server, Peer().connect(server.port) as peer:
        until(lambda: 0x87 in peer.codes, "the refusal arrived")
    with FakeBroker(Script(raw_after=b"\x30\x04\x00\x01a\x00")) as server, Peer().connect(server.port) as peer:
        until(lambda: peer.payloads == [b""], "the raw PUBLISH arrived")


def test_guard_sees_a_thread_and_a_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    pytester.makepyfile(
        """
        import subprocess, threading
        from tests import conftest
        from tests.conftest import nothing_left_behind
        conftest.LEFTOVER_LIMIT_S = 0.2
        def test_thread():
            threading.Thread(target=threading.Event().wait, args=(0.8,)).start()
        def test_process():
            subprocess.Popen(["sleep", "60"])
        def test_clean():
            subprocess.run(["true"])
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:pytest-qt")
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(["*left behind: thread*", "*left behind: process * sleep*"])


@pytest.mark.services
def test_broker_is_frozen_killed_and_restarted(make_broker: Callable[..., Mosquitto]) -> None:
    one = make_broker(persistence=True, max_inflight=5, max_queued_messages=10)
    with Peer().connect(one.port) as peer:
        until(lambda: peer.codes == [0], "the client is connected")
        peer.client.subscribe("t", 1)
        until(lambda: peer.granted == [1], "the filter is granted")
        one.freeze()
        peer.client.publish("t", b"held", qos=1)
        one.thaw()
        until(lambda: peer.payloads == [b"held"], "the message came through after the thaw")
        one.kill()
        assert not accepts(one.port)
        one.start()
        until(lambda: peer.codes == [0, 0], "the client is connected again")
        one.restart()
        until(lambda: peer.codes == [0, 0, 0], "the client is connected a third time")


@pytest.mark.services
def test_broker_asks_for_a_password_and_keeps_its_acl(make_broker: Callable[..., Mosquitto]) -> None:
    one = make_broker(
        allow_anonymous=False, username="ann", password="s3cret", acl=["user ann", "topic readwrite ok/#"]
    )
    with Peer().connect(one.port) as stranger:
        until(lambda: 0x87 in stranger.codes, "the stranger is refused")
    with Peer() as ann:
        ann.client.username_pw_set("ann", "s3cret")
        ann.connect(one.port)
        until(lambda: ann.codes == [0], "ann is connected")
        ann.client.subscribe([("#", 0)])
        until(lambda: ann.granted, "the subscription is answered")
        ann.client.publish("no/1", b"unheard", qos=1)
        ann.client.publish("ok/1", b"heard", qos=1)
        until(lambda: ann.payloads == [b"heard"], "what the rules allow arrives")


@pytest.mark.services
def test_broker_speaks_tls_beside_tcp(make_broker: Callable[..., Mosquitto]) -> None:
    one = make_broker(tls=True, require_client_certificate=True, websockets=True)
    assert one.certificates is not None
    assert (one.url, one.tls_url) == (f"mqtt://127.0.0.1:{one.tcp_port}", f"mqtts://127.0.0.1:{one.tls_port}")
    with Peer() as peer:
        peer.client.tls_set(
            str(one.certificates.ca), str(one.certificates.client_cert), str(one.certificates.client_key)
        )
        assert one.tls_port is not None
        peer.connect(one.tls_port)
        until(lambda: peer.codes == [0], "the client with a certificate is connected")


@pytest.mark.services
def test_shared_broker_runs(broker: Mosquitto) -> None:
    assert accepts(broker.port)
    assert broker.pid > 0
    assert "mosquitto version" in broker.log


@pytest.mark.services
def test_x_server_has_a_window_manager() -> None:
    with x_server() as display:
        answer = subprocess.run(
            [program("xdotool"), "getdisplaygeometry"], env=x_environment(display), capture_output=True, check=True
        )
        assert answer.stdout.split() == [b"1600", b"1000"]
