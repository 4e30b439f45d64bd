"""One formatter for every number the program shows: base units in, a short friendly text out. Qt-free; any thread.

`decimal` is the decimal separator of the reader's language. Missing values show as an en dash, never as zero.
"""

import math
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

MISSING = "–"
GROUP = "\u202f"
"""Narrow no-break space between groups of three digits."""

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_HOUR_US = 60 * _MINUTE_US
_DAY_US = 24 * _HOUR_US


class Scale(NamedTuple):
    """A value times `factor` is a number in `label`."""

    factor: float
    label: str


_TIMES = (Scale(1e-9, "ns"), Scale(1e-6, "µs"), Scale(1e-3, "ms"), Scale(1.0, "s"))
_LONG_TIMES = (Scale(60.0, "min"), Scale(3600.0, "h"), Scale(86_400.0, "d"))
_BYTES = tuple(Scale(1024.0**power, label) for power, label in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB")))
_SI = (
    Scale(1e-9, "n"), Scale(1e-6, "µ"), Scale(1e-3, "m"), Scale(1.0, ""), Scale(1e3, "k"), Scale(1e6, "M"),
    Scale(1e9, "G"), Scale(1e12, "T"),
)  # fmt: skip
_IN_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_IN_BYTES = {"By": 1.0, "KiBy": 1024.0, "MiBy": 1024.0**2, "GiBy": 1024.0**3, "kBy": 1e3, "MBy": 1e6, "GBy": 1e9}
_SCALED_BY_THOUSANDS = ("Hz", "W", "Wh", "V", "A", "J", "bit")
_SHOWN_AS = {"Cel": "°C", "[degF]": "°F", "deg": "°", "%": "%"}


def scale_of(unit: str, magnitude: float) -> Scale:
    """How a number of that size in `unit` reads best: the factor to multiply with, and the unit to write.

    Axes call it with the largest absolute value they show, so that all ticks share one unit.
    """
    if unit == "1/s":  # how often in a second; no share of anything
        return Scale(1.0, "/s")
    if unit.endswith("/s"):
        inner = scale_of(unit[:-2], magnitude)
        return Scale(inner.factor, f"{inner.label}/s")
    if unit == "1":
        return Scale(100.0, "%")
    if unit in _IN_BYTES:
        return _fitting(_BYTES, magnitude, _IN_BYTES[unit])
    if unit in _IN_SECONDS:
        seconds = magnitude * _IN_SECONDS[unit]
        steps = _LONG_TIMES if 120 <= abs(seconds) < math.inf else _TIMES  # "90 s" reads better than "1.5 min"
        return _fitting(steps, magnitude, _IN_SECONDS[unit])
    if unit in _SCALED_BY_THOUSANDS:
        step = _fitting(_SI, magnitude, 1.0)
        return Scale(step.factor, f"{step.label}{unit}")
    if unit.startswith("{"):  # "{connection}": a count of something, named by the metric
        return Scale(1.0, "")
    return Scale(1.0, _SHOWN_AS.get(unit, unit))


def _fitting(steps: tuple[Scale, ...], magnitude: float, base: float) -> Scale:
    """The largest step that leaves at least 1, so `0` and what is smaller than all keep a sensible one."""
    amount = abs(magnitude) * base
    if amount == 0 or not math.isfinite(amount):
        chosen = next((step for step in steps if step.factor == 1.0), steps[0])
    else:
        # half a unit in the last shown digit would round up to the next step: 1023.96 KiB is 1 MiB
        chosen = next((step for step in reversed(steps) if amount >= step.factor * 0.9995), steps[0])
    return Scale(base / chosen.factor, chosen.label)


def format_number(value: float | None, decimal: str = ".", digits: int = 3) -> str:
    """A bare number: whole numbers in full with groups of three, others with `digits` significant digits."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if value == int(value) and size < 1e15:
        return _grouped(f"{int(value):,}", decimal)
    if size >= 1e15 or size < 1e-6:
        return f"{value:.{digits - 1}e}".replace(".", decimal).replace("-", "−")
    places = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value:,.{places}f}"
    return _grouped(text.rstrip("0").rstrip(".") if places else text, decimal)


def _grouped(text: str, decimal: str) -> str:
    return text.replace(",", GROUP).replace(".", decimal).replace("-", "−")


def format_value(value: float | None, unit: str = "", decimal: str = ".") -> str:
    """A number with its unit as people read it: `0.42 1` is "42 %", `4194304 By` is "4 MiB", `0.0031 s` is "3.1 ms"."""
    if value is None or math.isnan(value):
        return MISSING
    scale = scale_of(unit, value)
    number = format_number(value * scale.factor, decimal)
    if not scale.label:
        return number
    return f"{number}{'' if scale.label == '°' else ' '}{scale.label}"


def format_count(count: float | None, decimal: str = ".") -> str:
    """How many: "12 480" with thin groups, from a million on "3.42 M"."""
    if count is None or math.isnan(count):
        return MISSING
    if abs(count) < 1_000_000:
        return format_number(round(count), decimal)
    step = _fitting(_SI, count, 1.0)
    return f"{format_number(count * step.factor, decimal)} {step.label}"


def format_age(age_us: int | None) -> str:
    """How long ago, in one unit, rounded down: "4 s", "3 min", "2 h", "5 d". Negative ages (a clock ahead) show as 0 s."""
    if age_us is None:
        return MISSING
    age = max(0, age_us)
    if age < _MINUTE_US:
        return f"{age // _SECOND_US} s"
    if age < _HOUR_US:
        return f"{age // _MINUTE_US} min"
    if age < 2 * _DAY_US:
        return f"{age // _HOUR_US} h"
    return f"{age // _DAY_US} d"


def format_duration(duration_us: int | None, decimal: str = ".") -> str:
    """How long something took, in at most two units: "340 ms", "1.5 s", "2 min 5 s", "3 h 4 min", "2 d 3 h"."""
    if duration_us is None:
        return MISSING
    if duration_us < 0:
        return "−" + format_duration(-duration_us, decimal)
    if duration_us < _MINUTE_US:
        return format_value(duration_us / _SECOND_US, "s", decimal)
    if duration_us < _HOUR_US:
        return _two(duration_us, _MINUTE_US, "min", _SECOND_US, "s")
    if duration_us < _DAY_US:
        return _two(duration_us, _HOUR_US, "h", _MINUTE_US, "min")
    return _two(duration_us, _DAY_US, "d", _HOUR_US, "h")


def _two(duration_us: int, large_us: int, large: str, small_us: int, small: str) -> str:
    whole, rest = divmod(duration_us, large_us)
    return f"{whole} {large} {rest // small_us} {small}" if rest >= small_us else f"{whole} {large}"


def format_time(time_us: int | None, zone: tzinfo | None = None, now_us: int | None = None, digits: int = 0) -> str:
    """A moment as "2026-11-23 14:03:05"; only the clock where `now_us` lies on the same day.

    `zone` None is this computer's own zone; `digits` (0, 3 or 6) adds parts of a second. None and 0 mean: no moment.
    """
    if not time_us:
        return MISSING
    moment = _local(time_us, zone)
    same_day = now_us is not None and _local(now_us, zone).date() == moment.date()
    text = moment.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")
    return f"{text}.{time_us % _SECOND_US:06d}"[: len(text) + 1 + digits] if digits else text


def _local(time_us: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(time_us // _SECOND_US, UTC).astimezone(zone)
