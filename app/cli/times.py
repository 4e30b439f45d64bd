"""Times as a person types them: ISO 8601, or how long ago."""

import re
from datetime import UTC, datetime

from models.domain.problems import trouble

_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def parse_time_us(text: str, now_us: int) -> int:
    """Microseconds UTC. ISO 8601 without a zone is local time, a date alone its first moment; `15m`, `2h`, `7d` are ago.

    Raises `EnvironmentProblem` "time.unreadable".
    """
    text = text.strip()
    if ago := _AGO.fullmatch(text):
        return now_us - round(float(ago[1]) * _SECONDS[ago[2]] * 1_000_000)
    if text == "now":
        return now_us
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.astimezone()
        return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
    except (ValueError, OverflowError, OSError) as error:
        raise trouble("time.unreadable", text=text) from error
