"""What is stored but may come again: QoS 1 messages whose acknowledgement may not have reached the broker."""

from collections.abc import Iterable

import numpy as np

from models.storage.segments.open_segment import DAMAGE_ALONE, OpenSegment, SegmentRow
from models.storage.workspace import Workspace
from models.storage.writing.batch_rows import PAIRS

BATCHES = 64
"""So far back: what was committed before them was acknowledged long ago."""
_NEWEST = "SELECT packets FROM batch WHERE packets IS NOT NULL ORDER BY id DESC LIMIT ?"


def read_unacknowledged(workspace: Workspace, segments: Iterable[int]) -> set[tuple[int, int]]:
    """(packet id, CRC-32 of topic + payload) of the last commits in `segments` (newest first): a session outlives the
    recorder. Raises what reading raises where nothing is damaged: what comes again would be stored twice."""
    found: list[bytes] = []
    for segment in segments:
        if len(found) >= BATCHES:
            break
        try:
            opened = OpenSegment(SegmentRow(segment, 0, "closed", 0, 0, 0, 0, 0, 0, 0), workspace.segment(segment))
        except DAMAGE_ALONE:
            continue  # told when somebody reads that history
        try:
            found += [packets for (packets,) in opened.rows(_NEWEST, BATCHES - len(found))]
        except DAMAGE_ALONE:
            continue
        finally:
            opened.connection.close()
    return {pair for packets in found for pair in np.frombuffer(packets, PAIRS).tolist()}
