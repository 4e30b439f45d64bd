"""Pages of log records and messages, newest first, merged over the segments."""

import heapq
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from models.domain.messages import Kind, Origin, Properties
from models.domain.queries import (
    CancelToken,
    LogLine,
    LogRequest,
    LogResult,
    MessageLine,
    MessageRequest,
    MessageResult,
    Reach,
    RowKey,
)
from models.domain.records import Level
from models.storage.history.sealed_lists import Span, sealed_rows, topics_meant, topics_named
from models.storage.history.store_view import StoreView, clusters
from models.storage.segments.message_properties import decode
from models.storage.segments.open_segment import OpenSegment, SegmentRow

log = logging.getLogger(__name__)

FIRST_STEP = 2_000
LAST_STEP = 200_000
STEP_S = 0.05
"""Rows looked at by one statement: more where it was faster than this."""
LIKE_LIMIT = 1_000
"""The engine refuses patterns that are much longer."""
PAGE_S = 0.3
"""A page that has taken this long is handed over as far as it is."""

Line = TypeVar("Line", LogLine, MessageLine)


class _Question(NamedTuple):
    """What both lists have in common. `where` speaks of columns of `table`."""

    table: str
    columns: str
    where: str
    bindings: list[Any]
    request: LogRequest | MessageRequest
    newest: RowKey | None

    def asks_for(self, row: SegmentRow) -> bool:
        """May the segment hold what is asked for? What an import brought is no news; nor does anything belong to the page
        that is committed while we look, or it would be told twice."""
        if row.imported:
            return self.request.after is None
        since = self.request.after.segment if self.request.after is not None else 0
        return since <= row.id and (self.newest is None or row.id <= self.newest.segment)


Narrow = Callable[[OpenSegment], _Question | None]
"""Makes the question one of a segment's own ids; None: that segment has nothing of the kind."""


def answer_logs(view: StoreView, request: LogRequest, token: CancelToken) -> Iterator[LogResult]:
    """One page. A row's key carries its number in the log table, as one message may hold several records."""
    where, bindings = _filters({"agent_id": request.agent})
    if request.min_level > Level.TRACE:
        where.append("level >= ?")
        bindings.append(int(request.min_level))
    if request.text:
        needle = request.text.casefold()
        tests = [_holding(column, needle) for column in ("text", "logger", "error")]
        where.append(f"({' or '.join(sql for sql, _ in tests)})")
        bindings += [value for _, values in tests for value in values]
    question = _Question(
        "log", "rowid, received_us, time_us, agent_id, level, seq, logger, text, error, stack, attributes",
        " and ".join(where), bindings, request, _newest_row(view, "log"),
    )  # fmt: skip

    def line(_opened: OpenSegment, segment: int, row: Any) -> LogLine:
        id_, received, at, agent, level, message, *texts = row
        key = RowKey(received, segment, id_)
        logger, text, error, stack, attributes = (one or "" for one in texts)
        return LogLine(key, at, agent, Level(level), logger, text, error, stack, attributes, message)

    rows, reach = _page(view, question, line, token)
    yield LogResult(request, rows, reach)


def answer_messages(view: StoreView, request: MessageRequest, token: CancelToken) -> Iterator[MessageResult]:
    """One page. Damaged properties show as none."""
    where, bindings = _filters({"agent_id": request.agent})
    columns = "rowid, received_us, topic_id, agent_id, kind, flags, length(payload), properties, substr(payload, 1, ?)"
    question = _Question(
        "message", columns.replace("?", str(int(request.payload_limit))), " and ".join(where), bindings, request,
        _newest_row(view, "message"),
    )  # fmt: skip

    def line(opened: OpenSegment, segment: int, row: Any) -> MessageLine:
        seq, received, topic, agent, kind, flags, size, properties, payload = row
        origin, qos = Origin(flags >> 4 & 3), flags & 3  # of an empty payload the engine's substr makes NULL
        return MessageLine(
            RowKey(received, segment, seq), opened.topic(topic), agent, Kind(kind), origin, qos,
            bool(flags & 4), bool(flags & 8), size, payload or b"", _readable(properties),
        )  # fmt: skip

    def narrowed(opened: OpenSegment) -> _Question | None:
        return _of_topics(opened, question, request)

    rows, reach = _page(view, question, line, token, narrowed)
    yield MessageResult(request, rows, reach)


def _of_topics(opened: OpenSegment, question: _Question, request: MessageRequest) -> _Question | None:
    """The question with this segment's own ids of the topics that are meant; None where it has none of them."""
    where, bindings = [question.where], list(question.bindings)
    ids = topics_meant(opened, request)
    if ids is not None:
        if not ids:
            return None
        where.append("topic_id in (select value from json_each(?))")
        bindings.append(json.dumps(ids))
    if request.text:
        wanted = request.text.casefold()
        where.append("(topic_id in (select value from json_each(?)) or holds(?, payload))")
        bindings += [json.dumps(topics_named(opened, wanted)), wanted]
    return question._replace(where=" and ".join(where), bindings=bindings)


def _readable(properties: str | None) -> Properties | None:
    try:
        return decode(properties)
    except ValueError as error:
        log.warning("stored properties cannot be read: %s", error)
        return None


def _filters(equal: dict[str, int]) -> tuple[list[str], list[Any]]:
    given = {column: value for column, value in equal.items() if value}
    return ["1", *(f"{column} = ?" for column in given)], list(given.values())


def _holding(column: str, needle: str) -> tuple[str, list[str]]:
    """Does the column hold this casefolded text? Where both are ASCII the engine's own LIKE says the same, many times as
    fast as asking Python."""
    if not needle.isascii() or len(needle) > LIKE_LIMIT:
        return f"holds(?, {column})", [needle]
    pattern = needle.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    other = f"(octet_length({column}) <> length({column}) and holds(?, {column}))"
    return f"({column} like ? escape '\\' or {other})", [f"%{pattern}%", needle]


def _newest_row(view: StoreView, table: str) -> RowKey | None:
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


def _page(
    view: StoreView,
    question: _Question,
    line: Callable[[OpenSegment, int, Any], Line],
    token: CancelToken,
    narrowed: Narrow | None = None,
) -> tuple[tuple[Line, ...], Reach]:
    """Rows until the page is full, nothing is left, or time is up."""
    limit, before, end_s = question.request.limit, question.request.before, time.monotonic() + PAGE_S
    rows: list[Line] = []
    searched: RowKey | None = None
    for found in _newest_first(view, question, line, token, narrowed):
        if not isinstance(found, RowKey):
            if len(rows) == limit:
                searched = rows[-1].key if rows else before or found.key._replace(seq=found.key.seq + 1)
                break
            rows.append(found)
        elif time.monotonic() > end_s and (before is None or found < before):
            searched = found
            break
    matched = -1
    if question.request.after is not None:
        matched = len(rows) if searched is None else _count(view, question, token, narrowed)
    return tuple(rows), Reach(searched, question.newest, matched)


def _newest_first(
    view: StoreView,
    question: _Question,
    line: Callable[[OpenSegment, int, Any], Line],
    token: CancelToken,
    narrowed: Narrow | None,
) -> Iterator[Line | RowKey]:
    """All matching rows, newest first, read as far as somebody asks. A key between them says: everything newer was looked
    at."""

    def one(opened: OpenSegment, row: SegmentRow) -> Iterator[Line | RowKey]:
        asked = narrowed(opened) if narrowed else question
        for found in _rows_down(opened, row, asked, token) if asked is not None else ():
            yield found if isinstance(found, RowKey) else line(opened, row.id, found)

    for group in reversed(clusters(_segments(view, question))):
        streams = [view.stream(row, one) for row in group]
        if len(streams) == 1:
            yield from streams[0]
        else:
            yield from heapq.merge(*streams, key=_key, reverse=True)


def _key(found: LogLine | MessageLine | RowKey) -> RowKey:
    return found if isinstance(found, RowKey) else found.key


def _segments(view: StoreView, question: _Question) -> list[SegmentRow]:
    request = question.request
    until = request.until_us
    if request.before is not None:
        until = min(until or 2**62, request.before.received_us + 1)
    return [row for row in view.overlapping(request.since_us, until) if question.asks_for(row)]


def _part(opened: OpenSegment, row: SegmentRow, question: _Question) -> Span:
    request, before, after, newest = question.request, question.request.before, question.request.after, question.newest
    since, until = request.since_us, request.until_us or 2**62
    if before is not None and row.id != before.segment:
        until = min(until, before.received_us + (row.id < before.segment))
    low, end = opened.row_range(question.table, since, 0 if until >= 2**62 else until)
    if before is not None and row.id == before.segment:
        end = min(end, before.seq)
    if after is not None and row.id == after.segment:
        low = max(low, after.seq + 1)
    if newest is not None and row.id == newest.segment and not row.imported:
        end = min(end, newest.seq + 1)
    return Span(low, end, since, until)


def _rows_down(opened: OpenSegment, row: SegmentRow, question: _Question, token: CancelToken) -> Iterator[Any]:
    """Matching rows of one segment, newest first, in statements that stay short whatever the filter; after each, how far
    they came."""
    span = low, end, since, until = _part(opened, row, question)
    if opened.blocks:
        yield from sealed_rows(opened, span, question.request, token)
        return
    limit = question.request.limit + 1
    arrival = f"select received_us from {question.table} where rowid >= ? order by rowid limit 1"
    sql = f"""select {question.columns} from {question.table} where rowid >= ? and rowid < ? and received_us >= ?
        and received_us < ? and {question.where} order by rowid desc limit ?"""
    step = FIRST_STEP
    while end > low:
        token.check()
        bottom = max(low, end - step)
        began_s = time.monotonic()
        found = opened.rows(sql, bottom, end, since, until, *question.bindings, limit)
        yield from found
        if len(found) == limit:
            end = found[-1][0]
            continue
        end = bottom
        if time.monotonic() - began_s < STEP_S:
            step = min(2 * step, LAST_STEP)
        if end > low:
            yield RowKey(opened.number(arrival, bottom), row.id, bottom)


def _count(view: StoreView, question: _Question, token: CancelToken, narrowed: Narrow | None) -> int:
    """How many rows match, in all segments."""

    def one(opened: OpenSegment, row: SegmentRow) -> int:
        asked = narrowed(opened) if narrowed else question
        if asked is None:
            return 0
        if opened.blocks:
            found = sealed_rows(opened, _part(opened, row, question), question.request, token)
            return sum(not isinstance(one, RowKey) for one in found)
        sql = f"""select count(*) from {question.table} where rowid >= ? and rowid < ? and received_us >= ?
            and received_us < ? and {asked.where}"""
        low, end, since, until = _part(opened, row, question)
        total = 0
        for bottom in range(low, end, LAST_STEP):
            token.check()
            total += opened.number(sql, bottom, min(end, bottom + LAST_STEP), since, until, *asked.bindings)
        return total

    return sum(view.attempt(row, one, 0) for row in _segments(view, question))
