"""The part of the query port that lists stored rows, newest first: log records, messages and their topics, tasks."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.messages import Kind, Origin, Properties
from models.domain.records import Level, TaskState
from models.domain.search.terms import EVERYTHING, Term

Int64 = npt.NDArray[np.int64]


class RowKey(NamedTuple):
    """Identity and order of a stored row over all segments."""

    received_us: int
    segment: int
    seq: int


@dataclass(frozen=True, slots=True)
class LogRequest:
    """The newest `limit` records before `before` (None: from the end) and after `after` (None: from the beginning), newest
    first, that meet `query`. `agent` 0: all.

    `after` asks for news: what a recorder stored behind that row, whatever the clock said. With `oldest_first` it asks for what
    arrived after it, and the page holds the oldest of that, oldest first.
    """

    agent: int = 0
    query: Term = EVERYTHING
    before: RowKey | None = None
    since_us: int = 0
    until_us: int = 0  # 0: open end
    limit: int = 200
    after: RowKey | None = None
    oldest_first: bool = False


class Reach(NamedTuple):
    """How far a page of rows looked. A search through much that does not match ends after a moment with a short page, or
    an empty one, so that the list can tell how far it is, go on, or stop.

    `searched` is where the page ended: ask on with it as `before` (`oldest_first`: as `after`); None: nothing is left there.
    `newest` is the last row that a recorder had stored: ask later with it as `after` for what it stored since; None: nothing is
    stored. `matched` is how many rows match after `after`, also those that the page had no room for; -1 where `after` was None,
    or with `oldest_first`.
    """

    searched: RowKey | None = None
    newest: RowKey | None = None
    matched: int = -1


UNKNOWN_REACH = Reach()


class LogLine(NamedTuple):
    key: RowKey
    time_us: int
    agent: int
    level: Level
    logger: str
    text: str
    error: str
    stack: str
    attributes: str
    message: int = 0  # `seq` of the message that it was read from, in the same segment


@dataclass(frozen=True, slots=True)
class LogResult:
    request: LogRequest
    rows: tuple[LogLine, ...]
    reach: Reach = UNKNOWN_REACH


@dataclass(frozen=True, slots=True)
class LogSummaryRequest:
    """How the records that meet `query` spread over time, by level, and what stands in their fields. Of those that arrived in
    [since_us, until_us), which are whole cells of `cell_us`: multiples of it. `agent` 0: all. `facets` False: counts alone."""

    query: Term
    since_us: int
    until_us: int
    cell_us: int
    agent: int = 0
    facets: bool = True


class Facet(NamedTuple):
    """What a field holds: the most frequent values with how many records have them, how many records have the field at all,
    and how many other values there are."""

    field: str
    values: tuple[tuple[str, int], ...]
    records: int
    others: int


@dataclass(frozen=True, slots=True)
class LogSummaryResult:
    """`counts` [cells, levels] is whole from `counted_us` on; where `complete` is false, a fuller page follows. The facets tell
    of the newest `sampled` records alone."""

    request: LogSummaryRequest
    counts: Int64
    counted_us: int
    facets: tuple[Facet, ...]
    sampled: int
    complete: bool


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """As `LogRequest`, of messages, but for the query. Payloads are cut to `payload_limit` bytes.

    `topic` empty: of all topics. With `branch` also those below it, whole levels only (below the empty one: what begins
    with a slash). `text` matches anywhere in topic or payload, case-blind. `pattern`: of all topics that a mapping rule with
    this one is for (`rules.TopicPattern`, of which it must be one); empty: whatever the topic.
    """

    agent: int = 0
    topic: bytes = b""
    before: RowKey | None = None
    since_us: int = 0
    until_us: int = 0
    limit: int = 200
    payload_limit: int = 65_536
    branch: bool = False
    text: str = ""
    after: RowKey | None = None
    pattern: str = ""
    oldest_first: bool = False


class MessageLine(NamedTuple):
    key: RowKey
    topic: bytes
    agent: int
    kind: Kind
    origin: Origin
    qos: int
    retain: bool
    duplicate: bool
    size: int
    payload: bytes
    properties: Properties | None


@dataclass(frozen=True, slots=True)
class MessageResult:
    request: MessageRequest
    rows: tuple[MessageLine, ...]
    reach: Reach = UNKNOWN_REACH


@dataclass(frozen=True, slots=True)
class TopicsRequest:
    """Totals of the topics on which something came after `since`, a `TopicsResult.revision`; 0: of all topics."""

    since: int = 0


@dataclass(frozen=True, slots=True)
class TopicsResult:
    """One entry per topic in every column, in the order of `topic` (local ids, ascending).

    The totals count every message that was ever stored, so also what retention has removed since. `agent` is that of the
    newest message, 0: none. `whole`: no other topics exist, so whatever was known before is to be forgotten.
    """

    request: TopicsRequest
    revision: int
    whole: bool
    topic: Int64
    name: list[bytes]
    messages: Int64
    payload_bytes: Int64
    last_us: Int64
    agent: Int64


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """Tasks of an agent (0: all), each as last reported, newest report first."""

    agent: int = 0
    since_us: int = 0
    until_us: int = 0
    limit: int = 200


class TaskLine(NamedTuple):
    key: RowKey
    task: str
    agent: int
    type: str
    state: TaskState
    parent: str
    requester: str
    submitted_us: int  # 0: not told
    started_us: int
    ended_us: int
    attempt: int
    progress: float  # NaN: not told
    result: str
    error: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    request: TaskRequest
    rows: tuple[TaskLine, ...]
