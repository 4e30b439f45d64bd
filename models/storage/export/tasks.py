"""The dataset `tasks`: what agents report of tasks, and the tasks that were given from here."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from models.domain.records import TaskState
from models.storage.export.scope import Scope
from models.storage.export.state import pages, scratch_table
from models.storage.history.tasks import ENDED
from models.storage.segments.open_segment import OpenSegment, SegmentRow
from models.storage.tasks.reading import TaskReading

_TASK_TABLE = """create table t (n integer primary key, agent, task, parent, requester, type, state, submitted, started, ended,
    attempt, result, error, unique (agent, task))"""
# a report without a state (0) leaves the state as it was
_TASK_REPORT = """insert into t (agent, task, parent, requester, type, state, submitted, started, ended, attempt, result, error)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (agent, task) do update set state = iif(excluded.state = 0, state, excluded.state),
    parent = coalesce(excluded.parent, parent), requester = coalesce(excluded.requester, requester),
    type = coalesce(excluded.type, type), attempt = coalesce(excluded.attempt, attempt),
    submitted = coalesce(submitted, excluded.submitted), started = coalesce(started, excluded.started),
    ended = iif(excluded.state = 0, ended, iif(excluded.ended is null, null, coalesce(ended, excluded.ended))),
    result = coalesce(excluded.result, result), error = coalesce(excluded.error, error)"""


def task_lines(scope: Scope) -> Iterator[list[str]]:
    """A row for each task with a report in the range, as last reported there, by its first report; then the tasks that we gave in
    the range, as they stand now, for whoever has them: what agents say of those is no row of its own."""
    scratch = scratch_table(_TASK_TABLE)

    def reports(opened: OpenSegment, _row: SegmentRow) -> Iterator[list[Any]]:
        columns = "received_us, time_us, agent_id, task, parent, requester, type, state, attempt, result, error"
        for page in scope.rows(opened, "task_report", columns, sizes=(9, 10)):
            yield [
                (
                    opened.agent(agent), task, parent, requester, type_, state,
                    at if state == TaskState.SUBMITTED else None, at if state == TaskState.WORKING else None,
                    at if state in ENDED else None, attempt, result, error,
                )
                for _, at, agent, task, parent, requester, type_, state, attempt, result, error, _ in page
            ]  # fmt: skip

    for group in scope.segments():
        for row in group:
            for page in scope.view.stream(row, reports):
                scope.token.check()
                scratch.executemany(_TASK_REPORT, page)
    words = {int(state): state.word for state in TaskState}
    columns = "task, parent, agent, requester, type, state, submitted, started, ended, attempt, result, error"
    found = scratch.execute(f"select {columns} from t order by n")
    with TaskReading(scope.view.workspace) as ours:
        known = ours.ids()
        reported = ((*row[:5], words[row[5]], *row[6:]) for row in found if row[0] not in known)
        yield from pages(scope, chain(reported, _given(ours, scope, known)))
    scratch.close()


def _given(ours: TaskReading, scope: Scope, known: set[str]) -> Iterator[tuple[Any, ...]]:
    """The `known` tasks that we gave in the range, to the agent that is asked for."""
    for work in ours.given():
        order = work.order
        meant = scope.since_us <= work.created_us < scope.end_us and scope.agent_name in ("", work.agent)
        if meant and order.id in known:
            yield (
                order.id, order.parent or None, work.agent or None, order.requester or None, order.type, work.state.word,
                work.created_us, work.started_us or None, work.ended_us or None, work.attempt, work.result,
                work.error or work.reason or None,
            )  # fmt: skip
