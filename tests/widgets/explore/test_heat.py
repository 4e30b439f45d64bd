"""A heat-map of all agents: which rows it has, in what order, what it tells in words, and how it goes on while live."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from models.domain.heat_queries import HeatRequest
from models.domain.layouts.layout import Kind, Plotted, Shown
from models.domain.names import SeriesKind
from models.domain.problems import Problem
from models.domain.records import GapCause
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult, SeriesWords
from tests.widgets.conftest import Desk
from tests.widgets.explore.test_explore_screen import search, settle
from tests.widgets.fakes import AGENT, CPU, QUEUE, SECOND
from widgets.explore import heat_view
from widgets.explore.explore_screen import ExploreScreen
from widgets.explore.heat_view import HeatView
from widgets.explore.panel_menu import fill_panel_menu
from widgets.heat.colours import range_of
from widgets.heat.heat_table import HeatTable
from widgets.heat.order import Order, in_order, newest
from widgets.heat.subject import heat_subject
from widgets.plots.plot_data import iso_time
from widgets.plots.series_index import SeriesIndex

STEP = 10 * SECOND
QUEUES = (QUEUE, 1_000 + QUEUE, 2_000 + QUEUE)
NAN = float("nan")


def fill(desk: Desk, *values: list[float]) -> None:
    """The last steps that are over, of each agent; NaN: nothing."""
    end = desk.now // STEP * STEP
    for series, own in zip(QUEUES, values, strict=True):
        at = end - (len(own) - np.arange(len(own))) * STEP + SECOND
        known = ~np.isnan(own)
        desk.source.samples[series] = (at[known], np.array(own)[known])


def names(view: HeatView) -> list[str]:
    subject = view.feed.subject
    return [] if subject is None else [subject.names[row].split(" · ")[0] for row in view.surface.rows]


@pytest.fixture
def heat(explore: ExploreScreen, desk: Desk) -> HeatView:
    fill(desk, [1, 2, 3], [9, NAN, 1], [NAN, NAN, NAN])
    explore.commands.add_heat(Plotted("crawler-1", "queue.depth"))
    settle(desk)
    body = explore.panel.body
    assert isinstance(body, HeatView)
    return body


def point(view: HeatView, row: int, at_us: int) -> None:
    y = view.surface.frame.area.top() + (row + 0.5) * view.surface.row_pixels
    QTest.mouseMove(view.surface, QPoint(round(view.surface.frame.x_of(at_us)), round(y)))
    QApplication.processEvents()


# ---------------------------------------------------------------- what it shows


def test_every_agent_has_a_row_whichever_the_layout_is_about(
    heat: HeatView, explore: ExploreScreen, desk: Desk
) -> None:
    assert explore.history.layout.root.plotted == (Plotted("", "queue.depth"),)
    assert names(heat) == ["Crawler Two", "crawler-1", "Planner"]  # the highest first, nothing last
    assert explore.panel.header.title.text() == "queue.depth"
    assert explore.panel.header.badge.text() == "mean in steps of 10 s"
    assert heat._told.text() == "3 agents · 1 without data"
    assert "highest 9 at Crawler Two" in heat.accessibleDescription()
    assert desk.source.count(HeatRequest) == 1


def test_the_value_under_the_pointer_is_told_in_words_and_a_missing_one_is_no_zero(heat: HeatView, desk: Desk) -> None:
    end = desk.now // STEP * STEP
    point(heat, 0, end - 3 * STEP + STEP // 2)
    assert heat.surface.cell_text().startswith("Crawler Two · crawler-2 · ")
    assert heat.surface.cell_text().endswith(" · 9")
    assert heat.surface.accessibleDescription() == heat.surface.cell_text()
    assert desk.cursor.time_us is not None
    point(heat, 0, end - 2 * STEP + STEP // 2)
    assert heat.surface.cell_text().endswith(" · no data")
    desk.source.gaps = [(end - 2 * STEP, end - STEP, GapCause.NOT_CONNECTED, 0, 0)]
    heat.feed.reload()
    settle(desk)
    assert heat.surface.cell_text().endswith(" · no data (not connected)")


def test_steps_are_no_shorter_than_agents_tell_it(explore: ExploreScreen, desk: Desk, qtbot: QtBot) -> None:
    end = desk.now // (3 * STEP) * 3 * STEP
    at = end - np.arange(1, 10)[::-1] * 3 * STEP
    desk.source.samples = {series: (at, np.ones(len(at))) for series in QUEUES}
    explore.known.index.interval_us = dict.fromkeys(desk.source.names, 3 * STEP)
    desk.range.show_last(300 * SECOND)
    explore.commands.add_heat(Plotted("", "queue.depth"))
    heat = explore.panel.body
    assert heat.feed.subject.interval_us == 3 * STEP
    desk.source.answer_all()
    qtbot.waitUntil(lambda: bool(desk.source.waiting))
    settle(desk)
    assert heat.feed.step_us == 3 * STEP
    assert not np.isnan(heat.feed.value[:, 2:9]).any()
    assert [one.step_us for one in desk.source.asked if isinstance(one, HeatRequest)] == [STEP, 3 * STEP]


def test_cells_bear_colours_and_what_is_missing_bears_none_of_them(heat: HeatView, desk: Desk) -> None:
    area, end = heat.surface.frame.area, desk.now // STEP * STEP
    picture = heat.surface.grab().toImage()
    ratio = picture.devicePixelRatio()

    def colours(row: int, step: int) -> set[str]:
        x, y = heat.surface.frame.x_of(end - step * STEP + STEP // 2), area.top() + row * heat.surface.row_pixels
        box = [(x + dx, y + dy) for dx in range(-3, 4) for dy in range(3, 14)]
        return {QColor(picture.pixel(round(at * ratio), round(down * ratio))).name() for at, down in box}

    theme = desk.theme.theme
    assert colours(0, 3) == {"#0c2576"}  # the highest of all
    assert colours(0, 2) >= {theme.surface}
    assert colours(0, 2).isdisjoint(colours(0, 1))
    assert colours(2, 1) >= {theme.surface}
    assert len(colours(1, 3)) == len(colours(1, 1)) == 1


def test_it_is_ordered_and_searched(heat: HeatView, desk: Desk, qtbot: QtBot) -> None:
    for place, expected in (
        (1, ["crawler-1", "Crawler Two", "Planner"]), (2, ["crawler-1", "Crawler Two", "Planner"]),
        (3, ["Crawler Two", "crawler-1", "Planner"]),
    ):  # fmt: skip
        heat.order.setCurrentIndex(place)
        assert names(heat) == expected, heat.order.currentText()
    qtbot.keyClicks(heat.search, "crawler two")
    settle(desk)
    assert names(heat) == ["Crawler Two"]
    assert heat._told.text() == "1 of 3 agents"
    heat.search.setText("nobody")
    settle(desk)
    assert heat.accessibleDescription() == "No agent fits “nobody”"
    assert heat.search.isVisible()
    assert not heat.surface.isVisible()


def test_of_the_same_highest_the_one_stands_first_that_is_high_for_long() -> None:
    value = np.array([[5, 1, 1], [5, 5, NAN], [NAN, NAN, NAN], [5, 5, 4]], np.float32)
    assert in_order(np.arange(4), value, Order.HIGHEST).tolist() == [1, 3, 0, 2]
    assert newest(value)[[0, 1, 3]].tolist() == [1, 5, 4]
    assert np.isnan(newest(value[:, :0])).all()


def test_one_far_out_value_does_not_make_all_others_alike() -> None:
    value = np.append(np.linspace(0, 1, 1_000), 500).astype(np.float32)
    found = range_of(value, "s")
    assert found is not None
    assert found.beyond
    assert found.high == pytest.approx(1, abs=0.01)
    even = range_of(np.linspace(2, 9, 100).astype(np.float32), "By")
    assert even == (2, 9, False)


# ---------------------------------------------------------------- while time goes on


def test_live_it_goes_on_with_the_tail_from_where_it_ended(heat: HeatView, desk: Desk) -> None:
    asked = desk.source.count(HeatRequest)
    desk.clock.advance(25 * SECOND)
    at, value = desk.source.samples[QUEUE]
    desk.source.samples[QUEUE] = (np.append(at, desk.now - SECOND), np.append(value, 50.0))
    heat.feed._newest.stop()
    desk.tail.page([])
    settle(desk)
    assert desk.source.count(HeatRequest) == asked + 1
    request = [one for one in desk.source.asked if isinstance(one, HeatRequest)][-1]
    assert request.until_us - request.since_us < 60 * SECOND
    assert names(heat)[0] == "crawler-1"
    assert heat._summary().startswith("queue.depth of 3 agents · 1 without data: highest 50 at crawler-1")
    seen = heat._seen()[heat.surface.rows[0]]
    assert seen[~np.isnan(seen)].tolist() == [1, 2, 3, 50]


def test_what_left_the_window_while_live_is_asked_for_again_when_somebody_looks_back(
    heat: HeatView, desk: Desk, qtbot: QtBot
) -> None:
    began = desk.now - 50 * SECOND
    for _ in range(6):
        desk.clock.advance(20 * SECOND)
        heat.feed._ask_newest()
        settle(desk)
    assert heat.feed.first_us > began + 30 * SECOND
    desk.range.zoom(began, began + 60 * SECOND)
    qtbot.waitUntil(lambda: bool(desk.source.waiting))
    settle(desk)
    assert heat._seen()[~np.isnan(heat._seen())].tolist() == [9, 1, 1, 2, 3]


def test_hidden_it_asks_for_nothing(heat: HeatView, explore: ExploreScreen, desk: Desk) -> None:
    explore.hide()
    asked = desk.source.count(HeatRequest)
    desk.clock.advance(30 * SECOND)
    desk.tail.page([])
    desk.range.zoom(desk.now - 3_600 * SECOND, desk.now)
    settle(desk)
    assert desk.source.count(HeatRequest) == asked


def test_another_range_is_asked_in_steps_that_fit_it(heat: HeatView, desk: Desk, qtbot: QtBot) -> None:
    desk.range.show_last(6 * 3_600 * SECOND)
    qtbot.waitUntil(lambda: bool(desk.source.waiting))
    settle(desk)
    assert heat.feed.step_us == 300 * SECOND
    assert heat.surface.span[1] - heat.surface.span[0] == 6 * 3_600 * SECOND


# ---------------------------------------------------------------- ways on


def test_a_click_or_enter_opens_the_agent(heat: HeatView, explore: ExploreScreen, qtbot: QtBot, desk: Desk) -> None:
    heat.setFocus()
    assert heat.surface.hasFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down):
        qtbot.keyClick(heat.surface, key)
    with qtbot.waitSignal(explore.agent_wanted) as opened:
        qtbot.keyClick(heat.surface, Qt.Key.Key_Return)
    assert opened.args == [AGENT]
    top = heat.surface.frame.area.top()
    with qtbot.waitSignal(explore.agent_wanted) as opened:
        qtbot.mouseClick(heat.surface, Qt.MouseButton.LeftButton, pos=QPoint(20, round(top + 8)))
    assert opened.args == [8]


def test_keys_lead_to_the_logs_of_the_agent_at_that_moment(
    heat: HeatView, explore: ExploreScreen, qtbot: QtBot
) -> None:
    heat.setFocus()
    qtbot.keyClick(heat.surface, Qt.Key.Key_Down)
    qtbot.keyClick(heat.surface, Qt.Key.Key_Left)
    with qtbot.waitSignal(explore.logs_wanted) as wanted:
        qtbot.keyClick(heat.surface, Qt.Key.Key_L)
    assert wanted.args[0] == 8
    menu = QMenu()
    heat._fill_menu(menu)
    assert [action.text() for action in menu.actions() if action.text()][-1] == "Open the agent\tEnter"


def test_a_drag_zooms_every_panel(heat: HeatView, desk: Desk, qtbot: QtBot) -> None:
    area = heat.surface.frame.area
    y = round(area.top() + 5)
    qtbot.mousePress(heat.surface, Qt.MouseButton.LeftButton, pos=QPoint(round(area.left() + 100), y))
    qtbot.mouseMove(heat.surface, QPoint(round(area.left() + 200), y))
    with qtbot.assertNotEmitted(heat.agent_wanted):
        qtbot.mouseRelease(heat.surface, Qt.MouseButton.LeftButton, pos=QPoint(round(area.left() + 200), y))
    assert not desk.range.live


def test_what_is_listed_is_copied_and_stands_in_a_table(heat: HeatView, desk: Desk) -> None:
    heat.surface.copy()
    head, *lines = [line.split(",") for line in QGuiApplication.clipboard().text().split("\r\n")[:-1]]
    assert head[:2] == ["agent", "unit"]
    end = desk.now // STEP * STEP
    first = next(at for at, time in enumerate(head) if time == iso_time(end - 3 * STEP))
    assert [(line[0], line[1], line[first : first + 3]) for line in lines] == [
        ("crawler-2", "{task}", ["9", "", "1"]),
        ("crawler-1", "{task}", ["1", "2", "3"]),
        ("planner-1", "{task}", ["", "", ""]),
    ]
    heat.show_table()
    table = heat.findChild(HeatTable)
    assert table is not None
    records = table.table.records
    told = [[records.index(row, column).data() for column in (0, 1, 2, 4)] for row in range(3)]
    assert told == [
        ["Crawler Two · crawler-2", "1", "9", "1"],
        ["crawler-1", "3", "3", "1"],
        ["Planner · planner-1", "–", "–", "–"],
    ]
    table.close()


def test_the_clipboard_takes_the_first_agents_of_very_many_and_says_so(
    heat: HeatView, explore: ExploreScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied() -> list[str]:
        heat.surface.copy()
        return [line.split(",")[0] for line in QGuiApplication.clipboard().text().splitlines()[1:]]

    assert copied() == ["crawler-2", "crawler-1", "planner-1"]
    assert explore._told.text() == "3 agents are on the clipboard, as CSV"
    monkeypatch.setattr(heat_view, "MOST_COPIED", 2 * heat._seen().shape[1])
    assert copied() == ["crawler-2", "crawler-1"]
    assert explore._told.text().startswith("The first 2 of 3 agents are on the clipboard")
    menu = QMenu()
    heat._fill_menu(menu)
    assert "Copy data as CSV (the first 2 of 3 agents)" in [action.text() for action in menu.actions()]


def test_a_heat_map_offers_nothing_that_only_curves_have(heat: HeatView, explore: ExploreScreen, desk: Desk) -> None:
    def offered() -> set[str]:
        menu = QMenu()
        fill_panel_menu(menu, explore, explore.panel)
        return {action.text() for action in menu.actions()}

    of_curves = {"Repeat per agent", "Statistics", "Compare with", "Save data as CSV…"}
    assert offered().isdisjoint(of_curves)
    assert "Save picture…" in offered()
    explore.commands.show_as(Kind.TABLE)
    settle(desk)
    assert offered() & of_curves == of_curves - {"Statistics"}


def test_the_action_takes_the_selected_series_else_the_panel_at_hand(explore: ExploreScreen, desk: Desk) -> None:
    assert explore.heat_wanted is None
    explore.commands.add([Plotted("crawler-1", "queue.depth")])
    settle(desk)
    assert explore.heat_wanted == Plotted("crawler-1", "queue.depth")
    search(explore, "crawler-1 memory")
    tree = explore.tree
    tree.view.setCurrentIndex(tree.model.index(0, 0, tree.model.index(0, 0)))
    menu = QMenu()
    tree.fill_menu(menu)
    (action,) = [one for one in menu.actions() if one.text().startswith("Heat-map")]
    action.trigger()
    settle(desk)
    assert [panel.panel.kind for panel in explore.desk.shown] == [Kind.PLOT, Kind.HEAT]
    assert explore.panel.panel.plotted == (Plotted("", "process.memory.usage"),)
    explore.history.stack.undo()
    assert len(explore.desk.shown) == 1


# ---------------------------------------------------------------- when there is nothing


def test_a_series_that_nobody_has_and_an_answer_that_fails(explore: ExploreScreen, desk: Desk) -> None:
    explore.commands.add_heat(Plotted("", "no.such.metric"))
    settle(desk)
    assert "No agent of this workspace has such figures" in explore.panel.body.accessibleDescription()
    explore.history.stack.undo()
    explore.commands.add_heat(Plotted("", role="cpu"))
    settle(desk)
    assert explore.panel.body.accessibleDescription().startswith("Nothing was measured in this time. ")
    desk.source.problem = Problem("query.deadline", {"seconds": 30})
    explore.panel.body.feed.reload()
    settle(desk)
    assert "30" in explore.panel.body.accessibleDescription()


# ---------------------------------------------------------------- which rows


def index_of(*series: tuple[int, int, SeriesWords], headline: dict[str, dict[int, int]] | None = None) -> SeriesIndex:
    index = SeriesIndex()
    agents = sorted({agent for _, agent, _ in series})
    ids = [f"a{agent}" for agent in agents]
    index.name_agents(agents, ids, ids, ids)
    words = tuple(dict.fromkeys(one for *_, one in series))
    columns = zip(*[(id_, agent, words.index(one)) for id_, agent, one in series], strict=True)
    request = SeriesNamesRequest(0)
    index.take(SeriesNamesResult(request, *(np.array(one, np.int64) for one in columns), words, headline or {}, {}))
    return index


def gauge(metric: str, unit: str, labels: str = "", kind: SeriesKind = SeriesKind.GAUGE) -> SeriesWords:
    return SeriesWords(metric, labels, unit, kind, "x")


def test_what_is_told_in_other_units_of_one_kind_shares_a_scale_and_the_rest_is_left_out() -> None:
    index = index_of(
        (1, 1, gauge("load", "%")), (2, 2, gauge("load", "1")), (3, 3, gauge("load", "By")), (4, 4, gauge("other", "1")),
        (5, 1, gauge("load", "%", '{"cpu":"0"}')),
    )  # fmt: skip
    found = heat_subject(Plotted("a1", "load"), index)
    assert found is not None
    assert (found.ids, found.unit, found.left_out) == (("a1", "a2"), "1", 1)
    assert [(row.series, row.factor) for row in found.rows] == [(1, 0.01), (2, 1.0)]
    assert heat_subject(Plotted("a1", "load", '{"cpu":"1"}'), index) is None


def test_a_counter_is_told_as_a_rate_and_a_role_by_what_the_fleet_shows() -> None:
    cpu, count = gauge("process.cpu.utilization", "1"), gauge("done", "{task}", kind=SeriesKind.COUNTER)
    idle = gauge("cpu_idle", "%")
    index = index_of((1, 1, cpu), (2, 2, idle), (3, 1, count), headline={"cpu": {1: 1, 2: 2}})
    rate = heat_subject(Plotted("", "done"), index)
    assert rate is not None
    assert (rate.unit, rate.shown, rate.figure) == ("{task}/s", Shown.RATE, "")
    role = heat_subject(Plotted(role="cpu"), index)
    assert role is not None
    assert [(row.agent, row.series, row.factor, row.offset) for row in role.rows] == [
        (1, 1, 1.0, 0.0),
        (2, 2, -0.01, 1.0),
    ]
    named = heat_subject(Plotted("a1", "process.cpu.utilization"), index)
    assert named is not None
    assert named.figure == "cpu", "the recorder has summed it up already"
    counted = heat_subject(Plotted(role="messages"), index)
    assert counted is not None
    assert [row.agent for row in counted.rows] == [1, 2]


def test_thousands_of_rows_scroll_by_wheel_and_keys(explore: ExploreScreen, desk: Desk, qtbot: QtBot) -> None:
    desk.source.names = {agent: (f"agent-{agent:04}", f"agent-{agent:04}") for agent in range(1, 501)}
    explore.refresh()
    settle(desk)
    desk.source.samples[CPU] = (np.array([desk.now - 30 * SECOND]), np.array([0.5]))
    explore.commands.add_heat(Plotted(role="messages"))
    desk.source.samples[5] = desk.source.samples[CPU]
    settle(desk)
    surface = explore.panel.body.surface
    assert len(surface.rows) == 500
    assert surface.furthest > 5_000
    at = QPointF(surface.frame.area.center())
    span = desk.range.current().span_us
    wheel = QWheelEvent(
        at, surface.mapToGlobal(at), QPoint(), QPoint(0, -240), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(surface, wheel)
    assert surface.top > 0
    assert desk.range.current().span_us == span
    assert explore.panel.body._bar.value() == surface.top
    surface.setFocus()
    qtbot.keyClick(surface, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert (surface.at_hand, surface.top) == (499, surface.furthest)
