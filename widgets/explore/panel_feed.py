"""Everything that panels draw, from one place: samples of series, what the recorder counts of agents, and how many log records
queries find."""

from collections.abc import Collection, Iterable, Mapping

from PySide6.QtCore import QObject, Signal

from models.domain.clock import Clock
from models.domain.headline import Headline
from models.domain.layouts.layout import Shown
from models.domain.problems import Problem
from models.domain.pulse_figures import FIGURES
from models.domain.queries import DataSource, GapColumns
from models.domain.tail import Tail
from widgets.explore.pulse_curve import Steps
from widgets.explore.pulse_feed import PulseFeed, pulse_series
from widgets.explore.query_feed import QueryFeed, is_query
from widgets.explore.resolving import FoundSeries
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.series_feed import SeriesFeed, ShownRange

QUERY_FIGURE = "records"


class PanelFeed(QObject):
    """Asks for what is watched together, and only while it is active. GUI thread."""

    updated = Signal(object)  # frozenset[int]
    state_changed = Signal()

    def __init__(self, source: DataSource, tail: Tail, time_range: ShownRange, clock: Clock, parent: QObject) -> None:
        super().__init__(parent)
        self.series = SeriesFeed(source, tail, time_range, self)
        self.pulses = PulseFeed(source, time_range, self)
        self.queries = QueryFeed(source, time_range, clock, self)
        self._parts = (self.series, self.pulses, self.queries)
        for part in self._parts:
            part.updated.connect(self.updated)
            part.state_changed.connect(self.state_changed)

    def watch(self, found: Iterable[FoundSeries], exactly: Collection[int] = ()) -> None:
        """From now on these; of the series `exactly` more is told than a line shows."""
        counted: list[int] = []
        sampled: dict[int, Headline | None] = {}
        whole: set[int] = set()
        queries: list[str] = []
        for one in found:
            if one.plotted.query:
                queries.append(one.plotted.query)
            elif one.plotted.role in FIGURES:
                counted.append(one.agent)
            else:
                sampled.setdefault(one.series, one.shown_as)
                plain = one.shown is Shown.VALUE or (one.shown is Shown.RATE and one.is_counter)
                if not plain or one.series in exactly:
                    whole.add(one.series)
        self.series.watch(sampled, whole)
        self.pulses.watch(counted)
        self.queries.watch(queries)

    def buffer(self, series: int) -> SeriesBuffer:
        """Of a watched series."""
        if series >= 0:
            return self.series.buffers[series]
        return self.queries.buffers[series] if is_query(series) else self.pulses.buffers[series]

    def counted(self, series: int, agent: int) -> tuple[Steps, Mapping[str, SeriesBuffer]]:
        """Of a watched series that is counted in steps: these, and its buffers by figure."""
        if is_query(series):
            return self.queries, {QUERY_FIGURE: self.queries.buffers[series]}
        return self.pulses, {one: self.pulses.buffers[pulse_series(agent, one)] for one in FIGURES}

    def set_active(self, active: bool) -> None:
        """Does anybody see it?"""
        for part in self._parts:
            part.set_active(active)

    def reload(self) -> None:
        """Ask history again."""
        for part in self._parts:
            part.reload()

    @property
    def gaps(self) -> GapColumns:
        """What history does not cover."""
        return next((one.gaps for one in self._parts if len(one.gaps.since_us)), self.series.gaps)

    @property
    def loading(self) -> bool:
        return any(one.loading for one in self._parts)

    @property
    def problem(self) -> Problem | None:
        return next((one.problem for one in self._parts if one.problem is not None), None)
