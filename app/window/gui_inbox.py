"""The one way from a worker thread into the GUI thread: calls are put down and made there, many for one Qt event."""

import threading
import time
from collections import deque
from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

DRAIN_LIMIT_S = 0.008


class GuiInbox(QObject):
    """Calls put down by any thread are made in the GUI thread, in order.

    One queued signal wakes the GUI thread for whatever has gathered; a signal for every call would flood its event loop.
    A drain that has taken 8 ms leaves the rest to the next turn of the loop, so that input and painting come in between.
    """

    _wake = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._calls: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._woken = False
        self._closed = False
        self._wake.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    def put(self, call: Callable[[], None]) -> None:
        """Any thread. After `close` it does nothing."""
        with self._lock:
            if self._closed:
                return
            self._calls.append(call)
            if self._woken:
                return
            self._woken = True
            self._wake.emit()  # under the lock: `close` must not come between

    def close(self) -> None:
        """What is still there is forgotten. GUI thread; call when the workers have ended."""
        with self._lock:
            self._closed = True
            self._calls.clear()

    @Slot()
    def _drain(self) -> None:
        with self._lock:
            self._woken = False
        end_s = time.monotonic() + DRAIN_LIMIT_S
        try:
            while self._calls:
                self._calls.popleft()()
                if time.monotonic() >= end_s:
                    break
        finally:  # also when one call failed: the others are not to blame
            with self._lock:
                if self._calls and not self._woken and not self._closed:
                    self._woken = True
                    self._wake.emit()


def still_there(receiver: Callable[..., object]) -> bool:
    """Is the QObject whose method this is still alive? True for everything else."""
    owner = getattr(receiver, "__self__", None)
    return not isinstance(owner, QObject) or shiboken6.isValid(owner)
