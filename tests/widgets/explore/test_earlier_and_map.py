"""How it was earlier, drawn beside the present; and the line that holds all of history."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDialog, QLineEdit
from pytestqt.qtbot import QtBot

from models.domain.layouts.layout import Plotted
from models.domain.queries import DayColumns, GapsRequest, GapsResult, SeriesRequest, StoreRequest, StoreResult
from models.domain.records import GapCause
from tests.widgets.conftest import Desk
from tests.widgets.explore.test_explore_screen import settle
from tests.widgets.fakes import QUEUE, SECOND
from widgets.explore.explore_screen import ExploreScreen
from widgets.plots.plot_data import as_csv

QUEUE_OF_ONE = Plotted("crawler-1", "queue.depth")
HOUR = 3_600 * SECOND


def compared(explore: ExploreScreen, desk: Desk) -> None:
    """Now 7, an hour ago 3, with a hole."""
    now = desk.now - np.arange(59, 0, -1) * SECOND
    earlier = now[(now < desk.now - 40 * SECOND) | (now > desk.now - 20 * SECOND)] - HOUR
    desk.source.samples[QUEUE] = (np.concatenate((earlier, now)), np.repeat([3.0, 7.0], [len(earlier), len(now)]))
    explore.commands.add([QUEUE_OF_ONE])
    explore.commands.compare(3_600)
    settle(desk)


def test_the_earlier_time_is_drawn_over_the_present(explore: ExploreScreen, desk: Desk) -> None:
    compared(explore, desk)
    present, earlier = explore.panel.curves
    assert earlier.name == f"{present.name} (1 h earlier)"
    assert (present.current(desk.now).value, earlier.current(desk.now - SECOND).value) == (7, 3)
    one, other = explore.panel.plot.shapes
    assert abs(int(one.x_us[-1]) - int(other.x_us[-1])) <= SECOND
    assert one.joined[:-1].all()
    assert not other.joined[:-1].all()
    text = as_csv(explore.panel.plot.raw, desk.now - 3 * SECOND, desk.now)
    assert text.count("\r\n") == 7  # three of each, the earlier ones with the times when they were
    explore.history.stack.undo()
    assert len(explore.panel.curves) == 1


def test_the_earlier_time_moves_on_with_the_present_and_is_asked_for_when_it_runs_out(
    explore: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    compared(explore, desk)

    def asked() -> list[SeriesRequest]:
        return [
            one for one in desk.source.asked if isinstance(one, SeriesRequest) and one.until_us < desk.now - HOUR // 2
        ]

    assert len(asked()) == 1
    explore.desk._time_passed()
    assert len(asked()) == 1
    desk.clock.advance(40 * SECOND)
    ticks = QTimer(interval=20)  # more often than a feed waits for a range to come to rest
    ticks.timeout.connect(explore.desk._time_passed)
    ticks.start()
    qtbot.waitUntil(lambda: len(asked()) == 2)
    ticks.stop()
    assert [times.shift_us for times, _ in explore.desk._earlier.values()] == [HOUR]


def test_a_span_that_makes_no_sense_is_told(explore: ExploreScreen) -> None:
    told: list[str] = []
    explore.commands.told.connect(told.append)
    for text, span_s in (("90m", 5_400), ("soon", 5_400), ("", 0)):
        explore.commands.ask_compare()
        (dialog,) = [one for one in explore.findChildren(QDialog) if one.isVisible()]
        dialog.findChild(QLineEdit).setText(text)
        dialog.accept()
        assert explore.commands.panel.compare_s == span_s
    assert len(told) == 1
    assert "soon" in told[0]


# ---------------------------------------------------------------- all of history


@pytest.fixture
def mapped(explore: ExploreScreen, desk: Desk) -> ExploreScreen:
    """Ten days of history, a gap in the middle."""
    day = 24 * HOUR
    first = desk.now - 10 * day
    days = first + np.arange(10) * day
    one = np.full(10, 1_000)
    desk.source.more[StoreRequest] = lambda request: StoreResult(
        request, first, desk.now, 1, {}, 3, 0, 0, 0, 0, DayColumns(days, one, one, one, one, one), (), ()
    )
    desk.source.gaps = [(desk.now - 6 * day, desk.now - 5 * day, GapCause.NOT_RECORDING, 0, 0)]
    desk.source.more[GapsRequest] = lambda request: GapsResult(request, desk.source._gaps())
    explore.map.refresh()
    settle(desk)
    return explore


def test_it_reaches_from_the_first_to_now_with_gaps(mapped: ExploreScreen, desk: Desk) -> None:
    line = mapped.map
    assert line.whole == (desk.now - 240 * HOUR, desk.now)
    image = line.grab().toImage()
    empty = QColor(desk.theme.theme.window)
    here, missing = round(line.x_of(desk.now - 60 * HOUR)), round(line.x_of(desk.now - 132 * HOUR))
    assert image.pixelColor(missing, 12) == empty
    assert image.pixelColor(here, 12) != empty
    assert "shown:" in line.accessibleDescription()


def test_the_frame_is_dragged_and_its_edges_too(mapped: ExploreScreen, desk: Desk, qtbot: QtBot) -> None:
    line = mapped.map
    desk.range.zoom(desk.now - 100 * HOUR, desk.now - 50 * HOUR)
    shown, middle = desk.range.current(), line.frame().center().toPoint()
    qtbot.mousePress(line, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(line, QPoint(middle.x() - 60, middle.y()))
    qtbot.mouseMove(line, QPoint(middle.x() - 120, middle.y()))
    qtbot.mouseRelease(line, Qt.MouseButton.LeftButton, pos=QPoint(middle.x() - 120, middle.y()))
    moved = desk.range.current()
    assert moved.span_us == shown.span_us
    assert moved.since_us < shown.since_us - 20 * HOUR
    desk.range.back()
    assert desk.range.current() == shown  # a drag is one step
    edge = QPoint(round(line.frame().right()), 10)
    qtbot.mousePress(line, Qt.MouseButton.LeftButton, pos=edge)
    qtbot.mouseMove(line, QPoint(edge.x() + 40, 10))
    qtbot.mouseRelease(line, Qt.MouseButton.LeftButton, pos=QPoint(edge.x() + 40, 10))
    assert desk.range.current().since_us == shown.since_us
    assert desk.range.current().until_us > shown.until_us + 5 * HOUR


def test_a_click_brings_the_frame_and_keys_do_all_of_it(mapped: ExploreScreen, desk: Desk, qtbot: QtBot) -> None:
    line = mapped.map
    desk.range.zoom(desk.now - 20 * HOUR, desk.now - 10 * HOUR)
    there = round(line.x_of(desk.now - 200 * HOUR))
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(there, 10))
    shown = desk.range.current()
    assert abs((shown.since_us + shown.until_us) // 2 - (desk.now - 200 * HOUR)) < 2 * HOUR
    qtbot.keyClick(line, Qt.Key.Key_Right)
    assert desk.range.current().since_us - shown.since_us == shown.span_us // 10
    qtbot.keyClick(line, Qt.Key.Key_Plus)
    assert desk.range.current().span_us < shown.span_us
    qtbot.mouseDClick(line, Qt.MouseButton.LeftButton, pos=QPoint(there, 10))
    assert desk.range.current().since_us == desk.now - 240 * HOUR
    qtbot.keyClick(line, Qt.Key.Key_Home)
    assert desk.range.live
