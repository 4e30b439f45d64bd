"""The stretch of time that is looked at, and its text form that people paste to each other.

Text: `live 15m`, or `2026-11-23T14:00:00Z..2026-11-23T14:15:00Z`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from models.domain.problems import trouble

SECOND_US = 1_000_000
UNITS_US = {"s": SECOND_US, "m": 60 * SECOND_US, "h": 3600 * SECOND_US, "d": 86_400 * SECOND_US}
SHORTEST_US = 1_000
LONGEST_US = 20 * 366 * UNITS_US["d"]
_SPAN = re.compile(r"(\d{1,9})\s*([smhd])")
_ARROW = re.compile(r"\s*(?:\.\.|→)\s*")
_DAYS = {"today": 0, "yesterday": 1}
_OF_A_DAY = re.compile(r"(?:(today|yesterday)(?:\s+|$))?(\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?")


@dataclass(frozen=True, slots=True)
class TimeRange:
    """[since_us, until_us) in wall time. `live` means that the end is now and moves with it; then `until_us` was now when
    this was made."""

    since_us: int
    until_us: int
    live: bool

    @property
    def span_us(self) -> int:
        return self.until_us - self.since_us

    def as_text(self) -> str:
        """The pasteable form. A live span is told in the largest unit that divides it."""
        if self.live:
            return f"live {span_text(self.span_us)}"
        return f"{moment_text(self.since_us)}..{moment_text(self.until_us)}"


def live_range(span_us: int, now_us: int) -> TimeRange:
    """The last `span_us` before now."""
    span_us = min(max(span_us, SHORTEST_US), LONGEST_US)
    return TimeRange(now_us - span_us, now_us, live=True)


def fixed_range(since_us: int, until_us: int) -> TimeRange:
    """A stretch that stays where it is; ends in the wrong order are swapped, and it is never empty."""
    since_us, until_us = sorted((since_us, until_us))
    if until_us - since_us < SHORTEST_US:
        middle = (since_us + until_us) // 2
        since_us, until_us = middle - SHORTEST_US // 2, middle + SHORTEST_US // 2
    return TimeRange(since_us, until_us, live=False)


def span_text(span_us: int) -> str:
    """`15m`, `2h`, `7d`; whole seconds at least."""
    seconds = max(1, round(span_us / SECOND_US))
    for letter in "dhm":
        size = UNITS_US[letter] // SECOND_US
        if seconds % size == 0 and not (letter == "d" and seconds == size):  # "24h" is what people say
            return f"{seconds // size}{letter}"
    return f"{seconds}s"


def parse_range(text: str, now_us: int) -> TimeRange:
    """Read the text form; also `15m` alone for `live 15m`, `today`, `yesterday`, and on either side of `..` what `parse_moment`
    reads; a time of day at the end is of the day of the beginning, or of the next.

    Raises `EnvironmentProblem` "time.unreadable".
    """
    cleaned = text.strip()
    span = _SPAN.fullmatch(cleaned.removeprefix("live").strip())
    if span:
        if int(span[1]) == 0:
            raise trouble("time.unreadable", text=cleaned[:80])
        return live_range(int(span[1]) * UNITS_US[span[2]], now_us)
    if cleaned in _DAYS:
        day = _day(now_us, _DAYS[cleaned])
        return fixed_range(_local_us(day, time()), min(_local_us(day + timedelta(days=1), time()), now_us))
    ends = _ARROW.split(cleaned)
    if len(ends) != 2:
        raise trouble("time.unreadable", text=cleaned[:80])
    since_us, until_us = (parse_moment(end, now_us) for end in ends)
    if (end := _OF_A_DAY.fullmatch(ends[1])) and not end[1]:
        day = datetime.fromtimestamp(since_us / 1e6).date()  # noqa: DTZ006 - local, as it was written
        until_us = _local_us(day, _time_of_day(end[2]))
        if until_us < since_us:
            until_us = _local_us(day + timedelta(days=1), _time_of_day(end[2]))
    if since_us == until_us or abs(until_us - since_us) > LONGEST_US:
        raise trouble("time.unreadable", text=cleaned[:80])
    return fixed_range(since_us, until_us)


def parse_moment(text: str, now_us: int) -> int:
    """ISO 8601 (without a zone: this computer's), `now`, `15m`, `2h`, `7d` ago, `14:03` (the last time it was that), `today`,
    `yesterday 14:03`, in microseconds UTC.

    Raises `EnvironmentProblem` "time.unreadable".
    """
    cleaned = text.strip()
    if cleaned == "now":
        return now_us
    ago = _SPAN.fullmatch(cleaned)
    if ago:
        return now_us - int(ago[1]) * UNITS_US[ago[2]]
    try:
        of_a_day = _OF_A_DAY.fullmatch(cleaned) if cleaned else None
        if of_a_day:
            clock = _time_of_day(of_a_day[2] or "0:00")
            at_us = _local_us(_day(now_us, _DAYS.get(of_a_day[1], 0)), clock)
            return at_us if at_us <= now_us or of_a_day[1] else _local_us(_day(now_us, 1), clock)
        return _us(datetime.fromisoformat(cleaned))
    except (ValueError, OverflowError, OSError) as error:
        raise trouble("time.unreadable", text=cleaned[:80]) from error


def _day(now_us: int, ago: int) -> date:
    """So many days before the local day of now."""
    return datetime.fromtimestamp(now_us / 1e6).date() - timedelta(days=ago)  # noqa: DTZ006 - this computer's day is meant


def _time_of_day(text: str) -> time:
    """Raises `ValueError`."""
    return time.fromisoformat(text.zfill(len(text) + (text.find(":") == 1)))


def _local_us(day: date, clock: time) -> int:
    return _us(datetime.combine(day, clock))


def _us(moment: datetime) -> int:
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND_US + since.microseconds


def moment_text(time_us: int) -> str:
    """ISO 8601 in UTC, as exact as it has to be."""
    seconds, rest = divmod(time_us, SECOND_US)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:06d}".rstrip("0") + "Z" if rest else f"{text}Z"
