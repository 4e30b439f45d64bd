"""Ticks on round local times."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from widgets.plots.time_axis import time_ticks

WARSAW = ZoneInfo("Europe/Warsaw")
SECOND = 1_000_000


def at(*when: int) -> int:
    return round(datetime(*when, tzinfo=WARSAW).timestamp()) * SECOND  # type: ignore[misc]


def labels(since_us: int, until_us: int, most: int = 8) -> list[str]:
    return [tick.label for tick in time_ticks(since_us, until_us, most, WARSAW)]


def test_a_quarter_of_an_hour() -> None:
    assert labels(at(2026, 11, 23, 14, 1), at(2026, 11, 23, 14, 16), 4) == ["14:05", "14:10", "14:15"]


def test_one_second_shows_parts_of_it() -> None:
    assert labels(at(2026, 11, 23, 14, 1), at(2026, 11, 23, 14, 1, 1), 5)[:2] == ["14:01:00.0", "14:01:00.2"]


def test_midnight_bears_the_date() -> None:
    ticks = time_ticks(at(2026, 11, 23, 18), at(2026, 11, 24, 6), 4, WARSAW)
    assert [tick.strong for tick in ticks] == [False, False, True, False, False]
    assert ticks[2].label.startswith("24 ")


def test_seven_days_have_a_tick_a_day() -> None:
    ticks = time_ticks(at(2026, 11, 20, 9), at(2026, 11, 27, 9), 8, WARSAW)
    assert len(ticks) == 7
    assert all(tick.strong for tick in ticks)


def test_ticks_stay_on_round_hours_when_the_clocks_change() -> None:
    autumn = labels(at(2026, 10, 24, 18), at(2026, 10, 25, 12), 8)
    spring = labels(at(2026, 3, 28, 21), at(2026, 3, 29, 9), 12)
    assert autumn[-3:] == ["06:00", "09:00", "12:00"]
    assert "02:00" not in spring
    assert spring[-2:] == ["08:00", "09:00"]


@pytest.mark.parametrize("span_s", [1, 5, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800, 31_536_000])
def test_never_too_many_and_never_outside(span_s: int) -> None:
    since = at(2026, 11, 23, 14, 1) + 123_456
    ticks = time_ticks(since, since + span_s * SECOND, 8, WARSAW)
    assert 1 <= len(ticks) <= 9
    assert all(since <= tick.at_us <= since + span_s * SECOND for tick in ticks)


def test_nothing_for_no_time() -> None:
    assert time_ticks(5, 5, 8) == []


def test_over_years_days_bear_their_year() -> None:
    found = labels(at(2020, 1, 1), at(2026, 11, 28), 8)
    assert [label.split()[-1] for label in found] == sorted(label.split()[-1] for label in found)
    assert found[0].endswith("2020") or found[0].endswith("2021")
