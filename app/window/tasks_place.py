"""The screen of tasks in the window, and what somebody does there: give, cancel, try again, answer, tell an agent something."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from app.window.asking import Asking
from app.window.in_turn import Ask, InTurn, Outcome, outcome_text
from app.window.places import TASKS
from app.window.recorder_link import TaskClient
from app.window.screen_place import ScreenPlace
from models.domain.clock import Clock
from models.domain.problems import Problem, Severity
from models.domain.tasks.orders import TaskOrder
from widgets.common.numbers import count_text
from widgets.common.plain import visible
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice
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
        names: AgentNames, clock: Clock, refusal: str, show_logs: Callable[[str], object], asking: Asking | None = None,
    ) -> None:  # fmt: skip
        """`refusal`: why nothing can be changed here, empty: it can; `show_logs`: of what a query finds."""
        super().__init__(window)
        self._window, self._place, self._context = window, place, context
        self._link, self._names, self._clock = link, names, clock
        self._refusal, self._show_logs = refusal, show_logs
        self._asking = asking or Asking(window)
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
            self.screen.cancel_wanted.connect(self.cancel)
            self.screen.retry_wanted.connect(self.retry)
            pane.cancel_wanted.connect(lambda task: self.cancel([task]))
            pane.retry_wanted.connect(lambda task: self.retry([task]))
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

    @Slot(list)
    def cancel(self, tasks: Sequence[str]) -> None:
        """Have their agents asked to stop; several only once the user has agreed to it."""
        if len(tasks) == 1:
            self._do(lambda client: client.cancel_task(tasks[0]))
            return
        title, question = (
            self.tr("Cancel tasks"),
            self.tr("Ask the agents of {n} tasks to stop? What waits ends at once."),
        )
        if tasks and self._asking.confirm(title, _with(question, tasks), _with(self.tr("Cancel {n} tasks"), tasks)):
            said = self.tr("{n} tasks were cancelled, or their agents asked to stop.")
            self._all(tasks, lambda client, task: client.cancel_task(task), self.tr("Cancelling tasks…"), said)

    @Slot(list)
    def retry(self, tasks: Sequence[str]) -> None:
        """Have them given once more; several as above."""
        if len(tasks) == 1:
            self._do(lambda client: client.retry_task(tasks[0]))
            return
        title, question = self.tr("Try again"), self.tr("Give {n} tasks to agents once more?")
        if tasks and self._asking.confirm(title, _with(question, tasks), _with(self.tr("Try {n} again"), tasks)):
            said = self.tr("{n} tasks are tried again.")
            self._all(tasks, lambda client, task: client.retry_task(task), self.tr("Giving tasks again…"), said)

    @Slot(str)
    def answer(self, task: str) -> None:
        """Ask for what its agent asks for, and pass it on."""
        from widgets.tasks.answer_dialog import AnswerDialog
        from widgets.tasks.task_pane import pretty

        item = self.screen.pane.item if self.screen is not None else None
        asked = visible(pretty(item.result), 1_000) if item is not None and item.task == task else ""

        def tell(text: str, done: Done) -> None:
            def told(problem: Problem | None) -> None:
                done(problem)
                self._refresh()

            self._link.about_tasks(lambda client: client.answer_task(task, _as_json(text)), told)

        AnswerDialog(asked, tell, self._window).show()

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

    def _all(self, tasks: Sequence[str], ask: Ask, doing: str, done: str) -> None:
        def tell(outcome: Outcome) -> None:
            sentence, remedy = outcome_text(_with(done, outcome.done), outcome)
            severity = Severity.WARNING if outcome.refused or outcome.left else Severity.INFO
            self._window.notices.show_notice(Notice("tasks", severity, sentence, remedy))
            self._refresh()

        InTurn(self._link, self._window, ask, tell).start(tasks, doing)

    def _refresh(self) -> None:
        if self.screen is not None:
            self.screen.refresh()


def _with(text: str, tasks: Sequence[str]) -> str:
    return text.replace("{n}", count_text(len(tasks)))


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
