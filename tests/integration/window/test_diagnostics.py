import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.diagnostics.report import Asked
from app.window.diagnostics import Diagnostics
from app.window.help_menu import HelpMenu, window_facts
from models.storage.workspace import Workspace
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import HistoryBuilder
from widgets.common.actions import ActionRegistry
from widgets.common.state_view import StateKind
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace.at(tmp_path / "w")
    builder = HistoryBuilder(workspace)
    builder.agent("crawler-1")
    builder.close()
    workspace.log.write_text(json.dumps({"text": "crawler-1 said mqtt://me:canary@h"}) + "\n")
    return workspace


@pytest.fixture
def window(qapp: QApplication, clock: FakeClock, qtbot: QtBot) -> MainWindow:
    theme = ThemeHolder(qapp, "light")
    made = MainWindow(theme, ActionRegistry(theme), clock)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def diagnostics(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> Iterator[Diagnostics]:
    made = Diagnostics(lambda: Asked(workspace, None, window_facts(window)), window._theme, window)
    made.open()
    assert made.dialog._stack.view.state.kind is StateKind.LOADING
    assert not made.dialog.save.isEnabled()
    qtbot.waitUntil(lambda: bool(made.dialog.files))
    yield made
    made._close()


def chosen(diagnostics: Diagnostics, name: str) -> str:
    texts = list(diagnostics.dialog.files)
    diagnostics.dialog.list.setCurrentRow(texts.index(name))
    return diagnostics.dialog.text.toPlainText()


def test_everything_can_be_read_before_it_is_saved(diagnostics: Diagnostics, tmp_path: Path, qtbot: QtBot) -> None:
    assert "Nothing of this was sent" in chosen(diagnostics, "README.txt")
    assert "offscreen" in chosen(diagnostics, "system.txt")
    assert "agent-1 said mqtt://***@h" in chosen(diagnostics, "recorder.log")
    copy = next(one for one in diagnostics.dialog.findChildren(QPushButton) if one.text() == "&Copy this text")
    copy.click()
    assert "agent-1" in QGuiApplication.clipboard().text()
    diagnostics.save(str(tmp_path / "report.zip"))
    qtbot.waitUntil(lambda: any("Saved as" in one.text() for one in diagnostics.dialog.findChildren(QLabel)))
    with zipfile.ZipFile(tmp_path / "report.zip") as packed:
        saved = {name.rpartition("/")[2]: packed.read(name).decode() for name in packed.namelist()}
    assert saved == diagnostics.dialog.files


def test_names_are_in_it_only_where_they_are_wanted(diagnostics: Diagnostics, qtbot: QtBot) -> None:
    chosen(diagnostics, "recorder.log")
    diagnostics.dialog.names.click()
    qtbot.waitUntil(lambda: "crawler-1 said mqtt://***@h" in diagnostics.dialog.text.toPlainText())
    diagnostics.dialog.names.click()
    qtbot.waitUntil(lambda: "agent-1 said" in diagnostics.dialog.text.toPlainText())


def test_a_file_that_cannot_be_written_is_told(diagnostics: Diagnostics, tmp_path: Path, qtbot: QtBot) -> None:
    diagnostics.save(str(tmp_path / "gone" / "report.zip"))
    qtbot.waitUntil(lambda: any("cannot be used" in one.text() for one in diagnostics.dialog.findChildren(QLabel)))


def test_closing_it_ends_the_gathering_and_it_opens_anew(diagnostics: Diagnostics, qtbot: QtBot) -> None:
    token = diagnostics._token
    diagnostics.dialog.reject()
    assert token.cancelled
    assert diagnostics.dialog is None
    diagnostics.open()
    qtbot.waitUntil(lambda: bool(diagnostics.dialog.files))


def test_help_offers_it(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> None:
    menu = HelpMenu(window, window._actions, window._theme, workspace, None)
    window._actions["help.diagnostics"].trigger()
    qtbot.waitUntil(lambda: bool(menu._diagnostics.dialog.files))
    menu._diagnostics._close()
    for name in ("help.about", "help.guide"):
        window._actions[name].trigger()
    shown = [one.windowTitle() for one in QApplication.topLevelWidgets() if one.isVisible()]
    assert {"About Murmurscope", "Guide – Murmurscope"} <= set(shown)
