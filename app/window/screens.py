"""The screens of the window and the wires between them."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMenu

from app.window.explore_place import ExplorePlace
from app.window.places import AGENT, EXPLORE, FLEET, FLOW, LOGS, MESSAGES, TASKS
from app.window.screen_place import ScreenPlace
from app.window.ways_to_messages import WaysToMessages
from models.domain.queries import AgentResult, LogLine, MessageLine
from models.domain.time_range import TimeRange
from widgets.agent.agent_panel import AgentPanel
from widgets.agent.agent_screen import AgentScreen
from widgets.common.throttle import Throttle
from widgets.fleet.agent_commands import AgentCommands, Target
from widgets.fleet.fleet_item_model import AgentRole
from widgets.fleet.fleet_screen import FleetScreen
from widgets.frame.main_window import MainWindow
from widgets.frame.screen_context import ScreenContext
from widgets.logs.logs_screen import LogsScreen
from widgets.messages.messages_screen import MessagesScreen
from widgets.plots.moment import Way
from widgets.plots.shared_tail import SharedTail
from widgets.records.agent_names import AgentNames

if TYPE_CHECKING:  # loaded when it is first wanted
    from widgets.explore.explore_screen import ExploreScreen

_DATASETS = {EXPLORE: "samples", TASKS: "tasks", FLOW: "interactions"}
"""That a screen is about, for whoever exports from there."""
_MOMENT_MS = 80
"""The fleet follows a moment that is slid at most so often."""


class Screens(QObject):
    """Fills the places of the window. The fleet is there at once, screens with plots when they are first wanted."""

    command_requested = Signal(list)
    """Commands for the recorder."""
    connect_requested = Signal()
    publish_requested = Signal(object)
    """As `MessagesScreen.publish_wanted`."""
    clear_requested = Signal(bytes)
    shell_line_requested = Signal(object)
    teach_requested = Signal(object)
    """As `MessagesScreen.teach_wanted`."""
    why_requested = Signal(object)
    """Somebody asks why something is there (`Subject`)."""
    paired_requested = Signal(object)
    """Somebody wants the request and the replies of a message (MessageLine)."""
    messages_made = Signal(object)
    """The screen of messages is there."""
    logs_made = Signal(object)
    """The screen of logs is there."""
    guide_requested = Signal()
    """How agents are connected."""
    targets_changed = Signal()
    """What `targets` answers may be other agents now, or they changed."""

    def __init__(
        self,
        window: MainWindow,
        places: dict[str, ScreenPlace],
        context: ScreenContext,
        parent: QObject | None = None,
        teach_refusal: str = "",
    ) -> None:
        """`teach_refusal`: why rules cannot be changed here."""
        super().__init__(parent)
        self._window, self._places, self._context, self._tail = window, places, context, SharedTail(context.tail)
        self.commands = AgentCommands(context.clock.wall_us, window)
        self.commands.requested.connect(self.command_requested)
        self.commands.why_wanted.connect(self.why_requested)
        self.fleet = FleetScreen(context.source, context.themes, self.commands.fill)
        self.names = AgentNames(context.source, self)
        self.logs: LogsScreen | None = None
        self.agent: AgentScreen | None = None
        self.messages: MessagesScreen | None = None
        self.teach_refusal = teach_refusal
        self.explore = ExplorePlace(window, places[EXPLORE], self.context, self.names)
        self.commands.explore_wanted.connect(self.explore.show_agents)
        self.explore.arrived.connect(self._explore_made)
        self.ways = WaysToMessages(context.source, self)
        self.ways.message_found.connect(self.open_message)
        self.panel: AgentPanel | None = None
        self.fleet.connect_requested.connect(self.connect_requested)
        self.fleet.agent_activated.connect(self.open_agent)
        # not `agent_selected`: a table that gets the focus has a current row without anybody having selected it
        self.fleet.table.selectionModel().selectionChanged.connect(self._selection_changed)
        self.fleet.model.modelReset.connect(self._fleet_shown)
        self.fleet.model.dataChanged.connect(self._fleet_shown)
        self.fleet.model.layoutChanged.connect(self._fleet_shown)
        window.time_range.changed.connect(self._range_changed)
        self._moments = Throttle(self._show_moment, _MOMENT_MS, self)
        context.cursor.pinned.connect(self._moments.want)
        window.refresh_requested.connect(self._refresh)
        window.screen_changed.connect(self._screen_changed)
        self._range_changed(window.time_range.current())
        places[FLEET].fill(self.fleet)
        self._screen_changed(window.shown_screen)

    def context(self) -> ScreenContext:
        """What one more screen works with."""
        return replace(self._context, tail=self._tail.share())

    def looked_at(self) -> tuple[str, int]:
        """The dataset that the shown screen is about, and the agent; 0: all."""
        if self._window.shown_screen == AGENT and self.agent is not None:
            return "samples", self.agent.agent
        if self._window.shown_screen == LOGS and self.logs is not None:
            return "logs", self.logs.agent
        if self._window.shown_screen in _DATASETS:
            return _DATASETS[self._window.shown_screen], 0
        return ("agents", 0) if self.on_fleet else ("messages", 0)

    def agents_at_hand(self) -> list[str]:
        """Ids of the agents that are selected, or that the shown screen is about; none: everybody."""
        _, agent = self.looked_at()
        targets = [target.id for target in self.targets()]
        return targets or list(filter(None, [self.names.id_of(agent)]))

    def agents_shown(self) -> tuple[int, ...]:
        """The agent that the shown screen is about; none: everybody."""
        _, agent = self.looked_at()
        return (agent,) if agent else ()

    @property
    def on_fleet(self) -> bool:
        return self._window.shown_screen == FLEET

    def targets(self) -> list[Target]:
        """The agents that a command of the menu bar is about: those selected in the fleet, or the one on its screen."""
        if self.on_fleet:
            return self.fleet.selected()
        if self._window.shown_screen == AGENT and self.agent is not None and self.agent.facts.result is not None:
            return [self._target(self.agent.facts.result)]
        return []

    def open_selected(self) -> None:
        """Show the agent of the current row on its screen."""
        agent = self.fleet.table.currentIndex().data(AgentRole)
        if agent:
            self.open_agent(agent)

    def pick_series(self) -> None:
        """Let the user choose further series of the agent that is shown."""
        if self.agent is not None:
            self.agent.pick_series()

    def focus_filter(self) -> None:
        """Put the cursor into the filter of the shown screen."""
        if self._window.shown_screen == AGENT and self.agent is not None:
            self.agent.focus_filter()
        elif self._window.shown_screen == LOGS and self.logs is not None:
            self.logs.focus_filter()
        elif self._window.shown_screen == EXPLORE and self.explore.screen is not None:
            self.explore.screen.focus_filter()
        elif self._window.shown_screen == MESSAGES and self.messages is not None:
            self.messages.focus_filter()
        else:
            self.fleet.focus_filter()

    @Slot(int)
    def open_agent(self, agent: int) -> None:
        """Show one agent on its screen."""
        self._agent_screen().show_agent(agent)
        self._window.show_screen(AGENT)

    def _agent_screen(self) -> AgentScreen:
        if self.agent is None:
            self.agent = AgentScreen(self.context(), self._fill_menu)
            self.agent.fleet_requested.connect(self._show_fleet)
            self.agent.facts.changed.connect(self.targets_changed)
            self.agent.why_wanted.connect(self.why_requested)
            self.agent.plots.explore_wanted.connect(self.explore.show_series)
            self.agent.plots.moment_wanted.connect(self._open_moment)
            for rows in (self.agent.logs, self.agent.messages):
                self.ways.lead_from(rows)
                rows.menu_wanted.connect(self._offer_plots)
                rows.menu_wanted.connect(self._offer_why)
            self.agent.messages.menu_wanted.connect(self._offer_paired)
            self._places[AGENT].fill(self.agent)
        return self.agent

    @Slot(object)
    def open_message(self, line: MessageLine) -> None:
        """Show a message, with its topic, on their screen."""
        self._window.show_screen(MESSAGES)
        self.messages_screen().show_message(line)

    @Slot(bytes)
    def open_topic(self, topic: bytes) -> None:
        """Show the messages of a topic."""
        self._window.show_screen(MESSAGES)
        self.messages_screen().show_topic(topic)

    def ask_why(self) -> bool:
        """Ask about what is at hand on the shown screen; False: nothing is."""
        shown = self._window.shown_screen
        if shown == MESSAGES and self.messages is not None and self.messages.message is not None:
            self.messages.ask_why()
        elif shown == LOGS and self.logs is not None and self.logs.rows.selected:
            self._why_of_row(self.logs.rows.selected[0])
        elif shown == AGENT and self.agent is not None and self.agent.facts.result is not None:
            self.agent.ask_why()
        elif self.on_fleet and len(targets := self.targets()) == 1:
            self.commands.about(targets)
            self.commands.ask_why()
        else:
            return False
        return True

    @Slot(object, object)
    def _offer_why(self, menu: QMenu, line: object) -> None:
        if isinstance(line, MessageLine) or (isinstance(line, LogLine) and line.message):
            menu.addAction(self.tr("Why?"), partial(self._why_of_row, line))

    @Slot(object, object)
    def _offer_paired(self, menu: QMenu, line: MessageLine) -> None:
        menu.addAction(self.tr("Request and reply"), partial(self.paired_requested.emit, line))

    def _why_of_row(self, line: LogLine | MessageLine) -> None:
        self.why_requested.emit(line)

    def logs_screen(self) -> LogsScreen:
        """The screen of logs, made when it is first wanted."""
        if self.logs is None:
            self.logs = LogsScreen(self.context(), self.names)
            self.logs.agent_wanted.connect(self.open_agent)
            self.logs.rows.guide_wanted.connect(self.guide_requested)
            self.logs.pane.message_wanted.connect(self.ways.show_message_of)
            self.logs.pane.why_wanted.connect(self.why_requested)
            self.ways.lead_from(self.logs.rows)
            self.logs.plots_wanted.connect(self.show_on_plots)
            self.logs.rate_wanted.connect(self.explore.show_series)
            self.logs.rows.menu_wanted.connect(self._offer_plots)
            self.logs.rows.menu_wanted.connect(self._offer_why)
            self._places[LOGS].fill(self.logs)
            self.logs_made.emit(self.logs)
        return self.logs

    @Slot(object)
    def _explore_made(self, screen: "ExploreScreen") -> None:
        screen.logs_wanted.connect(self.open_logs_at)
        screen.messages_wanted.connect(self.open_messages_at)
        screen.agent_wanted.connect(self.open_agent)

    @Slot(int, object)
    def open_logs_at(self, agent: int, at_us: int) -> None:
        """Take the window to a moment, and show what this agent (0: everybody) logged then."""
        self.stand_at(at_us)
        self._window.show_screen(LOGS)
        self.logs_screen().show_only(agent)

    def open_logs_of(self, query: str) -> None:
        """Show what a query finds in the logs."""
        self._window.show_screen(LOGS)
        self.logs_screen().query.write(query)

    @Slot(int, object)
    def open_messages_at(self, agent: int, at_us: int) -> None:
        """As above, what it published."""
        self.stand_at(at_us)
        self._window.show_screen(MESSAGES)
        self.messages_screen().show_agent(agent)

    @Slot(object)
    def show_on_plots(self, line: LogLine | MessageLine) -> None:
        """The plots of its agent, at the moment when this record arrived."""
        self.stand_at(line.key.received_us)
        self.open_agent(line.agent)

    def stand_at(self, at_us: int) -> None:
        """Take the window to a moment; a time range that does not reach it moves there."""
        times = self._window.time_range
        now = times.current()
        if not now.since_us <= at_us <= now.until_us:
            times.zoom(at_us - now.span_us // 2, at_us + now.span_us // 2)
        self._context.cursor.pin(at_us)

    @Slot(object, object)
    def _offer_plots(self, menu: QMenu, line: object) -> None:
        if isinstance(line, LogLine | MessageLine) and line.agent:
            menu.addAction(self.tr("Show on the plots"), partial(self.show_on_plots, line))

    @Slot(int, object, object)
    def _open_moment(self, agent: int, way: Way, at_us: int) -> None:
        (self.open_logs_at if way is Way.LOGS else self.open_messages_at)(agent, at_us)

    def messages_screen(self) -> MessagesScreen:
        """The screen of messages, made when it is first wanted."""
        if self.messages is None:
            self.messages = MessagesScreen(self.context(), self.names)
            self.messages.agent_wanted.connect(self.open_agent)
            self.messages.rows.menu_wanted.connect(self._offer_plots)
            self.messages.plots_wanted.connect(self.show_on_plots)
            self.messages.plot.moment_wanted.connect(self._open_moment)
            self.messages.plot.explore_wanted.connect(self.explore.show_series)
            self.messages.connect_requested.connect(self.connect_requested)
            self.messages.publish_wanted.connect(self.publish_requested)
            self.messages.clear_wanted.connect(self.clear_requested)
            self.messages.shell_line_wanted.connect(self.shell_line_requested)
            self.messages.teach_wanted.connect(self.teach_requested)
            self.messages.why_wanted.connect(self.why_requested)
            self.messages.paired_wanted.connect(self.paired_requested)
            self.messages.teach_refusal = self.teach_refusal
            self._places[MESSAGES].fill(self.messages)
            self.messages_made.emit(self.messages)
        return self.messages

    def _agent_panel(self) -> AgentPanel:
        if self.panel is None:
            self.panel = AgentPanel(self.context(), self._fill_menu)
            self.panel.open_requested.connect(self.open_agent)
            self.panel.plots.moment_wanted.connect(self._open_moment)
        return self.panel

    @Slot()
    def _selection_changed(self) -> None:
        rows = self.fleet.table.selectionModel().selectedRows()
        agent = rows[0].data(AgentRole) if len(rows) == 1 else 0
        if agent:  # else the panel stays with the last one
            panel = self._agent_panel()
            panel.show_agent(agent)
            self._fleet_shown()
            self._window.set_side_panel(panel)
        self.targets_changed.emit()

    @Slot()
    def _fleet_shown(self) -> None:
        self.targets_changed.emit()
        if self.panel is not None and self.panel.agent and self.fleet.fleet is not None:
            self.panel.show_fleet(self.fleet.fleet)

    @Slot(str)
    def _screen_changed(self, screen: str) -> None:
        if screen == AGENT:
            self._agent_screen()
        if screen == EXPLORE:
            self.explore.made()
        if screen == LOGS:
            self.logs_screen()
        if screen == MESSAGES:
            self.messages_screen()
        if screen != FLEET:
            self._window.set_side_panel(None)  # it tells of the agent that is selected there
        self.targets_changed.emit()

    @Slot()
    def _show_fleet(self) -> None:
        self._window.show_screen(FLEET)

    @Slot(object)
    def _range_changed(self, _chosen: TimeRange) -> None:
        self._show_moment()

    def _show_moment(self) -> None:
        """The fleet as it was at the moment where the window stands, else at the end of the range."""
        pinned_us, shown = self._context.cursor.pinned_us, self._window.time_range.current()
        self.fleet.show_moment(pinned_us if pinned_us is not None else 0 if shown.live else shown.until_us)

    @Slot()
    def _refresh(self) -> None:
        self.fleet.refresh()
        if self.logs is not None:
            self.logs.refresh()
        if self.agent is not None:
            self.agent.refresh()
        if self.messages is not None:
            self.messages.refresh()
        if self.explore.screen is not None:
            self.explore.screen.refresh()

    def _fill_menu(self, menu: QMenu, agent: AgentResult) -> None:
        self.commands.fill(menu, [self._target(agent)])

    def _target(self, agent: AgentResult) -> Target:
        fleet = self.fleet.fleet
        row = fleet.id.index(agent.id) if fleet is not None and agent.id in fleet.id else -1
        paused = row >= 0 and fleet is not None and int(fleet.maintenance_until_us[row]) > self._context.clock.wall_us()
        retired = row >= 0 and fleet is not None and bool(fleet.retired[row])
        return Target(agent.id, agent.name, agent.group, agent.note, paused, retired, agent.convention)
