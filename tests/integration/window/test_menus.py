"""Everything the window does stands in its menus, with words and keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel
from PySide6.QtGui import QAction, QGuiApplication, QStatusTipEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from app.window.composition import Composition, WindowOptions
from models.domain.clock import SystemClock
from models.storage.workspace import Workspace
from tests.helpers.history_builder import HistoryBuilder, raw
from widgets.plots.plot import TimePlot


@pytest.fixture
def shown(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot) -> Iterator[Composition]:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    builder = HistoryBuilder(Workspace.at(tmp_path / "w"))
    segment = builder.segment()
    now_us = SystemClock().wall_us()
    for name in ("one", "two"):
        agent = builder.agent(name)
        segment.write(builder.messages([raw(f"agents/{name}/status", at_us=now_us)], agent))
        builder.update_agent_now(agent, presence=1, last_seen_us=now_us, since_us=now_us, cause="status")
    segment.close()
    builder.close()
    one = Composition(qapp, Workspace.at(tmp_path / "w"), WindowOptions(theme="light", live=False))
    one.window.resize(1200, 700)
    one.window.show()
    one.fill()
    qtbot.waitUntil(lambda: one.screens.fleet.fleet is not None)
    yield one
    one.close()
    one.window.close()
    qtbot.waitUntil(lambda: not one.frames.running)
    one.window.deleteLater()


def actions(shown: Composition) -> list[QAction]:
    return [entry.action for entry in shown._actions.entries()]


def in_menus(shown: Composition) -> list[QAction]:
    return [action for top in shown.window.menuBar().actions() for action in top.menu().actions()]


def test_every_action_has_words_a_menu_and_keys_of_its_own(shown) -> None:
    entries = shown._actions.entries()
    assert len(entries) > 30
    assert [entry.id for entry in entries if not entry.text or not entry.menu] == []
    assert [entry.id for entry in entries if not entry.action.statusTip()] == [], (
        "the foot of the window says what it does"
    )
    assert [entry.id for entry in entries if entry.action not in in_menus(shown)] == []
    keys = [key.toString() for entry in entries for key in entry.action.shortcuts()]
    assert sorted(keys) == sorted(set(keys))
    assert [key for key in keys if key.startswith("Ctrl+Alt+")] == [], (
        "desktops take them (the terminal), and on many keyboards they type letters"
    )


def test_every_menu_can_be_walked_by_letters(shown) -> None:
    for top in shown.window.menuBar().actions():
        texts = [action.text() for action in top.menu().actions()]
        marks = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
        assert len(marks) == len(set(marks)), texts
    tops = [action.text() for action in shown.window.menuBar().actions()]
    assert len({top[top.index("&") + 1] for top in tops}) == len(tops) <= 10


def test_the_foot_says_what_a_menu_entry_does(shown) -> None:
    QApplication.sendEvent(shown.window, QStatusTipEvent("Ask again"))
    assert shown.window.health_bar._tip.text() == "Ask again"
    QApplication.sendEvent(shown.window, QStatusTipEvent(""))
    assert shown.window.health_bar._tip.text() == ""


def select(shown, *rows: int) -> None:
    table = shown.screens.fleet.table
    table.setFocus()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    table.selectionModel().clear()
    for row in rows:
        table.selectionModel().setCurrentIndex(table.model().index(row, 0), flags)


def enabled(shown) -> set[str]:
    names = {
        entry.id for entry in shown._actions.entries() if entry.id.startswith("agent.") and entry.action.isEnabled()
    }
    return {name.removeprefix("agent.") for name in names}


def test_the_agent_menu_fits_what_is_selected(shown) -> None:
    pauses = {"maintenance-1h", "maintenance-4h", "maintenance-day", "maintenance-until"}
    told = {"task", "ping", "pause", "resume", "drain", "restart", "command"}
    select(shown)
    assert enabled(shown) == set()
    select(shown, 0)
    assert enabled(shown) == {"open", "explore", "rename", "group", "note", "retire", *pauses, *told}
    select(shown, 0, 1)
    assert enabled(shown) == {"explore", "group", "retire", *pauses, *told}


def test_the_agent_menu_acts_on_what_is_selected(shown, qtbot) -> None:
    select(shown, 0, 1)
    with qtbot.waitSignal(shown.screens.command_requested) as told:
        shown._actions["agent.retire"].trigger()
    assert {(one["do"], one["agent"], one["retired"]) for one in told.args[0]} == {
        ("agent.retire", "one", True), ("agent.retire", "two", True),
    }  # fmt: skip
    with qtbot.waitSignal(shown.screens.commands.command_wanted) as told:
        shown._actions["agent.drain"].trigger()
    assert (sorted(told.args[0]), told.args[1]) == (["one", "two"], "drain")
    with qtbot.waitSignal(shown.screens.commands.task_wanted) as told:
        shown._actions["agent.task"].trigger()
    assert sorted(told.args[0]) == ["one", "two"]
    [dialog] = shown._shown.tasks.dialogs
    assert set(dialog.order.to) == {"one", "two"}
    dialog.reject()
    select(shown, 1)
    name = shown.screens.fleet.selected()[0].id
    shown._actions["agent.open"].trigger()
    qtbot.waitUntil(lambda: shown.screens.targets() != [])
    assert [target.id for target in shown.screens.targets()] == [name]
    assert "series" in enabled(shown) or not shown.screens.agent.facts.result.series
    with qtbot.waitSignal(shown.screens.command_requested) as told:
        shown._actions["agent.maintenance-1h"].trigger()
    assert [one["agent"] for one in told.args[0]] == [name]


def test_copy_takes_what_has_the_focus(shown, qtbot) -> None:
    clipboard = QGuiApplication.clipboard()
    select(shown, 0)
    shown._actions["edit.copy-headers"].trigger()
    assert clipboard.text().splitlines()[0].startswith("Agent\t")
    assert len(clipboard.text().splitlines()) == 2
    shown._actions["edit.select-all"].trigger()
    shown._actions["edit.copy"].trigger()
    assert {line.split("\t")[0] for line in clipboard.text().splitlines()} == {"one", "two"}
    shown._actions["edit.filter"].trigger()
    line = QApplication.focusWidget()
    assert isinstance(line, QLineEdit)
    line.setText("some words")
    shown._actions["edit.select-all"].trigger()
    shown._actions["edit.copy"].trigger()
    assert clipboard.text() == "some words"


def test_copy_of_a_plot_gives_its_picture(shown, qtbot) -> None:
    shown.screens.open_agent(1)
    plot = shown.screens.agent.findChildren(TimePlot)[0]
    plot.setFocus()
    shown._actions["edit.copy"].trigger()
    picture = QGuiApplication.clipboard().pixmap()
    assert picture.width() == plot.width() * plot.devicePixelRatioF()
    assert picture.height() > plot.height() * plot.devicePixelRatioF(), "its name and time stand above it"


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard")
def test_a_context_menu_opens_by_key_and_offers_both_ways_to_copy(shown) -> None:
    select(shown, 0)
    shown._actions["edit.context-menu"].trigger()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    texts = [action.text() for action in menu.actions()]
    assert texts[:3] == ["Open", "Copy", "Copy with headers"]
    menu.close()


def test_view_narrows_the_fleet_and_chooses_columns(shown) -> None:
    fleet = shown.screens.fleet
    shown._actions["view.by-group"].trigger()
    assert fleet.model.view.by_group
    fleet.by_group.click()
    assert not shown._actions["view.by-group"].isChecked()
    shown._actions["view.not-well"].trigger()
    assert fleet.model.view.only_not_well
    shown._actions["view.not-well"].trigger()
    menu = shown._actions["view.columns"].menu()
    menu.aboutToShow.emit()
    ticks = {action.text(): action for action in menu.actions()}
    assert ticks["CPU"].isChecked()
    ticks["CPU"].trigger()
    assert fleet.table.isColumnHidden(5)
    ticks["Reset columns"].trigger()
    assert not fleet.table.isColumnHidden(5)
