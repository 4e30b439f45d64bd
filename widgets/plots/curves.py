"""What a plot draws: samples of a series made into points of a line, broken wherever we do not know. Pure numpy."""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from models.domain.queries import Float64, GapColumns, Int64
from models.domain.reduce import envelope_index
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.hours import HourBand, hour_at, hour_band

Flags = npt.NDArray[np.bool_]

SILENCE_FACTOR = 2.5
"""A line ends where nothing came for longer than this many usual intervals."""
_UNKNOWN_SILENCE_US = 300_000_000
ON_ITS_WAY_US = 5_000_000
"""So long what was measured may take from its agent to the screen."""


class Spans(NamedTuple):
    """Stretches of time that history does not cover; sorted by their beginning."""

    since_us: Int64
    until_us: Int64


NO_SPANS = Spans(np.empty(0, np.int64), np.empty(0, np.int64))


def spans_of(gaps: GapColumns, agent: int) -> Spans:
    """The gaps that concern an agent: its own and everybody's."""
    mine = (gaps.agent == agent) | (gaps.agent == 0)
    order = np.argsort(gaps.since_us[mine], kind="stable")
    return Spans(gaps.since_us[mine][order], gaps.until_us[mine][order])


class Window(NamedTuple):
    """What shall be seen: [since, until) on `columns` pixels, and where the line may not go through."""

    since_us: int
    until_us: int
    columns: int
    gaps: Spans = NO_SPANS


@dataclass(slots=True)
class Shape:
    """Points to draw. `joined[i]` says that a line runs from point i to the next; `thin[i]` that point i rests on few
    observations. `bar_us` above 0 makes bars of that width which begin at `x_us`. `resets` are times of counter resets, `carried` times at which a counter's
    rise over a gap became known, by how much in `carried_by`; nobody knows when it rose, so no bucket shows it. `band`: what
    is known by the hour alone; `hourly` is the time in which values are such ones. `envelope_of`: how many samples stand behind
    a line of extremes (0: every sample is drawn; -1: more than the store handed out). `bucket_us`: each point sums up so long."""

    x_us: Int64
    value: Float64
    joined: Flags
    thin: Flags | None = None
    bar_us: int = 0
    resets: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    carried: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    carried_by: Float64 = field(default_factory=lambda: np.empty(0))
    carried_unit: str = ""
    band: HourBand | None = None
    hourly: tuple[int, int] | None = None
    envelope_of: int = 0
    bucket_us: int = 0


NO_SHAPE = Shape(np.empty(0, np.int64), np.empty(0), np.zeros(0, bool))


class Reading(NamedTuple):
    """A value for the legend; `n` is how many observations it rests on (0: it is one sample)."""

    value: float
    n: int = 0


NO_READING = Reading(float("nan"))


class Curve(Protocol):
    """One curve of a plot. `colour` is its place in the theme's list of curve colours."""

    name: str
    unit: str
    colour: int
    tooltip: str

    def shape(self, window: Window) -> Shape:
        """What to draw of it."""
        ...

    def reading(self, at_us: int) -> Reading:
        """Its value at a moment."""
        ...

    def current(self, until_us: int) -> Reading:
        """What the legend says while no cursor points anywhere: the newest value up to `until_us`."""
        ...


class RawPoints(Protocol):
    """A series as it was measured, for copying and the table."""

    name: str
    unit: str

    def points(self, since_us: int, until_us: int) -> tuple[Int64, Float64]:
        """Every point in [since, until), copied."""
        ...


def joints(x_us: Int64, longest_us: int, gaps: Spans) -> Flags:
    """Which points are joined with the next one: not over a silence longer than `longest_us` (0: any), not over a gap."""
    joined = np.zeros(len(x_us), bool)
    if len(x_us) < 2:
        return joined
    joined[:-1] = True
    if longest_us > 0:
        joined[:-1] &= np.diff(x_us) <= longest_us
    for since, until in zip(gaps.since_us.tolist(), gaps.until_us.tolist(), strict=True):
        first = max(0, int(np.searchsorted(x_us, since, side="right")) - 1)
        joined[first : int(np.searchsorted(x_us, max(since, until)))] = False
    return joined


def reduced_line(x_us: Int64, value: Float64, joined: Flags, columns: int) -> Shape:
    """At most two points a column; a break anywhere between two kept points stays a break."""
    kept = envelope_index(x_us, value, columns)
    if len(kept) == len(x_us):
        return Shape(x_us, value, joined)
    breaks = np.flatnonzero(~joined)
    before = np.searchsorted(breaks, kept)
    still = np.zeros(len(kept), bool)
    still[:-1] = before[1:] == before[:-1]
    return Shape(x_us[kept], value[kept], still, envelope_of=len(x_us))


class LineCurve:
    """A gauge as it was measured. `interval_us` is the declared interval of its agent (0: none)."""

    def __init__(self, name: str, unit: str, buffer: SeriesBuffer, colour: int = 0, tooltip: str = "") -> None:
        self.name = name
        self.unit = unit
        self.colour = colour
        self.tooltip = tooltip
        self.interval_us = 0
        self.buffer = buffer

    def shape(self, window: Window) -> Shape:
        shape = self._line(window)
        if self.buffer.reduced:
            shape.envelope_of = -1
        if self.buffer.hours is not None:
            shape.band = hour_band(self.buffer.hours, window.since_us, window.until_us, window.columns)
            shape.hourly = shape.band.span if shape.band is not None else None
        return shape

    def _line(self, window: Window) -> Shape:
        x, value = self.buffer.visible(window.since_us, window.until_us)
        kept = self.buffer.envelope(window.since_us, window.until_us, window.columns)
        if kept is None:
            return reduced_line(x, value, joints(x, self._silence_us(), window.gaps), window.columns)
        drawn = x[kept]
        joined = joints(drawn, 0, window.gaps)
        before = np.searchsorted(self.buffer.breaks(self._silence_us()), drawn)
        joined[:-1] &= before[1:] == before[:-1]
        return Shape(drawn, value[kept], joined, envelope_of=len(x))

    def reading(self, at_us: int) -> Reading:
        value = self.buffer.value_at(at_us, self._silence_us() or _UNKNOWN_SILENCE_US)
        hour = hour_at(self.buffer.hours, at_us) if np.isnan(value) else -1
        return Reading(value if hour < 0 or self.buffer.hours is None else float(self.buffer.hours.mean[hour]))

    def current(self, until_us: int) -> Reading:
        # what is on its way from agent to screen takes a moment, and that is no silence
        return Reading(self.buffer.value_at(until_us, max(self._silence_us(), ON_ITS_WAY_US) or _UNKNOWN_SILENCE_US))

    def points(self, since_us: int, until_us: int) -> tuple[Int64, Float64]:
        return raw_points(self.buffer, since_us, until_us)

    def _silence_us(self) -> int:
        return int(SILENCE_FACTOR * max(self.buffer.usual_interval_us(), self.interval_us))


def raw_points(buffer: SeriesBuffer, since_us: int, until_us: int) -> tuple[Int64, Float64]:
    """Every point of a buffer in [since, until), copied."""
    x = buffer.x_us
    inside = slice(int(np.searchsorted(x, since_us)), int(np.searchsorted(x, until_us)))
    return x[inside].copy(), buffer.value[inside].copy()
