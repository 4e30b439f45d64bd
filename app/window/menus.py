"""The menus of the screens: there with the frame, and given something to work on when that is there."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.window.data_menu import DataMenu
from app.window.explore_menu import ExploreMenu
from app.window.flow_menu import FlowMenu
from app.window.log_menu import LogMenu
from app.window.message_menu import MessageMenu
from app.window.notes_menu import NotesMenu
from app.window.screen_menus import ScreenMenus
from app.window.task_menu import TaskMenu
from widgets.common.actions import ActionRegistry
from widgets.frame.main_window import MainWindow

if TYPE_CHECKING:  # loaded after the first paint
    from app.window.screen_parts import ScreenParts
    from app.window.workspace_parts import WorkspaceParts


class Menus(QObject):
    """Registers its actions at once. GUI thread."""

    def __init__(self, actions: ActionRegistry, window: MainWindow) -> None:
        super().__init__(window)
        self._data = DataMenu(actions, window)
        self._screens = ScreenMenus(actions, window)
        self._explore = ExploreMenu(actions, window)
        self._flow = FlowMenu(actions, window)
        self._log = LogMenu(actions, window)
        self._message = MessageMenu(actions, window)
        self._notes = NotesMenu(actions, window)
        self._task = TaskMenu(actions, window)
        window.screen_changed.connect(self._task.refresh)

    def follow(self, parts: "WorkspaceParts") -> None:
        """What needs no history works."""
        self._message.publish_requested.connect(parts.publishing.open)
        self._message.rules_requested.connect(parts.rules.list.open)

    def attach(self, shown: "ScreenParts") -> None:
        """There is history; a screen may have been shown before that."""
        screens, refusal = shown.screens, shown.refusal
        self._screens.attach(screens)
        self._explore.follow(screens.explore, shown.layouts, refusal)
        self._data.attach(shown.data, refusal)
        self._notes.attach(shown.notes)
        self._task.attach(shown.tasks, refusal)
        shown.tasks.arrived.connect(self._task.follow)
        if shown.tasks.screen is not None:
            self._task.follow(shown.tasks.screen)
        shown.flow.arrived.connect(self._flow.attach)
        if shown.flow.screen is not None:
            self._flow.attach(shown.flow.screen)
        self._message.refuse_teaching(refusal)
        screens.logs_made.connect(self._log.attach)
        screens.messages_made.connect(self._message.attach)
        if screens.logs is not None:
            self._log.attach(screens.logs)
        if screens.messages is not None:
            self._message.attach(screens.messages)
