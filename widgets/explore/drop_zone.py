"""Where something that is dragged over a panel would go: into it, or beside it."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from models.domain.layouts.layout import Side
from widgets.common.theme import ThemeHolder

_EDGE = 0.22
"""This part of width and height on each side means: beside the panel."""


def side_at(at: QPointF, width: float, height: float, *, inside: bool) -> Side | None:
    """None: into the panel, where `inside` is possible at all; else the nearest side."""
    nearness = {
        Side.LEFT: at.x() / max(width, 1.0),
        Side.RIGHT: 1 - at.x() / max(width, 1.0),
        Side.ABOVE: at.y() / max(height, 1.0),
        Side.BELOW: 1 - at.y() / max(height, 1.0),
    }
    nearest = min(nearness, key=lambda side: nearness[side])
    return None if inside and nearness[nearest] > _EDGE else nearest


class DropHint(QWidget):
    """Lies over a panel while something is dragged across it."""

    def __init__(self, theme: ThemeHolder, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._over = theme, parent
        self._side: Side | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_side(self, side: Side | None) -> None:
        """It would go there."""
        self._side = side
        self.setGeometry(self._over.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        whole = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        half = {
            None: whole,
            Side.LEFT: QRectF(whole.left(), whole.top(), whole.width() / 2, whole.height()),
            Side.RIGHT: QRectF(whole.center().x(), whole.top(), whole.width() / 2, whole.height()),
            Side.ABOVE: QRectF(whole.left(), whole.top(), whole.width(), whole.height() / 2),
            Side.BELOW: QRectF(whole.left(), whole.center().y(), whole.width(), whole.height() / 2),
        }[self._side]
        with QPainter(self) as painter:  # an open one would take the process down
            colour = QColor(self._theme.theme.accent)
            painter.setPen(colour)
            colour.setAlpha(50)
            painter.setBrush(colour)
            painter.drawRect(half)
