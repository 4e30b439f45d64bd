"""What the View menu has for annotations."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from widgets.common.actions import ActionRegistry

if TYPE_CHECKING:  # loaded after the first paint
    from app.window.notes_controller import NotesController


class NotesMenu(QObject):
    """Registers its actions at once; they are enabled when there is history. GUI thread."""

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(parent)
        self._notes: NotesController | None = None
        tr = self.tr
        actions.separate("View")
        self._actions = (
            actions.add("view.annotate", tr("Annotate t&his moment…"), self._annotate, "F8",
                tip=tr("Write something down for the moment where the window stands, else for now")),
            actions.add("view.annotations", tr("Annotat&ions…"), self._open, "Shift+F8",
                tip=tr("All that was written down on moments and stretches of time")),
        )  # fmt: skip
        for action in self._actions:
            action.setEnabled(False)

    def attach(self, notes: "NotesController") -> None:
        """There is history."""
        self._notes = notes
        for action in self._actions:
            action.setEnabled(True)

    @Slot()
    def _annotate(self) -> None:
        if self._notes is not None:
            self._notes.annotate()

    @Slot()
    def _open(self) -> None:
        if self._notes is not None:
            self._notes.open()
