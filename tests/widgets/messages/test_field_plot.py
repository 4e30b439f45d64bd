"""One number of the loaded messages as a plot: read in slices, live, honest about what has no such number."""

import json
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from models.domain.queries import MessageLine
from models.domain.records import GapCause
from tests.widgets.conftest import Desk
from tests.widgets.fakes import SECOND, message_line
from widgets.messages import field_plot
from widgets.messages.field_plot import FieldPlot

TOPIC = b"agents/crawler-1/metrics"
PATH = ("metrics", "cpu")


def lines(desk: Desk, values: dict[int, object], topic: bytes = TOPIC) -> list[MessageLine]:
    """One message for each second ago, newest first."""
    return [
        message_line(10_000 - ago, desk.now - ago * SECOND, json.dumps({"metrics": {"cpu": value}}).encode(), topic)
        for ago, value in sorted(values.items())
    ]


@pytest.fixture
def plot(desk: Desk, shown: Callable) -> Iterator[FieldPlot]:
    made = FieldPlot(desk.context)
    made.resize(700, 260)
    yield shown(made)
    made.close_plot()


def drawn(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> list[tuple[int, float]]:
    """(seconds ago, value) of all points, oldest first, once everything is read."""
    qtbot.waitUntil(lambda: not plot._slice.isActive())
    desk.source.answer_all()
    desk.draw()
    assert plot.plot is not None
    at, value = plot.plot.raw[0].points(0, 1 << 62)
    return [(round((desk.now - one) / SECOND), float(other)) for one, other in zip(at, value, strict=True)]


def test_the_loaded_messages_of_the_topic_are_points_over_their_arrival(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:  # fmt: skip
    rows = lines(desk, {1: 0.5, 2: 0.25, 3: "no number", 4: True, 5: 1})
    other = lines(desk, {6: 99}, b"other")
    cut = message_line(5, desk.now - 7 * SECOND, b'{"metrics": {"cpu": 7}}')._replace(size=900)
    plot.show_field(TOPIC, PATH, 0, [*rows, *other, cut])
    assert drawn(desk, plot, qtbot) == [(5, 1.0), (2, 0.25), (1, 0.5)]
    assert plot.plot.title == "metrics.cpu"
    assert plot._note.text() == "3 loaded messages · 2 without this number · 1 too long to be read here"
    shown = plot.times.current()
    assert (shown.live, shown.since_us < desk.now - 5 * SECOND, shown.until_us > desk.now - SECOND) == (
        False,
        True,
        True,
    )


def test_what_comes_is_added_once_in_its_place(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    rows = lines(desk, {10: 1, 11: 2})
    plot.show_field(TOPIC, PATH, 0, rows)
    drawn(desk, plot, qtbot)
    plot.add([*lines(desk, {3: 3}), *rows])
    plot.add([*rows, *lines(desk, {20: 4})])  # an older page
    assert drawn(desk, plot, qtbot) == [(20, 4.0), (11, 2.0), (10, 1.0), (3, 3.0)]
    assert plot._note.text() == "4 loaded messages"
    shown = plot.times.current()
    assert shown.since_us < desk.now - 20 * SECOND


def test_looking_closer_stays_while_more_comes(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    plot.show_field(TOPIC, PATH, 0, lines(desk, {10: 1, 50: 2}))
    drawn(desk, plot, qtbot)
    plot.times.zoom(desk.now - 20 * SECOND, desk.now - 5 * SECOND)
    plot.add(lines(desk, {1: 3}))
    drawn(desk, plot, qtbot)
    assert plot.times.current().since_us == desk.now - 20 * SECOND
    plot.times.resume()  # a double click
    assert plot.times.current().since_us < desk.now - 50 * SECOND
    assert plot.times.current().until_us > desk.now - SECOND
    assert desk.range.live  # the other screens do not move


def test_large_documents_are_read_in_slices(desk: Desk, plot: FieldPlot, qtbot: QtBot, monkeypatch) -> None:
    def slow(payload: bytes, path: tuple) -> float:
        desk.clock.advance(field_plot._SLICE_US // 2)
        return float(len(payload))

    monkeypatch.setattr(field_plot, "number_of", slow)
    plot.show_field(TOPIC, PATH, 0, lines(desk, dict.fromkeys(range(1, 11), 0.5)))
    plot._read_some()
    assert len(plot._buffer) == 2
    assert "loaded" in plot._note.text()
    qtbot.waitUntil(lambda: not plot._slice.isActive())
    assert len(plot._buffer) == 10


def test_what_history_does_not_cover_is_a_gap(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    desk.source.gaps = [(desk.now - 8 * SECOND, desk.now - 6 * SECOND, GapCause.NOT_CONNECTED, 0, 0)]
    plot.show_field(TOPIC, PATH, 0, lines(desk, {1: 1, 5: 1, 9: 1, 13: 1}))
    drawn(desk, plot, qtbot)
    assert [band.text for band in plot.plot._bands] == ["Nothing known: not connected"]
    assert plot.plot._gaps.since_us.tolist() == [desk.now - 8 * SECOND]


def test_it_closes_and_forgets(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    plot.show_field(TOPIC, PATH, 0, lines(desk, {1: 1}))
    with qtbot.waitSignal(plot.closed):
        plot.close_plot()
    assert plot.isHidden()
    assert plot.plot is None
    plot.add(lines(desk, {2: 1}))
    assert not plot._slice.isActive()


def test_nothing_to_plot_is_told(desk: Desk, plot: FieldPlot, qtbot: QtBot) -> None:
    plot.show_field(TOPIC, ("gone",), 0, lines(desk, {1: 1}))
    assert drawn(desk, plot, qtbot) == []
    assert plot.plot._sentence == "No message has this number"
