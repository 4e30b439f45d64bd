"""Log records whose parts stand somewhere else, laid out as all others: level, message, timestamp, logger and err at the top,
what a caller attached beside them."""

import re
from collections.abc import Callable
from typing import Any

from mqtt.reading.decode import compact
from mqtt.reading.log_levels import LEVEL_WORDS

_Record = dict[str, Any]
_PLACE = re.compile(r"%[sdifjoO]")
_HOLE = re.compile(r"\{[@$]?(\w+)(?:,-?\d+)?(?::[^{}]*)?\}")
_CONSOLA = ("error", "warn", "info", "info", "debug", "trace")
_JAVA_ONLY = frozenset(("instant", "timeMillis", "loggerName", "thrown", "endOfBatch", "loggerFqcn", "threadId", "threadPriority"))  # fmt: skip


def unfolded(record: _Record) -> _Record:
    """The record itself where it needs no laying out."""
    for key, unfold in _ENVELOPES.items():
        if key in record:
            found = unfold(record)
            if found is not None:
                return found
    return record


def _loguru(record: _Record) -> _Record | None:
    inner = record["record"]
    if not isinstance(inner, dict) or not isinstance(inner.get("level"), dict):
        return None
    raised, time = inner.get("exception"), inner.get("time")
    found = {
        **_dict(inner.get("extra")), "level": inner["level"].get("name"), "message": inner.get("message"),
        "logger": inner.get("name"), "function": inner.get("function"), "line": inner.get("line"),
        "timestamp": time.get("timestamp") if isinstance(time, dict) else None,
    }  # fmt: skip
    if isinstance(raised, dict):
        below = record["text"].partition("\n")[2] if isinstance(record.get("text"), str) else ""
        found["err"] = {"type": raised.get("type"), "message": raised.get("value"), "stack": below or None}
    return found


def _log4js(record: _Record) -> _Record | None:
    level, data = record.get("level"), record.get("data")
    if not isinstance(level, dict) or not isinstance(data, list):
        return None
    rest = _without(record, "startTime", "categoryName", "level", "data", "context", "error")
    raised = next((one for one in data if isinstance(one, dict) and isinstance(one.get("stack"), str)), None)
    return {
        **_dict(record.get("context")), **rest, "level": level.get("levelStr"), "message": _formatted(data),
        "timestamp": record.get("startTime"), "logger": record["categoryName"], "err": raised,
    }  # fmt: skip


def _consola(record: _Record) -> _Record | None:
    kind, number, args = record.get("type"), record.get("level"), record["args"]
    if not isinstance(kind, str) or type(number) is not int or not isinstance(args, list) or "date" not in record:
        return None
    word = kind if kind in LEVEL_WORDS else _CONSOLA[number] if 0 <= number < len(_CONSOLA) else "info"
    rest = _without(record, "type", "args", "date", "tag", "level")
    return {
        **rest,
        "level": word,
        "message": _formatted(args),
        "timestamp": record["date"],
        "logger": record.get("tag") or None,
    }


def _tslog(record: _Record) -> _Record | None:
    meta = record.get("_meta", record.get("_logMeta"))
    if not isinstance(meta, dict) or not isinstance(meta.get("logLevelName"), str):
        return None
    numbered = [record[key] for key in map(str, range(len(record))) if key in record]
    rest = {key: one for key, one in record.items() if not key.isdigit() and key not in ("_meta", "_logMeta")}
    raised = next((one for one in numbered if isinstance(one, dict) and "nativeError" in one), None)
    objects = [one for one in numbered if isinstance(one, dict) and one is not raised]
    return {
        **(objects[0] if len(objects) == 1 else {}), **rest, "level": meta["logLevelName"],
        "message": _formatted([one for one in numbered if one is not raised and one not in objects] or objects or [rest]),
        "timestamp": meta.get("date"), "logger": meta.get("name"),
        "err": raised and {"name": raised.get("name"), "message": raised.get("message")},
    }  # fmt: skip


def _fields(record: _Record) -> _Record | None:
    """`logstash` of winston, and Rust's `tracing`."""
    inner = record.get("@fields", record.get("fields"))
    if not isinstance(inner, dict):
        return None
    if "@message" in record:
        return {**inner, **_without(record, "@fields", "@message"), "message": record["@message"]}
    if isinstance(record.get("level"), str) and isinstance(inner.get("message"), str):
        return {**inner, **_without(record, "fields")}
    return None


def _log4j(record: _Record) -> _Record | None:
    instant, thrown = record.get("instant"), record.get("thrown")
    if not isinstance(record.get("level"), str):
        return None
    time = record.get("timeMillis")
    if isinstance(instant, dict) and type(instant.get("epochSecond")) is int:
        nanos = instant.get("nanoOfSecond")
        time = instant["epochSecond"] + (nanos / 1e9 if type(nanos) is int else 0)
    found = {key: one for key, one in record.items() if key not in _JAVA_ONLY}
    if isinstance(thrown, dict):
        stack = thrown.get("extendedStackTrace")
        told = {"type": thrown.get("name"), "message": thrown.get("message")}
        found["err"] = told | ({"stack": stack} if isinstance(stack, str) else {})
    return {**found, "timestamp": time, "logger": record["loggerName"]}


def _serilog(record: _Record) -> _Record | None:
    properties = _dict(record.get("Properties"))
    rest = _without(record, "Timestamp", "Level", "MessageTemplate", "RenderedMessage", "Properties", "Exception")
    text = record.get("RenderedMessage") or rendered(record["MessageTemplate"], properties)
    return {
        **properties, **rest, "level": record.get("Level", "Information"), "message": text,
        "timestamp": record.get("Timestamp"), "exception": record.get("Exception"),
    }  # fmt: skip


def _dotnet(record: _Record) -> _Record | None:
    if not isinstance(record["LogLevel"], str) or "Message" not in record:
        return None
    state = {key: one for key, one in _dict(record.get("State")).items() if key not in ("Message", "{OriginalFormat}")}
    rest = _without(record, "LogLevel", "Category", "Message", "State", "Exception", "Timestamp")
    return {
        **state, **rest, "level": record["LogLevel"], "message": record["Message"], "logger": record.get("Category"),
        "timestamp": record.get("Timestamp"), "exception": record.get("Exception"),
    }  # fmt: skip


def _roarr(record: _Record) -> _Record | None:
    context = record["context"]
    if not isinstance(context, dict) or type(context.get("logLevel")) is not int:
        return None
    logger = context.get("namespace", context.get("package"))
    rest = _without(record, "context", "sequence", "version")
    return {
        **_without(context, "logLevel", "namespace", "package"),
        **rest,
        "level": context["logLevel"],
        "logger": logger,
    }


def rendered(template: object, values: _Record) -> object:
    """A Serilog message: `User {Id} came` with the values in place."""
    if not isinstance(template, str) or "{" not in template:
        return template
    return _HOLE.sub(lambda hole: _text(values[hole[1]]) if hole[1] in values else hole[0], template)


def _formatted(args: list[Any]) -> str:
    """As Node's `util.format` does, in short: what the first text has a place for goes there, the rest follows."""
    rest = iter(args[1:])
    first = _text(args[0]) if args else ""
    if args and isinstance(args[0], str) and "%" in first:
        first = _PLACE.sub(lambda place: _text(next(rest, place[0])), first)
    return " ".join([first, *map(_text, rest)])


def _text(value: object) -> str:
    return value if isinstance(value, str) else compact(value)


def _dict(value: object) -> _Record:
    return value if isinstance(value, dict) else {}


def _without(record: _Record, *keys: str) -> _Record:
    return {key: one for key, one in record.items() if key not in keys}


_ENVELOPES: dict[str, Callable[[_Record], _Record | None]] = {
    "record": _loguru, "categoryName": _log4js, "args": _consola, "_meta": _tslog, "_logMeta": _tslog, "@fields": _fields,
    "fields": _fields, "loggerName": _log4j, "MessageTemplate": _serilog, "LogLevel": _dotnet, "context": _roarr,
}  # fmt: skip
ENVELOPES = frozenset(_ENVELOPES)
"""A record without any of these keys needs no laying out."""
