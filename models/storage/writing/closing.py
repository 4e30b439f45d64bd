"""The end of a segment: nothing follows in it, its log is folded in, the catalogue knows its counts."""

import apsw

from models.storage.segments.segment_file import SegmentFile, SegmentTotals, totals_of
from models.storage.transaction import transaction

_CLOSED = """UPDATE segment SET state = 'closed', first_us = ?, last_us = ?, messages = ?, samples = ?, logs = ?, tasks = ?,
    duplicates = ?, dropped = ?, unreadable = ?, taken_batch = ?, bytes = ? WHERE id = ?"""


def finish_segment(segment: SegmentFile, catalogue: apsw.Connection, closed_us: int, wait_ms: int = 0) -> bool:
    """Mark it closed in the file, then in the catalogue; false while a reader is in the way (ask again later).

    Only when the whole log is in the file does the catalogue say `closed`, as readers may then look at the file alone.
    """
    segment.mark_closed(closed_us)
    if not segment.fold_log(wait_ms):
        return False
    note_closed(catalogue, segment.id, totals_of(segment.connection), closed_us, segment.size_bytes)
    return True


def note_closed(catalogue: apsw.Connection, id_: int, totals: SegmentTotals, closed_us: int, size_bytes: int) -> None:
    """Say in the catalogue that a segment is closed, and what it holds."""
    with transaction(catalogue):
        catalogue.execute(
            _CLOSED,
            (totals.first_us or closed_us, totals.last_us or closed_us, totals.messages, totals.samples, totals.logs,
             totals.tasks, totals.duplicates, totals.dropped, totals.unreadable, totals.last_batch, size_bytes, id_),
        )  # fmt: skip


def close_segment(segment: SegmentFile, catalogue: apsw.Connection, closed_us: int, wait_ms: int) -> bool:
    """All of it at once, for a start or an end of the program. What a reader keeps from being done, the next start does."""
    done = finish_segment(segment, catalogue, closed_us, wait_ms)
    if done:
        segment.leave_log(wait_ms)
    segment.close()
    return done
