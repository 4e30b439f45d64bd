"""What summing up needs of stored messages: kept of those just committed, read from the file for all others, and summed up
with numpy in either case. SQLite's own grouping of the same rows takes ten times as long."""

from collections import deque
from typing import NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from models.domain.messages import Origin
from models.storage.segments.pulse_columns import PULSE_US
from models.storage.writing.topic_totals import TopicSum

Ints = npt.NDArray[np.int64]
MOST_KEPT = 500_000
"""Messages kept for whoever sums them up: some ten megabytes. What does not fit is read from the file."""
REMEMBERED = 64
"""Among the flags of a message: later ones cannot be read without it."""
FORGOTTEN = 128
"""Beside it: there was no room to keep it, so that what was kept of its topic, which holds no more, is kept no longer."""
KEPT_PAYLOAD = f"iif(flags & {FORGOTTEN}, x'', payload)"
"""What is remembered of a message that is marked so; empty forgets."""
_REPLAY, _PRESENT = Origin.REPLAY << 4, (Origin.LIVE << 4, Origin.IMPORTED << 4)


class MessageColumns(NamedTuple):
    """One entry a message, in the order of `seq`. `flags` as `segment.Message.flags`, `size` of the payload in bytes."""

    topic: Ints
    agent: Ints
    kind: Ints
    received_us: Ints
    flags: Ints
    size: Ints


class MessageSums(NamedTuple):
    """`counts` leave replays out; a window is arrival ÷ `PULSE_US`. `agents` does not hold agent 0."""

    agents: dict[int, tuple[int, int, int]]  # messages, first arrival, last live arrival (0: none)
    counts: list[tuple[int, int, int]]  # agent, window, n
    topics: list[TopicSum]
    payload_bytes: int
    replays: int
    remembered: int


def read_columns(connection: apsw.Connection, first_seq: int, last_seq: int) -> MessageColumns:
    """From the file."""
    query = """SELECT topic_id, agent_id, kind, received_us, flags, length(payload) FROM message NOT INDEXED
        WHERE seq BETWEEN ? AND ? ORDER BY seq"""
    rows = connection.execute(query, (first_seq, last_seq)).fetchall()
    return MessageColumns(*np.array(rows, np.int64).reshape(-1, 6).T)


class RecentMessages:
    """Those of the last commits of one segment. One thread."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, MessageColumns]] = deque()  # first seq, columns; without holes
        self._messages = 0

    def add(self, first_seq: int, columns: MessageColumns) -> None:
        """A commit's messages."""
        if len(columns.topic):
            self._kept.append((first_seq, columns))
            self._messages += len(columns.topic)
        while self._messages > MOST_KEPT:
            self._messages -= len(self._kept.popleft()[1].topic)

    def between(self, first_seq: int, last_seq: int) -> MessageColumns | None:
        """All from one to the other, None where they are not (all) kept; both are ends of commits."""
        some = [columns for at, columns in self._kept if first_seq <= at <= last_seq]
        if sum(len(one.topic) for one in some) != last_seq + 1 - first_seq or not some:
            return None
        return MessageColumns(*(np.concatenate(column) for column in zip(*some, strict=True)))

    def forget(self, last_seq: int) -> None:
        """They are summed up, up to this one."""
        while self._kept and self._kept[0][0] <= last_seq:
            self._messages -= len(self._kept.popleft()[1].topic)


def sum_up(messages: MessageColumns) -> MessageSums:
    """Per agent, per agent and window, per topic."""
    origin = messages.flags & 48
    replay = origin == _REPLAY
    agents, counts = _per_agent(messages, np.isin(origin, _PRESENT), replay)
    remembered = int(np.count_nonzero(messages.flags & REMEMBERED))
    size = int(messages.size.sum())
    return MessageSums(agents, counts, _per_topic(messages), size, int(replay.sum()), remembered)


def _per_agent(
    messages: MessageColumns, present: npt.NDArray[np.bool_], replay: npt.NDArray[np.bool_]
) -> tuple[dict[int, tuple[int, int, int]], list[tuple[int, int, int]]]:
    order = np.argsort(messages.agent, kind="stable")
    order = order[np.searchsorted(messages.agent[order], 1) :]  # agent 0 is nobody
    agent, received_us = messages.agent[order], messages.received_us[order]
    starts = _starts(agent)
    if not len(starts):
        return {}, []
    n = np.diff(starts, append=len(agent))
    first_us = np.minimum.reduceat(received_us, starts)
    live_us = np.maximum.reduceat(np.where(present[order], received_us, 0), starts)
    agents = dict(
        zip(agent[starts].tolist(), zip(n.tolist(), first_us.tolist(), live_us.tolist(), strict=True), strict=True)
    )
    told = ~replay[order]
    agent, window = agent[told], received_us[told] // PULSE_US
    order = np.lexsort((window, agent))
    agent, window = agent[order], window[order]
    starts = np.flatnonzero(_changes(agent) | _changes(window))
    n = np.diff(starts, append=len(agent))
    return agents, list(zip(agent[starts].tolist(), window[starts].tolist(), n.tolist(), strict=True))


def _per_topic(messages: MessageColumns) -> list[TopicSum]:
    """Agent and kind are those of the newest message, of several the first."""
    order = np.lexsort((np.arange(len(messages.topic), 0, -1), messages.received_us, messages.topic))
    topic = messages.topic[order]
    starts = _starts(topic)
    if not len(starts):
        return []
    n = np.diff(starts, append=len(topic))
    size = np.add.reduceat(messages.size[order], starts)
    last = order[starts + n - 1]
    columns = (topic[starts], n, size, messages.received_us[last], messages.agent[last], messages.kind[last])
    return [TopicSum(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _changes(values: Ints) -> npt.NDArray[np.bool_]:
    changes = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=changes[1:])
    return changes


def _starts(ascending: Ints) -> Ints:
    return np.flatnonzero(_changes(ascending))
