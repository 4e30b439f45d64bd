"""The programs on the page "Connect your agent" run as they stand, and are seen."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.own_process import child_environment, own_command
from models.domain.messages import Origin, RawMessage
from models.domain.names import Names
from models.domain.presence_words import Presence
from models.domain.records import Level, Outcome, TaskState
from mqtt.reading.reader import Reader
from tests.helpers.asyncapi import broken_promises
from tests.helpers.clock import FakeClock
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import bound_to_parent, program
from tests.helpers.node import Node
from tests.helpers.office import Office
from tests.helpers.poll import until
from tests.helpers.reading import ARRIVAL_US
from tests.helpers.sessions import Listening

pytestmark = pytest.mark.services

PAGE = Path(__file__).resolve().parents[2] / "resources/guide/connect-your-agent.md"


def program_of(language: str, broker: Mosquitto, part: str) -> str:
    """The program in a part of the page, for this broker."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {part}\n")[2].partition("\n## ")[0]
    [block] = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert "localhost" in block
    there = block.replace("localhost:1883", f"127.0.0.1:{broker.port}")
    return there.replace("-h localhost", f"-h 127.0.0.1 -p {broker.port}")


def printed(language: str) -> bytes:
    return subprocess.run(
        own_command("example", language), env=child_environment(), capture_output=True, check=True
    ).stdout


def expect(listening: Listening, agent: str) -> None:
    """What both programs tell."""
    topic = f"agents/{agent}/status".encode()
    listening.bring(lambda _: any(b'"stopped"' in one.payload for one in listening.on(topic)), "its goodbye")
    names = Names()
    live = [one for one in listening.messages if one.origin is Origin.LIVE and agent.encode() in one.topic]
    batch = Reader(names, "agents", FakeClock()).read(live)
    assert (batch.unreadable, names.agents[1:]) == ([], [agent])
    *there, left = (one.presence for one in batch.evidence)
    assert (set(there), left) == ({Presence.ONLINE}, Presence.STOPPED)  # told anew with what it has learnt to do
    assert batch.declarations[0][4:][:1] == ("crawlers",)
    log = batch.logs[0]
    assert (log.level, log.text) == (Level.WARN, "slow answer")
    assert '"page":' in (log.attributes or "")
    assert {names.series[i].metric for i in batch.sample_series} == {"agent.request.duration", "pages"}
    assert [(one.outcome, one.target, one.duration_us) for one in batch.attempts] == [
        (Outcome.REFUSED, "db:5432", 200_000)
    ]


def test_the_python_program(broker: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_bytes(printed("python"))
    (tmp_path / "mine.py").write_text(program_of("python", broker, "Python"), encoding="utf-8")
    with Listening(broker.url, client_id="page-python") as listening:
        listening.connected()
        done = subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        expect(listening, "crawler-7")


def test_the_node_program(broker: Mosquitto, node_packages: Path, tmp_path: Path) -> None:
    (tmp_path / "agent.js").write_bytes(printed("node"))
    (tmp_path / "mine.js").write_text(program_of("js", broker, "Node"), encoding="utf-8")
    with Listening(broker.url, client_id="page-node") as listening:
        listening.connected()
        with Node(node_packages, tmp_path, tmp_path / "mine.js") as node:
            said = node.wait()
        assert node.process.returncode == 0, said
        expect(listening, "crawler-8")


@pytest.fixture
def office(broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with Office(tmp_path, broker.url, monkeypatch) as one:
        yield one


def test_the_python_program_that_does_tasks(broker: Mosquitto, office: Office, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_bytes(printed("python"))
    (tmp_path / "mine.py").write_text(program_of("python", broker, "Tasks"), encoding="utf-8")
    painter = subprocess.Popen(
        bound_to_parent([sys.executable, "mine.py"]), cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        task = office.give("paint", capability="paint")
        office.is_in(task, TaskState.INPUT_REQUIRED)
        office.ask("answer_task", task, '"red"')
        assert office.ends(task).result == '{"painted":"red"}'
    finally:
        painter.communicate(b"\n", timeout=20)
    assert painter.returncode == 0


def test_the_shell_that_does_tasks(broker: Mosquitto, office: Office, tmp_path: Path) -> None:
    program("jq")
    shell = subprocess.Popen(
        bound_to_parent(["bash", "-c", program_of("bash", broker, "Tasks")]), start_new_session=True, stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        until(lambda: "agents/backup-3/inbox/+" in broker.log, "it listens")
        measured = office.ends(office.give("measure", capability="measure", input=f'"{tmp_path}/agent.py"'))
        assert measured.state is TaskState.FAILED
        (tmp_path / "agent.py").write_text("here now")
        measured = office.ends(office.give("measure", capability="measure", input=f'"{tmp_path}/agent.py"'))
        assert (measured.state, measured.result.partition("\t")[2]) == (TaskState.COMPLETED, f"{tmp_path}/agent.py")
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def test_the_messages_of_the_shell_are_what_the_contract_says() -> None:
    told = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        words = shlex.split(line) if line.startswith("mosquitto_pub") else []
        if "-m" in words:
            told.append((words[words.index("-t") + 1], words[words.index("-m") + 1].encode()))
    assert told.pop()[1].startswith(b'{"state":"online","capabilities"')  # of the one that does tasks
    assert len(told) == 7
    assert [fault for topic, payload in told for fault in broken_promises(topic, payload)] == []
    names = Names()
    messages = [
        RawMessage(topic.encode(), payload, 1, False, False, 0, None, ARRIVAL_US, Origin.LIVE, 1)
        for topic, payload in told
    ]
    batch = Reader(names, "agents", FakeClock()).read(messages)
    assert (batch.unreadable, names.agents[1:]) == ([], ["backup-1", "crawler-7"])
    assert [len(one) for one in (batch.evidence, batch.sample_value, batch.logs, batch.tasks, batch.attempts)] == [
        2, 2, 1, 2, 1,
    ]  # fmt: skip
