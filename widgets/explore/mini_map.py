"""The whole of history in a line below the panels: what is there, what is missing, and which part of it is shown."""

from enum import Enum, auto

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Slot
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from models.domain.quantity import format_time
from models.domain.queries import DayColumns, Failed, GapsRequest, GapsResult, Result, StoreRequest, StoreResult, Ticket
from widgets.common.plain import tooltip_text
from widgets.frame.screen_context import ScreenContext
from widgets.plots.series_feed import NO_GAPS
from widgets.plots.time_axis import time_ticks

HEIGHT = 40
_REFRESH_MS = 30_000
_SECOND_MS = 1_000
_EDGE_PIXELS = 5
_LEAST_FRAME_PIXELS = 6
_MARGIN = 10
_BAR_PIXELS = 20
_TICK_PIXELS = 110
_LEAST_US = 1_000_000
_DAY_US = 86_400_000_000
_STEP = 1.25


class _Drag(Enum):
    NONE = auto()
    FRAME = auto()
    SINCE = auto()
    UNTIL = auto()


class MiniMap(QWidget):
    """The frame is dragged to move what is shown, its edges to show more or less; a click elsewhere brings it there, a double
    click shows everything. While hidden it asks for nothing. GUI thread."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self._source, self._range, self._theme, self._clock = (
            context.source,
            context.times,
            context.themes,
            context.clock,
        )
        self._tickets: list[Ticket] = []
        self._first_us = 0
        self._days: DayColumns | None = None
        self._gaps = NO_GAPS
        self._asked_us = 0
        self._drag, self._grabbed, self._moved = _Drag.NONE, (0.0, 0, 0), False
        self.setFixedHeight(HEIGHT)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("All of history"))
        self._tick = QTimer(self, interval=_SECOND_MS)
        self._tick.timeout.connect(self._time_passed)
        self._again = QTimer(self, interval=_REFRESH_MS)
        self._again.timeout.connect(self.refresh)
        context.times.changed.connect(self._time_passed)
        context.themes.changed.connect(self.update)

    @Slot()
    def refresh(self) -> None:
        """Ask again what there is."""
        if self.isVisible() and not self._tickets:
            self._asked_us = self._clock.wall_us()
            self._tickets = [self._source.ask(one, self._take) for one in (StoreRequest(), GapsRequest())]

    def _take(self, result: Result | Failed) -> None:
        self._tickets = self._tickets[1:]  # a failure is told by the panels above
        if isinstance(result, StoreResult):
            self._first_us, self._days = result.first_us, result.days
        elif isinstance(result, GapsResult):
            self._gaps = result.gaps
        self._time_passed()

    # ------------------------------------------------------------ places

    @property
    def whole(self) -> tuple[int, int]:
        """From the first thing that is held to now, and at least what is shown."""
        shown, now_us = self._range.current(), self._clock.wall_us()
        first = self._first_us or shown.since_us
        return min(first, now_us - _LEAST_US), now_us

    def x_of(self, at_us: int) -> float:
        """The pixel of a moment, within the line."""
        since, until = self.whole
        x = _MARGIN + (at_us - since) * (self.width() - 2 * _MARGIN) / (until - since)
        return min(max(x, float(_MARGIN)), self.width() - float(_MARGIN))

    def _time_of(self, x: float) -> int:
        since, until = self.whole
        return since + round((x - _MARGIN) * (until - since) / max(1, self.width() - 2 * _MARGIN))

    def frame(self) -> QRectF:
        """Around what is shown; never too small to be taken hold of."""
        shown = self._range.current()
        left, right = self.x_of(shown.since_us), self.x_of(shown.until_us)
        if right - left < _LEAST_FRAME_PIXELS:
            middle = min(max((left + right) / 2, _MARGIN + 3.0), self.width() - _MARGIN - 3.0)
            left, right = middle - _LEAST_FRAME_PIXELS / 2, middle + _LEAST_FRAME_PIXELS / 2
        return QRectF(left, 2, right - left, _BAR_PIXELS)

    # ------------------------------------------------------------ painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme.theme, QPainter(self)
        try:  # a painter that an exception leaves open takes the process down
            painter.fillRect(self.rect(), QColor(theme.window))
            since, until = self.whole
            line = QRectF(_MARGIN, 2, self.width() - 2 * _MARGIN, _BAR_PIXELS)
            painter.fillRect(line, QColor(theme.raised))
            if self._first_us:
                self._paint_data(painter, line)
            self._paint_gaps(painter, since)
            self._paint_times(painter, since, until)
            tint = QColor(theme.accent)
            tint.setAlpha(60)
            painter.fillRect(self.frame(), tint)
            painter.setPen(QPen(QColor(theme.accent), 2 if self.hasFocus() else 1))
            painter.drawRect(self.frame())
        finally:
            painter.end()

    def _paint_data(self, painter: QPainter, line: QRectF) -> None:
        """How much came each day; history of a day or two is one even band."""
        colour = QColor(self._theme.theme.series[0])
        colour.setAlpha(120)
        since, until = self.whole
        if self._days is None or until - since < 3 * _DAY_US or not len(self._days.messages):
            painter.fillRect(QRectF(line.left(), line.bottom() - 8, line.width(), 8), colour)
            return
        most = max(1, int(self._days.messages.max()))
        for day_us, messages in zip(self._days.since_us.tolist(), self._days.messages.tolist(), strict=True):
            left, right = self.x_of(day_us), self.x_of(day_us + _DAY_US)
            height = max(2.0, (line.height() - 4) * messages / most)
            painter.fillRect(QRectF(left, line.bottom() - height, max(1.0, right - left), height), colour)

    def _paint_gaps(self, painter: QPainter, since: int) -> None:
        """Stretches that concern everybody."""
        gaps, colour = self._gaps, QColor(self._theme.theme.window)
        every = np.flatnonzero((gaps.agent == 0) & (gaps.until_us > since))
        for begin, end in zip(gaps.since_us[every].tolist(), gaps.until_us[every].tolist(), strict=True):
            goes_on = end >= self._asked_us - _LEAST_US
            left, right = self.x_of(begin), self.x_of(self.whole[1] if goes_on else end)
            painter.fillRect(QRectF(left, 2, max(1.0, right - left), _BAR_PIXELS), colour)

    def _paint_times(self, painter: QPainter, since: int, until: int) -> None:
        theme, metrics = self._theme.theme, QFontMetricsF(self.font())
        taken = 0.0
        for tick in time_ticks(since, until, max(1, int(self.width() / _TICK_PIXELS))):
            x, width = self.x_of(tick.at_us), metrics.horizontalAdvance(tick.label)
            left = min(max(x - width / 2, 2.0), self.width() - width - 2)
            painter.setPen(QPen(QColor(theme.edge), 1))
            painter.drawLine(QPointF(x, 2 + _BAR_PIXELS), QPointF(x, 5 + _BAR_PIXELS))
            if left >= taken:
                painter.setPen(QColor(theme.muted))
                painter.drawText(QPointF(left, HEIGHT - metrics.descent() - 1), tick.label)
                taken = left + width + 8

    @Slot()
    def _time_passed(self) -> None:
        if self.isVisible():
            shown, (since, until) = self._range.current(), self.whole
            text = self.tr("From {first} to {last}; shown: {since} to {until}")
            for place, at_us in zip(
                ("first", "last", "since", "until"), (since, until, shown.since_us, shown.until_us), strict=True
            ):
                text = text.replace("{" + place + "}", format_time(at_us))
            self.setAccessibleDescription(text)
            self.setToolTip(tooltip_text(text))
            self.update()

    # ------------------------------------------------------------ mouse and keys

    def _grip(self, at: QPointF) -> _Drag:
        frame = self.frame()
        if frame.width() > 4 * _EDGE_PIXELS:
            if abs(at.x() - frame.left()) <= _EDGE_PIXELS:
                return _Drag.SINCE
            if abs(at.x() - frame.right()) <= _EDGE_PIXELS:
                return _Drag.UNTIL
        return _Drag.FRAME if frame.adjusted(-2, 0, 2, 0).contains(at) else _Drag.NONE

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._moved = False
        grip, shown = self._grip(event.position()), self._range.current()
        if grip is _Drag.NONE:  # bring the frame here, and drag it on
            middle = self._time_of(event.position().x())
            self._show(middle - shown.span_us // 2, middle + shown.span_us // 2)
            grip, shown = _Drag.FRAME, self._range.current()
        self._drag, self._grabbed = grip, (event.position().x(), shown.since_us, shown.until_us)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is _Drag.NONE:
            edge = self._grip(event.position()) in (_Drag.SINCE, _Drag.UNTIL)
            self.setCursor(Qt.CursorShape.SizeHorCursor if edge else Qt.CursorShape.ArrowCursor)
            return
        start, since, until = self._grabbed
        shift = self._time_of(event.position().x()) - self._time_of(start)
        if self._drag is not _Drag.UNTIL:
            since += shift
        if self._drag is not _Drag.SINCE:
            until += shift
        self._show(min(since, until - _LEAST_US) if self._drag is _Drag.SINCE else since, max(until, since + _LEAST_US))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._drag = _Drag.NONE

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self._moved = False
        self._show(*self.whole)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if notches := event.angleDelta().y() / 120:
            self._zoom(_STEP**-notches)
            event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shown = self._range.current()
        step = shown.span_us // (2 if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 10)
        match event.key():
            case Qt.Key.Key_Left:
                self._show(shown.since_us - step, shown.until_us - step)
            case Qt.Key.Key_Right:
                self._show(shown.since_us + step, shown.until_us + step)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._zoom(1 / _STEP)
            case Qt.Key.Key_Minus:
                self._zoom(_STEP)
            case Qt.Key.Key_Home:
                self._range.resume()
            case Qt.Key.Key_A:
                self._moved = False
                self._show(*self.whole)
            case _:
                super().keyPressEvent(event)

    def _zoom(self, factor: float) -> None:
        shown = self._range.current()
        middle, half = (shown.since_us + shown.until_us) // 2, max(_LEAST_US, round(shown.span_us * factor)) // 2
        self._show(middle - half, middle + half)

    def _show(self, since_us: int, until_us: int) -> None:
        """A step of a movement: the way back leads to where it began."""
        self._range.zoom(since_us, until_us, remember=not self._moved)
        self._moved = True

    def focusOutEvent(self, event: object) -> None:
        self._moved = False
        super().focusOutEvent(event)  # type: ignore[arg-type] # always an event

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tick.start()
        self._again.start()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tick.stop()
        self._again.stop()
        for ticket in self._tickets:
            ticket.cancel()
        self._tickets = []
