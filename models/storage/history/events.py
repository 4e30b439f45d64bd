"""Marks in time: presence changes, gaps, connection attempts."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from models.domain.presence_words import Cause
from models.domain.queries import AttemptColumns, CancelToken, EventsRequest, EventsResult, PresenceColumns
from models.storage.history.gaps import gaps_between
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import DISORDER_US, OpenSegment, SegmentRow

PRESENCE_COLUMNS = "time_us, agent_id, presence, condition, cause"
PRESENCE_SQL = f"select {PRESENCE_COLUMNS} from presence_change"


def presence_columns(rows: Sequence[Any]) -> PresenceColumns:
    """Columns of rows that were `PRESENCE_COLUMNS`."""
    return PresenceColumns(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.uint8),
        np.array([row[3] for row in rows], np.uint8),
        [Cause(row[4]) for row in rows],
    )


def answer_events(view: StoreView, request: EventsRequest, now_us: int, token: CancelToken) -> Iterator[EventsResult]:
    """One result. Of everybody (agent 0), presence begins with the changes inside the time asked for."""
    presence: list[Any] = []
    attempts: list[Any] = []

    def changes(opened: OpenSegment, _row: SegmentRow) -> list[Any]:
        return opened.rows(
            f"{PRESENCE_SQL} where time_us >= ? and time_us < ?{_of(request.agent)} order by id",
            request.since_us, request.until_us, *_id(request.agent),
        )  # fmt: skip

    def tries(opened: OpenSegment, _row: SegmentRow) -> list[Any]:
        first, end = opened.row_range("attempt", request.since_us, request.until_us)
        return opened.rows(
            "select time_us, outcome, error, duration_us, target from attempt where rowid >= ? and rowid < ? and "
            f"received_us >= ? and received_us < ?{_of(request.agent)} order by rowid",
            first, end, request.since_us, request.until_us, *_id(request.agent),
        )  # fmt: skip

    for row in view.telling(request.since_us - DISORDER_US, request.until_us + DISORDER_US):
        token.check()
        presence += view.attempt(row, changes, [])
        attempts += view.attempt(row, tries, [])
    presence.sort(key=lambda one: one[0])
    attempts.sort(key=lambda one: one[0])
    if request.agent and (before := _in_force(view, request, token)):
        presence.insert(0, before)
    gaps = gaps_between(view, request.since_us, request.until_us, {request.agent} if request.agent else set(), now_us)
    yield EventsResult(request, presence_columns(presence), gaps, _attempts(attempts))


def _of(agent: int) -> str:
    return " and agent_id = ?" if agent else ""


def _id(agent: int) -> list[int]:
    return [agent] if agent else []


def _in_force(view: StoreView, request: EventsRequest, token: CancelToken) -> Any:
    """The last change of the agent before the beginning; None where none is known."""
    sql = f"{PRESENCE_SQL} where agent_id = ? and time_us < ? order by time_us desc, id desc limit 1"
    nothing: list[Any] = []
    last: Any = None
    for row in reversed(view.telling(0, request.since_us)):
        if last is not None and last[0] >= row.last_us:
            break
        token.check()
        found = view.attempt(row, lambda opened, _row: opened.rows(sql, request.agent, request.since_us), nothing)
        if found and (last is None or found[0][0] > last[0]):
            last = found[0]
    return last


def _attempts(rows: Sequence[Any]) -> AttemptColumns:
    return AttemptColumns(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.uint8),
        [row[2] or "" for row in rows],
        np.array([-1 if row[3] is None else row[3] for row in rows], np.int64),
        [row[4] or "" for row in rows],
    )
