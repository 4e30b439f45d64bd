"""What every record that a query finds must have: found quickly by an index or in a block, a little too much rather than too
little. Whatever it brings is held against the query itself."""

import json
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from models.domain.records import Level
from models.domain.search.matching import COMPARED, Record, test_of
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
)
from models.storage.history.log_masks import speaks_of_columns

T = TypeVar("T", bound=Hashable)
_OF_NUMBERS = re.compile(r"[\d.e+:,{}\[\]-]+")
SEARCHED = (Place.TEXT, Place.LOGGER, Place.ERROR)


class Narrowing(NamedTuple):
    """`agents` None: whoever. `needles` stand in text, logger or error, `values` in the attributes, both casefolded; `names` stand
    there as they are written, and `of_attributes` is asked of those alone (None: of nothing); `by_columns` is what the columns of a
    sealed segment are asked (None: nothing). Arrival in [since_us, until_us)."""

    agents: frozenset[int] | None
    levels: frozenset[int]
    needles: tuple[str, ...]
    values: tuple[str, ...]
    names: tuple[str, ...]
    of_attributes: Callable[[str], bool] | None
    by_columns: Term | None
    since_us: int
    until_us: int

    @property
    def all_levels(self) -> bool:
        return len(self.levels) == len(Level)


def narrowing(term: Term, names: Mapping[int, tuple[str, ...]]) -> Narrowing:
    """`names`: what every agent is called, by id; 0 for records of nobody."""
    parts = term.terms if isinstance(term, All) else (term,)
    since_us, until_us = 0, 2**62
    for one in parts:
        if isinstance(one, Arrived) and one.comparison is Comparison.AT_LEAST:
            since_us = max(since_us, one.moment_us)
        elif isinstance(one, Arrived):
            until_us = min(until_us, one.moment_us)
    levels = _possible(term, frozenset(map(int, Level)), _levels_of)
    agents: frozenset[int] | None = None
    if speaks_of_agents(term):
        every = frozenset(names)
        agents = _possible(term, every, lambda one: _agents_of(one, names))
        agents = None if agents == every else agents
    needles = tuple(needle for one in parts for needle in _needles(one))
    about = [one for one in parts if isinstance(one, FieldIs | FieldCompares) and one.field not in {*Place}]
    attributes = tuple(_escaped(one.field.removeprefix(ATTRIBUTES).partition(".")[0]) for one in about)
    values = tuple(filter(None, map(_value, about)))
    names_there = tuple(filter(None, attributes))
    by_columns = term if speaks_of_columns(term) else None
    return Narrowing(
        agents, levels, needles, values, names_there, _of_attributes(about), by_columns, since_us, until_us
    )


def _possible(
    term: Term, every: frozenset[T], exactly: Callable[[Term], frozenset[T] | None], *, surely: bool = False
) -> frozenset[T]:
    """Of a few things that a record may have, those with which the term may hold; `surely`: with which it holds whatever else.
    `exactly` answers for a term that speaks of nothing else."""
    match term:
        case Not(inner):
            return every - _possible(inner, every, exactly, surely=not surely)
        case All(terms):
            return every.intersection(*(_possible(one, every, exactly, surely=surely) for one in terms))
        case Either(terms):
            return frozenset[T]().union(*(_possible(one, every, exactly, surely=surely) for one in terms))
        case _:
            found = exactly(term)
            if found is None:
                return frozenset() if surely else every
            return found


def _levels_of(term: Term) -> frozenset[int] | None:
    if not isinstance(term, LevelIs):
        return None
    test = test_of(term)
    return frozenset(int(level) for level in Level if test(Record(0, (), level, "", "", "", "", "")))


def speaks_of_agents(term: Term) -> bool:
    """Has one to know what agents are called?"""
    match term:
        case Not(inner):
            return speaks_of_agents(inner)
        case All(terms) | Either(terms):
            return any(map(speaks_of_agents, terms))
        case _:
            return isinstance(term, FieldIs) and term.field == Place.AGENT


def _agents_of(term: Term, names: Mapping[int, tuple[str, ...]]) -> frozenset[int] | None:
    if not isinstance(term, FieldIs) or term.field != Place.AGENT:
        return None
    test = test_of(term)
    return frozenset(id_ for id_, called in names.items() if test(Record(0, called, Level.INFO, "", "", "", "", "")))


def _needles(term: Term) -> list[str]:
    if isinstance(term, Anywhere):
        parts: tuple[str, ...] = (term.text,)
    else:
        parts = term.parts if isinstance(term, FieldIs) and term.field in SEARCHED else ()
    return [part.casefold() for part in parts if part]


def _of_attributes(terms: Sequence[FieldIs | FieldCompares]) -> Callable[[str], bool] | None:
    """What of the query can be told of the attributes alone: the other columns of most records are never decoded then."""
    if not terms:
        return None
    test = test_of(All(tuple(terms)))
    quick = [_may_compare(one) for one in terms if isinstance(one, FieldCompares)]
    return lambda text: all(may(text) for may in quick) and test(Record(0, (), Level.INFO, "", "", "", "", text))


def _may_compare(term: FieldCompares) -> Callable[[str], bool]:
    """Without decoding the document: plain numbers behind the last part of the name decide, anything else may be one."""
    last = re.escape(_escaped(term.field.removeprefix(ATTRIBUTES).rpartition(".")[2]))
    numbers = re.compile(rf"[\".]{last}\":(?:(-?\d[\d.eE+-]*)|.)").finditer
    compares, number = COMPARED[term.comparison], term.number

    def may(text: str) -> bool:
        return any(found[1] is None or compares(float(found[1]), number) for found in numbers(text))

    return may


def _value(term: FieldIs | FieldCompares) -> str:
    """What surely stands in the attributes. A value with quotes in it may be a text or an object, which are not written the same;
    nor are very small and large numbers, of which 1e-05 may stand there as 0.00001."""
    if not isinstance(term, FieldIs):
        return ""
    value = max(term.parts, key=len).casefold()
    if _OF_NUMBERS.fullmatch(value) and ("e" in value or len(term.parts) > 1):
        return ""
    return value if value == _escaped(value) else ""


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
