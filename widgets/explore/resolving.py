"""What a panel names, found in this workspace: series with their agents and units, by the axis that they belong to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from models.domain.headline import BASE_UNITS, Headline, headline
from models.domain.layouts.layout import MOST_PLOTTED, Panel, Plotted, Shown
from models.domain.names import SeriesKind
from models.domain.pulse_figures import ERROR_RATIO, FIGURES
from models.domain.series_names import SeriesWords
from widgets.explore.pulse_feed import pulse_series
from widgets.explore.query_feed import query_series
from widgets.plots.counter_curves import rate_unit
from widgets.plots.series_index import SeriesIndex

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
MOST_UNITS = 2
_RECORDS = "{record}"


class FoundSeries(NamedTuple):
    """`shown_as`: how published values become those that are drawn, in `measured_unit`."""

    plotted: Plotted
    series: int
    agent: int
    agent_id: str
    agent_title: str
    agent_name: str
    words: SeriesWords
    text: str  # its name as people read it
    shown_as: Headline | None
    measured_unit: str

    @property
    def usual(self) -> Shown:
        """What AUTO means."""
        return Shown.RATE if self.is_counter else Shown.VALUE

    @property
    def shown(self) -> Shown:
        """Never AUTO."""
        if self.plotted.shown is Shown.AUTO:
            return self.usual
        if self.plotted.shown is Shown.VALUE and self.is_counter and self.series < 0:
            return Shown.INCREASE  # the recorder counts step by step, and from no beginning
        return self.plotted.shown

    @property
    def is_counter(self) -> bool:
        return self.words.kind is SeriesKind.COUNTER

    @property
    def counts(self) -> bool:
        """Is it drawn by how it rises?"""
        return self.shown in (Shown.RATE, Shown.INCREASE)

    @property
    def unit(self) -> str:
        """Of what is drawn."""
        return rate_unit(self.measured_unit) if self.shown is Shown.RATE else self.measured_unit


@dataclass(slots=True)
class Resolved:
    """`missing`: named, and not in this workspace. `crowded`: of a third unit, for which there is no axis. `more`: so many series
    beyond what one panel shows."""

    found: list[FoundSeries] = field(default_factory=list)
    missing: list[Plotted] = field(default_factory=list)
    missing_agents: list[str] = field(default_factory=list)
    crowded: list[FoundSeries] = field(default_factory=list)
    more: int = 0

    @property
    def units(self) -> list[str]:
        """The one of the left axis first."""
        return list(dict.fromkeys(one.unit for one in self.found))

    def floor(self, unit: str) -> float | None:
        """Where its axis begins: shares, durations and what counters do are read from zero; memory and temperatures by how they
        move (None)."""
        rises = any(one.counts for one in self.found if one.unit == unit)
        return 0.0 if rises or unit in {"1", "s"} else None


def resolve(panel: Panel, agents: Sequence[str], index: SeriesIndex) -> Resolved:
    """Find what a panel shows of these agents: those of the layout, or the one of a repeated panel."""
    resolved = Resolved()
    units: list[str] = []
    for plotted in panel.plotted:
        if plotted.query:
            _put(found_query(plotted), resolved, units)
            continue
        for agent in (plotted.agent,) if plotted.agent else agents:
            place = index.place_of(agent)
            if place < 0 and not plotted.agent:
                resolved.missing_agents.append(agent)
                continue
            if place >= 0 and len(resolved.found) >= MOST_PLOTTED:
                resolved.more += 1  # not looked for: there may be thousands
                continue
            found = find(plotted, place, index) if place >= 0 else None
            if found is None:
                if plotted.agent:
                    resolved.missing.append(plotted)
                continue
            _put(found, resolved, units)
    resolved.missing_agents = list(dict.fromkeys(resolved.missing_agents))
    return resolved


def _put(found: FoundSeries, resolved: Resolved, units: list[str]) -> None:
    if found.unit not in units:
        if len(units) == MOST_UNITS:
            resolved.crowded.append(found)
            return
        units.append(found.unit)
    resolved.found.append(found)


def found_query(plotted: Plotted) -> FoundSeries:
    """The log records that a query finds: nobody's series, and in every workspace."""
    words = SeriesWords(plotted.query, "", _RECORDS, SeriesKind.COUNTER, "recorder")
    title = translate("ExplorePanel", "Log records")
    return FoundSeries(plotted, query_series(plotted.query), 0, "", title, title, words, plotted.query, None, _RECORDS)


def heat_resolved(panel: Panel) -> Resolved:
    """Of a heat-map: it has no curves, and one metric."""
    kinds = {(one.metric, one.labels, one.role, one.query, one.shown) for one in panel.plotted}
    return Resolved(more=max(0, len(kinds) - 1))


def find(plotted: Plotted, place: int, index: SeriesIndex) -> FoundSeries | None:
    """One series of the agent at `place` of the index; None: it has none of that name."""
    if plotted.role in FIGURES:
        return _counted(plotted, place, index)
    if plotted.role:
        row = index.row_of_role(place, plotted.role)
    else:
        row = index.row_of(place, plotted.metric, plotted.labels)
    if row < 0:
        return None
    told = int(index.told[row])
    words = index.words[told]
    shown_as = headline(words.metric, words.unit, words.labels) if plotted.role else _in_base_unit(words.unit)
    unit = shown_as.unit if shown_as is not None else words.unit
    return FoundSeries(
        plotted, int(index.series[row]), index.agents[place], index.ids[place], index.titles[place], index.names[place], words,
        index.texts[told], shown_as, unit,
    )  # fmt: skip


def _counted(plotted: Plotted, place: int, index: SeriesIndex) -> FoundSeries:
    """What the recorder counts of every agent."""
    figure = plotted.role
    kind = SeriesKind.GAUGE if figure == ERROR_RATIO else SeriesKind.COUNTER
    words = SeriesWords(figure, "", FIGURES[figure], kind, "recorder")
    agent = index.agents[place]
    return FoundSeries(
        plotted, pulse_series(agent, figure), agent, index.ids[place], index.titles[place], index.names[place], words, figure,
        None, FIGURES[figure],
    )  # fmt: skip


def _in_base_unit(unit: str) -> Headline | None:
    """So that what different agents tell in different units stands on one axis."""
    base, factor = BASE_UNITS.get(unit, (unit, 1.0))
    return None if factor == 1.0 and base == unit else Headline("cpu", 0, unit=base, factor=factor)


def by_axes(
    plotted: Iterable[Plotted], taken: Sequence[str], index: SeriesIndex
) -> tuple[list[Plotted], list[list[Plotted]]]:
    """What has an axis in a panel with these units, and groups of two units each for panels of their own. What is not in this
    workspace fits everywhere."""
    groups: list[list[Plotted]] = [[]]
    units: list[list[str]] = [list(taken)]
    for one in plotted:
        place = index.place_of(one.agent)
        found = found_query(one) if one.query else find(one, place, index) if place >= 0 else None
        if found is None:
            groups[0].append(one)
            continue
        fits = (number for number, some in enumerate(units) if found.unit in some or len(some) < MOST_UNITS)
        number = next(fits, len(groups))
        if number == len(groups):
            groups.append([])
            units.append([])
        groups[number].append(one)
        if found.unit not in units[number]:
            units[number].append(found.unit)
    return groups[0], groups[1:]
