"""Bytes of every day as bars, the newest at the right."""

from datetime import UTC, date, datetime

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from models.domain.queries import DayColumns
from widgets.common.numbers import count_text, value_text
from widgets.common.theme import ThemeHolder

_HEIGHT = 92
_MOST_DAYS = 62
_WIDEST, _GAP = 36.0, 3.0
_FOOT = 18


class DayBars(QWidget):
    """Days without anything leave a gap. Says in a tooltip what a bar is. GUI thread."""

    opened = Signal(int)
    """A bar was double-clicked: its place in the columns."""

    def __init__(self, theme: ThemeHolder) -> None:
        super().__init__()
        self._theme = theme
        self._days: DayColumns | None = None
        self._slots: list[tuple[int, int]] = []  # (how many days before the newest, place in the columns)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Size of every day"))
        theme.changed.connect(self.update)

    def show_days(self, days: DayColumns) -> None:
        """Draw these; the last two months of them."""
        self._days = days
        dates = [date_of(at_us) for at_us in days.since_us.tolist()]
        ages = [(dates[-1] - one).days for one in dates]
        self._slots = [(age, place) for place, age in enumerate(ages) if age < _MOST_DAYS]
        if dates:
            largest = value_text(int(days.bytes.max()), "By")
            text = self.tr("{n} days, the largest {size}").replace("{n}", str(len(dates))).replace("{size}", largest)
            self.setAccessibleDescription(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, _HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        days = self._days
        if days is None or not self._slots:
            return
        theme = self._theme.theme
        with QPainter(self) as painter:  # an open one would take the process down
            top = max(1, int(max(days.bytes[place] for _, place in self._slots)))
            for age, place in self._slots:
                bar = self._bar(age)
                height = max(1.0, bar.height() * int(days.bytes[place]) / top)
                bar.setTop(bar.bottom() - height)
                painter.fillRect(bar, QColor(theme.accent if age == 0 else theme.series[0]))
            painter.fillRect(QRectF(0, self.height() - _FOOT, self.width(), 1), QColor(theme.line))
            painter.setPen(QColor(theme.muted))
            foot = QRectF(0, self.height() - _FOOT, self.width(), _FOOT)
            oldest = date_of(int(days.since_us[self._slots[0][1]]))
            newest = date_of(int(days.since_us[self._slots[-1][1]]))
            flags = Qt.AlignmentFlag.AlignVCenter
            oldest_bar = self._bar(self._slots[0][0])
            painter.drawText(foot, flags | Qt.AlignmentFlag.AlignRight, newest.isoformat())
            if self.width() - oldest_bar.left() > 180:
                painter.drawText(foot.adjusted(oldest_bar.left(), 0, 0, 0), flags | Qt.AlignmentFlag.AlignLeft, oldest.isoformat())  # fmt: skip
            painter.drawText(
                QRectF(0, 0, self.width(), _FOOT), flags | Qt.AlignmentFlag.AlignLeft, value_text(top, "By")
            )

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._place_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._told(place) if place >= 0 else "", self)
            return True
        return super().event(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position())
        if place >= 0:
            self.opened.emit(place)

    def _bar(self, age: int) -> QRectF:
        """The whole height of a day's place."""
        span = max(age for age, _ in self._slots) + 1
        wide = min(_WIDEST, self.width() / span)
        right = self.width() - age * wide
        return QRectF(right - wide, _FOOT, max(1.0, wide - _GAP), self.height() - 2 * _FOOT)

    def _place_at(self, where: QPointF) -> int:
        return next(
            (place for age, place in self._slots if self._bar(age).left() <= where.x() < self._bar(age).right()), -1
        )

    def _told(self, place: int) -> str:
        days = self._days
        assert days is not None
        text = self.tr("{day}: {size}, {messages} messages")
        return (
            text.replace("{day}", date_of(int(days.since_us[place])).isoformat())
            .replace("{size}", value_text(int(days.bytes[place]), "By"))
            .replace("{messages}", count_text(int(days.messages[place])))
        )


def date_of(midnight_us: int) -> date:
    """The day that begins then, of this computer's zone. Noon, as a day of 23 hours begins at 0 or at 1."""
    return datetime.fromtimestamp(midnight_us // 1_000_000 + 43_200, UTC).astimezone().date()
