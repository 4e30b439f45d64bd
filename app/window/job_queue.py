"""Exports, imports, checks and reading again in this session, one at a time: a disk that two of them share is faster for neither."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec
from PySide6.QtCore import QObject, Signal

from app.window.child_job import ChildJob
from app.window.recorder_link import Cancelling, OnImported
from models.domain.clock import Clock
from models.domain.problems import Problem
from models.domain.recorded import ImportProgress, ImportResult, OnProgress, RereadResult
from models.domain.timestamps import utc_text
from models.storage.workspace import Workspace
from widgets.data.jobs import INCIDENT, ExportOrder, Finding, Job, JobKind, JobState, Salvaged

MOST_FINDINGS = 2_000


class Link(Protocol):
    """The part of `RecorderLink` that is needed here."""

    def import_files(
        self,
        paths: Sequence[Path],
        on_progress: OnProgress,
        done: OnImported,
        *,
        again: bool = False,
        make_room: bool = False,
    ) -> Cancelling: ...


class JobQueue(QObject):
    """GUI thread."""

    changed = Signal()
    ended = Signal(object)
    """A `Job`, after it was carried out, failed or was cancelled."""

    def __init__(self, workspace: Workspace, link: Link, clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._link, self._clock = workspace, link, clock
        self._jobs: list[Job] = []
        self._running: Job | None = None
        self._child: ChildJob | None = None
        self._importing: Cancelling | None = None

    @property
    def jobs(self) -> list[Job]:
        """The newest first."""
        return self._jobs[::-1]

    def export(self, order: ExportOrder) -> int:
        """Write `order.path`, replacing what is there. Answers the number of the job."""
        job = Job(self._number(), JobKind.EXPORT, order=order)
        self._add(job)
        return job.number

    def verify(self) -> None:
        """Check every file."""
        self._add(Job(self._number(), JobKind.VERIFY))

    def salvage(self) -> None:
        """Check every file, and bring back what can still be read of the damaged ones."""
        self._add(Job(self._number(), JobKind.SALVAGE))

    def reread(self, since_us: int, until_us: int) -> None:
        """Read what arrived in [since, until) again with the present rules; 0: open end."""
        self._add(Job(self._number(), JobKind.REREAD, span=(since_us, until_us)))

    @property
    def busy(self) -> bool:
        """Would another job wait?"""
        return self._running is not None

    def import_files(self, paths: Sequence[str], *, again: bool = False, make_room: bool = False) -> None:
        """All of the files, or nothing. `again`: also what is held already; `make_room`: older imports may go for it."""
        self._add(Job(self._number(), JobKind.IMPORT, paths=tuple(paths), again=again, make_room=make_room))

    def cancel(self, number: int) -> None:
        """Nothing of it is left behind. Harmless for a job that has ended."""
        job = next((one for one in self._jobs if one.number == number), None)
        if job is None or job.state.ended:
            return
        if job.state is JobState.WAITING:
            self._end(job, JobState.CANCELLED)
        elif self._child is not None:
            self._child.cancel()
        elif self._importing is not None:
            self._importing.cancel()

    def shutdown(self) -> None:
        """Cancel what runs, and wait for it."""
        for job in self._jobs:
            if job.state is JobState.WAITING:
                job.state = JobState.CANCELLED
        if self._child is not None:
            self._child.shutdown()
            self._child = None
        if self._importing is not None:
            self._importing.cancel()

    # ------------------------------------------------------------ one after the other

    def _number(self) -> int:
        return len(self._jobs) + 1

    def _add(self, job: Job) -> None:
        self._jobs.append(job)
        self._go_on()
        self.changed.emit()

    def _go_on(self) -> None:
        if self._running is not None:
            return
        job = next((one for one in self._jobs if one.state is JobState.WAITING), None)
        if job is None:
            return
        self._running = job
        job.state, job.began_us = JobState.RUNNING, self._clock.monotonic_us()
        if job.kind is JobKind.IMPORT:
            paths = [Path(path) for path in job.paths]
            done = partial(self._imported, job)
            self._importing = self._link.import_files(
                paths, partial(self._import_told, job), done, again=job.again, make_room=job.make_room
            )
        else:
            self._child = ChildJob(self._arguments(job), self)
            self._child.told.connect(partial(self._told, job))
            self._child.ended.connect(partial(self._child_ended, job))
            self._child.start()

    def _arguments(self, job: Job) -> list[str]:
        workspace = ["--workspace", str(self._workspace.root)]
        if job.kind is JobKind.REREAD:
            return ["reread", *workspace, *_span(*job.span)]
        if job.order is None:
            return ["verify", *(["--salvage"] if job.kind is JobKind.SALVAGE else []), *workspace]
        order = job.order
        if order.dataset == INCIDENT:
            some = [f"--agent={agent}" for agent in order.agents] + [f"--picture={path}" for path in order.pictures]
            return [INCIDENT, *workspace, f"--output={order.path}", *_span(order.since_us, order.until_us), *some]
        arguments = ["export", order.dataset, *workspace, f"--format={order.format}", f"--output={order.path}"]
        arguments += _span(order.since_us, order.until_us)
        if order.agent:
            arguments.append(f"--agent={order.agent}")
        return arguments + [f"--series={json.dumps(one)}" for one in order.series]

    # ------------------------------------------------------------ what they tell

    def _told(self, job: Job, kind: str, values: dict[str, Any]) -> None:
        if kind == "finding":
            if len(job.findings) < MOST_FINDINGS:
                job.findings.append(Finding(**values))
        elif kind == "salvaged":
            job.salvaged.append(Salvaged(**values))
        elif job.kind is JobKind.REREAD:
            self._reread_told(job, kind, values)
        elif job.kind is JobKind.EXPORT:
            job.rows, job.bytes, job.damaged = values["rows"], values["bytes"], values.get("damaged", 0)
        else:
            job.rows, job.done, job.total = values["messages"], values["done"], values["segments"]
        self.changed.emit()

    def _reread_told(self, job: Job, kind: str, values: dict[str, Any]) -> None:
        if kind == "result":
            job.reread = msgspec.convert(values, RereadResult)
            job.rows, job.damaged = job.reread.messages, job.reread.left_segments
        else:
            job.rows = job.done = values["messages"]
            job.total, job.held_up = values["messages_total"], bool(values["waiting"])

    def _child_ended(self, job: Job, problem: Problem | None, cancelled: bool) -> None:
        if self._child is not None:
            self._child.deleteLater()
            self._child = None
        job.problem = problem
        self._end(job, _state(problem, cancelled=cancelled))

    def _import_told(self, job: Job, progress: ImportProgress) -> None:
        job.done, job.total = progress.bytes_done, progress.bytes_total
        job.rows, job.skipped = progress.messages, progress.skipped
        self.changed.emit()

    def _imported(self, job: Job, result: ImportResult | None, problem: Problem | None) -> None:
        self._importing = None
        job.imported, job.problem = result, problem
        self._end(job, _state(problem, cancelled=result is None))

    def _end(self, job: Job, state: JobState) -> None:
        job.state, job.ended_us = state, self._clock.monotonic_us()
        if self._running is job:
            self._running = None
            self._go_on()
        self.changed.emit()
        self.ended.emit(job)


def _state(problem: Problem | None, *, cancelled: bool) -> JobState:
    if problem is not None:
        return JobState.FAILED
    return JobState.CANCELLED if cancelled else JobState.DONE


def _span(since_us: int, until_us: int) -> list[str]:
    since = [f"--from={utc_text(since_us)}"] if since_us else []
    return since + ([f"--to={utc_text(until_us)}"] if until_us else [])
