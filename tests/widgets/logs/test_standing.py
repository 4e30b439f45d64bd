"""A list that stands in the past: older rows below, newer ones above, and the way back to live."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from models.domain.queries import LogRequest, RowKey
from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT, SECOND, log_line
from widgets.logs.logs_screen import LogsScreen
from widgets.records.agent_names import AgentNames
from widgets.records.paged_list import PAGE

PLANNER, ROWS = 9, 1_000
# a menu is no window of a real desktop here
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support grabbing the keyboard", extend=True)


@pytest.fixture
def screen(desk: Desk, shown: Callable[[QWidget], QWidget]) -> LogsScreen:
    begin = desk.now - 2 * ROWS * SECOND
    desk.source.logs = [
        log_line(
            n, begin + n * SECOND, f"line {n}", agent=PLANNER if n % 2 else AGENT, attributes=f'{{"task":"t-{n // 4}"}}'
        )
        for n in range(1, ROWS + 1)
    ]
    one = LogsScreen(desk.context, AgentNames(desk.source), refresh_ms=0)
    one.resize(1_000, 700)
    shown(one)
    return one


def at_hand(screen: LogsScreen) -> str:
    return screen.rows.model.rows[screen.rows.table.currentIndex().row()].text


def listed(screen: LogsScreen) -> list[int]:
    return [int(line.text.split()[1]) for line in screen.rows.model.rows]


def around(screen: LogsScreen, row: int) -> dict[str, Callable[[], object]]:
    screen.rows.table.setCurrentIndex(screen.rows.model.index(row, 0))
    screen.rows.table.customContextMenuRequested.emit(QPoint(5, 5))
    menu = screen.rows.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly)[-1]
    inner = next(action.menu() for action in menu.actions() if action.menu())
    return {action.text(): action.trigger for action in inner.actions()}


def test_what_happened_around_a_record(screen: LogsScreen, desk: Desk) -> None:
    screen.query.write('"line 500"')
    desk.source.answer_all()
    assert listed(screen) == [500]
    offers = around(screen, 0)
    assert list(offers) == ["Records of everybody", "Records of crawler-1", "Records with task t-125"]
    offers["Records of crawler-1"]()
    desk.source.answer_all()
    assert (screen.query.text, at_hand(screen)) == ("agent:crawler-1", "line 500")
    rows = listed(screen)
    assert rows == list(range(500 + 2 * PAGE, rows[-1] - 1, -2))
    assert rows[-1] <= 500 - 2 * (PAGE - 1)
    around(screen, rows.index(500))["Records with task t-125"]()
    desk.source.answer_all()
    assert (listed(screen), at_hand(screen)) == ([503, 502, 501, 500], "line 500")


def test_one_scrolls_up_to_the_newest_and_back_to_live(screen: LogsScreen, desk: Desk) -> None:
    screen.rows.stand_at(RowKey(desk.source.logs[99].key.received_us, 1, 100))
    desk.source.answer_all()
    assert at_hand(screen) == "line 100"
    bar = screen.rows.table.verticalScrollBar()
    for _ in range(10):
        top = screen.rows.table.rowAt(0)
        text = screen.rows.model.rows[top].text
        desk.source.answer_all()
        assert screen.rows.model.rows[screen.rows.table.rowAt(0)].text == text  # nothing moves under the reader
        bar.setValue(0)
        desk.source.answer_all()
    assert listed(screen)[0] == ROWS
    assert screen.rows.standing
    desk.source.logs.append(log_line(ROWS + 1, desk.now, f"line {ROWS + 1}"))
    desk.tail.page(logs=1)
    desk.source.answer_all()
    assert screen.rows.new_button.text() == "1 new"
    screen.rows.new_button.click()
    desk.source.answer_all()
    assert not screen.rows.standing
    assert listed(screen)[0] == ROWS + 1


def test_a_row_that_is_listed_already_is_not_new(screen: LogsScreen, desk: Desk) -> None:
    """It came while newer pages were on their way."""
    screen.rows.stand_at(desk.source.logs[ROWS - 5].key)
    desk.source.answer_next()
    while not any(isinstance(one.request, LogRequest) and one.request.oldest_first for one in desk.source.waiting):
        desk.source.answer_next()
    desk.source.logs.append(log_line(ROWS + 1, desk.now, f"line {ROWS + 1}"))
    desk.tail.page(logs=1)
    desk.source.answer_all()
    assert listed(screen)[0] == ROWS + 1
    assert screen.rows.new_button.isHidden()


@pytest.mark.parametrize(("offset", "text"), [(0, "line 300"), (-1, "line 300"), (1, "line 301")])
def test_at_a_moment_it_stands_at_the_first_row_of_then_or_later(
    screen: LogsScreen, desk: Desk, offset: int, text: str
) -> None:
    screen.rows.stand_at(RowKey(desk.source.logs[299].key.received_us + offset, 0, 0))
    desk.source.answer_all()
    assert at_hand(screen) == text


def test_what_comes_above_comes_also_where_somebody_looked_away(screen: LogsScreen, desk: Desk) -> None:
    screen.rows.stand_at(desk.source.logs[ROWS - 5].key)
    desk.source.answer_next()
    while not screen.rows.model.rows or screen.rows.model.rows[0].text != f"line {ROWS - 4}":
        desk.source.answer_next()
    screen.hide()
    screen.show()
    desk.source.answer_all()
    assert listed(screen)[0] == ROWS


def test_another_stretch_around_the_same_moment_is_listed(screen: LogsScreen, desk: Desk, qtbot: QtBot) -> None:
    moment_us = desk.source.logs[499].key.received_us

    def asked_within() -> bool:
        desk.source.answer_all()
        last = [one for one in desk.source.asked if isinstance(one, LogRequest)][-1]
        return (last.since_us, last.until_us) == (desk.range.current().since_us, desk.range.current().until_us)

    desk.range.zoom(moment_us - 10 * SECOND, moment_us + 10 * SECOND)
    desk.cursor.pin(moment_us)
    qtbot.waitUntil(asked_within)
    desk.range.zoom(moment_us - 30 * SECOND, moment_us + 20 * SECOND)
    qtbot.waitUntil(asked_within)
    assert at_hand(screen) == "line 500"


def test_another_query_begins_with_the_newest_again(screen: LogsScreen, desk: Desk) -> None:
    screen.rows.stand_at(desk.source.logs[99].key)
    desk.source.answer_all()
    screen.query.write("line")
    desk.source.answer_all()
    assert not screen.rows.standing
    assert listed(screen)[0] == ROWS
