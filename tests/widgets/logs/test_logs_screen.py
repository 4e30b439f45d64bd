"""The logs of everybody: who wrote what, the filter for agents, and the record at hand."""

import json
from collections import Counter
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from models.domain.queries import NamesRequest
from models.domain.records import Level
from tests.widgets.conftest import Desk
from tests.widgets.fakes import SECOND, log_line
from widgets.common.state_view import StateKind
from widgets.logs.logs_screen import LogsScreen
from widgets.records.agent_names import AgentNames
from widgets.records.log_list import level_icon
from widgets.records.record_dialog import RecordDialog

OTHER, PLANNER = 8, 9
# the list that opens under a field while one types is no window of a real desktop here
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support grabbing the keyboard", extend=True)


@pytest.fixture
def screen(desk: Desk, shown: Callable[[QWidget], QWidget]) -> LogsScreen:
    desk.source.logs = [
        log_line(1, desk.now - 5 * SECOND, "started", agent=PLANNER),
        log_line(2, desk.now - 4 * SECOND, "first\nsecond", Level.ERROR, OTHER, error="Timeout", stack="at a\nat b",
                 attributes='{"ids": [1, 2], "user": {"name": "<b>ada</b>"}, "none": null}'),
        log_line(3, desk.now - 3 * SECOND, "fetched", Level.DEBUG),
    ]  # fmt: skip
    one = LogsScreen(desk.context, AgentNames(desk.source), refresh_ms=0)
    one.resize(1_000, 700)
    shown(one)
    return one


def texts(screen: LogsScreen, column: int) -> list[str]:
    model = screen.rows.model
    return [str(model.index(row, column).data()) for row in range(model.rowCount())]


def look_for(screen: LogsScreen, desk: Desk, qtbot: QtBot, text: str) -> None:
    line = screen.box.line
    line.selectAll()
    qtbot.keyClicks(line, text)
    screen.box._popup.hide()
    qtbot.keyClick(line, Qt.Key.Key_Return)
    desk.source.answer_all()


def choose(screen: LogsScreen, row: int) -> None:
    screen.rows.table.setCurrentIndex(screen.rows.model.index(row, 0))


def test_every_row_tells_who_wrote_it_on_one_line(screen: LogsScreen) -> None:
    assert texts(screen, 2) == ["crawler-1", "Crawler Two", "Planner"]
    assert texts(screen, 4) == ["fetched", "first⏎second · Timeout", "started"]
    assert screen.rows.stack.shows_content


def menu_of(screen: LogsScreen, row: int) -> dict[str, Callable[[], object]]:
    """What the context menu of a row offers."""
    choose(screen, row)
    screen.rows.table.customContextMenuRequested.emit(QPoint(5, 5))
    menu = screen.rows.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly)[-1]
    return {action.text(): action.trigger for action in menu.actions() if action.isEnabled() and action.text()}


def test_only_this_agent_and_back_by_the_menu(screen: LogsScreen, desk: Desk) -> None:
    menu = menu_of(screen, 1)
    assert list(menu) == [
        "Open", "Copy", "Copy with headers", "Copy as JSON", "Only Crawler Two", "All but Crawler Two", "Only level error",
        "Only logger crawler.fetch", "All but logger crawler.fetch", "Only this text", "All but this text", "What happened around it",
        "Go to agent",
    ]  # fmt: skip
    menu["Only Crawler Two"]()
    desk.source.answer_all()
    assert texts(screen, 2) == ["Crawler Two"]
    assert screen.query.text == "agent:crawler-2"
    assert screen.agent == OTHER
    menu_of(screen, 0)["All agents"]()
    desk.source.answer_all()
    assert screen.rows.model.rowCount() == 3


@pytest.mark.parametrize(
    "before", ["NOT agent:crawler-2", "agent:(planner-1 crawler-1)", "agent:crawler-2 NOT agent:*-2"]
)
def test_only_an_agent_replaces_what_was_said_of_agents(screen: LogsScreen, desk: Desk, before: str) -> None:
    screen.query.write("level:error")
    desk.source.answer_all()
    only = menu_of(screen, 0)["Only Crawler Two"]
    screen.query.write(f"level:error {before}")
    only()
    desk.source.answer_all()
    assert screen.query.text == "agent:crawler-2 level:error"
    assert texts(screen, 2) == ["Crawler Two"]


@pytest.mark.parametrize("level", list(Level))
def test_a_level_has_a_sign_in_its_colour(desk: Desk, level: Level) -> None:
    image = level_icon(desk.context.themes, level).pixmap(64, 64).toImage()
    pixels = (image.pixelColor(x, y) for x in range(64) for y in range(64))
    colours = Counter(one.name() for one in pixels if one.alpha() == 255)
    assert colours.most_common(1)[0][0] == desk.context.themes.theme.level(level)


def test_the_record_at_hand_is_shown_whole(screen: LogsScreen, qtbot: QtBot) -> None:
    assert screen.pane.isHidden()
    choose(screen, 1)
    assert screen.pane.isVisible()
    assert screen.pane.text.toPlainText() == "first\nsecond\n\nError\nTimeout\n\nStack\nat a\nat b"
    fields = screen.pane.fields
    pairs = [tuple(fields.index(row, column).data() for column in (0, 1)) for row in range(fields.rowCount())]
    assert pairs[2:] == [
        ("Level", "error"), ("Agent", "Crawler Two · crawler-2"), ("Logger", "crawler.fetch"), ("Error", "Timeout"),
        ("ids[0]", "1"), ("ids[1]", "2"), ("user.name", "<b>ada</b>"), ("none", "null"),
    ]  # fmt: skip
    choose(screen, 0)
    assert screen.pane.text.toPlainText() == "fetched"
    qtbot.keyClick(screen.rows.table, Qt.Key.Key_Escape)
    assert screen.pane.isHidden()


def test_nothing_moves_while_a_record_is_read(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    choose(screen, 1)

    def log(number: int) -> None:
        desk.source.logs.append(log_line(number, desk.now + number, f"later {number}"))
        desk.tail.page(logs=1)
        qtbot.waitUntil(lambda: bool(desk.source.waiting))
        desk.source.answer_all()

    log(10)
    log(11)
    assert screen.rows.model.rowCount() == 3
    assert screen.rows.new_button.text() == "2 new"
    screen.rows.new_button.click()
    desk.source.answer_all()
    assert texts(screen, 4)[:3] == ["later 11", "later 10", "fetched"]
    log(12)
    assert screen.rows.new_button.text() == "1 new", "it is still read"
    qtbot.keyClick(screen.rows.table, Qt.Key.Key_Escape)
    desk.source.answer_all()
    assert texts(screen, 4)[0] == "later 12"
    assert screen.rows.new_button.isHidden()
    log(13)
    assert texts(screen, 4)[0] == "later 13"


def test_what_was_searched_for_is_marked_in_the_record(screen: LogsScreen, desk: Desk) -> None:
    choose(screen, 1)
    screen.query.write("SECOND")
    (mark,) = screen.pane.text.extraSelections()
    assert mark.cursor.selectedText() == "second"
    desk.theme.toggle()
    assert len(screen.pane.text.extraSelections()) == 1


def test_records_are_copied_as_the_export_would_write_them(screen: LogsScreen) -> None:
    choose(screen, 1)
    screen.pane.copy_json.click()
    record = json.loads(QGuiApplication.clipboard().text())
    assert list(record) == ["time", "received", "agent", "level", "logger", "text", "error", "stack", "attributes"]
    assert record["agent"] == "crawler-2"
    assert record["attributes"] == {"ids": [1, 2], "user": {"name": "<b>ada</b>"}, "none": None}
    assert record["time"].endswith("Z")
    menu = menu_of(screen, 1)
    screen.rows.table.selectAll()
    menu["Copy as JSON"]()
    lines = [json.loads(line) for line in QGuiApplication.clipboard().text().split("\n")]
    assert [line["text"] for line in lines] == ["fetched", "first\nsecond", "started"]


def test_one_goes_from_a_record_to_its_agent(screen: LogsScreen, qtbot: QtBot) -> None:
    choose(screen, 2)
    with qtbot.waitSignal(screen.agent_wanted) as wanted:
        screen.pane.open_agent.click()
    assert wanted.args == [PLANNER]
    assert not screen.pane.open_message.isEnabled(), "the fake does not know which message it was"


def test_one_goes_from_a_record_to_its_message(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    desk.source.logs = [log_line(4, desk.now, "told")._replace(message=17)]
    screen.refresh()
    desk.source.answer_all()
    choose(screen, 0)
    with qtbot.waitSignal(screen.pane.message_wanted) as wanted:
        screen.pane.open_message.click()
    assert wanted.args[0].message == 17


def test_enter_opens_the_record_in_a_window_of_its_own(screen: LogsScreen, qtbot: QtBot) -> None:
    choose(screen, 1)
    qtbot.keyClick(screen.rows.table, Qt.Key.Key_Return)
    (dialog,) = screen.findChildren(RecordDialog)
    assert dialog.isVisible()
    dialog.close()


def test_the_one_that_is_left_of_several_is_the_record_at_hand(screen: LogsScreen) -> None:
    table = screen.rows.table
    table.selectAll()
    choose(screen, 1)
    assert screen.pane.record is screen.rows.model.rows[1]


def test_a_filter_that_hides_everything_can_be_cleared(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    look_for(screen, desk, qtbot, "agent:planner level:error")
    assert screen.rows.stack.view.state.kind is StateKind.NO_MATCH
    screen.rows.stack.view._button.click()
    desk.source.answer_all()
    assert screen.rows.model.rowCount() == 3
    assert (screen.query.text, screen.query.pills, screen.box.line.text()) == ("", (), "")


def test_hidden_it_asks_for_nothing(screen: LogsScreen, desk: Desk) -> None:
    screen.hide()
    asked = len(desk.source.asked)
    desk.tail.page(logs=3, new_names=True)
    screen.refresh()
    assert len(desk.source.asked) == asked
    screen.show()
    assert desk.source.count(NamesRequest) == 2


def test_where_there_is_room_the_record_stands_beside_the_list(screen: LogsScreen, qtbot: QtBot) -> None:
    choose(screen, 0)
    assert screen.splitter.orientation() is Qt.Orientation.Vertical
    screen.resize(1_800, 900)
    assert screen.splitter.orientation() is Qt.Orientation.Horizontal
    assert screen.pane.width() >= 400
    title = screen.pane._title
    qtbot.waitUntil(lambda: title.width() >= title.sizeHint().width())  # the buttons leave it its line


def test_a_field_of_the_record_is_looked_for_and_becomes_a_column(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    choose(screen, 1)
    table, fields = screen.pane.table, screen.pane.fields
    row = next(row for row in range(fields.rowCount()) if fields.index(row, 0).data() == "ids[0]")
    table.setCurrentIndex(fields.index(row, 0))
    table.customContextMenuRequested.emit(QPoint(5, 5))
    menu = screen.pane.findChildren(QMenu)[-1]
    actions = {action.text(): action.trigger for action in menu.actions() if action.text()}
    actions["Show as a column"]()
    header = screen.rows.table.horizontalHeader()
    shown = [screen.rows.model.headerData(header.logicalIndex(at), Qt.Orientation.Horizontal) for at in range(6)]
    assert shown == ["Time", "Level", "Agent", "Logger", "ids", "Text"]
    assert texts(screen, 5) == ["", "1, 2", ""]
    actions["Only records with this"]()
    desk.source.answer_all()
    assert (screen.query.text, texts(screen, 5)) == ("ids:1", ["1, 2"])
    choose(screen, 0)
    table.setCurrentIndex(fields.index(row, 0))
    table.customContextMenuRequested.emit(QPoint(5, 5))
    assert "Take its column away" in {one.text() for one in screen.pane.findChildren(QMenu)[-1].actions()}
    actions["Show as a column"]()
    assert screen.rows.model.columnCount() == 5
