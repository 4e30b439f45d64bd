"""Everything that panels draw, from one place: samples of series, and what the recorder counts of agents."""

from collections.abc import Collection, Iterable

from PySide6.QtCore import QObject, Signal

from models.domain.headline import Headline
from models.domain.layouts.layout import Shown
from models.domain.problems import Problem
from models.domain.pulse_figures import FIGURES
from models.domain.queries import DataSource, GapColumns
from models.domain.tail import Tail
from widgets.explore.pulse_feed import PulseFeed
from widgets.explore.resolving import FoundSeries
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.series_feed import SeriesFeed, ShownRange


class PanelFeed(QObject):
    """Asks for what is watched together, and only while it is active. GUI thread."""

    updated = Signal(object)  # frozenset[int]
    state_changed = Signal()

    def __init__(self, source: DataSource, tail: Tail, time_range: ShownRange, parent: QObject) -> None:
        super().__init__(parent)
        self.series = SeriesFeed(source, tail, time_range, self)
        self.pulses = PulseFeed(source, time_range, self)
        self._parts = (self.series, self.pulses)
        for part in self._parts:
            part.updated.connect(self.updated)
            part.state_changed.connect(self.state_changed)

    def watch(self, found: Iterable[FoundSeries], exactly: Collection[int] = ()) -> None:
        """From now on these; of the series `exactly` more is told than a line shows."""
        counted: list[int] = []
        sampled: dict[int, Headline | None] = {}
        whole: set[int] = set()
        for one in found:
            if one.plotted.role in FIGURES:
                counted.append(one.agent)
            else:
                sampled.setdefault(one.series, one.shown_as)
                plain = one.shown is Shown.VALUE or (one.shown is Shown.RATE and one.is_counter)
                if not plain or one.series in exactly:
                    whole.add(one.series)
        self.series.watch(sampled, whole)
        self.pulses.watch(counted)

    def buffer(self, series: int) -> SeriesBuffer:
        """Of a watched series."""
        return self.series.buffers[series] if series >= 0 else self.pulses.buffers[series]

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
        return self.series.gaps if len(self.series.gaps.since_us) else self.pulses.gaps

    @property
    def loading(self) -> bool:
        return self.series.loading or self.pulses.loading

    @property
    def problem(self) -> Problem | None:
        return self.series.problem or self.pulses.problem
