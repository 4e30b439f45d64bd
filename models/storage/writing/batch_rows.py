"""From a `RecordBatch` to the rows of one commit. Nothing is written here; the same rows can be written again later."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import apsw
import numpy as np
import numpy.typing as npt

from models.domain.batch import RecordBatch
from models.domain.names import Names
from models.domain.records import Gap, PresenceChange
from models.storage.names_table import NamedIds, NewNames, storable
from models.storage.segments import message_properties, sample_columns
from models.storage.segments.message_columns import FORGOTTEN, REMEMBERED, MessageColumns

Row: TypeAlias = tuple[object, ...]
_KINDS = 256

COLUMNS = {
    "topic": "id, name",
    "agent": "id, name",
    "series": "id, agent_id, metric, labels, unit, kind, source",
    "message": "seq, received_us, topic_id, agent_id, kind, flags, crc, properties, payload",
    "batch": "id, committed_us, first_us, last_us, first_seq, n, n_samples, n_logs, n_tasks, duplicates, dropped, unreadable,"
             " agents, packets, samples",
    "log": "seq, time_us, received_us, agent_id, level, logger, text, error, stack, attributes",
    "task_report": "seq, time_us, received_us, agent_id, task, type, state, parent, requester, attempt, progress, result,"
                   " error",
    "interaction": "seq, time_us, received_us, from_id, to_id, kind, exchange, reply_us, outcome",
    "attempt": "seq, time_us, received_us, agent_id, outcome, error, duration_us, target",
    "presence_change": "batch_id, time_us, agent_id, presence, condition, cause",
    "declaration": 'seq, agent_id, convention, name, "group", interval_us, host, version, capabilities',
    "gap": "batch_id, since_us, until_us, agent_id, cause, count",
    "unreadable": "seq, topic_id, reason",
}  # fmt: skip
WIDTHS = {table: columns.count(",") + 1 for table, columns in COLUMNS.items()}
_MOST_ROWS = 256  # per statement; measured five times faster than a statement a row
_SIZES = [1 << power for power in range(_MOST_ROWS.bit_length() - 1, -1, -1)]  # few texts, so that all stay compiled
INSERTS = {
    table: [(n, f"INSERT INTO {table}({columns}) VALUES " + ",".join([f"({','.join('?' * WIDTHS[table])})"] * n))
            for n in _SIZES]
    for table, columns in COLUMNS.items()
}  # fmt: skip

PAIRS = np.dtype([("packet", "<u4"), ("crc", "<u4")])
_NO_SERIES = np.zeros(0, np.uint32)


@dataclass(slots=True)
class CommitRows:
    """All rows of one commit, flat per table, in the order of writing."""

    batch_id: int
    first_seq: int
    n: int
    new_names: NewNames
    tables: dict[str, list[object]]
    messages: MessageColumns
    arrived_to: int  # 0: nothing to be noted


def insert_flat(connection: apsw.Connection, table: str, flat: Sequence[object]) -> None:
    """Insert rows given as one flat sequence of values."""
    width, at, end = WIDTHS[table], 0, len(flat)
    for n, statement in INSERTS[table]:
        step = n * width
        while end - at >= step:
            connection.execute(statement, flat[at : at + step])
            at += step


def build_rows(
    batch: RecordBatch,
    names: Names,
    named: NamedIds,
    *,
    batch_id: int,
    first_seq: int,
    committed_us: int,
    presence: Sequence[PresenceChange],
    gaps: Sequence[Gap],
) -> CommitRows:
    """Rows of a batch plus `presence` and `gaps` that no message told of (they come first)."""
    blob = sample_columns.encode(batch)
    series = sample_columns.decode(blob).series if blob is not None else _NO_SERIES
    presence = [*presence, *batch.presence]
    gaps = [*gaps, *batch.gaps]
    once = series[np.concatenate(([True], series[1:] != series[:-1]))] if len(series) else series  # it ascends
    new = named.missing(names, batch.topic, _agents(batch, presence, gaps), once)
    messages, packets, columns = _message_values(batch, first_seq)
    received, n = batch.columns.received_us, len(batch.messages)
    unreadable = {one.row: one.reason for one in batch.unreadable if 0 <= one.row < n}
    place = _placer(first_seq, received, committed_us)
    sampled = named.owners(once).astype("<u4").tobytes() if len(once) else None
    batch_row: Row = (
        batch_id, committed_us, min(received, default=committed_us), max(received, default=committed_us), first_seq, n,
        len(series), len(batch.logs), len(batch.tasks), batch.duplicates, batch.dropped, len(unreadable),
        sampled, packets.tobytes() if len(packets) else None, blob,
    )  # fmt: skip
    tables = {
        "topic": _flat((one, names.topics[one]) for one in new.topics),
        "agent": _flat((one, storable(names.agents[one])) for one in new.agents),
        "series": _flat(series_row(names, one) for one in new.series),
        "message": messages,
        **_derived(batch, place),
        "presence_change": _flat((batch_id, *change[:4], storable(change.cause)) for change in presence),
        "gap": _flat((batch_id, *gap[:3], storable(gap.cause), gap.missing) for gap in gaps),
        "unreadable": _flat(
            (first_seq + one.row, batch.topic[one.row], storable(one.reason)) for one in batch.unreadable
        ),
        "batch": list(batch_row),
    }
    return CommitRows(batch_id, first_seq, n, new, tables, columns, batch.arrived_to)


def _message_values(batch: RecordBatch, first_seq: int) -> tuple[list[object], npt.NDArray[np.void], MessageColumns]:
    """Flat message rows, (packet id, CRC) of those at QoS 1, and what summing up needs. Column by column: per message this
    would cost several times as much."""
    raw, n = batch.columns, len(batch.messages)
    qos, retain, origin, duplicate = (
        np.frombuffer(bytes(one), np.uint8) for one in (raw.qos, raw.retain, raw.origin, batch.duplicate)
    )
    flags = qos | retain << 2 | duplicate << 3 | origin << 4
    flags[batch.remembered] |= REMEMBERED
    flags[batch.forgotten] |= REMEMBERED | FORGOTTEN
    properties: Sequence[object] = raw.properties
    if any(properties):
        properties = [storable(message_properties.encode(one)) for one in raw.properties]
    columns: tuple[Sequence[object], ...] = (
        range(first_seq, first_seq + n), raw.received_us, batch.topic, batch.agent, batch.kind, flags.tolist(),
        batch.checksums, properties, raw.payload,
    )  # fmt: skip
    width = len(columns)
    values: list[object] = [None] * (n * width)
    for place, column in enumerate(columns):
        values[place::width] = column
    pairs = np.zeros(n, PAIRS)
    pairs["packet"], pairs["crc"] = raw.packet_id, batch.checksums
    topic, agent, received, size = (
        np.fromiter(one, np.int64, n) for one in (batch.topic, batch.agent, raw.received_us, map(len, raw.payload))
    )
    try:
        kind = np.fromiter(batch.kind, np.int64, n)
    except OverflowError:  # a row that cannot be stored is left out where it is to be, and holds nobody up here
        kind = np.fromiter((one if 0 <= one < _KINDS else 0 for one in batch.kind), np.int64, n)
    kept = MessageColumns(topic, agent, kind, received, flags.astype(np.int64), size)
    return values, pairs[pairs["packet"] > 0], kept


Placer: TypeAlias = Callable[[int], tuple[int, int]]


def _placer(first_seq: int, received: Sequence[int], committed_us: int) -> Placer:
    """Answers (seq, arrival) for a row of the batch; a record that no message told of gets seq 0 and the commit's time."""

    def place(row: int) -> tuple[int, int]:
        return (first_seq + row, received[row]) if 0 <= row < len(received) else (0, committed_us)

    return place


def _derived(batch: RecordBatch, place: Placer) -> dict[str, list[object]]:
    """Rows of what reading the messages yielded."""
    logs: list[Row] = []
    for log in batch.logs:
        seq, received = place(log.row)
        logs.append((seq, log.time_us, received, log.agent, log.level, *map(storable, log[4:])))
    tasks: list[Row] = []
    for report in batch.tasks:
        seq, received = place(report.row)
        words = (storable(report.parent), storable(report.requester), report.attempt, report.progress)
        tasks.append((seq, report.time_us, received, report.agent, storable(report.task), storable(report.type),
                      report.state, *words, storable(report.result), storable(report.error)))  # fmt: skip
    talks: list[Row] = []
    for talk in batch.interactions:
        seq, received = place(talk.row)
        talks.append((seq, talk.time_us, received, talk.sender, talk.receiver, storable(talk.kind), storable(talk.id),
                      talk.reply_us, talk.outcome))  # fmt: skip
    attempts: list[Row] = []
    for one in batch.attempts:
        seq, received = place(one.row)
        attempts.append((seq, one.time_us, received, one.agent, one.outcome, storable(one.error), one.duration_us,
                         storable(one.target)))  # fmt: skip
    declared: list[Row] = []
    for said in batch.declarations:
        words_said = None if said.capabilities is None else storable(json.dumps(said.capabilities, ensure_ascii=False))
        declared.append((place(said.row)[0], said.agent, storable(said.convention), storable(said.name),
                         storable(said.group), said.interval_us, storable(said.host), storable(said.version),
                         words_said))  # fmt: skip
    found = {"log": logs, "task_report": tasks, "interaction": talks, "attempt": attempts, "declaration": declared}
    return {table: _flat(rows) for table, rows in found.items()}


def series_row(names: Names, id_: int) -> Row:
    """Row of the table `series`."""
    key = names.series[id_]
    texts = (storable(key.metric), storable(key.labels), storable(key.unit))
    return (id_, key.agent, *texts, int(key.kind), storable(key.source))


def _agents(batch: RecordBatch, presence: Sequence[PresenceChange], gaps: Sequence[Gap]) -> list[int]:
    """All that are named anywhere, some several times."""
    used = list(batch.agent)
    for records in (batch.logs, batch.tasks, batch.attempts, batch.declarations, presence, gaps):
        used += [one.agent for one in records]
    for talk in batch.interactions:
        used += (talk.sender, talk.receiver)
    return used


def _flat(rows: Iterable[Row]) -> list[object]:
    return list(chain.from_iterable(rows))
