"""The look of a list of stored rows: a row of filters, a table or the reason why it is empty, and what one does with a row."""

from functools import partial
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QEvent, QItemSelection, QModelIndex, QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from widgets.common.state_view import StateStack
from widgets.common.tables import TableView
from widgets.frame.screen_context import ScreenContext
from widgets.records.paged_model import PagedModel

TIME_PIXELS, DATED_PIXELS = 110, 182


class RecordTable(QWidget):
    """Filters go into `filters` from the left; `hint` and `new_button` stand at its right, hidden at first. GUI thread."""

    opened = Signal(object)
    """A row was double-clicked or Enter was pressed on it."""
    chosen = Signal(object)
    """The row at hand is another one."""
    menu_wanted = Signal(object, object)
    """A context menu (QMenu) is about to open on a row: add to it what can be done there."""

    def __init__(self, name: str, model: PagedModel, context: ScreenContext) -> None:
        """`name` is the accessible name of the table, translated."""
        super().__init__()
        self.model = model
        self._range, self._cursor = context.times, context.cursor
        self.table = TableView(name)
        self.table.setModel(model)
        self.table.setMouseTracking(True)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.stack = StateStack(self.table, context.themes)
        self._build()
        self.table.activated.connect(self._open)
        self.table.entered.connect(self._point)
        self.table.viewport().installEventFilter(self)
        self.table.customContextMenuRequested.connect(self._open_menu)
        # not the current row: a table that gets the focus has one without anybody having chosen it
        self.table.selectionModel().selectionChanged.connect(self._choose)

    def _build(self) -> None:
        self.new_button = QPushButton()
        self.new_button.setAutoDefault(False)
        self.new_button.hide()
        self.hint = QLabel()
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        self.hint.setProperty("tone", "muted")
        self.hint.hide()
        self.filters = QHBoxLayout()
        self.filters.setContentsMargins(8, 4, 8, 4)
        self.filters.addStretch(1)
        self.filters.addWidget(self.hint)
        self.filters.addWidget(self.new_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self.filters)
        column.addWidget(self.stack, 1)

    def add_filters(self, *widgets: QWidget, stretch: int = 0) -> None:
        """From the left; the last one gets `stretch`. Tab goes through them and on into the table."""
        for place, widget in enumerate(widgets):
            self.filters.insertWidget(place, widget, stretch if widget is widgets[-1] else 0)
        for before, after in pairwise([*widgets, self.table]):
            self.setTabOrder(before, after)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down goes on from a filter into the table."""
        typing = isinstance(self.focusWidget(), QLineEdit) and not self.table.hasFocus()
        if event.key() == Qt.Key.Key_Down and typing and self.model.rowCount():
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
            if not self.selected:
                self.table.selectRow(max(0, self.table.currentIndex().row()))
        else:
            super().keyPressEvent(event)

    @property
    def at_top(self) -> bool:
        return self.table.verticalScrollBar().value() <= self.table.verticalScrollBar().minimum()

    @Slot(QModelIndex)
    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.model.rows[index.row()])

    @Slot(QItemSelection, QItemSelection)
    def _choose(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        indexes = selected.indexes()
        if not indexes and not deselected.isEmpty():  # fewer are selected than were
            left = self.table.selectionModel().selectedRows()
            indexes = left if len(left) == 1 else []
        if indexes:
            self.chosen.emit(self.model.rows[indexes[-1].row()])

    @property
    def selected(self) -> list[Any]:
        """The selected rows, newest first."""
        return [self.model.rows[row] for row in sorted(i.row() for i in self.table.selectionModel().selectedRows())]

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        index = self.table.currentIndex()
        if not index.isValid() or not self.selected:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Open"), partial(self._open, index))
        self.table.add_copy(menu)
        self.menu_wanted.emit(menu, self.model.rows[index.row()])
        menu.popup(self.table.viewport().mapToGlobal(where))

    @Slot(QModelIndex)
    def _point(self, index: QModelIndex) -> None:
        self._cursor.move(self.model.time_of(self.model.rows[index.row()]))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The pointer leaves the rows, and the moment that it pointed to."""
        if event.type() == QEvent.Type.Leave:
            self._cursor.move(None)
        return super().eventFilter(watched, event)

    def _fit_times(self) -> None:
        """Paused, times bear their date."""
        self.table.setColumnWidth(0, TIME_PIXELS if self._range.live else DATED_PIXELS)
