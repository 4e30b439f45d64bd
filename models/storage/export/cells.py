"""Cells of exported files: how text, times and numbers are written in CSV (RFC 4180) and in JSON lines."""

import base64
import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any

import msgspec

GUARDED = frozenset("=+-@\t\r'")
"""Text that begins so would be a formula in a spreadsheet, or look guarded already: it gets a leading `'`."""
END = "\r\n"

_special = re.compile('[",\r\n]').search
_encode = msgspec.json.Encoder().encode


def text_cell(text: str | None) -> str:
    """Guarded and quoted where needed; empty for none."""
    if not text:
        return ""
    if text[0] in GUARDED:
        text = "'" + text
    if _special(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def float_text(value: float) -> str:
    """The shortest text that reads back as exactly this number."""
    return _encode(value).decode().removesuffix(".0")


def float_texts(values: Sequence[float]) -> list[str]:
    """As `float_text`, for many finite numbers at once."""
    if not values:
        return []
    return (_encode(values).decode()[1:-1] + ",").replace(".0,", ",")[:-1].split(",")


class TimeText:
    """Microseconds as ISO 8601 in UTC. Keeps the text of the seconds it met last."""

    def __init__(self) -> None:
        self._seconds: dict[int, str] = {}

    def __call__(self, us: int) -> str:
        second, rest = divmod(us, 1_000_000)
        text = self._seconds.get(second)
        if text is None:
            if len(self._seconds) > 4_096:
                self._seconds.clear()
            text = self._seconds[second] = _second_text(second)
        return f"{text}{rest:06d}Z"


def _second_text(second: int) -> str:
    try:
        moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=second)
    except OverflowError:  # a clock beyond the years 1 to 9999 is shown as far as it goes
        return "9999-12-31T23:59:59." if second > 0 else "0001-01-01T00:00:00."
    return moment.strftime("%Y-%m-%dT%H:%M:%S.").rjust(20, "0")


def topic_text(topic: bytes) -> str:
    """A topic need not be UTF-8: other bytes become backslash escapes."""
    return topic.decode("utf-8", "backslashreplace")


def payload_text(payload: bytes) -> tuple[str, str]:
    """Payload and its encoding: text where it is UTF-8, else base64."""
    try:
        return payload.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode("ascii"), "base64"


class Kind(Enum):
    """What a column holds."""

    TEXT = 1  # from outside: guarded and quoted
    WORD = 2  # one of our own words
    TIME = 3  # microseconds; 0: none
    NUMBER = 4
    REAL = 5
    FLAG = 6
    JSON = 7  # compact JSON text


class Shape:
    """Columns of a dataset with their kinds, written as CSV or as JSON lines. One thread."""

    def __init__(self, columns: Sequence[tuple[str, Kind]], jsonl: bool) -> None:
        self.jsonl = jsonl
        self.time = TimeText()
        self._names = [name for name, _ in columns]
        turns = self._typed() if jsonl else self._cells()
        self._turns = [turns[kind] for _, kind in columns]

    @property
    def header(self) -> str:
        """First line; empty in JSON lines."""
        return "" if self.jsonl else ",".join(self._names) + END

    def lines(self, rows: Iterable[Sequence[Any]]) -> list[str]:
        """Typed rows as lines of text; None is "no value"."""
        turns, names = self._turns, self._names
        if self.jsonl:
            return [
                _encode({name: turn(value) for name, turn, value in zip(names, turns, row, strict=True)}).decode()
                + "\n"
                for row in rows
            ]
        return [",".join([turn(value) for turn, value in zip(turns, row, strict=True)]) + END for row in rows]

    def _cells(self) -> dict[Kind, Callable[[Any], str]]:
        return {
            Kind.TEXT: text_cell,
            Kind.WORD: lambda value: value or "",
            Kind.TIME: lambda value: self.time(value) if value else "",
            Kind.NUMBER: lambda value: "" if value is None else str(value),
            Kind.REAL: lambda value: "" if value is None else float_text(value),
            Kind.FLAG: lambda value: "true" if value else "false",
            Kind.JSON: text_cell,
        }

    def _typed(self) -> dict[Kind, Callable[[Any], Any]]:
        return {
            Kind.TEXT: lambda value: value,
            Kind.WORD: lambda value: value or None,
            Kind.TIME: lambda value: self.time(value) if value else None,
            Kind.NUMBER: lambda value: value,
            Kind.REAL: lambda value: value,
            Kind.FLAG: bool,
            Kind.JSON: _nested,
        }


def _nested(text: str | None) -> Any:
    """Stored JSON as a value; what is none after all stays text."""
    if not text:
        return None
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return msgspec.Raw(text.encode())
