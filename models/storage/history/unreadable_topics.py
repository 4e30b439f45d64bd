"""Topics with messages that are stored but could not be read: for the window, and for the dataset that is exported."""

from collections.abc import Iterator
from typing import NamedTuple

from models.domain.queries import CancelToken, RowKey, UnreadableRequest, UnreadableResult, UnreadableTopic
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment, Row, SegmentRow

PAGE_ROWS = 10_000
MOST_TOPICS = 2_000
SAMPLE_BYTES = 256


class UnreadableCount(NamedTuple):
    """`reason` and `key` are of the last such message on the topic."""

    messages: int
    reason: str
    key: RowKey


def unreadable_topics(
    view: StoreView, since_us: int, until_us: int, agent: int, token: CancelToken
) -> dict[bytes, UnreadableCount]:
    """By topic, of what arrived in [since_us, until_us) (0: open end) from this agent (0: all). Memory grows with such topics
    only. Raises `Cancelled`."""
    found: dict[bytes, UnreadableCount] = {}
    end_us = until_us or 2**62

    def bad(opened: OpenSegment, row: SegmentRow) -> Iterator[list[tuple[bytes, str, RowKey]]]:
        first, end = opened.row_range("message", since_us, until_us)
        sql = f"""select u.seq, u.topic_id, u.reason, m.received_us from unreadable u join message m on m.seq = u.seq
            where u.seq >= ? and u.seq < ? and m.received_us >= ? and m.received_us < ?
            {"and m.agent_id = ?" if agent else ""} order by u.seq limit {PAGE_ROWS}"""
        only = [agent] if agent else []
        while page := opened.rows(sql, first, end, since_us, end_us, *only):
            yield [(opened.topic(topic), reason, RowKey(at, row.id, seq)) for seq, topic, reason, at in page]
            first = page[-1][0] + 1

    for row in view.overlapping(since_us, until_us):
        for page in view.stream(row, bad):
            token.check()
            for topic, reason, key in page:
                known = found.get(topic)
                if known is None:
                    found[topic] = UnreadableCount(1, reason, key)
                elif key > known.key:
                    found[topic] = UnreadableCount(known.messages + 1, reason, key)
                else:
                    found[topic] = known._replace(messages=known.messages + 1)
    return found


def answer_unreadable(view: StoreView, request: UnreadableRequest, token: CancelToken) -> UnreadableResult:
    """The topics that were met last, with a sample each. Raises `Cancelled`."""
    found = unreadable_topics(view, request.since_us, request.until_us, 0, token)
    last = sorted(found.items(), key=lambda one: one[1].key, reverse=True)[:MOST_TOPICS]
    segments = {row.id: row for row in view.all()}

    def sample(key: RowKey) -> bytes:
        sql = f"select substr(payload, 1, {SAMPLE_BYTES}) from message where seq = ?"
        nothing: list[Row] = []
        rows = view.attempt(segments[key.segment], lambda opened, _: opened.rows(sql, key.seq), nothing)
        return bytes(rows[0][0]) if rows else b""

    return UnreadableResult(
        request,
        tuple(UnreadableTopic(topic, one.messages, one.reason, one.key, sample(one.key)) for topic, one in last),
    )
