"""What a log record tells beside its text, as a table of names and values: its times, who wrote it, its attributes."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QCoreApplication, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from models.domain.quantity import format_time
from models.domain.queries import LogLine
from widgets.common.plain import tooltip_text, visible
from widgets.common.theme import ThemeHolder
from widgets.common.words import level_word
from widgets.records.record_json import attributes_of, flat

Index = QModelIndex | QPersistentModelIndex
_VALUE_LIMIT = 2_000
_MOST = 2_000
"""Values of one record that are listed; the JSON has all."""

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class RecordFields(QAbstractTableModel):
    """Two columns: name, value."""

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._titles = (translate("RecordFields", "Field"), translate("RecordFields", "Value"))
        self._pairs: Sequence[tuple[str, str]] = ()
        self._own = 0

    def show_record(self, line: LogLine, agent: str) -> None:
        """List this record's. `agent`: how the window calls who wrote it, made visible."""
        own = [
            (translate("RecordFields", "Time"), format_time(line.time_us, digits=6)),
            (translate("RecordFields", "Received"), format_time(line.key.received_us, digits=6)),
            (translate("RecordFields", "Level"), level_word(line.level)),
            (translate("RecordFields", "Agent"), agent),
            (translate("RecordFields", "Logger"), visible(line.logger, _VALUE_LIMIT)),
            (translate("RecordFields", "Error"), visible(line.error, _VALUE_LIMIT)),
        ]
        attributes = flat(attributes_of(line)) if line.attributes else []
        told = [(visible(name, 200), visible(value, _VALUE_LIMIT)) for name, value in attributes[:_MOST]]
        self.beginResetModel()
        self._pairs = [pair for pair in own if pair[1]]
        self._own = len(self._pairs)
        self._pairs += told
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._pairs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        pair = self._pairs[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return pair[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip_text(pair[index.column()])
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0 and index.row() < self._own:
            return QColor(self._theme.theme.muted)  # ours, not the agent's
        return None
