"""The samples a plot holds: nothing twice, nothing lost between the answer of the store and the tail."""

import numpy as np

from models.domain.queries import SeriesColumns
from widgets.plots.buffer import SeriesBuffer

SECOND = 1_000_000
START = 1_760_000_000 * SECOND


def columns(*seconds: float, value: float = 1.0, delay_s: float = 0.01) -> SeriesColumns:
    time = START + (np.array(seconds) * SECOND).astype(np.int64)
    return SeriesColumns(7, time, time + int(delay_s * SECOND), np.full(len(time), value), False)


def seconds_of(buffer: SeriesBuffer) -> list[float]:
    return ((buffer.x_us - START) / SECOND).tolist()


def test_an_answer_that_comes_after_the_tail_keeps_what_the_tail_brought() -> None:
    buffer = SeriesBuffer(7)
    buffer.append(columns(9, 10, 11, value=2.0))
    buffer.replace(columns(*range(10), value=2.0))
    assert seconds_of(buffer) == list(range(12))


def test_what_lies_behind_the_time_that_was_asked_for_goes_with_an_answer() -> None:
    buffer = SeriesBuffer(7)
    buffer.replace(columns(*range(5_000)))
    buffer.replace(columns(*range(20)), until_us=START + 30 * SECOND)
    assert seconds_of(buffer) == list(range(30))
    buffer.append(columns(40))
    buffer.replace(columns(*range(20)), until_us=START + 30 * SECOND)
    assert seconds_of(buffer) == list(range(30))


def test_points_of_the_tail_that_are_there_already_are_dropped() -> None:
    buffer = SeriesBuffer(7)
    buffer.replace(columns(*range(10)))
    assert buffer.append(columns(8, 9, 10)) == 1
    assert buffer.append(columns(10)) == 0
    assert seconds_of(buffer) == list(range(11))


def test_equal_observations_of_one_message_all_count_once() -> None:
    buffer = SeriesBuffer(7)
    buffer.append(columns(1, 1, 1))
    assert len(buffer) == 3
    assert buffer.append(columns(1, 1, 1)) == 0
    assert buffer.append(columns(1, 1, 1, 1)) == 1


def test_a_late_point_takes_its_place_in_time() -> None:
    buffer = SeriesBuffer(7)
    buffer.append(columns(1, 2, 3))
    version = buffer.version
    late = columns(1.5)._replace(received_us=np.array([START + 9 * SECOND]))
    buffer.append(late)
    assert seconds_of(buffer) == [1, 1.5, 2, 3]
    assert buffer.version > version


def test_an_agent_with_a_wrong_clock_is_drawn_by_arrival() -> None:
    buffer = SeriesBuffer(7)
    buffer.replace(columns(*range(100), delay_s=60))
    assert seconds_of(buffer)[:3] == [60, 61, 62]
    buffer.append(columns(100, 101, delay_s=60))
    assert seconds_of(buffer)[-1] == 161


def test_the_clock_found_wrong_later_changes_all_points() -> None:
    buffer = SeriesBuffer(7)
    buffer.append(columns(0))
    for at in range(1, 200):
        buffer.append(columns(at, delay_s=60))
    assert seconds_of(buffer)[-1] == 259
    assert np.all(np.diff(buffer.x_us) >= 0)


def test_the_oldest_points_go_beyond_the_limit() -> None:
    buffer = SeriesBuffer(7, most=3000)
    for first in range(0, 10_000, 50):
        buffer.append(columns(*range(first, first + 50)))
    assert len(buffer) == 3000
    assert seconds_of(buffer) == list(range(7000, 10_000))


def test_trim_and_slice_keep_a_neighbour_on_each_side() -> None:
    buffer = SeriesBuffer(7)
    buffer.replace(columns(*range(100)))
    buffer.trim(START + 50 * SECOND)
    assert len(buffer) == 50
    seen = buffer.visible(START + 60 * SECOND, START + 63 * SECOND)
    assert ((seen.x_us - START) // SECOND).tolist() == [59, 60, 61, 62, 63]


def test_the_value_at_a_moment_is_the_last_before_it_and_not_too_old() -> None:
    buffer = SeriesBuffer(7)
    buffer.replace(columns(0, 1, 2, value=5.0))
    assert buffer.value_at(START + int(2.4 * SECOND), SECOND) == 5.0
    assert np.isnan(buffer.value_at(START + 4 * SECOND, SECOND))
    assert np.isnan(buffer.value_at(START - 1, SECOND))
    assert np.isnan(SeriesBuffer(1).latest)
