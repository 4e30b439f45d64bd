"""Hourly values in plots: steps of what was measured, never points that were not."""

import numpy as np
import pytest

from models.domain.queries import HourColumns, SeriesColumns
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.counter_curves import IncreaseCurve
from widgets.plots.curves import LineCurve, Window
from widgets.plots.hours import HOUR_US, hour_at, hour_band
from widgets.plots.percentiles import QuantileBuckets, QuantileCurve
from widgets.plots.plot_summary import extent

START = 490_000 * HOUR_US


def hours(places: list[int], low: float = 1.0, high: float = 3.0, rise: float = 5.0) -> HourColumns:
    since = START + np.array(places, np.int64) * HOUR_US
    one = np.ones(len(places))
    quantiles = np.array([[0.1], [0.2], [0.3]]) * one
    return HourColumns(
        1, since, since, since + HOUR_US - 1, (one * 60).astype(np.int64), one * low, one * high, one * (low + high) / 2,
        one * rise, np.zeros(len(places), bool), quantiles,
    )  # fmt: skip


def buffer_of(places: list[int], minutes: list[int], value: list[float]) -> SeriesBuffer:
    """Hours that are gone, and samples by the minute."""
    buffer = SeriesBuffer(1)
    time = START + np.array(minutes, np.int64) * 60_000_000
    buffer.replace(SeriesColumns(1, time, time, np.array(value, float), False))
    buffer.hours = hours(places)
    return buffer


def test_hours_are_steps_that_end_where_nothing_is_known() -> None:
    band = hour_band(hours([0, 1, 4]), START, START + 10 * HOUR_US, 500)
    assert band is not None
    assert [(run.start, run.stop) for run in band.runs] == [(0, 2), (2, 3)]
    assert band.mean.tolist() == [2, 2, 2]
    assert band.span == (START, START + 5 * HOUR_US)
    assert hour_band(hours([0]), START + HOUR_US, START + 2 * HOUR_US, 500) is None


def test_many_hours_keep_their_extremes_in_few_steps() -> None:
    many = hours(list(range(8_760)))
    many.high[5_000] = 99.0
    band = hour_band(many, START, START + 8_760 * HOUR_US, 800)
    assert band is not None
    assert len(band.mean) <= 2 * 800
    assert band.high.max() == 99.0
    assert band.mean == pytest.approx(2.0)
    assert len(band.runs) == 1


def test_a_line_shows_the_mean_of_an_hour_where_its_samples_are_gone() -> None:
    curve = LineCurve("cpu", "1", buffer_of([0, 1], [130, 131, 132, 133, 134, 135], [7.0] * 6))
    window = Window(START, START + 3 * HOUR_US, 500)
    shape = curve.shape(window)
    assert len(shape.x_us) == 6, "no point is invented"
    assert shape.hourly == (START, START + 2 * HOUR_US)
    assert extent([shape], window) == (1.0, 7.0)
    assert curve.reading(START + HOUR_US // 2).value == 2.0
    assert curve.reading(START + 131 * 60_000_000).value == 7.0
    assert hour_at(curve.buffer.hours, START + 2 * HOUR_US) == -1
    assert curve.points(window.since_us, window.until_us)[0].tolist() == shape.x_us.tolist(), "copied are samples alone"


def test_a_rise_counts_by_the_hour_and_sums_are_exact() -> None:
    minutes = [121, 122, 123, 124, 125, 126, 127]
    curve = IncreaseCurve("errors", "", buffer_of([0, 1], minutes, list(range(10, 17))), 0)
    shape = curve.shape(Window(START, START + 3 * HOUR_US, 800))
    assert shape.value.tolist() == [5.0, 5.0, 6.0]
    assert curve.current(0).value == 16.0
    assert shape.hourly == (START, START + 2 * HOUR_US)


def test_percentiles_are_drawn_only_where_a_histogram_was_kept() -> None:
    buffer = buffer_of([0, 1, 2], [], [])
    assert buffer.hours is not None
    buffer.hours.quantiles[:, 1] = np.nan
    buckets = QuantileBuckets(buffer, (0.5, 0.95, 0.99))
    curve = QuantileCurve("p95", "s", buckets, 1, 1)
    shape = curve.shape(Window(START, START + 3 * HOUR_US, 500))
    assert shape.value.tolist() == [0.2, 0.2]
    assert not shape.joined.any()
    assert curve.reading(START + 1).value == 0.2
    highest = QuantileCurve("p99", "s", buckets, 2, 2, marks_few=True)
    assert highest.reading(START + 1) == (pytest.approx(0.3), 60)  # on so many observations of that hour
    assert np.isnan(curve.reading(START + HOUR_US + 1).value)
