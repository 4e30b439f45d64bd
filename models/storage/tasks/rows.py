"""From a task to its row in `tasks.db`, and back."""

import json
from collections.abc import Iterator
from typing import Any

import apsw

from models.domain.records import TaskState
from models.domain.tasks.orders import Fan, Gather, TaskOrder
from models.domain.tasks.work import Reason, Sending, Step, Work

COLUMNS = (
    "id, type, input, targets, capability, fan, gather, deadline_us, attempts, backoff_us, idempotent, parent, requester, reply_to,"
    " created_us, state, reason, agent, attempt, attempts_most, sending, progress, result, error, sent_us, started_us, ended_us,"
    " due_us, cancel_us, children"
)
PUT = f"INSERT OR REPLACE INTO task ({COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS.split(',')))})"
PUT_STEP = "INSERT INTO task_step (task, time_us, attempt, agent, state, reason, text) VALUES (?, ?, ?, ?, ?, ?, ?)"
KNOWN = "SELECT id FROM task WHERE id IN (SELECT value FROM json_each(?))"
"""Which of the ids of a JSON list are there."""
WHOSE = "SELECT id, iif(ended_us > 0, '', agent) FROM task WHERE id IN (SELECT value FROM json_each(?))"
"""Who has them."""
TEXT_LIMIT = 4_000
"""Of what is kept of a step's text; results and errors are kept whole with the task."""


def row_of(work: Work) -> tuple[Any, ...]:
    """In the order of `COLUMNS`."""
    order = work.order
    return (
        order.id, order.type, order.input, json.dumps(order.to), order.capability, order.fan, order.gather, order.deadline_us,
        order.attempts, order.backoff_us, int(order.idempotent), order.parent, order.requester, order.reply_to, work.created_us,
        int(work.state), work.reason, work.agent, work.attempt, work.attempts_most, int(work.sending), work.progress, work.result,
        work.error, work.sent_us, work.started_us, work.ended_us, work.due_us, work.cancel_us, work.children,
    )  # fmt: skip


def work_of(row: tuple[Any, ...]) -> Work:
    """As it was stored."""
    (id_, type_, input_, targets, capability, fan, gather, deadline_us, attempts, backoff_us, idempotent, parent, requester,
     reply_to, created_us, state, reason, agent, attempt, attempts_most, sending, progress, result, error, sent_us, started_us,
     ended_us, due_us, cancel_us, children) = row  # fmt: skip
    order = TaskOrder(
        id_, type_, input_, tuple(json.loads(targets)), capability, Fan(fan), Gather(gather), deadline_us, attempts, backoff_us,
        bool(idempotent), parent, requester, reply_to,
    )  # fmt: skip
    return Work(
        order, created_us, TaskState(state), Reason(reason), agent, attempt, attempts_most, Sending(sending), progress, result,
        error, sent_us, started_us, ended_us, due_us, cancel_us, children,
    )  # fmt: skip


def step_row(step: Step) -> tuple[Any, ...]:
    """As `PUT_STEP` wants it."""
    return (*step[:4], int(step.state), step.reason, step.text[:TEXT_LIMIT])


def step_of(row: tuple[Any, ...]) -> Step:
    """As it was stored."""
    task, time_us, attempt, agent, state, reason, text = row
    return Step(task, time_us, attempt, agent, TaskState(state), Reason(reason), text)


def works(connection: apsw.Connection, where: str = "1", *bindings: object) -> Iterator[Work]:
    """Those that `where` (SQL of ours) names."""
    for row in connection.execute(f"SELECT {COLUMNS} FROM task WHERE {where}", bindings):
        yield work_of(row)
