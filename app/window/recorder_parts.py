"""The window's link to a recorder: the one of the workspace, or none where a copy is only looked at."""

import platform
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from PySide6.QtCore import QObject

from app.control_client import ControlClient
from app.window import recorder_process
from app.window.recorder_link import OnStep, RecorderLink
from app.window.recorder_watch import HELLO_S, RecorderWatch, Seen
from models.domain.clock import Clock
from models.domain.connection import Connection, Secret
from models.domain.control import RecorderState
from models.domain.problems import trouble
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportResult, OnProgress
from models.domain.tasks.orders import TaskOrder
from models.storage.lock import read_lock
from models.storage.workspace import Workspace

ANSWER_LIMIT_S = 3.0


def recorder_link(workspace: Workspace, clock: Clock, parent: QObject) -> RecorderLink:
    """Attaches to the recorder of a workspace, starts one where none runs."""
    client = ControlClient(workspace, ANSWER_LIMIT_S)
    start = partial(recorder_process.start_recorder, workspace.root)
    watch = RecorderWatch(
        client, start, recorder_process.end_recorder, partial(read_lock, workspace), platform.node(), clock
    )
    return RecorderLink(client, watch, parent)


def no_recorder_link(parent: QObject) -> RecorderLink:
    """Answers whatever would change something that this window only looks at it."""
    client = _Nobody()
    return RecorderLink(client, _NobodyThere(), parent)


class _NobodyThere:
    """`RecorderWatch` where none is wanted."""

    def look(self) -> Seen:
        return Seen(None, None, HELLO_S)

    def start_again(self) -> None:
        """Nothing to start."""

    def end_silent(self) -> None:
        """Nobody is silent."""

    def restart(self) -> None:
        """Nothing runs."""


class _Nobody:
    """`ControlClient` where no recorder is wanted."""

    def hello(self, role: str) -> RecorderState:
        self._refuse(role)

    def submit(self, commands: list[dict[str, object]]) -> None:
        self._refuse(commands)

    def submit_tasks(self, orders: Sequence[TaskOrder]) -> list[str]:
        self._refuse(orders)

    def cancel_task(self, task: str) -> None:
        self._refuse(task)

    def retry_task(self, task: str) -> None:
        self._refuse(task)

    def answer_task(self, task: str, text: str) -> None:
        self._refuse(task, text)

    def command_agent(self, agent: str, command: str, arguments: str = "null", confirmed: str = "") -> str:
        self._refuse(agent, command, arguments, confirmed)

    def publish(self, message: OutgoingMessage) -> Published:
        self._refuse(message)

    def wake(self, *, anew: bool = False) -> None:
        self._refuse(anew)

    def test_connection(self, connection: Connection, password: Secret | None, on_step: OnStep) -> None:
        self._refuse(connection, password, on_step)

    def import_files(
        self, paths: Sequence[Path], on_progress: OnProgress, *, again: bool = False, make_room: bool = False
    ) -> ImportResult:
        self._refuse(paths, on_progress, again, make_room)

    def secret(self, text: str) -> None:
        """There is nobody to give it to."""

    def stop(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing is open."""

    @staticmethod
    def _refuse(*_wanted: object) -> NoReturn:
        raise trouble("look.read-only")
