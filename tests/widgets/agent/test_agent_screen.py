"""The screen of one agent: asks only while seen, follows live, says why there is nothing."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import Problem
from models.domain.queries import AgentRequest, AttemptColumns, EventsRequest, LogRequest, SeriesRequest
from models.domain.records import GapCause
from models.domain.tail import Interest
from tests.widgets.conftest import Desk
from tests.widgets.fakes import (
    AGENT,
    ATTEMPTS,
    CPU,
    ERRORS,
    MEMORY,
    QUEUE,
    RESPONSE,
    SECOND,
    FakeTail,
    log_line,
)
from widgets.agent.agent_panel import AgentPanel
from widgets.agent.series_picker import SeriesPicker
from widgets.plots.marks import MarkKind
from widgets.plots.shared_tail import SharedTail


def test_a_hidden_screen_asks_for_nothing_and_wants_nothing(desk: Desk, qtbot: QtBot) -> None:
    screen = desk.screen()
    qtbot.addWidget(screen)
    screen.show_agent(AGENT)
    desk.tail.page(logs=5, messages=9)
    desk.range.show_last(300 * SECOND)
    assert desk.source.asked == []
    assert desk.tail.interest == Interest()


def test_leaving_the_screen_ends_questions_and_interest(desk: Desk, shown, qtbot: QtBot) -> None:
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    assert desk.tail.interest.series == frozenset({1, 2, 3, 4, 5, 6})
    desk.range.zoom(desk.now - 9000 * SECOND, desk.now - 8000 * SECOND)
    screen.hide()
    asked = len(desk.source.asked)
    assert all(not ticket.open for ticket in desk.source.waiting)
    assert desk.tail.interest == Interest()
    desk.tail.page(logs=3)
    assert len(desk.source.asked) == asked
    assert not screen.plots._tick.isActive()


def test_the_header_tells_who_and_how_it_is(desk: Desk, shown) -> None:
    desk.source.presence = [(desk.now - 600 * SECOND, Presence.OFFLINE, Condition.OK, Cause.WILL)]
    desk.fill(CPU, range(30, 40), 0.5)
    desk.source.note = "restarts at night"
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    text = screen.header.accessibleDescription()
    assert text.startswith("offline (will) since")
    for part in ("10 min ago", "last seen 30 s ago", "every 5 s", "host host-a", "version 1.4.2", "can fetch, parse"):
        assert part in text
    assert "restarts at night" in screen.header.note.text()
    desk.tail.page(presence=[(desk.now, Presence.ONLINE, Condition.DEGRADED, Cause.STATUS)])
    assert screen.header.accessibleDescription().startswith("online, degraded (its own word) since")


def test_plots_show_history_then_live_points_without_doubles(desk: Desk, shown) -> None:
    desk.fill(CPU, range(1, 50), 0.25)
    desk.fill(MEMORY, range(1, 50), 2.0**28)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    assert "CPU of crawler-1: 25 %" in screen.plots.cpu.accessibleDescription()
    assert "256 MiB" in screen.plots.memory.accessibleDescription()
    desk.clock.advance(2 * SECOND)
    newest = desk.points(CPU, 0.75)
    desk.tail.page([newest])
    desk.tail.page([newest])
    desk.draw()
    assert "CPU of crawler-1: 75 %" in screen.plots.cpu.accessibleDescription()
    assert len(screen.plots.feed.buffers[CPU]) == 50


def test_points_only_of_the_seen_series_are_wanted_and_a_plot_redraws_only_for_its_own(desk: Desk, shown) -> None:
    desk.fill(CPU, range(1, 50), 0.25)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    assert QUEUE not in desk.tail.interest.series
    screen.plots._tick.stop()
    desk.tail.page([desk.points(CPU, 0.5)])
    assert set(desk.frame_clock._dirty_since) == {screen.plots.cpu}


def test_values_are_converted_as_the_fleet_converts_them(desk: Desk, shown) -> None:
    info = desk.source.series[0]
    desk.source.series = (info._replace(key=info.key._replace(metric="cpu.percent", unit="%")),)
    desk.source.headline = {"cpu": CPU}
    desk.fill(CPU, range(1, 50), 42.0)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    assert "CPU of crawler-1: 42 %" in screen.plots.cpu.accessibleDescription()
    assert screen.plots.cpu.curves[0].tooltip == "cpu.percent in %, read by murmur"


def test_memory_as_a_share_has_an_axis_in_percent(desk: Desk, shown) -> None:
    info = desk.source.series[1]
    desk.source.series = (info._replace(key=info.key._replace(metric="mem.percent", unit="%")),)
    desk.source.headline = {"memory": MEMORY}
    desk.fill(MEMORY, range(1, 50), 42.0)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    assert "Memory of crawler-1: 42 %; minimum 42 %" in screen.plots.memory.accessibleDescription()
    assert all(label.endswith(" %") for _, label in screen.plots.memory._axes.left.ticks(4))
    screen.plots.show_extra((MEMORY,))
    desk.source.answer_all()
    desk.draw()
    extra = screen.plots.extra[0]
    assert (extra.unit, extra.curves[0].unit) == ("1", "1")


def test_the_same_time_is_straight_below_in_all_plots(desk: Desk, shown) -> None:
    for series, value in ((CPU, 0.25), (MEMORY, 4e8), (RESPONSE, 0.2), (QUEUE, 123_456_789.0)):
        desk.fill(series, range(1, 50), value)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    screen.plots.show_extra([QUEUE])
    desk.source.answer_all()
    QApplication.processEvents()  # the small plot has its place
    screen.plots.ensureWidgetVisible(screen.plots.extra[0])
    desk.draw()
    frames = [plot.frame for plot in (*screen.plots.main, *screen.plots.extra)]
    assert len({(one.area.left(), one.area.right(), one.since_us, one.until_us) for one in frames}) == 1


def test_a_plot_scrolled_into_sight_is_up_to_date(desk: Desk, shown) -> None:
    desk.fill(CPU, range(1, 50), 0.25)
    desk.range.pause()
    screen = desk.screen()
    screen.resize(900, 480)
    screen.show_agent(AGENT)
    shown(screen)
    bar = screen.plots.verticalScrollBar()
    bar.setValue(bar.maximum())
    desk.draw()
    plot = screen.plots.cpu
    assert not plot.is_visible_now()
    plot.set_sentence("changed")
    assert not desk.frame_clock.running
    bar.setValue(0)
    screen.grab()
    desk.draw()
    assert not plot._stale


def test_an_envelope_gives_no_percentiles_and_says_so(desk: Desk, shown) -> None:
    desk.fill(RESPONSE, range(1, 50), 0.2)
    desk.source.reduced = {RESPONSE}
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    assert "choose a shorter time" in screen.plots.response.accessibleDescription()


def test_another_range_asks_once_and_cancels_what_is_under_way(desk: Desk, shown, qtbot: QtBot) -> None:
    desk.fill(CPU, range(1, 50), 0.25)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    before = desk.source.count(SeriesRequest)
    desk.range.zoom(desk.now - 30 * SECOND, desk.now - 20 * SECOND)  # lies inside what is loaded
    desk.range.zoom(desk.now - 9000 * SECOND, desk.now - 8000 * SECOND)
    desk.range.zoom(desk.now - 9000 * SECOND, desk.now - 7000 * SECOND)
    qtbot.waitUntil(lambda: desk.source.count(SeriesRequest) > before)
    assert desk.source.count(SeriesRequest) == before + 1
    request = [one for one in desk.source.asked if isinstance(one, SeriesRequest)][-1]
    assert request.since_us < desk.now - 9000 * SECOND < desk.now - 7000 * SECOND < request.until_us


def test_zooming_into_what_is_there_asks_for_no_samples(desk: Desk, shown, qtbot: QtBot) -> None:
    desk.fill(CPU, range(1, 50), 0.25)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    before = desk.source.count(SeriesRequest)
    desk.range.zoom(desk.now - 30 * SECOND, desk.now - 20 * SECOND)
    assert not screen.plots.feed._settle.isActive()
    assert desk.source.count(SeriesRequest) == before


def test_events_gaps_and_resets_are_on_the_plots(desk: Desk, shown) -> None:
    at = np.sort(desk.now - np.arange(1, 40) * SECOND)
    desk.source.samples[ERRORS] = (at, np.concatenate((np.arange(20), np.arange(19))).astype(float))
    desk.source.presence = [
        (desk.now - 500 * SECOND, Presence.ONLINE, Condition.OK, Cause.HEARD),
        (desk.now - 20 * SECOND, Presence.OFFLINE, Condition.OK, Cause.WILL),
    ]
    desk.source.gaps = [(desk.now - 12 * SECOND, desk.now - 8 * SECOND, GapCause.NOT_CONNECTED, 0, 0)]
    failed = np.array([desk.now - 5 * SECOND])
    desk.source.attempts = AttemptColumns(
        failed, np.array([3], np.uint8), ["<b>no</b>\u202e"], np.array([9000]), ["db:5432"]
    )
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    kinds = [mark.kind for placed in screen.plots.connections._placed_marks for mark in placed.marks]
    assert kinds.count(MarkKind.OFFLINE) == 1
    assert MarkKind.ONLINE not in kinds  # was so before the window began
    assert MarkKind.RESET in kinds
    texts = [mark.text for mark in screen.plots.events.attempts]
    assert texts == ["connection refused, db:5432, <b>no</b>\\u202e, 9 ms"]
    assert [band.text for band in screen.plots.events.bands] == ["Nothing known: not connected"]
    joined = screen.plots.connections.curves[0]
    assert joined.name == "attempts"


def test_a_plot_without_its_series_says_what_is_missing(desk: Desk, shown) -> None:
    desk.source.headline, desk.source.series = {}, ()
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    said = [plot.accessibleDescription() for plot in screen.plots.main]
    assert said[2].startswith("The agent reports no response times of its own")
    assert len(set(said)) == 4
    assert desk.source.count(SeriesRequest) == 0


def test_a_failed_question_is_told_and_can_be_asked_again(desk: Desk, shown) -> None:
    desk.source.problem = Problem("store.io", {"path": "x.db", "detail": "gone"})
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    sentence = screen._none.state.sentence
    assert "x.db" in sentence
    desk.source.problem = None
    screen._none._button.click()
    desk.source.answer_all()
    desk.draw()
    assert screen._stack.currentIndex() == 0
    assert screen.header.name.text() == "crawler-1"


def test_without_an_agent_it_leads_to_the_fleet(desk: Desk, shown, qtbot: QtBot) -> None:
    screen = shown(desk.screen())
    assert screen._stack.currentIndex() == 1
    with qtbot.waitSignal(screen.fleet_requested):
        screen._none._button.click()
    assert desk.source.asked == []


def test_new_series_of_the_agent_appear(desk: Desk, shown) -> None:
    series, headline = desk.source.series, desk.source.headline
    desk.source.series, desk.source.headline = (), {}
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    desk.source.series, desk.source.headline = series, headline
    desk.fill(CPU, range(1, 50), 0.25)
    desk.tail.page(new_names=True)
    desk.source.answer_all()
    desk.draw()
    assert "25 %" in screen.plots.cpu.accessibleDescription()


def test_more_series_are_drawn_at_most_eight(desk: Desk, shown, qtbot: QtBot) -> None:
    info = desk.source.series[-1]
    more = tuple(info._replace(id=100 + n, key=info.key._replace(metric=f"extra.{n}")) for n in range(12))
    desk.source.series = (*desk.source.series, *more)
    desk.fill(QUEUE, range(1, 50), 3.0)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    picker = SeriesPicker(desk.source.series, (), screen)
    qtbot.addWidget(picker)
    picker.picked.connect(screen.plots.show_extra)
    for row in range(picker.list.count()):
        picker.list.item(row).setCheckState(Qt.CheckState.Checked)
    assert len(picker.ticked()) == 8
    assert len(screen.plots.extra) == 8
    screen.plots.show_extra((QUEUE,))
    desk.source.answer_all()
    desk.draw()
    assert [plot.title for plot in screen.plots.extra] == ["queue.depth"]
    assert QUEUE in desk.tail.interest.series
    assert screen.plots.extra[0]._shows_time
    assert not screen.plots.connections._shows_time


@pytest.mark.parametrize("name", ["<b>bold</b><img src=x>", "a\u202egpj.exe", "x\x1b[31m\nsecond line", "🛰" * 300])
def test_hostile_names_are_plain_everywhere(desk: Desk, shown, name: str) -> None:
    desk.source.name = desk.source.note = name
    desk.fill(CPU, range(1, 50), 0.25)
    desk.source.logs = [log_line(1, desk.now, name, logger=name)]
    info = desk.source.series[-1]
    desk.source.series = (*desk.source.series[:-1], info._replace(key=info.key._replace(metric=name, labels=name)))
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    screen.plots.show_extra((QUEUE,))
    for label in screen.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText or not label.text()
        assert label.text().replace("\u202f", " ").isprintable()
    shown_texts = [
        screen.plots.cpu.accessibleDescription(),
        screen.plots.extra[0].title,
        screen.header.accessibleName(),
    ]
    shown_texts += [str(screen.logs.model.index(0, column).data()) for column in range(4)]
    assert all(text.isprintable() for text in shown_texts)


def test_refresh_asks_for_all_again(desk: Desk, shown) -> None:
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    before = {kind: desk.source.count(kind) for kind in (AgentRequest, SeriesRequest, EventsRequest, LogRequest)}
    screen.refresh()
    assert all(desk.source.count(kind) > count for kind, count in before.items())


def test_every_control_has_a_name(desk: Desk, shown) -> None:
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    for widget in (*screen.plots.main, screen.logs.table, screen.logs.level, screen.logs.search, screen.tasks.table):
        assert widget.accessibleName(), widget


def test_percentiles_rest_on_raw_observations(desk: Desk, shown) -> None:
    rng = np.random.default_rng(1)
    at = np.sort(desk.now - rng.integers(0, 59 * SECOND, 5000))
    desk.source.samples[RESPONSE] = (at, rng.exponential(0.1, 5000))
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    assert [curve.name for curve in screen.plots.response.curves] == ["p50", "p95", "p99"]
    readings = [curve.reading(desk.now - 30 * SECOND) for curve in screen.plots.response.curves]
    assert readings[0].value < readings[1].value < readings[2].value
    assert screen.plots.response.raw[0].name == "agent.request.duration"


def test_views_share_one_tail(desk: Desk) -> None:
    tail = FakeTail()
    shared = SharedTail(tail)
    one, other = shared.share(), shared.share()
    one.set_interest(Interest(frozenset({1, 2})))
    other.set_interest(Interest(frozenset({2, 3})))
    assert tail.interest.series == {1, 2, 3}
    one.set_interest(Interest())
    assert tail.interest.series == {2, 3}


def test_the_panel_shows_two_plots_and_opens_the_agent(desk: Desk, shown, qtbot: QtBot) -> None:
    desk.fill(CPU, range(1, 50), 0.25)
    panel = AgentPanel(desk.context, lambda *_: None)
    panel.resize(340, 640)
    panel.show_agent(AGENT)
    shown(panel)
    assert desk.tail.interest.series == {CPU, MEMORY}
    assert "25 %" in panel.plots.cpu.accessibleDescription()
    with qtbot.waitSignal(panel.open_requested) as opened:
        panel._open.click()
    assert opened.args == [AGENT]
    panel.hide()
    assert desk.tail.interest == Interest()


def test_live_view_forgets_what_left_the_window(desk: Desk, shown) -> None:
    desk.fill(ATTEMPTS, range(1, 60), 5.0)
    screen = desk.screen()
    screen.show_agent(AGENT)
    shown(screen)
    for _ in range(300):
        desk.clock.advance(SECOND)
        desk.tail.page([desk.points(ATTEMPTS, 6.0)])
    assert len(screen.plots.feed.buffers[ATTEMPTS]) <= 130


def test_at_a_moment_it_is_told_how_the_agent_was_then(desk: Desk, shown) -> None:
    long_ago = desk.now - 600 * SECOND
    desk.source.presence = [
        (long_ago, Presence.OFFLINE, Condition.OK, Cause.WILL),
        (desk.now - 300 * SECOND, Presence.ONLINE, Condition.OK, Cause.HEARD),
    ]
    screen = shown(desk.screen())
    screen.show_agent(AGENT)
    desk.source.answer_all()
    assert screen.header.presence.text().startswith("online (heard)")
    desk.cursor.pin(desk.now - 400 * SECOND)
    desk.source.answer_all()
    assert screen.header.presence.text().startswith("offline (will) since ")
    assert screen.header.presence.text().endswith("3 min ago")
    assert "last seen" not in screen.header.facts.text(), "when it was seen last is known of now alone"
    desk.tail.page(presence=[(desk.now, Presence.LATE, Condition.OK, Cause.SILENCE)])
    assert screen.header.presence.text().startswith("offline (will)"), "news are not of then"
    desk.source.presence.append((desk.now, Presence.LATE, Condition.OK, Cause.SILENCE))
    screen.facts._moments.stop()
    desk.cursor.pin(None)
    desk.source.answer_all()
    assert screen.header.presence.text().startswith("late")
