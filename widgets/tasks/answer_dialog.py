"""Asks for what the agent of a task wants to know; stays open until the agent was told."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from models.domain.problems import Problem
from widgets.common.words import problem_text

Tell = Callable[[str, Callable[[Problem | None], None]], object]


class AnswerDialog(QDialog):
    """`tell` gets the text as it was typed. GUI thread."""

    def __init__(self, question: str, tell: Tell, parent: QWidget | None = None) -> None:
        """`question`: for people; empty: the agent said none."""
        super().__init__(parent)
        self._tell_on = tell
        self.setWindowTitle(self.tr("Answer a task"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asked = QLabel(
            question or self.tr("Its agent asks for input."), wordWrap=True, textFormat=Qt.TextFormat.PlainText
        )
        asked.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text = QPlainTextEdit()
        self.text.setAccessibleName(self.tr("Answer"))
        self.text.setPlaceholderText(self.tr("A text, or JSON"))
        self.text.setTabChangesFocus(True)
        self.wrong = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.wrong.setProperty("tone", "error")
        self.wrong.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.give = buttons.addButton(self.tr("&Answer"), QDialogButtonBox.ButtonRole.AcceptRole)
        column = QVBoxLayout(self)
        for part in (asked, self.text, self.wrong, buttons):
            column.addWidget(part)
        buttons.accepted.connect(self.save)
        buttons.rejected.connect(self.reject)
        keys = QShortcut(QKeySequence("Ctrl+Return"), self, self.save)
        self.give.setToolTip(keys.key().toString(QKeySequence.SequenceFormat.NativeText))
        self.text.setFocus()
        self.resize(460, 240)

    @Slot()
    def save(self) -> None:
        """Have the agent told; it is said here where that cannot be."""
        if self.give.isEnabled():
            self.give.setEnabled(False)
            self._tell_on(self.text.toPlainText(), self._told)

    def _told(self, problem: Problem | None) -> None:
        if problem is None:
            self.accept()
            return
        sentence, remedy = problem_text(problem)
        self.wrong.setText(f"{sentence} {remedy}".strip())
        self.wrong.show()
        self.give.setEnabled(True)
