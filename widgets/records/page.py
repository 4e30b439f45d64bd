"""The question for one page of a list."""

from typing import NamedTuple

from models.domain.queries import LogRequest, MessageRequest, RowKey, TaskRequest

ListRequest = LogRequest | MessageRequest | TaskRequest


class Page(NamedTuple):
    """Which rows are asked for, as in `LogRequest`."""

    before: RowKey | None
    after: RowKey | None
    since_us: int
    until_us: int
    limit: int
    oldest_first: bool = False
