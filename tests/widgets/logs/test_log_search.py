"""The query line, its pills, the histogram and the fields beside the list."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from models.domain.layouts.layout import Plotted
from models.domain.queries import LogRequest, LogSummaryRequest
from models.domain.records import GapCause, Level
from models.domain.search.terms import Comparison, FieldIs, LevelIs, Not
from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT, SECOND, log_line
from widgets.logs.logs_screen import LogsScreen
from widgets.logs.summary_feed import cell_of
from widgets.records.agent_names import AgentNames

OTHER, PLANNER = 8, 9
# the list that opens under a field while one types is no window of a real desktop here
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support grabbing the keyboard", extend=True)


@pytest.fixture
def screen(desk: Desk, shown: Callable[[QWidget], QWidget]) -> LogsScreen:
    desk.source.logs = [
        log_line(1, desk.now - 50 * SECOND, "started", agent=PLANNER),
        log_line(2, desk.now - 20 * SECOND, "timed out", Level.ERROR, OTHER),
        log_line(3, desk.now - 3 * SECOND, "fetched", Level.DEBUG, AGENT),
    ]
    one = LogsScreen(desk.context, AgentNames(desk.source), refresh_ms=0)
    one.resize(1_000, 700)
    shown(one)
    return one


def listed(screen: LogsScreen) -> list[str]:
    return [line.text for line in screen.rows.model.rows]


def test_typing_narrows_list_histogram_and_fields(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    line = screen.box.line
    line.setFocus()
    qtbot.keyClicks(line, "level:error OR start")
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    desk.source.answer_all()
    assert listed(screen) == ["timed out", "started"]
    assert screen.histogram._result.counts.sum(axis=0).tolist() == [0, 0, 1, 0, 1, 0]
    assert screen.facets.told.text() == "of 2 records"
    assert [button.text() for button in screen.pills.buttons] == ["level:error OR start"]


def test_an_error_is_pointed_at_and_the_list_stays(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    asked = len(desk.source.asked)
    qtbot.keyClicks(screen.box.line, 'fetched "timed')
    qtbot.keyClick(screen.box.line, Qt.Key.Key_Return)
    assert screen.box.trouble.isVisible()
    assert "quotation mark at character 9" in screen.box.trouble.text()
    assert (len(desk.source.asked), listed(screen)) == (asked, ["fetched", "timed out", "started"])
    qtbot.keyClicks(screen.box.line, '"')
    qtbot.keyClick(screen.box.line, Qt.Key.Key_Return)
    assert screen.box.trouble.isHidden()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("le", ["level:"]),
        ("-le", ["level:"]),
        ("level:", ["level:trace", "level:debug", "level:info", "level:warn", "level:error", "level:fatal"]),
        ("x (level:e", ["level:error", "level:trace", "level:debug"]),
        ("agent:pla", ["agent:planner-1"]),
        ("agent!=pla", ["agent!=planner-1"]),
        ("agent:planner-1", []),
        ("a", ["agent:", "after:"]),
        ('"a', []),
        ("zz", []),
        ("", []),
    ],
)
def test_fields_and_values_are_offered(screen: LogsScreen, qtbot: QtBot, typed: str, offered: list[str]) -> None:
    qtbot.keyClicks(screen.box.line, typed)
    assert screen.box._fitting() == offered
    assert screen.box._popup.isVisible() == bool(offered)


def test_enter_looks_for_what_is_typed_and_tab_takes_what_is_offered(
    screen: LogsScreen, desk: Desk, qtbot: QtBot
) -> None:
    line = screen.box.line
    line.setFocus()
    qtbot.keyClicks(line, "te")
    assert screen.box._popup.isVisible()
    qtbot.keyClick(screen.box._popup, Qt.Key.Key_Return)
    assert (line.text(), screen.query.text, screen.box._popup.isVisible()) == ("te", "te", False)
    qtbot.keyClicks(line, " ag")
    qtbot.keyClick(screen.box._popup, Qt.Key.Key_Tab)
    assert line.text() == "te agent:"
    assert line.hasFocus()


def test_what_was_seen_is_offered_where_a_half_typed_word_finds_nothing(
    screen: LogsScreen, desk: Desk, qtbot: QtBot
) -> None:
    desk.source.answer_all()
    screen.query.write("nowhere")
    desk.source.answer_all()
    assert screen.facets.told.text() == "no records"
    line = screen.box.line
    line.clear()
    qtbot.keyClicks(line, "lo")
    assert screen.box._fitting() == ["logger:"]


def test_many_pills_take_more_rows(screen: LogsScreen, qtbot: QtBot) -> None:
    screen.query.write("started")
    one_row = screen.pills.height()
    screen.query.write(" ".join(f"started-by-somebody-{n}" for n in range(12)))
    qtbot.waitUntil(lambda: screen.pills.height() > one_row)
    room = screen.pills.viewport().rect()
    assert all(room.left() <= one.x() and one.geometry().right() <= room.right() for one in screen.pills.buttons)


def test_a_completion_is_taken_by_key(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    line = screen.box.line
    line.setFocus()
    qtbot.keyClicks(line, "fetched OR ag")
    qtbot.keyClick(screen.box._popup, Qt.Key.Key_Down)
    qtbot.keyClick(screen.box._popup, Qt.Key.Key_Return)
    assert line.text() == "fetched OR agent:"
    qtbot.keyClicks(line, "pl")
    qtbot.keyClick(screen.box._popup, Qt.Key.Key_Down)
    qtbot.keyClick(screen.box._popup, Qt.Key.Key_Return)
    desk.source.answer_all()
    assert line.text() == "fetched OR agent:planner-1 "
    assert listed(screen) == ["fetched", "started"]


def test_pills_are_worked_by_keys_and_the_line_can_be_undone(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    screen.query.write("level:error timed")
    first = screen.pills.buttons[0]
    qtbot.keyClick(first, Qt.Key.Key_Minus)
    assert screen.box.line.text() == "NOT level:error timed"
    qtbot.keyClick(screen.pills.buttons[0], Qt.Key.Key_Space)
    assert screen.box.line.text() == "timed"
    qtbot.keyClick(screen.pills.buttons[1], Qt.Key.Key_Delete)
    desk.source.answer_all()
    assert len(listed(screen)) == 3
    screen.box.line.undo()
    qtbot.keyClick(screen.box.line, Qt.Key.Key_Return)
    desk.source.answer_all()
    assert listed(screen) == ["timed out"]


def test_what_is_clicked_together_offers_no_completions(screen: LogsScreen) -> None:
    screen.box.line.setFocus()
    screen.query.write("level:e")
    assert not screen.box._popup.isVisible()
    assert not screen.box._typing.isActive()


def test_a_click_on_a_value_looks_for_it_or_for_all_but_it(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    tree = screen.facets.tree
    level = tree.topLevelItem(0)
    assert [level.child(row).text(0) for row in range(3)] == ["info", "error", "debug"]
    tree.itemClicked.emit(level.child(1), 2)
    desk.source.answer_all()
    assert (screen.query.text, listed(screen)) == ("level:error", ["timed out"])
    screen.query.clear()
    desk.source.answer_all()
    tree.setCurrentItem(tree.topLevelItem(1).child(0))
    assert tree.currentItem().text(0) == "planner-1"
    qtbot.keyClick(tree, Qt.Key.Key_Minus)
    desk.source.answer_all()
    assert (screen.query.text, listed(screen)) == ("NOT agent:planner-1", ["fetched", "timed out"])
    assert screen.query.pills[0].term.term == FieldIs("agent", ("planner-1",))


def test_a_click_keeps_what_was_typed_just_before(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    qtbot.keyClicks(screen.box.line, "timed")
    assert screen.query.text == ""  # it is not looked for yet
    screen.facets.wanted.emit(LevelIs(Comparison.IS, Level.ERROR))
    desk.source.answer_all()
    assert screen.query.text == screen.box.line.text() == "timed level:error"
    assert listed(screen) == ["timed out"]


def test_a_pill_that_was_typed_away_is_left_alone(screen: LogsScreen, qtbot: QtBot) -> None:
    screen.query.write("timed out")
    button = screen.pills.buttons[0]
    screen.box.line.clear()
    qtbot.keyClicks(screen.box.line, "out")
    qtbot.keyClick(button, Qt.Key.Key_Minus)
    assert screen.query.text == "out"


def test_the_histogram_tells_where_history_has_a_gap(screen: LogsScreen, desk: Desk) -> None:
    histogram, result = screen.histogram, screen.histogram._result
    at_us = desk.now - 40 * SECOND
    x, y = int(histogram._x_of(at_us, histogram._area(), result)), int(histogram._area().center().y())
    assert histogram._told(at_us, result).endswith("nothing")
    plain = histogram.grab().toImage().pixelColor(x, y)
    desk.source.gaps = [(at_us - 5 * SECOND, at_us + 5 * SECOND, GapCause.NOT_RECORDING, 0, 0)]
    screen.refresh()
    desk.source.answer_all()
    assert plain != histogram.grab().toImage().pixelColor(x, y) == QColor(desk.context.themes.theme.gap)
    told = histogram._told(at_us, histogram._result)
    assert "Nothing known" in told
    assert "nothing" not in told
    assert "Nothing known" in histogram.accessibleDescription()
    assert histogram._told(desk.now - 20 * SECOND, histogram._result).endswith("error 1")


def test_dragging_over_the_histogram_looks_at_that_stretch(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    histogram = screen.histogram
    result = histogram._result
    area = histogram._area()
    y = int(area.center().y())
    left = int(histogram._x_of(desk.now - 25 * SECOND, area, result))
    right = int(histogram._x_of(desk.now - 15 * SECOND, area, result))
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(left, y))
    qtbot.mouseMove(histogram, QPoint(right, y))
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(right, y))
    desk.source.answer_all()
    chosen = desk.range.current()
    assert not chosen.live
    assert abs(chosen.since_us - (desk.now - 25 * SECOND)) < SECOND
    asked = [one for one in desk.source.asked if isinstance(one, LogRequest)][-1]
    assert (asked.since_us, asked.until_us) == (chosen.since_us, chosen.until_us)
    assert histogram._result.counts.sum() == 1
    desk.range.back()
    assert desk.range.live


def test_the_rate_of_what_is_looked_for_is_wanted_on_a_plot(screen: LogsScreen, qtbot: QtBot) -> None:
    wanted: list[list[Plotted]] = []
    screen.rate_wanted.connect(wanted.append)
    assert not screen._rate_button.isEnabled()
    screen.query.write("level:error OR timed")
    screen.query.add(Not(FieldIs("agent", ("planner-1",))))
    screen.query.toggle(1)
    screen._rate_button.click()
    assert wanted == [[Plotted(query="level:error OR timed")]]
    screen.query.toggle(1)
    screen.plot_rate()
    assert wanted[-1] == [Plotted(query="(level:error OR timed) NOT agent:planner-1")]


def test_new_records_are_counted_while_live(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    desk.source.logs.append(log_line(4, desk.now - SECOND, "again"))
    desk.tail.page(logs=1)
    qtbot.waitUntil(lambda: desk.source.count(LogSummaryRequest) > 1)
    desk.source.answer_all()
    assert screen.histogram._result.counts.sum() == 4


def test_hidden_nothing_is_counted(screen: LogsScreen, desk: Desk) -> None:
    screen.hide()
    counted, asked = desk.source.count(LogSummaryRequest), desk.source.count(LogRequest)
    screen.query.write("retry")
    assert (desk.source.count(LogSummaryRequest), desk.source.count(LogRequest)) == (counted, asked)
    screen.show()
    assert desk.source.count(LogSummaryRequest) == counted + 1


@pytest.mark.parametrize(("minutes", "cell_s"), [(1, 1), (15, 10), (60, 30), (1_440, 600), (10_080, 7_200)])
def test_cells_are_round_and_not_too_many(minutes: int, cell_s: int) -> None:
    assert cell_of(minutes * 60 * SECOND) == cell_s * SECOND
