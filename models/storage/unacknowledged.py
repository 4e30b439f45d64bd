"""What is stored but may come again: QoS 1 messages whose acknowledgement may not have reached the broker."""

from collections import deque

import apsw
import numpy as np
import numpy.typing as npt

from models.storage.batch_rows import PAIRS
from models.storage.engine import open_reader
from models.storage.store_errors import DAMAGED
from models.storage.workspace import Workspace

_BATCHES = 64
_MOST = 4 * 65_536
"""No broker has more of them under way than 65,535."""


class Unacknowledged:
    """(packet id, CRC-32 of topic + payload) of the last commits that nobody called acknowledged. One thread."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, int, npt.NDArray[np.void]]] = deque()
        self._n = 0

    def add(self, segment: int, batch: int, packets: npt.NDArray[np.void]) -> None:
        if not len(packets):
            return
        self._kept.append((segment, batch, packets))
        self._n += len(packets)
        while self._n > _MOST and len(self._kept) > 1:
            self._n -= len(self._kept.popleft()[2])

    def forget(self, segment: int, batch: int) -> None:
        """The commit's messages are acknowledged."""
        kept = deque(one for one in self._kept if one[:2] != (segment, batch))
        self._kept, self._n = kept, sum(len(one[2]) for one in kept)

    def pairs(self) -> set[tuple[int, int]]:
        return {pair for _, _, packets in self._kept for pair in packets.tolist()}

    def load(self, workspace: Workspace, segments: list[int]) -> None:
        """From the last batches of `segments` (newest first): a session outlives the recorder."""
        found: list[tuple[int, int, npt.NDArray[np.void]]] = []
        query = "SELECT id, packets FROM batch WHERE packets IS NOT NULL ORDER BY id DESC LIMIT ?"
        for segment in segments:
            if len(found) >= _BATCHES:
                break
            try:
                reader = open_reader(workspace.segment(segment))
            except apsw.CantOpenError:
                continue
            try:
                for batch, packets in reader.execute(query, (_BATCHES - len(found),)):
                    found.append((segment, batch, np.frombuffer(packets, PAIRS)))
            except DAMAGED:
                continue  # told when somebody reads that history
            finally:
                reader.close()
        for one in reversed(found):
            self.add(*one)
