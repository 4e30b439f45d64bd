"""The line above a plot: its title, then for each curve how it is drawn, its name and its value. Painted, not laid out:
values change many times a second."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from widgets.common.plain import visible
from widgets.common.tokens import SeriesStyle, Theme

_SWATCH_PIXELS = 16
_GAP_PIXELS = 14
_NAME_LIMIT = 200


class Entry(NamedTuple):
    """`name` may be outside text; `value` is formatted."""

    name: str
    value: str
    style: SeriesStyle
    tooltip: str


class PlacedEntry(NamedTuple):
    box: QRectF
    entry: Entry


def paint_header(
    painter: QPainter, box: QRectF, title: str, entries: Sequence[Entry], theme: Theme
) -> list[PlacedEntry]:
    """Paint title and entries into `box`; gives where each entry stands, for tooltips. What has no room is left out."""
    bold = QFont(painter.font())
    bold.setBold(True)
    plain = painter.font()
    flags = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
    painter.setFont(bold)
    painter.setPen(QColor(theme.text))
    bold_metrics = QFontMetricsF(bold)
    shown_title = bold_metrics.elidedText(title, Qt.TextElideMode.ElideRight, box.width() * 0.5)
    painter.drawText(box, flags, shown_title)
    painter.setFont(plain)
    metrics = QFontMetricsF(plain)
    x = box.left() + bold_metrics.horizontalAdvance(shown_title) + _GAP_PIXELS
    placed = []
    for entry in entries:
        room = (box.right() - x) if len(entries) == 1 else max(60.0, (box.right() - x) / 2)
        name = metrics.elidedText(visible(entry.name, _NAME_LIMIT), Qt.TextElideMode.ElideMiddle, room)
        name_width = metrics.horizontalAdvance(name) + (5 if name else 0)
        width = _SWATCH_PIXELS + 5 + name_width + metrics.horizontalAdvance(entry.value)
        if x + width > box.right():
            break
        _paint_swatch(painter, QPointF(x, box.center().y()), entry.style)
        left = x + _SWATCH_PIXELS + 5
        painter.setPen(QColor(theme.muted))
        painter.drawText(QRectF(left, box.top(), name_width + 1, box.height()), flags, name)
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(left + name_width, box.top(), box.right() - left, box.height()), flags, entry.value)
        placed.append(PlacedEntry(QRectF(x, box.top(), width, box.height()), entry))
        x += width + _GAP_PIXELS
    return placed


def _paint_swatch(painter: QPainter, at: QPointF, style: SeriesStyle) -> None:
    pen = QPen(QColor(style.colour), 2)
    if style.dash:
        pen.setDashPattern([part / 2 for part in style.dash])
    painter.setPen(pen)
    painter.drawLine(at, QPointF(at.x() + _SWATCH_PIXELS, at.y()))
