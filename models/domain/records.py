"""What reading a message can yield, besides samples. Rare enough to be tuples; `row` is the message's place in its batch.

Ids are local integers (`names.Names`); 0 means none. Times are microseconds UTC, durations microseconds.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from models.domain.presence_words import Cause, Condition, Presence


class Level(IntEnum):
    """Severity of a log record on one scale. Values are stored: add, never renumber."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4
    FATAL = 5


class TaskState(IntEnum):
    """One scale for all task protocols. Values are stored: add, never renumber."""

    UNKNOWN = 0
    SUBMITTED = 1
    WORKING = 2
    INPUT_REQUIRED = 3
    AUTH_REQUIRED = 4
    COMPLETED = 5
    FAILED = 6
    CANCELED = 7
    REJECTED = 8

    @property
    def word(self) -> str:
        """The word that exports use, such as `input-required`."""
        return self.name.lower().replace("_", "-")

    @property
    def finished(self) -> bool:
        """Counts in the error ratio's denominator: completed or failed. Cancelled and rejected are neither."""
        return self in (TaskState.COMPLETED, TaskState.FAILED)


class Outcome(IntEnum):
    """Of an interaction or a connection attempt. Values are stored."""

    OK = 0
    ERROR = 1
    TIMEOUT = 2
    REFUSED = 3


class GapCause(StrEnum):
    """Why history is missing something. Stored codes; the window turns them into words."""

    NOT_RECORDING = "not-recording"
    NOT_CONNECTED = "not-connected"
    SESSION_LOST = "session-lost"
    SEQUENCE = "sequence"  # the publisher's own numbering jumped
    DROPPED = "dropped"  # QoS 0 beyond our limit
    BROKER_DROPPED = "broker-dropped"  # the broker's own counter says so
    RETENTION = "retention"
    LEFT_OUT = "left-out"  # older than what a backup was asked to hold
    CLOCK_STEP = "clock-step"
    DAMAGED = "damaged"  # a file of the store is gone or cannot be read


class LogRow(NamedTuple):
    row: int
    time_us: int
    agent: int
    level: Level
    logger: str | None
    text: str
    error: str | None = None
    stack: str | None = None
    attributes: str | None = None  # compact JSON object with sorted keys


class TaskReport(NamedTuple):
    row: int
    time_us: int
    agent: int
    task: str
    type: str | None
    state: TaskState
    parent: str | None = None
    requester: str | None = None
    attempt: int | None = None
    progress: float | None = None
    result: str | None = None
    error: str | None = None


class Interaction(NamedTuple):
    """A request with its reply, or a message that asked for none (`reply_us` is None then)."""

    row: int
    time_us: int
    sender: int
    receiver: int
    kind: str
    id: str
    reply_us: int | None
    outcome: Outcome


class Attempt(NamedTuple):
    """One connection attempt that an agent told of."""

    row: int
    time_us: int
    agent: int
    outcome: Outcome
    error: str | None
    duration_us: int | None
    target: str | None


class Declaration(NamedTuple):
    """What an agent says of itself. `None` leaves what was known before. `irregular`: it has no status and speaks when it has
    something to say, so that its silence says nothing."""

    row: int
    agent: int
    convention: str
    name: str | None = None
    group: str | None = None
    interval_us: int | None = None
    host: str | None = None
    version: str | None = None
    capabilities: tuple[str, ...] | None = None
    irregular: bool = False


class PresenceEvidence(NamedTuple):
    """A statement about presence found in a message. `rank` is its weight: 3 broker event, 2 will, birth or
    declared availability, 1 status word."""

    row: int
    agent: int
    presence: Presence
    condition: Condition
    cause: Cause
    rank: int = 1


class PresenceChange(NamedTuple):
    """One step of an agent's presence, as stored."""

    time_us: int
    agent: int
    presence: Presence
    condition: Condition
    cause: Cause


class Present(NamedTuple):
    """An agent that is there, as history tells: since when, last heard when (wall time), and its declared interval (0: none)."""

    agent: int
    presence: Presence
    condition: Condition
    cause: Cause
    since_us: int
    heard_us: int
    interval_us: int


class Gap(NamedTuple):
    """A stretch that history does not cover, or `missing` messages absent in it. `agent` 0 concerns everybody."""

    since_us: int
    until_us: int
    agent: int
    cause: GapCause
    missing: int


class Unreadable(NamedTuple):
    """A message that is stored but could not be read; `reason` is a code such as `json` or `too-deep`."""

    row: int
    reason: str
