"""Zooming and panning over a month of history in Explore, by wheel and mouse: milliseconds a frame, lag of the event loop, and how
long until the picture is sharp.

    python -m tests.benchmarks.zoom [--days 30] [--period 5] [--panels 12,50] [--runs 1] [--keep FOLDER] [--no-baseline]

The real window on a sealed workspace, on a virtual screen: 25 agents with eight series each, a sample every `--period` seconds.
Panels show four of them each over the whole time. The wheel turns thirty notches in and out again, twenty a second, then the
middle button drags the plots to and fro. A *frame* lasts from an input to when every visible panel shows what it asked for;
*sharp* is when nothing more comes. The baseline are as many linked pyqtgraph plots with the reduction that it offers, over the same
number of samples, which all lie in memory.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyqtgraph
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from app.window.application import make_application
from app.window.places import EXPLORE
from models.domain.layouts.changes import grid
from models.domain.layouts.layout import Layout, Panel, Plotted
from tests.benchmarks.measure import Cost, Figures, machine, spread, summarise, tell
from tests.benchmarks.plot_query import build
from tests.benchmarks.sampled import FLEET, SECOND_US, Fleet
from tests.benchmarks.stored_window import LIMIT_S, Draws, Lag, StoredWindow, turn_wheel
from tests.helpers.clock import FIRST_WALL_US
from tests.helpers.x11 import x_environment, x_server

SIZE = (1900, 1600)
AGENTS = 25
DAY_US = 86_400 * SECOND_US
NOTCHES = 30
WHEEL_S = 0.05
MOVE_S = 0.016
MOVES = 60
MOVE_PIXELS = 6
_WAIT = QEventLoop.ProcessEventsFlag.WaitForMoreEvents  # the one that measures the lag comes every 10 ms
KEYS = ("open_sharp_ms", "open_lag_max_ms", "frame_p50_ms", "frame_p95_ms", "frame_p99_ms", "draw_p50_ms", "draw_p95_ms",
        "draw_p99_ms", "lag_p99_ms", "lag_max_ms", "sharp_p50_ms", "sharp_max_ms", "peak_mib")  # fmt: skip


class Frames:
    """From each input to when all has been painted that it changed; one that comes before is part of the next frame."""

    def __init__(self, app: QApplication, painted: Callable[[], bool]) -> None:
        self._app, self._painted = app, painted
        self.taken_s: list[float] = []

    def act(self, work: Callable[[], object], every_s: float) -> None:
        """One input, and what is left of its time lived through."""
        began_s = time.perf_counter()
        work()
        while not self._painted():
            assert time.perf_counter() - began_s < LIMIT_S, "not all is painted"
            self._app.processEvents(_WAIT)
        self.taken_s.append(time.perf_counter() - began_s)
        while time.perf_counter() - began_s < every_s:
            self._app.processEvents(_WAIT)


def wheel_and_drag(frames: Frames, plot: QWidget, middle: QPoint, sharp: Callable[[], float]) -> list[float]:
    """The inputs; answers how long after each of the three movements the picture was sharp."""
    found = []
    for notches in (1, -1):
        for _ in range(NOTCHES):
            frames.act(lambda notches=notches: turn_wheel(plot, middle, notches), WHEEL_S)
        found.append(sharp())
        if notches == 1:
            found.append(dragged(frames, plot, middle, sharp))
    return found


def dragged(frames: Frames, plot: QWidget, middle: QPoint, sharp: Callable[[], float]) -> float:
    button = Qt.MouseButton.MiddleButton
    QTest.mousePress(plot, button, pos=middle)
    for step in range(1, MOVES):
        there = middle + QPoint(MOVE_PIXELS * min(step, MOVES - step), 0)
        frames.act(lambda there=there: drag_to(plot, there), MOVE_S)
    QTest.mouseRelease(plot, button, pos=middle)
    return sharp()


def drag_to(plot: QWidget, there: QPoint) -> None:
    at, pressed = QPointF(there), Qt.MouseButton.MiddleButton
    keys = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, at, QPointF(plot.mapToGlobal(there)), Qt.MouseButton.NoButton, pressed, keys)  # fmt: skip
    QCoreApplication.sendEvent(plot, event)


def ours(app: QApplication, folder: Path, panels: int, since_us: int, until_us: int) -> Figures:
    scene = StoredWindow(app, folder, SIZE)
    try:
        scene.settled()
        screens = scene.composition.screens
        assert screens is not None
        scene.window.show_screen(EXPLORE)
        screen = screens.explore.made()
        index = screen.known.index
        scene.until(lambda: len(index) >= AGENTS * len(FLEET), "the series are there")
        scene.window.time_range.zoom(since_us, until_us)
        plotted = [
            Plotted(f"agent-{number // len(FLEET)}", f"m{number % len(FLEET)}.{FLEET[number % len(FLEET)]}")
            for number in range(4 * panels)
        ]
        layout = Layout(grid([Panel(at + 1, tuple(plotted[4 * at : 4 * at + 4])) for at in range(panels)]))
        cost = Cost(os.getpid())
        with Lag() as opening:
            screen.history.begin(layout)
            opened_s = scene.settled()
        shown = [panel.plot for panel in screen.desk.shown if panel.plot.is_visible_now()]
        assert all(len(curve.buffer) for panel in screen.desk.shown for curve in panel.curves), "a curve is empty"

        def painted() -> bool:
            now = scene.window.time_range.current()
            return all(plot.span == (now.since_us, now.until_us) for plot in shown)

        frames, plot = Frames(app, painted), shown[len(shown) // 2]
        middle = plot.frame.area.center().toPoint()
        with Draws() as draws, Lag() as lag:
            sharp = wheel_and_drag(frames, plot, middle, scene.settled)
        return figures("ours", frames, lag, sharp, len(shown)) | {
            **{f"draw_{key}_ms": value for key, value in spread(draws.taken_s).items()},
            "draw_cpu_ms": spread(draws.cpu_s), "open_sharp_ms": round(opened_s * 1000),
            "open_lag_max_ms": spread(opening.late_s)["max"], "peak_mib": cost.peak_mib(),
        }  # fmt: skip
    finally:
        scene.close()


def figures(who: str, frames: Frames, lag: Lag, sharp: Sequence[float], visible: int) -> Figures:
    return {
        "who": who, "visible": visible, "frames": len(frames.taken_s),
        **{f"frame_{key}_ms": value for key, value in spread(frames.taken_s).items() if key != "n"},
        **{f"lag_{key}_ms": value for key, value in spread(lag.late_s).items() if key != "n"},
        **{f"sharp_{key}_ms": value for key, value in spread(sharp).items() if key in ("p50", "max")},
    }  # fmt: skip


def stock(app: QApplication, panels: int, points: int) -> Figures:
    """Linked pyqtgraph plots over arrays that are there."""
    holder = QWidget()
    box = QGridLayout(holder)
    across = next(number for number in range(1, panels + 1) if number * number * 2 >= panels)
    random, at = np.random.default_rng(3), np.arange(points, dtype=np.float64)
    plots: list[pyqtgraph.PlotWidget] = []
    painted: set[int] = set()
    plain = pyqtgraph.PlotWidget.paintEvent

    def counted(plot: pyqtgraph.PlotWidget, event: object) -> None:
        plain(plot, event)
        painted.add(id(plot))

    pyqtgraph.PlotWidget.paintEvent = counted
    try:
        cost = Cost(os.getpid())
        for number in range(panels):
            plot = pyqtgraph.PlotWidget()
            plot.setDownsampling(auto=True, mode="peak")
            plot.setClipToView(True)
            for curve in range(4):
                plot.plot(
                    at, np.cumsum(random.normal(0, 1, points)), pen=pyqtgraph.intColor(curve), skipFiniteCheck=True
                )
            if plots:
                plot.setXLink(plots[0])
            box.addWidget(plot, number // across, number % across)
            plots.append(plot)
        holder.resize(*SIZE)
        holder.show()
        assert QTest.qWaitForWindowExposed(holder, 60_000), "the window is not exposed"
        app.processEvents()
        plots[0].setXRange(0, points, padding=0)
        app.processEvents()
        view = plots[panels // 2].viewport()

        def all_painted() -> bool:
            done = len(painted) == panels
            if done:
                painted.clear()
            return done

        frames = Frames(app, all_painted)
        painted.clear()
        with Lag() as lag:
            sharp = wheel_and_drag(frames, view, view.rect().center(), lambda: 0.0)
        return figures("pyqtgraph", frames, lag, sharp, panels) | {"peak_mib": cost.peak_mib()}
    finally:
        pyqtgraph.PlotWidget.paintEvent = plain
        holder.close()
        holder.deleteLater()
        app.processEvents()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--period", type=int, default=5, help="seconds between two samples of a series")
    parser.add_argument("--panels", default="12,50")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the workspace, used again if it is there")
    parser.add_argument("--no-baseline", action="store_true")
    options = parser.parse_args()
    tell("zoom", "machine", **machine())
    rows = []
    with tempfile.TemporaryDirectory(prefix="zoom-") as temporary, x_server(*SIZE) as display:
        os.environ.update(x_environment(display))
        folder = (options.keep or Path(temporary)) / f"{options.days}d-{options.period}s"
        a_day, newest = 86_400 // options.period, 900 // options.period
        if not folder.exists():
            build(folder, Fleet(AGENTS, FLEET, options.period * SECOND_US), [a_day] * options.days, newest)
        since_us, until_us = FIRST_WALL_US, FIRST_WALL_US + options.days * DAY_US
        app = make_application("en")
        for _ in range(options.runs):
            for panels in map(int, options.panels.split(",")):
                what = f"{panels} panels of 4, {options.days} days, every {options.period} s"
                found = ours(app, folder, panels, since_us, until_us)
                rows.append(tell("zoom", f"{what}: ours", **found))
                if not options.no_baseline:
                    rows.append(tell("zoom", f"{what}: pyqtgraph", **stock(app, panels, a_day * options.days)))
    summarise("zoom", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
