"""Thresholds: set where the mouse is or by typing, kept in sight, dragged, taken away, and all of it taken back."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QDialog, QLineEdit
from pytestqt.qtbot import QtBot

from models.domain.layouts.layout import Plotted, Watched
from tests.widgets.conftest import Desk
from tests.widgets.explore.test_explore_screen import settle
from tests.widgets.fakes import MEMORY, QUEUE
from widgets.explore.explore_screen import ExploreScreen
from widgets.plots.plot_picture import y_of


@pytest.fixture
def two_axes(explore: ExploreScreen, desk: Desk) -> ExploreScreen:
    desk.fill(QUEUE, range(1, 50), 5.0)
    desk.fill(MEMORY, range(1, 50), 4e8)
    explore.commands.add([Plotted("crawler-1", "queue.depth"), Plotted("crawler-1", "process.memory.usage")])
    settle(desk)
    return explore


def line_of(explore: ExploreScreen, place: int) -> QPoint:
    plot, one = explore.panel.plot, explore.panel.panel.thresholds[place]
    scale = plot._axes.with_unit(one.unit)
    return QPoint(round(plot.frame.area.center().x()), round(y_of(plot.frame.area, scale, one.value)))


def test_a_threshold_is_set_where_the_mouse_is_and_stays_in_sight(two_axes: ExploreScreen, desk: Desk) -> None:
    plot = two_axes.panel.plot
    middle = plot.frame.area.center()
    value = plot.value_at(QPointF(middle), "{task}")
    assert value == round(value)  # tasks are whole
    two_axes.commands.thresholds.add(value, "{task}")
    two_axes.commands.thresholds.add(50, "{task}")
    two_axes.commands.thresholds.add(9e8, "By")
    settle(desk)
    assert plot._axes.left.high > 50
    assert plot._axes.right.high > 9e8
    assert two_axes.history.layout.root.thresholds[1:] == (Watched(50, "{task}"), Watched(9e8, "By"))


def test_it_is_dragged_by_the_axis_of_its_unit_and_that_is_one_step(
    two_axes: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    two_axes.commands.thresholds.add(9e8, "By")
    settle(desk)
    plot, at = two_axes.panel.plot, line_of(two_axes, 0)
    shown = desk.range.current()
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=at)
    for down in (10, 20, 40):
        qtbot.mouseMove(plot, at + QPoint(0, down))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=at + QPoint(0, 40))
    settle(desk)
    (moved,) = two_axes.panel.panel.thresholds
    assert moved.unit == "By"
    assert 5e8 < moved.value < 9e8
    assert desk.range.current() == shown  # no zoom
    two_axes.history.stack.undo()
    assert two_axes.panel.panel.thresholds == (Watched(9e8, "By"),)


def test_it_is_typed_as_the_axis_writes_it(two_axes: ExploreScreen) -> None:
    told: list[str] = []
    two_axes.commands.told.connect(told.append)
    for text, value in (("7,5", 7.5), ("many", 7.5)):
        two_axes.ask_threshold()
        (dialog,) = [one for one in two_axes.findChildren(QDialog) if one.isVisible()]
        dialog.findChild(QLineEdit).setText(text)
        dialog.accept()
        assert two_axes.panel.panel.thresholds == (Watched(value, "{task}"),)
    assert "many" in told[0]
    two_axes.commands.thresholds.remove(0)
    assert two_axes.panel.panel.thresholds == ()
