"""Painting of a plot: background, bands, grid, curves, marks, axes; from shapes into a pixmap. GUI thread."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from models.domain.queries import Float64, Int64
from widgets.common.tokens import SeriesStyle, Theme
from widgets.plots.curve_markers import paint_markers
from widgets.plots.curves import Shape
from widgets.plots.frame import Frame
from widgets.plots.hours import HourBand
from widgets.plots.marks import Band, PlacedMark, paint_marks
from widgets.plots.pyqtgraph_curve import CurveItem, paint_area, paint_bars, paint_lone_points
from widgets.plots.time_axis import day_label, time_ticks
from widgets.plots.value_scale import ValueScale

if TYPE_CHECKING:
    from widgets.plots.notes import NoteLayer

HEADER_PIXELS = 24
FLOOR_PIXELS = 2
"""Room below the lowest value, so that a line at zero is seen."""
RIGHT_PIXELS = 10
TIME_PIXELS = 18
_BOTTOM_PIXELS = 5
_TICK_PIXELS = 34
_LABEL_ROOM_PIXELS = 8
_TIME_TICK_PIXELS = 92
_FEW_DASH = (1.0, 3.0)
MARKER_EVERY_PIXELS = 110
ERROR_COLOUR = -1
"""`Curve.colour` of what counts failures: the theme's error colour."""


EARLIER_COLOURS = 10_000
"""`Curve.colour` from here on: the curve with that much less, as it was earlier; dashed."""
_EARLIER_DASH = (4.0, 3.0)


def curve_style(theme: Theme, colour: int) -> SeriesStyle:
    """Colour and dashes of a curve by its number."""
    if colour >= EARLIER_COLOURS:
        return SeriesStyle(theme.series_style(colour - EARLIER_COLOURS).colour, _EARLIER_DASH)
    return SeriesStyle(theme.error, ()) if colour == ERROR_COLOUR else theme.series_style(colour)


def axis_width(metrics: QFontMetricsF) -> float:
    """Width of every value axis, so that plots above each other begin at the same pixel."""
    return metrics.horizontalAdvance("1023.9 MiB") + 10


@dataclass(slots=True)
class Layer:
    """One curve ready to paint. `marker`: which shape stands on it here and there, so that colour is not alone; -1: none."""

    shape: Shape
    style: SeriesStyle
    item: CurveItem
    scale: ValueScale
    marker: int = -1


@dataclass(slots=True)
class Picture:
    """Everything on one plot but its header and the cursor."""

    frame: Frame
    scale: ValueScale  # of the axis at the left
    right: ValueScale | None
    layers: Sequence[Layer]
    bands: Sequence[Band]
    marks: Sequence[PlacedMark]
    shows_time: bool
    shows_date: bool
    theme: Theme
    sentence: str | None  # in place of curves; without values there is no value axis either
    notes: "NoteLayer | None" = None

    def paint(self, painter: QPainter, ratio: float) -> None:
        """Paint it; the painter works in logical pixels of `ratio` device pixels each."""
        area = self.frame.area
        self._bands(painter)
        if self.notes is not None:
            self.notes.paint_stretches(painter, self.frame, self.theme)
        if self.sentence is None:
            self._value_axis(painter)
            if self.right is not None:
                self._right_axis(painter, self.right)
        self._time_axis(painter)
        painter.save()
        painter.setClipRect(area.adjusted(0, -1, 1, 1))
        painter.scale(1 / ratio, 1 / ratio)
        for layer in sorted(self.layers, key=lambda one: one.shape.bar_us == 0):
            if layer.shape.band is not None:
                self._hours(painter, layer, layer.shape.band, ratio)
            self._curve(painter, layer, ratio)
        painter.restore()
        self._tell_hours(painter)
        painter.save()
        painter.translate(area.left(), 0)
        paint_marks(painter, self.marks, area.top() + 4, area.bottom(), self.theme)
        painter.restore()
        if self.notes is not None:
            self.notes.paint_flags(painter, self.frame, self.theme)
        if self.sentence is not None:  # last, as it is there to be read
            self._say(painter, self.sentence)

    def _say(self, painter: QPainter, sentence: str) -> None:
        flags = int((Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap).value)
        room = self.frame.area.adjusted(12, 0, -12, 0)
        box = painter.boundingRect(room, flags, sentence)
        painter.fillRect(box.adjusted(-6, -2, 6, 2), QColor(self.theme.surface))
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(room, flags, sentence)

    def _bands(self, painter: QPainter) -> None:
        area = self.frame.area
        for band in self.bands:
            left = max(area.left(), self.frame.x_of(band.since_us))
            right = min(area.right(), self.frame.x_of(max(band.until_us, band.since_us)))
            if right < area.left() or left > area.right():
                continue
            left = math.floor(left)  # two that follow each other leave no line of light between them
            stretch = QRectF(left, area.top(), max(2.0, math.ceil(right) - left), area.height())
            painter.fillRect(stretch, QColor(self.theme.gap))

    def _value_axis(self, painter: QPainter) -> None:
        area = self.frame.area
        metrics = QFontMetricsF(painter.font())
        grid, text = QPen(QColor(self.theme.line), 1), QColor(self.theme.muted)
        for value, label in self.scale.ticks(max(2, int(area.height() / _TICK_PIXELS))):
            y = round(self._y(value, self.scale)) + 0.5
            painter.setPen(grid)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(text)
            height = metrics.height()
            top = min(max(y - height / 2, area.top() - 2), area.bottom() - height + 4)
            box = QRectF(0, top, area.left() - 7, height)
            painter.drawText(box, int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value), label)

    def _right_axis(self, painter: QPainter, scale: ValueScale) -> None:
        """Its own round values; the grid is that of the left one."""
        area = self.frame.area
        height = QFontMetricsF(painter.font()).height()
        for value, label in scale.ticks(max(2, int(area.height() / _TICK_PIXELS))):
            y = round(self._y(value, scale)) + 0.5
            painter.setPen(QPen(QColor(self.theme.edge), 1))
            painter.drawLine(QPointF(area.right(), y), QPointF(area.right() + 3, y))
            painter.setPen(QColor(self.theme.muted))
            top = min(max(y - height / 2, area.top() - 2), area.bottom() - height + 4)
            box = QRectF(area.right() + 6, top, 200, height)
            painter.drawText(box, int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value), label)

    def _time_axis(self, painter: QPainter) -> None:
        area = self.frame.area
        most = max(1, int(area.width() / _TIME_TICK_PIXELS))
        metrics = QFontMetricsF(painter.font())
        plain, strong = QPen(QColor(self.theme.line), 1), QPen(QColor(self.theme.edge), 1)
        dated, taken = False, -math.inf  # right end of the label before
        for tick in time_ticks(self.frame.since_us, self.frame.until_us, most):
            x = round(self.frame.x_of(tick.at_us)) + 0.5
            painter.setPen(strong if tick.strong else plain)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + (4 if self.shows_time else 0)))
            if not self.shows_time:
                continue
            label = tick.label
            if self.shows_date and not dated and not tick.strong:
                label = f"{day_label(tick.at_us)}, {label}"
            dated = True
            width = metrics.horizontalAdvance(label)
            left = min(max(x - width / 2, area.left() - 8), area.right() + RIGHT_PIXELS - width - 2)
            if left < taken + _LABEL_ROOM_PIXELS:
                continue  # it would run into the one before
            taken = left + width
            painter.setPen(QColor(self.theme.text if tick.strong else self.theme.muted))
            painter.drawText(QPointF(left, area.bottom() + metrics.ascent() + 5), label)

    def _curve(self, painter: QPainter, layer: Layer, ratio: float) -> None:
        shape, style = layer.shape, layer.style
        x = self._device_x(shape.x_us, ratio)
        y = self._device_y(shape.value, ratio, layer.scale)
        if shape.bar_us:
            base = self._y(max(0.0, layer.scale.low), layer.scale) * ratio
            right = self._device_x(shape.x_us + shape.bar_us, ratio)
            some = shape.value > 0
            paint_bars(painter, x[some], right[some], y[some], base, style.colour)
            return
        paint_lone_points(painter, x, y, shape.joined, style.colour, ratio)
        if layer.marker >= 0 and len(x):
            marked = marked_points(shape.x_us, self.frame.since_us, self.frame.until_us, self.frame.area.width())
            paint_markers(painter, x[marked], y[marked], layer.marker, style.colour, self.theme.surface, ratio)
        if shape.thin is None or not shape.thin.any():
            layer.item.paint(painter, x, y, shape.joined, style.colour, style.dash, ratio)
            return
        layer.item.paint(painter, x, y, shape.joined & shape.thin, style.colour, _FEW_DASH, ratio)
        layer.item.paint(painter, x, y, shape.joined & ~shape.thin, style.colour, style.dash, ratio)

    def _hours(self, painter: QPainter, layer: Layer, band: HourBand, ratio: float) -> None:
        """Each hour as a step: its mean on an area from minimum to maximum."""
        ends = np.column_stack((self._device_x(band.since_us, ratio), self._device_x(band.until_us, ratio))).ravel()
        low, high, mean = (
            self._device_y(np.repeat(one, 2), ratio, layer.scale) for one in (band.low, band.high, band.mean)
        )
        joined = np.ones(len(ends), bool)
        for run in band.runs:
            some = slice(2 * run.start, 2 * run.stop)
            paint_area(painter, ends[some], low[some], high[some], layer.style.colour)
            joined[some.stop - 1] = False
        layer.item.paint(painter, ends, mean, joined, layer.style.colour, layer.style.dash, ratio)

    def _tell_hours(self, painter: QPainter) -> None:
        """The word for it, where it has room."""
        spans = [layer.shape.hourly for layer in self.layers if layer.shape.hourly is not None]
        if not spans:
            return
        area = self.frame.area
        left = max(area.left(), self.frame.x_of(min(since for since, _ in spans)))
        right = min(area.right(), self.frame.x_of(max(until for _, until in spans)))
        text = QCoreApplication.translate("TimePlot", "hourly values")
        metrics = QFontMetricsF(painter.font())
        if right - left < metrics.horizontalAdvance(text) + 8:
            return
        box = QRectF(left + 2, area.top() + 1, metrics.horizontalAdvance(text) + 6, metrics.height())
        painter.fillRect(box, QColor(self.theme.surface))
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter.value), text)

    def _device_x(self, at_us: Int64, ratio: float) -> np.ndarray:
        area = self.frame.area
        factor = area.width() * ratio / (self.frame.until_us - self.frame.since_us)
        return (at_us - self.frame.since_us) * factor + area.left() * ratio

    def _device_y(self, value: Float64, ratio: float, scale: ValueScale) -> np.ndarray:
        area = self.frame.area
        factor = (area.height() - FLOOR_PIXELS) * ratio / (scale.high - scale.low)
        return (area.bottom() - FLOOR_PIXELS) * ratio - (value - scale.low) * factor

    def _y(self, value: float, scale: ValueScale) -> float:
        return y_of(self.frame.area, scale, value)


def y_of(area: QRectF, scale: ValueScale, value: float) -> float:
    """The pixel of a value."""
    height = area.height() - FLOOR_PIXELS
    return area.bottom() - FLOOR_PIXELS - (value - scale.low) * height / (scale.high - scale.low)


def value_at(area: QRectF, scale: ValueScale, y: float) -> float:
    """The value of a pixel."""
    height = area.height() - FLOOR_PIXELS
    return scale.low + (area.bottom() - FLOOR_PIXELS - y) * (scale.high - scale.low) / height


def marked_points(x_us: Int64, since_us: int, until_us: int, width: float) -> Int64:
    """Places of points that bear a marker: by the clock, so that markers move on with their curve."""
    step = max(1, round((until_us - since_us) * MARKER_EVERY_PIXELS / max(width, 1.0)))
    at = np.searchsorted(x_us, np.arange(-(-since_us // step) * step, until_us, step))
    at = at[at < len(x_us)]
    return at[np.diff(at, prepend=-1) > 0]


def plot_area(
    width: float, height: float, left: float, shows_time: bool, right: float = RIGHT_PIXELS, top: float = HEADER_PIXELS
) -> QRectF:
    """The rectangle for curves in a widget of that size."""
    bottom = TIME_PIXELS if shows_time else _BOTTOM_PIXELS
    return QRectF(left, top, max(10.0, width - left - right), max(10.0, height - top - bottom))
