"""How much came on every topic: totals in the catalogue, added to with every take-in."""

from collections.abc import Iterable
from typing import NamedTuple

import apsw

_ADD = """INSERT INTO topic_total(topic_id, messages, payload_bytes, last_us, agent_id, kind, revision)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(topic_id) DO UPDATE SET
    messages = messages + excluded.messages, payload_bytes = payload_bytes + excluded.payload_bytes,
    agent_id = CASE WHEN excluded.last_us >= last_us THEN excluded.agent_id ELSE agent_id END,
    kind = CASE WHEN excluded.last_us >= last_us THEN excluded.kind ELSE kind END,
    last_us = max(last_us, excluded.last_us), revision = excluded.revision"""
REVISION = "SELECT coalesce(sum(taken_batch), 0) FROM segment"
"""Rises with every take-in, and needs no counter of its own."""


class TopicSum(NamedTuple):
    """What some batches brought on one topic; `agent` (0: none) and `kind` are those of the last message."""

    topic: int
    messages: int
    payload_bytes: int
    last_us: int
    agent: int
    kind: int


def add_topics(catalogue: apsw.Connection, sums: Iterable[TopicSum]) -> None:
    """Part of the transaction that notes the batches as taken in, and after that note."""
    (revision,) = next(iter(catalogue.execute(REVISION)))
    catalogue.executemany(_ADD, [(*one, revision) for one in sums])
