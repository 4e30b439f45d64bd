"""The controller between form, recorder, templates and clipboard, with real files."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.settings import Settings, SettingsFile
from app.templates import TemplatesFile
from app.window.publish_controller import PublishController
from models.domain.connection import Connection
from models.domain.control import Link, RecorderState
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.publishing import OutgoingMessage, Published, Template
from tests.widgets.fakes import FakeSource, message_line


class FakeLink(QWidget):
    """Does every job at once; publishes when told."""

    state_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.published: list[OutgoingMessage] = []
        self.answer: Published | Problem = Published(0, "Success", 3_000)

    def publish(self, message: OutgoingMessage, done: Callable[[Published | Problem], None]) -> None:
        self.published.append(message)
        done(self.answer)

    def carry_out(self, job: Callable[[], None], done: Callable[[Problem | None], None]) -> None:
        try:
            job()
        except EnvironmentProblem as error:
            done(error.problem)
        else:
            done(None)


class Bench:
    def __init__(self, folder: Path, window: QWidget) -> None:
        self.link, self.source, self.told = FakeLink(), FakeSource(), []
        self.settings, self.templates = SettingsFile(folder / "settings.toml"), TemplatesFile(folder / "templates.toml")
        self.controller = PublishController(
            self.link, self.source, self.settings, self.templates, self.told.append, window
        )

    @property
    def form(self):
        return self.controller.form


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Bench:
    window = QWidget()
    qtbot.addWidget(window)
    made = Bench(tmp_path, window)
    qtbot.addWidget(made.link)
    return made


def test_a_message_is_published_and_the_answer_shown(bench: Bench) -> None:
    bench.controller.open()
    bench.form.topic.setText("a/b")
    bench.form.publish.click()
    assert bench.link.published == [OutgoingMessage("a/b", b"", 1)]
    assert bench.form.notice.text() == "The broker acknowledged it after 3 ms."
    bench.link.answer = Problem("publish.not-connected")
    bench.form.publish.click()
    assert "Nothing was published" in bench.form.notice.text()


def test_publish_again_takes_the_whole_payload(bench: Bench) -> None:
    whole = b"x" * 100_000
    bench.source.messages = [message_line(1, 5, whole)]
    bench.controller.open(message_line(1, 5, whole)._replace(payload=whole[:65_536]))
    bench.source.answer_all()
    bench.form.publish.click()
    assert bench.link.published == [OutgoingMessage("agents/crawler-1/metrics", whole, 1)]


def test_a_topic_that_is_no_text_cannot_be_published_to(bench: Bench) -> None:
    bench.controller.open(message_line(1, 5, b"x", b"a/\xff"))
    assert r"“a/\xff” holds a character" in bench.form.notice.text()
    bench.controller.open(b"a/b")
    assert bench.form.topic.text() == "a/b"
    bench.controller.ask_to_clear(b"a/b")
    assert "“a/b”" in bench.form.notice.text()
    assert bench.link.published == []


def test_templates_are_kept_in_the_workspace(bench: Bench) -> None:
    kept = Template("stop", OutgoingMessage("a/stop", b"now"))
    bench.templates.save(kept)
    bench.controller.open()
    assert bench.form.templates.itemText(0) == "stop"
    bench.form.show_message(OutgoingMessage("a/go", b"go"))
    bench.form.templates.setEditText("go")
    bench.form.save.click()
    assert [one.name for one in bench.templates.load()] == ["stop", "go"]
    assert bench.form.templates.count() == 2
    bench.form.delete.click()
    assert bench.templates.load() == [kept]


def test_templates_that_cannot_be_read_are_told(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "templates.toml").write_text("[[")
    bench.controller.open()
    assert "templates.toml cannot be read" in bench.form.notice.text()


def test_the_copied_command_goes_to_the_broker_in_use_with_its_certificates(bench: Bench) -> None:
    line = message_line(1, 5, b"x")
    bench.settings.save(Settings(Connection("mqtts", "broker.example", 8883, ca_file="/ca.pem"), embedded=False))
    bench.link.state_changed.emit(
        RecorderState(7, "1", 1, "window", 0, Link.CONNECTED, 0, "mqtts://broker.example:8883")
    )
    bench.controller.copy_shell_line(line)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("mosquitto_pub -h broker.example -p 8883 --cafile /ca.pem")
    bench.link.state_changed.emit(RecorderState(7, "1", 1, "window", 0, Link.CONNECTED, 0, "ws://other:80"))
    bench.controller.copy_shell_line(line)
    assert QGuiApplication.clipboard().text() == text
    assert [one.code for one in bench.told] == ["publish.no-command"]
