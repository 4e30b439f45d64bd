"""What is stored but may come again: QoS 1 messages whose acknowledgement may not have reached the broker."""

from collections.abc import Iterable

import apsw
import numpy as np

from models.storage.batch_rows import PAIRS
from models.storage.engine import open_reader
from models.storage.store_errors import DAMAGED
from models.storage.workspace import Workspace

_BATCHES = 64
"""So far back: what was committed before them was acknowledged long ago."""
_NEWEST = "SELECT packets FROM batch WHERE packets IS NOT NULL ORDER BY id DESC LIMIT ?"


def read_unacknowledged(workspace: Workspace, segments: Iterable[int]) -> set[tuple[int, int]]:
    """(packet id, CRC-32 of topic + payload) of the last commits in `segments` (newest first): a session outlives the
    recorder."""
    found: list[bytes] = []
    for segment in segments:
        if len(found) >= _BATCHES:
            break
        try:
            reader = open_reader(workspace.segment(segment))
        except apsw.CantOpenError:
            continue
        try:
            found += [packets for (packets,) in reader.execute(_NEWEST, (_BATCHES - len(found),))]
        except DAMAGED:
            continue  # told when somebody reads that history
        finally:
            reader.close()
    return {pair for packets in found for pair in np.frombuffer(packets, PAIRS).tolist()}
