"""Tasks over time by agent, as a tree, and how many ended when."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from models.domain.records import TaskState
from models.domain.task_queries import TaskItem
from tests.helpers.clock import FIRST_WALL_US as T0
from widgets.common.theme import ThemeHolder
from widgets.tasks.task_table import TaskTable
from widgets.tasks.task_timeline import TaskTimeline
from widgets.tasks.task_tree import TaskTree, key_of
from widgets.tasks.throughput import OUTCOMES, Throughput
from widgets.tasks.timeline_rows import MOST_LANES, rows_of

S = 1_000_000


def item(task, agent="a", begin=0.0, end=1.0, state=TaskState.COMPLETED, queued=None, **more):
    """Seconds before now; `end` None: at work."""
    return TaskItem(
        task, "fetch", agent, "", more.pop("parent", ""), state, given=more.pop("given", True),
        submitted_us=T0 + int((begin if queued is None else queued) * S), started_us=T0 + int(begin * S),
        ended_us=0 if end is None else T0 + int(end * S), **more,
    )  # fmt: skip


class TestRows:
    def test_by_agent_with_as_many_lanes_as_it_does_at_a_time(self):
        rows = rows_of([item("1", "b", 0, 4), item("2", "b", 1, 2), item("3", "b", 2, 3), item("4", "a")], T0)
        assert [(row.agent, row.lanes) for row in rows] == [("a", 1), ("b", 2)]
        assert [(bar.item.task, bar.lane) for bar in rows[1].bars] == [("1", 0), ("2", 1), ("3", 1)]

    def test_more_than_can_be_drawn_share_a_lane(self):
        [row] = rows_of([item(str(n), begin=n / 100, end=9) for n in range(30)], T0)
        assert row.lanes == MOST_LANES
        assert len(row.bars) == 30

    def test_what_has_not_ended_goes_on_and_what_waits_is_told(self):
        waiting = item("2", "", 1, None, TaskState.SUBMITTED)._replace(started_us=0)
        rows = rows_of([item("1", "a", 2, None, TaskState.WORKING, queued=1), waiting], T0 + 9 * S)
        [working], [waits] = (row.bars for row in rows)
        assert (working.queued_us, working.from_us, working.to_us, working.waits) == (
            T0 + S,
            T0 + 2 * S,
            T0 + 9 * S,
            False,
        )
        assert (waits.from_us, waits.to_us, waits.waits) == (T0 + S, T0 + 9 * S, True)

    def test_nobody_and_wholes_are_last_and_what_tells_no_time_is_left_out(self):
        rows = rows_of(
            [item("w", "x", parts=2), item("n", ""), item("z", "z"), TaskItem("q", "", "a", "", "", TaskState.UNKNOWN)],
            T0,
        )
        assert [(row.agent, row.whole) for row in rows] == [("z", False), ("", False), ("", True)]


class TestTimeline:
    @pytest.fixture
    def surface(self, desk, shown):
        made = TaskTimeline(desk.context)
        made.resize(900, 300)
        made.surface.show_items(
            [item("1", "a", -50, -30), item("2", "a", -20, -10, TaskState.FAILED, error="HTTP 503"), item("3", "b", -25, None, TaskState.WORKING)],
            T0,
        )  # fmt: skip
        shown(made)
        return made.surface

    def at(self, surface, task):
        """The middle of a bar."""
        for place, row in enumerate(surface.rows):
            for bar in row.bars:
                if bar.item.task == task:
                    return surface._box(bar, surface._tops[place]).center()
        raise AssertionError(task)

    def test_a_click_chooses_and_a_double_click_opens(self, surface, qtbot):
        where = self.at(surface, "2").toPoint()
        with qtbot.waitSignal(surface.chosen) as chosen:
            QTest.mouseClick(surface, Qt.MouseButton.LeftButton, pos=where)
        assert chosen.args[0].task == "2"
        with qtbot.waitSignal(surface.opened):
            QTest.mouseDClick(surface, Qt.MouseButton.LeftButton, pos=where)

    def test_pointing_tells(self, surface):
        told = surface.tooltip_at(self.at(surface, "2"))
        assert told.startswith("fetch · a · failed\n")
        assert told.endswith("waited 0 ms, ran 10 s\nHTTP 503") or "ran 10 s\nHTTP 503" in told
        assert surface.tooltip_at(QPointF(surface.frame.area.left() + 1, 290)) == ""

    def test_a_drag_zooms_the_window(self, desk, surface):
        area = surface.frame.area
        begin, end = (QPoint(round(area.left() + share * area.width()), 60) for share in (0.25, 0.5))
        QTest.mousePress(surface, Qt.MouseButton.LeftButton, pos=begin)
        QTest.mouseMove(surface, end)
        QTest.mouseRelease(surface, Qt.MouseButton.LeftButton, pos=end)
        now = desk.range.current()
        assert not now.live
        assert 14 * S <= now.span_us <= 16 * S

    def test_by_keys(self, desk, surface, qtbot):
        took = []
        surface.chosen.connect(lambda one: took.append(one.task))
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Up):
            QTest.keyClick(surface, key)
        assert took == ["2", "1", "2", "3", "2"]
        assert desk.cursor.time_us == T0 - 20 * S
        assert surface.accessibleDescription().startswith("fetch · a · failed")
        with qtbot.waitSignal(surface.opened):
            QTest.keyClick(surface, Qt.Key.Key_Return)

    def test_many_rows_are_scrolled_and_the_one_at_hand_is_brought_into_sight(self, surface):
        items = [item(str(n), f"agent-{n:03}", -20, -10) for n in range(100)]
        surface.show_items(items, T0)
        assert surface.furthest > 0
        surface.take_in_hand(items[99])
        assert surface.top == surface.furthest


class TestTree:
    def order(self, tree, items):
        return [(one.task, tree.depth[key_of(one)]) for one in tree.arrange(items)]

    def test_parts_stand_under_their_whole(self):
        items = [item("p1", parent="w"), item("x"), item("w"), item("p2", parent="w"), item("q", parent="p2")]
        assert self.order(TaskTree(), items) == [("x", 0), ("w", 0), ("p1", 1), ("p2", 1), ("q", 2)]

    def test_a_whole_that_is_not_listed_leaves_its_parts_where_they_are(self):
        assert self.order(TaskTree(), [item("p", parent="gone"), item("x")]) == [("p", 0), ("x", 0)]

    def test_a_circle_of_parents_is_shown_flat(self):
        told = [item(str(n), given=False, parent=str((n + 1) % 3)) for n in range(3)]
        below = item("4", given=False, parent="0")
        own = item("5", given=False, parent="5")
        assert self.order(TaskTree(), [*told, below, own]) == [("5", 0), ("0", 0), ("1", 0), ("2", 0), ("4", 0)]

    def test_a_long_chain_is_no_matter(self):
        items = [item(str(n), parent=str(n - 1)) for n in range(5_000)]
        assert self.order(TaskTree(), items)[-1] == ("4999", 4_999)

    def test_they_are_folded_by_keys(self, qapp, qtbot):
        table = TaskTable("Tasks", ThemeHolder(qapp, "light"))
        qtbot.addWidget(table)
        table.show_rows([item("w"), item("p1", parent="w"), item("x")])
        table.set_tree(True)
        table.setCurrentIndex(table.records.index(0, 2))
        assert table.currentIndex().data() == "▾ fetch"
        QTest.keyClick(table, Qt.Key.Key_Left)
        assert [one.task for one in table.records.rows] == ["w", "x"]
        assert table.records.index(0, 2).data() == "▸ fetch"
        QTest.keyClick(table, Qt.Key.Key_Right)
        assert len(table.records.rows) == 3
        table.set_tree(False)
        assert table.records.index(0, 2).data() == "fetch"


def test_how_many_ended_when_by_outcome(desk, shown):
    made = Throughput(desk.context)
    made.resize(800, 132)
    made.show_items(
        [item("1", end=-31), item("2", end=-30), item("3", end=-30, state=TaskState.FAILED), item("4", end=None),
         item("w", end=-30, parts=2), item("5", end=-500)]
    )  # fmt: skip
    shown(made)
    counts = made.counts(desk.now - 60 * S, desk.now, 6)
    assert made._step_us == 10 * S
    assert counts.sum(axis=0).tolist() == [1, 0, 0, 2]
    assert counts[3].tolist() == [1, 0, 0, 1]
    assert OUTCOMES[3] is TaskState.COMPLETED
    assert made.accessibleDescription().endswith("completed 2 · failed 1")
    desk.cursor.move(desk.now - 1)
    assert made._sentence(desk.cursor.time_us).endswith("nothing ended")
