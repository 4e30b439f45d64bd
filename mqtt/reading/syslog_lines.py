"""Lines whose head has a form of its own: syslog's (RFC 5424 and 3164), and that of Ruby's logger. They are told as plain heads."""

import re
from typing import NamedTuple

from models.domain.records import Level
from mqtt.reading.log_levels import SYSLOG_LEVELS

_PRI = re.compile(r"<(\d{1,3})>")
_NEW = re.compile(
    r"1 (?P<time>\S{1,40}) \S{1,255} (?P<name>\S{1,48}) \S{1,128} \S{1,32} (?:-|(?:\[[^\]]{0,1000}\])+) ?"
)
_OLD = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,255} (?P<name>[^\s:\[]{1,48})(?:\[\d+\])?: ?")
_RUBY = re.compile(r"[DIWEFUA], \[(?P<time>\S{1,40}) #\d+\] +(?P<level>[A-Z]+) -- (?P<name>[^:\n]{0,60}): ")
_RUBY_LEVELS = {"DEBUG": Level.DEBUG, "INFO": Level.INFO, "WARN": Level.WARN, "ERROR": Level.ERROR, "FATAL": Level.FATAL,
                "ANY": Level.INFO}  # fmt: skip


class Head(NamedTuple):
    """`time` as it was written, with its day and year; `length`: characters before the message."""

    level: Level
    time: str | None
    logger: str | None
    length: int


def read_head(text: str) -> Head | None:
    """What stands before the message in such a line. Of the old form the year is not told, and the arrival has to do."""
    if text[:1] == "<":
        return _syslog(text)
    found = _RUBY.match(text)
    if found is None or found["level"] not in _RUBY_LEVELS:
        return None
    return Head(_RUBY_LEVELS[found["level"]], found["time"], found["name"] or None, found.end())


def _syslog(text: str) -> Head | None:
    pri = _PRI.match(text)
    if pri is None or int(pri[1]) > 191:
        return None
    level = SYSLOG_LEVELS[int(pri[1]) % 8]
    found = _NEW.match(text, pri.end())
    if found is not None:
        return Head(level, found["time"], None if found["name"] == "-" else found["name"], found.end())
    found = _OLD.match(text, pri.end())
    return Head(level, None, None if found is None else found["name"], pri.end() if found is None else found.end())
