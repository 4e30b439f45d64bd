"""Hourly values of chosen series, for times whose samples are gone."""

import numpy as np
import numpy.typing as npt

from models.domain.names import SeriesKind
from models.domain.queries import HOUR_QUANTILES, Float64, HourColumns, SeriesRequest
from models.storage.history.store_view import StoreView
from models.storage.keeping.hour_columns import HOUR_US, HourParts, bin_middle_s
from models.storage.keeping.hour_store import lone_hours
from models.storage.keeping.rollups import SeriesTraits
from models.storage.names_table import SERIES_KEY, series_key
from models.storage.segments.open_segment import fetch

_MS_US = 1_000


def hours_of(view: StoreView, request: SeriesRequest) -> tuple[HourColumns, ...]:
    """Of each series that has any in the range of the request."""
    if not view.has_hours:
        return ()
    every = lone_hours(view.catalogue, request.series, request.since_us, request.until_us)
    if not len(every.series):
        return ()
    found = []
    for id_ in np.unique(every.series).tolist():
        rows = fetch(view.catalogue, f"select {SERIES_KEY} from series where id = ?", (id_,))
        if rows:
            key = series_key(*rows[0])
            seconds = float(SeriesTraits.of([(id_, key)]).seconds[id_])
            parts = every.pick(every.series == id_)
            found.append(_columns(id_, parts, seconds, counts=key.kind == SeriesKind.COUNTER))
    return tuple(found)


def _columns(series: int, parts: HourParts, seconds: float, *, counts: bool) -> HourColumns:
    since_us = parts.hour * HOUR_US
    increase, reset = increases_of(parts) if counts else (parts.increase, parts.resets > 0)
    return HourColumns(
        series,
        since_us,
        since_us + parts.first_ms * _MS_US,
        since_us + parts.last_ms * _MS_US,
        parts.n,
        parts.low,
        parts.high,
        parts.total / parts.n,
        increase,
        reset,
        _quantiles(parts, seconds),
    )


def increases_of(parts: HourParts) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """How far counters rose in each hour, from the last sample of the hour before, and where they began again meanwhile. Over a
    longer time nobody knows when they rose."""
    increase, reset = parts.increase.copy(), parts.resets > 0
    step = parts.first[1:] - parts.last[:-1]
    follows = (np.diff(parts.hour) == 1) & (parts.series[1:] == parts.series[:-1])
    increase[1:] += np.where(follows, np.where(step < 0, parts.first[1:], step), 0.0)
    reset[1:] |= follows & (step < 0)
    return increase, reset


def _quantiles(parts: HourParts, seconds: float) -> Float64:
    """The middle of the bin at rank q·n, within what was really measured; NaN without a histogram."""
    found = np.full((len(HOUR_QUANTILES), len(parts.series)), np.nan)
    full = np.flatnonzero(parts.bins)
    if not len(full) or not seconds:
        return found
    ends = np.cumsum(parts.bins)[full] - 1
    ran = np.cumsum(parts.bin_n)
    before = ran[ends] - parts.n[full]
    middle = bin_middle_s(parts.bin) / seconds
    for row, q in enumerate(HOUR_QUANTILES):
        place = np.searchsorted(ran, before + np.maximum(np.ceil(q * parts.n[full]), 1), side="left")
        found[row, full] = np.clip(middle[place], parts.low[full], parts.high[full])
    return found
