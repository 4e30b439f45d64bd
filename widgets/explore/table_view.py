"""The series of a panel as rows of figures: what each adds up to in the visible range."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QMenu, QVBoxLayout

from widgets.common.numbers import value_text
from widgets.common.plain import visible
from widgets.common.throttle import Throttle
from widgets.explore.panel_curves import PanelCurve
from widgets.explore.panel_view import PanelView
from widgets.explore.statistics_table import StatisticsTable, Told
from widgets.frame.screen_context import ScreenContext
from widgets.plots.resolution import resolution_text, resolution_tip

_EVERY_MS = 1_000
_MOST_SPOKEN = 20


class TableOfSeries(PanelView):
    """Sorted by its header, copied as any table; Enter on a row opens its agent. The figures are made anew once a second."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context)
        self.table = StatisticsTable(fitted=False)
        self.table.setFrameShape(self.table.Shape.NoFrame)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # it is ours
        self.table.opened.connect(self._open)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(self.table)
        self.table.hide()
        self.inner.append(self.table)
        self._shown: Sequence[PanelCurve] = ()
        self._figures = Throttle(self._show_figures, _EVERY_MS, self)

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.table.setAccessibleName(name)

    def _arrange(self, shown: Sequence[PanelCurve]) -> str:
        if [curve for curve in shown if curve in self._shown] != list(self._shown) or len(shown) != len(self._shown):
            self._figures.stop()  # other rows are wanted now
        self._shown = shown
        if shown:
            self._figures.want()
        some = any(row.figures.n for row in self.table.records.rows) if shown else False
        self.table.setVisible(some)
        self.setFocusProxy(self.table if some else None)  # type: ignore[arg-type]  # None is nobody
        return self._spoken() if some else ""

    def _show_figures(self) -> None:
        self.table.show_range(self._shown, *self.span)

    def _spoken(self) -> str:
        """The newest value of each series; the table itself reads out the rest."""
        rows = self.table.records.rows if self._shown else []
        told = [f"{visible(row.curve.name, 200)} {value_text(row.figures.last, row.curve.unit)}" for row in rows]
        more = (
            [self.tr("and {n} more").replace("{n}", str(len(told) - _MOST_SPOKEN))] if len(told) > _MOST_SPOKEN else []
        )
        return "; ".join([*told[:_MOST_SPOKEN], *more])

    def resolution(self) -> tuple[str, str]:
        return (resolution_text(self.shapes), resolution_tip(self.shapes)) if self._shown else ("", "")

    def text(self) -> str:
        """All rows with their titles."""
        records = self.table.records
        columns = [column for column in range(records.columnCount()) if not self.table.isColumnHidden(column)]
        lines = [[str(records.headerData(column, Qt.Orientation.Horizontal)) for column in columns]]
        lines += [
            [str(records.index(row, column, QModelIndex()).data()) for column in columns]
            for row in range(records.rowCount())
        ]
        return "\n".join("\t".join(line) for line in lines)

    def _fill_menu(self, menu: QMenu) -> None:
        self.table.add_copy(menu)
        super()._fill_menu(menu)

    def _paint(self, painter: QPainter) -> None:
        """The table paints itself."""

    def _open(self, row: Told) -> None:
        self.agent_wanted.emit(row.curve.found.agent)
