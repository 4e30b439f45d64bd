"""The part of the query port that is about tasks, given from here or only reported by agents. Pure data."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from models.domain.records import TaskState
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.work import Step

NO_PROGRESS = math.nan


class TaskItem(NamedTuple):
    """One task as it stands. `given`: from here; else only agents tell of it. Agents by name, "" where none has it. Times in
    microseconds, 0: not yet. `progress` NaN: not told. `result` and `error` begin as they were told, the story has the whole."""

    task: str
    type: str
    agent: str
    requester: str
    parent: str
    state: TaskState
    reason: str = ""
    given: bool = False
    submitted_us: int = 0
    sent_us: int = 0
    started_us: int = 0
    ended_us: int = 0
    attempt: int = 0
    attempts: int = 0
    progress: float = NO_PROGRESS
    result: str = ""
    error: str = ""
    deadline_us: int = 0
    parts: int = 0

    @property
    def wait_us(self) -> int | None:
        """From submission to the beginning of work; None: one of them is not known."""
        return self.started_us - self.submitted_us if self.started_us and self.submitted_us else None

    @property
    def run_us(self) -> int | None:
        """From the beginning of work to its end; None: one of them is not known."""
        return self.ended_us - self.started_us if self.started_us and self.ended_us else None


@dataclass(frozen=True, slots=True)
class TasksRequest:
    """Tasks that were given, or last reported, in [since, until) (0: open end), newest first, and all that are open still.
    `at_us`: as they stood at this moment, and those that were open then; 0: now."""

    since_us: int = 0
    until_us: int = 0
    limit: int = 5_000
    at_us: int = 0


@dataclass(frozen=True, slots=True)
class TasksResult:
    """`whole`: there are no more than these."""

    request: TasksRequest
    items: tuple[TaskItem, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class TaskStoryRequest:
    """All about one task. `agent`: whose, where it was not given from here."""

    task: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class TaskStoryResult:
    """`item` None: nobody knows it any more. `input`, `result`, `error` whole, as told. `parts` in the order in which they were
    given."""

    request: TaskStoryRequest
    item: TaskItem | None
    input: str = ""
    result: str = ""
    error: str = ""
    steps: tuple[Step, ...] = ()
    parts: tuple[TaskItem, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandsRequest:
    """The newest commands that were given to agents; `agent`: to this one alone."""

    agent: str = ""
    limit: int = 1_000


@dataclass(frozen=True, slots=True)
class CommandsResult:
    """Newest first. `whole`: there are no more than these."""

    request: CommandsRequest
    items: tuple[AgentCommand, ...]
    whole: bool = True
