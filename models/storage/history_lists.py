"""Pages of log records and messages, newest first, merged over the segments."""

import heapq
import json
import logging
import time
from collections.abc import Callable, Iterator
from itertools import islice
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
    RowKey,
)
from models.domain.records import Level
from models.storage.message_properties import decode
from models.storage.segments_open import OpenSegment, SegmentRow, StoreView, clusters

log = logging.getLogger(__name__)

FIRST_STEP = 2_000
LAST_STEP = 200_000
STEP_S = 0.05
"""Rows looked at by one statement: more where it was faster than this."""

Line = TypeVar("Line", LogLine, MessageLine)


class _Question(NamedTuple):
    """What both lists have in common. `where` speaks of columns of `table`."""

    table: str
    columns: str
    where: str
    bindings: list[Any]
    before: RowKey | None
    since_us: int
    until_us: int
    limit: int


def answer_logs(view: StoreView, request: LogRequest, token: CancelToken) -> Iterator[LogResult]:
    """One page. A row's key carries its number in the log table, as one message may hold several records."""
    where, bindings = _filters({"agent_id": request.agent})
    if request.min_level > Level.TRACE:
        where.append("level >= ?")
        bindings.append(int(request.min_level))
    if request.text:
        where.append("(holds(?, text) or holds(?, logger) or holds(?, error))")
        bindings += [request.text.casefold()] * 3
    question = _Question(
        "log", "rowid, received_us, time_us, agent_id, level, logger, text, error, stack, attributes",
        " and ".join(where), bindings, request.before, request.since_us, request.until_us, request.limit + 1,
    )  # fmt: skip

    def line(_opened: OpenSegment, segment: int, row: Any) -> LogLine:
        id_, received, at, agent, level, *texts = row
        return LogLine(RowKey(received, segment, id_), at, agent, Level(level), *(text or "" for text in texts))

    rows = list(islice(_newest(view, question, line, token), request.limit + 1))
    yield LogResult(request, tuple(rows[: request.limit]), len(rows) > request.limit)


def answer_messages(view: StoreView, request: MessageRequest, token: CancelToken) -> Iterator[MessageResult]:
    """One page. Damaged properties show as none."""
    where, bindings = _filters({"agent_id": request.agent})
    columns = "rowid, received_us, topic_id, agent_id, kind, flags, length(payload), properties, substr(payload, 1, ?)"
    question = _Question(
        "message", columns.replace("?", str(int(request.payload_limit))), " and ".join(where), bindings,
        request.before, request.since_us, request.until_us, request.limit + 1,
    )  # fmt: skip

    def line(opened: OpenSegment, segment: int, row: Any) -> MessageLine:
        seq, received, topic, agent, kind, flags, size, properties, payload = row
        origin, qos = Origin(flags >> 4 & 3), flags & 3
        return MessageLine(
            RowKey(received, segment, seq), opened.topic(topic), agent, Kind(kind), origin, qos,
            bool(flags & 4), bool(flags & 8), size, payload, _readable(properties),
        )  # fmt: skip

    def narrowed(opened: OpenSegment) -> _Question | None:
        return _of_topics(opened, question, request)

    rows = list(islice(_newest(view, question, line, token, narrowed), request.limit + 1))
    yield MessageResult(request, tuple(rows[: request.limit]), len(rows) > request.limit)


def _of_topics(opened: OpenSegment, question: _Question, request: MessageRequest) -> _Question | None:
    """The question with this segment's own ids of the topics that are meant; None where it has none of them."""
    where, bindings = [question.where], list(question.bindings)
    if request.topic:
        # below: from "topic/" up to what follows it, as "0" is the next byte after "/"
        ends = (request.topic + b"/", request.topic + b"0") if request.branch else (request.topic, request.topic)
        ids = opened.rows("select id from topic where name = ? or (name >= ? and name < ?)", request.topic, *ends)
        if not ids:
            return None
        where.append("topic_id in (select value from json_each(?))")
        bindings.append(json.dumps([id_ for (id_,) in ids]))
    if request.text:
        wanted = request.text.casefold()
        ids = opened.rows("select id from topic where holds(?, name)", wanted)
        where.append("(topic_id in (select value from json_each(?)) or holds(?, payload))")
        bindings += [json.dumps([id_ for (id_,) in ids]), wanted]
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


def _newest(
    view: StoreView,
    question: _Question,
    line: Callable[[OpenSegment, int, Any], Line],
    token: CancelToken,
    narrowed: Callable[[OpenSegment], _Question | None] | None = None,
) -> Iterator[Line]:
    """All matching rows, newest first, read as far as somebody asks. `narrowed` makes the question one of a segment's own
    ids; None from it: that segment has nothing of the kind."""
    until = question.until_us
    if question.before is not None:
        until = min(until or 2**62, question.before.received_us + 1)

    def one(opened: OpenSegment, row: SegmentRow) -> Iterator[Line]:
        asked = narrowed(opened) if narrowed is not None else question
        if asked is None:
            return
        for found in _rows_down(opened, row, asked, token):
            yield line(opened, row.id, found)

    for group in reversed(clusters(view.overlapping(question.since_us, until))):
        streams = [view.stream(row, one) for row in group]
        if len(streams) == 1:
            yield from streams[0]
        else:
            yield from heapq.merge(*streams, key=lambda found: found.key, reverse=True)


def _rows_down(opened: OpenSegment, row: SegmentRow, question: _Question, token: CancelToken) -> Iterator[Any]:
    """Matching rows of one segment, newest first, in statements that stay short whatever the filter."""
    until, before = question.until_us or 2**62, question.before
    if before is not None and row.id != before.segment:
        until = min(until, before.received_us + (row.id < before.segment))
    low, end = opened.row_range(question.table, question.since_us, 0 if until >= 2**62 else until)
    if before is not None and row.id == before.segment:
        end = min(end, before.seq)
    sql = f"""select {question.columns} from {question.table} where rowid >= ? and rowid < ? and received_us >= ?
        and received_us < ? and {question.where} order by rowid desc limit ?"""
    step = FIRST_STEP
    while end > low:
        token.check()
        bottom = max(low, end - step)
        began_s = time.monotonic()
        found = opened.rows(sql, bottom, end, question.since_us, until, *question.bindings, question.limit)
        yield from found
        if len(found) == question.limit:
            end = found[-1][0]
        else:
            end = bottom
            if time.monotonic() - began_s < STEP_S:
                step = min(2 * step, LAST_STEP)
