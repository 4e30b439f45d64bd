"""How many log records there were, by cell of time and level, where that is known without looking at them: from the minutes that
were counted when a segment was sealed, or from the columns of their fields."""

from collections.abc import Callable
from functools import partial

import numpy as np

from models.domain.queries import CancelToken, Int64, LogSummaryRequest, RowKey
from models.domain.records import Level
from models.domain.search.terms import All, Arrived, Either, FieldIs, LevelIs, Not, Place, Term
from models.storage.history.agent_names import names_of_agents
from models.storage.history.log_masks import masks, speaks_of_columns
from models.storage.history.log_minutes import log_minutes
from models.storage.history.log_narrowing import narrowing, speaks_of_agents
from models.storage.history.row_pages import Row, Span
from models.storage.history.sealed_logs import of_candidates
from models.storage.history.store_view import StoreView
from models.storage.sealing.log_index import MINUTE_US
from models.storage.segments.open_segment import OpenSegment, SegmentRow

LEVELS = 1 + max(Level)
_MOST_AGENTS = 2_000
"""Their counts are looked up one by one, a fifth of a millisecond each; of more all records are counted."""
MOST_UNSURE = 1_000
"""Records of a segment that are looked at because its columns do not tell; with more it is counted record by record."""


def no_counts(request: LogSummaryRequest) -> Int64:
    """Zero for every cell and level."""
    return np.zeros(((request.until_us - request.since_us) // request.cell_us, LEVELS), np.int64)


class ColumnCounts:
    """Counts of the segments whose columns tell who meets the query."""

    def __init__(self, view: StoreView, request: LogSummaryRequest, meets: Callable[[Row], bool] | None) -> None:
        self.counts = no_counts(request)
        self.segments = set[int]()
        self._view, self._request, self._meets = view, request, meets
        query = request.query
        parts = query.terms if isinstance(query, All) else (query,)
        self._query = All(tuple(one for one in parts if not isinstance(one, Arrived)))
        names = {0: (), **(names_of_agents(view) if speaks_of_agents(query) else {})}
        self._narrow = narrow = narrowing(query, names)
        self._since_us = max(request.since_us, narrow.since_us)
        self._until_us = min(request.until_us, narrow.until_us)
        whole = not any(us % MINUTE_US for us in (request.since_us, request.cell_us, self._since_us, self._until_us))
        self.possible = whole and not request.agent and speaks_of_columns(query)
        """Else nothing can be counted so."""

    def take(self, row: SegmentRow, token: CancelToken) -> bool:
        """Count a segment. False: its columns do not tell, or it has none."""
        found = self._view.attempt(row, partial(self._of_segment, token=token), None)
        if found is not None:
            self.counts += found
            self.segments.add(row.id)
        return found is not None

    def _of_segment(self, opened: OpenSegment, _row: SegmentRow, token: CancelToken) -> Int64 | None:
        fields = opened.log_fields if opened.blocks else None
        if fields is None or not fields.parts:
            return None
        counts, unsure, left = no_counts(self._request), list[int](), MOST_UNSURE
        for part in fields.parts:
            token.check()
            found = masks(fields, part, self._query)
            if not found.possible.any():
                continue
            at_us = fields.minutes(part) * MINUTE_US
            within = (at_us >= self._since_us) & (at_us < self._until_us)
            rows = np.flatnonzero(found.sure & within)
            cells = (at_us[rows] - self._request.since_us) // self._request.cell_us
            counted = np.bincount(cells * LEVELS + fields.levels(part)[rows], minlength=counts.size)
            counts += counted.reshape(counts.shape)
            some = np.flatnonzero(found.possible & ~found.sure & within)
            left -= len(some)
            if left < 0:
                return None
            unsure += (some + part.first).tolist()
        self._look(opened, unsure, counts, token)
        return counts

    def _look(self, opened: OpenSegment, ids: list[int], counts: Int64, token: CancelToken) -> None:
        """Count those of the records that meet the query."""
        span = Span(0, 2**62, self._since_us, self._until_us, up=True)
        for found in of_candidates(iter(ids), self._narrow, self._meets, opened, span, token):
            if not isinstance(found, RowKey):
                _, received_us, _, _, level, *_ = found
                counts[(received_us - self._request.since_us) // self._request.cell_us, level] += 1


def counted_minutes(view: StoreView, request: LogSummaryRequest, token: CancelToken) -> Int64 | None:
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
    counts = no_counts(request)
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
