"""What can be done with the panel at hand and with the layout: every change can be undone."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from models.domain.layouts import changes
from models.domain.layouts.layout import MOST_PANELS, MOST_PLOTTED, Kind, Layout, Panel, Plotted, Shown, Side
from models.domain.layouts.ready import Ready, ready_layout
from models.domain.problems import EnvironmentProblem
from models.domain.time_range import SECOND_US, parse_range, span_text
from widgets.explore.known_series import KnownSeries
from widgets.explore.layout_history import LayoutHistory
from widgets.explore.line_dialog import ask_line
from widgets.explore.resolving import by_axes, resolve
from widgets.explore.threshold_commands import ThresholdCommands

_GROWTH = 1.25


class LayoutCommands(QObject):
    """`at_hand` is the panel that commands are about. GUI thread."""

    told = Signal(str)
    """A sentence about what was done otherwise than asked."""
    at_hand_changed = Signal()

    def __init__(self, history: LayoutHistory, known: KnownSeries, window: QWidget) -> None:
        super().__init__(window)
        self._history, self._known, self._window = history, known, window
        self._at_hand = 1
        self.thresholds = ThresholdCommands(self)
        history.changed.connect(self._check_hand)

    @property
    def at_hand(self) -> int:
        return self._at_hand

    @property
    def window(self) -> QWidget:
        """What dialogs stand before."""
        return self._window

    def panel_of(self, id_: int) -> Panel | None:
        """A panel by its id."""
        return changes.panel_of(self._history.layout, id_)

    @property
    def panel(self) -> Panel:
        """The panel at hand."""
        panel = changes.panel_of(self._history.layout, self._at_hand)
        assert panel is not None
        return panel

    def take_in_hand(self, id_: int) -> None:
        """Commands are about this panel from now on."""
        if id_ != self._at_hand and changes.panel_of(self._history.layout, id_) is not None:
            self._at_hand = id_
            self.at_hand_changed.emit()

    def _check_hand(self) -> None:
        ids = [panel.id for panel in changes.panels_of(self._history.layout.root)]
        if self._at_hand not in ids:
            self._at_hand = ids[0]
        self.at_hand_changed.emit()

    # ------------------------------------------------------------ series

    def add(self, plotted: Sequence[Plotted], id_: int = 0, side: Side | None = None) -> None:
        """Show these in a panel (0: the one at hand), or with `side` in one of their own beside it. What finds no axis there gets
        panels of its own."""
        layout, target = self._history.layout, id_ or self._at_hand
        panel = changes.panel_of(layout, target)
        if panel is None or not plotted:
            return
        if side is not None and panel.plotted:
            panel = Panel(changes.new_id(layout))
            layout = changes.placed(layout, panel, target, side)
        if len(panel.plotted) + len(plotted) > MOST_PLOTTED:
            text = self.tr("{n} series are more than the {most} that one panel shows: choose fewer")
            self.told.emit(text.replace("{n}", str(len(plotted))).replace("{most}", str(MOST_PLOTTED)))
            return
        units = resolve(panel, layout.agents, self._known.index).units
        here, others = by_axes(plotted, units, self._known.index)
        layout, last = changes.with_plotted(layout, panel.id, here), panel.id
        for group in others:
            further = Panel(changes.new_id(layout), tuple(group))
            layout = changes.placed(layout, further, last, Side.BELOW)
            last = further.id
        if self._change(self.tr("adding series"), layout):
            self.take_in_hand(panel.id)
            self._tell_panels(len(others))

    def add_heat(self, plotted: Plotted) -> None:
        """A heat-map of what every agent has of this, in the panel at hand where that is empty, else in one below it."""
        layout, here = self._history.layout, self.panel
        heat = Panel(
            here.id if not here.plotted else changes.new_id(layout), (replace(plotted, agent=""),), kind=Kind.HEAT
        )
        placed = changes.placed(layout, heat, here.id, Side.BELOW) if here.plotted else changes.with_panel(layout, heat)
        if self._change(self.tr("adding a heat-map"), placed):
            self.take_in_hand(heat.id)

    def _tell_panels(self, count: int) -> None:
        if count:
            self.told.emit(self.tr("A panel has two axes: what is in a further unit stands in a panel of its own"))

    def remove(self, plotted: Sequence[Plotted]) -> None:
        """Show these in the panel at hand no more."""
        self._change(self.tr("removing series"), changes.without_plotted(self._history.layout, self._at_hand, plotted))

    def draw_as(self, shown: Shown, plotted: Collection[Plotted]) -> None:
        """Draw these of the panel at hand in another way; AUTO: as usual."""
        panel = self.panel
        drawn = dict.fromkeys(replace(one, shown=shown) if one in plotted else one for one in panel.plotted)
        self.put(self.tr("drawing a series in another way"), replace(panel, plotted=tuple(drawn)))

    def toggle_counters(self) -> None:
        """Draw all counters of the panel at hand as they count, or by how fast they rise again."""
        found = resolve(self.panel, self._history.layout.agents, self._known.index).found
        counters = [one for one in found if one.is_counter]
        shown = Shown.VALUE if any(one.shown is Shown.RATE for one in counters) else Shown.AUTO
        self.draw_as(shown, {one.plotted for one in counters})

    # ------------------------------------------------------------ panels

    def split(self, side: Side) -> None:
        """An empty panel beside the one at hand, which is at hand then."""
        layout = self._history.layout
        new = Panel(changes.new_id(layout))
        if self._change(self.tr("adding a panel"), changes.placed(layout, new, self._at_hand, side)):
            self.take_in_hand(new.id)

    def duplicate(self) -> None:
        """The same once more, to the right."""
        layout = self._history.layout
        new = replace(self.panel, id=changes.new_id(layout))
        if self._change(self.tr("duplicating a panel"), changes.placed(layout, new, self._at_hand, Side.RIGHT)):
            self.take_in_hand(new.id)

    def close(self, id_: int = 0) -> None:
        """Take a panel away (0: the one at hand)."""
        layout, gone = self._history.layout, id_ or self._at_hand
        next_ = changes.neighbour(layout, gone, 1)
        self._change(self.tr("closing a panel"), changes.closed(layout, gone))
        self.take_in_hand(next_)

    def move(self, id_: int, target: int, side: Side) -> None:
        """Put a panel beside another."""
        self._change(self.tr("moving a panel"), changes.moved(self._history.layout, id_, target, side))
        self.take_in_hand(id_)

    def move_on(self, step: int) -> None:
        """Let the panel at hand change places with the one before (-1) or after it."""
        layout = self._history.layout
        other = changes.neighbour(layout, self._at_hand, step)
        self._change(self.tr("moving a panel"), changes.swapped(layout, self._at_hand, other))

    def grow(self, factor: float = _GROWTH) -> None:
        """More room for the panel at hand; less with a factor below 1."""
        layout = changes.grown(self._history.layout, self._at_hand, factor)
        self._change(self.tr("resizing panels"), layout, merge=f"grow {self._at_hand}")

    def resize(self, path: tuple[int, ...], sizes: Sequence[int]) -> None:
        """Somebody moved a handle."""
        layout = changes.resized(self._history.layout, path, sizes)
        self._change(self.tr("resizing panels"), layout, merge=f"sizes {path}")

    def toggle_repeat(self) -> None:
        """Once for each agent of the layout, or all of them in one panel."""
        self.put(self.tr("repeating a panel"), replace(self.panel, repeat=not self.panel.repeat))

    def toggle_statistics(self) -> None:
        """A small table of what each series adds up to, or none."""
        self.put(self.tr("statistics of a panel"), replace(self.panel, statistics=not self.panel.statistics))

    def show_as(self, kind: Kind) -> None:
        """The same series in another way."""
        self.put(self.tr("showing a panel in another way"), replace(self.panel, kind=kind))

    def compare(self, span_s: int) -> None:
        """Beside the present, how it was so many seconds earlier; 0: no more."""
        self.put(self.tr("comparing with earlier"), replace(self.panel, compare_s=span_s))

    def ask_compare(self) -> None:
        """Ask with which earlier time to compare."""
        edit = QLineEdit(span_text(self.panel.compare_s * SECOND_US) if self.panel.compare_s else "1d")

        def compare() -> None:
            try:
                span_us = parse_range(edit.text(), 0).span_us if edit.text().strip() else 0
            except EnvironmentProblem:
                self.told.emit(
                    self.tr("“{text}” is no span of time: write 30m, 2h, 1d or 7d").replace("{text}", edit.text())
                )
            else:
                self.compare(span_us // SECOND_US)

        label = self.tr("How much earlier (30m, 2h, 1d, 7d; empty: no comparison)")
        ask_line(self._window, self.tr("Compare with earlier"), label, edit, compare)

    def ask_title(self, id_: int = 0) -> None:
        """Ask what a panel shall be called."""
        if id_:
            self.take_in_hand(id_)
        edit = QLineEdit(self.panel.title)
        edit.setMaxLength(200)
        panel = self.panel.id

        def rename() -> None:
            found = changes.panel_of(self._history.layout, panel)
            if found is not None:
                self.put(self.tr("renaming a panel"), replace(found, title=edit.text().strip()))

        ask_line(self._window, self.tr("Rename panel"), self.tr("Title (empty: made from what it shows)"), edit, rename)

    def step(self, step: int) -> int:
        """Take the next panel in hand; answers its id."""
        self.take_in_hand(changes.neighbour(self._history.layout, self._at_hand, step))
        return self._at_hand

    # ------------------------------------------------------------ layout

    def use_agents(self, agents: Sequence[str]) -> None:
        """The layout is about these from now on."""
        self._change(self.tr("choosing agents"), replace(self._history.layout, agents=tuple(agents)))

    def show_ready(self, which: Ready, agents: Sequence[str]) -> None:
        """A ready layout about these agents."""
        self._change(self.tr("another layout"), ready_layout(which, agents))

    def show(self, layout: Layout) -> None:
        """Show another layout."""
        self._change(self.tr("another layout"), layout)

    # ------------------------------------------------------------ inner

    def put(self, text: str, panel: Panel) -> None:
        """Have a panel in place of the one with its id; `text` says what was done."""
        self._change(text, changes.with_panel(self._history.layout, panel))

    def _change(self, text: str, layout: Layout, *, merge: str = "") -> bool:
        if sum(1 for _ in changes.panels_of(layout.root)) > MOST_PANELS:
            text = self.tr("A layout has {most} panels at most: close some first")
            self.told.emit(text.replace("{most}", str(MOST_PANELS)))
            return False
        self._history.change(text, layout, merge=merge)
        return True
