"""What the last commits say of what came: which QoS 1 messages may come again, and up to where the journal's are stored."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from models.storage.segments.open_segment import DAMAGE_ALONE, OpenSegment, SegmentRow
from models.storage.segments.segment_file import ARRIVED_TO
from models.storage.workspace import Workspace
from models.storage.writing.batch_rows import PAIRS

BATCHES = 64
"""So far back: what was committed before them was acknowledged long ago."""
_NEWEST = "SELECT packets FROM batch WHERE packets IS NOT NULL ORDER BY id DESC LIMIT ?"


_ARRIVED_TO = "SELECT value FROM meta WHERE key = ?"


class LastCommits(NamedTuple):
    """(packet id, CRC-32 of topic + payload) of what was stored, maybe without its acknowledgement reaching the broker: a
    session outlives the recorder. `arrived_to`: number up to which all arrivals are stored."""

    unacknowledged: set[tuple[int, int]]
    arrived_to: int


def read_last_commits(workspace: Workspace, segments: Iterable[int]) -> LastCommits:
    """Of `segments`, newest first. Raises what reading raises where nothing is damaged: what comes again would be stored
    twice."""
    found: list[bytes] = []
    arrived_to = 0
    for segment in segments:
        if len(found) >= BATCHES and arrived_to:
            break
        try:
            opened = OpenSegment(SegmentRow(segment, 0, "closed", 0, 0, 0, 0, 0, 0, 0), workspace.segment(segment))
        except DAMAGE_ALONE:
            continue  # told when somebody reads that history
        try:
            arrived_to = max(arrived_to, *(int(value) for (value,) in opened.rows(_ARRIVED_TO, ARRIVED_TO)), 0)
            found += [packets for (packets,) in opened.rows(_NEWEST, BATCHES - len(found))]
        except DAMAGE_ALONE:
            continue
        finally:
            opened.connection.close()
    pairs = {pair for packets in found for pair in np.frombuffer(packets, PAIRS).tolist()}
    return LastCommits(pairs, arrived_to)
