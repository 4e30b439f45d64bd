"""A plot over time that is worked with: curves linked with all other plots through time range and cursor."""

import math
from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QPointF, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu

from models.domain.quantity import format_time
from widgets.common.numbers import value_text
from widgets.common.plain import visible
from widgets.notes.book import AnnotationBook
from widgets.plots.curve_plot import CurvePlot
from widgets.plots.marks import named, near
from widgets.plots.moment import WAY_KEYS, gap_time, is_click, mark_time
from widgets.plots.note_menu import ask_note, fill_notes, note_key
from widgets.plots.notes import NoteLayer
from widgets.plots.plot_menu import plot_menu
from widgets.plots.pointing import curve_near


class TimePlot(CurvePlot):
    """What mouse and keys do on a `CurvePlot`, and what lies under the pointer. GUI thread."""

    entry_clicked = Signal(int)
    """The name of this curve (its place among `curves`) was clicked."""
    menu_wanted = Signal(object)
    """This `QMenu` is about to open on it."""
    moment_wanted = Signal(object, object)
    """Show what happened (`Way`) at that moment (microseconds UTC; None: none was pointed at)."""
    threshold_moved = Signal(int, float)
    """Somebody dragged this threshold (its place) to that value."""

    menu_at: QPointF | None = None
    """Where the mouse opened its menu last; None: it was opened in another way, or beside the curves."""
    _pressed: QPointF | None = None  # where a plain click may have begun

    # ------------------------------------------------------------ annotations

    def show_notes(self, book: AnnotationBook) -> None:
        """Show what people marked in time, and let them mark more."""
        notes = self._notes = NoteLayer(book)
        self._gestures.mark = partial(ask_note, notes)
        book.changed.connect(self._notes_changed)

    def show_notes_of(self, agents: Mapping[int, str]) -> None:
        """Whose figures these are, with what they are called; nobody's annotations but these, and those on everybody."""
        if self._notes is not None:
            self._notes.show_agents(agents)
            self.data_changed()

    @Slot()
    def _notes_changed(self) -> None:
        assert self._notes is not None
        self._notes.choose()
        self._summary_us = 0
        self.data_changed()

    def taken_selection(self) -> tuple[int, int] | None:
        """The stretch of time that the mouse drags over just now, which is not zoomed to then."""
        taken = self._gestures.taken(self._frame)
        self.update()
        return taken

    def fill_notes(self, menu: QMenu) -> None:
        """What can be done with annotations here."""
        if self._notes is not None:
            fill_notes(menu, self, self._notes)

    # ------------------------------------------------------------ mouse and keys

    def entry_at(self, at: QPointF) -> int:
        """Place of the curve whose name stands there; -1: none."""
        return next((place for place, one in enumerate(self._placed_entries) if one.box.contains(at)), -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.entry_at(event.position()) if self._legend is not None else -1
        if place >= 0:
            self.entry_clicked.emit(place)
            return
        plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        if plain and self._thresholds.press(self._frame.area, event.position()):
            self._render()
            return
        self._pressed = event.position() if plain else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._thresholds.dragged:
            self._thresholds.move(self._frame.area, event.position())
            self.update()
            return
        if self._thresholds.all and self._thresholds.at(self._frame.area, event.position()) >= 0:
            self.setCursor(Qt.CursorShape.SizeVerCursor)
        else:
            leads = self._event_at(event.position()) is not None
            self.setCursor(Qt.CursorShape.PointingHandCursor if leads else Qt.CursorShape.ArrowCursor)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._thresholds.dragged:
            self.threshold_moved.emit(*self._thresholds.release())
            self.data_changed()
            return
        super().mouseReleaseEvent(event)
        at_us = self._event_at(event.position())
        if at_us is not None and is_click(self._pressed, event.position()):
            self.look_at(at_us)
        self._pressed = None

    def _event_at(self, at: QPointF) -> int | None:
        """When the event or the gap that is drawn there began."""
        on_mark = self._mark_at(at)
        return gap_time(self._frame, self._bands, at) if on_mark is None else on_mark

    def _mark_at(self, at: QPointF) -> int | None:
        """When what is marked there was or began: an event, else an annotation."""
        on_mark = mark_time(self._frame, self._placed_marks, at)
        if on_mark is None and self._notes is not None and (flags := self._notes.flags_at(self._frame, at)):
            return max(flags[0].since_us, self._frame.since_us)
        return on_mark

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.menu_at = None  # a key is about the cursor, wherever a menu was opened before
        if self._notes is not None and note_key(self, self._notes, event):
            return
        way = WAY_KEYS.get(Qt.Key(event.key())) if not event.modifiers() else None
        if way is None:
            super().keyPressEvent(event)
        else:
            self.moment_wanted.emit(way, self.moment)

    @property
    def moment(self) -> int | None:
        """The event or time where the mouse opened its menu, else where the cursor stands; None: beside what is drawn."""
        if self.menu_at is None:
            return self._cursor_here()
        on_mark = self._mark_at(self.menu_at)
        return self._frame.time_of(self.menu_at.x()) if on_mark is None else on_mark

    def look_at(self, at_us: int) -> None:
        """Take the whole window to this moment."""
        self._cursor.pin(at_us)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        self.menu_at = QPointF(event.pos()) if by_mouse and self._frame.area.contains(QPointF(event.pos())) else None
        self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """What can be done with it; deletes itself when it closes."""
        return plot_menu(self, self._gestures)

    def tooltip_at(self, at: QPointF) -> str:
        """Plain text about what lies there: a curve's source, events with their times, why nothing is known."""
        for placed in self._placed_entries:
            if placed.box.contains(at):
                return placed.entry.tooltip
        if not self._frame.area.adjusted(-4, -6, 4, 4).contains(at):
            return ""
        notes = self._notes
        flags = notes.told(notes.flags_at(self._frame, at)) if notes is not None else ""
        mark = near(self._placed_marks, at.x() - self._frame.area.left())
        if mark is not None:
            shown, more = named(mark)
            lines = [f"{format_time(one.at_us)}  {one.text}" for one in shown]
            lines += [self.tr("and {n} more").replace("{n}", str(more))] if more else []
            return "\n".join([flags, *lines] if flags else lines)
        if flags:
            return flags
        at_us = self._frame.time_of(at.x())
        if self._legend is not None and (told := self._told_curve(at, at_us)):
            return told
        slack = self._frame.time_of(1) - self._frame.time_of(0)
        bands = [one.text for one in self._bands if one.since_us - slack <= at_us <= one.until_us + slack]
        around = notes.told(notes.here(self._frame, at)) if notes is not None else ""
        return "\n".join([around, *bands] if around else bands)

    def curve_at(self, at: QPointF) -> int:
        """Place of the curve that is drawn next to the pointer; -1: none is near."""
        if not self._frame.area.contains(at) or len(self.shapes) != len(self._curves):
            return -1
        scales = [self._axes.of(curve) for curve in self._curves]
        return curve_near(self._frame, self.shapes, scales, at.x(), at.y())

    @property
    def curve_at_menu(self) -> int:
        """Place of the curve where the mouse opened its menu; -1: none was near, or it was opened in another way."""
        return -1 if self.menu_at is None else self.curve_at(self.menu_at)

    def _told_curve(self, at: QPointF, at_us: int) -> str:
        """The curve next to the pointer, with its value there; empty: none is near."""
        place = self.curve_at(at)
        if place < 0:
            return ""
        curve = self._curves[place]
        value = curve.reading(at_us).value
        return visible(curve.name) if math.isnan(value) else f"{visible(curve.name)}  {value_text(value, curve.unit)}"
