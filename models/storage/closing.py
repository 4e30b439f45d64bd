"""The end of a segment: nothing follows in it, its log is folded in, the catalogue knows its counts."""

import apsw

from models.storage.segment_file import SegmentFile
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
    totals = segment.totals()
    with transaction(catalogue):
        catalogue.execute(
            _CLOSED,
            (totals.first_us or closed_us, totals.last_us or closed_us, totals.messages, totals.samples, totals.logs,
             totals.tasks, totals.duplicates, totals.dropped, totals.unreadable, totals.last_batch,
             segment.size_bytes, segment.id),
        )  # fmt: skip
    return True


def close_segment(segment: SegmentFile, catalogue: apsw.Connection, closed_us: int, wait_ms: int) -> bool:
    """All of it at once, for a start or an end of the program. What a reader keeps from being done, the next start does."""
    done = finish_segment(segment, catalogue, closed_us, wait_ms)
    if done:
        segment.leave_log(wait_ms)
    segment.close()
    return done
