"""The screens of the window, and what works beside them on the same history."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Slot

from app.window.agent_telling import AgentTelling
from app.window.birth_requests import BirthRequests
from app.window.census import Census
from app.window.data_place import DataParts, DataPlace
from app.window.flow_place import FlowPlace
from app.window.layouts_controller import LayoutsController
from app.window.notes_controller import NotesController
from app.window.paired_controller import PairedController
from app.window.pictures_at_hand import pictures_at_hand
from app.window.places import DATA, FLOW, TASKS
from app.window.screen_place import ScreenPlace
from app.window.screens import Screens
from app.window.tasks_place import TasksPlace
from app.window.why_controller import WhyController
from app.window.workspace_parts import WorkspaceParts
from widgets.common.actions import ActionRegistry
from widgets.common.frame_clock import FrameClock
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow
from widgets.frame.outlet import Outlet
from widgets.frame.screen_context import ScreenContext
from widgets.notes.book import AnnotationBook

FOLDER = "folder"
"""In the layout file: where somebody wrote last."""


class ScreenParts(QObject):
    """`shutdown` before the application ends. GUI thread."""

    def __init__(
        self,
        parts: WorkspaceParts,
        window: MainWindow,
        actions: ActionRegistry,
        places: dict[str, ScreenPlace],
        frames: FrameClock,
        themes: ThemeHolder,
        saved: Mapping[str, object],
        open_guide: Callable[[], object],
    ) -> None:
        """`saved`: how the window was left; `open_guide`: tells how agents are connected."""
        super().__init__(window)
        self._window = window
        self._themes = themes
        self.refusal = self.tr("nothing is changed in what is only looked at") if parts.read_only else ""
        """Why nothing can be changed here; empty: it can."""
        book = AnnotationBook(parts.source, parts.tail, parts.link.submit, self)
        context = ScreenContext(
            parts.source, parts.tail, frames, window.time_range, window.time_cursor, themes, parts.clock, book, Outlet()
        )
        self.screens = Screens(window, places, context, self, self.refusal)
        self.notes = NotesController(book, self.screens, window, themes, parts.clock)
        self.tasks = TasksPlace(
            window, places[TASKS], self.screens.context, parts.link, self.screens.names, parts.clock, self.refusal,
            self.screens.open_logs_of,
        )  # fmt: skip
        telling = AgentTelling(parts.link, parts.clock, window, self.tasks.show_commands, read_only=parts.read_only)
        self.screens.commands.command_wanted.connect(telling.ask)
        self.screens.commands.task_wanted.connect(self.tasks.give)
        self.flow = FlowPlace(
            places[FLOW],
            self.screens.context,
            self.screens.names,
            self.screens.ways.show,
            self.screens.open_agent,
            self.screens.paired_requested.emit,
            self,
        )
        window.screen_changed.connect(self._screen_changed)
        window.refresh_requested.connect(self._refresh)
        self._screen_changed(window.shown_screen)
        self.layouts = LayoutsController(window, actions, self.screens.explore, parts.workspace, saved, self.refusal)
        self.why = WhyController(parts.source, parts.workspace, parts.clock, themes, window, self.refusal)
        self._paired = PairedController(parts.source, parts.workspace, parts.clock, themes, window)
        self.data = self._data(parts, window, places, str(saved.get(FOLDER, "")))
        self.screens.logs_made.connect(parts.queries.attach)
        if self.screens.logs is not None:  # its place was shown before there was anything to show
            parts.queries.attach(self.screens.logs)
        self.screens.publish_requested.connect(parts.publishing.open)
        self.screens.clear_requested.connect(parts.publishing.ask_to_clear)
        self.screens.shell_line_requested.connect(parts.publishing.copy_shell_line)
        self.screens.teach_requested.connect(parts.rules.teach)
        self.screens.why_requested.connect(self.why.ask)
        self.screens.paired_requested.connect(self._paired.ask)
        self._paired.message_wanted.connect(self.screens.open_message)
        self.screens.guide_requested.connect(open_guide)
        self.why.topic_wanted.connect(self.screens.open_topic)
        self.why.teach_wanted.connect(parts.rules.teach)
        self.why.rules_wanted.connect(parts.rules.list.open)
        parts.rules.reread_wanted.connect(self.data.ask_reread)

    def _data(
        self, parts: WorkspaceParts, window: MainWindow, places: dict[str, ScreenPlace], last_folder: str
    ) -> DataPlace:
        screens = self.screens
        births = BirthRequests(parts.link, parts.clock, window, read_only=parts.read_only)
        screens.commands.births_wanted.connect(births.ask)
        data_parts = DataParts(
            parts.workspace, screens.context(), parts.link, screens.names, screens.ways.show, parts.rules.teach_message,
            births.ask, lambda: pictures_at_hand(window, screens.explore, self._themes), parts.read_only,
        )  # fmt: skip
        data = DataPlace(window, places[DATA], data_parts, screens.looked_at, screens.agents_at_hand, last_folder)
        window.refresh_requested.connect(data.refresh)
        if not parts.read_only and not parts.demo:
            self._census = Census(window.notices, parts.source, data.show_missing, self)
            self._census.recorder_told(parts.link.state)
            parts.link.state_changed.connect(self._census.recorder_told)
        return data

    @Slot(str)
    def _screen_changed(self, screen: str) -> None:
        if screen == TASKS:
            self.tasks.made()
        if screen == FLOW:
            self.flow.made()

    @Slot()
    def _refresh(self) -> None:
        for place in (self.tasks, self.flow):
            if place.screen is not None:
                place.screen.refresh()

    def focus_filter(self) -> None:
        """Put the cursor into the filter of the shown screen."""
        shown = {TASKS: self.tasks.screen, FLOW: self.flow.screen}.get(self._window.shown_screen)
        (shown or self.screens).focus_filter()

    def save(self) -> dict[str, object]:
        """How they were left, for the layout file."""
        return {**self.layouts.save(), FOLDER: self.data.folder.path}

    def shutdown(self) -> None:
        """Cancel what runs."""
        for part in (self.data, self.why, self._paired, self.layouts):
            part.shutdown()
