"""What the store tells of itself: days, captures, gaps, unreadable topics."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models.domain.messages import Kind
from models.domain.queries import (
    Cancelled,
    CancelToken,
    GapsRequest,
    GapsResult,
    KeepLimit,
    Removal,
    RetentionRequest,
    RetentionResult,
    RowKey,
    StoreKind,
    StoreRequest,
    StoreResult,
    UnreadableRequest,
    UnreadableResult,
)
from models.domain.records import Gap, GapCause, Level, LogRow, Unreadable
from models.storage import catalogue
from models.storage.history.reader import HistoryReader
from models.storage.keeping.retention import Retention, StoreLimits
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import HistoryBuilder, SegmentBuilder, raw

S = 1_000_000
HOUR = 3_600 * S
DAY = 24 * HOUR


def day(text: str, zone: object = UTC) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1_000_000)  # type: ignore[arg-type]


def hours(segment: SegmentBuilder, first_us: int, *counts: int) -> None:
    """A commit an hour with so many messages and log records."""
    build = segment.builder
    agent = build.agent("a")
    for hour, count in enumerate(counts):
        at = first_us + hour * HOUR
        batch = build.messages([raw(at_us=at + n) for n in range(count)], agent, Kind.LOG)
        batch.logs = [LogRow(n, at + n, agent, Level.INFO, None, "x") for n in range(count)]
        segment.write(batch, at)


def set_bytes(build: HistoryBuilder, segment: int, count: int) -> None:
    build.database.execute_sql("update segment set bytes = ? where id = ?", (count, segment))


def ask(reader: HistoryReader, request: object) -> object:
    (page,) = reader.answer(request, CancelToken())  # type: ignore[arg-type]
    return page


def store(reader: HistoryReader, zone: object = UTC) -> StoreResult:
    page = ask(reader, StoreRequest(zone))  # type: ignore[arg-type]
    assert isinstance(page, StoreResult)
    return page


def test_a_file_over_midnight_counts_towards_each_day_what_it_holds(
    build: HistoryBuilder, reader: HistoryReader
) -> None:
    midnight = day("2026-03-02")
    first = build.segment()
    hours(first, midnight - 3 * HOUR, 1, 2, 3, 10, 20, 30)
    first.close()
    second = build.segment()
    hours(second, midnight + 5 * HOUR, 7)
    set_bytes(build, 1, 661)
    set_bytes(build, 2, 100)
    days = store(reader).days
    assert days.since_us.tolist() == [midnight - DAY, midnight]
    assert days.messages.tolist() == [6, 67]
    assert days.logs.tolist() == [6, 67]
    assert days.bytes.tolist() == [60, 701]
    assert days.bytes.sum() == 761, "no byte is lost to rounding"
    hours(second, midnight + DAY + HOUR, 1)  # the open one goes on
    assert store(reader).days.messages.tolist() == [6, 67, 1]


def test_days_are_those_of_the_zone(build: HistoryBuilder, reader: HistoryReader) -> None:
    segment = build.segment()
    hours(segment, day("2026-03-01T21:00"), 1, 1, 1, 1, 1)
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    assert store(reader).days.messages.tolist() == [3, 2]
    assert store(reader, kathmandu).days.messages.tolist() == [5]
    assert store(reader, kathmandu).days.since_us.tolist() == [day("2026-03-02", kathmandu)]
    assert store(reader).days.messages.tolist() == [3, 2], "what is remembered belongs to its zone"


def test_the_day_with_a_change_of_clocks_has_its_own_length(build: HistoryBuilder, reader: HistoryReader) -> None:
    warsaw = ZoneInfo("Europe/Warsaw")
    segment = build.segment()
    hours(segment, day("2026-03-28T12:00", warsaw), *[1] * 60)
    days = store(reader, warsaw).days
    assert days.since_us.tolist() == [day(f"2026-03-{n}", warsaw) for n in (28, 29, 30)] + [day("2026-03-31", warsaw)]
    assert days.messages.tolist() == [12, 23, 24, 1]


def test_captures_with_what_is_left_of_them(build: HistoryBuilder, reader: HistoryReader) -> None:
    first = build.capture(ended_us=T0 + HOUR)
    gone, kept = build.segment(first), build.segment(first)
    hours(gone, T0, 5)
    hours(kept, T0 + HOUR, 4, 3)
    gone.close("removed")
    kept.close()
    empty = build.capture("import", ended_us=T0)
    build.capture("record")
    last = build.segment()
    hours(last, T0 + DAY, 2)
    set_bytes(build, kept.id, 50)
    found = store(reader).captures
    assert [one.id for one in found] == [3, 1]
    assert empty not in [one.id for one in found], "nothing is held of it"
    assert found[1][1:] == (
        "record", "mqtt://localhost:1883", T0, T0 + HOUR, T0 + HOUR, T0 + 2 * HOUR + 2, 7, 0, 7, 0, 50, 1,
    )  # fmt: skip
    assert (found[0].ended_us, found[0].messages) == (0, 2)


def test_a_workspace_without_anything_has_no_days(build: HistoryBuilder, reader: HistoryReader) -> None:
    found = store(reader)
    assert (len(found.days.since_us), found.captures, found.first_us) == (0, (), 0)
    assert found.free_bytes > 0
    build.segment()  # open, and nothing came yet
    assert len(store(reader).days.since_us) == 0


def test_a_log_that_its_recorder_lets_go_of_while_we_look_is_none(
    build: HistoryBuilder, reader: HistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = build.segment()
    hours(segment, day("2026-03-02") - HOUR, 1, 2)
    segment.close()
    with monkeypatch.context() as moment:
        moment.setattr(Path, "exists", lambda _path: True)  # it was there just now
        assert store(reader).days.messages.tolist() == [1, 2]


def test_a_damaged_file_costs_only_its_own_days(build: HistoryBuilder, reader: HistoryReader) -> None:
    midnight = day("2026-03-02")
    for number in range(2):
        segment = build.segment()
        hours(segment, midnight - HOUR + number, 1, 1)
        segment.close()
    build.workspace.segment(1).write_bytes(b"no database at all, but long enough to be looked at" * 50)
    assert store(reader).days.messages.tolist() == [1, 1]


def test_gaps_of_all_causes(build: HistoryBuilder, reader: HistoryReader, clock: FakeClock) -> None:
    capture = build.capture()
    segment = build.segment(capture)
    batch = build.messages([raw(at_us=T0)])
    batch.gaps = [Gap(T0 + 5 * S, T0 + 9 * S, 0, GapCause.NOT_CONNECTED, 0), Gap(T0 + S, T0 + 2 * S, build.agent("a"), GapCause.SEQUENCE, 12)]  # fmt: skip
    segment.write(batch, T0 + 20 * S)
    segment.close()
    build.end_capture(capture, T0 + 20 * S)
    clock.advance(60 * S)
    page = ask(reader, GapsRequest())
    assert isinstance(page, GapsResult)
    rows = list(zip(page.gaps.since_us.tolist(), page.gaps.cause, page.gaps.missing.tolist(), strict=True))
    assert rows == [
        (T0 + S, GapCause.SEQUENCE, 12), (T0 + 5 * S, GapCause.NOT_CONNECTED, 0), (T0 + 20 * S, GapCause.NOT_RECORDING, 0),
    ]  # fmt: skip
    assert page.gaps.until_us[-1] == clock.wall_us()
    early = ask(reader, GapsRequest(T0, T0 + 3 * S))
    assert isinstance(early, GapsResult)
    assert early.gaps.cause == [GapCause.SEQUENCE]
    other = ask(reader, GapsRequest(agent=build.agent("b")))
    assert isinstance(other, GapsResult)
    assert other.gaps.cause == [GapCause.NOT_CONNECTED, GapCause.NOT_RECORDING]


def unreadable(segment: SegmentBuilder, second: int, topic: str, payload: bytes, reason: str) -> None:
    batch = segment.builder.messages([raw("good", at_us=T0 + second * S), raw(topic, payload, T0 + second * S + 1)])
    batch.unreadable = [Unreadable(1, reason)]
    segment.write(batch)


def test_unreadable_topics_with_the_last_reason_and_a_sample(build: HistoryBuilder, reader: HistoryReader) -> None:
    first, second = build.segment(), build.segment()
    unreadable(first, 1, "a/metrics", b"{half", "json")
    unreadable(second, 2, "a/metrics", b"\x00" * 1_000, "binary")
    unreadable(first, 9, "b/log", b"x", "text")
    first.close()
    page = ask(reader, UnreadableRequest())
    assert isinstance(page, UnreadableResult)
    assert page.topics == (
        (b"b/log", 1, "text", RowKey(T0 + 9 * S + 1, 1, 4), b"x"),
        (b"a/metrics", 2, "binary", RowKey(T0 + 2 * S + 1, 2, 2), b"\x00" * 256),
    )
    early = ask(reader, UnreadableRequest(T0, T0 + 2 * S))
    assert isinstance(early, UnreadableResult)
    assert [(one.topic, one.reason) for one in early.topics] == [(b"a/metrics", "json")]
    with pytest.raises(Cancelled):
        list(reader.answer(UnreadableRequest(), CancelToken(cancelled=True)))


def test_what_limits_would_remove_is_what_they_remove(
    build: HistoryBuilder, reader: HistoryReader, clock: FakeClock
) -> None:
    clock.advance(10 * DAY)
    imported = build.capture("import", ended_us=clock.wall_us())
    recorded = build.capture()
    for number, capture in enumerate([imported, recorded, recorded, recorded]):
        segment = build.segment(capture)
        hours(segment, T0 + number * DAY, 10 * (number + 1))
        segment.close()
        set_bytes(build, number + 1, 100 * 2**20)
    hours(build.segment(recorded), clock.wall_us() - HOUR, 5)

    def told(kind: StoreKind, keep_bytes: int, keep_us: int) -> tuple[Removal, ...]:
        page = ask(reader, RetentionRequest((KeepLimit(kind, keep_bytes, keep_us),)))
        assert isinstance(page, RetentionResult)
        return page.removals

    recording, size = StoreKind.RECORDED, 100 * 2**20
    assert told(recording, 0, 0) == ()
    assert told(recording, 0, 8 * DAY) == (Removal(recording, size, 20, T0 + DAY + 19),)
    assert told(recording, 150 * 2**20, 0) == (Removal(recording, 2 * size, 50, T0 + 2 * DAY + 29),)
    assert told(StoreKind.IMPORTED, 0, 8 * DAY) == (), "an import is as old as the day on which it was imported"
    assert told(StoreKind.IMPORTED, size // 2, 0) == (Removal(StoreKind.IMPORTED, size, 10, T0 + 9),)
    limits = StoreLimits(retention_bytes=150 * 2**20)
    retention = Retention(build.workspace, build.database.connection(), limits)
    assert retention.run(clock.wall_us(), 0) == 2 * size
    assert told(recording, 150 * 2**20, 0) == ()
    assert {one.id for one in store(reader).captures} == {imported, recorded}, "imports have limits of their own"
    kinds = {one.kind: one for one in store(reader).kinds}
    assert kinds[StoreKind.IMPORTED] == (StoreKind.IMPORTED, size, 10, T0)
    assert (kinds[recording].rows, kinds[recording].first_us) == (45, T0 + 3 * DAY)
    assert size < kinds[recording].bytes < size + 2**20


def test_an_import_is_told_by_its_files(build: HistoryBuilder, reader: HistoryReader) -> None:
    capture = build.capture("import", ended_us=T0)
    for name in ("/a/monday.jsonl", "/a/tuesday.jsonl.gz"):
        build.insert(catalogue.ImportedFile, capture_id=capture, path=name, digest=name, bytes=1)
    hours(build.segment(capture), T0, 1)
    assert store(reader).captures[0].source == "/a/monday.jsonl, /a/tuesday.jsonl.gz"
    build.database.execute_sql("drop table imported_file")  # as an older program left it
    build.insert(catalogue.Agent, id=99, name="z")
    assert store(reader).captures[0].kind == "import"
