"""What history does not cover: gaps of the catalogue, damaged segments, and the time since the last recorder ended."""

from collections.abc import Set as AbstractSet

import numpy as np

from models.domain.queries import GapColumns
from models.domain.records import Gap, GapCause
from models.storage.history.store_view import StoreView
from models.storage.lock import read_lock
from models.storage.segments.open_segment import OpenSegment, SegmentRow, fetch


def gaps_between(view: StoreView, since_us: int, until_us: int, agents: AbstractSet[int], now_us: int) -> GapColumns:
    """Gaps that touch [since_us, until_us) and concern everybody or one of `agents` (empty: whoever), by their start."""
    sql = "select since_us, until_us, agent_id, cause, count from gap where since_us < ? and until_us >= ? order by since_us"
    found = [
        Gap(since, until, agent, GapCause(cause), count)
        for since, until, agent, cause, count in fetch(view.catalogue, sql, (until_us, since_us))
        if not agent or not agents or agent in agents
    ]
    found += [  # one that was set aside has its gap in the catalogue
        Gap(row.first_us, row.last_us, 0, GapCause.DAMAGED, row.messages)
        for row in view.lost()
        if row.id in view.damaged and row.first_us < until_us and row.last_us >= since_us
    ]
    ended_us = recording_ended(view)
    if ended_us and ended_us < min(until_us, now_us):
        found.append(Gap(ended_us, now_us, 0, GapCause.NOT_RECORDING, 0))
    found.sort()
    return GapColumns(
        np.array([one.since_us for one in found], np.int64),
        np.array([one.until_us for one in found], np.int64),
        [one.cause for one in found],
        np.array([one.agent for one in found], np.int64),
        np.array([one.missing for one in found], np.int64),
    )


def is_recording(view: StoreView) -> bool:
    """Whether a recorder writes this workspace now. A capture without an end and without a recorder is a crash."""
    running = fetch(view.catalogue, "select 1 from capture where kind = 'record' and ended_us is null limit 1")
    return bool(running) and read_lock(view.workspace).held


def recording_ended(view: StoreView) -> int:
    """When the last recorder's last commit was, if none runs; 0 while one runs, or where nothing was ever recorded."""
    rows = fetch(view.catalogue, "select id, ended_us from capture where kind = 'record' order by id desc limit 1")
    if not rows or is_recording(view):
        return 0
    capture, ended_us = rows[0]
    segments = [row for row in view.all() if row.capture == capture]
    return view.attempt(segments[-1], last_commit, 0) if segments else int(ended_us or 0)


def last_commit(opened: OpenSegment, row: SegmentRow) -> int:
    """When the newest batch was committed."""
    return opened.number("select committed_us from batch order by id desc limit 1") or row.last_us
