"""Lists of stored rows: pages on scroll, live at the top, nothing moves under the reader."""

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from models.domain.messages import Properties
from models.domain.problems import Problem
from models.domain.queries import LogRequest, MessageRequest, RowKey, TaskLine, TaskRequest
from models.domain.records import Level, TaskState
from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT, SECOND, log_line, message_line
from widgets.common.state_view import StateKind
from widgets.records import paged_list
from widgets.records.log_list import LogList
from widgets.records.message_list import MessageList, preview
from widgets.records.record_dialog import as_hex, as_json, log_dialog, message_dialog, task_dialog
from widgets.records.task_list import TaskList


def make(desk: Desk, shown: Any, kind: type = LogList) -> Any:
    rows = kind(desk.context, refresh_ms=0)
    rows.resize(800, 300)
    rows.show_agent(AGENT)
    return shown(rows)


def logs(desk: Desk, count: int) -> None:
    desk.source.logs = [log_line(n, desk.now - 1000 * SECOND + n) for n in range(count)]


def cell(rows: Any, row: int, column: int) -> str:
    return str(rows.model.index(row, column).data())


def settle(desk: Desk, rows: Any, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: bool(desk.source.waiting))
    desk.source.answer_all()


def test_newest_first_and_older_ones_on_scroll(desk: Desk, shown) -> None:
    logs(desk, 500)
    rows = make(desk, shown)
    assert rows.model.rowCount() == 200
    assert cell(rows, 0, 3) == "line 499"
    rows.table.scrollToBottom()
    desk.source.answer_all()
    rows.table.scrollToBottom()
    desk.source.answer_all()
    rows.table.scrollToBottom()
    assert rows.model.rowCount() == 500
    assert [row.key.seq for row in rows.model.rows] == list(range(499, -1, -1))
    assert desk.source.waiting == []


def test_at_the_top_new_rows_come_in(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 50)
    rows = make(desk, shown)
    rows.table.selectRow(3)
    logs(desk, 53)
    rows.rows_added()
    settle(desk, rows, qtbot)
    assert cell(rows, 0, 3) == "line 52"
    assert rows.model.rowCount() == 53
    assert rows.table.selectionModel().selectedRows()[0].row() == 6  # the same record
    assert rows.new_button.isHidden()


def test_further_down_nothing_moves_and_a_button_counts(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 100)
    rows = make(desk, shown)
    bar = rows.table.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    place = bar.value()
    logs(desk, 112)
    rows.rows_added()
    settle(desk, rows, qtbot)
    assert bar.value() == place
    assert rows.model.rowCount() == 100
    assert rows.new_button.text() == "12 new"
    logs(desk, 1_304)
    rows.rows_added()
    settle(desk, rows, qtbot)
    assert rows.new_button.text() == "1\u202f204 new"
    assert bar.value() == place
    rows.new_button.click()
    desk.source.answer_all()
    assert rows.at_top
    assert [row.key.seq for row in rows.model.rows] == list(range(1_303, 1_103, -1))
    assert rows.new_button.isHidden()


def test_a_search_that_finds_little_tells_how_far_it_is_and_goes_on(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 500)
    desk.source.search_rows = 100
    rows = make(desk, shown)
    asked = len(desk.source.asked)
    rows.search.setText("line 123")
    rows.reload()
    for piece in range(5):
        assert rows.stack.view.state.kind is StateKind.LOADING or piece >= 4
        assert rows.hint.text().startswith("searched back to ") == (piece > 0)
        desk.source.answer_next()
    assert [row.key.seq for row in rows.model.rows] == [123]
    assert rows.hint.isHidden()
    assert len(desk.source.asked) == asked + 5
    rows.search.setText("nowhere")
    rows.reload()
    desk.source.answer_next()
    rows.clear_filter()  # nobody waits for the rest
    desk.source.answer_all()
    assert rows.model.rowCount() == 200
    assert len(desk.source.asked) == asked + 9


def test_a_search_that_is_left_goes_on_when_one_comes_back(desk: Desk, shown) -> None:
    logs(desk, 300)
    desk.source.search_rows = 100
    rows = make(desk, shown)
    rows.search.setText("line 7")
    rows.reload()
    desk.source.answer_next()
    rows.hide()
    desk.source.answer_all()
    assert rows.stack.view.state.sentence == "Searching…"
    rows.show()
    desk.source.answer_all()
    assert [row.key.seq for row in rows.model.rows][-2:] == [70, 7]


def test_older_rows_that_cannot_be_read_are_told(desk: Desk, shown) -> None:
    logs(desk, 300)
    rows = make(desk, shown)
    desk.source.problem = Problem("store.io", {"path": "x.db", "detail": "gone"})
    rows.table.scrollToBottom()
    desk.source.answer_all()
    assert rows.hint.text() == "x.db could not be read or written: gone."
    assert rows.model.rowCount() == 200


def test_coming_back_to_the_list_finds_the_same_place(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 150)
    rows = make(desk, shown)
    bar = rows.table.verticalScrollBar()
    bar.setValue(900)
    rows.table.selectRow(40)
    rows.hide()
    logs(desk, 250)
    rows.rows_added()
    rows.show()
    settle(desk, rows, qtbot)
    assert bar.value() == 900
    assert rows.model.rowCount() == 150
    assert rows.new_button.text() == "100 new"
    bar.setValue(0)
    desk.source.answer_all()
    assert rows.model.rowCount() == 250
    assert rows.table.selectionModel().selectedRows()[0].row() == 140


def test_days_at_the_top_do_not_fill_the_memory(desk: Desk, shown, qtbot: QtBot, monkeypatch) -> None:
    monkeypatch.setattr(paged_list, "KEPT", 300)
    logs(desk, 190)
    rows = make(desk, shown)
    for count in range(290, 700, 100):
        logs(desk, count)
        rows.rows_added()
        settle(desk, rows, qtbot)
        assert rows.model.rowCount() <= 300
    rows.table.scrollToBottom()
    desk.source.answer_all()
    kept = [row.key.seq for row in rows.model.rows]
    assert kept == list(range(689, kept[-1] - 1, -1)), "what was let go is read again"


def test_more_new_rows_than_a_page_begin_anew(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 10)
    rows = make(desk, shown)
    logs(desk, 900)
    rows.rows_added()
    settle(desk, rows, qtbot)
    assert rows.model.rowCount() == 200
    assert [row.key.seq for row in rows.model.rows] == list(range(899, 699, -1))


def test_a_flood_is_one_question_at_a_time(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 10)
    rows = make(desk, shown)
    before = desk.source.count(LogRequest)
    for _ in range(100):
        rows.rows_added()
    assert desk.source.count(LogRequest) == before + 1


def test_hidden_it_asks_for_nothing_and_catches_up_when_shown(desk: Desk, shown) -> None:
    logs(desk, 10)
    rows = make(desk, shown)
    rows.hide()
    before = len(desk.source.asked)
    logs(desk, 20)
    rows.rows_added()
    desk.range.show_last(30 * SECOND)
    assert len(desk.source.asked) == before
    rows.show()
    desk.source.answer_all()
    assert rows.model.rowCount() == 20


def test_level_and_text_filter_and_the_way_back(desk: Desk, shown, qtbot: QtBot) -> None:
    desk.source.logs = [log_line(n, desk.now - n, f"line {n}", Level(n % 6)) for n in range(60)]
    rows = make(desk, shown)
    rows.level.setCurrentIndex(4)
    desk.source.answer_all()
    assert {row.level for row in rows.model.rows} == {Level.ERROR, Level.FATAL}
    qtbot.keyClicks(rows.search, "nowhere")
    settle(desk, rows, qtbot)
    assert rows.stack.view.state.kind is StateKind.NO_MATCH
    rows.stack.view._button.click()
    desk.source.answer_all()
    assert rows.model.rowCount() == 60
    assert rows.search.text() == ""


def test_paused_it_lists_the_range_only(desk: Desk, shown) -> None:
    rows = make(desk, shown)
    desk.range.zoom(desk.now - 100 * SECOND, desk.now - 50 * SECOND)
    request = desk.source.asked[-1]
    assert (request.since_us, request.until_us) == (desk.now - 100 * SECOND, desk.now - 50 * SECOND)
    asked = len(desk.source.asked)
    rows.rows_added()
    assert len(desk.source.asked) == asked
    desk.source.answer_all()
    assert rows.stack.view.state.sentence == "No log records in this time"
    rows.stack.view._button.click()
    assert desk.range.live, "the way back"


def test_a_problem_is_told_with_a_way_to_try_again(desk: Desk, shown) -> None:
    desk.source.problem = Problem("store.io", {"path": "x.db", "detail": "gone"})
    rows = make(desk, shown)
    assert rows.stack.view.state.kind is StateKind.ERROR
    desk.source.problem = None
    logs(desk, 3)
    rows.stack.view._button.click()
    desk.source.answer_all()
    assert rows.stack.shows_content


def test_the_pointer_on_a_row_moves_the_time_cursor(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 5)
    rows = make(desk, shown)
    where = rows.table.visualRect(rows.model.index(2, 3)).center()
    qtbot.mouseMove(rows.table.viewport(), where + QPoint(1, 1))
    assert desk.cursor.time_us == rows.model.rows[2].time_us
    QApplication.sendEvent(rows.table.viewport(), QEvent(QEvent.Type.Leave))
    assert desk.cursor.time_us is None


def test_levels_have_icon_and_word(desk: Desk, shown) -> None:
    desk.source.logs = [log_line(n, desk.now - n, level=Level(n)) for n in range(6)]
    rows = make(desk, shown)
    words = [cell(rows, row, 1) for row in range(6)]
    assert words == ["trace", "debug", "info", "warn", "error", "fatal"]
    assert all(not rows.model.index(row, 1).data(Qt.ItemDataRole.DecorationRole).isNull() for row in range(6))


def test_messages_tell_how_they_came(desk: Desk, shown) -> None:
    desk.source.messages = [
        message_line(3, desk.now, b'{"a": 1}')._replace(retain=True),
        message_line(2, desk.now - 5, b"\xff\xfe\x00"),
        message_line(1, desk.now - 9, b"x" * 70_000),
    ]
    rows = make(desk, shown, MessageList)
    assert [cell(rows, 0, column) for column in range(1, 8)] == [
        "agents/crawler-1/metrics", "metrics", "1", "retained", "live", "8 B", '{"a": 1}',
    ]  # fmt: skip
    assert cell(rows, 1, 7) == "ff fe 00"
    assert cell(rows, 2, 7).endswith("…")
    assert desk.source.count(MessageRequest) == 1


def test_a_character_cut_in_two_is_no_reason_to_show_bytes() -> None:
    assert preview("ż".encode() * 200).startswith("żż")
    assert preview(b"a" + "ż".encode() * 200).startswith("aż")


def test_tasks_come_in_larger_pages(desk: Desk, shown) -> None:
    nan = float("nan")
    desk.source.tasks = [
        TaskLine(RowKey(desk.now - n, 1, n), f"t-{n}", AGENT, "crawl", TaskState(1 + n % 8), "", "planner",
                 desk.now - 9 * SECOND, 0, desk.now - 4 * SECOND, 1, 0.5 if n else nan, "", "")
        for n in range(250)
    ]  # fmt: skip
    rows = make(desk, shown, TaskList)
    assert rows.model.rowCount() == 200
    rows.table.scrollToBottom()
    desk.source.answer_all()
    assert rows.model.rowCount() == 250
    assert [cell(rows, 0, column) for column in (1, 3, 4, 5)] == ["t-0", "submitted", "–", "5 s"]
    assert cell(rows, 1, 4) == "50 %"


def test_at_a_moment_every_task_stands_as_it_was_last_reported_by_then(desk: Desk, shown, qtbot: QtBot) -> None:
    nan = float("nan")
    desk.source.tasks = [
        TaskLine(RowKey(desk.now - n * SECOND, 1, 500 - n), f"t-{n}", AGENT, "crawl", TaskState.WORKING, "", "planner",
                 desk.now - 999 * SECOND, 0, 0, 1, nan, "", "")
        for n in range(0, 500, 10)
    ]  # fmt: skip
    desk.range.zoom(desk.now - 60 * SECOND, desk.now)
    rows = make(desk, shown, TaskList)
    asked = desk.source.count(TaskRequest)

    def stands_at(task: str) -> bool:
        desk.source.answer_all()
        return bool(rows.model.rows) and rows.model.rows[0].task == task

    desk.cursor.pin(desk.now - 20 * SECOND)
    qtbot.waitUntil(lambda: stands_at("t-20"))
    assert rows.model.rowCount() == 48  # also those that were silent since before the range
    assert rows.table.currentIndex().row() == 0
    assert desk.source.count(TaskRequest) == asked + 1  # nothing is newer than the moment
    desk.cursor.pin(desk.now - 31 * SECOND)
    qtbot.waitUntil(lambda: stands_at("t-40"))
    desk.cursor.pin(desk.now - 600 * SECOND)
    qtbot.waitUntil(lambda: not stands_at("t-40") and not rows.model.rows)
    assert rows.stack.view.state.sentence == "No task had been reported by then"
    desk.cursor.pin(None)
    qtbot.waitUntil(lambda: stands_at("t-10"))
    assert rows.model.rowCount() == 6  # those of the range


def test_rows_are_copied_as_shown(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 2)
    rows = make(desk, shown)
    rows.table.selectAll()
    qtbot.keyClick(rows.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text().split("\n")
    assert [line.split("\t")[1:] for line in copied] == [
        ["info", "crawler.fetch", "line 1"],
        ["info", "crawler.fetch", "line 0"],
    ]


def test_a_double_click_opens_the_whole_record(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 2)
    rows = make(desk, shown)
    with qtbot.waitSignal(rows.opened) as opened:
        rows.table.activated.emit(rows.model.index(1, 0))
    assert opened.args[0].text == "line 0"


def pages_of(dialog: Any) -> dict[str, str]:
    found = {}
    for place in range(dialog.tabs.count()):
        page = dialog.tabs.widget(place)
        assert isinstance(page, QPlainTextEdit)
        found[dialog.tabs.tabText(place)] = page.toPlainText()
    return found


def test_a_message_in_full_is_json_text_and_bytes(desk: Desk, shown, qtbot: QtBot) -> None:
    rows = make(desk, shown, MessageList)
    line = message_line(1, desk.now, b'{"b": [1, 2], "a": "\\ud800<b>"}')
    line = line._replace(properties=Properties("application/json", "reply/1", b"\x01\x02", 5, (("k", "v"),)))
    dialog = message_dialog(line, rows)
    qtbot.addWidget(dialog)
    pages = pages_of(dialog)
    assert list(pages) == ["JSON", "Text", "Bytes"]
    assert pages["JSON"].startswith('{\n  "b": [\n')
    assert "<b>" in pages["JSON"]
    assert pages["Bytes"].startswith("00000000  7b 22 62")


@pytest.mark.parametrize("payload", [b"12", b"[" * 100_000, b'{"a":', b"\xff", b""])
def test_what_is_no_json_is_no_json(payload: bytes) -> None:
    assert as_json(payload) is None
    assert as_hex(payload[:16]).count("\n") == 0


def test_logs_and_tasks_in_full_hide_nothing(desk: Desk, shown, qtbot: QtBot) -> None:
    rows = make(desk, shown)
    line = log_line(1, desk.now, "first\nsecond \u202e\x1b[31m", stack="Traceback\n  x", attributes='{"a":1}')
    dialog = log_dialog(line, rows)
    qtbot.addWidget(dialog)
    pages = pages_of(dialog)
    assert pages["Text"] == "first\nsecond \\u202e\\x1b[31m"
    assert pages["Stack"] == "Traceback\n  x"
    assert pages["Attributes"] == '{\n  "a": 1\n}'
    key = RowKey(desk.now, 1, 1)
    task = TaskLine(key, "t", AGENT, "", TaskState.FAILED, "", "", 0, 0, 0, 0, float("nan"), "", "boom")
    dialog = task_dialog(task, rows)
    qtbot.addWidget(dialog)
    assert pages_of(dialog) == {"Error": "boom", "Result": ""}


def test_a_row_is_chosen_by_somebody_not_by_the_focus(desk: Desk, shown, qtbot: QtBot) -> None:
    logs(desk, 5)
    rows = make(desk, shown)
    chosen: list[str] = []
    rows.chosen.connect(lambda line: chosen.append(line.text))
    rows.table.setFocus()
    qtbot.waitUntil(lambda: rows.table.currentIndex().isValid())
    assert chosen == []
    qtbot.keyClick(rows.table, Qt.Key.Key_Down)
    qtbot.keyClick(rows.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert chosen == ["line 3", "line 2"]
    assert [row.text for row in rows.selected] == ["line 3", "line 2"]
