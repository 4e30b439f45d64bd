"""What one frame of a plot costs: a curve of a million points, and twenty curves of ten thousand, beside stock pyqtgraph.

    python -m tests.benchmarks.draw [--frames 40]                    on the screen of DISPLAY
    QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.draw

A plot of 1200×700 is exposed and redrawn whole (reduction, drawing, painting). Aims: 20 ms for the million, 25 ms for
smooth twenty times ten thousand. Prints one JSON line a case.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyqtgraph
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from models.domain.clock import SystemClock
from models.domain.queries import SeriesColumns
from tests.benchmarks.measure import machine, spread, tell
from widgets.common.frame_clock import FrameClock
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.curves import LineCurve
from widgets.plots.plot import TimePlot

SIZE = (1200, 700)
SPAN_US = 3_600_000_000
EXPOSED_MS = 10_000
CASES = (("one curve", 1, 1_000_000), ("twenty curves", 20, 10_000))
Values = npt.NDArray[np.float64]


def main() -> int:
    """Exit code 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=40)
    frames = parser.parse_args().frames
    app = QApplication(sys.argv[:1])
    tell("draw", "machine", platform=app.platformName(), **machine())
    theme = ThemeHolder(app, "light")
    random = np.random.default_rng(1)
    for name, curves, points in CASES:
        for kind in ("smooth", "noise"):
            values = [made(kind, points, random) for _ in range(curves)]
            times_us = np.linspace(0, SPAN_US - 1, points).astype(np.int64)
            for who, draws in (("ours", ours), ("pyqtgraph", stock)):
                widget, redraw = draws(times_us, values, theme)
                wall_s, cpu_s = zip(*timed(widget, redraw, frames), strict=True)
                tell("draw", f"{name} of {points}, {kind}", who=who, frame_ms=spread(wall_s), cpu_ms=spread(cpu_s))
                widget.close()
                widget.deleteLater()
                app.processEvents()
    return 0


def made(kind: str, points: int, random: np.random.Generator) -> Values:
    """What a machine measures: a slow wave with a little noise, or nothing but noise."""
    if kind == "noise":
        return random.normal(50, 12, points)
    return 50 + 30 * np.sin(np.linspace(0, random.uniform(5, 25), points)) + random.normal(0, 0.2, points)


def ours(
    times_us: npt.NDArray[np.int64], values: list[Values], theme: ThemeHolder
) -> tuple[QWidget, Callable[[], None]]:
    """Our plot, and a function that draws it anew."""
    clock = SystemClock()
    chosen = TimeRangeModel(clock, span_us=SPAN_US)
    plot = TimePlot("CPU", "", FrameClock(clock), chosen, TimeCursor(), theme)
    at_us = times_us + clock.wall_us() - SPAN_US
    curves = []
    for number, one in enumerate(values):
        buffer = SeriesBuffer(number)
        buffer.replace(SeriesColumns(number, at_us, at_us, one, reduced=False))
        curves.append(LineCurve(f"agent-{number}", "", buffer, number % 8))
    plot.set_curves(curves, [])
    return plot, plot.draw


def stock(
    times_us: npt.NDArray[np.int64], values: list[Values], _theme: ThemeHolder
) -> tuple[QWidget, Callable[[], None]]:
    """A PlotWidget as everybody uses it, with the reduction that it offers."""
    plot = pyqtgraph.PlotWidget()
    plot.setDownsampling(auto=True, mode="peak")
    plot.setClipToView(True)
    items = [plot.plot(pen=pyqtgraph.intColor(number)) for number in range(len(values))]
    x = times_us.astype(np.float64)

    def redraw() -> None:
        for item, one in zip(items, values, strict=True):
            item.setData(x, one, skipFiniteCheck=True)
        plot.repaint()
        plot.viewport().repaint()

    return plot, redraw


def timed(widget: QWidget, redraw: Callable[[], None], frames: int) -> list[tuple[float, float]]:
    """Seconds of every frame but the first, and of them on the processor (less, where others work on the machine)."""
    widget.resize(*SIZE)
    widget.show()
    if not QTest.qWaitForWindowExposed(widget, EXPOSED_MS):
        raise SystemExit("the window is not exposed")
    redraw()
    gc.collect()
    took = []
    for _ in range(frames):
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        redraw()
        took.append((time.perf_counter() - began_s, time.thread_time() - began_cpu_s))
        QApplication.processEvents()
    return took


if __name__ == "__main__":
    sys.exit(main())
