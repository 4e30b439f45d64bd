"""Explore: series found by typing, drawn in panels with two axes, arranged and taken back, asked for only while seen."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from models.domain.layouts import changes
from models.domain.layouts.layout import Layout, Panel, Plotted, Shown, Side
from models.domain.layouts.ready import Ready
from models.domain.names import SeriesKey, SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import Problem
from models.domain.pulse_figures import PulseRequest, PulseResult
from models.domain.queries import SeriesInfo, SeriesRequest
from models.domain.records import GapCause
from models.domain.series_names import SeriesNamesRequest
from models.domain.tail import Interest
from tests.widgets.conftest import Desk
from tests.widgets.fakes import ATTEMPTS, CPU, MEMORY, QUEUE, RESPONSE, SECOND
from widgets.explore.explore_panel import CellKey
from widgets.explore.explore_screen import ExploreScreen
from widgets.explore.panel_menu import fill_panel_menu
from widgets.explore.series_mime import dragged_series, panel_mime, series_mime
from widgets.plots.plot_picture import y_of
from widgets.plots.series_feed import NO_GAPS
from widgets.records.agent_names import AgentNames

OTHER = 1_000  # ids of the second agent's series
MEMORY_OF_ONE = Plotted("crawler-1", "process.memory.usage")
QUEUE_OF_ONE = Plotted("crawler-1", "queue.depth")
RESPONSE_OF_ONE = Plotted("crawler-1", "agent.request.duration")


def search(screen: ExploreScreen, text: str) -> None:
    screen.tree.search.setText(text)
    screen.tree.search_now()


def settle(desk: Desk) -> None:
    desk.source.answer_all()
    desk.draw()


def ids(screen: ExploreScreen) -> list[int]:
    return [panel.id for panel in changes.panels_of(screen.history.layout.root)]


def rows(screen: ExploreScreen) -> list[str]:
    """The tree as it is seen, series below their agent indented."""
    model, found = screen.tree.model, []
    for row in range(model.rowCount()):
        agent = model.index(row, 0)
        found.append(agent.data())
        found += [f"  {model.index(one, 0, agent).data()}" for one in range(model.rowCount(agent))]
    return found


# ---------------------------------------------------------------- tree


def test_agents_and_series_are_found_by_any_words_of_both(explore: ExploreScreen) -> None:
    assert explore.tree.model.rowCount() == 3
    search(explore, "crawler queue")
    assert rows(explore) == ["Crawler Two · crawler-2", "  queue.depth", "crawler-1", "  queue.depth"]
    search(explore, "two")
    assert rows(explore)[0] == "Crawler Two · crawler-2"
    assert len(rows(explore)) == 1 + 7
    search(explore, "qdpt pln")  # letters in this order
    assert rows(explore) == ["Planner · planner-1", "  queue.depth"]
    search(explore, "nothing-like-it-0")
    assert not explore.tree._stack.shows_content


def test_enter_adds_what_is_selected_and_shift_enter_as_a_panel(explore: ExploreScreen, qtbot: QtBot) -> None:
    search(explore, "queue crawler-")
    explore.tree.search.setFocus()
    qtbot.keyClick(explore.tree.search, Qt.Key.Key_Return)
    qtbot.keyClick(explore.tree.view, Qt.Key.Key_Return)
    assert explore.history.layout == Layout(Panel(1, (Plotted("crawler-2", "queue.depth"),)))
    explore.tree.view.selectAll()
    qtbot.keyClick(explore.tree.view, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert changes.panel_of(explore.history.layout, 2).plotted == (Plotted("crawler-2", "queue.depth"), QUEUE_OF_ONE)
    assert explore.commands.at_hand == 2
    explore.tree.view.copy()
    assert "crawler-2 queue.depth" in QGuiApplication.clipboard().text()


def test_a_new_series_joins_the_tree_and_what_is_open_stays_open(explore: ExploreScreen, desk: Desk) -> None:
    explore.tree.view.expand(explore.tree.model.index(0, 0))
    new = SeriesInfo(QUEUE + 1, SeriesKey(7, "queue.age", "", "s", SeriesKind.GAUGE, "murmur"))
    desk.source.series = (*desk.source.series, new)
    desk.source.names[10] = ("alpha", "alpha")
    desk.tail.page(new_names=True)
    assert explore.known._news.isActive()
    explore.known._news.timeout.emit()
    settle(desk)
    assert explore.tree.model.index(0, 0).data() == "alpha"
    crawler = explore.tree.model.index(1, 0)
    assert explore.tree.view.isExpanded(crawler)
    assert [one for one in desk.source.asked if isinstance(one, SeriesNamesRequest)][-1].after == 2_000 + QUEUE


def test_a_quarter_of_a_million_series_are_searched_without_a_stall() -> None:
    """Not a measurement (tests/benchmarks/explore.py is): no row is made for what is not seen."""
    from models.domain.series_names import SeriesNamesResult, SeriesWords
    from widgets.plots.series_index import SeriesIndex

    index = SeriesIndex()
    agents = list(range(1, 501))
    names = [f"agent-{one:04}" for one in agents]
    index.name_agents(agents, names, names, names)
    words = tuple(SeriesWords(f"metric.{one}", "", "1", SeriesKind.GAUGE, "x") for one in range(50))
    ids_ = np.arange(1, 25_001)
    index.take(SeriesNamesResult(SeriesNamesRequest(), ids_, (ids_ - 1) // 50 + 1, (ids_ - 1) % 50, words, {}, {}))
    found = index.find("metric.7 0123")
    assert [index.ids[one] for one in found.agents] == ["agent-0123"]
    assert [index.words[index.told[row]].metric for row in found.rows] == ["metric.7"]
    assert index.series[index.row_of(index.place_of("agent-0123"), "metric.7", "")] == 122 * 50 + 8


# ---------------------------------------------------------------- panels


def test_a_hidden_screen_asks_for_nothing_and_wants_nothing(desk: Desk, qtbot: QtBot) -> None:
    screen = ExploreScreen(desk.context, AgentNames(desk.source), lambda _menu: None)
    qtbot.addWidget(screen)
    screen.commands.add([QUEUE_OF_ONE])
    desk.tail.page(new_names=True)
    desk.range.show_last(300 * SECOND)
    assert desk.source.asked == []
    assert desk.tail.interest == Interest()


def test_two_units_stand_on_two_axes_and_a_third_gets_a_panel_of_its_own(explore: ExploreScreen, desk: Desk) -> None:
    desk.fill(MEMORY, range(1, 50), 4e8)
    desk.fill(QUEUE, range(1, 50), 3.0)
    desk.fill(RESPONSE, range(1, 50), 0.2)
    told: list[str] = []
    explore.commands.told.connect(told.append)
    explore.commands.add([MEMORY_OF_ONE, QUEUE_OF_ONE, RESPONSE_OF_ONE])
    settle(desk)
    first, second = explore.desk.shown
    assert first.resolved.units == ["By", "{task}"]
    assert second.resolved.units == ["s"]
    assert told
    axes = first.plot._axes
    assert axes.left.low < 4e8 < axes.left.high
    assert axes.right.low < 3 < axes.right.high < 10
    assert first.header.badge.text() == "every sample"
    explore.history.stack.undo()
    assert explore.history.layout == Layout(Panel(1))


def test_a_role_is_drawn_for_every_agent_of_the_layout(explore: ExploreScreen, desk: Desk) -> None:
    desk.fill(CPU, range(1, 50), 0.25)
    desk.fill(OTHER + CPU, range(1, 50), 0.75)
    explore.explore_agents(["crawler-1", "crawler-2", "gone-9"])
    settle(desk)
    cpu = explore.desk.shown[0]
    assert [(curve.name, curve.current(desk.now).value) for curve in cpu.curves] == [
        ("crawler-1", 0.25),
        ("Crawler Two", 0.75),
    ]
    assert "gone-9" in cpu._note.text()
    assert cpu.header.title.text() == "CPU"
    assert "CPU of crawler-1, Crawler Two" in cpu.plot.accessibleDescription()
    assert desk.tail.interest.series == {CPU, MEMORY, OTHER + CPU, OTHER + MEMORY}


def test_a_panel_is_repeated_for_every_agent_and_back(explore: ExploreScreen, desk: Desk) -> None:
    explore.explore_agents(["crawler-1", "crawler-2", "planner-1"])
    explore.commands.take_in_hand(1)
    explore.commands.toggle_repeat()
    settle(desk)
    assert explore.desk.grid.shown == [
        CellKey(1, "crawler-1"),
        CellKey(1, "crawler-2"),
        CellKey(1, "planner-1"),
        CellKey(2),
    ]
    assert explore.desk.shown[1].header.title.text() == "CPU · Crawler Two"
    assert [curve.found.agent_id for curve in explore.desk.shown[1].curves] == ["crawler-2"]
    explore.history.stack.undo()
    assert explore.desk.grid.shown == [CellKey(1), CellKey(2)]


def test_a_maximised_panel_is_alone_and_the_others_want_nothing(
    explore: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    explore.explore_agents(["crawler-1"])
    settle(desk)
    explore.commands.take_in_hand(2)
    explore.toggle_maximised()
    assert explore.desk.grid.shown == [CellKey(2)]
    assert desk.tail.interest.series == {MEMORY}
    explore.focus_panel(1)
    assert explore.desk.grid.shown == [CellKey(1)]
    qtbot.keyClick(explore.desk.shown[0].plot, Qt.Key.Key_Escape)
    assert explore.desk.grid.shown == [CellKey(1), CellKey(2)]
    assert desk.tail.interest.series == {CPU, MEMORY}


def test_names_are_clicked_off_and_only_the_rest_counts_for_the_axis(
    explore: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    desk.fill(QUEUE, range(1, 50), 5.0)
    desk.fill(OTHER + QUEUE, range(1, 50), 5_000.0)
    explore.commands.add([QUEUE_OF_ONE, Plotted("crawler-2", "queue.depth")])
    settle(desk)
    panel = explore.desk.shown[0]
    assert panel.plot._axes.left.high > 4_000
    box = panel.plot._placed_entries[1].box
    qtbot.mouseClick(panel.plot, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    settle(desk)
    assert panel.plot._axes.left.high < 10
    assert "5 000" not in panel.plot.accessibleDescription().replace("\u202f", " ")
    panel.show_only(1)
    assert [panel.is_on(place) for place in range(2)] == [False, True]
    panel.show_only(1)
    assert [panel.is_on(place) for place in range(2)] == [True, True]


def test_the_curve_under_the_pointer_tells_its_name(explore: ExploreScreen, desk: Desk) -> None:
    desk.fill(QUEUE, range(1, 50), 5.0)
    desk.fill(OTHER + QUEUE, range(1, 50), 500.0)
    explore.commands.add([QUEUE_OF_ONE, Plotted("crawler-2", "queue.depth")])
    settle(desk)
    plot = explore.panel.plot
    area = plot.frame.area
    above = y_of(area, plot._axes.left, 500.0)
    assert plot.tooltip_at(QPointF(area.center().x(), above + 3)) == "Crawler Two  500"
    assert plot.tooltip_at(QPointF(area.center().x(), (above + area.bottom()) / 2)) == ""


def test_each_curve_ends_at_the_gaps_of_its_own_agent(explore: ExploreScreen, desk: Desk) -> None:
    desk.fill(QUEUE, range(1, 50), 5.0)
    desk.fill(OTHER + QUEUE, range(1, 50), 6.0)
    desk.source.gaps = [(desk.now - 30 * SECOND, desk.now - 20 * SECOND, GapCause.SEQUENCE, 8, 3)]
    explore.commands.add([QUEUE_OF_ONE, Plotted("crawler-2", "queue.depth")])
    settle(desk)
    whole, broken = explore.desk.shown[0].plot.shapes
    assert whole.joined[:-1].all()
    assert not broken.joined[:-1].all()


def test_percentiles_and_increases_are_drawn_in_steps(explore: ExploreScreen, desk: Desk) -> None:
    desk.fill(RESPONSE, range(1, 50), 0.2)
    at = desk.now - np.arange(50, 0, -1) * SECOND
    desk.source.samples[ATTEMPTS] = (at, np.arange(50.0))
    explore.commands.add([Plotted("crawler-1", "agent.request.duration", shown=Shown.P95)])
    explore.commands.add([Plotted("crawler-1", "agent.connection.attempts")])
    settle(desk)
    panel = explore.desk.shown[0]
    assert [curve.name for curve in panel.curves] == ["agent.request.duration p95", "agent.connection.attempts"]
    assert panel.curves[0].current(desk.now).value == pytest.approx(0.2)
    assert panel.curves[1].current(desk.now).value == pytest.approx(1.0)  # a second
    assert panel.header.badge.text().startswith("in steps of")


def test_an_envelope_gives_no_percentiles_and_the_panel_says_so(explore: ExploreScreen, desk: Desk) -> None:
    desk.fill(RESPONSE, range(1, 50), 0.2)
    desk.source.reduced = {RESPONSE}
    explore.commands.add([Plotted("crawler-1", "agent.request.duration", shown=Shown.P95)])
    settle(desk)
    assert "Too many samples" in explore.panel.plot.accessibleDescription()


def test_only_what_is_new_is_asked_for_when_a_series_joins(explore: ExploreScreen, desk: Desk) -> None:
    desk.range.zoom(desk.now - 60 * SECOND, desk.now - 10 * SECOND)
    explore.commands.add([QUEUE_OF_ONE])
    settle(desk)
    explore.commands.add([MEMORY_OF_ONE])
    settle(desk)
    assert [one.series for one in desk.source.asked if isinstance(one, SeriesRequest)][-1] == (MEMORY,)


def test_live_points_reach_every_panel_that_shows_their_series(explore: ExploreScreen, desk: Desk) -> None:
    explore.commands.add([QUEUE_OF_ONE])
    explore.commands.add([QUEUE_OF_ONE], side=Side.RIGHT)
    settle(desk)
    desk.tail.page([desk.points(QUEUE, 42.0)])
    assert [panel.curves[0].current(desk.now).value for panel in explore.desk.shown] == [42.0, 42.0]


def test_what_is_wrong_or_missing_is_said_in_the_panel(explore: ExploreScreen, desk: Desk) -> None:
    assert "Drag series here" in explore.panel.plot._sentence
    explore.history.change("", Layout(Panel(1, (Plotted("gone", "x"), QUEUE_OF_ONE))))
    desk.source.problem = Problem("query.deadline", {"seconds": 30})
    explore.refresh()
    settle(desk)
    assert "30 s" in explore.panel.plot._sentence
    assert explore.panel._note.text() == "Not in this workspace: gone x"
    desk.source.problem = None
    explore.refresh()
    settle(desk)
    assert explore.panel.plot._sentence.startswith("Nothing was measured in this time. ")


def test_too_many_series_at_once_are_refused_with_a_sentence(explore: ExploreScreen) -> None:
    told: list[str] = []
    explore.commands.told.connect(told.append)
    explore.commands.add([Plotted("a", f"m{number}") for number in range(101)])
    assert explore.history.layout == Layout(Panel(1))
    assert "101 series are more than the 100" in told[0]


def test_what_happened_to_few_agents_is_marked_with_whose_it_is(explore: ExploreScreen, desk: Desk) -> None:
    desk.source.presence = [(desk.now - 30 * SECOND, Presence.OFFLINE, Condition.OK, Cause.WILL)]
    explore.commands.add([QUEUE_OF_ONE])
    settle(desk)
    assert [mark.text for mark in explore.panel.plot._marks] == ["offline (will)"]
    explore.commands.add([Plotted("crawler-2", "queue.depth")])
    settle(desk)
    texts = [mark.text for mark in explore.panel.plot._marks]
    assert texts == ["crawler-1: offline (will)", "Crawler Two: offline (will)"]
    explore.hide()
    asked = len(desk.source.asked)
    desk.tail.page()
    assert len(desk.source.asked) == asked


def test_a_layout_of_very_many_agents_says_what_it_leaves_out(explore: ExploreScreen, desk: Desk) -> None:
    desk.source.names = {
        7: ("crawler-1", "crawler-1"),
        **{100 + n: (f"agent-{n:03}", f"agent-{n:03}") for n in range(120)},
    }
    explore.known._names.refresh()
    explore.known.index.newest = 0
    explore.known.refresh()
    settle(desk)
    explore.explore_agents([f"agent-{n:03}" for n in range(120)])
    explore.commands.take_in_hand(1)
    settle(desk)
    assert len(explore.panel.curves) == 100
    assert explore.panel._note.text() == "20 more series than one panel shows"
    legend = explore.panel.plot._legend
    assert legend.lines == 3
    assert legend.left_out == 100 - len(explore.panel.plot._placed_entries) > 0


# ---------------------------------------------------------------- arranging


def test_panels_are_split_moved_resized_closed_and_all_of_it_taken_back(explore: ExploreScreen) -> None:
    commands, steps = explore.commands, [explore.history.layout]
    for change in (
        lambda: commands.add([QUEUE_OF_ONE]),
        lambda: commands.split(Side.RIGHT),
        lambda: commands.split(Side.BELOW),
        commands.duplicate,
        lambda: commands.move(1, 3, Side.LEFT),
        lambda: commands.move_on(1),
        commands.grow,
        commands.close,
        lambda: commands.use_agents(["crawler-1"]),
        lambda: explore.show_ready(Ready.RESPONSES),
    ):
        change()
        assert explore.history.layout != steps[-1]
        assert [key.panel for key in explore.desk.grid.shown] == ids(explore)
        steps.append(explore.history.layout)
    for before in reversed(steps[:-1]):
        explore.history.stack.undo()
        assert explore.history.layout == before
    for after in steps[1:]:
        explore.history.stack.redo()
        assert explore.history.layout == after


def test_moving_a_handle_is_one_step_of_the_layout(explore: ExploreScreen, desk: Desk) -> None:
    explore.commands.split(Side.RIGHT)
    settle(desk)
    splitter = explore.desk.grid._splitters[()]
    for width in (300, 260, 220):
        splitter.moveSplitter(width, 1)
    left, right = explore.history.layout.root.sizes
    assert left < right
    explore.history.stack.undo()
    assert explore.history.layout.root.sizes == (500, 500)
    here = splitter.sizes()
    assert abs(here[0] - here[1]) < 10


def test_series_and_panels_are_dropped_into_and_beside_a_panel(explore: ExploreScreen, desk: Desk) -> None:
    panel = explore.panel

    def drop(mime: object, x: float, y: float) -> None:
        event = QDropEvent(
            QPointF(x, y), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        panel.dropEvent(event)

    assert dragged_series(series_mime([QUEUE_OF_ONE])) == [QUEUE_OF_ONE]
    drop(series_mime([QUEUE_OF_ONE]), panel.width() / 2, panel.height() / 2)
    assert explore.history.layout == Layout(Panel(1, (QUEUE_OF_ONE,)))
    drop(series_mime([MEMORY_OF_ONE]), panel.width() - 5, panel.height() / 2)
    settle(desk)
    assert ids(explore) == [1, 2]
    drop(panel_mime(2), 5, panel.height() / 2)
    assert ids(explore) == [2, 1]


def test_the_button_offers_the_selected_agents(explore: ExploreScreen, desk: Desk) -> None:
    explore.show_ready(Ready.RESOURCES)
    assert len(explore.history.layout.agents) == 3
    explore.tree.view.setCurrentIndex(explore.tree.model.index(2, 0))
    assert explore._agents.isEnabled()
    explore._agents.click()
    assert explore.history.layout.agents == ("planner-1",)
    assert not explore._agents.isEnabled()


# ---------------------------------------------------------------- what the recorder counts


def test_finished_failed_and_the_share_that_failed(explore: ExploreScreen, desk: Desk) -> None:
    desk.range.zoom(desk.now - 600 * SECOND, desk.now)
    since = (desk.now - 600 * SECOND) // (10 * SECOND) * 10 * SECOND

    def pulses(request: PulseRequest) -> PulseResult:
        at = since + np.array([0, 10, 20, 300]) * SECOND
        finished, failed = np.array([[4, 0, 6, 2]]), np.array([[1, 0, 3, 2]])
        counts = {"messages": finished, "finished": finished, "failed": failed, "log_errors": failed}
        return PulseResult(request, at, counts, NO_GAPS)

    desk.source.more[PulseRequest] = pulses
    explore.explore_agents(["crawler-1"])
    explore.show_ready(Ready.TASKS)
    settle(desk)
    finished, failed, ratio = explore.desk.shown
    assert [panel.header.title.text() for panel in explore.desk.shown] == [
        "Finished work",
        "Failed work",
        "Error ratio",
    ]
    assert finished.curves[0].current(desk.now).value == 12
    assert failed.curves[0].current(desk.now).value == 6
    assert ratio.curves[0].current(desk.now) == (0.5, 12)
    assert ratio.curves[0].reading(since + 21 * SECOND) == (0.5, 6)
    assert np.isnan(ratio.curves[0].reading(since + 11 * SECOND).value)  # 0 of 0 is no data
    assert finished.plot.shapes[0].joined.tolist() == [True, True, False, False]
    assert "10 s" in finished.header.badge.text()
    assert not any(isinstance(one, SeriesRequest) and min(one.series) < 0 for one in desk.source.asked)
    explore.commands.take_in_hand(1)
    explore.commands.toggle_statistics()
    settle(desk)
    assert finished._statistics.model().index(0, 9).data() == "12"


def test_counts_are_asked_for_again_while_live_and_not_while_hidden(explore: ExploreScreen, desk: Desk) -> None:
    def asked() -> int:
        return desk.source.count(PulseRequest)

    explore.show_ready(Ready.TASKS)
    settle(desk)
    before = asked()
    explore.desk.feed.pulses._again.timeout.emit()
    assert asked() == before + 1
    explore.desk.feed.pulses._again.timeout.emit()
    assert asked() == before + 1, "a slow answer is waited for"
    desk.range.pause()
    settle(desk)
    before = asked()
    explore.desk.feed.pulses._again.timeout.emit()
    assert asked() == before
    explore.hide()
    assert not explore.desk.feed.pulses._again.isActive()


# ---------------------------------------------------------------- from a moment to its records


def test_a_moment_leads_to_logs_and_messages_of_the_one_agent_or_of_all(
    explore: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    found: list[tuple[str, int, int]] = []
    explore.logs_wanted.connect(lambda agent, at_us: found.append(("logs", agent, at_us)))
    explore.messages_wanted.connect(lambda agent, at_us: found.append(("messages", agent, at_us)))
    desk.fill(QUEUE, range(1, 50), 5.0)
    explore.commands.add([QUEUE_OF_ONE])
    settle(desk)
    explore.ask_logs()
    assert found == []
    assert "arrow keys" in explore._told.text()
    explore.panel.plot.setFocus()
    qtbot.keyClick(explore.panel.plot, Qt.Key.Key_Left)
    explore.ask_logs()
    assert found == [("logs", 7, desk.cursor.time_us)]
    area = explore.panel.plot.frame.area
    explore.panel.plot.menu_at = QPointF(area.center())
    explore.commands.add([Plotted("crawler-2", "queue.depth")])
    explore.ask_messages()
    kind, agent, at_us = found[-1]
    assert (kind, agent) == ("messages", 0)
    assert abs(at_us - (desk.now - 30 * SECOND)) < SECOND


def test_a_menu_on_a_curve_leads_to_the_records_of_its_agent(explore: ExploreScreen, desk: Desk) -> None:
    found: list[int] = []
    explore.logs_wanted.connect(lambda agent, _: found.append(agent))
    desk.fill(QUEUE, range(1, 50), 5.0)
    explore.commands.add([QUEUE_OF_ONE, Plotted("crawler-2", "queue.depth")])
    settle(desk)
    plot = explore.panel.plot
    area, scale = plot.frame.area, plot._axes.left
    plot.menu_at = QPointF(area.center().x(), y_of(area, scale, 5.0) - 4)
    menu = QMenu()
    fill_panel_menu(menu, explore, explore.panel)
    logs = next(one for one in menu.actions() if one.text().startswith("&Logs of"))
    assert logs.text() == "&Logs of crawler-1 at this moment\tL"
    logs.trigger()
    assert found == [7]
    plot.menu_at = QPointF(area.center().x(), y_of(area, scale, 5.0) - 60)
    explore.ask_logs()
    assert found == [7, 0], "between the curves it is about everybody"


def test_an_agent_that_is_selected_stays_so_when_series_come(explore: ExploreScreen, desk: Desk) -> None:
    settle(desk)
    search(explore, "depth")
    explore.tree._into_tree()
    explore.tree.view.setCurrentIndex(explore.tree.model.index(0, 0))
    before = explore.tree.selected_agents()
    assert before
    new = SeriesInfo(QUEUE + 1, SeriesKey(7, "queue.age", "", "s", SeriesKind.GAUGE, "murmur"))
    desk.source.series = (*desk.source.series, new)
    desk.tail.page(new_names=True)
    explore.known._news.timeout.emit()
    assert explore.tree.selected_agents() == before
    assert explore.tree.view.currentIndex().row() == 0


def test_a_series_is_found_by_what_people_call_it(explore: ExploreScreen, desk: Desk) -> None:
    settle(desk)
    for typed in ("response time", "latency"):
        search(explore, typed)
        shown = explore.tree.model
        assert [shown.index(0, 0, shown.index(row, 0)).data() for row in range(shown.rowCount())] == [
            "agent.request.duration"
        ] * 3


def test_keys_lead_from_the_search_into_the_tree_and_take_it_back(
    explore: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    settle(desk)
    explore.focus_filter()
    qtbot.keyClicks(explore.tree.search, "queue")
    qtbot.keyClick(explore.tree.search, Qt.Key.Key_Down)
    assert explore.tree.view.hasFocus()
    explore.focus_filter()
    qtbot.keyClick(explore.tree.search, Qt.Key.Key_Escape)
    assert explore.tree.search.text() == ""
