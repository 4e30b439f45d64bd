"""The whole window stands at a moment: how one gets there, slides it, and leaves it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QTableWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT, CPU, SECOND, log_line
from widgets.common.actions import ActionRegistry
from widgets.frame.main_window import MainWindow
from widgets.logs.logs_screen import LogsScreen
from widgets.plots.plot import TimePlot
from widgets.records.agent_names import AgentNames


@pytest.fixture
def window(desk: Desk, qtbot: QtBot) -> MainWindow:
    one = MainWindow(desk.theme, ActionRegistry(desk.theme), desk.clock)
    one.add_screen("empty", "Empty", "fleet", QWidget())
    qtbot.addWidget(one)
    with qtbot.waitExposed(one):
        one.show()
    return one


def press(window: MainWindow, action: str) -> None:
    window._actions[action].trigger()


def test_a_moment_is_slid_and_left_for_live(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    cursor, bar = window.time_cursor, window._moment_bar
    assert not bar.isVisible()
    press(window, "view.moment")
    now = window.time_range.current()
    assert bar.isVisible()
    assert not window.time_range.live
    assert cursor.pinned_us == now.until_us
    assert bar.slider.hasFocus()
    qtbot.keyClick(bar.slider, Qt.Key.Key_PageDown)
    assert cursor.pinned_us == now.until_us - now.span_us // 20
    qtbot.keyClick(bar.slider, Qt.Key.Key_Home)
    assert cursor.time_us == cursor.pinned_us == now.since_us
    assert "Everything as it was at" in bar._told.text()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert cursor.pinned_us is None
    assert window.time_range.live
    assert not bar.isVisible()


@pytest.mark.parametrize("kind", [QTableWidget, QLineEdit, QPushButton])
def test_esc_leaves_it_wherever_the_focus_is(
    desk: Desk, qtbot: QtBot, window: MainWindow, kind: Callable[[], QWidget]
) -> None:
    focused = kind()
    window.set_side_panel(focused)
    focused.setFocus()
    window.time_cursor.pin(desk.now - SECOND)
    qtbot.keyClick(focused, Qt.Key.Key_Escape)
    assert window.time_cursor.pinned_us is None


def test_a_range_that_was_held_stays_held(window: MainWindow, desk: Desk) -> None:
    window.time_range.zoom(desk.now - 100 * SECOND, desk.now - 50 * SECOND)
    window.time_cursor.move(desk.now - 70 * SECOND)
    press(window, "view.moment")
    assert window.time_cursor.pinned_us == desk.now - 70 * SECOND
    press(window, "view.leave-moment")
    assert window.time_range.current().until_us == desk.now - 50 * SECOND


def test_going_live_lets_go_and_zooming_keeps_it_in_sight(window: MainWindow, desk: Desk) -> None:
    window.time_range.zoom(desk.now - 100 * SECOND, desk.now)
    window.time_cursor.pin(desk.now - 90 * SECOND)
    window.time_range.zoom(desk.now - 50 * SECOND, desk.now)
    assert window.time_cursor.pinned_us == desk.now - 50 * SECOND
    window.time_range.resume()
    assert window.time_cursor.pinned_us is None


def test_a_moment_out_of_sight_brings_its_stretch(window: MainWindow, desk: Desk) -> None:
    window.time_cursor.pin(desk.now - 7_200 * SECOND)
    shown = window.time_range.current()
    assert shown.since_us < desk.now - 7_200 * SECOND < shown.until_us


def test_the_pointer_passes_over_and_the_moment_stays(desk: Desk) -> None:
    desk.cursor.pin(5)
    desk.cursor.move(9)
    assert desk.cursor.time_us == 9
    desk.cursor.move(None)
    assert desk.cursor.time_us == 5
    desk.cursor.pin(None)
    assert desk.cursor.time_us is None


def test_ctrl_drag_on_a_plot_takes_list_and_values_there(
    desk: Desk, shown: Callable[[QWidget], QWidget], qtbot: QtBot
) -> None:
    desk.source.logs = [log_line(n, desk.now - (60 - n) * SECOND, f"line {n}", agent=AGENT) for n in range(1, 60)]
    desk.range.zoom(desk.now - 60 * SECOND, desk.now)
    desk.fill(CPU, range(60), 0.5)
    both = QWidget()
    column = QVBoxLayout(both)
    plot = TimePlot("CPU", "1", desk.frame_clock, desk.range, desk.cursor, desk.theme)
    logs = LogsScreen(desk.context, AgentNames(desk.source), refresh_ms=0)
    column.addWidget(plot, 1)
    column.addWidget(logs, 3)
    both.resize(1_000, 900)
    shown(both)
    frame = plot._frame
    y = int(frame.area.center().y())
    x = int(frame.x_of(desk.now - 30 * SECOND))
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, QPoint(x - 200, y))
    qtbot.mouseMove(plot, QPoint(x, y))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, QPoint(x, y))
    assert desk.cursor.pinned_us is not None
    assert abs(desk.cursor.pinned_us - (desk.now - 30 * SECOND)) < SECOND
    assert not plot._gestures.key(plot._frame, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)  # the window's
    wanted = next(line.text for line in desk.source.logs if line.key.received_us >= desk.cursor.pinned_us)

    def stands() -> bool:
        desk.source.answer_all()
        row = logs.rows.table.currentIndex().row()
        return row >= 0 and logs.rows.model.rows[row].text == wanted

    qtbot.waitUntil(stands)
    assert logs.pane.isHidden()  # a row that is passed by opens nothing
    desk.cursor.pin(None)
    qtbot.waitUntil(lambda: not logs.rows.standing)
