"""Reading what some batches of a segment told, summed up as far as the catalogue and the pulses need it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from models.domain.messages import Origin
from models.domain.records import Level, Outcome, TaskState
from models.storage.sealing.sample_steps import SampleSteps
from models.storage.sealing.sample_tables import has_chunks
from models.storage.segments import sample_columns
from models.storage.segments.message_columns import (
    KEPT_PAYLOAD,
    REMEMBERED,
    MessageSums,
    RecentMessages,
    read_columns,
    sum_up,
)
from models.storage.segments.pulse_columns import PULSE_US
from models.storage.store_errors import DamagedError
from models.storage.writing.headlines import Headlines
from models.storage.writing.remembered import Remembered
from models.storage.writing.topic_totals import TopicSum

_TABLES = ("log", "task_report", "interaction", "attempt", "declaration")
_BATCH_TABLES = ("presence_change", "gap")  # rows know their batch, not a message
_REPLAY = f"(flags & 48) = {Origin.REPLAY << 4}"
_NO_REPLAY = f"coalesce(m.flags & 48, 0) <> {Origin.REPLAY << 4}"  # for rows whose message may be absent (seq 0)


class HeadlineSamples(NamedTuple):
    """Samples of headline series, in order of arrival within a series. Replayed messages tell nothing of the present and
    are left out."""

    series: npt.NDArray[np.uint32]
    time_us: npt.NDArray[np.int64]
    received_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]

    def pick(self, which: npt.NDArray[Any]) -> "HeadlineSamples":
        return HeadlineSamples(*(column[which] for column in self))


@dataclass(slots=True)
class Intake:
    """Of batches `after` + 1 … `last_batch`. A window is arrival ÷ `PULSE_US`. Counts leave replays out."""

    last_batch: int
    last_seq: int
    first_us: int
    last_us: int
    totals: tuple[int, ...]  # messages, samples, logs, tasks, duplicates, dropped, unreadable
    payload_bytes: int
    topics: list[TopicSum]
    agents: dict[int, tuple[int, int, int]]  # messages, first arrival, last live arrival (0: none)
    message_counts: list[tuple[int, int, int]]  # agent, window, n
    log_errors: list[tuple[int, int, int]]  # agent, window, n
    attempts: list[tuple[int, int, int, int]]  # agent, window, ok, n
    finished: list[tuple[int, int, int, int]]  # agent, window, failed, n
    replies: list[tuple[int, int, int]]  # who answered, window, duration in µs
    tasks: list[tuple[int, str, int, int]]  # agent, task, state, arrival; replays included
    declarations: list[tuple[Any, ...]]
    presence: list[tuple[Any, ...]]
    gaps: list[tuple[Any, ...]]
    remembered: Remembered
    samples: HeadlineSamples
    positions: dict[str, int]


class SegmentReader:
    """Reads a segment slice by slice through its writer's connection. The place in tables without an index on `seq` or
    batch is kept as row id; `accept` moves on."""

    def __init__(self, connection: apsw.Connection, after_batch: int, recent: RecentMessages | None = None) -> None:
        """`recent`: what the writer still has in memory."""
        self._connection = connection
        self._recent = recent
        self._steps: SampleSteps | None = None  # of a sealed segment
        self.after_batch = after_batch
        self._positions = dict.fromkeys((*_TABLES, *_BATCH_TABLES), 0)
        if after_batch:
            query = "SELECT first_seq + n - 1, id, committed_us FROM batch WHERE id <= ? ORDER BY id DESC LIMIT 1"
            self._positions = self._ends(*self._rows(query, (after_batch,))[0])

    def read(
        self, headlines: Headlines, most_batches: int, last_batch: int | None = None, most_messages: int = 1 << 40
    ) -> Intake | None:
        """The next batches, at least one; None where there are none. Nothing is moved: the same can be read again."""
        query = """SELECT id, first_us, last_us, first_seq, n, n_samples, n_logs, n_tasks, duplicates, dropped, unreadable,
            samples, committed_us FROM batch WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"""
        bound = self._bound((1 << 62) if last_batch is None else last_batch, most_batches, most_messages)
        rows = self._rows(query, (self.after_batch, bound, most_batches))
        if not rows:
            return None
        seqs = (rows[0][3], rows[-1][3] + rows[-1][4] - 1)
        sums = self._messages(*seqs)
        ends = self._ends(seqs[1], rows[-1][0], rows[-1][12])
        finished, replies = self._interactions(ends)
        tasks, ended = self._tasks(ends)
        return Intake(
            last_batch=rows[-1][0],
            last_seq=seqs[1],
            first_us=min(row[1] for row in rows),
            last_us=max(row[2] for row in rows),
            totals=tuple(sum(row[column] for row in rows) for column in range(4, 11)),
            payload_bytes=sums.payload_bytes,
            topics=sums.topics,
            agents=sums.agents,
            message_counts=sums.counts,
            log_errors=self._grouped("log", "agent_id", f"AND x.level >= {int(Level.ERROR)}", ends),
            attempts=self._grouped("attempt", f"agent_id, x.outcome = {int(Outcome.OK)}", "", ends),
            finished=finished + ended,
            replies=replies,
            tasks=tasks,
            declarations=self._between(
                "declaration", 'agent_id, convention, name, "group", interval_us, host, version, capabilities', ends
            ),
            presence=self._between("presence_change", "agent_id, presence, condition, cause, time_us", ends),
            gaps=self._between("gap", "since_us, until_us, agent_id, cause, count", ends),
            remembered=self._remembered(seqs) if sums.remembered else {},
            samples=self._samples(rows, headlines, self._replayed(seqs) if sums.replays else None),
            positions=ends,
        )

    def _bound(self, last_batch: int, most_batches: int, most_messages: int) -> int:
        """The batch at which so many messages are reached."""
        query = "SELECT id, n FROM batch WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
        for id_, n in self._connection.execute(query, (self.after_batch, last_batch, most_batches)):
            most_messages -= n
            if most_messages <= 0:
                return int(id_)
        return last_batch

    def accept(self, intake: Intake) -> None:
        """Go on behind what was read."""
        self.after_batch = intake.last_batch
        if self._recent is not None:
            self._recent.forget(intake.last_seq)
        self._positions = {table: max(self._positions[table], end) for table, end in intake.positions.items()}

    def _ends(self, last_seq: int, last_batch: int, committed_us: int) -> dict[str, int]:
        """Last row id of each table that belongs to the batches up to one. What no message told of has seq 0 and arrived
        with its commit."""
        ends = {}
        for table in _TABLES:
            wordless = "OR (seq = 0 AND received_us <= ?)" if table != "declaration" else "AND ? > 0"
            query = f"SELECT coalesce(max(id), 0) FROM {table} WHERE id >= ? AND (seq BETWEEN 1 AND ? {wordless})"
            ends[table] = self._value(query, self._positions[table], last_seq, committed_us)
        for table in _BATCH_TABLES:
            query = f"SELECT coalesce(max(id), 0) FROM {table} WHERE id >= ? AND batch_id <= ?"
            ends[table] = self._value(query, self._positions[table], last_batch)
        return ends

    def _between(self, table: str, columns: str, ends: dict[str, int]) -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM {table} WHERE id > ? AND id <= ? ORDER BY id"
        return self._rows(query, (self._positions[table], ends[table]))

    def _messages(self, first_seq: int, last_seq: int) -> MessageSums:
        kept = None if self._recent is None else self._recent.between(first_seq, last_seq)
        return sum_up(read_columns(self._connection, first_seq, last_seq) if kept is None else kept)

    def _grouped(self, table: str, columns: str, condition: str, ends: dict[str, int]) -> list[Any]:
        """(first of `columns`, window, the other of them, n)"""
        head, _, rest = columns.partition(", ")
        query = f"""SELECT x.{head}, x.received_us / {PULSE_US}{", " + rest if rest else ""}, count(*)
            FROM {table} AS x LEFT JOIN message AS m ON m.seq = x.seq
            WHERE x.id > ? AND x.id <= ? AND {_NO_REPLAY} {condition} GROUP BY {"1, 2, 3" if rest else "1, 2"}"""
        return self._rows(query, (self._positions[table], ends[table]))

    def _tasks(self, ends: dict[str, int]) -> tuple[list[tuple[int, str, int, int]], list[tuple[int, int, int, int]]]:
        query = f"""SELECT x.agent_id, x.task, x.state, x.received_us, {_NO_REPLAY}
            FROM task_report AS x LEFT JOIN message AS m ON m.seq = x.seq WHERE x.id > ? AND x.id <= ? ORDER BY x.id"""
        tasks, ended = [], []
        for agent, task, state, received_us, counts in self._rows(
            query, (self._positions["task_report"], ends["task_report"])
        ):
            tasks.append((agent, task, state, received_us))
            if counts and state in (TaskState.COMPLETED, TaskState.FAILED):
                ended.append((agent, received_us // PULSE_US, int(state == TaskState.FAILED), 1))
        return tasks, ended

    def _interactions(self, ends: dict[str, int]) -> tuple[list[tuple[int, int, int, int]], list[tuple[int, int, int]]]:
        """A request counts for the agent that was asked."""
        query = f"""SELECT x.to_id, x.received_us / {PULSE_US}, x.outcome, x.reply_us
            FROM interaction AS x LEFT JOIN message AS m ON m.seq = x.seq
            WHERE x.id > ? AND x.id <= ? AND x.to_id > 0 AND {_NO_REPLAY}
            AND (x.reply_us IS NOT NULL OR x.outcome <> {int(Outcome.OK)})"""
        finished, replies = [], []
        for agent, window, outcome, reply_us in self._rows(
            query, (self._positions["interaction"], ends["interaction"])
        ):
            finished.append((agent, window, int(outcome != Outcome.OK), 1))
            if reply_us is not None:
                replies.append((agent, window, reply_us))
        return finished, replies

    def _samples(
        self, rows: list[tuple[Any, ...]], headlines: Headlines, replayed: npt.NDArray[np.int64] | None
    ) -> HeadlineSamples:
        if has_chunks(self._connection):
            if self._steps is None:
                wanted = set(np.flatnonzero(headlines.role > 0).tolist())
                self._steps = SampleSteps(self._connection, rows[0][0], wanted, _damaged)
            return _sealed_samples(self._steps, (rows[0][0], rows[-1][0] + 1), replayed)
        return _headline_samples(rows, headlines, replayed)

    def _replayed(self, seqs: tuple[int, int]) -> npt.NDArray[np.int64]:
        query = f"SELECT seq FROM message NOT INDEXED WHERE seq BETWEEN ? AND ? AND {_REPLAY}"
        return np.array([seq for (seq,) in self._rows(query, seqs)], np.int64)

    def _remembered(self, seqs: tuple[int, int]) -> Remembered:
        query = f"""SELECT topic_id, received_us, properties, {KEPT_PAYLOAD} FROM message NOT INDEXED
            WHERE seq BETWEEN ? AND ? AND flags & {REMEMBERED} ORDER BY seq"""
        return {row[0]: row for row in self._rows(query, seqs)}

    def _rows(self, query: str, bindings: Sequence[Any]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._connection.execute(query, bindings).fetchall()
        return rows

    def _value(self, query: str, *bindings: int) -> int:
        return int(self._rows(query, bindings)[0][0])


def _headline_samples(
    rows: list[tuple[Any, ...]], headlines: Headlines, replayed: npt.NDArray[np.int64] | None
) -> HeadlineSamples:
    parts: list[HeadlineSamples] = []
    for row in rows:
        if row[11] is None:
            continue
        samples = sample_columns.decode(row[11])
        which = headlines.role[samples.series] > 0
        stamp = samples.stamp[which]
        if replayed is not None:
            which[which] = ~np.isin(row[3] + samples.seq_offset.astype(np.int64)[stamp], replayed)
            stamp = samples.stamp[which]
        parts.append(HeadlineSamples(
            samples.series[which], samples.time_us[stamp], samples.received_us[stamp], samples.value[which]
        ))  # fmt: skip
    return _joined(parts)


def _sealed_samples(
    steps: SampleSteps, batches: tuple[int, int], replayed: npt.NDArray[np.int64] | None
) -> HeadlineSamples:
    """Those of batches [first, end) of a sealed segment."""
    parts = []
    for part in steps.of(*batches):
        which = np.ones(len(part.stamp), np.bool_) if replayed is None else ~np.isin(part.seq[part.stamp], replayed)
        stamp = part.stamp[which]
        parts.append(
            HeadlineSamples(part.series[which], part.time_us[stamp], part.received_us[stamp], part.value[which])
        )
    return _joined(parts)


def _damaged(error: Exception) -> None:
    raise DamagedError(str(error)) from error


def _joined(parts: list[HeadlineSamples]) -> HeadlineSamples:
    if not parts:
        empty = np.zeros(0, np.int64)
        return HeadlineSamples(np.zeros(0, np.uint32), empty, empty, np.zeros(0))
    return HeadlineSamples(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
