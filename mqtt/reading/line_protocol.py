"""InfluxDB's line protocol: `cpu,cpu=cpu-total,host=edge-1 usage_idle=87.2,n=3i 1795420796000000000`, a line for each point."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_LINE = re.compile(
    r"(?P<key>(?:[^\\\s#]|\\.)(?:[^\\\s]|\\.)*+) +(?P<fields>(?:[^\"\s\\]|\\.|\"(?:[^\"\\]|\\.)*+\")++)"
    r"(?: +(?P<time>-?\d{1,20}))?[ \r]*(?:\n|\Z)",
    re.DOTALL,
)
_FIELD = re.compile(
    r"((?:[^\\,=]|\\.)++)=(?:([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[iu]?|[tTfF]|[tT]rue|TRUE|[fF]alse|FALSE"
    r"|\"(?:[^\"\\]|\\.)*+\")(?:,|\Z)",
    re.DOTALL,
)
_REST = re.compile(r"[^\n]*(?:\n|\Z)")
_PAIR = re.compile(r"((?:[^\\,=]|\\.)++)(?:=((?:[^\\,=]|\\.)*+))?(?:,|\Z)")
_ESCAPED = re.compile(r"\\([,= \\\"])")


class Line(NamedTuple):
    """One point. `key` is measurement and tags as they were written; `fields` the numbers alone: truths and texts are no
    figures; `time` digits, or None."""

    key: str
    names: list[str]
    values: list[float]
    time: str | None


def read_lines(text: str) -> Iterator[Line | None]:
    """The points of a message; None in place of a line that is none. Comments and empty lines are skipped."""
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


def unescaped(text: str) -> str:
    """Without the backslashes before commas, equals signs, spaces and quotes."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text
