"""Names and values in two columns."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from widgets.common.plain import VISIBLE_LIMIT, tooltip_text, visible
from widgets.common.tables import column_title
from widgets.common.theme import ThemeHolder

Index = QModelIndex | QPersistentModelIndex


class PairsModel(QAbstractTableModel):
    """Titles are translated, names and values may be outside text. `longest`: so much of a value is shown."""

    def __init__(
        self, theme: ThemeHolder, titles: tuple[str, str], parent: QObject | None = None, longest: int = VISIBLE_LIMIT
    ) -> None:
        super().__init__(parent)
        self._theme, self._titles, self._longest = theme, titles, longest
        self._pairs: list[tuple[str, str]] = []
        self._ours = 0

    def show_pairs(self, ours: Sequence[tuple[str, str]], theirs: Sequence[tuple[str, str]] = ()) -> None:
        """Show these instead: what has a name of ours, muted and only where it has a value, then what the agent named."""
        self.beginResetModel()
        named = [pair for pair in ours if pair[1]]
        self._pairs = [(visible(name), visible(value, self._longest)) for name, value in (*named, *theirs)]
        self._ours = len(named)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._pairs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return column_title(self._titles, section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        text = self._pairs[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip_text(text)
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0 and index.row() < self._ours:
            return QColor(self._theme.theme.muted)
        return None
