"""A table of plain rows that its header sorts: for lists that come whole, and are small enough to be sorted here."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QIcon

from widgets.common.tables import TableView

Index = QModelIndex | QPersistentModelIndex
Row = TypeVar("Row")
_MOST_RUNS = 40
"""Of rows that change side by side: beyond, all are shown anew at once."""
_ROLES = frozenset(
    int(role)
    for role in (
        Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.TextAlignmentRole, Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.DecorationRole,
    )
)  # fmt: skip


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
    """Rows in the order that was last asked for; before, as they came. Rows that stay are left alone, so that thousands may come
    again every second."""

    def __init__(self, columns: Sequence[Column[Row]], identity: Callable[[Row], Hashable]) -> None:
        super().__init__()
        self._columns, self._identity = columns, identity
        self.came: list[Row] = []
        """In the order in which they came."""
        self._by: tuple[int, Qt.SortOrder] = (-1, Qt.SortOrder.AscendingOrder)
        self.rows: list[Row] = []
        self._names: list[Hashable] = []  # of `rows`
        self.nest: Callable[[list[Row]], list[Row]] | None = None
        """Who arranges the sorted rows further; answers each that is to be listed once."""

    def replace(self, rows: Sequence[Row]) -> bool:
        """Show these instead. True: what was selected had to be forgotten."""
        self.came = list(rows)
        after = self._arranged()
        names = [self._identity(row) for row in after]
        if names != self._names and not self._come_and_go(after, names):
            self.beginResetModel()
            self.rows, self._names = after, names
            self.endResetModel()
            return True
        changed = [place for place, (one, other) in enumerate(zip(self.rows, after, strict=True)) if one != other]
        self.rows = after
        if changed:
            last = len(self._columns) - 1
            for first, end in _runs(changed) if len(changed) <= _MOST_RUNS else [(changed[0], changed[-1] + 1)]:
                self.dataChanged.emit(self.index(first, 0), self.index(end - 1, last))
        return False

    def _come_and_go(self, after: list[Row], names: list[Hashable]) -> bool:
        """Take rows out and put rows in, where those that stay keep their order and there are few such places; False: not so."""
        now, then = set(self._names), set(names)
        gone = _runs([place for place, name in enumerate(self._names) if name not in then])
        new = _runs([place for place, name in enumerate(names) if name not in now])
        few = len(gone) + len(new) <= _MOST_RUNS and len(then) == len(names)
        if not few or [name for name in self._names if name in then] != [name for name in names if name in now]:
            return False
        for first, end in reversed(gone):
            self.beginRemoveRows(QModelIndex(), first, end - 1)
            del self.rows[first:end], self._names[first:end]
            self.endRemoveRows()
        for first, end in new:
            self.beginInsertRows(QModelIndex(), first, end - 1)
            self.rows[first:first], self._names[first:first] = after[first:end], names[first:end]
            self.endInsertRows()
        return True

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Column -1: as they came."""
        self.sort_by(column, order)

    def sort_by(self, column: int, order: Qt.SortOrder) -> bool:
        """The same; answers as `replace`."""
        self._by = (column, order)
        return self.replace(self.came)

    def _arranged(self) -> list[Row]:
        place, order = self._by
        rows = list(self.came)
        if 0 <= place < len(self._columns):
            column = self._columns[place]
            key = column.key or (lambda row: column.text(row).casefold())
            rows.sort(key=key, reverse=order == Qt.SortOrder.DescendingOrder)
        return rows if self.nest is None else self.nest(rows)

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
        if role not in _ROLES or not index.isValid() or index.row() >= len(self.rows):
            return None  # most that is asked for a cell
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
        self.records: SortedModel[Row] = SortedModel(columns, identity)
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
        self.viewport().update()  # rows that stay may look otherwise

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
        self._keeping_place(lambda: self.records.sort_by(column, order))

    def _keeping_place(self, change: Callable[[], bool]) -> None:
        chosen = {self._identity(row) for row in self.selected}
        at_hand = self.currentIndex()
        current = self._identity(self.records.rows[at_hand.row()]) if at_hand.isValid() else None
        scroll = self.verticalScrollBar().value()
        selection, flags = self.selectionModel(), self.selectionModel().SelectionFlag
        if change() and (chosen or current is not None):
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


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """First and end of each stretch of neighbours; `places` ascending."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and runs[-1][1] == place:
            runs[-1] = runs[-1][0], place + 1
        else:
            runs.append((place, place + 1))
    return runs
