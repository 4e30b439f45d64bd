"""The part of the query port that draws: samples of series, and what happened meanwhile."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.presence_words import Cause
from models.domain.store_queries import GapColumns

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]

MOST_POINTS = 1_000_000


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """Samples of some series that arrived in [since_us, until_us). Raw up to `max_points` each, then reduced to their
    envelope (each bucket gives its minimum and its maximum, in order of time); counters to the last in each bucket and both sides
    of every restart, so that what they rose stays exact. `whole`: those of which up to `MOST_POINTS` are needed, as their ranks
    or steps are told."""

    series: tuple[int, ...]
    since_us: int
    until_us: int
    max_points: int = MOST_POINTS
    kept_points: int = 0
    whole: frozenset[int] = frozenset()

    def points_of(self, series: int) -> int:
        """How many of a series at most."""
        return MOST_POINTS if series in self.whole else self.max_points


class SeriesColumns(NamedTuple):
    """Sorted by `time_us`. `reduced` says that these are not all samples."""

    series: int
    time_us: Int64
    received_us: Int64
    value: Float64
    reduced: bool


HOUR_QUANTILES = (0.5, 0.95, 0.99)


class HourColumns(NamedTuple):
    """What is known of a series in hours whose samples are gone, by the hour (UTC; one that is gone in part tells of that part
    alone). `first_us`, `last_us`: when its first and last sample would be drawn. `increase` is the exact rise of a counter
    since the hour before, where that is known, `reset` says that it began again meanwhile. `quantiles` are those of
    `HOUR_QUANTILES` by hour, NaN where no histogram was kept."""

    series: int
    since_us: Int64
    first_us: Int64
    last_us: Int64
    n: Int64
    low: Float64
    high: Float64
    mean: Float64
    increase: Float64
    reset: npt.NDArray[np.bool_]
    quantiles: Float64


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """`complete` is false for a page that will be followed by a fuller one (newest data first). `hours`: of the series that
    have any. Series that came in the same messages may share the arrays of their times: copy what is to be changed."""

    request: SeriesRequest
    columns: tuple[SeriesColumns, ...]
    gaps: GapColumns
    complete: bool = True
    hours: tuple[HourColumns, ...] = ()


@dataclass(frozen=True, slots=True)
class EventsRequest:
    """Marks of one agent (0: of everybody) in [since_us, until_us): presence changes, gaps, connection attempts."""

    agent: int
    since_us: int
    until_us: int


class PresenceColumns(NamedTuple):
    time_us: Int64
    agent: Int64
    presence: UInt8
    condition: UInt8
    cause: list[Cause]


class AttemptColumns(NamedTuple):
    time_us: Int64
    outcome: UInt8  # records.Outcome
    error: list[str]
    duration_us: Int64  # -1: not told
    target: list[str]


@dataclass(frozen=True, slots=True)
class EventsResult:
    """`presence` begins with the change in force at `since_us`, where one is known."""

    request: EventsRequest
    presence: PresenceColumns
    gaps: GapColumns
    attempts: AttemptColumns
