import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain import reduce
from models.domain.reduce import counter_index, envelope, envelope_index, increases, plot_time, quantiles_by_bucket

S = 1_000_000
series = st.lists(
    st.tuples(st.integers(0, 10**9), st.floats(-1e9, 1e9)), min_size=1, max_size=200, unique_by=lambda x: x[0]
)


@given(series, st.integers(1, 40))
def test_an_envelope_keeps_extremes_and_order_and_invents_nothing(points: list, columns: int) -> None:
    points.sort()
    time, value = np.array([p[0] for p in points], np.int64), np.array([p[1] for p in points])
    kept = envelope_index(time, value, columns)
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= 2 * columns
    t, v = envelope(time, value, columns)
    assert (v.min(), v.max()) == (value.min(), value.max())
    assert set(zip(t.tolist(), v.tolist(), strict=True)) <= set(points)


@given(series, st.integers(1, 40))
def test_a_reduced_counter_has_risen_by_as_much_up_to_every_point_that_is_left(points: list, columns: int) -> None:
    points.sort()
    time, value = np.array([p[0] for p in points], np.int64), np.round(np.abs([p[1] for p in points]))
    kept = counter_index(time, value, columns)
    whole, part = np.cumsum(increases(value)[0]), np.cumsum(increases(value[kept])[0])
    assert part.tolist() == whole[kept].tolist()
    assert increases(value[kept])[1].sum() == increases(value)[1].sum()
    assert (kept[0], kept[-1]) == (0, len(value) - 1)


def test_a_counter_that_never_restarts_is_reduced_to_evenly_spaced_points() -> None:
    kept = counter_index(np.arange(1_000, dtype=np.int64), np.arange(1_000.0), 10)
    assert len(kept) == 11
    assert set(np.diff(kept)[1:].tolist()) <= {99, 100, 101}


def test_each_stretch_gives_its_own_minimum_and_maximum_in_order_of_time() -> None:
    time = np.arange(8, dtype=np.int64)
    value = np.array([5.0, 9, 1, 5, 5, 2, 8, 5])
    t, v = envelope(time, value, 2)
    assert t.tolist() == [1, 2, 5, 6]
    assert v.tolist() == [9, 1, 2, 8]


@given(series, st.integers(1, 40))
def test_long_stretches_are_looked_at_in_turn_with_the_same_result(points: list, columns: int) -> None:
    points.sort()
    time_us, value = np.array([p[0] for p in points], np.int64), np.array([p[1] for p in points]).round(-8)
    kept = envelope_index(time_us, value, columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reduce, "_MANY", 0)
        assert envelope_index(time_us, value, columns).tolist() == kept.tolist()


def test_few_points_and_no_points_come_back_as_they_are() -> None:
    none = np.array([], np.int64)
    assert envelope(none, np.array([]), 10)[0].tolist() == []
    assert envelope(np.array([1, 2]), np.array([3.0, 4.0]), 10)[1].tolist() == [3.0, 4.0]


def test_a_stretch_of_nothing_but_nan_stays_a_break() -> None:
    time = np.arange(40, dtype=np.int64)
    value = np.arange(40.0)
    value[9:19] = np.nan  # the second of four stretches of 39 / 4
    _, v = envelope(time, value, 4)
    assert np.isnan(v).sum() == 1
    value[:] = 1.0
    value[3] = np.nan
    assert not np.isnan(envelope(time, value, 4)[1]).any()


def test_points_of_one_instant_do_not_divide_by_zero() -> None:
    time = np.full(50, 7, np.int64)
    t, v = envelope(time, np.arange(50.0), 3)
    assert (v.tolist(), t.tolist()) == ([0.0, 49.0], [7, 7])


@given(st.lists(st.integers(0, 2**40), max_size=60))
def test_increases_add_up_to_what_the_counter_counted(steps: list[int]) -> None:
    total, values = 0, [0.0]
    for number, step in enumerate(steps):
        total = step if number % 7 == 6 else total + step  # every seventh time it restarts
        values.append(float(total))
    increase, reset = increases(np.array(values))
    assert (increase >= 0).all()
    assert not reset[0]
    for i in range(1, len(values)):
        assert increase[i] == (values[i] if values[i] < values[i - 1] else values[i] - values[i - 1])
        assert reset[i] == (values[i] < values[i - 1])


def test_increases_of_nothing() -> None:
    assert increases(np.array([]))[0].tolist() == []


def test_quantiles_are_observed_values_at_their_rank() -> None:
    time = np.array([5, 1, 2, 3, 4, 25, 99])
    value = np.array([5.0, 1, 2, 3, 4, 7, 1000])
    found = quantiles_by_bucket(time, value, np.array([0, 10, 20, 30]), (0.5, 0.95, 0.0))
    assert found.n.tolist() == [5, 0, 1]
    assert found.value[:, 0].tolist() == [3.0, 5.0, 1.0]
    assert np.isnan(found.value[:, 1]).all()
    assert found.value[:, 2].tolist() == [7.0, 7.0, 7.0]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=100), st.floats(0.01, 1))
def test_at_least_that_share_lies_at_or_below_a_quantile(values: list[float], q: float) -> None:
    time = np.zeros(len(values), np.int64)
    found = quantiles_by_bucket(time, np.array(values), np.array([0, 1]), (q,)).value[0, 0]
    assert found in values
    assert sum(v <= found for v in values) >= q * len(values) - 1e-9


@pytest.mark.parametrize("skew_s", [0, 5, -5])
def test_a_good_clock_is_believed(skew_s: int) -> None:
    received = np.arange(10) * S + 10**15
    assert plot_time(received + skew_s * S, received).tolist() == (received + skew_s * S).tolist()


def test_a_clock_that_is_off_is_not() -> None:
    received = np.arange(10) * S + 10**15
    assert plot_time(received - 6 * S, received).tolist() == received.tolist()


def test_one_wild_time_does_not_stretch_the_axis() -> None:
    received = np.arange(10) * S + 10**15
    own = received - 1000
    own[4] = 0
    drawn = plot_time(own, received)
    assert drawn[4] == received[4]
    assert drawn[3] == own[3]
