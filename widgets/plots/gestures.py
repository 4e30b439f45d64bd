"""What mouse, wheel and keys do on a plot: they move the time range and the cursor that all plots share."""

from collections.abc import Callable
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF, Qt

from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.plots.frame import Frame

_LEAST_DRAG_PIXELS = 6
_WHEEL_STEP = 1.2
_LEAST_SPAN_US = 1_000_000
_KEY_ZOOM = 1.5
_CURSOR_STEPS = 200
"""So many presses of an arrow key cross the plot; with Ctrl a tenth as many."""


class _Drag(Enum):
    NONE = auto()
    SELECT = auto()
    PAN = auto()
    SCRUB = auto()
    MARK = auto()


class Gestures:
    """Drag selects the time to zoom to, Shift-drag or the middle button pans (and so pauses), the wheel zooms around the
    pointer, a double click goes live again, Ctrl-drag takes the whole window to that moment, Ctrl-Shift-drag marks a stretch; arrows move the cursor, + and - zoom,
    Home goes live."""

    def __init__(self, time_range: TimeRangeModel, cursor: TimeCursor) -> None:
        self._range = time_range
        self._cursor = cursor
        self._drag = _Drag.NONE
        self._from = QPointF()
        self._to = QPointF()
        self._grabbed_us = (0, 0)
        self._moving = False  # a wheel turns or a pan goes on
        self.mark: Callable[[int, int], object] | None = None
        """Who wants to know of a stretch (microseconds UTC) that somebody marks; None: nobody."""

    @property
    def dragging(self) -> bool:
        return self._drag is not _Drag.NONE

    def selection(self, frame: Frame) -> QRectF | None:
        """The stretch that a running drag would zoom to, or mark."""
        if self._drag not in (_Drag.SELECT, _Drag.MARK) or abs(self._to.x() - self._from.x()) < _LEAST_DRAG_PIXELS:
            return None
        area = frame.area
        left, right = sorted((self._from.x(), self._to.x()))
        left, right = max(left, area.left()), min(right, area.right())
        return QRectF(left, area.top(), right - left, area.height())

    def press(self, frame: Frame, at: QPointF, button: Qt.MouseButton, keys: Qt.KeyboardModifier) -> bool:
        """A button went down; True when it begins a drag."""
        self._moving = False
        if not frame.area.contains(at):
            return False
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        if self.mark is not None and button == Qt.MouseButton.LeftButton and keys & both == both:
            self._drag = _Drag.MARK
        elif button == Qt.MouseButton.MiddleButton or (
            button == Qt.MouseButton.LeftButton and keys & Qt.KeyboardModifier.ShiftModifier
        ):
            self._drag = _Drag.PAN
            self._grabbed_us = (frame.since_us, frame.until_us)
        elif button == Qt.MouseButton.LeftButton and keys & Qt.KeyboardModifier.ControlModifier:
            self._drag = _Drag.SCRUB
            self._cursor.pin(frame.time_of(at.x()))
        elif button == Qt.MouseButton.LeftButton:
            self._drag = _Drag.SELECT
        else:
            return False
        self._from = self._to = at
        return True

    def move(self, frame: Frame, at: QPointF) -> None:
        """The pointer moved, dragging or not."""
        self._to = at
        if self._drag is _Drag.PAN:
            since, until = self._grabbed_us
            shift = round((self._from.x() - at.x()) * (until - since) / frame.area.width())
            self._zoom(since + shift, until + shift)
        elif self._drag is _Drag.SCRUB:
            self._cursor.pin(frame.time_of(min(max(at.x(), frame.area.left()), frame.area.right())))
        elif frame.area.left() <= at.x() <= frame.area.right():
            self._cursor.move(frame.time_of(at.x()))

    def release(self, frame: Frame) -> None:
        """The button went up: a drag of some length zooms, or marks."""
        marks = self._drag is _Drag.MARK
        chosen = self.taken(frame)
        self._drag = _Drag.NONE
        if chosen is not None and marks and self.mark is not None:
            self.mark(*chosen)
        elif chosen is not None:
            self._range.zoom(chosen[0], max(chosen[1], chosen[0] + _LEAST_SPAN_US))

    def taken(self, frame: Frame) -> tuple[int, int] | None:
        """The stretch of time that a drag spans, which ends with it; None: there is none."""
        chosen = self.selection(frame)
        if chosen is None or chosen.width() < 1:
            return None
        self._drag = _Drag.NONE
        return frame.time_of(chosen.left()), frame.time_of(chosen.right())

    def cancel(self) -> None:
        self._drag = _Drag.NONE

    def leave(self) -> None:
        """The pointer left the plot."""
        self._moving = False
        if not self.dragging:
            self._cursor.move(None)

    def wheel(self, frame: Frame, x: float, notches: float) -> None:
        """Zoom so that the moment under the pointer stays there; up is closer."""
        self._zoom_around(frame, frame.time_of(x), _WHEEL_STEP**-notches)

    def live(self) -> None:
        self._range.resume()

    def key(self, frame: Frame, key: int, keys: Qt.KeyboardModifier) -> bool:
        """True when the key means something here."""
        at_us = self._cursor.time_us
        middle = at_us if at_us is not None and frame.since_us <= at_us < frame.until_us else None
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = (frame.until_us - frame.since_us) // _CURSOR_STEPS
            step *= 10 if keys & Qt.KeyboardModifier.ControlModifier else 1
            start = middle if middle is not None else frame.until_us - 1
            moved = start + (step if key == Qt.Key.Key_Right else -step)
            self._cursor.move(min(max(moved, frame.since_us), frame.until_us - 1))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom_around(frame, middle or (frame.since_us + frame.until_us) // 2, 1 / _KEY_ZOOM)
        elif key == Qt.Key.Key_Minus:
            self._zoom_around(frame, middle or (frame.since_us + frame.until_us) // 2, _KEY_ZOOM)
        elif key == Qt.Key.Key_Home:
            self.live()
        elif key == Qt.Key.Key_Escape and self.dragging:
            self.cancel()
        elif key == Qt.Key.Key_Escape and at_us not in (None, self._cursor.pinned_us):
            self._cursor.move(None)
        else:
            return False
        return True

    def _zoom_around(self, frame: Frame, at_us: int, factor: float) -> None:
        before = (at_us - frame.since_us) * factor
        after = (frame.until_us - at_us) * factor
        self._zoom(at_us - round(before), at_us + round(after))

    def _zoom(self, since_us: int, until_us: int) -> None:
        """A step of a movement: the way back leads to where it began."""
        self._range.zoom(since_us, max(until_us, since_us + _LEAST_SPAN_US), remember=not self._moving)
        self._moving = True
