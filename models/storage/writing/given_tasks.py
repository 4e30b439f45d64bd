"""Tasks that were given from here, as far as the catalogue counts them as open with their agents. Of an end that nobody told, or of
an attempt that went on to another agent, the segments know nothing: `tasks.db` does."""

from typing import Any

import apsw

from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem
from models.storage.tasks.reading import TaskReading
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

EVERY_US = 10_000_000
QUIET_US = 60_000_000
"""An agent that told of a task within this has it, whatever became of it here."""
_OPEN = "SELECT agent_id, name, task FROM open_task JOIN agent ON agent.id = agent_id WHERE reported_us < ?"
_FORGET = "DELETE FROM open_task WHERE agent_id = ? AND task = ?"
_COUNT = "UPDATE agent_now SET tasks_open = (SELECT count(*) FROM open_task WHERE agent_id = ?1) WHERE agent_id = ?1"


class GivenTasks:
    """One thread, the catalogue's."""

    def __init__(self, workspace: Workspace, clock: Clock, catalogue: apsw.Connection) -> None:
        self._workspace, self._clock, self._catalogue = workspace, clock, catalogue
        self._next_us = 0  # monotonic

    def forget_ended(self) -> None:
        """Now and then: no longer open with an agent is what has ended, or another agent has now."""
        if self._clock.monotonic_us() < self._next_us:
            return
        self._next_us = self._clock.monotonic_us() + EVERY_US
        quiet: list[Any] = self._catalogue.execute(_OPEN, (self._clock.wall_us() - QUIET_US,)).fetchall()
        if not quiet:
            return
        try:
            with TaskReading(self._workspace) as reading:
                whose = reading.whose([task for _, _, task in quiet])
        except EnvironmentProblem:
            return  # whoever gives tasks tells of it
        gone = [(agent, task) for agent, name, task in quiet if whose.get(task, name) != name]
        if gone:
            with transaction(self._catalogue):
                self._catalogue.executemany(_FORGET, gone)
                self._catalogue.executemany(_COUNT, [(agent,) for agent in sorted({agent for agent, _ in gone})])
