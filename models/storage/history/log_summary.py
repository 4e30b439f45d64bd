"""How log records spread over time and what stands in their fields: the histogram and the facets beside a list."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from models.domain.log_json import attributes_of
from models.domain.queries import (
    CancelToken,
    Facet,
    Int64,
    LogLine,
    LogRequest,
    LogSummaryRequest,
    LogSummaryResult,
    RowKey,
)
from models.domain.records import Level
from models.domain.search.matching import texts_of
from models.domain.search.patterns import LONGEST_VALUE, PATTERN, pattern_of
from models.domain.search.terms import All, Arrived, Either, FieldIs, LevelIs, Not, Place, Term, attribute
from models.storage.history.agent_names import names_of_agents
from models.storage.history.log_lists import log_line, question_of
from models.storage.history.log_minutes import log_minutes
from models.storage.history.log_narrowing import narrowing, speaks_of_agents
from models.storage.history.row_pages import in_order
from models.storage.history.store_view import StoreView
from models.storage.sealing.log_index import MINUTE_US

SAMPLED = 2_000
"""Records that facets tell of."""
TELL_S = 0.3
_FIRST = (Place.LEVEL, Place.AGENT, PATTERN, Place.LOGGER, Place.ERROR)
_VALUES = 10
_MOST_FIELDS = 60
_MOST_TEXTS = 50
"""Of a list in one record: a long one of numbers would be most of what there is."""
_MOST_AGENTS = 2_000
"""Their counts are looked up one by one, a fifth of a millisecond each; of more all records are counted."""
LEVELS = 1 + max(Level)


def answer_log_summary(view: StoreView, request: LogSummaryRequest, token: CancelToken) -> Iterator[LogSummaryResult]:
    """The facets first, counts as far as they are: what asks for levels and agents alone was counted when it was stored."""
    counts = _counted(view, request, token)
    asked = LogRequest(request.agent, request.query, None, request.since_us, request.until_us, limit=SAMPLED)
    tally = _Tally(view, request, counts)
    told_s = time.monotonic()
    for found in in_order(view, question_of(view, asked), log_line, token, None):
        if not isinstance(found, RowKey):
            tally.add(found)
            if counts is not None and tally.sampled >= SAMPLED:
                break
        if time.monotonic() - told_s > TELL_S:
            told_s = time.monotonic()
            at_us = found.received_us if isinstance(found, RowKey) else found.key.received_us
            yield tally.result(at_us, complete=False)
    yield tally.result(request.since_us, complete=True)


class _Tally:
    """`counted`: what is known of the counts beforehand; None: every record is to be added."""

    def __init__(self, view: StoreView, request: LogSummaryRequest, counted: Int64 | None) -> None:
        self._request, self._counted = request, counted
        cells = (request.until_us - request.since_us) // request.cell_us
        self._counts = np.zeros((cells, LEVELS), np.int64) if counted is None else counted
        self._names = names_of_agents(view)
        self._values: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._records: Counter[str] = Counter()
        self.sampled = 0

    def add(self, line: LogLine) -> None:
        if self._counted is None:
            self._counts[(line.key.received_us - self._request.since_us) // self._request.cell_us, line.level] += 1
        if self.sampled < SAMPLED:
            self.sampled += 1
            for field, texts in self._fields(line):
                if field in self._records or len(self._records) < _MOST_FIELDS:
                    self._records[field] += 1
                    self._values[field].update({text[:LONGEST_VALUE] for text in texts[:_MOST_TEXTS]})

    def _fields(self, line: LogLine) -> Iterator[tuple[str, list[str]]]:
        yield Place.LEVEL, [line.level.name.lower()]
        if line.agent in self._names:
            yield Place.AGENT, [self._names[line.agent][0]]
        if line.text:
            yield PATTERN, [pattern_of(line.text)]
        for place, text in ((Place.LOGGER, line.logger), (Place.ERROR, line.error)):
            if text:
                yield place, [text]
        for field, value in attributes_of(line).items():
            yield from _values(field, value)

    def result(self, reached_us: int, *, complete: bool) -> LogSummaryResult:
        facets = []
        for field, records in sorted(self._records.items(), key=lambda one: (*_rank(one[0]), -one[1], one[0])):
            values = self._values[field]
            top = sorted(values.items(), key=lambda one: (-one[1], one[0]))[:_VALUES]
            facets.append(Facet(field, tuple(top), records, len(values) - len(top)))
        counted_us = self._request.since_us if self._counted is not None else reached_us
        return LogSummaryResult(self._request, self._counts.copy(), counted_us, tuple(facets), self.sampled, complete)


def _rank(field: str) -> tuple[bool, int]:
    """What every record has comes first, in this order."""
    return field not in _FIRST, _FIRST.index(field) if field in _FIRST else 0


def _values(path: str, value: object) -> Iterator[tuple[str, list[str]]]:
    """Paths and the texts there, as a query finds them."""
    left = [(path, value)]
    while left:  # it may be nested deeper than calls can be
        path, value = left.pop()
        if isinstance(value, dict):
            left += reversed([(f"{path}.{key}", inner) for key, inner in value.items()])
        elif found := texts_of(value):
            yield attribute(path), found


def _counted(view: StoreView, request: LogSummaryRequest, token: CancelToken) -> Int64 | None:
    """From the counts by minute, agent and level; None where they do not tell it."""
    if request.cell_us % MINUTE_US or request.since_us % MINUTE_US or not _is_counted(request.query):
        return None
    every: dict[int, tuple[str, ...]] = {0: ()}
    if speaks_of_agents(request.query):
        every |= names_of_agents(view)
    narrow = narrowing(request.query, every)
    agents = narrow.agents
    if request.agent:
        agents = frozenset((request.agent,)) if agents is None else agents & {request.agent}
    since_us, until_us = max(request.since_us, narrow.since_us), min(request.until_us, narrow.until_us)
    if since_us % MINUTE_US or (until_us % MINUTE_US and until_us < request.until_us):
        return None
    adding = dict.fromkeys((0,) if agents is None else agents, 1)
    if agents is not None and 0 in agents:  # whose records were counted together with everybody's alone
        adding = {0: 1, **dict.fromkeys(every.keys() - agents, -1)}
    if len(adding) > _MOST_AGENTS:
        return None
    counts = np.zeros(((request.until_us - request.since_us) // request.cell_us, LEVELS), np.int64)
    for agent, sign in adding.items():
        minute_us, level, n = log_minutes(view, agent, since_us, max(since_us, until_us), token)
        some = np.isin(level, sorted(narrow.levels))
        np.add.at(counts, ((minute_us[some] - request.since_us) // request.cell_us, level[some]), sign * n[some])
    return counts


def _is_counted(term: Term) -> bool:
    """Does the query say a level, an agent and a time, each for itself?"""
    parts = term.terms if isinstance(term, All) else (term,)
    return all(isinstance(one, Arrived) or _kinds(one) in ({"level"}, {"agent"}) for one in parts)


def _kinds(term: Term) -> set[str]:
    match term:
        case Not(inner):
            return _kinds(inner)
        case All(terms) | Either(terms):
            return set[str]().union(*map(_kinds, terms))
        case LevelIs():
            return {"level"}
        case FieldIs(Place.AGENT, _):
            return {"agent"}
        case _:
            return {"other"}
