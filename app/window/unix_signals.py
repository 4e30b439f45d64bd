"""SIGINT, SIGTERM and SIGHUP end the window as its Quit does: everything is stopped in order."""

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class UnixSignals(QObject):
    """`asked_to_end` in the GUI thread. Python runs its handlers only when its code runs, so a socket wakes Qt's loop."""

    asked_to_end = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._here, self._there = socket.socketpair()
        self._here.setblocking(False)
        self._there.setblocking(False)
        signal.set_wakeup_fd(self._there.fileno(), warn_on_full_buffer=False)
        for one in _ENDING:
            signal.signal(one, _nothing)
        self._notifier = QSocketNotifier(self._here.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    def close(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(-1)
        for one in _ENDING:
            signal.signal(one, signal.SIG_DFL)
        self._here.close()
        self._there.close()

    @Slot()
    def _read(self) -> None:
        self._here.recv(64)
        self.asked_to_end.emit()


def _nothing(_number: int, _frame: object) -> None:
    """A handler must be there for the wake-up to be written."""
