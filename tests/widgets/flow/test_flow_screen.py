"""Who talks to whom: the graph, the table, the interactions of a pair, and where agents stand."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from models.domain.flow_queries import FlowRequest, FlowResult, TalkLine, TalkRequest, TalkResult
from models.domain.problems import Problem
from models.domain.queries import Reach, RowKey
from models.domain.records import Outcome
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.widgets.fakes import AGENT
from widgets.common.state_view import StateKind
from widgets.flow.flow_graph import MOST_NODES, FlowGraph
from widgets.flow.flow_screen import FlowScreen
from widgets.flow.graph_layout import arranged
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
        self.pairs, self.talk = PAIRS, [line(number) for number in range(450, 0, -1)]
        self.asked = []
        desk.source.more[FlowRequest] = self.flow
        desk.source.more[TalkRequest] = self.lines

    def flow(self, request):
        self.asked.append(request)
        return result_of(request, self.pairs)

    def lines(self, request):
        self.asked.append(request)
        rows = [one for one in self.talk if request.before is None or one.key < request.before]
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
    screen.tabs.setCurrentWidget(screen.table)
    return screen.table.records.rows


def test_the_worst_stand_first(screen):
    pairs = [(one.sender, one.receiver) for one in listed(screen)]
    assert pairs == [(8, AGENT), (AGENT, 9), (AGENT, 8), (9, 9)]
    assert screen.summary.text() == "4 pairs, 57 interactions a minute · 1 failing · 1 slow"
    assert listed(screen)[3].ratio is None


def test_a_click_on_a_line_lists_just_its_interactions(desk, screen, told, qtbot: QtBot):
    graph = screen.graph
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


def test_a_click_on_an_agent_lists_all_its_talk(desk, screen, told, qtbot: QtBot):
    qtbot.mouseClick(screen.graph, Qt.MouseButton.LeftButton, pos=screen.graph.place(AGENT).toPoint())
    desk.source.answer_all()
    assert told.asked[-1].agents == (AGENT, 8, 9)
    assert told.asked[-1].ends == (AGENT,)
    with qtbot.waitSignal(screen.agent_wanted) as wanted:
        qtbot.mouseDClick(screen.graph, Qt.MouseButton.LeftButton, pos=screen.graph.place(9).toPoint())
    assert wanted.args == [9]


def test_by_keys_alone(desk, screen, qtbot: QtBot):
    graph = screen.graph
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
    screen.tabs.setCurrentWidget(screen.table)
    screen.table.selectRow(0)
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
    assert len(screen.graph.nodes) == MOST_NODES
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
