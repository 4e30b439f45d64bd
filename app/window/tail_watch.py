"""The tail is followed only while somebody sees what it brings."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QWindow

from app.window.places import DATA, EXPLORE, FLEET
from app.window.tail_source import TailSource
from widgets.frame.main_window import MainWindow


class TailWatch(QObject):
    """GUI thread."""

    def __init__(self, window: MainWindow, tail: TailSource) -> None:
        super().__init__(window)
        self._window, self._tail = window, tail
        self._exposed = False
        window.screen_changed.connect(self._mind)
        handle = window.windowHandle()
        if handle is not None:
            handle.visibilityChanged.connect(self._visibility_changed)
            self._visibility_changed(handle.visibility())

    @Slot(QWindow.Visibility)
    def _visibility_changed(self, visibility: QWindow.Visibility) -> None:
        self._exposed = visibility not in (QWindow.Visibility.Hidden, QWindow.Visibility.Minimized)
        self._mind()

    @Slot()
    def _mind(self) -> None:
        # the fleet asks for itself once a second, sizes grow slowly, and panels say which series they want
        self._tail.set_watched(self._exposed, lists=self._window.shown_screen not in (FLEET, EXPLORE, DATA))
