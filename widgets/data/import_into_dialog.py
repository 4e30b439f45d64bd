"""Which workspace shall take in what is looked at, how far it is, and what came of it."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from models.domain.problems import Problem
from widgets.common.plain import visible
from widgets.common.words import problem_text

WIDTH = 460


class Target(NamedTuple):
    """A workspace that may take it in; `text` is visible and says which it is."""

    root: str
    text: str


class ImportIntoDialog(QDialog):
    """Asks by its signals, is told by `show_…`. GUI thread."""

    import_wanted = Signal(str)
    """Into the workspace of this folder."""
    cancel_wanted = Signal()
    open_wanted = Signal(str)
    """Show the workspace of this folder."""

    def __init__(self, source: str, targets: Sequence[Target], parent: QWidget | None = None) -> None:
        """`source` names what is looked at."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import into a workspace"))
        self.setMinimumWidth(WIDTH)
        said = self.tr(
            "What is new in {source} comes in beside what the workspace holds: history, gaps, and the names and notes given to"
            " agents where it has none. What is held already is not brought again. All of it or nothing."
        )
        explained = _plain(said.replace("{source}", visible(source, 80)))
        label = QLabel(self.tr("&Into"))
        self.target = QComboBox()
        self.target.setAccessibleName(self.tr("The workspace that takes it in"))
        for one in targets:
            self.target.addItem(one.text, one.root)
            self.target.setItemData(self.target.count() - 1, visible(one.root), Qt.ItemDataRole.ToolTipRole)
        label.setBuddy(self.target)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(self.tr("How far it is"))
        self.told = _plain("")
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QDialogButtonBox()
        self.start = QPushButton(self.tr("&Import"))
        self.show_it = QPushButton(self.tr("&Open this workspace"))
        self.end = QPushButton(self.tr("Cancel"))
        buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.show_it, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.end, QDialogButtonBox.ButtonRole.RejectRole)
        self.start.setDefault(True)
        self.start.clicked.connect(self._start)
        self.show_it.clicked.connect(lambda: self.open_wanted.emit(self.root))
        self.end.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        for widget in (explained, label, self.target, self.bar, self.told):
            column.addWidget(widget, 0)
        column.addStretch(1)
        column.addWidget(buttons)
        self._running = False
        self._settle("")
        self.show_it.hide()
        self.start.setFocus()

    @property
    def root(self) -> str:
        """The chosen workspace."""
        return str(self.target.currentData())

    def show_progress(self, done: int, total: int, text: str) -> None:
        """How far it is, and what one says of that."""
        self.bar.setRange(0, 1_000 if total else 0)
        self.bar.setValue(1_000 * done // total if total else 0)
        self.told.setText(text)

    def show_result(self, text: str) -> None:
        """It is done; what came of it."""
        self._settle(text)
        self.start.hide()
        self.show_it.show()
        self.show_it.setDefault(True)
        self.show_it.setFocus()
        self.end.setText(self.tr("Close"))

    def show_problem(self, problem: Problem | None) -> None:
        """It failed; None: it was cancelled. It may be tried again."""
        self._settle(
            " ".join(filter(None, problem_text(problem))) if problem else self.tr("Cancelled; nothing was imported.")
        )

    @Slot()
    def reject(self) -> None:
        """Escape, Cancel and Close: first what runs is cancelled."""
        if self._running:
            self.end.setEnabled(False)
            self.cancel_wanted.emit()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._running:
            event.ignore()
            self.reject()
        else:
            super().closeEvent(event)

    @Slot()
    def _start(self) -> None:
        self._running = True
        self.start.setEnabled(False)
        self.target.setEnabled(False)
        self.end.setText(self.tr("Cancel"))
        self.bar.show()
        self.show_progress(0, 0, self.tr("It is read…"))
        self.told.show()
        self._grow()
        self.import_wanted.emit(self.root)

    def _settle(self, text: str) -> None:
        self._running = False
        self.start.setEnabled(True)
        self.target.setEnabled(True)
        self.end.setEnabled(True)
        self.bar.hide()
        self.told.setText(text)
        self.told.setVisible(bool(text))
        self._grow()

    def _grow(self) -> None:
        """Texts that wrap tell a layout too late how high they are."""
        layout = self.layout()
        assert layout is not None
        self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))


def _plain(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
