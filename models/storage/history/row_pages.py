"""Pages of stored rows in the order of their arrival, merged over the segments: what every list of them has in common."""

import heapq
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from models.domain.queries import CancelToken, LogLine, LogRequest, MessageLine, MessageRequest, Reach, RowKey
from models.storage.history.store_view import StoreView, clusters
from models.storage.segments.open_segment import OpenSegment, SegmentRow

FIRST_STEP = 2_000
LAST_STEP = 200_000
STEP_S = 0.05
"""Rows looked at by one statement: more where it was faster than this."""
MET_AT_ONCE = 1_000
"""Rows that are held against what they are to meet, before it is told how far we are."""
PAGE_S = 0.3
"""A page that has taken this long is handed over as far as it is."""

Line = TypeVar("Line", LogLine, MessageLine)
Row = tuple[Any, ...]
Found = Row | RowKey
"""A row in the columns of its list. A key between the rows: everything on this side of it was looked at."""


class Span(NamedTuple):
    """Rows [low, end) of one segment that arrived in [since_us, until_us), the newest first or `up` from the oldest."""

    low: int
    end: int
    since_us: int
    until_us: int
    up: bool


Sealed = Callable[[OpenSegment, Span, CancelToken], Iterator[Found]]
"""The same rows of a sealed segment."""


class Question(NamedTuple):
    """What all lists have in common. `where` speaks of columns of `table`; of the rows that it brings those are meant that
    `meets` says (None: all)."""

    table: str
    columns: str
    where: str
    bindings: list[Any]
    request: LogRequest | MessageRequest
    since_us: int
    until_us: int
    newest: RowKey | None
    sealed: Sealed
    meets: Callable[[Row], bool] | None = None

    def asks_for(self, row: SegmentRow) -> bool:
        """May the segment hold what is asked for? What an import brought is no news; nor does anything belong to the page
        that is committed while we look, or it would be told twice."""
        if self.request.oldest_first:
            return True
        if row.imported:
            return self.request.after is None
        since = self.request.after.segment if self.request.after is not None else 0
        return since <= row.id and (self.newest is None or row.id <= self.newest.segment)


Narrow = Callable[[OpenSegment], Question | None]
"""Makes the question one of a segment's own ids; None: that segment has nothing of the kind."""


def newest_row(view: StoreView, table: str) -> RowKey | None:
    """The last row that a recorder stored, whether it matches or not; of a table without rows, its place. Not that of the
    latest time: a clock may be set back, and what was imported may come from one that is ahead."""

    def last(opened: OpenSegment, row: SegmentRow) -> RowKey:
        found = opened.rows(f"select received_us, rowid from {table} order by rowid desc limit 1")
        received_us, id_ = found[0] if found else (row.last_us, 0)
        return RowKey(received_us, row.id, id_)

    rows = view.all()
    newest = max((row for row in rows if not row.imported), key=lambda row: row.id, default=None)
    if newest is not None:
        return view.attempt(newest, last, RowKey(0, newest.id, 0))
    return RowKey(0, max(row.id for row in rows), 0) if rows else None


def page(
    view: StoreView,
    question: Question,
    line: Callable[[OpenSegment, int, Any], Line],
    token: CancelToken,
    narrowed: Narrow | None = None,
) -> tuple[tuple[Line, ...], Reach]:
    """Rows until the page is full, nothing is left, or time is up."""
    request, end_s = question.request, time.monotonic() + PAGE_S
    limit, up = request.limit, request.oldest_first
    begun = request.after if up else request.before
    rows: list[Line] = []
    searched: RowKey | None = None
    for found in in_order(view, question, line, token, narrowed):
        if not isinstance(found, RowKey):
            if len(rows) == limit:
                searched = rows[-1].key if rows else begun or found.key._replace(seq=found.key.seq + (-1 if up else 1))
                break
            rows.append(found)
        elif time.monotonic() > end_s and (begun is None or (found > begun if up else found < begun)):
            searched = found
            break
    matched = -1
    if request.after is not None and not up:
        matched = len(rows) if searched is None else _count(view, question, token, narrowed)
    return tuple(rows), Reach(searched, question.newest, matched)


def in_order(
    view: StoreView,
    question: Question,
    line: Callable[[OpenSegment, int, Any], Line],
    token: CancelToken,
    narrowed: Narrow | None,
) -> Iterator[Line | RowKey]:
    """All matching rows in the order that is asked for, read as far as somebody asks. A key between them says: everything on
    this side of it was looked at."""
    up = question.request.oldest_first

    def one(opened: OpenSegment, row: SegmentRow) -> Iterator[Line | RowKey]:
        asked = narrowed(opened) if narrowed else question
        for found in _rows(opened, row, asked, token) if asked is not None else ():
            yield found if isinstance(found, RowKey) else line(opened, row.id, found)

    groups = clusters(_segments(view, question))
    for group in groups if up else reversed(groups):
        streams = [view.stream(row, one) for row in group]
        if len(streams) == 1:
            yield from streams[0]
        else:
            yield from heapq.merge(*streams, key=_key, reverse=not up)


def _key(found: LogLine | MessageLine | RowKey) -> RowKey:
    return found if isinstance(found, RowKey) else found.key


def _segments(view: StoreView, question: Question) -> list[SegmentRow]:
    since, until, request = question.since_us, question.until_us, question.request
    if request.before is not None:
        until = min(until, request.before.received_us + 1)
    if request.oldest_first and request.after is not None:
        since = max(since, request.after.received_us)
    return [row for row in view.overlapping(since, 0 if until >= 2**62 else until) if question.asks_for(row)]


def _part(opened: OpenSegment, row: SegmentRow, question: Question) -> Span:
    before, after, newest = question.request.before, question.request.after, question.newest
    since, until, up = question.since_us, question.until_us, question.request.oldest_first
    if up and after is not None and row.id != after.segment:
        since = max(since, after.received_us + (row.id < after.segment))
    if before is not None and row.id != before.segment:
        until = min(until, before.received_us + (row.id < before.segment))
    low, end = opened.row_range(question.table, since, 0 if until >= 2**62 else until)
    if before is not None and row.id == before.segment:
        end = min(end, before.seq)
    if after is not None and row.id == after.segment:
        low = max(low, after.seq + 1)
    if newest is not None and row.id == newest.segment and not row.imported:
        end = min(end, newest.seq + 1)
    return Span(low, end, since, until, up)


def _rows(opened: OpenSegment, row: SegmentRow, question: Question, token: CancelToken) -> Iterator[Any]:
    """Matching rows of one segment in order, in statements that stay short whatever the filter; after each, how far they
    came."""
    span = low, end, since, until, up = _part(opened, row, question)
    if opened.blocks:
        yield from question.sealed(opened, span, token)
        return
    meets = question.meets
    limit = question.request.limit + 1 if meets is None else MET_AT_ONCE
    arrival = f"select received_us from {question.table} where rowid >= ? order by rowid limit 1"
    sql = f"""select {question.columns} from {question.table} where rowid >= ? and rowid < ? and received_us >= ?
        and received_us < ? and {question.where} order by rowid {"" if up else "desc"} limit ?"""
    step = FIRST_STEP
    while end > low:
        token.check()
        bottom, top = (low, min(end, low + step)) if up else (max(low, end - step), end)
        began_s = time.monotonic()
        found = opened.rows(sql, bottom, top, since, until, *question.bindings, limit)
        yield from found if meets is None else filter(meets, found)
        full = len(found) == limit
        turned = (found[-1][0] + 1 if up else found[-1][0]) if full else top if up else bottom
        low, end = (turned, end) if up else (low, turned)
        if full and meets is not None:
            yield RowKey(found[-1][1], row.id, found[-1][0])
        if full:
            continue
        if time.monotonic() - began_s < STEP_S:
            step = min(2 * step, LAST_STEP)
        if end > low:
            yield RowKey(opened.number(arrival, turned), row.id, turned - up)


def _count(view: StoreView, question: Question, token: CancelToken, narrowed: Narrow | None) -> int:
    """How many rows match, in all segments."""

    def one(opened: OpenSegment, row: SegmentRow) -> int:
        asked = narrowed(opened) if narrowed else question
        if asked is None:
            return 0
        if opened.blocks:
            found = asked.sealed(opened, _part(opened, row, question), token)
            return sum(not isinstance(one, RowKey) for one in found)
        if asked.meets is not None:
            return sum(not isinstance(one, RowKey) for one in _rows(opened, row, asked, token))
        sql = f"""select count(*) from {question.table} where rowid >= ? and rowid < ? and received_us >= ?
            and received_us < ? and {asked.where}"""
        low, end, since, until, _ = _part(opened, row, question)
        total = 0
        for bottom in range(low, end, LAST_STEP):
            token.check()
            total += opened.number(sql, bottom, min(end, bottom + LAST_STEP), since, until, *asked.bindings)
        return total

    return sum(view.attempt(row, one, 0) for row in _segments(view, question))
