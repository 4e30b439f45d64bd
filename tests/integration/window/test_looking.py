"""A window on a backup, or on a workspace that was copied: everything to be seen, nothing changed, no recorder."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.looked_at import take_away
from app.window import looking, recorder_process
from app.window.composition import Composition, WindowOptions
from app.window.places import DATA, EXPLORE, LOGS, MESSAGES
from models.domain.layouts.layout import Layout, Panel
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Level, LogRow, PresenceChange
from models.storage.copies.backup import backup_file
from models.storage.identity import client_id, read_workspace_id
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.poll import until
from tests.helpers.store import batch_of, message
from widgets.why.subject import OfAgent

SECOND = 1_000_000
LIMIT_MS = 30_000


@pytest.fixture
def server(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[StoreWriter, Workspace]]:
    """Records: two captures, the second is still open."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    workspace = Workspace.at(tmp_path / "server")
    store = StoreWriter(workspace, clock)
    for n in range(20):
        if n % 10 == 0:
            store.begin_capture("mqtt://broker", client_id(workspace, read_workspace_id(workspace)))
        clock.advance(SECOND)
        batch = batch_of(
            store.names, [message(clock.wall_us(), b"t", b"%d" % n)], [f"agent-{n % 2}"], [(0, "x", float(n))]
        )
        batch.logs.append(LogRow(0, clock.wall_us(), batch.agent[0], Level.INFO, None, f"line {n}"))
        batch.presence.append(
            PresenceChange(clock.wall_us(), batch.agent[0], Presence.ONLINE, Condition.OK, Cause.HEARD)
        )
        store.commit(batch)
        store.housekeep()
    yield store, workspace
    store.close()


@pytest.fixture
def backup(server: tuple[StoreWriter, Workspace], tmp_path: Path) -> Path:
    path = tmp_path / "day.tar.gz"
    backup_file(
        server[1], path, {}, "1", FakeClock(T0 + 60 * SECOND), overwrite=False, progress=lambda *_: None,
        damaged=lambda *_: None,
    )  # fmt: skip
    return path


@pytest.fixture
def look(qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Composition]]:
    """Opens a window that looks."""
    opened: list[Composition] = []

    def refuse(_root: Path) -> None:
        raise AssertionError("a recorder was started")

    monkeypatch.setattr(recorder_process, "start_recorder", refuse)

    def look_at(path: Path) -> Composition:
        one = Composition(qapp, Workspace.at(path), WindowOptions(theme="light"))
        opened.append(one)
        one.window.show()
        one.fill()
        assert one.looking is not None
        return one

    yield look_at
    for one in opened:
        one.close()
        one.window.close()
        one.window.deleteLater()


def seen(window: Composition, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.screens is not None and window.screens.fleet.fleet is not None, timeout=LIMIT_MS)


def stand_ins(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache" / "murmurscope" / "opened").glob("*"))


def rules_cannot_be_changed(window: Composition, qtbot: QtBot) -> None:
    screen = window.screens.messages_screen()
    qtbot.waitUntil(lambda: bool(screen.rows.model.rows), timeout=LIMIT_MS)
    screen._into_rows()
    qtbot.waitUntil(lambda: screen.message is not None, timeout=LIMIT_MS)
    for id_ in ("message.teach", "message.rules"):
        assert not window._actions[id_].isEnabled()
        assert "only looked at" in window._actions[id_].toolTip()
    menu = QMenu(window.window)
    screen.rows.menu_wanted.emit(menu, screen.message)
    (offer,) = [action for action in menu.actions() if action.text().startswith("Teach")]
    assert not offer.isEnabled()
    assert "only looked at" in offer.text()
    screen.teach()
    assert window.rules.form is None


def test_a_backup_is_seen_as_it_was_then(
    look: Callable[[Path], Composition], backup: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    before = backup.read_bytes()
    window = look(backup)
    seen(window, qtbot)
    fleet = window.screens.fleet.fleet
    assert sorted(fleet.id) == ["agent-0", "agent-1"]
    assert set(fleet.presence.tolist()) == {int(Presence.ONLINE)}, "as it was then"
    assert window.clock.wall_us() == T0 + 20 * SECOND
    chip = window.window._reading
    assert chip.accessibleName().startswith("Read-only: backup of 20")
    assert window.window.broker_chip.isHidden()
    assert [action.text() for action in chip.menu().actions()] == ["Import into my wor&kspace…", "C&lose"]
    assert window.window.notices.keys() == ["looking"]
    for id_ in ("file.connect", "file.import", "file.import-workspace", "file.reread"):
        assert not window._actions[id_].isEnabled()
    assert "only looked at" in window._actions["file.reread"].toolTip()
    window.window.show_screen(LOGS)
    window.screens.logs_screen()
    window.window.show_screen(MESSAGES)
    rules_cannot_be_changed(window, qtbot)
    window.window.show_screen(DATA)
    qtbot.waitUntil(lambda: window.data.screen.store is not None and window.idle, timeout=LIMIT_MS)
    assert window.data.screen.store.rows["messages"] == 20
    assert not window.data.screen.tabs.isTabVisible(2), "there are no limits to what is looked at"
    assert not window.data.screen.tabs.isTabVisible(3), "and nothing comes that could be hidden"
    assert not window.data.screen.work.start_reread.isEnabled()
    assert window.data.screen.missing.teach.isHidden()
    window.screens.command_requested.emit([{"do": "agent.rename", "agent": "agent-0", "name": "x"}])
    qtbot.waitUntil(lambda: window.window.notices.keys() == ["looking", "look.read-only"], timeout=LIMIT_MS)
    window.data.rereading.ask()
    assert "reread" in window.window.notices.keys()  # noqa: SIM118 - a method
    assert window.data.rereading.dialog is None
    window.screens.why_requested.emit(OfAgent("agent-0"))
    qtbot.waitUntil(lambda: window.why.shown._why is not None, timeout=LIMIT_MS)
    assert [one.metric for one in window.why.shown.series.records.rows] == ["x"]
    assert not window.why.shown.teach.isEnabled()
    assert "only looked at" in window.why.shown.teach.toolTip()
    assert len(stand_ins(tmp_path)) == 1
    window.close()
    until(lambda: not stand_ins(tmp_path), "what stood in is taken away")
    assert backup.read_bytes() == before


def test_a_copied_workspace_stays_as_it_is(
    look: Callable[[Path], Composition], server: tuple[StoreWriter, Workspace], tmp_path: Path, qtbot: QtBot
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(server[1].root, copy, ignore=shutil.ignore_patterns("*-shm"))
    Workspace.at(copy).layouts.mkdir()
    (Workspace.at(copy).layouts / "Theirs.toml").write_text("version = 1\n[panel.4]")
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    before = {path: (path.read_bytes(), path.stat()) for path in copy.rglob("*") if path.is_file()}
    window = look(copy)
    seen(window, qtbot)
    assert len(window.screens.fleet.fleet.id) == 2
    chip = window.window._reading
    assert chip.accessibleName().startswith("Read-only: copy of a workspace from ")
    window.window.show_screen(DATA)
    qtbot.waitUntil(lambda: window.data.screen.store is not None and window.idle, timeout=LIMIT_MS)
    assert window.data.screen.store.rows["messages"] == 20
    window.window.show_screen(EXPLORE)  # layouts can be opened, and none can be saved
    window.layouts.open("Theirs")
    qtbot.waitUntil(lambda: window.screens.explore.screen.history.layout == Layout(Panel(4)), timeout=LIMIT_MS)
    assert not window._actions["explore.save"].isEnabled()
    assert "only looked at" in window._actions["explore.save"].toolTip()
    window.close()
    now = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert now == {path: content for path, (content, _) in before.items()}
    assert all(path.stat().st_mtime_ns == stat.st_mtime_ns for path, (_, stat) in before.items())
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


def test_one_may_record_in_a_copy_if_one_says_so(
    look: Callable[[Path], Composition], server: tuple[StoreWriter, Workspace], tmp_path: Path, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr(looking, "start_window", lambda *arguments: started.append(arguments))
    copy = shutil.copytree(server[1].root, tmp_path / "copy", ignore=shutil.ignore_patterns("*-shm"))
    window = look(copy)
    seen(window, qtbot)
    window._actions["file.record-here"].trigger()
    box = window.window.findChildren(looking.QMessageBox)[-1]
    assert started == [], "it asks before"
    box.buttons()[0].click()
    assert started == [("--new-window", "--record-here", "--workspace", str(copy))]


def test_what_is_no_backup_is_told(
    look: Callable[[Path], Composition], server: object, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "other.tar.gz"
    path.write_bytes(b"something else")
    window = look(path)
    place = window._places["fleet"]
    qtbot.waitUntil(lambda: "no whole backup" in place._view.state.sentence, timeout=LIMIT_MS)
    assert window.screens is None
    window.close()
    until(lambda: not stand_ins(tmp_path), "what stood in is taken away")


def test_closing_while_it_is_unpacked_leaves_nothing(
    look: Callable[[Path], Composition], backup: Path, tmp_path: Path
) -> None:
    look(backup).close()
    until(lambda: not stand_ins(tmp_path), "what stood in is taken away")


def test_closing_does_not_wait_until_all_is_taken_away(
    look: Callable[[Path], Composition], backup: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, may_go = look(backup), threading.Event()
    seen(window, qtbot)

    def slow_disk(folder: Path) -> None:
        may_go.wait(LIMIT_MS / 1000)
        take_away(folder)

    monkeypatch.setattr(looking, "take_away", slow_disk)
    window.close()
    assert len(stand_ins(tmp_path)) == 1
    may_go.set()
    until(lambda: not stand_ins(tmp_path), "what stood in is taken away")


def test_what_killed_windows_left_is_removed_before_the_next_one_looks(
    look: Callable[[Path], Composition], backup: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    opened = tmp_path / "cache" / "murmurscope" / "opened"
    names = (f"{dead.pid}-0a1b2c3d", f".{dead.pid}-0a1b2c3d.half", f"{os.getppid()}-0a1b2c3d")
    for name in names:
        (opened / name / "segments").mkdir(parents=True)
    window = look(backup)
    seen(window, qtbot)
    assert [(opened / name).exists() for name in names] == [False, False, True]
    (opened / names[2] / "segments").rmdir()
    (opened / names[2]).rmdir()


def test_what_is_looked_at_is_imported_into_a_workspace_of_ones_own(
    look: Callable[[Path], Composition], backup: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    window = look(backup)
    seen(window, qtbot)
    window._actions["file.import-looked-at"].trigger()
    dialog = window.looking._import.dialog
    assert dialog.root == str(Workspace.default().root)
    dialog.start.click()
    assert not dialog.start.isEnabled()
    qtbot.waitUntil(lambda: not dialog.show_it.isHidden(), timeout=LIMIT_MS)
    assert dialog.told.text().startswith("messages 20, agents 2, samples 20, log records 20, in ")
    assert Workspace.default().catalogue.exists()
    dialog.reject()
    window._actions["file.import-looked-at"].trigger()
    again = window.looking._import.dialog
    again.start.click()
    qtbot.waitUntil(lambda: not again.show_it.isHidden(), timeout=LIMIT_MS)
    assert again.told.text() == "nothing new; files of history that were held already: 2"
