"""One figure of all agents, step by step: from pulses where they hold it, else from samples, and from hours where those are
gone."""

import time
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from models.domain.heat_queries import HeatRequest, HeatResult
from models.domain.layouts.layout import Shown
from models.domain.queries import CancelToken, Float64, Int64, SeriesRequest
from models.domain.reduce import plot_time
from models.storage.history.heat_cells import QUANTILES, HistogramQuantiles, Part, cells_for, ratio
from models.storage.history.heat_pulses import PulseCells, held_by_pulses
from models.storage.history.hours import increases_of
from models.storage.history.series import samples_in
from models.storage.history.store_view import StoreView
from models.storage.keeping.hour_columns import HOUR_US, HourParts, bin_middle_s
from models.storage.keeping.hour_store import lone_hours
from models.storage.segments.open_segment import SegmentRow
from models.storage.segments.sample_pick import Piece

FIRST_PAGE_S = 0.4
"""A question that takes longer gets what there is, and more later."""
_PART_SAMPLES = 300_000


class _Source(Protocol):
    def read(self, view: StoreView, row: SegmentRow) -> Iterator[None]:
        """Take what a segment holds, the newest first; yields between parts."""
        ...

    def told(self) -> tuple[Float64, Int64]: ...


def answer_heat(view: StoreView, request: HeatRequest, token: CancelToken) -> Iterator[HeatResult]:
    """Pages of rising completeness; the last says `complete`. Raises `Cancelled`."""
    summed_up = held_by_pulses(request)
    source: _Source = PulseCells(request) if summed_up else _Samples(request)
    page_s = time.monotonic() + FIRST_PAGE_S
    for row in reversed(view.overlapping(request.first_us, request.until_us)):
        for _ in source.read(view, row):
            token.check()
            if time.monotonic() > page_s:
                began_s = time.monotonic()
                yield _result(request, *source.told(), summed_up, complete=False)
                page_s = time.monotonic() + max(2 * FIRST_PAGE_S, 4 * (time.monotonic() - began_s))
    value, n = source.told()
    _fill_hours(view, request, value, n)
    token.check()
    yield _result(request, value, n, summed_up, complete=True)


def _result(request: HeatRequest, value: Float64, n: Int64, summed_up: bool, *, complete: bool) -> HeatResult:
    form = len(request.rows), request.steps
    return HeatResult(
        request, value.reshape(form).astype(np.float32), n.reshape(form).astype(np.int32), summed_up, complete
    )


class _Samples:
    def __init__(self, request: HeatRequest) -> None:
        self._request = request
        series = np.array([row.series for row in request.rows], np.int64)
        self._order = np.argsort(series, kind="stable")
        self._series = series[self._order]
        self._agents = {row.agent for row in request.rows}
        self._factor = np.array([row.factor for row in request.rows])
        self._offset = np.array([row.offset for row in request.rows])
        self._wanted = np.unique(series).astype(np.uint32)
        self._cells = cells_for(request.shown, len(request.rows), request.steps)

    def read(self, view: StoreView, row: SegmentRow) -> Iterator[None]:
        request = self._request
        asked = SeriesRequest((), request.first_us, request.until_us)
        some: list[Piece] = []
        count = 0
        for piece in samples_in(view, row, asked, self._wanted, self._agents):
            some.append(piece)
            count += len(piece.value)
            if count > _PART_SAMPLES:
                self._take(some)
                some, count = [], 0
                yield
        if some:
            self._take(some)
        yield

    def _take(self, some: list[Piece]) -> None:
        request = self._request
        which = self._order[np.searchsorted(self._series, np.array([piece.series for piece in some]))]
        row = np.repeat(which, [len(piece.value) for piece in some])
        at = np.concatenate([plot_time(piece.time_us, piece.received_us) for piece in some])
        value = np.concatenate([piece.value for piece in some])
        step = (at - request.first_us) // request.step_us
        kept = np.flatnonzero((step >= 0) & (step < request.steps) & ~np.isnan(value))
        order = kept[np.lexsort((at[kept], row[kept]))]
        row, at, step, value = row[order], at[order], step[order], value[order]
        shift = 0.0 if request.shown is Shown.RATE else self._offset[row]
        self._cells.take(Part(row, row * request.steps + step, at, value * self._factor[row] + shift))

    def told(self) -> tuple[Float64, Int64]:
        return self._cells.told()


def _fill_hours(view: StoreView, request: HeatRequest, value: Float64, n: Int64) -> None:
    """Cells without a sample get what is known of their hours."""
    rows = {one.series: place for place, one in enumerate(request.rows) if one.series}
    if not rows or not view.has_hours or not np.isnan(value).any():
        return
    parts = lone_hours(view.catalogue, tuple(rows), request.first_us, request.until_us)
    ends = parts.hour * HOUR_US + np.array([parts.first_ms, parts.last_ms]) * 1_000
    first, last = np.clip((ends - request.first_us) // request.step_us, 0, request.steps - 1)
    wide = last - first + 1  # an hour that is wider than a step stands in each of its cells
    within = np.arange(int(wide.sum())) - np.repeat(np.cumsum(wide) - wide, wide)
    row = np.array([rows[series] for series in parts.series.tolist()], np.int64)
    cell = np.repeat(row * request.steps + first, wide) + within
    found, count = _told_of_hours(request, parts, row, np.repeat(np.arange(len(wide)), wide), cell)
    empty = np.isnan(value)
    value[empty], n[empty] = found[empty], count[empty]


def _told_of_hours(
    request: HeatRequest, parts: HourParts, row: Int64, which: Int64, cell: Int64
) -> tuple[Float64, Int64]:
    """Of all cells; `cell` has the part `which`."""
    cells = len(request.rows) * request.steps
    if request.shown in QUANTILES:
        every = parts.pick(which)
        lowest = int(every.bin.min(initial=0))
        middles = bin_middle_s(np.arange(lowest, int(every.bin.max(initial=0)) + 1))
        merged = HistogramQuantiles(QUANTILES[request.shown], cells, lowest, middles)
        merged.add(np.repeat(cell, every.bins), every.bin, every.bin_n)
        return merged.told()
    factor = np.array([one.factor for one in request.rows])[row]
    offset = np.array([one.offset for one in request.rows])[row]
    if request.shown is Shown.RATE:
        told, weight = increases_of(parts)[0] * factor / (HOUR_US / 1e6), np.ones(len(parts.n), np.int64)
    else:
        told, weight = parts.total / parts.n * factor + offset, parts.n
    n = np.bincount(cell, weight[which], cells)
    total = np.bincount(cell, (told * weight)[which], cells)
    return ratio(total, n), np.zeros(cells, np.int64)
