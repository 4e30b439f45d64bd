"""Explore: a tree of all series beside panels that show any of them, as the user arranges them."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt, QTimer, Signal, SignalInstance, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QPixmap, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QVBoxLayout, QWidget

from models.domain.layouts.layout import Kind, Layout, Plotted, Side
from models.domain.layouts.ready import Ready
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text
from widgets.common.plain import PlainLabel, visible
from widgets.explore.explore_panel import CellKey, ExplorePanel
from widgets.explore.known_series import KnownSeries
from widgets.explore.layout_commands import LayoutCommands
from widgets.explore.layout_history import LayoutHistory
from widgets.explore.mini_map import MiniMap
from widgets.explore.panel_desk import PanelDesk
from widgets.explore.panel_menu import fill_panel_menu
from widgets.explore.panel_out import panel_picture, stored_series, taken_of
from widgets.explore.series_tree import SeriesTree
from widgets.frame.screen_context import ScreenContext
from widgets.plots.moment import Way
from widgets.plots.plot_data import MOST_COPIED, as_csv, point_count
from widgets.records.agent_names import AgentNames

_TOLD_MS = 8_000
_FIRST_AGENTS = 8
_FIRST_WIDTHS = [280, 1_000]  # pixels, shared out in this proportion

FillMenu = Callable[[QMenu], object]


class ExploreScreen(QWidget):
    """While it is hidden it asks for nothing and wants nothing of the tail. GUI thread."""

    logs_wanted = Signal(int, object)
    """The records of this agent (0: of everybody) around that moment (microseconds UTC)."""
    messages_wanted = Signal(int, object)
    """As above, messages."""
    agent_wanted = Signal(int)
    """Open this agent."""
    state_changed = Signal()
    """What commands are about, or what they would do, is another."""

    def __init__(self, context: ScreenContext, names: AgentNames, fill_layouts: FillMenu) -> None:
        """`fill_layouts` puts saved and ready layouts into a menu."""
        super().__init__()
        self._fill_layouts, self._cursor, self._context = fill_layouts, context.cursor, context
        self.known = KnownSeries(context.source, context.tail, names, self)
        self.history = LayoutHistory(self)
        self.commands = LayoutCommands(self.history, self.known, self)
        self.tree = SeriesTree(self.known, context.themes)
        self.desk = PanelDesk(context, self.known, self.history, self)
        self.map = MiniMap(context)
        self._told = PlainLabel()
        self._told.setProperty("tone", "muted")
        self._forget = QTimer(self, singleShot=True, interval=_TOLD_MS)
        self._forget.timeout.connect(lambda: self._told.set_text(""))
        self._layouts = plain_button(self.tr("Layouts"), self._open_layouts)
        self._agents = plain_button("", self.use_selected)
        self._build()
        self.desk.made.connect(self._wire)
        for panel in self.desk.grid.panels.values():
            self._wire(panel)
        self.desk.grid.resized.connect(self.commands.resize)
        self.tree.added.connect(self._add)
        self.tree.heat_wanted.connect(self.show_heat)
        self.tree.selection_changed.connect(self._tell_agents)
        self.history.changed.connect(self._tell_agents)
        self.history.changed.connect(self.state_changed)
        self.commands.told.connect(self.tell)
        self.commands.at_hand_changed.connect(self._mark_hand)
        self._mark_hand()
        self._tell_agents()

    def _build(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("explore")
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        bar = QHBoxLayout()
        bar.setContentsMargins(10, 6, 10, 6)
        bar.setSpacing(8)
        for button in (self._layouts, self._agents):
            bar.addWidget(button)
        bar.addWidget(self._told, 1)
        column.addLayout(bar)
        column.addWidget(self.desk.grid, 1)
        column.addWidget(self.map)
        self.splitter.addWidget(self.tree)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes(_FIRST_WIDTHS)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.splitter)
        self.setFocusProxy(self.tree)

    # ------------------------------------------------------------ for others

    def explore_agents(self, agents: Sequence[str]) -> None:
        """A ready layout about these agents (ids in exports)."""
        self.commands.show_ready(Ready.RESOURCES, agents)

    def explore_series(self, plotted: Sequence[Plotted]) -> None:
        """These series in the panel at hand where it is empty, else in one of their own."""
        self.commands.add(plotted, side=Side.BELOW)

    def show_ready(self, which: Ready) -> None:
        """A ready layout about the agents that are selected in the tree, else those of the layout before, else the first ones."""
        agents = self.tree.selected_agents() or self.history.layout.agents
        self.commands.show_ready(which, agents or self.known.index.ids[:_FIRST_AGENTS])

    def show_name(self, name: str, *, changed: bool) -> None:
        """What the layout is saved as; empty: it is not."""
        shown = visible(name, 40).replace("&", "&&") or self.tr("Layouts")
        self._layouts.setText(f"{shown} •" if changed else shown)
        self._layouts.setToolTip(
            self.tr("Changed since it was saved") if changed else self.tr("Ready and saved layouts")
        )

    def show_layout(self, layout: Layout) -> None:
        """Another layout; one can go back to the one before."""
        self.commands.show(layout)

    def focus_filter(self) -> None:
        """Put the cursor into the search of the tree."""
        self.tree.focus_filter()

    @Slot()
    def refresh(self) -> None:
        """Ask for everything again."""
        self.known.refresh()
        self.desk.reload()
        self.map.refresh()

    @Slot(str)
    def tell(self, sentence: str) -> None:
        """A sentence that goes by itself."""
        self._told.set_text(sentence)
        self._forget.start()

    @property
    def panel(self) -> ExplorePanel:
        """The shown panel that is at hand."""
        hand = self.commands.at_hand
        return next((one for one in self.desk.shown if one.key.panel == hand), self.desk.shown[0])

    def focus_panel(self, step: int) -> None:
        """Go on to the next panel."""
        self.commands.step(step)
        if self.desk.only is not None:
            key = next((key for key in self.desk.grid.panels if key.panel == self.commands.at_hand), None)
            self.desk.show_only(key)
        self.panel.body.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.desk.grid.ensureWidgetVisible(self.panel)

    @Slot()
    def toggle_maximised(self) -> None:
        """The panel at hand alone, or all of them again."""
        self.desk.show_only(None if self.desk.only is not None else self.panel.key)
        self.panel.body.setFocus()
        self._mark_hand()

    @property
    def heat_wanted(self) -> Plotted | None:
        """Of what a heat-map would be: a series that is selected in the tree, else the first one of the panel at hand."""
        return self.tree.series_at_hand() or next(iter(self.commands.panel.plotted), None)

    @Slot()
    def show_heat(self) -> None:
        """A heat-map of all agents, in a panel of its own."""
        if (plotted := self.heat_wanted) is not None:
            self.commands.add_heat(plotted)

    @Slot()
    def ask_threshold(self) -> None:
        """Ask for a value to watch for in the panel at hand, by its left axis."""
        panel = self.panel
        if panel.curves and panel.panel.kind is not Kind.HEAT:
            self.commands.thresholds.ask(panel.plot.unit, panel.plot.largest_value)

    def moment(self) -> int | None:
        """The one where the panel's menu was opened with the mouse, else where the cursor stands."""
        at_us = self.panel.menu_moment
        return self._cursor.time_us if at_us is None else at_us

    def copy_picture(self) -> None:
        """Put the picture of the panel at hand on the clipboard."""
        QGuiApplication.clipboard().setPixmap(self._picture())
        self.tell(self.tr("The picture of this panel is on the clipboard"))

    def copy_data(self) -> None:
        """Put what the panel at hand draws on the clipboard: points as CSV, or what is seen as text."""
        panel, now = self.panel, self._context.times.current()
        if panel.body is not panel.plot:
            panel.body.copy()
            return
        on = [curve for place, curve in enumerate(panel.curves) if panel.is_on(place)]
        drawn = list({(curve.found.series, curve.shift_us): curve.raw for curve in on}.values())
        points = point_count(drawn, now.since_us, now.until_us)
        QGuiApplication.clipboard().setText(as_csv(drawn, now.since_us, now.until_us))
        text = self.tr("{n} points are on the clipboard, as CSV")
        if points > MOST_COPIED:
            text = self.tr("The newest {n} of {all} points are on the clipboard; a file takes all of them")
        text = text.replace("{n}", count_text(min(points, MOST_COPIED)))
        self.tell(text.replace("{all}", count_text(points)))

    def save_picture(self) -> None:
        """Keep it as a file."""
        taken = taken_of(self.panel, self._context.times.current())
        self._context.outlet.picture_wanted.emit(taken, self._picture().toImage())

    def _picture(self) -> QPixmap:
        return panel_picture(self.panel, self._context.times.current(), self._context.themes.theme)

    def save_data(self) -> None:
        """Write the stored samples of what the panel at hand draws, of the time that is seen."""
        series = stored_series(self.panel)
        if series:
            self._context.outlet.data_wanted.emit(taken_of(self.panel, self._context.times.current()), series)
        else:
            self.tell(
                self.tr("This panel draws no series of samples; copy what is seen, or export what its agents sent")
            )

    def ask_logs(self) -> None:
        """What was logged at that moment, by the agent that is pointed at."""
        self._ask_moment(self.logs_wanted)

    def ask_messages(self) -> None:
        """What was published at that moment."""
        self._ask_moment(self.messages_wanted)

    def _ask_moment(self, wanted: SignalInstance) -> None:
        at_us, agent = self.moment(), self.panel.agent_at_hand
        self.panel.forget_menu()
        if at_us is None:
            self.tell(self.tr("Point at a moment: with the mouse, or with the arrow keys on a plot"))
        else:
            wanted.emit(agent, at_us)

    # ------------------------------------------------------------ wires

    @Slot(object)
    def _wire(self, panel: ExplorePanel) -> None:
        commands = self.commands
        panel.activated.connect(lambda key: commands.take_in_hand(key.panel))
        panel.closed.connect(commands.close)
        panel.rename_wanted.connect(commands.ask_title)
        panel.menu_wanted.connect(self._open_panel_menu)
        panel.moment_wanted.connect(lambda way: self.ask_logs() if way is Way.LOGS else self.ask_messages())
        panel.agent_wanted.connect(self.agent_wanted)
        panel.copied.connect(self.tell)
        panel.threshold_moved.connect(commands.thresholds.move)
        panel.series_dropped.connect(lambda id_, some, side: commands.add(some, id_, side))
        panel.panel_dropped.connect(lambda target, id_, side: commands.move(id_, target, side))
        panel.body_menu_wanted.connect(lambda menu: self._fill_panel_menu(panel.key, menu))
        panel.leave = self._leave_maximised

    @Slot(list, bool)
    def _add(self, plotted: list[Plotted], own_panel: bool) -> None:
        self.commands.add(plotted, side=Side.BELOW if own_panel else None)

    @Slot()
    def _mark_hand(self) -> None:
        several = len(self.desk.grid.panels) > 1
        for key, panel in self.desk.grid.panels.items():
            panel.set_at_hand(at_hand=several and key.panel == self.commands.at_hand)
        self.state_changed.emit()

    @Slot(object, QWidget)
    def _open_panel_menu(self, key: CellKey, button: QWidget) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.desk.grid.panels[key].forget_menu()
        self._fill_panel_menu(key, menu)
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def _fill_panel_menu(self, key: CellKey, menu: QMenu) -> None:
        self.commands.take_in_hand(key.panel)
        fill_panel_menu(menu, self, self.desk.grid.panels[key])

    @Slot()
    def _open_layouts(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._fill_layouts(menu)
        menu.popup(self._layouts.mapToGlobal(QPoint(0, self._layouts.height())))

    @Slot()
    def use_selected(self) -> None:
        """Let the layout be about the agents that are selected in the tree."""
        self.commands.use_agents(self.tree.selected_agents())

    @Slot()
    def _tell_agents(self) -> None:
        """The button says whom the layout is about, or offers those that are selected."""
        chosen, agents = self.tree.selected_agents(), self.history.layout.agents
        other = bool(chosen) and tuple(chosen) != agents
        if other:
            text = self.tr("Use the {n} selected agents") if len(chosen) > 1 else self.tr("Use the selected agent")
        else:
            text = self.tr("{n} agents") if len(agents) > 1 else self.tr("1 agent")
            text = text if agents else self.tr("No agents chosen")
        self._agents.setText(text.replace("{n}", str(len(chosen if other else agents))))
        self._agents.setEnabled(other)
        tip = self.tr("Panels of CPU, memory and the like show the agents of the layout; select others at the left")
        self._agents.setToolTip(tip)

    def _leave_maximised(self) -> bool:
        alone = self.desk.only is not None
        if alone:
            self.toggle_maximised()
        return alone

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.known.set_active(True)
        self.desk.set_active(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.known.set_active(False)
        self.desk.set_active(False)
