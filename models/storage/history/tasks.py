"""Tasks as last reported, put together from their reports."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.domain.queries import CancelToken, RowKey, TaskLine, TaskRequest, TaskResult
from models.domain.records import TaskState
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import DISORDER_US, OpenSegment, SegmentRow

STEP = 20_000
LOOK_BACK_US = 86_400_000_000
LOOK_BACK_REPORTS = 100_000
"""How far before the time asked for, and over how many reports of other tasks, the beginning of a listed task is sought."""
ENDED = (TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED)
COLUMNS = (
    "rowid, received_us, time_us, agent_id, task, type, state, parent, requester, attempt, progress, result, error"
)


@dataclass(slots=True)
class TaskSum:
    """One task over its reports, which arrive newest first. What the newest left out, an older one says."""

    key: RowKey
    agent: int
    task: str
    state: TaskState
    type: str | None = None
    parent: str | None = None
    requester: str | None = None
    attempt: int | None = None
    progress: float | None = None
    result: str | None = None
    error: str | None = None
    submitted_us: int = 0
    started_us: int = 0
    ended_us: int = 0
    ending: bool = True  # no report of unfinished work seen yet, coming from the end

    def add_older(self, row: Any) -> None:
        """One more report, older than all before."""
        at, type_, state = row[2], row[5], row[6]
        if self.state == TaskState.UNKNOWN:
            self.state = TaskState(state)
        self.type = self.type or type_
        self.parent = self.parent or row[7]
        self.requester = self.requester or row[8]
        self.attempt = row[9] if self.attempt is None else self.attempt
        self.progress = row[10] if self.progress is None else self.progress
        self.result = self.result or row[11]
        self.error = self.error or row[12]
        if state in ENDED:
            if self.ending:
                self.ended_us = at
        elif state != TaskState.UNKNOWN:
            self.ending = False
        if state == TaskState.SUBMITTED:
            self.submitted_us = at
        elif state == TaskState.WORKING:
            self.started_us = at

    def line(self) -> TaskLine:
        return TaskLine(
            self.key, self.task, self.agent, self.type or "", self.state, self.parent or "", self.requester or "",
            self.submitted_us, self.started_us, self.ended_us, self.attempt or 0,
            float("nan") if self.progress is None else self.progress, self.result or "", self.error or "",
        )  # fmt: skip


def answer_tasks(view: StoreView, request: TaskRequest, token: CancelToken) -> Iterator[TaskResult]:
    """Tasks whose last report lies in the time asked for. Their times are those of the first report of each state; the
    end is that of the last time they ended."""
    found: dict[tuple[int, str], TaskSum] = {}
    strange = 0  # reports in a row that no listed task wants
    for segment, report in _newest(view, request, token):
        key = (report[3], report[4])
        task = found.get(key)
        if task is None and report[1] >= request.since_us and len(found) < request.limit:
            task = found[key] = TaskSum(RowKey(report[1], segment, report[0]), *key, TaskState(report[6]))
        if task is None:
            strange += 1
            if strange > LOOK_BACK_REPORTS:
                break
        else:
            strange = 0
            task.add_older(report)
    rows = sorted((task.line() for task in found.values()), key=lambda line: line.key, reverse=True)
    yield TaskResult(request, tuple(rows))


def _newest(view: StoreView, request: TaskRequest, token: CancelToken) -> Iterator[tuple[int, Any]]:
    for row in reversed(view.overlapping(max(0, request.since_us - LOOK_BACK_US), request.until_us)):
        if row.is_open or row.tasks:
            yield from view.stream(row, lambda opened, at: _reports_down(opened, at, request, token))


def _reports_down(
    opened: OpenSegment, row: SegmentRow, request: TaskRequest, token: CancelToken
) -> Iterator[tuple[int, Any]]:
    first, end = opened.row_range("task_report", max(0, request.since_us - LOOK_BACK_US), 0)
    if request.until_us:
        end = min(end, opened.first_row("task_report", request.until_us + DISORDER_US))
    sql = f"select {COLUMNS} from task_report where rowid >= ? and rowid < ?"
    bindings: list[int] = []
    if request.agent:
        sql += " and agent_id = ?"
        bindings.append(request.agent)
    if request.until_us:
        sql += " and received_us < ?"
        bindings.append(request.until_us)
    while end > first:
        token.check()
        bottom = max(first, end - STEP)
        for report in opened.rows(f"{sql} order by rowid desc", bottom, end, *bindings):
            yield row.id, report
        end = bottom
