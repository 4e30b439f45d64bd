"""All mapping rules and second names in their order, to look through and to change."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from models.domain.problems import Problem
from models.domain.rules import MOST_RULES, Meaning, Rule, Rules, SameAgent
from widgets.common.buttons import plain_button
from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState, loading
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text

Said = Rule | SameAgent

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class Listed(NamedTuple):
    """`number` of a rule in its order, from 1; 0: a second name."""

    number: int
    said: Said


class RuleList(QDialog):
    """Asks for changes by its signals, is told what there is. GUI thread."""

    edit_requested = Signal(object)  # Rule or SameAgent
    move_requested = Signal(object, bool)  # Rule, and whether it goes down
    remove_requested = Signal(object)  # Rule or SameAgent
    undo_requested = Signal()
    file_requested = Signal()
    reread_requested = Signal()

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Mapping rules"))
        self.setModal(False)
        self._last = 0  # number of rules
        self._undoes = ""
        self.table = _table()
        self.table.setObjectName("rules")
        self._stack = StateStack(self.table, theme)
        self.notice = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.edit = plain_button(self.tr("&Edit…"), self._edit)
        self.up = plain_button(self.tr("Move &up"), partial(self._move, down=False))
        self.down = plain_button(self.tr("Move &down"), partial(self._move, down=True))
        self.remove = plain_button(self.tr("&Remove"), self._remove)
        self.undo = plain_button(self.tr("Und&o"), self.undo_requested.emit)
        self.open_file = plain_button(self.tr("Open rules.&toml"), self.file_requested.emit)
        self.reread = plain_button(self.tr("Read &history again…"), self.reread_requested.emit)
        self.reread.setToolTip(
            self.tr("What is stored stays as it was read, until it is read again with the present rules")
        )
        self._lay_out()
        self.table.selectionModel().selectionChanged.connect(self._allow)
        self.table.opened.connect(lambda one: self.edit_requested.emit(one.said))
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self.begin()

    def _lay_out(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        for button in (self.open_file, self.reread):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.rejected.connect(self.reject)
        head = QLabel(
            self.tr(
                "The first rule that fits a message wins; all of them win over what is read by itself. A change counts for what"
                " comes from now on; what is stored changes when history is read again."
            )
        )
        head.setProperty("tone", "muted")
        head.setWordWrap(True)
        beside = QVBoxLayout()
        keys = {self.edit: "Return", self.up: "Alt+Up", self.down: "Alt+Down", self.remove: "Del", self.undo: "Ctrl+Z"}
        for button, key in keys.items():
            beside.addWidget(button)
            shortcut = QKeySequence(key)
            button.setToolTip(shortcut.toString(QKeySequence.SequenceFormat.NativeText))
            if button is not self.edit:  # the table opens a row
                QShortcut(shortcut, self, button.click)
        beside.addStretch(1)
        across = QHBoxLayout()
        across.addWidget(self._stack, 1)
        across.addLayout(beside)
        column = QVBoxLayout(self)
        column.addWidget(head)
        column.addLayout(across, 1)
        column.addWidget(self.notice)
        column.addWidget(buttons)
        self.resize(960, 440)

    def begin(self) -> None:
        """Opened again."""
        self._tell("")
        self._stack.show_state(loading())
        self.table.setFocus()
        self._allow()

    def show_rules(self, rules: Rules, problems: Sequence[Problem]) -> None:
        """List these, and what makes no sense of the file."""
        self._last = len(rules.rules)
        numbered = [Listed(number, one) for number, one in enumerate(rules.rules, 1)]
        self.table.show_rows([*numbered, *(Listed(0, SameAgent(*pair)) for pair in rules.same.items())])
        if self.table.records.rows:
            first = not self._stack.shows_content
            self._stack.show_content()
            if first:
                self.table.setFocus()
        else:
            hint = self.tr("Point at a message on the Messages screen and choose Teach from its menu.")
            self._stack.show_state(ViewState(StateKind.EMPTY, self.tr("There are no rules"), hint))
        self._tell("\n".join(one.sentence() for one in problems), "warning")
        self._allow()

    def show_undo(self, what: str) -> None:
        """What the last change was that can be undone, translated; empty: none can."""
        self._undoes = what
        self._allow()

    def show_problem(self, problem: Problem) -> None:
        """Why it could not be done."""
        self._tell(" ".join(problem_text(problem)), "error")

    # ------------------------------------------------------------ what one can do

    @Slot()
    def _allow(self) -> None:
        chosen = self.table.selected
        number = chosen[0].number if len(chosen) == 1 else 0
        self.edit.setEnabled(len(chosen) == 1)
        self.remove.setEnabled(bool(chosen))
        self.up.setEnabled(number > 1)
        self.down.setEnabled(0 < number < self._last)
        self.undo.setEnabled(bool(self._undoes))
        key = QKeySequence("Ctrl+Z").toString(QKeySequence.SequenceFormat.NativeText)
        self.undo.setToolTip(tooltip_text(f"{self._undoes} ({key})" if self._undoes else key))

    @Slot()
    def _edit(self) -> None:
        for one in self.table.selected[:1]:
            self.edit_requested.emit(one.said)

    def _move(self, *, down: bool) -> None:
        for one in self.table.selected[:1]:
            self.move_requested.emit(one.said, down)

    @Slot()
    def _remove(self) -> None:
        for one in self.table.selected:
            self.remove_requested.emit(one.said)

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button in (self.edit, self.up, self.down, self.remove):
            menu.addAction(button.text(), button.click).setEnabled(button.isEnabled())
        menu.addSeparator()
        self.table.add_copy(menu)
        menu.popup(self.table.viewport().mapToGlobal(where))

    def _tell(self, text: str, tone: str = "muted") -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))
        self.notice.setProperty("tone", tone)
        self.notice.style().polish(self.notice)


def _topic(said: Said) -> str:
    return visible(said.topic if isinstance(said, Rule) else said.name)


def _means(said: Said) -> str:
    if isinstance(said, SameAgent):
        return translate("RuleList", "the same agent as")
    return {
        Meaning.NUMBER: translate("RuleList", "a number"),
        Meaning.AGENT: translate("RuleList", "an agent's"),
        Meaning.LOG: translate("RuleList", "a log record"),
        Meaning.STATUS: translate("RuleList", "whether it is there"),
        Meaning.IGNORE: translate("RuleList", "nothing is read"),
    }[said.means]


def _rest(said: Said) -> str:
    if isinstance(said, SameAgent):
        return visible(said.agent)
    told = {key: value for key, value in said.said().items() if key not in ("topic", "means")}
    return visible(", ".join(f"{key} {value}" for key, value in told.items()))


def _table() -> SortedTable[Listed]:
    columns: list[Column[Listed]] = [
        Column(translate("RuleList", "No."), lambda one: str(one.number or ""), lambda one: one.number or MOST_RULES + 1, number=True),
        Column(translate("RuleList", "Topic or name"), lambda one: _topic(one.said), tip=lambda one: tooltip_text(_topic(one.said))),
        Column(translate("RuleList", "Is"), lambda one: _means(one.said)),
        Column(translate("RuleList", "With"), lambda one: _rest(one.said), tip=lambda one: tooltip_text(_rest(one.said))),
    ]  # fmt: skip
    return SortedTable(
        translate("RuleList", "Mapping rules"), columns, (44, 260, 150, 340), lambda one: one.said, (1, 3)
    )
