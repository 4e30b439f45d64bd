"""A picture of what is seen that can be read elsewhere: with a title, and with the time that it is of."""

from datetime import UTC, datetime

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

from models.domain.quantity import format_time
from widgets.common.tokens import Theme

_MARGIN_PIXELS = 10
_GAP_PIXELS = 2


def captioned(seen: QPixmap, title: str, detail: str, font: QFont, theme: Theme) -> QPixmap:
    """What is seen below two lines of words, at the same number of device pixels to a logical one. GUI thread."""
    bold = QFont(font)
    bold.setBold(True)
    strong, plain = QFontMetricsF(bold), QFontMetricsF(font)
    top = round(strong.height() + plain.height() + _GAP_PIXELS + 1.4 * _MARGIN_PIXELS)
    ratio, size = seen.devicePixelRatio(), seen.deviceIndependentSize()
    whole = QPixmap(seen.width(), seen.height() + round(top * ratio))
    whole.setDevicePixelRatio(ratio)
    whole.fill(QColor(theme.surface))
    painter = QPainter(whole)
    try:  # a painter that an exception leaves open takes the process down
        room = size.width() - 2 * _MARGIN_PIXELS
        lines = (
            (title, bold, strong, theme.text, 0.0),
            (detail, font, plain, theme.muted, strong.height() + _GAP_PIXELS),
        )
        for text, face, metrics, colour, down in lines:
            painter.setFont(face)
            painter.setPen(QColor(colour))
            box = QRectF(_MARGIN_PIXELS, 0.7 * _MARGIN_PIXELS + down, room, metrics.height())
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft.value), shown)
        painter.drawPixmap(QPointF(0, top), seen)
    finally:
        painter.end()
    return whole


def span_caption(since_us: int, until_us: int) -> str:
    """From when to when, in this computer's time, and how that differs from UTC."""
    offset = datetime.fromtimestamp(until_us / 1e6, UTC).astimezone().strftime("%z")
    zone = f"UTC{offset[:3]}:{offset[3:5]}" if offset != "+0000" else "UTC"
    return f"{format_time(since_us)} – {format_time(until_us, now_us=since_us)} {zone}"
