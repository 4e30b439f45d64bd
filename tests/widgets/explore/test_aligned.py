"""Panels above each other: the same time is at the same pixel, whether they have one axis or two."""

import pytest
from pytestqt.qtbot import QtBot

from models.domain.layouts.layout import Direction, Kind, Layout, Panel, Plotted, Split
from tests.widgets.conftest import Desk
from tests.widgets.fakes import CPU, MEMORY, QUEUE, SECOND
from widgets.explore.explore_screen import ExploreScreen
from widgets.plots.curve_plot import CurvePlot

CPU_OF_ONE = Plotted("crawler-1", "process.cpu.utilization")
MEMORY_OF_ONE = Plotted("crawler-1", "process.memory.usage")
QUEUE_OF_ONE = Plotted("crawler-1", "queue.depth")


def row(*panels: Panel) -> Split:
    return Split(Direction.COLUMNS, panels, (500,) * len(panels))


@pytest.fixture
def four(explore: ExploreScreen, desk: Desk) -> list[CurvePlot]:
    """Two columns of two panels; the first of all has two axes."""
    for series, value in ((CPU, 0.5), (MEMORY, 4e8), (QUEUE, 3.0)):
        desk.fill(series, range(1, 50), value)
    upper = row(Panel(1, (MEMORY_OF_ONE, QUEUE_OF_ONE)), Panel(2, (CPU_OF_ONE,)))
    lower = row(Panel(3, (CPU_OF_ONE,)), Panel(4, (QUEUE_OF_ONE,)))
    explore.history.begin(Layout(Split(Direction.ROWS, (upper, lower), (500, 500))))
    desk.source.answer_all()
    desk.draw()
    return [panel.plot for panel in explore.desk.shown]


def on_screen(plot: CurvePlot, at_us: int) -> float:
    return plot.mapToGlobal(plot.rect().topLeft()).x() + plot.frame.x_of(at_us)


def settled(four: list[CurvePlot], desk: Desk, qtbot: QtBot, *, two_axes: bool) -> None:
    qtbot.waitUntil(lambda: (four[2].margins() > four[2].own_margins()) is two_axes)
    desk.draw()


def test_the_same_time_is_straight_below_in_panels_with_one_and_two_axes(
    four: list[CurvePlot], desk: Desk, qtbot: QtBot
) -> None:
    settled(four, desk, qtbot, two_axes=True)
    at_us = desk.clock.wall_us() - 20 * SECOND
    assert on_screen(four[0], at_us) == on_screen(four[2], at_us)
    assert on_screen(four[1], at_us) == on_screen(four[3], at_us)
    assert four[2].frame.area.right() < four[3].frame.area.right()  # where no second axis is, no room is lost


def test_room_is_given_back_with_the_second_axis_and_taken_where_another_one_comes(
    four: list[CurvePlot], explore: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    settled(four, desk, qtbot, two_axes=True)
    explore.commands.take_in_hand(1)
    explore.commands.remove([QUEUE_OF_ONE])
    settled(four, desk, qtbot, two_axes=False)
    assert four[2].frame.area.right() == four[3].frame.area.right()
    explore.commands.take_in_hand(3)
    explore.commands.add([QUEUE_OF_ONE])
    desk.source.answer_all()
    qtbot.waitUntil(lambda: four[0].margins() > four[0].own_margins())
    desk.draw()
    assert four[0].frame.area.right() == four[2].frame.area.right() < four[1].frame.area.right()


def test_a_hidden_panel_takes_no_room_from_others(
    four: list[CurvePlot], explore: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    settled(four, desk, qtbot, two_axes=True)
    explore.desk.show_only(explore.desk.grid.shown[2])
    settled(four, desk, qtbot, two_axes=False)
    assert not four[0].isVisible()


def test_a_heat_map_and_a_plot_below_it_have_the_same_time_at_the_same_pixel(
    explore: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    desk.fill(CPU, range(1, 50), 0.5)
    rows = (Panel(1, (CPU_OF_ONE,), kind=Kind.HEAT), Panel(2, (CPU_OF_ONE,)))
    explore.history.begin(Layout(Split(Direction.ROWS, rows, (500, 500))))
    desk.source.answer_all()
    desk.draw()
    heat, plot = (panel.over_time for panel in explore.desk.shown)
    qtbot.waitUntil(lambda: plot.margins() != plot.own_margins())
    desk.draw()
    at_us = desk.clock.wall_us() - 20 * SECOND
    assert on_screen(heat, at_us) == pytest.approx(on_screen(plot, at_us), abs=0.01)
