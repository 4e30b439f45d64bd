"""Samples of a sealed segment some batches at a time, for whoever goes through all of them: what is decoded serves every step
that it reaches over."""

from collections.abc import Callable, Collection, Iterator

import apsw
import numpy as np

from models.storage.sealing.sample_order import EVER_US, Ordered, read_in_order

_LAST = 1 << 62


class SampleSteps:
    """Holds a window of `read_in_order`, or two. One thread."""

    def __init__(
        self, connection: apsw.Connection, first: int, wanted: Collection[int], damaged: Callable[[Exception], None]
    ) -> None:
        """Samples of the `wanted` series, from batch `first` on."""
        self._parts = read_in_order(connection, -EVER_US, EVER_US, (first, _LAST), wanted, damaged)
        self._held: list[Ordered] = []

    def of(self, first: int, end: int) -> Iterator[Ordered]:
        """Those of batches [first, end). The same may be asked for again, and what comes behind, but nothing before."""
        self._held = [part for part in self._held if part.batch[-1] >= first]
        while not self._held or self._held[-1].batch[-1] < end - 1:
            part = next(self._parts, None)
            if part is None:
                break
            self._held.append(part)
        for part in self._held:
            low, high = np.searchsorted(part.batch, (first, end))
            begin, behind = np.searchsorted(part.stamp, (low, high))
            stamps, samples = slice(low, high), slice(begin, behind)
            yield Ordered(
                part.batch[stamps], part.seq[stamps], part.time_us[stamps], part.received_us[stamps],
                part.stamp[samples] - low, part.series[samples], part.value[samples],
            )  # fmt: skip
