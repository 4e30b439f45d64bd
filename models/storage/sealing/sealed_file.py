"""A sealed segment as take-in reads it: when the catalogue was lost."""

from pathlib import Path

import apsw

from models.storage.keeping.hour_store import HourStore
from models.storage.keeping.segment_hours import stored_hours
from models.storage.names_table import NewNames
from models.storage.sealing.seal import UNSEALED_BYTES
from models.storage.segments.open_segment import OpenSegment, SegmentRow
from models.storage.segments.schema import SEALED_LAYOUT
from models.storage.segments.segment_file import totals_of
from models.storage.transaction import transaction
from models.storage.writing.closing import note_closed
from models.storage.writing.headlines import Headlines
from models.storage.writing.take_in import SegmentTaker

_SEALED = "UPDATE segment SET layout = ?, unsealed_bytes = ? WHERE id = ?"


class SealedFile:
    """Read-only, one thread. Raises `DAMAGE` of `open_segment`."""

    def __init__(self, id_: int, path: Path, taken_batch: int) -> None:
        self.id = id_
        self.taken_batch = taken_batch
        self._path = path
        self._opened = OpenSegment(SegmentRow(id_, 0, "closed", 0, 0, 0, 0, 0, 0, taken_batch), path)
        try:
            self.new_names = NewNames(
                *([id_ for (id_,) in self._opened.rows(f"SELECT id FROM {table} ORDER BY id")]
                  for table in ("topic", "agent", "series"))
            )  # fmt: skip
        except BaseException:
            self._opened.connection.close()
            raise

    @property
    def connection(self) -> apsw.Connection:
        return self._opened.connection

    @property
    def size_bytes(self) -> int:
        return self._path.stat().st_size

    def meta(self) -> dict[str, str]:
        return dict(self._opened.rows("SELECT key, value FROM meta"))


def take_in_sealed(
    id_: int, path: Path, taken_batch: int, catalogue: apsw.Connection, headlines: Headlines, hours: HourStore
) -> None:
    """Tell the catalogue all that a sealed segment knows. Raises `DAMAGE` of `open_segment`."""
    segment = SealedFile(id_, path, taken_batch)
    try:
        unsealed_bytes = int(segment.meta().get(UNSEALED_BYTES, "0"))
        catalogue.execute(_SEALED, (SEALED_LAYOUT, unsealed_bytes, id_))
        taker = SegmentTaker(catalogue, headlines, segment)
        while intake := taker.read():
            taker.apply(intake)
        if not hours.knows(id_):
            with transaction(catalogue):
                hours.take(id_, stored_hours(segment.connection) or [])
        totals = totals_of(segment.connection)
        note_closed(catalogue, id_, totals, totals.last_us, segment.size_bytes)
    finally:
        segment.connection.close()
