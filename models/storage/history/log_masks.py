"""What the columns of a sealed segment tell of a query: of every record of a part that it meets it, that it does not, or that one
has to look."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.records import Level
from models.domain.search.matching import COMPARED, Record, test_of
from models.domain.search.terms import (
    ATTRIBUTES,
    All,
    Comparison,
    Either,
    FieldCompares,
    FieldIs,
    LevelIs,
    Not,
    Place,
    Term,
    attribute,
)
from models.storage.sealing.log_field_reading import FieldColumn, LogFields, LogPart
from models.storage.sealing.log_fields import Kind, hash_of

Mask = npt.NDArray[np.bool_]
_WITHOUT_COLUMN = {Place.AGENT, Place.TEXT, Place.STACK}
_MEETS: dict[Comparison, Callable[[Any, Any], Any]] = {**COMPARED}
"""Of arrays, too."""
_MORE = (Comparison.MORE, Comparison.AT_LEAST)


class Masks(NamedTuple):
    """Of every record of a part: may it meet the query, and does it surely?"""

    possible: Mask
    sure: Mask


def speaks_of_columns(term: Term) -> bool:
    """Is it worth while to ask the columns?"""
    match term:
        case Not(inner):
            return speaks_of_columns(inner)
        case All(terms) | Either(terms):
            return any(map(speaks_of_columns, terms))
        case FieldIs(field, _) | FieldCompares(field, _, _):
            return field not in _WITHOUT_COLUMN
        case _:
            return False


def masks(fields: LogFields, part: LogPart, term: Term) -> Masks:
    """Raises what reading raises."""
    match term:
        case Not(inner):
            possible, sure = masks(fields, part, inner)
            return Masks(~sure, ~possible)
        case All(terms) | Either(terms):
            every, joins = isinstance(term, All), np.logical_and if isinstance(term, All) else np.logical_or
            found = Masks(np.full(part.n, every), np.full(part.n, every))
            for one in terms:
                more = masks(fields, part, one)
                joins(found.possible, more.possible, out=found.possible)
                joins(found.sure, more.sure, out=found.sure)
                if every and not found.possible.any():
                    break
            return found
        case LevelIs(comparison, level):
            told = _MEETS[comparison](fields.levels(part), level)
            return Masks(told, told.copy())
        case FieldIs(field, _) | FieldCompares(field, _, _) if field not in _WITHOUT_COLUMN:
            return _of_field(fields, part, term)
        case _:
            return Masks(np.ones(part.n, bool), np.zeros(part.n, bool))


def _of_field(fields: LogFields, part: LogPart, term: FieldIs | FieldCompares) -> Masks:
    found = Masks(np.zeros(part.n, bool), np.zeros(part.n, bool))
    own = term.field in {*Place}
    name = term.field if own else attribute(term.field.removeprefix(ATTRIBUTES))
    for column in fields.columns(part, name):
        if column.kind == Kind.ODD:
            found.possible[column.rows] = True
            continue
        possible, sure = _told(column, term)
        if possible.any():
            rows = column.rows
            found.possible[rows[possible]] = True
            found.sure[rows[sure]] = True
    if not own:
        unindexed = fields.unindexed(part)
        found.possible[unindexed] = True
        found.sure[unindexed] = False
    return found


def _told(column: FieldColumn, term: FieldIs | FieldCompares) -> Masks:
    """Of every value of a column that is not odd. What is said here of numbers is what `matching` says of them."""
    n = len(column.values)
    every, none = np.ones(n, bool), np.zeros(n, bool)
    if column.kind == Kind.WORD:
        test = _test_of_word(term)
        met = np.array([test(word) for word in column.words], bool)[column.values]
        return Masks(met, met)
    if isinstance(term, FieldCompares):
        if column.kind == Kind.HASH:
            return Masks(every, none)
        return _compared(column, term)
    if len(term.parts) > 1:  # with stars
        return Masks(every, every if column.kind == Kind.WHOLE and term.parts == ("", "") else none)
    text = term.parts[0]
    if column.kind == Kind.HASH:
        inside = term.field == Place.ERROR  # where a part of the text is enough
        return Masks(every if inside else column.values == hash_of(text), none)
    try:
        number = float(text)
    except ValueError:
        return Masks(none, none)
    if column.kind == Kind.FRACTION:
        return Masks(column.values == _nearest(number), none)
    if text != json.dumps(int(number) if number.is_integer() else number):
        return Masks(none, none)
    equal = _MEETS[Comparison.IS](column.values, number)
    return Masks(equal, equal)


def _compared(column: FieldColumn, term: FieldCompares) -> Masks:
    if column.kind == Kind.WHOLE:
        met = _MEETS[term.comparison](column.values, term.number)
        return Masks(met, met)
    near = _nearest(term.number)  # rounding keeps the order: only what is rounded to the same may be either
    beyond, same = (column.values > near if term.comparison in _MORE else column.values < near), column.values == near
    return Masks(beyond | same, beyond)


def _nearest(number: float) -> Any:
    with np.errstate(over="ignore"):
        return np.float32(number)


def _test_of_word(term: FieldIs | FieldCompares) -> Callable[[Any], bool]:
    """The query itself decides about a value that was kept as it is."""
    test = test_of(term)
    blank = Record(0, (), Level.INFO, "", "", "", "", "")
    if term.field in {*Place}:
        return lambda word: test(blank._replace(**{term.field: word}))
    name = term.field.removeprefix(ATTRIBUTES)
    return lambda word: test(blank._replace(attributes=json.dumps({name: word}, ensure_ascii=False)))
