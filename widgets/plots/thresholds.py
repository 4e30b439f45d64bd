"""Values that somebody watches for: lines across a plot, which the mouse takes hold of."""

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from widgets.common.numbers import value_text
from widgets.common.tokens import Theme
from widgets.plots.plot_axes import Axes
from widgets.plots.plot_picture import value_at, y_of
from widgets.plots.value_scale import value_step

_GRIP_PIXELS = 4
_FINE = 200
"""A drag stops at round values, of which the axis has about so many."""


class Threshold(NamedTuple):
    """In the unit of the axis that it belongs to; one whose unit no axis has is not drawn."""

    value: float
    unit: str


class Thresholds:
    """Those of one plot, and the one that is being dragged."""

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self.all: list[Threshold] = []
        self._dragged = -1
        self._value = 0.0

    @property
    def dragged(self) -> bool:
        return self._dragged >= 0

    def shown(self) -> list[tuple[int, Threshold]]:
        """Those that have an axis, with their places; the dragged one where it is now."""
        own = [
            (place, one._replace(value=self._value) if place == self._dragged else one)
            for place, one in enumerate(self.all)
        ]
        return [(place, one) for place, one in own if self._axes.with_unit(one.unit) is not None]

    def at(self, area: QRectF, at: QPointF) -> int:
        """Place of the line that the pointer is on; -1: of none."""
        if not area.contains(at):
            return -1
        for place, one in self.shown():
            scale = self._axes.with_unit(one.unit)
            if scale is not None and abs(y_of(area, scale, one.value) - at.y()) <= _GRIP_PIXELS:
                return place
        return -1

    def press(self, area: QRectF, at: QPointF) -> bool:
        """True: a line is being dragged from now on."""
        self._dragged = self.at(area, at)
        if self._dragged >= 0:
            self._value = self.all[self._dragged].value
        return self.dragged

    def move(self, area: QRectF, at: QPointF) -> None:
        """The pointer drags it here."""
        self._value = self.value_at(area, at, self.all[self._dragged].unit)

    def release(self) -> tuple[int, float]:
        """Place and new value of what was dragged."""
        place, self._dragged = self._dragged, -1
        return place, self._value

    def value_at(self, area: QRectF, at: QPointF, unit: str) -> float:
        """The round value there."""
        scale = self._axes.with_unit(unit)
        assert scale is not None
        step = value_step(unit, scale.high - scale.low, _FINE)
        within = QPointF(at.x(), min(max(at.y(), area.top()), area.bottom()))
        return float(f"{round(value_at(area, scale, within.y()) / step) * step:.12g}")

    def paint(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        """Lines with their values; drawn over the curves."""
        metrics = QFontMetricsF(painter.font())
        for place, one in self.shown():
            scale = self._axes.with_unit(one.unit)
            if scale is None:
                continue
            y = round(y_of(area, scale, one.value)) + 0.5
            if not area.top() - 1 <= y <= area.bottom() + 1:
                continue
            pen = QPen(QColor(theme.warning), 2 if place == self._dragged else 1)
            pen.setDashPattern([7, 3])
            painter.setPen(pen)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            text = value_text(one.value, one.unit)
            width = metrics.horizontalAdvance(text) + 8
            right = self._axes.right is scale
            box = QRectF(
                area.right() - width if right else area.left(), y - metrics.height() - 1, width, metrics.height()
            )
            box.moveTop(max(box.top(), area.top()))
            painter.fillRect(box, QColor(theme.surface))
            painter.setPen(QColor(theme.warning))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter.value), text)
