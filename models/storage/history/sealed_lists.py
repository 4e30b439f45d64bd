"""Rows of the lists from a sealed segment, newest first: the same rows that an open one gives, found by its indexes."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.queries import CancelToken, LogRequest, MessageRequest, RowKey
from models.domain.records import Level
from models.domain.rules import TopicPattern
from models.storage.sealing.row_reading import RowBlocks
from models.storage.segments.open_segment import OpenSegment, holds

LOG_COLUMNS = (
    "id", "received_us", "time_us", "agent_id", "level", "seq", "logger", "text", "error", "stack", "attributes",
)  # fmt: skip
MESSAGE_COLUMNS = ("seq", "received_us", "topic_id", "agent_id", "kind", "flags", "properties", "payload")
SEARCHED = ("text", "logger", "error")
_LOOKED_AT = 64
"""Candidates that were none, after which it is told how far we are."""
_MOST_ASKED_FOR = 1_000
"""Topics whose blocks are looked up one by one."""
Found = tuple[Any, ...] | RowKey


class Span(NamedTuple):
    """Rows [low, end) of one segment that arrived in [since_us, until_us)."""

    low: int
    end: int
    since_us: int
    until_us: int


def sealed_rows(
    opened: OpenSegment, span: Span, request: LogRequest | MessageRequest, token: CancelToken
) -> Iterator[Found]:
    """What is asked for, in the columns that `history_lists` selects. A key between the rows: everything newer was looked
    at."""
    if isinstance(request, LogRequest):
        return _logs(opened, span, request, token)
    return _messages(opened, span, request, token)


def _logs(opened: OpenSegment, span: Span, request: LogRequest, token: CancelToken) -> Iterator[Found]:
    blocks, needle = opened.blocks["log"], request.text.casefold()
    ids = opened.log_index.candidates(request.agent, request.min_level, needle, span.low, span.end)
    if ids is None:
        yield from _logs_of_blocks(opened, span, request, token)
        return
    first = blocks.directory[0]
    last: list[int] = []
    looked_at = 0

    def place(id_: int) -> int:
        return int(np.searchsorted(first, id_, "right")) - 1

    for number, some in groupby(ids, place):
        token.check()
        last = list(some)
        for id_ in last:
            row = id_ - int(first[number])
            if _is_meant(blocks, number, row, span, request, needle):
                yield tuple(blocks.value(number, name, row) for name in LOG_COLUMNS)
        looked_at += len(last)
        if looked_at >= _LOOKED_AT:
            looked_at = 0
            yield RowKey(blocks.value(number, "received_us", last[-1] - int(first[number])), opened.id, last[-1])


def _is_meant(blocks: RowBlocks, number: int, row: int, span: Span, request: LogRequest, needle: str) -> bool:
    return (
        (not request.agent or blocks.value(number, "agent_id", row) == request.agent)
        and (request.min_level <= Level.TRACE or blocks.value(number, "level", row) >= request.min_level)
        and span.since_us <= blocks.value(number, "received_us", row) < span.until_us
        and (not needle or any(holds(needle, blocks.value(number, name, row)) for name in SEARCHED))
    )


def _logs_of_blocks(opened: OpenSegment, span: Span, request: LogRequest, token: CancelToken) -> Iterator[Found]:
    blocks, needle = opened.blocks["log"], request.text.casefold()
    for number in reversed(blocks.within(span.low, span.end)):
        token.check()
        rows = _rows_within(blocks, number, span)
        if request.min_level > Level.TRACE:
            rows = rows[blocks.array(number, "level")[rows] >= request.min_level]
        if len(rows) and needle:
            rows = _holding(blocks, number, rows, needle)
        yield from _tuples(blocks, number, rows, LOG_COLUMNS)
        yield _reached(opened, blocks, number)


def _holding(blocks: RowBlocks, number: int, rows: npt.NDArray[np.intp], needle: str) -> npt.NDArray[np.intp]:
    """Those of the rows that hold the needle. All texts of a block are searched at once first."""
    found = np.zeros(len(rows), bool)
    for name in SEARCHED:
        if _may_hold(needle, blocks.joined(number, name)):
            found |= np.fromiter((holds(needle, text) for text in blocks.column(number, name, rows)), bool, len(rows))
    return rows[found]


def _messages(opened: OpenSegment, span: Span, request: MessageRequest, token: CancelToken) -> Iterator[Found]:
    blocks, needle = opened.blocks["message"], request.text.casefold()
    topics = topics_meant(opened, request)
    named = topics_named(opened, needle) if needle else []
    for number in reversed(_blocks_meant(blocks, span, request.agent, topics)):
        token.check()
        rows = _rows_within(blocks, number, span)
        if request.agent:
            rows = rows[blocks.array(number, "agent_id")[rows] == request.agent]
        if topics is not None and len(rows):
            rows = rows[np.isin(blocks.array(number, "topic_id")[rows], topics)]
        if needle and len(rows):
            found = np.isin(blocks.array(number, "topic_id")[rows], named)
            if _may_hold(needle, blocks.joined(number, "payload")):
                payloads = blocks.column(number, "payload", rows)
                found |= np.fromiter((holds(needle, payload) for payload in payloads), bool, len(rows))
            rows = rows[found]
        for *columns, properties, payload in _tuples(blocks, number, rows, MESSAGE_COLUMNS):
            yield (*columns, len(payload), properties, payload[: request.payload_limit])
        yield _reached(opened, blocks, number)


def topics_meant(opened: OpenSegment, request: MessageRequest) -> list[int] | None:
    """The segment's own ids of the topic, or of all at and below it, that a pattern fits; None: of whatever topic."""
    found: list[int] | None = None
    if request.topic or request.branch:
        # below: from "topic/" up to what follows it, as "0" is the next byte after "/"
        ends = (request.topic + b"/", request.topic + b"0") if request.branch else (request.topic, request.topic)
        rows = opened.rows("select id from topic where name = ? or (name >= ? and name < ?)", request.topic, *ends)
        found = [id_ for (id_,) in rows]
    if request.pattern:
        fitting = _topics_of(opened, TopicPattern(request.pattern))
        found = fitting if found is None else sorted({*found}.intersection(fitting))
    return found


def _topics_of(opened: OpenSegment, pattern: TopicPattern) -> list[int]:
    """Of those alone that begin as the pattern does is every one looked at: of a hundred thousand that takes a while."""
    begin = pattern.beginning.encode()
    rows = opened.rows("select id, name from topic where substr(name, 1, ?) = ?", len(begin), begin)
    return [id_ for id_, name in rows if pattern.match(name.decode(errors="replace")) is not None]


def topics_named(opened: OpenSegment, needle: str) -> list[int]:
    """The segment's own ids of the topics whose names hold the casefolded needle."""
    return [id_ for (id_,) in opened.rows("select id from topic where holds(?, name)", needle)]


def _may_hold(needle: str, joined: bytes) -> bool:
    """False: none of the texts in it holds the needle. Where one breaks off within a character, the next may complete it; so
    the sign for broken ones is not looked for here."""
    return "\ufffd" in needle or holds(needle, joined)


def _blocks_meant(blocks: RowBlocks, span: Span, agent: int, topics: list[int] | None) -> list[int]:
    found = np.array(blocks.within(span.low, span.end), np.int64)
    if agent:
        found = found[np.isin(found, blocks.holding("message_agent", agent))]
    if topics is not None and len(topics) <= _MOST_ASKED_FOR:  # more are in nearly every block
        every = [blocks.holding("message_topic", id_) for id_ in topics] if len(found) else []
        found = found[np.isin(found, np.concatenate(every))] if every else found[:0]
    some: list[int] = found.tolist()
    return some


def _rows_within(blocks: RowBlocks, number: int, span: Span) -> npt.NDArray[np.intp]:
    first, received_us = int(blocks.directory[0][number]), blocks.array(number, "received_us")
    rows = np.flatnonzero((received_us >= span.since_us) & (received_us < span.until_us))
    return rows[(rows >= span.low - first) & (rows < span.end - first)]


def _tuples(
    blocks: RowBlocks, number: int, rows: npt.NDArray[np.intp], names: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """The last row first."""
    if len(rows):
        yield from zip(*(blocks.column(number, name, rows[::-1]) for name in names), strict=True)


def _reached(opened: OpenSegment, blocks: RowBlocks, number: int) -> RowKey:
    return RowKey(blocks.value(number, "received_us", 0), opened.id, int(blocks.directory[0][number]))
