"""Severity words and numbers of many loggers, folded to one scale."""

import re
from collections.abc import Mapping

from models.domain.records import Level

_FOLD = {
    Level.TRACE: "trace silly finest vv trc trce",
    Level.DEBUG: "debug verbose fine v d dbg dbug vrb",
    Level.INFO: "info information informational notice http success i c inf",
    Level.WARN: "warn warning w wrn",
    Level.ERROR: "error err exception severe e fail",
    Level.FATAL: "fatal critical crit alert emerg emergency panic f ftl",
}
LEVEL_WORDS = {word: level for level, words in _FOLD.items() for word in words.split()}
SYSLOG_LEVELS = (Level.FATAL, Level.FATAL, Level.FATAL, Level.ERROR, Level.WARN, Level.INFO, Level.INFO, Level.DEBUG)
_STEPS = (Level.TRACE, Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR, Level.FATAL)
_IN_LINE = re.compile(
    r"\b(TRACE|DEBUG|VERBOSE|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b"
    r"|\[\s*(trace|debug|verbose|info|notice|warn|warning|error|critical|fatal)\s*\]"
    r"|\blevel=\"?([A-Za-z]+)|^\[([DWEIV]|VV|C)\]\[",
    re.MULTILINE,
)


def level_of(value: object, keys: Mapping[str, object]) -> Level | None:
    """Level of a record's level value; `keys` (the record) tell which logger's numbers they are."""
    if isinstance(value, str):
        word = value.strip().casefold()
        if not (word.isascii() and word.isdigit() and len(word) < 4):
            return LEVEL_WORDS.get(word)
        value = int(word)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return _of_number(value, keys)


def level_in_line(text: str) -> Level | None:
    """Level that the first line of a text log record names, else None."""
    found = _IN_LINE.search(text.partition("\n")[0][:200])
    if found is None:
        return None
    return LEVEL_WORDS.get(next(word for word in found.groups() if word is not None).casefold())


def _of_number(number: int, keys: Mapping[str, object]) -> Level | None:
    if "severityNumber" in keys:
        return _STEPS[(number - 1) // 4] if 1 <= number <= 24 else None
    if "short_message" in keys or keys.get("version") == "1.1" or number < 8:
        return SYSLOG_LEVELS[number] if number < 8 else None
    if not 10 <= number < 100:
        return None  # a tank's level, no severity
    python = "levelno" in keys or "levelname" in keys
    return _STEPS[min(5, number // 10 if python else number // 10 - 1)]
