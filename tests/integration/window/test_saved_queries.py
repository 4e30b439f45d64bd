"""Queries for log records are kept in the workspace: by name, and those that were looked for last."""

import pytest
from PySide6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot

from app.queries_file import Queries, QueriesFile
from app.window.composition import Composition
from app.window.places import LOGS


def test_a_query_is_saved_used_again_and_forgotten(
    live_window: Composition, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_args, **_more: ("broken", True))
    assert live_window.screens is not None
    live_window.window.show_screen(LOGS)
    logs, file = live_window.screens.logs_screen(), QueriesFile(live_window._workspace.queries)
    logs.query.write('level>=error "timed out"')
    logs.kept.menu().aboutToShow.emit()
    texts = {action.text(): action for action in logs.kept.menu().actions()}
    texts["&Save this query…"].trigger()
    qtbot.waitUntil(lambda: file.load().saved == {"broken": 'level>=error "timed out"'})
    logs.query.clear()
    qtbot.waitUntil(lambda: bool(logs.kept._saved))
    logs.kept.menu().aboutToShow.emit()
    next(action for action in logs.kept.menu().actions() if action.text() == "broken").trigger()
    assert logs.query.text == 'level>=error "timed out"'
    logs.kept.forget_wanted.emit("broken")
    qtbot.waitUntil(lambda: file.load().saved == {})


def test_what_was_looked_for_a_while_is_remembered(live_window: Composition, qtbot: QtBot) -> None:
    assert live_window.screens is not None
    live_window.window.show_screen(LOGS)
    logs, file = live_window.screens.logs_screen(), QueriesFile(live_window._workspace.queries)
    logs.query.write("level:warn")
    assert live_window._parts.queries._settled.isActive()
    live_window._parts.queries._settled.timeout.emit()
    qtbot.waitUntil(lambda: file.load() == Queries({}, ("level:warn",)))
    logs.query.write("level:")  # makes no sense
    live_window._parts.queries._settled.timeout.emit()
    assert file.load().recent == ("level:warn",)
