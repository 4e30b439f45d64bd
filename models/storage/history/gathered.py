"""The samples of one series as they are found, thinned out on the way where there are more than are asked for."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from models.domain.queries import SeriesColumns
from models.domain.reduce import Float64, Int64, plot_time
from models.storage.segments.sample_pick import Piece

Index = Callable[[Int64, Float64, int], Int64]
"""Places that are kept of a run (time, value) in so many columns: `reduce.envelope_index`, say."""
NOTHING = Piece(0, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


class Gathered:
    """Pieces come newest first. Beyond `most` samples all is reduced to `kept`: each piece keeps, for the share of `span_us` that
    it has, what `index` keeps of it. Hundreds of millions of samples are never held together, and a page costs what it shows."""

    def __init__(self, most: int, kept: int, span_us: int, index: Index) -> None:
        self._most, self._kept, self._index = most, kept, index
        self._column_us = max(1, span_us // max(1, kept // 2))
        self._pieces: list[Piece] = []
        self._n = 0
        self._reduced = False

    def add(self, piece: Piece) -> None:
        """One more, older than all before."""
        some = [piece]
        if not self._reduced and self._n + len(piece.value) > self._most:
            self._reduced, some = True, [*self._pieces, piece]
            self._pieces, self._n = [], 0
        if self._reduced:
            some = [self._thinned(one) for one in some]
        self._pieces += some
        self._n += sum(len(one.value) for one in some)

    def _thinned(self, piece: Piece) -> Piece:
        """By the time it is drawn at."""
        piece, drawn = _as_drawn(piece)
        if not len(drawn):
            return piece
        columns = int(drawn[-1] - drawn[0]) // self._column_us + 1
        return _picked(piece, self._index(drawn, piece.value, columns))

    def columns(self, series: int, shared: "SharedTimes") -> SeriesColumns:
        """Sorted by the agent's own time, as stored, so that a sample is the same in every page."""
        joined = shared.joined(self._pieces[::-1])
        if self._reduced and len(joined.value) > self._kept:
            joined, drawn = _as_drawn(joined)
            joined = _picked(joined, self._index(drawn, joined.value, max(1, self._kept // 2)))
        at = joined.time_us
        if len(at) > 1 and (at[1:] < at[:-1]).any():
            joined = _picked(joined, np.argsort(at, kind="stable"))
        return SeriesColumns(series, joined.time_us, joined.received_us, joined.value, self._reduced)


class SharedTimes:
    """Times of series that came in the same messages are put together once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[Int64, Int64]] = {}

    def joined(self, pieces: list[Piece]) -> Piece:
        """Pieces one after another."""
        if len(pieces) < 2:
            return pieces[0] if pieces else NOTHING
        key = tuple(id(one.time_us) for one in pieces)
        if key not in self._known:
            self._known[key] = _concatenated(pieces)
        return Piece(0, *self._known[key], np.concatenate([one.value for one in pieces]))


class _Drawn(NamedTuple):
    piece: Piece
    at_us: Int64


def _concatenated(pieces: list[Piece]) -> tuple[Int64, Int64]:
    return np.concatenate([one.time_us for one in pieces]), np.concatenate([one.received_us for one in pieces])


def _as_drawn(piece: Piece) -> _Drawn:
    """In the order of the times at which it is drawn."""
    drawn = plot_time(piece.time_us, piece.received_us)
    if (drawn[1:] < drawn[:-1]).any():
        order = np.argsort(drawn, kind="stable")
        return _Drawn(_picked(piece, order), drawn[order])
    return _Drawn(piece, drawn)


def _picked(piece: Piece, places: Int64) -> Piece:
    return Piece(piece.series, piece.time_us[places], piece.received_us[places], piece.value[places])
