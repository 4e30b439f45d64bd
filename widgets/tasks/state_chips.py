"""How many tasks are in which state, and which of them are listed."""

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from models.domain.records import TaskState
from widgets.common.numbers import count_text
from widgets.common.theme import ThemeHolder
from widgets.common.words import task_word
from widgets.records.task_list import LOOKS

ORDER = (
    TaskState.FAILED, TaskState.REJECTED, TaskState.UNKNOWN, TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED,
    TaskState.SUBMITTED, TaskState.WORKING, TaskState.COMPLETED, TaskState.CANCELED,
)  # fmt: skip
"""What needs somebody first."""


class StateChips(QWidget):
    """Several may be chosen; none: all. States without a task are not there, unless chosen. GUI thread."""

    changed = Signal()

    def __init__(self, themes: ThemeHolder) -> None:
        super().__init__()
        self._themes = themes
        self.buttons: dict[TaskState, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for state in ORDER:
            button = QPushButton(autoDefault=False)
            button.setCheckable(True)
            button.setToolTip(self.tr("List only these"))
            button.toggled.connect(self.changed)
            self.buttons[state] = button
            row.addWidget(button)
        themes.changed.connect(self._tint)
        self._tint()
        self.show_counts({})

    @property
    def chosen(self) -> frozenset[TaskState]:
        return frozenset(state for state, button in self.buttons.items() if button.isChecked())

    def clear(self) -> None:
        """Choose none."""
        for button in self.buttons.values():
            button.setChecked(False)

    def show_counts(self, counts: Mapping[TaskState, int]) -> None:
        """How many there are of each."""
        for state, button in self.buttons.items():
            count = counts.get(state, 0)
            button.setText(f"{task_word(state)} {count_text(count)}")
            button.setVisible(bool(count) or button.isChecked())

    def _tint(self) -> None:
        for state, button in self.buttons.items():
            button.setIcon(self._themes.icons.icon(*LOOKS.get(state, ("clock", "muted"))))
