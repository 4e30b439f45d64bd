"""One number of a topic's messages, out of their payloads: block by block where they are sealed, in short statements else."""

import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from models.domain.field_numbers import FieldNumbers
from models.domain.field_queries import FieldRequest, FieldResult
from models.domain.queries import CancelToken, Float64, Int64, Reach, RowKey
from models.storage.history.row_pages import FIRST_STEP, LAST_STEP, PAGE_S, STEP_S, newest_row
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment, SegmentRow

_AT_ONCE = 2_000
"""Messages that one statement brings at most: their payloads may be long."""


class _Piece(NamedTuple):
    """What some rows hold; `down_to` is the last that was looked at, the rows above it are done."""

    received_us: Int64
    value: Float64
    down_to: RowKey


def answer_field(view: StoreView, request: FieldRequest, token: CancelToken) -> Iterator[FieldResult]:
    """One page: all there is, or as much as a moment allows."""
    newest = newest_row(view, "message")
    read = partial(_pieces, request, FieldNumbers(request.path), newest, token)
    pieces: list[_Piece] = []
    end_s = time.monotonic() + PAGE_S
    searched: RowKey | None = None
    for row in _segments(view, request, newest):
        for piece in view.stream(row, read):
            pieces.append(piece)
            if time.monotonic() > end_s:
                searched = piece.down_to
                break
        if searched is not None:
            break
    received_us = np.concatenate([np.zeros(0, np.int64), *(piece.received_us for piece in pieces)])
    value = np.concatenate([np.zeros(0), *(piece.value for piece in pieces)])
    there = ~np.isnan(value)
    yield FieldResult(request, received_us[there], value[there], len(value), Reach(searched, newest))


def _segments(view: StoreView, request: FieldRequest, newest: RowKey | None) -> list[SegmentRow]:
    """What a recorder wrote, the last one first, then what imports brought. What is stored while one asks on is news, for
    `after`; imports are never news."""
    before, after = request.before or newest, request.after
    rows = view.overlapping(request.since_us, request.until_us)
    recorded = [row for row in rows if not row.imported]
    imported = [row for row in rows if row.imported]
    if after is not None:
        recorded, imported = [row for row in recorded if row.id >= after.segment], []
    if before is not None and any(row.id == before.segment for row in imported):
        recorded, imported = [], [row for row in imported if row.id <= before.segment]
    elif before is not None:
        recorded = [row for row in recorded if row.id <= before.segment]
    return [*_last_first(recorded), *_last_first(imported)]


def _last_first(rows: list[SegmentRow]) -> list[SegmentRow]:
    return sorted(rows, key=lambda row: row.id, reverse=True)


def _pieces(
    request: FieldRequest, numbers: FieldNumbers, newest: RowKey | None, token: CancelToken,
    opened: OpenSegment, row: SegmentRow,
) -> Iterator[_Piece]:  # fmt: skip
    topic = opened.number("select id from topic where name = ?", request.topic)
    if not topic:
        return
    low, end = opened.row_range("message", request.since_us, request.until_us)
    if request.after is not None and row.id == request.after.segment:
        low = max(low, request.after.seq + 1)
    if request.before is not None and row.id == request.before.segment:
        end = min(end, request.before.seq)
    elif newest is not None and row.id == newest.segment:
        end = min(end, newest.seq + 1)
    if low >= end:
        return
    way = _sealed if opened.blocks else _rows
    yield from way(opened, request, numbers, topic, range(low, end), token)


def _sealed(
    opened: OpenSegment, request: FieldRequest, numbers: FieldNumbers, topic: int, span: range, token: CancelToken
) -> Iterator[_Piece]:
    blocks = opened.blocks["message"]
    holding = blocks.holding("message_topic", topic)
    some = blocks.within(span.start, span.stop)
    for number in holding[(holding >= some.start) & (holding < some.stop)][::-1].tolist():
        token.check()
        received_us, first = blocks.array(number, "received_us"), int(blocks.directory[0][number])
        meant = (blocks.array(number, "topic_id") == topic) & (received_us >= request.since_us)
        meant[: max(0, span.start - first)] = False
        meant[max(0, span.stop - first) :] = False
        if request.until_us:
            meant &= received_us < request.until_us
        rows = np.flatnonzero(meant)
        value = numbers.of(blocks.column(number, "payload", rows))
        yield _Piece(received_us[rows], value, RowKey(int(received_us[0]), opened.id, max(first, span.start)))


def _rows(
    opened: OpenSegment, request: FieldRequest, numbers: FieldNumbers, topic: int, span: range, token: CancelToken
) -> Iterator[_Piece]:
    sql = """select rowid, received_us, payload from message where rowid >= ? and rowid < ? and topic_id = ?
        and received_us >= ? and received_us < ? order by rowid desc limit ?"""
    arrival = "select received_us from message where rowid >= ? order by rowid limit 1"
    low, end, step = span.start, span.stop, FIRST_STEP
    while end > low:
        token.check()
        bottom, began_s = max(low, end - step), time.monotonic()
        found = opened.rows(sql, bottom, end, topic, request.since_us, request.until_us or 2**62, _AT_ONCE)
        full = len(found) == _AT_ONCE
        if not full and time.monotonic() - began_s < STEP_S:
            step = min(2 * step, LAST_STEP)
        end = found[-1][0] if full else bottom
        received_us = np.array([row[1] for row in found], np.int64)
        value = numbers.of(row[2] for row in found)
        yield _Piece(received_us, value, RowKey(opened.number(arrival, end), opened.id, end))
