"""A delegated task as it stands, and what happens to it. States are on the one scale of `records.TaskState`; why it stands so is
kept apart."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple

from models.domain.records import TaskState
from models.domain.tasks.orders import Fan, TaskOrder

RESULT_LIMIT, ERROR_LIMIT = 4 << 20, 64 << 10
"""Characters that are kept of what an agent tells."""
QUIET_US = 30_000_000
"""An agent that tells nothing of a task for so long is asked after it."""
ENDED = frozenset((TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED))


class Reason(StrEnum):
    """Why a task waits or ended as it did. Stored words: add, never rename."""

    NONE = ""
    FAILED = "failed"  # its agent says that it failed
    DIED = "died"  # its agent went offline while it had it
    LATE = "late"  # its deadline passed
    NOBODY = "nobody"  # no agent that serves it is there
    REJECTED = "rejected"  # its agent would not take it
    REFUSED = "refused"  # the broker would not take it
    UNSURE = "unsure"  # nobody knows whether it was sent
    ASKED = "asked"  # cancelled by who gave it
    NOT_NEEDED = "not-needed"  # another part of the whole was enough
    PARTS = "parts"  # its parts did not come to a result
    BUSY = "busy"  # those that serve it have as many as they may
    AGAIN = "again"  # somebody has it tried once more
    ELSEWHERE = "elsewhere"  # this workspace is a copy: the one that it was copied from has it
    STOPPING = "stopping"  # its agent was asked to stop
    ANSWERED = "answered"  # somebody gave what its agent asked for
    UNCONNECTED = "unconnected"  # there is no connection with the broker
    STRANGER = "stranger"  # told by an agent that does not have it; does not count
    TOO_LATE = "too-late"  # told after its end; does not count


class Sending(IntEnum):
    """Of the present attempt. Values are stored: add, never renumber."""

    PLANNED = 0  # nobody was chosen yet
    SENDING = 1  # stored before the first byte leaves
    ACKNOWLEDGED = 2  # the broker has it, or it was found in what we record
    UNKNOWN = 3  # the connection broke, or we did, and it was not found


class Step(NamedTuple):
    """One line of a task's history. `text`: what its agent or the broker said."""

    task: str
    time_us: int
    attempt: int
    agent: str
    state: TaskState
    reason: Reason
    text: str = ""


class Told(NamedTuple):
    """What somebody says of a task: a report that was recorded. `attempt` 0: it does not say which."""

    agent: str
    task: str
    state: TaskState
    attempt: int = 0
    progress: float | None = None
    result: str | None = None
    error: str | None = None
    time_us: int = 0  # arrival


def fitting(told: Told) -> Told:
    """Without what is too long to be kept with the task: the message that told it has it whole."""
    if told.error is not None and len(told.error) > ERROR_LIMIT:
        told = told._replace(error=told.error[:ERROR_LIMIT])
    result, left_out = kept(told.result)
    return told._replace(result=result, error=told.error or left_out) if left_out else told


def kept(result: str | None) -> tuple[str | None, str | None]:
    """The result as it is kept with its task, and, where it is too long for that, a sentence that says so."""
    if result is None or len(result) <= RESULT_LIMIT:
        return result, None
    return None, f"a result of {len(result):,} characters is too long to be kept with the task"


@dataclass(slots=True)
class Work:
    """One task. Times are wall time in microseconds, 0: not yet. `due_us`: when it may be tried again."""

    order: TaskOrder
    created_us: int
    state: TaskState = TaskState.SUBMITTED
    reason: Reason = Reason.NONE
    agent: str = ""
    attempt: int = 0
    attempts_most: int = 1
    sending: Sending = Sending.PLANNED
    progress: float | None = None
    result: str | None = None
    error: str | None = None
    sent_us: int = 0
    started_us: int = 0
    ended_us: int = 0
    due_us: int = 0
    cancel_us: int = 0  # when somebody asked for its end
    children: int = 0  # 0: it has no parts of which its result is made
    inquired: bool = False  # its agent was asked and has not answered; of this run alone
    ask_us: int = 0  # when its agent is asked how it stands, if nothing is told until then; of this run alone
    ran_at: set[str] = field(default_factory=set)  # agents of earlier attempts, of this run alone

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def gathers(self) -> bool:
        """Is it done by its children alone?"""
        return self.order.fan is Fan.EACH

    @property
    def waits(self) -> bool:
        """Is it nobody's at present, nor divided?"""
        return self.state is TaskState.SUBMITTED and self.sending is Sending.PLANNED and not self.children


class Dispatch(NamedTuple):
    """A message to be sent about a task, once what led to it is stored. `kind`: task, cancel, answer or inquiry; `text`: the answer's JSON."""

    kind: str
    work: Work
    agent: str
    attempt: int
    text: str = "null"


@dataclass(slots=True)
class Changes:
    """What one turn brought about: to be stored in one transaction; then `dispatches` go out."""

    works: dict[str, Work] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)

    def add(self, later: "Changes") -> None:
        """What came about after this, before it was stored."""
        self.works |= later.works
        self.steps += later.steps
        self.dispatches += later.dispatches

    def apart(self) -> Iterator["Changes"]:
        """To be stored one task at a time; nothing to send."""
        for id_ in dict.fromkeys((*self.works, *(one.task for one in self.steps))):
            work = {id_: self.works[id_]} if id_ in self.works else {}
            yield Changes(work, [one for one in self.steps if one.task == id_])
