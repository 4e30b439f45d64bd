"""Colours, figures and their scale, as the matrix is painted in."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QLinearGradient, QPainter

from models.domain.quantity import MISSING
from widgets.common.numbers import duration_text, value_text
from widgets.common.tokens import Theme, contrast
from widgets.flow.matrix import Float32, Matrix, Measure
from widgets.heat.colours import ValueRange, colour_places, ramp

_DARK, _PALE = "#000000", "#ffffff"
_BAR = 10
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class MatrixInk:
    """Of one theme."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._ramp = ramp(theme)
        hexes = [f"#{int(one) & 0xFFFFFF:06x}" for one in self._ramp]
        self._inks = [_DARK if contrast(one, _DARK) > contrast(one, _PALE) else _PALE for one in hexes]

    def picture(
        self,
        matrix: Matrix,
        seen: npt.NDArray[np.intp],
        corner: tuple[int, int],
        size: tuple[int, int],
        values: ValueRange | None,
    ) -> QImage:
        """A pixel for each cell: `size` rows and columns from `corner` on, of which these pairs are `seen`."""
        cells = np.full(size, _pixel(self.theme.surface), np.uint32)
        figures = matrix.value[seen]
        colours = np.full(len(seen), _pixel(self.theme.gap), np.uint32)
        if values is not None:
            colours = np.where(np.isnan(figures), colours, self._ramp[colour_places(figures, values)])
        cells[matrix.row[seen] - corner[0], matrix.column[seen] - corner[1]] = colours
        image = QImage(cells.data, size[1], size[0], 4 * size[1], QImage.Format.Format_RGB32)
        return image.copy()  # the pixels of the first end with this function

    def inks(self, figures: Float32, values: ValueRange | None) -> list[str]:
        """What can be read on the colours of these figures."""
        if values is None:
            return [self.theme.muted] * len(figures)
        unknown = np.isnan(figures).tolist()
        places = colour_places(figures, values).tolist()
        return [self.theme.muted if none else self._inks[place] for none, place in zip(unknown, places, strict=True)]

    def paint_scale(self, painter: QPainter, box: QRect, measure: Measure, values: ValueRange | None) -> None:
        """What colours and marks mean, in a corner."""
        font = QFontMetrics(painter.font())
        painter.setPen(QColor(self.theme.muted))
        left = Qt.AlignmentFlag.AlignLeft
        painter.drawText(box, left, translate("MatrixView", "↓ asks   → is asked"))
        if values is None:
            return
        bar = QRect(box.left(), box.top() + font.height() + 6, box.width() - 8, _BAR)
        gradient = QLinearGradient(QPointF(bar.topLeft()), QPointF(bar.topRight()))
        for step in range(0, 256, 51):
            gradient.setColorAt(step / 255, QColor.fromRgb(int(self._ramp[step]) & 0xFFFFFF))
        painter.fillRect(bar, gradient)
        low, high = figure_text(measure, values.low), figure_text(measure, values.high)
        below = QRect(bar.left(), bar.bottom() + 4, bar.width(), font.height())
        painter.drawText(below, left, low)
        more = translate("MatrixView", "{figure} and more") if values.beyond else "{figure}"
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, more.replace("{figure}", high))
        painter.drawText(below.translated(0, font.height() + 6), left, translate("MatrixView", "◤ fails often"))


def figure_text(measure: Measure, value: float) -> str:
    """As it stands in a cell."""
    if np.isnan(value):
        return MISSING
    if measure is Measure.RATE:
        return value_text(value)
    return value_text(value, "1") if measure is Measure.FAILED else duration_text(round(value * 1e6))


def _pixel(colour: str) -> np.uint32:
    return np.uint32(int(colour[1:], 16) | 0xFF000000)
