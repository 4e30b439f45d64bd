"""A table of plain rows that its header sorts: for lists that come whole, and are small enough to be sorted here."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QIcon

from widgets.common.tables import TableView

Index = QModelIndex | QPersistentModelIndex
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """`text` is shown, `key` sorts (None: by the text, without case), `number` aligns at the right. What `tip` answers must
    have gone through `plain.tooltip_text`."""

    title: str
    text: Callable[[Row], str]
    key: Callable[[Row], Any] | None = None
    number: bool = False
    tip: Callable[[Row], str] | None = None
    icon: Callable[[Row], QIcon] | None = None


class SortedModel(QAbstractTableModel, Generic[Row]):
    """Rows in the order that was last asked for; before, as they came."""

    def __init__(self, columns: Sequence[Column[Row]]) -> None:
        super().__init__()
        self._columns = columns
        self.came: list[Row] = []
        """In the order in which they came."""
        self._by: tuple[int, Qt.SortOrder] = (-1, Qt.SortOrder.AscendingOrder)
        self.rows: list[Row] = []
        self.nest: Callable[[list[Row]], list[Row]] | None = None
        """Who arranges the sorted rows further; answers each that is to be listed once."""

    def replace(self, rows: Sequence[Row]) -> None:
        """Show these instead."""
        self.beginResetModel()
        self.came = list(rows)
        self._arrange()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Column -1: as they came."""
        self._by = (column, order)
        self.replace(self.came)

    def _arrange(self) -> None:
        place, order = self._by
        self.rows = list(self.came)
        if 0 <= place < len(self._columns):
            column = self._columns[place]
            key = column.key or (lambda row: column.text(row).casefold())
            self.rows.sort(key=key, reverse=order == Qt.SortOrder.DescendingOrder)
        if self.nest is not None:
            self.rows = self.nest(self.rows)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(self._columns[section].number)
        return self._columns[section].title if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row, column = self.rows[index.row()], self._columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _side(column.number)
            case Qt.ItemDataRole.ToolTipRole:
                return column.tip(row) if column.tip else None
            case Qt.ItemDataRole.DecorationRole:
                return column.icon(row) if column.icon else None
        return None


class SortedTable(TableView, Generic[Row]):
    """`show_rows` keeps what is selected and where one looks. GUI thread."""

    opened = Signal(object)
    """A row was double-clicked, or Enter was pressed on it."""

    def __init__(
        self,
        name: str,
        columns: Sequence[Column[Row]],
        widths: Sequence[int],
        identity: Callable[[Row], Hashable],
        growing: Sequence[int] = (),
        hidden: Sequence[int] = (),
    ) -> None:
        """`name` is the accessible name, translated; `identity` tells a row from another over two answers. `growing` and
        `hidden` as in `TableView.start_with`."""
        super().__init__(name)
        self._identity = identity
        self.records: SortedModel[Row] = SortedModel(columns)
        self.records.setParent(self)
        if growing:
            self.horizontalHeader().setStretchLastSection(False)
        self.start_with(self.records, widths, hidden, growing)
        header = self.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.sortIndicatorChanged.connect(self._sort)
        self.activated.connect(self._open)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Replace what is listed."""
        self._keeping_place(lambda: self.records.replace(rows))

    def arrange_again(self) -> None:
        """What `records.nest` answers has changed."""
        self._keeping_place(lambda: self.records.replace(self.records.came))

    @property
    def selected(self) -> list[Row]:
        """The selected rows, as listed."""
        return [self.records.rows[row] for row in sorted(index.row() for index in self.selectionModel().selectedRows())]

    def restore_columns(self, saved: str) -> bool:
        restored = super().restore_columns(saved)
        self._sort(self.horizontalHeader().sortIndicatorSection(), self.horizontalHeader().sortIndicatorOrder())
        return restored

    @Slot(int, Qt.SortOrder)
    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        self._keeping_place(lambda: self.records.sort(column, order))

    def _keeping_place(self, change: Callable[[], None]) -> None:
        chosen = {self._identity(row) for row in self.selected}
        at_hand = self.currentIndex()
        current = self._identity(self.records.rows[at_hand.row()]) if at_hand.isValid() else None
        scroll = self.verticalScrollBar().value()
        change()
        selection, flags = self.selectionModel(), self.selectionModel().SelectionFlag
        for place, row in enumerate(self.records.rows):
            name = self._identity(row)
            if name in chosen:
                selection.select(self.records.index(place, 0), flags.Select | flags.Rows)
            if name == current:
                selection.setCurrentIndex(self.records.index(place, 0), flags.NoUpdate)
        self.verticalScrollBar().setValue(scroll)

    @Slot(QModelIndex)
    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.records.rows[index.row()])


def _side(number: bool) -> int:
    flag = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
    return int((flag | Qt.AlignmentFlag.AlignVCenter).value)
