"""Which batches of a segment hold samples of which agents. Kept in memory by its reader and grown as batches come, as going
through the lists of all batches takes longer than reading the samples."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import cast

import apsw
import numpy as np
import numpy.typing as npt

PAGE_BATCHES = 2_000
"""So many lists are read in one transaction."""
_LISTS = "select id, agents from batch where id > ? and id < ? and agents is not null order by id"

Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]


class BatchAgents:
    """One thread. Knows a run of batches without a hole."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._low = self._end = 0  # batches [low, end) are known
        self._parts: list[tuple[UInt32, Int64]] = []  # agents and batches side by side

    def holding(self, agents: Collection[int], low: int, end: int) -> Int64:
        """Batches of [low, end) that hold samples of one of the agents, ascending."""
        self._learn(low, end)
        wanted = np.array(sorted(agents), np.uint32)
        found = []
        for agent, batch in self._parts:
            which = agent == wanted[0] if len(wanted) == 1 else np.isin(agent, wanted)
            found.append(batch[which])
        every = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
        return every[(every >= low) & (every < end)]

    def _learn(self, low: int, end: int) -> None:
        if not self._end:
            self._low = self._end = low
        if low < self._low:
            self._parts[:0] = self._read(low - 1, self._low)
            self._low = low
        if end > self._end:
            self._parts += self._read(self._end - 1, end)
            self._end = end
        if len(self._parts) > 8:
            self._parts = [_joined(self._parts)]

    def _read(self, after: int, end: int) -> Iterator[tuple[UInt32, Int64]]:
        while True:
            cursor = self._connection.execute(_LISTS, (after, end))
            rows = cast("list[tuple[int, bytes]]", list(islice(cursor, PAGE_BATCHES)))
            cursor.close()
            if not rows:
                return
            after = rows[-1][0]
            lists = [data[: len(data) & ~3] for _, data in rows]
            n = np.fromiter(map(len, lists), np.int64, len(lists)) // 4
            yield np.frombuffer(b"".join(lists), "<u4"), np.repeat(np.array([id_ for id_, _ in rows]), n)


def _joined(parts: list[tuple[UInt32, Int64]]) -> tuple[UInt32, Int64]:
    return np.concatenate([agent for agent, _ in parts]), np.concatenate([batch for _, batch in parts])
