"""Small shapes on a curve and on its name: what tells curves apart where colour does not."""

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from models.domain.queries import Float64

MARKER_PIXELS = 3.2
_ROUND = tuple((float(np.cos(angle)), float(np.sin(angle))) for angle in np.linspace(0, 2 * np.pi, 13)[:-1])
_SQUARE = ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9))
_UP = ((0.0, -1.2), (1.1, 0.9), (-1.1, 0.9))
_DIAMOND = ((0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0))
_DOWN = ((0.0, 1.2), (1.1, -0.9), (-1.1, -0.9))
_FORMS = (_ROUND, _SQUARE, _UP, _DIAMOND, _DOWN)


def paint_markers(
    painter: QPainter, x: Float64, y: Float64, marker: int, colour: str, ground: str, scale: float = 1.0
) -> None:
    """Marker number `marker` at each point; five forms, filled first, then hollow ones (`ground` within)."""
    turn, form = divmod(marker, len(_FORMS))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), scale) if turn % 2 else Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground if turn % 2 else colour))
    size = MARKER_PIXELS * scale
    outline = [(size * across, size * down) for across, down in _FORMS[form]]
    for left, top in zip(x.tolist(), y.tolist(), strict=True):
        painter.drawPolygon(QPolygonF([QPointF(left + across, top + down) for across, down in outline]))
    painter.restore()
