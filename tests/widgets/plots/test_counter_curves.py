"""Rates of counters: what rose over the time in which it rose, whatever the steps; nothing negative, nothing over gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.queries import HOUR_QUANTILES, HourColumns, SeriesColumns
from tests.widgets.plots.test_curves import START, breaks, filled, gap, window
from widgets.plots.buckets import covered_us
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.counter_curves import IncreaseCurve, RateCurve, rate_unit
from widgets.plots.curves import NO_SPANS, LineCurve, Spans, Window
from widgets.plots.hours import HOUR_US

SECOND = 1_000_000


def rate(buffer: SeriesBuffer) -> RateCurve:
    return RateCurve("errors", rate_unit("{error}"), buffer, 0)


def test_a_rate_is_the_rise_over_the_time_it_took_however_narrow_the_steps_are() -> None:
    buffer = filled(np.arange(0, 100, 10), np.arange(0, 100, 10) * 3.0)  # three a second, told every ten
    for columns in (16, 80, 800, 8_000):
        shape = rate(buffer).shape(window(100, columns=columns))
        assert shape.value.tolist() == pytest.approx([3.0] * len(shape.value))
        assert len(shape.value)


def test_a_restart_is_marked_and_makes_no_negative_rate() -> None:
    curve = rate(filled(list(range(10)), [5, 5, 6, 9, 9, 2, 3, 3, 3, 4]))
    shape = curve.shape(window(10, columns=80))
    assert shape.value.tolist() == [0, 1, 3, 0, 2, 1, 0, 0, 1]
    assert ((shape.resets - START) // SECOND).tolist() == [5]
    assert curve.reading(START + 3 * SECOND + 5).value == 3
    assert curve.current(START + 10 * SECOND).value == 1
    assert (curve.rise, curve.mean) == (8, pytest.approx(8 / 9))


def test_what_rose_over_a_silence_is_in_the_sum_and_in_no_rate() -> None:
    curve = rate(filled([*range(10), *range(40, 50)], [*range(10), *range(100, 110)]))
    shape = curve.shape(window(50, columns=400))
    assert shape.value.tolist() == [1.0] * 18
    assert breaks(shape) == [9.5]
    assert (shape.carried_by.tolist(), shape.carried_unit) == ([91], "{error}")
    assert (curve.rise, curve.mean) == (109, pytest.approx(1.0))


def test_a_step_of_which_only_a_carried_rise_is_known_has_no_value() -> None:
    buffer = filled([0, 1, 2, 3, 4, 5, 40, 49], [0, 1, 2, 3, 4, 5, 90, 93])
    increase = IncreaseCurve("errors", "", buffer, 0).shape(window(50, columns=80))  # steps of five seconds
    assert ((increase.x_us - START) / SECOND).tolist() == [2.5, 7.5]
    assert increase.carried_by.tolist() == [85, 3]


def test_what_comes_live_leaves_a_reduced_history_whole() -> None:
    at = START + np.arange(0, 30_000, 30) * SECOND  # one of many samples, each half a minute
    buffer = SeriesBuffer(1)
    buffer.replace(SeriesColumns(1, at, at, np.arange(1_000) * 60.0, reduced=True))
    live = START + np.arange(29_971, 30_600) * SECOND
    buffer.append(SeriesColumns(1, live, live, 999 * 60.0 + np.arange(1, 630) * 2.0, reduced=False))
    window = Window(START, START + 30_600 * SECOND, 800)
    shape = rate(buffer).shape(window)
    assert shape.value.tolist() == pytest.approx([2.0] * len(shape.value))
    assert not len(shape.carried)
    assert LineCurve("value", "", buffer).shape(window).joined[:-1].all()


def test_a_reduced_gauge_is_no_counter() -> None:
    at = START + np.arange(10) * SECOND
    buffer = SeriesBuffer(1)
    buffer.replace(SeriesColumns(1, at, at, np.arange(10.0), reduced=True))
    curve = RateCurve("cpu", "1/s", buffer, 0, declared=False)
    assert not len(curve.shape(window(10)).value)
    assert np.isnan(curve.rise)


def test_nothing_new_for_long_is_no_rate_of_now() -> None:
    curve = rate(filled(list(range(10)), list(range(10))))
    curve.shape(window(60, columns=480))
    assert np.isnan(curve.current(START + 60 * SECOND).value)


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9), st.booleans()), min_size=8, max_size=120),
    st.integers(8, 400),
)
def test_rates_times_their_time_add_up_to_what_was_counted(steps: list[tuple[int, int, bool]], columns: int) -> None:
    at = np.cumsum([1 + after % 2 for after, _, _ in steps])  # never a silence
    counted, value = 0, []
    for _, more, restarts in steps:
        counted = more if restarts else counted + more
        value.append(float(counted))
    curve = rate(filled(at, value))
    shape = curve.shape(window(float(at[-1]) + 1, columns=columns))
    assert (shape.value >= 0).all()
    last = curve._last
    assert (shape.value * last.over_us).sum() / 1e6 == pytest.approx(curve.rise)
    assert last.over_us.sum() == (at[-1] - at[0]) * SECOND


def test_hours_give_the_rise_over_the_time_between_their_last_samples() -> None:
    buffer = filled([], [])
    since = START + np.arange(3) * HOUR_US
    minute = HOUR_US // 60
    ones = np.ones(3)
    buffer.hours = HourColumns(
        1, since, since + minute, since + 59 * minute, np.full(3, 59), ones, ones, ones, np.array([58.0, 120.0, 60.0]),
        np.array([False, True, False]), np.full((len(HOUR_QUANTILES), 3), np.nan),
    )  # fmt: skip
    shape = rate(buffer).shape(Window(START, START + 3 * HOUR_US, 800))
    assert (shape.value * 60).tolist() == pytest.approx([1.0, 2.0, 1.0])
    assert shape.resets.tolist() == [START + HOUR_US]
    assert shape.hourly == (START, START + 3 * HOUR_US)
    assert shape.joined.tolist() == [True, True, False]


def test_gaps_that_overlap_are_taken_off_once() -> None:
    starts = np.array([0, 10, 20])
    gaps = Spans(np.array([2, 3, 12, 25]), np.array([8, 5, 22, 99]))
    assert covered_us(starts, starts + 10, gaps).tolist() == [4, 2, 3]
    assert covered_us(starts, starts + 10, NO_SPANS).tolist() == [10, 10, 10]


def test_a_declared_gap_takes_its_time_out_of_the_rate() -> None:
    seconds = [*range(9), *range(12, 20)]
    curve = rate(filled(seconds, seconds))
    shape = curve.shape(window(20, columns=32, gaps=gap(8.2, 11.8)))  # steps of five seconds
    assert shape.value.tolist() == pytest.approx([1.0] * len(shape.value))
    assert shape.carried_by.tolist() == [4.0]
