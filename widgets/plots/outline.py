"""The extremes of stretches of a long run, kept so that a drawing touches what its pixels can show, not every sample. Pure numpy."""

import numpy as np

from models.domain.queries import Float64, Int64

BLOCKS = (16, 64, 256)
"""Samples in a stretch, of each of the outlines."""
_FINER = 4
"""A pixel holds at least so many stretches, so that one which lies in two pixels moves nothing that is seen."""


class Outline:
    """Where each whole stretch of the values in [`start`, `end`) has its least and its largest one. NaN counts only where there is
    nothing else."""

    def __init__(self) -> None:
        self._first = [0] * len(BLOCKS)  # number of the first stretch that is known
        self._places: list[Int64] = [np.empty((0, 2), np.int64) for _ in BLOCKS]

    def forget(self) -> None:
        """The values moved, or are others."""
        self.__init__()  # type: ignore[misc]

    def places(self, value: Float64, start: int, end: int, first: int, last: int, columns: int) -> Int64 | None:
        """Places within [first, last), ascending, among which is what an envelope of so many columns keeps; None: better look at
        all of them. The run itself lies in [start, end) of `value`; what was known of it is added to."""
        coarse = [level for level, size in enumerate(BLOCKS) if last - first >= _FINER * size * columns]
        if not coarse:
            return None
        level, size = coarse[-1], BLOCKS[coarse[-1]]
        self._reach(level, value, start, end)
        low, high = -(-first // size), last // size
        known = self._places[level][low - self._first[level] : high - self._first[level]].ravel()
        known = known[np.diff(known, prepend=-1) != 0]
        return np.concatenate((np.arange(first, low * size), known, np.arange(high * size, last)))

    def _reach(self, level: int, value: Float64, start: int, end: int) -> None:
        """Know all whole stretches."""
        size, places = BLOCKS[level], self._places[level]
        first, last = -(-start // size), end // size
        if not len(places):
            self._first[level] = first
        known = self._first[level] + len(places)
        if last <= known:
            return
        if level:
            self._reach(level - 1, value, start, end)
            ratio, finer = size // BLOCKS[level - 1], self._places[level - 1]
            skipped = known * ratio - self._first[level - 1]
            some = finer[skipped : skipped + (last - known) * ratio].reshape(last - known, 2 * ratio)
            fresh = _extremes(value[some], some)
        else:
            fresh = _extremes(value[known * size : last * size].reshape(last - known, size), None)
            fresh += (np.arange(known, last) * size)[:, None]
        self._places[level] = np.concatenate((places, fresh)) if len(places) else fresh


def _extremes(value: Float64, places: Int64 | None) -> Int64:
    """Of each row, in order: where its least and its largest value is, or which of `places` stands there."""
    if np.isnan(value).any():
        nothing = np.isnan(value)
        low, high = np.where(nothing, np.inf, value).argmin(axis=1), np.where(nothing, -np.inf, value).argmax(axis=1)
    else:
        low, high = value.argmin(axis=1), value.argmax(axis=1)
    both = np.column_stack((np.minimum(low, high), np.maximum(low, high)))
    return both if places is None else np.take_along_axis(places, both, axis=1)
