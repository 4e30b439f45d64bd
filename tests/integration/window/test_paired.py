"""A request and its replies beside each other, asked for in the window on a real workspace."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.window import paired_controller
from app.window.data_source import HistorySource
from app.window.paired_controller import PairedController
from models.domain.messages import Properties, RawMessage
from models.domain.problems import trouble
from models.domain.queries import CancelToken, MessageLine, MessageRequest, MessageResult
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import raw
from widgets.common.theme import ThemeHolder
from widgets.messages.paired_window import PairedWindow

S = 1_000_000
TO_CRAWLER, TO_BOSS = "agents/crawler/inbox/boss", "agents/boss/inbox/crawler"


class Store:
    """A recorder's writing, message by message, on a clock that is told."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.clock = workspace, FakeClock()
        self._writer = StoreWriter(workspace, self.clock)
        self._reader = Reader(self._writer.names, "agents", self.clock)
        self._writer.begin_capture("mqtt://h:1883", "me")

    def take(self, *messages: RawMessage) -> None:
        for one in messages:
            self.clock.advance(max(0, one.received_us - self.clock.wall_us()))
            self._writer.commit(self._reader.read([one]))
        self._writer.housekeep()

    def close(self) -> None:
        self._writer.close()


def at(second: float, topic: str, properties: Properties | None = None, **body: object) -> RawMessage:
    return raw(topic, json.dumps(body).encode(), T0 + round(second * S), properties)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(Workspace.at(tmp_path / "w"))
    yield one
    one.close()


@pytest.fixture
def controller(qapp: QApplication, store: Store, qtbot: QtBot) -> Iterator[PairedController]:
    window = QWidget()
    qtbot.addWidget(window)
    source = HistorySource(lambda: HistoryReader(store.workspace, store.clock), store.clock)
    one = PairedController(source, store.workspace, store.clock, ThemeHolder(qapp, "light"), window)
    yield one
    if one.shown is not None:
        one.shown.close()
    one.shutdown()
    source.shutdown()


def stored(store: Store, topic: str) -> list[MessageLine]:
    """Messages of a topic, the oldest first."""
    reader = HistoryReader(store.workspace)
    (found,) = reader.answer(MessageRequest(topic=topic.encode()), CancelToken())
    reader.close()
    assert isinstance(found, MessageResult)
    return list(found.rows)[::-1]


@pytest.fixture
def asked(controller: PairedController, qtbot: QtBot) -> Callable[[MessageLine], PairedWindow]:
    def ask(line: MessageLine) -> PairedWindow:
        controller.ask(line)
        assert controller.shown is not None
        qtbot.waitUntil(lambda: bool(controller.shown.note.text()), timeout=10_000)
        return controller.shown

    return ask


def sides(window: PairedWindow) -> list[bytes | None]:
    return [None if side.line is None else side.line.payload for side in (window.left, window.right)]


def test_both_stand_beside_each_other_from_either_side(store: Store, asked, qtbot: QtBot, controller) -> None:
    store.take(
        at(0, TO_CRAWLER, id="q-17", type="fetch", body={"depth": 2}), at(0.5, "agents/x/metrics", metrics={"cpu": 1}),
        at(1.25, TO_BOSS, reply_to="q-17", type="reply", body={"pages": 3}),
    )  # fmt: skip
    request, reply = stored(store, TO_CRAWLER)[0], stored(store, TO_BOSS)[0]
    for line in (request, reply):
        window = asked(line)
        assert window.title.text() == "boss asks crawler · fetch · q-17"
        assert window.text.text() == "Answered after 1.25 s: ok."
        assert sides(window) == [request.payload, reply.payload]
        assert window.right.title.text() == "reply · 1.25 s later · ok"
        assert window.steps.isHidden()
    with qtbot.waitSignal(controller.message_wanted) as told:
        window.go_left.click()
    assert told.args[0].key == request.key
    window.copy.click()
    text = QGuiApplication.clipboard().text()
    assert text.index('"depth": 2') < text.index('"pages": 3')
    window.swap.click()
    window.copy.click()
    text = QGuiApplication.clipboard().text()
    assert text.index('"pages": 3') < text.index('"depth": 2')
    window.compare.click()
    comparison = next(one for one in window.findChildren(QDialog) if one.isVisible())
    assert "differ" in comparison.told.text()
    comparison.close()


def test_several_answers_are_listed_in_order_and_chosen(store: Store, asked, qtbot: QtBot) -> None:
    properties = Properties(response_topic="me/answers", correlation=b"\x01k")
    answer = Properties(correlation=b"\x01k")
    store.take(
        at(0, "svc/add", properties, a=1), at(1, "me/answers", answer, ok=True), at(2, "me/answers", answer, error="no"),
        at(64, "me/answers", answer, late=True),
    )  # fmt: skip
    window = asked(stored(store, "me/answers")[1])
    assert window.text.text() == "Answered after 1 s: ok. Answered 3 times."
    assert not window.steps.isHidden()
    words = [
        [window.steps.records.data(window.steps.records.index(row, column)) for column in (1, 2, 3)] for row in range(4)
    ]
    assert words == [
        ["", "request", ""], ["1 s", "reply", "ok"], ["2 s", "another reply", "error"], ["1 min 4 s", "late reply", "ok"],
    ]  # fmt: skip
    assert window.right.line == stored(store, "me/answers")[1]  # the one that was asked about
    assert window.steps.currentIndex().row() == 2
    qtbot.keyClick(window.steps, Qt.Key.Key_Down)
    assert window.right.line == stored(store, "me/answers")[2]


def test_a_request_waits_then_times_out_and_a_reply_appears_by_itself(store: Store, asked, qtbot: QtBot) -> None:
    store.take(at(0, TO_CRAWLER, id="q", type="fetch"), at(12, "agents/x/metrics", metrics={"cpu": 1}))
    window = asked(stored(store, TO_CRAWLER)[0])
    assert window.text.text() == "No reply yet; it is waited for since 12 s."
    assert window.right.stack.view.state.sentence == "No reply yet"
    assert not window.compare.isEnabled()
    store.take(at(20, TO_BOSS, reply_to="q", type="error"))
    qtbot.waitUntil(lambda: window.right.line is not None, timeout=10_000)
    assert window.text.text() == "Answered after 20 s: error."
    assert not window._tick.isActive()
    store.take(at(30, TO_CRAWLER, id="r", type="fetch"), at(200, "agents/x/metrics", metrics={"cpu": 1}))
    window = asked(stored(store, TO_CRAWLER)[1])
    assert window.text.text() == "Timed out: no reply was recorded within 1 min."
    assert not window._tick.isActive()


def test_a_reply_without_its_request_and_what_belongs_to_nothing(store: Store, asked) -> None:
    store.take(at(0, TO_BOSS, reply_to="gone", type="reply"), at(1, "agents/x/metrics", metrics={"cpu": 1}))
    window = asked(stored(store, TO_BOSS)[0])
    assert window.text.text().startswith("It is a reply, but the request that it answers is not among")
    assert sides(window)[0] is None
    assert window.left.stack.view.state.sentence == "Its request is not there"
    window = asked(stored(store, "agents/x/metrics")[0])
    assert window.text.text() == "It neither asks for a reply nor answers anything, as far as it can be read."
    assert sides(window)[1] is None


def test_one_looks_further(store: Store, asked, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired_controller, "FIRST_REACH_US", 5 * S)
    noise = at(100, "agents/x/metrics", metrics={"cpu": 1})  # at which the wait is over
    store.take(at(0, TO_CRAWLER, id="q", type="fetch"), noise, at(200, TO_BOSS, reply_to="q"))
    window = asked(stored(store, TO_BOSS)[0])
    assert window.left.line is None
    window.further.click()
    window.further.click()
    qtbot.waitUntil(lambda: window.left.line is not None, timeout=10_000)
    assert window.text.text() == "Timed out; answered too late, after 3 min 20 s: ok."


def test_the_next_question_takes_the_place_of_the_one_before(store: Store, controller, qtbot: QtBot) -> None:
    store.take(*(at(n, TO_CRAWLER, id=f"q-{n}", type="fetch") for n in range(5)), at(300, "z", v=1))
    for line in stored(store, TO_CRAWLER):
        controller.ask(line)
    qtbot.waitUntil(lambda: bool(controller.shown.note.text()), timeout=10_000)
    assert controller.shown.title.text() == "boss asks crawler · fetch · q-4"


def test_after_a_failure_it_is_looked_for_by_its_own_marks(
    store: Store, asked, controller, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paired_controller, "FIRST_REACH_US", 300 * S)
    noise = at(
        100, "agents/x/metrics", metrics={"cpu": 1}
    )  # at which the wait is over: nothing else tells of the reply
    store.take(at(0, TO_CRAWLER, id="q", type="fetch"), noise, at(200, TO_BOSS, reply_to="q"))
    (wanted,) = stored(store, TO_BOSS)
    asked(stored(store, "agents/x/metrics")[0])

    def fail(*_: object) -> None:
        raise trouble("settings.unreadable", path="rules.toml", detail="line 1")

    with monkeypatch.context() as patch:
        patch.setattr(paired_controller, "marks_of_line", fail)
        controller.ask(wanted)
        qtbot.waitUntil(lambda: controller.shown._stack.view.state.sentence.startswith("rules.toml"), timeout=10_000)
    qtbot.waitUntil(lambda: controller._work.idle, timeout=10_000)
    controller.shown.again_wanted.emit()
    qtbot.waitUntil(lambda: controller.shown.text.text() != "", timeout=10_000)
    assert controller.shown.text.text() == "Timed out; answered too late, after 3 min 20 s: ok."
