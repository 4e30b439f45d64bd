"""The map itself: a row for each agent with its name and its newest value, cells over time, the scale of the colours above."""

import math
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)

from models.domain.quantity import format_time
from models.domain.queries import Int64
from widgets.common.numbers import count_text, value_text
from widgets.common.tokens import Theme
from widgets.frame.screen_context import ScreenContext
from widgets.heat.colours import ValueRange, colour_places, ramp, range_of
from widgets.heat.feed import HeatFeed
from widgets.heat.order import newest
from widgets.plots.moment import WAY_KEYS, is_click
from widgets.plots.plot_picture import TIME_PIXELS
from widgets.plots.surface import TimeSurface
from widgets.plots.time_axis import day_label, time_ticks

_HEADER_PIXELS = 24
_RAMP_PIXELS = 110
_TICK_PIXELS = 92
_MOST_NAME_PIXELS, _NAME_PART = 260, 0.3
_LEFT = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
_RIGHT = int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value)
_NOTHING = np.zeros(0, np.int64)


class Cell(NamedTuple):
    """What lies under a pointer: a row of the feed and a step of it; `value` NaN: nothing was measured."""

    row: int
    since_us: int
    until_us: int
    value: float
    n: int


class HeatSurface(TimeSurface):
    """Time is chosen as on every plot; the wheel moves through the rows, with Ctrl it zooms. GUI thread."""

    opened = Signal(int)
    """Open the agent of this row of the feed."""
    scrolled = Signal()
    """Other rows are to be seen, or there is room for more or fewer."""
    row_changed = Signal()
    """Another row is at hand, or pointed at."""
    moment_wanted = Signal(object)
    """Show what happened (`Way`) where the cursor stands."""

    def __init__(self, context: ScreenContext, feed: HeatFeed) -> None:
        super().__init__(context.frames, context.times, context.cursor, context.themes)
        self._feed = feed
        self.rows: Int64 = _NOTHING
        """Of the feed, as they are listed."""
        self.at_hand = -1
        """Place in the list; -1: none."""
        self._pointed = -1
        self._top = 0  # pixels above what is seen
        self._pressed: QPointF | None = None
        self._values: ValueRange | None = None
        self._newest = np.zeros(0, np.float32)
        self.row_pixels = 18
        self.setMinimumHeight(_HEADER_PIXELS + TIME_PIXELS + 2 * self.row_pixels)

    # ------------------------------------------------------------ rows

    def set_rows(self, rows: Int64) -> None:
        """List these; the row that is at hand stays so."""
        hand = int(self.rows[self.at_hand]) if 0 <= self.at_hand < len(self.rows) else -1
        self.rows = rows
        found = np.flatnonzero(rows == hand)
        self.at_hand = int(found[0]) if len(found) else -1
        self._pointed = -1
        self._newest = newest(self._feed.value[rows]) if len(rows) else np.zeros(0, np.float32)
        self.scroll_to(self._top)
        self.data_changed()

    @property
    def top(self) -> int:
        """Pixels of the list above what is seen."""
        return self._top

    @property
    def room(self) -> int:
        """Pixels that rows are seen on."""
        return max(self.row_pixels, self.height() - _HEADER_PIXELS - TIME_PIXELS)

    @property
    def furthest(self) -> int:
        return max(0, len(self.rows) * self.row_pixels - self.room)

    def scroll_to(self, top: int) -> None:
        """Have so many pixels of the list above what is seen."""
        top = min(max(0, top), self.furthest)
        if top != self._top:
            self._top = top
            self.data_changed()
        self.scrolled.emit()

    def take_in_hand(self, place: int) -> None:
        """Take a row of the list in hand, and bring it into sight."""
        if not len(self.rows):
            return
        self.at_hand = min(max(0, place), len(self.rows) - 1)
        at = self.at_hand * self.row_pixels
        self.scroll_to(min(max(self._top, at + self.row_pixels - self.room), at))
        self.data_changed()
        self.row_changed.emit()

    def place_at(self, y: float) -> int:
        """Place of the row that is seen there; -1: none is."""
        inside = _HEADER_PIXELS <= y < min(self._frame.area.bottom(), self.height())
        place = int(y - _HEADER_PIXELS + self._top) // self.row_pixels if inside else -1
        return place if place < len(self.rows) else -1

    @property
    def cell(self) -> Cell | None:
        """Of the row that is pointed at, else of the one at hand, where the cursor stands."""
        place, at_us = self._pointed if self._pointed >= 0 else self.at_hand, self._cursor_here()
        if not 0 <= place < len(self.rows) or at_us is None:
            return None
        feed, row = self._feed, int(self.rows[place])
        step = (at_us - feed.first_us) // feed.step_us
        since_us = feed.first_us + step * feed.step_us
        inside = 0 <= step < feed.value.shape[1]
        value, n = (float(feed.value[row, step]), int(feed.n[row, step])) if inside else (math.nan, 0)
        return Cell(row, since_us, since_us + feed.step_us, value, n)

    def cell_text(self) -> str:
        """Agent, time and value of it; empty: nothing is pointed at."""
        found, subject = self.cell, self._feed.subject
        if found is None or subject is None:
            return ""
        since, until = (
            format_time(found.since_us, None, self._frame.until_us),
            format_time(found.until_us, None, found.since_us),
        )
        value = self.tr("no data") if math.isnan(found.value) else value_text(found.value, subject.unit)
        n = f" (n {count_text(found.n)})" if found.n else ""
        return f"{subject.names[found.row]} · {since} – {until} · {value}{n}"

    # ------------------------------------------------------------ painting

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(self.font())
        self.row_pixels = max(16, math.ceil(metrics.height()) + 2)
        left = min(_MOST_NAME_PIXELS, self.width() * _NAME_PART)
        right = metrics.horizontalAdvance("1023.9 MiB/s") + 8
        return QRectF(left, _HEADER_PIXELS, max(10.0, self.width() - left - right), self.room)

    def _paint_picture(self, painter: QPainter, _ratio: float) -> None:
        theme, area, feed = self._theme.theme, self._frame.area, self._feed
        self._values = None if feed.subject is None else range_of(self._seen_values(), feed.subject.unit)
        first = self._top // self.row_pixels
        last = min(len(self.rows), -(-(self._top + self.room) // self.row_pixels))
        begin = area.top() + first * self.row_pixels - self._top
        painter.save()
        painter.setClipRect(QRectF(0, area.top(), self.width(), area.height()))
        if self._values is not None and last > first:
            self._paint_cells(painter, self.rows[first:last], begin, self._values)
        self._paint_words(painter, first, last, begin)
        painter.restore()
        self._paint_times(painter, theme)

    def _seen_values(self) -> np.ndarray:
        """Of all listed rows in the time that is seen."""
        feed, frame = self._feed, self._frame
        low = max(0, (frame.since_us - feed.first_us) // feed.step_us)
        high = max(0, -(-(frame.until_us - feed.first_us) // feed.step_us))
        return feed.value[self.rows, low:high] if low < high else np.zeros(0, np.float32)

    def _paint_cells(self, painter: QPainter, rows: Int64, top: float, values: ValueRange) -> None:
        theme, area, feed = self._theme.theme, self._frame.area, self._feed
        height = len(rows) * self.row_pixels
        painter.fillRect(QRectF(area.left(), top, area.width(), height), _hatch(theme))
        value = feed.value[rows]
        pixels = np.where(np.isnan(value), np.uint32(0), ramp(theme)[colour_places(value, values)])
        pixels = np.ascontiguousarray(pixels.astype(np.uint32))
        steps = value.shape[1]
        if not steps:
            return
        image = QImage(pixels.data, steps, len(rows), 4 * steps, QImage.Format.Format_ARGB32)
        left, right = self._frame.x_of(feed.first_us), self._frame.x_of(feed.first_us + steps * feed.step_us)
        painter.save()
        painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
        painter.drawImage(QRectF(left, top, right - left, height), image)
        painter.restore()

    def _paint_words(self, painter: QPainter, first: int, last: int, top: float) -> None:
        theme, area, subject = self._theme.theme, self._frame.area, self._feed.subject
        metrics = QFontMetricsF(self.font())
        if subject is None:
            return
        for place in range(first, last):
            y, row = top + (place - first) * self.row_pixels, int(self.rows[place])
            whole = QRectF(0, y, self.width(), self.row_pixels)
            if place == self.at_hand:
                for box in (QRectF(0, y, area.left(), self.row_pixels), QRectF(area.right(), y, self.width() - area.right(), self.row_pixels)):  # fmt: skip
                    painter.fillRect(box, QColor(theme.selection))
            painter.setPen(QPen(QColor(theme.surface), 1))
            painter.drawLine(QPointF(area.left(), y + 0.5), QPointF(area.right(), y + 0.5))
            painter.setPen(QColor(theme.selection_text if place == self.at_hand else theme.text))
            name = metrics.elidedText(subject.names[row], Qt.TextElideMode.ElideMiddle, area.left() - 16)
            painter.drawText(whole.adjusted(10, 0, 0, 0), _LEFT, name)
            painter.drawText(whole.adjusted(0, 0, -6, 0), _RIGHT, value_text(float(self._newest[place]), subject.unit))

    def _paint_times(self, painter: QPainter, theme: Theme) -> None:
        area, metrics = self._frame.area, QFontMetricsF(self.font())
        most = max(2, int(area.width() / _TICK_PIXELS))
        ticks = time_ticks(self._frame.since_us, self._frame.until_us, most)
        for tick in ticks:
            x = round(self._frame.x_of(tick.at_us)) + 0.5
            painter.setPen(QPen(QColor(theme.edge), 1))
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))
            painter.setPen(QColor(theme.muted))
            width = metrics.horizontalAdvance(tick.label)
            begin = min(max(x - width / 2, area.left()), self.width() - width)
            painter.drawText(QPointF(begin, area.bottom() + metrics.ascent() + 3), tick.label)
        painter.setPen(QColor(theme.muted))
        painter.drawText(QPointF(10, area.bottom() + metrics.ascent() + 3), day_label(self._frame.since_us))

    def _paint_header(self, painter: QPainter, _at_us: int | None) -> None:
        """Here, what is pointed at; at the right, what the colours stand for."""
        theme, subject, values = self._theme.theme, self._feed.subject, self._values
        end = self.width() - 6.0
        if subject is not None and values is not None:
            end = self._paint_scale(painter, values, subject.unit, theme)
        self._paint_pointed(painter, theme)
        metrics = QFontMetricsF(self.font())
        text = self.cell_text()
        painter.setPen(QColor(theme.text))
        text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, end - 20)
        painter.drawText(QRectF(10, 0, end - 10, _HEADER_PIXELS), _LEFT, text)

    def _paint_scale(self, painter: QPainter, values: ValueRange, unit: str, theme: Theme) -> float:
        """Answers where it begins."""
        metrics = QFontMetricsF(self.font())
        high = value_text(values.high, unit)
        words = [self.tr("no data"), f"≥ {high}" if values.beyond else high]
        low = value_text(values.low, unit)
        x = self.width() - 6.0
        painter.setPen(QColor(theme.muted))
        middle, box_pixels = _HEADER_PIXELS / 2, 10.0

        def word(text: str, x: float) -> float:
            x -= metrics.horizontalAdvance(text)
            painter.drawText(QRectF(x, 0, self.width(), _HEADER_PIXELS), _LEFT, text)
            return x - 5

        x = word(words[0], x) - box_pixels * 1.6
        box = QRectF(x, middle - box_pixels / 2, box_pixels * 1.6, box_pixels)
        painter.fillRect(box, _hatch(theme))
        painter.drawRect(box)
        x = word(words[1], x - 14) - _RAMP_PIXELS
        colours = np.ascontiguousarray(ramp(theme))
        image = QImage(colours.data, len(colours), 1, 4 * len(colours), QImage.Format.Format_ARGB32)
        bar = QRectF(x, middle - box_pixels / 2, _RAMP_PIXELS, box_pixels)
        painter.drawImage(bar, image)
        painter.drawRect(bar)
        found = self.cell
        if found is not None and not math.isnan(found.value):
            share = min(max((found.value - values.low) / (values.high - values.low), 0.0), 1.0)
            at = bar.left() + share * bar.width()
            painter.setPen(QPen(QColor(theme.text), 2))
            painter.drawLine(QPointF(at, bar.top() - 4), QPointF(at, bar.bottom() + 4))
            painter.setPen(QColor(theme.muted))
        return word(low, x - 5)

    def _paint_pointed(self, painter: QPainter, theme: Theme) -> None:
        place, area = self._pointed if self._pointed >= 0 else self.at_hand, self._frame.area
        if place < 0:
            return
        y = area.top() + place * self.row_pixels - self._top
        if area.top() - self.row_pixels < y < area.bottom():
            painter.save()
            painter.setClipRect(QRectF(0, area.top(), self.width(), area.height()))
            painter.setPen(QPen(QColor(theme.text), 1))
            painter.drawRect(QRectF(area.left() - 0.5, y + 0.5, area.width() + 1, self.row_pixels))
            painter.restore()

    # ------------------------------------------------------------ mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        self._pressed = event.position() if plain else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().y())
        on_name = place >= 0 and event.position().x() < self._frame.area.left()
        self.setCursor(Qt.CursorShape.PointingHandCursor if on_name else Qt.CursorShape.ArrowCursor)
        if place != self._pointed:
            self._pointed = place
            self.update()
        super().mouseMoveEvent(event)
        self.row_changed.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        place = self.place_at(event.position().y())
        if place >= 0 and is_click(self._pressed, event.position()):
            self.take_in_hand(place)
            self.opened.emit(int(self.rows[place]))
        self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A click has opened the agent."""

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._pointed = -1
        self.update()
        self.row_changed.emit()

    @property
    def is_pointed_at(self) -> bool:
        return self._pointed >= 0

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        elif event.pixelDelta().y() or event.angleDelta().y():
            by = event.pixelDelta().y() or round(event.angleDelta().y() / 120 * 3 * self.row_pixels)
            self.scroll_to(self._top - by)
            event.accept()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(1, self.room // self.row_pixels - 1)
        moves = {
            Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page,
        }  # fmt: skip
        key, ctrl = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        way = WAY_KEYS.get(key) if not event.modifiers() else None
        if key in moves:
            self.take_in_hand(self.at_hand + moves[key] if self.at_hand >= 0 else self._top // self.row_pixels)
        elif ctrl and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.take_in_hand(0 if key == Qt.Key.Key_Home else len(self.rows) - 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and 0 <= self.at_hand < len(self.rows):
            self.opened.emit(int(self.rows[self.at_hand]))
        elif way is not None:
            self.moment_wanted.emit(way)
        else:
            super().keyPressEvent(event)
            self.row_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scroll_to(self._top)


def _hatch(theme: Theme) -> QBrush:
    """What stands where nothing was measured: never a colour of the scale."""
    return QBrush(QColor(theme.line), Qt.BrushStyle.BDiagPattern)
