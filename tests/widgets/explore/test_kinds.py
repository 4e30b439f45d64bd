"""A panel shown in another way than over time: how its values are distributed, or its newest ones in large figures."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from models.domain.layouts.layout import Kind, Plotted, Watched
from tests.widgets.conftest import Desk
from tests.widgets.explore.test_explore_screen import OTHER, settle
from tests.widgets.fakes import QUEUE, SECOND
from widgets.explore.explore_screen import ExploreScreen


@pytest.fixture
def queues(explore: ExploreScreen, desk: Desk) -> ExploreScreen:
    at = desk.now - np.arange(50, 0, -1) * SECOND
    desk.source.samples[QUEUE] = (at, np.repeat([0.0, 10.0], 25))
    desk.source.samples[OTHER + QUEUE] = (at, np.full(50, 4.0))
    explore.commands.add([Plotted("crawler-1", "queue.depth"), Plotted("crawler-2", "queue.depth")])
    settle(desk)
    return explore


def test_a_distribution_tells_shares_of_each_series_by_itself(queues: ExploreScreen, desk: Desk) -> None:
    queues.commands.show_as(Kind.DISTRIBUTION)
    settle(desk)
    body = queues.panel.body
    assert body.isVisible()
    assert not queues.panel.plot.isVisible()
    one, other = body._shares
    assert (one.share[0], one.share[-1], one.n) == (0.5, 0.5, 50)
    assert queues.panel.header.badge.text() == "every sample"
    assert (float(other.share.max()), other.median) == (1.0, 4.0)
    assert body.accessibleDescription() == "crawler-1: median 5, n 50; Crawler Two: median 4, n 50"
    body.copy()
    assert QGuiApplication.clipboard().text().splitlines()[1].split("\t")[2:] == ["0.5", "0.0"]
    queues.panel.toggle(0)
    settle(desk)
    assert [share.curve.name for share in body._shares] == ["Crawler Two"]


def test_newest_values_follow_live_and_tell_what_is_above_a_threshold(queues: ExploreScreen, desk: Desk) -> None:
    queues.commands.show_as(Kind.VALUES)
    queues.commands.thresholds.add(9, "{task}")
    settle(desk)
    body = queues.panel.body
    assert body.accessibleDescription() == "crawler-1 10 (above its threshold); Crawler Two 4"
    desk.tail.page([desk.points(QUEUE, 3.0)])
    desk.draw()
    assert body.accessibleDescription() == "crawler-1 3; Crawler Two 4"
    assert queues.history.layout.root.thresholds == (Watched(9, "{task}"),)


def test_the_way_is_a_step_of_the_layout_and_keeps_the_keys(queues: ExploreScreen, desk: Desk, qtbot: QtBot) -> None:
    queues.panel.body.setFocus()
    queues.toggle_maximised()
    queues.commands.show_as(Kind.VALUES)
    settle(desk)
    assert queues.panel.body.hasFocus()
    qtbot.keyClick(queues.panel.body, Qt.Key.Key_Escape)
    assert queues.desk.only is None
    queues.history.stack.undo()
    assert queues.panel.body is queues.panel.plot
    assert queues.panel.plot.isVisible()


def test_an_envelope_has_no_distribution(queues: ExploreScreen, desk: Desk) -> None:
    desk.source.reduced = {QUEUE, OTHER + QUEUE}
    queues.commands.show_as(Kind.DISTRIBUTION)
    queues.refresh()
    settle(desk)
    assert queues.panel.body._shares == []
    assert "shorter time" in queues.panel.body.accessibleDescription()


# ---------------------------------------------------------------- table


def table_of(explore: ExploreScreen) -> list[list[str]]:
    model = explore.panel.body.table.records
    return [[model.index(row, column).data() for column in (0, 3, 4, 5)] for row in range(model.rowCount())]


def test_a_table_panel_tells_the_figures_of_each_series_and_sorts(queues: ExploreScreen, desk: Desk) -> None:
    queues.commands.show_as(Kind.TABLE)
    settle(desk)
    assert table_of(queues) == [["crawler-1", "10", "5", "10"], ["Crawler Two", "4", "4", "4"]]
    table = queues.panel.body.table
    table.horizontalHeader().setSortIndicator(4, Qt.SortOrder.AscendingOrder)
    assert [row[0] for row in table_of(queues)] == ["Crawler Two", "crawler-1"]
    queues.panel.body.copy()
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    assert [line[:3] for line in lines] == [
        ["Series", "n", "Minimum"],
        ["Crawler Two", "50", "4"],
        ["crawler-1", "50", "0"],
    ]
    assert queues.panel.body.accessibleDescription() == "crawler-1 10; Crawler Two 4"
    assert queues.history.layout.root.kind is Kind.TABLE


def test_a_row_of_a_table_panel_opens_its_agent_and_keys_stay_in_the_panel(
    queues: ExploreScreen, desk: Desk, qtbot: QtBot
) -> None:
    queues.panel.body.setFocus()
    queues.commands.show_as(Kind.TABLE)
    settle(desk)
    table = queues.panel.body.table
    assert table.hasFocus()
    table.selectRow(1)
    with qtbot.waitSignal(queues.agent_wanted) as opened:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == [8]
    queues.toggle_maximised()
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert queues.desk.only is None


def test_an_empty_table_panel_says_so_and_can_be_taken_in_hand(explore: ExploreScreen, desk: Desk) -> None:
    explore.commands.show_as(Kind.TABLE)
    settle(desk)
    body = explore.panel.body
    assert not body.table.isVisible()
    assert "Drag series here" in body.accessibleDescription()
    body.setFocus()
    assert body.hasFocus()
