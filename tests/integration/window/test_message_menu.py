"""Messages in the window as it is put together: the menu fits what is at hand, and other lists lead to a message."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.window.composition import Composition, WindowOptions
from app.window.places import AGENT, LOGS, MESSAGES
from models.domain.clock import SystemClock
from models.domain.records import Level, LogRow
from models.storage.workspace import Workspace
from tests.helpers.history_builder import HistoryBuilder, raw

METRICS, LOG = b"agents/one/metrics", b"agents/one/log"


@pytest.fixture
def one(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Iterator[Composition]:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    builder = HistoryBuilder(Workspace.at(tmp_path / "w"))
    segment, now_us = builder.segment(), SystemClock().wall_us()
    agent = builder.agent("one")
    segment.write(builder.messages([raw(METRICS, b'{"cpu": 0.5}', now_us)], agent))
    batch = builder.messages(
        [raw(LOG, b'{"message": "hi"}', now_us + 5), raw(METRICS, b'{"cpu": 1}', now_us + 5)], agent
    )
    batch.logs = [LogRow(0, now_us, agent, Level.INFO, None, "hi")]
    segment.write(batch)
    builder.update_agent_now(agent, presence=1, last_seen_us=now_us, since_us=now_us, cause="status")
    for topic, name in ((1, METRICS), (2, LOG)):
        assert builder.names.topics[topic] == name
        builder.insert_total(topic, messages=2, last_us=now_us, agent=agent)
    segment.close()
    builder.close()
    made = Composition(qapp, Workspace.at(tmp_path / "w"), WindowOptions(theme="light", live=False))
    made.window.resize(1300, 800)
    made.window.show()
    made.fill()
    qtbot.waitUntil(lambda: made.idle)
    yield made
    made.close()
    made.window.close()
    qtbot.waitUntil(lambda: not made.frames.running)
    made.window.deleteLater()


def enabled(one: Composition) -> set[str]:
    entries = one._actions.entries()
    return {entry.id.partition(".")[2] for entry in entries if entry.menu == "Message" and entry.action.isEnabled()}


def lead(one: Composition, rows: object, line: object, text: str) -> None:
    """Choose an entry of the context menu of a list."""
    menu = QMenu(one.window)
    rows.menu_wanted.emit(menu, line)
    next(action for action in menu.actions() if action.text() == text).trigger()


def test_the_menu_fits_what_is_at_hand(one: Composition, qtbot: QtBot) -> None:
    assert enabled(one) == {"publish", "rules"}
    one.window.show_screen(MESSAGES)
    screen = one.screens.messages
    qtbot.waitUntil(lambda: one.idle)
    assert enabled(one) == {"publish", "rules"}  # everything is at hand, which is no topic
    screen.topics.show_topic(METRICS)
    qtbot.waitUntil(lambda: one.idle and len(screen.rows.model.rows) == 2)
    assert enabled(one) == {"publish", "rules", "clear", "copy-topic"}
    screen._into_rows()
    assert enabled(one) == {
        "publish", "again", "rules", "teach", "clear", "copy-topic", "copy-payload", "copy-command", "plot", "paired", "plots",
        "agent",
    }  # fmt: skip
    one._actions["message.copy-payload"].trigger()
    assert QGuiApplication.clipboard().text() == '{"cpu": 1}'
    one._actions["message.copy-command"].trigger()
    assert QGuiApplication.clipboard().text().endswith("""-t agents/one/metrics -m '{"cpu": 1}'""")
    one._actions["message.plot"].trigger()
    qtbot.waitUntil(lambda: screen.plot.history.complete and one.idle)
    assert screen.plot._buffer.value.tolist() == [0.5, 1.0]
    screen.plot.close_plot()
    one._actions["message.again"].trigger()
    assert one.publishing.form.message().payload == b'{"cpu": 1}'
    one.publishing.form.reject()
    one._actions["message.clear"].trigger()
    assert "“agents/one/metrics”" in one.publishing.form.notice.text()
    one.publishing.form.reject()
    one._actions["message.agent"].trigger()
    assert one.window.shown_screen == AGENT
    assert enabled(one) == {"publish", "rules"}


def test_a_value_is_taught(one: Composition, qtbot: QtBot) -> None:
    one.window.show_screen(MESSAGES)
    screen = one.screens.messages
    screen.topics.show_topic(METRICS)
    qtbot.waitUntil(lambda: one.idle and len(screen.rows.model.rows) == 2)
    screen._into_rows()
    menu = screen.pane.pages.json.make_menu()
    offer = next(action for action in menu.actions() if action.text() == "&Teach")
    next(action for action in offer.menu().actions() if action.text() == "This &number is…").trigger()
    qtbot.waitUntil(lambda: one.rules.form is not None and one.rules.form.isVisible())
    assert one.rules.form.said.path == "cpu"
    assert one.rules.form.fields.fields["metric"].line.selectedText() == "cpu"
    one.rules.form.reject()
    one._actions["message.teach"].trigger()
    qtbot.waitUntil(one.rules.form.isVisible)
    one._actions["message.rules"].trigger()
    qtbot.waitUntil(lambda: one.rules.idle and one.idle)
    assert one.rules.list.list.isVisible()
    one.rules.list.list.reject()
    one.rules.form.reject()


def test_a_log_record_leads_to_its_message(one: Composition, qtbot: QtBot) -> None:
    one.window.show_screen(LOGS)
    rows = one.screens.logs_screen().rows
    qtbot.waitUntil(lambda: len(rows.model.rows) == 1)
    lead(one, rows, rows.model.rows[0], "Show its message")
    qtbot.waitUntil(lambda: one.window.shown_screen == MESSAGES)
    screen = one.screens.messages
    assert screen.message.payload == b'{"message": "hi"}'
    qtbot.waitUntil(lambda: screen.rows.topic == LOG and one.idle)


def test_a_message_of_an_agent_leads_to_its_topic(one: Composition, qtbot: QtBot) -> None:
    one.screens.open_agent(1)
    rows = one.screens.agent.messages
    one.screens.agent.tabs.setCurrentWidget(rows)
    qtbot.waitUntil(lambda: len(rows.model.rows) == 3)
    lead(one, rows, rows.model.rows[-1], "Show in Messages")
    screen = one.screens.messages
    assert screen.message.payload == b'{"cpu": 0.5}'
    qtbot.waitUntil(lambda: screen.rows.topic == METRICS and one.idle)
    assert screen.topics.tree.current().topic == METRICS
