"""What the agent library does with what it is asked: once, with questions, and with commands to itself."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from mqtt.agent import Agent, Incoming, Task
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.sessions import Listening

pytestmark = pytest.mark.services


class Boss(Agent):
    """Gives tasks and hears what comes back."""

    def __init__(self, url: str, worker: str) -> None:
        super().__init__(url, f"boss-of-{worker}")
        self._worker = worker
        self.heard: list[Incoming] = []
        self.listen(self.heard.append)

    def give(self, task: str, attempt: int = 1, kind: str = "task", **body: object) -> None:
        self.say(self._worker, {"task": task, "type": "work", "attempt": attempt, **body}, kind)

    def ends(self, count: int) -> list[object]:
        until(lambda: len(self.heard) >= count, f"{count} answers")
        return [one.body for one in self.heard]


@pytest.fixture
def worker(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Agent]:
    with Agent(broker.url, request.node.name[:60], workers=2) as one:
        assert one.connected.wait(20)
        yield one


@pytest.fixture
def boss(broker: Mosquitto, worker: Agent) -> Iterator[Boss]:
    with Boss(broker.url, worker.id) as one:
        assert one.connected.wait(20)
        until(lambda: f"agents/{one.id}/inbox/+" in broker.log, "it listens")
        yield one  # type: ignore[misc]


def listens(broker: Mosquitto, worker: Agent) -> None:
    until(lambda: f"agents/{worker.id}/inbox/+" in broker.log, "it listens")


def test_one_that_comes_twice_is_done_once_and_told_twice(broker: Mosquitto, worker: Agent, boss: Boss) -> None:
    done: list[tuple[str, int]] = []

    @worker.task("work")
    def work(task: Task) -> int:
        done.append((task.id, task.attempt))
        return len(done)

    listens(broker, worker)
    boss.give("t")
    boss.ends(1)
    boss.give("t")
    boss.give("t", attempt=2)
    told = boss.ends(3)
    assert done == [("t", 1), ("t", 2)]
    assert [one["result"] for one in told] == [1, 1, 2]  # type: ignore[index]
    assert worker._card["capabilities"] == ["work", "inquiry"]


def test_it_asks_for_input_and_goes_on(broker: Mosquitto, worker: Agent, boss: Boss) -> None:
    asked = threading.Event()

    @worker.task("work")
    def work(task: Task) -> object:
        asked.set()
        return task.ask("may I?", 20)

    listens(broker, worker)
    boss.give("t")
    assert asked.wait(20)
    boss.give("t", kind="input", input="you may")
    assert boss.ends(1) == [{"task": "t", "state": "completed", "result": "you may"}]


def questions(ear: Listening) -> int:
    ear.take()
    return sum(b"may I?" in one.payload for one in ear.messages)


def test_asked_how_one_stands_it_tells_that_again(broker: Mosquitto, worker: Agent, boss: Boss) -> None:
    asked = threading.Event()

    @worker.task("work")
    def work(task: Task) -> object:
        asked.set()
        return task.ask("may I?", 20)

    with Listening(broker.url, client_id=f"ear-of-{worker.id}") as ear:
        ear.connected()
        listens(broker, worker)
        boss.give("t", kind="inquiry")
        assert boss.ends(1) == [{"task": "t", "state": "unknown"}]
        boss.give("t")
        assert asked.wait(20)
        until(lambda: questions(ear) == 1, "it asks")
        boss.give("t", kind="inquiry")
        until(lambda: questions(ear) == 2, "it asks again")
    boss.give("t", kind="input", input="you may")
    boss.ends(2)
    boss.give("t", kind="inquiry")
    boss.give("t", kind="inquiry", attempt=2)
    assert boss.ends(4)[1:] == [
        *([{"task": "t", "state": "completed", "result": "you may"}] * 2), {"task": "t", "state": "unknown"},
    ]  # fmt: skip


def test_cancelled_while_it_waits_for_input(broker: Mosquitto, worker: Agent, boss: Boss) -> None:
    worker.task("work", lambda task: task.ask("may I?"))
    listens(broker, worker)
    boss.give("t")
    until(lambda: "t" in worker._work.tasks and worker._work.tasks["t"].state == "input-required", "it asks")
    boss.give("t", kind="cancel")
    assert boss.ends(1) == [{"task": "t", "state": "canceled"}]


def test_paused_it_begins_nothing_and_drained_it_takes_nothing(broker: Mosquitto, worker: Agent, boss: Boss) -> None:
    worker.task("work", lambda _task: 1)
    listens(broker, worker)
    assert boss.ask(worker.id, {"command": "pause"}, "command").body == {"state": "completed"}
    boss.give("t")
    until(lambda: "t" in worker._work.tasks, "it is there")
    assert worker._work.tasks["t"].state == "submitted"
    boss.ask(worker.id, {"command": "resume"}, "command")
    assert boss.ends(1) == [{"task": "t", "state": "completed", "result": 1}]
    boss.ask(worker.id, {"command": "drain"}, "command")
    boss.give("u")
    assert boss.ends(2)[1] == {"task": "u", "state": "rejected", "error": "it takes no more"}


def test_commands_of_its_own_and_unknown_ones(broker: Mosquitto, worker: Agent, boss: Boss) -> None:
    worker.command("size", len)
    listens(broker, worker)
    assert boss.ask(worker.id, {"command": "size", "arguments": [1, 2]}, "command").body["result"] == 2
    assert boss.ask(worker.id, {"command": "size", "arguments": 1}, "command").body["state"] == "failed"
    assert boss.ask(worker.id, {"command": "dance"}, "command").body["state"] == "rejected"


def test_one_that_is_closed_lets_go_of_its_sockets_at_once(broker: Mosquitto) -> None:
    one = Agent(broker.url, "lets-go")
    one.listen(lambda _message: None)
    with one:
        assert one.connected.wait(20)
    client = weakref.ref(one._client)
    gc.disable()  # which would do it, sooner or later, and warn of sockets that it meets first
    try:
        del one
        assert client() is None
    finally:
        gc.enable()


def test_nobody_answers(boss: Boss) -> None:
    with pytest.raises(TimeoutError):
        boss.ask("nobody", "there?", timeout_s=0)
    assert not boss._asked
