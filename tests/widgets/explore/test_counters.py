"""Counters in Explore: as rates unless somebody wants it otherwise, and the share that failed beside what failed."""

import numpy as np
import pytest
from PySide6.QtWidgets import QMenu

from models.domain.layouts.layout import Plotted, Shown
from models.domain.layouts.layout_text import read_layout, write_layout
from models.domain.layouts.ready import Ready
from models.domain.pulse_figures import PulseRequest, PulseResult
from models.domain.records import GapCause
from tests.widgets.conftest import Desk
from tests.widgets.explore.test_explore_screen import settle
from tests.widgets.fakes import ATTEMPTS, CPU, ERRORS, SECOND
from widgets.explore.explore_screen import ExploreScreen
from widgets.explore.panel_menu import fill_panel_menu
from widgets.plots.plot_data import as_csv
from widgets.plots.series_feed import NO_GAPS

ATTEMPTS_OF_ONE = Plotted("crawler-1", "agent.connection.attempts")
ERRORS_OF_ONE = Plotted("crawler-1", "agent.connection.errors")


@pytest.fixture
def counting(explore: ExploreScreen, desk: Desk) -> ExploreScreen:
    """Two attempts a second, that begin again once; an error every two seconds."""
    at = desk.now - np.arange(50, 0, -1) * SECOND
    attempts = np.concatenate((np.arange(1_000, 1_060, 2), np.arange(2, 42, 2)))
    desk.source.samples[ATTEMPTS] = at, attempts.astype(float)
    desk.source.samples[ERRORS] = at, np.arange(50) // 2 * 1.0
    explore.commands.add([ATTEMPTS_OF_ONE, ERRORS_OF_ONE])
    settle(desk)
    return explore


def menu_of(explore: ExploreScreen) -> QMenu:
    menu = QMenu(explore)
    fill_panel_menu(menu, explore, explore.panel)
    return next(one.menu() for one in menu.actions() if one.text() == "Draw as")


def test_a_counter_is_a_rate_with_its_restart_marked_and_told(counting: ExploreScreen, desk: Desk) -> None:
    plot = counting.panel.plot
    assert counting.panel.resolved.units == ["{connection}/s"]
    assert plot.shapes[0].value.tolist() == pytest.approx([2.0] * len(plot.shapes[0].value))
    assert plot.shapes[1].value.mean() == pytest.approx(0.5, abs=0.03)
    texts = [mark.text for placed in plot._placed_marks for mark in placed.marks]
    assert texts == ["agent.connection.attempts: counter restarted"]
    assert "2 /s" in plot.accessibleDescription()
    assert plot.accessibleDescription().endswith("restarts of counters: 1")


def test_copied_and_in_the_table_a_counter_stands_as_it_was_counted(counting: ExploreScreen, desk: Desk) -> None:
    text = as_csv(counting.panel.plot.raw, desk.now - 60 * SECOND, desk.now)
    assert text.splitlines()[1].endswith("agent.connection.attempts,{connection},1000")


def test_all_counters_or_one_are_drawn_otherwise_and_that_is_kept_and_taken_back(
    counting: ExploreScreen, desk: Desk
) -> None:
    before = counting.history.layout
    counting.commands.toggle_counters()
    settle(desk)
    assert counting.panel.resolved.units == ["{connection}"]
    assert counting.panel.plot.shapes[0].value.max() == 1_058
    kept = counting.history.layout
    assert read_layout(write_layout(kept), "mine") == kept
    counting.commands.draw_as(Shown.INCREASE, [kept.root.plotted[1]])
    settle(desk)
    assert counting.panel.curves[1].counted.rise == 24
    counting.history.stack.undo()
    counting.commands.toggle_counters()
    settle(desk)
    assert counting.history.layout == before
    assert counting.panel.resolved.units == ["{connection}/s"]


def test_the_menu_says_how_each_is_drawn_and_changes_it(counting: ExploreScreen, desk: Desk) -> None:
    menu = menu_of(counting)

    def checked(name: str) -> list[str]:
        way = next(one.menu() for one in menu_of(counting).actions() if one.text() == name)
        return [one.text() for one in way.actions() if one.isChecked()]

    assert checked("All counters") == ["Rate per second"]
    ours = next(one.menu() for one in menu.actions() if one.text() == "agent.connection.errors")
    next(one for one in ours.actions() if one.text() == "Value").trigger()
    settle(desk)
    assert [one.shown for one in counting.history.layout.root.plotted] == [Shown.AUTO, Shown.VALUE]
    assert checked("All counters") == []  # no longer alike
    assert checked("agent.connection.errors") == ["Value"]


def test_one_series_drawn_in_two_ways_has_two_names(explore: ExploreScreen, desk: Desk) -> None:
    desk.fill(ATTEMPTS, range(1, 50), 7.0)
    explore.commands.add([ATTEMPTS_OF_ONE, Plotted("crawler-1", ATTEMPTS_OF_ONE.metric, shown=Shown.VALUE)])
    settle(desk)
    assert [curve.name for curve in explore.panel.curves] == [
        "agent.connection.attempts per second",
        "agent.connection.attempts as it is",
    ]


def test_what_is_declared_a_gauge_can_be_read_as_a_counter(explore: ExploreScreen, desk: Desk) -> None:
    at = desk.now - np.arange(50, 0, -1) * SECOND
    desk.source.samples[CPU] = at, np.arange(50.0)
    explore.commands.add([Plotted("crawler-1", "process.cpu.utilization")])
    settle(desk)
    next(one for one in menu_of(explore).actions() if one.text() == "Rate per second").trigger()
    settle(desk)
    assert explore.panel.curves[0].current(desk.now).value == pytest.approx(1.0)
    assert explore.panel.resolved.units == ["1/s"]


# ---------------------------------------------------------------- what the recorder counts


@pytest.fixture
def failing(explore: ExploreScreen, desk: Desk) -> ExploreScreen:
    """Ten minutes of steps of a minute; the recorder was not connected for half of the second one."""
    desk.range.zoom(desk.now // (60 * SECOND) * 60 * SECOND - 3_600 * SECOND, desk.now // (60 * SECOND) * 60 * SECOND)
    since = desk.range.current().since_us
    desk.source.gaps = [(since + 60 * SECOND, since + 90 * SECOND, GapCause.NOT_CONNECTED, 0, 0)]

    def pulses(request: PulseRequest) -> PulseResult:
        at = since + np.array([0, 60, 120, 180]) * SECOND
        finished, failed = np.array([[60, 30, 6, 0]]), np.array([[30, 30, 3, 0]])
        counts = {"messages": finished, "finished": finished, "failed": failed, "log_errors": failed}
        return PulseResult(request, at, counts, desk.source._gaps())

    desk.source.more[PulseRequest] = pulses
    explore.explore_agents(["crawler-1"])
    explore.show_ready(Ready.FAILURES)
    settle(desk)
    return explore


def test_the_share_that_failed_stands_beside_failures_a_second(failing: ExploreScreen, desk: Desk) -> None:
    panel = failing.desk.shown[0]
    since = desk.range.current().since_us
    assert panel.header.title.text() == "Failed work · Error ratio"
    assert panel.resolved.units == ["{task}/s", "1"]
    failed, ratio = panel.curves
    assert panel.plot.shapes[0].value.tolist() == [
        0.5,
        1.0,
        0.05,
        0.0,
    ]  # only what was seen of the second minute counts
    assert panel.plot.shapes[1].value.tolist() == [0.5, 1.0, 0.5]
    assert failed.reading(since + 61 * SECOND).value == 1.0
    assert ratio.reading(since + 130 * SECOND) == (0.5, 6)
    assert np.isnan(ratio.reading(since + 190 * SECOND).value)  # 0 of 0 is no data
    assert ratio.current(desk.now) == (63 / 96, 96)


def test_the_share_of_a_range_is_failed_by_finished_and_no_mean_of_shares(failing: ExploreScreen, desk: Desk) -> None:
    failing.commands.take_in_hand(1)
    failing.commands.toggle_statistics()
    settle(desk)
    table = failing.desk.shown[0]._statistics.model()
    shown = [[table.index(row, column).data() for column in (1, 4, 9)] for row in range(2)]
    assert shown == [["4", "0.3 /s", "63"], ["96", "65.6 %", "–"]]


def test_the_last_step_is_no_rate_before_it_is_over(explore: ExploreScreen, desk: Desk) -> None:
    desk.range.show_last(3_600 * SECOND)
    step = 60 * SECOND
    begun = desk.now // step * step

    def pulses(request: PulseRequest) -> PulseResult:
        counts = dict.fromkeys(("messages", "finished", "failed", "log_errors"), np.array([[60, 60, 5]]))
        return PulseResult(request, begun - np.array([2, 1, 0]) * step, counts, NO_GAPS)

    desk.source.more[PulseRequest] = pulses
    explore.commands.add([Plotted("crawler-1", role="messages")])
    settle(desk)
    over = explore.panel.plot.shapes[0].value.tolist()
    assert over
    assert set(over) == {1.0}
