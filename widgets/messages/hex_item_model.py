"""Bytes as rows of sixteen, made when they are painted, so that a megabyte costs nothing."""

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFontDatabase

from widgets.common.tables import column_title
from widgets.common.theme import ThemeHolder

Index = QModelIndex | QPersistentModelIndex
WIDTH = 16


class HexModel(QAbstractTableModel):
    """Offset, bytes in hexadecimal, what is ASCII of them."""

    def __init__(self, theme: ThemeHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._titles = (self.tr("Offset"), self.tr("Bytes"), self.tr("ASCII"))
        self._font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self._payload = b""

    def show_payload(self, payload: bytes) -> None:
        """Show these bytes instead."""
        self.beginResetModel()
        self._payload = payload
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else -(-len(self._payload) // WIDTH)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return column_title(self._titles, section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            start = index.row() * WIDTH
            part = self._payload[start : start + WIDTH]
            if index.column() == 0:
                return f"{start:08x}"
            return part.hex(" ") if index.column() == 1 else ascii_of(part)
        if role == Qt.ItemDataRole.FontRole:
            return self._font
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0:
            return QColor(self._theme.theme.muted)
        return None


def ascii_of(part: bytes) -> str:
    """Letters, digits and signs as they are, everything else a dot."""
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
