"""Log records as JSON: one table of keys for winston, pino, bunyan, structlog, python-json-logger, ECS, GELF, zap, Serilog.

An object is a log record if it has a level and a text. Dotted keys may be nested (`log.level`, `{"log": {"level": …}}`).
What no key claims becomes an attribute; so does the level's own word where it is not one of ours.
"""

from typing import Any, NamedTuple

from models.domain.records import Level
from models.domain.timestamps import read_time
from mqtt.reading.decode import compact
from mqtt.reading.log_levels import level_of

_LEVELS = ("level", "levelname", "severityNumber", "severity", "severity_text", "severityText", "log.level", "lvl",
           "loglevel", "log_level", "logLevel", "@l", "levelno")  # fmt: skip
_TEXTS = ("message", "msg", "event", "short_message", "@m", "@mt", "text", "fields.message", "body")
_TIMES = ("ts", "time", "timestamp", "@timestamp", "@t", "asctime", "datetime", "t", "date")
_LOGGERS = ("logger", "log.logger", "logger_name", "_logger_name", "target", "SourceContext", "namespace", "name",
            "service", "service.name")  # fmt: skip
_ERRORS = ("error", "err", "exception")
_STACKS = ("stack", "stack_trace", "stacktrace", "error.stack_trace", "exc_info", "exception", "@x", "full_message")
_TELL_TALE = frozenset(("log", "short_message", "@m", "@mt", *_LEVELS))  # an object without any of these has no level
_NOT_ATTRIBUTES = frozenset(("boot", "seq", "v"))
_GELF_ONLY = frozenset(("version", "short_message", "full_message"))


class LogRecord(NamedTuple):
    """`time_us` is None without a plausible time of its own; `inner` the object under `message` (winston), if any."""

    level: Level
    time_us: int | None
    logger: str | None
    text: str
    error: str | None
    stack: str | None
    attributes: str | None
    inner: dict[str, Any] | None = None


def read_log(record: dict[str, Any], arrival_us: int, needs_level: bool = True) -> LogRecord | None:
    """The log record that an object is, or None. Without `needs_level`, INFO stands in for a missing level.
    Raises `Unread` for what is nested too deep."""
    level_key, level = (None, None) if _TELL_TALE.isdisjoint(record) else _level(record)
    if level is None:
        if needs_level and "@mt" not in record and "@m" not in record:  # Serilog leaves out its normal level
            return None
        level = Level.INFO
    text_key = next((key for key in _TEXTS if _get(record, key) not in (None, "")), None)
    if text_key is None:
        return None
    told = _get(record, text_key)
    used = {level_key, text_key, _top(text_key)}
    if isinstance(told, dict):
        return _nested(record, told, level, level_key, arrival_us)
    time_key, time_us = _time(record, arrival_us)
    logger_key, logger = _first_text(record, _LOGGERS)
    stack_key, stack = _first_text(record, _STACKS)
    error_key, error, inner_stack = _error(record)
    stack = stack or inner_stack
    if stack is not None and stack_key == "full_message" and "\n" not in stack.strip():
        stack_key = stack = None
    used |= {time_key, logger_key, stack_key, error_key}
    if not used.isdisjoint(("log.level", "log.logger")):
        used.add("log")
    return LogRecord(
        level, time_us, logger, told if isinstance(told, str) else compact(told),
        error or _error_in(stack), stack, _attributes(record, used, level_key, level),
    )  # fmt: skip


def _nested(
    record: dict[str, Any], inner: dict[str, Any], level: Level, level_key: str | None, arrival_us: int
) -> LogRecord:
    """Winston's objects under `message`: {agentId, timestamp, data}."""
    data = inner.get("data")
    text = next((inner[key] for key in ("message", "msg", "text") if isinstance(inner.get(key), str)), None)
    if text is None:
        text = data if isinstance(data, str) else compact(inner if data is None else data)
    time_us = _time(inner, arrival_us)[1]
    if time_us is None:
        time_us = _time(record, arrival_us)[1]
    rest = data if isinstance(data, dict) else {}
    stack_key, stack = _first_text(record, _STACKS)
    logger_key, logger = _first_text(record, _LOGGERS)
    attributes = rest | _rest(record, {level_key, "message", _time(record, arrival_us)[0], stack_key, logger_key})
    attributes |= _original(record, level_key, level)
    found = compact(attributes) if attributes else None
    return LogRecord(level, time_us, logger, text, _error_in(stack), stack, found, inner)


def error_of_traceback(text: str) -> str | None:
    """The last line of a Python traceback: what was raised."""
    if "Traceback (most recent call last)" not in text:
        return None
    lines = [line for line in text.rstrip().splitlines() if line and not line[0].isspace()]
    return lines[-1] if lines and not lines[-1].startswith("Traceback") else None


def _level(record: dict[str, Any]) -> tuple[str | None, Level | None]:
    for key in _LEVELS:
        level = level_of(_get(record, key), record)
        if level is not None:
            return key, level
    return ("short_message", Level.FATAL) if "short_message" in record and "level" not in record else (None, None)


def _time(record: dict[str, Any], arrival_us: int) -> tuple[str | None, int | None]:
    for key in _TIMES:
        if key in record:
            found = read_time(record[key], arrival_us)
            if found is not None:
                return key, found
    return None, None


def _error(record: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Key, text and stack of what went wrong."""
    for key in _ERRORS:
        value = record.get(key)
        if isinstance(value, str) and value and "\n" not in value:
            return key, value, None
        if isinstance(value, dict):
            told = [value[name] for name in ("type", "name", "message") if isinstance(value.get(name), str)]
            if "type" in value and "name" in value and len(told) == 3:
                del told[1]
            stack = value.get("stack", value.get("stack_trace"))
            return key, ": ".join(told) or None, stack if isinstance(stack, str) else None
    return None, None, None


def _error_in(stack: str | None) -> str | None:
    if not stack:
        return None
    return error_of_traceback(stack) or stack.strip().partition("\n")[0]


def _attributes(record: dict[str, Any], used: set[str | None], level_key: str | None, level: Level) -> str | None:
    rest = _rest(record, used) | _original(record, level_key, level)
    return compact(rest) if rest else None


def _rest(record: dict[str, Any], used: set[str | None]) -> dict[str, Any]:
    gelf = "short_message" in record
    return {
        (key[1:] if gelf and key[:1] == "_" else key): value
        for key, value in record.items()
        if value is not None and key not in used and key not in _NOT_ATTRIBUTES and not (gelf and key in _GELF_ONLY)
    }


def _original(record: dict[str, Any], level_key: str | None, level: Level) -> dict[str, Any]:
    """The publisher's own word for the level, where ours hides a difference."""
    word = _get(record, level_key) if level_key else None
    if isinstance(word, str) and word.casefold() not in (level.name.casefold(), "warning", "critical", "information"):
        return {"level": word}
    return {}


def _first_text(record: dict[str, Any], keys: tuple[str, ...]) -> tuple[str | None, str | None]:
    for key in keys:
        value = _get(record, key)
        if isinstance(value, str) and value:
            return key, value
    return None, None


def _get(record: dict[str, Any], key: str) -> Any:
    """Value of a key, dotted as it stands or nested."""
    value = record.get(key)
    if value is None and "." in key:
        outer, _, inner = key.partition(".")
        nested = record.get(outer)
        value = nested.get(inner) if isinstance(nested, dict) else None
    return value


def _top(key: str) -> str:
    return key.partition(".")[0]
