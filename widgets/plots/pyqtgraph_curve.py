"""The one module that knows pyqtgraph: a curve item that paints itself in device pixels. GUI thread.

We paint into a pixmap of our own instead of pyqtgraph's graphics scene: scene, view box and axes cost 1.3 ms a frame and
12 ms when they repaint themselves, the same curves in a pixmap 0.3 ms (four curves of 600 points).
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from models.domain.queries import Float64
from widgets.plots.curves import Flags

_LONE_POINT_PIXELS = 3
_MOST_SMOOTH_POINTS = 1_200
"""Soft edges cost as much again twice, and a denser curve is an area of pixels anyway."""
_AREA_ALPHA = 70
_SHARP = 1.5
"""Device pixels per logical one from which steps are too small to be seen."""


@cache
def load() -> Any:
    """The library, imported with the first curve: it takes half a second that the first paint of a window cannot spare.
    Call it when the window is idle."""
    import pyqtgraph

    return pyqtgraph


class CurveItem:
    """Paints one curve. Lines are one logical pixel wide: `scale` device pixels."""

    def __init__(self) -> None:
        self._item: Any = load().PlotCurveItem(skipFiniteCheck=True, antialias=False)

    def paint(
        self, painter: QPainter, x: Float64, y: Float64, joined: Flags, colour: str, dash: Iterable[float], scale: float
    ) -> None:
        """Paint the lines between joined points."""
        if not joined.any():
            return
        pen = QPen(QColor(colour), 1.0)
        pen.setCosmetic(True)
        dashes = list(dash)
        if dashes:
            pen.setDashPattern([part * scale for part in dashes])
        whole = bool(joined[:-1].all())
        connect = "all" if whole else joined.astype(np.int32)
        self._item.setData(x, y, connect=connect, pen=pen, antialias=False)
        self._item.paint(painter, None, None)
        if (
            not dashes and scale < _SHARP and len(x) <= _MOST_SMOOTH_POINTS
        ):  # a soft edge over the hard line takes its steps away
            self._item.setData(x, y, connect=connect, pen=pen, antialias=True)
            painter.translate(QPointF(0.5, 0.5))
            self._item.paint(painter, None, None)
            painter.translate(QPointF(-0.5, -0.5))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        # a pen wider than one pixel takes another way through Qt that is a hundred times slower on dense curves
        for step in range(1, round(scale)):
            for across, down in ((step, 0), (0, step)):
                painter.translate(across, down)
                self._item.paint(painter, None, None)
                painter.translate(-across, -down)


def paint_lone_points(painter: QPainter, x: Float64, y: Float64, joined: Flags, colour: str, scale: float) -> None:
    """A dot for each point that is joined with none: no line shows it."""
    lone = ~joined
    lone[1:] &= ~joined[:-1]
    if lone.any():
        dot = QPen(QColor(colour), _LONE_POINT_PIXELS * scale)
        dot.setCapStyle(Qt.PenCapStyle.SquareCap)
        painter.setPen(dot)
        painter.drawPoints(load().functions.arrayToQPolygonF(x[lone], y[lone]))


def paint_bars(painter: QPainter, left: Float64, right: Float64, top: Float64, base: float, colour: str) -> None:
    """Bars from `base` up to `top`, a pixel apart; one that is lower than a pixel still shows."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    for begin, end, height in zip(left.tolist(), right.tolist(), top.tolist(), strict=True):
        painter.drawRect(QRectF(begin, min(height, base - 1), max(1.0, end - begin - 1), max(1.0, base - height)))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_area(painter: QPainter, x: Float64, low: Float64, high: Float64, colour: str) -> None:
    """What lies between two lines over the same points, seen through."""
    tint = QColor(colour)
    tint.setAlpha(_AREA_ALPHA)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint)
    there_and_back = np.concatenate((x, x[::-1])), np.concatenate((low, high[::-1]))
    painter.drawPolygon(load().functions.arrayToQPolygonF(*there_and_back))
    painter.setBrush(Qt.BrushStyle.NoBrush)
