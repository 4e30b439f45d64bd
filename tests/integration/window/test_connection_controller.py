from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from app.settings import Settings, SettingsFile
from app.window.connection_controller import ConnectionController
from models.domain.connection import Connection, Secret
from models.domain.problems import EnvironmentProblem
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


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "w" / "settings.toml")


@pytest.fixture
def link() -> Link:
    return Link()


@pytest.fixture
def controller(qapp: QApplication, qtbot, file: SettingsFile, link: Link) -> ConnectionController:
    window = QWidget()
    qtbot.addWidget(window)
    controller = ConnectionController(link, file, ThemeHolder(qapp, "light"), window)
    controller.open()
    return controller


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
