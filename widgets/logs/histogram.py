"""How many records came when, stacked by level. Drag over it to look at that stretch alone."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from models.domain.quantity import format_time
from models.domain.queries import LogSummaryResult
from models.domain.records import Level
from widgets.common.numbers import count_text
from widgets.common.plain import tooltip_text
from widgets.common.theme import ThemeHolder
from widgets.common.words import level_word
from widgets.frame.time_range import TimeCursor
from widgets.notes.book import AnnotationBook
from widgets.plots.frame import Frame
from widgets.plots.marks import Band
from widgets.plots.notes import NoteLayer
from widgets.plots.time_axis import time_ticks

_HEIGHT = 84
_FOOT, _HEAD, _SIDE = 17, 13, 8
_LEAST_DRAG = 4
_TICK_PIXELS = 110
_MOST_NAMED = 3


class LogHistogram(QWidget):
    """`zoomed` tells of a stretch that was dragged over, µs UTC. GUI thread."""

    zoomed = Signal(object, object)

    def __init__(self, theme: ThemeHolder, cursor: TimeCursor, book: AnnotationBook) -> None:
        super().__init__()
        self._theme, self._cursor = theme, cursor
        self._notes = NoteLayer(book)
        self._notes.show_agents(None)
        book.changed.connect(self._notes_changed)
        self._result: LogSummaryResult | None = None
        self._gaps: Sequence[Band] = ()
        self._from: float | None = None
        self._to = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Records over time"))
        self.setCursor(Qt.CursorShape.CrossCursor)
        theme.changed.connect(self.update)
        cursor.moved.connect(self._cursor_moved)

    def sizeHint(self) -> QSize:
        return QSize(400, _HEIGHT)

    def show_result(self, result: LogSummaryResult | None, gaps: Sequence[Band] = ()) -> None:
        """Draw these counts; None: nothing is known yet. `gaps`: stretches that history does not cover, where no bar does not
        mean that nobody logged."""
        self._result, self._gaps = result, gaps
        if result is not None:
            levels = [self._level_text(level, int(result.counts[:, level].sum())) for level in reversed(Level)]
            total = self.tr("{n} records").replace("{n}", count_text(int(result.counts.sum())))
            told = [
                self._gap_text(one) for one in self._gaps_in(result, result.request.since_us, result.request.until_us)
            ]
            self.setAccessibleDescription(", ".join([total, *filter(None, levels), *told[:_MOST_NAMED]]))
        self.update()

    @staticmethod
    def _level_text(level: Level, n: int) -> str:
        return f"{level_word(level)} {count_text(n)}" if n else ""

    # ------------------------------------------------------------ painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:  # an open one would take the process down
            theme, area = self._theme.theme, self._area()
            painter.fillRect(self.rect(), QColor(theme.surface))
            result = self._result
            if result is not None and len(result.counts):
                self._notes.paint_stretches(painter, self._frame(result, area), theme)
                self._paint_bars(painter, area, result)
                self._paint_times(painter, area, result)
                self._notes.paint_flags(painter, self._frame(result, self._head()), theme)
            painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), QColor(theme.line))
            if self._from is not None:
                veil = QColor(theme.accent)
                veil.setAlpha(60)
                painter.fillRect(QRectF(QPointF(self._from, 0), QPointF(self._to, area.bottom())).normalized(), veil)
            elif result is not None and self._cursor.time_us is not None:
                x = self._x_of(self._cursor.time_us, area, result)
                if area.left() <= x <= area.right():
                    painter.fillRect(QRectF(x, 0, 1, area.bottom()), QColor(theme.muted))

    def _paint_bars(self, painter: QPainter, area: QRectF, result: LogSummaryResult) -> None:
        theme, counts = self._theme.theme, result.counts
        heights = counts.sum(axis=1)
        top = max(1, int(heights.max()))
        wide = area.width() / len(counts)
        request = result.request
        for gap in self._gaps_in(result, request.since_us, request.until_us):
            left, right = (self._x_of(at_us, area, result) for at_us in (gap.since_us, gap.until_us))
            left, right = max(left, area.left()), min(max(right, left + 1), area.right())
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), QColor(theme.gap))
        if not result.complete and result.counted_us > request.since_us:  # what was not looked at yet is no zero
            uncounted = QRectF(area.topLeft(), QPointF(self._x_of(result.counted_us, area, result), area.bottom()))
            painter.fillRect(uncounted, QBrush(QColor(theme.edge), Qt.BrushStyle.BDiagPattern))
        for cell in np.flatnonzero(heights).tolist():
            y = area.bottom()
            for level in reversed(Level):  # the worst at the foot, where it is compared best
                n = int(counts[cell, level])
                if n:
                    height = max(1.0, area.height() * n / top)
                    y -= height
                    bar = QRectF(area.left() + cell * wide, y, max(1.0, wide - (1 if wide > 3 else 0)), height)
                    painter.fillRect(bar, QColor(theme.level(level)))
        if heights.any():
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRectF(area.left(), 0, area.width(), _HEAD), Qt.AlignmentFlag.AlignLeft, count_text(top))

    def _paint_times(self, painter: QPainter, area: QRectF, result: LogSummaryResult) -> None:
        theme, request = self._theme.theme, result.request
        painter.setPen(QColor(theme.muted))
        for tick in time_ticks(request.since_us, request.until_us, max(1, int(area.width()) // _TICK_PIXELS)):
            x = self._x_of(tick.at_us, area, result)
            painter.fillRect(QRectF(x, area.bottom(), 1, 3), QColor(theme.edge))
            box = QRectF(x - _TICK_PIXELS / 2, area.bottom() + 2, _TICK_PIXELS, _FOOT - 2)
            if box.left() >= 0 and box.right() <= self.width():
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tick.label)

    @Slot()
    def _notes_changed(self) -> None:
        self._notes.choose()
        self.update()

    @staticmethod
    def _frame(result: LogSummaryResult, area: QRectF) -> Frame:
        return Frame(area, result.request.since_us, result.request.until_us)

    def _head(self) -> QRectF:
        """Above the bars; annotations have their flags there."""
        area = self._area()
        return QRectF(area.left(), 0, area.width(), _HEAD)

    def _area(self) -> QRectF:
        return QRectF(_SIDE, _HEAD, max(1, self.width() - 2 * _SIDE), max(1, self.height() - _HEAD - _FOOT))

    @staticmethod
    def _x_of(at_us: int, area: QRectF, result: LogSummaryResult) -> float:
        request = result.request
        return area.left() + area.width() * (at_us - request.since_us) / (request.until_us - request.since_us)

    def _time_at(self, x: float, result: LogSummaryResult) -> int:
        area, request = self._area(), result.request
        share = min(max((x - area.left()) / area.width(), 0.0), 1.0)
        return request.since_us + round(share * (request.until_us - request.since_us))

    # ------------------------------------------------------------ pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._result is not None:
            self._from = self._to = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        result = self._result
        if result is None:
            return
        at_us = self._time_at(event.position().x(), result)
        if self._from is not None:
            self._to = event.position().x()
            self.update()
            return
        self._cursor.move(at_us)
        notes = self._notes.told(self._notes.here(self._frame(result, self._head() | self._area()), event.position()))
        told = "\n".join(filter(None, [self._told(at_us, result), notes]))
        QToolTip.showText(event.globalPosition().toPoint(), tooltip_text(told), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        begun, result = self._from, self._result
        self._from = None
        self.update()
        if begun is None or result is None:
            return
        end = event.position().x()
        if abs(end - begun) >= _LEAST_DRAG:
            since_us, until_us = sorted((self._time_at(begun, result), self._time_at(end, result)))
            self.zoomed.emit(since_us, until_us)
        elif flags := self._notes.flags_at(self._frame(result, self._head()), event.position()):
            self._cursor.pin(flags[0].since_us)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """One bar alone."""
        if self._result is not None:
            cell_us = self._result.request.cell_us
            since_us = self._time_at(event.position().x(), self._result) // cell_us * cell_us
            self.zoomed.emit(since_us, since_us + cell_us)

    def leaveEvent(self, event: QEvent) -> None:
        self._cursor.move(None)
        super().leaveEvent(event)

    def _told(self, at_us: int, result: LogSummaryResult) -> str:
        request = result.request
        cell = min((at_us - request.since_us) // request.cell_us, len(result.counts) - 1)
        begin_us = request.since_us + cell * request.cell_us
        lines = [format_time(begin_us, now_us=None)]
        gaps = [self._gap_text(one) for one in self._gaps_in(result, begin_us, begin_us + request.cell_us)]
        if begin_us + request.cell_us <= result.counted_us:
            return "\n".join([*lines, self.tr("not counted yet"), *gaps[:_MOST_NAMED]])
        lines += filter(None, (self._level_text(level, int(result.counts[cell, level])) for level in reversed(Level)))
        nothing = [] if len(lines) > 1 or gaps else [self.tr("nothing")]
        return "\n".join([*lines, *nothing, *gaps[:_MOST_NAMED]])

    def _gaps_in(self, result: LogSummaryResult, since_us: int, until_us: int) -> list[Band]:
        end_us = min(until_us, result.request.until_us)
        return [one for one in self._gaps if one.since_us < end_us and one.until_us > since_us]

    def _gap_text(self, gap: Band) -> str:
        """With its time, as a bar may stand beside it in the same stretch."""
        text = self.tr("{text}, {since} to {until}").replace("{since}", format_time(gap.since_us, now_us=None))
        return text.replace("{until}", format_time(gap.until_us, now_us=None)).replace("{text}", gap.text)

    @Slot(object)
    def _cursor_moved(self, _at_us: int | None) -> None:
        self.update()
