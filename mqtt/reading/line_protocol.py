"""InfluxDB's line protocol: `cpu,cpu=cpu-total,host=edge-1 usage_idle=87.2,n=3i 1795420796000000000`, a line for each point."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_LINE = re.compile(
    r"(?P<key>(?:[^\\\s#]|\\.)(?:[^\\\s]++|\\.)*+) +(?P<fields>(?:[^\"\s\\]++|\\.|\"(?:[^\"\\]++|\\.)*+\")++)"
    r"(?: +(?P<time>-?\d{1,20}))?[ \r]*(?:\n|\Z)",
    re.DOTALL,
)
_FIELD = re.compile(
    r"((?:[^\\,=]++|\\.)++)=(?:([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[iu]?|[tTfF]|[tT]rue|TRUE|[fF]alse|FALSE"
    r"|\"(?:[^\"\\]++|\\.)*+\")(?:,|\Z)",
    re.DOTALL,
)
_TRUTHS = frozenset("t T true True TRUE f F false False FALSE".split())
_REST = re.compile(r"[^\n]*(?:\n|\Z)")
_PAIR = re.compile(r"((?:[^\\,=]++|\\.)++)(?:=((?:[^\\,=]++|\\.)*+))?(?:,|\Z)")
_ESCAPED = re.compile(r"\\([,= \\\"])")

_KINDS = {
    "number": rb"([-+]?[.\d][-+.\deE]*+)[iu]?", "text": rb"\"(?:[^\"\\]++|\\.)*+\"", "truth": rb"[a-zA-Z]{1,5}",
}  # fmt: skip
MOST_SHAPES = 512
LONGEST_SHAPE = 2_000
LONGEST_TIME = 21
"""Digits and a sign: what is longer is no moment, and no number that Python reads."""


class Line(NamedTuple):
    """One point. `key` is measurement and tags as they were written; `fields` the numbers alone: truths and texts are no
    figures; `time` digits, or None."""

    key: str
    names: list[str]
    values: list[float]
    time: str | None


def read_lines(text: str) -> Iterator[Line | None]:
    """The points of a message; None in place of a line that is none. Comments and empty lines are skipped."""
    if '"' not in text and "\\" not in text:  # as most are: then every space, comma and equals sign parts something
        for line in text.split("\n"):
            if line and line[0] != "#":
                yield _read_plain(line)
        return
    at, end = 0, len(text)
    while at < end:
        found = _LINE.match(text, at)
        if found is None:
            rest = _REST.match(text, at)
            line = rest.group().strip() if rest else ""
            if line and line[0] != "#":
                yield None
            at = rest.end() if rest and rest.end() > at else end
            continue
        at = found.end()
        key, fields, time = found.groups()
        numbers = _numbers(fields)
        yield None if numbers is None else Line(key, *numbers, time)


def _read_plain(line: str) -> Line | None:
    parts = line.split()
    if len(parts) == 3 and len(parts[2]) <= LONGEST_TIME and parts[2].removeprefix("-").isdecimal():
        key, fields, time = parts
    elif len(parts) == 2:
        key, fields, time = *parts, None
    else:
        return None
    names: list[str] = []
    values: list[float] = []
    for pair in fields.split(","):
        name, _, told = pair.partition("=")
        if not name:
            return None
        if told in _TRUTHS:
            continue
        try:
            value = float(told[:-1] if told[-1:] in ("i", "u") else told)
        except ValueError:
            return None
        if value - value == 0.0:  # finite
            names.append(name)
            values.append(value)
    return Line(key, names, values, time)


def _numbers(fields: str) -> tuple[list[str], list[float]] | None:
    names: list[str] = []
    values: list[float] = []
    at, end = 0, len(fields)
    while at < end:
        found = _FIELD.match(fields, at)
        if found is None:
            return None
        at = found.end()
        name, number = found.groups()
        if number is not None:
            value = float(number)
            if value - value == 0.0:  # finite
                names.append(name if "\\" not in name else unescaped(name))
                values.append(value)
    return names, values


def read_key(key: str) -> tuple[str, dict[str, str]] | None:
    """Measurement and tags of a `Line.key`; None where it is none."""
    measurement, tags, at = "", {}, 0
    while at < len(key):
        found = _PAIR.match(key, at)
        if found is None:
            return None
        name, value = found.groups()
        if at == 0:
            if value is not None:
                return None
            measurement = unescaped(name)
        elif value is None:
            return None
        else:
            tags[unescaped(name)] = unescaped(value)
        at = found.end()
    return measurement, tags


def shape_of(text: str) -> "re.Pattern[bytes] | None":
    """What just such a message looks like, for one point with its time; None for any other. Its groups are the key, the numbers
    in the order of their fields, and the time. Quicker than reading each anew: agents send the same fields each time."""
    found = _LINE.fullmatch(text)
    if found is None or found["time"] is None or len(text) > LONGEST_SHAPE:
        return None
    fields, told, at = found["fields"], [], 0
    while at < len(fields):
        field = _FIELD.match(fields, at)
        if field is None:
            return None
        at = field.end()
        kind = "number" if field[2] else "text" if field[0].rstrip(",")[-1:] == '"' else "truth"
        told.append((field[1], kind))
    return _pattern(tuple(told))


@lru_cache(MOST_SHAPES)
def _pattern(fields: tuple[tuple[str, str], ...]) -> "re.Pattern[bytes]":
    told = b",".join(re.escape(name.encode()) + b"=" + _KINDS[kind] for name, kind in fields)
    return re.compile(rb"((?:[^\\\s]++|\\[^\n])++) " + told + rb" (\d{10,20})\s*")


def unescaped(text: str) -> str:
    """Without the backslashes before commas, equals signs, spaces and quotes."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text
