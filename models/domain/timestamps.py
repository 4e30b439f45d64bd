"""Times as agents write them: Unix time in any unit, ISO 8601 with or without a zone. Arrival time is the judge.

The unit of a number follows from its size: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else
nanoseconds. Nothing further than ten years from arrival is believed.
"""

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo

PLAUSIBLE_US = 3_653 * 86_400 * 1_000_000
"""Ten years: what lies further from arrival is no time."""
UNZONED_NEAR_US = 120 * 1_000_000
"""A time without zone is believed where it comes this close to arrival, as UTC or else as local time."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNZONED_EPOCH = _EPOCH.replace(tzinfo=None)


def read_time(value: object, arrival_us: int, local: tzinfo | None = None) -> int | None:
    """Microseconds UTC that `value` names, or None where it is no plausible time.

    `local` is the zone tried for times without one (None: the zone of this computer).
    """
    if (
        type(value) is float or type(value) is int
    ):  # exact types are all that JSON gives, and the quickest to tell apart
        found = from_epoch(value)
    elif isinstance(value, str):
        found = _from_text(value.strip(), arrival_us, local)
    else:
        return None
    return found if found is not None and -PLAUSIBLE_US <= found - arrival_us <= PLAUSIBLE_US else None


def utc_text(time_us: int) -> str:
    """ISO 8601 in UTC with microseconds, such as "2026-11-23T14:03:05.000000Z". For times that `read_time` believes."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_epoch(value: float) -> int | None:
    """Microseconds of a Unix time, its unit told by its size; None for what no clock shows."""
    if not 0 < value < 1e20:  # refuses NaN too
        return None
    if value < 1e11:
        return round(value * 1_000_000)
    if value < 1e14:
        return round(value * 1_000)
    if value < 1e17:
        return round(value)
    return int(value) // 1_000 if math.isfinite(value) else None


def _from_text(text: str, arrival_us: int, local: tzinfo | None) -> int | None:
    if "-" not in text:
        known = _NUMBER.fullmatch(text) is not None
        return from_epoch(int(text) if text.isdigit() else float(text)) if known else None
    if len(text) > 40 or not _ISO.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return _since(_EPOCH, moment)
    as_utc = _since(_UNZONED_EPOCH, moment)
    if as_utc is not None and abs(as_utc - arrival_us) <= UNZONED_NEAR_US:
        return as_utc
    try:
        there = _since(_EPOCH, moment.replace(tzinfo=local) if local is not None else moment.astimezone())
    except (OverflowError, OSError, ValueError):  # years that this computer's zone does not know
        return None
    return there if there is not None and abs(there - arrival_us) <= UNZONED_NEAR_US else None


def _since(epoch: datetime, moment: datetime) -> int | None:
    """In microseconds."""
    try:
        past = moment - epoch
    except OverflowError:  # 0001-01-01 with a zone east of Greenwich
        return None
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds
