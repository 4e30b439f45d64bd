"""The map itself: a row for each agent with its name and its newest value, cells over time, the scale of the colours above."""

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)

from models.domain.heat_queries import Float32
from models.domain.queries import Int64
from widgets.common.tokens import Theme
from widgets.frame.screen_context import ScreenContext
from widgets.heat.cell import Cell, cell_at, cell_text
from widgets.heat.colours import ValueRange, range_of
from widgets.heat.feed import HeatFeed
from widgets.heat.order import newest
from widgets.heat.picture import (
    HEADER_PIXELS,
    LEFT,
    MARGIN,
    Rows,
    paint_cells,
    paint_names,
    paint_scale,
    paint_times,
    paint_values,
)
from widgets.plots.moment import WAY_KEYS, is_click
from widgets.plots.plot_picture import TIME_PIXELS
from widgets.plots.surface import TimeSurface

_MOST_NAME_PIXELS, _NAME_PART = 260, 0.3
_NOTHING = np.zeros(0, np.int64)


class HeatSurface(TimeSurface):
    """Time is chosen as on every plot; the wheel moves through the rows, with Ctrl it zooms. GUI thread."""

    opened = Signal(int)
    """Open the agent of this row of the feed."""
    scrolled = Signal()
    """Other rows are to be seen, or there is room for more or fewer."""
    row_changed = Signal()
    """Another row is at hand, or pointed at."""
    copy_wanted = Signal()
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
        self._range_of: tuple[Float32, Int64, int, int] = feed.value, self.rows, 0, 0  # what `_values` was found in
        self._newest = np.zeros(0, np.float32)
        self.row_pixels = 18
        self.setMinimumHeight(HEADER_PIXELS + TIME_PIXELS + 2 * self.row_pixels)

    # ------------------------------------------------------------ rows

    def set_rows(self, rows: Int64) -> None:
        """List these; the row that is at hand stays so."""
        hand = int(self.rows[self.at_hand]) if 0 <= self.at_hand < len(self.rows) else -1
        self.rows = rows
        found = np.flatnonzero(rows == hand)
        self.at_hand = int(found[0]) if len(found) else -1
        self._pointed = self._pointed if self._pointed < len(rows) else -1
        self._newest = newest(self._feed.value[rows]) if len(rows) else np.zeros(0, np.float32)
        self.scroll_to(self._top)
        self.data_changed()
        self.placed.emit()  # their names may be longer or shorter

    @property
    def top(self) -> int:
        """Pixels of the list above what is seen."""
        return self._top

    @property
    def room(self) -> int:
        """Pixels that rows are seen on."""
        return max(self.row_pixels, self.height() - HEADER_PIXELS - TIME_PIXELS)

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
        inside = HEADER_PIXELS <= y < min(self._frame.area.bottom(), self.height())
        place = int(y - HEADER_PIXELS + self._top) // self.row_pixels if inside else -1
        return place if place < len(self.rows) else -1

    @property
    def cell(self) -> Cell | None:
        """Of the row that is pointed at, else of the one at hand, where the cursor stands."""
        place, at_us = self._pointed if self._pointed >= 0 else self.at_hand, self._cursor_here()
        if not 0 <= place < len(self.rows) or at_us is None:
            return None
        return cell_at(self._feed, int(self.rows[place]), at_us)

    def cell_text(self) -> str:
        """Agent, time and value of it; empty: nothing is pointed at."""
        found = self.cell
        return "" if found is None else cell_text(self._feed, found, self._frame.until_us)

    # ------------------------------------------------------------ painting

    def own_margins(self) -> tuple[float, float]:
        metrics = QFontMetricsF(self.font())
        names = self._feed.subject.names if self._feed.subject is not None else ()
        longest = metrics.horizontalAdvance(max(names, key=len, default="")) * 1.1  # of the most letters, about
        left = min(longest + 2 * MARGIN, _MOST_NAME_PIXELS, self.width() * _NAME_PART)
        return left, metrics.horizontalAdvance("1023.9 MiB/s") + 8

    def _area(self) -> QRectF:
        self.row_pixels = max(16, math.ceil(QFontMetricsF(self.font()).height()) + 2)
        left, right = self.margins()
        return QRectF(left, HEADER_PIXELS, max(10.0, self.width() - left - right), self.room)

    def _seen(self) -> tuple[slice, Rows]:
        """Which places of the list are seen, and where."""
        first = self._top // self.row_pixels
        last = min(len(self.rows), -(-(self._top + self.room) // self.row_pixels))
        names = self._feed.subject.names if self._feed.subject is not None else ()
        some = [names[row] for row in self.rows[first:last].tolist()] if names else []
        top = HEADER_PIXELS + first * self.row_pixels - self._top
        chosen = self.at_hand - first if first <= self.at_hand < last else -1
        return slice(first, last), Rows(top, self.row_pixels, some, chosen)

    def _paint_picture(self, painter: QPainter, _ratio: float) -> None:
        theme, frame, feed = self._theme.theme, self._frame, self._feed
        self._find_range()
        places, rows = self._seen()
        painter.save()
        painter.setClipRect(self._rows_box())
        if self._values is not None and rows.names:
            value = feed.value[self.rows[places]]
            paint_cells(painter, frame, rows, value, feed.first_us, feed.step_us, self._values, theme)
        paint_names(painter, frame, rows, self.width(), theme)
        painter.restore()
        paint_times(painter, frame, self.width(), theme)

    def _rows_box(self) -> QRectF:
        return QRectF(0, HEADER_PIXELS, self.width(), self.room)

    def _find_range(self) -> None:
        """Of all listed rows in the time that is seen: not again for every step of a scroll."""
        feed, frame = self._feed, self._frame
        low = max(0, (frame.since_us - feed.first_us) // feed.step_us)
        high = max(low, -(-(frame.until_us - feed.first_us) // feed.step_us))
        value, rows, *span = self._range_of
        if value is not feed.value or rows is not self.rows or span != [low, high]:
            self._range_of = feed.value, self.rows, low, high
            self._values = (
                None if feed.subject is None else range_of(feed.value[self.rows, low:high], feed.subject.unit)
            )

    def _paint_header(self, painter: QPainter, at_us: int | None) -> None:
        """Above, what is pointed at, and what the colours stand for; at the right the values where the cursor stands, else the
        newest."""
        theme, subject, found = self._theme.theme, self._feed.subject, self.cell
        end = self.width() - 6.0
        if subject is not None and self._values is not None:
            marked = math.nan if found is None else found.value
            end = paint_scale(painter, self._values, subject.unit, self.tr("no data"), marked, end, theme)
            places, rows = self._seen()
            painter.save()
            painter.setClipRect(self._rows_box())
            value = self._newest[places] if at_us is None else self._values_at(self.rows[places], at_us)
            paint_values(
                painter, rows, value.tolist(), subject.unit, self.width(), theme.text if at_us is None else theme.accent
            )
            self._paint_pointed(painter, theme)
            if at_us is not None:  # the cursor's line is seen on any colour
                x = round(self._frame.x_of(at_us)) + 0.5
                painter.setPen(QPen(QColor(theme.surface), 3))
                painter.drawLine(QPointF(x, HEADER_PIXELS), QPointF(x, self._frame.area.bottom()))
            painter.restore()
        text = QFontMetricsF(self.font()).elidedText(self.cell_text(), Qt.TextElideMode.ElideMiddle, end - 2 * MARGIN)
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(MARGIN, 0, end - MARGIN, HEADER_PIXELS), LEFT, text)

    def _values_at(self, rows: Int64, at_us: int) -> Float32:
        step = (at_us - self._feed.first_us) // self._feed.step_us
        inside = 0 <= step < self._feed.value.shape[1]
        return self._feed.value[rows, step] if inside else np.full(len(rows), np.nan, np.float32)

    def _paint_pointed(self, painter: QPainter, theme: Theme) -> None:
        place = self._pointed if self._pointed >= 0 else self.at_hand
        if place >= 0:
            y, area = HEADER_PIXELS + place * self.row_pixels - self._top, self._frame.area
            painter.setPen(QPen(QColor(theme.text), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(area.left() - 0.5, y + 0.5, area.width() + 1, self.row_pixels))

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

    def copy(self) -> None:
        """Have what is listed on the clipboard."""
        self.copy_wanted.emit()

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
