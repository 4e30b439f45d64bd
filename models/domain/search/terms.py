"""What a query says, as a tree. Pure data; any thread.

A query in words: `level:error agent:planner-* "timed out" NOT retry latency>200 after:10m`. What stands side by side must all
hold; `OR`, `NOT` (or `-` before) and brackets do what they say.
"""

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from models.domain.records import Level


class Comparison(StrEnum):
    """How a field is compared. `IS` knows `*` for any text, and is the only one for texts."""

    IS = ":"
    NOT = "!="
    MORE = ">"
    AT_LEAST = ">="
    LESS = "<"
    AT_MOST = "<="


class Place(StrEnum):
    """Fields that every record has. All others are attributes: `http.status` is `{"http": {"status": …}}`, or a key with a dot in
    it. An attribute called like one of these is reached as `attributes.level`."""

    LEVEL = "level"
    AGENT = "agent"
    LOGGER = "logger"
    TEXT = "text"
    ERROR = "error"
    STACK = "stack"


ATTRIBUTES = "attributes."
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_OWN_WORDS = {*Place, "after", "before"}


def attribute(path: str) -> str:
    """The field that a query names an attribute by. Only where the path alone would mean something else stands more before it."""
    return f"{ATTRIBUTES}{path}" if path.casefold() in _OWN_WORDS or path.startswith(ATTRIBUTES) else path


def number_in(text: str) -> float | None:
    """The number that a text is, as people and programs write them: neither `1_000` nor `inf`."""
    return float(text) if _NUMBER.fullmatch(text) and math.isfinite(float(text)) else None


@dataclass(frozen=True, slots=True)
class Anywhere:
    """A text that stands in the record's text, logger or error, whatever its case."""

    text: str


@dataclass(frozen=True, slots=True)
class LevelIs:
    comparison: Comparison
    level: Level


@dataclass(frozen=True, slots=True)
class Arrived:
    """Before or after a moment, µs UTC."""

    comparison: Comparison  # AT_LEAST or LESS
    moment_us: int


@dataclass(frozen=True, slots=True)
class FieldIs:
    """The text of a field, whatever its case: the whole of it, with `*` for any part of it; of `text`, `error` and `stack`
    something in it is enough. `field:*` holds where there is one."""

    field: str
    parts: tuple[str, ...]  # what stands between the stars


@dataclass(frozen=True, slots=True)
class FieldCompares:
    """A number in a field, or a text that is one."""

    field: str
    comparison: Comparison
    number: float


@dataclass(frozen=True, slots=True)
class Not:
    term: "Term"


@dataclass(frozen=True, slots=True)
class All:
    terms: "tuple[Term, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    terms: "tuple[Term, ...]"


Term = Anywhere | LevelIs | Arrived | FieldIs | FieldCompares | Not | All | Either
"""`All(())` holds for every record."""
EVERYTHING = All(())
