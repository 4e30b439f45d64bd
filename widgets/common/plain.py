"""Text from outside (agent names, topics, payloads) shown as what it is: plain, on one line, nothing hidden."""

import unicodedata

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyleOption, QWidget

VISIBLE_LIMIT = 2_000
_HIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters by category, but nothing is drawn for them."""

_ESCAPED = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), 127)} | {
    code: f"\\u{code:04x}" for code in (0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
}


def visible(text: str, limit: int = VISIBLE_LIMIT) -> str:
    """The text with control, bidi and zero-width characters as escapes and a newline as ⏎, cut with … at `limit`."""
    cut = len(text) > limit
    if cut:
        text = text[: limit - 1]
    if not text.isprintable() or not _BLANK_LETTERS.isdisjoint(text):
        text = "".join(map(_shown, text.replace("\r\n", "\n")))
    return f"{text}…" if cut else text


def _shown(character: str) -> str:
    if character == "\n":
        return "⏎"
    if character == "\t":
        return "\\t"
    if unicodedata.category(character) not in _HIDDEN_CATEGORIES and character not in _BLANK_LETTERS:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible_lines(text: str) -> str:
    """A text of several lines: newlines stay; everything that hides or turns text is shown as an escape."""
    return text.encode(errors="backslashreplace").decode().translate(_ESCAPED)


def tooltip_text(text: str) -> str:
    """Text for `setToolTip`, which reads what looks like markup as markup: escaped where it would."""
    return QtText.convertFromPlainText(text) if QtText.mightBeRichText(text) else text


class PlainLabel(QLabel):
    """A line of outside text: never markup, elided at its end, whole in the tooltip when cut."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(24)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show this text, made visible. Use it instead of `setText`."""
        shown = visible(text)
        if shown != self._whole:
            self._whole = shown
            self.setText(shown)
            self._explain()

    def sizeHint(self) -> QSize:
        margins = self.contentsMargins()
        metrics = QFontMetrics(self.font())
        width = metrics.horizontalAdvance(self._whole) + margins.left() + margins.right() + 2
        return QSize(width, metrics.height() + margins.top() + margins.bottom() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        option = QStyleOption()
        option.initFrom(self)
        area = self.contentsRect()
        text = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, area.width())
        flags = int((self.alignment() | Qt.AlignmentFlag.AlignVCenter).value)
        with QPainter(self) as painter:
            self.style().drawItemText(
                painter, area, flags, option.palette, self.isEnabled(), text, self.foregroundRole()
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._explain()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()
            self._explain()

    def _explain(self) -> None:
        room = self.contentsRect().width()
        cut = self.fontMetrics().horizontalAdvance(self._whole) > room
        self.setToolTip(tooltip_text(self._whole) if cut else "")
