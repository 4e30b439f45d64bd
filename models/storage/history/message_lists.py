"""Pages of messages."""

import json
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from models.domain.messages import Kind, Origin, Properties
from models.domain.queries import CancelToken, MessageLine, MessageRequest, MessageResult, RowKey
from models.domain.rules import TopicPattern
from models.storage.history.row_pages import Found, Question, Span, newest_row, page
from models.storage.history.sealed_rows import may_hold, reached, rows_within, tuples
from models.storage.history.store_view import StoreView
from models.storage.sealing.row_reading import RowBlocks
from models.storage.segments.message_properties import decode
from models.storage.segments.open_segment import OpenSegment, holds

log = logging.getLogger(__name__)

MESSAGE_COLUMNS = ("seq", "received_us", "topic_id", "agent_id", "kind", "flags", "properties", "payload")
_MOST_ASKED_FOR = 1_000
"""Topics whose blocks are looked up one by one."""


def answer_messages(view: StoreView, request: MessageRequest, token: CancelToken) -> Iterator[MessageResult]:
    """One page. Damaged properties show as none."""
    where, bindings = ("agent_id = ?", [request.agent]) if request.agent else ("1", [])
    question = Question(
        "message", message_columns(request.payload_limit), where, bindings, request,
        request.since_us, request.until_us or 2**62, newest_row(view, "message"), partial(_sealed, request),
    )  # fmt: skip

    def narrowed(opened: OpenSegment) -> Question | None:
        return _of_topics(opened, question, request)

    rows, reach = page(view, question, line_of, token, narrowed)
    yield MessageResult(request, rows, reach)


def message_columns(payload_limit: int) -> str:
    """What `line_of` takes; payloads are cut to so many bytes."""
    columns = "rowid, received_us, topic_id, agent_id, kind, flags, length(payload), properties"
    return f"{columns}, substr(payload, 1, {payload_limit:d})"


def line_of(opened: OpenSegment, segment: int, row: Any) -> MessageLine:
    """Of a row of `message_columns`."""
    seq, received, topic, agent, kind, flags, size, properties, payload = row
    origin, qos = Origin(flags >> 4 & 3), flags & 3  # of an empty payload the engine's substr makes NULL
    return MessageLine(
        RowKey(received, segment, seq), opened.topic(topic), agent, Kind(kind), origin, qos,
        bool(flags & 4), bool(flags & 8), size, payload or b"", _readable(properties),
    )  # fmt: skip


def _of_topics(opened: OpenSegment, question: Question, request: MessageRequest) -> Question | None:
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


def _sealed(request: MessageRequest, opened: OpenSegment, span: Span, token: CancelToken) -> Iterator[Found]:
    blocks, needle = opened.blocks["message"], request.text.casefold()
    topics = topics_meant(opened, request)
    named = topics_named(opened, needle) if needle else []
    meant = _blocks_meant(blocks, span, request.agent, topics)
    for number in meant if span.up else reversed(meant):
        token.check()
        rows = rows_within(blocks, number, span)
        if request.agent:
            rows = rows[blocks.array(number, "agent_id")[rows] == request.agent]
        if topics is not None and len(rows):
            rows = rows[np.isin(blocks.array(number, "topic_id")[rows], topics)]
        if needle and len(rows):
            found = np.isin(blocks.array(number, "topic_id")[rows], named)
            if may_hold(needle, blocks.joined(number, "payload")):
                payloads = blocks.column(number, "payload", rows)
                found |= np.fromiter((holds(needle, payload) for payload in payloads), bool, len(rows))
            rows = rows[found]
        for *columns, properties, payload in tuples(blocks, number, rows, MESSAGE_COLUMNS, up=span.up):
            yield (*columns, len(payload), properties, payload[: request.payload_limit])
        yield reached(opened, blocks, number, up=span.up)


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


def _blocks_meant(blocks: RowBlocks, span: Span, agent: int, topics: list[int] | None) -> list[int]:
    found = np.array(blocks.within(span.low, span.end), np.int64)
    if agent:
        found = found[np.isin(found, blocks.holding("message_agent", agent))]
    if topics is not None and len(topics) <= _MOST_ASKED_FOR:  # more are in nearly every block
        every = [blocks.holding("message_topic", id_) for id_ in topics] if len(found) else []
        found = found[np.isin(found, np.concatenate(every))] if every else found[:0]
    some: list[int] = found.tolist()
    return some
