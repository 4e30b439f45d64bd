"""A plot over time: curves that share a value axis, linked with all other plots through time range and cursor."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
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
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from models.domain.quantity import format_time
from widgets.common.frame_clock import FrameClock
from widgets.common.numbers import value_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.plots.curves import NO_SPANS, Curve, RawPoints, Reading, Shape, Spans, Window
from widgets.plots.gestures import Gestures
from widgets.plots.marks import Band, Mark, MarkKind, PlacedMark, named, near, place_marks
from widgets.plots.percentiles import FEW
from widgets.plots.plot_header import Entry, PlacedEntry, paint_header
from widgets.plots.plot_menu import plot_menu
from widgets.plots.plot_picture import HEADER_PIXELS, Frame, Layer, Picture, axis_width, curve_style, plot_area
from widgets.plots.plot_summary import extent, summary
from widgets.plots.pyqtgraph_curve import CurveItem
from widgets.plots.value_scale import ValueScale

_SUMMARY_EVERY_US = 1_000_000


class TimePlot(QWidget):
    """Draws on the frame clock into a pixmap; pointer and cursor only paint over it. A hidden plot does nothing.

    `set_curves` says what, `data_changed` that there is more of it. Title and sentences are translated, curve names are
    taken as outside text; `menu_wanted` comes with a menu that opens on it. GUI thread.
    """

    menu_wanted = Signal(object)

    def __init__(
        self,
        title: str,
        unit: str,
        frame_clock: FrameClock,
        time_range: TimeRangeModel,
        cursor: TimeCursor,
        theme: ThemeHolder,
        parent: QWidget | None = None,
        *,
        floor: float | None = 0.0,
    ) -> None:
        super().__init__(parent)
        self.title = title
        self.unit = unit
        self._clock, self._range, self._cursor, self._theme = frame_clock, time_range, cursor, theme
        self._gestures = Gestures(time_range, cursor)
        self._scale = ValueScale(unit, floor)
        self._subject = ""
        self._sentence = ""
        self._curves: list[Curve] = []
        self._raw: list[RawPoints] = []
        self._items: list[CurveItem] = []
        self._gaps: Spans = NO_SPANS
        self._bands: list[Band] = []
        self._marks: list[Mark] = []
        self._shows_time = True
        self._pixmap: QPixmap | None = None
        self._stale = True
        self._frame = Frame(QRectF(0, 0, 10, 10), 0, 1)
        self._placed_marks: list[PlacedMark] = []
        self._placed_entries: list[PlacedEntry] = []
        self._extent = (math.nan, math.nan)
        self._summary_us = 0  # end of the window that was described last; 0: describe anew
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(HEADER_PIXELS + 56)
        self.setAccessibleName(title)
        frame_clock.register(self)
        time_range.changed.connect(self._range_changed)
        cursor.moved.connect(self._cursor_moved)
        theme.changed.connect(self.data_changed)

    # ------------------------------------------------------------ what it shows

    def set_subject(self, name: str) -> None:
        """Whose figures these are (outside text), for the description that screen readers read."""
        self._subject = visible(name)

    def set_curves(self, curves: Sequence[Curve], raw: Sequence[RawPoints]) -> None:
        """Draw these instead; `raw` is what copying and the table give."""
        self._curves, self._raw = list(curves), list(raw)
        self._items = [CurveItem() for _ in curves]
        self._scale.forget()
        self._summary_us = 0
        self.data_changed()

    def set_unit(self, unit: str) -> None:
        """The unit of the value axis, where it is not known from the start."""
        if unit != self.unit:
            self.unit = self._scale.unit = unit
            self._scale.forget()
            self.data_changed()

    def set_gaps(self, gaps: Spans, bands: Sequence[Band]) -> None:
        """Lines end at `gaps`; `bands` shade them and say why."""
        self._gaps, self._bands = gaps, list(bands)
        self.data_changed()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Events to mark, in any order."""
        self._marks = list(marks)
        self.data_changed()

    def set_sentence(self, sentence: str) -> None:
        """What stands in the middle while no curve has a point: loading, why there is nothing, what went wrong."""
        if sentence != self._sentence:
            self._sentence = sentence
            self.data_changed()

    def set_shows_time(self, shows: bool) -> None:
        """Only the lowest of several plots labels the time."""
        self._shows_time = shows
        self.data_changed()

    @property
    def curves(self) -> Sequence[Curve]:
        return self._curves

    @property
    def raw(self) -> Sequence[RawPoints]:
        return self._raw

    @property
    def frame(self) -> Frame:
        """Plot area and time span as last drawn."""
        return self._frame

    def picture(self) -> QPixmap:
        """The plot as it is on the screen."""
        return self.grab()

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setPixmap(self.picture())

    # ------------------------------------------------------------ drawing

    @Slot()
    def data_changed(self) -> None:
        """There is something new to draw, soon."""
        self._stale = True
        self._clock.mark_dirty(self)

    def is_visible_now(self) -> bool:
        """As in `Drawable`."""
        return self.isVisible() and not self.visibleRegion().isEmpty()

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
        area = plot_area(self.width(), self.height(), axis_width(QFontMetricsF(self.font())), self._shows_time)
        self._frame = self._frame_now(area)
        window = Window(self._frame.since_us, self._frame.until_us, max(1, round(area.width())), self._gaps)
        shapes = [curve.shape(window) for curve in self._curves]
        self._extent = extent(shapes, window)
        self._scale.fit(*self._extent)
        self._placed_marks = self._place_marks(shapes)
        theme = self._theme.theme
        layers = [
            Layer(shape, curve_style(theme, curve.colour), item)
            for shape, curve, item in zip(shapes, self._curves, self._items, strict=True)
        ]
        empty = self._sentence or self.tr("No data in this time")
        picture = Picture(
            self._frame,
            self._scale,
            layers,
            self._bands,
            self._placed_marks,
            self._shows_time,
            not self._range.live,
            theme,
            empty if math.isnan(self._extent[0]) else None,
        )
        self._pixmap.fill(QColor(theme.surface))
        painter = QPainter(self._pixmap)
        try:  # a painter that an exception leaves open takes the process down
            painter.setFont(self.font())
            picture.paint(painter, ratio)
        finally:
            painter.end()
        self._summarise()

    def _frame_now(self, area: QRectF) -> Frame:
        """The range on this area; while live it moves on by whole pixels, so that lines move and do not shimmer."""
        now = self._range.current()
        until = now.until_us
        if now.live:
            pixel_us = max(1, now.span_us // max(1, round(area.width())))
            until = -(-until // pixel_us) * pixel_us
        return Frame(area, until - now.span_us, until)

    def _place_marks(self, shapes: Sequence[Shape]) -> list[PlacedMark]:
        own = [Mark(at, MarkKind.RESET, self.tr("counter restarted")) for one in shapes for at in one.resets.tolist()]
        for shape, curve in zip(shapes, self._curves, strict=True):
            for at, by in zip(shape.carried.tolist(), shape.carried_by.tolist(), strict=True):
                text = self.tr("{curve}: {n} more since the last known value")
                text = text.replace("{curve}", visible(curve.name)).replace("{n}", value_text(by, curve.unit))
                own.append(Mark(at, MarkKind.CARRIED, text))
        frame = self._frame
        return place_marks([*self._marks, *own], frame.since_us, frame.until_us, frame.area.width())

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
        box = QRectF(10, 2, self.width() - 10 - 8, HEADER_PIXELS - 2)
        self._placed_entries = paint_header(painter, box, self.title, self._entries(at_us), theme)
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

    def _entries(self, at_us: int | None) -> list[Entry]:
        until, theme = self._frame.until_us, self._theme.theme
        entries = []
        for curve in self._curves:
            reading = curve.reading(at_us) if at_us is not None else curve.current(until)
            value = value_text(reading.value, curve.unit)
            entries.append(
                Entry(curve.name, value + self._count(reading), curve_style(theme, curve.colour), curve.tooltip)
            )
        return entries

    def _count(self, reading: Reading) -> str:
        """Few observations behind a percentile are told, many are not worth the room."""
        return self.tr(" (n {n})").replace("{n}", str(reading.n)) if 0 < reading.n < FEW else ""

    def _summarise(self) -> None:
        """The description for who does not see the curves; at most once a second."""
        low = self._extent[0]
        told_us, self._summary_us = self._summary_us, 0 if math.isnan(low) else self._frame.until_us
        if abs(self._summary_us - told_us) < _SUMMARY_EVERY_US and self._summary_us:
            self._summary_us = told_us
            return
        if math.isnan(low):
            text = self._sentence or self.tr("No data in this time")
        else:
            newest = ", ".join(f"{entry.name} {entry.value}".strip() for entry in self._entries(None))
            span_us = self._frame.until_us - self._frame.since_us
            text = summary(self.title, self._subject, newest, self.unit, self._extent, span_us)
        self.setAccessibleDescription(text)

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
        self.data_changed()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.data_changed()

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

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        plot_menu(self, self._gestures).popup(event.globalPos())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tooltip_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), tooltip_text(text), self) if text else QToolTip.hideText()
            return True
        return super().event(event)

    def tooltip_at(self, at: QPointF) -> str:
        """Plain text about what lies there: a curve's source, events with their times, why nothing is known."""
        for placed in self._placed_entries:
            if placed.box.contains(at):
                return placed.entry.tooltip
        if not self._frame.area.adjusted(-4, -6, 4, 4).contains(at):
            return ""
        mark = near(self._placed_marks, at.x() - self._frame.area.left())
        if mark is not None:
            shown, more = named(mark)
            lines = [f"{format_time(one.at_us)}  {one.text}" for one in shown]
            return "\n".join([*lines, self.tr("and {n} more").replace("{n}", str(more))] if more else lines)
        at_us = self._frame.time_of(at.x())
        slack = self._frame.time_of(1) - self._frame.time_of(0)
        return "\n".join(one.text for one in self._bands if one.since_us - slack <= at_us <= one.until_us + slack)
