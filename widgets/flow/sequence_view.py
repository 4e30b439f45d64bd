"""A conversation as a sequence diagram: a life line for everybody, an arrow for everything that was sent. Paints what is in sight."""

from bisect import bisect_left
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea

from models.domain.flow_queries import TalkLine
from models.domain.quantity import format_time
from widgets.common.numbers import count_text, duration_text
from widgets.common.theme import ThemeHolder
from widgets.flow.sequence import Arrow, arrow_text, arrows_of, lanes_of
from widgets.records.agent_names import AgentNames

ROW = 36
_GUTTER, _HEAD = 190, 34
_NARROW, _WIDE = 150, 260  # pixels of a lane
_ACTIVE = 4
_TOP_NEAR = 200


class SequenceView(QAbstractScrollArea):
    """Up and Down move along the arrows, Left and Right go from a request to its reply and back. GUI thread."""

    at_hand_changed = Signal()
    opened = Signal(object)
    """Somebody wants to see this arrow's message (Arrow)."""
    older_wanted = Signal()
    """The beginning of what there is, is in sight."""

    def __init__(self, names: AgentNames, themes: ThemeHolder) -> None:
        super().__init__()
        self._names, self._themes = names, themes
        self.arrows: list[Arrow] = []
        self.lanes: list[int] = []
        self._places: dict[int, int] = {}
        self._hand = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Conversation as a sequence"))
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        themes.changed.connect(self.viewport().update)
        names.changed.connect(self.viewport().update)
        self.verticalScrollBar().valueChanged.connect(self._look_for_older)

    def show_lines(self, lines: Sequence[TalkLine], first: Sequence[int]) -> None:
        """Show these (newest first) with the life lines of `first` on the left. Who looks at the end goes on looking at it;
        else what is in sight stays, and the arrow at hand too."""
        bar = self.verticalScrollBar()
        at_end, hand = bar.value() >= bar.maximum(), self.at_hand
        top = self.arrows[min(bar.value() // ROW, len(self.arrows) - 1)] if self.arrows else None
        below = bar.value() % ROW
        self.arrows = arrows_of(lines)
        self.lanes = lanes_of(self.arrows, first)
        self._places = {one: place for place, one in enumerate(self.lanes)}
        self._hand = -1 if hand is None else self._place_of(hand)
        self._fit_bars()
        if at_end or top is None:
            bar.setValue(bar.maximum())
        else:
            bar.setValue(max(0, self._place_of(top)) * ROW + below)
        self._say()
        self.viewport().update()

    @property
    def at_hand(self) -> Arrow | None:
        """What the keys act on."""
        return self.arrows[self._hand] if 0 <= self._hand < len(self.arrows) else None

    def _place_of(self, arrow: Arrow) -> int:
        key = arrow.time_us, arrow.line.key, arrow.reply
        place = bisect_left(self.arrows, key, key=lambda one: (one.time_us, one.line.key, one.reply))
        same = place < len(self.arrows) and self.arrows[place].line.key == arrow.line.key
        return place if same else -1

    @property
    def _lane(self) -> int:
        """All side by side where they fit, wide enough to be read where not."""
        return min(max(_NARROW, (self.viewport().width() - _GUTTER) // max(1, len(self.lanes))), _WIDE)

    def _fit_bars(self) -> None:
        room = self.viewport().size()
        down, right = self.verticalScrollBar(), self.horizontalScrollBar()
        down.setPageStep(max(ROW, room.height() - _HEAD))
        down.setSingleStep(ROW)
        down.setRange(0, max(0, len(self.arrows) * ROW + 8 - (room.height() - _HEAD)))
        right.setPageStep(max(1, room.width()))
        right.setSingleStep(self._lane // 2)
        right.setRange(0, max(0, _GUTTER + len(self.lanes) * self._lane - room.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        bar = self.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        super().resizeEvent(event)
        self._fit_bars()
        if at_end:
            bar.setValue(bar.maximum())

    def _look_for_older(self) -> None:
        if self.arrows and self.verticalScrollBar().value() < _TOP_NEAR:
            self.older_wanted.emit()

    # ------------------------------------------------------------ mouse and keys

    def take_in_hand(self, place: int) -> None:
        """Take an arrow in hand, and bring it into sight."""
        if not self.arrows:
            return
        self._hand = min(max(0, place), len(self.arrows) - 1)
        bar = self.verticalScrollBar()
        at = self._hand * ROW
        bar.setValue(min(max(bar.value(), at + ROW - bar.pageStep()), at))
        self._say()
        self.viewport().update()
        self.at_hand_changed.emit()

    def row_rect(self, place: int) -> QRect:
        """Where an arrow's row is painted, in the viewport."""
        return QRect(0, _HEAD + place * ROW - self.verticalScrollBar().value(), self.viewport().width(), ROW)

    def _row_at(self, where: QPoint) -> int:
        place = (where.y() - _HEAD + self.verticalScrollBar().value()) // ROW
        return place if where.y() >= _HEAD and place < len(self.arrows) else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._row_at(event.position().toPoint())
        if place >= 0:
            self.take_in_hand(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._row_at(event.position().toPoint()) >= 0 and self.at_hand is not None:
            self.opened.emit(self.at_hand)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(1, self.verticalScrollBar().pageStep() // ROW - 1)
        last, hand = len(self.arrows) - 1, self._hand
        steps = {
            Qt.Key.Key_Down: hand + 1 if hand >= 0 else last, Qt.Key.Key_Up: hand - 1 if hand >= 0 else last, Qt.Key.Key_PageDown: hand + page,
            Qt.Key.Key_PageUp: hand - page, Qt.Key.Key_Home: 0, Qt.Key.Key_End: last,
        }  # fmt: skip
        key, at_hand = Qt.Key(event.key()), self.at_hand
        if event.matches(QKeySequence.StandardKey.Copy) and at_hand is not None:
            QGuiApplication.clipboard().setText(arrow_text(at_hand, self._names))
        elif key in steps:
            self.take_in_hand(steps[key])
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and at_hand is not None and at_hand.pair >= 0:
            self.take_in_hand(at_hand.pair)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and at_hand is not None:
            self.opened.emit(at_hand)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def _say(self) -> None:
        """What a screen reader hears."""
        told = self.tr("{n} arrows between {agents} agents").replace("{n}", count_text(len(self.arrows)))
        at_hand = self.at_hand
        text = told.replace("{agents}", count_text(len(self.lanes)))
        self.setAccessibleDescription(text if at_hand is None else arrow_text(at_hand, self._names))

    # ------------------------------------------------------------ painting

    def _x(self, agent: int) -> float:
        return _GUTTER + (self._places[agent] + 0.5) * self._lane - self.horizontalScrollBar().value()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, room = self._themes.theme, self.viewport().rect()
        painter = QPainter(self.viewport())
        painter.fillRect(room, QColor(theme.surface))
        if not self.arrows:
            return
        top = self.verticalScrollBar().value() // ROW
        bottom = min(len(self.arrows), top + room.height() // ROW + 2)
        at_hand = self.at_hand
        if at_hand is not None:
            painter.fillRect(self.row_rect(self._hand), QColor(theme.selection if self.hasFocus() else theme.raised))
        painter.save()
        painter.setClipRect(room.adjusted(_GUTTER, _HEAD, 0, 0))
        painter.setPen(QPen(QColor(theme.edge), 1, Qt.PenStyle.DashLine))
        for agent in self.lanes:
            painter.drawLine(QPointF(self._x(agent), _HEAD), QPointF(self._x(agent), room.height()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_active(painter, top, bottom)
        for place in range(top, bottom):
            self._paint_arrow(painter, place)
        painter.restore()
        for place in range(top, bottom):
            self._paint_time(painter, place)
        self._paint_names(painter)

    def _paint_active(self, painter: QPainter, top: int, bottom: int) -> None:
        """From a request to its reply the receiver's life line is thick."""
        theme = self._themes.theme
        painter.setPen(QPen(QColor(theme.edge), 1))
        painter.setBrush(QColor(theme.raised))
        for place, one in enumerate(self.arrows):
            if not one.reply and one.pair >= top and place < bottom:
                begin, end = self._y(place), self._y(one.pair)
                painter.drawRect(QRectF(self._x(one.receiver) - _ACTIVE, begin, 2 * _ACTIVE, end - begin))

    def _y(self, place: int) -> float:
        return self.row_rect(place).bottom() - 9

    def _paint_arrow(self, painter: QPainter, place: int) -> None:
        theme, arrow = self._themes.theme, self.arrows[place]
        at_hand = self.at_hand
        chosen = at_hand is not None and at_hand.line.key == arrow.line.key
        colour = QColor(theme.error if arrow.bad else theme.accent if chosen else theme.text)
        begin, end, y = self._x(arrow.sender), self._x(arrow.receiver), self._y(place)
        pen = QPen(colour, 2 if chosen else 1.3)
        if arrow.reply:
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if begin == end:  # to itself
            painter.drawPolyline(QPolygonF([QPointF(begin, y - 8), QPointF(begin + 26, y - 8), QPointF(begin + 26, y), QPointF(begin, y)]))  # fmt: skip
            way = -1
        else:
            way = 1 if end > begin else -1
            painter.drawLine(QPointF(begin, y), QPointF(end, y))
        if arrow.bad and not arrow.reply:
            cross = QPointF(end - way * 10, y)
            for slope in (1, -1):
                painter.drawLine(cross + QPointF(-5, -5 * slope), cross + QPointF(5, 5 * slope))
        else:
            painter.setPen(QPen(colour, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush if arrow.reply else colour)
            tip = QPointF(end, y)
            painter.drawPolygon(QPolygonF([tip, tip + QPointF(-way * 9, -4), tip + QPointF(-way * 9, 4)]))
        if begin == end:
            box = QRectF(begin + 32, y - 14, self._lane, 18)
        else:  # over that part of it which is in sight
            left, right = max(min(begin, end), _GUTTER), min(max(begin, end), self.viewport().width())
            box = QRectF(left + 8, y - 20, max(right - left, self._lane) - 16, 18)
        painter.setPen(colour)
        told = f"✕ {arrow.text}" if arrow.bad else arrow.text
        text = QFontMetrics(self.font()).elidedText(told, Qt.TextElideMode.ElideRight, int(box.width()))
        side = Qt.AlignmentFlag.AlignLeft if begin == end else Qt.AlignmentFlag.AlignHCenter
        painter.drawText(box, int(side | Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_time(self, painter: QPainter, place: int) -> None:
        """The clock, and how long after the one before."""
        theme, arrow = self._themes.theme, self.arrows[place]
        box = self.row_rect(place).adjusted(8, 0, 0, 0)
        before_us = self.arrows[place - 1].time_us if place else None
        painter.setPen(QColor(theme.text))
        clock = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, int(clock), format_time(arrow.time_us, None, before_us or self.arrows[-1].time_us, 3))
        if before_us is not None:
            painter.setPen(QColor(theme.muted))
            after = QRect(0, box.y(), _GUTTER - 8, ROW)
            far = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(after, int(far), f"+{duration_text(arrow.time_us - before_us)}")

    def _paint_names(self, painter: QPainter) -> None:
        theme, room = self._themes.theme, self.viewport().rect()
        painter.fillRect(QRect(0, 0, room.width(), _HEAD), QColor(theme.window))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(0, _HEAD - 1, room.width(), _HEAD - 1)
        painter.setClipRect(QRect(_GUTTER, 0, room.width(), _HEAD))
        painter.setPen(QColor(theme.text))
        font = QFontMetrics(self.font())
        for agent in self.lanes:
            box = QRectF(self._x(agent) - self._lane / 2 + 6, 0, self._lane - 12, _HEAD - 2)
            name = self._names.name(agent) or self.tr("nobody knows")
            text = font.elidedText(name, Qt.TextElideMode.ElideMiddle, int(box.width()))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
