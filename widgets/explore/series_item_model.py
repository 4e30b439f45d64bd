"""The tree of agents and their series for Qt: nothing is made for a row before it is seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from models.domain.layouts.layout import Plotted
from widgets.common.numbers import count_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.theme import ThemeHolder
from widgets.explore.series_mime import SERIES, series_mime
from widgets.plots.series_index import Found, SeriesIndex

Index = QModelIndex | QPersistentModelIndex
_RIGHT = int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value)
_PLAIN = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
PAGE = 300
_EMPTY = np.empty(0, np.int64)


class SeriesModel(QAbstractItemModel):
    """Agents at the top, their series below; second column: unit, or how many series. GUI thread.

    The internal id of an index is 0 for an agent, else 1 + the row of its agent.
    """

    def __init__(self, index: SeriesIndex, theme: ThemeHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._index, self._theme = index, theme
        self._found = Found(_EMPTY, _EMPTY, np.zeros(1, np.int64), [], [], _EMPTY)
        self._titles = (self.tr("Agents and series"), self.tr("Unit"))
        self._fetched = 0  # so many agents are handed out, more of them as somebody scrolls
        self.typed = ""

    def show_fitting(self, typed: str) -> None:
        """Show what fits these words; also after the index changed, and then no fewer rows than before."""
        self.beginResetModel()
        self._fetched = max(PAGE, self._fetched if typed == self.typed else 0)
        self.typed = typed
        self._found = self._index.find(typed)
        self.endResetModel()

    # ------------------------------------------------------------ what rows are

    def agent_at(self, index: Index) -> int:
        """Place in the index of the agent that a row is or belongs to."""
        row = index.row() if index.internalId() == 0 else index.internalId() - 1
        return int(self._found.agents[row])

    def row_at(self, index: Index) -> int:
        """Row in the index of a series; -1: the row is an agent."""
        if index.internalId() == 0:
            return -1
        return int(self._found.rows[self._found.starts[index.internalId() - 1] + index.row()])

    def plotted(self, indexes: Sequence[Index]) -> list[Plotted]:
        """The series of these rows by name, each once; an agent stands for its series that are shown."""
        rows: dict[int, int] = {}
        for index in indexes:
            agent = self.agent_at(index)
            if index.internalId() == 0:
                some = slice(int(self._found.starts[index.row()]), int(self._found.starts[index.row() + 1]))
                rows.update(dict.fromkeys(self._found.rows[some].tolist(), agent))
            else:
                rows[self.row_at(index)] = agent
        words = self._index.words
        keys = [(self._found.ids[agent], words[self._found.told[row]]) for row, agent in rows.items()]
        return [Plotted(agent, told.metric, told.labels) for agent, told in keys]

    def agents(self, indexes: Sequence[Index]) -> list[str]:
        """Ids of the agents of these rows, each once."""
        return list(dict.fromkeys(self._found.ids[self.agent_at(index)] for index in indexes))

    # ------------------------------------------------------------ Qt

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008 - Qt's signature
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, 0 if not parent.isValid() else parent.row() + 1)

    def parent(self, index: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]  # noqa: B008
        if not index.isValid() or index.internalId() == 0:
            return QModelIndex()
        return self.createIndex(index.internalId() - 1, 0, 0)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        if not parent.isValid():
            return min(self._fetched, len(self._found.agents))
        if parent.internalId() or parent.column():
            return 0
        return int(self._found.starts[parent.row() + 1] - self._found.starts[parent.row()])

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and self._fetched < len(self._found.agents)

    def fetchMore(self, parent: Index) -> None:
        if self.canFetchMore(parent):
            last = min(len(self._found.agents), self._fetched + PAGE)
            self.beginInsertRows(QModelIndex(), self._fetched, last - 1)
            self._fetched = last
            self.endInsertRows()

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008 - Qt's signature
        return self.rowCount(parent) > 0

    def columnCount(self, _parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 2

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        horizontal = orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return self._titles[section] if horizontal else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return _PLAIN if index.isValid() else Qt.ItemFlag.NoItemFlags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(self._theme.theme.muted) if index.column() == 1 else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if index.column() == 1 else None
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        row = self.row_at(index)
        if row < 0 and index.column() == 0:
            text = self._found.titles[self.agent_at(index)]
        elif row < 0:
            text = count_text(self.rowCount(index.sibling(index.row(), 0)))
        else:
            words = self._index.words[self._found.told[row]]
            if role == Qt.ItemDataRole.ToolTipRole:
                text = visible(f"{words.metric} {words.labels} {words.unit}".strip())
            else:
                text = (
                    self._index.texts[self._found.told[row]]
                    if index.column() == 0
                    else visible(words.unit.strip("{}"), 24)
                )
        return tooltip_text(text) if role == Qt.ItemDataRole.ToolTipRole else text

    def mimeTypes(self) -> list[str]:
        return [SERIES]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        return series_mime(self.plotted([index for index in indexes if index.column() == 0]))
