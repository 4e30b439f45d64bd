"""How the line between two is drawn, and the legend that says so."""

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from widgets.common.numbers import duration_text, value_text
from widgets.common.theme import Theme
from widgets.flow.pairs import FAILS_FROM, SLOW_FROM_US, Pair

_SAMPLE = 28
_GAP = 18


class LineLook(NamedTuple):
    """`tone`: of the theme; `dashes` in widths of the line, none: it is whole."""

    tone: str
    dashes: tuple[float, ...] = ()


WELL, FAILING, SLOW = LineLook("muted"), LineLook("error", (3, 2)), LineLook("warning", (1.2, 2))


def look_of(pair: Pair) -> LineLook:
    """The worst that is so of it."""
    if pair.ratio is not None and pair.ratio >= FAILS_FROM:
        return FAILING
    return SLOW if pair.p95_us is not None and pair.p95_us >= SLOW_FROM_US else WELL


def pen_of(look: LineLook, colour: QColor, width: float) -> QPen:
    """Of that width, in pixels."""
    pen = QPen(colour, width)
    if look.dashes:
        pen.setDashPattern(look.dashes)
    return pen


def draw_legend(painter: QPainter, theme: Theme, foot: QRectF) -> None:
    """Along the left of this strip; what finds no room is left out."""
    translate = QCoreApplication.translate
    failing = translate("FlowLegend", "{share} or more fail").replace("{share}", value_text(FAILS_FROM, "1"))
    slow = translate("FlowLegend", "p95 of replies {time} or more").replace("{time}", duration_text(SLOW_FROM_US))
    font, x = QFontMetricsF(painter.font()), foot.left()
    for look, width, text in (
        (FAILING, 2.0, failing),
        (SLOW, 2.0, slow),
        (WELL, 4.0, translate("FlowLegend", "thicker: they talk more")),
    ):
        wide = font.horizontalAdvance(text) + 2
        if x + _SAMPLE + 6 + wide > foot.right():
            return
        painter.setPen(pen_of(look, QColor(getattr(theme, look.tone)), width))
        painter.drawLine(QPointF(x, foot.center().y()), QPointF(x + _SAMPLE, foot.center().y()))
        painter.setPen(QColor(theme.muted))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(x + _SAMPLE + 6, foot.top(), wide, foot.height()), flags, text)
        x += _SAMPLE + 6 + wide + _GAP
