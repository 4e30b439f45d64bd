"""A segment written anew from what its messages tell now: the same commits with the same numbers, sealed."""

import shutil
from collections.abc import Mapping
from typing import NamedTuple

from models.domain.batch import RecordBatch
from models.domain.problems import trouble
from models.storage.names_table import NewNames
from models.storage.rereading.names_anew import NamesAnew
from models.storage.rereading.stored import StoredBatch
from models.storage.sealing.seal import UNSEALED_BYTES, seal
from models.storage.sealing.table_sums import SUMS
from models.storage.segments.open_segment import GENERATION
from models.storage.segments.segment_file import SegmentFile, SegmentTotals
from models.storage.workspace import Workspace
from models.storage.writing.headlines import Headlines
from models.storage.writing.import_intake import joined
from models.storage.writing.intake import Intake, SegmentReader
from models.storage.writing.pulses import Pulses
from models.storage.writing.take_in import BATCHES_A_STEP

_MESSAGES_A_STEP = 5_000
_OF_SEALING = ("layout", "segment", "closed_us", SUMS, UNSEALED_BYTES)
_EVER = 1 << 62
KEPT_FREE_BYTES = 256 * 1024 * 1024
"""What is recorded is worth more than what can be read again later."""


def refuse_without_room(workspace: Workspace, id_: int, meta: Mapping[str, str]) -> None:
    """Raises `EnvironmentProblem` reread.no-room where writing this segment anew would leave too little on the disk for whatever
    is recorded meanwhile."""
    largest = max(workspace.segment(id_).stat().st_size, int(meta.get(UNSEALED_BYTES, "0")))
    needed = 2 * largest + KEPT_FREE_BYTES
    if shutil.disk_usage(workspace.root).free < needed:
        raise trouble("reread.no-room", path=str(workspace.root), needed=f"{needed / 1024**3:.2f} GiB")


class PartAnew(NamedTuple):
    """A finished one. `intake` None: it holds nothing."""

    id: int
    totals: SegmentTotals
    intake: Intake | None
    gaps: list[tuple[object, ...]]
    names: NewNames
    bytes: int
    unsealed_bytes: int


class SegmentAnew:
    """One use, one thread. Raises the engine's errors, and what sealing raises."""

    def __init__(
        self, id_: int, shadow: Workspace, meta: Mapping[str, str], names: NamesAnew, headlines: Headlines, pulses: Pulses
    ) -> None:  # fmt: skip
        """`meta`: of the segment as it was. `headlines` and `pulses`: of its capture."""
        self._shadow, self._names, self._headlines, self._pulses = shadow, names, headlines, pulses
        self._closed_us = int(meta.get("closed_us", "0"))
        told = {key: value for key, value in meta.items() if key not in _OF_SEALING}
        told[GENERATION] = str(int(meta.get(GENERATION, "0")) + 1)
        self._file = file = SegmentFile.create(id_, shadow.segment(id_), told, lazily=True)
        file.connection.pragma("synchronous", "OFF")  # what is kept of it is the sealed file
        file.go_without_index()
        self._reader = SegmentReader(file.connection, 0, file.recent)
        self._packets: list[tuple[bytes, int]] = []
        self._gaps: list[tuple[object, ...]] = []
        self._named = NewNames()
        self._intake: Intake | None = None
        self._waiting = 0

    def write(self, stored: StoredBatch, batch: RecordBatch) -> None:
        """One commit, as it is read now."""
        file = self._file
        file.next_batch, file.next_seq = stored.id, stored.first_seq
        file.write(batch, self._names, (), (), stored.committed_us)
        if stored.packets is not None:
            self._packets.append((stored.packets, stored.id))
        self._waiting += len(batch.messages)
        if self._waiting >= _MESSAGES_A_STEP:
            self._sum_up()

    def end(self) -> PartAnew:
        """Sealed and durable but for its name."""
        file = self._file
        self._sum_up()
        self._write_pulses(_EVER)
        file.connection.executemany("UPDATE batch SET packets = ? WHERE id = ?", self._packets)
        totals = file.totals()
        file.mark_closed(self._closed_us or totals.last_us)
        file.fold_log()
        file.leave_log()
        file.close()
        sealed = self._shadow.sealing(file.id)
        seal(file.path, sealed)
        unsealed_bytes = file.path.stat().st_size
        file.discard()
        size = sealed.stat().st_size
        return PartAnew(file.id, totals, self._intake, self._gaps, self._named, size, unsealed_bytes)

    def discard(self) -> None:
        """It is not to be."""
        self._file.discard()

    def _sum_up(self) -> None:
        self._waiting = 0
        file = self._file
        new, file.new_names = file.new_names, NewNames()
        self._named.extend(new)
        for id_ in new.series:
            self._headlines.consider(id_, self._names.series[id_])
        self._headlines.saw_agents(new.agents)
        while (intake := self._reader.read(self._headlines, BATCHES_A_STEP)) is not None:
            self._pulses.add(intake, self._headlines)
            self._reader.accept(intake)
            file.taken_batch = intake.last_batch
            self._gaps += intake.gaps
            self._intake = intake if self._intake is None else joined(self._intake, intake)
        self._write_pulses(self._pulses.newest_us())

    def _write_pulses(self, until_us: int) -> None:
        rows = self._pulses.ended(until_us, self._file.taken_batch)
        if rows:
            self._file.add_pulses(rows)
        self._pulses.forget(until_us)
