"""The part of the query port that is about the store itself: what it holds, what it misses, what could not be read."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.list_queries import RowKey
from models.domain.records import GapCause

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """Sizes and span of what is held. Days are those of `zone`; None: of this computer."""

    zone: tzinfo | None = None


class DayColumns(NamedTuple):
    """A day with anything in it per entry, ascending; `since_us` is its midnight. A file that holds several days counts
    towards each what its commits hold, and its bytes in proportion to the messages."""

    since_us: Int64
    messages: Int64
    samples: Int64
    logs: Int64
    tasks: Int64
    bytes: Int64


class CaptureRow(NamedTuple):
    """What is held of one recorder run or one import. `first_us`, `last_us`: of what arrived; 0 where nothing has yet."""

    id: int
    kind: str  # record, import
    source: str  # address of the broker without secrets, or the files
    started_us: int
    ended_us: int  # 0: it runs, or ended without a word
    first_us: int
    last_us: int
    messages: int
    samples: int
    logs: int
    tasks: int
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class StoreResult:
    """`captures` newest first. `free_bytes`: of the disk that the workspace is on; 0 where it cannot be told."""

    request: StoreRequest
    first_us: int
    last_us: int
    bytes: int
    rows: dict[str, int]  # messages, samples, logs, …
    agents: int
    unreadable: int
    duplicates: int
    dropped: int
    free_bytes: int
    days: DayColumns
    captures: tuple[CaptureRow, ...]


@dataclass(frozen=True, slots=True)
class RetentionRequest:
    """What limits would remove at once; 0: no limit of that kind."""

    keep_bytes: int
    keep_us: int


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """Files go whole, the oldest first. `last_us` is the arrival of the newest message among them; 0 where none goes."""

    request: RetentionRequest
    files: int
    bytes: int
    messages: int
    last_us: int


class GapColumns(NamedTuple):
    since_us: Int64
    until_us: Int64
    cause: list[GapCause]
    agent: Int64  # 0: everybody
    missing: Int64


@dataclass(frozen=True, slots=True)
class GapsRequest:
    """What history does not cover in [since_us, until_us); `until_us` 0: open end."""

    since_us: int = 0
    until_us: int = 0


@dataclass(frozen=True, slots=True)
class GapsResult:
    """By their beginning. A gap that goes on ends now."""

    request: GapsRequest
    gaps: GapColumns


@dataclass(frozen=True, slots=True)
class UnreadableRequest:
    """Topics with messages that arrived in [since_us, until_us) and could not be read; `until_us` 0: open end."""

    since_us: int = 0
    until_us: int = 0


class UnreadableTopic(NamedTuple):
    """`reason` and `sample` (the beginning of the payload) are those of the last such message, `key` names it."""

    topic: bytes
    messages: int
    reason: str
    key: RowKey
    sample: bytes


@dataclass(frozen=True, slots=True)
class UnreadableResult:
    """The last one first."""

    request: UnreadableRequest
    topics: tuple[UnreadableTopic, ...]
