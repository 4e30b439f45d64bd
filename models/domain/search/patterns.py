"""What many log texts have in common: the words that stay, and stars where numbers, ids and quoted things stand; and what a
facet's value is as a condition."""

import re

from models.domain.search.parsing import LEVELS
from models.domain.search.terms import Comparison, FieldIs, LevelIs, Place, Term

PATTERN = "pattern"
"""The facet of patterns."""
LONGEST_VALUE = 200
"""Of a value as a facet tells it, and of a pattern."""
_CHANGING = re.compile(
    r"""
      "[^"]*" | '[^']*'                                       # what is quoted
    | \b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b  # a UUID
    | (?<![A-Za-z])/[\w.~%-]+(?:/[\w.~%-]*)*(?:\?\S*)?          # a path
    | \bhttps?://\S+
    | \b(?=\w*\d)\w[\w.:+-]*                                  # whatever has a digit in it
    """,
    re.VERBOSE,
)
_STARS = re.compile(r"\*(?:[\s,;:=/-]*\*)+")


def pattern_of(text: str) -> str:
    """Of the first line. A text without anything that changes is its own pattern."""
    line = text.strip().partition("\n")[0][:LONGEST_VALUE]
    return _STARS.sub("*", _CHANGING.sub("*", line)).strip()


def term_of(field: str, value: str) -> Term:
    """The condition that all records of a facet's value meet."""
    if field == PATTERN:
        return FieldIs(Place.TEXT, tuple(value.split("*")))  # and perhaps a few others
    if field == Place.LEVEL:
        return LevelIs(Comparison.IS, LEVELS[value])
    return FieldIs(field, beginning(value))


def beginning(value: str) -> tuple[str, ...]:
    """What a value is looked for by, short enough for a query: of a long one as it begins."""
    return (value,) if len(value) < LONGEST_VALUE else (value[:LONGEST_VALUE], "")
