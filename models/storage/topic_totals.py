"""How much came on every topic: totals in the catalogue, added to with every take-in, and the answer from them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import apsw
import numpy as np

from models.domain.queries import CancelToken, TopicsRequest, TopicsResult
from models.storage.segments_open import StoreView, fetch

_ADD = """INSERT INTO topic_total(topic_id, messages, payload_bytes, last_us, agent_id, revision)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(topic_id) DO UPDATE SET
    messages = messages + excluded.messages, payload_bytes = payload_bytes + excluded.payload_bytes,
    agent_id = CASE WHEN excluded.last_us >= last_us THEN excluded.agent_id ELSE agent_id END,
    last_us = max(last_us, excluded.last_us), revision = excluded.revision"""
_REVISION = "SELECT coalesce(sum(taken_batch), 0) FROM segment"
"""Rises with every take-in, and needs no counter of its own."""
_CHANGED = """SELECT id, name, messages, payload_bytes, last_us, agent_id FROM topic_total JOIN topic ON topic.id = topic_id
    WHERE revision > ? ORDER BY id"""
_NAMES_ALONE = "SELECT id, name, 0, 0, 0, 0 FROM topic WHERE ? = 0 ORDER BY id"
_FIRST_SCHEMA = 2


class TopicSum(NamedTuple):
    """What some batches brought on one topic; `agent` is that of the last message (0: none)."""

    topic: int
    messages: int
    payload_bytes: int
    last_us: int
    agent: int


def add_topics(catalogue: apsw.Connection, sums: Iterable[TopicSum]) -> None:
    """Part of the transaction that notes the batches as taken in, and after that note."""
    (revision,) = next(iter(catalogue.execute(_REVISION)))
    catalogue.executemany(_ADD, [(*one, revision) for one in sums])


def answer_topics(view: StoreView, request: TopicsRequest, token: CancelToken) -> Iterator[TopicsResult]:
    """A workspace that no recorder of this version has opened yet has names without totals."""
    token.check()
    counted = int(view.catalogue.pragma("user_version")) >= _FIRST_SCHEMA
    revision = int(fetch(view.catalogue, _REVISION)[0][0])
    since = request.since if request.since <= revision else 0  # a catalogue that was made anew counts anew
    rows = fetch(view.catalogue, _CHANGED if counted else _NAMES_ALONE, (since,))
    ids, names, *columns = zip(*rows, strict=True) if rows else ((),) * 6
    topic, *totals = (np.array(column, np.int64) for column in (ids, *columns))
    yield TopicsResult(request, revision, since == 0, topic, list(names), *totals)
