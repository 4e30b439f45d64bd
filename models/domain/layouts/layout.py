"""A layout: panels in rows and columns. Nothing in it is an id of a workspace, so that it means the same in every one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

MOST_PANELS = 100
MOST_PLOTTED = 100
MOST_THRESHOLDS = 20
MOST_AGENTS = 10_000
DEEPEST = MOST_PANELS


class Shown(StrEnum):
    """What of a series is drawn."""

    AUTO = ""  # counters as their rate, everything else as it was measured
    VALUE = "value"
    RATE = "rate"  # of a counter: its increase, a second
    INCREASE = "increase"  # of a counter, in each step
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"


class Kind(StrEnum):
    """How a panel shows it."""

    PLOT = "plot"
    DISTRIBUTION = "distribution"
    VALUES = "values"
    TABLE = "table"
    HEAT = "heat"  # the first series, of every agent that has it


class Direction(StrEnum):
    """How the parts of a split stand: below each other, or side by side."""

    ROWS = "rows"
    COLUMNS = "columns"


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    ABOVE = "above"
    BELOW = "below"

    @property
    def direction(self) -> Direction:
        return Direction.ROWS if self in (Side.ABOVE, Side.BELOW) else Direction.COLUMNS

    @property
    def first(self) -> bool:
        """Does what comes stand before what is there?"""
        return self in (Side.LEFT, Side.ABOVE)


@dataclass(frozen=True, slots=True)
class Plotted:
    """One series by name. `agent` empty: of every agent of the layout. `role` (`headline.ROLES`, `pulse_figures.FIGURES`)
    stands for whichever series the fleet shows as that, in place of `metric` and `labels`; `query` for the log records that this
    query finds, whoever logged them."""

    agent: str = ""
    metric: str = ""
    labels: str = ""  # as `SeriesKey.labels`
    role: str = ""
    shown: Shown = Shown.AUTO
    query: str = ""


class Watched(NamedTuple):
    """A value that somebody watches for, in a unit as it is drawn in (`headline.base_unit`)."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Panel:
    """`id` is above 0 and one panel's in its layout. `title` empty: made from what is shown. `repeat`: once for each agent of
    the layout. `compare_s`: beside the present, how it was so many seconds earlier (0: no comparison)."""

    id: int
    plotted: tuple[Plotted, ...] = ()
    title: str = ""
    repeat: bool = False
    statistics: bool = False
    compare_s: int = 0
    thresholds: tuple[Watched, ...] = ()
    kind: Kind = Kind.PLOT

    @property
    def tells_more(self) -> bool:
        """Does it tell what no line shows: ranks, means, every sample?"""
        return self.statistics or self.kind in (Kind.DISTRIBUTION, Kind.TABLE)


@dataclass(frozen=True, slots=True)
class Split:
    """Two or more parts with their shares of the room."""

    direction: Direction
    parts: tuple["Node", ...]
    sizes: tuple[int, ...]


Node = Panel | Split


@dataclass(frozen=True, slots=True)
class Layout:
    """`agents`: whom roles, and what names no agent, are about."""

    root: Node
    agents: tuple[str, ...] = ()


EMPTY = Layout(Panel(1))
