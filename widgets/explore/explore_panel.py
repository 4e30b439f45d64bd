"""One panel: a plot of several series, its header, and what is to be told about it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from models.domain.layouts.layout import Kind, Panel, Shown
from models.domain.queries import GapColumns
from widgets.common.plain import PlainLabel
from widgets.common.throttle import Throttle
from widgets.explore.distribution_view import DistributionView
from widgets.explore.drop_zone import DropHint, side_at
from widgets.explore.heat_view import HeatView
from widgets.explore.panel_curves import PanelCurve
from widgets.explore.panel_header import PanelHeader
from widgets.explore.panel_note import MOST_NAMED, panel_note
from widgets.explore.panel_view import PanelView
from widgets.explore.resolving import Resolved
from widgets.explore.series_mime import PANEL, SERIES, dragged_panel, dragged_series
from widgets.explore.statistics_table import StatisticsTable
from widgets.explore.table_view import TableOfSeries
from widgets.explore.values_view import ValuesView
from widgets.frame.screen_context import ScreenContext
from widgets.heat.subject import HeatSubject
from widgets.plots.curves import spans_of
from widgets.plots.gap_bands import gap_bands
from widgets.plots.plot import TimePlot
from widgets.plots.resolution import resolution_text, resolution_tip
from widgets.plots.surface import TimeSurface
from widgets.plots.thresholds import Threshold

LEGEND_LINES = 3
LEAST_HEIGHT = 150
_STATISTICS_MS = 1_000
LEAST_WIDTH = 220


class CellKey(NamedTuple):
    """A panel of the layout; `agent` is empty but where it is repeated."""

    panel: int
    agent: str = ""


class ExplorePanel(QFrame):
    """`show_series` says what it shows. Names that were clicked off stay off while the panel lives. GUI thread."""

    activated = Signal(object)
    """It is at hand now (`CellKey`)."""
    closed = Signal(int)
    rename_wanted = Signal(int)
    menu_wanted = Signal(object, QWidget)
    body_menu_wanted = Signal(object)
    """This `QMenu` is about to open on what it shows."""
    series_dropped = Signal(int, list, object)
    """Series by name were dropped into it (None) or beside it (`Side`)."""
    threshold_moved = Signal(int, int, float)
    """A threshold of this panel (its place) was dragged to a value."""
    moment_wanted = Signal(object)
    """Show what happened (`Way`) where the cursor stands."""
    agent_wanted = Signal(int)
    """Open this agent (its local id)."""
    copied = Signal(str)
    """What of it is on the clipboard now, as a sentence."""
    placed = Signal()
    """What in it lies over time is another, or stands elsewhere."""
    panel_dropped = Signal(int, int, object)
    """That panel was dropped at this side of this one."""

    def __init__(self, key: CellKey, context: ScreenContext) -> None:
        super().__init__()
        self.key, self._context = key, context
        self._sentence = ""
        self.panel = Panel(key.panel)
        self.resolved = Resolved()
        self.curves: list[PanelCurve] = []
        self._off: set[tuple[int, Shown, int]] = set()
        self.header = PanelHeader(context.themes, lambda: self.key.panel, lambda: self.closed.emit(self.key.panel))
        self.plot = TimePlot(
            "", "", context.frames, context.times, context.cursor, context.themes, legend_lines=LEGEND_LINES
        )
        self.plot.show_notes(context.notes)
        self._note = PlainLabel()
        self._note.setProperty("tone", "muted")
        self._note.setContentsMargins(10, 0, 6, 2)
        self._note.hide()
        self._statistics: StatisticsTable | None = None
        self._figures = Throttle(self._tell_statistics, _STATISTICS_MS, self)
        self._hint = DropHint(context.themes, self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.header)
        self._column.addWidget(self._note)
        self._column.addWidget(self.plot, 1)
        self.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.setAcceptDrops(True)
        self.body: TimePlot | PanelView = self.plot
        """What shows the series just now; it takes the keys."""
        self._views: dict[Kind, PanelView] = {}
        self.leave: Callable[[], bool] = lambda: False
        """What Esc does; False: nothing."""
        self._wire(self.plot)
        self.plot.entry_clicked.connect(self.toggle)
        self.plot.moment_wanted.connect(lambda way, _at_us: self.moment_wanted.emit(way))
        self.plot.threshold_moved.connect(lambda place, value: self.threshold_moved.emit(key.panel, place, value))
        self.header.renamed.connect(lambda: self.rename_wanted.emit(self.key.panel))
        self.header.menu_wanted.connect(lambda button: self.menu_wanted.emit(self.key, button))

    def _wire(self, body: "TimePlot | PanelView") -> None:
        for widget in _focused(body):
            widget.installEventFilter(self)
        body.drawn.connect(self._drawn)
        body.menu_wanted.connect(self.body_menu_wanted)
        surface = _over_time(body)
        if surface is not None:
            surface.placed.connect(self.placed)
        self.setFocusProxy(body)

    # ------------------------------------------------------------ what it shows

    def show_panel(self, panel: Panel, title: str) -> None:
        """What it is called, and whether it tells statistics."""
        self.panel = panel
        self.header.title.set_text(title)
        self.plot.set_title(title)
        self.setAccessibleName(title)
        self.plot.set_thresholds([Threshold(*one) for one in panel.thresholds])
        self._show_kind(panel.kind)
        if isinstance(self.body, PanelView):
            self.body.thresholds = panel.thresholds
        self.body.setAccessibleName(title)
        self._show_statistics(shown=panel.statistics and self.may_tell_statistics)
        self.data_changed()

    def _show_kind(self, kind: Kind) -> None:
        """Have the right widget below the header; those that are not shown do nothing."""
        if kind is not Kind.PLOT and kind not in self._views:
            made = self._views[kind] = _VIEWS[kind](self._context)
            self._column.insertWidget(self._column.indexOf(self.plot), made, 1)
            self._wire(made)
            made.agent_wanted.connect(self.agent_wanted)
            made.copied.connect(self.copied)
            if isinstance(made, HeatView):
                made.moment_wanted.connect(self.moment_wanted)
            made.set_curves(self.curves)
            made.set_sentence(self._sentence)
        body = self.plot if kind is Kind.PLOT else self._views[kind]
        if body is not self.body:
            focused = self.body.hasFocus()
            self.body.hide()
            self.body = body
            body.show()
            self.setFocusProxy(body)
            self._tell_off()
            if focused:
                body.setFocus()

    def _bodies(self) -> "list[TimePlot | PanelView]":
        return [self.plot, *self._views.values()]

    @property
    def over_time(self) -> TimeSurface | None:
        """What in it lies over time just now."""
        return _over_time(self.body)

    def data_changed(self) -> None:
        """There is more to draw."""
        self.body.data_changed()

    def time_passed(self) -> None:
        """While live what is shown moves on, also when nothing comes."""
        if isinstance(self.body, HeatView):
            self.body.time_passed()
        else:
            self.data_changed()

    def show_series(self, resolved: Resolved, curves: Sequence[PanelCurve]) -> None:
        """Draw these from now on."""
        self.resolved = resolved
        self.plot.show_notes_of(self.agents)
        self.plot.set_subject(", ".join(dict.fromkeys(one.agent_title for one in resolved.found[:MOST_NAMED])))
        units = resolved.units
        self.plot.set_unit(units[0] if units else "", units[1] if len(units) > 1 else None)
        self.plot.set_floors(*map(resolved.floor, units[:2]))
        self.curves = list(curves)
        self.plot.set_curves(self.curves, [curve.raw for curve in self.curves])
        for view in self._views.values():
            view.set_curves(self.curves)
        self._tell_off()
        self._tell_note()
        self._figures.stop()  # told again with the next drawing

    def show_heat(self, subject: HeatSubject | None) -> None:
        """What its heat-map is of; only while it shows one."""
        if isinstance(self.body, HeatView):
            self.body.show_subject(subject)

    def set_gaps(self, gaps: GapColumns) -> None:
        """What history does not cover. Shaded is what concerns everybody, or the one agent that is shown."""
        for curve in self.curves:
            if not curve.shift_us:  # those of an earlier time are told by its feed
                curve.set_gaps(gaps)
        agents = {curve.found.agent for curve in self.curves}
        agent = next(iter(agents)) if len(agents) == 1 else 0
        self.plot.set_gaps(spans_of(gaps, agent), gap_bands(gaps, agent))

    @property
    def agents(self) -> dict[int, str]:
        """The agents that are shown, with what they are called."""
        return {one.agent: one.agent_name for one in self.resolved.found}

    @property
    def has_curves(self) -> bool:
        """Is it of the series that it names? A heat-map is of all agents."""
        return self.panel.kind is not Kind.HEAT

    @property
    def may_tell_statistics(self) -> bool:
        """A table tells them by itself."""
        return self.has_curves and self.panel.kind is not Kind.TABLE

    @property
    def agent_at_hand(self) -> int:
        """The one that it shows, of the row that is at hand, or of the curve that the mouse opened the menu on; 0: none alone."""
        if isinstance(self.body, HeatView):
            return self.body.agent_at_hand
        if self.body is self.plot and 0 <= self.plot.curve_at_menu < len(self.curves):
            return self.curves[self.plot.curve_at_menu].found.agent
        agents = list(self.agents)
        return agents[0] if len(agents) == 1 else 0

    @property
    def name_at_hand(self) -> str:
        """What that agent is called; empty: there is none alone."""
        return self.body.name_at_hand if isinstance(self.body, HeatView) else self.agents.get(self.agent_at_hand, "")

    @property
    def menu_moment(self) -> int | None:
        """Where its menu was opened with the mouse; None: in another way, or beside what lies in time."""
        if isinstance(self.body, HeatView):
            return self.body.menu_us
        return self.plot.moment if self.plot.menu_at is not None else None

    def look_at(self, at_us: int) -> None:
        """Take the whole window to this moment."""
        self._context.cursor.pin(at_us)

    def forget_menu(self) -> None:
        """What comes is about the cursor, wherever a menu was opened before."""
        self.plot.menu_at = None
        if isinstance(self.body, HeatView):
            self.body.menu_us = None

    @property
    def series(self) -> set[int]:
        """Ids of what is shown."""
        return {curve.found.series for curve in self.curves}

    def is_on(self, place: int) -> bool:
        """Is this curve drawn?"""
        return self._key(place) not in self._off

    @Slot(int)
    def toggle(self, place: int) -> None:
        """Draw this curve, or not."""
        self._off ^= {self._key(place)}
        self._tell_off()

    def show_only(self, place: int) -> None:
        """Draw this curve alone; once more: all of them."""
        others = {self._key(other) for other in range(len(self.curves)) if other != place}
        alone = others <= self._off and self.is_on(place)
        self._off = set() if alone else others
        self._tell_off()

    def set_sentence(self, sentence: str) -> None:
        """What stands in the middle while nothing is drawn."""
        self._sentence = sentence
        for body in self._bodies():
            body.set_sentence(sentence)

    def set_at_hand(self, *, at_hand: bool) -> None:
        """Is it the panel that commands are about?"""
        self.header.show_at_hand(at_hand=at_hand)

    def _key(self, place: int) -> tuple[int, Shown, int]:
        curve = self.curves[place]
        return curve.found.series, curve.found.shown, curve.shift_us

    def _show_statistics(self, *, shown: bool) -> None:
        if shown and self._statistics is None:
            self._statistics = StatisticsTable()
            self._column.addWidget(self._statistics)
        if self._statistics is not None:
            self._statistics.setVisible(shown)
        self._keep_room()
        if shown:
            self._figures.want()

    def _tell_statistics(self) -> None:
        if self._statistics is not None and self._statistics.isVisibleTo(self):
            self._statistics.show_range(self.curves, *self.body.span)
            self._keep_room()

    def _keep_room(self) -> None:
        """The plot stays one, whatever stands below it."""
        below = self._statistics
        room = below.maximumHeight() if below is not None and below.isVisibleTo(self) else 0
        self.setMinimumHeight(LEAST_HEIGHT + room)

    def _tell_off(self) -> None:
        off = [place for place in range(len(self.curves)) if not self.is_on(place)]
        for body in self._bodies():
            body.set_off(off)

    def _tell_note(self) -> None:
        told = panel_note(self.resolved)
        self._note.set_text(told)
        self._note.setVisible(bool(told))

    @Slot()
    def _drawn(self) -> None:
        if isinstance(self.body, PanelView):
            self.header.show_badge(*self.body.resolution())
        else:
            self.header.show_badge(resolution_text(self.plot.shapes), resolution_tip(self.plot.shapes))
        if self.panel.statistics:
            self._figures.want()

    # ------------------------------------------------------------ focus, drag and drop

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        ours = watched in _focused(self.body)
        if ours and isinstance(event, QFocusEvent) and event.gotFocus():
            self.activated.emit(self.key)
        pressed = ours and event.type() == QEvent.Type.KeyPress
        if pressed and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and not event.modifiers():
            return self.leave()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.body.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(SERIES) or dragged_panel(event.mimeData()) not in (0, self.key.panel):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        inside = event.mimeData().hasFormat(SERIES)
        self._hint.show_side(side_at(event.position(), self.width(), self.height(), inside=inside))
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._hint.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self._hint.hide()
        mime = event.mimeData()
        inside = mime.hasFormat(SERIES)
        side = side_at(event.position(), self.width(), self.height(), inside=inside)
        event.acceptProposedAction()
        if inside and (some := dragged_series(mime)):
            self.series_dropped.emit(self.key.panel, some, side)
        elif mime.hasFormat(PANEL) and side is not None and dragged_panel(mime) not in (0, self.key.panel):
            self.panel_dropped.emit(self.key.panel, dragged_panel(mime), side)


_VIEWS: dict[Kind, type[PanelView]] = {
    Kind.DISTRIBUTION: DistributionView,
    Kind.VALUES: ValuesView,
    Kind.TABLE: TableOfSeries,
    Kind.HEAT: HeatView,
}


def _over_time(body: TimePlot | PanelView) -> TimeSurface | None:
    return body.over_time if isinstance(body, PanelView) else body


def _focused(body: TimePlot | PanelView) -> list[QWidget]:
    """What of it takes the keys, by turns."""
    return [body, *body.inner] if isinstance(body, PanelView) else [body]
