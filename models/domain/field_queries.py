"""The part of the query port that plots one number of a topic's messages, whatever was recorded of it as a series."""

from dataclasses import dataclass

from models.domain.json_path import Path
from models.domain.list_queries import Reach, RowKey
from models.domain.series_queries import Float64, Int64


@dataclass(frozen=True, slots=True)
class FieldRequest:
    """The number at `path` of the messages of one topic that arrived in [since_us, until_us) (`until_us` 0: open end).

    Files are read from the last one back, each from its last row. A question ends after a moment; `before` asks on from where
    it ended, and `after` asks for what a recorder stored behind that row. Both go by segment and row, never by time.
    """

    topic: bytes
    path: Path
    since_us: int = 0
    until_us: int = 0
    before: RowKey | None = None
    after: RowKey | None = None


@dataclass(frozen=True, slots=True)
class FieldResult:
    """Arrivals and numbers in no certain order. `messages` were looked at, so that the difference had no number there. In
    `reach`, `searched` is where to ask on with `before` (None: that was all), `newest` the last row stored by then."""

    request: FieldRequest
    received_us: Int64
    value: Float64
    messages: int
    reach: Reach
