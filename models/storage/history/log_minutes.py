"""How many log records came in every minute, by level: what a histogram draws."""

import numpy as np

from models.domain.queries import CancelToken
from models.domain.records import Level
from models.storage.history.store_view import StoreView
from models.storage.sealing.log_index import MINUTE_US
from models.storage.sealing.log_search import MinuteCounts
from models.storage.segments.open_segment import OpenSegment, SegmentRow

_STEP_ROWS = 200_000
_LEVELS = 1 + max(Level)
_COUNTED = f"""select received_us / {MINUTE_US}, level, count(*) from log where rowid >= ? and rowid < ?
    and received_us >= ? and received_us < ?"""


def log_minutes(view: StoreView, agent: int, since_us: int, until_us: int, token: CancelToken) -> MinuteCounts:
    """Of an agent (0: of all), for the minutes that begin in [since_us, until_us). Sealed segments have counted them; others
    are read. Raises `Cancelled`."""
    since_us, until_us = (-(-us // MINUTE_US) * MINUTE_US for us in (since_us, until_us))

    def one(opened: OpenSegment, _row: SegmentRow) -> MinuteCounts:
        token.check()
        if opened.blocks:
            return opened.log_index.minutes(agent, since_us, until_us)
        return _counted(opened, agent, since_us, until_us, token)

    nothing = MinuteCounts(*np.zeros((3, 0), np.int64))
    parts = [view.attempt(row, one, nothing) for row in view.overlapping(since_us, until_us)]
    return summed(parts or [nothing])


def _counted(opened: OpenSegment, agent: int, since_us: int, until_us: int, token: CancelToken) -> MinuteCounts:
    low, end = opened.row_range("log", since_us, until_us)
    sql = f"{_COUNTED} {'and agent_id = ?' if agent else ''} group by 1, 2"
    more = (agent,) if agent else ()
    parts = [MinuteCounts(*np.zeros((3, 0), np.int64))]
    for first in range(low, end, _STEP_ROWS):
        token.check()
        rows = opened.rows(sql, first, min(end, first + _STEP_ROWS), since_us, until_us, *more)
        minute, level, n = np.array(rows, np.int64).reshape(-1, 3).T
        parts.append(MinuteCounts(minute * MINUTE_US, level, n))
    return summed(parts)


def summed(parts: list[MinuteCounts]) -> MinuteCounts:
    """Counts of the same minute and level added up, in order."""
    minute, level, n = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    cells, place = np.unique(minute // MINUTE_US * _LEVELS + level, return_inverse=True)
    counts = np.bincount(place, n, len(cells)).astype(np.int64)
    return MinuteCounts(cells // _LEVELS * MINUTE_US, cells % _LEVELS, counts)
