import json
import os
import subprocess
import sys

import pytest

from app.recorder.child import Child, bound_to_parent
from app.recorder.companion import demo_fleet, host_agent, host_id
from app.recorder.embedded_broker import Access
from app.settings import Demo
from models.domain.connection import Connection, Secret
from tests.helpers.poll import until

SECOND_US = 1_000_000


@pytest.fixture
def child(tmp_path, clock):
    one = Child("a test", clock, tmp_path / "output")
    yield one
    one.stop()


def python(program):
    return [sys.executable, "-c", program]


def test_what_it_says_is_kept_and_its_end_is_known(child):
    child.start(python("import sys; print('first'); sys.exit('last words')"))
    until(lambda: child.exit_code == 1, "ended")
    assert child.pid == 0
    assert child.output_tail() == "last words"


def test_one_that_ends_is_started_again_later_and_later(child, clock):
    starts = []

    def start():
        starts.append(clock.monotonic_us())
        child.start(python(""))

    start()
    pauses = []
    for _ in range(8):
        until(lambda: child.exit_code is not None, "ended")
        child.keep(start)
        before = clock.monotonic_us()
        while not child.keep(start):
            clock.advance(SECOND_US // 2)
        pauses.append((clock.monotonic_us() - before) / SECOND_US)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_one_that_ran_well_is_started_again_soon(child, clock):
    for _ in range(3):
        child.start(python("input()"))  # ends at once: it has no input
        until(lambda: child.exit_code is not None, "ended")
        clock.advance(61 * SECOND_US)
        assert not child.keep(lambda: None)
        clock.advance(SECOND_US)
        assert child.keep(lambda: None)


def test_one_that_does_not_listen_is_killed(child, monkeypatch):
    monkeypatch.setattr("app.recorder.child.END_LIMIT_S", 0.05)
    child.start(python("import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"))
    until(lambda: child.output_tail() == "deaf", "it does not listen any more")
    pid = child.pid
    child.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_host_agent_gets_its_password_by_environment(tmp_path, clock, monkeypatch):
    program = "import json, os, sys; print(json.dumps([sys.argv, os.environ['MURMURSCOPE_PASSWORD']]), flush=True); sys.stdin.read(); import signal; signal.pause()"
    monkeypatch.setattr("app.recorder.companion.own_command", lambda *words: [*python(program), *words])
    agent = host_agent(tmp_path, clock)
    try:
        access = Access(Connection(host="127.0.0.1", port=5, user="own"), Secret("hush"), tmp_path / "password")
        agent.start(access, {"broker": 17})
        said = until(lambda: (tmp_path / "host-agent.log").read_text().strip(), "it runs")
    finally:
        agent.stop()
    argv, password = json.loads(said)
    assert password == "hush"
    assert "hush" not in " ".join(argv)
    words = " ".join(argv[1:])
    assert words == f"agent --broker mqtt://own@127.0.0.1:5 --id {host_id()} --processes 8 --also-pid broker=17"


@pytest.mark.parametrize(
    ("name", "expected"), [("web1.example.org", "web1"), ("a/b+c#d", "a-b-c-d"), ("", "this-computer")]
)
def test_the_name_of_this_computer_fits_a_topic(monkeypatch, name, expected):
    monkeypatch.setattr("app.recorder.companion.platform.node", lambda: name)
    assert host_id() == expected


def test_the_simulated_fleet_begins_differently_each_time(tmp_path, clock, monkeypatch):
    program = "import json, sys; print(json.dumps(sys.argv[1:]), flush=True); import signal; signal.pause()"
    monkeypatch.setattr("app.recorder.companion.own_command", lambda *words: [*python(program), *words])
    fleet = demo_fleet(tmp_path, clock, Demo(agents=12, rate=7.5, speed=2.0))
    access = Access(Connection(host="127.0.0.1", port=5, user="own"), Secret("hush"), tmp_path / "password")
    seeds = set()
    for _ in range(2):
        fleet.start(access, {"broker": 17})
        said = json.loads(until(lambda: (tmp_path / "demo-fleet.log").read_text().strip(), "it runs"))
        fleet.stop()
        assert said[:-1] == ["simulate", "--broker", "mqtt://own@127.0.0.1:5", "--story", "--agents", "12", "--rate", "7.5",
                             "--speed", "2.0", "--seed"]  # fmt: skip
        seeds.add(said[-1])
    assert len(seeds) == 2, "else what it says after a restart would pass for what it said before"


def test_whose_parent_was_killed_before_it_began_never_begins():
    """Here the shell is the parent, as whoever takes over an orphan would be."""
    command = ["/bin/sh", "-c", '"$@" & wait', "sh", *bound_to_parent(["echo", "begun"])]
    assert subprocess.run(command, capture_output=True, check=False).stdout == b""
    assert subprocess.run(bound_to_parent(["echo", "begun"]), capture_output=True, check=True).stdout == b"begun\n"
