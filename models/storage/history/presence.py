"""The hour strip: the worst presence of every agent in every minute."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.presence_words import Cause, Presence
from models.domain.queries import HOUR_CELLS, CancelToken, GapColumns, Int64, UInt8
from models.domain.records import GapCause
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment, SegmentRow

MINUTE_US = 60_000_000
SEARCHED_SEGMENTS = 100
"""How far back the state before the hour is looked for."""
UNSEEN = {GapCause.NOT_RECORDING: Cause.NOT_RECORDING, GapCause.NOT_CONNECTED: Cause.LINK_LOST}
"""Gaps in which nobody's presence is known, and what to say then."""


class Changes(NamedTuple):
    """Presence changes of one segment, in the order they were stored."""

    last_id: int
    time_us: Int64
    agent: Int64
    presence: UInt8
    condition: UInt8
    cause: npt.NDArray[np.str_]


NO_CHANGES = Changes(0, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0, np.uint8),
                     np.zeros(0, "U1"))  # fmt: skip


class States(NamedTuple):
    """What was in force at one instant, indexed by agent id; presence 0: nothing known."""

    presence: UInt8
    condition: UInt8
    cause: npt.NDArray[np.str_]
    since_us: Int64


class PresenceHistory:
    """Reads each presence change once, and holds no file of a segment that gets no more. One thread."""

    def __init__(self) -> None:
        self._segments: dict[int, Changes] = {}
        self._whole: set[int] = set()  # read after they were closed

    def states_at(self, view: StoreView, at_us: int, wanted: npt.NDArray[np.bool_], token: CancelToken) -> States:
        """What was in force just before `at_us` for the `wanted` agents (a mask by id)."""
        size = len(wanted)
        states = States(
            np.zeros(size, np.uint8), np.zeros(size, np.uint8), np.full(size, "", "U16"), np.zeros(size, np.int64)
        )
        for row in list(reversed(view.telling(0, at_us)))[:SEARCHED_SEGMENTS]:
            missing = wanted & (states.since_us < row.last_us)  # something later may be told there
            if not missing.any():
                break
            token.check()
            changes = self._changes(view, row)
            before = np.flatnonzero((changes.time_us < at_us) & (changes.agent < size))
            last = np.full(size, -1, np.int64)
            last[changes.agent[before]] = before  # of several, the last stays
            found = np.flatnonzero(missing & (last >= 0))
            found = found[changes.time_us[last[found]] > states.since_us[found]]
            place = last[found]
            states.presence[found] = changes.presence[place]
            states.condition[found] = changes.condition[place]
            states.cause[found] = changes.cause[place]
            states.since_us[found] = changes.time_us[place]
        return states

    def between(self, view: StoreView, since_us: int, until_us: int) -> tuple[Int64, Int64, UInt8]:
        """Time, agent and presence of the changes in [since_us, until_us), in order of time."""
        for removed in self._segments.keys() - {row.id for row in view.all()}:
            del self._segments[removed]
            self._whole.discard(removed)
        parts = [self._changes(view, row) for row in view.telling(since_us, until_us)] or [NO_CHANGES]
        at = np.concatenate([part.time_us for part in parts])
        kept = np.flatnonzero((at >= since_us) & (at < until_us))
        kept = kept[np.argsort(at[kept], kind="stable")]
        agent = np.concatenate([part.agent for part in parts])[kept]
        return at[kept], agent, np.concatenate([part.presence for part in parts])[kept]

    def _changes(self, view: StoreView, row: SegmentRow) -> Changes:
        known = self._segments.get(row.id, NO_CHANGES)
        if row.id in self._whole:
            return known
        found = view.attempt(row, lambda opened, _row: _newer(opened, known), None)
        if found is None:
            return known
        self._segments[row.id] = found
        if not row.is_open:
            self._whole.add(row.id)
        return found


def _newer(opened: OpenSegment, known: Changes) -> Changes:
    sql = "select id, time_us, agent_id, presence, condition, cause from presence_change where id > ? order by id"
    rows = opened.rows(sql, known.last_id)
    if not rows:
        return known
    ids, at, agent, presence, condition, cause = zip(*rows, strict=True)
    return Changes(
        ids[-1],
        np.concatenate((known.time_us, np.array(at, np.int64))),
        np.concatenate((known.agent, np.array(agent, np.int64))),
        np.concatenate((known.presence, np.array(presence, np.uint8))),
        np.concatenate((known.condition, np.array(condition, np.uint8))),
        np.concatenate((known.cause, np.array(cause))),
    )


def strip(before: UInt8, changes: tuple[Int64, Int64, UInt8], since_us: int, gaps: GapColumns, now_us: int) -> UInt8:
    """[agent, HOUR_CELLS] from `since_us` on: the worst presence of each minute up to `now_us`. `before` is what was in
    force at the beginning. Where we did not look at all, who was known is unknown."""
    at, agent, presence = changes
    inside = agent < len(before)
    at, agent, presence = at[inside], agent[inside], presence[inside]
    cell = (at - since_us) // MINUTE_US
    cells = np.zeros((len(before), HOUR_CELLS), np.uint8)
    last = np.zeros_like(cells)
    np.maximum.at(cells, (agent, cell), presence)
    last[agent, cell] = presence
    state = before.copy()
    for minute in range(HOUR_CELLS):
        if since_us + minute * MINUTE_US > now_us:
            break
        cells[:, minute] = np.maximum(cells[:, minute], state)
        state = np.where(last[:, minute] > 0, last[:, minute], state)
    for start, end, cause, who in zip(gaps.since_us, gaps.until_us, gaps.cause, gaps.agent, strict=True):
        if cause in UNSEEN and not who:
            _blind(cells, int(start) - since_us, min(int(end), now_us) - since_us)
    return cells


def _blind(cells: UInt8, start_us: int, end_us: int) -> None:
    """A stretch in which we saw nothing: minutes wholly inside are unknown, minutes it touches at least that bad."""
    first, last = max(0, start_us // MINUTE_US), min(HOUR_CELLS - 1, (end_us - 1) // MINUTE_US)
    for minute in range(first, last + 1):
        known = cells[:, minute] > 0
        whole = start_us <= minute * MINUTE_US and end_us >= (minute + 1) * MINUTE_US
        worst = np.uint8(Presence.UNKNOWN) if whole else np.maximum(cells[:, minute], np.uint8(Presence.UNKNOWN))
        cells[:, minute] = np.where(known, worst, 0)
