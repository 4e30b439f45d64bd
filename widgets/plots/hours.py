"""Hourly values in a plot: what is known of a series where its samples are gone. Pure numpy."""

import itertools
from typing import NamedTuple

import numpy as np

from models.domain.queries import Float64, HourColumns, Int64

HOUR_US = 3_600_000_000
_STEPS_A_COLUMN = 2


class HourBand(NamedTuple):
    """Stretches of time with what was measured in each: a step of the mean within its minimum and maximum."""

    since_us: Int64
    until_us: Int64
    low: Float64
    high: Float64
    mean: Float64

    @property
    def span(self) -> tuple[int, int]:
        """From the first to the last."""
        return int(self.since_us[0]), int(self.until_us[-1])

    @property
    def runs(self) -> list[slice]:
        """Stretches that follow each other without a break."""
        ends = [0, *(np.flatnonzero(self.until_us[:-1] != self.since_us[1:]) + 1).tolist(), len(self.since_us)]
        return [slice(start, end) for start, end in itertools.pairwise(ends)]


def hours_within(hours: HourColumns | None, since_us: int, until_us: int) -> slice:
    """Places of the hours that touch [since, until)."""
    if hours is None:
        return slice(0, 0)
    first = int(np.searchsorted(hours.since_us, since_us - HOUR_US, side="right"))
    return slice(first, max(first, int(np.searchsorted(hours.since_us, until_us))))


def hour_band(hours: HourColumns, since_us: int, until_us: int, columns: int) -> HourBand | None:
    """What lies in [since, until), in no more than some two stretches a pixel column; None where nothing does."""
    some = hours_within(hours, since_us, until_us)
    if some.start == some.stop:
        return None
    begin, n, mean = hours.since_us[some], hours.n[some], hours.mean[some]
    width = max(1, -(-(until_us - since_us) // (_STEPS_A_COLUMN * max(columns, 1) * HOUR_US)))
    group = begin // (width * HOUR_US)
    starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
    ends = np.append(starts[1:], len(begin)) - 1
    return HourBand(
        begin[starts],
        begin[ends] + HOUR_US,
        np.minimum.reduceat(hours.low[some], starts),
        np.maximum.reduceat(hours.high[some], starts),
        np.add.reduceat(mean * n, starts) / np.add.reduceat(n, starts),
    )


def hour_at(hours: HourColumns | None, at_us: int) -> int:
    """Place of the hour that holds a moment; -1: none does."""
    if hours is None:
        return -1
    place = int(np.searchsorted(hours.since_us, at_us, side="right")) - 1
    return place if place >= 0 and at_us < int(hours.since_us[place]) + HOUR_US else -1
