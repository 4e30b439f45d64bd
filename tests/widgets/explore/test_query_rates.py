"""How many log records a query finds, as a curve among the others."""

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from models.domain.layouts.layout import Plotted, Shown
from models.domain.layouts.layout_text import read_layout, write_layout
from models.domain.queries import GapsRequest, LogSummaryRequest
from models.domain.records import GapCause, Level
from tests.widgets.conftest import Desk
from tests.widgets.explore.test_explore_screen import settle
from tests.widgets.fakes import SECOND, log_line
from widgets.explore.explore_screen import ExploreScreen

MINUTE = 60 * SECOND
ERRORS = Plotted(query="level:error")


@pytest.fixture
def hour(explore: ExploreScreen, desk: Desk) -> int:
    """Its begin. Two errors in the first minute, one in the third; the recorder was not connected for half of the third."""
    end_us = (desk.now - MINUTE) // MINUTE * MINUTE
    begin_us = end_us - 60 * MINUTE
    desk.range.zoom(begin_us, end_us)
    desk.source.gaps = [(begin_us + 150 * SECOND, begin_us + 180 * SECOND, GapCause.NOT_CONNECTED, 0, 0)]
    desk.source.logs = [
        log_line(n, begin_us + at_s * SECOND, "failed", level)
        for n, (at_s, level) in enumerate(
            ((1, Level.ERROR), (20, Level.ERROR), (30, Level.INFO), (130, Level.ERROR)), start=1
        )
    ]
    settle(desk)
    return begin_us


def test_a_query_is_drawn_as_records_a_second(explore: ExploreScreen, desk: Desk, hour: int) -> None:
    explore.explore_series([ERRORS])
    settle(desk)
    panel = explore.panel
    assert panel.header.title.text() == "level:error"
    assert panel.resolved.units == ["{record}/s"]
    (curve,) = panel.curves
    assert curve.reading(hour + 5 * SECOND).value == pytest.approx(2 / 60)
    assert curve.reading(hour + 65 * SECOND).value == 0
    assert curve.reading(hour + 125 * SECOND).value == pytest.approx(1 / 30)  # only what was seen of the minute counts
    assert len(panel.plot.shapes[0].value) >= 60
    assert curve.counted.rise == 3


def test_it_stands_beside_what_was_measured_and_is_counted_by_step(
    explore: ExploreScreen, desk: Desk, hour: int
) -> None:
    explore.commands.add([Plotted("crawler-1", "process.cpu.utilization"), ERRORS])
    settle(desk)
    assert explore.panel.resolved.units == ["1", "{record}/s"]
    explore.commands.draw_as(Shown.INCREASE, {ERRORS})
    settle(desk)
    assert explore.panel.curves[1].reading(hour + 5 * SECOND).value == 2
    assert explore.panel.curves[1].unit == "{record}"


def test_it_is_saved_by_its_text(explore: ExploreScreen, desk: Desk) -> None:
    explore.explore_series([ERRORS])
    text = write_layout(explore.history.layout)
    assert 'query = "level:error"' in text
    assert read_layout(text, "x") == explore.history.layout


def test_while_live_it_goes_on_and_hidden_it_asks_nothing(explore: ExploreScreen, desk: Desk, qtbot: QtBot) -> None:
    explore.explore_series([ERRORS])
    settle(desk)
    feed = explore.desk.feed.queries
    assert feed._again.isActive()
    asked = desk.source.count(LogSummaryRequest)
    desk.source.logs.append(log_line(9, desk.now - 30 * SECOND, "failed", Level.ERROR))
    feed._again.timeout.emit()
    settle(desk)
    assert desk.source.count(LogSummaryRequest) == asked + 1
    assert float(np.nansum(feed.buffers[next(iter(feed.buffers))].value)) == 1
    explore.hide()
    feed._again.timeout.emit()
    assert desk.source.count(LogSummaryRequest) == asked + 1
    assert not feed._again.isActive()


def test_gaps_are_those_of_the_time_that_was_chosen_last(explore: ExploreScreen, desk: Desk, hour: int) -> None:
    explore.explore_series([ERRORS])
    settle(desk)
    feed = explore.desk.feed.queries
    for earlier in (1, 2):  # the answer to the first is still on its way
        desk.range.zoom(hour - earlier * 60 * MINUTE, hour - (earlier - 1) * 60 * MINUTE)
        feed.reload()
    settle(desk)
    of_query = [one for one in desk.source.asked if isinstance(one, GapsRequest)]
    assert of_query[-1].since_us <= hour - 120 * MINUTE


def test_gaps_of_series_that_are_shown_no_more_say_nothing_of_another_time(
    explore: ExploreScreen, desk: Desk, hour: int
) -> None:
    series = Plotted("crawler-1", "queue.depth")
    explore.explore_series([series, ERRORS])
    settle(desk)
    explore.commands.remove([series])
    earlier = hour - 60 * MINUTE
    desk.source.gaps = [(earlier, earlier + 30 * SECOND, GapCause.NOT_CONNECTED, 0, 0)]
    desk.source.logs.append(log_line(9, earlier + 40 * SECOND, "failed", Level.ERROR))
    desk.range.zoom(earlier, hour)
    explore.desk.feed.queries.reload()
    settle(desk)
    assert explore.panel.curves[0].reading(earlier + 5 * SECOND).value == pytest.approx(1 / 30)


def test_a_query_that_makes_no_sense_says_so(explore: ExploreScreen, desk: Desk) -> None:
    explore.explore_series([Plotted(query="level:nonsense")])
    settle(desk)
    assert "level" in explore.panel._sentence
