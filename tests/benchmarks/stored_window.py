"""The real window on a workspace that nobody records into, for benchmarks of history: looked at, waited for, acted on by events."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from PySide6.QtCore import QCoreApplication, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.window.composition import Composition, WindowOptions
from app.window.plot_library import PlotLibrary
from models.storage.history.store_view import StoreView
from models.storage.workspace import Workspace
from tests.benchmarks.loop_lag import LoopLag
from tests.benchmarks.measure import Figures, spread
from widgets.plots.surface import TimeSurface

LIMIT_S = 60.0
NOTCH = 120
_LOOK_S = 0.002


class StoredWindow:
    """Shown and filled. `close` it."""

    def __init__(self, app: QApplication, folder: Path, size: tuple[int, int]) -> None:
        self.app = app
        self.composition = Composition(app, Workspace.at(folder), WindowOptions(theme="light", live=False))
        self.window = self.composition.window
        self.window.resize(*size)
        self.window.show()
        assert QTest.qWaitForWindowExposed(self.window, 10_000), "the window is not exposed"
        self.composition.fill()
        self.until(lambda: self.composition.screens is not None, "the screens are there")
        library = PlotLibrary()  # as a window that follows a recorder does, as soon as it is idle
        library.start()
        self.until(lambda: not library.loading, "what shows plots is loaded")

    def run(self, seconds: float) -> None:
        """Let the window live."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        loop.exec()

    def until(self, ready: Callable[[], object], what: str) -> float:
        """Live until it is so; answers after how many seconds."""
        began_s = time.perf_counter()
        while not ready():
            assert time.perf_counter() - began_s < LIMIT_S, f"not so after {LIMIT_S:g} s: {what}"
            self.run(_LOOK_S)
        return time.perf_counter() - began_s

    def settled(self) -> float:
        """Live until everything is answered and drawn; answers when that was so, in seconds from now."""
        began_s = time.perf_counter()
        quiet_s = 0.0
        while True:
            self.until(lambda: self.composition.idle, "all is answered and drawn")
            quiet_s = time.perf_counter()
            self.run(0.15)  # a question that waits for a pause in what the user does
            if self.composition.idle:
                return quiet_s - began_s

    def close(self) -> None:
        self.window.close()
        self.composition.close()
        QApplication.processEvents()


class Draws:
    """While it is entered, every drawing of what lies over time is timed."""

    def __init__(self) -> None:
        self.taken_s: list[float] = []
        self.cpu_s: list[float] = []
        self.last_s = 0.0
        self._plain = TimeSurface.draw

    def __enter__(self) -> Self:
        def timed(surface: TimeSurface) -> None:
            began_s, began_cpu_s = time.perf_counter(), time.thread_time()
            self._plain(surface)
            self.last_s = time.perf_counter()
            self.taken_s.append(self.last_s - began_s)
            self.cpu_s.append(time.thread_time() - began_cpu_s)

        TimeSurface.draw = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        TimeSurface.draw = self._plain  # type: ignore[method-assign]

    def figures(self) -> Figures:
        return {"draw_ms": spread(self.taken_s), "draw_cpu_ms": spread(self.cpu_s)}


class Lag:
    """While it is entered, how late the event loop is."""

    def __enter__(self) -> Self:
        self._lag = LoopLag()
        self._lag.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._lag.stop()

    @property
    def late_s(self) -> list[float]:
        return self._lag.late_s


def turn_wheel(widget: QWidget, at: QPoint, notches: int) -> None:
    """As a mouse over it does."""
    nothing, up = QPoint(), QPoint(0, notches * NOTCH)
    buttons, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        QPointF(at), QPointF(widget.mapToGlobal(at)), nothing, up, buttons, keys, Qt.ScrollPhase.NoScrollPhase, False
    )
    QCoreApplication.sendEvent(widget, event)


def history_of(folder: Path) -> tuple[int, int]:
    """When the first and the last of what is stored there arrived."""
    view = StoreView(Workspace.at(folder))
    view.refresh()
    rows = view.all()
    view.close()
    return min(row.first_us for row in rows), max(row.last_us for row in rows) + 1
