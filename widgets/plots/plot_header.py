"""The lines above a plot: its title, then for each curve how it is drawn, its name and its value. Painted, not laid out:
values change many times a second."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from widgets.common.plain import visible
from widgets.common.tokens import SeriesStyle, Theme
from widgets.plots.curve_markers import paint_markers

LINE_PIXELS = 20
_SWATCH_PIXELS = 16
_GAP_PIXELS = 14
_NAME_LIMIT = 200
_LONGEST_NAME_PIXELS = 260
_USUAL_VALUE = "1023.9 MiB"
_VALUE_STEP_PIXELS = 40


class Entry(NamedTuple):
    """`name` may be outside text; `value` is formatted. `marker` as in `Layer`; `off`: its curve is not drawn just now."""

    name: str
    value: str
    style: SeriesStyle
    tooltip: str
    marker: int = -1
    off: bool = False


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
        width = _entry_width(metrics, name, entry.value)
        if x + width > box.right():
            break
        placed.append(_paint_entry(painter, QRectF(x, box.top(), width, box.height()), name, entry, theme))
        x += width + _GAP_PIXELS
    return placed


class Legend:
    """Names and values of many curves in as many lines as they need, up to a limit; they keep their places while values
    change."""

    def __init__(self, most_lines: int) -> None:
        self.most_lines = most_lines
        self._key: tuple[object, ...] = ()
        self._boxes: list[tuple[QRectF, str]] = []
        self._width = 0.0
        self.lines = 1
        self.left_out = 0

    def lay_out(self, entries: Sequence[Entry], width: float, metrics: QFontMetricsF) -> None:
        """Find places for the entries in lines of that width."""
        rooms = [_value_room(metrics, entry.value) for entry in entries]
        key = (width, metrics.height(), *(entry.name for entry in entries), *rooms)
        if key == self._key:
            return
        self._key, self._boxes, self._width = key, [], width
        x, line = 0.0, 0
        for entry, value_room in zip(entries, rooms, strict=True):
            room = min(_LONGEST_NAME_PIXELS, width / 2)
            name = metrics.elidedText(visible(entry.name, _NAME_LIMIT), Qt.TextElideMode.ElideMiddle, room)
            wide = min(width, _SWATCH_PIXELS + 5 + _name_width(metrics, name) + value_room)
            if x and x + wide > width:
                x, line = 0.0, line + 1
            if line == self.most_lines:
                break
            self._boxes.append((QRectF(x, line * LINE_PIXELS, wide, LINE_PIXELS), name))
            x += wide + _GAP_PIXELS
        self.lines = max(1, min(line + 1, self.most_lines))
        self.left_out = len(entries) - len(self._boxes)

    def paint(self, painter: QPainter, at: QPointF, entries: Sequence[Entry], theme: Theme) -> list[PlacedEntry]:
        """Paint them with their values of now; gives where each stands."""
        placed = [
            _paint_entry(painter, box.translated(at), name, entry, theme)
            for (box, name), entry in zip(self._boxes, entries, strict=False)
        ]
        if self.left_out:
            self._paint_left_out(painter, at, theme)
        return placed

    def _paint_left_out(self, painter: QPainter, at: QPointF, theme: Theme) -> None:
        """How many names have no room, at the end of the last line."""
        text = QCoreApplication.translate("TimePlot", "and {n} more").replace("{n}", str(self.left_out))
        width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 8
        box = QRectF(at.x() + self._width - width, at.y() + (self.lines - 1) * LINE_PIXELS, width, LINE_PIXELS)
        painter.fillRect(box, QColor(theme.surface))
        painter.setPen(QColor(theme.muted))
        painter.drawText(box, int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value), text)


def _value_room(metrics: QFontMetricsF, value: str) -> float:
    """In steps, so that names do not move about while values change."""
    steps = -(-metrics.horizontalAdvance(value) // _VALUE_STEP_PIXELS) * _VALUE_STEP_PIXELS
    return max(metrics.horizontalAdvance(_USUAL_VALUE), steps)


def _entry_width(metrics: QFontMetricsF, name: str, value: str) -> float:
    return _SWATCH_PIXELS + 5 + _name_width(metrics, name) + metrics.horizontalAdvance(value)


def _name_width(metrics: QFontMetricsF, name: str) -> float:
    return metrics.horizontalAdvance(name) + (5 if name else 0)


def _paint_entry(painter: QPainter, box: QRectF, name: str, entry: Entry, theme: Theme) -> PlacedEntry:
    flags = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
    left, name_width = box.left() + _SWATCH_PIXELS + 5, _name_width(QFontMetricsF(painter.font()), name)
    if entry.off:
        plain = painter.font()
        struck = QFont(plain)
        struck.setStrikeOut(True)
        painter.setFont(struck)
        painter.setPen(QColor(theme.muted))
        painter.drawText(QRectF(left, box.top(), name_width + 1, box.height()), flags, name)
        painter.setFont(plain)
        return PlacedEntry(box, entry)
    _paint_swatch(painter, QPointF(box.left(), box.center().y()), entry, theme)
    painter.setPen(QColor(theme.muted))
    painter.drawText(QRectF(left, box.top(), name_width + 1, box.height()), flags, name)
    painter.setPen(QColor(theme.text))
    value_box = QRectF(left + name_width, box.top(), max(1.0, box.right() - left - name_width + 2), box.height())
    painter.drawText(value_box, flags, entry.value)
    return PlacedEntry(box, entry)


def _paint_swatch(painter: QPainter, at: QPointF, entry: Entry, theme: Theme) -> None:
    pen = QPen(QColor(entry.style.colour), 2)
    if entry.style.dash:
        pen.setDashPattern([part / 2 for part in entry.style.dash])
    painter.setPen(pen)
    painter.drawLine(at, QPointF(at.x() + _SWATCH_PIXELS, at.y()))
    if entry.marker >= 0:
        middle = np.array([at.x() + _SWATCH_PIXELS / 2]), np.array([at.y()])
        paint_markers(painter, *middle, entry.marker, entry.style.colour, theme.surface)
