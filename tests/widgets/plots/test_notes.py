"""What people marked in time, on a plot: where it is drawn, what it tells, where it leads, and how more comes to be."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from models.domain.annotations import Annotation
from tests.widgets.fakes import FakeSource, FakeTail
from tests.widgets.plots.conftest import SECOND, Desk
from tests.widgets.plots.test_plot import pixels_of
from widgets.notes.book import AnnotationBook, Draft
from widgets.plots.curves import LineCurve
from widgets.plots.marks import Mark, MarkKind
from widgets.plots.plot import TimePlot

Shown = Callable[[TimePlot], TimePlot]
BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


class Notes:
    """A plot of agent 7 with a moment 50 s ago and a stretch from 40 s to 20 s ago, and what was asked for on it."""

    def __init__(self, desk: Desk, shown: Shown) -> None:
        self.source, now = FakeSource(), desk.clock.wall_us()
        self.moment = Annotation("1", now - 50 * SECOND, now - 50 * SECOND, 0, "", "<b>Deployed</b>", ("v2",), 1)
        self.stretch = Annotation("2", now - 40 * SECOND, now - 20 * SECOND, 7, "crawler", "slow\nwhy?", (), 1)
        self.elsewhere = Annotation("3", now - 10 * SECOND, now - 10 * SECOND, 8, "other", "not here", (), 1)
        self.source.annotations = [self.moment, self.stretch, self.elsewhere]
        self.book = AnnotationBook(self.source, FakeTail(), lambda *_: None)
        self.wanted: list[Draft] = []
        self.edited: list[Annotation] = []
        self.removed: list[list[Annotation]] = []
        self.book.wanted.connect(self.wanted.append)
        self.book.edit_wanted.connect(self.edited.append)
        self.book.remove_wanted.connect(self.removed.append)
        plot = desk.plot()
        plot.show_notes(self.book)
        plot.show_notes_of({7: "Crawler"})
        curve = LineCurve("", "1", desk.buffer(desk.samples(*range(60))))
        plot.set_curves([curve], [curve])
        self.plot = shown(plot)
        plot.clearFocus()
        self.book.refresh()
        self.source.answer_all()
        desk.frame_clock.tick()

    def at(self, at_us: int, up: float = 9) -> QPointF:
        """Beside the foot of what stands there."""
        return QPointF(self.plot.frame.x_of(at_us), self.plot.frame.area.bottom() - up)


@pytest.fixture
def notes(desk: Desk, shown: Shown) -> Notes:
    return Notes(desk, shown)


def test_moments_and_stretches_of_the_agents_shown_are_drawn(desk: Desk, notes: Notes) -> None:
    plot, accent = notes.plot, desk.theme.theme.accent
    columns = pixels_of(plot, accent)
    x = [round(plot.frame.x_of(at)) for at in (notes.moment.since_us, notes.stretch.since_us, notes.stretch.until_us)]
    assert {x[0], *range(x[1] + 2, x[2] - 1)} <= columns
    assert not any(abs(plot.frame.x_of(notes.elsewhere.since_us) - one) < 12 for one in columns)
    plot.show_notes_of({8: "Other"})
    desk.frame_clock.tick()
    columns = pixels_of(plot, accent)
    assert x[1] + 10 not in columns
    assert x[0] in columns, "what concerns everybody is on every plot"


def test_hovering_tells_the_word_the_text_and_the_tags_as_plain_text(notes: Notes) -> None:
    plot = notes.plot
    told = plot.tooltip_at(notes.at(notes.moment.since_us))
    assert told.endswith("Annotation: <b>Deployed</b>\n#v2")
    assert "slow\nwhy?" in plot.tooltip_at(notes.at(notes.stretch.since_us + 10 * SECOND, up=40)), "anywhere in it"
    assert "not here" not in plot.tooltip_at(notes.at(notes.elsewhere.since_us))
    plot.set_marks([Mark(notes.moment.since_us, MarkKind.OFFLINE, "offline (will)")])
    plot.draw()
    told = plot.tooltip_at(notes.at(notes.moment.since_us))
    assert "Annotation:" in told
    assert "offline (will)" in told, "none hides the other"
    plot.show_notes_of({7: "Crawler", 8: "Other"})
    plot.draw()
    assert "Annotation on Crawler: slow" in plot.tooltip_at(notes.at(notes.stretch.since_us + 10 * SECOND, up=40))


def test_who_does_not_see_the_flags_hears_of_them(notes: Notes) -> None:
    assert notes.plot.accessibleDescription().endswith("; 2 annotations: <b>Deployed</b>, slow")


def test_a_click_on_a_flag_takes_the_window_there(desk: Desk, notes: Notes, qtbot: QtBot) -> None:
    pinned: list[int] = []
    desk.cursor.pinned.connect(pinned.append)
    qtbot.mouseClick(notes.plot, LEFT, pos=notes.at(notes.moment.since_us).toPoint() + QPoint(5, 0))
    qtbot.mouseClick(notes.plot, LEFT, pos=notes.at(notes.stretch.since_us).toPoint())
    assert pinned == [notes.moment.since_us, notes.stretch.since_us]
    qtbot.mouseClick(notes.plot, LEFT, pos=notes.at(notes.stretch.since_us + 10 * SECOND, up=40).toPoint())
    assert len(pinned) == 2, "within a stretch one clicks as elsewhere"


def test_a_key_marks_the_moment_or_all_that_is_shown(desk: Desk, notes: Notes, qtbot: QtBot) -> None:
    frame = notes.plot.frame
    qtbot.keyClick(notes.plot, Qt.Key.Key_A)
    at_us = desk.clock.wall_us() - 30 * SECOND
    desk.cursor.move(at_us)
    qtbot.keyClick(notes.plot, Qt.Key.Key_A)
    qtbot.keyClick(notes.plot, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(notes.plot, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert notes.wanted == [
        (frame.until_us, frame.until_us, (7,)), (at_us, at_us, (7,)), (frame.since_us, frame.until_us, (7,)),
    ]  # fmt: skip


@pytest.mark.parametrize("by_key", [True, False])
def test_a_drag_marks_a_stretch_and_zooms_nothing(desk: Desk, notes: Notes, qtbot: QtBot, by_key: bool) -> None:
    plot, keys = notes.plot, Qt.KeyboardModifier.NoModifier if by_key else BOTH
    frame, area = plot.frame, plot.frame.area.toRect()
    start, end = QPoint(area.left() + 100, area.top() + 40), QPoint(area.left() + 200, area.top() + 40)
    qtbot.mousePress(plot, LEFT, keys, start)
    qtbot.mouseMove(plot, end)
    if by_key:
        qtbot.keyClick(plot, Qt.Key.Key_A)
    qtbot.mouseRelease(plot, LEFT, keys, end)
    assert notes.wanted == [(frame.time_of(start.x()), frame.time_of(end.x()), (7,))]
    assert desk.range.live


def test_without_annotations_the_keys_pan_as_before(desk: Desk, shown: Shown, qtbot: QtBot) -> None:
    plot = shown(desk.plot())
    qtbot.keyClick(plot, Qt.Key.Key_A)
    start = plot.frame.area.toRect().center()
    qtbot.mousePress(plot, LEFT, BOTH, start)
    qtbot.mouseMove(plot, start + QPoint(60, 0))
    qtbot.mouseRelease(plot, LEFT, BOTH, start + QPoint(60, 0))
    assert not desk.range.live


def test_the_menu_writes_changes_and_deletes(desk: Desk, notes: Notes) -> None:
    plot = notes.plot
    plot.menu_at = notes.at(notes.stretch.since_us + 10 * SECOND, up=40)
    actions = {action.text().partition("\t")[0]: action for action in plot.menu().actions()}
    actions["Edit annotation “slow”…"].trigger()
    actions["Delete annotation “slow”"].trigger()
    actions["Annotate this moment…"].trigger()
    assert notes.edited == [notes.stretch]
    assert notes.removed == [[notes.stretch]]
    assert [one.since_us for one in notes.wanted] == [plot.frame.time_of(plot.menu_at.x())]
    plot.menu_at = notes.at(notes.moment.since_us)
    assert plot.moment == notes.moment.since_us, "exactly"
