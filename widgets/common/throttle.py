"""Does something at once, and then at most once an interval however often it is wanted."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot


class Throttle(QObject):
    """Calls `action` for `want`; wants that come too soon become one call at the end of the interval. GUI thread."""

    def __init__(self, action: Callable[[], object], interval_ms: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._action = action
        self._waiting = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self._due)

    def want(self) -> None:
        """Do it now, or as soon as the interval allows."""
        if self._timer.isActive():
            self._waiting = True
            return
        self._timer.start()
        self._action()

    def set_interval(self, interval_ms: int) -> None:
        """From the next call on."""
        self._timer.setInterval(interval_ms)

    def stop(self) -> None:
        """Forget what is wanted."""
        self._timer.stop()
        self._waiting = False

    @Slot()
    def _due(self) -> None:
        if self._waiting:
            self._waiting = False
            self.want()
