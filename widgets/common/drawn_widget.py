"""A widget that is drawn on the frame clock: when there is something new to draw, and only where somebody would see it."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.common.frame_clock import FrameClock
from widgets.common.theme import ThemeHolder


class DrawnWidget(QWidget):
    """Implements `Drawable` but for `draw`, which who derives from it brings. It takes the keys. GUI thread."""

    def __init__(self, frame_clock: FrameClock, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock, self._theme = frame_clock, theme
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        frame_clock.register(self)
        theme.changed.connect(self.data_changed)

    @Slot()
    def data_changed(self) -> None:
        """There is something new to draw, soon."""
        self._clock.mark_dirty(self)

    def is_visible_now(self) -> bool:
        """As in `Drawable`."""
        return self.isVisible() and not self.visibleRegion().isEmpty()

    def draw(self) -> None:
        """As in `Drawable`."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.data_changed()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.data_changed()
