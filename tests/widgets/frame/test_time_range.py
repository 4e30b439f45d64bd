import pytest
from pytestqt.qtbot import QtBot

from models.domain.problems import EnvironmentProblem
from models.domain.time_range import TimeRange
from tests.helpers.clock import FakeClock
from widgets.frame.time_range import HISTORY_LIMIT, HOUR_US, MINUTE_US, TimeCursor, TimeRangeModel


@pytest.fixture
def model(clock: FakeClock) -> TimeRangeModel:
    return TimeRangeModel(clock)


def test_live_range_moves_with_the_clock_without_a_signal(model: TimeRangeModel, clock: FakeClock) -> None:
    told: list[TimeRange] = []
    model.changed.connect(told.append)
    before = model.current()
    clock.advance(2_000_000)
    assert model.current().until_us == before.until_us + 2_000_000
    assert model.current().span_us == 15 * MINUTE_US
    assert told == []


def test_pause_holds_what_was_seen_and_resume_keeps_the_span(model: TimeRangeModel, clock: FakeClock) -> None:
    model.show_last(HOUR_US)
    clock.advance(10_000_000)
    seen = model.current()
    model.toggle()
    clock.advance(60_000_000)
    assert not model.live
    assert (model.current().since_us, model.current().until_us) == (seen.since_us, seen.until_us)
    model.toggle()
    assert model.live
    assert model.current().until_us == clock.wall_us()
    assert model.current().span_us == HOUR_US


def test_back_and_forward_walk_what_was_looked_at(model: TimeRangeModel, clock: FakeClock) -> None:
    now = clock.wall_us()
    model.zoom(now - HOUR_US, now - 10 * MINUTE_US)
    model.zoom(now - 30 * MINUTE_US, now - 20 * MINUTE_US)
    model.back()
    assert model.current() == TimeRange(now - HOUR_US, now - 10 * MINUTE_US, live=False)
    model.back()
    assert model.live
    assert not model.can_go_back
    model.back()
    model.forward()
    model.forward()
    assert model.current().since_us == now - 30 * MINUTE_US
    model.back()
    model.show_last(HOUR_US)
    assert not model.can_go_forward, "a new choice ends the way forward"


def test_a_drag_is_one_step_of_history(model: TimeRangeModel, clock: FakeClock) -> None:
    now = clock.wall_us()
    model.zoom(now - HOUR_US, now - MINUTE_US)
    for step in range(1, 20):
        model.zoom(now - HOUR_US - step, now - MINUTE_US - step, remember=False)
    model.back()
    assert model.live


def test_choosing_the_same_again_is_no_step(model: TimeRangeModel, clock: FakeClock) -> None:
    clock.advance(5_000_000)
    model.show_last(15 * MINUTE_US)
    assert not model.can_go_back


def test_history_is_bounded(model: TimeRangeModel, clock: FakeClock) -> None:
    for step in range(HISTORY_LIMIT + 20):
        model.zoom(step * HOUR_US, (step + 1) * HOUR_US)
    steps = 0
    while model.can_go_back:
        model.back()
        steps += 1
    assert steps == HISTORY_LIMIT


def test_range_travels_as_text(model: TimeRangeModel, clock: FakeClock) -> None:
    assert model.as_text() == "live 15m"
    model.from_text("2026-11-23T14:00:00Z..2026-11-23T14:15:00Z")
    assert model.as_text() == "2026-11-23T14:00:00Z..2026-11-23T14:15:00Z"
    with pytest.raises(EnvironmentProblem):
        model.from_text("soon")
    assert model.as_text() == "2026-11-23T14:00:00Z..2026-11-23T14:15:00Z"


def test_cursor_tells_each_move_once(qtbot: QtBot) -> None:
    cursor, told = TimeCursor(), []
    cursor.moved.connect(told.append)
    for moment in (5_000_000_000_000, 5_000_000_000_000, None, None):
        cursor.move(moment)
    assert told == [5_000_000_000_000, None]
