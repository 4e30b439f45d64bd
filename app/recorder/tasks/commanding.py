"""Commands to agents: noted, then published, then answered."""

from collections.abc import Callable

from app.recorder.tasks.way_out import SendingOutcome, WayOut
from models.domain.problems import trouble
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.work import Sending, Told, fitting
from models.storage.tasks.task_file import TaskFile

REMEMBERED_US = 86_400_000_000
"""So long an agent may take to answer."""


class Commanding:
    """Task thread."""

    def __init__(self, file: TaskFile, way_out: WayOut, now_us: int) -> None:
        self._file, self._way_out = file, way_out
        self._open = {one.id: one for one in file.unanswered(now_us - REMEMBERED_US)}
        self._changed: dict[str, AgentCommand] = {}

    def take_changes(self) -> dict[str, AgentCommand]:
        """All since the last call, to be stored."""
        found, self._changed = self._changed, {}
        return found

    def give(self, command: AgentCommand, now_us: int, told: Callable[[SendingOutcome], None]) -> None:
        """Noted durably, then published. Raises `EnvironmentProblem` publish.not-connected (nothing was noted), store.*"""
        if not self._way_out.connected_since_us:
            raise trouble("publish.not-connected")
        command.asked_us = now_us
        while self._open and next(iter(self._open.values())).asked_us < now_us - REMEMBERED_US:
            del self._open[next(iter(self._open))]
        self._file.put_command(command)
        self._open[command.id] = command
        self._way_out.command(command, told)

    def take_receipt(self, id_: str, outcome: SendingOutcome) -> None:
        """What the broker said to it."""
        command = self._open.get(id_)
        if command is None:
            return
        if outcome.refused or outcome.unsent:
            command.state, command.answer = "failed", outcome.refused or "not connected"
            command.sending = Sending.PLANNED
            del self._open[id_]
        else:
            command.sending = Sending.UNKNOWN if outcome.lost else Sending.ACKNOWLEDGED
        self._changed[id_] = command

    def knows(self, id_: str) -> bool:
        """Is it one that is not answered yet? Any thread."""
        return id_ in self._open

    def told(self, told: Told, now_us: int) -> None:
        """Its agent answers; of anybody else it does not count."""
        command = self._open.get(told.task)
        if command is None or command.agent != told.agent:
            return
        told = fitting(told)
        command.state, command.answer = told.state.word, told.error or told.result
        command.sending, command.answered_us = Sending.ACKNOWLEDGED, now_us
        del self._open[told.task]
        self._changed[command.id] = command
