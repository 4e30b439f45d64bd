"""Statistics of the visible range: exact where every sample is there, and silent about what an envelope cannot tell."""

import math

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication

from models.domain.layouts.layout import Plotted
from models.domain.queries import HourColumns
from tests.widgets.conftest import Desk
from tests.widgets.explore.test_explore_screen import settle
from tests.widgets.fakes import ATTEMPTS, QUEUE, SECOND
from widgets.explore.explore_screen import ExploreScreen
from widgets.explore.statistics import Statistics, statistics_of

QUEUE_OF_ONE = Plotted("crawler-1", "queue.depth")


def statistics(explore: ExploreScreen, desk: Desk, place: int = 0) -> Statistics:
    return statistics_of(explore.panel.curves[place], desk.now - 60 * SECOND, desk.now)


def queue(explore: ExploreScreen, desk: Desk) -> None:
    at = desk.now - np.arange(100, 0, -1) * SECOND
    desk.source.samples[QUEUE] = (at, np.arange(100.0))  # the last 60 are 40 … 99
    explore.commands.add([QUEUE_OF_ONE])
    settle(desk)


def test_every_sample_counts_and_none_outside_the_range(explore: ExploreScreen, desk: Desk) -> None:
    queue(explore, desk)
    assert statistics(explore, desk) == Statistics(
        60, 40, 99, 69.5, 99, (69, 96, 99), pytest.approx(math.nan, nan_ok=True)
    )


def test_an_envelope_tells_its_extremes_alone(explore: ExploreScreen, desk: Desk) -> None:
    desk.source.reduced = {QUEUE}
    queue(explore, desk)
    told = statistics(explore, desk)
    assert (told.n, told.low, told.high, told.last) == (-1, 40, 99, 99)
    assert math.isnan(told.mean)
    assert all(map(math.isnan, told.quantiles))
    assert explore.panel.header.badge.text() == "envelope of very many samples"


def test_hours_without_samples_count_with_their_number(explore: ExploreScreen, desk: Desk) -> None:
    queue(explore, desk)
    one = np.array([desk.now - 30 * SECOND])
    value, none = np.array([10.0]), np.full((3, 1), np.nan)
    explore.panel.curves[0].buffer.hours = HourColumns(
        QUEUE, one, one, one, np.array([40]), value, np.array([500.0]), np.array([20.0]), value, np.array([False]), none
    )
    told = statistics(explore, desk)
    assert (told.n, told.low, told.high) == (100, 10, 500)
    assert told.mean == pytest.approx((60 * 69.5 + 40 * 20) / 100)
    assert all(map(math.isnan, told.quantiles))


def test_a_counter_tells_its_increase_and_its_mean_rate(explore: ExploreScreen, desk: Desk) -> None:
    at = desk.now - np.arange(50, 0, -1) * SECOND
    desk.source.samples[ATTEMPTS] = (at, np.concatenate((np.arange(30.0), np.arange(20.0))))  # began again once
    explore.commands.add([Plotted("crawler-1", "agent.connection.attempts")])
    settle(desk)
    told = statistics(explore, desk)
    assert told.rise == 29 + 0 + 19
    assert told.mean == pytest.approx(48 / 49)
    assert math.isnan(told.low)  # depends on the steps
    explore.commands.toggle_counters()
    settle(desk)
    assert statistics(explore, desk).high == 29  # as it counts


def test_the_table_is_a_part_of_the_layout_and_can_be_copied(explore: ExploreScreen, desk: Desk) -> None:
    desk.range.zoom(desk.now - 60 * SECOND, desk.now)
    queue(explore, desk)
    explore.commands.toggle_statistics()
    settle(desk)
    table = explore.panel._statistics
    assert table.isVisible()
    table.selectAll()
    table.copy(with_headers=True)
    assert QGuiApplication.clipboard().text().split("\n") == [
        "Series\tn\tMinimum\tMaximum\tMean\tLast\tp50\tp95\tp99",
        "crawler-1\t60\t40\t99\t69.5\t99\t69\t96\t99",
    ]
    explore.history.stack.undo()
    assert not table.isVisible()
