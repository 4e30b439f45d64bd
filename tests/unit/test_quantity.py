from datetime import UTC, timedelta, timezone

import pytest

from models.domain.quantity import (
    GROUP,
    MISSING,
    format_age,
    format_count,
    format_duration,
    format_time,
    format_value,
    scale_of,
)  # fmt: skip
from models.domain.resources import resource_path

S, MIN, H, D = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
T = 1_795_442_585_123_456  # 2026-11-23 14:03:05.123456 UTC


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.42, "1", "42 %"), (0.4237, "1", "42.4 %"), (42.0, "%", "42 %"), (0.0, "1", "0 %"), (2.5, "1", "250 %"),
        (0, "By", "0 B"), (512, "By", "512 B"), (4_194_304, "By", "4 MiB"), (1536, "By", "1.5 KiB"),
        (1024**2 - 1, "By", "1 MiB"), (3 * 1024**3, "By", "3 GiB"), (2.0, "MiBy", "2 MiB"), (-2048, "By", "−2 KiB"),
        (0.0031, "s", "3.1 ms"), (0.0000031, "s", "3.1 µs"), (1.5, "s", "1.5 s"), (90, "s", "90 s"),
        (150, "s", "2.5 min"), (7200, "s", "2 h"), (1500, "ms", "1.5 s"), (0, "s", "0 s"), (2e-10, "s", "0.2 ns"),
        (12.0, "{connection}", "12"), (3.21, "{request}/s", "3.21 /s"), (1_258_291, "By/s", "1.2 MiB/s"),
        (21.5, "Cel", "21.5 °C"), (2_400_000_000, "Hz", "2.4 GHz"), (0.0123, "W", "12.3 mW"), (5, "widget", "5 widget"),
        (1234567, "", f"1{GROUP}234{GROUP}567"), (1234.5678, "", f"1{GROUP}235"), (0.000_000_1, "", "1.00e−07"),
        (None, "By", MISSING), (float("nan"), "1", MISSING), (float("inf"), "s", "∞ s"), (-0.5, "", "−0.5"),
    ],
)  # fmt: skip
def test_value_reads_in_the_unit_that_fits(value: float | None, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


def test_decimal_separator_is_the_readers() -> None:
    assert format_value(0.4237, "1", ",") == "42,4 %"
    assert format_value(1536.0, "By", ",") == "1,5 KiB"


def test_axis_scale_is_that_of_its_largest_value() -> None:
    assert scale_of("By", 3 * 1024**2) == (1 / 1024**2, "MiB")
    assert scale_of("s", 0.25) == (1000.0, "ms")
    assert scale_of("By/s", 2048).label == "KiB/s"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (12_480, f"12{GROUP}480"), (3_420_000, "3.42 M"), (None, MISSING), (2e9, "2 G")],
)
def test_count(count: float | None, text: str) -> None:
    assert format_count(count) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (-S, "0 s"), (0, "0 s"), (4 * S, "4 s"), (59_999_999, "59 s"), (MIN, "1 min"), (3 * MIN + S, "3 min"),
        (47 * H, "47 h"), (5 * D, "5 d"), (None, MISSING),
    ],
)  # fmt: skip
def test_age_is_rounded_down_in_one_unit(age: int | None, text: str) -> None:
    assert format_age(age) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (340_000, "340 ms"), (1_500_000, "1.5 s"), (59_999_900, "60 s"), (125 * S, "2 min 5 s"), (MIN, "1 min"),
        (3 * H + 4 * MIN, "3 h 4 min"), (2 * D + 3 * H + MIN, "2 d 3 h"), (-1_500_000, "−1.5 s"), (0, "0 s"),
    ],
)  # fmt: skip
def test_duration_has_two_units_at_most(duration: int, text: str) -> None:
    assert format_duration(duration) == text


def test_time_names_the_day_unless_it_is_today() -> None:
    assert format_time(T, UTC) == "2026-11-23 14:03:05"
    assert format_time(T, UTC, now_us=T + H) == "14:03:05"
    assert format_time(T, UTC, now_us=T + 10 * H) == "2026-11-23 14:03:05"
    assert format_time(T, timezone(timedelta(hours=10)), now_us=T + 10 * H) == "00:03:05"
    assert format_time(T, UTC, now_us=T, digits=3) == "14:03:05.123"
    assert format_time(T, UTC, now_us=T, digits=6) == "14:03:05.123456"
    assert format_time(0) == MISSING


def test_resources_are_found_in_a_checkout_and_when_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resource_path("icons").is_dir()
    monkeypatch.setattr("sys._MEIPASS", "/opt/program", raising=False)
    assert resource_path("icons", "fleet.svg").as_posix() == "/opt/program/resources/icons/fleet.svg"
