"""The Task menu: what can be done with the task at hand, and giving one."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from widgets.common.actions import ActionRegistry

if TYPE_CHECKING:  # loaded after the first paint
    from app.window.tasks_place import TasksPlace
    from widgets.tasks.tasks_screen import TasksScreen

Fits = Callable[["TasksScreen"], bool]


class TaskMenu(QObject):
    """Registers its actions at once; they are enabled while they fit what is at hand on the screen. GUI thread."""

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(parent)
        self._place: TasksPlace | None = None
        self._refusal = ""
        self._enabled: list[tuple[QAction, Fits]] = []
        tr = self.tr
        self._give = actions.add("task.give", tr("&Give a task…"), self._give_one, "Ctrl+F9", "task", "Task",
            tip=tr("Give a task to an agent, to several, or to whoever is capable"))  # fmt: skip
        self._give.setEnabled(False)
        actions.separate("Task")
        for name, text, tip, fits in (
            ("answer", tr("&Answer…"), tr("Give the agent of the task at hand what it asks for"), lambda one: not one.pane.answer.isHidden()),
            ("retry", tr("&Try again"), tr("Give the task at hand to an agent once more"), lambda one: not one.pane.retry.isHidden()),
            ("cancel", tr("&Cancel"), tr("Ask the agent of the task at hand to stop; a second time ends it"), lambda one: not one.pane.cancel.isHidden()),
        ):  # fmt: skip
            action = actions.add(f"task.{name}", text, partial(self._run, name), None, "", "Task", tip=tip)
            self._enabled.append((action, fits))
        self._logs = actions.add("task.logs", tr("Its &logs"), self._show_logs, None, "", "Task",
            tip=tr("Log records that name the task at hand"))  # fmt: skip
        self._enabled.append((self._logs, lambda _: True))
        self.refresh()

    def attach(self, place: "TasksPlace", refusal: str) -> None:
        """There is history. `refusal`: why nothing can be changed; empty: it can."""
        self._place, self._refusal = place, refusal
        self._give.setEnabled(not refusal)

    @Slot(object)
    def follow(self, screen: "TasksScreen") -> None:
        """The screen is there."""
        screen.at_hand_changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Another task is at hand, or another screen is shown."""
        screen = self._place.screen if self._place is not None else None
        at_hand = screen is not None and screen.isVisible() and screen.item is not None
        for action, fits in self._enabled:
            changes = action is not self._logs
            action.setEnabled(at_hand and screen is not None and fits(screen) and not (changes and self._refusal))

    def _give_one(self) -> None:
        if self._place is not None:
            self._place.give()

    def _run(self, name: str) -> None:
        if self._place is not None and self._place.screen is not None and self._place.screen.item is not None:
            getattr(self._place, name)(self._place.screen.item.task)

    def _show_logs(self) -> None:
        if self._place is not None and self._place.screen is not None:
            self._place.screen.pane.logs.click()
