"""The Task menu: what can be done with the task at hand, and giving one."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from widgets.common.actions import ActionRegistry
from widgets.tasks.task_doings import can_cancel, can_retry

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
            ("answer", tr("&Answer…"), tr("Give the agent of the task at hand what it asks for"), lambda one: one.item is not None and not one.pane.answer.isHidden()),
            ("retry", tr("&Try again"), tr("Give the selected tasks to agents once more"), lambda one: bool(one.to_do(can_retry))),
            ("cancel", tr("&Cancel"), tr("Ask the agents of the selected tasks to stop; a second time ends a task"), lambda one: bool(one.to_do(can_cancel))),
        ):  # fmt: skip
            action = actions.add(f"task.{name}", text, partial(self._run, name), None, "", "Task", tip=tip)
            self._enabled.append((action, fits))
        self._logs = actions.add("task.logs", tr("Its &logs"), self._show_logs, None, "", "Task",
            tip=tr("Log records that name the task at hand"))  # fmt: skip
        self._enabled.append((self._logs, lambda one: one.item is not None))
        actions.separate("Task")
        self._csv = actions.add("task.save", tr("Save as CS&V…"), self._save_csv, None, "", "Task",
            tip=tr("Write the tasks of the chosen time, one row for each"))  # fmt: skip
        self._enabled.append((self._csv, lambda _: True))
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
        shown = screen if screen is not None and screen.isVisible() else None
        for action, fits in self._enabled:
            changes = action not in (self._logs, self._csv)
            action.setEnabled(shown is not None and fits(shown) and not (changes and self._refusal))

    def _give_one(self) -> None:
        if self._place is not None:
            self._place.give()

    def _run(self, name: str) -> None:
        screen = self._place.screen if self._place is not None else None
        if self._place is None or screen is None:
            return
        match name:
            case "cancel":
                self._place.cancel(screen.to_do(can_cancel))
            case "retry":
                self._place.retry(screen.to_do(can_retry))
            case "answer" if screen.item is not None:
                self._place.answer(screen.item.task)

    def _save_csv(self) -> None:
        if self._place is not None and self._place.screen is not None:
            self._place.screen.save_csv()

    def _show_logs(self) -> None:
        if self._place is not None and self._place.screen is not None:
            self._place.screen.pane.logs.click()
