"""The part of the query port that finds what belongs to a message."""

from dataclasses import dataclass

from models.domain.list_queries import MessageLine, RowKey
from models.domain.paired import Marks


@dataclass(frozen=True, slots=True)
class RelatedRequest:
    """Messages that may be about the same request as the one at `key`, on `topic`: those that arrived within `reach_us` of it and
    have one of `marks`, or name its topic for replies, the nearest `limit` of them; and those that recorded interactions say are
    its request or its reply, however far away."""

    key: RowKey
    topic: bytes
    marks: Marks
    reach_us: int
    limit: int = 2_000


@dataclass(frozen=True, slots=True)
class RelatedResult:
    """By arrival, whole, the message itself among them. `found`: how many there were before the limit."""

    request: RelatedRequest
    rows: tuple[MessageLine, ...]
    found: int
