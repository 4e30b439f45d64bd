"""Figures in home-made payloads: numbers, their names and their units as they were written. Nothing is guessed."""

import math
import re
from functools import lru_cache
from typing import Any, NamedTuple

from models.domain.names import SeriesKind
from models.domain.timestamps import read_time
from mqtt.reading.units import known_unit, unit_of

DEEPEST = 6
TIME_KEYS = ("ts", "time", "timestamp", "@timestamp", "t", "date", "Time", "Timestamp")
_MOMENTS = frozenset(
    "ts tst wtst lc timestamp time stamp epoch at seen since until date updated created started".split()
)
_HALVES = ("stamp.sec", "stamp.secs", "stamp.nsec", "stamp.nsecs", "stamp.nanosec")
NESTED_IDS = frozenset(("id", "pid"))

_CONTRACT_UNITS = {
    "process.cpu.utilization": "1", "process.memory.usage": "By", "process.memory.virtual": "By",
    "process.memory.utilization": "1", "process.uptime": "s", "process.thread.count": "{thread}",
    "process.count": "{process}", "process.open_file_descriptor.count": "{file_descriptor}",
    "system.cpu.utilization": "1", "system.memory.usage": "By", "system.memory.utilization": "1",
    "system.memory.limit": "By", "system.uptime": "s", "system.filesystem.usage": "By",
    "system.filesystem.utilization": "1", "system.paging.usage": "By", "system.paging.utilization": "1",
    "agent.request.duration": "s", "agent.queue.length": "{message}", "gen_ai.client.operation.duration": "s",
}  # fmt: skip
_CONTRACT_COUNTERS = {
    "agent.connection.attempts": "{connection}", "agent.connection.successes": "{connection}",
    "agent.connection.errors": "{connection}", "agent.requests": "{request}", "process.cpu.time": "s",
    "system.cpu.time": "s", "process.disk.io": "By", "process.network.io": "By", "system.disk.io": "By",
    "system.network.io": "By", "system.network.io.receive": "By", "system.network.io.transmit": "By",
    "gen_ai.client.token.usage": "{token}",
}  # fmt: skip
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:(\s*)([^\d\s][^\d\s]{0,15}))?")
_TIMED = re.compile(r"\d{9,11}[\d.]*:[\d.:+\-eEnaif]+")


def read_number(text: str) -> tuple[float, str] | None:
    """A bare number with its unit (`5 %`, `104 MB`, `24 seconds`, `21.5`), else None. Never infinite, never NaN."""
    found = _NUMBER.fullmatch(text) if len(text) <= 64 else None
    if found is None:
        return None
    digits, space, word = found.groups()
    unit = ""
    if word is not None:
        known = known_unit(word)
        if known is None and not (space and word.isalpha()):
            return None  # 12px, 5-fold: no figure
        unit = word if known is None else known
    value = float(digits)
    return (value, unit) if math.isfinite(value) else None


class TimedValues(NamedTuple):
    """Values that bear their own time. NaN: a value that is missing."""

    time_us: int
    values: list[float]


def read_timed(text: str, arrival_us: int) -> TimedValues | None:
    """Seconds since the epoch, then values, with colons between: `1795419131.091:1.64:0.80`. None for everything else."""
    if len(text) > 1_000 or not _TIMED.fullmatch(text):
        return None
    try:
        time, *values = map(float, text.split(":"))
    except ValueError:
        return None
    time_us = read_time(time, arrival_us)
    return (
        None if time_us is None else TimedValues(time_us, [one if math.isfinite(one) else math.nan for one in values])
    )


def number_of(value: object) -> float | None:
    """A finite float of a JSON number; None for everything else, truths included."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


@lru_cache(4_096)
def _tells_moment(name: str) -> bool:
    return re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())[-1] in _MOMENTS


def drop_moments(names: list[str], values: list[float], arrival_us: int) -> bool:
    """Take out what is a time of day by its name and its size: `last_seen`, `_timestamp`, and that of ROS. Answers whether there
    was any."""
    halves = [at for at, name in enumerate(names) if name.endswith(_HALVES)]
    for at in reversed(halves):
        del names[at], values[at]
    return _drop_moments(names, values, arrival_us) or bool(halves)


def _drop_moments(names: list[str], values: list[float], arrival_us: int) -> bool:
    if not any(map(_tells_moment, names)):
        return False
    found = [
        at for at, name in enumerate(names) if _tells_moment(name) and read_time(values[at], arrival_us) is not None
    ]
    for at in reversed(found):
        del names[at], values[at]
    return bool(found)


def flatten(
    value: dict[str, Any], prefix: str, names: list[str], values: list[float], depth: int = DEEPEST,
    unread: frozenset[str] = frozenset(),
) -> None:  # fmt: skip
    """Append the numbers of a decoded object and of the objects in it, under dotted names. Lists are left out, and so are the
    keys `unread` of the objects in it."""
    for key, one in value.items():
        kind = type(one)  # exact types are all that JSON gives, and the quickest to tell apart
        if kind is str or kind is bool or one is None or (key in unread and depth < DEEPEST):
            continue
        name = f"{prefix}.{key}" if prefix else key
        if kind is dict:
            if depth > 1:
                flatten(one, name, names, values, depth - 1, unread)
            continue
        number = one if kind is float else number_of(one)
        if number is not None:
            names.append(name)
            values.append(number)


def time_in(body: dict[str, Any], arrival_us: int) -> tuple[str | None, int]:
    """Key and value of the payload's own time; arrival where it has none. A `t` that is no time is a figure."""
    for key in TIME_KEYS:
        if key in body:
            found = read_time(body[key], arrival_us)
            if found is not None:
                return key, found
    return None, arrival_us


def contract_unit(metric: str) -> tuple[str, SeriesKind]:
    """Unit and kind of a name of our own contract; other names as in any payload."""
    if metric in _CONTRACT_COUNTERS:
        return _CONTRACT_COUNTERS[metric], SeriesKind.COUNTER
    if metric in _CONTRACT_UNITS:
        return _CONTRACT_UNITS[metric], SeriesKind.GAUGE
    return unit_of(metric)
