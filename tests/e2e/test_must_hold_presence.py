"""Presence from end to end: real agents, a real broker, real time, told by the exported history."""

import json
import signal
import subprocess
import sys
from datetime import datetime

import paho.mqtt.client as paho
import pytest

from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY

pytestmark = pytest.mark.services


@pytest.fixture
def start_agent(recording):
    """Starts `python -m app agent` and ends it with the test."""
    started = []

    def start(broker, name, *arguments):
        words = [sys.executable, "-m", "app", "agent", "--broker", broker.url, "--id", name, "--interval", "0.5"]
        started.append(
            subprocess.Popen([*words, *arguments], env=recording.environment, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()


def told(recording, agent):
    """(presence, cause) in the order of their time."""
    return [(row["presence"], row["cause"]) for row in recording.export("presence") if row["agent"] == agent]


def becomes(recording, agent, presence, cause, limit_s=20.0):
    what = f"{agent} is {presence} ({cause})"
    until(lambda: (told(recording, agent) or [("", "")])[-1] == (presence, cause), what, limit_s, 0.1)


def comes_online(recording, agent, limit_s=20.0):
    until(lambda: (told(recording, agent) or [("", "")])[-1][0] == "online", f"{agent} is online", limit_s, 0.1)


def now(recording, agent):
    """As the table of agents tells it, which follows the messages within a second."""
    found = [(row["presence"], row["cause"]) for row in recording.export("agents") if row["agent"] == agent]
    return found[0] if found else None


def test_killed_is_offline_by_will_and_stopped_is_a_goodbye(broker, recording, start_agent):
    recording.start("--broker", broker.url)
    victim, leaver = start_agent(broker, "victim"), start_agent(broker, "leaver")
    comes_online(recording, "victim")
    comes_online(recording, "leaver")
    victim.kill()
    becomes(recording, "victim", "offline", "will")
    leaver.send_signal(signal.SIGINT)
    assert leaver.wait(20) == 130
    becomes(recording, "leaver", "stopped", "goodbye")
    until(lambda: now(recording, "victim") == ("offline", "will"), "the table of agents tells it, too")
    until(lambda: now(recording, "leaver") == ("stopped", "goodbye"), "the table of agents tells it, too")
    start_agent(broker, "victim")
    comes_online(recording, "victim")
    assert [word for word, _ in told(recording, "victim")] == ["online", "offline", "online"]
    assert [word for word, _ in told(recording, "leaver")] == ["online", "stopped"]
    until(
        lambda: any(row["agent"] == "victim" and "cpu" in row["metric"] for row in recording.export("samples")),
        "its figures come, too",
    )
    assert recording.stop() == 0


def test_what_was_is_no_longer_known_when_nobody_records(broker, recording, start_agent):
    """Agents are unknown while no recorder runs, and a retained status does not make them online again."""
    start_agent(broker, "steady")
    ghost = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="ghost")
    ghost.connect("127.0.0.1", broker.port)
    ghost.loop_start()
    ghost.publish("agents/ghost/status", json.dumps({"state": "online", "interval_s": 600}), 1, True).wait_for_publish(
        20
    )
    ghost.publish("agents/ghost/metrics", '{"cpu": 0.5}', 1, True).wait_for_publish(20)
    ghost.disconnect()
    ghost.loop_stop()
    recording.start("--broker", broker.url)
    comes_online(recording, "steady")
    until(lambda: [row for row in recording.export("agents") if row["agent"] == "ghost"], "the ghost is known")
    assert now(recording, "ghost") in (("unknown", "replayed"), ("unknown", "not-heard"))
    assert recording.stop() == 0
    becomes(recording, "steady", "unknown", "not-recording")
    (gap,) = [row for row in recording.export("gaps") if row["cause"] == "not-recording"]
    assert gap["until"] == ""
    as_of = {row["as_of"] for row in recording.export("agents")}
    assert as_of == {gap["since"]}  # the table of agents tells of that moment, not of now
    recording.start("--broker", broker.url)
    comes_online(recording, "steady")
    assert recording.stop() == 0
    assert "online" not in [word for word, _ in told(recording, "ghost")]
    origins = {row["origin"] for row in recording.export("messages") if row["topic"].startswith("agents/ghost/")}
    assert origins == {"replay"}


def test_agents_come_back_by_themselves_with_the_broker(make_broker, recording, start_agent):
    broker = make_broker()
    recording.start("--broker", broker.url)
    start_agent(broker, "faithful")
    comes_online(recording, "faithful")
    broker.kill()
    becomes(recording, "faithful", "unknown", "link-lost")
    broker.start()
    comes_online(recording, "faithful", 60)
    assert "offline" not in [word for word, _ in told(recording, "faithful")]
    assert recording.stop() == 0


@pytest.mark.long
def test_silence_is_late_and_then_offline(broker, recording):
    """Declared every second: late after 1.5 s, offline after three intervals, but at least 30 s."""
    recording.start("--broker", broker.url)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="mute")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish("agents/mute/status", '{"state": "online", "interval_s": 1}', 1).wait_for_publish(20)
    becomes(recording, "mute", "late", "silence")
    becomes(recording, "mute", "offline", "silence", 60)
    client.publish("agents/mute/metrics", '{"cpu": 0.5}', 1).wait_for_publish(20)
    comes_online(recording, "mute")
    client.disconnect()
    client.loop_stop()
    rows = [row for row in recording.export("presence") if row["agent"] == "mute"]
    assert [row["presence"] for row in rows] == ["online", "late", "offline", "online"]
    since = [datetime.fromisoformat(row["since"]) for row in rows]
    assert 1.0 <= (since[1] - since[0]).total_seconds() <= 4.0
    assert 29.0 <= (since[2] - since[0]).total_seconds() <= 34.0
    assert recording.stop() == 0


@pytest.mark.long
def test_an_agent_that_hangs_is_late_and_then_offline(broker, recording, start_agent):
    recording.start("--broker", broker.url)
    agent = start_agent(broker, "hung")
    comes_online(recording, "hung")
    agent.send_signal(signal.SIGSTOP)
    try:
        becomes(recording, "hung", "late", "silence")
        until(lambda: told(recording, "hung")[-1][0] == "offline", "it is offline", 90, 0.5)
    finally:
        agent.send_signal(signal.SIGCONT)
    comes_online(recording, "hung", 60)
    assert recording.stop() == 0
