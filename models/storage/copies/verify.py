"""Looks for damage: the engine's own check, our check sum of every message, and whether all counts agree. Read-only.

The engine's check alone finds few damages inside payloads; the check sums find every one.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import apsw
import numpy as np

from models.domain.queries import CancelToken
from models.storage.history.store_view import StoreView
from models.storage.sealing.sample_order import EVER_US, read_in_order
from models.storage.sealing.table_sums import SUMS, wrong_tables
from models.storage.segments.open_segment import DAMAGE, OpenSegment, SegmentRow, fetch
from models.storage.segments.sample_columns import decode
from models.storage.store_errors import IMPOSSIBLE, DamagedError
from models.storage.tasks.reading import damage_of_tasks
from models.storage.workspace import Workspace

PAGE_ROWS = 2_000
FEW = 20
"""So many findings of one kind are listed per segment; the last one tells how many more there are."""


class Finding(NamedTuple):
    """One thing that is wrong. `segment` 0 is the catalogue, or the tasks that were given. `code`: missing, set-aside, unreadable, structure, checksum,
    sequence, accounts, samples, or catalogue. `detail` is for people who mend files."""

    segment: int
    code: str
    detail: str


DAMAGE_CODES = frozenset({"set-aside", "unreadable", "structure", "checksum", "sequence", "samples"})
"""Of files that are broken themselves."""


class Progress(NamedTuple):
    """How far it is: segments done of all, messages checked."""

    done: int
    segments: int
    messages: int


def verify(
    workspace: Workspace, progress: Callable[[Progress], None] = lambda _: None, token: CancelToken | None = None
) -> Iterator[Finding]:
    """Findings as they are met; none: everything is whole. A segment that is being written is checked as of now.

    Raises `Cancelled` and the problems of opening a workspace.
    """
    token = token or CancelToken()
    view = StoreView(workspace)
    try:
        view.refresh()
        yield from (Finding(0, "structure", detail) for detail in _structure(view.catalogue))
        yield from (Finding(0, "structure", detail) for detail in damage_of_tasks(workspace, FEW))
        yield from (Finding(row.id, "set-aside", "damaged before, and kept as it is") for row in view.lost())
        rows = view.all()
        messages = 0
        for done, row in enumerate(rows):
            progress(Progress(done, len(rows), messages))
            try:
                opened = view.open(row)
            except DAMAGE as error:
                if view.is_gone(row.id):
                    continue  # by retention, since we looked
                missing = not workspace.segment(row.id).exists()
                yield Finding(row.id, "missing" if missing else "unreadable", str(error))
                continue

            def told(n: int, done: int = done, before: int = messages) -> None:
                progress(Progress(done, len(rows), before + n))

            check = _SegmentCheck(view, opened, row, token, told)
            yield from _few(check.run())
            messages += check.messages
        progress(Progress(len(rows), len(rows), messages))
    finally:
        view.close()


def _structure(connection: apsw.Connection) -> list[str]:
    try:
        rows = fetch(connection, f"pragma quick_check({FEW})")
    except DAMAGE as error:
        return [str(error)]
    return [str(detail) for (detail,) in rows if detail != "ok"]


def _few(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The first of each code, then how many more."""
    seen: dict[str, int] = {}
    last = Finding(0, "", "")
    for last in findings:
        seen[last.code] = seen.get(last.code, 0) + 1
        if seen[last.code] <= FEW:
            yield last
    for code, count in seen.items():
        if count > FEW:
            yield Finding(last.segment, code, f"and {count - FEW} more")


class _SegmentCheck:
    """All checks of one segment, as far as it was written when they began."""

    def __init__(
        self, view: StoreView, opened: OpenSegment, row: SegmentRow, token: CancelToken, progress: Callable[[int], None]
    ) -> None:
        self._view, self._opened, self._row, self._token, self._progress = view, opened, row, token, progress
        self.messages = 0

    def run(self) -> Iterator[Finding]:
        try:
            last_batch = self._opened.number("select max(id) from batch")
            for detail in _structure(self._opened.connection):
                yield self._finding("structure", detail)
            yield from self._batches(last_batch)
            if self._opened.has_chunks:
                yield from self._chunks(last_batch)
            end = self._opened.number("select first_seq + n from batch where id = ?", last_batch) or 1
            yield from self._check_messages(end)
            yield from self._records(last_batch, end)
            yield from self._catalogue()
        except DAMAGE as error:
            yield self._finding("unreadable", str(error))
        except IMPOSSIBLE as error:
            yield self._finding("unreadable", f"a value that cannot be: {error}")

    def _finding(self, code: str, detail: str) -> Finding:
        return Finding(self._opened.id, code, detail)

    def _batches(self, last: int) -> Iterator[Finding]:
        """Batches follow one another without a hole; their sample columns hold what they say."""
        seq, id_ = 1, 0
        agents: dict[int, int] = {}
        while id_ < last:
            self._token.check()
            page = self._opened.rows(
                "select id, first_seq, n, n_samples, agents, samples from batch where id > ? and id <= ? order by id limit 50",
                id_, last,
            )  # fmt: skip
            if not page:
                yield self._finding("accounts", f"batches {id_ + 1} to {last} are not there")
                return
            for found, first_seq, n, n_samples, listed, blob in page:
                if found != id_ + 1:
                    yield self._finding("accounts", f"after batch {id_} comes {found}")
                if first_seq != seq:
                    yield self._finding("accounts", f"batch {found} begins with message {first_seq}, not {seq}")
                id_, seq = found, first_seq + n
                wrong = "" if self._opened.has_chunks else self._samples(n_samples, listed, blob, agents)
                if wrong:
                    yield self._finding("samples", f"batch {found}: {wrong}")

    def _samples(self, n: int, listed: bytes | None, blob: bytes | None, agents: dict[int, int]) -> str:
        """What is wrong with the samples of a batch; empty where nothing is."""
        if blob is None:
            return f"{n} samples are not there" if n else ""
        try:
            samples = decode(blob)
        except ValueError as error:
            return str(error)
        if len(samples.value) != n:
            return f"{len(samples.value)} samples, not {n}"
        if len(samples.stamp) and int(samples.stamp.max()) >= len(samples.time_us):
            return "samples without a message"
        if (samples.series[1:] < samples.series[:-1]).any():
            return "series out of order"
        series = np.unique(samples.series).tolist()
        for id_ in series:
            if id_ not in agents:
                agents[id_] = self._opened.series(id_).agent
        if listed is None or sorted({agents[id_] for id_ in series}) != np.frombuffer(listed, "<u4").tolist():
            return "the list of agents is another"
        return ""

    def _chunks(self, last_batch: int) -> Iterator[Finding]:
        """Every chunk is as it was written, and the samples are those that the batches tell of."""
        told: list[Exception] = []
        found = 0
        for part in read_in_order(self._opened.connection, -EVER_US, EVER_US, (0, last_batch + 1), None, told.append):
            self._token.check()
            found += len(part.value)
        for error in told:
            yield self._finding("samples", str(error))
        expected = self._opened.number("select sum(n_samples) from batch")
        if found != expected and not told:
            yield self._finding("samples", f"{found} samples, not {expected}")

    def _check_messages(self, end: int) -> Iterator[Finding]:
        """Every message is there, with the check sum it came with. A sealed one stands under that of its block."""
        if self._opened.blocks:
            yield from self._check_sums()
            yield from self._check_blocks(end)
            return
        seq = 1
        while seq < end:
            self._token.check()
            page = self._opened.rows(
                "select seq, topic_id, crc, payload from message where seq >= ? and seq < ? order by seq",
                seq, min(end, seq + PAGE_ROWS),
            )  # fmt: skip
            expected = min(end, seq + PAGE_ROWS)
            for found, topic, crc, payload in page:
                if found != seq:
                    yield self._finding("sequence", f"messages {seq} to {found - 1} are not there")
                seq = found + 1
                if zlib.crc32(payload, zlib.crc32(self._opened.topic(topic))) != crc:
                    yield self._finding("checksum", f"message {found} is not as it came")
            if seq < expected:
                yield self._finding("sequence", f"messages {seq} to {expected - 1} are not there")
            seq = expected
            self.messages += len(page)
            self._progress(self.messages)

    def _check_sums(self) -> Iterator[Finding]:
        """Of a sealed segment: what stands beside its blocks is as it was written."""
        stored = self._opened.rows("select value from meta where key = ?", SUMS)
        if not stored:
            return
        try:
            for table in wrong_tables(self._opened.connection, str(stored[0][0]), self._token):
                yield self._finding("checksum", f"{table} is not as it was written")
        except ValueError as error:
            yield self._finding("checksum", f"the check sums of the tables cannot be read: {error}")

    def _check_blocks(self, end: int) -> Iterator[Finding]:
        """Every block is as it was written, and the messages are those that the batches tell of."""
        for table, blocks in self._opened.blocks.items():
            seq = 1
            first, n, *_ = blocks.directory
            try:
                blocks.check_copies()
            except DamagedError as error:
                yield self._finding("checksum", str(error))
            for number, (begin, count) in enumerate(zip(first.tolist(), n.tolist(), strict=True)):
                self._token.check()
                if table == "message" and begin != seq:
                    yield self._finding("sequence", f"messages {seq} to {begin - 1} are not there")
                seq = begin + count
                try:
                    blocks.check(number)
                except DamagedError as error:
                    yield self._finding("checksum", str(error))
                if table == "message":
                    self.messages += count
                    self._progress(self.messages)
            if table == "message" and seq != end:
                yield self._finding("sequence", f"messages {seq} to {end - 1} are not there")

    def _records(self, last_batch: int, end: int) -> Iterator[Finding]:
        """Records are as many as the batches say."""
        for table, column in (("log", "n_logs"), ("task_report", "n_tasks"), ("unreadable", "unreadable")):
            told = self._opened.number(f"select sum({column}) from batch where id <= ?", last_batch)
            found = self._opened.number(f"select count(*) from {table} where seq < ?", end)
            if told != found:
                yield self._finding("accounts", f"{found} rows in {table}, not {told}")

    def _catalogue(self) -> Iterator[Finding]:
        """The catalogue counted the same, as far as it has taken the segment in."""
        sql = "select {} from {} where id {} ?"
        columns = ("messages", "samples", "logs", "tasks", "duplicates", "dropped", "unreadable")
        (known,) = fetch(
            self._view.catalogue, sql.format(f"taken_batch, {', '.join(columns)}", "segment", "="), (self._row.id,)
        )
        sums = "sum(n), sum(n_samples), sum(n_logs), sum(n_tasks), sum(duplicates), sum(dropped), sum(unreadable)"
        (counted,) = self._opened.rows(sql.format(sums, "batch", "<="), known[0])
        for name, left, right in zip(columns, known[1:], counted, strict=True):
            if left != (right or 0):
                yield self._finding("catalogue", f"{name}: {left} in the catalogue, {right or 0} in the segment")
