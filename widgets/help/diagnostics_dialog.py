"""What a diagnostics file would hold, text by text, before it is saved."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from models.domain.problems import Problem
from widgets.common.numbers import value_text
from widgets.common.state_view import StateStack, failed
from widgets.common.theme import ThemeHolder

_LIST = 210


class DiagnosticsDialog(QDialog):
    """Not modal. Begins with loading; `show_files` or `show_problem` ends that. `names_wanted(bool)` asks for other texts,
    `save_requested` for a file of what is shown, `closed` says that nobody waits any more."""

    names_wanted = Signal(bool)
    save_requested = Signal()
    closed = Signal()

    def __init__(self, themes: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Diagnostics"))
        self.resize(920, 620)
        self._files: dict[str, str] = {}
        said = QLabel(self.tr("Read what goes into the file. Nothing is sent anywhere: you decide who gets it."))
        said.setTextFormat(Qt.TextFormat.PlainText)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Parts of the file"))
        self.list.setProperty("role", "contents")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName(self.tr("Text of the part"))
        halves = QSplitter()
        halves.setChildrenCollapsible(False)
        halves.addWidget(self.list)
        halves.addWidget(self.text)
        halves.setStretchFactor(1, 1)
        halves.setSizes([_LIST, self.width() - _LIST])
        self._stack = StateStack(halves, themes)
        self.names = QCheckBox(self.tr("With the &names of agents, their computers and topics"))
        self.save = QPushButton(self.tr("&Save…"))
        self.save.setDefault(True)
        self._copy = QPushButton(self.tr("&Copy this text"))
        self._copy.setAutoDefault(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self._copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self._note = QLabel()
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setWordWrap(True)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._note.hide()
        column = QVBoxLayout(self)
        column.setSpacing(8)
        for widget in (said, self._stack, self.names, self._note, buttons):
            column.addWidget(widget, 1 if widget is self._stack else 0)
        self.list.currentTextChanged.connect(self._show_text)
        self.list.currentRowChanged.connect(self._show_text)
        self.names.toggled.connect(self.names_wanted)
        self.save.clicked.connect(self.save_requested)
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        buttons.rejected.connect(self.reject)
        self.finished.connect(self.closed)
        self._allow(ready=False)

    @property
    def files(self) -> dict[str, str]:
        """What is shown, by name."""
        return self._files

    def show_files(self, files: Mapping[str, str]) -> None:
        """The texts, in this order; the part that was being read stays chosen."""
        row = max(0, self.list.currentRow())
        self._files = dict(files)
        self.list.clear()
        for name, text in self._files.items():
            item = QListWidgetItem(f"{name}  {value_text(len(text.encode()), 'By')}")
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.list.addItem(item)
        self.list.setCurrentRow(min(row, self.list.count() - 1))
        self._stack.show_content()
        self._allow(ready=True)
        self.say("")

    def show_problem(self, problem: Problem) -> None:
        """Nothing could be gathered."""
        self._stack.show_state(failed(problem))

    def say(self, text: str, tone: str = "muted") -> None:
        """A line above the buttons: how saving went. Translated."""
        self._note.setText(text)
        self._note.setVisible(bool(text))
        self._note.setProperty("tone", tone)
        self._note.style().polish(self._note)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()

    @Slot()
    def _show_text(self) -> None:
        item = self.list.currentItem()
        self.text.setPlainText(self._files.get(item.data(Qt.ItemDataRole.UserRole), "") if item is not None else "")

    def _allow(self, *, ready: bool) -> None:
        for widget in (self.names, self.save, self._copy):
            widget.setEnabled(ready)
