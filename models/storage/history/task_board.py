"""Tasks for their screen: those that were given, from `tasks.db`, and those that only agents report, from the segments."""

import math
from collections.abc import Iterator

from models.domain.queries import CancelToken, TaskLine, TaskRequest
from models.domain.records import TaskState
from models.domain.task_queries import (
    CommandsRequest,
    CommandsResult,
    TaskItem,
    TasksRequest,
    TasksResult,
    TaskStoryRequest,
    TaskStoryResult,
)
from models.domain.tasks.work import ENDED, Reason, Step, Work
from models.storage.history.store_view import StoreView
from models.storage.history.tasks import answer_tasks
from models.storage.history.tasks_then import as_it_stood
from models.storage.segments.open_segment import OpenSegment, SegmentRow, fetch
from models.storage.tasks.reading import TaskReading

BEGINNING = 400
"""Characters of results and errors that a list has."""
MOST_STEPS = 1_000
_REPORTS = """select time_us, state, attempt, coalesce(error, result, '') from task_report
    where agent_id = ? and task = ? and rowid >= ? and rowid < ? order by rowid desc limit ?"""


def answer_task_board(view: StoreView, request: TasksRequest, token: CancelToken) -> TasksResult:
    """The newest of both kinds; a task that was given is there once, whoever reports of it."""
    with TaskReading(view.workspace) as reading:
        items, limited = _given(reading, request)
        reported = _told(view, request, token)
        ours = reading.known([line.task for line in reported])
    names = _names(view)
    items += [_reported(line, names.get(line.agent, "")) for line in reported if line.task not in ours]
    items.sort(key=lambda one: one.submitted_us or one.started_us or one.ended_us, reverse=True)
    whole = not limited and len(reported) < request.limit and len(items) <= request.limit
    return TasksResult(request, tuple(items[: request.limit]), whole)


def _given(reading: TaskReading, request: TasksRequest) -> tuple[list[TaskItem], bool]:
    """Those that were given, and whether there may be more."""
    if not request.at_us:
        works = reading.between(request.since_us, request.until_us, request.limit)
        return [_item_of(work) for work in works], len(works) >= request.limit
    works = reading.standing_at(request.since_us, request.at_us, request.limit)
    steps = reading.steps_until([work.order.id for work in works], request.at_us)
    items = [as_it_stood(_item_of(work), steps.get(work.order.id, ())) for work in works]
    return items, len(works) >= request.limit


def _told(view: StoreView, request: TasksRequest, token: CancelToken) -> list[TaskLine]:
    """As last reported; at a moment also what was reported before and had not ended: it may still have been at work."""
    at_us = request.at_us
    until_us = at_us + 1 if at_us else request.until_us
    asked = TaskRequest(0, 0 if at_us else request.since_us, until_us, request.limit)
    rows = next(iter(answer_tasks(view, asked, token))).rows
    return [one for one in rows if not at_us or one.key.received_us >= request.since_us or one.state not in ENDED]


def answer_commands(view: StoreView, request: CommandsRequest) -> CommandsResult:
    """From `tasks.db`: every command is noted there before it is sent."""
    with TaskReading(view.workspace) as reading:
        found = reading.commands(request.limit, request.agent)
    return CommandsResult(request, tuple(found), len(found) < request.limit)


def answer_task_story(view: StoreView, request: TaskStoryRequest, token: CancelToken) -> TaskStoryResult:
    """From `tasks.db`, else from what its agent reported."""
    with TaskReading(view.workspace) as reading:
        work = reading.work(request.task)
        if work is not None:
            steps, parts = reading.steps(request.task)[-MOST_STEPS:], reading.parts(request.task)
            return TaskStoryResult(
                request, _item_of(work), work.order.input, work.result or "", work.error or "", tuple(steps),
                tuple(_item_of(one) for one in parts),
            )  # fmt: skip
    agent = next((id_ for id_, name in _names(view).items() if name == request.agent), 0)
    for result in answer_tasks(view, TaskRequest(agent, 0, 0, 10_000), token):
        line = next((one for one in result.rows if one.task == request.task), None)
        if line is not None:
            steps = _steps(view, request, agent, token)
            return TaskStoryResult(
                request, _reported(line, request.agent), "", line.result, line.error, tuple(steps)
            )  # fmt: skip
    return TaskStoryResult(request, None)


def _steps(view: StoreView, request: TaskStoryRequest, agent: int, token: CancelToken) -> list[Step]:
    found: list[Step] = []

    def reports(opened: OpenSegment, _row: SegmentRow) -> Iterator[Step]:
        first, end = opened.row_range("task_report", 0, 0)
        for at_us, state, attempt, text in opened.rows(_REPORTS, agent, request.task, first, end, MOST_STEPS):
            yield Step(request.task, at_us, attempt or 0, request.agent, TaskState(state), Reason.NONE, text)

    for row in reversed(view.all()):
        token.check()
        if row.is_open or row.tasks:
            found += view.stream(row, reports)
        if len(found) >= MOST_STEPS:
            break
    return found[::-1]


def _item_of(work: Work) -> TaskItem:
    order = work.order
    return TaskItem(
        order.id, order.type, work.agent, order.requester, order.parent, work.state, work.reason, True, work.created_us,
        work.sent_us, work.started_us, work.ended_us, work.attempt, work.attempts_most,
        math.nan if work.progress is None else work.progress, (work.result or "")[:BEGINNING],
        (work.error or "")[:BEGINNING], order.deadline_us, work.children,
    )  # fmt: skip


def _reported(line: TaskLine, agent: str) -> TaskItem:
    return TaskItem(
        line.task, line.type, agent, line.requester, line.parent, line.state, "", False, line.submitted_us, 0,
        line.started_us, line.ended_us, line.attempt, 0, line.progress, line.result[:BEGINNING], line.error[:BEGINNING],
    )  # fmt: skip


def _names(view: StoreView) -> dict[int, str]:
    return {int(id_): str(name) for id_, name in fetch(view.catalogue, "select id, name from agent")}
