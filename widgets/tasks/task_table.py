"""The list of tasks."""

import math
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QModelIndex, Qt, Slot
from PySide6.QtGui import QCursor, QKeyEvent

from models.domain.quantity import MISSING, format_time
from models.domain.task_queries import TaskItem
from widgets.common.numbers import duration_text, value_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.theme import ThemeHolder
from widgets.common.words import task_word
from widgets.records.task_list import LOOKS
from widgets.tasks.task_texts import state_note
from widgets.tasks.task_tree import TaskTree, key_of

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
_WIDTHS = (158, 146, 124, 116, 120, 88, 88, 66, 72, 254, 120)
_HIDDEN = (4, 10)
_TYPE = 2


def task_table(name: str, themes: ThemeHolder) -> SortedTable[TaskItem]:
    """`name`: the accessible name, translated."""
    columns = _columns(themes, lambda one: visible(one.type))
    return SortedTable(name, columns, _WIDTHS, key_of, (9,), _HIDDEN)


class TaskTable(SortedTable[TaskItem]):
    """The same, that can also list parts under their wholes: Left and Right, or a click on the triangle, fold them. GUI thread."""

    def __init__(self, name: str, themes: ThemeHolder) -> None:
        super().__init__(name, _columns(themes, self._type), _WIDTHS, key_of, (9,), _HIDDEN)
        self.tree: TaskTree | None = None
        self.clicked.connect(self._clicked)

    def set_tree(self, on: bool) -> None:
        """Parts under their wholes, or all alike."""
        self.tree = TaskTree() if on else None
        self.records.nest = self.tree.arrange if self.tree is not None else None
        self.arrange_again()

    def _type(self, item: TaskItem) -> str:
        tree, text = self.tree, visible(item.type)
        if tree is None:
            return text
        key = key_of(item)
        mark = "" if key not in tree.parts else "▸ " if key in tree.folded else "▾ "
        return "    " * tree.depth.get(key, 0) + mark + text

    def _fold(self, item: TaskItem, folded: bool) -> bool:
        """False: there is nothing to be folded so."""
        tree, key = self.tree, key_of(item)
        if tree is None or key not in tree.parts or (key in tree.folded) == folded:
            return False
        tree.folded ^= {key}
        self.arrange_again()
        return True

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        if self.tree is None or index.column() != _TYPE:
            return
        item = self.records.rows[index.row()]
        indent = self.fontMetrics().horizontalAdvance("    " * self.tree.depth.get(key_of(item), 0) + "▾ ") + 8
        if self.viewport().mapFromGlobal(QCursor.pos()).x() - self.visualRect(index).left() <= indent:
            self._fold(item, key_of(item) not in self.tree.folded)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        at_hand = self.currentIndex()
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and at_hand.isValid() and not event.modifiers():
            item = self.records.rows[at_hand.row()]
            if self._fold(item, event.key() == Qt.Key.Key_Left):
                return
        super().keyPressEvent(event)


def _columns(themes: ThemeHolder, type_text: Callable[[TaskItem], str]) -> list[Column[TaskItem]]:
    tr = translate
    return [
        Column(tr("TaskTable", "Submitted"), lambda one: format_time(_begun(one)) if _begun(one) else MISSING, _begun),
        Column(
            tr("TaskTable", "State"), lambda one: task_word(one.state), lambda one: one.state,
            tip=lambda one: tooltip_text(state_note(one)),
            icon=lambda one: themes.icons.icon(*LOOKS.get(one.state, ("clock", "muted"))),
        ),
        Column(tr("TaskTable", "Type"), type_text, lambda one: one.type.casefold()),
        Column(tr("TaskTable", "Agent"), lambda one: visible(one.agent)),
        Column(tr("TaskTable", "Requester"), lambda one: visible(one.requester) if one.requester or not one.given else tr("TaskTable", "from here")),
        Column(tr("TaskTable", "Waited"), lambda one: _span(one.wait_us), lambda one: _key(one.wait_us), number=True),
        Column(tr("TaskTable", "Ran"), lambda one: _span(one.run_us), lambda one: _key(one.run_us), number=True),
        Column(tr("TaskTable", "Attempt"), _attempt, lambda one: one.attempt, number=True),
        Column(
            tr("TaskTable", "Progress"), lambda one: MISSING if math.isnan(one.progress) else value_text(one.progress, "1"),
            lambda one: -1.0 if math.isnan(one.progress) else one.progress, number=True,
        ),
        Column(
            tr("TaskTable", "Result or reason"), lambda one: visible(state_note(one) or one.result, 200),
            tip=lambda one: tooltip_text(state_note(one) or one.result),
        ),
        Column(tr("TaskTable", "Task"), lambda one: visible(one.task)),
    ]  # fmt: skip


def _begun(item: TaskItem) -> int:
    return item.submitted_us or item.started_us or item.ended_us


def _span(us: int | None) -> str:
    return MISSING if us is None else duration_text(us)


def _key(us: int | None) -> int:
    return -1 if us is None else us


def _attempt(item: TaskItem) -> str:
    if not item.attempt and (item.parts or not item.given):
        return MISSING
    return f"{item.attempt} / {item.attempts}" if item.attempts > 1 else str(item.attempt)
