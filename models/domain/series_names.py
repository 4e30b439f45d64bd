"""The part of the query port that is about which series there are. Pure data; any thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.names import SeriesKind

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SeriesNamesRequest:
    """Every series of the workspace with an id above `after`."""

    after: int = 0


class SeriesWords(NamedTuple):
    """A `SeriesKey` without its agent: a fleet tells the same of all its agents."""

    metric: str
    labels: str
    unit: str
    kind: SeriesKind
    source: str


@dataclass(frozen=True, slots=True)
class SeriesNamesResult:
    """One entry per series in `id`, `agent` and `told`, its place among `words`: by agent, those of an agent by metric and labels, as
    are `words`. Of all agents, whatever was
    asked after: `headline[role][agent]` is the series that the fleet shows as that, `interval_us[agent]` the time between two
    messages where it is known."""

    request: SeriesNamesRequest
    id: Int64
    agent: Int64
    told: Int64
    words: tuple[SeriesWords, ...]
    headline: Mapping[str, Mapping[int, int]]
    interval_us: Mapping[int, int]
