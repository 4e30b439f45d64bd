"""Cells of a heat-map, filled part by part, the newest first: means, rates of counters, quantiles. Pure numpy.

`cell` is row * steps + step. Parts hold samples of several rows, row after row, each in order of time.
"""

from typing import NamedTuple, Protocol

import numpy as np

from models.domain.layouts.layout import Shown
from models.domain.queries import Float64, Int64

QUANTILES = {Shown.P50: 0.5, Shown.P95: 0.95, Shown.P99: 0.99}
_US = 1e6
_MANY = 4_000_000
"""So many pairs of a histogram are added up before there are more."""


class Part(NamedTuple):
    """Samples inside the cells; `row` ascending, `at_us` within each row."""

    row: Int64
    cell: Int64
    at_us: Int64
    value: Float64


class Cells(Protocol):
    """What becomes of samples."""

    def take(self, part: Part) -> None:
        """Add samples that are older than those before."""
        ...

    def told(self) -> tuple[Float64, Int64]:
        """Value of each cell (NaN: none), and of how many samples (0: not told)."""
        ...


def cells_for(shown: Shown, rows: int, steps: int) -> Cells:
    """Empty ones."""
    if shown is Shown.RATE:
        return Rates(rows, steps)
    return SampleQuantiles(QUANTILES[shown], rows * steps) if shown in QUANTILES else Means(rows * steps)


class Means:
    """Of every sample in a cell."""

    def __init__(self, cells: int) -> None:
        self._n, self._total = np.zeros(cells, np.int64), np.zeros(cells)

    def take(self, part: Part) -> None:
        self._n += np.bincount(part.cell, minlength=len(self._n))
        self._total += np.bincount(part.cell, part.value, len(self._total))

    def add(self, cell: Int64, value: Float64) -> None:
        """One more for each of these cells, which are all different."""
        self._n[cell] += 1
        self._total[cell] += value

    def told(self) -> tuple[Float64, Int64]:
        return ratio(self._total, self._n), np.zeros(len(self._n), np.int64)


class Rates:
    """How fast counters rose, a second: over the times that end in a cell, so that a cell that is seen in part, and one after a
    silence, tell no other rate than it was. A counter that began again rose by what it shows then."""

    def __init__(self, rows: int, steps: int) -> None:
        self._rise, self._took_us = np.zeros(rows * steps), np.zeros(rows * steps)
        self._first = np.full(rows, np.nan)  # the oldest sample of each row so far: value, time, cell
        self._first_us, self._first_cell = np.zeros(rows, np.int64), np.zeros(rows, np.int64)

    def take(self, part: Part) -> None:
        if not len(part.row):
            return
        starts = np.flatnonzero(np.diff(part.row, prepend=-1))
        ends = np.append(starts[1:], len(part.row)) - 1
        own = part.row[starts]
        known = ~np.isnan(self._first[own])
        later, before = own[known], ends[known]
        follows = np.flatnonzero(np.diff(part.row) == 0) + 1
        self._add(part.cell[follows], part.value[follows], part.value[follows - 1], np.diff(part.at_us)[follows - 1])
        took = self._first_us[later] - part.at_us[before]
        self._add(self._first_cell[later], self._first[later], part.value[before], took)
        self._first[own], self._first_us[own], self._first_cell[own] = (
            part.value[starts], part.at_us[starts], part.cell[starts],
        )  # fmt: skip

    def _add(self, cell: Int64, value: Float64, before: Float64, took_us: Int64) -> None:
        rise = np.where(value < before, value, value - before)
        self._rise += np.bincount(cell, rise, len(self._rise))
        self._took_us += np.bincount(cell, np.maximum(took_us, 0), len(self._took_us))

    def told(self) -> tuple[Float64, Int64]:
        return ratio(self._rise * _US, self._took_us), np.zeros(len(self._rise), np.int64)


class SampleQuantiles:
    """The value at rank q·n of a cell's samples."""

    def __init__(self, q: float, cells: int) -> None:
        self._q, self._cells = q, cells
        self._parts: list[Part] = []

    def take(self, part: Part) -> None:
        self._parts.append(part)

    def told(self) -> tuple[Float64, Int64]:
        cell = np.concatenate([np.zeros(0, np.int64), *(part.cell for part in self._parts)])
        value = np.concatenate([np.zeros(0), *(part.value for part in self._parts)])
        order = np.lexsort((value, cell))
        n = np.bincount(cell, minlength=self._cells)
        return _at_rank(self._q, n, np.cumsum(n), value[order]), n


class HistogramQuantiles:
    """The same of histograms that are added up: a value is the middle of the bin at that rank."""

    def __init__(self, q: float, cells: int, lowest: int, middles: Float64) -> None:
        """`middles` of the bins from `lowest` on; what lies outside counts as the outermost."""
        self._q, self._cells, self._lowest, self._middles = q, cells, lowest, middles
        self._key, self._n = np.zeros(0, np.int64), np.zeros(0, np.int64)  # cell * bins + bin
        self._more: list[tuple[Int64, Int64]] = []
        self._waiting = 0

    def add(self, cell: Int64, bin_: Int64, n: Int64) -> None:
        """So many in that bin."""
        bins = len(self._middles)
        self._more.append((cell * bins + np.clip(bin_ - self._lowest, 0, bins - 1), n))
        self._waiting += len(n)
        if self._waiting > _MANY:
            self._merge()

    def _merge(self) -> None:
        key = np.concatenate([self._key, *(part[0] for part in self._more)])
        n = np.concatenate([self._n, *(part[1] for part in self._more)])
        self._key, place = np.unique(key, return_inverse=True)
        self._n = np.bincount(place, n, len(self._key)).astype(np.int64)
        self._more, self._waiting = [], 0

    def told(self) -> tuple[Float64, Int64]:
        self._merge()
        cell, bin_ = np.divmod(self._key, len(self._middles))
        n = np.bincount(cell, self._n, self._cells).astype(np.int64)
        found, ran = np.full(self._cells, np.nan), np.cumsum(self._n)
        full = np.flatnonzero(n)
        wanted = np.cumsum(n)[full] - n[full] + np.maximum(np.ceil(self._q * n[full]), 1)
        found[full] = self._middles[bin_[np.searchsorted(ran, wanted, side="left")]]
        return found, n


def _at_rank(q: float, n: Int64, ends: Int64, ordered: Float64) -> Float64:
    found = np.full(len(n), np.nan)
    full = np.flatnonzero(n)
    rank = np.maximum(np.ceil(q * n[full]), 1).astype(np.int64) - 1
    found[full] = ordered[ends[full] - n[full] + rank]
    return found


def ratio(above: Float64 | Int64, below: Float64 | Int64) -> Float64:
    """NaN where nothing is below."""
    found: Float64 = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found
