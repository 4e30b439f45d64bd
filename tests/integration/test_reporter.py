"""This computer as agents, against a real broker: figures that are right, goodbyes, wills, and followed lines as they are."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict

import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from app.cli.parser import parse
from app.own_process import child_environment, own_command
from app.reporter.figures import ProcessTable
from app.reporter.reporter import topic_level
from app.reporter.reporting_agent import ReportingAgent
from mqtt.agent import Agent, Refused
from tests.helpers.asyncapi import broken_promises
from tests.helpers.poll import until

pytestmark = pytest.mark.services


@pytest.fixture
def heard(broker):
    """All messages by topic, as they arrive."""
    messages: dict[str, list[bytes]] = defaultdict(list)
    ready = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda c, *_: c.subscribe("#", 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _c, _u, m: messages[m.topic].append(m.payload)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    ready.wait()
    yield messages
    client.disconnect()
    client.loop_stop()


def _start(broker, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(own_command("agent", "--broker", broker.url, *arguments), env=child_environment())


def test_figures_of_host_and_processes_then_goodbyes(broker, heard):
    process = _start(
        broker, "--id", "here", "--interval", "0.3", "--processes", "3", "--also-pid", f"tests={os.getpid()}"
    )
    try:
        until(lambda: len(heard["agents/here-tests/metrics"]) >= 3, "figures of a named process")
        until(lambda: len(heard["agents/here/metrics"]) >= 3, "figures of the host")
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    figures = json.loads(heard["agents/here/metrics"][1])["metrics"]
    assert 0 <= figures["system.cpu.utilization"] <= 1
    assert 0 < figures["system.memory.usage"] < psutil.virtual_memory().total
    own = json.loads(heard["agents/here-tests/metrics"][1])["metrics"]
    assert own["process.memory.usage"] == pytest.approx(psutil.Process().memory_info().rss, rel=0.5)
    agents = {topic.split("/")[1] for topic in heard if topic.endswith("/metrics")}
    assert len(agents) == 5, "host, three busiest, one named"
    told = [(topic, one) for topic, payloads in heard.items() if topic.startswith("agents/here") for one in payloads]
    assert [fault for topic, one in told for fault in broken_promises(topic, one)] == []
    for agent in agents:
        until(lambda a=agent: json.loads(heard[f"agents/{a}/status"][-1])["state"] == "stopped", f"goodbye of {agent}")


def test_a_killed_agent_is_offline_by_its_will(broker, heard):
    process = _start(broker, "--id", "victim")
    until(lambda: heard["agents/victim/metrics"], "a first figure")
    process.kill()
    process.wait()
    last = until(
        lambda: heard["agents/victim/status"][1:] and json.loads(heard["agents/victim/status"][-1]), "the will"
    )
    assert last["state"] == "offline"
    assert not {"ts", "boot", "seq"} & last.keys(), "a will carries none of these"


def test_followed_lines_arrive_as_they_are(broker, heard, tmp_path):
    log = tmp_path / "app+one.log"
    log.write_bytes(b"old\n")
    process = _start(broker, "--id", "host", "--tail", str(log))
    try:
        until(lambda: heard["agents/host/status"], "the agent")
        with log.open("ab") as out:
            out.write(b'{"message": "\xff raw"}\n')
        until(lambda: heard["agents/host/tail/app-one.log"], "the line")
        assert heard["agents/host/tail/app-one.log"] == [b'{"message": "\xff raw"}']
    finally:
        process.terminate()
        process.wait()


def test_several_files_one_of_them_later_two_of_one_name_and_a_long_line(broker, heard, tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "db").mkdir()
    web, db, later = tmp_path / "web/app.log", tmp_path / "db/app.log", tmp_path / "later.log"
    web.write_bytes(b"old\n")
    db.write_bytes(b"old\n")
    odd = tmp_path / os.fsdecode(b"odd-\xff.log")
    odd.touch()
    command = own_command(
        "agent", "--broker", broker.url, "--id", "many", "--tail", "web/app.log", str(db), "later.log", "./web/../web/app.log",
        odd.name,
    )  # fmt: skip
    process = subprocess.Popen(command, env=child_environment(), cwd=tmp_path, stderr=subprocess.PIPE)
    try:
        until(lambda: heard["agents/many/status"], "the agent")
        long = b"x" * 3_000_000
        with web.open("ab") as out:
            out.write(b"from web\n" + long + b"\nafter\n")
        with db.open("ab") as out:
            out.write(b"from db\n")
        later.write_bytes(b"its first\nits second\n")
        odd.write_bytes(b"odd\n")
        until(lambda: heard["agents/many/tail/web/app.log"][-1:] == [b"after"], "lines of the first file")
        until(lambda: len(heard["agents/many/tail/later.log"]) == 2, "lines of a file that came later")
        until(lambda: heard["agents/many/tail/odd-?.log"], "a name that is no text")
        until(lambda: heard["agents/many/tail/db/app.log"], "lines of the second file")
    finally:
        process.terminate()
        said = process.communicate()[1].decode()
    first, *pieces, _ = heard["agents/many/tail/web/app.log"]
    assert (first, b"".join(pieces)) == (b"from web", long)
    assert heard["agents/many/tail/db/app.log"] == [b"from db"]
    assert heard["agents/many/tail/later.log"] == [b"its first", b"its second"]
    assert "later.log is not there yet" in said
    assert said.count("not there yet") == 1


def test_a_file_that_cannot_be_read_is_said_before_anything_begins(broker, heard, tmp_path):
    done = subprocess.run(
        own_command("agent", "--broker", broker.url, "--id", "none", "--tail", str(tmp_path)),
        env=child_environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{tmp_path} cannot be used: Is a directory." in done.stderr.decode()
    assert not heard["agents/none/status"]


def test_the_library_numbers_what_it_says(broker, heard):
    with Agent(broker.url, "lib", group="g", interval_s=5) as me:
        me.metrics({"process.cpu.utilization": 0.5})
        me.log("error", "it broke", error="E", code=7, when={"a": 1})
        me.connection("db", "refused", error="no route", duration_s=0.1)
        id_ = me.say("other", {"q": 1}, type="ask")
    until(lambda: len(heard["agents/lib/status"]) == 2, "status and goodbye")
    status = json.loads(heard["agents/lib/status"][0])
    assert (status["state"], status["group"], status["interval_s"], status["seq"]) == ("online", "g", 5, 0)
    log = json.loads(heard["agents/lib/log"][0])
    assert (log["level"], log["message"], log["error"], log["code"], log["when"]) == (
        "error",
        "it broke",
        "E",
        7,
        {"a": 1},
    )
    assert json.loads(heard["agents/lib/connection"][0])["outcome"] == "refused"
    assert json.loads(heard["agents/other/inbox/lib"][0])["id"] == id_
    assert json.loads(heard["agents/lib/status"][1])["state"] == "stopped"


def test_a_wrong_password_is_said_at_once(make_broker):
    broker = make_broker(allow_anonymous=False, username="u", password="right")
    with pytest.raises(Refused):
        ReportingAgent(f"mqtt://u:wrong@127.0.0.1:{broker.port}", "x").open()
    with pytest.raises(OSError, match="refused"):
        ReportingAgent("mqtt://127.0.0.1:1", "x").open()
    code = subprocess.run(
        own_command("agent", "--broker", f"mqtt://u@127.0.0.1:{broker.port}"),
        env=child_environment({"MURMURSCOPE_PASSWORD": "wrong"}), capture_output=True, check=False,
    )  # fmt: skip
    assert code.returncode == 5
    assert b"wrong" not in code.stderr.replace(b"wrong name or password", b"")


def test_the_library_is_one_file_that_needs_only_paho(tmp_path):
    text = subprocess.run(
        own_command("example", "python"), env=child_environment(), capture_output=True, check=True
    ).stdout
    (tmp_path / "agent.py").write_bytes(text)
    code = "import sys, agent; print(sorted(m for m in sys.modules if m.split('.')[0] in ('mqtt', 'app', 'models', 'numpy')))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True
    )
    assert answer.stdout.strip() == b"[]"


def test_names_become_levels():
    assert topic_level("a/b c+#\x00") == "a-b-c"
    assert topic_level("///") == "unnamed"


def test_processor_use_is_never_made_up():
    table = ProcessTable({os.getpid(): "me"})
    table.look()
    assert "process.cpu.utilization" not in (table.figures("me") or {})
    assert table.figures("nobody is called so") is None


def test_interval_is_checked(capsys):
    with pytest.raises(SystemExit):
        parse(["agent", "--broker", "mqtt://localhost", "--interval", "0"])
    assert "between 0.2 and 3600" in capsys.readouterr().err
