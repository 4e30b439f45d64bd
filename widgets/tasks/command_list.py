"""Commands that were given to agents, with what became of them."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Slot
from PySide6.QtGui import QHideEvent, QIcon, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from models.domain.quantity import MISSING, format_time
from models.domain.queries import CommandsRequest, CommandsResult, Failed, Result, Ticket
from models.domain.records import TaskState
from models.domain.tail import TailPage
from models.domain.tasks.commands import VALID_S, AgentCommand
from models.domain.tasks.work import Sending
from widgets.common.numbers import duration_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState, failed
from widgets.common.theme import ThemeHolder
from widgets.common.throttle import Throttle
from widgets.common.words import task_word
from widgets.frame.screen_context import ScreenContext
from widgets.records.task_list import LOOKS

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
_STATES = {"completed": TaskState.COMPLETED, "failed": TaskState.FAILED, "rejected": TaskState.REJECTED}
_WIDTHS = (158, 140, 110, 170, 230, 80, 300)


class CommandList(QWidget):
    """The newest thousand, whatever the time range is. While it is hidden it asks for nothing. GUI thread."""

    def __init__(self, context: ScreenContext, refresh_ms: int) -> None:
        super().__init__()
        self._source, self._clock = context.source, context.clock
        self._asked: Ticket | None = None
        self.table = _table(context.themes, context.clock.wall_us)
        self.table.setObjectName("agent-commands")
        self.stack = StateStack(self.table, context.themes)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stack)
        self.setFocusProxy(self.table)
        self._soon = Throttle(self.refresh, refresh_ms, self)
        context.tail.follow(self._take_page)

    @Slot()
    def refresh(self) -> None:
        """Ask again."""
        if self.isVisible() and self._asked is None:
            self._asked = self._source.ask(CommandsRequest(), self._take)

    def _take(self, result: Result | Failed) -> None:
        self._asked = None
        if isinstance(result, Failed):
            self.stack.show_state(failed(result.problem, self.refresh))
            return
        assert isinstance(result, CommandsResult)
        self.table.show_rows(result.items)
        self.table.viewport().update()  # what waits for an answer may have waited too long
        if result.items:
            self.stack.show_content()
        else:
            self.stack.show_state(_empty())

    @Slot(object)
    def _take_page(self, _page: TailPage) -> None:
        if self.isVisible():
            self._soon.want()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._soon.stop()
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None


def _empty() -> ViewState:
    return ViewState(
        StateKind.EMPTY,
        translate("CommandList", "No command was given to an agent yet"),
        translate(
            "CommandList", "Choose agents in Fleet; their menu has ping, pause, drain, restart and what you name."
        ),
    )


def command_note(one: AgentCommand, now_us: int) -> str:
    """How it stands, in words."""
    if one.state in _STATES:
        return task_word(_STATES[one.state])
    match one.sending:
        case Sending.UNKNOWN:
            return translate("CommandList", "nobody knows whether it was sent")
        case Sending.ACKNOWLEDGED if now_us - one.asked_us > VALID_S * 1_000_000:
            return translate("CommandList", "no answer")
        case Sending.ACKNOWLEDGED:
            return translate("CommandList", "sent, waits for the answer")
    return translate("CommandList", "is being sent")


def _table(themes: ThemeHolder, now_us: Callable[[], int]) -> SortedTable[AgentCommand]:
    tr = translate

    def icon(one: AgentCommand) -> QIcon:
        state = _STATES.get(one.state)
        unsure = ("warning", "warning") if one.sending is Sending.UNKNOWN else ("clock", "muted")
        return themes.icons.icon(*(LOOKS[state] if state is not None else unsure))

    columns: list[Column[AgentCommand]] = [
        Column(tr("CommandList", "Given"), lambda one: format_time(one.asked_us), lambda one: one.asked_us),
        Column(tr("CommandList", "Agent"), lambda one: visible(one.agent)),
        Column(tr("CommandList", "Command"), lambda one: visible(one.name)),
        Column(tr("CommandList", "Arguments"), lambda one: "" if one.arguments == "null" else visible(one.arguments, 200)),
        Column(tr("CommandList", "State"), lambda one: command_note(one, now_us()), icon=icon),
        Column(tr("CommandList", "Took"), _took, lambda one: one.answered_us - one.asked_us, number=True),
        Column(
            tr("CommandList", "Answer"), lambda one: "" if one.answer in (None, "null") else visible(one.answer or "", 400),
            tip=lambda one: tooltip_text(one.answer or ""),
        ),
    ]  # fmt: skip
    name = tr("CommandList", "Commands given to agents")
    return SortedTable(name, columns, _WIDTHS, lambda one: one.id, (6,))


def _took(one: AgentCommand) -> str:
    return duration_text(one.answered_us - one.asked_us) if one.answered_us else MISSING
