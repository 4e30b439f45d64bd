"""A line tells nothing that was not measured: it ends at gaps and silences, buckets are exact."""

import numpy as np

from models.domain.queries import GapColumns, Int64, SeriesColumns
from models.domain.records import GapCause
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.counter_curves import IncreaseCurve
from widgets.plots.curves import NO_SPANS, LineCurve, Shape, Spans, Window, spans_of
from widgets.plots.percentiles import QuantileBuckets, QuantileCurve

SECOND = 1_000_000
START = 1_760_000_400 * SECOND


def filled(seconds: Int64 | list[float], value: object) -> SeriesBuffer:
    buffer = SeriesBuffer(1)
    time = START + (np.asarray(seconds) * SECOND).astype(np.int64)
    buffer.replace(SeriesColumns(1, time, time, np.asarray(value, float), False))
    return buffer


def window(until_s: float, columns: int = 500, gaps: Spans = NO_SPANS) -> Window:
    return Window(START, START + int(until_s * SECOND), columns, gaps)


def breaks(shape: Shape) -> list[float]:
    """Seconds of the points after which the line ends (the last one left out)."""
    return ((shape.x_us[:-1][~shape.joined[:-1]] - START) / SECOND).tolist()


def gap(since_s: float, until_s: float) -> Spans:
    return Spans(np.array([START + int(since_s * SECOND)]), np.array([START + int(until_s * SECOND)]))


def test_silence_breaks_the_line() -> None:
    seconds = [*range(20), *range(30, 50)]
    assert breaks(LineCurve("cpu", "1", filled(seconds, np.ones(40))).shape(window(50))) == [19]


def test_a_declared_interval_allows_longer_silences() -> None:
    curve = LineCurve("cpu", "1", filled([*range(20), *range(21, 50)], np.ones(49)))
    assert breaks(curve.shape(window(50))) == []
    curve = LineCurve("cpu", "1", filled([*range(20), *range(30, 50)], np.ones(40)))
    curve.interval_us = 5 * SECOND
    assert breaks(curve.shape(window(50))) == []


def test_a_declared_gap_breaks_the_line_even_between_two_points() -> None:
    curve = LineCurve("cpu", "1", filled(list(range(50)), np.ones(50)))
    assert breaks(curve.shape(window(50, gaps=gap(20.2, 20.4)))) == [20]
    assert breaks(curve.shape(window(50, gaps=gap(20.5, 22.5)))) == [20, 21, 22]


def test_a_gap_survives_reduction_and_peaks_do_too() -> None:
    n = 100_000
    seconds = np.arange(n) * 0.01
    value = np.sin(seconds)
    value[54_321] = 50.0
    curve = LineCurve("cpu", "1", filled(seconds, value))
    shape = curve.shape(window(1000, columns=300, gaps=gap(500.001, 500.004)))
    assert len(shape.x_us) <= 600
    assert shape.value.max() == 50.0
    assert len(breaks(shape)) == 1
    assert 496 < breaks(shape)[0] <= 500.001


def test_gaps_of_other_agents_concern_nobody_here() -> None:
    one = np.array([1, 5, 3], np.int64)
    columns = GapColumns(one, one + 1, [GapCause.DROPPED] * 3, np.array([0, 8, 9]), np.zeros(3, np.int64))
    assert spans_of(columns, 9).since_us.tolist() == [1, 3]


def test_percentiles_are_ranks_of_raw_observations() -> None:
    buffer = filled(np.linspace(0, 9.99, 1000), np.arange(1000) / 1000)
    buckets = QuantileBuckets(buffer, (0.5, 0.95, 0.99))
    curves = [
        QuantileCurve(name, "s", buckets, row, row, marks_few=row == 2)
        for row, name in enumerate(("p50", "p95", "p99"))
    ]
    shape = curves[2].shape(window(10, columns=8))
    assert shape.value.tolist() == [0.989]
    assert shape.thin is not None
    assert not shape.thin[0]
    assert [curve.current(START + 10 * SECOND).value for curve in curves] == [0.499, 0.949, 0.989]
    assert [curve.current(START + 10 * SECOND).n for curve in curves] == [0, 0, 1000]


def test_percentile_of_few_observations_is_marked_and_empty_buckets_break_the_line() -> None:
    buffer = filled([0.5, 1.5, 2.5, 20.5, 21.5], [1, 2, 3, 4, 5])
    curve = QuantileCurve("p99", "s", QuantileBuckets(buffer, (0.99,)), 0, 0, marks_few=True)
    shape = curve.shape(window(30, columns=240))
    assert shape.thin is not None
    assert shape.thin.all()
    assert breaks(shape) == [2.5]
    assert curve.reading(START + 10 * SECOND).n == 0


def test_live_percentiles_equal_those_computed_at_once() -> None:
    rng = np.random.default_rng(1)
    value = rng.exponential(0.2, 600)
    live = SeriesBuffer(1)
    buckets = QuantileBuckets(live, (0.5, 0.99))
    for until in range(30, 601, 30):
        time = START + np.arange(until - 30, until) * SECOND // 10
        live.append(SeriesColumns(1, time, time, value[until - 30 : until], False))
        since = max(0, until // 10 - 30)
        buckets.refresh(Window(START + since * SECOND, START + (since + 30) * SECOND, 120))
    whole = QuantileBuckets(filled(np.arange(600) / 10, value), (0.5, 0.99))
    whole.refresh(Window(START + 30 * SECOND, START + 60 * SECOND, 120))
    assert whole.width_us == buckets.width_us == 2 * SECOND
    tail = len(whole.starts_us)
    assert buckets.starts_us[-tail:].tolist() == whole.starts_us.tolist()
    assert np.array_equal(buckets.value[:, -tail:], whole.value, equal_nan=True)
    assert buckets.n[-tail:].tolist() == whole.n.tolist()


def test_counters_become_exact_increases_with_resets_marked() -> None:
    curve = IncreaseCurve("errors", "", filled(list(range(10)), [5, 5, 6, 9, 9, 2, 3, 3, 3, 4]), 0, bars=True)
    shape = curve.shape(window(10, columns=80))
    assert shape.value.tolist() == [0, 1, 3, 0, 2, 1, 0, 0, 1]
    assert ((shape.x_us - START) // SECOND).tolist() == list(range(1, 10))
    assert ((shape.resets - START) // SECOND).tolist() == [5]
    assert shape.bar_us == SECOND
    assert curve.reading(START + 3 * SECOND + 5).value == 3
    assert curve.current(START + 10 * SECOND).value == 8


def test_the_value_before_the_window_is_the_start_of_the_first_increase() -> None:
    buffer = filled([-1, 0.5, 1.5], [10, 14, 15])
    assert IncreaseCurve("errors", "", buffer, 0, bars=True).shape(window(2, columns=16)).value.tolist() == [4, 1]


def test_a_rise_over_a_gap_is_marked_and_counts_in_the_sum_but_in_no_bucket() -> None:
    buffer = filled([*range(10), *range(40, 50)], [*range(10), *range(100, 110)])
    curve = IncreaseCurve("errors", "", buffer, 0)
    shape = curve.shape(window(50, columns=400))
    assert shape.value.max() == 1
    assert shape.carried_by.tolist() == [91]
    assert curve.current(START + 50 * SECOND).value == 109
    assert ((shape.carried - START) // SECOND).tolist() == [40]
    assert breaks(shape) == [9.5]


def test_no_bucket_is_drawn_inside_a_gap() -> None:
    seconds = np.concatenate((np.arange(0, 20.5, 0.1), np.arange(39.5, 60, 0.1)))
    buckets = QuantileBuckets(filled(seconds, np.ones(len(seconds))), (0.5,))
    shape = QuantileCurve("p50", "s", buckets, 0, 0).shape(window(60, columns=96, gaps=gap(20.4, 39.4)))
    drawn = (shape.x_us - START) / SECOND
    assert not ((drawn > 20.4) & (drawn < 39.4)).any()
    assert len(breaks(shape)) == 1
    assert np.all(np.diff(drawn) > 0)
