"""Recorded traffic on its way into a workspace: how far it is, and what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is. Bytes are those of the files as they lie on the disk."""

    bytes_done: int = 0
    bytes_total: int = 0
    messages: int = 0
    skipped: int = 0  # lines that are no records


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line that is no record. `detail` is for people who mend files."""

    path: str
    line: int  # from 1
    detail: str


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """`digest` tells one file from another (`mqtt.recorded_files`)."""

    path: str
    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import brought. `agents` counts those that its messages came from, `unreadable` stored messages by the reason
    why nothing could be read from them; times are arrivals, µs UTC. Of a backup or another workspace also: segments that were
    brought, those that were held already, and those that nobody can read there."""

    messages: int = 0
    agents: int = 0
    samples: int = 0
    logs: int = 0
    tasks: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    skipped: int = 0
    first_skipped: SkippedLine | None = None
    since_us: int = 0
    until_us: int = 0
    segments: int = 0
    held_segments: int = 0
    damaged_segments: int = 0


OnProgress = Callable[[ImportProgress], None]


@dataclass(frozen=True, slots=True)
class RereadProgress:
    """How far history is read again. `waiting`: all is read, and waits for an export or a backup under way."""

    messages: int = 0
    messages_total: int = 0
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class RereadResult:
    """What came of reading history again, all of it summed up; `left_segments` could not be read whole and stay as they were."""

    messages: int = 0
    agents: int = 0
    samples: int = 0
    logs: int = 0
    tasks: int = 0
    unreadable: int = 0
    segments: int = 0
    left_segments: int = 0
