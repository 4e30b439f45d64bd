"""Log records as JSON: one table of keys for winston, pino, bunyan, structlog, python-json-logger, ECS, GELF, zap, Serilog.

An object is a log record if it has a level and a text. Dotted keys may be nested (`log.level`, `{"log": {"level": …}}`).
What no key claims becomes an attribute; so does the level's own word where it is not one of ours. Programs that log an
object instead of a text put what they have to say under `data`: it is the text, and its keys are attributes.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from models.domain.records import Level
from models.domain.timestamps import read_time
from mqtt.reading.decode import compact
from mqtt.reading.generic_topics import agent_in
from mqtt.reading.log_envelopes import ENVELOPES, rendered, unfolded
from mqtt.reading.log_levels import level_of

_LEVELS = ("level", "levelname", "severityNumber", "severity", "severity_text", "severityText", "log.level", "lvl",
           "loglevel", "log_level", "logLevel", "@l", "levelno", "Level", "PRIORITY")  # fmt: skip
_TEXTS = ("message", "msg", "event", "short_message", "@m", "@mt", "text", "body", "Message", "MESSAGE", "log")
_TIMES = (
    "ts",
    "time",
    "timestamp",
    "@timestamp",
    "@t",
    "asctime",
    "datetime",
    "t",
    "date",
    "Timestamp",
    "Time",
    "__REALTIME_TIMESTAMP",
)
_LOGGERS = ("logger", "log.logger", "logger_name", "_logger_name", "target", "SourceContext", "namespace", "name",
            "service", "service.name", "SYSLOG_IDENTIFIER")  # fmt: skip
_NESTED_TEXTS = ("message", "msg", "text")
_NESTED_LOGGERS = ("logger",)  # beside data, a name or a target is the program's own affair
_ERRORS = ("error", "err", "exception", "Exception")
_STACKS = (
    "stack",
    "stack_trace",
    "stacktrace",
    "error.stack_trace",
    "exc_info",
    "exception",
    "Exception",
    "@x",
    "full_message",
)
TELL_TALE = frozenset(("log", "short_message", "@m", "@mt", *_LEVELS))  # an object without any of these has no level
_TOLD_TWICE = ("@timestamp", "timestamp", "log.level", "level")
_NOT_ATTRIBUTES = frozenset(("boot", "seq", "v"))
_GELF_ONLY = frozenset(("version", "short_message", "full_message"))


class LogRecord(NamedTuple):
    """`time_us` is None without a plausible time of its own; `agent` is who a record nested in another says it is of."""

    level: Level
    time_us: int | None
    logger: str | None
    text: str
    error: str | None
    stack: str | None
    attributes: str | None
    agent: str | None = None


class _Fields(NamedTuple):
    """What the key table finds in an object, and the keys it found it by."""

    used: set[str | None]
    time_us: int | None
    logger: str | None
    error: str | None
    stack: str | None


class _Keys(NamedTuple):
    """Of each table the keys that may have a value in a record."""

    levels: tuple[str, ...]
    texts: tuple[str, ...]
    times: tuple[str, ...]
    loggers: tuple[str, ...]
    stacks: tuple[str, ...]
    errors: tuple[str, ...]


_TABLES = _Keys(_LEVELS, _TEXTS, _TIMES, _LOGGERS, _STACKS, _ERRORS)
_KNOWN = frozenset(one for table in _TABLES for key in table for one in (key, key.partition(".")[0]))


def _keys_of(record: dict[str, Any]) -> _Keys:
    """Programs log the same keys again and again, and to look all of the tables up each time would cost most of the reading."""
    return _narrowed(tuple(filter(_KNOWN.__contains__, record)))


@lru_cache(1_024)
def _narrowed(known: tuple[str, ...]) -> _Keys:
    return _Keys(*(tuple(key for key in table if key in known or key.partition(".")[0] in known) for table in _TABLES))


def read_log(record: dict[str, Any], arrival_us: int, needs_level: bool = True) -> LogRecord | None:
    """The log record that an object is, or None. Without `needs_level` (the topic is a log's), INFO stands in for a
    missing level, and a level is enough to be a record. Raises `Unread` for what is nested too deep."""
    if not ENVELOPES.isdisjoint(record):
        record = unfolded(record)
    if needs_level and TELL_TALE.isdisjoint(record):
        return None
    keys = _keys_of(record)
    level_key, level = _level(record, keys)
    if level is None and needs_level and "@mt" not in record and "@m" not in record:
        return None  # Serilog leaves out its normal level
    text_key = _text_key(record, keys)
    if text_key is None and not needs_level and isinstance(record.get("error"), str) and record["error"]:
        text_key, level = "error", Level.ERROR if level is None else level
    if text_key is None:
        if needs_level or level is None or not _is_severity(_get(record, level_key or "")):
            return None
        return _without_text(record, keys, level, level_key, arrival_us)
    if level is None:
        level = Level.INFO
    told = _get(record, text_key)
    used: set[str | None] = {level_key, text_key, _top(text_key)}
    if isinstance(told, dict):
        return _nested(record, keys, told, level, level_key, used, arrival_us)
    found = _fields(record, keys, arrival_us, keys.loggers)
    used |= found.used
    if not used.isdisjoint(("log.level", "log.logger")) or "log.level" in record:
        used.update(("log", *_TOLD_TWICE))  # structlog's own keys beside those of ECS
    text, stack, error = _as_text(rendered(told, record) if text_key == "@mt" else told), found.stack, found.error
    if text_key == "log":
        text = text.rstrip()
    if stack is None and "\nTraceback (most recent call last)" in text:
        text, _, stack = text.partition("\n")
        error = error or error_of_traceback(stack)
    return LogRecord(
        level, found.time_us, found.logger, text, error, stack,
        _packed(_rest(record, used) | _original(record, level_key, level)),
    )  # fmt: skip


def _text_key(record: dict[str, Any], keys: _Keys) -> str | None:
    found = next((key for key in keys.texts if _get(record, key) not in (None, "")), None)
    return None if found == "log" and not isinstance(record["log"], str) else found  # ECS keeps the level there


def _nested(
    record: dict[str, Any], keys: _Keys, inner: dict[str, Any], level: Level, level_key: str | None, used: set[str | None],
    arrival_us: int,
) -> LogRecord:  # fmt: skip
    """An object where the text belongs, as winston writes of `logger.info({agentId, timestamp, data})`: a record of its
    own. What it leaves open is told by the one around it."""
    own = _fields(inner, _keys_of(inner), arrival_us, _NESTED_LOGGERS)
    around = _fields(record, keys, arrival_us, () if own.logger else keys.loggers)
    agent_key, agent = agent_in(inner)
    text_key = next((key for key in _NESTED_TEXTS if isinstance(inner.get(key), str) and inner[key]), None)
    beside = _rest(record, used | around.used) | _original(record, level_key, level)
    text, attributes = _data(inner, _rest(inner, own.used | {agent_key, text_key}), beside, text_key)
    return LogRecord(
        level, around.time_us if own.time_us is None else own.time_us, own.logger or around.logger, text,
        own.error or around.error, own.stack or around.stack, attributes, agent,
    )  # fmt: skip


def _without_text(
    record: dict[str, Any], keys: _Keys, level: Level, level_key: str | None, arrival_us: int
) -> LogRecord:  # fmt: skip
    """A level and no text: pino's `logger.info({data})`, winston's `logger.error(new Error(…))`."""
    found = _fields(record, keys, arrival_us, keys.loggers)
    rest = _rest(record, found.used | {level_key, "message"})
    text, attributes = _data(record, rest, _original(record, level_key, level), None)
    return LogRecord(level, found.time_us, found.logger, text, found.error, found.stack, attributes)


def _data(
    record: dict[str, Any], rest: dict[str, Any], beside: dict[str, Any], text_key: str | None
) -> tuple[str, str | None]:
    """Text and attributes of a record that holds `data`; `rest` are its keys without a meaning of their own, `beside`
    those around it. A key that stands in both keeps `data` in one piece, so that none hides the other."""
    everything = beside | rest
    data = everything.pop("data", None)
    if text_key is not None:
        text = record[text_key]
    elif "data" in record:
        text = _as_text(record["data"])
    else:
        text = compact(everything or record)
    if isinstance(data, dict) and everything.keys().isdisjoint(data):
        everything |= data
    elif data is not None and (text_key is not None or isinstance(data, dict)):
        everything["data"] = data
    return text, _packed(everything)


def error_of_traceback(text: str) -> str | None:
    """The last line of a Python traceback: what was raised."""
    if "Traceback (most recent call last)" not in text:
        return None
    lines = [line for line in text.rstrip().splitlines() if line and not line[0].isspace()]
    return lines[-1] if lines and not lines[-1].startswith("Traceback") else None


def _level(record: dict[str, Any], keys: _Keys) -> tuple[str | None, Level | None]:
    for key in keys.levels:
        level = level_of(_get(record, key), record)
        if level is not None:
            return key, level
    return ("short_message", Level.FATAL) if "short_message" in record and "level" not in record else (None, None)


def _is_severity(value: object) -> bool:
    """Whether a level alone tells a log record: a word, or a number as pino writes it. A small one may be a tank's."""
    return isinstance(value, str) or (isinstance(value, int) and value >= 10)


def _fields(record: dict[str, Any], keys: _Keys, arrival_us: int, loggers: tuple[str, ...]) -> _Fields:
    time_key, time_us = _time(record, keys.times, arrival_us)
    logger_key, logger = _first_text(record, loggers)
    stack_key, stack = _first_text(record, keys.stacks)
    error_key, error, inner_stack = _error(record, keys.errors)
    stack = stack or inner_stack
    if stack is not None and stack_key == "full_message" and "\n" not in stack.strip():
        stack_key = stack = None
    used = {time_key, logger_key, stack_key, error_key}
    return _Fields(used, time_us, logger, error or _error_in(stack), stack)


def _time(record: dict[str, Any], keys: tuple[str, ...], arrival_us: int) -> tuple[str | None, int | None]:
    for key in keys:
        found = read_time(record.get(key), arrival_us)
        if found is not None:
            return key, found
    return None, None


def _error(record: dict[str, Any], keys: tuple[str, ...]) -> tuple[str | None, str | None, str | None]:
    """Key, text and stack of what went wrong."""
    for key in keys:
        value = record.get(key)
        if isinstance(value, list) and value and isinstance(value[0], dict) and "exc_type" in value[0]:
            return key, *_raised(value[-1])
        if isinstance(value, str) and value and "\n" not in value:
            return key, value, None
        if isinstance(value, dict):
            told = [value[name] for name in ("type", "name", "message") if isinstance(value.get(name), str)]
            if "type" in value and "name" in value and len(told) == 3:
                del told[1]
            stack = value.get("stack", value.get("stack_trace"))
            return key, ": ".join(told) or None, stack if isinstance(stack, str) else None
    return None, None, None


def _raised(told: dict[str, Any]) -> tuple[str | None, str | None]:
    """Error and stack of structlog's `dict_tracebacks`."""
    frames = told.get("frames")
    lines = [
        f'  File "{one.get("filename")}", line {one.get("lineno")}, in {one.get("name")}'
        for one in (frames if isinstance(frames, list) else ())
        if isinstance(one, dict)
    ]
    error = ": ".join(one for one in (told.get("exc_type"), told.get("exc_value")) if isinstance(one, str) and one)
    if not lines:
        return error or None, None
    return error or None, "\n".join(["Traceback (most recent call last):", *lines, error])


def _error_in(stack: str | None) -> str | None:
    if not stack:
        return None
    return error_of_traceback(stack) or stack.strip().partition("\n")[0]


def _packed(attributes: dict[str, Any]) -> str | None:
    return compact(attributes) if attributes else None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) and value else compact(value)


def _rest(record: dict[str, Any], used: set[str | None]) -> dict[str, Any]:
    used = used | _NOT_ATTRIBUTES
    if "short_message" not in record:
        return {key: value for key, value in record.items() if value is not None and key not in used}
    return {
        key.removeprefix("_"): value
        for key, value in record.items()
        if value is not None and key not in used and key not in _GELF_ONLY
    }


def _original(record: dict[str, Any], level_key: str | None, level: Level) -> dict[str, Any]:
    """The publisher's own word for the level, where ours hides a difference."""
    word = _get(record, level_key) if level_key else None
    if isinstance(word, str) and word.casefold() not in (level.name.casefold(), "warning", "critical", "information"):
        return {"level": word}
    return {}


def _first_text(record: dict[str, Any], keys: tuple[str, ...]) -> tuple[str | None, str | None]:
    for key in keys:
        value = record.get(key)
        if value is None and "." in key:
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
