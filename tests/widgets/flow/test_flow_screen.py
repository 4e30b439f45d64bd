"""Who talks to whom: the graph, the table, the interactions of a pair, and where agents stand."""

import random
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from models.domain.flow_queries import FlowGroup, FlowRequest, FlowResult, TalkLine, TalkRequest, TalkResult
from models.domain.problems import Problem
from models.domain.queries import Reach, RowKey
from models.domain.records import Outcome
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.widgets.fakes import AGENT
from widgets.common.state_view import StateKind
from widgets.flow.flow_graph import MOST_NODES, FlowGraph
from widgets.flow.flow_screen import FlowScreen
from widgets.flow.graph_layout import arranged
from widgets.flow.name_places import NameBox, name_places
from widgets.flow.pairs import Pair, pairs_of
from widgets.records.agent_names import AgentNames

S = 1_000_000
NAN = np.nan
PAIRS = [
    (AGENT, 8, 40, 40, 0, (10_000, 20_000, 30_000)),  # busy and well
    (8, AGENT, 10, 10, 4, (10_000, 20_000, 30_000)),  # fails
    (AGENT, 9, 5, 5, 0, (S, 3 * S, 4 * S)),  # slow
    (9, 9, 2, 0, 0, (NAN, NAN, NAN)),  # tells itself something
]


def result_of(request, pairs=PAIRS, whole=True):
    columns = [np.array(one, np.int64) for one in zip(*[pair[:5] for pair in pairs], strict=True)] or [
        np.empty(0, np.int64)
    ] * 5
    reply = np.array([pair[5] for pair in pairs], float).reshape(-1, 3)
    return FlowResult(request, *columns, reply, np.full(len(pairs), T0), whole)


def line(number, outcome=Outcome.OK):
    return TalkLine(RowKey(T0 + number, 1, number), number, T0, AGENT, 8, "ask", f"id-{number}", 10_000, outcome)


class Told:
    def __init__(self, desk):
        self.groups = ()
        self.pairs, self.talk = PAIRS, [line(number) for number in range(450, 0, -1)]
        self.asked = []
        desk.source.more[FlowRequest] = self.flow
        desk.source.more[TalkRequest] = self.lines

    def flow(self, request):
        self.asked.append(request)
        return replace(result_of(request, self.pairs), groups=self.groups if request.by_group else ())

    def lines(self, request):
        self.asked.append(request)
        rows = [one for one in self.talk if request.before is None or one.key < request.before]
        rows = [one for one in rows if one.key.received_us >= request.since_us]
        more = len(rows) > request.limit
        return TalkResult(request, tuple(rows[: request.limit]), Reach(rows[request.limit - 1].key if more else None))


@pytest.fixture
def told(desk):
    return Told(desk)


@pytest.fixture
def screen(desk, shown, told):
    names = AgentNames(desk.source)
    made = FlowScreen(desk.context, names, refresh_ms=0)
    made.resize(900, 600)
    return shown(made)


def listed(screen):
    screen.views.setCurrentWidget(screen.views.table)
    return screen.views.table.records.rows


def test_the_worst_stand_first(screen):
    pairs = [(one.sender, one.receiver) for one in listed(screen)]
    assert pairs == [(8, AGENT), (AGENT, 9), (AGENT, 8), (9, 9)]
    assert screen.summary.text() == "4 pairs, 57 interactions a minute · 1 failing · 1 slow"
    assert listed(screen)[3].ratio is None


def test_a_click_on_a_line_lists_just_its_interactions(desk, screen, told, qtbot: QtBot):
    graph = screen.views.graph
    pair = next(one for one in graph.pairs if (one.sender, one.receiver) == (AGENT, 8))
    qtbot.mouseClick(graph, Qt.MouseButton.LeftButton, pos=graph._path(pair).pointAtPercent(0.5).toPoint())
    desk.source.answer_all()
    request = told.asked[-1]
    assert (request.agents, request.senders, request.receivers) == ((AGENT, 8), (AGENT,), (8,))
    assert screen.talk.title.text() == "crawler-1 → Crawler Two"
    assert len(screen.talk.lines) == 200
    bar = screen.talk.table.verticalScrollBar()
    for _ in range(4):
        screen.talk.table.scrollToBottom()
        bar.setValue(bar.maximum())
        desk.source.answer_all()
    assert [one.key.seq for one in screen.talk.lines] == list(range(450, 0, -1))
    screen.talk.closed.emit()
    assert screen.talk.isHidden()


def test_while_live_what_was_fetched_stays_and_what_left_the_range_goes(desk, screen, told):
    screen.views.graph.chosen.emit(AGENT, 8)
    desk.source.answer_all()
    bar = screen.talk.table.verticalScrollBar()
    bar.setValue(bar.maximum())
    desk.source.answer_all()
    before = [one.key.seq for one in screen.talk.lines]
    assert len(before) > 200
    told.talk = [line(451), *told.talk]
    desk.clock.advance(60 * S + 100)
    screen.refresh()
    desk.source.answer_next()
    assert screen.talk.stack.currentWidget() is screen.talk.table
    desk.source.answer_all()
    assert [one.key.seq for one in screen.talk.lines] == [451, *(seq for seq in before if seq >= 100)]


def test_a_click_on_an_agent_lists_all_its_talk(desk, screen, told, qtbot: QtBot):
    qtbot.mouseClick(screen.views.graph, Qt.MouseButton.LeftButton, pos=screen.views.graph.place(AGENT).toPoint())
    desk.source.answer_all()
    assert told.asked[-1].agents == (AGENT, 8, 9)
    assert told.asked[-1].ends == (AGENT,)
    assert screen.talk.title.text() == "crawler-1, and whom it talks with"
    with qtbot.waitSignal(screen.agent_wanted) as wanted:
        qtbot.mouseDClick(screen.views.graph, Qt.MouseButton.LeftButton, pos=screen.views.graph.place(9).toPoint())
    assert wanted.args == [9]


def test_by_keys_alone(desk, screen, qtbot: QtBot):
    graph = screen.views.graph
    graph.setFocus()
    qtbot.keyClick(graph, Qt.Key.Key_Down)
    assert "Crawler Two → crawler-1" in graph.accessibleDescription()
    assert "failed 40 % of 10" in graph.accessibleDescription()
    qtbot.keyClick(graph, Qt.Key.Key_Right)
    assert graph.accessibleDescription() == "Crawler Two"
    with qtbot.waitSignal(screen.agent_wanted):
        qtbot.keyClick(graph, Qt.Key.Key_Return)
    qtbot.keyClick(graph, Qt.Key.Key_Escape)
    assert graph.accessibleDescription() == "3 agents, 4 lines"
    assert screen.talk.isHidden()


def test_a_row_of_the_table_is_the_same_choice(desk, screen, told):
    screen.views.setCurrentWidget(screen.views.table)
    screen.views.table.selectRow(0)
    desk.source.answer_all()
    assert told.asked[-1].agents == (8, AGENT)


def test_found_by_name(desk, screen):
    screen.filter.setText("planner")
    assert {one.receiver for one in listed(screen)} == {9}
    screen.filter.setText("nobody of that name")
    assert screen.stack.view.state.kind is StateKind.NO_MATCH
    screen.stack.view.state.on_action()
    assert len(listed(screen)) == 4


def test_a_past_moment_shows_what_was_said_up_to_it(desk, screen, told):
    desk.cursor.pin(T0 - 5 * S)
    desk.source.answer_all()
    asked = told.asked[-1]
    assert (asked.since_us, asked.until_us) == (T0 - 65 * S, T0 - 5 * S + 1)


def test_nobody_talked_and_a_problem(desk, screen, shown, told):
    told.pairs = []
    screen.refresh()
    desk.source.answer_all()
    assert screen.stack.view.state.kind is StateKind.EMPTY
    desk.source.problem = Problem("store.io", {"path": "p", "detail": "d"})
    other = shown(FlowScreen(desk.context, AgentNames(desk.source)))
    assert other.stack.view.state.kind is StateKind.ERROR


def test_what_does_not_fit_is_said(desk, screen, told):
    told.pairs = [(number, number + 1, 3, 3, 0, (1, 1, 1)) for number in range(1, 300)]
    screen.refresh()
    desk.source.answer_all()
    assert len(screen.views.graph.nodes) == MOST_NODES
    assert f"{300 - MOST_NODES} agents that talk least are not drawn" in screen.summary.text()
    assert len(listed(screen)) == 299
    assert "not drawn" not in screen.summary.text()


class TestPlaces:
    EDGES = [(0, 1, 1.0), (2, 3, 1.0)]

    def test_those_that_talk_stand_nearer(self):
        at = arranged([1, 2, 3, 4], self.EDGES, {})
        near = np.hypot(*(at[0] - at[1])) + np.hypot(*(at[2] - at[3]))
        far = np.hypot(*(at[0] - at[2])) + np.hypot(*(at[1] - at[3]))
        assert near < far

    def test_the_same_fleet_stands_the_same(self):
        assert np.array_equal(arranged([1, 2, 3, 4], self.EDGES, {}), arranged([1, 2, 3, 4], self.EDGES, {}))

    def test_who_stood_somewhere_stays_about_there(self):
        at = arranged([1, 2, 3, 4], self.EDGES, {})
        before = {node: tuple(place) for node, place in zip([1, 2, 3, 4], at, strict=True)}
        again = arranged([1, 2, 3, 4, 5], self.EDGES, before)
        assert np.abs(again[:4] - at).max() < 0.5

    @pytest.mark.parametrize("n", [0, 1, 2, 200])
    def test_all_are_inside(self, n):
        at = arranged(list(range(n)), [(number, (number + 1) % n, 1.0) for number in range(n)], {})
        assert at.shape == (n, 2)
        assert ((at >= 0) & (at <= 1)).all()


def test_two_that_stand_on_one_place_can_be_drawn(desk, shown):
    graph = FlowGraph(desk.theme)
    pair = Pair(1, 1, "a", "a", 1, 1.0, 0, 0, None, None, None, None, T0)
    graph.show_pairs([pair])
    shown(graph)
    assert graph.grab().toImage().pixelColor(QPoint(5, 5)).isValid()


def test_a_span_of_nothing_has_no_rate(desk):
    names = AgentNames(desk.source)
    assert {one.per_minute for one in pairs_of(result_of(FlowRequest()), names, 0)} == {0.0}


class TestReplay:
    """Windows lie side by side; each draws what was said in it, and lists just that."""

    def begin(self, desk, screen):
        screen.replay_button.setChecked(True)
        desk.source.answer_all()

    def test_only_what_was_said_in_the_window_is_drawn_and_listed(self, desk, screen, told, qtbot: QtBot):
        screen.views.graph.chosen.emit(AGENT, 8)
        desk.source.answer_all()
        nodes, at = list(screen.views.graph.nodes), dict(screen.views.graph._at)
        told.pairs = PAIRS[:1]
        self.begin(desk, screen)
        since_us, until_us = desk.now - 60 * S, desk.now
        spans = [(one.since_us, one.until_us) for one in told.asked if isinstance(one, FlowRequest)]
        assert spans[-1] == (since_us, since_us + 60 * S // 50)
        assert [(one.sender, one.receiver) for one in screen.views.graph.pairs] == [(AGENT, 8)]
        assert (screen.views.graph.nodes, screen.views.graph._at) == (nodes, at)
        talk = told.asked[-1]
        assert (talk.since_us, talk.until_us, talk.senders, talk.receivers) == (*spans[-1], (AGENT,), (8,))
        qtbot.keyClick(screen.replay.slider, Qt.Key.Key_End)
        desk.source.answer_all()
        assert (told.asked[-1].since_us, told.asked[-1].until_us) == (until_us - 60 * S // 50, until_us)
        assert screen.replay.slider.accessibleDescription().endswith("50 of 50")

    def test_a_window_in_which_nobody_talked(self, desk, screen, told):
        told.pairs = []
        self.begin(desk, screen)
        assert screen.views.graph.isVisible()
        assert (len(screen.views.graph.nodes), screen.views.graph.pairs) == (3, [])

    def test_windows_miss_nothing_and_count_nothing_twice(self, desk, screen, qtbot: QtBot):
        self.begin(desk, screen)
        for place in range(screen.replay.parts.count()):
            screen.replay.parts.setCurrentIndex(place)
            screen.replay.parts.activated.emit(place)
            spans = []
            for step in range(screen.replay.slider.maximum() + 1):
                screen.replay.slider.setValue(step)
                spans.append(screen.replay.span)
            assert (spans[0][0], spans[-1][1]) == (desk.now - 60 * S, desk.now)
            assert all(one[1] == other[0] for one, other in pairwise(spans))

    def test_it_plays_as_fast_as_it_is_answered_and_stops_at_the_end(self, desk, screen, qtbot: QtBot):
        self.begin(desk, screen)
        replay = screen.replay
        replay._timer.setInterval(0)
        replay.slider.setValue(48)
        replay.play.click()
        qtbot.waitUntil(lambda: replay.slider.value() == 49)
        assert replay.play.isChecked()
        assert not replay._timer.isActive()  # until the answer is drawn
        desk.source.answer_all()
        qtbot.waitUntil(lambda: not replay.play.isChecked())
        replay.play.click()
        assert replay.slider.value() == 0
        replay.forward.click()
        assert (replay.slider.value(), replay.play.isChecked()) == (1, False)

    def test_space_plays_and_pauses_it_and_not_the_window(self, desk, screen, qtbot: QtBot):
        self.begin(desk, screen)
        override = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier)
        override.ignore()
        QCoreApplication.sendEvent(screen.replay.slider, override)
        assert override.isAccepted(), "no shortcut gets it"
        qtbot.keyClick(screen.replay.slider, Qt.Key.Key_Space)
        assert screen.replay.play.isChecked()
        qtbot.keyClick(screen.replay.slider, Qt.Key.Key_Space)
        assert not screen.replay.play.isChecked()
        assert screen.replay.isVisible()

    def test_another_range_ends_it_and_what_is_recorded_does_not_disturb_it(self, desk, screen, told):
        self.begin(desk, screen)
        asked = len(told.asked)
        desk.tail.page()
        assert len(told.asked) == asked
        desk.range.show_last(300 * S)
        desk.source.answer_all()
        assert screen.replay.isHidden()
        assert (told.asked[-1].since_us, told.asked[-1].until_us) == (desk.now - 300 * S, 0)


class TestGroups:
    @pytest.fixture
    def grouped(self, desk, screen, told):
        told.groups = (FlowGroup("crawlers", (AGENT, 8)),)
        told.pairs = [(-1, 9, 20, 20, 2, (S, S, S)), (9, -1, 5, 5, 0, (S, S, S))]
        screen.grouped.click()
        desk.source.answer_all()
        return screen

    def test_a_group_is_one_node_and_lists_what_its_members_said(self, desk, grouped, told):
        assert {one.sender_name for one in grouped.views.graph.pairs} == {"crawlers (2)", "Planner"}
        grouped.views.graph._take(None, grouped.views.graph.pairs[0])
        desk.source.answer_all()
        talk = told.asked[-1]
        assert (set(talk.agents), talk.senders, talk.receivers) == ({AGENT, 8, 9}, (AGENT, 8), (9,))
        assert grouped.talk.title.text() == "crawlers (2) → Planner"
        grouped.views.graph._take(-1, None)
        desk.source.answer_all()
        assert (set(told.asked[-1].agents), told.asked[-1].ends) == ({AGENT, 8, 9}, (AGENT, 8))

    def test_opened_it_falls_into_its_agents(self, desk, grouped, told):
        told.pairs = PAIRS
        grouped.views.graph.agent_wanted.emit(-1)
        desk.source.answer_all()
        assert not grouped.grouped.isChecked()
        assert grouped.views.graph.nodes == [AGENT, 8, 9]

    def test_a_hidden_group_stays_hidden_whatever_its_number(self, desk, grouped, told):
        grouped.views.graph._take(-1, None)
        QTest.keyClick(grouped.views.graph, Qt.Key.Key_Delete)
        assert grouped.views.graph.nodes == []
        told.groups = (FlowGroup("a", (8,)), FlowGroup("crawlers", (AGENT, 8)))
        told.pairs = [(-2, 9, 20, 20, 2, (S, S, S)), (9, -1, 5, 5, 0, (S, S, S))]
        grouped.refresh()
        desk.source.answer_all()
        assert grouped.views.graph.nodes == [-1, 9]


class TestHiding:
    def test_a_pair_and_an_agent_and_the_way_back(self, desk, screen, qtbot: QtBot):
        graph = screen.views.graph
        graph._take(None, next(one for one in graph.pairs if (one.sender, one.receiver) == (AGENT, 8)))
        texts = {action.text(): action for action in screen.views.menu().actions()}
        texts["Hide crawler-1 → Crawler Two"].trigger()
        assert len(graph.pairs) == 3
        assert not screen.talk.isVisible()
        graph._take(9, None)
        texts = {action.text(): action for action in screen.views.menu().actions()}
        texts["Hide Planner"].trigger()
        assert [(one.sender, one.receiver) for one in graph.pairs] == [(8, AGENT)]
        assert screen.unhide.text() == "&Show 2 hidden"
        screen.unhide.click()
        assert len(graph.pairs) == 4
        assert screen.unhide.isHidden()

    def test_by_key_in_the_matrix_and_in_the_table(self, desk, screen, qtbot: QtBot):
        screen.views.setCurrentWidget(screen.views.table)
        screen.views.table.selectRow(0)
        qtbot.keyClick(screen.views.table, Qt.Key.Key_Delete)
        assert len(screen.views.table.records.rows) == 3
        screen.views.setCurrentWidget(screen.views.matrix)
        screen.views.matrix.view.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.keyClick(screen.views.matrix.view, Qt.Key.Key_Return)
        qtbot.keyClick(screen.views.matrix.view, Qt.Key.Key_Delete)
        assert len(screen.views.matrix.view.matrix.pairs) == 2

    def test_nothing_left_shows_the_way_back(self, desk, screen):
        for agent in (AGENT, 8, 9):
            screen.views.hide_node_wanted.emit(agent)
        assert screen.stack.view.state.kind is StateKind.NO_MATCH
        screen.stack.view.state.on_action()
        assert len(screen.views.graph.pairs) == 4

    def test_while_it_is_replayed(self, desk, screen):
        screen.replay_button.setChecked(True)
        desk.source.answer_all()
        screen.views.hide_node_wanted.emit(9)
        assert screen.views.graph.nodes == [AGENT, 8]
        screen.unhide.click()
        assert screen.views.graph.nodes == [AGENT, 8, 9]


class TestNames:
    WIDTH, HEIGHT, RADIUS = 60.0, 14.0, 7.0

    def placed(self, at, must=frozenset()):
        room = NameBox(0, 0, 900, 600)
        return name_places(list(at), at, at.values(), lambda _: self.WIDTH, self.HEIGHT, self.RADIUS, room, must)

    def test_none_covers_another_or_a_node(self):
        chance = random.Random(5)
        at = {one: (chance.uniform(0, 900), chance.uniform(0, 600)) for one in range(200)}
        boxes = self.placed(at)
        nodes = [NameBox(x - self.RADIUS, y - self.RADIUS, 2 * self.RADIUS, 2 * self.RADIUS) for x, y in at.values()]
        assert not any(one.meets(other) for one, other in combinations(boxes.values(), 2))
        assert not any(box.meets(node) for box in boxes.values() for node in nodes)
        assert all(0 <= one.x <= 900 - self.WIDTH and 0 <= one.y <= 600 - self.HEIGHT for one in boxes.values())
        assert len(boxes) > 80

    def test_who_is_looked_at_is_named_whatever_is_around(self):
        at = {one: (100.0 + one, 100.0) for one in range(40)}
        assert 39 not in self.placed(at)
        assert 39 in self.placed(at, frozenset({39}))

    def test_who_comes_first_finds_room_first(self):
        at = {1: (100.0, 100.0), 2: (100.0, 100.0)}
        boxes = self.placed(at)
        assert boxes[1].y > 100 > boxes[2].y
