"""The topic tree: loudest first, summed up by branch, opened where somebody looks, never reset under the reader."""

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from models.domain.problems import Problem
from models.domain.queries import TopicsRequest, TopicsResult
from tests.widgets.conftest import Desk
from tests.widgets.fakes import SECOND
from widgets.common.state_view import StateKind
from widgets.messages.topic_columns import RATE_US, TopicColumns
from widgets.messages.topic_item_model import TopicModel, rate_text
from widgets.messages.topic_panel import TopicPanel
from widgets.messages.topic_tree import MORE, PAGE

LEVELS = (b"a/x", b"a/y/z", b"a/y/w", b"b", b"$SYS/load")


@pytest.fixture
def panel(desk: Desk, shown) -> TopicPanel:
    desk.source.count_up(*LEVELS)
    desk.source.count_up(b"a/y/z", by=5)
    made = TopicPanel(desk.source, desk.range, desk.theme, desk.clock.monotonic_us)
    made.resize(400, 500)
    made.tree.underMouse = lambda: False  # wherever the pointer of this machine is
    return shown(made)


def look(desk: Desk, panel: TopicPanel, *, seconds: float = 1) -> None:
    """Time passes, then the panel asks and is answered."""
    desk.clock.advance(round(seconds * SECOND))
    panel.refresh()
    desk.source.answer_all()


def rows(model: TopicModel, parent: QModelIndex | None = None) -> list[tuple[str, ...]]:
    parent = parent if parent is not None else QModelIndex()
    return [
        tuple(str(model.index(row, column, parent).data()) for column in range(4))
        for row in range(model.rowCount(parent))
    ]


def names(model: TopicModel, parent: QModelIndex | None = None) -> list[str]:
    return [row[0] for row in rows(model, parent)]


def opened(panel: TopicPanel, topic: bytes) -> QModelIndex:
    index = panel.model.index_of(topic)
    assert index.isValid()
    panel.tree.expand(index)
    panel.tree.visualRect(index)  # makes it lay out its rows
    return index


def test_branches_sum_up_what_lies_below_and_the_loudest_come_first(panel: TopicPanel) -> None:
    assert rows(panel.model) == [
        ("All topics", "–", "10", "100 B"), ("a", "–", "8", "80 B"), ("b", "–", "1", "10 B"), ("$SYS", "–", "1", "10 B"),
    ]  # fmt: skip
    a = opened(panel, b"a")
    assert [row[0::2] for row in rows(panel.model, a)] == [("y", "7"), ("x", "1")]
    assert names(panel.model, opened(panel, b"a/y")) == ["z", "w"]
    assert not panel.model.hasChildren(panel.model.index_of(b"a/x"))


def test_rates_come_from_the_difference_of_two_looks(desk: Desk, panel: TopicPanel) -> None:
    desk.source.count_up(b"b", by=20, last_us=desk.now)
    look(desk, panel, seconds=10)
    assert dict(row[:2] for row in rows(panel.model)) == {"All topics": "2/s", "a": "", "b": "2/s", "$SYS": ""}
    for _ in range(RATE_US // SECOND + 4):
        look(desk, panel)
    assert dict(row[:2] for row in rows(panel.model))["b"] == ""
    assert [rate_text(one) for one in (0, 0.004, 0.07, 0.333, 12.34, 4_000)] == ["", "", "0.07/s", "0.33/s", "12.3/s", "4\u202f000/s"]  # fmt: skip


def test_the_order_follows_the_rates_but_not_while_somebody_works_here(desk: Desk, panel: TopicPanel) -> None:
    look(desk, panel, seconds=5)
    desk.source.count_up(b"b", by=50)
    look(desk, panel, seconds=5)
    assert names(panel.model) == ["All topics", "b", "a", "$SYS"]
    panel.tree.setCurrentIndex(panel.model.index_of(b"a"))
    desk.source.count_up(b"a/x", by=500)
    look(desk, panel, seconds=1)
    assert names(panel.model) == ["All topics", "b", "a", "$SYS"]
    look(desk, panel, seconds=5)
    assert names(panel.model) == ["All topics", "a", "b", "$SYS"]
    assert panel.tree.current().topic == b"a"


def test_what_is_open_and_selected_stays_while_topics_come_and_the_order_changes(desk: Desk, panel: TopicPanel) -> None:
    QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    resets, chosen = [], []
    panel.model.modelReset.connect(lambda: resets.append(1))
    a = opened(panel, b"a")
    opened(panel, b"a/y")
    panel.tree.setCurrentIndex(panel.model.index_of(b"a/y/w"))
    panel.selected.connect(lambda *what: chosen.append(what))
    desk.source.count_up(b"0", b"a/0", b"a/y/0", b"a/y/w/deep", by=900)
    look(desk, panel, seconds=9)
    desk.source.count_up(b"b", by=90_000)
    look(desk, panel, seconds=9)
    assert names(panel.model) == ["All topics", "b", "a", "0", "$SYS"]
    assert set(names(panel.model, panel.model.index_of(b"a"))) == {"0", "x", "y"}
    assert panel.tree.isExpanded(panel.model.index_of(b"a"))
    assert panel.tree.isExpanded(panel.model.index_of(b"a/y"))
    assert panel.tree.current().topic == b"a/y/w"
    assert panel.tree.current().is_branch  # it has something below it now
    assert (resets, chosen) == ([], [])
    assert a.isValid()


def test_a_wide_branch_shows_its_loudest_and_keeps_what_is_at_hand(desk: Desk, panel: TopicPanel) -> None:
    QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    desk.source.count_up(*(b"wide/%d" % n for n in range(3 * PAGE)), by=2)
    look(desk, panel)
    wide = opened(panel, b"wide")
    assert names(panel.model, wide)[-1] == "400 more…"
    panel.show_topic(b"wide/599")  # among those that are not shown
    assert panel.tree.current().topic == b"wide/599"
    assert names(panel.model, wide)[-2:] == ["599", "399 more…"]
    more = panel.model.index(panel.model.rowCount(wide) - 1, 0, wide)
    assert panel.model.node(more).child == MORE
    panel.tree.setCurrentIndex(more)
    panel.tree.chosen.emit()
    assert panel.model.rowCount(wide) == 3 * PAGE
    assert panel.tree.current() is None or panel.tree.current().child != MORE


def test_the_topic_at_hand_stays_under_the_eye_while_others_overtake_it(desk: Desk, panel: TopicPanel) -> None:
    desk.source.count_up(*(b"wide/%d" % n for n in range(100)), by=2)
    look(desk, panel)
    opened(panel, b"wide")
    panel.show_topic(b"wide/50")
    place = panel.tree.visualRect(panel.tree.currentIndex()).top()
    row = panel.tree.currentIndex().row()
    desk.source.count_up(*(b"wide/%d" % n for n in range(60, 80)), by=500)
    look(desk, panel, seconds=9)
    assert panel.tree.currentIndex().row() == row + 20
    assert panel.tree.visualRect(panel.tree.currentIndex()).top() == place


def test_hostile_topics_are_shown_as_what_they_are(desk: Desk, panel: TopicPanel) -> None:
    QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    hostile = (b"/", b"//", b"c//d", b"\xff\xfe/x", "bidi\u202e<b>x".encode(), b"/" * 60_000, b"c/")
    desk.source.count_up(*hostile)
    look(desk, panel)
    assert {"(empty level)", "c", r"\xff\xfe", r"bidi\u202e<b>x"} < set(names(panel.model))
    assert names(panel.model, opened(panel, b"c")) == ["(empty level)"]
    for topic in hostile[:-1]:
        panel.show_topic(topic)
        assert (panel.tree.current().topic, panel.tree.current().is_topic) == (topic, True)
    panel.show_topic(b"c/")
    node = panel.tree.current()
    assert (node.topic, node.is_topic, node.is_branch) == (b"c/", True, True)  # c/ and c//d
    assert "<b>" not in panel.tree._explain(panel.model.node(panel.model.index_of(hostile[4])))


def test_the_filter_keeps_what_is_above_a_match_and_opens_it(desk: Desk, panel: TopicPanel) -> None:
    QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    panel.tree.setCurrentIndex(panel.model.index_of(b"b"))
    panel.search.setText("Y/")
    panel._search_now()
    assert names(panel.model) == ["All topics", "a"]
    assert names(panel.model, panel.model.index_of(b"a")) == ["y"]
    assert panel.tree.isExpanded(panel.model.index_of(b"a/y"))
    desk.source.count_up(b"a/y/new", b"a/no", b"other/y/new", by=3)
    look(desk, panel)
    assert names(panel.model) == ["All topics", "a", "other"]
    assert set(names(panel.model, panel.model.index_of(b"a/y"))) == {"z", "w", "new"}
    panel.search.setText("nowhere")
    panel._search_now()
    assert panel.stack.view.state.kind is StateKind.NO_MATCH
    panel.stack.view.state.on_action()
    panel._search_now()
    assert names(panel.model) == ["All topics", "a", "other", "b", "$SYS"]
    assert not panel.tree.isExpanded(panel.model.index_of(b"a"))
    assert panel.tree.current().topic == b"b"


def test_enter_in_the_filter_goes_to_the_first_topic_that_was_found(panel: TopicPanel, qtbot: QtBot) -> None:
    panel.search.setText("A/y")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert panel.tree.current().topic == b"a/y/z"
    panel.search.setText("$sys")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert panel.tree.current().topic == b"$SYS/load"
    panel.search.clear()
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert panel.tree.current().topic == b"$SYS/load"


def test_a_topic_that_was_found_stays_in_sight_when_the_filter_is_cleared(panel: TopicPanel) -> None:
    panel.search.setText("y/")
    panel._search_now()
    panel.tree.setCurrentIndex(panel.model.index_of(b"a/y/w"))
    panel.search.clear()
    panel._search_now()
    assert panel.tree.current().topic == b"a/y/w"
    assert panel.tree.isExpanded(panel.model.index_of(b"a"))
    assert panel.tree.isExpanded(panel.model.index_of(b"a/y"))


def test_the_selection_tells_what_to_list(panel: TopicPanel) -> None:
    chosen = []
    panel.selected.connect(lambda *what: chosen.append(what))
    for topic in (b"b", b"a", b"a/y/z"):
        panel.show_topic(topic)
    panel.show_everything()
    assert chosen == [(b"b", False, True), (b"a", True, True), (b"a/y/z", False, True), (b"", False, False)]


def test_keys_copy_the_topic_and_go_to_its_messages(panel: TopicPanel, qtbot: QtBot) -> None:
    panel.show_topic(b"a/y/z")
    qtbot.keyClick(panel.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "a/y/z"
    with qtbot.waitSignal(panel.chosen):
        qtbot.keyClick(panel.tree, Qt.Key.Key_Return)


def test_the_menu_of_a_topic(panel: TopicPanel) -> None:
    panel.menu_wanted.connect(lambda menu, node: menu.addAction(node.topic.decode()))
    assert panel.make_menu() is None  # for everything
    panel.show_topic(b"a/x")
    assert [one.text() for one in panel.make_menu().actions()] == ["Copy topic", "a/x"]


def test_the_tooltip_tells_what_the_numbers_mean(desk: Desk, panel: TopicPanel) -> None:
    desk.source.count_up(b"a/x", by=10, last_us=desk.now)
    look(desk, panel, seconds=5)
    told = panel.tree._explain(panel.model.node(panel.model.index_of(b"a")))
    assert "3 topics" in told
    assert "18 messages, 180 B of payload, since recording began here: also what retention has removed" in told
    assert "2 messages and 20 B a second" in told
    assert "Last message" in told


def test_paused_nothing_is_asked_and_nothing_moves(desk: Desk, panel: TopicPanel) -> None:
    desk.range.pause()
    asked = desk.source.count(TopicsRequest)
    assert not panel._second.isActive()
    desk.range.resume()
    assert panel._second.isActive()
    assert desk.source.count(TopicsRequest) == asked + 1
    desk.source.answer_all()
    panel.hide()
    assert not panel._second.isActive()


def test_empty_and_failed_states_lead_on(desk: Desk, shown, qtbot: QtBot) -> None:
    made = shown(TopicPanel(desk.source, desk.range, desk.theme, desk.clock.monotonic_us))
    assert made.stack.view.state.kind is StateKind.EMPTY
    with qtbot.waitSignal(made.connect_requested):
        made.stack.view.state.on_action()
    desk.source.problem = Problem("query.failed", {"detail": "x"})
    look(desk, made)
    assert made.stack.view.state.kind is StateKind.ERROR
    desk.source.problem = None
    desk.source.count_up(b"first")
    made.stack.view.state.on_action()
    desk.source.answer_all()
    assert made.stack.shows_content


def test_a_catalogue_made_anew_keeps_the_topic_at_hand(desk: Desk, panel: TopicPanel) -> None:
    panel.show_topic(b"a/y/z")
    panel.model.tree.columns.revision = 0  # as when the answer says: forget what you know
    look(desk, panel)
    assert panel.tree.current().topic == b"a/y/z"
    assert panel.tree.isExpanded(panel.model.index_of(b"a/y"))


def test_few_of_a_hundred_thousand_topics_change() -> None:
    """Only those that changed are in an answer, and rates are right for all."""
    columns, count = TopicColumns(), 100_000
    ids, zeros = np.arange(1, count + 1), np.zeros(count, np.int64)
    every = [b"t/%d" % n for n in range(count)]
    columns.take(TopicsResult(TopicsRequest(), 1, True, ids, every, ids, ids, zeros, zeros), 0)
    for turn in range(1, 11):
        few = slice(0, 100)
        answer = TopicsResult(TopicsRequest(turn), turn + 1, False, ids[few], every[:100], ids[few] + turn, ids[few], zeros[few], zeros[few])  # fmt: skip
        assert columns.take(answer, turn * SECOND) == range(count, count)
        rate, _ = columns.rates()
    assert rate[:100].tolist() == [1.0] * 100
    assert not rate[100:].any()
