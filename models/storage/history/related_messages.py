"""Messages that may belong to a request: by what they have in common with it, and by the interactions that were recorded."""

import base64
import json
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from models.domain.queries import CancelToken, MessageLine, RelatedRequest, RelatedResult, RowKey
from models.storage.history.message_lists import line_of, message_columns
from models.storage.history.row_pages import FIRST_STEP, LAST_STEP, STEP_S, Span
from models.storage.history.sealed_rows import rows_within
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment, SegmentRow

_FAR_US = 3_600_000_000
"""How long after a request its recorded reply is looked for."""
_WHOLE = 1 << 30
_AT_ONCE = 200
_MOST_KEPT = 50_000
"""Of keys, until the nearest are chosen: an id of one digit stands in nearly every message."""


class _Needles(NamedTuple):
    topics: tuple[bytes, ...]
    payload: tuple[bytes, ...]
    properties: tuple[str, ...]


def answer_related(view: StoreView, request: RelatedRequest, token: CancelToken) -> Iterator[RelatedResult]:
    """One result."""
    at_us, needles = request.key.received_us, _needles(request)
    since_us, until_us = at_us - request.reach_us, at_us + request.reach_us + 1
    near: list[RowKey] = []
    found = 0

    def keep_nearest() -> None:
        near.sort(key=lambda key: abs(key.received_us - at_us))
        del near[request.limit :]

    for row in view.overlapping(since_us, until_us):
        for key in view.stream(row, lambda opened, one: _near(opened, one, needles, since_us, until_us, token)):
            near.append(key)
            found += 1
            if len(near) > _MOST_KEPT:
                keep_nearest()
    keep_nearest()
    chosen = {request.key, *near, *_recorded(view, request.key, token)}
    yield RelatedResult(request, _lines(view, chosen, token), found)


def _needles(request: RelatedRequest) -> _Needles:
    marks = request.marks
    told = json.dumps(request.topic.decode(errors="replace"), ensure_ascii=False)
    return _Needles(
        tuple(marks.topics),
        tuple(text.encode() for text in marks.texts),
        (f'"response_topic":{told}', *(base64.b64encode(one).decode() for one in marks.correlations), *marks.texts),
    )


def _near(
    opened: OpenSegment, row: SegmentRow, needles: _Needles, since_us: int, until_us: int, token: CancelToken
) -> Iterator[RowKey]:
    topics = [opened.number("select id from topic where name = ?", name) for name in needles.topics]
    low, end = opened.row_range("message", since_us, until_us)
    span = Span(low, end, since_us, until_us, up=True)
    way = _in_blocks if opened.blocks else _in_rows
    return (RowKey(received_us, row.id, seq) for seq, received_us in way(opened, span, topics, needles, token))


def _in_rows(
    opened: OpenSegment, span: Span, topics: list[int], needles: _Needles, token: CancelToken
) -> Iterator[tuple[int, int]]:
    tests = ["topic_id in (select value from json_each(?))"]
    tests += ["instr(payload, ?) > 0"] * len(needles.payload) + ["instr(properties, ?) > 0"] * len(needles.properties)
    sql = f"""select rowid, received_us from message where rowid >= ? and rowid < ? and received_us >= ? and received_us < ?
        and ({" or ".join(tests)}) order by rowid"""
    bindings = (json.dumps(topics), *needles.payload, *needles.properties)
    low, step = span.low, FIRST_STEP
    while low < span.end:
        token.check()
        began_s, top = time.monotonic(), min(span.end, low + step)
        yield from ((row[0], row[1]) for row in opened.rows(sql, low, top, span.since_us, span.until_us, *bindings))
        low, step = top, min(2 * step, LAST_STEP) if time.monotonic() - began_s < STEP_S else step


def _in_blocks(
    opened: OpenSegment, span: Span, topics: list[int], needles: _Needles, token: CancelToken
) -> Iterator[tuple[int, int]]:
    blocks = opened.blocks["message"]
    properties = tuple(one.encode() for one in needles.properties)
    for number in blocks.within(span.low, span.end):
        token.check()
        rows = rows_within(blocks, number, span)
        found = np.isin(blocks.array(number, "topic_id")[rows], topics)
        for column, some in (("payload", needles.payload), ("properties", properties)):
            joined = blocks.joined(number, column)
            meant = [needle for needle in some if needle in joined]
            if meant:
                texts = blocks.column(number, column, rows)
                found |= np.fromiter((_holds(text, meant) for text in texts), bool, len(rows))
        first, received_us = int(blocks.directory[0][number]), blocks.array(number, "received_us")
        yield from ((first + row, int(received_us[row])) for row in rows[found].tolist())


def _holds(text: bytes | str | None, needles: list[bytes]) -> bool:
    data = text.encode() if isinstance(text, str) else text or b""
    return any(needle in data for needle in needles)


def _recorded(view: StoreView, key: RowKey, token: CancelToken) -> list[RowKey]:
    """Where the request of this reply is, or the replies to this request, as interactions tell: a reply by its very row, a
    request by its arrival, which its reply tells to the microsecond."""
    at_us = key.received_us
    asked_us: set[int] = set()
    found: list[RowKey] = []
    nothing: list[tuple[int, int, int]] = []

    def tell(opened: OpenSegment, row: SegmentRow) -> list[tuple[int, int, int]]:
        low, end = opened.row_range("interaction", at_us, at_us + _FAR_US)
        rows: list[tuple[int, int, int]] = []
        for bottom in range(low, end, LAST_STEP):
            token.check()
            rows += opened.rows(
                """select seq, received_us, reply_us from interaction where rowid >= ? and rowid < ? and reply_us is not null
                and (received_us - reply_us = ? or (received_us = ? and seq = ?))""",
                bottom, min(end, bottom + LAST_STEP), at_us, at_us, key.seq if row.id == key.segment else -1,
            )  # fmt: skip
        return rows

    def then(opened: OpenSegment, row: SegmentRow) -> list[RowKey]:
        low, end = opened.row_range("message", min(asked_us), max(asked_us) + 1)
        sql = "select rowid, received_us from message where rowid >= ? and rowid < ? and received_us = ?"
        return [RowKey(at, row.id, seq) for one in asked_us for seq, at in opened.rows(sql, low, end, one)]

    for row in view.overlapping(at_us, at_us + _FAR_US):
        for seq, received_us, reply_us in view.attempt(row, tell, nothing):
            if (row.id, seq) == (key.segment, key.seq):
                asked_us.add(received_us - reply_us)
            else:
                found.append(RowKey(received_us, row.id, seq))
    if asked_us:
        for row in view.overlapping(min(asked_us), max(asked_us) + 1):
            found += view.attempt(row, then, [])
    return found


def _lines(view: StoreView, keys: set[RowKey], token: CancelToken) -> tuple[MessageLine, ...]:
    found: list[MessageLine] = []
    rows = {row.id: row for row in view.all()}

    def read(opened: OpenSegment, row: SegmentRow) -> list[MessageLine]:
        sql = f"select {message_columns(_WHOLE)} from message where rowid in (select value from json_each(?))"
        seqs = sorted(key.seq for key in keys if key.segment == row.id)
        lines: list[MessageLine] = []
        for at in range(0, len(seqs), _AT_ONCE):
            token.check()
            lines += [line_of(opened, row.id, one) for one in opened.rows(sql, json.dumps(seqs[at : at + _AT_ONCE]))]
        return lines

    for segment in {key.segment for key in keys} & rows.keys():
        found += view.attempt(rows[segment], read, [])
    return tuple(sorted(found, key=lambda line: line.key))
