"""Log records as text lines: `2026-11-23 07:54:14,459 INFO name: text`, a traceback behind it in the same payload."""

import re

from models.domain.records import Level
from models.domain.timestamps import read_time
from mqtt.reading.log_levels import LEVEL_WORDS, level_in_line
from mqtt.reading.log_shapes import LogRecord, error_of_traceback, read_log
from mqtt.reading.syslog_lines import read_head

_STAMP = re.compile(
    r"\[?(\d{4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z| ?[+-]\d{2}:?\d{2})?)(?:,\d{3})?\]?[\s|:-]*"
)
_TIME_OF_DAY = r"\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?"
_HOUR = re.compile(rf"(?:\[{_TIME_OF_DAY}\]|{_TIME_OF_DAY})[\s|:-]+")
_WORDS = "TRACE|DEBUG|VERBOSE|INFO|NOTICE|SUCCESS|WARN|WARNING|ERROR|CRITICAL|FATAL"
_SHORT = "TRC|VRB|DBG|INF|WRN|ERR|FTL"
_LEVEL = rf"\[?\s*(?P<level>{_WORDS})\s*\]?"
_NAME = r"(?P<name>[A-Za-z_][\w.-]{0,60})"
_AFTER = r"(?:\s*[|:-]+\s*|\s+)"
_HEADS = [
    re.compile(one)
    for one in (
        rf"(?P<level>{_WORDS}):{_NAME}:(?=\S|$)",  # Python's basic format
        rf"(?P<level>{_WORDS})\s*\| (?P<name>[\w.<>]+):[\w<>]+:\d+ - ",  # loguru
        rf"{_LEVEL}\s+\d+ --- \[[^\]]*\]\s+(?P<name>\S+)\s*: ",  # Spring
        rf"\[[^\]\s]*\]\s+(?P<level>{_WORDS})\s+{_NAME} - ",  # logback
        rf"(?P<level>{_WORDS})\s+(?P<name>[\w:]+)\]\s+",  # Rust's env_logger, behind its time
        rf"{_LEVEL}\s*\((?:(?P<name>[^()/\s]+)/)?\d+\):\s+",  # pino-pretty
        rf"\[(?P<level>{_WORDS})\] {_NAME} - ",  # log4js
        r"(?P<level>trce|dbug|info|warn|fail|crit): (?P<name>[\w.]+)\[\d+\]\s+",  # .NET's console
        rf"\[\d\d:\d\d:\d\d (?P<level>{_SHORT})\] |\d{{1,2}}:\d\d[AP]M (?P<other>{_SHORT}) ",  # Serilog, zerolog
        rf"{_LEVEL}\s*\[{_NAME}\]\s*:?\s*",
        rf"{_LEVEL}\s*\|\s*{_NAME}\s*\|\s*",
        rf"{_LEVEL}{_AFTER}(?:{_NAME}:\s+)?",
    )
]
_NAME_FIRST = re.compile(rf"\[?{_NAME}\]?\s*[|:-]?\s*{_LEVEL}{_AFTER}")
_LOWER = re.compile(
    r"\[\s*(?P<level>[A-Za-z]{3,9})\s*\][\s|:-]*|(?P<other>[a-z]+)(?:\s*:\s+|\s+-\s+|\s+)", re.IGNORECASE
)
_SIGNALE = re.compile(rf"(?:\[{_NAME}\] › )?[^\w\s\[{{\"']{{1,2}}\s+(?P<other>[a-z]+)\s{{2,}}")
_KLOG = re.compile(r"(?P<level>[IWEF])\d{4} \d{2}:\d{2}:\d{2}\.\d+\s+\d+ (?P<name>[\w.-]+):\d+\] ")
_PAIR = re.compile(r"([A-Za-z_@][\w.@-]*)=(\"(?:[^\"\\]|\\.)*\"|[^\s\"]*)(?:\s+|$)")
_TEXT_KEYS = frozenset(("msg", "message", "event"))
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_NODE_STACK = re.compile(r"^[ \t]+at \S", re.MULTILINE)
MOST_PAIRS = 100
LONGEST_HEAD = 300
"""Characters before the message: what is looked for there would take long in a longer run of spaces."""


def read_line(text: str, arrival_us: int, certain: bool) -> LogRecord | None:
    """The record that a text is. Unless `certain` (the topic is a log's), it must name its level, and a time or begin
    with the level."""
    if "=" in text and (pairs := _pairs(text)) is not None:
        record = read_log(pairs, arrival_us, needs_level=not certain)
        if record is not None:
            return record
    told = read_head(text)
    if told is not None:
        message, stack, error = _parted(text[told.length :] or text)
        return LogRecord(told.level, read_time(told.time, arrival_us), told.logger, message, error, stack, None)
    stamp = _STAMP.match(text)
    hour = None if stamp else _HOUR.match(text)
    rest = text[stamp.end() :] if stamp else text[hour.end() :] if hour else text
    head = next((found for one in _HEADS if (found := one.match(rest, 0, LONGEST_HEAD))), None)
    if head is None:
        head = _other_head(rest, timed=bool(stamp or hour), certain=certain)
    level = None if head is None else _level_of(head)
    if level is None:
        level = level_in_line(text)
    if not certain and (level is None or not (stamp or head)):
        return None
    logger = None
    if head is not None:
        logger = head.groupdict().get("name")
        behind = None if stamp else _STAMP.match(rest, head.end())  # Django puts the time behind the level
        rest = rest[(behind or head).end() :] or rest
        stamp = stamp or behind
    time_us = read_time(stamp[1].replace("/", "-").replace(" +", "+").replace(" -", "-"), arrival_us) if stamp else None
    message, stack, error = _parted(rest)
    return LogRecord(Level.INFO if level is None else level, time_us, logger, message, error, stack, None)


def _other_head(rest: str, timed: bool, certain: bool) -> "re.Match[str] | None":
    """Heads that prose may begin with, too: they count behind a time, or where the topic is a log's."""
    found = _KLOG.match(rest, 0, LONGEST_HEAD)
    if found is None and timed:
        found = _NAME_FIRST.match(rest, 0, LONGEST_HEAD)
    if found is None and (timed or certain):
        found = _SIGNALE.match(rest, 0, LONGEST_HEAD) or _LOWER.match(rest, 0, LONGEST_HEAD)
        if found is not None and _level_of(found) is None:
            return None
        if found is not None and found.re is _SIGNALE:
            return found
        if found is not None and not timed and found["other"] and ":" not in found[0]:
            return None
    return found


def _level_of(head: "re.Match[str]") -> Level | None:
    told = head.groupdict()
    return LEVEL_WORDS.get((told.get("level") or told.get("other") or "").casefold())


def _parted(text: str) -> tuple[str, str | None, str | None]:
    """Message, stack and error."""
    first, _, below = text.partition("\n")
    if "Traceback (most recent call last)" in below:
        return first, below, error_of_traceback(below)
    if below and _NODE_STACK.search(below):
        return first, below, below.partition("\n")[0] if not below[0].isspace() else first
    return text.rstrip(), None, None


def _pairs(text: str) -> dict[str, object] | None:
    """logfmt: nothing but `key=value`, a level's and a text's among them."""
    found: dict[str, object] = {}
    at = 0
    for _ in range(MOST_PAIRS):
        if at == len(text):
            break
        pair = _PAIR.match(text, at)
        if pair is None:
            return None
        value = pair[2]
        if value[:1] == '"':
            value = _ESCAPED.sub(lambda one: _ESCAPES.get(one[1], one[1]), value[1:-1])
        found[pair[1]] = value
        at = pair.end()
    if at < len(text) or len(found) < 2 or _TEXT_KEYS.isdisjoint(found):
        return None
    if "level" not in found and str(found.get("at", "")).casefold() in LEVEL_WORDS:
        found["level"] = found.pop("at")
    if "when" in found and "time" not in found:
        found["time"] = found.pop("when")
    return found
