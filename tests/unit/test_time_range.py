from datetime import datetime

import pytest

from models.domain.problems import EnvironmentProblem
from models.domain.time_range import fixed_range, live_range, parse_moment, parse_range, span_text

NOW = 1_795_442_585_123_456  # 2026-11-23 14:03:05.123456 UTC
M, H, D = 60_000_000, 3_600_000_000, 86_400_000_000


@pytest.mark.parametrize(
    ("span", "text"), [(5 * M, "5m"), (H, "1h"), (24 * H, "24h"), (7 * D, "7d"), (90_000_000, "90s"), (90 * M, "90m")]
)
def test_live_range_survives_text(span: int, text: str) -> None:
    shown = live_range(span, NOW)
    assert shown.as_text() == f"live {text}"
    assert parse_range(shown.as_text(), NOW) == shown == parse_range(text, NOW)


def test_fixed_range_survives_text_to_the_microsecond() -> None:
    shown = fixed_range(NOW - 15 * M, NOW)
    assert shown.as_text() == "2026-11-23T13:48:05.123456Z..2026-11-23T14:03:05.123456Z"
    assert parse_range(shown.as_text(), 0) == shown
    whole = parse_range("2026-11-23T14:00:00Z..2026-11-23T14:15:00Z", NOW)
    assert (whole.span_us, whole.live) == (15 * M, False)
    assert whole.as_text() == "2026-11-23T14:00:00Z..2026-11-23T14:15:00Z"


def test_people_may_write_it_loosely() -> None:
    assert parse_range(" 2h .. 1h ", NOW) == fixed_range(NOW - 2 * H, NOW - H)
    assert parse_range("1h..now", NOW) == fixed_range(NOW - H, NOW)
    assert parse_range("2026-11-23T15:00+01:00 → 2026-11-23T13:00Z", NOW).as_text() == (
        "2026-11-23T13:00:00Z..2026-11-23T14:00:00Z"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "live",
        "0m",
        "tomorrow",
        "24:00",
        "14:60",
        "2026-13-01..2026-11-02",
        "..",
        "1h..1h",
        "1h..2h..3h",
        "0001-01-01..now",
        "<b>",
    ],
)
def test_nonsense_is_a_problem_and_no_range(text: str) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        parse_range(text, NOW)
    assert caught.value.problem.code == "time.unreadable"


LOCAL = datetime(2026, 11, 23, 14, 3, 5).astimezone()


@pytest.mark.parametrize(
    ("text", "day", "clock"),
    [
        ("14:03", 23, (14, 3)), ("9:30", 23, (9, 30)), ("14:03:05", 23, (14, 3, 5)), ("14:04", 22, (14, 4)),
        ("today", 23, ()), ("yesterday", 22, ()), ("yesterday 23:59", 22, (23, 59)), (" today  9:05 ", 23, (9, 5)),
    ],
)  # fmt: skip
def test_a_time_of_day_is_the_last_one_that_was(text: str, day: int, clock: tuple[int, ...]) -> None:
    expected = datetime(2026, 11, day, *(clock or (0,))).astimezone()
    assert parse_moment(text, round(LOCAL.timestamp() * 1e6)) == round(expected.timestamp() * 1e6)


@pytest.mark.parametrize(
    ("text", "as_ends"),
    [
        ("14:00..14:02", "2026-11-23T14:00..2026-11-23T14:02"),
        ("14:00..14:30", "2026-11-23T14:00..2026-11-23T14:30"),
        ("yesterday 23:50..0:10", "2026-11-22T23:50..2026-11-23T00:10"),
        ("2026-11-20T10:00..10:30", "2026-11-20T10:00..2026-11-20T10:30"),
        ("yesterday", "2026-11-22..2026-11-23"),
        ("today", "2026-11-23..2026-11-23T14:03:05"),
        ("yesterday 22:00..now", "2026-11-22T22:00..2026-11-23T14:03:05"),
    ],
)
def test_the_end_of_a_range_may_be_a_time_of_day(text: str, as_ends: str) -> None:
    now_us = round(LOCAL.timestamp() * 1e6)
    assert parse_range(text, now_us) == parse_range(as_ends, now_us)


def test_moment_before_the_epoch_is_exact() -> None:
    assert parse_moment("1969-12-31T23:59:59.5Z", NOW) == -500_000


def test_range_is_never_empty_nor_backwards() -> None:
    assert fixed_range(NOW, NOW - H) == fixed_range(NOW - H, NOW)
    assert fixed_range(NOW, NOW).span_us == 1000
    assert live_range(0, NOW).span_us > 0


def test_span_is_at_least_a_second() -> None:
    assert span_text(10) == "1s"
