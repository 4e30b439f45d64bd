"""The part of the query port that is about the store itself: what it holds, what it misses, what could not be read."""

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.list_queries import RowKey
from models.domain.records import GapCause

Int64 = npt.NDArray[np.int64]


class StoreKind(StrEnum):
    """What is kept and removed by itself, by limits of its own."""

    RECORDED = "recorded"
    IMPORTED = "imported"
    HOURS = "hours"  # hour roll-ups, which outlive what they sum up


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


class KindHeld(NamedTuple):
    """`rows`: messages, of hours the hours of all series together. `first_us`: how far it reaches back, 0 where nothing is
    held; of hours those alone whose samples are gone. Of what is recorded, `bytes` counts the catalogue too.
    As of the last take-in."""

    kind: StoreKind
    bytes: int
    rows: int
    first_us: int


class SealedFigures(NamedTuple):
    """Closed segments that were written anew, small: how many, their bytes now and before; how many wait for it, and how often
    it failed with those."""

    segments: int = 0
    bytes: int = 0
    bytes_before: int = 0
    waiting: int = 0
    failures: int = 0

    @property
    def bytes_saved(self) -> int:
        return self.bytes_before - self.bytes


@dataclass(frozen=True, slots=True)
class StoreResult:
    """`captures` newest first, `kinds` in the order of `StoreKind`. `free_bytes`: of the disk that the workspace is on; 0 where it cannot be told."""

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
    kinds: tuple[KindHeld, ...]
    sealed: SealedFigures = SealedFigures()  # noqa: RUF009 - frozen


class KeepLimit(NamedTuple):
    """How much of a kind shall be kept; 0: no limit of that sort."""

    kind: StoreKind
    bytes: int
    us: int


@dataclass(frozen=True, slots=True)
class RetentionRequest:
    """What limits would remove at once. A kind that is not named has none."""

    limits: tuple[KeepLimit, ...]


class Removal(NamedTuple):
    """Of one kind. Segments go whole, the oldest first, hours by the week. `rows` as in `KindHeld`; `last_us` is the end of
    what goes."""

    kind: StoreKind
    bytes: int
    rows: int
    last_us: int


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """The kinds of which something goes."""

    request: RetentionRequest
    removals: tuple[Removal, ...]


class GapColumns(NamedTuple):
    since_us: Int64
    until_us: Int64
    cause: list[GapCause]
    agent: Int64  # 0: everybody
    missing: Int64


@dataclass(frozen=True, slots=True)
class GapsRequest:
    """What history does not cover in [since_us, until_us); `until_us` 0: open end. `agent`: of this one and of everybody; 0: of
    whomever."""

    since_us: int = 0
    until_us: int = 0
    agent: int = 0


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
