"""Asks for a task to be given: what, to whom, with what, and what becomes of it where it fails."""

import json
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)  # fmt: skip

from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.tasks.orders import MOST_ATTEMPTS, Fan, Gather, TaskOrder, new_task_id, refuse_nonsense
from widgets.common.plain import visible
from widgets.common.words import problem_text

Submit = Callable[[TaskOrder, Callable[[Problem | None], None]], object]
_MINUTE_US = 60_000_000
_MOST_MINUTES = 7 * 24 * 60


class GiveDialog(QDialog):
    """Stays open until the recorder has stored the task, and says why where it cannot. GUI thread."""

    def __init__(
        self, submit: Submit, agents: Sequence[str], types: Sequence[str], clock: Clock, parent: QWidget | None = None,
        chosen: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """`agents`: names to choose from; `types`: known ones; `chosen`: agents that it is for."""
        super().__init__(parent)
        self._submit, self._clock, self._agents = submit, clock, frozenset(agents)
        self._id = new_task_id()  # asked again after a silence, it is the same task
        self.setWindowTitle(self.tr("Give a task"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.type = QComboBox()
        self.type.setEditable(True)
        self.type.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.type.addItems(list(types))
        self.type.setCurrentIndex(-1)  # Enter puts the current item into the field
        self._line(self.type, self.tr("Type"), self.tr("crawl"))
        self.to = QLineEdit(", ".join(chosen))
        self.to.setAccessibleName(self.tr("Agents"))
        self.to.setPlaceholderText(self.tr("whoever says it is capable of the type"))
        self.to.setToolTip(self.tr("Names of agents, between commas; empty: whoever is capable"))
        completer = QCompleter(list(agents), self.to)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.to.setCompleter(completer)
        self.fan = QComboBox()
        self.fan.addItem(self.tr("one of them: the least loaded"), (Fan.BEST, Gather.ALL))
        self.fan.addItem(self.tr("each of them; all results"), (Fan.EACH, Gather.ALL))
        self.fan.addItem(self.tr("each of them; the first result"), (Fan.EACH, Gather.FIRST))
        self.fan.addItem(self.tr("each of them; what most agree on"), (Fan.EACH, Gather.MAJORITY))
        self.fan.addItem(self.tr("each of them; results merged"), (Fan.EACH, Gather.MERGED))
        self.fan.setAccessibleName(self.tr("Goes to"))
        self.input = QPlainTextEdit()
        self.input.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.input.setAccessibleName(self.tr("Input"))
        self.input.setPlaceholderText(self.tr('JSON, such as {"url": "https://example.org"}'))
        self.input.setTabChangesFocus(True)
        self.minutes = _number(self.tr("Deadline"), 0, _MOST_MINUTES, 0, self.tr(" min"), self.tr("none"))
        self.attempts = _number(self.tr("Attempts"), 1, MOST_ATTEMPTS, 1)
        self.idempotent = QCheckBox(self.tr("May be done t&wice"))
        self.idempotent.setToolTip(self.tr("It is sent again where nobody knows whether it was sent"))
        self._wrong = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._wrong.setProperty("tone", "error")
        self._wrong.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.strangers = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.strangers.setProperty("tone", "warning")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.give = self.buttons.addButton(self.tr("&Give"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._lay_out()
        self._changed()

    @property
    def order(self) -> TaskOrder:
        """As it stands in the fields."""
        fan, gather = self.fan.currentData()
        minutes = self.minutes.value()
        to = tuple(dict.fromkeys(filter(None, (one.strip() for one in self.to.text().split(",")))))
        return TaskOrder(
            self._id, self.type.currentText().strip(), self.input.toPlainText().strip() or "null", to, "", fan, gather,
            self._clock.wall_us() + minutes * _MINUTE_US if minutes else 0, self.attempts.value(),
            idempotent=self.idempotent.isChecked(),
        )  # fmt: skip

    @Slot()
    def save(self) -> None:
        """Have it stored; it is said here where that cannot be."""
        order = self.order
        try:
            refuse_nonsense(order, self._clock.wall_us())
        except EnvironmentProblem as error:
            self._tell(error.problem)
            return
        self.give.setEnabled(False)
        self._submit(order, self._told)

    def _told(self, problem: Problem | None) -> None:
        if problem is None:
            self.accept()
        else:
            self._tell(problem)

    def _tell(self, problem: Problem) -> None:
        sentence, remedy = problem_text(problem)
        self._wrong.setText(f"{sentence} {remedy}".strip())
        self._wrong.show()
        self.give.setEnabled(True)
        self.adjustSize()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.addRow(self.tr("&Type"), self.type)
        form.addRow(self.tr("&Agents"), self.to)
        form.addRow("", self.strangers)
        form.addRow(self.tr("G&oes to"), self.fan)
        form.addRow(self.tr("&Input"), self.input)
        form.addRow(self.tr("&Deadline"), self.minutes)
        form.addRow(self.tr("Atte&mpts"), self.attempts)
        form.addRow("", self.idempotent)
        form.addRow(self._wrong)
        form.addRow(self.buttons)
        self._wrong.hide()
        self.buttons.accepted.connect(self.save)
        self.buttons.rejected.connect(self.reject)
        self.type.currentTextChanged.connect(self._changed)
        self.input.textChanged.connect(self._changed)
        self.to.editingFinished.connect(self._changed)
        keys = QShortcut(QKeySequence("Ctrl+Return"), self, self.save)
        self.give.setToolTip(keys.key().toString(QKeySequence.SequenceFormat.NativeText))
        self.resize(520, self.sizeHint().height())

    @Slot()
    def _changed(self) -> None:
        unknown = ", ".join(visible(one, 60) for one in self.order.to if one not in self._agents)
        said = self.tr(
            "Nobody called {names} was heard of so far. The task is sent all the same, and may reach nobody."
        )
        self.strangers.setText(said.replace("{names}", unknown))
        self.strangers.setVisible(bool(unknown))
        text = self.input.toPlainText().strip()
        try:
            json.loads(text or "null")
            wrong = ""
        except ValueError as error:
            wrong = self.tr("The input is no JSON: {detail}").replace("{detail}", str(error))
        self._wrong.setText(wrong)
        self._wrong.setVisible(bool(wrong))
        self.give.setEnabled(bool(self.type.currentText().strip()) and not wrong)

    @staticmethod
    def _line(box: QComboBox, name: str, example: str) -> None:
        box.setAccessibleName(name)
        line = box.lineEdit()
        assert line is not None
        line.setPlaceholderText(example)


def _number(name: str, least: int, most: int, value: int, unit: str = "", zero: str = "") -> QSpinBox:
    box = QSpinBox(minimum=least, maximum=most, value=value, suffix=unit)
    box.setSpecialValueText(zero)
    box.setAccessibleName(name)
    return box
