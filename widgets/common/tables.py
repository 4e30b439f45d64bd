"""The table every list starts from: quiet look, columns that people arrange, rows that can be copied."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QAbstractItemModel, QByteArray, QPoint, Qt, Slot
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

ROW_HEIGHT = 26
_TITLE_MARGIN = 12
"""What the style sheet leaves free at both sides of a title."""


class TableView(QTableView):
    """Rows are selected whole; Ctrl+C copies them as tab-separated text, Ctrl+Shift+C with the headers; typing jumps to a
    row. The header's menu shows, hides and resets columns, dragging reorders them.

    Selection and scroll stay as long as the item model does not reset: models tell of changed, inserted and removed rows.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """`name` is the accessible name, translated."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self._first_state: QByteArray | None = None
        self._widths: Sequence[int] = ()
        self._growing: Sequence[int] = ()
        self._as_fitted: list[tuple[int, bool, int]] = []
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)  # Tab leaves the table
        # scrolled by moving the picture and painting what came into sight; else all rows are painted anew, at every step
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(max(ROW_HEIGHT, self.fontMetrics().height() + 9))
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_header_menu)

    def start_with(
        self,
        model: QAbstractItemModel,
        widths: Sequence[int] = (),
        hidden: Sequence[int] = (),
        growing: Sequence[int] = (),
    ) -> None:
        """Show this model with these column widths (pixels; more where a title needs more), these columns hidden; "Reset
        columns" comes back to it. The `growing` columns share what room is left, until somebody arranges the columns."""
        self.setModel(model)
        widths = [max(width, self._title_width(column)) for column, width in enumerate(widths)]
        for column, width in enumerate(widths):
            self.setColumnWidth(column, width)
        for column in range(model.columnCount()):
            self.setColumnHidden(column, column in hidden)
        self._first_state = self.horizontalHeader().saveState()
        self._widths, self._growing, self._as_fitted = widths, growing, self._arrangement()

    @property
    def arranged(self) -> bool:
        """Has somebody changed widths, order or visibility of the columns?"""
        return self._arrangement() != self._as_fitted

    def save_columns(self) -> str:
        """Widths, order and visibility of the columns as text for settings."""
        header = self.horizontalHeader()
        return f"{header.count()}:{bytes(header.saveState().toBase64().data()).decode('ascii')}"

    def restore_columns(self, saved: str) -> bool:
        """Take saved columns up again; False (and nothing changed) where they do not fit this table."""
        header, before = self.horizontalHeader(), self.horizontalHeader().saveState()
        count, _, state = saved.partition(":")
        if count != str(header.count()):  # the table has other columns today
            return False
        if header.restoreState(QByteArray.fromBase64(state.encode("ascii", "replace"))) and self._any_column_shown():
            return True
        header.restoreState(before)
        return False

    @Slot()
    def reset_columns(self) -> None:
        if self._first_state is not None:
            self.horizontalHeader().restoreState(self._first_state)
            self._as_fitted = self._arrangement()
            self._fit_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._growing and not self.arranged:
            self._fit_columns()

    def header_menu(self) -> QMenu:
        """The menu of the header: one tick per column, then reset."""
        menu = QMenu(self)
        self.fill_header_menu(menu)
        return menu

    def fill_header_menu(self, menu: QMenu) -> None:
        """Put the entries of `header_menu` into another menu."""
        header, model = self.horizontalHeader(), self.model()
        for place in range(header.count() if model else 0):
            column = header.logicalIndex(place)
            title = str(model.headerData(column, Qt.Orientation.Horizontal) or "")
            action = QAction(title.replace("&", "&&"), menu)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(column))
            action.setEnabled(self.isColumnHidden(column) or header.count() - header.hiddenSectionCount() > 1)
            action.toggled.connect(lambda shown, which=column: self.setColumnHidden(which, not shown))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction(self.tr("Reset columns"), self.reset_columns)

    def selection_as_text(self, with_headers: bool = False) -> str:
        """The selected rows as shown, columns in their order on screen, separated by tabs and line ends."""
        header, model = self.horizontalHeader(), self.model()
        columns = [
            column for place in range(header.count()) if not self.isColumnHidden(column := header.logicalIndex(place))
        ]
        lines = []
        if with_headers:
            lines.append([model.headerData(column, Qt.Orientation.Horizontal) for column in columns])
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        lines += [[model.index(row, column).data() for column in columns] for row in rows]
        return "\n".join("\t".join(_cell(value) for value in line) for line in lines)

    def copy(self, with_headers: bool = False) -> None:
        """Put the selected rows on the clipboard; does nothing where none is."""
        if self.selectionModel() is not None and self.selectionModel().hasSelection():
            QGuiApplication.clipboard().setText(self.selection_as_text(with_headers))

    def add_copy(self, menu: QMenu) -> None:
        """The two ways to copy, as entries of a context menu."""
        for text, with_headers in ((self.tr("Copy"), False), (self.tr("Copy with headers"), True)):
            action = menu.addAction(text, partial(self.copy, with_headers))
            action.setShortcut(QKeySequence("Ctrl+Shift+C" if with_headers else "Ctrl+C"))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # shown, and no rival of the one in Edit
            action.setEnabled(self.selectionModel() is not None and self.selectionModel().hasSelection())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Where a screen has no menu of its own for the rows."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.add_copy(menu)
        menu.popup(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:  # an open one would take the process down
            painter.fillRect(event.rect(), self.palette().color(QPalette.ColorRole.Base))
        super().paintEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif QKeySequence(event.keyCombination()) == QKeySequence("Ctrl+Shift+C"):
            self.copy(with_headers=True)
        else:
            super().keyPressEvent(event)

    def _fit_columns(self) -> None:
        """From the first widths, share out what the columns leave free."""
        header = self.horizontalHeader()
        for column in self._growing:
            self.setColumnWidth(column, self._widths[column])
        for place, column in enumerate(self._growing):
            share = (self.viewport().width() - header.length()) // (len(self._growing) - place)
            if share > 0:
                self.setColumnWidth(column, self._widths[column] + share)
        self._as_fitted = self._arrangement()

    def _title_width(self, column: int) -> int:
        header = self.horizontalHeader()
        header.ensurePolished()  # its font is known from then on
        title = str(self.model().headerData(column, Qt.Orientation.Horizontal) or "")
        return header.fontMetrics().horizontalAdvance(title) + _TITLE_MARGIN

    def _arrangement(self) -> list[tuple[int, bool, int]]:
        header = self.horizontalHeader()
        return [
            (header.visualIndex(column), header.isSectionHidden(column), header.sectionSize(column))
            for column in range(header.count())
        ]

    def _any_column_shown(self) -> bool:
        header = self.horizontalHeader()
        return header.count() > header.hiddenSectionCount()

    @Slot(QPoint)
    def _open_header_menu(self, where: QPoint) -> None:
        menu = self.header_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.horizontalHeader().mapToGlobal(where))


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("\t", " ").replace("\r", " ").replace("\n", " ")


def column_title(titles: Sequence[str], section: int, orientation: Qt.Orientation, role: int) -> str | None:
    """What `headerData` answers for columns that are nothing but their titles."""
    if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
        return titles[section]
    return None
