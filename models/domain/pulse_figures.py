"""The part of the query port that is about what every agent did in each ten seconds, as the recorder counts it. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.domain.store_queries import GapColumns

Int64 = npt.NDArray[np.int64]

PULSE_US = 10_000_000
COUNTS = {
    "messages": "{message}",
    "finished": "{task}",  # tasks completed or failed, requests answered or timed out
    "failed": "{task}",
    "log_errors": "{record}",
}
"""What is counted, with its unit."""
ERROR_RATIO = "error_ratio"
FIGURES = {**COUNTS, ERROR_RATIO: "1"}
"""What can be drawn of it: failed ÷ finished besides, 0 of 0 being no data."""


@dataclass(frozen=True, slots=True)
class PulseRequest:
    """Sums over steps of `step_us` (whole pulses), from the step that holds `since_us` to before `until_us`."""

    agents: tuple[int, ...]
    since_us: int
    until_us: int
    step_us: int = PULSE_US


@dataclass(frozen=True, slots=True)
class PulseResult:
    """`time_us`: beginnings of the steps of which anything is known, ascending; `counts[figure]` is [agent, step] in the order of
    the request. An agent that did nothing in a known step has 0."""

    request: PulseRequest
    time_us: Int64
    counts: Mapping[str, Int64]
    gaps: GapColumns
