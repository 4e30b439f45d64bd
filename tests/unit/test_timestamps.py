"""Times as agents write them."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from models.domain.timestamps import read_time, utc_text

ARRIVAL_US = 1_795_420_056_425_090  # 2026-11-23T07:47:36.425090Z
PLUS_3 = timezone(timedelta(hours=3))


@pytest.mark.parametrize(
    "value",
    [
        1_795_420_056, 1_795_420_056.0, 1_795_420_056_000, 1_795_420_056_000_000, 1_795_420_056_000_000_000,
        "1795420056", "1795420056.000", "1795420056000000000", "2026-11-23T07:47:36Z", "2026-11-23 07:47:36+00:00",
        "2026-11-23T09:47:36.000+02:00", "2026-11-23T07:47:36.000000000Z", "2026-11-23 07:47:36,000",
        "2026-11-23T10:47:36",  # no zone, hours away as UTC, right in the zone given
    ],
)  # fmt: skip
def test_every_way_of_writing_one_moment(value: object) -> None:
    assert read_time(value, ARRIVAL_US, PLUS_3) == 1_795_420_056_000_000


@pytest.mark.parametrize(
    "value",
    [
        21.5, 0, -5, float("nan"), float("inf"), 1e300, 10**40, True, None, [], {}, "", "soon", "NaN", "²²²",
        "2026-11-23", "23/11/2026 07:47:36", "2026-13-23T07:47:36Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59",
        "2026-11-23T14:00:00",  # no zone, near arrival neither as UTC nor as local time
        "2037-11-23T07:47:36Z", "1970-01-01T00:00:10Z", 10,
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(value: object) -> None:
    assert read_time(value, ARRIVAL_US, PLUS_3) is None


@pytest.fixture(params=["UTC", "Europe/Warsaw", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This computer stands there."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("date", ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2027-01-01"])
def test_no_hour_is_twice_or_left_out_in_any_zone(zone: str, date: str) -> None:
    """Summer time begins or ends there on some of these dates."""
    first_us = int(datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp()) * 1_000_000 - 12 * 3_600_000_000
    hours_us = [first_us + hour * 3_600_000_000 for hour in range(48)]
    texts = [utc_text(one) for one in hours_us]
    assert texts == sorted(set(texts))
    assert [read_time(one, first_us) for one in texts] == hours_us


def test_without_a_zone_utc_comes_first() -> None:
    utc = datetime.fromtimestamp(ARRIVAL_US / 1e6, timezone.utc)  # noqa: UP017
    assert read_time(utc.strftime("%Y-%m-%dT%H:%M:%S"), ARRIVAL_US, PLUS_3) == ARRIVAL_US // 10**6 * 10**6


def test_microseconds_are_kept() -> None:
    assert read_time("2026-11-23T07:47:36.425090Z", ARRIVAL_US) == ARRIVAL_US
    assert read_time(1_795_420_056.425090, ARRIVAL_US) == ARRIVAL_US
