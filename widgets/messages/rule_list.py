"""All mapping rules and second names, to look through, take out and put back."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from models.domain.problems import Problem
from models.domain.rules import Meaning, Rule, Rules, SameAgent
from widgets.common.buttons import plain_button
from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState, loading
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text

Said = Rule | SameAgent

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class RuleList(QDialog):
    """What was removed can be put back until the list is closed. GUI thread."""

    remove_requested = Signal(object)  # Rule or SameAgent
    put_back_requested = Signal(object, int)  # and its number
    file_requested = Signal()
    reread_requested = Signal()

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Mapping rules"))
        self.setModal(False)
        self._removed: list[tuple[Said, int]] = []
        self.table = _table()
        self.table.setObjectName("rules")
        self._stack = StateStack(self.table, theme)
        self.notice = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.remove = plain_button(self.tr("&Remove"), self._remove)
        self.put_back = plain_button(self.tr("&Put back"), self._put_back)
        self.open_file = plain_button(self.tr("&Open rules.toml"), self.file_requested.emit)
        self.reread = plain_button(self.tr("Read &history again…"), self.reread_requested.emit)
        self.reread.setToolTip(
            self.tr("What is stored stays as it was read, until it is read again with the present rules")
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        for button in (self.reread, self.open_file, self.put_back, self.remove):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        head = QLabel(self.tr("The first rule that fits a message wins; all of them win over what is read by itself."))
        head.setProperty("tone", "muted")
        head.setWordWrap(True)
        column = QVBoxLayout(self)
        column.addWidget(head)
        column.addWidget(self._stack, 1)
        column.addWidget(self.notice)
        column.addWidget(buttons)
        self.resize(860, 420)
        self.table.selectionModel().selectionChanged.connect(self._allow)
        self.begin()

    def begin(self) -> None:
        """Opened again: what was removed before stays removed."""
        self._removed.clear()
        self._tell("")
        self._stack.show_state(loading())
        self.table.setFocus()
        self._allow()

    def show_rules(self, rules: Rules, problems: Sequence[Problem]) -> None:
        """List these, and what makes no sense of the file."""
        self.table.show_rows([*rules.rules, *(SameAgent(*pair) for pair in rules.same.items())])
        if self.table.records.rows:
            self._stack.show_content()
        else:
            hint = self.tr("Point at a message on the Messages screen and choose Teach from its menu.")
            self._stack.show_state(ViewState(StateKind.EMPTY, self.tr("There are no rules"), hint))
        self._tell("\n".join(one.sentence() for one in problems), "warning")
        self._allow()

    def show_removed(self, said: Said, number: int) -> None:
        """It is gone; 0: it was already."""
        if number:
            self._removed.append((said, number))
        self._allow()

    def show_put_back(self, said: Said) -> None:
        """It is there again."""
        self._removed = [one for one in self._removed if one[0] is not said]
        self._allow()

    def show_problem(self, problem: Problem) -> None:
        """Why it could not be done."""
        self._tell(" ".join(problem_text(problem)), "error")

    @Slot()
    def _allow(self) -> None:
        self.remove.setEnabled(bool(self.table.selected))
        self.put_back.setEnabled(bool(self._removed))
        last = f"“{_topic(self._removed[-1][0])}”" if self._removed else ""
        self.put_back.setToolTip(tooltip_text(last))

    @Slot()
    def _remove(self) -> None:
        for said in self.table.selected:
            self.remove_requested.emit(said)

    @Slot()
    def _put_back(self) -> None:
        if self._removed:
            self.put_back_requested.emit(*self._removed[-1])

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


def _table() -> SortedTable[Said]:
    columns: list[Column[Said]] = [
        Column(translate("RuleList", "Topic or name"), _topic, tip=lambda said: tooltip_text(_topic(said))),
        Column(translate("RuleList", "Is"), _means),
        Column(translate("RuleList", "With"), _rest, tip=lambda said: tooltip_text(_rest(said))),
    ]
    return SortedTable(translate("RuleList", "Mapping rules"), columns, (300, 150, 340), lambda said: said, (2,))
