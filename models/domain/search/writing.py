"""Writes a query, so that reading it gives the same tree: what pills are, on their way to the query box."""

import re

from models.domain.search.parsing import NAME
from models.domain.search.terms import (
    All,
    Anywhere,
    Arrived,
    Comparison,
    Either,
    FieldCompares,
    FieldIs,
    LevelIs,
    Not,
    Term,
)
from models.domain.time_range import moment_text

_BARE = re.compile(r"[^\W_][\w./@-]*")
_KEYWORDS = {"AND", "OR", "NOT"}


def written(term: Term) -> str:
    """On one line; what stands side by side in it is not bracketed."""
    return " ".join(_inner(one) for one in term.terms) if isinstance(term, All) else _inner(term, outermost=True)


def _inner(term: Term, *, outermost: bool = False) -> str:
    match term:
        case All(terms):
            return f"({' '.join(_inner(one) for one in terms)})"
        case Either(terms):
            text = " OR ".join(_inner(one) for one in terms)
            return text if outermost else f"({text})"
        case Not(inner):
            return f"NOT {_inner(inner)}"
        case Anywhere(text):
            return text if _BARE.fullmatch(text) and text not in _KEYWORDS else _quoted(text)
        case LevelIs(comparison, level):
            return f"level{comparison}{level.name.lower()}"
        case Arrived(comparison, moment_us):
            return f"{'after' if comparison is Comparison.AT_LEAST else 'before'}:{moment_text(moment_us)}"
        case FieldIs(field, parts):
            return f"{field_text(field)}:{_pattern(parts)}"
        case FieldCompares(field, comparison, number):
            return f"{field_text(field)}{comparison}{repr(number).removesuffix('.0')}"


def field_text(field: str) -> str:
    """The name of a field, before a colon."""
    return field if NAME.fullmatch(field) else _quoted(field)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _pattern(parts: tuple[str, ...]) -> str:
    if parts == ("",):
        return '""'
    return "*".join(part if not part or _BARE.fullmatch(part) else _quoted(part) for part in parts)
