"""Rows of the store in a Qt item model, newest first, growing at both ends."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from models.domain.quantity import format_time
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeRangeModel

Index = QModelIndex | QPersistentModelIndex
_LEFT = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
_RIGHT = int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value)


class PagedModel(QAbstractTableModel):
    """Rows as they came, newest first. Subclasses say what a cell shows, and set `_titles` (translated)."""

    numbers: frozenset[int] = frozenset()
    """Columns that are aligned at the right."""

    def __init__(self, time_range: TimeRangeModel, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._range, self._theme = time_range, theme
        self._titles: tuple[str, ...] = ()
        self.rows: list[Any] = []

    def moment(self, at_us: int, digits: int = 3) -> str:
        """A time, with milliseconds; without its date while live and of today."""
        now = self._range.current()
        return format_time(at_us, None, now.until_us if now.live else None, digits)

    def text(self, line: Any, column: int) -> str:
        """What the cell says."""
        raise NotImplementedError

    def look(self, line: Any, column: int, role: int) -> Any:  # noqa: ARG002 - for those who have one
        """Anything but text: icon, colour, tooltip."""
        return None

    def time_of(self, line: Any) -> int:
        """Where the time cursor goes when the pointer is over the row."""
        return line.key.received_us

    def replace(self, rows: Sequence[Any]) -> None:
        """Show these instead."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def put_first(self, rows: Sequence[Any]) -> None:
        """Add newer rows at the top."""
        if rows:
            self.beginInsertRows(QModelIndex(), 0, len(rows) - 1)
            self.rows[:0] = rows
            self.endInsertRows()

    def put_last(self, rows: Sequence[Any]) -> None:
        """Add older rows at the end."""
        if rows:
            self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(rows) - 1)
            self.rows.extend(rows)
            self.endInsertRows()

    def keep_first(self, count: int) -> None:
        """Let go of the oldest rows."""
        if len(self.rows) > count:
            self.beginRemoveRows(QModelIndex(), count, len(self.rows) - 1)
            del self.rows[count:]
            self.endRemoveRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in self.numbers else _LEFT
        return self._titles[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        line = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(line, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in self.numbers:
            return _RIGHT
        return self.look(line, index.column(), role)
