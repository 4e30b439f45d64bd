"""What lies over time and is drawn often: a widget with a frame in time, moved by gestures, crossed by the shared cursor."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)  # fmt: skip
from PySide6.QtWidgets import QToolTip, QWidget

from models.domain.quantity import format_time
from widgets.common.drawn_widget import DrawnWidget
from widgets.common.frame_clock import FrameClock
from widgets.common.plain import tooltip_text
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.plots.frame import Frame
from widgets.plots.gestures import Gestures


class TimeSurface(DrawnWidget):
    """Draws on the frame clock into a pixmap; pointer and cursor only paint over it. A hidden one does nothing.

    Who derives from it tells the area for the picture and paints it. GUI thread.
    """

    placed = Signal()
    """It was shown, hidden or resized, or needs other margins."""

    def __init__(
        self,
        frame_clock: FrameClock,
        time_range: TimeRangeModel,
        cursor: TimeCursor,
        theme: ThemeHolder,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(frame_clock, theme, parent)
        self._range, self._cursor = time_range, cursor
        self._gestures = Gestures(time_range, cursor)
        self._shows_time = True
        self._kept_margins = (0.0, 0.0)
        self._pixmap: QPixmap | None = None
        self._stale = True
        self._frame = Frame(QRectF(0, 0, 10, 10), 0, 1)
        self.setMouseTracking(True)
        time_range.changed.connect(self._range_changed)
        cursor.moved.connect(self._cursor_moved)

    # ------------------------------------------------------------ for who derives from it

    def _area(self) -> QRectF:
        """Where the picture lies."""
        raise NotImplementedError

    def own_margins(self) -> tuple[float, float]:
        """Room that it needs at the left and at the right of the picture."""
        return 0.0, 0.0

    def _paint_picture(self, painter: QPainter, ratio: float) -> None:
        """Paint it for `_frame`; a logical pixel has `ratio` device pixels."""
        raise NotImplementedError

    def _paint_header(self, painter: QPainter, at_us: int | None) -> None:
        """What stands above it; `at_us`: where the cursor is."""

    def tooltip_at(self, at: QPointF) -> str:  # noqa: ARG002 - who has nothing to tell
        """Plain text about what lies there; empty: nothing to tell."""
        return ""

    # ------------------------------------------------------------ drawing

    @property
    def frame(self) -> Frame:
        """Area and time span as last drawn."""
        return self._frame

    @property
    def span(self) -> tuple[int, int]:
        """Beginning and end of what was drawn last."""
        return self._frame.since_us, self._frame.until_us

    def set_shows_time(self, shows: bool) -> None:
        """Only the lowest of several labels the time."""
        self._shows_time = shows
        self.data_changed()

    def keep_margins(self, left: float, right: float) -> None:
        """Leave so much room beside the picture, or what it needs where that is more (`Alignment`)."""
        if (left, right) != self._kept_margins:
            self._kept_margins = left, right
            self.data_changed()

    def margins(self) -> tuple[float, float]:
        """At the left and at the right of the picture."""
        own, kept = self.own_margins(), self._kept_margins
        return max(own[0], kept[0]), max(own[1], kept[1])

    @Slot()
    def data_changed(self) -> None:
        """There is something new to draw, soon."""
        self._stale = True
        super().data_changed()

    def draw(self) -> None:
        """As in `Drawable`: paints now, so that the frame clock knows what it cost."""
        self._render()
        self.repaint()

    def _render(self) -> None:
        self._stale = False
        ratio = self.devicePixelRatioF()
        size = QSize(round(self.width() * ratio), round(self.height() * ratio))
        if self._pixmap is None or self._pixmap.size() != size or self._pixmap.devicePixelRatioF() != ratio:
            self._pixmap = QPixmap(size)
            self._pixmap.setDevicePixelRatio(ratio)
        self._frame = self._frame_now(self._area())
        self._pixmap.fill(QColor(self._theme.theme.surface))
        painter = QPainter(self._pixmap)
        try:  # a painter that an exception leaves open takes the process down
            painter.setFont(self.font())
            self._paint_picture(painter, ratio)
        finally:
            painter.end()

    def _frame_now(self, area: QRectF) -> Frame:
        """The range on this area; while live it moves on by whole pixels, so that lines move and do not shimmer."""
        now = self._range.current()
        until = now.until_us
        if now.live:
            pixel_us = max(1, now.span_us // max(1, round(area.width())))
            until = -(-until // pixel_us) * pixel_us
        return Frame(area, until - now.span_us, until)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._pixmap is None or self._pixmap.deviceIndependentSize().toSize() != self.size():
            self._render()
        elif self._stale:  # something came while it was scrolled out of sight
            self._clock.mark_dirty(self)
        assert self._pixmap is not None
        painter = QPainter(self)
        try:  # as above
            painter.drawPixmap(0, 0, self._pixmap)
            self._paint_over(painter)
        finally:
            painter.end()

    def _paint_over(self, painter: QPainter) -> None:
        """Header, cursor, selection, focus."""
        theme, area = self._theme.theme, self._frame.area
        at_us = self._cursor_here()
        self._paint_header(painter, at_us)
        if at_us is not None:
            x = round(self._frame.x_of(at_us)) + 0.5
            painter.setPen(QPen(QColor(theme.muted), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            if self._shows_time:
                self._paint_cursor_time(painter, x, at_us)
        chosen = self._gestures.selection(self._frame)
        if chosen is not None:
            tint = QColor(theme.accent)
            tint.setAlpha(40)
            painter.fillRect(chosen, tint)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.drawRect(QRectF(area.left() - 0.5, area.top() - 0.5, area.width() + 1, area.height() + 1))

    def _paint_cursor_time(self, painter: QPainter, x: float, at_us: int) -> None:
        theme, area = self._theme.theme, self._frame.area
        pixel_us = (self._frame.until_us - self._frame.since_us) / max(1.0, area.width())
        text = format_time(at_us, None, self._frame.until_us, digits=3 if pixel_us < 500_000 else 0)
        metrics = QFontMetricsF(self.font())
        width = metrics.horizontalAdvance(text) + 10
        left = min(max(x - width / 2, 0), self.width() - width)
        box = QRectF(left, area.bottom() + 1, width, metrics.height() + 2)
        painter.fillRect(box, QColor(theme.raised))
        painter.setPen(QColor(theme.text))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter.value), text)

    # ------------------------------------------------------------ time range, cursor, events

    def _cursor_here(self) -> int | None:
        at_us = self._cursor.time_us
        return at_us if at_us is not None and self._frame.since_us <= at_us <= self._frame.until_us else None

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        self.data_changed()

    @Slot(object)
    def _cursor_moved(self, _time_us: object) -> None:
        if self.isVisible():
            self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.placed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.placed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.placed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.DevicePixelRatioChange):
            self._pixmap = None
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._gestures.press(self._frame, event.position(), event.button(), event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._gestures.move(self._frame, event.position())
        if self._gestures.dragging:
            self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._gestures.release(self._frame)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._frame.area.contains(event.position()):
            self._gestures.live()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        if notches and self._frame.area.contains(event.position()):
            self._gestures.wheel(self._frame, event.position().x(), notches)
            event.accept()
        else:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._gestures.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._gestures.key(self._frame, event.key(), event.modifiers()):
            super().keyPressEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tooltip_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), tooltip_text(text), self) if text else QToolTip.hideText()
            return True
        return super().event(event)
