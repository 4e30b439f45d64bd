"""The matrix, painted: only what is in sight, so that thousands of agents cost what a screenful does."""

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from widgets.common.numbers import count_text
from widgets.common.plain import tooltip_text
from widgets.common.theme import ThemeHolder
from widgets.flow.matrix import NOTHING, Matrix
from widgets.flow.matrix_ink import MatrixInk, figure_text
from widgets.flow.pair_texts import pair_text
from widgets.flow.pairs import FAILS_FROM
from widgets.heat.colours import ValueRange, range_of

SIZES = ((3, 3), (6, 6), (14, 14), (58, 22))
"""Width and height of a cell at each zoom; names from the third on, figures in the last."""
_LEFT, _TOP = 168, 116
_MARK = 5


class MatrixView(QAbstractScrollArea):
    """Arrows move the cell at hand, with Ctrl to the next that holds something; Enter chooses it; plus and minus, or Ctrl and the
    wheel, change the size of cells. GUI thread."""

    chosen = Signal(object, object)
    """The two ends of a pair."""

    def __init__(self, themes: ThemeHolder) -> None:
        super().__init__()
        self._themes = themes
        self.matrix: Matrix = NOTHING
        self.zoom = len(SIZES) - 1
        self._hand: tuple[int, int] | None = None  # row and column
        self._chosen: tuple[int | None, int | None] = (None, None)
        self._values: ValueRange | None = None
        self._recolour()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Matrix of who talks to whom"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        themes.changed.connect(self._recolour)

    def show_matrix(self, matrix: Matrix) -> None:
        """Show this one; the cell at hand stays with its pair."""
        hand = self.pair_at_hand
        self.matrix = matrix
        self._values = range_of(matrix.value, matrix.measure.value)
        self._hand = None
        if hand is not None and hand[0] in matrix.senders and hand[1] in matrix.receivers:
            self._hand = matrix.senders.index(hand[0]), matrix.receivers.index(hand[1])
        self._fit_bars()
        self._say()
        self.viewport().update()

    def choose(self, sender: int | None, receiver: int | None) -> None:
        """Frame the cell of this pair."""
        self._chosen = sender, receiver
        self.viewport().update()

    @property
    def pair_at_hand(self) -> tuple[int, int] | None:
        """Sender and receiver of the cell that the keys act on."""
        if self._hand is None:
            return None
        return self.matrix.senders[self._hand[0]], self.matrix.receivers[self._hand[1]]

    # ------------------------------------------------------------ places

    def cell(self, row: int, column: int) -> QRect:
        """Where a cell is painted, in the viewport."""
        wide, high = SIZES[self.zoom]
        x = _LEFT + column * wide - self.horizontalScrollBar().value()
        return QRect(x, _TOP + row * high - self.verticalScrollBar().value(), wide, high)

    def _cell_under(self, where: QPoint) -> tuple[int, int] | None:
        if where.x() < _LEFT or where.y() < _TOP:
            return None
        wide, high = SIZES[self.zoom]
        row = (where.y() - _TOP + self.verticalScrollBar().value()) // high
        column = (where.x() - _LEFT + self.horizontalScrollBar().value()) // wide
        inside = row < len(self.matrix.senders) and column < len(self.matrix.receivers)
        return (row, column) if inside else None

    def _in_sight(self) -> tuple[int, int, int, int]:
        """First row, first column, and behind the last of each."""
        wide, high = SIZES[self.zoom]
        top, left = self.verticalScrollBar().value(), self.horizontalScrollBar().value()
        room = self.viewport().size()
        last_row = -(-(top + max(0, room.height() - _TOP)) // high)
        last_column = -(-(left + max(0, room.width() - _LEFT)) // wide)
        return (
            top // high, left // wide, min(last_row, len(self.matrix.senders)), min(last_column, len(self.matrix.receivers)),
        )  # fmt: skip

    def _fit_bars(self) -> None:
        wide, high = SIZES[self.zoom]
        room = self.viewport().size()
        for bar, whole, page, step in (
            (self.verticalScrollBar(), len(self.matrix.senders) * high, room.height() - _TOP, high),
            (self.horizontalScrollBar(), len(self.matrix.receivers) * wide, room.width() - _LEFT, wide),
        ):
            bar.setPageStep(max(1, page))
            bar.setSingleStep(step)
            bar.setRange(0, max(0, whole - page))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_bars()

    def set_zoom(self, zoom: int) -> None:
        """The size of cells, by its place in `SIZES`; what is at hand stays in sight."""
        zoom = min(max(0, zoom), len(SIZES) - 1)
        if zoom != self.zoom:
            self.zoom = zoom
            self._fit_bars()
            self._bring_into_sight()
            self.viewport().update()

    # ------------------------------------------------------------ mouse and keys

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._hand is None and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._take_in_hand(0, 0)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_zoom(self.zoom + (1 if event.angleDelta().y() > 0 else -1))
            event.accept()
        else:
            super().wheelEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        under = self._cell_under(event.position().toPoint())
        told = self._told(*under) if under is not None else ""
        QToolTip.showText(event.globalPosition().toPoint(), tooltip_text(told), self.viewport())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.choose_at(event.position().toPoint())

    def choose_at(self, where: QPoint) -> None:
        """As a click there; where nothing is, the choice stays."""
        under = self._cell_under(where)
        if under is not None:
            self._take_in_hand(*under)
            self._choose_at_hand()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, column = self._hand or (0, 0)
        page = max(1, (self.viewport().height() - _TOP) // SIZES[self.zoom][1] - 1)
        leap = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        moves = {
            Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_PageDown: (page, 0), Qt.Key.Key_PageUp: (-page, 0),
        }  # fmt: skip
        actions: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_Return: self._choose_at_hand, Qt.Key.Key_Enter: self._choose_at_hand, Qt.Key.Key_Space: self._choose_at_hand,
            Qt.Key.Key_Plus: partial(self.set_zoom, self.zoom + 1), Qt.Key.Key_Minus: partial(self.set_zoom, self.zoom - 1),
            Qt.Key.Key_Home: partial(self._take_in_hand, 0 if leap else row, 0),
            Qt.Key.Key_End: partial(
                self._take_in_hand, len(self.matrix.senders) if leap else row, len(self.matrix.receivers)
            ),
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in moves:
            down, right = moves[key]
            if self._hand is None:
                down = right = 0
            elif leap and abs(down + right) == 1:
                row, column = self._next_held(row, column, down, right)
                down = right = 0
            self._take_in_hand(row + down, column + right)
        elif key in actions:
            actions[key]()
        elif key == Qt.Key.Key_Escape and self._chosen[0] is not None:
            self.chosen.emit(None, None)
        else:
            super().keyPressEvent(event)

    def _next_held(self, row: int, column: int, down: int, right: int) -> tuple[int, int]:
        """The next cell in that direction whose ends talked; the same where there is none."""
        along, at = (self.matrix.column, column) if right else (self.matrix.row, row)
        across = self.matrix.row == row if right else self.matrix.column == column
        step = down + right
        held = along[across & ((along > at) if step > 0 else (along < at))]
        if not len(held):
            return row, column
        place = int(held.min() if step > 0 else held.max())
        return (row, place) if right else (place, column)

    def _take_in_hand(self, row: int, column: int) -> None:
        if self.matrix.senders:
            self._hand = (
                min(max(0, row), len(self.matrix.senders) - 1), min(max(0, column), len(self.matrix.receivers) - 1),
            )  # fmt: skip
            self._bring_into_sight()
            self._say()
            self.viewport().update()

    def _choose_at_hand(self) -> None:
        ends = self.pair_at_hand
        if ends is not None and self._hand is not None and self.matrix.at(*self._hand) >= 0:
            self.choose(*ends)
            self.chosen.emit(*ends)

    def _bring_into_sight(self) -> None:
        if self._hand is None:
            return
        wide, high = SIZES[self.zoom]
        for bar, at, size in (
            (self.verticalScrollBar(), self._hand[0] * high, high),
            (self.horizontalScrollBar(), self._hand[1] * wide, wide),
        ):
            bar.setValue(min(max(bar.value(), at + size - bar.pageStep()), at))

    def _told(self, row: int, column: int) -> str:
        place = self.matrix.at(row, column)
        if place >= 0:
            return pair_text(self.matrix.pairs[place])
        silent = self.tr("{sender} asked nothing of {receiver}").replace("{sender}", self.matrix.sender_names[row])
        return silent.replace("{receiver}", self.matrix.receiver_names[column])

    def _say(self) -> None:
        """What a screen reader hears."""
        if self._hand is not None:
            self.setAccessibleDescription(self._told(*self._hand).replace("\n", ", "))
            return
        told = self.tr("{senders} that ask, {receivers} that are asked")
        told = told.replace("{senders}", count_text(len(self.matrix.senders)))
        self.setAccessibleDescription(told.replace("{receivers}", count_text(len(self.matrix.receivers))))

    # ------------------------------------------------------------ painting

    def _recolour(self) -> None:
        self._ink = MatrixInk(self._themes.theme)
        self.viewport().update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), QColor(theme.surface))
        if not self.matrix.senders:
            return
        sight = self._in_sight()
        painter.save()
        painter.setClipRect(self.viewport().rect().adjusted(_LEFT, _TOP, 0, 0))
        self._paint_cells(painter, *sight)
        painter.restore()
        self._paint_names(painter, *sight)
        self._ink.paint_scale(painter, QRect(8, 6, _LEFT - 16, _TOP - 12), self.matrix.measure, self._values)

    def _paint_cells(self, painter: QPainter, top: int, left: int, bottom: int, right: int) -> None:
        theme, matrix = self._themes.theme, self.matrix
        first, end = np.searchsorted(matrix.row, (top, bottom))
        seen = first + np.flatnonzero((matrix.column[first:end] >= left) & (matrix.column[first:end] < right))
        area = self.cell(top, left).united(self.cell(bottom - 1, right - 1))
        painter.drawImage(
            area, self._ink.picture(matrix, seen, (top, left), (bottom - top, right - left), self._values)
        )
        if SIZES[self.zoom][1] >= 14:
            self._paint_grid(painter, area)
            self._paint_marks(painter, seen.tolist(), self._ink.inks(matrix.value[seen], self._values))
        for ends, pen in ((self._chosen, QPen(QColor(theme.text), 3)), (self.pair_at_hand, self._hand_pen())):
            if ends is not None and ends[0] in matrix.senders and ends[1] in matrix.receivers:
                painter.setPen(pen)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.cell(matrix.senders.index(ends[0]), matrix.receivers.index(ends[1])).adjusted(-1, -1, 0, 0))  # fmt: skip

    def _hand_pen(self) -> QPen:
        theme = self._themes.theme
        return QPen(QColor(theme.accent if self.hasFocus() else theme.muted), 2)

    def _paint_grid(self, painter: QPainter, area: QRect) -> None:
        wide, high = SIZES[self.zoom]
        painter.setPen(QPen(QColor(self._themes.theme.line), 1))
        for x in range(area.left() + wide - 1, area.right() + 1, wide):
            painter.drawLine(x, area.top(), x, area.bottom())
        for y in range(area.top() + high - 1, area.bottom() + 1, high):
            painter.drawLine(area.left(), y, area.right(), y)

    def _paint_marks(self, painter: QPainter, seen: list[int], inks: list[str]) -> None:
        """Figures where there is room, and a corner where it fails: not by colour alone."""
        matrix = self.matrix
        figures = SIZES[self.zoom][0] >= 40
        for place, colour in zip(seen, inks, strict=True):
            pair = matrix.pairs[place]
            box = self.cell(int(matrix.row[place]), int(matrix.column[place]))
            ink = QColor(colour)
            if pair.ratio is not None and pair.ratio >= FAILS_FROM:
                corner = QPointF(box.topLeft())
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(ink)
                painter.drawPolygon(QPolygonF([corner, corner + QPointF(_MARK + 1, 0), corner + QPointF(0, _MARK + 1)]))
            if figures:
                painter.setPen(ink)
                painter.drawText(
                    box, Qt.AlignmentFlag.AlignCenter, figure_text(matrix.measure, float(matrix.value[place]))
                )

    def _paint_names(self, painter: QPainter, top: int, left: int, bottom: int, right: int) -> None:
        theme, matrix = self._themes.theme, self.matrix
        wide, high = SIZES[self.zoom]
        room = self.viewport().rect()
        painter.fillRect(QRect(0, 0, room.width(), _TOP), QColor(theme.window))
        painter.fillRect(QRect(0, _TOP, _LEFT, room.height()), QColor(theme.window))
        if high < 14:
            return
        font = QFontMetrics(self.font())
        hand = self._hand or (-1, -1)
        painter.save()
        painter.setClipRect(QRect(0, _TOP, _LEFT, room.height()))
        for row in range(top, bottom):
            painter.setPen(QColor(theme.accent if row == hand[0] else theme.text))
            box = QRect(8, self.cell(row, 0).y(), _LEFT - 14, high)
            name = font.elidedText(matrix.sender_names[row], Qt.TextElideMode.ElideMiddle, box.width())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), name)
        painter.setClipRect(QRect(_LEFT, 0, room.width(), _TOP))
        for column in range(left, right):
            painter.save()
            painter.setPen(QColor(theme.accent if column == hand[1] else theme.text))
            painter.translate(self.cell(0, column).x() + wide / 2, _TOP - 6)
            painter.rotate(-90)
            name = font.elidedText(matrix.receiver_names[column], Qt.TextElideMode.ElideMiddle, _TOP - 14)
            painter.drawText(QRectF(0, -9, _TOP, 18), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), name)  # fmt: skip
            painter.restore()
        painter.restore()
