"""All actions with their keys in one list, found by typing."""

from PySide6.QtCore import QSortFilterProxyModel, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout, QWidget

from widgets.common.actions import ActionRegistry
from widgets.common.tables import TableView


class ShortcutsWindow(QDialog):
    """A snapshot of the registry; not modal. Enter or a double click runs the action."""

    def __init__(self, actions: ActionRegistry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 620)
        self._entries = actions.entries()
        model = QStandardItemModel(0, 3, self)
        model.setHorizontalHeaderLabels([self.tr("Action"), self.tr("Keys"), self.tr("Menu")])
        for entry in self._entries:
            model.appendRow([QStandardItem(text) for text in (entry.text, entry.shortcut, entry.menu)])
        self._found = QSortFilterProxyModel(self)
        self._found.setSourceModel(model)
        self._found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._found.setFilterKeyColumn(-1)
        self._filter = QLineEdit()
        self._filter.setPlaceholderText(self.tr("Find an action"))
        self._filter.setAccessibleName(self.tr("Find an action"))
        self._filter.setClearButtonEnabled(True)
        self._table = TableView(self.tr("Keyboard shortcuts"))
        self._table.start_with(self._found, (300, 130, 60))
        column = QVBoxLayout(self)
        column.addWidget(self._filter)
        column.addWidget(self._table)
        self._filter.textChanged.connect(self._found.setFilterFixedString)
        self._table.activated.connect(lambda index: self._run(index.row()))
        self._filter.returnPressed.connect(lambda: self._run(0))

    def _run(self, row: int) -> None:
        if row >= self._found.rowCount():
            return
        entry = self._entries[self._found.mapToSource(self._found.index(row, 0)).row()]
        self.close()
        entry.action.trigger()
