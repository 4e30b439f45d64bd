"""The query port: what one can ask of history, and the columns that answer. Pure data; any thread.

A request is frozen and says everything (no hidden state). A result is columnar, belongs to whoever received it, and names
its request, so that a stale answer can be told. Times are microseconds UTC; `received_us` is arrival, `time_us` the
agent's own time where plausible.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from models.domain.annotations import AnnotationsRequest, AnnotationsResult
from models.domain.field_queries import FieldRequest, FieldResult
from models.domain.flow_queries import FlowRequest, FlowResult, TalkRequest, TalkResult
from models.domain.heat_queries import HeatRequest, HeatResult
from models.domain.list_queries import (
    UNKNOWN_REACH,
    Facet,
    LogLine,
    LogRequest,
    LogResult,
    LogSummaryRequest,
    LogSummaryResult,
    MessageLine,
    MessageRequest,
    MessageResult,
    Reach,
    RowKey,
    TaskLine,
    TaskRequest,
    TaskResult,
    TopicsRequest,
    TopicsResult,
)
from models.domain.names import SeriesKey
from models.domain.presence_words import Cause
from models.domain.problems import Problem
from models.domain.pulse_figures import PulseRequest, PulseResult
from models.domain.related_queries import RelatedRequest, RelatedResult
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult
from models.domain.series_queries import (
    HOUR_QUANTILES,
    AttemptColumns,
    EventsRequest,
    EventsResult,
    Float64,
    HourColumns,
    Int64,
    PresenceColumns,
    SeriesColumns,
    SeriesRequest,
    SeriesResult,
    UInt8,
)
from models.domain.store_queries import (
    CaptureRow,
    DayColumns,
    GapColumns,
    GapsRequest,
    GapsResult,
    KeepLimit,
    KindHeld,
    Removal,
    RetentionRequest,
    RetentionResult,
    SealedFigures,
    StoreKind,
    StoreRequest,
    StoreResult,
    UnreadableRequest,
    UnreadableResult,
    UnreadableTopic,
)
from models.domain.task_queries import (
    CommandsRequest,
    CommandsResult,
    TasksRequest,
    TasksResult,
    TaskStoryRequest,
    TaskStoryResult,
)

__all__ = [
    "HOUR_CELLS",
    "HOUR_QUANTILES",
    "SPARK_CELLS",
    "UNKNOWN_REACH",
    "AgentRequest",
    "AgentResult",
    "AnnotationsRequest",
    "AnnotationsResult",
    "AttemptColumns",
    "CancelToken",
    "Cancelled",
    "CaptureRow",
    "CommandsRequest",
    "CommandsResult",
    "DataSource",
    "DayColumns",
    "EventsRequest",
    "EventsResult",
    "Facet",
    "Failed",
    "FieldRequest",
    "FieldResult",
    "FleetRequest",
    "FleetResult",
    "Float32",
    "Float64",
    "FlowRequest",
    "FlowResult",
    "GapColumns",
    "GapsRequest",
    "GapsResult",
    "HeatRequest",
    "HeatResult",
    "HourColumns",
    "Int64",
    "KeepLimit",
    "KindHeld",
    "LogLine",
    "LogRequest",
    "LogResult",
    "LogSummaryRequest",
    "LogSummaryResult",
    "MessageLine",
    "MessageRequest",
    "MessageResult",
    "NamesRequest",
    "NamesResult",
    "PresenceColumns",
    "Reach",
    "RelatedRequest",
    "RelatedResult",
    "Removal",
    "Request",
    "Result",
    "RetentionRequest",
    "RetentionResult",
    "RowKey",
    "SealedFigures",
    "SeriesColumns",
    "SeriesInfo",
    "SeriesRequest",
    "SeriesResult",
    "StoreKind",
    "StoreRequest",
    "StoreResult",
    "TalkRequest",
    "TalkResult",
    "TaskLine",
    "TaskRequest",
    "TaskResult",
    "TaskStoryRequest",
    "TaskStoryResult",
    "TasksRequest",
    "TasksResult",
    "Ticket",
    "TopicsRequest",
    "TopicsResult",
    "UInt8",
    "UnreadableRequest",
    "UnreadableResult",
    "UnreadableTopic",
]  # fmt: skip

Float32 = npt.NDArray[np.float32]

HOUR_CELLS = 60  # of the hour strip, one minute each; the last cell is the running minute
SPARK_CELLS = 60  # of a sparkline, ten seconds each


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """All agents as they were at `at_us` (0: now, from the newest commit), with their last hour."""

    at_us: int = 0
    with_retired: bool = False


@dataclass(frozen=True, slots=True)
class FleetResult:
    """One entry per agent in every column, in the order of `agent` (ids, ascending). NaN: no data.

    `hour_presence` [n, HOUR_CELLS] holds the worst Presence of each minute (0: nothing known), `hour_errors` failed tasks
    and requests, failed connections and error logs of that minute. Figures "in the hour" cover the same 60 minutes.
    CPU is a ratio 0–1 where `cpu_unit` is "1", else a number in that unit; memory in bytes where "By".
    """

    request: FleetRequest
    at_us: int
    agent: Int64
    id: list[str]
    name: list[str]
    group: list[str]
    note: list[str]
    convention: list[str]
    presence: UInt8
    condition: UInt8
    cause: list[Cause]
    since_us: Int64
    last_seen_us: Int64
    interval_us: Int64  # 0: none known
    maintenance_until_us: Int64  # 0: not in maintenance
    retired: npt.NDArray[np.bool_]
    cpu: Float64
    cpu_unit: list[str]
    cpu_source: list[str]  # metric name, for the tooltip
    memory: Float64
    memory_unit: list[str]
    memory_source: list[str]
    cpu_spark: Float32  # [n, SPARK_CELLS]
    memory_spark: Float32
    response_p95_s: Float64  # in the hour
    response_n: Int64
    finished: Int64  # tasks and answered requests in the hour
    failed: Int64
    tasks_open: Int64  # tasks not yet ended, as last reported
    attempts: Int64  # connection attempts in the hour
    successes: Int64
    errors: Int64
    log_errors: Int64  # error and fatal records in the hour
    messages: Int64  # in the hour
    hour_presence: UInt8
    hour_errors: npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """Everything that does not grow with time about one agent."""

    agent: int


@dataclass(frozen=True, slots=True)
class NamesRequest:
    """What all agents are called."""


@dataclass(frozen=True, slots=True)
class NamesResult:
    """One entry per agent, by `agent` (local id). `name` is what the window shows; the same as `id` where there is none."""

    request: NamesRequest
    agent: list[int]
    id: list[str]
    name: list[str]


class SeriesInfo(NamedTuple):
    id: int
    key: SeriesKey


@dataclass(frozen=True, slots=True)
class AgentResult:
    """`headline` maps "cpu", "memory", "response", "attempts", "successes", "errors" to the series that the fleet shows.

    `response` may be absent while replies were joined by us: then `replies` is true and `ReplyRequest` has them.
    """

    request: AgentRequest
    id: str
    name: str
    group: str
    note: str
    convention: str
    host: str
    version: str
    capabilities: tuple[str, ...]
    first_seen_us: int
    last_seen_us: int
    interval_us: int
    messages: int
    series: tuple[SeriesInfo, ...]
    headline: dict[str, int]


Request = (
    FleetRequest
    | AgentRequest
    | NamesRequest
    | SeriesNamesRequest
    | PulseRequest
    | HeatRequest
    | SeriesRequest
    | EventsRequest
    | AnnotationsRequest
    | LogRequest
    | LogSummaryRequest
    | MessageRequest
    | FieldRequest
    | RelatedRequest
    | TopicsRequest
    | TaskRequest
    | TasksRequest
    | FlowRequest
    | TalkRequest
    | TaskStoryRequest
    | CommandsRequest
    | StoreRequest
    | RetentionRequest
    | GapsRequest
    | UnreadableRequest
)
Result = (
    FleetResult
    | AgentResult
    | NamesResult
    | SeriesNamesResult
    | PulseResult
    | HeatResult
    | SeriesResult
    | EventsResult
    | AnnotationsResult
    | LogResult
    | LogSummaryResult
    | MessageResult
    | FieldResult
    | RelatedResult
    | TopicsResult
    | TaskResult
    | TasksResult
    | FlowResult
    | TalkResult
    | TaskStoryResult
    | CommandsResult
    | StoreResult
    | RetentionResult
    | GapsResult
    | UnreadableResult
)


@dataclass(frozen=True, slots=True)
class Failed:
    """Delivered instead of a result."""

    request: Request
    problem: Problem


class Ticket(Protocol):
    """One question under way."""

    def cancel(self) -> None:
        """Nothing is delivered any more. Safe to call late or twice. GUI thread."""
        ...


class DataSource(Protocol):
    """Asks history on a reader thread."""

    def ask(self, request: Request, deliver: Callable[[Result | Failed], None]) -> Ticket:
        """`deliver` runs in the caller's (GUI) thread: once, or several times for partial pages, or never if cancelled.

        A question that takes longer than its deadline (30 s) is delivered as `Failed`.
        """
        ...


class Cancelled(Exception):  # noqa: N818 - not an error
    """Raised inside a reader when its question was cancelled."""


@dataclass(slots=True)
class CancelToken:
    """Set by whoever asked; looked at by the reader between batches."""

    cancelled: bool = field(default=False)

    def check(self) -> None:
        """Raises `Cancelled`."""
        if self.cancelled:
            raise Cancelled
