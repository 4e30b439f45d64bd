"""What the Edit menu does with whatever has the focus: tables, plots, fields, texts."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLabel, QWidget

from widgets.common.actions import ActionRegistry
from widgets.common.tables import TableView


class EditActions(QObject):
    """Registers its actions in Edit. Each part of the window does them in its own way, by `copy` and `selectAll`."""

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(parent)
        add, tr = actions.add, self.tr
        add("edit.copy", tr("&Copy"), self._copy, "Ctrl+C", "copy", "Edit",
            tip=tr("Copy the selected rows, the plot or the text that has the focus"))  # fmt: skip
        add("edit.copy-headers", tr("Copy with &headers"), self._copy_with_headers, "Ctrl+Shift+C", "", "Edit",
            tip=tr("Copy the selected rows with the titles of their columns"))  # fmt: skip
        add("edit.select-all", tr("Select &all"), self._select_all, "Ctrl+A", "", "Edit",
            tip=tr("Select everything in the list or text that has the focus"))  # fmt: skip
        add("edit.context-menu", tr("Co&ntext menu"), self._open_menu, "Shift+F10", "", "Edit",
            tip=tr("Open the menu of the part that has the focus, as the right mouse button does"))  # fmt: skip
        actions.separate("Edit")

    @Slot()
    def _copy(self) -> None:
        focused = QApplication.focusWidget()
        if isinstance(focused, QLabel):
            QGuiApplication.clipboard().setText(focused.selectedText())
        elif (copy := getattr(focused, "copy", None)) is not None:
            copy()

    @Slot()
    def _copy_with_headers(self) -> None:
        focused = QApplication.focusWidget()
        if isinstance(focused, TableView):
            focused.copy(with_headers=True)
        else:
            self._copy()

    @Slot()
    def _select_all(self) -> None:
        if (select := getattr(QApplication.focusWidget(), "selectAll", None)) is not None:
            select()

    @Slot()
    def _open_menu(self) -> None:
        focused: QWidget | None = QApplication.focusWidget()
        if focused is None:
            return
        where, painted = focused.rect().center(), focused
        if isinstance(focused, QAbstractItemView):
            painted = focused.viewport()
            row = focused.visualRect(focused.currentIndex())
            where = row.center() if row.isValid() else painted.rect().center()
        event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, where, painted.mapToGlobal(where))
        QApplication.sendEvent(focused, event)
