"""The bar of a moment in the past at which the whole window stands: a slider over the time range, and the way back."""

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from models.domain.quantity import format_time
from widgets.common.plain import PlainLabel
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.frame.tool_buttons import FlatButton

STEPS = 2_000
"""Of the slider, over the time range; an arrow key goes a two-hundredth, Page Up and Down a twentieth."""


class MomentBar(QWidget):
    """Hidden while no moment is pinned. The range is held for as long, and follows the present again afterwards if it did
    before. GUI thread."""

    def __init__(self, theme: ThemeHolder, times: TimeRangeModel, cursor: TimeCursor, leave: QAction) -> None:
        super().__init__()
        self._times, self._cursor = times, cursor
        self._was_live = False
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._told = PlainLabel()
        self._told.setAccessibleName(self.tr("The moment that is shown"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setSingleStep(STEPS // 200)
        self.slider.setPageStep(STEPS // 20)
        self.slider.setAccessibleName(self.tr("Moment within the time range"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 3, 8, 3)
        row.setSpacing(10)
        row.addWidget(self._told)
        row.addWidget(self.slider, 1)
        row.addWidget(FlatButton(theme, "close", self.tr("Back to now"), leave))
        self.hide()
        self.slider.valueChanged.connect(self._slid)
        cursor.pinned.connect(self._follow)
        times.changed.connect(self._range_changed)

    def begin(self) -> None:
        """Pin the moment under the pointer, else the end of the range; again: go to the slider."""
        if self._cursor.pinned_us is None:
            now = self._times.current()
            at_us = self._cursor.time_us
            self._cursor.pin(at_us if at_us is not None else now.until_us)
        self.slider.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot(object)
    def _follow(self, at_us: int | None) -> None:
        if at_us is None:
            self.hide()
            if self._was_live:
                self._was_live = False
                self._times.resume()
            return
        self._was_live |= self._times.live
        now = self._times.current()
        if not now.since_us <= at_us <= now.until_us:  # somebody named a moment that is not in sight
            self._times.zoom(at_us - now.span_us // 2, at_us + now.span_us // 2)
        else:
            self._times.pause()
        self._show(at_us)
        self.show()

    def _show(self, at_us: int) -> None:
        now = self._times.current()
        with QSignalBlocker(self.slider):
            self.slider.setValue(round((at_us - now.since_us) * STEPS / max(1, now.span_us)))
        text = self.tr("Everything as it was at {time}").replace("{time}", format_time(at_us, digits=3))
        self._told.set_text(text)

    @Slot(int)
    def _slid(self, value: int) -> None:
        now = self._times.current()
        self._cursor.pin(now.since_us + now.span_us * value // STEPS)

    @Slot()
    def _range_changed(self) -> None:
        """Live again, the moment is let go; another stretch keeps it where it lies within."""
        at_us = self._cursor.pinned_us
        if at_us is None:
            return
        now = self._times.current()
        if now.live:
            self._was_live = False
            self._cursor.pin(None)
        else:
            self._cursor.pin(min(max(at_us, now.since_us), now.until_us))
            self._show(self._cursor.pinned_us or at_us)
