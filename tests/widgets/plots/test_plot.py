"""A plot that draws only when seen, is steered by all, and tells what it shows to who does not see it."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.widgets.plots.conftest import SECOND, Desk
from widgets.plots.counter_curves import IncreaseCurve
from widgets.plots.curves import LineCurve, Shape, Spans, Window
from widgets.plots.marks import Band, Mark, MarkKind, place_marks
from widgets.plots.plot import TimePlot
from widgets.plots.plot_data import PlotTableModel, as_csv
from widgets.plots.value_scale import ValueScale

Shown = Callable[[TimePlot], TimePlot]


class Counted(LineCurve):
    """Counts how often it is asked for its shape."""

    drawn = 0

    def shape(self, window: Window) -> Shape:
        self.drawn += 1
        return super().shape(window)


def image_of(plot: TimePlot) -> QImage:
    return plot.grab().toImage()


def pixels_of(plot: TimePlot, colour: str) -> set[int]:
    """Columns of the plot area in which this colour occurs."""
    image, wanted, area = image_of(plot), QColor(colour).rgb(), plot.frame.area
    return {
        x
        for x in range(int(area.left()), int(area.right()) + 1)
        for y in range(int(area.top()), int(area.bottom()) + 1)
        if image.pixel(x, y) == wanted
    }


def steady(desk: Desk, *, hole: tuple[int, int] = (0, 0)) -> LineCurve:
    ago = [second for second in range(60) if not hole[0] < second < hole[1]]
    return LineCurve("", "1", desk.buffer(desk.samples(*ago)))


def test_a_hidden_plot_is_not_drawn_and_a_shown_one_once_for_many_changes(desk: Desk, qtbot: QtBot) -> None:
    plot = desk.plot()
    qtbot.addWidget(plot)
    curve = Counted("", "1", desk.buffer(desk.samples(1, 2, 3)))
    plot.set_curves([curve], [curve])
    plot.data_changed()
    assert not desk.frame_clock.running
    desk.frame_clock.tick()
    assert curve.drawn == 0
    with qtbot.waitExposed(plot):
        plot.show()
    desk.frame_clock.tick()
    before = curve.drawn
    for _ in range(10):
        plot.data_changed()
    desk.frame_clock.tick()
    assert curve.drawn == before + 1


def test_the_line_is_broken_and_shaded_where_nothing_is_known(desk: Desk, shown: Shown) -> None:
    plot = desk.plot()
    curve = steady(desk, hole=(20, 40))
    plot.set_curves([curve], [curve])
    now = desk.clock.wall_us()
    gap = Spans(np.array([now - 40 * SECOND]), np.array([now - 20 * SECOND]))
    plot.set_gaps(gap, [Band(now - 40 * SECOND, now - 20 * SECOND, "not recording")])
    shown(plot)
    theme = desk.theme.theme
    columns = pixels_of(plot, theme.series[0])
    middle = int(plot.frame.x_of(now - 28 * SECOND))
    assert middle not in columns
    assert int(plot.frame.x_of(now - 50 * SECOND)) in columns
    assert image_of(plot).pixelColor(middle, int(plot.frame.area.center().y()) + 7) == QColor(theme.gap)
    assert plot.tooltip_at(QPointF(middle, plot.frame.area.center().y())) == "not recording"


def test_live_points_appear_and_the_window_moves_on(desk: Desk, shown: Shown) -> None:
    plot = desk.plot()
    curve = LineCurve("", "1", desk.buffer(desk.samples(*range(60), value=0.25)))
    plot.set_curves([curve], [curve])
    shown(plot)
    until = plot.frame.until_us
    assert "25 %" in plot.accessibleDescription()
    desk.clock.advance(5 * SECOND)
    curve.buffer.append(desk.samples(0, 1, 2, 3, 4, value=0.75))
    plot.data_changed()
    desk.frame_clock.tick()
    assert plot.frame.until_us - until == pytest.approx(5 * SECOND, abs=SECOND)
    assert "75 %" in plot.accessibleDescription()
    assert "maximum 75 %" in plot.accessibleDescription()


def test_what_comes_while_the_view_is_paused_is_described_too(desk: Desk, shown: Shown) -> None:
    plot = desk.plot()
    curve = LineCurve("", "1", desk.buffer(desk.samples(*range(10, 60), value=0.25)))
    plot.set_curves([curve], [curve])
    desk.range.pause()
    shown(plot)
    assert "maximum 25 %" in plot.accessibleDescription()
    curve.buffer.append(desk.samples(0, 1, 2, 3, 4, value=0.75))
    plot.data_changed()
    desk.frame_clock.tick()
    assert "maximum 75 %" in plot.accessibleDescription()


def test_of_a_week_too_the_legend_tells_what_came_just_now(desk: Desk, shown: Shown) -> None:
    plot = desk.plot()
    buffer = desk.buffer(desk.samples(*range(1, 600), value=0.25))
    curve = LineCurve("now", "1", buffer)
    plot.set_curves([curve], [curve])
    desk.range.show_last(7 * 86_400 * SECOND)
    shown(plot)
    assert plot.frame.until_us > desk.clock.wall_us() + 60 * SECOND  # a pixel is more than ten minutes
    assert [entry.value for entry in plot._entries(None)] == ["25 %"]


def test_dragging_zooms_every_plot_and_double_click_goes_live(desk: Desk, shown: Shown, qtbot: QtBot) -> None:
    one, other = shown(desk.plot()), shown(desk.plot("Memory", "By"))
    area = one.frame.area.toRect()
    left, right = area.left() + 100, area.left() + 200
    wanted = one.frame.time_of(left), one.frame.time_of(right)
    qtbot.mousePress(one, Qt.MouseButton.LeftButton, pos=QPoint(left, area.center().y()))
    qtbot.mouseMove(one, QPoint(right, area.center().y()))
    qtbot.mouseRelease(one, Qt.MouseButton.LeftButton, pos=QPoint(right, area.center().y()))
    now = desk.range.current()
    assert not now.live
    assert (now.since_us, now.until_us) == wanted
    desk.frame_clock.tick()
    desk.frame_clock.tick()
    assert (other.frame.since_us, other.frame.until_us) == wanted
    desk.range.back()
    assert desk.range.live
    qtbot.mouseDClick(one, Qt.MouseButton.LeftButton, pos=area.center())
    assert desk.range.live


def test_shift_drag_pans_and_pauses_and_one_step_back_undoes_it(desk: Desk, shown: Shown, qtbot: QtBot) -> None:
    plot = shown(desk.plot())
    before, area = desk.range.current(), plot.frame.area.toRect()
    start = area.center()
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, start)
    for step in (20, 40, 60):
        qtbot.mouseMove(plot, start + QPoint(step, 0))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, start + QPoint(60, 0))
    now = desk.range.current()
    assert not now.live
    assert now.span_us == before.span_us
    assert before.until_us - now.until_us == pytest.approx(60 / area.width() * before.span_us, rel=0.1)
    desk.range.back()
    assert desk.range.live


def test_the_wheel_keeps_the_moment_under_the_pointer(desk: Desk, shown: Shown) -> None:
    plot = shown(desk.plot())
    at = QPointF(plot.frame.area.left() + 100, plot.frame.area.center().y())
    moment, span = plot.frame.time_of(at.x()), desk.range.current().span_us
    none, no_keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    turn = QWheelEvent(at, at, QPoint(), QPoint(0, 120), none, no_keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(plot, turn)
    desk.frame_clock.tick()
    assert desk.range.current().span_us < span
    assert plot.frame.time_of(at.x()) == pytest.approx(moment, abs=SECOND // 10)


def test_keys_move_the_cursor_and_zoom(desk: Desk, shown: Shown, qtbot: QtBot) -> None:
    plot = shown(desk.plot())
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    first = desk.cursor.time_us
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert first is not None
    assert desk.cursor.time_us is not None
    assert desk.cursor.time_us < first < plot.frame.until_us
    span = desk.range.current().span_us
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert desk.range.current().span_us < span
    qtbot.keyClick(plot, Qt.Key.Key_Home)
    assert desk.range.live
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert desk.cursor.time_us is None


def test_the_cursor_of_one_plot_is_drawn_on_all(desk: Desk, shown: Shown, qtbot: QtBot) -> None:
    one, other = shown(desk.plot()), shown(desk.plot("Memory", "By"))
    before = image_of(other)
    qtbot.mouseMove(one, one.frame.area.center().toPoint())
    assert desk.cursor.time_us is not None
    x = round(other.frame.x_of(desk.cursor.time_us))
    assert image_of(other).pixelColor(x, int(other.frame.area.center().y()) + 9) == QColor(desk.theme.theme.muted)
    desk.cursor.move(None)
    assert image_of(other) == before


def test_hostile_names_are_shown_as_they_are(desk: Desk, shown: Shown) -> None:
    plot = desk.plot()
    name = "<b>x</b>\u202egpj.exe\x1b[31m"
    curve = LineCurve(name, "1", desk.buffer(desk.samples(*range(20))))
    plot.set_subject(name)
    plot.set_curves([curve], [curve])
    shown(plot)
    assert "<b>x</b>\\u202egpj.exe\\x1b[31m" in plot.accessibleDescription()
    assert "\u202e" not in plot.accessibleDescription()


def test_events_and_resets_are_marked_and_told(desk: Desk, shown: Shown) -> None:
    plot = desk.plot("Connections", "{connection}")
    counter = desk.buffer(desk.samples(*range(40), value=[*range(20), *range(20)][::-1]))
    curve = IncreaseCurve("errors", "{connection}", counter, 0)
    plot.set_curves([curve], [curve])
    now = desk.clock.wall_us()
    plot.set_marks([Mark(now - 50 * SECOND, MarkKind.OFFLINE, "offline (will)")])
    shown(plot)
    y = plot.frame.area.center().y()
    assert plot.tooltip_at(QPointF(plot.frame.x_of(now - 50 * SECOND), y)).endswith("offline (will)")
    assert plot.tooltip_at(QPointF(plot.frame.x_of(now - 19 * SECOND), y)).endswith("counter restarted")
    assert plot.tooltip_at(QPointF(plot.frame.x_of(now - 5 * SECOND), y)) == ""


def test_crowded_events_share_a_line_and_the_worst_one_is_drawn() -> None:
    marks = [Mark(at, MarkKind.ONLINE, str(at)) for at in range(0, 1000, 2)]
    marks.append(Mark(501, MarkKind.OFFLINE, "gone"))
    placed = place_marks(marks, 0, 1000, 100.0)
    assert len(placed) < 40
    assert sum(len(one.marks) for one in placed) == 501
    assert [one.kind for one in placed if any(mark.text == "gone" for mark in one.marks)] == [MarkKind.OFFLINE]


def test_what_is_seen_can_be_copied_and_read_as_a_table(desk: Desk, shown: Shown) -> None:
    plot = desk.plot()
    one = LineCurve("=cmd", "1", desk.buffer(desk.samples(90, 3, 2, value=[0.1, 0.2, 0.5])))
    plot.set_curves([one], [one])
    shown(plot)
    lines = as_csv(plot.raw, plot.frame.since_us, plot.frame.until_us).split("\r\n")
    assert lines[0] == "time,curve,unit,value"
    assert [line.split(",")[1:] for line in lines[1:-1]] == [["'=cmd", "1", "0.2"], ["'=cmd", "1", "0.5"]]
    assert lines[1].split(",")[0].endswith("Z")
    table = PlotTableModel(plot.raw, plot.frame.since_us, plot.frame.until_us)
    assert [table.index(row, 2).data() for row in range(table.rowCount())] == ["50 %", "20 %"]


def test_a_plot_without_points_says_why(desk: Desk, shown: Shown) -> None:
    plot = desk.plot()
    plot.set_sentence("No CPU figures yet")
    shown(plot)
    assert plot.accessibleDescription() == "No CPU figures yet"


def test_a_theme_change_redraws(desk: Desk, shown: Shown) -> None:
    plot = desk.plot()
    curve = steady(desk)
    plot.set_curves([curve], [curve])
    shown(plot)
    desk.theme.choose("dark")
    desk.frame_clock.tick()
    assert image_of(plot).pixelColor(4, 150) == QColor(desk.theme.theme.surface)
    assert pixels_of(plot, desk.theme.theme.series[0])
    desk.theme.choose("light")


def test_the_value_axis_does_not_jump_and_uses_the_unit() -> None:
    scale = ValueScale("By")
    scale.fit(0, 3e8)
    high = scale.high
    scale.fit(0, 2.5e8)
    assert scale.high == high
    assert [label for _, label in scale.ticks(3)] == ["0 MiB", "128 MiB", "256 MiB"]
    scale.fit(0, 1e6)
    assert scale.high < high
    percent = ValueScale("1")
    percent.fit(0.1, 0.9)
    assert [label for _, label in percent.ticks(5)][:3] == ["0 %", "20 %", "40 %"]
    count = ValueScale("{connection}")
    count.fit(0, 2)
    assert all(value == int(value) for value, _ in count.ticks(9))


def test_a_low_plot_has_two_values_at_its_axis() -> None:
    count = ValueScale("{connection}")
    for high in range(1, 30):
        count.forget()
        count.fit(0, high)
        assert 2 <= len(count.ticks(2)) <= 4, f"from 0 to {count.high}"


def test_bare_numbers_of_many_digits_are_short_at_the_axis() -> None:
    scale = ValueScale("", None)
    for value, label in ((1_795_811_436, "1.8 G"), (244_562_594, "240 M"), (2.5e15, "2\u202f500 T")):
        scale.forget()
        scale.fit(value, value)
        found = [shown for _, shown in scale.ticks(5)]
        assert label in found
        assert len(found) == len(set(found)) > 1
    scale.forget()
    scale.fit(0, 812_000)
    assert "800\u202f000" in {label for _, label in scale.ticks(5)}


def test_the_clipboard_takes_the_picture(desk: Desk, shown: Shown) -> None:
    plot = shown(desk.plot())
    QGuiApplication.clipboard().setPixmap(plot.picture())
    assert QGuiApplication.clipboard().image().width() == plot.width()
