"""The composition root of the window: builds everything, hands it over, stops it in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication

from app.window.data_menu import DataMenu
from app.window.explore_menu import ExploreMenu
from app.window.help_menu import HelpMenu
from app.window.layout_file import LayoutFile
from app.window.log_menu import LogMenu
from app.window.look_wanted import WindowClock, wanted_look
from app.window.message_menu import MessageMenu
from app.window.new_window import start_window
from app.window.palette import Palette
from app.window.places import DATA, FLEET, add_places, waiting
from app.window.recent_workspaces import RecentWorkspaces
from app.window.screen_menus import ScreenMenus
from app.window.workspaces import Workspaces
from models.domain.control import Link, RecorderState
from models.domain.problems import Problem
from models.storage.workspace import Workspace
from widgets.common.actions import ActionRegistry
from widgets.common.arrangement import Arrangement
from widgets.common.frame_clock import FrameClock
from widgets.common.state_view import ViewState, failed
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow

if TYPE_CHECKING:  # loaded after the first paint
    from app.window.connection_controller import ConnectionController
    from app.window.data_place import DataPlace
    from app.window.data_source import HistorySource
    from app.window.layouts_controller import LayoutsController
    from app.window.looking import Looking
    from app.window.passwords import Passwords
    from app.window.plot_library import PlotLibrary
    from app.window.publish_controller import PublishController
    from app.window.recorder_link import RecorderLink
    from app.window.recorder_notices import RecorderNotices
    from app.window.rules_controller import RulesController
    from app.window.screens import Screens
    from app.window.tail_source import TailSource
    from app.window.why_controller import WhyController
    from models.domain.queries import FleetResult

HOUR_US = 3_600_000_000
ARRANGEMENT = "arrangement"


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """`live`: look after a recorder and follow it; else show what is stored as it is (`shot`). `layout` is what `file` held;
    no file: nothing is remembered. `log`: where the window writes what went wrong. `demo`: the workspace is one of the demo;
    `connect`: ask for a broker at once; `record_here`: the user says that a copy of a workspace is one of this computer."""

    theme: str = "system"
    layout: Mapping[str, object] | None = None
    live: bool = True
    file: LayoutFile | None = None
    log: Path | None = None
    demo: bool = False
    connect: bool = False
    record_here: bool = False


class Composition(QObject):
    """`show` paints the frame; `fill` does the rest and is called after that. `close` before the application ends."""

    filled = Signal()

    def __init__(self, app: QApplication, workspace: Workspace, options: WindowOptions) -> None:
        super().__init__()
        self._workspace, self._options = workspace, options
        self.clock = WindowClock()
        self.themes = ThemeHolder(app, options.theme, self)
        self._actions = ActionRegistry(self.themes, self)
        self.window = MainWindow(self.themes, self._actions, self.clock)
        self.window.setWindowTitle(self._title())
        if options.demo:
            self.window.show_label(
                self.tr("Demo – a simulated fleet"),
                self.tr("Nothing here is real: the agents are made up, and so is what happens to them."),
            )
        self._places = add_places(self.window, self.themes, self._waiting())
        saved = (options.layout or {}).get(ARRANGEMENT)
        self._arrangement = Arrangement(saved if isinstance(saved, dict) else {})
        for place in self._places.values():
            place.arrived.connect(self._arrangement.adopt)
        self._add_actions()
        if options.layout:
            self.window.restore_layout({**options.layout, "screen": FLEET})
        self.frames = FrameClock(self.clock, self)
        self.source: HistorySource | None = None
        self.tail: TailSource | None = None
        self.link: RecorderLink | None = None
        self.connection: ConnectionController | None = None
        self.publishing: PublishController | None = None
        self.rules: RulesController | None = None
        self.why: WhyController | None = None
        self.looking: Looking | None = None  # at a backup or a copied workspace
        self.screens: Screens | None = None
        self._passwords: Passwords | None = None
        self.data: DataPlace | None = None
        self.layouts: LayoutsController | None = None
        self._notices: RecorderNotices | None = None
        self._plot_library: PlotLibrary | None = None

    def _title(self) -> str:
        if self._options.demo:
            return self.tr("Demo – Murmurscope")
        default = self._workspace == Workspace.default()
        return "Murmurscope" if default else f"{self._workspace.root.name} – Murmurscope"

    def _add_actions(self) -> None:
        add, tr = self._actions.add, self.tr
        connect = add("file.connect", tr("&Connect to a broker…"), self._open_connection, "Ctrl+B", "plug", "File",
                      tip=tr("Choose, try and save the broker of this workspace"))  # fmt: skip
        retry = add("file.connect-now", tr("Connect no&w"), self._connect_now, "Ctrl+Shift+B", "", "File",
                    tip=tr("Try the connection now, without waiting for the next time"))  # fmt: skip
        add("file.new-window", tr("&New window"), self._open_window, "Ctrl+N", "", "File",
            tip=tr("Open another window on the same workspace"))  # fmt: skip
        self._data_menu = DataMenu(self._actions, self.window)
        add("edit.filter", tr("&Filter"), self._focus_filter, QKeySequence.StandardKey.Find, "filter", "Edit",
            tip=tr("Put the cursor into the filter of this screen"))  # fmt: skip
        self._menus = ScreenMenus(self._actions, self.window)
        self._explore_menu = ExploreMenu(self._actions, self.window)
        self._log_menu = LogMenu(self._actions, self.window)
        self._message_menu = MessageMenu(self._actions, self.window)
        add("view.reset-layout", tr("Reset la&yout"), self._reset_layout,
            tip=tr("Size of the window, side panel, columns and splitters as at first"))  # fmt: skip
        self._recent = RecentWorkspaces(self._options.file, self.clock) if self._options.file is not None else None
        self._workspaces = Workspaces(self.window, self._actions, self._workspace, self._recent, self.clock)
        self.window.broker_chip.set_actions([connect, retry, *self._workspaces.actions])
        self.palette = Palette(
            self.window, self._actions, self.themes, self._options.file, self._known_fleet, self._open_agent
        )
        self.palette.offer(self._workspaces.entries)
        self._help = HelpMenu(self.window, self._actions, self.themes, self._workspace, self._options.log)

    # ------------------------------------------------------------ life

    @Slot()
    def fill(self) -> None:
        """Everything that reads data: sources, recorder, screens."""
        looked_at = wanted_look(self._workspace) if self._options.live and not self._options.record_here else None
        if looked_at is None:
            self._attach()
            return
        from app.window.looking import Looking

        self.looking = Looking(looked_at, self.window, self._actions, self._places, self.clock, self._recent)
        self.looking.ready.connect(self._look)
        self.looking.start()
        self.filled.emit()

    @Slot(object)
    def _look(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.window.time_range.show_last(HOUR_US)
        self._attach()

    def _attach(self) -> None:
        from app.password_store import PasswordStore
        from app.queries_file import QueriesFile
        from app.settings import SettingsFile
        from app.templates import TemplatesFile
        from app.window.connection_controller import ConnectionController
        from app.window.data_source import HistorySource
        from app.window.passwords import Passwords
        from app.window.publish_controller import PublishController
        from app.window.query_controller import QueryController
        from app.window.recorder_notices import RecorderNotices
        from app.window.recorder_parts import no_recorder_link, recorder_link
        from app.window.rules_controller import RulesController
        from app.window.tail_source import TailSource
        from app.window.tail_watch import TailWatch
        from models.storage.history.fleet import FleetHistory
        from models.storage.history.reader import HistoryReader
        from models.storage.history.tail_reader import TailReader

        workspace, clock, window = self._workspace, self.clock, self.window
        self.link = recorder_link(workspace, clock, self) if self.looking is None else no_recorder_link(self)
        self._help.attach(self.link)
        self.link.state_changed.connect(window.show_recorder)
        self.link.state_changed.connect(self._recorder_told)
        self.link.state_changed.connect(self._workspaces.recorder_told)
        self.link.problem.connect(self._recorder_troubled)
        self._passwords = Passwords(PasswordStore(), self)
        self.connection = ConnectionController(
            self.link, SettingsFile(workspace.settings), self._passwords, self.themes, window
        )
        self.link.state_changed.connect(self.connection.recorder_told)
        self._notices = RecorderNotices(window.notices, self.link, self._open_connection, self, demo=self._options.demo)
        fleet = FleetHistory(clock)
        self.source = HistorySource(lambda: HistoryReader(workspace, clock, fleet), clock, self)
        self.tail = TailSource(lambda: TailReader(workspace), clock, self)
        self.publishing = PublishController(
            self.link, self.source, SettingsFile(workspace.settings), TemplatesFile(workspace.templates),
            window.notices.show_problem, window,
        )  # fmt: skip
        self._message_menu.publish_requested.connect(self.publishing.open)
        self._queries = QueryController(self.link, QueriesFile(workspace.queries), window.notices.show_problem, self)
        self.rules = RulesController(self.link, self.source, workspace, clock, self.themes, window)
        self._message_menu.rules_requested.connect(self.rules.list.open)
        self._watch = TailWatch(window, self.tail)
        if self._options.live:
            self.tail.start()
            self.link.start()
            self._workspaces.start(self.link.carry_out, remember=self.looking is None)
        else:
            window.show_recorder(None)  # none is looked for
        if workspace.catalogue.exists():
            self._build_screens()
        if self._options.connect:
            self._open_connection()
        self.filled.emit()

    def close(self) -> None:
        """Stop what runs. A recorder that runs for windows only ends by itself."""
        parts = (self.data, self.rules, self.why, self.layouts, self.tail, self.source, self.link, self._passwords,
                 self.looking)  # fmt: skip
        for part in parts:
            if part is not None:
                part.shutdown()

    def save_layout(self) -> dict[str, object]:
        """How the user left the window and its tables, for the layout file."""
        layouts = self.layouts.save() if self.layouts is not None else {}
        return {**self.window.save_layout(), ARRANGEMENT: self._arrangement.save(), **layouts}

    @property
    def idle(self) -> bool:
        """Is everything answered and drawn?"""
        return self.source is not None and not self.source.pending and not self.frames.running

    @Slot(int)
    def show_faults(self, count: int) -> None:
        """A badge for mistakes of our own."""
        if self._notices is not None:
            self._notices.show_faults(count)

    @Slot()
    def _reset_layout(self) -> None:
        self.window.reset_layout()
        self._arrangement.reset()

    @Slot()
    def raise_window(self) -> None:
        """Bring the window to the front."""
        if self.window.isMinimized():
            self.window.showNormal()
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    # ------------------------------------------------------------ screens

    def _build_screens(self) -> None:
        from app.window.layouts_controller import LayoutsController
        from app.window.plot_library import PlotLibrary
        from app.window.screens import Screens
        from app.window.why_controller import WhyController
        from widgets.frame.screen_context import ScreenContext

        assert self.source is not None
        assert self.tail is not None
        window = self.window
        context = ScreenContext(
            self.source, self.tail, self.frames, window.time_range, window.time_cursor, self.themes, self.clock
        )
        refusal = "" if self.looking is None else self.tr("nothing is changed in what is only looked at")
        self._message_menu.refuse_teaching(refusal)
        self.screens = Screens(window, self._places, context, self, refusal)
        self._menus.attach(self.screens)
        self.layouts = LayoutsController(
            window, self._actions, self.screens.explore, self._workspace, self._options.layout or {}, refusal
        )
        self._explore_menu.follow(self.screens.explore, self.layouts, refusal)
        self.palette.offer(self.layouts.entries)
        assert self.publishing is not None
        self.screens.messages_made.connect(self._message_menu.attach)
        self.screens.logs_made.connect(self._queries.attach)
        self.screens.logs_made.connect(self._log_menu.attach)
        if self.screens.messages is not None:  # its place was shown before
            self._message_menu.attach(self.screens.messages)
        self.screens.publish_requested.connect(self.publishing.open)
        self.screens.clear_requested.connect(self.publishing.ask_to_clear)
        assert self.rules is not None
        self.screens.teach_requested.connect(self.rules.teach)
        self.why = WhyController(self.source, self._workspace, self.clock, self.themes, window, refusal)
        self.screens.why_requested.connect(self.why.ask)
        self.why.topic_wanted.connect(self.screens.open_topic)
        self.why.teach_wanted.connect(self.rules.teach)
        self.why.rules_wanted.connect(self.rules.list.open)
        self.screens.shell_line_requested.connect(self.publishing.copy_shell_line)
        self._build_data(self.screens, refusal)
        self.screens.command_requested.connect(self._submit)
        self.screens.connect_requested.connect(self._open_connection)
        self.screens.guide_requested.connect(self._help.open_connecting)
        if self._options.live:
            self._plot_library = PlotLibrary(self)
            self._plot_library.start()

    def _build_data(self, screens: "Screens", refusal: str) -> None:
        from app.window.birth_requests import BirthRequests
        from app.window.census import Census
        from app.window.data_place import DataParts, DataPlace

        assert self.source is not None
        assert self.rules is not None
        assert self.link is not None
        births = BirthRequests(self.link, self.clock, self.window, read_only=self.looking is not None)
        screens.commands.births_wanted.connect(births.ask)
        parts = DataParts(
            self._workspace, screens.context(), self.link, screens.names, screens.ways.show, self.rules.teach_message,
            births.ask, self.looking is not None,
        )  # fmt: skip
        self.data = DataPlace(self.window, self._places[DATA], parts, screens.looked_at, screens.agents_at_hand)
        self.window.refresh_requested.connect(self.data.refresh)
        if self.looking is None and not self._options.demo:
            self._census = Census(self.window.notices, self.source, self.data.show_missing, self)
            self._census.recorder_told(self.link.state)
            self.link.state_changed.connect(self._census.recorder_told)
        self._data_menu.attach(self.data, refusal)
        self.rules.reread_wanted.connect(self.data.ask_reread)

    # ------------------------------------------------------------ recorder

    @Slot(object)
    def _recorder_told(self, state: RecorderState | None) -> None:
        if state is not None and self.screens is None:
            self._build_screens()
        if self.screens is not None:
            self.screens.fleet.show_connected(connected=state is not None and state.link is Link.CONNECTED)

    @Slot(object)
    def _recorder_troubled(self, problem: Problem | None) -> None:
        if problem is not None and self.link is not None and self.link.state is None:
            self.window.show_recorder(None)  # it does not just start
        for place in self._places.values():
            place.show_state(self._waiting() if problem is None else failed(problem))

    @Slot(list)
    def _submit(self, commands: list[dict[str, object]]) -> None:
        if self.link is not None:
            self.link.submit(commands, self._submitted)

    def _submitted(self, problem: Problem | None) -> None:
        if problem is not None:
            self.window.notices.show_problem(problem)
        elif self.screens is not None:
            self.screens.fleet.refresh()

    # ------------------------------------------------------------ actions

    @Slot()
    def _focus_filter(self) -> None:
        if self.screens is not None:
            self.screens.focus_filter()

    def _known_fleet(self) -> "FleetResult | None":
        return self.screens.fleet.fleet if self.screens is not None else None

    def _open_agent(self, agent: int) -> None:
        if self.screens is not None:
            self.screens.open_agent(agent)

    @Slot()
    def _open_connection(self) -> None:
        if self._options.demo:  # which mixes with nothing real
            self._start("--connect")
        elif self.connection is not None:
            self.connection.open()

    @Slot()
    def _connect_now(self) -> None:
        if self.link is not None:
            self.link.wake()

    @Slot()
    def _open_window(self) -> None:
        self._start("--new-window", "--workspace", str(self._workspace.root))

    def _start(self, *arguments: str) -> None:
        problem = start_window(*arguments)
        if problem is not None:
            self.window.notices.show_problem(problem)

    def _waiting(self) -> ViewState:
        return waiting(self._workspace, live=self._options.live)
