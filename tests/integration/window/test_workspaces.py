from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from app.settings import Settings, SettingsFile
from app.window import workspaces
from app.window.layout_file import LayoutFile
from app.window.recent_workspaces import RecentWorkspaces
from app.window.workspaces import Workspaces
from models.domain.control import Link, RecorderState
from models.domain.problems import EnvironmentProblem, Problem
from models.storage.workspace import Workspace
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import HistoryBuilder
from widgets.common.actions import ActionRegistry
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow


def at_once(job: Callable[[], None], done: Callable[[Problem | None], None]) -> None:
    try:
        job()
    except EnvironmentProblem as error:
        done(error.problem)
    else:
        done(None)


def state(url: str, *, embedded: bool = False) -> RecorderState:
    return RecorderState(1, "0", 1, "window", 0, Link.CONNECTED, 0, url, embedded=embedded)


class Desk:
    def __init__(self, app: QApplication, clock: FakeClock, folder: Path) -> None:
        theme = ThemeHolder(app, "light")
        self.window = MainWindow(theme, ActionRegistry(theme), clock)
        self.clock, self.recent = clock, RecentWorkspaces(LayoutFile(folder / "window.json"), clock)
        self.here = self.make(folder / "here")
        self.workspaces = Workspaces(self.window, self.window._actions, self.here, self.recent, clock)
        self.workspaces.start(at_once)

    def make(self, root: Path) -> Workspace:
        workspace = Workspace.at(root)
        SettingsFile(workspace.settings).save(Settings())
        return workspace

    def entries(self) -> list[tuple[str, bool]]:
        menu = self.window._actions["file.recent"].menu()
        menu.aboutToShow.emit()
        return [(action.text(), action.isEnabled()) for action in menu.actions() if action.text()]

    def press(self, text: str) -> None:
        menu = self.window._actions["file.recent"].menu()
        menu.aboutToShow.emit()
        next(action for action in menu.actions() if action.text().startswith(text)).trigger()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    arguments: list[tuple[str, ...]] = []
    monkeypatch.setattr(workspaces, "start_window", lambda *words: arguments.append(words))
    return arguments


@pytest.fixture
def desk(qapp: QApplication, clock: FakeClock, tmp_path: Path, qtbot: QtBot, started: list) -> Desk:
    made = Desk(qapp, clock, tmp_path)
    qtbot.addWidget(made.window)
    made.window.show()
    return made


def test_a_workspace_opens_in_a_window_of_its_own(desk: Desk, tmp_path: Path, started: list) -> None:
    other = desk.make(tmp_path / "other")
    desk.workspaces.open_folder(str(other.root))
    assert started == [("--workspace", str(other.root))]
    assert desk.window.notices.keys() == []


def test_an_empty_folder_may_become_one(desk: Desk, tmp_path: Path, started: list) -> None:
    (tmp_path / "empty").mkdir()
    desk.workspaces.open_folder(str(tmp_path / "empty"))
    box = desk.window.findChild(QMessageBox)
    assert "is empty" in box.informativeText()
    assert started == []
    next(button for button in box.buttons() if "Make" in button.text()).click()
    assert started == [("--workspace", str(tmp_path / "empty"))]


def test_other_folders_are_told_and_left_alone(desk: Desk, tmp_path: Path, started: list) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"x")
    desk.workspaces.open_folder(str(tmp_path / "photos"))
    assert "holds other files and no workspace" in desk.window.notices.accessibleName()
    desk.workspaces.open_folder(str(tmp_path / "photos" / "cat.png"))
    assert "cannot be used" in desk.window.notices.accessibleName()
    assert started == []
    assert desk.window.findChild(QMessageBox) is None


def test_a_newer_workspace_is_refused_before_a_window_opens(desk: Desk, tmp_path: Path, started: list) -> None:
    builder = HistoryBuilder(Workspace.at(tmp_path / "newer"))
    builder.close()
    catalogue = bytearray((tmp_path / "newer" / "catalogue.db").read_bytes())
    catalogue[60:64] = (9_999).to_bytes(4, "big")
    (tmp_path / "newer" / "catalogue.db").write_bytes(catalogue)
    desk.workspaces.open_folder(str(tmp_path / "newer"))
    assert "newer Murmurscope" in desk.window.notices.accessibleName()
    assert started == []


def test_recent_workspaces_are_listed_with_broker_and_age(desk: Desk, tmp_path: Path, started: list) -> None:
    assert desk.entries() == [("No other workspace was open yet", False)]
    for name, broker in (("a&b", "mqtts://me@broker.example:8883"), ("old", "")):
        desk.recent.note(desk.make(tmp_path / name), broker)
        desk.clock.advance(3_600_000_000)
    desk.workspaces.recorder_told(state("mqtt://here.example:1883"))
    assert desk.entries() == [
        ("old · broker on this computer · 1 h ago", True), ("a&&b · broker.example · 2 h ago", True),
        ("Remove those that are not there", False), ("Clear this list", True),
    ]  # fmt: skip
    desk.press("a&&b")
    assert started == [("--workspace", str(tmp_path / "a&b"))]
    assert [one.title for one in desk.workspaces.entries()] == ["old", "a&b"]


def test_what_is_gone_is_greyed_and_can_be_taken_off(desk: Desk, tmp_path: Path) -> None:
    desk.recent.note(Workspace.at(tmp_path / "gone"))
    desk.recent.note(desk.make(tmp_path / "there"))
    assert ("gone · not there any more", False) in desk.entries()
    assert [one.title for one in desk.workspaces.entries()] == ["there"]
    desk.press("Remove")
    assert [one.root for one in desk.recent.listed()] == [str(tmp_path / name) for name in ("there", "here")]
    desk.press("Clear")
    assert [one.root for one in desk.recent.listed()] == [str(tmp_path / "here")]


def test_the_broker_chip_offers_the_same(desk: Desk) -> None:
    desk.window.broker_chip.set_actions(desk.workspaces.actions)
    assert [action.text() for action in desk.window.broker_chip.menu().actions()] == [
        "&Open workspace…", "&Recent workspaces",
    ]  # fmt: skip
    assert isinstance(desk.workspaces.actions[1].menu(), QMenu)


def test_the_broker_of_a_workspace_is_kept_without_asking_again(desk: Desk, tmp_path: Path) -> None:
    desk.workspaces.recorder_told(state("mqtt://127.0.0.1:40001", embedded=True))
    assert desk.recent.listed()[0].broker == ""
    desk.workspaces.recorder_told(state("mqtts://me@broker.example:8883"))
    desk.workspaces.recorder_told(None)
    desk.recent.note(desk.here)
    assert desk.recent.listed()[0].broker == "mqtts://me@broker.example:8883"


@pytest.mark.parametrize("saved", [None, 5, [1, {"root": 4}, {"root": "relative"}, {}], {"root": "/x"}])
def test_nonsense_in_the_file_counts_as_nothing(tmp_path: Path, clock: FakeClock, saved: object) -> None:
    file = LayoutFile(tmp_path / "window.json")
    file.save({"recent": saved})
    recent = RecentWorkspaces(file, clock)
    assert recent.listed() == []
    recent.note(Workspace.at(tmp_path))
    assert [one.root for one in recent.listed()] == [str(tmp_path)]
