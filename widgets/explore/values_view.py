"""The newest value of each series, large enough to be read across a room."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from models.domain.quantity import MISSING
from widgets.common.numbers import value_text
from widgets.common.plain import visible
from widgets.common.tokens import SeriesStyle
from widgets.explore.panel_curves import PanelCurve
from widgets.explore.panel_view import PanelView
from widgets.plots.curve_markers import paint_markers
from widgets.plots.plot_picture import EARLIER_COLOURS, curve_style

_CELL_PIXELS = 190
_LARGEST_PIXELS, _LEAST_PIXELS = 40, 15
_OVER = "▲"


class _Value(NamedTuple):
    name: str
    text: str
    over: bool  # a threshold of the panel
    style: SeriesStyle
    marker: int


class ValuesView(PanelView):
    """What is above a threshold of the panel bears a sign, and another colour."""

    _values: list[_Value] = []

    def _arrange(self, shown: Sequence[PanelCurve]) -> str:
        self._values = []
        for curve in shown:
            value = curve.current(self.span[1]).value
            over = any(one.unit == curve.unit and value > one.value for one in self.thresholds)
            style = curve_style(self._theme.theme, curve.colour)
            marker = curve.colour % EARLIER_COLOURS
            self._values.append(_Value(visible(curve.name, 200), value_text(value, curve.unit), over, style, marker))
        if all(one.text == MISSING for one in self._values):
            self._values = []
        above = self.tr("above its threshold")
        return "; ".join(f"{one.name} {one.text}{f' ({above})' if one.over else ''}" for one in self._values)

    def text(self) -> str:
        return "\n".join(f"{one.name}\t{one.text}" for one in self._values)

    def _paint(self, painter: QPainter) -> None:
        theme = self._theme.theme
        columns = max(1, min(len(self._values), self.width() // _CELL_PIXELS))
        rows = -(-len(self._values) // columns)
        width, height = self.width() / columns, self.height() / rows
        small = QFontMetricsF(self.font())
        large = QFont(self.font())
        large.setPixelSize(round(min(_LARGEST_PIXELS, max(_LEAST_PIXELS, height - small.height() - 14))))
        centre = int(Qt.AlignmentFlag.AlignCenter.value)
        for place, one in enumerate(self._values):
            box = QRectF(place % columns * width, place // columns * height, width, height).adjusted(6, 4, -6, -4)
            upper, lower = QRectF(box), QRectF(box)
            upper.setBottom(box.bottom() - small.height() - 2)
            lower.setTop(upper.bottom())
            painter.setFont(large)
            painter.setPen(QColor(theme.warning if one.over else theme.text))
            painter.drawText(upper, centre, f"{_OVER} {one.text}" if one.over else one.text)
            painter.setFont(self.font())
            painter.setPen(QColor(theme.muted))
            name = small.elidedText(one.name, Qt.TextElideMode.ElideMiddle, lower.width() - 18)
            painter.drawText(lower, centre, name)
            left = lower.center().x() - small.horizontalAdvance(name) / 2 - 9
            at = np.array([left]), np.array([lower.center().y()])
            paint_markers(painter, *at, one.marker, one.style.colour, theme.surface)
