"""What a heat-map is about: the series of all agents that go by one name or stand for one role, in one unit. Pure data."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from models.domain.headline import BASE_UNITS, headline
from models.domain.heat_queries import HeatRow
from models.domain.layouts.layout import Plotted, Shown
from models.domain.names import SeriesKind
from models.domain.pulse_figures import COUNTS, FIGURES
from models.domain.queries import Int64
from widgets.plots.counter_curves import rate_unit
from widgets.plots.series_index import SeriesIndex


class HeatSubject(NamedTuple):
    """`names` of the rows as people read them, `ids` as exports use them; `text` names the series, empty for a role. `interval_us`:
    how often most agents tell it, as far as is known. `left_out`: so many agents tell it in another unit."""

    text: str
    unit: str
    shown: Shown
    figure: str
    rows: tuple[HeatRow, ...]
    names: tuple[str, ...]
    ids: tuple[str, ...]
    interval_us: int = 0
    left_out: int = 0


class HeatSubjects:
    """Those that were asked for, made anew when the index knows more: of thousands of agents one takes some milliseconds."""

    def __init__(self, index: SeriesIndex) -> None:
        self._index = index
        self._known: tuple[int, object] = (-1, None)
        self._made: dict[Plotted, HeatSubject | None] = {}

    def of(self, plotted: Plotted) -> HeatSubject | None:
        """As `heat_subject`."""
        now = self._index.version, self._index.headline
        if now[0] != self._known[0] or now[1] is not self._known[1]:
            self._known, self._made = now, {}
        if plotted not in self._made:
            self._made[plotted] = heat_subject(plotted, self._index)
        return self._made[plotted]


class _Drawn(NamedTuple):
    unit: str
    factor: float
    offset: float
    counts: bool


def heat_subject(plotted: Plotted, index: SeriesIndex) -> HeatSubject | None:
    """Of every agent, whichever the layout is about; None: nobody has it."""
    if plotted.role in FIGURES:
        rows = tuple(HeatRow(agent) for agent in index.agents)
        unit = FIGURES[plotted.role]
        unit = f"{unit}/s" if plotted.role in COUNTS else unit
        return _subject(index, range(len(rows)), rows, "", unit, Shown.VALUE, plotted.role) if rows else None
    places, found = _of_role(plotted.role, index) if plotted.role else _named(plotted, index)
    if not len(places):
        return None
    drawn = {told: _drawn(index, told, by_role=bool(plotted.role)) for told in np.unique(index.told[found]).tolist()}
    each = [drawn[told] for told in index.told[found].tolist()]
    (unit, counts), _ = Counter((one.unit, one.counts) for one in each).most_common(1)[0]
    kept = [place for place, one in enumerate(each) if (one.unit, one.counts) == (unit, counts)]
    series, agents = index.series[found].tolist(), [index.agents[place] for place in places.tolist()]
    rows = tuple(HeatRow(agents[one], series[one], each[one].factor, each[one].offset) for one in kept)
    shown = _shown(plotted.shown, counts=counts)
    text = "" if plotted.role else index.texts[int(index.told[found[kept[0]]])]
    figure = plotted.role or _role_of(rows, index, int(index.told[found[kept[0]]]))
    unit = rate_unit(unit) if shown is Shown.RATE else unit
    subject = _subject(index, [int(places[one]) for one in kept], rows, text, unit, shown, figure)
    return subject._replace(left_out=len(each) - len(kept))


def _shown(shown: Shown, *, counts: bool) -> Shown:
    """Steps of every length are to have the same colours: what counters rose is told a second."""
    if shown in (Shown.AUTO, Shown.RATE, Shown.INCREASE):
        return Shown.RATE if counts else Shown.VALUE
    return shown


def _subject(
    index: SeriesIndex, places: Iterable[int], rows: tuple[HeatRow, ...], text: str, unit: str, shown: Shown, figure: str
) -> HeatSubject:  # fmt: skip
    places = list(places)
    intervals = sorted(filter(None, (index.interval_us.get(row.agent, 0) for row in rows)))
    interval_us = intervals[len(intervals) * 9 // 10] if intervals else 0
    names = tuple(index.titles[place] for place in places)
    return HeatSubject(text, unit, shown, figure, rows, names, tuple(index.ids[place] for place in places), interval_us)


def _named(plotted: Plotted, index: SeriesIndex) -> tuple[Int64, Int64]:
    """Places of agents, and the row of each in the index."""
    fitting = [
        told for told, one in enumerate(index.words) if (one.metric, one.labels) == (plotted.metric, plotted.labels)
    ]
    found = np.flatnonzero(np.isin(index.told, fitting))
    places, first = np.unique(np.searchsorted(index.starts, found, side="right") - 1, return_index=True)
    return places, found[first]


def _of_role(role: str, index: SeriesIndex) -> tuple[Int64, Int64]:
    own = index.headline.get(role, {})
    wanted = np.array([own.get(agent, 0) for agent in index.agents], np.int64)
    if not len(index.series):
        return wanted[:0], wanted[:0]
    order = np.argsort(index.series)
    place = np.minimum(np.searchsorted(index.series[order], wanted), len(order) - 1)
    found = order[place]
    known = np.flatnonzero((index.series[found] == wanted) & (wanted > 0))
    return known, found[known]


def _drawn(index: SeriesIndex, told: int, *, by_role: bool) -> _Drawn:
    words = index.words[told]
    counts = words.kind is SeriesKind.COUNTER
    shown_as = headline(words.metric, words.unit, words.labels) if by_role else None
    if shown_as is not None:
        return _Drawn(shown_as.unit, shown_as.factor, shown_as.offset, counts)
    unit, factor = BASE_UNITS.get(words.unit, (words.unit, 1.0))
    return _Drawn(unit, factor, 0.0, counts)


def _role_of(rows: tuple[HeatRow, ...], index: SeriesIndex, told: int) -> str:
    """The role that all of these series have for their agents, in the same unit: then the recorder has summed it up already."""
    words = index.words[told]
    shown_as = headline(words.metric, words.unit, words.labels)
    if shown_as is None:
        return ""
    own = index.headline.get(shown_as.role, {})
    alike = all(
        own.get(row.agent) == row.series and (row.factor, row.offset) == (shown_as.factor, shown_as.offset) for row in rows
    )  # fmt: skip
    return shown_as.role if alike else ""
