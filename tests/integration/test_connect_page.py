"""The programs on the page "Connect your agent" run as they stand, and are seen."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app.own_process import child_environment, own_command
from models.domain.messages import Origin, RawMessage
from models.domain.names import Names
from models.domain.presence_words import Presence
from models.domain.records import Level, Outcome
from mqtt.reading.reader import Reader
from tests.helpers.asyncapi import broken_promises
from tests.helpers.clock import FakeClock
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.node import Node
from tests.helpers.reading import ARRIVAL_US
from tests.helpers.sessions import Listening

pytestmark = pytest.mark.services

PAGE = Path(__file__).resolve().parents[2] / "resources/guide/connect-your-agent.md"


def program_of(language: str, broker: Mosquitto) -> str:
    [block] = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert "localhost:1883" in block
    return block.replace("localhost:1883", f"127.0.0.1:{broker.port}")


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
    assert [one.presence for one in batch.evidence] == [Presence.ONLINE, Presence.STOPPED]
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
    (tmp_path / "mine.py").write_text(program_of("python", broker), encoding="utf-8")
    with Listening(broker.url, client_id="page-python") as listening:
        listening.connected()
        done = subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        expect(listening, "crawler-7")


def test_the_node_program(broker: Mosquitto, node_packages: Path, tmp_path: Path) -> None:
    (tmp_path / "agent.js").write_bytes(printed("node"))
    (tmp_path / "mine.js").write_text(program_of("js", broker), encoding="utf-8")
    with Listening(broker.url, client_id="page-node") as listening:
        listening.connected()
        with Node(node_packages, tmp_path, tmp_path / "mine.js") as node:
            said = node.wait()
        assert node.process.returncode == 0, said
        expect(listening, "crawler-8")


def test_the_messages_of_the_shell_are_what_the_contract_says() -> None:
    told = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        words = shlex.split(line) if line.startswith("mosquitto_pub") else []
        if "-m" in words:
            told.append((words[words.index("-t") + 1], words[words.index("-m") + 1].encode()))
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
