"""How many tasks were open at a moment. Each report is read once, so that a moment that is slid along reads nothing."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.queries import CancelToken, Int64, UInt8
from models.domain.records import TaskState
from models.storage.history.store_view import StoreView
from models.storage.history.tasks import ENDED, LOOK_BACK_REPORTS, LOOK_BACK_US
from models.storage.segments.open_segment import OpenSegment, SegmentRow

MOST_HELD = 4_000_000
"""Reports, of some 25 bytes each; beyond that all are let go of."""


class Reports(NamedTuple):
    """Those of one segment, in the order they were stored. `task` is a hash of agent and name."""

    last_id: int
    received_us: Int64
    agent: Int64
    task: Int64
    state: UInt8


NO_REPORTS = Reports(0, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))


class OpenTasks:
    """Holds no file of a segment that gets no more. One thread."""

    def __init__(self) -> None:
        self._segments: dict[int, Reports] = {}
        self._whole: set[int] = set()  # read after they were closed

    def count_at(self, view: StoreView, at_us: int, size: int, token: CancelToken) -> Int64:
        """By agent id, below `size`: tasks that had not ended, from the newest reports of the two days before."""
        self._forget(view)
        since_us, until_us = at_us - 2 * LOOK_BACK_US, at_us + 1
        parts: list[Reports] = []
        left = LOOK_BACK_REPORTS
        for row in reversed(view.overlapping(max(0, since_us), until_us)):
            if not (row.is_open or row.tasks):
                continue
            token.check()
            reports = self._reports(view, row)
            some = np.flatnonzero((reports.received_us >= since_us) & (reports.received_us < until_us))[-left:]
            some = some[::-1]
            parts.append(
                Reports(0, reports.received_us[some], reports.agent[some], reports.task[some], reports.state[some])
            )
            left -= len(some)
            if left <= 0:
                break
        return _count(parts, size)

    def _forget(self, view: StoreView) -> None:
        gone = self._segments.keys() - {row.id for row in view.all()}
        if sum(len(reports.state) for reports in self._segments.values()) > MOST_HELD:
            gone = set(self._segments)
        for segment in gone:
            del self._segments[segment]
            self._whole.discard(segment)

    def _reports(self, view: StoreView, row: SegmentRow) -> Reports:
        known = self._segments.get(row.id, NO_REPORTS)
        if row.id in self._whole:
            return known
        found = view.attempt(row, lambda opened, _row: _newer(opened, known), None)
        if found is None:
            return known
        self._segments[row.id] = found
        if not row.is_open:
            self._whole.add(row.id)
        return found


def _newer(opened: OpenSegment, known: Reports) -> Reports:
    sql = "select rowid, received_us, agent_id, task, state from task_report where rowid > ? order by rowid"
    rows = opened.rows(sql, known.last_id)
    if not rows:
        return known
    ids, received, agent, task, state = zip(*rows, strict=True)
    return Reports(
        ids[-1],
        np.concatenate((known.received_us, np.array(received, np.int64))),
        np.concatenate((known.agent, np.array(agent, np.int64))),
        np.concatenate((known.task, np.array([hash(one) for one in zip(agent, task, strict=True)], np.int64))),
        np.concatenate((known.state, np.array(state, np.uint8))),
    )


def _count(parts: list[Reports], size: int) -> npt.NDArray[np.int64]:
    """`parts`: newest first. The newest report that tells a state decides."""
    agent, task, state = (np.concatenate([part[column] for part in parts or [NO_REPORTS]]) for column in (2, 3, 4))
    told = state != TaskState.UNKNOWN
    agent, task, state = agent[told], task[told], state[told]
    _, newest = np.unique(task, return_index=True)
    still = newest[~np.isin(state[newest], ENDED)]
    found: Int64 = np.bincount(agent[still], minlength=size)[:size]
    return found
