"""Summing messages up in memory: the same as SQLite finds by grouping the rows."""

import random

import apsw
import numpy as np
import pytest

from models.domain.messages import Origin
from models.storage.segments import message_columns
from models.storage.segments.message_columns import MessageColumns, RecentMessages, read_columns, sum_up
from models.storage.segments.pulse_columns import PULSE_US

REPLAY, LIVE, IMPORTED = (int(one) << 4 for one in (Origin.REPLAY, Origin.LIVE, Origin.IMPORTED))


@pytest.fixture
def table() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE TABLE message(seq INTEGER PRIMARY KEY, topic_id, agent_id, kind, received_us, flags, payload)"
    )
    return connection


@pytest.mark.parametrize("seed", range(6))
def test_as_sqlite_groups_them(table: apsw.Connection, seed: int) -> None:
    some = random.Random(seed)
    n = some.choice((1, 7, 800))
    rows = [
        (seq, some.randrange(1, 20), some.randrange(12), some.randrange(7), some.randrange(3 * PULSE_US), some.randrange(64), b"x" * some.randrange(9))
        for seq in range(1, n + 1)
    ]  # fmt: skip
    table.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    sums = sum_up(read_columns(table, 1, n))
    live = f"coalesce(max(CASE WHEN flags & 48 IN ({LIVE}, {IMPORTED}) THEN received_us END), 0)"
    agents = table.execute(
        f"SELECT agent_id, count(*), min(received_us), {live} FROM message WHERE agent_id GROUP BY 1"
    )
    assert sums.agents == {agent: tuple(row) for agent, *row in agents}
    counts = f"""SELECT agent_id, received_us / {PULSE_US}, count(*) FROM message WHERE agent_id AND flags & 48 <> {REPLAY}
        GROUP BY 1, 2 ORDER BY 1, 2"""
    assert sums.counts == list(table.execute(counts))
    topics = "SELECT topic_id, count(*), sum(length(payload)), max(received_us) FROM message GROUP BY 1 ORDER BY 1"
    assert [one[:4] for one in sums.topics] == list(table.execute(topics))
    newest = {row[1]: row[2:4] for row in sorted(rows, key=lambda row: (row[4], -row[0]))}
    assert {one.topic: (one.agent, one.kind) for one in sums.topics} == newest
    totals = f"SELECT sum(length(payload)), count(*) FILTER (WHERE flags & 48 = {REPLAY}) FROM message"
    assert [(sums.payload_bytes, sums.replays)] == list(table.execute(totals))


def test_nothing(table: apsw.Connection) -> None:
    assert sum_up(read_columns(table, 1, 0)) == ({}, [], [], 0, 0, 0)


def columns(*topics: int) -> MessageColumns:
    return MessageColumns(np.array(topics), *(np.zeros(len(topics), np.int64) for _ in range(5)))


def test_only_what_is_kept_whole_is_taken_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    recent = RecentMessages()
    for first, some in ((1, columns(1, 2)), (3, columns()), (3, columns(3, 4, 5)), (6, columns(6))):
        recent.add(first, some)
    assert [len(found.topic) if (found := recent.between(*ends)) else None for ends in ((1, 6), (1, 5), (3, 5))] == [
        6,
        5,
        3,
    ]
    assert recent.between(1, 7) is None
    recent.forget(2)
    assert recent.between(1, 5) is None
    assert recent.between(3, 6).topic.tolist() == [3, 4, 5, 6]
    monkeypatch.setattr(message_columns, "MOST_KEPT", 4)
    recent.add(7, columns(7))
    assert recent.between(3, 7) is None
    assert recent.between(6, 7).topic.tolist() == [6, 7]
