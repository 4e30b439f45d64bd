"""Loads the plot library and what shows plots while nobody waits for it, in steps that nobody notices.

All at once it holds the window up for 160 ms; on a thread of its own it crashes, as classes of Qt that are first used there
and in the GUI thread at the same time are not safe. Most of the time goes into Qt's classes (which bindings make when they
are first named) and into modules without Qt, so these are touched one after the other before; what is left takes 60 ms.
The modules of Explore take 100 to 180 ms together, which whoever opens that screen for the first time would wait for.
"""

import importlib
from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import QObject, QTimer, Slot

from widgets.plots.pyqtgraph_curve import load

PAUSE_MS = 40
_PLAIN = ("importlib.metadata", "numpy.polynomial", "numpy.fft", "multiprocessing", "ctypes.util")
_QT = ("PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets")
_NAMES_A_STEP = 150
_SCREENS = (
    "models.domain.layouts.ready", "widgets.explore.pulse_feed", "widgets.plots.series_index",
    "widgets.explore.panel_curves", "widgets.explore.distribution_view", "widgets.heat.surface",
    "widgets.explore.heat_view", "widgets.explore.table_view", "widgets.explore.explore_panel",
    "widgets.explore.layout_commands", "widgets.explore.panel_desk", "widgets.explore.series_tree",
    "widgets.explore.explore_screen",
)  # fmt: skip
"""Each brings what those before it have not."""


class PlotLibrary(QObject):
    """`start` when the window is idle. GUI thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._steps = _steps()
        self._timer = QTimer(self)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._step)

    @property
    def loading(self) -> bool:
        """Is there more to do?"""
        return self._timer.isActive()

    def start(self) -> None:
        """Begin; each step leaves the event loop time in between."""
        self._timer.start()

    @Slot()
    def _step(self) -> None:
        step = next(self._steps, None)
        if step is None:
            self._timer.stop()
        else:
            step()


def _steps() -> Iterator[Callable[[], object]]:
    for name in _PLAIN:
        yield partial(importlib.import_module, name)
    for name in _QT:
        module = importlib.import_module(name)
        names = dir(module)
        for first in range(0, len(names), _NAMES_A_STEP):
            yield partial(_touch, module, names[first : first + _NAMES_A_STEP])
    yield load
    for name in _SCREENS:
        yield partial(importlib.import_module, name)


def _touch(module: object, names: list[str]) -> None:
    for name in names:
        getattr(module, name, None)
