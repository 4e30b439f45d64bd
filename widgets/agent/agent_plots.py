"""The stacked, linked plots of one agent: CPU, memory, response time, connections, and any other series on demand."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QPalette, QShowEvent
from PySide6.QtWidgets import QMenu, QScrollArea, QVBoxLayout, QWidget

from models.domain.headline import Headline, headline
from models.domain.layouts.layout import Plotted
from models.domain.names import SeriesKind
from models.domain.queries import AgentResult, SeriesInfo
from widgets.common.plain import visible
from widgets.common.words import problem_text
from widgets.frame.screen_context import ScreenContext
from widgets.plots.agent_events import AgentEvents
from widgets.plots.counter_curves import IncreaseCurve
from widgets.plots.curves import Curve, LineCurve, RawPoints, spans_of
from widgets.plots.moment import Way, fill_moments
from widgets.plots.percentiles import QuantileBuckets, QuantileCurve
from widgets.plots.plot import TimePlot
from widgets.plots.plot_picture import ERROR_COLOUR
from widgets.plots.series_feed import SeriesFeed
from widgets.plots.ways_out import fill_ways_out

MOST_EXTRA = 8
_QUANTILES = (0.5, 0.95, 0.99)
_LEAST_TICK_MS, _MOST_TICK_MS = 40, 1_000
_PLOT_PIXELS = 84
_EMPTY_PIXELS = 66
"""Of a plot that this agent has no figures for: its name, why, and the time."""
_NO_LIMIT_PIXELS = 16_777_215
_MOST_COMPACT_PIXELS = 170
_SUMS = ("attempts", "successes", "errors")


class AgentPlots(QScrollArea):
    """Draws what `AgentResult.headline` names, and the series that were picked besides; `compact`: CPU and memory
    alone. Hidden it asks for nothing. GUI thread."""

    why_wanted = Signal(str)
    """Somebody asks why the series of this metric is there."""
    moment_wanted = Signal(int, object, object)
    """Show what this agent did (`Way`) at that moment (microseconds UTC)."""
    explore_wanted = Signal(list)
    """Series by name (`Plotted`) shall be explored."""

    def __init__(self, context: ScreenContext, *, compact: bool = False) -> None:
        super().__init__()
        self._compact = compact
        self._outlet = context.outlet
        self._shared = (context.frames, context.times, context.cursor, context.themes)
        self._range, self._notes = context.times, context.notes
        self._agent: AgentResult | None = None
        self._extra: tuple[int, ...] = ()
        self._users: dict[int, list[TimePlot]] = {}
        self.feed = SeriesFeed(context.source, context.tail, context.times, self)
        self.events = AgentEvents(context.source, context.tail, context.times, self)
        self.cpu = self._plot(self.tr("CPU"), "1")
        self.memory = self._plot(self.tr("Memory"), "By", floor=None)
        if not compact:
            self.response = self._plot(self.tr("Response time"), "s")
            self.connections = self._plot(self.tr("Connections"), "{connection}")
        self.main = (self.cpu, self.memory) if compact else (self.cpu, self.memory, self.response, self.connections)
        self.extra: list[TimePlot] = []
        content = QWidget()
        content.setBackgroundRole(QPalette.ColorRole.Base)
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        for plot in self.main:
            self._column.addWidget(plot, 1)
        if compact:
            self._column.addStretch(1)
        self.setWidget(content)
        content.setAutoFillBackground(True)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self._tick = QTimer(self)
        self._tick.timeout.connect(self._time_passed)
        self.feed.updated.connect(self._points_came)
        self.feed.state_changed.connect(self._tell_states)
        self.events.changed.connect(self._place_events)
        context.times.changed.connect(self._set_tick)
        self._label_time()

    def show_agent(self, agent: AgentResult) -> None:
        """Show this agent's series; called again whenever more is known of it."""
        other = self._agent is None or self._agent.request.agent != agent.request.agent
        same = not other and self._agent is not None and (self._agent.series, self._agent.headline, self._agent.interval_us) == (agent.series, agent.headline, agent.interval_us)  # fmt: skip
        self._agent = agent
        if other:
            self._extra = ()
            self.events.show_agent(agent.request.agent)
        if not same:
            self._rebuild()

    def show_extra(self, series: Sequence[int]) -> None:
        """Also draw these series, each in a small plot of its own, at most eight."""
        self._extra = tuple(series)[:MOST_EXTRA]
        self._rebuild()

    @property
    def extra_series(self) -> tuple[int, ...]:
        return self._extra

    def reload(self) -> None:
        """Ask for the samples and events again."""
        self.feed.reload()
        self.events.reload()

    # ------------------------------------------------------------ curves

    def _rebuild(self) -> None:
        assert self._agent is not None
        known = {info.id: info for info in self._agent.series}
        roles = ("cpu", "memory") if self._compact else tuple(self._agent.headline)
        chosen = {role: known[one] for role, one in self._agent.headline.items() if role in roles and one in known}
        shown_as: dict[int, Headline | None] = {info.id: _as_headline(info) for info in chosen.values()}
        self._extra = tuple(one for one in self._extra if one in known)
        for one in self._extra:
            shown_as.setdefault(one, None)
        self.feed.watch(shown_as, shown_as)
        self._users = {}
        self._fill_line(self.cpu, chosen.get("cpu"))
        self._fill_line(self.memory, chosen.get("memory"))
        if not self._compact:
            self._fill_response(chosen.get("response"))
            self._fill_connections(chosen)
        self._fill_extra([known[one] for one in self._extra])
        name = self._agent.name or self._agent.id
        for plot in (*self.main, *self.extra):
            plot.set_subject(name)
            plot.show_notes_of({self._agent.request.agent: name})
        self._label_time()
        self._tell_states()
        self._place_events()

    def _fill_line(self, plot: TimePlot, info: SeriesInfo | None) -> None:
        curves: list[LineCurve] = []
        if info is not None:
            shown = _as_headline(info)
            unit = shown.unit if shown else info.key.unit
            plot.set_unit(unit)
            curves.append(self._line(info, "", unit))
        self._use(plot, curves, curves, [info])

    def _line(self, info: SeriesInfo, name: str, unit: str) -> LineCurve:
        curve = LineCurve(name, unit, self.feed.buffers[info.id], 0, self._source_text(info))
        curve.interval_us = self._agent.interval_us if self._agent else 0
        return curve

    def _fill_response(self, info: SeriesInfo | None) -> None:
        if info is None:
            self._use(self.response, [], [], [])
            return
        buckets = QuantileBuckets(self.feed.buffers[info.id], _QUANTILES)
        curves = [
            QuantileCurve(f"p{round(100 * q)}", "s", buckets, row, row, marks_few=row == 2)
            for row, q in enumerate(_QUANTILES)
        ]
        for curve in curves:
            curve.tooltip = self._source_text(info)
        self._use(self.response, curves, [self._line(info, info.key.metric, "s")], [info])

    def _fill_connections(self, chosen: dict[str, SeriesInfo]) -> None:
        words = {"attempts": self.tr("attempts"), "successes": self.tr("ok"), "errors": self.tr("errors")}
        curves = []
        for role in _SUMS:
            info = chosen.get(role)
            if info is not None:
                colour = ERROR_COLOUR if role == "errors" else {"attempts": 0, "successes": 2}[role]
                buffer = self.feed.buffers[info.id]
                curve = IncreaseCurve(words[role], "{connection}", buffer, colour, bars=role == "errors")
                curve.tooltip = self._source_text(info)
                curves.append(curve)
        self._use(self.connections, curves, curves, [chosen.get(role) for role in _SUMS])

    def _fill_extra(self, infos: Sequence[SeriesInfo]) -> None:
        for plot in self.extra:
            self._column.removeWidget(plot)
            plot.deleteLater()
        self.extra = []
        for info in infos:
            key = info.key
            title = visible(f"{key.metric} {key.labels}".strip())
            shown = self.feed.shown_as(info.id)
            unit = shown.unit if shown else key.unit
            plot = self._plot(title, unit, floor=0.0 if key.kind is SeriesKind.COUNTER else None)
            curves: list[LineCurve] | list[IncreaseCurve]
            if key.kind is SeriesKind.COUNTER:
                increase = IncreaseCurve(self.tr("increase"), unit, self.feed.buffers[info.id], 0)
                increase.tooltip = self._source_text(info)
                curves = [increase]
            else:
                curves = [self._line(info, "", unit)]
            self._use(plot, curves, curves, [info])
            self._column.addWidget(plot)
            self.extra.append(plot)

    def _use(
        self, plot: TimePlot, curves: Sequence[Curve], raw: Sequence[RawPoints], infos: Sequence[SeriesInfo | None]
    ) -> None:
        plot.set_curves(curves, raw)
        if not self._compact:
            plot.setMinimumHeight(_PLOT_PIXELS if curves else _EMPTY_PIXELS)
            plot.setMaximumHeight(_NO_LIMIT_PIXELS if curves else _EMPTY_PIXELS)
        for info in infos:
            if info is not None:
                self._users.setdefault(info.id, []).append(plot)

    def _source_text(self, info: SeriesInfo) -> str:
        key = info.key
        text = self.tr("{metric} in {unit}, read by {source}")
        unit = key.unit or self.tr("no unit")
        places = {"metric": f"{key.metric} {key.labels}".strip(), "unit": unit, "source": key.source}
        for place, value in places.items():
            text = text.replace("{" + place + "}", visible(value, 300))
        return text

    def _plot(self, title: str, unit: str, *, floor: float | None = 0.0) -> TimePlot:
        plot = TimePlot(title, unit, *self._shared, floor=floor)
        plot.setMinimumHeight(_PLOT_PIXELS)
        plot.show_notes(self._notes)
        plot.menu_wanted.connect(partial(self._fill_menu, plot))
        plot.moment_wanted.connect(self._want_moment)
        if self._compact:
            plot.setMaximumHeight(_MOST_COMPACT_PIXELS)
        return plot

    @Slot(object, object)
    def _want_moment(self, way: Way, at_us: int | None) -> None:
        """Nobody pointed at a moment: it is about the newest that is shown."""
        if self._agent is not None:
            until_us = self._range.current().until_us
            self.moment_wanted.emit(self._agent.request.agent, way, until_us if at_us is None else at_us)

    def _fill_menu(self, plot: TimePlot, menu: QMenu) -> None:
        fill_moments(menu, plot)
        agent = self._agent
        drawn = {one for one, plots in self._users.items() if plot in plots}
        keys = [info.key for info in agent.series if info.id in drawn] if agent is not None else []
        plotted = [Plotted(agent.id, key.metric, key.labels) for key in keys] if agent is not None else []
        fill_ways_out(menu, plot, self._outlet, plotted)
        if plotted:
            menu.addAction(self.tr("Open in Explore"), partial(self.explore_wanted.emit, plotted))
        for metric in dict.fromkeys(key.metric for key in keys):
            text = self.tr("Why? ({metric})").replace("{metric}", visible(metric, 80).replace("&", "&&"))
            menu.addAction(text, partial(self.why_wanted.emit, metric))

    # ------------------------------------------------------------ states, events, time

    @Slot()
    def _tell_states(self) -> None:
        if self.feed.problem is not None:
            sentence = " ".join(problem_text(self.feed.problem)).strip()
            for plot in (*self.main, *self.extra):
                plot.set_sentence(sentence)
            return
        if self._agent is None or (self.feed.loading and not any(map(len, self.feed.buffers.values()))):
            for plot in (*self.main, *self.extra):
                plot.set_sentence(self.tr("Loading…"))
            return
        for plot, sentence in zip(self.main, self._why_empty(), strict=False):
            plot.set_sentence(sentence if not plot.curves else self.tr("Nothing was measured in this time"))
        for plot in self.extra:
            plot.set_sentence(self.tr("Nothing was measured in this time"))
        if not self._compact and any(self.feed.buffers[one].reduced for one in self._series_of(self.response)):
            self.response.set_sentence(self.tr("Too many response times for exact percentiles: choose a shorter time"))

    def _series_of(self, plot: TimePlot) -> list[int]:
        return [series for series, users in self._users.items() if plot in users]

    def _why_empty(self) -> tuple[str, ...]:
        return (
            self.tr("No CPU figures yet: the agent publishes none that we recognise"),
            self.tr("No memory figures yet: the agent publishes none that we recognise"),
            self.tr("The agent reports no response times of its own; how fast it replies is in Fleet and Flow"),
            self.tr("No connection counts yet: the agent reports no attempts, successes or errors"),
        )

    @Slot()
    def _place_events(self) -> None:
        agent = self._agent.request.agent if self._agent else 0
        gaps = self.events.gaps if len(self.events.gaps.since_us) else self.feed.gaps
        spans = spans_of(gaps, agent)
        for plot in (*self.main, *self.extra):
            plot.set_gaps(spans, self.events.bands)
            tried = not self._compact and plot is self.connections
            marks = [*self.events.marks, *self.events.attempts] if tried else self.events.marks
            plot.set_marks(marks)

    @Slot(object)
    def _points_came(self, series: frozenset[int]) -> None:
        for one in series:
            for plot in self._users.get(one, ()):
                plot.data_changed()

    @Slot()
    def _time_passed(self) -> None:
        """While live the window moves on even when nothing comes."""
        for plot in (*self.main, *self.extra):
            plot.data_changed()

    @Slot()
    def _set_tick(self) -> None:
        """One tick a pixel: no use redrawing faster than what is seen changes."""
        now = self._range.current()
        if now.live and self.isVisible():
            pixel_ms = now.span_us // 1_000 // max(100, self.width())
            self._tick.start(min(max(pixel_ms, _LEAST_TICK_MS), _MOST_TICK_MS))
        else:
            self._tick.stop()

    def _label_time(self) -> None:
        plots = [*self.main, *self.extra]
        for plot in plots:
            plot.set_shows_time(plot is plots[-1])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.feed.set_active(True)
        self.events.set_active(True)
        self._set_tick()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.feed.set_active(False)
        self.events.set_active(False)
        self._tick.stop()


def _as_headline(info: SeriesInfo) -> Headline | None:
    return headline(info.key.metric, info.key.unit, info.key.labels)
