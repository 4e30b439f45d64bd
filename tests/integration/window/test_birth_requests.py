"""Sparkplug nodes are asked to be born again by a click that was confirmed, and in no other way."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from app.window.birth_requests import NOTICE, BirthRequests
from models.domain.control import Link, RecorderState
from models.domain.problems import Problem
from models.domain.publishing import OutgoingMessage, Published
from models.domain.sparkplug_nodes import SparkplugNode
from mqtt.sparkplug_rebirth import rebirth
from tests.helpers.clock import FIRST_WALL_US, FakeClock
from widgets.common.actions import ActionRegistry
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow

NODES = [SparkplugNode("plant-a", f"edge-{n}") for n in range(1, 8)]


class FakeLink:
    def __init__(self) -> None:
        self.state: RecorderState | None = RecorderState(7, "1", 1, "window", 0, Link.CONNECTED, 0, "mqtt://h:1883")
        self.published: list[OutgoingMessage] = []
        self.waiting: list[Callable[[Published | Problem], None]] = []

    def publish(self, message: OutgoingMessage, done: Callable[[Published | Problem], None]) -> None:
        self.published.append(message)
        self.waiting.append(done)


@pytest.fixture
def bench(qapp: QApplication, qtbot: QtBot):
    clock, themes = FakeClock(), ThemeHolder(qapp, "light")
    window = MainWindow(themes, ActionRegistry(themes), clock)
    qtbot.addWidget(window)
    link = FakeLink()
    return SimpleNamespace(
        window=window, link=link, make=lambda **how: BirthRequests(link, clock, window, **{"read_only": False} | how)
    )


def question(bench) -> QMessageBox:
    return bench.window.findChild(QMessageBox)


def told(bench) -> tuple[str, str]:
    notice = bench.window.notices._notices[NOTICE]
    return notice.sentence, notice.remedy


def press(box: QMessageBox, role: QMessageBox.ButtonRole) -> None:
    next(button for button in box.buttons() if box.buttonRole(button) is role).click()


def test_nothing_is_sent_before_it_was_agreed_to(bench) -> None:
    bench.make().ask(NODES[:1])
    assert question(bench).text() == "Ask plant-a/edge-1 to announce everything again?"
    press(question(bench), QMessageBox.ButtonRole.RejectRole)
    assert bench.link.published == []
    assert bench.window.notices.keys() == []


def test_each_node_is_asked_once_the_last_was_written(bench) -> None:
    bench.make().ask(NODES)
    assert "plant-a/edge-5 and 2 more" in question(bench).text()
    press(question(bench), QMessageBox.ButtonRole.AcceptRole)
    for n in range(len(NODES)):
        assert bench.link.published == [rebirth(node, FIRST_WALL_US) for node in NODES[: n + 1]]
        bench.link.waiting[n](Published(0, "", 1))
    assert told(bench)[0].endswith("plant-a/edge-5 and 2 more.")


def test_what_goes_wrong_is_told_and_ends_it(bench) -> None:
    bench.make().ask(NODES)
    press(question(bench), QMessageBox.ButtonRole.AcceptRole)
    bench.link.waiting[0](Problem("publish.unanswered", {"host": "h", "seconds": 10}))
    assert len(bench.link.published) == 1
    assert "h did not acknowledge" in told(bench)[0]


@pytest.mark.parametrize("link", [None, Link.CONNECTING])
def test_without_a_connection_nobody_can_be_asked(bench, link: Link | None) -> None:
    bench.link.state = link and RecorderState(7, "1", 1, "window", 0, link, 0, "mqtt://h:1883")
    bench.make().ask(NODES)
    assert question(bench) is None
    assert "there is no connection" in told(bench)[0]


def test_in_a_copy_that_is_only_looked_at_it_says_so(bench) -> None:
    bench.make(read_only=True).ask(NODES)
    assert question(bench) is None
    assert "only looks" in told(bench)[0]
