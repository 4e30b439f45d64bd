"""What the samples of a visible range add up to: exact, or not told. Pure numpy."""

import math
from typing import NamedTuple

import numpy as np

from models.domain.layouts.layout import Shown
from models.domain.pulse_figures import ERROR_RATIO
from models.domain.queries import HOUR_QUANTILES
from widgets.explore.panel_curves import PanelCurve
from widgets.plots.hours import hours_within

NAN = float("nan")


class Statistics(NamedTuple):
    """`n` -1: not known. NaN: not known, or nothing there. `rise`: of a counter, in its own unit, restarts taken into account; of
    its rate only the mean and the newest one are told, as extremes depend on the steps in which it is drawn."""

    n: int
    low: float = NAN
    high: float = NAN
    mean: float = NAN
    last: float = NAN
    quantiles: tuple[float, ...] = (NAN,) * len(HOUR_QUANTILES)
    rise: float = NAN


def statistics_of(curve: PanelCurve, since_us: int, until_us: int) -> Statistics:
    """Of every sample in [since, until), and of hours that touch it where the samples are gone. An envelope has its extremes and
    its last value alone; percentiles need every sample."""
    buffer, shift_us = curve.buffer, curve.shift_us
    if curve.found.plotted.role == ERROR_RATIO:  # a mean of shares would say nothing
        ratio = curve.current(until_us)
        return Statistics(ratio.n, mean=ratio.value)
    x, value = curve.raw.points(since_us, until_us)
    value = value[~np.isnan(value)]
    hours, some = buffer.hours, hours_within(buffer.hours, since_us - shift_us, until_us - shift_us)
    hourly = hours is not None and some.start < some.stop
    last = float(value[-1]) if len(value) else NAN
    if curve.counted is not None:
        n = -1 if buffer.reduced or hourly else len(value)
        if curve.found.shown is Shown.RATE:
            return Statistics(n, mean=curve.counted.mean, last=curve.current(until_us).value, rise=curve.counted.rise)
        return Statistics(n, last=last, rise=curve.counted.rise)
    if not len(x) and not hourly:
        return Statistics(0)
    lows, highs = [value.min()] if len(value) else [], [value.max()] if len(value) else []
    if hours is not None and hourly:
        lows.append(hours.low[some].min())
        highs.append(hours.high[some].max())
    low, high = (float(min(lows)), float(max(highs))) if lows else (NAN, NAN)
    if buffer.reduced:
        return Statistics(-1, low, high, last=last)
    n, total = len(value), float(value.sum())
    if hours is not None and hourly:
        n += int(hours.n[some].sum())
        total += float((hours.mean[some] * hours.n[some]).sum())
        return Statistics(n, low, high, total / n if n else NAN, last)
    return Statistics(n, low, high, total / n if n else NAN, last, _quantiles(value) if n else Statistics(0).quantiles)


def _quantiles(value: np.ndarray) -> tuple[float, ...]:
    """The values at rank q·n, never interpolated, as in the plots."""
    ranks = [min(len(value) - 1, max(0, math.ceil(q * len(value)) - 1)) for q in HOUR_QUANTILES]
    ordered = np.partition(value, ranks)
    return tuple(float(ordered[rank]) for rank in ranks)
