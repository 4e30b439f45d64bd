"""The part of the query port that is about one figure of all agents, step by step. Pure data; any thread."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.layouts.layout import Shown

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


class HeatRow(NamedTuple):
    """What stands for one agent: a series (0: what the recorder counts needs none). A value is drawn as
    `published * factor + offset`."""

    agent: int
    series: int = 0
    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class HeatRequest:
    """A value of each row for each step of `step_us`, from the step that holds `since_us` to before `until_us`.

    `figure` is one of `headline.ROLES` or `pulse_figures.FIGURES` where the rows are the agents' own of that, else empty.
    `shown` (never AUTO or INCREASE) says what is told of a step: VALUE the mean, RATE how fast a counter rose, a second, P50 to P99
    that quantile, never interpolated. Of `FIGURES` it is how many there were a second, or the ratio itself."""

    rows: tuple[HeatRow, ...]
    figure: str
    shown: Shown
    since_us: int
    until_us: int
    step_us: int

    @property
    def first_us(self) -> int:
        """Beginning of the first step; steps begin at multiples of their length."""
        return self.since_us // self.step_us * self.step_us

    @property
    def steps(self) -> int:
        return max(0, -(-(self.until_us - self.first_us) // self.step_us))


@dataclass(frozen=True, slots=True)
class HeatResult:
    """`value[row, step]`, NaN where nothing was measured. `n[row, step]`: of how many samples a quantile is (0: not told).
    `complete` is false for a page that will be followed by a fuller one (newest data first). `summed_up`: from what the recorder
    sums up every ten seconds, not from samples; a mean is then one of means."""

    request: HeatRequest
    value: Float32
    n: Int32
    summed_up: bool = False
    complete: bool = True
