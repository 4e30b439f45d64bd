"""When which agent was at which task: a row for each agent, a bar for each task, the wait in the queue drawn before it."""

import math
from bisect import bisect_left
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QScrollBar, QWidget

from models.domain.quantity import format_time
from models.domain.records import TaskState
from models.domain.task_queries import TaskItem
from widgets.common.numbers import count_text, duration_text
from widgets.common.plain import visible
from widgets.common.tokens import Theme
from widgets.common.words import task_word
from widgets.frame.screen_context import ScreenContext
from widgets.heat.picture import LEFT, MARGIN, RIGHT, paint_times
from widgets.plots.moment import is_click
from widgets.plots.plot_picture import TIME_PIXELS
from widgets.plots.surface import TimeSurface
from widgets.records.task_list import LOOKS
from widgets.tasks.task_texts import state_note
from widgets.tasks.task_tree import Key, key_of
from widgets.tasks.timeline_rows import Bar, Row, rows_of

_LANE, _GAP, _PAD = 15, 3, 5
_MOST_NAME, _NAME_PART, _COUNT = 220, 0.25, 52
_LEAST_BAR = 3.0
_LEAST_NAMED = 36
_REACH = 3  # pixels beside a bar that still mean it
_HATCHED = (TaskState.FAILED, TaskState.REJECTED)
_HOLLOW = (TaskState.CANCELED, TaskState.UNKNOWN, TaskState.SUBMITTED)


class TimelineSurface(TimeSurface):
    """Time is chosen as on every plot; the wheel moves through the rows, with Ctrl it zooms. GUI thread."""

    chosen = Signal(object)
    """Somebody chose this task (TaskItem)."""
    opened = Signal(object)
    """Somebody wants to work with it."""
    scrolled = Signal()
    """Other rows are to be seen, or there is room for more or fewer."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context.frames, context.times, context.cursor, context.themes)
        self._rows: list[Row] = []
        self._tops: list[int] = [0]  # of each row, and the end
        self._top = 0
        self._at_hand: Key | None = None
        self._pressed: QPointF | None = None
        self.setAccessibleName(self.tr("Tasks over time, by agent"))

    # ------------------------------------------------------------ rows

    @property
    def rows(self) -> Sequence[Row]:
        """As they are listed."""
        return self._rows

    def show_items(self, items: Sequence[TaskItem], now_us: int) -> None:
        """Draw these; what has not ended goes on until `now_us`."""
        self._rows = rows_of(items, now_us)
        tops = [0]
        for row in self._rows:
            tops.append(tops[-1] + row.lanes * _LANE + (row.lanes - 1) * _GAP + 2 * _PAD)
        self._tops = tops
        self.scroll_to(self._top)
        self.data_changed()

    def take_in_hand(self, item: TaskItem | None) -> None:
        """Mark this one, and bring it into sight."""
        before, self._at_hand = self._at_hand, None if item is None else key_of(item)
        if before == self._at_hand:
            return
        place = next((place for place, row in enumerate(self._rows) if self._bar_of(row) is not None), -1)
        if place >= 0:
            self.scroll_to(min(max(self._top, self._tops[place + 1] - self.room), self._tops[place]))
            bar = self._bar_of(self._rows[place])
            assert bar is not None
            self.setAccessibleDescription(self.bar_text(bar))
        self.data_changed()

    def _bar_of(self, row: Row) -> Bar | None:
        return next((bar for bar in row.bars if key_of(bar.item) == self._at_hand), None)

    @property
    def top(self) -> int:
        """Pixels of the list above what is seen."""
        return self._top

    @property
    def room(self) -> int:
        """Pixels that rows are seen on."""
        return max(_LANE, self.height() - TIME_PIXELS - 1)

    @property
    def furthest(self) -> int:
        return max(0, self._tops[-1] - self.room)

    def scroll_to(self, top: int) -> None:
        """Have so many pixels of the list above what is seen."""
        top = min(max(0, top), self.furthest)
        if top != self._top:
            self._top = top
            self.data_changed()
        self.scrolled.emit()

    # ------------------------------------------------------------ painting

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(self.font())
        longest = max((metrics.horizontalAdvance(self._name(row)) for row in self._rows), default=0.0)
        left = min(longest + _COUNT + 2 * MARGIN, _MOST_NAME + _COUNT, self.width() * _NAME_PART + _COUNT)
        return QRectF(left, 0, max(10.0, self.width() - left - 12), self.room)

    def _name(self, row: Row) -> str:
        if row.whole:
            return self.tr("in parts")
        return visible(row.agent, 120) or self.tr("nobody yet")

    def _paint_picture(self, painter: QPainter, _ratio: float) -> None:
        theme, area = self._theme.theme, self._frame.area
        painter.save()
        painter.setClipRect(QRectF(0, 0, self.width(), area.bottom()))
        for place in self._places_seen():
            row, y = self._rows[place], self._tops[place] - self._top
            self._paint_name(painter, row, y, self._tops[place + 1] - self._tops[place], theme)
        painter.setClipRect(area)
        for place in self._places_seen():
            self._paint_bars(painter, self._rows[place], self._tops[place] - self._top, theme)
        painter.restore()
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QPointF(area.left(), area.bottom() + 0.5), QPointF(area.right(), area.bottom() + 0.5))
        paint_times(painter, self._frame, self.width(), theme)

    def _places_seen(self) -> range:
        first = max(0, bisect_left(self._tops, self._top + 1) - 1)
        return range(first, min(len(self._rows), bisect_left(self._tops, self._top + self.room)))

    def _paint_name(self, painter: QPainter, row: Row, y: float, height: float, theme: Theme) -> None:
        left, metrics = self._frame.area.left(), QFontMetricsF(self.font())
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QPointF(0, y + height - 0.5), QPointF(self.width(), y + height - 0.5))
        line = min(height, metrics.height() + 2 * _PAD)
        painter.setPen(QColor(theme.text if row.agent else theme.muted))
        name = metrics.elidedText(self._name(row), Qt.TextElideMode.ElideMiddle, left - _COUNT - MARGIN)
        painter.drawText(QRectF(MARGIN, y, left, line), LEFT, name)
        painter.setPen(QColor(theme.muted))
        painter.drawText(QRectF(0, y, left - 8, line), RIGHT, count_text(len(row.bars)))

    def _paint_bars(self, painter: QPainter, row: Row, y: float, theme: Theme) -> None:
        frame = self._frame
        seen = [bar for bar in row.bars if bar.to_us >= frame.since_us and bar.queued_us <= frame.until_us]
        self._paint_queue(painter, seen, y, theme)
        at_hand: QRectF | None = None
        drawn: dict[tuple[int, TaskState], float] = {}  # how far; what hides behind the last is not painted again
        for bar in seen:
            box, key = self._box(bar, y), (bar.lane, bar.item.state)
            mine = key_of(bar.item) == self._at_hand
            if not mine and box.right() <= drawn.get(key, -math.inf):
                continue
            drawn[key] = box.right()
            if bar.waits:
                box = QRectF(box.left(), box.center().y() - 1.5, box.width(), 3)
            solid = self._paint_bar(painter, box, bar.item.state, theme)
            if solid and not bar.waits:
                self._paint_type(painter, box, bar.item.type, theme)
            if mine:
                at_hand = box
        if at_hand is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.text), 2))
            painter.drawRect(at_hand.adjusted(-2, -2, 2, 2))

    def _paint_queue(self, painter: QPainter, bars: Sequence[Bar], y: float, theme: Theme) -> None:
        """How long they waited, as lines beneath the bars."""
        frame = self._frame
        painter.setPen(QPen(QColor(theme.muted), 1))
        for bar in bars:
            begin_x, end_x = frame.x_of(bar.queued_us), frame.x_of(bar.from_us)
            if end_x - begin_x >= 1:
                middle = y + _PAD + bar.lane * (_LANE + _GAP) + _LANE / 2
                begin = QPointF(max(begin_x, frame.area.left()), middle)
                painter.drawLine(begin, QPointF(min(end_x, frame.area.right()), middle))
                painter.drawLine(begin - QPointF(0, 3), begin + QPointF(0, 3))

    def _paint_type(self, painter: QPainter, box: QRectF, type_: str, theme: Theme) -> None:
        """Within a bar, where there is room for some letters."""
        seen = box.intersected(self._frame.area).adjusted(4, 0, -2, 0)
        if seen.width() >= _LEAST_NAMED:
            painter.setPen(QColor(theme.surface))
            name = QFontMetricsF(self.font()).elidedText(visible(type_, 80), Qt.TextElideMode.ElideRight, seen.width())
            painter.drawText(seen, LEFT, name)

    @staticmethod
    def _paint_bar(painter: QPainter, box: QRectF, state: TaskState, theme: Theme) -> bool:
        """Failed ones are hatched, those that nobody finished are hollow: colour does not stand alone. True: it is neither."""
        colour = QColor(getattr(theme, LOOKS.get(state, ("", "muted"))[1]))
        if box.width() < 6 or (state not in _HATCHED and state not in _HOLLOW):
            painter.fillRect(box, colour)
            return True
        painter.fillRect(box, QColor(theme.surface))
        if state in _HATCHED:
            painter.fillRect(box, QBrush(colour, Qt.BrushStyle.Dense3Pattern))
        painter.setPen(QPen(colour, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
        return False

    def _box(self, bar: Bar, y: float) -> QRectF:
        """Where a bar lies, as far as it is seen."""
        area = self._frame.area
        left = min(max(self._frame.x_of(bar.from_us), area.left() - 4), area.right())
        right = min(self._frame.x_of(bar.to_us), area.right() + 4)
        top = y + _PAD + bar.lane * (_LANE + _GAP)
        return QRectF(left, top, max(_LEAST_BAR, right - left), _LANE)

    # ------------------------------------------------------------ what is pointed at

    def bar_at(self, at: QPointF) -> Bar | None:
        """The task that is drawn there; None: none is."""
        if not self._frame.area.contains(at):
            return None
        place = bisect_left(self._tops, at.y() + self._top + 0.5) - 1
        if not 0 <= place < len(self._rows):
            return None
        y = self._tops[place] - self._top
        lane = int((at.y() - y - _PAD + _GAP / 2) // (_LANE + _GAP))
        found, nearest = None, float(_REACH)
        for bar in self._rows[place].bars:
            if bar.lane == lane:
                box = self._box(bar, y)
                away = max(box.left() - at.x(), at.x() - box.right(), 0.0)
                if away <= nearest:  # of several the last, which is painted over the others
                    found, nearest = bar, away
        return found

    def bar_text(self, bar: Bar) -> str:
        """Lines about a task: what, when, how long."""
        item = bar.item
        until = format_time(item.ended_us, None, bar.from_us) if item.ended_us else self.tr("now")
        lines = [
            f"{visible(item.type, 120)} · {visible(item.agent, 120) or self.tr('nobody yet')} · {task_word(item.state)}",
            f"{format_time(bar.from_us, None, None)} – {until}",
        ]
        told = []
        if item.wait_us is not None:
            told.append(self.tr("waited {time}").replace("{time}", duration_text(item.wait_us)))
        if item.run_us is not None:
            told.append(self.tr("ran {time}").replace("{time}", duration_text(item.run_us)))
        return "\n".join(filter(None, (*lines, ", ".join(told), visible(state_note(item), 200))))

    def tooltip_at(self, at: QPointF) -> str:
        bar = self.bar_at(at)
        return "" if bar is None else self.bar_text(bar)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        self._pressed = event.position() if plain else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self.bar_at(event.position()) is not None and not self._gestures.dragging
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        bar = self.bar_at(event.position())
        if bar is not None and is_click(self._pressed, event.position()):
            self.take_in_hand(bar.item)
            self.chosen.emit(bar.item)
        self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        bar = self.bar_at(event.position())
        if bar is None:
            super().mouseDoubleClickEvent(event)
        else:
            self.opened.emit(bar.item)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        elif event.pixelDelta().y() or event.angleDelta().y():
            by = event.pixelDelta().y() or round(event.angleDelta().y() / 120 * 3 * (_LANE + 2 * _PAD))
            self.scroll_to(self._top - by)
            event.accept()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        steps = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
        if key in steps and not event.modifiers():
            self._step(*steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            bar = next(filter(None, map(self._bar_of, self._rows)), None)
            if bar is not None:
                self.opened.emit(bar.item)
        else:
            super().keyPressEvent(event)

    def _step(self, rows: int, bars: int) -> None:
        """To the task before or after in the row, or to the one of the row above or below that is nearest in time."""
        if not self._rows:
            return
        place, bar = next(
            ((place, bar) for place, row in enumerate(self._rows) if (bar := self._bar_of(row)) is not None), (0, None)
        )
        row = self._rows[min(max(place + (rows if bar is not None else 0), 0), len(self._rows) - 1)]
        if bar is None:
            bar = row.bars[-1]
        elif rows:
            began = bar.from_us
            bar = min(row.bars, key=lambda one: abs(one.from_us - began))
        else:
            bar = row.bars[min(max(row.bars.index(bar) + bars, 0), len(row.bars) - 1)]
        self.take_in_hand(bar.item)
        self._cursor.move(bar.from_us)
        self.chosen.emit(bar.item)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scroll_to(self._top)


class TaskTimeline(QWidget):
    """The surface with its scroll bar. GUI thread."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self.surface = TimelineSurface(context)
        self._bar = QScrollBar(Qt.Orientation.Vertical)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.surface, 1)
        row.addWidget(self._bar)
        self.setFocusProxy(self.surface)
        self._bar.setSingleStep(_LANE + 2 * _PAD)
        self._bar.valueChanged.connect(self.surface.scroll_to)
        self.surface.scrolled.connect(self._follow)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        surface = self.surface
        self._bar.setRange(0, surface.furthest)
        self._bar.setPageStep(surface.room)
        self._bar.setValue(surface.top)
        self._bar.setVisible(surface.furthest > 0)
