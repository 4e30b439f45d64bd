"""The data screen: what is held and missing, limits, what the figures mean in words."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from models.domain.control import Link, RecorderState
from models.domain.problems import Problem
from models.domain.queries import (
    CaptureRow,
    DayColumns,
    GapColumns,
    GapsRequest,
    GapsResult,
    KindHeld,
    Removal,
    RetentionRequest,
    RetentionResult,
    RowKey,
    SealedFigures,
    StoreKind,
    StoreRequest,
    StoreResult,
    UnreadableRequest,
    UnreadableResult,
    UnreadableTopic,
)
from models.domain.records import GapCause
from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT, SECOND
from widgets.common.state_view import StateKind
from widgets.data.data_screen import DataScreen
from widgets.data.rates import Rates
from widgets.data.retention_form import Limits
from widgets.data.store_texts import GIB, growth, growth_sentence, held_sentence, removal_sentence
from widgets.records.agent_names import AgentNames

DAY = 86_400 * SECOND


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Days are those of this computer's zone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def midnights(desk: Desk, count: int) -> list[int]:
    """Of the last days."""
    return [desk.now // DAY * DAY - DAY * ago for ago in range(count - 1, -1, -1)]


def store_of(desk: Desk, days: int = 3, size: int = GIB, free: int = 100 * GIB) -> StoreResult:
    since = np.array(midnights(desk, days), np.int64)
    some = np.arange(1, days + 1, dtype=np.int64)
    columns = DayColumns(since, some * 1_000, some * 5_000, some * 10, some, some * 1024**2)
    captures = (
        CaptureRow(7, "record", "mqtt://broker.example:1883", desk.now - DAY, 0, desk.now - DAY, desk.now, 900, 1, 2, 0, 5_000, 2),
        CaptureRow(3, "import", "/home/ada/monday.jsonl", desk.now, desk.now, desk.now - 9 * DAY, desk.now - 8 * DAY, 100, 0, 0, 0, 9_000, 1),
    )  # fmt: skip
    rows = {"messages": 6_000, "samples": 30_000, "logs": 60, "tasks": 6}
    first = desk.now - days * DAY if days else 0
    kinds = (
        KindHeld(StoreKind.RECORDED, size, 5_900, first),
        KindHeld(StoreKind.IMPORTED, 9_000, 100, desk.now - 9 * DAY),
        KindHeld(StoreKind.HOURS, 40_000, 2_000, 0),
    )
    return StoreResult(
        StoreRequest(), first, desk.now if days else 0, size, rows, 12, 4, 9, 0, free, columns, captures, kinds
    )


def gaps_of(desk: Desk) -> GapColumns:
    rows = [
        (desk.now - 900 * SECOND, desk.now - 800 * SECOND, GapCause.NOT_CONNECTED, 0, 0),
        (desk.now - 500 * SECOND, desk.now - 490 * SECOND, GapCause.SEQUENCE, AGENT, 12),
        (desk.now - 300 * SECOND, desk.now - 295 * SECOND, GapCause.SEQUENCE, AGENT, 3),
    ]
    since, until, cause, agent, missing = zip(*rows, strict=True)
    numbers = (np.array(one, np.int64) for one in (since, until, agent, missing))
    since, until, agent, missing = numbers
    return GapColumns(since, until, list(cause), agent, missing)


@pytest.fixture
def screen(desk: Desk, shown: Callable[[QWidget], QWidget]) -> DataScreen:
    topics = (
        UnreadableTopic(b"b/<log>", 4, "json", RowKey(desk.now, 1, 9), b"{half"),
        UnreadableTopic(b"a/\xff", 1, "a reason to come", RowKey(desk.now - 5, 1, 4), b"\xff\x00"),
    )
    desk.source.more = {
        StoreRequest: lambda _: store_of(desk),
        GapsRequest: lambda request: GapsResult(request, gaps_of(desk)),
        UnreadableRequest: lambda request: UnreadableResult(request, topics),
    }
    one = DataScreen(desk.context, AgentNames(desk.source))
    one.resize(1_200, 700)
    shown(one)
    return one


def cells(table: object, row: int) -> list[str]:
    model = table.records  # type: ignore[attr-defined]
    return [str(model.index(row, column).data()) for column in range(model.columnCount())]


def state(disk_days: float | None) -> RecorderState:
    return RecorderState(1, "0", 1, "window", 0, Link.CONNECTED, 0, "mqtt://b", disk_days=disk_days)


# ------------------------------------------------------------ what is held


def test_days_and_captures_are_listed_with_the_newest_first(screen: DataScreen, desk: Desk) -> None:
    assert cells(screen.held.days, 0)[1:] == ["3\u202f000", "15\u202f000", "30", "3", "3 MiB"]
    assert screen.held.days.records.rowCount() == 3
    assert cells(screen.held.captures, 0)[:2] == ["recorded", "broker.example:1883"]
    assert cells(screen.held.captures, 1)[:2] == ["imported", "/home/ada/monday.jsonl"]
    assert screen.held.bars.accessibleDescription() == "3 days, the largest 3 MiB"


def test_a_day_or_a_capture_is_looked_at_by_opening_it(screen: DataScreen, desk: Desk, qtbot: QtBot) -> None:
    since = midnights(desk, 3)[-1]
    with qtbot.waitSignal(screen.span_wanted) as wanted:
        screen.held.days.activated.emit(screen.held.days.records.index(0, 0))
    assert wanted.args == [since, since + DAY]
    with qtbot.waitSignal(screen.span_wanted) as wanted:
        screen.held.captures.activated.emit(screen.held.captures.records.index(1, 0))
    assert wanted.args == [desk.now - 9 * DAY, desk.now - 8 * DAY + 1]
    bars = screen.held.bars
    where = QPointF(bars.width() - 5, bars.height() / 2).toPoint()
    with qtbot.waitSignal(screen.span_wanted) as wanted:
        qtbot.mouseDClick(bars, Qt.MouseButton.LeftButton, pos=where)
    assert wanted.args[0] == since


def test_the_figures_follow_the_store_but_not_its_every_commit(screen: DataScreen, desk: Desk) -> None:
    asked = desk.source.count(StoreRequest)
    for _ in range(50):
        desk.tail.page(messages=5)
        desk.source.answer_all()
    assert desk.source.count(StoreRequest) == asked + 1
    screen.hide()
    desk.tail.page()
    assert desk.source.count(StoreRequest) == asked + 1


def test_a_problem_is_told_with_a_way_to_try_again(desk: Desk, shown: Callable[[QWidget], QWidget]) -> None:
    desk.source.problem = Problem("store.io", {"path": "catalogue.db", "detail": "gone"})
    one = DataScreen(desk.context, AgentNames(desk.source))
    shown(one)
    assert one._held_stack.view.state.kind is StateKind.ERROR
    desk.source.problem = None
    desk.source.more = {StoreRequest: lambda _: store_of(desk)}
    one._held_stack.view._button.click()
    desk.source.answer_all()
    assert one._held_stack.shows_content


def test_rates_are_those_of_the_last_seconds() -> None:
    rates = Rates()
    rates.note(0, 1_000_000, 0)  # what had gathered before
    assert rates.at(2 * SECOND) is None
    for second in range(1, 21):
        rates.note(second * SECOND, 40, 400)
    assert rates.at(20 * SECOND) == (pytest.approx(40, rel=0.15), pytest.approx(400, rel=0.15))
    assert rates.at(60 * SECOND) == (0, 0)


# ------------------------------------------------------------ what it means


@pytest.mark.parametrize(
    ("used_gib", "free_gib", "limit_gib", "disk_days", "keep_days", "says"),
    [
        (0.5, 100, 2, None, 14, "How fast it grows is known after five minutes of recording."),
        (0.5, 100, 2, 8, 14, "256 MiB a day: full in 6 days, then the oldest goes as new comes"),
        (1.99, 100, 2, 8, 14, "256 MiB a day: full, the oldest goes as new comes; it holds about 8 days"),
        (0.5, 100, 2, 40, 14, "51.2 MiB a day: the 14 days that are kept take about 717 MiB"),
        (0.5, 0.5, 2, 4, 0, "256 MiB a day: the disk is full in 2 days, before the limit is reached"),
        (0.5, 1.5, 0, 8, 0, "256 MiB a day: the disk is full in 6 days, before the limit is reached"),
    ],
)
def test_when_it_is_full_is_told_in_words(
    desk: Desk, used_gib: float, free_gib: float, limit_gib: float, disk_days: float | None, keep_days: float, says: str
) -> None:
    store = store_of(desk, size=round(used_gib * GIB), free=round(free_gib * GIB))
    known = growth(store, state(disk_days), limit_gib)
    assert growth_sentence(known, keep_days) == says


def test_sentences_of_what_is_held_and_what_would_go(desk: Desk) -> None:
    assert held_sentence(store_of(desk)).startswith("1 GiB of history: 3 days, since ")
    sealed = replace(store_of(desk), sealed=SealedFigures(3, GIB, 5 * GIB, 2, 0))
    assert held_sentence(sealed).endswith("; compressing closed files saved 4 GiB")
    failing = replace(store_of(desk), sealed=SealedFigures(0, 0, 0, 2, 7))
    assert held_sentence(failing).endswith("; attempts to compress closed files that failed: 7")
    assert held_sentence(store_of(desk, days=0)) == "Nothing is held yet"
    gone = (Removal(StoreKind.RECORDED, 12 * GIB, 3_400_000, desk.now), Removal(StoreKind.HOURS, 9_000, 90, desk.now))
    lines = removal_sentence(RetentionResult(RetentionRequest(()), gone)).split("\n")
    assert lines[0].startswith("This removes 12 GiB of recorded history: 3.4 M messages, everything up to ")
    assert lines[0].endswith("The values of every hour stay.")
    assert lines[1].startswith("This removes 8.79 KiB of hourly values: everything up to ")
    assert lines[2:] == ["It cannot be brought back."]


def limits(gib: float, days: float) -> dict[StoreKind, Limits]:
    return {StoreKind.RECORDED: Limits(gib, days), StoreKind.IMPORTED: Limits(2, 0), StoreKind.HOURS: Limits(0.25, 730)}


def test_limits_are_shown_changed_and_put_back(screen: DataScreen, desk: Desk, qtbot: QtBot) -> None:
    form = screen.retention
    row, imports = form.rows[StoreKind.RECORDED], form.rows[StoreKind.IMPORTED]
    assert not row.gib.isEnabled()
    screen.show_recorder(state(8))
    screen.show_limits(limits(2, 14))
    assert (row.gib.text(), row.days.text()) == ("2 GiB", "14 days")
    assert (imports.gib.text(), imports.days.text()) == ("2 GiB", "any age")
    assert not form.apply.isEnabled()
    row.gib.setValue(0)
    assert row.gib.text() == "any size"
    row.days.setValue(1)
    assert row.days.text() == "1 day"
    row.days.setValue(1.5)
    assert "the 36 h that are kept" in row.note.text()
    screen.show_limits(limits(3, 14))  # somebody else changed them; what is typed stays
    assert row.days.value() == 1.5
    imports.days.setValue(90)
    with qtbot.waitSignal(form.wanted) as wanted:
        form.apply.click()
    assert wanted.args == [{**limits(0, 1.5), StoreKind.IMPORTED: Limits(2, 90)}]
    form.put_back()
    assert (row.gib.value(), row.days.value(), imports.days.value(), form.apply.isEnabled()) == (3, 14, 0, False)


def test_each_kind_says_what_is_held_and_how_far_it_reaches_back(screen: DataScreen, desk: Desk) -> None:
    told = {
        kind: (row._size.text(), row._count.text(), row._since.text()) for kind, row in screen.retention.rows.items()
    }
    assert told[StoreKind.IMPORTED][:2] == ("8.79 KiB", "100 messages")
    assert told[StoreKind.RECORDED][0] == "1 GiB"
    assert len(told[StoreKind.RECORDED][2]) == 16
    assert told[StoreKind.HOURS] == ("39.1 KiB", "2\u202f000 hours of series", "–")


# ------------------------------------------------------------ what is missing


def missing(screen: DataScreen, desk: Desk) -> DataScreen:
    screen.tabs.setCurrentIndex(1)
    desk.source.answer_all()
    return screen


def test_gaps_by_cause_and_one_by_one(screen: DataScreen, desk: Desk) -> None:
    view = missing(screen, desk).missing
    assert cells(view.causes, 0)[:4] == ["the publisher's numbers jumped", "2", "15", "15 s"]
    assert cells(view.causes, 1)[:4] == ["not connected", "1", "", "1 min 40 s"]
    assert [cells(view.gaps, row)[4] for row in range(3)] == ["crawler-1", "crawler-1", ""]
    assert view._gaps_title.text() == "Gaps: 3"
    assert view._causes_title.text() == "Why something is missing · came again and counted once: 9"
    view.causes.selectRow(1)
    assert [cells(view.gaps, row)[3] for row in range(view.gaps.records.rowCount())] == ["not connected"]
    assert view._gaps_title.text() == "Gaps: 1"


def test_a_gap_moves_the_time_there(screen: DataScreen, desk: Desk, qtbot: QtBot) -> None:
    view = missing(screen, desk).missing
    with qtbot.waitSignal(screen.span_wanted) as wanted:
        view.gaps.activated.emit(view.gaps.records.index(2, 0))
    assert wanted.args == [desk.now - 920 * SECOND, desk.now - 780 * SECOND]


def test_unreadable_topics_say_why_and_show_a_sample(screen: DataScreen, desk: Desk, qtbot: QtBot) -> None:
    view = missing(screen, desk).missing
    assert [cells(view.topics, row)[0:1] + cells(view.topics, row)[3:] for row in range(2)] == [
        ["b/<log>", "broken JSON", "{half"],
        ["a/\\xff", "a reason to come", "ff 00"],
    ]
    assert view._topics_title.text() == "Topics with unreadable messages: 2 (5 messages)"
    with qtbot.waitSignal(view.message_wanted) as wanted:
        view.topics.activated.emit(view.topics.records.index(0, 0))
    assert wanted.args == [RowKey(desk.now, 1, 9)]


def test_where_nothing_is_missing_that_is_said(screen: DataScreen, desk: Desk) -> None:
    empty = np.empty(0, np.int64)
    desk.source.more[GapsRequest] = lambda request: GapsResult(request, GapColumns(empty, empty, [], empty, empty))
    desk.source.more[UnreadableRequest] = lambda request: UnreadableResult(request, ())
    view = missing(screen, desk).missing
    assert view._gap_stack.view.state.sentence == "Nothing is missing"
    assert view._topic_stack.view.state.sentence == "Every message could be read"


def test_paused_it_is_about_the_range_that_is_shown(screen: DataScreen, desk: Desk) -> None:
    missing(screen, desk)

    def times() -> set[tuple[int, int]]:
        asked = [one for one in desk.source.asked if isinstance(one, GapsRequest | UnreadableRequest)][-2:]
        return {(one.since_us, one.until_us) for one in asked}

    assert times() == {(0, 0)}
    desk.range.zoom(desk.now - 60 * SECOND, desk.now - 30 * SECOND)
    assert times() == {(desk.now - 60 * SECOND, desk.now - 30 * SECOND)}
