"""The recorder as a process, with a real broker and a real store."""

import contextlib
import json
import signal
import subprocess
from collections import Counter

import apsw
import psutil
import pytest

from app.control_client import ControlClient
from app.own_process import own_command
from app.settings import Retention, Settings, SettingsFile
from models.domain.connection import Connection, Secret, parse_url
from models.domain.control import Link, StepState, TestStep
from models.domain.problems import EnvironmentProblem
from models.storage.engine import open_reader
from models.storage.workspace import Workspace
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.mosquitto import free_port
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY, RecorderProcess, environment

pytestmark = pytest.mark.services


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    one = tmp_path / "workspace"
    monkeypatch.setenv("XDG_RUNTIME_DIR", environment(one)["XDG_RUNTIME_DIR"])
    return Workspace.at(one)


EITHER_WAY = pytest.mark.parametrize("start", ["app", "tests.helpers.unknown_paho"], indirect=True)
"""Messages are received in bulk, and then all again one by one."""


@pytest.fixture
def start(workspace, request):
    """Starts recorders; ends what still runs."""
    started = []

    def make(url, *arguments):
        one = RecorderProcess(workspace.root, url, *arguments, module=getattr(request, "param", "app"))
        started.append(one)
        one.start()
        return one

    yield make
    for one in started:
        one.kill()


@pytest.fixture
def client(workspace):
    with ControlClient(workspace) as one:
        yield one


def rows(workspace, query, *, catalogue=False):
    """Of all segments in order, or of the catalogue."""
    if catalogue:
        files = [workspace.catalogue]
    else:
        files = sorted(workspace.segments.glob("*.db"), key=lambda file: int(file.stem))
    found = []
    for file in files:
        reader = open_reader(file)
        with contextlib.suppress(apsw.SQLError):  # a segment that is being made
            found += reader.execute(query).fetchall()
        reader.close()
    return found


def stored(workspace, prefix):
    """Payloads of messages whose topic begins with a text, in order of storing."""
    query = "SELECT name, payload FROM message JOIN topic ON topic.id = topic_id ORDER BY seq"
    return [payload for topic, payload in rows(workspace, query) if topic.startswith(prefix)]


class Publisher:
    """Publishes at QoS 1 and knows what the broker acknowledged."""

    def __init__(self, url, secret=None, name="publisher"):
        self.acknowledged = []
        connection, _ = parse_url(url)
        self._one = BulkPublisher(connection, secret, name, on_acknowledged=self.acknowledged.extend)

    def send(self, numbers, topic=b"load/x", qos=1):
        self._one.send([Outgoing(topic, b"%d" % n) for n in numbers], qos, list(numbers))

    def poll(self, seconds):
        self._one.poll(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        drained = self._one.drain(30)
        self._one.close()
        assert drained


def code_of(call):
    with pytest.raises(EnvironmentProblem) as raised:
        call()
    return raised.value.problem.code


def run_to_its_end(workspace, *arguments, **variables):
    return subprocess.run(
        own_command("record", "--workspace", str(workspace.root), *arguments),
        env={**environment(workspace.root), **variables}, cwd=REPOSITORY, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@EITHER_WAY
def test_everything_is_stored_once_and_in_order(broker, workspace, start, client):
    recorder = start(broker.url)
    until(lambda: client.hello("cli").link is Link.CONNECTED, "connected")
    with Publisher(broker.url) as publisher:
        publisher.send(range(5_000))
    until(lambda: client.hello("cli").counters.stored >= 5_000, "stored")
    assert recorder.stop() == 0
    assert stored(workspace, b"load/") == [b"%d" % n for n in range(5_000)]
    assert not workspace.socket.exists()


@EITHER_WAY
def test_three_kills_under_load_lose_and_double_nothing(make_broker, workspace, start, client):
    broker = make_broker(max_queued_messages=100_000)
    recorder = start(broker.url)
    until(lambda: client.hello("cli").link is Link.CONNECTED, "connected")  # the session exists from here on
    with Publisher(broker.url) as publisher:
        number = 0
        for _ in range(3):
            goal = number + 3_000
            recorder_stored = client.hello("cli").counters.stored
            while client.hello("cli").counters.stored < recorder_stored + 1_500 or number < goal:
                publisher.send(range(number, number + 200))
                number += 200
                publisher.poll(0.02)
            recorder.kill()
            client.close()
            publisher.send(range(number, number + 200))
            number += 200
            recorder = start(broker.url)
            until(lambda: client.hello("cli").link is Link.CONNECTED, "connected again")
    acknowledged = set(publisher.acknowledged)
    assert len(acknowledged) == number
    until(lambda: len(stored(workspace, b"load/")) >= number, "stored")
    assert recorder.stop() == 0
    counts = Counter(int(one) for one in stored(workspace, b"load/"))
    assert set(counts) == acknowledged
    assert max(counts.values()) == 1
    assert rows(workspace, "SELECT count(*) FROM capture WHERE ended_us IS NULL", catalogue=True) == [(0,)]


@EITHER_WAY
def test_termination_stores_what_has_arrived(make_broker, workspace, start, client):
    broker = make_broker(max_queued_messages=100_000)
    recorder = start(broker.url)
    until(lambda: client.hello("cli").link is Link.CONNECTED, "connected")
    with Publisher(broker.url) as publisher:
        publisher.send(range(20_000), topic=b"load/qos0", qos=0)
        publisher.send(range(20_000), topic=b"load/qos1")
        until(lambda: client.hello("cli").counters.received > 2_000, "in full swing")
        assert recorder.stop() == 0
    second = start(broker.url)
    until(lambda: len(stored(workspace, b"load/qos1")) >= 20_000, "the rest came")
    assert second.stop() == 0
    assert stored(workspace, b"load/qos1") == [b"%d" % n for n in range(20_000)]


def test_a_second_recorder_is_refused(broker, workspace, start):
    recorder = start(broker.url)
    done = run_to_its_end(workspace, "--broker", broker.url)
    assert done.returncode == 6
    assert f"process {recorder.pid}" in done.stderr
    assert done.stdout == ""


def test_wrong_password_ends_with_five_and_a_sentence(make_broker, workspace):
    broker = make_broker(allow_anonymous=False, username="me", password="right")
    url = f"mqtt://me@127.0.0.1:{broker.port}"
    done = run_to_its_end(workspace, "--broker", url, MURMURSCOPE_PASSWORD="canary-wrong")
    assert done.returncode == 5, done.stderr
    assert "user “me”" in done.stderr  # Mosquitto says "not authorised" where it means a wrong password
    assert broker.log.count("not authorised") == 1  # no hammering: it may lock the user out
    for file in workspace.root.rglob("*"):
        assert file.is_dir() or b"canary" not in file.read_bytes()
    assert not SettingsFile(workspace.settings).load().connection  # it never worked, so it is not remembered


def test_nobody_listening_ends_with_four_after_the_duration(workspace):
    done = run_to_its_end(workspace, "--broker", f"mqtt://127.0.0.1:{free_port()}", "--duration", "2")
    assert done.returncode == 4, done.stderr
    assert done.stderr.count("nothing listens on port") == 1
    assert json.loads(done.stdout)["ready"]


def test_a_half_settings_file_is_told_and_left_alone(workspace, start, client, tmp_path):
    workspace.root.mkdir()
    workspace.settings.write_text("[connection\n")
    done = subprocess.Popen(
        own_command("record", "--workspace", str(workspace.root), "--duration", "30"),
        env=environment(workspace.root), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert json.loads(done.stdout.readline())["broker"] == ""
        state = client.hello("cli")
        assert (state.link, state.problem["code"], state.embedded) == (Link.IDLE, "settings.unreadable", False)
        client.stop()
        done.wait(20)
        assert "settings.toml" in done.stderr.read()
        assert workspace.settings.read_text() == "[connection\n"
    finally:
        done.kill()
        done.communicate()


def test_every_verb_of_the_channel(broker, workspace, start, client):
    recorder = start(broker.url)
    state = until(lambda: (one := client.hello("window")).link is Link.CONNECTED and one, "connected")
    assert (state.pid, state.started_by, state.broker_url) == (recorder.pid, "cli", broker.url)
    assert (state.mqtt_version, state.in_bulk) == ("5", True)
    assert "received in bulk" in workspace.log.read_text()
    with Publisher(broker.url) as publisher:
        publisher.send([1], topic=b"agents/crawler/metrics")
    until(lambda: rows(workspace, "SELECT 1 FROM agent WHERE name = 'crawler'"), "heard")
    client.submit([{"do": "agent.note", "agent": "crawler", "note": "żółw"}])
    assert rows(workspace, "SELECT note FROM agent WHERE name = 'crawler'", catalogue=True) == [("żółw",)]
    assert code_of(lambda: client.submit([{"do": "agent.note", "agent": "nobody", "note": ""}])) == "agent.unknown"
    assert code_of(lambda: client.submit([{"do": "dance"}])) == "recorder.request"
    steps = []
    client.test_connection(parse_url(broker.url)[0], None, lambda *step: steps.append(step[:2]))
    assert (TestStep.CONNACK, StepState.PASSED) in steps
    client.stop()
    process = psutil.Process(recorder.pid)
    until(lambda: process.status() == psutil.STATUS_ZOMBIE, "ended")
    assert recorder.stop() == 0
    assert SettingsFile(workspace.settings).load().connection == parse_url(broker.url)[0]


def test_another_broker_in_the_settings_is_taken_up_on_wake(make_broker, workspace, start, client):
    first, second = make_broker(), make_broker(allow_anonymous=False, username="me", password="hush")
    start(first.url)
    until(lambda: client.hello("cli").link is Link.CONNECTED, "connected")
    SettingsFile(workspace.settings).save(
        Settings(Connection(host="127.0.0.1", port=second.port, user="me"), embedded=False)
    )
    client.secret("hush")
    client.wake()
    url = f"mqtt://me@127.0.0.1:{second.port}"
    until(lambda: (s := client.hello("cli")).link is Link.CONNECTED and s.broker_url == url, "connected to the other")
    with Publisher(url, Secret("hush")) as publisher:
        publisher.send([1])
    until(lambda: stored(workspace, b"load/") == [b"1"], "stored")
    brokers = [one for (one,) in rows(workspace, "SELECT broker FROM capture ORDER BY id", catalogue=True)]
    assert brokers == [first.url, url]


def test_another_retention_in_the_settings_holds_from_the_wake_on(broker, workspace, start, client):
    def record(payloads):
        recorder = start(broker.url)
        until(lambda: client.hello("cli").link is Link.CONNECTED, "connected")
        connection, _ = parse_url(broker.url)
        publisher = BulkPublisher(connection, None, "big")
        publisher.send([Outgoing(b"load/big", payload) for payload in payloads], 1)
        assert publisher.drain(30)
        publisher.close()
        until(lambda: client.hello("cli").counters.stored >= len(payloads), "stored")
        return recorder

    def gone():
        return rows(workspace, "SELECT segment_id FROM gap WHERE cause = 'retention'", catalogue=True)

    record([b"%d" % n * 20_000 for n in range(100)]).stop()
    client.close()
    record([b"little"])
    settings = workspace.settings.read_text()
    workspace.settings.write_text(settings + "\n[retention\n")
    client.wake()
    until(lambda: (s := client.hello("cli")).problem and s.problem["code"] == "settings.unreadable", "it was read")
    workspace.settings.write_text(settings)
    SettingsFile(workspace.settings).save(Settings(parse_url(broker.url)[0], False, Retention(gib=5, days=0)))
    client.wake()
    until(lambda: client.hello("cli").problem is None, "it was read again")
    assert len(stored(workspace, b"load/big")) == 101
    assert gone() == []
    SettingsFile(workspace.settings).save(Settings(parse_url(broker.url)[0], False, Retention(gib=0.001, days=0)))
    client.wake()
    until(lambda: gone() == [(1,)], "the old segment went")
    assert stored(workspace, b"load/big") == [b"little"]


def test_a_password_given_later_is_tried(make_broker, workspace, start, client):
    broker = make_broker(allow_anonymous=False, username="me", password="hush")
    url = f"mqtt://me@127.0.0.1:{broker.port}"
    recorder = start(url, "--with-window")
    until(lambda: client.hello("window").link is Link.REFUSED, "refused")
    client.secret("hush")
    until(lambda: client.hello("window").link is Link.CONNECTED, "connected")
    assert recorder.stop() == 0
    for file in workspace.root.rglob("*"):
        assert file.is_dir() or b"hush" not in file.read_bytes()


def test_a_broker_that_comes_back_leaves_a_gap_and_no_loss(make_broker, workspace, start, client):
    broker = make_broker(persistence=True)
    start(broker.url)
    until(lambda: client.hello("cli").link is Link.CONNECTED, "connected")
    broker.stop()
    until(lambda: client.hello("cli").link is Link.WAITING, "noticed")
    assert client.hello("cli").problem["code"].startswith("broker.")
    broker.start()
    client.wake()
    until(lambda: client.hello("cli").link is Link.CONNECTED, "connected again")
    until(lambda: ("not-connected",) in rows(workspace, "SELECT cause FROM gap"), "the gap is stored")
    with Publisher(broker.url) as publisher:
        publisher.send(range(10))
    until(lambda: len(stored(workspace, b"load/")) == 10, "stored")


def test_a_session_that_the_broker_forgot_between_two_runs_is_told(make_broker, workspace, start, client):
    broker = make_broker(persistence=False)

    def record_something():
        recorder = start(broker.url)
        until(lambda: client.hello("cli").link is Link.CONNECTED, "connected")
        told = [one["code"] for one in client.hello("cli").warnings]
        with Publisher(broker.url) as publisher:
            publisher.send(range(3))
        until(lambda: client.hello("cli").counters.stored >= 3, "stored")
        assert recorder.stop() == 0
        client.close()
        return told

    assert record_something() == []
    assert record_something() == [], "the session was there"
    broker.stop()
    broker.start()
    assert record_something() == ["broker.session-lost"]
    assert ("session-lost",) in rows(workspace, "SELECT cause FROM gap")


def test_without_a_broker_it_runs_its_own(workspace, client):
    process = subprocess.Popen(
        own_command("record", "--workspace", str(workspace.root)),
        env=environment(workspace.root), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        url = json.loads(process.stdout.readline())["broker"]
        until(lambda: (s := client.hello("cli")).link is Link.CONNECTED and s.embedded, "connected")
        secret = Secret((workspace.root / "broker" / "password").read_text().strip())
        with Publisher(url, secret) as publisher:
            publisher.send(range(10))
        until(lambda: len(stored(workspace, b"load/")) == 10, "stored")
        mosquitto = next(p for p in psutil.Process(process.pid).children(recursive=True) if p.name() == "mosquitto")
        mosquitto.kill()
        until(lambda: client.hello("cli").link is not Link.CONNECTED, "its end is noticed")
        until(lambda: client.hello("cli").link is Link.CONNECTED, "another one runs")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert not SettingsFile(workspace.settings).load().connection


def test_a_kill_leaves_no_broker_behind(workspace, client):
    process = subprocess.Popen(
        own_command("record", "--workspace", str(workspace.root)),
        env=environment(workspace.root), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        process.stdout.readline()
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in children), "all ended")
