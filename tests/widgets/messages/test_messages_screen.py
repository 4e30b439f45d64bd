"""The messages screen as one works with it: tree, list, message, plot, and the ways to other screens."""

import json
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from models.domain.queries import MessageRequest
from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT, SECOND, message_line
from widgets.common.state_view import StateKind
from widgets.messages.messages_screen import MessagesScreen
from widgets.records.agent_names import AgentNames
from widgets.records.message_list import MessageModel

METRICS, LOG, HOME = b"agents/crawler-1/metrics", b"agents/crawler-1/log", b"home/\xff"


@pytest.fixture
def screen(desk: Desk, shown: Callable) -> MessagesScreen:
    desk.source.count_up(METRICS, LOG, HOME, agent=AGENT)
    desk.source.messages = [
        message_line(n, desk.now - (30 - n) * SECOND, json.dumps({"cpu": n}).encode(), (METRICS, LOG, HOME)[n % 3])
        for n in range(30)
    ]
    made = MessagesScreen(desk.context, AgentNames(desk.source), refresh_ms=0)
    made.resize(1_200, 800)
    return shown(made)


def listed(screen: MessagesScreen) -> set[bytes]:
    return {line.topic for line in screen.rows.model.rows}


def choose(desk: Desk, screen: MessagesScreen, topic: bytes) -> None:
    screen.topics.show_topic(topic)
    desk.source.answer_all()


def take_row(screen: MessagesScreen, row: int = 0) -> None:
    screen.rows.table.setCurrentIndex(screen.rows.model.index(row, 0))


def titles(menu: QMenu) -> list[str]:
    return [one.text() for one in menu.actions() if one.text()]


def test_a_topic_or_a_branch_is_listed(desk: Desk, screen: MessagesScreen) -> None:
    assert listed(screen) == {METRICS, LOG, HOME}
    choose(desk, screen, METRICS)
    assert listed(screen) == {METRICS}
    assert screen.rows.table.isColumnHidden(MessageModel.TOPIC)  # each row would say the same
    choose(desk, screen, b"agents")
    assert listed(screen) == {METRICS, LOG}
    assert not screen.rows.table.isColumnHidden(MessageModel.TOPIC)
    choose(desk, screen, HOME)
    assert listed(screen) == {HOME}
    screen.topics.show_everything()
    desk.source.answer_all()
    assert listed(screen) == {METRICS, LOG, HOME}


def test_text_and_agent_narrow_it_and_a_button_clears_them(desk: Desk, screen: MessagesScreen) -> None:
    choose(desk, screen, b"agents")
    screen.rows.search.setText('"CPU": 2')
    screen.rows._search_now()
    desk.source.answer_all()
    assert [json.loads(line.payload)["cpu"] for line in screen.rows.model.rows] == [28, 27, 25, 24, 22, 21]
    screen.rows.search.setText("nowhere")
    screen.rows._search_now()
    desk.source.answer_all()
    assert screen.rows.stack.view.state.kind is StateKind.NO_MATCH
    screen.rows.stack.view.state.on_action()
    desk.source.answer_all()
    assert listed(screen) == {METRICS, LOG}
    screen.show_agent(AGENT + 1)
    desk.source.answer_all()
    assert screen.rows.stack.view.state.kind is StateKind.NO_MATCH
    assert isinstance(desk.source.asked[-1], MessageRequest)


def test_a_topic_whose_messages_are_gone_says_so(desk: Desk, screen: MessagesScreen) -> None:
    desk.source.count_up(b"old")
    desk.clock.advance(SECOND)
    screen.topics.refresh()
    desk.source.answer_all()
    choose(desk, screen, b"old")
    state = screen.rows.stack.view.state
    assert "any more" in state.sentence
    desk.range.pause()
    desk.source.answer_all()
    state = screen.rows.stack.view.state
    assert (state.sentence, state.action) == ("No messages in this time", "Back to live")
    state.on_action()
    assert desk.range.live


def test_keys_lead_from_the_tree_to_the_list_to_the_message_and_back(desk: Desk, screen: MessagesScreen, qtbot: QtBot) -> None:  # fmt: skip
    choose(desk, screen, METRICS)
    assert screen.pane.isHidden()
    qtbot.keyClick(screen.topics.tree, Qt.Key.Key_Return)
    assert not screen.pane.isHidden()
    assert screen.message == screen.rows.model.rows[0]
    assert screen.rows.selected == [screen.message]
    qtbot.keyClick(screen.rows.table, Qt.Key.Key_Down)
    assert screen.message == screen.rows.model.rows[1]
    qtbot.keyClick(screen, Qt.Key.Key_Escape)
    assert screen.pane.isHidden()
    assert screen.message is None


def test_plotting_a_field_follows_what_comes_and_escape_closes_it_first(desk: Desk, screen: MessagesScreen, qtbot: QtBot) -> None:  # fmt: skip
    choose(desk, screen, METRICS)
    take_row(screen)
    screen.plot_field()
    desk.source.answer_all()
    assert screen.plot.field == (METRICS, ("cpu",))
    assert len(screen.plot._buffer) == 10
    desk.clock.advance(5 * SECOND)
    desk.source.messages.append(message_line(31, desk.now, b'{"cpu": 77}', METRICS))
    desk.tail.page(messages=1)
    qtbot.waitUntil(lambda: (desk.source.answer_all(), len(screen.plot._buffer))[1] == 11)
    assert screen.plot._buffer.latest == 77
    qtbot.keyClick(screen, Qt.Key.Key_Escape)
    assert screen.plot.isHidden()
    assert not screen.pane.isHidden()


def test_copying(desk: Desk, screen: MessagesScreen) -> None:
    clipboard = QGuiApplication.clipboard()
    choose(desk, screen, METRICS)
    take_row(screen)
    screen.copy_payload()
    assert clipboard.text() == '{"cpu": 27}'
    screen.copy_topic()
    assert clipboard.text() == METRICS.decode()
    desk.source.messages.append(message_line(40, desk.now, b"\xff\x00", HOME))
    choose(desk, screen, HOME)
    take_row(screen)
    screen.copy_payload()
    assert clipboard.text() == "ff 00"
    screen.copy_topic()
    assert clipboard.text() == r"home/\xff"


def test_a_long_payload_is_copied_whole_or_it_is_said_why_not(desk: Desk, screen: MessagesScreen) -> None:
    whole = b"x" * 200_000
    desk.source.messages.append(message_line(50, desk.now, whole, METRICS))
    choose(desk, screen, METRICS)
    take_row(screen)
    assert len(screen.rows.model.rows[0].payload) < len(whole)
    screen.copy_payload()
    desk.source.answer_all()
    assert QGuiApplication.clipboard().text() == whole.decode()
    QGuiApplication.clipboard().setText("before")
    desk.source.messages.pop()
    screen.pane.show_message(screen.rows.model.rows[0]._replace(key=screen.rows.model.rows[0].key._replace(seq=51)))
    screen.copy_payload()
    desk.source.answer_all()
    assert QGuiApplication.clipboard().text() == "before"
    assert "retention has removed it" in screen.pane._how.text()


def test_menus_lead_everywhere(desk: Desk, screen: MessagesScreen, qtbot: QtBot) -> None:
    menu = QMenu()
    take_row(screen, 2)
    line = screen.message
    screen.rows.menu_wanted.emit(menu, line)
    assert titles(menu) == [
        "Copy topic", "Copy payload", "Copy as mosquitto_pub", "Compare with the one before on its topic", "Request and reply", "Publish again…", "&Teach",
        "Why?", "Show only this topic", "Go to agent",
    ]  # fmt: skip
    actions = {one.text(): one for one in menu.actions()}
    for name, signal, told in (
        ("Go to agent", screen.agent_wanted, AGENT),
        ("Publish again…", screen.publish_wanted, line),
        ("Copy as mosquitto_pub", screen.shell_line_wanted, line),
    ):
        with qtbot.waitSignal(signal) as heard:
            actions[name].trigger()
        assert heard.args == [told]
    actions["Show only this topic"].trigger()
    desk.source.answer_all()
    assert listed(screen) == {line.topic}
    screen.topics.show_topic(METRICS)
    menu = screen.topics.make_menu()
    assert titles(menu) == [
        "Copy topic",
        "Publish to this topic…",
        "&Teach",
        "Remove the retained message…",
        "Go to agent",
    ]
    with qtbot.waitSignal(screen.publish_wanted) as heard:
        menu.actions()[1].trigger()
    assert heard.args == [METRICS]
    with qtbot.waitSignal(screen.publish_wanted) as heard:
        screen.publish.click()
    assert heard.args == [METRICS]


def test_hidden_it_asks_for_nothing(desk: Desk, screen: MessagesScreen) -> None:
    screen.hide()
    asked = len(desk.source.asked)
    desk.tail.page(messages=5)
    desk.clock.advance(5 * SECOND)
    screen.topics.refresh()
    screen.refresh()
    assert len(desk.source.asked) == asked


def test_a_message_from_elsewhere_is_shown_with_its_topic(desk: Desk, screen: MessagesScreen) -> None:
    screen.rows.search.setText("nowhere")
    screen.rows._search_now()
    line = desk.source.messages[4]
    screen.show_message(line)
    desk.source.answer_all()
    assert screen.message == line
    assert listed(screen) == {line.topic}
    assert screen.rows.search.text() == ""
    assert screen.rows.selected == [line], "one sees which of them it is"


def test_all_topics_are_named_though_the_last_window_showed_only_one(desk: Desk, screen: MessagesScreen) -> None:
    choose(desk, screen, METRICS)
    left = screen.rows.table.save_columns()
    screen.topics.show_everything()
    screen.rows.table.restore_columns(left)  # as the next window does before its topics are known
    screen.rows.show_topic(b"", branch=False)
    assert not screen.rows.table.isColumnHidden(MessageModel.TOPIC)


def test_nothing_moves_while_a_message_is_read_but_for_a_plot(desk: Desk, screen: MessagesScreen, qtbot: QtBot) -> None:
    def come(number: int) -> None:
        desk.clock.advance(5 * SECOND)
        desk.source.messages.append(message_line(number, desk.now, b'{"cpu": 77}', METRICS))
        desk.tail.page(messages=1)
        qtbot.waitUntil(lambda: bool(desk.source.waiting))
        desk.source.answer_all()

    choose(desk, screen, METRICS)
    take_row(screen)
    come(31)
    assert screen.rows.model.rowCount() == 10
    assert screen.rows.new_button.text() == "1 new"
    screen.plot_field()
    desk.source.answer_all()
    assert len(screen.plot._buffer) == 11
    come(32)
    qtbot.waitUntil(lambda: (desk.source.answer_all(), len(screen.plot._buffer))[1] == 12)
    assert screen.rows.model.rowCount() == 10
    screen.plot.close_plot()
    qtbot.keyClick(screen, Qt.Key.Key_Escape)
    desk.source.answer_all()
    assert screen.rows.model.rowCount() == 12


def test_the_list_gives_way_to_what_is_read(desk: Desk, screen: MessagesScreen, qtbot: QtBot) -> None:
    screen.resize(1_190, 640)  # what a window of 1,280 by 800 has left beside a moment and a notice
    choose(desk, screen, METRICS)
    take_row(screen)
    qtbot.waitUntil(lambda: screen.pane.pages.json.viewport().height() > 180)
    screen.plot_field()
    desk.source.answer_all()
    qtbot.waitUntil(lambda: screen.plot.height() > 180)
    assert screen.pane.pages.json.viewport().height() > 150
    assert screen.rows.table.viewport().height() > 50
    screen.resize(1_800, 900)
    qtbot.waitUntil(lambda: screen.pane.height() == screen.rows.height())
    assert screen.pane.width() > 500


def test_from_the_filter_tab_and_down_lead_into_the_list(screen: MessagesScreen, desk: Desk, qtbot: QtBot) -> None:
    screen.rows.focus_filter()
    qtbot.keyClick(screen.rows.search, Qt.Key.Key_Tab)
    assert screen.rows.table.hasFocus()
    screen.rows.focus_filter()
    qtbot.keyClick(screen.rows.search, Qt.Key.Key_Down)
    assert screen.rows.table.hasFocus()
    assert screen.rows.selected == [screen.rows.model.rows[0]]


def test_what_is_not_found_may_be_in_another_time(screen: MessagesScreen, desk: Desk, qtbot: QtBot) -> None:
    screen.rows.search.setText("nowhere")
    qtbot.keyClick(screen.rows.search, Qt.Key.Key_Return)
    desk.source.answer_all()
    assert screen.rows.empty_state().sentence == "Nothing matches the filter"
    desk.range.pause()
    assert screen.rows.empty_state().sentence == "Nothing in this time matches the filter"
