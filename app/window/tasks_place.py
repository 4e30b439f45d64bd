"""The screen of tasks in the window, and what somebody does there: give, cancel, try again, answer, tell an agent something."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QInputDialog

from app.window.places import TASKS
from app.window.recorder_link import TaskClient
from app.window.screen_place import ScreenPlace
from models.domain.clock import Clock
from models.domain.problems import Problem
from models.domain.tasks.orders import TaskOrder
from widgets.common.plain import visible
from widgets.frame.main_window import MainWindow
from widgets.frame.screen_context import ScreenContext
from widgets.records.agent_names import AgentNames

if TYPE_CHECKING:  # loaded when they are first wanted
    from widgets.tasks.give_dialog import GiveDialog
    from widgets.tasks.tasks_screen import TasksScreen

Done = Callable[[Problem | None], None]


class Link(Protocol):
    """`RecorderLink`, as far as it is about tasks."""

    def about_tasks(self, job: Callable[[TaskClient], object], done: Done) -> None: ...


class TasksPlace(QObject):
    """Makes the screen when it is first wanted. GUI thread."""

    arrived = Signal(object)
    """The screen is there."""

    def __init__(
        self, window: MainWindow, place: ScreenPlace, context: Callable[[], ScreenContext], link: Link,
        names: AgentNames, clock: Clock, refusal: str, show_logs: Callable[[str], object],
    ) -> None:  # fmt: skip
        """`refusal`: why nothing can be changed here, empty: it can; `show_logs`: of what a query finds."""
        super().__init__(window)
        self._window, self._place, self._context = window, place, context
        self._link, self._names, self._clock = link, names, clock
        self._refusal, self._show_logs = refusal, show_logs
        self.screen: TasksScreen | None = None
        self.dialogs: list[GiveDialog] = []
        """Those that are open."""

    def made(self) -> "TasksScreen":
        """The screen, from now on."""
        if self.screen is None:
            from widgets.tasks.tasks_screen import TasksScreen

            self.screen = TasksScreen(self._context())
            self.screen.give_wanted.connect(self.give)
            self.screen.give.setEnabled(not self._refusal)
            self.screen.give.setToolTip(self._refusal)
            pane = self.screen.pane
            pane.cancel_wanted.connect(self.cancel)
            pane.retry_wanted.connect(self.retry)
            pane.answer_wanted.connect(self.answer)
            pane.logs_wanted.connect(lambda task: self._show_logs(f"task:{_quoted(task)} OR {_quoted(task)}"))
            for button in (pane.cancel, pane.retry, pane.answer):
                button.setEnabled(not self._refusal)
            self._place.fill(self.screen)
            self.arrived.emit(self.screen)
        return self.screen

    @Slot()
    def give(self, agents: Sequence[str] = ()) -> None:
        """Ask for a task; `agents`: for whom."""
        if self._refusal:
            self._window.notices.show_problem(Problem("look.read-only"))
            return
        from widgets.tasks.give_dialog import GiveDialog

        self._names.refresh()
        known = [self._names.id_of(agent) for agent in self._names.agents]
        types = self.screen.types if self.screen is not None else []
        dialog = GiveDialog(self._submit, known, types, self._clock, self._window, agents)
        self.dialogs.append(dialog)
        dialog.finished.connect(lambda _code: self.dialogs.remove(dialog))
        dialog.show()

    def show_commands(self) -> None:
        """The commands that were given to agents."""
        self._window.show_screen(TASKS)
        screen = self.made()
        screen.tabs.setCurrentWidget(screen.commands)

    @Slot(str)
    def cancel(self, task: str) -> None:
        """Have its agent asked to stop."""
        self._do(lambda client: client.cancel_task(task))

    @Slot(str)
    def retry(self, task: str) -> None:
        """Have it given once more."""
        self._do(lambda client: client.retry_task(task))

    @Slot(str)
    def answer(self, task: str) -> None:
        """Ask for what its agent asks for, and pass it on."""
        item = self.screen.pane.item if self.screen is not None else None
        asked = visible(item.result, 500) if item is not None and item.task == task else ""
        text, given = QInputDialog.getMultiLineText(
            self._window, self.tr("Answer a task"), asked or self.tr("Its agent asks for input:")
        )
        if given:
            self._do(lambda client: client.answer_task(task, _as_json(text)))

    def _submit(self, order: TaskOrder, done: Done) -> None:
        def told(problem: Problem | None) -> None:
            done(problem)
            self._refresh()

        self._link.about_tasks(lambda client: client.submit_tasks([order]), told)

    def _do(self, job: Callable[[TaskClient], object]) -> None:
        def told(problem: Problem | None) -> None:
            if problem is not None:
                self._window.notices.show_problem(problem)
            self._refresh()

        self._link.about_tasks(job, told)

    def _refresh(self) -> None:
        if self.screen is not None:
            self.screen.refresh()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _as_json(text: str) -> str:
    """JSON as it is; anything else is a text."""
    import json

    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text, ensure_ascii=False)
    return text
