"""Log records of sealed segments that a query finds: by the index of words, by the columns of fields, or block after block."""

from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np
import numpy.typing as npt

from models.domain.queries import CancelToken, RowKey
from models.storage.history.log_masks import Masks, masks
from models.storage.history.log_narrowing import SEARCHED, Narrowing
from models.storage.history.row_pages import Found, Row, Span
from models.storage.history.sealed_rows import may_hold, reached, rows_within, tuples
from models.storage.sealing.log_field_reading import LogFields, LogPart
from models.storage.sealing.row_reading import RowBlocks
from models.storage.segments.open_segment import OpenSegment

COLUMNS = (
    "id", "received_us", "time_us", "agent_id", "level", "seq", "logger", "text", "error", "stack", "attributes",
)  # fmt: skip
_LOOKED_AT = 64
"""Candidates that were none, after which it is told how far we are."""
_DENSE = 8
"""Where one record in so many is meant, its block is decoded as a whole."""
Meets = Callable[[Row], bool]


def sealed_logs(
    narrow: Narrowing, meets: Meets | None, opened: OpenSegment, span: Span, token: CancelToken
) -> Iterator[Found]:
    """As `row_pages.Sealed`. What `meets` says decides about every record that is yielded (None: all are meant)."""
    if not narrow.levels or narrow.agents == frozenset():
        return iter(())
    ids = opened.log_index.candidates(narrow.agents, narrow.levels, narrow.needles, span.low, span.end, up=span.up)
    told = _Told(opened.log_fields, narrow) if narrow.by_columns is not None and opened.log_fields.parts else None
    if ids is not None:
        return of_candidates(filter(told.holds, ids) if told else ids, narrow, meets, opened, span, token)
    if told is not None:
        return _of_parts(told, narrow, meets, opened, span, token)
    return _of_blocks(narrow, meets, opened, span, token)


class _Told:
    """What the columns tell, a part at a time in the order in which it is asked for."""

    def __init__(self, fields: LogFields, narrow: Narrowing) -> None:
        assert narrow.by_columns is not None
        self._fields, self._query = fields, narrow.by_columns
        self.parts = fields.parts
        self._firsts = np.array([part.first for part in self.parts])
        self._part = self.parts[0]
        self._masks: Masks | None = None

    def of(self, part: LogPart) -> Masks:
        if self._masks is None or part != self._part:
            self._part, self._masks = part, masks(self._fields, part, self._query)
        return self._masks

    def holds(self, id_: int) -> bool:
        """May the record be meant?"""
        part = self._part
        if self._masks is None or not part.first <= id_ < part.end:
            part = self.parts[int(np.searchsorted(self._firsts, id_, "right")) - 1]
        return bool(self.of(part).possible[id_ - part.first])


def _of_parts(
    told: _Told, narrow: Narrowing, meets: Meets | None, opened: OpenSegment, span: Span, token: CancelToken
) -> Iterator[Found]:
    blocks = opened.blocks["log"]
    for part in told.parts if span.up else reversed(told.parts):
        low, end = max(span.low, part.first), min(span.end, part.end)
        if low >= end:
            continue
        token.check()
        possible = told.of(part).possible
        ids = part.first + np.flatnonzero(possible)
        ids = ids[(ids >= low) & (ids < end)]
        if len(ids) * _DENSE > end - low:
            yield from _of_blocks(narrow, meets, opened, span._replace(low=low, end=end), token, (told, part))
            continue
        in_order = ids.tolist() if span.up else ids[::-1].tolist()
        yield from of_candidates(iter(in_order), narrow, meets, opened, span, token)
        last = end - 1 if span.up else low
        yield RowKey(value_of(blocks, "received_us", last), opened.id, last)


def value_of(blocks: RowBlocks, column: str, id_: int) -> int:
    """A number of one record."""
    number = int(np.searchsorted(blocks.directory[0], id_, "right")) - 1
    return int(blocks.value(number, column, id_ - int(blocks.directory[0][number])))


def of_candidates(
    ids: Iterator[int], narrow: Narrowing, meets: Meets | None, opened: OpenSegment, span: Span, token: CancelToken
) -> Iterator[Found]:
    """Of these row ids, in the order of the span."""
    blocks = opened.blocks["log"]
    first = blocks.directory[0]
    last: list[int] = []
    looked_at = 0

    def place(id_: int) -> int:
        return int(np.searchsorted(first, id_, "right")) - 1

    for number, some in groupby(ids, place):
        token.check()
        last = list(some)
        for id_ in last:
            row = id_ - int(first[number])
            if not _may_be_meant(blocks, number, row, narrow, span):
                continue
            found = tuple(blocks.value(number, name, row) for name in COLUMNS)
            if meets is None or meets(found):
                yield found
        looked_at += len(last)
        if looked_at >= _LOOKED_AT:
            looked_at = 0
            yield RowKey(blocks.value(number, "received_us", last[-1] - int(first[number])), opened.id, last[-1])


def _may_be_meant(blocks: RowBlocks, number: int, row: int, narrow: Narrowing, span: Span) -> bool:
    return (
        (narrow.agents is None or blocks.value(number, "agent_id", row) in narrow.agents)
        and (narrow.all_levels or blocks.value(number, "level", row) in narrow.levels)
        and span.since_us <= blocks.value(number, "received_us", row) < span.until_us
    )


def _of_blocks(
    narrow: Narrowing,
    meets: Meets | None,
    opened: OpenSegment,
    span: Span,
    token: CancelToken,
    told: tuple[_Told, LogPart] | None = None,
) -> Iterator[Found]:
    """`told`: what the columns tell of the part that the span lies in."""
    blocks = opened.blocks["log"]
    mask = told[0].of(told[1]) if told else None
    if mask is not None and np.array_equal(*mask):
        narrow = narrow._replace(of_attributes=None)
    within = blocks.within(span.low, span.end)
    for number in within if span.up else reversed(within):
        token.check()
        rows = rows_within(blocks, number, span)
        if told and mask is not None:
            rows = rows[mask.possible[rows + (int(blocks.directory[0][number]) - told[1].first)]]
        rows = _may_be_meant_all(blocks, number, rows, narrow)
        found = tuples(blocks, number, rows, COLUMNS, up=span.up)
        yield from found if meets is None else filter(meets, found)
        yield reached(opened, blocks, number, up=span.up)


def _may_be_meant_all(
    blocks: RowBlocks, number: int, rows: npt.NDArray[np.intp], narrow: Narrowing
) -> npt.NDArray[np.intp]:
    """Those of the rows of a block that may be. All texts of a block are searched at once."""
    if not narrow.all_levels:
        rows = rows[np.isin(blocks.array(number, "level")[rows], sorted(narrow.levels))]
    if narrow.agents is not None:
        rows = rows[np.isin(blocks.array(number, "agent_id")[rows], sorted(narrow.agents))]
    for columns, needles in ((SEARCHED, narrow.needles), (("attributes",), narrow.values)):
        for needle in needles:
            if len(rows) and not any(may_hold(needle, blocks.joined(number, name)) for name in columns):
                return rows[:0]
    if narrow.of_attributes is None or not len(rows):
        return rows
    joined = blocks.joined(number, "attributes")
    if any(name.encode() not in joined for name in narrow.names):
        return rows[:0]
    told = blocks.column(number, "attributes", rows)
    some: npt.NDArray[np.intp] = rows[np.array([bool(one) and narrow.of_attributes(one) for one in told], bool)]
    return some
