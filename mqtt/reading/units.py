"""Units as people write them, and the base unit that a figure is stored in: bytes, seconds, ratios from 0 to 1.

A unit comes from a declaration, from a program we know, or from a figure's name; a value tells nothing. What is unknown here
stays as it was written, and so do its values.
"""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from models.domain.names import SeriesKind

LONGEST_UNIT = 32
"""Characters; what is longer is no unit."""


class Scale(NamedTuple):
    """How a value comes into the base unit. Divides by 1000 rather than multiplying by 0.001, which is no double: 30 ms are
    0.03 s to the last bit."""

    times: float = 1.0
    by: float = 1.0
    before: float = 0.0

    def of(self, value: float) -> float:
        """The value in the base unit: infinite where it is beyond a double."""
        return (value + self.before) * self.times / self.by


_KIBI = 1024.0
_BASES: dict[str, tuple[str, Scale]] = {
    "%": ("1", Scale(by=100.0)), "[ppth]": ("1", Scale(by=1e3)),
    "kBy": ("By", Scale(1e3)), "MBy": ("By", Scale(1e6)), "GBy": ("By", Scale(1e9)), "TBy": ("By", Scale(1e12)),
    "KiBy": ("By", Scale(_KIBI)), "MiBy": ("By", Scale(_KIBI**2)), "GiBy": ("By", Scale(_KIBI**3)),
    "TiBy": ("By", Scale(_KIBI**4)),
    "kbit": ("bit", Scale(1e3)), "Mbit": ("bit", Scale(1e6)), "Gbit": ("bit", Scale(1e9)),
    "ms": ("s", Scale(by=1e3)), "us": ("s", Scale(by=1e6)), "ns": ("s", Scale(by=1e9)),
    "min": ("s", Scale(60.0)), "h": ("s", Scale(3600.0)), "d": ("s", Scale(86_400.0)),
    "kHz": ("Hz", Scale(1e3)), "MHz": ("Hz", Scale(1e6)), "GHz": ("Hz", Scale(1e9)),
    "mW": ("W", Scale(by=1e3)), "kW": ("W", Scale(1e3)), "MW": ("W", Scale(1e6)), "kWh": ("Wh", Scale(1e3)),
    "MWh": ("Wh", Scale(1e6)), "mV": ("V", Scale(by=1e3)), "kV": ("V", Scale(1e3)), "mA": ("A", Scale(by=1e3)),
    "[degF]": ("Cel", Scale(5.0, 9.0, -32.0)),
}  # fmt: skip
_MEASURES = frozenset(("1", "By", "bit", "s", "Hz", "W", "Wh", "V", "A", "J", "Cel", *_BASES))
_WRITTEN = {
    "%": "%", "percent": "%", "pct": "%", "b": "By", "byte": "By", "bytes": "By", "kb": "kBy", "mb": "MBy", "gb": "GBy",
    "tb": "TBy", "kib": "KiBy", "mib": "MiBy", "gib": "GiBy", "tib": "TiBy", "kbit": "kbit",
    "mbit": "Mbit", "gbit": "Gbit", "bps": "bit/s", "kbps": "kbit/s", "mbps": "Mbit/s", "gbps": "Gbit/s",
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "ms": "ms", "millis": "ms", "msec": "ms", "millisecond": "ms", "milliseconds": "ms",
    "us": "us", "µs": "us", "μs": "us", "usec": "us", "microseconds": "us", "ns": "ns", "nanoseconds": "ns",
    "min": "min", "mins": "min", "minute": "min", "minutes": "min", "h": "h", "hr": "h", "hrs": "h", "hour": "h",
    "hours": "h", "d": "d", "day": "d", "days": "d", "hz": "Hz", "khz": "kHz", "mhz": "MHz", "ghz": "GHz", "v": "V",
    "mv": "mV", "kv": "kV", "volt": "V", "volts": "V", "a": "A", "ma": "mA", "amps": "A", "w": "W", "watt": "W",
    "watts": "W", "kw": "kW", "wh": "Wh", "kwh": "kWh", "°c": "Cel", "c": "Cel", "℃": "Cel", "celsius": "Cel",
    "°f": "[degF]", "℉": "[degF]", "fahrenheit": "[degF]", "hpa": "hPa", "lx": "lx", "lux": "lx", "dbm": "dBm",
    "ppm": "[ppm]", "rpm": "{rpm}",
}  # fmt: skip
_COUNTS = {"": "", "req": "", "requests": "", "bit": "bit", "bits": "bit"}
"""What is a unit only with a time below it: `64bit` is a text."""
_BY_CASE = {"mW": "mW", "MW": "MW", "mWh": "mWh", "MWh": "MWh", "mHz": "mHz", "MV": "MV", "Ms": "Ms", "MA": "MA"}
"""Where a capital letter makes a million of a thousandth."""
_SUFFIXES = frozenset(
    "percent pct ms millis milliseconds us microseconds ns nanoseconds sec secs s seconds minutes hours days bytes b kb mb"
    " gb tb kib mib gib tib hz khz mhz ghz celsius fahrenheit volts watts kwh".split()
)
_SIZES = frozenset("mem memory ram swap disk storage fs filesystem heap space capacity size quota cpu".split())
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


@lru_cache(1_024)
def known_unit(written: str) -> str | None:
    """The code of a unit that somebody wrote (`MB`: `MBy`, `°C`: `Cel`, `kB/s`: `kBy/s`), None where we know none such."""
    written = written.strip()
    amount, slash, per = written.partition("/")
    if slash:
        counted = _COUNTS.get(amount.casefold())
        code = known_unit(amount) if counted is None else counted
        return None if code is None or per.strip().casefold() not in ("s", "sec", "second") else f"{code}/s"
    return _BY_CASE.get(written) or _WRITTEN.get(written.casefold())


@lru_cache(1_024)
def base_unit(unit: str) -> tuple[str, Scale | None]:
    """The unit that figures in `unit` (a code, or as it was written) are stored in, and how to bring them there; None where
    they are in it already."""
    code = known_unit(unit) or (unit if len(unit) <= LONGEST_UNIT else "")
    if code.endswith("/s"):
        base, scale = _BASES.get(code[:-2], ("", None))
        return (f"{base}/s", scale) if scale is not None and not scale.before else (code, None)
    return _BASES.get(code, (code, None))


def in_base(value: float, scale: Scale | None) -> float | None:
    """A single value; None where no double can hold it in the base unit."""
    if scale is None:
        return value
    found = scale.of(value)
    return found if math.isfinite(found) else None


def measures_alike(one: str, other: str) -> bool:
    """Whether values in these base units may stand in one series: the same measure, or counts of whatever they are called
    (`7 items`, `1 item`), of which no measure is known."""
    return one == other or not (_is_measure(one) or _is_measure(other))


def _is_measure(unit: str) -> bool:
    return unit.removesuffix("/s") in _MEASURES


class Scales(NamedTuple):
    """The scales of a message's values, one for each, laid out for speed; `before` None where all are 0."""

    times: tuple[float, ...]
    by: tuple[float, ...]
    before: tuple[float, ...] | None


def scales_of(scales: Sequence[Scale | None]) -> Scales | None:
    """None where there is nothing to scale."""
    if not any(scales):
        return None
    before, times, by = zip(
        *((0.0, 1.0, 1.0) if one is None else (one.before, one.times, one.by) for one in scales), strict=True
    )
    return Scales(times, by, before if any(before) else None)


def scaled(series: Sequence[int], values: Sequence[float], scales: Scales) -> tuple[Sequence[int], Sequence[float]]:
    """The values in base units. One that no double can hold there is left out, with its series."""
    if scales.before is not None:
        values = [value + before for value, before in zip(values, scales.before, strict=True)]
    found = [value * times / by for value, times, by in zip(values, scales.times, scales.by, strict=True)]
    if math.isfinite(sum(found)):
        return series, found
    kept = [place for place, value in enumerate(found) if math.isfinite(value)]
    return [series[place] for place in kept], [found[place] for place in kept]


@lru_cache(4_096)
def unit_of(metric: str) -> tuple[str, SeriesKind]:
    """Unit and kind that a name's last words tell (`memory_mb`, `uptimeSec`, `requests_total`), else none."""
    words = [word.lower() for word in _WORDS.findall(metric.rpartition(".")[2])]
    if not words:
        return "", SeriesKind.GAUGE
    if words[-2:] == ["per", "sec"] or words[-2:] == ["per", "second"]:
        return (_suffix(words[-3]) if len(words) > 2 else "") + "/s", SeriesKind.GAUGE
    if words[-1] == "total" and len(words) > 1 and not _SIZES.intersection(words):
        return _suffix(words[-2]), SeriesKind.COUNTER
    if len(words) == 1 and len(words[0]) < 3:
        return "", SeriesKind.GAUGE  # a lone "b" or "s" is a name, no unit
    if words[-1] == "b" and len(words) > 1 and words[-2] + "b" in _SUFFIXES:  # memMiB
        return _suffix(words[-2] + "b"), SeriesKind.GAUGE
    return _suffix(words[-1]), SeriesKind.GAUGE


def _suffix(word: str) -> str:
    return _WRITTEN[word] if word in _SUFFIXES else ""
