"""The question for one page of a list."""

from typing import Any, NamedTuple

from models.domain.queries import (
    LogRequest,
    LogResult,
    MessageRequest,
    MessageResult,
    Reach,
    Result,
    RowKey,
    TaskRequest,
    TaskResult,
)

ListRequest = LogRequest | MessageRequest | TaskRequest


class Page(NamedTuple):
    """Which rows are asked for, as in `LogRequest`."""

    before: RowKey | None
    after: RowKey | None
    since_us: int
    until_us: int
    limit: int
    oldest_first: bool = False


def rows_of(result: Result) -> tuple[list[Any], Reach]:
    """The rows of an answer to a `ListRequest`, and how far it looked."""
    if isinstance(result, LogResult | MessageResult):
        return list(result.rows), result.reach
    assert isinstance(result, TaskResult)
    full = len(result.rows) >= result.request.limit
    return list(result.rows), Reach(result.rows[-1].key if full else None)
