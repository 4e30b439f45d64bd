import gc

import pytest
import shiboken6
from PySide6.QtWidgets import QWidget

from tests.helpers.clock import FakeClock
from widgets.common.frame_clock import BUDGET_US, LATE_US, FrameClock


class Plot:
    def __init__(self, clock: FakeClock, cost_us: int = 0) -> None:
        self.clock, self.cost_us = clock, cost_us
        self.visible = True
        self.draws = 0

    def is_visible_now(self) -> bool:
        return self.visible

    def draw(self) -> None:
        self.draws += 1
        self.clock.advance(self.cost_us)


@pytest.fixture
def frames(qapp: object, clock: FakeClock) -> FrameClock:
    return FrameClock(clock)


def plots(frames: FrameClock, clock: FakeClock, count: int, cost_us: int = 0) -> list[Plot]:
    made = [Plot(clock, cost_us) for _ in range(count)]
    for plot in made:
        frames.register(plot)
    return made


def test_draws_once_however_often_it_was_marked(frames: FrameClock, clock: FakeClock) -> None:
    (plot,) = plots(frames, clock, 1)
    for _ in range(5):
        frames.mark_dirty(plot)
    frames.tick()
    frames.tick()
    assert plot.draws == 1


def test_runs_only_while_something_is_dirty(frames: FrameClock, clock: FakeClock) -> None:
    (plot,) = plots(frames, clock, 1)
    assert not frames.running
    frames.mark_dirty(plot)
    assert frames.running
    frames.tick()
    assert not frames.running


def test_spends_its_budget_and_goes_on_in_turn(frames: FrameClock, clock: FakeClock) -> None:
    made = plots(frames, clock, 5, BUDGET_US // 2)
    for plot in made:
        frames.mark_dirty(plot)
    frames.tick()
    assert [plot.draws for plot in made] == [1, 1, 0, 0, 0]
    frames.mark_dirty(made[0])  # new data for the first does not let it jump the queue
    frames.tick()
    assert [plot.draws for plot in made] == [1, 1, 1, 1, 0]
    frames.tick()
    assert [plot.draws for plot in made] == [2, 1, 1, 1, 1]


def test_draws_at_least_one_even_if_it_is_slow(frames: FrameClock, clock: FakeClock) -> None:
    made = plots(frames, clock, 2, 10 * BUDGET_US)
    for plot in made:
        frames.mark_dirty(plot)
    frames.tick()
    assert [plot.draws for plot in made] == [1, 0]


def test_leaves_hidden_ones_alone(frames: FrameClock, clock: FakeClock) -> None:
    hidden, shown = plots(frames, clock, 2)
    hidden.visible = False
    frames.mark_dirty(hidden)
    assert not frames.running
    hidden.visible = True
    frames.mark_dirty(hidden)
    frames.mark_dirty(shown)
    hidden.visible = False
    frames.tick()
    assert (hidden.draws, shown.draws) == (0, 1)
    assert not frames.running


def test_counts_late_draws(frames: FrameClock, clock: FakeClock) -> None:
    (plot,) = plots(frames, clock, 1)
    frames.mark_dirty(plot)
    clock.advance(LATE_US)
    frames.tick()
    assert frames.late == 0
    frames.mark_dirty(plot)
    clock.advance(1)
    frames.mark_dirty(plot)
    clock.advance(LATE_US)
    frames.tick()
    assert frames.late == 1


def test_one_that_fails_does_not_stop_the_others(frames: FrameClock, clock: FakeClock) -> None:
    broken, whole = plots(frames, clock, 2)
    broken.draw = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    frames.mark_dirty(broken)
    frames.mark_dirty(whole)
    with pytest.raises(ZeroDivisionError):
        frames.tick()
    assert frames.running
    frames.tick()
    assert whole.draws == 1
    assert not frames.running


def test_forgets_what_is_unregistered_or_gone(frames: FrameClock, clock: FakeClock) -> None:
    made = plots(frames, clock, 2)
    for plot in made:
        frames.mark_dirty(plot)
    frames.unregister(made[0])
    frames.mark_dirty(made[0])
    first = made[0]
    del made, plot
    gc.collect()
    frames.tick()
    assert first.draws == 0
    assert not frames.running


def test_the_timer_ticks(frames: FrameClock, clock: FakeClock, qtbot: object) -> None:
    (plot,) = plots(frames, clock, 1)
    frames.mark_dirty(plot)
    qtbot.waitUntil(lambda: plot.draws == 1)  # type: ignore[attr-defined]


def test_a_widget_that_was_taken_apart_is_passed_over(frames: FrameClock, qapp: object) -> None:
    class Plot(QWidget):
        def is_visible_now(self) -> bool:
            return self.isVisible()

        def draw(self) -> None:
            raise AssertionError("it is gone")

    plot = Plot()
    plot.show()
    frames.register(plot)
    frames.mark_dirty(plot)
    assert frames.running
    shiboken6.delete(plot)
    frames.tick()
    assert not frames.running
