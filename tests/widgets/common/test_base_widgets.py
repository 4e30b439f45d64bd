import unicodedata

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QKeySequence, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QPushButton
from pytestqt.qtbot import QtBot

from models.domain.control import Link
from models.domain.messages import Kind, Origin
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import PROBLEMS, Problem, Severity
from models.domain.records import GapCause, Level, Outcome, TaskState
from widgets.common import words
from widgets.common.actions import ActionRegistry
from widgets.common.plain import PlainLabel, tooltip_text, visible
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, no_match
from widgets.common.tables import TableView
from widgets.common.theme import ThemeHolder


@pytest.fixture
def theme(qapp: QApplication) -> ThemeHolder:
    return ThemeHolder(qapp, "light")


# ------------------------------------------------------------------ outside text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("crawler-7", "crawler-7"),
        ("Zażółć gęślą jaźń 日本 🚀", "Zażółć gęślą jaźń 日本 🚀"),
        ("a\nb\r\nc\rd", "a⏎b⏎c\\x0dd"),
        ("\x1b[31mred\x00\t", "\\x1b[31mred\\x00\\t"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("a\u200bb\ufeffc\u2066d\u061c", "a\\u200bb\\ufeffc\\u2066d\\u061c"),
        ("\u3164", "\\u3164"),
        ("\U000e0041", "\\U000e0041"),
        ("lone\ud800", "lone\\ud800"),
    ],
)
def test_hidden_characters_become_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_visible_text_keeps_its_limit() -> None:
    assert visible("x" * 50, 10) == "x" * 9 + "…"
    assert visible("x" * 10, 10) == "x" * 10


def test_no_character_of_a_format_or_control_kind_passes() -> None:
    hidden = [
        chr(code) for code in range(0x11_0000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    assert len(hidden) > 2000
    assert all(visible(character).isprintable() for character in hidden)


def test_label_shows_markup_as_text_and_explains_itself_only_when_cut(qtbot: QtBot) -> None:
    label = PlainLabel("<b>bold</b> name of an agent that is rather long")
    qtbot.addWidget(label)
    assert label.textFormat() is Qt.TextFormat.PlainText
    label.resize(1000, 20)
    label.show()
    assert label.toolTip() == ""
    label.resize(60, 20)
    assert "<b>bold" not in label.toolTip()
    assert "&lt;b&gt;bold" in label.toolTip()
    label.set_text("short")
    label.resize(200, 20)
    assert label.toolTip() == ""


def test_label_elides_what_does_not_fit(qtbot: QtBot, theme: ThemeHolder) -> None:
    label = PlainLabel("wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww")
    qtbot.addWidget(label)
    label.resize(80, 20)
    cut = label.grab().toImage()
    label.set_text("wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww")
    assert label.grab().toImage() == cut


def test_tooltip_is_escaped_only_where_qt_would_read_markup() -> None:
    assert tooltip_text("a < b") == "a < b"
    assert "<img" not in tooltip_text("<img src=x>")


# ------------------------------------------------------------------ words


def test_every_code_has_a_word() -> None:
    tables = {
        words.presence_word: Presence, words.condition_word: Condition, words.cause_word: Cause,
        words.cause_sentence: Cause, words.gap_word: GapCause, words.level_word: Level, words.task_word: TaskState,
        words.outcome_word: Outcome, words.link_word: Link, words.origin_word: Origin, words.kind_word: Kind,
        words.severity_word: Severity,
    }  # fmt: skip
    for word, codes in tables.items():
        assert len({word(code) for code in codes}) == len(codes), word.__name__  # type: ignore[operator]


def test_condition_is_told_beside_online_only() -> None:
    assert words.presence_word(Presence.ONLINE, Condition.DEGRADED) == "online, degraded"
    assert words.presence_word(Presence.OFFLINE, Condition.DEGRADED) == "offline"


def test_problem_is_told_with_its_parameters_made_visible() -> None:
    sentence, remedy = words.problem_text(Problem("broker.name", {"host": "evil\u202ehost"}))
    assert sentence == "There is no computer named evil\\u202ehost."
    assert remedy.startswith("Check the spelling")
    assert all(words.problem_text(Problem(code))[0] for code in PROBLEMS)


# ------------------------------------------------------------------ states


def test_state_view_shows_reason_and_offers_one_way_on(qtbot: QtBot, theme: ThemeHolder) -> None:
    content, calls = QLabel("content"), []
    stack = StateStack(content, theme)
    qtbot.addWidget(stack)
    stack.show()
    assert stack.view.state.kind is StateKind.LOADING
    stack.show_state(no_match(lambda: calls.append("clear")))
    button = stack.view.findChild(QPushButton)
    assert button.isVisible()
    assert button.text() == "Clear filter"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert calls == ["clear"]
    stack.show_state(ViewState(StateKind.EMPTY, "No agents yet", "Connect to a broker."))
    assert not button.isVisible()
    assert stack.view.accessibleName() == "No agents yet"
    assert stack.view.accessibleDescription() == "Connect to a broker."
    stack.show_content()
    assert stack.shows_content
    assert content.isVisible()


def test_failed_state_tells_the_problem(qtbot: QtBot, theme: ThemeHolder) -> None:
    stack = StateStack(QLabel(), theme)
    qtbot.addWidget(stack)
    stack.show_state(failed(Problem("workspace.missing", {"path": "/tmp/x"}), retry=lambda: None))
    assert stack.view.accessibleName() == "There is no workspace in /tmp/x."
    assert stack.view.findChild(QPushButton).text() == "Try again"


# ------------------------------------------------------------------ actions


def test_registry_fills_menus_and_lists_shortcuts(qtbot: QtBot, theme: ThemeHolder) -> None:
    window, calls = QMainWindow(), []
    qtbot.addWidget(window)
    actions = ActionRegistry(theme)
    actions.install(window.menuBar(), window)
    actions.add("view.refresh", "&Refresh", lambda: calls.append("refresh"), "F5")
    actions.add("view.full", "Full screen", calls.append, "F11", checkable=True)
    actions.add("help.about", "About R&&D", lambda: None, menu="Help")
    menus = {action.text(): action.menu() for action in window.menuBar().actions()}
    assert list(menus) == ["&View", "&Help"]
    assert [action.text() for action in menus["&View"].actions()] == ["&Refresh", "Full screen"]
    assert [(entry.menu, entry.text, entry.shortcut) for entry in actions.entries()] == [
        ("View", "Refresh", "F5"), ("View", "Full screen", "F11"), ("Help", "About R&D", ""),
    ]  # fmt: skip
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.menuBar().hide()
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert calls == ["refresh", True]


def test_a_menu_has_the_same_order_whenever_its_actions_come(qtbot: QtBot, theme: ThemeHolder) -> None:
    def shown(*, early: bool) -> list[str]:
        window = QMainWindow()
        qtbot.addWidget(window)
        actions = ActionRegistry(theme, window)
        if early:
            actions.install(window.menuBar(), window)
        actions.add("file.open", "Open", lambda: None, menu="File")
        actions.add("file.quit", "Quit", lambda: None, "Ctrl+Q", menu="File", role=QAction.MenuRole.QuitRole)
        actions.separate("File")
        actions.add("file.export", "Export", lambda: None, "Ctrl+E", menu="File")
        if not early:
            actions.install(window.menuBar(), window)
        assert actions["file.export"] in window.actions()
        return [one.text() if not one.isSeparator() else "-" for one in window.menuBar().actions()[0].menu().actions()]

    assert shown(early=True) == shown(early=False) == ["Open", "-", "Export", "-", "Quit"]


def test_registry_refuses_what_is_taken(theme: ThemeHolder) -> None:
    actions = ActionRegistry(theme)
    actions.add("one", "One", lambda: None, "Ctrl+1")
    with pytest.raises(ValueError, match="exists"):
        actions.add("one", "Again", lambda: None)
    with pytest.raises(ValueError, match=r"Ctrl\+1"):
        actions.add("two", "Two", lambda: None, QKeySequence("Ctrl+1"))
    actions.remove("one")
    actions.add("two", "Two", lambda: None, "Ctrl+1")


# ------------------------------------------------------------------ tables


def test_no_title_of_a_column_is_cut(qtbot: QtBot) -> None:
    model = QStandardItemModel(0, 3)
    model.setHorizontalHeaderLabels(["Messages", "Messages", "Size"])
    table = TableView("Captures")
    qtbot.addWidget(table)
    table.start_with(model, (20, 400))
    needed = table.horizontalHeader().fontMetrics().horizontalAdvance("Messages")
    assert needed + 12 <= table.columnWidth(0) < 400
    assert table.columnWidth(1) == 400


@pytest.fixture
def table(qtbot: QtBot, theme: ThemeHolder) -> TableView:
    model = QStandardItemModel(0, 3)
    model.setHorizontalHeaderLabels(["Agent", "CPU", "Seen"])
    for row in (("alpha", "1 %", "2\ts"), ("beta", "2 %", "3 s"), ("gamma", "3 %", "4 s")):
        model.appendRow([QStandardItem(cell) for cell in row])
    view = TableView("Agents")
    model.setParent(view)
    qtbot.addWidget(view)
    view.start_with(model, (120, 60), hidden=(2,))
    return view


def test_rows_are_copied_as_shown(table: TableView, qtbot: QtBot) -> None:
    table.horizontalHeader().moveSection(1, 0)
    table.selectRow(1)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "2 %\tbeta"
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert QGuiApplication.clipboard().text() == "CPU\tAgent\n2 %\tbeta"
    table.setColumnHidden(2, False)
    choose = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
    table.selectionModel().select(table.model().index(0, 0), choose)
    assert table.selection_as_text() == "1 %\talpha\t2 s"


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard")  # the offscreen platform, for any popup
def test_the_menu_of_a_table_copies_both_ways(table: TableView) -> None:
    def entries() -> dict[str, QAction]:
        QApplication.sendEvent(table, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(3, 3), QPoint(3, 3)))
        return {action.text(): action for action in QApplication.activePopupWidget().actions()}

    table.clearSelection()
    assert [one.isEnabled() for one in entries().values()] == [False, False], "nothing is selected"
    QApplication.activePopupWidget().close()
    table.selectRow(0)
    entries()["Copy with headers"].trigger()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 2
    QApplication.activePopupWidget().close()


def test_columns_are_shown_hidden_saved_and_reset(table: TableView, qtbot: QtBot) -> None:
    ticks = {action.text(): action for action in table.header_menu().actions()}
    assert [ticks[name].isChecked() for name in ("Agent", "CPU", "Seen")] == [True, True, False]
    ticks["CPU"].trigger()
    assert table.isColumnHidden(1)
    saved = table.save_columns()
    last = {action.text(): action for action in table.header_menu().actions()}
    assert not last["Agent"].isEnabled(), "the last column cannot be hidden"
    table.reset_columns()
    assert not table.isColumnHidden(1)
    assert table.restore_columns(saved)
    assert table.isColumnHidden(1)
    assert not table.restore_columns("nonsense ąę")
    assert table.isColumnHidden(1)


def test_typing_jumps_to_a_row(table: TableView, qtbot: QtBot) -> None:
    table.setCurrentIndex(table.model().index(0, 0))
    qtbot.keyClicks(table, "ga")
    assert table.currentIndex().row() == 2
