"""A recorder that gives tasks, with agents that serve it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import pytest

from app.control_client import ControlClient
from models.domain.control import Link
from models.domain.records import TaskState
from models.domain.tasks.orders import TaskOrder, new_task_id
from models.domain.tasks.work import Work
from models.storage.identity import client_id, read_workspace_id
from models.storage.tasks.reading import TaskReading
from models.storage.workspace import Workspace
from mqtt.agent import Agent, Task
from tests.helpers.poll import until
from tests.helpers.recorder_process import RecorderProcess


class Office:
    """Use as a context manager: the recorder runs and is connected."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, module: str = "app") -> None:
        self.url = url
        self.recorder = RecorderProcess(folder / "ws", url, module=module)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
        self.workspace = Workspace.at(folder / "ws")
        self.agents: list[Agent] = []
        self.ran: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        self.recorder.start()
        with ControlClient(self.workspace) as client:
            until(lambda: client.hello("cli").link is Link.CONNECTED, "it is connected")

    def __exit__(self, *_: object) -> None:
        self.recorder.kill()
        for agent in self.agents:
            agent.close()
        self.agents.clear()  # what they do refers to us: in a circle their sockets would be closed in any order

    @property
    def us(self) -> str:
        """The recorder's id among the agents."""
        return client_id(self.workspace, read_workspace_id(self.workspace))

    def agent(
        self, name: str, work: Callable[[Task], object], capabilities: Sequence[str] = ("sum",), workers: int = 1
    ) -> Agent:
        one = Agent(self.url, name, interval_s=1, capabilities=capabilities, workers=workers)
        for kind in capabilities:
            one.task(kind, lambda task: (self.ran.append((name, task.id)), work(task))[1])  # type: ignore[func-returns-value]
        self.agents.append(one.start())
        assert one.connected.wait(20)
        return one

    def give(self, kind: str = "sum", **fields: Any) -> str:
        order = TaskOrder(new_task_id(), kind, **fields)
        with ControlClient(self.workspace) as client:
            assert client.submit_tasks([order]) == [order.id]
        return order.id

    def ask(self, what: str, *arguments: object) -> None:
        """A method of the control client."""
        with ControlClient(self.workspace) as client:
            getattr(client, what)(*arguments)

    def now(self, task: str) -> Work:
        with TaskReading(self.workspace) as reading:
            found = reading.work(task)
        assert found is not None
        return found

    def ends(self, task: str) -> Work:
        until(lambda: self.now(task).ended_us, "the task ends")
        return self.now(task)

    def is_in(self, task: str, state: TaskState) -> Work:
        until(lambda: self.now(task).state is state, f"the task is {state.word}")
        return self.now(task)
