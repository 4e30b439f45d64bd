"""A small table below a panel: what each series adds up to in the visible range."""

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from models.domain.quantity import MISSING
from widgets.common.numbers import count_text, value_text
from widgets.common.plain import visible
from widgets.common.tables import TableView, column_title
from widgets.explore.panel_curves import PanelCurve
from widgets.explore.statistics import Statistics, statistics_of

_Index = QModelIndex | QPersistentModelIndex
_RIGHT = int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value)
_WIDTHS = (130, 50, 66, 66, 66, 66, 66, 66, 66, 66)
_MOST_ROWS = 5
_RISE = len(_WIDTHS) - 1


class StatisticsTable(TableView):
    """`show_range` brings it up to date. GUI thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Statistics of the visible range"))
        self._model = _Model(self)
        self.horizontalHeader().setStretchLastSection(False)
        self.start_with(self._model, _WIDTHS, hidden=(_RISE,), growing=(0,))
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)

    def show_range(self, curves: Sequence[PanelCurve], since_us: int, until_us: int) -> None:
        """Figures of what lies in this stretch of time."""
        rows = [(curve, statistics_of(curve, since_us, until_us)) for curve in curves]
        self._model.show_rows(rows)
        self.setColumnHidden(_RISE, all(math.isnan(told.rise) for _, told in rows))
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        rows = min(max(1, self._model.rowCount()), _MOST_ROWS)
        height = self.horizontalHeader().height() + rows * self.verticalHeader().defaultSectionSize() + 2
        if self.horizontalHeader().length() > self.viewport().width():
            height += self.horizontalScrollBar().sizeHint().height()
        if height != self.maximumHeight():
            self.setFixedHeight(height)


class _Model(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: list[tuple[PanelCurve, Statistics]] = []
        self._titles = (
            self.tr("Series"), self.tr("n"), self.tr("Minimum"), self.tr("Maximum"), self.tr("Mean"), self.tr("Last"),
            "p50", "p95", "p99", self.tr("Increase"),
        )  # fmt: skip

    def show_rows(self, rows: list[tuple[PanelCurve, Statistics]]) -> None:
        """Selected rows stay selected while the series are the same."""
        if [curve for curve, _ in rows] != [curve for curve, _ in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
        elif rows:
            self._rows = rows
            self.dataChanged.emit(self.index(0, 1), self.index(len(rows) - 1, len(self._titles) - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation is Qt.Orientation.Horizontal and section:
            return _RIGHT
        return column_title(self._titles, section, orientation, role)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if index.column() else None
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        curve, told = self._rows[index.row()]
        if index.column() == 0:
            return visible(curve.name, 200)
        if index.column() == 1:
            return count_text(told.n) if told.n >= 0 else MISSING
        values = (told.low, told.high, told.mean, told.last, *told.quantiles, told.rise)
        return value_text(values[index.column() - 2], curve.unit)
