"""Where a time axis has its ticks and what they say, in local time, from one second to many days."""

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from PySide6.QtCore import QDate, QLocale

SECOND_US = 1_000_000
_DAY_S = 86_400
_YEAR_TOLD_S = 28 * _DAY_S
"""From such steps on ticks bear their year: seven of them may tell of seven years."""
# every step divides the next coarser unit, so that ticks fall on round local times
_STEPS_S = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800,
    3_600, 7_200, 10_800, 21_600, 43_200, _DAY_S, 2 * _DAY_S, 7 * _DAY_S, 14 * _DAY_S, 28 * _DAY_S, 91 * _DAY_S, 364 * _DAY_S,
)  # fmt: skip


class TimeTick(NamedTuple):
    """`strong` marks the beginning of a day."""

    at_us: int
    label: str
    strong: bool


def tick_step_s(span_us: int, most: int) -> float:
    """The finest step that gives at most `most` ticks."""
    span_s = span_us / SECOND_US
    return next((step for step in _STEPS_S if span_s / step <= most), _STEPS_S[-1])


def time_ticks(since_us: int, until_us: int, most: int, zone: tzinfo | None = None) -> list[TimeTick]:
    """Ticks in [since, until], at most about `most`, on round times of `zone` (None: this computer's).

    A tick at midnight bears the date. Hours that a clock change skips have no tick.
    """
    if until_us <= since_us or most < 1:
        return []
    step_s = tick_step_s(until_us - since_us, most)
    places = (
        _by_day(since_us, until_us, step_s, zone) if step_s >= 3_600 else _by_step(since_us, until_us, step_s, zone)
    )
    return [_tick(at_us, step_s, zone) for at_us in places]


def day_label(at_us: int, zone: tzinfo | None = None, *, with_year: bool = False) -> str:
    """The date of a moment, short, in the language of the window."""
    local = datetime.fromtimestamp(at_us / SECOND_US, zone)
    return QLocale().toString(QDate(local.year, local.month, local.day), "d MMM yyyy" if with_year else "d MMM")


def _by_step(since_us: int, until_us: int, step_s: float, zone: tzinfo | None) -> list[int]:
    step_us = round(step_s * SECOND_US)
    offset_us = _offset_us(since_us, zone)
    first = -(-(since_us + offset_us) // step_us) * step_us - offset_us
    return list(range(first, until_us + 1, step_us))


def _by_day(since_us: int, until_us: int, step_s: float, zone: tzinfo | None) -> list[int]:
    """Steps of hours and days are counted on the wall: they stay on round hours when the clocks change."""
    start = datetime.fromtimestamp(since_us / SECOND_US, zone).replace(tzinfo=None)
    wall = start.replace(hour=0, minute=0, second=0, microsecond=0)
    days = int(step_s // _DAY_S)
    if days > 1:
        wall -= timedelta(days=wall.toordinal() % days)
    found: list[int] = []
    while True:
        aware = wall.replace(tzinfo=zone) if zone is not None else wall
        at_us = round(aware.timestamp()) * SECOND_US
        if at_us > until_us:
            return found
        exists = datetime.fromtimestamp(at_us / SECOND_US, zone).replace(tzinfo=None, fold=0) == wall
        if at_us >= since_us and exists:
            found.append(at_us)
        wall += timedelta(seconds=step_s)


def _offset_us(at_us: int, zone: tzinfo | None) -> int:
    offset = datetime.fromtimestamp(at_us / SECOND_US, zone).astimezone(zone).utcoffset()
    return round(offset.total_seconds()) * SECOND_US if offset is not None else 0


def _tick(at_us: int, step_s: float, zone: tzinfo | None) -> TimeTick:
    local = datetime.fromtimestamp(at_us // SECOND_US, zone)
    if step_s < 60:
        label = f"{local:%H:%M:%S}"
        if step_s < 1:
            digits = 1 if step_s >= 0.1 else 2 if step_s >= 0.01 else 3
            label += f"{at_us % SECOND_US / SECOND_US:.{digits}f}"[1:]
    else:
        label = f"{local:%H:%M}"
    midnight = (local.hour, local.minute, local.second) == (0, 0, 0) and at_us % SECOND_US == 0
    if not midnight:
        return TimeTick(at_us, label, False)
    return TimeTick(at_us, day_label(at_us, zone, with_year=step_s >= _YEAR_TOLD_S), True)
