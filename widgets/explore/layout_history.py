"""The layout on the screen, and the way back to every one before it."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from models.domain.layouts.layout import EMPTY, Layout

MOST_STEPS = 200


class LayoutHistory(QObject):
    """Changes go through `change`; `changed` tells of each, forth and back. GUI thread."""

    changed = Signal()
    steps_changed = Signal()
    """What can be taken back or made again, or whether all of it is saved, is another."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layout: Layout = EMPTY
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(MOST_STEPS)
        # through a signal of our own: the stack tells of its last change while all around it is taken apart
        self.stack.indexChanged.connect(self.steps_changed)
        self.stack.cleanChanged.connect(self.steps_changed)

    def change(self, text: str, layout: Layout, *, merge: str = "") -> None:
        """From now on this one. `text` says what was done, in words for the menu. Steps that follow each other with the same
        `merge` are one."""
        if layout != self.layout:
            self.stack.push(_Change(self, text, self.layout, layout, merge))

    def begin(self, layout: Layout) -> None:
        """Begin with this one: there is nothing before it."""
        self.stack.clear()
        self.take(layout)

    def take(self, layout: Layout) -> None:
        """For the steps of the stack."""
        if layout != self.layout:
            self.layout = layout
            self.changed.emit()


class _Change(QUndoCommand):
    def __init__(self, history: LayoutHistory, text: str, before: Layout, after: Layout, merge: str) -> None:
        super().__init__(text)
        self._history, self._before, self.after, self.merge = history, before, after, merge

    def redo(self) -> None:
        self._history.take(self.after)

    def undo(self) -> None:
        self._history.take(self._before)

    def id(self) -> int:
        return hash(self.merge) % 1_000_000_007 if self.merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Change) or other.merge != self.merge:
            return False
        self.after = other.after
        return True
