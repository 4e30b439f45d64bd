"""Pages of log records: those that a query finds."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from models.domain.queries import CancelToken, LogLine, LogRequest, LogResult, RowKey
from models.domain.records import Level
from models.domain.search.matching import Record, Test, test_of
from models.domain.search.terms import EVERYTHING
from models.storage.history.agent_names import names_of_agents
from models.storage.history.log_narrowing import Narrowing, narrowing, speaks_of_agents
from models.storage.history.row_pages import Found, Question, Row, Span, newest_row, page
from models.storage.history.sealed_rows import may_hold, reached, rows_within, tuples
from models.storage.history.store_view import StoreView
from models.storage.sealing.row_reading import RowBlocks
from models.storage.segments.open_segment import OpenSegment

LIKE_LIMIT = 1_000
"""The engine refuses patterns that are much longer."""
_COLUMNS = (
    "id", "received_us", "time_us", "agent_id", "level", "seq", "logger", "text", "error", "stack", "attributes",
)  # fmt: skip
_SEARCHED = ("text", "logger", "error")
_LOOKED_AT = 64
"""Candidates that were none, after which it is told how far we are."""
Meets = Callable[[Row], bool]


def answer_logs(view: StoreView, request: LogRequest, token: CancelToken) -> Iterator[LogResult]:
    """One page. A row's key carries its number in the log table, as one message may hold several records."""
    rows, reach = page(view, question_of(view, request), log_line, token)
    yield LogResult(request, rows, reach)


def question_of(view: StoreView, request: LogRequest) -> Question:
    """Where the records stand that are asked for. What agents are called is read where the query asks, as there may be a hundred
    thousand; after the newest row, so that it is known of whoever is listed."""
    newest = newest_row(view, "log")
    names: dict[int, tuple[str, ...]] = {0: ()}
    if speaks_of_agents(request.query):
        names |= names_of_agents(view)
    narrow = narrowing(request.query, names)
    if request.agent:
        agents = frozenset((request.agent,)) if narrow.agents is None else narrow.agents & {request.agent}
        narrow = narrow._replace(agents=agents)
    meets = None if request.query == EVERYTHING else partial(_meets, test_of(request.query), names)
    where, bindings = _conditions(narrow)
    return Question(
        "log", ", ".join(("rowid", *_COLUMNS[1:])), where, bindings, request,
        max(request.since_us, narrow.since_us), min(request.until_us or 2**62, narrow.until_us),
        newest, partial(_sealed, narrow, meets), meets,
    )  # fmt: skip


def log_line(_opened: OpenSegment, segment: int, row: Row) -> LogLine:
    """A row as it is listed."""
    id_, received, at, agent, level, message, *texts = row
    logger, text, error, stack, attributes = (one or "" for one in texts)
    return LogLine(
        RowKey(received, segment, id_), at, agent, Level(level), logger, text, error, stack, attributes, message
    )


def _meets(test: Test, names: Mapping[int, tuple[str, ...]], row: Row) -> bool:
    _, received, _, agent, level, _, logger, text, error, stack, attributes = row
    called = names.get(agent, ())
    return test(Record(received, called, level, logger or "", text or "", error or "", stack or "", attributes or ""))


# ------------------------------------------------------------ segments that are being written


def _conditions(narrow: Narrowing) -> tuple[str, list[Any]]:
    where, bindings = ["1"], list[Any]()
    for column, ids in (("agent_id", narrow.agents), ("level", None if narrow.all_levels else narrow.levels)):
        if ids is not None:
            where.append(f"{column} in (select value from json_each(?))")
            bindings.append(json.dumps(sorted(ids)))
    for name in narrow.names:
        where.append("instr(attributes, ?) > 0")
        bindings.append(name)
    for columns, needles in ((_SEARCHED, narrow.needles), (("attributes",), narrow.values)):
        for needle in needles:
            tests = [_holding(column, needle) for column in columns]
            where.append(f"({' or '.join(sql for sql, _ in tests)})")
            bindings += [value for _, values in tests for value in values]
    return " and ".join(where), bindings


def _holding(column: str, needle: str) -> tuple[str, list[str]]:
    """Does the column hold this casefolded text? Where both are ASCII the engine's own LIKE says the same, many times as
    fast as asking Python."""
    if not needle.isascii() or len(needle) > LIKE_LIMIT:
        return f"holds(?, {column})", [needle]
    pattern = needle.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    other = f"(octet_length({column}) <> length({column}) and holds(?, {column}))"
    return f"({column} like ? escape '\\' or {other})", [f"%{pattern}%", needle]


# ------------------------------------------------------------ sealed segments


def _sealed(
    narrow: Narrowing, meets: Meets | None, opened: OpenSegment, span: Span, token: CancelToken
) -> Iterator[Found]:
    if not narrow.levels or narrow.agents == frozenset():
        return iter(())
    ids = opened.log_index.candidates(narrow.agents, narrow.levels, narrow.needles, span.low, span.end, up=span.up)
    if ids is None:
        return _of_blocks(narrow, meets, opened, span, token)
    return _of_candidates(ids, narrow, meets, opened, span, token)


def _of_candidates(
    ids: Iterator[int], narrow: Narrowing, meets: Meets | None, opened: OpenSegment, span: Span, token: CancelToken
) -> Iterator[Found]:
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
            found = tuple(blocks.value(number, name, row) for name in _COLUMNS)
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
    narrow: Narrowing, meets: Meets | None, opened: OpenSegment, span: Span, token: CancelToken
) -> Iterator[Found]:
    blocks = opened.blocks["log"]
    within = blocks.within(span.low, span.end)
    for number in within if span.up else reversed(within):
        token.check()
        rows = _may_be_meant_all(blocks, number, rows_within(blocks, number, span), narrow)
        found = tuples(blocks, number, rows, _COLUMNS, up=span.up)
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
    for columns, needles in ((_SEARCHED, narrow.needles), (("attributes",), narrow.values)):
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
