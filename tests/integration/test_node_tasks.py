"""What the library for Node does with what it is asked: once, with questions, and with commands to itself."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mqtt.agent import Agent, Incoming
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.node import EXAMPLE, Node
from tests.helpers.poll import until
from tests.helpers.sessions import Listening

pytestmark = pytest.mark.services

SCRIPT = Path(__file__).parent / "node/works.js"


class Boss(Agent):
    """Gives tasks to the worker and hears what comes back."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "boss")
        self.heard: list[Incoming] = []
        self.listen(self._hear)

    def _hear(self, message: Incoming) -> None:
        if message.body == "how many?":
            self.reply(message, 42)
        else:
            self.heard.append(message)

    def give(self, task: str, work: str = "count", kind: str = "task", **more: object) -> None:
        self.say("worker", {"task": task, "type": work, "attempt": 1, **more}, kind)

    def ends(self, count: int) -> list[object]:
        until(lambda: len(self.heard) >= count, f"{count} answers")
        return [one.body for one in self.heard]

    def order(self, command: str, arguments: object = None) -> object:
        return self.ask("worker", {"command": command, "arguments": arguments}, "command").body


@pytest.fixture
def boss(
    node_packages: Path, make_broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Boss, Listening]]:  # fmt: skip
    monkeypatch.setitem(os.environ, "AGENT_JS", str(EXAMPLE / "agent.js"))
    broker: Mosquitto = make_broker()
    with (
        Listening(broker.url, client_id="ear") as ear, Boss(broker.url) as one,
        Node(node_packages, tmp_path, SCRIPT, broker.url, "worker") as node,
    ):  # fmt: skip
        ear.connected()
        until(lambda: all(f"agents/{name}/inbox/+" in broker.log for name in ("boss", "worker")), "both listen")
        yield one, ear  # type: ignore[misc]
        assert not node.end()


def states(ear: Listening, task: bytes) -> list[bytes]:
    ear.take()
    told = [one.payload for one in ear.on(b"agents/worker/task") if b'"task":"%b"' % task in one.payload]
    return [one.partition(b'"state":"')[2].partition(b'"')[0] for one in told]


def test_tasks_questions_and_commands(boss: tuple[Boss, Listening]) -> None:
    boss_, ear = boss
    boss_.give("t")
    boss_.ends(1)
    boss_.give("t")
    boss_.give("t", attempt=2)
    assert [one["result"] for one in boss_.ends(3)] == [1, 1, 2]  # type: ignore[index]

    boss_.give("q", "ask")
    until(lambda: b"input-required" in states(ear, b"q"), "it asks")
    boss_.give("q", kind="inquiry")
    until(lambda: states(ear, b"q").count(b"input-required") == 2, "asked how it stands, it says so again")
    boss_.give("q", kind="input", input="you may")
    assert boss_.ends(4)[3] == {"task": "q", "state": "completed", "result": {"told": "you may"}}

    boss_.give("w", "wait")
    until(lambda: states(ear, b"w").count(b"working") >= 4, "it says that it is still at it")
    assert sum(b'"progress":0.5' in one.payload for one in ear.messages) >= 2
    boss_.give("w", kind="cancel")
    assert boss_.ends(5)[4] == {"task": "w", "state": "canceled"}
    boss_.give("v", "ask")
    until(lambda: b"input-required" in states(ear, b"v"), "it asks")
    boss_.give("v", kind="cancel")
    assert boss_.ends(6)[5] == {"task": "v", "state": "completed", "result": {}}

    boss_.give("f", "forward", input="boss")
    assert boss_.ends(7)[6] == {"task": "f", "state": "completed", "result": 42}
    boss_.give("n", "vain")
    failed = boss_.ends(8)[7]
    assert failed == {"task": "n", "state": "failed", "error": "Error: nobody did not answer within 0.01 s"}

    assert boss_.order("ping") == {"state": "completed"}
    assert boss_.order("size", [1, 2]) == {"state": "completed", "result": 2}
    assert boss_.order("size")["state"] == "failed"  # type: ignore[index]
    assert boss_.order("dance") == {"state": "rejected", "error": "no handler for the command dance"}
    boss_.order("pause")
    boss_.give("p")
    until(lambda: states(ear, b"p") == [b"submitted"], "it is there, and not begun")
    boss_.order("resume")
    assert boss_.ends(9)[8] == {"task": "p", "state": "completed", "result": 3}
    boss_.give("p", kind="inquiry")
    boss_.give("z", kind="inquiry")
    known = {"task": "p", "state": "completed", "result": 3}
    assert boss_.ends(11)[9:] == [known, {"task": "z", "state": "unknown"}]
    boss_.order("drain")
    boss_.give("d")
    assert boss_.ends(12)[11] == {"task": "d", "state": "rejected", "error": "it takes no more"}
