"""A table of what each series adds up to in the visible range: small below a panel, or as all that a panel shows."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QResizeEvent

from models.domain.quantity import MISSING
from widgets.common.numbers import count_text, value_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.explore.panel_curves import PanelCurve
from widgets.explore.statistics import Statistics, statistics_of

_WIDTHS = (130, 50, 66, 66, 66, 66, 66, 66, 66, 66)
_MOST_ROWS = 5
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class Told(NamedTuple):
    """One series with its figures."""

    curve: PanelCurve
    figures: Statistics


def _columns() -> list[Column[Told]]:
    def figure(title: str, value: Callable[[Statistics], float], *, counted: bool = False) -> Column[Told]:
        def key(row: Told) -> float:
            told = value(row.figures)
            return -math.inf if math.isnan(told) else told

        def text(row: Told) -> str:
            return value_text(value(row.figures), row.curve.found.measured_unit if counted else row.curve.unit)

        return Column(title, text, key, number=True)

    return [
        Column(
            translate("StatisticsTable", "Series"),
            lambda row: visible(row.curve.name, 200),
            tip=lambda row: tooltip_text(row.curve.tooltip),
        ),
        Column(
            translate("StatisticsTable", "n"),
            lambda row: count_text(row.figures.n) if row.figures.n >= 0 else MISSING,
            lambda row: row.figures.n,
            number=True,
        ),
        figure(translate("StatisticsTable", "Minimum"), lambda told: told.low),
        figure(translate("StatisticsTable", "Maximum"), lambda told: told.high),
        figure(translate("StatisticsTable", "Mean"), lambda told: told.mean),
        figure(translate("StatisticsTable", "Last"), lambda told: told.last),
        figure("p50", lambda told: told.quantiles[0]),
        figure("p95", lambda told: told.quantiles[1]),
        figure("p99", lambda told: told.quantiles[2]),
        figure(translate("StatisticsTable", "Increase"), lambda told: told.rise, counted=True),
    ]


class StatisticsTable(SortedTable[Told]):
    """`show_range` brings it up to date. GUI thread."""

    def __init__(self, *, fitted: bool = True) -> None:
        """`fitted`: no higher than its rows need."""
        columns = _columns()
        rise = len(columns) - 1
        super().__init__(
            translate("StatisticsTable", "Statistics of the visible range"), columns, _WIDTHS,
            lambda row: (row.curve.found.series, row.curve.found.shown, row.curve.shift_us), growing=(0,), hidden=(rise,),
        )  # fmt: skip
        self._fitted, self._rise = fitted, rise
        self._rises = False
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self._fit_height()

    def show_range(self, curves: Sequence[PanelCurve], since_us: int, until_us: int) -> None:
        """Figures of what lies in this stretch of time."""
        rows = [Told(curve, statistics_of(curve, since_us, until_us)) for curve in curves]
        self.show_rows(rows)
        rises = any(not math.isnan(row.figures.rise) for row in rows)
        if rises != self._rises:  # else it is as somebody arranged it
            self._rises = rises
            self.setColumnHidden(self._rise, not rises)
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        if not self._fitted:
            return
        rows = min(max(1, self.records.rowCount()), _MOST_ROWS)
        height = self.horizontalHeader().height() + rows * self.verticalHeader().defaultSectionSize() + 2
        if self.horizontalHeader().length() > self.viewport().width():
            height += self.horizontalScrollBar().sizeHint().height()
        if height != self.maximumHeight():
            self.setFixedHeight(height)
