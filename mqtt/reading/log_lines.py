"""Log records as text lines: `2026-11-23 07:54:14,459 INFO name: text`, a traceback behind it in the same payload."""

import re

from models.domain.records import Level
from models.domain.timestamps import read_time
from mqtt.reading.log_levels import level_in_line
from mqtt.reading.log_shapes import LogRecord, error_of_traceback

_STAMP = re.compile(r"\[?(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?)\]?[\s|:-]*")
_HEAD = re.compile(
    r"\[?(?:TRACE|DEBUG|VERBOSE|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\]?(?:\s*[|:-]+\s*|\s+)"
    r"(?:(?P<name>[A-Za-z_][\w.-]{0,60}):\s+)?"
)


def read_line(text: str, arrival_us: int, certain: bool) -> LogRecord | None:
    """The record that a text is. Unless `certain` (the topic is a log's), it must name its level, and a time or begin
    with the level."""
    level = level_in_line(text)
    stamp = _STAMP.match(text)
    rest = text[stamp.end() :] if stamp else text
    head = _HEAD.match(rest)
    if not certain and (level is None or not (stamp or head)):
        return None
    time_us = read_time(stamp[1], arrival_us) if stamp else None
    message, _, below = rest.partition("\n")
    stack = below if "Traceback (most recent call last)" in below else None
    if stack is None:
        message = rest
    logger = None
    if head is not None:
        logger = head["name"]
        message = message[head.end() :] or message
    error = error_of_traceback(stack) if stack else None
    return LogRecord(Level.INFO if level is None else level, time_us, logger, message, error, stack, None)
