"""Painting of a heat-map: cells, names, times, and the scale of its colours. GUI thread."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QImage, QPainter, QPen

from models.domain.heat_queries import Float32
from widgets.common.numbers import value_text
from widgets.common.tokens import Theme
from widgets.heat.colours import ValueRange, colour_places, place_of, ramp
from widgets.plots.frame import Frame
from widgets.plots.time_axis import day_label, time_ticks

HEADER_PIXELS = 24
MARGIN = 10.0
_RAMP_PIXELS, _BOX_PIXELS = 110, 10.0
_TICK_PIXELS = 92
LEFT = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
RIGHT = int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value)


class Rows(NamedTuple):
    """The rows that are seen: the first begins at `top`; `chosen` among them is at hand (-1: none)."""

    top: float
    height: int
    names: Sequence[str]
    chosen: int


def hatch(theme: Theme) -> QBrush:
    """What stands where nothing was measured: never a colour of the scale."""
    return QBrush(QColor(theme.edge), Qt.BrushStyle.BDiagPattern)


def paint_cells(
    painter: QPainter, frame: Frame, rows: Rows, value: Float32, since_us: int, step_us: int, values: ValueRange, theme: Theme
) -> None:  # fmt: skip
    """Cells of these rows, from `since_us` on."""
    area, height, steps = frame.area, len(rows.names) * rows.height, value.shape[1]
    painter.save()
    painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
    painter.fillRect(QRectF(area.left(), rows.top, area.width(), height), hatch(theme))
    if steps:
        pixels = np.where(np.isnan(value), np.uint32(0), ramp(theme)[colour_places(value, values)])
        pixels = np.ascontiguousarray(pixels, np.uint32)
        image = QImage(pixels.data, steps, len(rows.names), 4 * steps, QImage.Format.Format_ARGB32)
        left, right = frame.x_of(since_us), frame.x_of(since_us + steps * step_us)
        painter.drawImage(QRectF(left, rows.top, right - left, height), image)
    painter.setPen(QPen(QColor(theme.surface), 1))
    for place in range(len(rows.names)):
        y = rows.top + place * rows.height + 0.5
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
    painter.restore()


def paint_names(painter: QPainter, frame: Frame, rows: Rows, width: float, theme: Theme) -> None:
    """At the left; the row at hand stands on another ground."""
    area, metrics = frame.area, QFontMetricsF(painter.font())
    for place, name in enumerate(rows.names):
        y = rows.top + place * rows.height
        if place == rows.chosen:
            painter.fillRect(QRectF(0, y, area.left(), rows.height), QColor(theme.selection))
            painter.fillRect(QRectF(area.right(), y, width - area.right(), rows.height), QColor(theme.selection))
        painter.setPen(QColor(theme.selection_text if place == rows.chosen else theme.text))
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, area.left() - MARGIN - 8)
        painter.drawText(QRectF(MARGIN, y, area.left(), rows.height), LEFT, shown)


def paint_values(
    painter: QPainter, rows: Rows, value: Sequence[float], unit: str, width: float, colour: str
) -> None:  # fmt: skip
    """At the right, a figure for each row."""
    painter.setPen(QColor(colour))
    for place, one in enumerate(value):
        painter.drawText(
            QRectF(0, rows.top + place * rows.height, width - 6, rows.height), RIGHT, value_text(one, unit)
        )


def paint_times(painter: QPainter, frame: Frame, width: float, theme: Theme) -> None:
    """The axis below."""
    area, metrics = frame.area, QFontMetricsF(painter.font())
    base = area.bottom() + metrics.ascent() + 3
    for tick in time_ticks(frame.since_us, frame.until_us, max(2, int(area.width() / _TICK_PIXELS))):
        x = round(frame.x_of(tick.at_us)) + 0.5
        painter.setPen(QPen(QColor(theme.edge), 1))
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))
        painter.setPen(QColor(theme.muted))
        wide = metrics.horizontalAdvance(tick.label)
        painter.drawText(QPointF(min(max(x - wide / 2, area.left()), width - wide), base), tick.label)
    painter.setPen(QColor(theme.muted))
    painter.drawText(QPointF(MARGIN, base), day_label(frame.since_us))


def paint_scale(
    painter: QPainter, values: ValueRange, unit: str, nothing: str, marked: float, right: float, theme: Theme
) -> float:  # fmt: skip
    """What the colours stand for, up to the pixel `right`; `nothing` says what hatched means, `marked` is a value to point at
    (NaN: none). Answers where it begins."""
    metrics = QFontMetricsF(painter.font())
    top = (HEADER_PIXELS - _BOX_PIXELS) / 2
    painter.setPen(QColor(theme.muted))

    def word(text: str, x: float) -> float:
        x -= metrics.horizontalAdvance(text)
        painter.drawText(QRectF(x, 0, right, HEADER_PIXELS), LEFT, text)
        return x - 5

    box = QRectF(word(nothing, right) - 1.6 * _BOX_PIXELS, top, 1.6 * _BOX_PIXELS, _BOX_PIXELS)
    painter.fillRect(box, hatch(theme))
    painter.drawRect(box)
    high = value_text(values.high, unit)
    bar = QRectF(
        word(f"≥ {high}" if values.beyond else high, box.left() - 14) - _RAMP_PIXELS, top, _RAMP_PIXELS, _BOX_PIXELS
    )
    colours = np.ascontiguousarray(ramp(theme))
    painter.drawImage(bar, QImage(colours.data, len(colours), 1, 4 * len(colours), QImage.Format.Format_ARGB32))
    painter.drawRect(bar)
    begin = word(value_text(values.low, unit), bar.left() - 5)
    if not math.isnan(share := place_of(marked, values)):
        at = bar.left() + share * bar.width()
        painter.setPen(QPen(QColor(theme.text), 2))
        painter.drawLine(QPointF(at, bar.top() - 4), QPointF(at, bar.bottom() + 4))
    return begin
