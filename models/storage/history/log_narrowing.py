"""What every record that a query finds must have: found quickly by an index or in a block, a little too much rather than too
little. Whatever it brings is held against the query itself."""

import json
from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple, TypeVar

from models.domain.records import Level
from models.domain.search.matching import Record, test_of
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

T = TypeVar("T", bound=Hashable)
_SEARCHED = (Place.TEXT, Place.LOGGER, Place.ERROR)


class Narrowing(NamedTuple):
    """`agents` None: whoever. `needles` stand in text, logger or error, `attributes` in the attributes as they are stored; all
    casefolded. Arrival in [since_us, until_us)."""

    agents: frozenset[int] | None
    levels: frozenset[int]
    needles: tuple[str, ...]
    attributes: tuple[str, ...]
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
    if _speaks_of_agents(term):
        every = frozenset(names)
        agents = _possible(term, every, lambda one: _agents_of(one, names))
        agents = None if agents == every else agents
    needles = tuple(filter(None, map(_needle, parts)))
    attributes = tuple(text for one in parts for text in _in_attributes(one))
    return Narrowing(agents, levels, needles, attributes, since_us, until_us)


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


def _speaks_of_agents(term: Term) -> bool:
    match term:
        case Not(inner):
            return _speaks_of_agents(inner)
        case All(terms) | Either(terms):
            return any(map(_speaks_of_agents, terms))
        case _:
            return isinstance(term, FieldIs) and term.field == Place.AGENT


def _agents_of(term: Term, names: Mapping[int, tuple[str, ...]]) -> frozenset[int] | None:
    if not isinstance(term, FieldIs) or term.field != Place.AGENT:
        return None
    test = test_of(term)
    return frozenset(id_ for id_, called in names.items() if test(Record(0, called, Level.INFO, "", "", "", "", "")))


def _needle(term: Term) -> str:
    if isinstance(term, Anywhere):
        return term.text.casefold()
    if isinstance(term, FieldIs) and term.field in _SEARCHED:
        return max(term.parts, key=len).casefold()
    return ""


def _in_attributes(term: Term) -> list[str]:
    """How a name and a value are written there. A value with quotes in it may be a text or an object, which are not written the
    same."""
    if not isinstance(term, FieldIs | FieldCompares) or term.field in {*Place}:
        return []
    found = [_escaped(term.field.removeprefix(ATTRIBUTES).partition(".")[0])]
    value = max(term.parts, key=len) if isinstance(term, FieldIs) else ""
    if value and value == _escaped(value):
        found.append(value)
    return [text.casefold() for text in found]


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
