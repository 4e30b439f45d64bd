"""The place of a screen in the window before the screen itself is there."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from widgets.common.state_view import StateView, ViewState
from widgets.common.theme import ThemeHolder


class ScreenPlace(QStackedWidget):
    """Says what it waits for until `fill`. Screens need modules that take long to load; the window does not wait for them."""

    arrived = Signal(QWidget)
    """The screen is there."""

    def __init__(self, themes: ThemeHolder, state: ViewState) -> None:
        super().__init__()
        self._view = StateView(themes)
        self._view.show_state(state)
        self.addWidget(self._view)

    @property
    def filled(self) -> bool:
        """Is the screen there?"""
        return self.count() > 1

    def show_state(self, state: ViewState) -> None:
        """Say something else instead; nothing once the screen is there."""
        self._view.show_state(state)

    def fill(self, screen: QWidget) -> None:
        """The screen, from now on; the focus that waited here goes to it."""
        waits = self.window().focusWidget() in (None, self)
        self.addWidget(screen)
        self.setCurrentWidget(screen)
        self.setFocusProxy(screen)
        if waits and self.isVisible():
            screen.setFocus()
        self.arrived.emit(screen)
