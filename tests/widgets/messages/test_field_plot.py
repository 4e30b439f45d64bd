"""One number of a topic's messages as a plot: all of its history page by page, live, honest about what has no such number."""

import json
from collections.abc import Callable, Iterator
from unittest.mock import patch

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from models.domain.layouts.layout import Plotted
from models.domain.problems import Problem
from models.domain.queries import FieldRequest, MessageLine
from models.domain.records import GapCause
from tests.widgets.conftest import Desk
from tests.widgets.fakes import CPU, SECOND, message_line
from widgets.messages import field_history
from widgets.messages.field_plot import FieldPlot

TOPIC = b"agents/crawler-1/metrics"
PATH = ("metrics", "cpu")


def lines(desk: Desk, values: dict[int, object], topic: bytes = TOPIC) -> list[MessageLine]:
    """One message for each second ago, newest first."""
    return [
        message_line(100_000 - ago, desk.now - ago * SECOND, json.dumps({"metrics": {"cpu": value}}).encode(), topic)
        for ago, value in sorted(values.items())
    ]


@pytest.fixture
def plot(desk: Desk, shown: Callable) -> Iterator[FieldPlot]:
    made = FieldPlot(desk.context)
    made.resize(900, 260)
    yield shown(made)
    made.close_plot()


def show(desk: Desk, plot: FieldPlot, rows: list[MessageLine], path: tuple = PATH) -> None:
    desk.source.messages = rows
    plot.show_field(rows[0], path)


def drawn(desk: Desk, plot: FieldPlot, qtbot: QtBot, points: int) -> list[tuple[int, float]]:
    """(seconds ago, value) of all points, oldest first, once there are so many."""

    def there() -> bool:
        desk.source.answer_all()
        return len(plot._buffer) == points

    qtbot.waitUntil(there)
    desk.draw()
    assert plot.plot is not None
    at, value = plot.plot.raw[0].points(0, 1 << 62)
    return [(round((desk.now - one) / SECOND), float(other)) for one, other in zip(at, value, strict=True)]


def test_every_message_of_the_topic_is_a_point_at_its_arrival(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    rows = lines(desk, {1: 0.5, 2: 0.25, 3: "no number", 4: True, 90_000: 1})  # the oldest of yesterday
    show(desk, plot, [*rows, *lines(desk, {6: 99}, b"other")])
    assert drawn(desk, plot, qtbot, 3) == [(90_000, 1.0), (2, 0.25), (1, 0.5)]
    assert plot.plot.title == "metrics.cpu"
    assert plot._note.text() == "2 of 5 messages had no number there"
    shown = plot.times.current()
    assert not shown.live
    assert shown.since_us < desk.now - 90_000 * SECOND
    assert shown.until_us > desk.now - SECOND


def test_it_is_read_from_the_newest_back_and_can_be_stopped(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    desk.source.search_rows = 4
    show(desk, plot, lines(desk, {ago: ago for ago in range(1, 11)}))
    assert plot.go_on.text() == "&Stop"
    desk.source.answer_next()  # of the series that the agent has
    desk.source.answer_next()
    assert plot._note.text().startswith("4 messages · read back to ")
    assert plot._buffer.x_us.tolist() == [desk.now - ago * SECOND for ago in (4, 3, 2, 1)]
    plot.go_on.click()
    assert drawn(desk, plot, qtbot, 4)[0] == (4, 4.0)
    assert plot.go_on.text() == "&Go on"
    plot.hide()
    plot.show()
    assert not plot.history.reading  # what somebody stopped stays so
    plot.go_on.click()
    assert len(drawn(desk, plot, qtbot, 10)) == 10
    assert plot.go_on.isHidden()
    assert plot._note.text() == "10 messages"


def test_what_was_read_before_it_was_hidden_is_drawn_when_it_is_seen_again(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:  # fmt: skip
    desk.source.search_rows = 4
    show(desk, plot, lines(desk, {ago: ago for ago in range(1, 9)}))
    for _ in range(3):
        desk.source.answer_next()
    assert plot.history.complete
    assert len(plot._buffer) == 4  # the second page waits for its turn
    plot.hide()
    plot.show()
    assert len(drawn(desk, plot, qtbot, 8)) == 8


def test_what_comes_is_added_while_live(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    rows = lines(desk, {10: 1, 11: 2})
    show(desk, plot, rows)
    drawn(desk, plot, qtbot, 2)
    desk.source.search_rows = 2  # more than a page at once
    desk.source.messages = [*lines(desk, {3: 3, 2: 4, 1: "none"}), *rows]
    plot.rows_added()
    assert drawn(desk, plot, qtbot, 4) == [(11, 2.0), (10, 1.0), (3, 3.0), (2, 4.0)]
    assert plot._note.text() == "1 of 5 messages had no number there"
    asked = desk.source.count(FieldRequest)
    desk.range.pause()
    plot.rows_added()
    plot.hide()
    desk.range.resume()
    plot.rows_added()
    assert desk.source.count(FieldRequest) == asked  # paused, then hidden
    desk.source.messages = [*lines(desk, {0: 5}), *desk.source.messages]
    plot.show()
    assert drawn(desk, plot, qtbot, 5)[-1] == (0, 5.0)


def test_the_chosen_time_alone(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    rows = lines(desk, {10: 1, 100: 2, 1_000: 3})
    desk.range.zoom(desk.now - 200 * SECOND, desk.now - 50 * SECOND)
    show(desk, plot, rows)
    assert plot.stretch.currentText() == "Chosen time range"
    assert drawn(desk, plot, qtbot, 1) == [(100, 2.0)]
    desk.range.zoom(desk.now - 200 * SECOND, desk.now)
    assert drawn(desk, plot, qtbot, 2) == [(100, 2.0), (10, 1.0)]
    plot.stretch.setCurrentIndex(0)
    plot.stretch.activated.emit(0)
    assert len(drawn(desk, plot, qtbot, 3)) == 3


def test_another_time_is_read_once_somebody_looks(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    desk.range.zoom(desk.now - 200 * SECOND, desk.now - 50 * SECOND)
    show(desk, plot, lines(desk, {10: 1, 100: 2, 1_000: 3}))
    assert drawn(desk, plot, qtbot, 1) == [(100, 2.0)]
    plot.hide()
    asked = desk.source.count(FieldRequest)
    desk.range.zoom(desk.now - 2_000 * SECOND, desk.now - 500 * SECOND)
    assert desk.source.count(FieldRequest) == asked
    plot.show()
    desk.source.answer_all()
    qtbot.waitUntil(lambda: plot._buffer.value.tolist() == [3.0])


def test_looking_closer_stays_while_more_comes(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    show(desk, plot, lines(desk, {10: 1, 50: 2}))
    drawn(desk, plot, qtbot, 2)
    plot.times.zoom(desk.now - 20 * SECOND, desk.now - 5 * SECOND)
    desk.source.messages = [*lines(desk, {1: 3}), *desk.source.messages]
    plot.rows_added()
    drawn(desk, plot, qtbot, 3)
    assert plot.times.current().since_us == desk.now - 20 * SECOND
    plot.times.resume()  # a double click
    assert plot.times.current().since_us < desk.now - 50 * SECOND
    assert plot.times.current().until_us > desk.now - SECOND
    assert desk.range.live  # the other screens do not move


def test_of_very_many_points_the_extremes_stay(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    rows = lines(desk, {ago: 1_000 if ago == 77 else ago % 10 for ago in range(1, 201)})
    with patch.object(field_history, "MOST_POINTS", 40):
        show(desk, plot, rows)
        qtbot.waitUntil(lambda: (desk.source.answer_all(), 0 < len(plot._buffer) <= 80)[1])
    assert plot._buffer.reduced
    assert plot._buffer.value.max() == 1_000
    assert plot._note.text() == "200 messages · extremes are drawn"


def test_what_history_does_not_cover_is_a_gap(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    desk.source.gaps = [(desk.now - 8 * SECOND, desk.now - 6 * SECOND, GapCause.NOT_CONNECTED, 0, 0)]
    show(desk, plot, lines(desk, {1: 1, 5: 1, 9: 1, 13: 1}))
    drawn(desk, plot, qtbot, 4)
    desk.source.answer_all()
    assert [band.text for band in plot.plot._bands] == ["Nothing known: not connected"]
    assert plot.plot._gaps.since_us.tolist() == [desk.now - 8 * SECOND]


def test_a_failure_is_told_and_it_goes_on_from_there(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    desk.source.search_rows = 2
    show(desk, plot, lines(desk, {1: 1, 2: 2, 3: 3}))
    desk.source.answer_next()
    desk.source.answer_next()
    desk.source.problem = Problem("query.deadline", {"seconds": 30})
    desk.source.answer_all()
    assert "30" in plot._note.text()
    desk.source.problem = None
    plot.go_on.click()
    assert drawn(desk, plot, qtbot, 3)[0] == (3, 3.0)


def test_a_number_that_is_recorded_leads_to_explore(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    line = message_line(1, desk.now - SECOND, b'{"metrics":{"process.cpu.utilization":0.5}}', TOPIC)
    path = ("metrics", "process.cpu.utilization")
    desk.source.samples[CPU] = (np.array([line.key.received_us]), np.array([0.5]))
    show(desk, plot, [line], path)
    assert plot.explore.isHidden()
    drawn(desk, plot, qtbot, 1)
    assert not plot.explore.isHidden()
    with qtbot.waitSignal(plot.explore_wanted) as told:
        plot.explore.click()
    assert told.args[0] == [Plotted("crawler-1", "process.cpu.utilization", "")]
    later = replace_arrival(line, desk.now)  # a message that no sample came of
    show(desk, plot, [later], path)
    drawn(desk, plot, qtbot, 1)
    assert plot.explore.isHidden()


def replace_arrival(line: MessageLine, at_us: int) -> MessageLine:
    return line._replace(key=line.key._replace(received_us=at_us))


def test_it_closes_and_forgets(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    show(desk, plot, lines(desk, {1: 1}))
    with qtbot.waitSignal(plot.closed):
        plot.close_plot()
    assert plot.isHidden()
    assert plot.plot is None
    assert not any(ticket.open for ticket in desk.source.waiting)
    plot.rows_added()
    assert not any(ticket.open for ticket in desk.source.waiting)


def test_nothing_to_plot_is_told(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    show(desk, plot, lines(desk, {1: 1}), ("gone",))
    assert drawn(desk, plot, qtbot, 0) == []
    assert plot.plot._sentence == "No message has this number"
    assert plot._note.text() == "1 of 1 messages had no number there"
