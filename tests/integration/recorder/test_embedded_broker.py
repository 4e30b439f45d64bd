import os
import signal
import subprocess
import threading
from pathlib import Path

import paho.mqtt.client as paho
import psutil
import pytest

from app.own_process import child_environment, own_command
from app.recorder.embedded_broker import EmbeddedBroker, password_hash
from models.domain.problems import EnvironmentProblem
from tests.helpers.mosquitto import accepts, free_port
from tests.helpers.needs import program
from tests.helpers.poll import until

pytestmark = pytest.mark.services


def connect_code(port, user=None, password=None):
    """Reason code with which the broker answers."""
    program("mosquitto")
    done = threading.Event()
    codes = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_connect = lambda _c, _u, _f, reason, _p: (codes.append(reason.value), done.set())
    if user:
        client.username_pw_set(user, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert done.wait(20)
    client.disconnect()
    client.loop_stop()
    return codes[0]


@pytest.fixture
def embedded(tmp_path, clock):
    program("mosquitto")
    one = EmbeddedBroker(tmp_path / "broker", clock)
    yield one
    one.stop()


def test_admits_who_knows_the_password_and_nobody_else(embedded):
    access = embedded.start()
    port = access.connection.port
    assert connect_code(port, access.connection.user, access.secret.value) == 0
    assert connect_code(port, access.connection.user, "wrong") != 0
    assert connect_code(port) != 0


def test_listens_on_loopback_only_and_keeps_its_files_to_itself(embedded, tmp_path):
    access = embedded.start()
    listening = [one.laddr.ip for one in psutil.Process(embedded.pid).net_connections() if one.status == "LISTEN"]
    assert listening == ["127.0.0.1"]
    assert (tmp_path / "broker").stat().st_mode & 0o777 == 0o700
    assert access.password_file.stat().st_mode & 0o777 == 0o600
    assert access.password_file.read_text().strip() == access.secret.value
    argv = " ".join(psutil.Process(embedded.pid).cmdline())
    assert access.secret.value not in argv


def test_keeps_port_and_password_over_restarts(embedded, tmp_path, clock):
    access = embedded.start()
    embedded.stop()
    again = EmbeddedBroker(tmp_path / "broker", clock)
    try:
        assert again.start() == access
    finally:
        again.stop()


def test_takes_another_port_where_its_own_is_taken(embedded, tmp_path, clock):
    access = embedded.start()
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "port").write_text(str(access.connection.port))
    second = EmbeddedBroker(tmp_path / "second", clock)
    try:
        assert second.start().connection.port != access.connection.port
    finally:
        second.stop()


def test_is_started_again_when_it_dies(embedded, clock):
    access = embedded.start()
    first = embedded.pid
    os.kill(first, signal.SIGKILL)
    until(lambda: not embedded.pid, "the broker is dead")
    assert not embedded.keep()  # not at once
    clock.advance(1_000_000)
    assert embedded.keep()
    until(lambda: accepts(access.connection.port), "the broker is back")
    assert embedded.pid not in (0, first)


def test_a_wanted_port_that_is_taken_is_told(embedded, tmp_path, clock):
    port = embedded.start().connection.port
    other = EmbeddedBroker(tmp_path / "other", clock, port)
    with pytest.raises(EnvironmentProblem) as raised:
        other.start()
    assert raised.value.problem.code == "embedded.start"
    assert "in use" in str(raised.value).lower()


def test_missing_mosquitto_names_the_package(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("app.recorder.embedded_broker.find_mosquitto", lambda: None)
    with pytest.raises(EnvironmentProblem) as raised:
        EmbeddedBroker(tmp_path, clock).start()
    assert raised.value.problem.kind.exit_code == 3
    assert "apt-get install mosquitto" in str(raised.value)


def test_hashes_are_salted():
    assert password_hash("x") != password_hash("x")
    assert password_hash("x").startswith("$7$")


def test_the_command_prints_its_address_and_ends_on_a_signal(tmp_path):
    program("mosquitto")
    port = free_port()
    process = subprocess.Popen(
        own_command("broker", "--workspace", str(tmp_path / "w"), "--port", str(port)),
        env=child_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == f"mqtt://murmurscope@127.0.0.1:{port}\n"
        password_file = process.stdout.readline().removeprefix("password in ").strip()
        assert connect_code(port, "murmurscope", Path(password_file).read_text().strip()) == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not accepts(port)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_killed_command_takes_the_broker_along(tmp_path):
    port = free_port()
    process = subprocess.Popen(
        own_command("broker", "--workspace", str(tmp_path / "w"), "--port", str(port)),
        env=child_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline()
        process.kill()
        process.wait()
        until(lambda: not accepts(port), "the broker ended too")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
