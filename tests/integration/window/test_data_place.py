"""The data screen in the window: menus, dropped files, limits in the settings, questions before anything is removed."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.settings import Retention, Settings, SettingsFile
from app.window.asking import Asking
from app.window.composition import Composition, WindowOptions
from app.window.places import AGENT, DATA, FLEET, LOGS, MESSAGES
from app.window.recorder_link import RecorderLink
from app.window.recorder_watch import RecorderWatch, Seen
from models.domain.clock import SystemClock
from models.domain.problems import Problem
from models.domain.queries import RowKey, StoreKind
from models.domain.recorded import ImportResult
from models.storage.workspace import Workspace
from tests.helpers.history_builder import HistoryBuilder, raw
from widgets.data.jobs import JobState

DAY_US = 86_400_000_000


class Answers(Asking):
    """What a user would say."""

    def __init__(self) -> None:
        self.path, self.paths, self.chosen, self.yes = "", [], "", False
        self.asked: list[str] = []

    def new_file(self, title: str, proposal: str) -> str:
        self.asked.append(proposal)
        return self.path

    def files(self, title: str, folder: str, kinds: str) -> list[str]:
        return self.paths

    def folder(self, title: str, start: str) -> str:
        return self.chosen

    def confirm(self, title: str, question: str, yes: str) -> bool:
        self.asked.append(question)
        return self.yes


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two closed files: one ten days old with 30 messages, one of today."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(RecorderWatch, "look", lambda _: Seen(None, None, 0.01))
    one = Workspace.at(tmp_path / "w")
    builder, now_us = HistoryBuilder(one), SystemClock().wall_us()
    agent = builder.agent("crawler-1")
    builder.update_agent_now(agent, last_seen_us=now_us)
    for at_us, count in ((now_us - 10 * DAY_US, 30), (now_us - 3_600_000_000, 5)):
        segment = builder.segment()
        segment.write(builder.messages([raw("agents/crawler-1/log", at_us=at_us + n) for n in range(count)], agent))
        segment.close()
    builder.close()
    return one


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def window(qapp: QApplication, workspace: Workspace, answers: Answers, qtbot: QtBot) -> Iterator[Composition]:
    one = Composition(qapp, workspace, WindowOptions(theme="light", live=False))
    one.window.resize(1_200, 700)
    one.window.show()
    one.fill()
    assert one.data is not None
    one.data._asking = answers
    yield one
    one.close()
    one.window.close()
    one.window.deleteLater()


def limits(window: Composition, qtbot: QtBot) -> None:
    window.window.show_screen(DATA)
    qtbot.waitUntil(lambda: window.data.screen.retention.limits is not None)


def test_it_is_made_when_it_is_first_wanted(window: Composition, qtbot: QtBot) -> None:
    assert window.data.screen is None
    window.window.show_screen(DATA)
    qtbot.waitUntil(lambda: window.data.screen.store is not None)
    assert window.data.screen.store.rows["messages"] == 35
    qtbot.waitUntil(lambda: window.idle)


def test_an_export_begins_with_what_is_looked_at(window: Composition, qtbot: QtBot, answers: Answers) -> None:
    window._actions["file.export"].trigger()
    form = window.data.screen.work.export
    assert window.window.shown_screen == DATA
    assert form.dataset.currentData() == "agents"
    window.window.show_screen(LOGS)
    window.screens.logs_screen().show_only(1)
    window._actions["file.export"].trigger()
    assert (form.dataset.currentData(), form.who.agent) == ("logs", 1)
    window.screens.open_agent(1)
    assert window.window.shown_screen == AGENT
    window._actions["file.export"].trigger()
    assert (form.dataset.currentData(), form.who.agent) == ("samples", 1)


def test_an_export_is_written_where_the_user_says(
    window: Composition, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    window._actions["file.export"].trigger()
    work = window.data.screen.work
    work.export.start.click()
    assert work.jobs.records.rowCount() == 0, "no file was named"
    answers.path = str(tmp_path / "out.csv")
    work.export.span.setCurrentIndex(1)
    work.export.dataset.setCurrentIndex(0)
    work.export.start.click()
    qtbot.waitUntil(lambda: work.job is not None and work.job.state is JobState.DONE, timeout=30_000)
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 36
    work.export.start.click()
    assert answers.asked[-1].startswith(str(tmp_path / "messages-")), "the same folder is proposed again"


def test_an_incident_is_one_file_with_a_picture_of_the_window(
    window: Composition, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    answers.path = str(tmp_path / "incident.zip")
    qtbot.waitUntil(lambda: window.idle)
    window.screens.fleet.select_agent(1)
    window.window.time_range.show_last(2 * 3_600_000_000)
    window._actions["file.incident"].trigger()
    qtbot.waitUntil(lambda: window.data.screen is not None)
    work = window.data.screen.work
    qtbot.waitUntil(lambda: work.job is not None and work.job.state.ended, timeout=90_000)
    assert work.job.state is JobState.DONE
    assert answers.asked[-1].endswith(".zip")
    with zipfile.ZipFile(answers.path) as archive:
        assert archive.read("pictures/1.png")[:4] == b"\x89PNG"
        page = archive.read("index.html").decode()
        told = [caption.partition("</figcaption>")[0] for caption in page.split("<figcaption>")[1:]]
        assert told == ["Window", "Fleet", "Agent crawler-1"]
        assert "agents/crawler-1/messages.csv" in archive.namelist()
        assert len(archive.read("agents/crawler-1/messages.csv").splitlines()) == 6
    told = [work.jobs.records.index(0, column).data() for column in range(work.jobs.records.columnCount())]
    assert any("Incident: crawler-1" in str(text) for text in told)


def test_a_check_is_in_the_menu(window: Composition, qtbot: QtBot) -> None:
    window._actions["file.verify"].trigger()
    work = window.data.screen.work
    qtbot.waitUntil(lambda: work.job is not None and work.job.state.ended, timeout=30_000)
    assert work.job.total == 2


@pytest.fixture
def imports(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Path], bool, Callable]]:
    """What the recorder is asked to import."""
    asked: list[tuple[list[Path], bool, Callable]] = []

    def take(
        _link: RecorderLink,
        paths: list[Path],
        _progress: Callable,
        done: Callable,
        *,
        again: bool = False,
        make_room: bool = False,
    ) -> None:
        asked.append((list(paths), again, done, make_room))

    monkeypatch.setattr(RecorderLink, "import_files", take)
    return asked


def drop(window: Composition, *urls: QUrl) -> tuple[bool, bool]:
    """Whether it was accepted when it came over the window, and when it was let go."""
    data = QMimeData()
    data.setUrls(list(urls))
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    over = QDragEnterEvent(QPointF(50, 50).toPoint(), action, data, button, keys)
    over.ignore()
    QApplication.sendEvent(window.window, over)
    down = QDropEvent(QPointF(50, 50), action, data, button, keys)
    down.ignore()
    QApplication.sendEvent(window.window, down)
    return over.isAccepted(), down.isAccepted()


def test_files_that_are_dropped_are_imported_and_the_window_shows_what_came(
    window: Composition, qtbot: QtBot, imports: list
) -> None:
    assert drop(window, QUrl("https://example.org/x")) == (False, False)
    assert drop(window, QUrl.fromLocalFile("/x/a.jsonl"), QUrl.fromLocalFile("/x/b.jsonl")) == (True, True)
    ((paths, again, done, _),) = imports
    assert (paths, again) == ([Path("/x/a.jsonl"), Path("/x/b.jsonl")], False)
    assert window.window.shown_screen == DATA
    with qtbot.waitSignal(window.window.refresh_requested):
        done(ImportResult(messages=3), None)
    assert window.data.screen.work.job.state is JobState.DONE


def test_another_workspace_is_imported_from_its_folder(
    window: Composition, qtbot: QtBot, imports: list, answers: Answers
) -> None:
    window._actions["file.import-workspace"].trigger()
    assert imports == [], "no folder was named"
    answers.chosen = "/media/stick/workspace"
    window._actions["file.import-workspace"].trigger()
    window.data.screen.work.start_folder_import.click()
    assert [paths for paths, *_ in imports] == [[Path(answers.chosen)]], "one at a time"
    imports[0][2](ImportResult(segments=0, held_segments=4), None)
    jobs = window.data.screen.work.jobs.records
    assert jobs.index(1, 1).data() == "nothing new; files of history that were held already: 4"


def test_what_was_imported_before_is_asked_about(
    window: Composition, qtbot: QtBot, imports: list, answers: Answers
) -> None:
    answers.paths = ["/x/a.jsonl"]
    window._actions["file.import"].trigger()
    known = Problem("import.known", {"path": "/x/a.jsonl", "time": "yesterday"})
    imports[0][2](None, known)
    assert answers.asked[-1].startswith("/x/a.jsonl was imported already, on yesterday.")
    assert len(imports) == 1
    answers.yes = True
    window._actions["file.import"].trigger()
    imports[1][2](None, known)
    assert imports[2][:2] == ([Path("/x/a.jsonl")], True)


def test_lower_limits_are_put_in_force_only_after_a_question(
    window: Composition, workspace: Workspace, qtbot: QtBot, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    SettingsFile(workspace.settings).save(Settings(retention=Retention(5, 30)))
    woken: list[bool] = []
    monkeypatch.setattr(RecorderLink, "wake", lambda *_: woken.append(True))
    limits(window, qtbot)
    form = window.data.screen.retention
    row = form.rows[StoreKind.RECORDED]
    assert form.limits[StoreKind.RECORDED] == (5, 30)
    row.days.setValue(7)
    form.apply.click()
    qtbot.waitUntil(lambda: bool(answers.asked))
    assert "30 messages" in answers.asked[0]
    assert row.days.value() == 30, "no: as it was"
    assert SettingsFile(workspace.settings).load().retention == Retention(5, 30)
    answers.yes = True
    row.days.setValue(7)
    form.apply.click()
    window.link.start()
    qtbot.waitUntil(lambda: bool(woken))
    assert SettingsFile(workspace.settings).load().retention == Retention(5, 7)
    assert form.limits[StoreKind.RECORDED] == (5, 7)
    row.days.setValue(300)  # nothing goes by that: nobody is asked
    form.apply.click()
    qtbot.waitUntil(lambda: len(woken) == 2)
    assert len(answers.asked) == 2


def test_settings_that_cannot_be_read_are_told_and_not_written(
    window: Composition, workspace: Workspace, qtbot: QtBot
) -> None:
    workspace.settings.write_text("not = [toml")
    window.window.show_screen(DATA)
    form = window.data.screen.retention
    qtbot.waitUntil(lambda: not form._trouble.isHidden())
    assert "settings.toml cannot be read" in form._trouble.text()
    assert not form.rows[StoreKind.RECORDED].gib.isEnabled()


def test_an_unreadable_message_leads_to_the_screen_of_messages(window: Composition, qtbot: QtBot) -> None:
    window.window.show_screen(DATA)
    qtbot.waitUntil(lambda: window.data.screen.store is not None)
    first_us = window.data.screen.store.first_us
    window.data.screen.missing.message_wanted.emit(RowKey(first_us, 1, 1))
    qtbot.waitUntil(lambda: window.window.shown_screen == MESSAGES)


def test_a_gap_moves_the_time_of_the_window(window: Composition, qtbot: QtBot) -> None:
    window.window.show_screen(DATA)
    window.data.screen.span_wanted.emit(1_000_000, 9_000_000)
    assert not window.window.time_range.live
    assert window.window.time_range.current().since_us == 1_000_000
    window.window.show_screen(FLEET)


def test_what_was_imported_is_to_be_seen_in_the_fleet_of_its_time(window: Composition, qtbot: QtBot) -> None:
    window.window.show_screen(DATA)
    window.data.screen.work.span_wanted.emit(1_000_000, 2_000_000)
    assert (window.window.time_range.current().since_us, window.window.shown_screen) == (1_000_000, FLEET)


def test_older_imports_go_for_a_new_one_only_after_a_question(
    window: Composition, qtbot: QtBot, imports: list, answers: Answers
) -> None:
    drop(window, QUrl.fromLocalFile("/x/a.jsonl"))
    full = Problem("import.no-room", {"limit": "2.00 GiB"})
    imports[0][2](None, full)
    assert "the oldest imports be removed" in answers.asked[-1]
    assert len(imports) == 1, "no: nothing happens"
    answers.yes = True
    drop(window, QUrl.fromLocalFile("/x/a.jsonl"))
    imports[1][2](None, full)
    paths, again, _, make_room = imports[2]
    assert (paths, again, make_room) == ([Path("/x/a.jsonl")], False, True)


def test_hidden_keys_are_kept_in_the_settings_and_taken_up(
    window: Composition, workspace: Workspace, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.settings.write_text('# mine\n[secrets]\nhidden_keys = ["token", "password"]\n')
    woken: list[bool] = []
    monkeypatch.setattr(RecorderLink, "wake", lambda *_: woken.append(True))
    window.window.show_screen(DATA)
    form = window.data.screen.hidden_keys
    qtbot.waitUntil(lambda: form.typed == ("token", "password"))
    window.data.screen.tabs.setCurrentWidget(form)
    form.field.setText("license_key")
    form.add.click()
    form.apply.click()
    window.link.start()
    qtbot.waitUntil(lambda: bool(woken))
    assert SettingsFile(workspace.settings).load().hidden_keys == ("token", "password", "license_key")
    assert workspace.settings.read_text().startswith("# mine\n")
    assert not form.changed
    workspace.settings.write_text("[[")
    form.remove.click()
    form.apply.click()
    qtbot.waitUntil(lambda: "cannot be read" in form._trouble.text())
    assert workspace.settings.read_text() == "[["
    assert form.changed, "it can be tried again"
