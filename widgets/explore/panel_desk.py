"""Keeps the panels in step with the layout, the series that there are, and the samples that come."""

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from models.domain.layouts.changes import panel_of
from models.domain.layouts.layout import Kind, Panel
from models.domain.time_range import SECOND_US
from widgets.common.words import problem_text
from widgets.explore.earlier import EarlierRange, earlier_feed
from widgets.explore.explore_panel import CellKey, ExplorePanel
from widgets.explore.known_series import KnownSeries
from widgets.explore.layout_history import LayoutHistory
from widgets.explore.panel_curves import PanelCurve, heat_title, make_curves, panel_title
from widgets.explore.panel_events import PanelEvents
from widgets.explore.panel_feed import PanelFeed
from widgets.explore.panel_grid import PanelGrid
from widgets.explore.panel_sentences import nothing_chosen, nothing_found, nothing_measured, too_many
from widgets.explore.resolving import FoundSeries, Resolved, heat_resolved, resolve
from widgets.frame.screen_context import ScreenContext
from widgets.heat.subject import HeatSubjects
from widgets.plots.alignment import Alignment
from widgets.plots.surface import TimeSurface

_LEAST_TICK_MS, _MOST_TICK_MS = 40, 1_000


class PanelDesk(QObject):
    """What panels need is asked for together, and only for those that are shown. GUI thread."""

    made = Signal(object)
    """A new `ExplorePanel`, to be wired."""

    def __init__(self, context: ScreenContext, known: KnownSeries, history: LayoutHistory, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._known, self._history = context, known, history
        self._active = False
        self.only: CellKey | None = None
        self.feed = PanelFeed(context.source, context.tail, context.times, context.clock, self)
        self.events = PanelEvents(context, self)
        self.grid = PanelGrid(self._make)
        self._heat = HeatSubjects(known.index)
        self._alignment = Alignment(self._over_time, self)
        self._users: dict[int, list[ExplorePanel]] = {}
        self._earlier: dict[int, tuple[EarlierRange, PanelFeed]] = {}  # by how much, in microseconds
        self._tick = QTimer(self)
        self._tick.timeout.connect(self._time_passed)
        self.feed.updated.connect(self._points_came)
        self.feed.state_changed.connect(self._tell_states)
        self.events.changed.connect(self._tell_events)
        history.changed.connect(self.arrange)
        known.changed.connect(self._resolve_all)
        context.times.changed.connect(self._set_tick)
        self.arrange()

    def set_active(self, active: bool) -> None:
        """Does anybody see it?"""
        self._active = active
        for feed in (self.feed, *(one for _, one in self._earlier.values())):
            feed.set_active(active)
        self.events.set_active(active)
        self._set_tick()

    def show_only(self, key: CellKey | None) -> None:
        """Show one panel alone; None: all of them."""
        self.only = key
        self.arrange()

    @Slot()
    def arrange(self) -> None:
        """The layout is another one, or which part of it is shown."""
        self.grid.show_layout(self._history.layout, self.only)
        if self.only is not None and self.only not in self.grid.panels:
            self.only = None
        self._resolve_all()

    def reload(self) -> None:
        """Ask for the samples again."""
        for feed in (self.feed, *(one for _, one in self._earlier.values())):
            feed.reload()
        self.events.reload()

    @property
    def shown(self) -> list[ExplorePanel]:
        """The panels that are not hidden, in reading order."""
        return [self.grid.panels[key] for key in self.grid.shown]

    def _make(self, key: CellKey) -> ExplorePanel:
        panel = ExplorePanel(key, self._context)
        panel.placed.connect(self._alignment.look_again)
        self.made.emit(panel)
        return panel

    def _over_time(self) -> list[tuple[ExplorePanel, TimeSurface]]:
        return [(panel, panel.over_time) for panel in self.shown if panel.over_time is not None]

    # ------------------------------------------------------------ series

    @Slot()
    def _resolve_all(self) -> None:
        """Find what the shown panels name, and watch it. Panels for which nothing changed keep their curves."""
        index, layout = self._known.index, self._history.layout
        wanted: list[tuple[ExplorePanel, Panel, Resolved]] = []
        for one in self.shown:
            panel = panel_of(layout, one.key.panel) or Panel(one.key.panel)
            agents = (one.key.agent,) if one.key.agent else layout.agents
            resolved = heat_resolved(panel) if panel.kind is Kind.HEAT else resolve(panel, agents, index)
            wanted.append((one, panel, resolved))
        exact = {found.series for _, panel, resolved in wanted if panel.tells_more for found in resolved.found}
        self.feed.watch([found for _, _, resolved in wanted for found in resolved.found], exact)
        self._watch_earlier(wanted)
        self._users = {}
        for one, panel, resolved in wanted:
            agent = one.key.agent and self._name_of(one.key.agent)
            same = (one.resolved, one.panel.compare_s) == (resolved, panel.compare_s)
            fresh = not same or any(not self._is_fed(curve) for curve in one.curves)
            heat = self._heat.of(panel.plotted[0]) if panel.kind is Kind.HEAT and panel.plotted else None
            one.show_panel(
                panel, panel_title(panel, resolved.found, agent) if heat is None else heat_title(panel, heat)
            )
            one.show_heat(heat)
            if fresh:
                curves = make_curves(resolved.found, self.feed, self._interval_us)
                if shift_us := panel.compare_s * SECOND_US:
                    curves += make_curves(resolved.found, self._earlier[shift_us][1], self._interval_us, shift_us)
                one.show_series(resolved, curves)
                one.set_gaps(self.feed.gaps)
            for series in one.series:
                self._users.setdefault(series, []).append(one)
        self.events.watch([list(one.agents) for one in self.shown])
        self._tell_states()
        self._tell_events()

    @Slot()
    def _tell_events(self) -> None:
        for panel in self.shown:
            panel.plot.set_marks(self.events.marks(panel.agents))

    def _watch_earlier(self, wanted: list[tuple[ExplorePanel, Panel, Resolved]]) -> None:
        """Have a feed for each span that panels are compared over."""
        watched: dict[int, list[FoundSeries]] = {}
        for _, panel, resolved in wanted:
            if panel.compare_s:
                watched.setdefault(panel.compare_s * SECOND_US, []).extend(resolved.found)
        for shift_us in set(self._earlier) - set(watched):
            times, feed = self._earlier.pop(shift_us)
            feed.set_active(False)
            times.deleteLater()
        for shift_us, found in watched.items():
            if shift_us not in self._earlier:
                times = EarlierRange(self._context.times, shift_us, self)
                feed = earlier_feed(self._context.source, times, self._context.clock)
                feed.updated.connect(self._points_came)
                feed.state_changed.connect(self._tell_earlier_gaps)
                feed.set_active(self._active)
                self._earlier[shift_us] = times, feed
            self._earlier[shift_us][1].watch(found)

    @Slot()
    def _tell_earlier_gaps(self) -> None:
        for panel in self.shown:
            for curve in panel.curves:
                if curve.shift_us:
                    curve.set_gaps(self._feed_of(curve).gaps)
            if panel.panel.compare_s:
                panel.data_changed()

    def _is_fed(self, curve: PanelCurve) -> bool:
        """Does what comes for its series still reach it?"""
        return curve.buffer is self._feed_of(curve).buffer(curve.found.series)

    def _feed_of(self, curve: PanelCurve) -> PanelFeed:
        return self._earlier[curve.shift_us][1] if curve.shift_us in self._earlier else self.feed

    def _interval_us(self, agent: int) -> int:
        return self._known.index.interval_us.get(agent, 0)

    def _name_of(self, agent: str) -> str:
        place = self._known.index.place_of(agent)
        return agent if place < 0 else self._known.index.names[place]

    # ------------------------------------------------------------ samples, states, time

    @Slot(object)
    def _points_came(self, series: frozenset[int]) -> None:
        for panel in {panel for one in series for panel in self._users.get(one, ())}:
            panel.data_changed()

    @Slot()
    def _tell_states(self) -> None:
        problem = self._known.problem or self.feed.problem
        for panel in self.shown:
            panel.set_gaps(self.feed.gaps)
            if problem is not None:
                sentence = " ".join(problem_text(problem)).strip()
            elif not panel.panel.plotted and self._known.loaded:
                sentence = nothing_chosen(alone=len(self.shown) == 1, anybody=bool(self._known.index.agents))
            elif not self._known.loaded or (self.feed.loading and not any(len(one.buffer) for one in panel.curves)):
                sentence = self.tr("Loading…")
            elif not panel.curves:
                sentence = nothing_found(panel.panel, self._history.layout.agents, panel.resolved.missing_agents)
            elif any(one.needs_all and one.buffer.reduced for one in panel.curves):
                sentence = too_many()
            else:
                now, clock = self._context.times.current(), self._context.clock
                sentence = nothing_measured(
                    now.since_us, now.until_us, clock.wall_us(), self.feed.gaps, list(panel.agents)
                )
            panel.set_sentence(sentence)

    @Slot()
    def _time_passed(self) -> None:
        """While live the window moves on even when nothing comes."""
        for times, _ in self._earlier.values():
            times.time_passed()
        for panel in self.shown:
            panel.time_passed()

    @Slot()
    def _set_tick(self) -> None:
        """One tick a pixel: no use redrawing faster than what is seen changes."""
        now = self._context.times.current()
        if now.live and self._active:
            widest = max((panel.width() for panel in self.shown), default=0)
            pixel_ms = now.span_us // 1_000 // max(100, widest)
            self._tick.start(min(max(pixel_ms, _LEAST_TICK_MS), _MOST_TICK_MS))
        else:
            self._tick.stop()
