"""Long work on the store: exports, imports, checks, reading again. What is wanted, how far it is, what came of it."""

from dataclasses import dataclass, field
from enum import StrEnum

from models.domain.problems import Problem
from models.domain.recorded import ImportResult, RereadResult

INCIDENT = "incident"


class JobKind(StrEnum):
    EXPORT = "export"
    IMPORT = "import"
    VERIFY = "verify"
    SALVAGE = "salvage"
    REREAD = "reread"


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self not in (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What shall be written where. Times are arrivals, µs UTC, 0: open; `agent` is an id as exports use it, empty: all.

    The dataset `INCIDENT` is everything of some agents (none: of all) in one zip, with pictures. `series`: of samples only these, by
    agent, metric and labels (none: all).
    """

    dataset: str
    format: str
    path: str
    agent: str = ""
    since_us: int = 0
    until_us: int = 0
    agents: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    series: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found wrong; codes as in `models.storage.copies.verify`."""

    segment: int
    code: str
    detail: str
    path: str


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came back of a damaged file: `messages` of the `of` that it held."""

    segment: int
    path: str
    messages: int
    of: int


DAMAGES = frozenset({"set-aside", "unreadable", "structure", "checksum", "sequence", "samples"})
"""Codes of findings that say that a file of history itself is damaged."""


@dataclass(slots=True)
class Job:
    """One piece of work. `done` of `total` is told in bytes (import), files (check) or messages (reading again); `total` 0:
    not known. `rows` are rows or messages so far, `bytes` what was written. Times are monotonic µs, but for `span`: what history
    is read again (µs UTC, 0: open). `damaged`: files that an export could not read whole; `held_up`: all is read again, and
    waits for somebody who reads history as it was."""

    number: int
    kind: JobKind
    state: JobState = JobState.WAITING
    order: ExportOrder | None = None
    paths: tuple[str, ...] = ()
    span: tuple[int, int] = (0, 0)
    again: bool = False
    make_room: bool = False
    done: int = 0
    total: int = 0
    rows: int = 0
    bytes: int = 0
    skipped: int = 0
    damaged: int = 0
    held_up: bool = False
    began_us: int = 0
    ended_us: int = 0
    problem: Problem | None = None
    imported: ImportResult | None = None
    reread: RereadResult | None = None
    findings: list[Finding] = field(default_factory=list)
    salvaged: list[Salvaged] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 1; None: not known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def salvageable(self) -> bool:
        """Did a check find a damaged file of which something may be brought back?"""
        checked = self.kind is JobKind.VERIFY and self.state is JobState.DONE
        return checked and any(one.segment and one.code in DAMAGES for one in self.findings)
