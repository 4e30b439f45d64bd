"""A whole segment made of the rows that could be read of a damaged one.

Messages are those whose check sum is right, numbered anew without a hole; batches keep their numbers; what was read from a
message goes with it. Where messages are missing, the segment itself tells a gap, from the message before to the one behind.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from models.domain.records import GapCause
from models.storage.copies.salvage_samples import SealedSamples
from models.storage.segments import sample_columns
from models.storage.writing.batch_rows import COLUMNS, insert_flat

MOST_GAPS = 200
"""So many stretches of missing messages are told one by one; beyond it, neighbours are told as one."""
_DERIVED = ("log", "task_report", "interaction", "attempt")
_AGENTS = [
    *((table, "agent_id") for table in (
        "message", "series", "log", "task_report", "attempt", "presence_change", "declaration", "gap")),
    ("interaction", "from_id"), ("interaction", "to_id"),
]  # fmt: skip
_SLICE = 5_000


class Bounds(NamedTuple):
    """What the catalogue knows of the damaged segment: its numbers are checked against it, as no sum guards them."""

    first_us: int  # 0: unknown
    last_us: int
    messages: int
    taken_batch: int


class KnownNames(NamedTuple):
    """Names as the catalogue knows them, which a damage of the segment did not reach: rows by id."""

    topic: Mapping[int, tuple[Any, ...]]
    agent: Mapping[int, tuple[Any, ...]]
    series: Mapping[int, tuple[Any, ...]]


class Saved(NamedTuple):
    """How much there is again; `of` messages there were, as far as anything tells."""

    messages: int = 0
    of: int = 0
    samples: int = 0
    logs: int = 0


@dataclass(slots=True)
class _Batch:
    """`old_first` and `old_n`: its messages in the damaged segment. `row` None: it could not be read."""

    id: int
    old_first: int
    old_n: int
    row: tuple[Any, ...] | None
    seqs: list[int] = field(default_factory=list)  # old ones, of what is kept
    times: list[int] = field(default_factory=list)


class SegmentCopy:
    """One use. `raw` holds the readable rows, `target` the tables of a new segment. Raises the engine's errors."""

    def __init__(
        self,
        raw: apsw.Connection,
        target: apsw.Connection,
        bounds: Bounds,
        known: KnownNames,
        chunks: Callable[[apsw.Connection, npt.NDArray[np.int64]], SealedSamples] | None = None,
    ) -> None:
        """`chunks`: makes, of `raw` and arrivals by message, who knows the samples that stand in no batch."""
        self._raw, self._target, self._bounds = raw, target, bounds
        self._make_chunks = chunks
        self._chunks: SealedSamples | None = None
        self._names = {
            table: {row[0]: row for row in self._rows(f"SELECT {COLUMNS[table]} FROM {table}")} | dict(rows)
            for table, rows in zip(KnownNames._fields, known, strict=True)
        }
        self._new: npt.NDArray[np.int64] = np.zeros(1, np.int64)  # new number by old number of a message, 0: it is lost
        self._arrival: npt.NDArray[np.int64] = np.zeros(1, np.int64)  # by old number
        self._samples = self._logs = 0
        self._sampled: set[int] = set()

    def run(self) -> Saved:
        """Make the target's rows, in one transaction that is the caller's. Nothing to be saved: nothing is written."""
        batches = self._batches()
        (last_seq,) = self._rows("SELECT coalesce(max(seq), 0) FROM message")[0]
        end = batches[-1].old_first + batches[-1].old_n if batches else 1
        of = max(self._bounds.messages, end - 1)
        self._new = np.zeros(max(last_seq, of) + 2, np.int64)
        self._arrival = np.zeros_like(self._new)
        kept = self._messages(batches)
        if not kept:
            return Saved(of=of)
        if self._make_chunks is not None:
            self._chunks = self._make_chunks(self._raw, self._arrival)
        counts = {table: self._derived(table) for table in (*_DERIVED, "declaration", "unreadable")}
        last = self._write_batches(batches, counts)
        for table in ("presence_change", "gap"):
            columns = COLUMNS[table]
            found = self._rows(f"SELECT {columns} FROM {table} ORDER BY id")
            self._copy(table, columns, ((min(row[0], last - 1), *row[1:]) for row in found if row[0] >= 0))
        self._gaps(batches, last, max(of, kept))
        self._name_all()
        return Saved(kept, max(of, kept), self._samples, self._logs)

    # ---------------------------------------------------------------- messages and batches

    def _batches(self) -> list[_Batch]:
        """One after the other without a hole; of a lost one is known that it was there."""
        found: list[_Batch] = []
        end = 1
        (highest,) = self._rows("SELECT coalesce(max(seq), 0) FROM message")[0]
        highest = max(highest, self._bounds.messages)
        for row in self._rows(f"SELECT {COLUMNS['batch']} FROM batch ORDER BY id"):
            id_, first, n = row[0], row[4], row[5]
            next_id = found[-1].id + 1 if found else 1
            if first < end or n < 0 or first + n - 1 > highest or not next_id <= id_ <= next_id + highest:
                continue  # what it says cannot be
            for lost in range(next_id, id_):  # all that lies between goes to the first of them
                found.append(_Batch(lost, end, first - end if lost == next_id else 0, None))
                end = first
            if first > end:
                continue  # no batch is missing, and yet messages are: this one cannot be right
            found.append(_Batch(id_, first, n, row))
            end = first + n
        if end <= highest:
            found.append(_Batch(found[-1].id + 1 if found else 1, end, highest + 1 - end, None))
        return found

    def _messages(self, batches: list[_Batch]) -> int:
        """Those with the right sum, numbered anew. Answers how many."""
        columns, topics = COLUMNS["message"], self._names["topic"]
        kept, place = 0, 0
        flat: list[object] = []
        for seq, received_us, topic, agent, kind, flags, crc, properties, payload in self._stream(
            f"SELECT {columns} FROM message ORDER BY seq"
        ):
            name = topics.get(topic)
            if name is None or zlib.crc32(payload, zlib.crc32(name[1])) != crc:
                continue
            if not self._bounds.first_us <= received_us <= self._bounds.last_us:
                continue
            while place < len(batches) and seq >= batches[place].old_first + batches[place].old_n:
                place += 1
            if place == len(batches):
                break
            kept += 1
            self._new[seq], self._arrival[seq] = kept, received_us
            batches[place].seqs.append(seq)
            batches[place].times.append(received_us)
            flat += (kept, received_us, topic, agent, kind, flags, crc, properties, payload)
            if len(flat) > 9 * _SLICE:
                insert_flat(self._target, "message", flat)
                flat = []
        insert_flat(self._target, "message", flat)
        return kept

    def _write_batches(self, batches: list[_Batch], counts: Mapping[str, npt.NDArray[np.int64]]) -> int:
        """Rows of all batches and of one more, which tells of the gaps. Answers its number."""
        columns = COLUMNS["batch"]
        next_seq, us = 1, self._first_us(batches)
        agents = {id_: int(row[1]) for id_, row in self._names["series"].items()}
        for one in batches:
            n = len(one.seqs)
            us = max(one.times, default=us) if one.row is None else one.row[1]
            first_us, last_us = min(one.times, default=us), max(one.times, default=us)
            within = {table: _within(seqs, next_seq, next_seq + n) for table, seqs in counts.items()}
            samples, blob, listed = self._samples_of(one, agents)
            duplicates, dropped = one.row[9:11] if one.row is not None else (0, 0)
            row = (
                one.id, us, first_us, last_us, next_seq, n, samples, within["log"], within["task_report"],
                duplicates, dropped, within["unreadable"], listed, None, blob,
            )  # fmt: skip
            self._copy("batch", columns, [row])
            self._samples += samples
            self._logs += within["log"]
            next_seq += n
        last = max(batches[-1].id, self._bounds.taken_batch) + 1
        wordless = {table: _within(seqs, 0, 1) for table, seqs in counts.items()}
        rest = range(batches[-1].id + 1, last + 1)  # the catalogue may know of more, of which nothing is left
        self._copy("batch", columns, (
            (id_, us, us, us, next_seq, 0, 0, *(wordless[name] if id_ == last else 0 for name in ("log", "task_report")),
             0, 0, 0, None, None, None)
            for id_ in rest
        ))  # fmt: skip
        return last

    def _first_us(self, batches: list[_Batch]) -> int:
        return max(self._bounds.first_us, 0) or min(us for one in batches for us in one.times)

    def _samples_of(self, batch: _Batch, agents: Mapping[int, int]) -> tuple[int, bytes | None, bytes | None]:
        """Samples of the messages that are kept: how many, their columns, the agents in them."""
        old = self._stored(batch)
        if old is None:
            return 0, None, None
        seqs = batch.old_first + old.seq_offset.astype(np.int64)
        fits = (old.seq_offset < batch.old_n) & (self._new[np.minimum(seqs, len(self._new) - 1)] > 0)
        inside = (old.stamp < len(fits)) & np.isin(old.series, list(agents))
        inside[inside] = fits[old.stamp[inside]]
        if not inside.any() or (old.series[1:] < old.series[:-1]).any():
            return 0, None, None
        place = np.cumsum(fits) - 1
        offset = (self._new[seqs[fits]] - self._new[batch.seqs[0]]).astype(np.uint32)
        new = sample_columns.Samples(
            old.time_us[fits], old.received_us[fits], offset, old.value[inside], old.series[inside],
            place[old.stamp[inside]].astype(np.uint32),
        )  # fmt: skip
        self._sampled.update(new.series.tolist())
        listed = np.unique([agents[int(id_)] for id_ in np.unique(new.series)]).astype("<u4")
        return len(new.value), sample_columns.join(new), listed.tobytes()

    def _stored(self, batch: _Batch) -> sample_columns.Samples | None:
        """Samples that came with the messages of a batch."""
        if not batch.seqs:
            return None
        if self._chunks is not None:
            return self._chunks.of(batch.old_first, batch.old_n)
        if batch.row is None or batch.row[14] is None:
            return None
        try:
            return sample_columns.decode(batch.row[14])
        except ValueError:
            return None

    # ---------------------------------------------------------------- what was read from messages

    def _derived(self, table: str) -> npt.NDArray[np.int64]:
        """Copy what belongs to a message that is kept and came with it, or to none at all. Answers the messages of its rows."""
        columns = COLUMNS[table]
        names = columns.split(", ")
        arrival = names.index("received_us") if "received_us" in names else None
        order = "seq" if table == "unreadable" else "id"
        seqs: list[int] = []

        def kept() -> Iterator[tuple[Any, ...]]:
            for row in self._stream(f"SELECT {columns} FROM {table} ORDER BY {order}"):
                new = int(self._new[row[0]]) if 0 < row[0] < len(self._new) else 0
                if new and arrival is not None and row[arrival] != self._arrival[row[0]]:
                    continue
                if new or (row[0] == 0 and table in _DERIVED):
                    seqs.append(new)
                    yield (new, *row[1:])

        self._copy(table, columns, kept())
        return np.array(sorted(seqs), np.int64)

    def _gaps(self, batches: list[_Batch], batch: int, of: int) -> None:
        """Every stretch of missing messages, as a gap between two arrivals."""
        seqs = np.concatenate([np.array([0]), *(np.array(one.seqs, np.int64) for one in batches), np.array([of + 1])])
        times = [self._first_us(batches), *(us for one in batches for us in one.times), self._bounds.last_us]
        places = np.flatnonzero(np.diff(seqs) > 1).tolist()
        missing = (np.diff(seqs)[places] - 1).tolist()
        rows = [(times[at], times[at + 1], n) for at, n in zip(places, missing, strict=True)]
        step = -(-len(rows) // MOST_GAPS) or 1
        some = [rows[at : at + step] for at in range(0, len(rows), step)]
        self._copy("gap", COLUMNS["gap"], (
            (batch, part[0][0], max(part[0][0], part[-1][1]), 0, GapCause.DAMAGED.value, sum(n for *_, n in part))
            for part in some
        ))  # fmt: skip

    def _name_all(self) -> None:
        """The names of all ids that are used."""
        names, target = self._names, self._target
        for row in sorted(names["series"][id_] for id_ in self._sampled):
            self._copy("series", COLUMNS["series"], [row])
        used = {
            "topic": "SELECT topic_id FROM message UNION SELECT topic_id FROM unreadable",
            "agent": " UNION ".join(f"SELECT {column} FROM {table}" for table, column in _AGENTS),
        }
        for table, query in used.items():
            ids: list[Any] = target.execute(f"{query} ORDER BY 1").fetchall()
            self._copy(table, COLUMNS[table], [names[table][id_] for (id_,) in ids if id_ in names[table]])

    def _copy(self, table: str, columns: str, rows: Any) -> None:
        places = ", ".join("?" * (columns.count(",") + 1))
        self._target.executemany(f"INSERT INTO {table}({columns}) VALUES ({places})", rows)

    def _rows(self, query: str) -> list[Any]:
        return self._raw.execute(query).fetchall()

    def _stream(self, query: str) -> Iterator[Any]:
        yield from self._raw.cursor().execute(query)


def _within(seqs: npt.NDArray[np.int64], first: int, end: int) -> int:
    low, high = np.searchsorted(seqs, (first, end))
    return int(high - low)
