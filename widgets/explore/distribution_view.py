"""How the samples of the visible range are distributed: which share of them lies in each stretch of values."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from models.domain.queries import Float64
from widgets.common.numbers import count_text, value_text
from widgets.common.plain import visible
from widgets.explore.panel_curves import PanelCurve
from widgets.explore.panel_view import PanelView
from widgets.plots.curve_markers import paint_markers
from widgets.plots.plot_header import LINE_PIXELS, Entry, Legend
from widgets.plots.plot_picture import EARLIER_COLOURS, axis_width, curve_style
from widgets.plots.resolution import EVERY, resolution_text, resolution_tip
from widgets.plots.value_scale import ValueScale, value_step

_BINS = 40
_LEGEND_LINES = 3
_TICK_PIXELS, _ACROSS_PIXELS = 34, 90
_FOOT_PIXELS = 20


class _Share(NamedTuple):
    curve: PanelCurve
    share: Float64  # of its samples in each bin
    n: int
    median: float


class DistributionView(PanelView):
    """Of series in the unit of the first one. Each is a line of steps over its own number of samples, so that series of
    different length compare. Counters have none: what is distributed is what was measured."""

    _shares: list[_Share] = []
    _edges: Float64 = np.zeros(2)
    _unit = ""

    def _arrange(self, shown: Sequence[PanelCurve]) -> str:
        measured = [curve for curve in shown if not curve.found.counts and not curve.buffer.reduced]
        self._unit = measured[0].unit if measured else ""
        values = [(curve, curve.raw.points(*self.span)[1]) for curve in measured if curve.unit == self._unit]
        values = [(curve, value[~np.isnan(value)]) for curve, value in values]
        values = [(curve, value) for curve, value in values if len(value)]
        self._shares = []
        if not values:
            return ""
        low, high = min(float(one.min()) for _, one in values), max(float(one.max()) for _, one in values)
        step = value_step(self._unit, (high - low) or abs(high) or 1.0, _BINS)
        first = np.floor(low / step)
        self._edges = (first + np.arange(int(np.floor(high / step) - first) + 2)) * step
        for curve, value in values:
            share = np.histogram(value, self._edges)[0] / len(value)
            self._shares.append(_Share(curve, share, len(value), float(np.median(value))))
        return "; ".join(f"{visible(one.curve.name, 200)}: {self._told(one)}" for one in self._shares)

    def resolution(self) -> tuple[str, str]:
        return (resolution_text([EVERY]), resolution_tip([EVERY])) if self._shares else ("", "")

    def why_nothing(self) -> str:
        if any(curve.buffer.reduced for curve in self.curves):
            return self.tr("Too many samples for a distribution: choose a shorter time")
        if self.curves and all(curve.found.counts for curve in self.curves):
            return self.tr("Counters have no distribution: what is distributed is what was measured")
        return ""

    def _told(self, one: _Share) -> str:
        text = self.tr("median {median}, n {n}").replace("{median}", value_text(one.median, self._unit))
        return text.replace("{n}", count_text(one.n))

    def text(self) -> str:
        """Edges and shares as a table."""
        lines = ["\t".join(("from", "to", *(visible(one.curve.name, 200) for one in self._shares)))]
        for place, (low, high) in enumerate(zip(self._edges[:-1].tolist(), self._edges[1:].tolist(), strict=True)):
            lines.append("\t".join(map(str, (low, high, *(round(float(one.share[place]), 6) for one in self._shares)))))
        return "\n".join(lines)

    def _paint(self, painter: QPainter) -> None:
        theme, metrics = self._theme.theme, QFontMetricsF(self.font())
        entries = [
            Entry(
                one.curve.name, self._told(one), curve_style(theme, one.curve.colour), "", one.curve.colour % EARLIER_COLOURS
            )
            for one in self._shares
        ]  # fmt: skip
        legend = Legend(_LEGEND_LINES)
        legend.lay_out(entries, self.width() - 18, metrics)
        legend.paint(painter, QPointF(10, 2), entries, theme)
        top, left = legend.lines * LINE_PIXELS + 6.0, axis_width(metrics)
        area = QRectF(left, top, max(10.0, self.width() - left - 12), max(10.0, self.height() - top - _FOOT_PIXELS))
        shares = ValueScale("1")
        shares.fit(0.0, max(float(one.share.max()) for one in self._shares))
        self._paint_axes(painter, area, shares)
        for one in self._shares:
            x = area.left() + (np.repeat(self._edges, 2)[1:-1] - self._edges[0]) * area.width() / self._width
            y = area.bottom() - np.repeat(one.share, 2) * area.height() / shares.high
            style = curve_style(theme, one.curve.colour)
            pen = QPen(QColor(style.colour), 1.5)
            if style.dash:
                pen.setDashPattern(list(style.dash))
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF([QPointF(*at) for at in zip(x.tolist(), y.tolist(), strict=True)]))
            middle = min(len(one.share) - 1, int(np.searchsorted(self._edges, one.median, side="right")) - 1)
            at_x = area.left() + (one.median - self._edges[0]) * area.width() / self._width
            at = np.array([at_x]), np.array([y[2 * middle]])  # at the median
            paint_markers(painter, *at, one.curve.colour % EARLIER_COLOURS, style.colour, theme.surface)

    @property
    def _width(self) -> float:
        return float(self._edges[-1] - self._edges[0])

    def _paint_axes(self, painter: QPainter, area: QRectF, shares: ValueScale) -> None:
        theme, metrics = self._theme.theme, QFontMetricsF(self.font())
        for value, label in shares.ticks(max(2, int(area.height() / _TICK_PIXELS))):
            y = round(area.bottom() - value * area.height() / shares.high) + 0.5
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.muted))
            box = QRectF(0, y - metrics.height() / 2, area.left() - 7, metrics.height())
            painter.drawText(box, int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value), label)
        across = ValueScale(self._unit)
        across.low, across.high = float(self._edges[0]), float(self._edges[-1])
        for value, label in across.ticks(max(2, int(area.width() / _ACROSS_PIXELS))):
            x = round(area.left() + (value - across.low) * area.width() / self._width) + 0.5
            painter.setPen(QPen(QColor(theme.edge), 1))
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))
            painter.setPen(QColor(theme.muted))
            width = metrics.horizontalAdvance(label)
            begin = min(max(x - width / 2, 0.0), self.width() - width)
            painter.drawText(QPointF(begin, area.bottom() + metrics.ascent() + 3), label)
