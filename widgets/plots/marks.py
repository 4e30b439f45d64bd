"""Events on a plot: a thin line at their time, a shape on top that tells their kind without colour, a tooltip."""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from widgets.common.tokens import Theme

SHAPE_PIXELS = 4
_NEAR_PIXELS = 5
_MOST_NAMED = 6


class MarkKind(IntEnum):
    """Ordered so that of several events on one pixel the most important one is drawn."""

    NOTE = 0
    CARRIED = 1
    RESET = 2
    ONLINE = 3
    STOPPED = 4
    UNKNOWN = 5
    LATE = 6
    FAILED_ATTEMPT = 7
    DEGRADED = 8
    OFFLINE = 9


class Mark(NamedTuple):
    """`text` is plain and says what happened, without the time."""

    at_us: int
    kind: MarkKind
    text: str


class Band(NamedTuple):
    """A stretch that history does not cover, with the reason in words."""

    since_us: int
    until_us: int
    text: str


_TONES = {
    MarkKind.NOTE: "muted",
    MarkKind.CARRIED: "muted",
    MarkKind.RESET: "accent",
    MarkKind.ONLINE: "online",
    MarkKind.STOPPED: "stopped",
    MarkKind.UNKNOWN: "unknown",
    MarkKind.LATE: "late",
    MarkKind.FAILED_ATTEMPT: "error",
    MarkKind.DEGRADED: "degraded",
    MarkKind.OFFLINE: "offline",
}
_DOWN = ((-1, -1), (1, -1), (0, 1))
_UP = ((0, -1), (1, 1), (-1, 1))
_DIAMOND = ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0))
_SQUARE = ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9))
_CROSS = ((-1, -0.5), (-0.5, -1), (0, -0.5), (0.5, -1), (1, -0.5), (0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5), (-0.5, 1), (-1, 0.5), (-0.5, 0))  # fmt: skip
_HOURGLASS = ((-1, -1), (1, -1), (0, 0), (1, 1), (-1, 1), (0, 0))
_OUTLINES: dict[MarkKind, tuple[tuple[float, float], ...]] = {
    MarkKind.NOTE: _SQUARE,
    MarkKind.CARRIED: _HOURGLASS,
    MarkKind.RESET: _DIAMOND,
    MarkKind.ONLINE: _UP,
    MarkKind.STOPPED: _SQUARE,
    MarkKind.UNKNOWN: _DIAMOND,
    MarkKind.LATE: _HOURGLASS,
    MarkKind.FAILED_ATTEMPT: _CROSS,
    MarkKind.DEGRADED: _UP,
    MarkKind.OFFLINE: _DOWN,
}
_HOLLOW = {MarkKind.DEGRADED, MarkKind.UNKNOWN, MarkKind.CARRIED, MarkKind.NOTE}


class PlacedMark(NamedTuple):
    """One line on the plot; several events that fall on nearly the same pixel share it."""

    x: float
    kind: MarkKind
    marks: tuple[Mark, ...]


def place_marks(
    marks: Iterable[Mark], since_us: int, until_us: int, width: float, apart: float = 3.0
) -> list[PlacedMark]:
    """The events of a window with their pixel from its left edge, those closer than `apart` pixels together."""
    placed: list[PlacedMark] = []
    for mark in sorted(marks, key=lambda one: one.at_us):
        if not since_us <= mark.at_us < until_us:
            continue
        x = (mark.at_us - since_us) * width / (until_us - since_us)
        if placed and x - placed[-1].x < apart:
            last = placed[-1]
            placed[-1] = PlacedMark(last.x, max(last.kind, mark.kind), (*last.marks, mark))
        else:
            placed.append(PlacedMark(x, mark.kind, (mark,)))
    return placed


def paint_marks(painter: QPainter, placed: Sequence[PlacedMark], top: float, bottom: float, theme: Theme) -> None:
    """Lines and shapes, in logical pixels; the painter's origin is the plot's left edge."""
    for one in placed:
        colour = QColor(getattr(theme, _TONES[one.kind]))
        faint = QColor(colour)
        faint.setAlphaF(0.55)
        painter.setPen(QPen(faint, 1, Qt.PenStyle.DotLine))
        x = round(one.x) + 0.5
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        paint_shape(painter, one.kind, QPointF(x, top), colour, theme)


def paint_shape(painter: QPainter, kind: MarkKind, at: QPointF, colour: QColor, theme: Theme) -> None:
    """The shape of a kind, centred."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1))
    painter.setBrush(QColor(theme.surface) if kind in _HOLLOW else colour)
    painter.drawPolygon(
        QPolygonF([QPointF(at.x() + SHAPE_PIXELS * x, at.y() + SHAPE_PIXELS * y) for x, y in _OUTLINES[kind]])
    )
    painter.restore()


def near(placed: Sequence[PlacedMark], x: float) -> PlacedMark | None:
    """The line next to pixel `x`, when the pointer is as good as on it."""
    close = [one for one in placed if abs(one.x - x) <= _NEAR_PIXELS]
    return min(close, key=lambda one: abs(one.x - x)) if close else None


def named(placed: PlacedMark) -> tuple[tuple[Mark, ...], int]:
    """The events to name in a tooltip, and how many more there are."""
    return placed.marks[:_MOST_NAMED], max(0, len(placed.marks) - _MOST_NAMED)
