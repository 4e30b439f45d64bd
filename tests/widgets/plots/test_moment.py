"""From a moment on a plot to what happened then: by key, by menu, and by a click on an event."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from tests.widgets.plots.conftest import SECOND, Desk
from widgets.plots.curves import NO_SPANS, LineCurve
from widgets.plots.marks import Band, Mark, MarkKind
from widgets.plots.moment import Way, fill_moments
from widgets.plots.plot import TimePlot

Shown = Callable[[TimePlot], TimePlot]
Wanted = list[tuple[Way, int | None]]


@pytest.fixture
def plot(desk: Desk, shown: Shown) -> TimePlot:
    """With an event 40 s ago and two close together 20 s ago."""
    made = desk.plot()
    curve = LineCurve("", "1", desk.buffer(desk.samples(*range(60))))
    made.set_curves([curve], [curve])
    now = desk.clock.wall_us()
    made.set_marks([
        Mark(now - 40 * SECOND, MarkKind.OFFLINE, "offline (will)"),
        Mark(now - 20 * SECOND, MarkKind.OFFLINE, "offline (will)"),
        Mark(now - 20 * SECOND + 1_000, MarkKind.ONLINE, "online"),
    ])  # fmt: skip
    return shown(made)


@pytest.fixture
def wanted(plot: TimePlot) -> Wanted:
    found: Wanted = []
    plot.moment_wanted.connect(lambda way, at_us: found.append((way, at_us)))
    return found


def place(plot: TimePlot, at_us: int) -> QPoint:
    return QPoint(round(plot.frame.x_of(at_us)), round(plot.frame.area.center().y()))


def test_keys_lead_from_the_cursor_to_logs_and_messages(
    desk: Desk, plot: TimePlot, wanted: Wanted, qtbot: QtBot
) -> None:
    qtbot.keyClick(plot, Qt.Key.Key_L)
    assert wanted == [(Way.LOGS, None)], "nobody pointed at a moment"
    at_us = desk.clock.wall_us() - 30 * SECOND
    desk.cursor.move(at_us)
    qtbot.keyClick(plot, Qt.Key.Key_L)
    qtbot.keyClick(plot, Qt.Key.Key_M)
    assert wanted[1:] == [(Way.LOGS, at_us), (Way.MESSAGES, at_us)]
    qtbot.keyClick(plot, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert len(wanted) == 3


def test_a_key_is_about_the_cursor_wherever_a_menu_was_opened_before(
    desk: Desk, plot: TimePlot, wanted: Wanted, qtbot: QtBot
) -> None:
    at_us = desk.clock.wall_us() - 30 * SECOND
    plot.menu_at = QPointF(place(plot, at_us - 20 * SECOND))
    desk.cursor.move(at_us)
    qtbot.keyClick(plot, Qt.Key.Key_M)
    assert wanted == [(Way.MESSAGES, at_us)]


def test_the_menu_is_about_the_event_that_it_was_opened_on(desk: Desk, plot: TimePlot, wanted: Wanted) -> None:
    at_us = desk.clock.wall_us() - 40 * SECOND
    plot.menu_at = QPointF(place(plot, at_us) + QPoint(3, 0))
    menu = plot.menu()
    fill_moments(menu, plot)
    actions = {action.text().split("\t")[0]: action for action in menu.actions()}
    actions["&Logs of this moment"].trigger()
    actions["&Messages of this moment"].trigger()
    assert wanted == [(Way.LOGS, at_us), (Way.MESSAGES, at_us)]
    actions["Look at this moment"].trigger()
    assert desk.cursor.pinned_us == at_us


def test_no_entry_stands_for_no_moment(plot: TimePlot) -> None:
    menu = plot.menu()
    before = len(menu.actions())
    fill_moments(menu, plot)
    assert len(menu.actions()) == before


def test_a_click_on_an_event_takes_the_window_to_its_exact_time(desk: Desk, plot: TimePlot, qtbot: QtBot) -> None:
    now = desk.clock.wall_us()
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place(plot, now - 40 * SECOND) + QPoint(2, 0))
    assert desk.cursor.pinned_us == now - 40 * SECOND
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place(plot, now - 20 * SECOND))
    assert desk.cursor.pinned_us == now - 20 * SECOND, "the one that tells most of several"


def test_a_click_on_a_gap_takes_the_window_to_where_it_began(desk: Desk, plot: TimePlot, qtbot: QtBot) -> None:
    now = desk.clock.wall_us()
    begun = now - 15 * SECOND
    plot.set_gaps(NO_SPANS, [Band(begun, now - 5 * SECOND, "not recording"), Band(0, now - 55 * SECOND, "pruned")])
    desk.frame_clock.tick()
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place(plot, now - 8 * SECOND))
    assert desk.cursor.pinned_us == begun
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place(plot, now - 57 * SECOND))
    assert desk.cursor.pinned_us == plot.frame.since_us, "as far as it is shown"


def test_a_click_beside_events_and_a_drag_that_ends_on_one_pin_nothing(
    desk: Desk, plot: TimePlot, qtbot: QtBot
) -> None:
    now = desk.clock.wall_us()
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place(plot, now - 30 * SECOND))
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=place(plot, now - 50 * SECOND))
    qtbot.mouseMove(plot, place(plot, now - 40 * SECOND))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=place(plot, now - 40 * SECOND))
    assert desk.cursor.pinned_us is None
    assert not desk.range.live
