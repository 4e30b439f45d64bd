"""What a user can tell the program about agents: name, group, note, maintenance, retirement. Makes the commands that the
recorder carries out, and the small dialogs that ask for their words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QDateTime, QObject, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDateTimeEdit,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QWidget,
)  # fmt: skip

from models.domain.control import Command
from models.domain.sparkplug_nodes import SparkplugNode, node_of_agent
from widgets.common.plain import PlainLabel, visible
from widgets.why.subject import OfAgent

_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """An agent that a command is about, with what it is called now."""

    id: str
    name: str
    group: str
    note: str
    maintenance: bool
    retired: bool
    convention: str = ""

    @property
    def node(self) -> SparkplugNode | None:
        """The Sparkplug node that it is, or is a device of."""
        return node_of_agent(self.id, self.convention)


class AgentCommands(QObject):
    """Fills a context menu for the selected agents. `requested` carries commands for `submit`. GUI thread."""

    requested = Signal(list)
    why_wanted = Signal(object)
    """Somebody asks why it is there, and as it is (`OfAgent`)."""
    explore_wanted = Signal(list)
    """Ids of agents whose figures shall be explored."""
    births_wanted = Signal(list)
    """`SparkplugNode`s that shall be asked for their birth certificates."""
    command_wanted = Signal(list, str)
    """Ids of agents that shall be told to do something, and what; empty: what the user names."""
    task_wanted = Signal(list)
    """Ids of agents that shall be given a task."""

    def __init__(self, now_us: Callable[[], int], window: QWidget) -> None:
        super().__init__(window)
        self._now_us, self._window = now_us, window
        self._targets: Sequence[Target] = ()

    def about(self, targets: Sequence[Target]) -> None:
        """The agents that the next command is for."""
        self._targets = targets

    def fill(self, menu: QMenu, targets: Sequence[Target]) -> None:
        """Add what can be done with these agents."""
        self.about(targets)
        one = len(targets) == 1
        menu.addAction(self.tr("Explore"), self.explore)
        menu.addSeparator()
        menu.addAction(self.tr("Give a task to it…") if one else self.tr("Give a task to them…"), self.ask_task)
        told = menu.addMenu(self.tr("Tell it to") if one else self.tr("Tell them to"))
        for command, text in (
            ("ping", self.tr("ping…")), ("pause", self.tr("pause…")), ("resume", self.tr("resume…")),
            ("drain", self.tr("drain…")), ("restart", self.tr("restart…")), ("", self.tr("do something else…")),
        ):  # fmt: skip
            told.addAction(text, partial(self.ask_command, command))
        menu.addSeparator()
        rename = menu.addAction(self.tr("Rename…"), self.ask_name)
        rename.setEnabled(one)
        menu.addAction(self.tr("Set group…"), self.ask_group)
        note = menu.addAction(self.tr("Note…"), self.ask_note)
        note.setEnabled(one)
        pause = menu.addMenu(self.tr("Maintenance until"))
        pause.addAction(self.tr("in 1 hour"), partial(self.maintain, 1))
        pause.addAction(self.tr("in 4 hours"), partial(self.maintain, 4))
        pause.addAction(self.tr("tomorrow, this time"), partial(self.maintain, 24))
        pause.addAction(self.tr("another time…"), self.ask_maintenance)
        if any(target.maintenance for target in targets):
            menu.addAction(self.tr("End maintenance"), self.end_maintenance)
        if any(target.node for target in targets):
            menu.addAction(self.tr("Ask for birth certificates…"), self.ask_births)
        why = menu.addAction(self.tr("Why?"), self.ask_why)
        why.setEnabled(one)
        menu.addSeparator()
        if any(not target.retired for target in targets):
            menu.addAction(self.tr("Retire (hide, keep its history)"), partial(self.retire, retired=True))
        if any(target.retired for target in targets):
            menu.addAction(self.tr("Restore"), partial(self.retire, retired=False))

    @Slot()
    def explore(self) -> None:
        """Show their figures side by side."""
        self.explore_wanted.emit([target.id for target in self._targets])

    @Slot()
    def ask_name(self) -> None:
        target = self._targets[0]
        edit = QLineEdit(target.name)
        self._ask(self.tr("Rename agent"), self.tr("Name (empty: the agent's own)"), edit,
                  lambda: self._request(Command.RENAME, name=edit.text().strip()))  # fmt: skip

    @Slot()
    def ask_group(self) -> None:
        edit = QLineEdit(self._targets[0].group)
        self._ask(self.tr("Set group"), self.tr("Group (empty: the agent's own)"), edit,
                  lambda: self._request(Command.GROUP, group=edit.text().strip()))  # fmt: skip

    @Slot()
    def ask_note(self) -> None:
        edit = QPlainTextEdit(self._targets[0].note)
        edit.setTabChangesFocus(True)
        self._ask(
            self.tr("Note"), self.tr("Note"), edit, lambda: self._request(Command.NOTE, note=edit.toPlainText().strip())
        )

    @Slot()
    def ask_maintenance(self) -> None:
        edit = QDateTimeEdit(QDateTime.currentDateTime().addSecs(3_600))
        edit.setCalendarPopup(True)
        self._ask(self.tr("Maintenance"), self.tr("Until"), edit,
                  lambda: self._request(Command.MAINTENANCE, until_us=edit.dateTime().toMSecsSinceEpoch() * 1_000))  # fmt: skip

    def maintain(self, hours: int) -> None:
        """In maintenance for so long from now."""
        self._request(Command.MAINTENANCE, until_us=self._now_us() + hours * _HOUR_US)

    @Slot()
    def end_maintenance(self) -> None:
        self._request(Command.MAINTENANCE, until_us=0)

    def retire(self, *, retired: bool) -> None:
        """Hide, or show again; the history stays either way."""
        self._request(Command.RETIRE, retired=retired)

    @Slot()
    def ask_task(self) -> None:
        self.task_wanted.emit([target.id for target in self._targets])

    def ask_command(self, command: str) -> None:
        """To be confirmed before it is given; empty: one that the user names."""
        self.command_wanted.emit([target.id for target in self._targets], command)

    @Slot()
    def ask_why(self) -> None:
        self.why_wanted.emit(OfAgent(self._targets[0].id))

    @Slot()
    def ask_births(self) -> None:
        """Of the nodes among them, each once."""
        self.births_wanted.emit(list(dict.fromkeys(target.node for target in self._targets if target.node)))

    def _request(self, command: Command, **values: object) -> None:
        self.requested.emit([{"do": str(command), "agent": target.id, **values} for target in self._targets])

    def _ask(self, title: str, label: str, edit: QWidget, accepted: Callable[[], None]) -> None:
        """A small dialog that holds up nothing else; the lambda lives as long as the dialog."""
        dialog = QDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        form = QFormLayout(dialog)
        names = ", ".join(visible(target.name or target.id) for target in self._targets[:5])
        more = self.tr(" and {n} more").replace("{n}", str(len(self._targets) - 5)) if len(self._targets) > 5 else ""
        form.addRow(PlainLabel(names + more))
        form.addRow(label, edit)
        edit.setAccessibleName(label)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(dialog.accept)
        buttons.rejected.connect(dialog.reject)
        dialog.accepted.connect(accepted)
        form.addRow(buttons)
        edit.setFocus()
        dialog.open()
