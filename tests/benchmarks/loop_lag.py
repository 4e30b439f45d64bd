"""How late the event loop is: what a user feels when a window does not answer."""

import time

from PySide6.QtCore import QObject, Qt, QTimer, Slot

STEP_S = 0.010


class LoopLag(QObject):
    """A precise timer of 10 ms; `late_s` holds how much later than that each call came. GUI thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.late_s: list[float] = []
        self._last_s = 0.0
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=round(STEP_S * 1000))
        self._timer.timeout.connect(self._tick)

    @Slot()
    def start(self) -> None:
        self._last_s = time.perf_counter()
        self._timer.start()

    @Slot()
    def stop(self) -> None:
        self._timer.stop()

    @Slot()
    def _tick(self) -> None:
        now_s = time.perf_counter()
        self.late_s.append(max(0.0, now_s - self._last_s - STEP_S))
        self._last_s = now_s
