"""What a network does to a recorder: links that go, hang or swallow, brokers that are away for long, laptops that sleep."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime

import pytest

from models.domain.control import Link
from tests.helpers.forwarder import Gate
from tests.helpers.link_down import KEEPALIVE_S
from tests.helpers.needs import missing
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.sessions import Publisher

pytestmark = pytest.mark.services


def settings(recording, port, **fields):
    recording.workspace.root.mkdir()
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"url": f"mqtt://127.0.0.1:{port}", **fields}.items()]
    recording.workspace.settings.write_text("\n".join(["[connection]", *lines, "[embedded]", "enabled = false", ""]))


def payloads(recording, topic):
    return [row["payload"] for row in recording.export("messages") if row["topic"] == topic]


def gaps(recording, cause):
    return [row for row in recording.export("gaps") if row["cause"] == cause]


def presence(recording):
    return [(row["presence"], row["cause"]) for row in recording.export("presence")]


def test_a_half_open_link_is_noticed_within_twice_the_keepalive_and_loses_nothing(make_broker, recording):
    broker = make_broker(persistence=True)
    with Gate(broker.port) as gate, Publisher(broker.port) as say:
        settings(recording, gate.port, keepalive_s=KEEPALIVE_S)
        recording.start()
        say("agents/a/status", json.dumps({"state": "online", "interval_s": 600}))
        say("t", "before")
        recording.stored(2)
        gate.shut()
        began_s = time.time()
        say("t", "meanwhile")
        state = recording.when(lambda one: one.link is not Link.CONNECTED, "it is noticed")
        assert state.problem["params"]["detail"] == f"no answer for {2 * KEEPALIVE_S} s"
        until(lambda: presence(recording)[-1] == ("unknown", "link-lost"), "nobody knows how the agent is")
        gate.open()
        recording.connected()
        say("t", "after")
        until(lambda: payloads(recording, "t") == ["before", "meanwhile", "after"], "all came, once, in order")
        (gap,) = until(lambda: gaps(recording, "not-connected"), "the gap is told")
        assert recording.stop() == 0
        noticed_s = datetime.fromisoformat(gap["since"]).timestamp() - began_s
        assert noticed_s <= 2 * KEEPALIVE_S + 1, "noticed in time"


@pytest.mark.long
def test_a_link_that_goes_down_is_noticed_and_comes_back_by_itself(tmp_path):
    unshare = shutil.which("unshare") or missing("unshare")
    if subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody make a network of his own")
    done = subprocess.run(
        [unshare, "-rn", sys.executable, "-m", "tests.helpers.link_down", str(tmp_path)],
        capture_output=True, text=True, cwd=REPOSITORY, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["lost"]["code"] == "broker.lost"
    assert seen["noticed_s"] <= 2 * KEEPALIVE_S + 1
    assert seen["tried"]["code"] == "broker.unreachable"
    assert seen["back_s"] <= 10  # the attempt under way may wait five seconds for an answer that never comes
    assert seen["exit_code"] == 0


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_broker_that_was_away_for_long_is_met_within_five_seconds_of_its_return(make_broker, recording, how):
    broker = make_broker(persistence=True)
    recording.start("--broker", broker.url)
    with Publisher(broker.port) as say:
        say("t", "before")
    recording.stored(1)
    broker.stop() if how is signal.SIGTERM else broker.kill()
    tried = []

    def tries():
        state = recording.state
        if state.link is Link.WAITING and state.problem["retry_at_us"] not in tried:
            tried.append(state.problem["retry_at_us"])
        return len(tried) >= 6

    until(tries, "it tried six times in vain", 60)
    broker.start()
    returned_us = time.time_ns() // 1_000
    with Publisher(broker.port) as say:
        say("t", "after")
        state = recording.connected()
        assert state.since_us - returned_us <= 5_000_000
        until(lambda: payloads(recording, "t") == ["before", "after"], "nothing is lost or doubled")
    until(lambda: len(gaps(recording, "not-connected")) == 1, "one gap is told")
    assert recording.stop() == 0


@pytest.mark.parametrize("version", ["5", pytest.param("3.1.1", marks=pytest.mark.long)])
def test_a_laptop_that_sleeps_loses_nothing_and_stores_nothing_twice(make_broker, recording, version):
    """Longer than the broker waits for a sign of life: it hangs up, and delivers again what it had sent already."""
    broker = make_broker(persistence=True, max_queued_messages=10_000)
    settings(recording, broker.port, keepalive_s=2, protocol=version)
    recording.start()
    with Publisher(broker.port) as say:
        for number in range(200):
            say("t", str(number))
        os.kill(recording.pid, signal.SIGSTOP)
        try:
            for number in range(200, 600):
                say("t", str(number))
            until(lambda: "has exceeded timeout" in broker.log, "the broker gave it up")
        finally:
            os.kill(recording.pid, signal.SIGCONT)
        for number in range(600, 800):
            say("t", str(number))
    until(lambda: len(payloads(recording, "t")) >= 800, "all came", slice_s=0.2)
    assert recording.stop() == 0
    assert payloads(recording, "t") == [str(number) for number in range(800)]


def test_retained_messages_that_come_again_are_marked_and_counted_once(make_broker, recording):
    """Whoever comes back to his session gets none of them again, whoever makes a new one gets all: no news, and marked."""
    broker = make_broker()
    with Publisher(broker.port) as say:
        say("agents/a/status", json.dumps({"state": "online"}), retain=True)
        for turn, session in enumerate([(), (), ("--new-session",)]):
            recording.start("--broker", broker.url, *session)
            say("agents/b/log", json.dumps({"level": "info", "message": str(turn)}))
            until(lambda turn=turn: len(recording.export("logs")) == turn + 1, "it is recorded")
            assert recording.stop() == 0
    kept = [(row["origin"], row["retain"]) for row in recording.export("messages") if row["agent"] == "a"]
    assert kept == [("replay", "true")] * 2
    words = {(row["agent"], row["presence"]) for row in recording.export("presence")}
    assert ("a", "online") not in words, "nobody heard it say so"
    assert len(gaps(recording, "session-lost")) == 1, "the one that was thrown away"
