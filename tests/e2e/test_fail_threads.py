"""A mistake of our own in any thread of the recorder: logged, counted, shown; the process lives, or ends clearly."""

import json

import pytest

from app.control_client import ControlClient
from models.domain.control import Link
from models.domain.problems import EnvironmentProblem
from tests.helpers.poll import until
from tests.helpers.sessions import Publisher
from tests.helpers.troubled_recorder import Troubled

pytestmark = pytest.mark.services


@pytest.fixture
def make(tmp_path):
    made = []

    def one(trouble):
        made.append(Troubled(tmp_path / "workspace", trouble))
        return made[-1]

    yield one
    for each in made:
        each.close()


def faults(state):
    return next((one["params"]["count"] for one in state.warnings if one["code"] == "recorder.faults"), 0)


def payloads(recording, topic):
    return [row["payload"] for row in recording.export("messages") if row["topic"] == topic]


def publish(broker, topic, *texts):
    with Publisher(broker.port) as say:
        for text in texts:
            say(topic, text)


@pytest.mark.parametrize(
    "trouble", ["network-raises", "network-dies", pytest.param("network-hangs", marks=pytest.mark.long)]
)
def test_the_network_thread_comes_back_within_seconds_and_nothing_is_lost(make_broker, make, trouble):
    broker = make_broker(persistence=True)
    recording = make(trouble).start("--broker", broker.url)
    publish(broker, "t", "1")
    recording.stored(1)
    epoch = recording.state.since_us
    recording.strike()
    state = recording.when(lambda one: faults(one) and one.link is not Link.CONNECTED, "it is noticed", 10)
    publish(broker, "t", "2", "3")
    state = recording.when(lambda one: one.link is Link.CONNECTED and one.since_us > epoch, "it is back", 30)
    assert faults(state) >= 1
    publish(broker, "t", "4")
    until(lambda: payloads(recording, "t") == ["1", "2", "3", "4"], "nothing is lost, nothing twice")
    assert recording.stop() == 0
    told = recording.log()
    assert "trouble: network-raises" in told or "another one goes on" in told
    assert "not-connected" in [row["cause"] for row in recording.export("gaps")]


def test_a_session_that_is_lost_while_the_network_thread_is_replaced_is_told_as_lost(make_broker, make):
    """Not only as a time without connection: the broker threw away what it kept for us."""
    broker = make_broker()  # keeps nothing over a restart
    recording = make("network-dies").start("--broker", broker.url)
    publish(broker, "t", "1")
    recording.stored(1)
    recording.strike()
    until(lambda: "Fatal" in recording.errors.read_text() or "another one goes on" in recording.log(), "it died", 10)
    broker.restart()
    recording.when(lambda one: one.link is Link.CONNECTED and one.counters.sessions_lost, "it is back, and tells", 30)
    assert recording.stop() == 0
    assert "session-lost" in [row["cause"] for row in recording.export("gaps")]


def test_a_mistake_in_reading_costs_no_message(make_broker, make):
    broker = make_broker()
    recording = make("reading-raises").start("--broker", broker.url)
    recording.strike()
    publish(broker, "agents/a/metrics", '{"cpu": 1}')
    recording.stored(1)
    publish(broker, "agents/a/metrics", '{"cpu": 2}')
    state = recording.stored(2)
    assert faults(state) == 1
    assert recording.stop() == 0
    assert payloads(recording, "agents/a/metrics") == ['{"cpu": 1}', '{"cpu": 2}']
    assert [row["value"] for row in recording.export("samples")] == ["2"], "the first is there raw, to be read again"


@pytest.mark.parametrize("trouble", ["ingest-dies", pytest.param("control-dies", marks=pytest.mark.long)])
def test_a_thread_that_cannot_go_on_ends_the_recorder_clearly_and_the_next_one_has_it_all(make_broker, make, trouble):
    broker = make_broker()
    recording = make(trouble).start("--broker", broker.url)
    publish(broker, "t", "1")
    recording.stored(1)
    recording.strike()
    publish(broker, "t", "2")
    if trouble == "control-dies":
        with pytest.raises(EnvironmentProblem):
            ControlClient(recording.workspace).hello("cli")
    process, recording.process = recording.process, None
    assert process.wait(20) == 1
    told = recording.log()
    assert f"trouble: {trouble}" in told
    assert f"the {trouble.partition('-')[0]} thread is dead: the recorder ends" in told
    recording.client.close()
    recording.start("--broker", broker.url)
    publish(broker, "t", "3")
    until(lambda: payloads(recording, "t") == ["1", "2", "3"], "nothing is lost, nothing twice")
    assert recording.stop() == 0


def test_a_mistake_in_an_answer_is_told_to_the_one_who_asked(make_broker, make):
    broker = make_broker()
    recording = make("client-raises").start("--broker", broker.url)
    recording.strike()
    with pytest.raises(EnvironmentProblem, match="RuntimeError"):
        until(lambda: recording.state and False, "it fails once")
    assert faults(recording.state) == 1
    assert recording.stop() == 0


def test_a_mistake_around_the_keyring_leaves_nobody_waiting(make_broker, make):
    broker = make_broker(allow_anonymous=False, username="me", password="hush")
    recording = make("keyring-raises").spawn("--broker", f"mqtt://me@127.0.0.1:{broker.port}", "--with-window")
    state = recording.when(lambda one: one.link is Link.REFUSED, "it asked the broker without a password")
    assert "keyring.unread" in [one["code"] for one in state.warnings]
    assert faults(state) == 1
    recording.client.secret("hush")
    recording.connected()
    assert recording.stop() == 0


def test_a_mistake_in_an_import_is_told_and_recording_goes_on(make_broker, make, tmp_path):
    broker = make_broker()
    recording = make("import-raises").start("--broker", broker.url)
    recording.strike()
    file = tmp_path / "recorded.jsonl"
    file.write_text(json.dumps({"ts": 1.0, "topic": "old", "qos": 0, "retain": False, "payload_b64": ""}) + "\n")
    done = recording.command("import", str(file))
    assert done.returncode == 1
    assert b"RuntimeError" in done.stderr
    assert faults(recording.state) == 1
    publish(broker, "t", "1")
    recording.stored(1)
    assert recording.command("import", str(file)).returncode == 0
    assert recording.stop() == 0
    assert payloads(recording, "old") == [""]
