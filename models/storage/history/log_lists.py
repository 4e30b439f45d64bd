"""Pages of log records: those that a query finds."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from models.domain.queries import CancelToken, LogLine, LogRequest, LogResult, RowKey
from models.domain.records import Level
from models.domain.search.matching import Record, Test, test_of
from models.domain.search.terms import EVERYTHING
from models.storage.history.agent_names import names_of_agents
from models.storage.history.log_narrowing import SEARCHED, Narrowing, narrowing, speaks_of_agents
from models.storage.history.row_pages import Question, Row, newest_row, page
from models.storage.history.sealed_logs import COLUMNS, sealed_logs
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment

LIKE_LIMIT = 1_000
"""The engine refuses patterns that are much longer."""


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
        "log", ", ".join(("rowid", *COLUMNS[1:])), where, bindings, request,
        max(request.since_us, narrow.since_us), min(request.until_us or 2**62, narrow.until_us),
        newest, partial(sealed_logs, narrow, meets), meets,
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
    for columns, needles in ((SEARCHED, narrow.needles), (("attributes",), narrow.values)):
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
