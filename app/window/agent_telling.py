"""Telling agents themselves to do something: always by hand, never without a dialog."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Slot

from app.window.in_turn import InTurn, Outcome, outcome_text
from app.window.recorder_link import Done, TaskClient
from models.domain.clock import Clock
from models.domain.control import Link as LinkState
from models.domain.control import RecorderState
from models.domain.problems import Problem, Severity
from widgets.common.numbers import count_text
from widgets.common.plain import visible
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice

if TYPE_CHECKING:  # loaded when it is first wanted
    from widgets.tasks.command_dialog import CommandDialog

NOTICE = "agent-commands"


class Link(Protocol):
    """`RecorderLink`, as far as it is needed here."""

    @property
    def state(self) -> RecorderState | None: ...
    def about_tasks(self, job: Callable[[TaskClient], object], done: Done) -> None: ...


class AgentTelling(QObject):
    """The recorder notes every command before it publishes it. GUI thread."""

    def __init__(
        self, link: Link, clock: Clock, window: MainWindow, show_commands: Callable[[], object], *, read_only: bool
    ) -> None:
        """`show_commands`: the list of those that were given."""
        super().__init__(window)
        self._link, self._clock, self._window, self._read_only = link, clock, window, read_only
        self._show_commands = show_commands
        self.dialog: CommandDialog | None = None
        """While it is open."""

    @Slot(list, str)
    def ask(self, agents: Sequence[str], command: str) -> None:
        """Open the dialog, or say why nobody can be told. `command` empty: one that the user names."""
        state = self._link.state
        if self._read_only:
            self._window.notices.show_problem(Problem("look.read-only"), key=NOTICE)
        elif state is None or state.link is not LinkState.CONNECTED:
            self._window.notices.show_problem(Problem("publish.not-connected"), key=NOTICE)
        elif agents:
            from widgets.tasks.command_dialog import CommandDialog

            names = list(agents)
            self.dialog = CommandDialog(partial(self._give, names), names, command, self._clock, self._window)
            self.dialog.finished.connect(self._closed)
            self.dialog.open()

    @Slot()
    def _closed(self) -> None:
        self.dialog = None

    def _give(self, agents: Sequence[str], command: str, arguments: str) -> None:
        self._window.notices.clear(NOTICE)
        said = self.tr("Giving “{command}” to {n} agents…")
        said = said.replace("{command}", visible(command, 60)).replace("{n}", count_text(len(agents)))

        def give(client: TaskClient, agent: str) -> None:
            client.command_agent(agent, command, arguments, agent)  # the dialog had it confirmed

        InTurn(self._link, self._window, give, partial(self._tell, command)).start(agents, said)

    def _tell(self, command: str, outcome: Outcome) -> None:
        told = self.tr("“{command}” was given to {agents}.")
        many = self.tr("{n} agents").replace("{n}", count_text(len(outcome.done)))
        who = visible(outcome.done[0], 80) if len(outcome.done) == 1 else many
        text = told.replace("{command}", visible(command, 60)).replace("{agents}", who)
        sentence, remedy = outcome_text(text, outcome, self.tr("Their answers are listed in Tasks, under Commands."))
        severity = Severity.WARNING if outcome.refused or outcome.left else Severity.INFO
        self._window.notices.show_notice(
            Notice(NOTICE, severity, sentence, remedy, "", self.tr("Show"), self._show_commands)
        )
