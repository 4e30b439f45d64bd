"""Last life sign and last beat of every agent, as columns: most messages of a batch change nothing but these."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
NEVER_US = -(1 << 62)


class LifeSigns:
    """Indexed by agent id; times are monotonic microseconds. `heard`, `beat` and `online` give and take plain integers."""

    def __init__(self) -> None:
        self._heard, self._beat, self._online = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8)
        self._resize(0)

    def reach(self, id_: int) -> None:
        """Make room for an agent."""
        if id_ >= len(self.heard):
            self._resize(id_ + 1 + id_ // 2)

    def calm(self, ids: Ints, now_us: Ints, beat_us: int) -> npt.NDArray[np.bool_]:
        """Which messages are of agents that are online and had a beat less than `beat_us` ago: no news but a life sign."""
        calm: npt.NDArray[np.bool_] = (self._online[ids] > 0) & (now_us - self._beat[ids] < beat_us)
        return calm

    def among(self, ids: Ints, some: Collection[int]) -> npt.NDArray[np.bool_]:
        """Which messages are of these agents."""
        marks = np.zeros(len(self._online), np.bool_)
        marks[[id_ for id_ in some if id_ < len(marks)]] = True
        found: npt.NDArray[np.bool_] = marks[ids]
        return found

    def hear(self, ids: Ints, now_us: Ints) -> None:
        """Messages of these agents arrived, in this order."""
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        last = np.ones(len(ids), np.bool_)
        np.not_equal(ids[1:], ids[:-1], out=last[:-1])
        self._heard[ids[last]] = now_us[order[last]]

    def _resize(self, size: int) -> None:
        heard, beat, online = (
            np.full(size, NEVER_US, np.int64),
            np.full(size, NEVER_US, np.int64),
            np.zeros(size, np.uint8),
        )
        n = len(self._heard)
        heard[:n], beat[:n], online[:n] = self._heard, self._beat, self._online
        self._heard, self._beat, self._online = heard, beat, online
        self.heard: memoryview[int] = memoryview(heard.data)
        self.beat: memoryview[int] = memoryview(beat.data)
        self.online: memoryview[int] = memoryview(online.data)
