from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.window.layout_file import LayoutFile
from app.window.palette import Palette
from models.domain.time_range import parse_moment
from tests.helpers.clock import FakeClock
from tests.helpers.fleet_results import fleet_of
from widgets.common.actions import ActionRegistry
from widgets.common.theme import ThemeHolder
from widgets.frame.command_palette import CommandPalette
from widgets.frame.main_window import MainWindow

pytestmark = pytest.mark.qt_log_ignore("does not support grabbing the keyboard")


class Desk:
    def __init__(self, app: QApplication, clock: FakeClock, file: LayoutFile | None) -> None:
        theme = ThemeHolder(app, "light")
        self.actions = ActionRegistry(theme)
        self.window = MainWindow(theme, self.actions, clock)
        self.opened: list[int] = []
        self.fleet = fleet_of(4)
        self.palette = Palette(self.window, self.actions, theme, file, lambda: self.fleet, self.opened.append)

    def choose(self, typed: str, qtbot: QtBot) -> list[str]:
        """Open, type, Enter; the titles that were offered."""
        self.actions["go.palette"].trigger()
        palette = self.window.findChild(CommandPalette)
        palette.line.setText(typed)
        offered = [one.title for one in palette._found.entries]
        palette.line.returnPressed.emit()
        return offered


@pytest.fixture
def file(tmp_path: Path) -> LayoutFile:
    return LayoutFile(tmp_path / "window.json")


@pytest.fixture
def desk(qapp: QApplication, clock: FakeClock, file: LayoutFile, qtbot: QtBot) -> Desk:
    made = Desk(qapp, clock, file)
    qtbot.addWidget(made.window)
    made.window.show()
    return made


def test_offers_what_can_be_done_now_and_runs_it(desk: Desk, qtbot: QtBot) -> None:
    assert "Close side panel" not in desk.choose("", qtbot), "it is disabled"
    offered = desk.choose("dark theme", qtbot)
    assert offered[0] == "Dark theme"
    assert desk.actions["view.theme-dark"].isChecked()


def test_opens_an_agent_by_name_or_id(desk: Desk, qtbot: QtBot) -> None:
    desk.choose("planner 1", qtbot)
    desk.choose("summariser-1", qtbot)
    assert desk.opened == [2, 3]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("2h", "live 2h"),
        ("live 45m", "live 45m"),
        ("2026-11-23T14:00:00Z..2026-11-23T14:15:00Z", "2026-11-23T14:00:00Z..2026-11-23T14:15:00Z"),
    ],
)
def test_goes_to_a_time_range_that_is_typed(desk: Desk, typed: str, shown: str, qtbot: QtBot) -> None:
    desk.choose(typed, qtbot)
    assert desk.window.time_range.as_text() == shown


def test_goes_to_a_moment_that_is_typed(desk: Desk, qtbot: QtBot) -> None:
    assert desk.choose("2026-11-23T14:03", qtbot)[0].startswith("Everything as it was at ")
    at_us = parse_moment("2026-11-23T14:03", 0)
    assert desk.window.time_cursor.pinned_us == at_us
    shown = desk.window.time_range.current()
    assert shown.since_us < at_us < shown.until_us


def test_what_was_used_comes_first_after_a_restart_and_the_file_keeps_the_rest(
    desk: Desk, file: LayoutFile, qapp: QApplication, clock: FakeClock, qtbot: QtBot
) -> None:
    file.save({"theme": "dark"})
    desk.choose("planner 1", qtbot)
    desk.choose("last 1 h", qtbot)
    assert file.load() == {"theme": "dark", "palette": ["view.last-3600000000", "agent:planner-1"]}
    again = Desk(qapp, clock, file)
    qtbot.addWidget(again.window)
    assert again.choose("", qtbot)[:2] == ["Last 1 h", "Planner 1"]


def test_nonsense_in_the_file_is_no_trouble(
    file: LayoutFile, qapp: QApplication, clock: FakeClock, qtbot: QtBot
) -> None:
    file.save({"palette": {"a": 1}})
    made = Desk(qapp, clock, file)
    qtbot.addWidget(made.window)
    assert made.choose("planner 1", qtbot)[0] == "Planner 1"
