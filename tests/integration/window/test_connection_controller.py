from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from app.settings import Settings, SettingsFile
from app.window.connection_controller import ConnectionController
from models.domain.connection import Connection, Secret
from models.domain.control import RecorderState
from models.domain.problems import EnvironmentProblem, Problem
from widgets.common.theme import ThemeHolder


class Link:
    """Carries out at once what the real one does on its thread, and remembers the order."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def carry_out(self, job: Callable[[], None], done: Callable[[object], None]) -> None:
        try:
            job()
        except EnvironmentProblem as error:
            done(error.problem)
        else:
            done(None)

    def secret(self, text: str, broker_url: str) -> None:
        self.asked.append(("secret", text, broker_url))

    def wake(self) -> None:
        self.asked.append("wake")

    def test_connection(self, connection, secret, on_step, done) -> None:
        self.asked.append(("test", connection, secret))
        done(None)


class Keyring:
    """`Passwords` that answers at once; `problem`: what stands in the way."""

    def __init__(self) -> None:
        self.held: dict[str, Secret] = {}
        self.problem: Problem | None = None
        self.asked: list[str] = []

    def check(self, done: Callable[[Problem | None], None]) -> None:
        done(self.problem)

    def get(self, url: str, found: Callable[[Secret | None, Problem | None], None]) -> None:
        self.asked.append(url)
        found(None if self.problem else self.held.get(url), self.problem)

    def put(self, url: str, secret: Secret, done: Callable[[Problem | None], None]) -> None:
        if self.problem is None:
            self.held[url] = secret
        done(self.problem)

    def remove(self, url: str, done: Callable[[Problem | None], None]) -> None:
        self.held.pop(url, None)
        done(self.problem)


@pytest.fixture
def keyring() -> Keyring:
    return Keyring()


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "w" / "settings.toml")


@pytest.fixture
def link() -> Link:
    return Link()


@pytest.fixture
def controller(qapp: QApplication, qtbot, file: SettingsFile, link: Link, keyring: Keyring) -> ConnectionController:
    window = QWidget()
    qtbot.addWidget(window)
    controller = ConnectionController(link, file, keyring, ThemeHolder(qapp, "light"), window)
    controller.open()
    return controller


ME = Connection("mqtts", "broker.example", 8883, user="me")
LOCKED = Problem("keyring.refused", {"detail": "it is locked"})


def test_a_password_goes_to_the_recorder_and_into_the_keyring(controller, link, keyring) -> None:
    controller.dialog.form.host.setText("mqtts://me:x@broker.example")
    controller.dialog.save_button.click()
    assert keyring.held == {ME.url: Secret("x")}
    assert link.asked == [("secret", "x", ME.url), "wake"]
    assert not controller.dialog.isVisible()


def test_without_the_tick_it_is_for_this_session_only(controller, link, keyring) -> None:
    controller.dialog.form.host.setText("mqtts://me:x@broker.example")
    controller.dialog.form.keyring.keep.setChecked(False)
    controller.dialog.save_button.click()
    assert keyring.held == {}
    assert link.asked == [("secret", "x", ME.url), "wake"]


def test_a_kept_password_is_used_where_none_is_typed(controller, file, link, keyring) -> None:
    keyring.held[ME.url] = Secret("kept")
    file.save(Settings(ME, embedded=False))
    controller.dialog.reject()
    controller.open()
    controller.dialog.test_button.click()
    controller.dialog.save_button.click()
    assert link.asked == [("test", ME, Secret("kept")), ("secret", "kept", ME.url), "wake"]
    assert not controller.dialog.isVisible()


def test_a_kept_password_is_forgotten_by_unticking(controller, file, link, keyring) -> None:
    keyring.held[ME.url] = Secret("kept")
    file.save(Settings(ME, embedded=False))
    controller.dialog.reject()
    controller.open()
    controller.dialog.form.keyring.keep.setChecked(False)
    controller.dialog.save_button.click()
    assert keyring.held == {}
    assert link.asked == [("secret", "", ME.url), "wake"]


def test_a_keyring_that_refuses_leaves_the_password_for_this_session_and_says_so(
    controller, file, link, keyring
) -> None:
    controller.dialog.form.host.setText("mqtts://me:x@broker.example")
    keyring.problem = LOCKED
    controller.dialog.save_button.click()
    assert file.load().connection == ME
    assert link.asked == [("secret", "x", ME.url), "wake"]
    assert controller.dialog.isVisible()
    assert "it is locked" in controller.dialog.notice.text()
    controller.dialog.save_button.click()
    assert not controller.dialog.isVisible(), "the tick is gone, so now it is done"


def test_the_dialog_says_when_there_is_no_keyring(controller, keyring) -> None:
    controller.dialog.reject()
    keyring.problem = Problem("keyring.none", {"detail": "x"})
    controller.open()
    controller.dialog.form.user.setText("me")
    assert not controller.dialog.form.keyring.keep.isEnabled()


def test_a_recorder_that_cannot_ask_the_keyring_is_handed_the_password_once(controller, link, keyring) -> None:
    keyring.held[ME.url] = Secret("kept")
    warning = {"code": "keyring.unread", "params": {"url": ME.url, "detail": "x"}}
    state = RecorderState(7, "0", 1, "service", 0, "refused", 0, ME.url, warnings=(warning,))
    controller.recorder_told(replace(state, warnings=()))
    assert keyring.asked == []
    controller.recorder_told(state)
    controller.recorder_told(state)
    controller.recorder_told(None)
    assert keyring.asked == [ME.url]
    assert link.asked == [("secret", "kept", ME.url)]
    controller.recorder_told(replace(state, pid=8))
    assert link.asked == [("secret", "kept", ME.url)] * 2


def test_saving_writes_the_file_then_tells_password_and_change(controller, file, link) -> None:
    dialog = controller.dialog
    dialog.form.host.setText("mqtts://me:x@broker.example")
    dialog.save_button.click()
    expected = Connection("mqtts", "broker.example", 8883, user="me")
    assert file.load() == Settings(expected, embedded=False)
    assert link.asked == [("secret", "x", "mqtts://me@broker.example:8883"), "wake"]
    assert not dialog.isVisible()


def test_the_broker_on_this_computer_leaves_the_other_address_in_the_file(controller, file, link) -> None:
    file.save(Settings(Connection(host="h"), embedded=False))
    controller.dialog.embedded.click()
    controller.dialog.save_button.click()
    assert file.load() == Settings(Connection(host="h"), embedded=True)
    assert link.asked == ["wake"]


def test_the_dialog_comes_up_with_what_is_in_force(controller, file) -> None:
    controller.dialog.reject()
    file.save(Settings(Connection(host="h", keepalive_s=99), embedded=False))
    controller.open()
    assert controller.dialog.form.connection() == Connection(host="h", keepalive_s=99)


def test_a_file_that_cannot_be_read_is_told_and_left_as_it_is(controller, file, link, tmp_path: Path) -> None:
    path = tmp_path / "w" / "settings.toml"
    path.parent.mkdir()
    path.write_text("no = toml = at all")
    controller.dialog.form.host.setText("h")
    controller.dialog.save_button.click()
    assert controller.dialog.isVisible()
    assert "settings.toml" in controller.dialog.notice.text()
    assert path.read_text() == "no = toml = at all"
    assert link.asked == []


def test_a_test_goes_to_the_recorder(controller, link) -> None:
    controller.dialog.form.host.setText("h")
    controller.dialog.form.password.setText("x")
    controller.dialog.test_button.click()
    assert link.asked == [("test", Connection(host="h"), Secret("x"))]
    assert controller.dialog.test_button.isEnabled()
