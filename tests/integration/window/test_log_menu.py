"""The Log menu does what fits what is at hand, and is off where nothing is."""

import json

import pytest
from PySide6.QtCore import QItemSelectionModel
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.window.log_menu import LogMenu
from models.domain.records import Level
from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT, SECOND, log_line
from widgets.common.actions import ActionRegistry
from widgets.logs.logs_screen import LogsScreen
from widgets.records.agent_names import AgentNames
from widgets.records.comparison_dialog import ComparisonDialog


@pytest.fixture
def desk(qapp: QApplication, clock) -> Desk:
    return Desk(qapp, clock)


def test_actions_fit_what_is_at_hand(desk: Desk, qtbot: QtBot) -> None:
    desk.source.logs = [
        log_line(n, desk.now - (9 - n) * SECOND, f"line {n}", Level.INFO, AGENT, attributes=f'{{"task":"t-{n // 2}"}}' if n > 3 else "")
        for n in range(1, 8)
    ]  # fmt: skip
    window = QWidget()
    qtbot.addWidget(window)
    actions = ActionRegistry(desk.theme)
    menu = LogMenu(actions, window)
    ids = [
        f"log.{name}"
        for name in ("clear", "save", "around", "around-agent", "around-task", "compare", "copy-json", "message")
    ]

    def enabled() -> set[str]:
        return {one.removeprefix("log.") for one in ids if actions[one].isEnabled()}

    assert enabled() == set()
    screen = LogsScreen(desk.context, AgentNames(desk.source), refresh_ms=0)
    menu.attach(screen)
    qtbot.addWidget(screen)
    with qtbot.waitExposed(screen):
        screen.show()
    desk.source.answer_all()
    assert enabled() == set()
    select = screen.rows.table.selectionModel().select
    rows, which = screen.rows.model, QItemSelectionModel.SelectionFlag
    select(rows.index(0, 0), which.ClearAndSelect | which.Rows)
    assert enabled() == {"around", "around-agent", "around-task", "copy-json"}
    select(rows.index(6, 0), which.ClearAndSelect | which.Rows)
    assert enabled() == {"around", "around-agent", "copy-json"}
    select(rows.index(5, 0), which.Select | which.Rows)
    assert "compare" in enabled()
    actions["log.compare"].trigger()
    (dialog,) = screen.findChildren(ComparisonDialog)
    assert "differ" in dialog.told.text()
    dialog.close()
    select(rows.index(1, 0), which.ClearAndSelect | which.Rows)
    actions["log.copy-json"].trigger()
    assert json.loads(QGuiApplication.clipboard().text())["text"] == "line 6"
    actions["log.around-task"].trigger()
    desk.source.answer_all()
    assert (screen.query.text, [line.text for line in screen.rows.model.rows]) == ("task:t-3", ["line 7", "line 6"])
    assert {"clear", "save"} <= enabled()
    actions["log.clear"].trigger()
    desk.source.answer_all()
    assert screen.query.text == ""
    screen.hide()
    assert enabled() == set()
