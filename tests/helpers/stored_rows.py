"""Counts what a store holds by looking into its files, whether the catalogue knows them or not."""

import contextlib
from pathlib import Path

from models.storage.segments.open_segment import DAMAGE, OpenSegment, SegmentRow

_COUNT = """SELECT count(*) FROM message
    WHERE topic_id IN (SELECT id FROM topic WHERE substr(name, 1, length(?1)) = ?1)"""


def message_rows(workspace: Path, prefix: bytes) -> int:
    """Rows of messages whose topic begins with `prefix`, in all segments. Works while a recorder writes."""
    found = 0
    for file in (workspace / "segments").glob("*.db"):
        with contextlib.suppress(*DAMAGE):  # a segment that is being made or removed
            opened = OpenSegment(SegmentRow(0, 0, "open", 0, 0, 0, 0, 0, 0, 0), file)
            try:
                found += opened.number(_COUNT, prefix)
            finally:
                opened.connection.close()
    return found
