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
