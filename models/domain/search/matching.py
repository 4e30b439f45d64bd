"""Does a record meet a query? Every search ends here, whatever index brought the record."""

import json
import math
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from models.domain.queries import LogLine
from models.domain.records import Level
from models.domain.search.terms import (
    ATTRIBUTES,
    All,
    Anywhere,
    Arrived,
    Comparison,
    Either,
    FieldCompares,
    FieldIs,
    LevelIs,
    Not,
    Place,
    Term,
    number_in,
)

Test = Callable[["Record"], bool]
_NOTHING: Any = object()
COMPARED: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.IS: operator.eq, Comparison.MORE: operator.gt, Comparison.AT_LEAST: operator.ge, Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
}  # fmt: skip
_HOLD = (Place.TEXT, Place.ERROR, Place.STACK)


class Record(NamedTuple):
    """What is asked of a log record. `agent`: all that its agent is called."""

    received_us: int
    agents: tuple[str, ...]
    level: Level
    logger: str
    text: str
    error: str
    stack: str
    attributes: str  # JSON object, or empty


def test_of(term: Term) -> Test:
    """Made once for a query, asked for every record. Attributes are decoded only by what asks for them."""
    match term:
        case All(terms):
            tests = [test_of(one) for one in terms]
            return lambda record: all(test(record) for test in tests)
        case Either(terms):
            tests = [test_of(one) for one in terms]
            return lambda record: any(test(record) for test in tests)
        case Not(inner):
            test = test_of(inner)
            return lambda record: not test(record)
        case Anywhere(text):
            return _anywhere(text.casefold())
        case LevelIs(comparison, level):
            compares = COMPARED[comparison]
            return lambda record: compares(record.level, level)
        case Arrived(comparison, moment_us):
            compares = COMPARED[comparison]
            return lambda record: compares(record.received_us, moment_us)
        case FieldIs(field, parts):
            return _field_is(field, tuple(part.casefold() for part in parts))
        case FieldCompares(field, comparison, number):
            return _field_compares(field, COMPARED[comparison], number)


def _anywhere(needle: str) -> Test:
    def test(record: Record) -> bool:
        return (
            needle in record.text.casefold() or needle in record.logger.casefold() or needle in record.error.casefold()
        )

    return test


def _field_is(field: str, parts: tuple[str, ...]) -> Test:
    if field == Place.AGENT:
        return lambda record: any(_fits(name, parts) for name in record.agents)
    if field in _HOLD:  # in long texts a part is what is meant
        parts = ("", *parts, "") if parts != ("", "") else parts
    if field in {*Place}:
        return lambda record: _fits(getattr(record, field), parts)
    values = values_of(field)
    return lambda record: any(_fits(text, parts) for value in values(record) for text in texts_of(value))


def _field_compares(field: str, compares: Callable[[Any, Any], bool], number: float) -> Test:
    if field in {*Place}:

        def of_place(record: Record) -> bool:
            told = _number("" if field == Place.AGENT else getattr(record, field))
            return told is not None and compares(told, number)

        return of_place
    values = values_of(field)

    def of_attribute(record: Record) -> bool:
        told = [_number(one) for value in values(record) for one in (value if isinstance(value, list) else [value])]
        return any(one is not None and compares(one, number) for one in told)

    return of_attribute


def _fits(text: str, parts: tuple[str, ...]) -> bool:
    """The whole text, between the stars whatever. Without any it is the text; an empty one is none."""
    if not text:
        return False
    folded = text.casefold()
    if len(parts) == 1:
        return folded == parts[0]
    first, *middle, last = parts
    if not folded.startswith(first) or len(folded) < len(first) + len(last) or not folded.endswith(last):
        return False
    at, end = len(first), len(folded) - len(last)
    for part in middle:
        found = folded.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def values_of(field: str) -> Callable[[Record | LogLine], list[Any]]:
    """Every value of an attribute in a record: it stands under its name as it is, or on a way down its dots."""
    name = field.removeprefix(ATTRIBUTES)
    key = json.dumps(name.partition(".")[0], ensure_ascii=False)[1:-1]

    def values(record: Record | LogLine) -> list[Any]:
        if key not in record.attributes:
            return []
        try:
            document = json.loads(record.attributes)
        except (ValueError, RecursionError):
            return []
        return [value for value in _down(document, name.split(".")) if value is not _NOTHING]

    return values


def _down(value: Any, steps: list[str]) -> list[Any]:
    """A key may have dots of its own: every way to part the name is tried, the shortest key first."""
    if not steps:
        return [value]
    if not isinstance(value, Mapping):
        return []
    found = []
    for count in range(1, len(steps) + 1):
        inner = value.get(".".join(steps[:count]), _NOTHING)
        if inner is not _NOTHING:
            found += _down(inner, steps[count:])
    return found


def texts_of(value: Any) -> list[str]:
    """What a value is written as; of a list, every one in it."""
    found, left = list[str](), [value]
    while left:  # lists may be nested deeper than calls can be
        one = left.pop()
        if isinstance(one, list):
            left += reversed(one)
        elif isinstance(one, str):
            found.append(one)
        else:
            with suppress(RecursionError):  # as in `values_of`: what is nested too deep is no text
                found.append(json.dumps(one, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return number_in(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with suppress(OverflowError):
        return float(value) if math.isfinite(value) else None
    return None
