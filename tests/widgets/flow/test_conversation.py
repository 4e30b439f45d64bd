"""A conversation as a sequence and as text: pairing, life lines, keys, older pages, payloads."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from models.domain.flow_queries import TalkLine, TalkRequest, TalkResult
from models.domain.queries import Reach, RowKey
from models.domain.records import Outcome
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.widgets.fakes import AGENT, message_line
from widgets.common.state_view import StateKind
from widgets.flow.conversation_window import ConversationWindow
from widgets.flow.sequence import arrows_of, conversation_text, lanes_of
from widgets.flow.sequence_view import ROW
from widgets.records.agent_names import AgentNames

MS = 1_000
REQUEST = TalkRequest((AGENT, 8))


def line(number, at_ms, sender=AGENT, receiver=8, reply_ms=None, outcome=Outcome.OK, kind="ask"):
    end_us = T0 + (at_ms + (reply_ms or 0)) * MS
    reply_us = None if reply_ms is None else reply_ms * MS
    return TalkLine(
        RowKey(end_us, 1, number), number, T0 + at_ms * MS, sender, receiver, kind, f"q{number}", reply_us, outcome
    )


LINES = [
    line(4, 60, AGENT, 8, None, Outcome.TIMEOUT),
    line(3, 50, 8, 9, None, kind="tell"),
    line(2, 10, 8, AGENT, 5, Outcome.ERROR),
    line(1, 0, AGENT, 8, 30),
]


def test_arrows_stand_in_the_order_of_time_and_know_their_other_half():
    arrows = arrows_of(LINES)
    told = [((one.time_us - T0) // MS, one.sender, one.receiver, one.reply, one.pair, one.bad) for one in arrows]
    assert told == [
        (0, AGENT, 8, False, 3, False),
        (10, 8, AGENT, False, 2, False),
        (15, AGENT, 8, True, 1, True),
        (30, 8, AGENT, True, 0, False),
        (50, 8, 9, False, -1, False),
        (60, AGENT, 8, False, -1, True),
    ]
    assert lanes_of(arrows, (9, 77, AGENT)) == [9, AGENT, 8]


class Talk:
    def __init__(self, desk):
        self.lines, self.asked = LINES, []
        desk.source.more[TalkRequest] = self.answer
        desk.source.messages = [message_line(number, T0, b'{"ok": %d}' % number) for number in range(1, 9)]

    def answer(self, request):
        self.asked.append(request)
        rows = [one for one in self.lines if request.before is None or one.key < request.before]
        more = len(rows) > request.limit
        return TalkResult(request, tuple(rows[: request.limit]), Reach(rows[request.limit - 1].key if more else None))


@pytest.fixture
def talk(desk):
    return Talk(desk)


@pytest.fixture
def window(desk, talk, shown, qtbot: QtBot):
    names = AgentNames(desk.source)
    names.refresh()
    desk.source.answer_all()
    made = ConversationWindow(desk.source, names, desk.theme, None)
    shown(made)
    made.show_talk(REQUEST, "both")
    desk.source.answer_all()
    return made


def test_by_keys_alone(desk, window, qtbot: QtBot):
    view = window.sequence
    assert view.accessibleDescription() == "6 arrows between 3 agents"
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_Right):
        qtbot.keyClick(view, key)
    assert view.at_hand.reply
    assert "crawler-1 → Crawler Two  error after 5 ms  [q2]" in view.accessibleDescription()
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.at_hand == view.arrows[1]
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().endswith("Crawler Two → crawler-1  ask  [q2]")


def test_the_message_at_hand_is_fetched_when_it_is_wanted(desk, window, qtbot: QtBot):
    assert not any(type(one).__name__ == "MessageRequest" for one in desk.source.asked)
    talk_key = RowKey(T0, 1, 1)
    lines = [one._replace(key=talk_key) if one.key.seq == 1 else one for one in LINES]
    window.sequence.show_lines(lines, REQUEST.agents)
    window.sequence.take_in_hand(0)
    qtbot.waitUntil(lambda: bool(desk.source.waiting))
    desk.source.answer_all()
    assert window.payload.line.payload == b'{"ok": 1}'
    with qtbot.waitSignal(window.pair_wanted) as wanted:
        qtbot.keyClick(window.sequence, Qt.Key.Key_Return)
    assert wanted.args == [window.payload.line]


def test_a_time_out_has_no_message(desk, window, qtbot: QtBot):
    qtbot.keyClick(window.sequence, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: "did not come in time" in window.payload.stack.view.state.sentence)
    assert not window.pair.isEnabled()
    assert not any(type(one).__name__ == "MessageRequest" for one in desk.source.asked)


def test_as_text(window):
    window.copy.click()
    text = QGuiApplication.clipboard().text().splitlines()
    assert len(text) == 6
    assert text[3].endswith("Crawler Two → crawler-1  ok after 30 ms  [q1]")
    window.tabs.setCurrentWidget(window.text)
    assert window.text.toPlainText() == "\n".join(text)


def test_it_begins_at_the_end_and_older_ones_come_above_what_is_looked_at(desk, window, talk):
    talk.lines = [line(number, 100 * number, reply_ms=10) for number in range(450, 0, -1)]
    window.show_talk(replace(REQUEST, since_us=1), "both")
    desk.source.answer_next()
    view, bar = window.sequence, window.sequence.verticalScrollBar()
    assert window.count.text() == "the newest 200 interactions"
    assert bar.value() == bar.maximum()
    view.take_in_hand(4)
    seen = view.at_hand, view.row_rect(4).y()
    desk.source.answer_all()
    place = view.arrows.index(view.at_hand)
    assert view.at_hand.line.key == seen[0].line.key
    assert place > 4
    assert view.row_rect(place).y() == seen[1]
    while window.older.isEnabled():
        window.older.click()
        desk.source.answer_all()
    assert [one.line.key.seq for one in view.arrows if not one.reply] == list(range(1, 451))
    assert bar.maximum() >= 900 * ROW - view.viewport().height()
    view.viewport().grab()


def test_what_comes_is_added_while_it_is_open_ended(desk, window, talk):
    talk.lines = [line(5, 70), *LINES]
    window.want_news()
    desk.source.answer_all()
    assert len(window.sequence.arrows) == 7
    window.show_talk(replace(REQUEST, until_us=T0 + 1), "both")
    desk.source.answer_all()
    asked = len(talk.asked)
    window.want_news()
    assert len(talk.asked) == asked


def test_nobody_talked(desk, window, talk):
    talk.lines = []
    window.show_talk(replace(REQUEST, since_us=2), "both")
    desk.source.answer_all()
    assert window.stack.view.state.kind is StateKind.EMPTY
    assert conversation_text([], AgentNames(desk.source)) == ""
