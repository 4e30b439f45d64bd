"""Layouts in the window: saved as files of the workspace, opened by menu and palette, handed on as text, taken up again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from app.window.composition import Composition, WindowOptions
from app.window.explore_place import ExplorePlace
from app.window.layouts_controller import LayoutsController
from app.window.places import AGENT, EXPLORE, FLEET, LOGS, MESSAGES
from app.window.screen_place import ScreenPlace
from models.domain.clock import SystemClock
from models.domain.layouts.layout import EMPTY, Layout, Panel, Plotted
from models.domain.layouts.layout_text import read_layout, write_layout
from models.storage.workspace import Workspace
from tests.helpers.history_builder import HistoryBuilder, raw
from widgets.common.state_view import loading

LAYOUT = Layout(Panel(1, (Plotted("one", "queue.depth"),), "Queue"))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.at(tmp_path_factory.mktemp("layouts") / "w")
    builder = HistoryBuilder(workspace)
    segment, now_us = builder.segment(), SystemClock().wall_us()
    for name in ("one", "two"):
        agent = builder.agent(name)
        segment.write(builder.messages([raw(f"agents/{name}/status", at_us=now_us)], agent))
        builder.update_agent_now(agent, presence=1, last_seen_us=now_us, since_us=now_us, cause="status")
    segment.close()
    builder.close()
    return workspace


@pytest.fixture(scope="module")
def window(qapp: QApplication, history: Workspace) -> Iterator[Composition]:
    """One for all tests here: to make it takes seconds."""
    made = Composition(qapp, history, WindowOptions(theme="light", live=False))
    made.window.show()
    made.fill()
    yield made
    made.close()
    made.window.close()
    made.window.deleteLater()


@pytest.fixture
def one(window: Composition, history: Workspace, qtbot: QtBot) -> Composition:
    """With an empty layout and none that is saved."""
    for file in history.layouts.glob("*"):
        file.unlink()
    window.window.show_screen(EXPLORE)
    window.screens.explore.screen.history.begin(EMPTY)
    window.layouts._named("")
    window.layouts._names = []
    return window


def dialogs(one: Composition, kind: type = QDialog) -> list:
    return [dialog for dialog in one.window.findChildren(kind) if dialog.isVisible()]


def answer_name(one: Composition, name: str) -> None:
    (dialog,) = dialogs(one)
    dialog.findChild(QLineEdit).setText(name)
    dialog.accept()


def test_a_layout_is_saved_under_a_name_and_opened_again(one: Composition, history: Workspace, qtbot: QtBot) -> None:
    screen, actions = one.screens.explore.screen, one._actions
    screen.show_layout(LAYOUT)
    actions["explore.save"].trigger()
    answer_name(one, "Queues")
    qtbot.waitUntil((history.layouts / "Queues.toml").exists)
    qtbot.waitUntil(lambda: screen._layouts.text() == "Queues")
    assert read_layout((history.layouts / "Queues.toml").read_text(), "x") == LAYOUT
    screen.commands.use_agents(["two"])
    assert screen._layouts.text() == "Queues •"
    actions["explore.undo"].trigger()
    assert screen._layouts.text() == "Queues"
    screen.commands.use_agents(["two"])
    actions["explore.save"].trigger()
    qtbot.waitUntil(lambda: screen._layouts.text() == "Queues")
    assert read_layout((history.layouts / "Queues.toml").read_text(), "x").agents == ("two",)
    screen.show_ready("resources")
    one.window.show_screen(FLEET)
    entries = {entry.title: entry for entry in one.layouts.entries()}
    entries["Queues"].run()
    qtbot.waitUntil(lambda: screen.history.layout.root == LAYOUT.root)
    assert one.window.shown_screen == EXPLORE


def test_what_is_there_is_replaced_only_when_asked(one: Composition, history: Workspace, qtbot: QtBot) -> None:
    history.layouts.mkdir(exist_ok=True)
    (history.layouts / "Old.toml").write_text(write_layout(Layout(Panel(5))))
    one.screens.explore.screen.show_layout(LAYOUT)
    one._actions["explore.save-as"].trigger()
    answer_name(one, "Old")
    qtbot.waitUntil(lambda: bool(dialogs(one, QMessageBox)))
    assert read_layout((history.layouts / "Old.toml").read_text(), "x") == Layout(Panel(5))
    (box,) = dialogs(one, QMessageBox)
    box.button(QMessageBox.StandardButton.Yes).click()
    qtbot.waitUntil(lambda: read_layout((history.layouts / "Old.toml").read_text(), "x") == LAYOUT)


def test_a_layout_is_renamed_and_deleted_and_stays_on_the_screen(
    one: Composition,
    history: Workspace,
    qtbot: QtBot,
) -> None:
    screen = one.screens.explore.screen
    screen.show_layout(LAYOUT)
    one.layouts._write("A", only_new=True)
    qtbot.waitUntil(one._actions["explore.rename-layout"].isEnabled)
    one._actions["explore.rename-layout"].trigger()
    answer_name(one, "B")
    qtbot.waitUntil(lambda: [file.name for file in history.layouts.iterdir()] == ["B.toml"])
    qtbot.waitUntil(lambda: screen._layouts.text() == "B")
    one._actions["explore.delete-layout"].trigger()
    (box,) = dialogs(one, QMessageBox)
    box.button(QMessageBox.StandardButton.Yes).click()
    qtbot.waitUntil(lambda: not list(history.layouts.iterdir()))
    qtbot.waitUntil(lambda: screen._layouts.text() == "Layouts")
    assert screen.history.layout == LAYOUT
    assert not one._actions["explore.rename-layout"].isEnabled()


def test_a_layout_goes_by_clipboard_and_file(one: Composition, tmp_path: Path, qtbot: QtBot) -> None:
    screen = one.screens.explore.screen
    screen.show_layout(LAYOUT)
    one._actions["explore.copy-layout"].trigger()
    text = QGuiApplication.clipboard().text()
    screen.show_ready("resources")
    one._actions["explore.paste-layout"].trigger()
    assert screen.history.layout == LAYOUT
    file = tmp_path / "from a colleague.toml"
    file.write_text(text.replace("Queue", "Theirs"))
    one.layouts.open_file(str(file))
    qtbot.waitUntil(lambda: screen.history.layout.root.title == "Theirs")


def test_a_damaged_or_newer_layout_says_so_and_changes_nothing(one: Composition, tmp_path: Path, qtbot: QtBot) -> None:
    screen = one.screens.explore.screen
    screen.show_layout(LAYOUT)
    for text, code in (("version = 9", "layout.newer"), ("version = 1\ncolour = 2\n[panel.1]", "layout.unreadable")):
        file = tmp_path / "theirs.toml"
        file.write_text(text)
        one.layouts.open_file(str(file))
        qtbot.waitUntil(lambda code=code: one.window.notices.keys().count(code))
        assert screen.history.layout == LAYOUT
        assert file.read_text() == text


def test_the_layout_is_taken_up_again_by_the_next_window(one: Composition, history: Workspace, qtbot: QtBot) -> None:
    one.screens.explore.screen.show_layout(LAYOUT)
    saved = {"explore": {**one.save_layout()["explore"], "/elsewhere": {"name": "x", "text": "y"}}}
    place = ExplorePlace(one.window, ScreenPlace(one.themes, loading()), one.screens.context, one.screens.names)
    again = LayoutsController(one.window, one._actions, place, history, saved, "")
    assert again.save() == saved
    screen = place.made()
    assert screen.history.layout == LAYOUT
    assert not screen.history.stack.canUndo()
    again.shutdown()
    place._place.deleteLater()


def test_the_menu_holds_ready_and_saved_layouts(one: Composition, history: Workspace, qtbot: QtBot) -> None:
    history.layouts.mkdir(exist_ok=True)
    (history.layouts / "Mine & yours.toml").write_text(write_layout(LAYOUT))
    one.layouts.refresh()
    qtbot.waitUntil(lambda: bool(one.layouts._names))
    menu = QMenu()
    one.layouts.fill_menu(menu)
    texts = [action.text() for action in menu.actions()]
    assert texts[:4] == ["Resources", "Response times", "Errors and connections", "Tasks"]
    assert "Mine && yours" in texts
    next(action for action in menu.actions() if action.text() == "Response times").trigger()
    assert len(list(one.screens.explore.screen.desk.grid.shown)) == 3


def test_fleet_and_agent_lead_to_explore(one: Composition, qtbot: QtBot) -> None:
    one.window.show_screen(FLEET)
    screens = one.screens
    qtbot.waitUntil(lambda: screens.fleet.fleet is not None)
    screens.fleet.table.selectAll()
    one._actions["agent.explore"].trigger()
    assert one.window.shown_screen == EXPLORE
    assert set(screens.explore.screen.history.layout.agents) == {"one", "two"}
    assert screens.looked_at() == ("samples", 0)
    screens.open_agent(1)
    assert screens.agent is not None
    screens.agent.plots.explore_wanted.emit([Plotted("one", "queue.depth")])
    assert one.window.shown_screen == EXPLORE
    assert any(panel.panel.plotted == (Plotted("one", "queue.depth"),) for panel in screens.explore.screen.desk.shown)


def test_a_moment_leads_to_the_logs_and_messages_of_then(one: Composition, qtbot: QtBot) -> None:
    screens, cursor = one.screens, one.window.time_cursor
    at_us = one.clock.wall_us() - 60_000_000
    try:
        screens.explore.screen.logs_wanted.emit(1, at_us)
        assert (one.window.shown_screen, cursor.pinned_us) == (LOGS, at_us)
        qtbot.waitUntil(lambda: screens.logs.agent == 1)
        screens.explore.screen.messages_wanted.emit(0, at_us - 1)
        assert (one.window.shown_screen, cursor.pinned_us) == (MESSAGES, at_us - 1)
        screens.open_agent(1)
        qtbot.waitUntil(lambda: screens.agent.plots._agent is not None)
        cursor.move(at_us + 5)
        qtbot.keyClick(screens.agent.plots.cpu, Qt.Key.Key_L)
        assert (one.window.shown_screen, cursor.pinned_us) == (LOGS, at_us + 5)
        assert screens.logs.agent == 1
        one._actions["go.screen-before"].trigger()
        assert (one.window.shown_screen, cursor.pinned_us) == (AGENT, at_us + 5), "back, at the same moment"
        one._actions["go.screen-before"].trigger()
        assert one.window.shown_screen == LOGS
    finally:
        cursor.pin(None)


def test_a_message_leads_to_the_plots_of_its_agent_at_its_moment(one: Composition, qtbot: QtBot) -> None:
    screens, window = one.screens, one.window
    try:
        screens.open_messages_at(2, one.clock.wall_us())
        window.time_cursor.pin(None)
        qtbot.waitUntil(lambda: len(screens.messages.rows.model.rows) == 1)
        line = screens.messages.rows.model.rows[0]
        window.time_range.zoom(line.key.received_us - 9_000_000, line.key.received_us - 5_000_000)
        menu = QMenu()
        screens.messages.rows.menu_wanted.emit(menu, line)
        next(action for action in menu.actions() if action.text() == "Show on the plots").trigger()
        assert (window.shown_screen, screens.agent.agent) == (AGENT, 2)
        assert window.time_cursor.pinned_us == line.key.received_us
        shown = window.time_range.current()
        assert shown.since_us < line.key.received_us < shown.until_us, "the range moved there"
        one._actions["go.screen-before"].trigger()
        screens.messages.rows.chosen.emit(line)
        window.time_cursor.pin(None)
        one._actions["message.plots"].trigger()
        assert (window.shown_screen, window.time_cursor.pinned_us) == (AGENT, line.key.received_us)
    finally:
        window.time_cursor.pin(None)
        window.time_range.show_last(900_000_000)
