"""Long runs are drawn from what is kept of their stretches: nothing that can be seen is lost by it."""

import numpy as np
import pytest

from models.domain.queries import SeriesColumns
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.curves import LineCurve, Spans, Window, joints

SECOND = 1_000_000
START = 1_760_000_000 * SECOND
COLUMNS = 50
GAPS = Spans(np.array([START + 9_000 * SECOND]), np.array([START + 9_300 * SECOND]))


def run(n: int, seed: int, *, holes: bool = True) -> SeriesColumns:
    """A walk with spikes, a silence, and some values that are none."""
    chance = np.random.default_rng(seed)
    time = START + np.arange(n) * SECOND + chance.integers(0, 400_000, n)
    time[n // 3 :] += 600 * SECOND
    value = np.cumsum(chance.normal(0, 1, n))
    value[chance.integers(0, n, 5)] += 500
    if holes:
        value[chance.integers(0, n, n // 20)] = np.nan
        value[n // 2 : n // 2 + 700] = np.nan
    return SeriesColumns(7, time, time + 10_000, value, False)


def curve_of(columns: SeriesColumns) -> LineCurve:
    buffer = SeriesBuffer(7)
    buffer.replace(columns)
    return LineCurve("a", "", buffer)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("holes", [False, True])
def test_every_extreme_of_a_pixel_is_drawn_in_it_or_beside_it(seed: int, *, holes: bool) -> None:
    columns = run(60_000, seed, holes=holes)
    curve = curve_of(columns)
    since, until = int(columns.time_us[700]), int(columns.time_us[-333])
    shape = curve.shape(Window(since, until, COLUMNS))
    assert 0 < len(shape.x_us) <= 2 * COLUMNS
    x, value = curve.buffer.visible(since, until)
    assert shape.envelope_of == len(x)
    assert set(zip(shape.x_us, shape.value, strict=True)) <= set(zip(x, value, strict=True)) | {
        (at, one) for at, one in zip(shape.x_us, shape.value, strict=True) if np.isnan(one)
    }
    width = (until - since) / COLUMNS
    for edge in since + np.arange(COLUMNS) * width:
        inside = value[(x >= edge) & (x < edge + width)]
        near = shape.value[(shape.x_us >= edge - width) & (shape.x_us < edge + 2 * width)]
        if not np.isnan(inside).all():
            assert np.nanmax(near) >= np.nanmax(inside)
            assert np.nanmin(near) <= np.nanmin(inside)


@pytest.mark.parametrize("seed", range(4))
def test_no_line_runs_over_a_silence_or_a_gap(seed: int) -> None:
    columns = run(60_000, seed)
    curve = curve_of(columns)
    shape = curve.shape(Window(START, int(columns.time_us[-1]) + 1, COLUMNS, GAPS))
    silence = 5 * SECOND // 2
    through = joints(columns.time_us, silence, GAPS)
    at = np.searchsorted(columns.time_us, shape.x_us)
    for one, following, joined in zip(at, at[1:], shape.joined, strict=False):
        assert joined == through[one:following].all()
    assert (~shape.joined).sum() >= 3  # the silence, the gap, the end


def test_what_comes_live_is_drawn_as_if_it_had_always_been_there() -> None:
    columns = run(20_000, 9)
    live, whole = SeriesBuffer(7), curve_of(columns)
    window = Window(START, int(columns.time_us[-1]) + 1, COLUMNS // 2, GAPS)
    curve = LineCurve("a", "", live)
    for at in range(0, 20_000, 999):
        part = slice(at, at + 999)
        live.append(SeriesColumns(7, columns.time_us[part], columns.received_us[part], columns.value[part], False))
        curve.shape(window)
        if at == 9_990:
            live.trim(int(columns.time_us[3_000]))
            whole.buffer.trim(int(columns.time_us[3_000]))
    one, other = curve.shape(window), whole.shape(window)
    np.testing.assert_array_equal(one.x_us, other.x_us)
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.joined, other.joined)


def test_arrays_that_were_taken_over_are_never_written_to() -> None:
    columns = run(5_000, 3)
    before = [part.copy() for part in columns[1:4]]
    buffer = SeriesBuffer(7)
    buffer.replace(columns)
    assert np.shares_memory(buffer.value, columns.value)
    late = SeriesColumns(7, columns.time_us[:3] + 1, columns.received_us[-3:] + 5, columns.value[:3], False)
    buffer.append(late)
    assert len(buffer) == 5_003
    buffer.replace(columns)
    buffer.replace(run(100, 4))
    for part, was in zip(columns[1:4], before, strict=True):
        np.testing.assert_array_equal(part, was)
