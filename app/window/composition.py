"""The composition root of the window: builds everything, hands it over, stops it in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication

from app.window.help_menu import HelpMenu
from app.window.layout_file import LayoutFile
from app.window.look_wanted import WindowClock, wanted_look
from app.window.menus import Menus
from app.window.new_window import start_window
from app.window.palette import Palette
from app.window.places import FLEET, add_places, waiting
from app.window.recent_workspaces import RecentWorkspaces
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
    from app.window.plot_library import PlotLibrary
    from app.window.publish_controller import PublishController
    from app.window.recorder_link import RecorderLink
    from app.window.rules_controller import RulesController
    from app.window.screen_parts import ScreenParts
    from app.window.screens import Screens
    from app.window.tail_source import TailSource
    from app.window.why_controller import WhyController
    from app.window.workspace_parts import WorkspaceParts
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
        self.data: DataPlace | None = None
        self.layouts: LayoutsController | None = None
        self._parts: WorkspaceParts | None = None
        self._shown: ScreenParts | None = None
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
        self._menus = Menus(self._actions, self.window)
        add("edit.filter", tr("&Filter"), self._focus_filter, QKeySequence.StandardKey.Find, "filter", "Edit",
            tip=tr("Put the cursor into the filter of this screen"))  # fmt: skip
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
        from app.window.workspace_parts import WorkspaceParts

        self._parts = parts = WorkspaceParts(
            self._workspace, self.window, self.clock, self.themes, self._open_connection,
            read_only=self.looking is not None, demo=self._options.demo,
        )  # fmt: skip
        self.link, self.connection, self.source, self.tail = parts.link, parts.connection, parts.source, parts.tail
        self.publishing, self.rules = parts.publishing, parts.rules
        self._help.attach(parts.link)
        self._menus.follow(parts)
        parts.link.state_changed.connect(self._recorder_told)
        parts.link.state_changed.connect(self._workspaces.recorder_told)
        parts.link.problem.connect(self._recorder_troubled)
        if self._options.live:
            parts.start()
            self._workspaces.start(parts.link.carry_out, remember=self.looking is None)
        else:
            self.window.show_recorder(None)  # none is looked for
        if self._workspace.catalogue.exists():
            self._build_screens(parts)
        if self._options.connect:
            self._open_connection()
        self.filled.emit()

    def close(self) -> None:
        """Stop what runs. A recorder that runs for windows only ends by itself."""
        for part in (self._shown, self._parts, self.looking):
            if part is not None:
                part.shutdown()

    def save_layout(self) -> dict[str, object]:
        """How the user left the window and its tables, for the layout file."""
        shown = self._shown.save() if self._shown is not None else {}
        return {**self.window.save_layout(), ARRANGEMENT: self._arrangement.save(), **shown}

    @property
    def idle(self) -> bool:
        """Is everything answered and drawn?"""
        return self.source is not None and not self.source.pending and not self.frames.running

    @Slot(int)
    def show_faults(self, count: int) -> None:
        """A badge for mistakes of our own."""
        if self._parts is not None:
            self._parts.notices.show_faults(count)

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

    def _build_screens(self, parts: "WorkspaceParts") -> None:
        from app.window.plot_library import PlotLibrary
        from app.window.screen_parts import ScreenParts

        self._shown = shown = ScreenParts(
            parts, self.window, self._actions, self._places, self.frames, self.themes, self._options.layout or {},
            self._help.open_connecting,
        )  # fmt: skip
        self.screens, self.layouts, self.why, self.data = shown.screens, shown.layouts, shown.why, shown.data
        self._menus.attach(shown)
        self.palette.offer(shown.layouts.entries)
        shown.screens.command_requested.connect(self._submit)
        shown.screens.connect_requested.connect(self._open_connection)
        if self._options.live:
            self._plot_library = PlotLibrary(self)
            self._plot_library.start()

    # ------------------------------------------------------------ recorder

    @Slot(object)
    def _recorder_told(self, state: RecorderState | None) -> None:
        if state is not None and self.screens is None and self._parts is not None:
            self._build_screens(self._parts)
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
        if self._shown is not None:
            self._shown.focus_filter()

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
