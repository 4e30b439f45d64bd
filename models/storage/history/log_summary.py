"""How log records spread over time and what stands in their fields: the histogram and the facets beside a list."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial

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
from models.domain.search.matching import texts_of
from models.domain.search.patterns import LONGEST_VALUE, PATTERN, pattern_of
from models.domain.search.terms import Place, attribute
from models.storage.history.agent_names import names_of_agents
from models.storage.history.log_counts import ColumnCounts, counted_minutes, no_counts
from models.storage.history.log_lists import log_line, question_of
from models.storage.history.row_pages import Found, Sealed, Span, in_order
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment

SAMPLED = 2_000
"""Records that facets tell of."""
TELL_S = 0.3
_FIRST = (Place.LEVEL, Place.AGENT, PATTERN, Place.LOGGER, Place.ERROR)
_VALUES = 10
_MOST_FIELDS = 60
_MOST_TEXTS = 50
"""Of a list in one record: a long one of numbers would be most of what there is."""


def answer_log_summary(view: StoreView, request: LogSummaryRequest, token: CancelToken) -> Iterator[LogSummaryResult]:
    """The facets first, counts as far as they are: what asks for levels and agents alone was counted when it was stored, and
    columns of fields tell of whole segments at once."""
    asked = LogRequest(request.agent, request.query, None, request.since_us, request.until_us, limit=SAMPLED)
    question = question_of(view, asked)
    told_s = time.monotonic()
    counts = counted_minutes(view, request, token)
    tally = _Tally(view, request, counts)
    all_counted = counts is not None
    if not all_counted:
        by_columns = ColumnCounts(view, request, question.meets)
        tally.counts, tally.segments = by_columns.counts, by_columns.segments
        reached_us, segments = request.until_us, view.overlapping(request.since_us, request.until_us)
        all_counted = by_columns.possible
        for row in reversed(segments) if by_columns.possible else ():
            all_counted &= by_columns.take(row, token)
            reached_us = row.last_us if all_counted else reached_us
            if time.monotonic() - told_s > TELL_S:
                told_s = time.monotonic()
                yield tally.result(reached_us, complete=False)
    whole = all_counted or not tally.segments
    question = question if whole else question._replace(sealed=partial(_unless_told, tally, question.sealed))
    if all_counted and not request.facets:
        yield tally.result(request.since_us, complete=True)
        return
    for found in in_order(view, question, log_line, token, None):
        if not isinstance(found, RowKey):
            tally.add(found)
            if all_counted and tally.sampled >= SAMPLED:
                break
        if time.monotonic() - told_s > TELL_S:
            told_s = time.monotonic()
            at_us = found.received_us if isinstance(found, RowKey) else found.key.received_us
            yield tally.result(request.since_us if all_counted else at_us, complete=False)
    yield tally.result(request.since_us, complete=True)


def _unless_told(
    tally: "_Tally", sealed: Sealed, opened: OpenSegment, span: Span, token: CancelToken
) -> Iterator[Found]:
    """Of a segment that was counted only what the facets still need."""
    for found in sealed(opened, span, token):
        if opened.id in tally.segments and tally.sampled >= SAMPLED:
            return
        yield found


class _Tally:
    """`counts`: of all records, where they are known beforehand, else what is added; of `segments` they were counted in another
    way."""

    def __init__(self, view: StoreView, request: LogSummaryRequest, counts: Int64 | None) -> None:
        self._request, self._adds = request, counts is None
        self.counts = no_counts(request) if counts is None else counts
        self.segments = set[int]()
        self._names = names_of_agents(view)
        self._values: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._records: Counter[str] = Counter()
        self.sampled = 0

    def add(self, line: LogLine) -> None:
        if self._adds and line.key.segment not in self.segments:
            self.counts[(line.key.received_us - self._request.since_us) // self._request.cell_us, line.level] += 1
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
        return LogSummaryResult(self._request, self.counts.copy(), reached_us, tuple(facets), self.sampled, complete)


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
