"""Which library wrote a log record: told by names that no other uses, or by their order. "" wherever that is not certain."""

import re
from typing import Any

from mqtt.reading.log_levels import LEVEL_WORDS

_OWN_KEYS = {
    "short_message": "gelf", "@mt": "serilog", "MessageTemplate": "serilog", "levelname": "python-logging",
    "ecs.version": "ecs", "log.level": "ecs", "@version": "logstash", "logging.googleapis.com/labels": "google-cloud",
    "logging.googleapis.com/sourceLocation": "google-cloud", "__REALTIME_TIMESTAMP": "journald", "SYSLOG_IDENTIFIER": "journald", "loggerFqcn": "log4j", "_logMeta": "tslog", "categoryName": "log4js",
}  # fmt: skip
_PARTS = {
    ("text", "record"): "loguru", ("fields", "target"): "tracing", ("caller", "ts", "msg"): "zap",
    ("instant", "loggerName"): "log4j", ("event", "timestamp"): "structlog", ("@fields", "@message"): "logstash",
    ("context", "sequence", "version"): "roarr", ("args", "date", "tag", "type"): "consola",
}  # fmt: skip
_OTHER_TIMES = frozenset(("ts", "time", "t", "@timestamp", "date", "datetime", "asctime"))
_LOGURU_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| [A-Z]+ *\| [\w.<>]+:[\w<>]+:\d+ - ")
_PYTHON_LINE = re.compile(
    r"\[?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\b.*?\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b"
    r"|(DEBUG|INFO|WARNING|ERROR|CRITICAL):[A-Za-z_][\w.]*:"
)


def library_of(record: dict[str, Any]) -> str:
    """The library that wrote a JSON log record."""
    for key in record:
        if key in _OWN_KEYS:
            return _OWN_KEYS[key]
    level = record.get("level")
    if type(level) is int and level >= 10:
        return _numbered(record) if level <= 60 else ""
    if isinstance(record.get("ecs"), dict) and isinstance(record.get("log"), dict):
        return "ecs"
    for keys, library in _PARTS.items():
        if all(key in record for key in keys):
            return library
    return _worded(record, level) if isinstance(level, str) else ""


def library_of_line(text: str) -> str:
    """The library that wrote a line of text."""
    first = text.partition("\n")[0][:200]
    if _LOGURU_LINE.match(first):
        return "loguru"
    return "python-logging" if _PYTHON_LINE.match(first) else ""


def _numbered(record: dict[str, Any]) -> str:
    """Levels from 10 to 60: bunyan says its version, pino the milliseconds of its time."""
    if "v" in record and "hostname" in record and "name" in record:
        return "bunyan"
    return "pino" if isinstance(record.get("time"), int | str) and not {"msg", "pid"}.isdisjoint(record) else ""


def _worded(record: dict[str, Any], level: str) -> str:
    """Levels as words, and the rest much alike: the order tells. winston sorts its keys, and so does logrus."""
    keys = list(record)
    if "message" in record:
        others = not _OTHER_TIMES.isdisjoint(record)
        known = level in LEVEL_WORDS and ("timestamp" in record or "service" in record) and "logger" not in record
        return "winston" if known and not others and keys == sorted(keys) else ""
    if "msg" not in record or not isinstance(record.get("time"), str):
        return ""
    if keys[:3] == ["time", "level", "msg"] and level.isupper():
        return "slog"
    if keys[:2] == ["level", "time"] and keys[-1] == "msg":
        return "pino"
    return "logrus" if keys == sorted(keys) and level.islower() else ""
