"""The Explore screen while figures pour in: milliseconds a redraw, lag of the event loop, and the tree of a large fleet.

    python -m tests.benchmarks.explore [--seconds 15] [--panels 12,50] [--no-baseline]     on the screen of DISPLAY
    xvfb-run -a -s "-screen 0 1920x1080x24" python -m tests.benchmarks.explore

Each panel shows four series of four agents over fifteen live minutes, ten samples a second each. The baseline is as many stock
pyqtgraph plots with the reduction that it offers, brought up to date ten times a second. The tree holds 5,000 agents with 50
series each: opened, and searched as somebody types. Prints one JSON line a case.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterable

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from models.domain.clock import SystemClock
from models.domain.layouts.changes import grid
from models.domain.layouts.layout import Layout, Panel, Plotted
from models.domain.names import SeriesKind
from models.domain.queries import (
    Failed,
    NamesRequest,
    NamesResult,
    Request,
    Result,
    SeriesColumns,
    SeriesRequest,
    SeriesResult,
)
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult, SeriesWords
from models.domain.tail import Interest, TailCursor, TailPage
from tests.benchmarks.loop_lag import LoopLag
from tests.benchmarks.measure import machine, spread, tell
from tests.widgets.fakes import FakeSource
from widgets.common.frame_clock import FrameClock
from widgets.common.theme import ThemeHolder
from widgets.explore.explore_screen import ExploreScreen
from widgets.frame.outlet import Outlet
from widgets.frame.screen_context import ScreenContext
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.notes.book import AnnotationBook
from widgets.plots.series_feed import NO_GAPS
from widgets.plots.surface import TimeSurface
from widgets.records.agent_names import AgentNames

SIZE = (1900, 1040)
SPAN_US = 900_000_000
A_SECOND = 10
TICK_MS = 100
EXPOSED_MS = 10_000
TYPED = ("m", "me", "met", "metric.4", "metric.49", "metric.49 agent-04", "metric.49 agent-0499", "qx")


class Source:
    """Answers at once, out of `agents` agents with `each` series each."""

    def __init__(self, agents: int, each: int) -> None:
        self.agents, self.each, self._random = agents, each, np.random.default_rng(1)
        self.taken_s: list[float] = []  # how long each answer kept the event loop
        ids = np.arange(agents * each)
        self._ids, self._agents = ids + 1, ids // each + 1  # the store answers in order
        self._told = ids % each
        metrics = sorted(f"metric.{one}" for one in range(each))
        self._words = tuple(SeriesWords(metric, "", "1", SeriesKind.GAUGE, "x") for metric in metrics)

    def ask(self, request: Request, wanted: Callable[[Result | Failed], None]) -> "Source":
        def deliver(result: Result) -> None:
            began_s = time.perf_counter()
            wanted(result)
            self.taken_s.append(time.perf_counter() - began_s)

        if isinstance(request, NamesRequest):
            names = [f"agent-{one:04}" for one in range(1, self.agents + 1)]
            deliver(NamesResult(request, list(range(1, self.agents + 1)), names, names))
        elif isinstance(request, SeriesNamesRequest):
            new = self._ids > request.after
            columns = self._ids[new], self._agents[new], self._told[new]
            deliver(SeriesNamesResult(request, *columns, self._words, {}, {}))
        elif isinstance(request, SeriesRequest):
            at = np.arange(request.since_us, time.time_ns() // 1_000, 1_000_000 // A_SECOND)
            columns = (
                SeriesColumns(one, at, at, 0.5 + np.cumsum(self._random.normal(0, 0.01, len(at))), reduced=False)
                for one in request.series
            )
            deliver(SeriesResult(request, tuple(columns), NO_GAPS))
        return self

    def cancel(self) -> None:
        """All was answered."""


class Tail:
    """A page ten times a second, with a sample of every series that is wanted."""

    def __init__(self) -> None:
        self._followers: list[Callable[[TailPage], None]] = []
        self._interest, self._random = Interest(), np.random.default_rng(2)

    def follow(self, deliver: Callable[[TailPage], None]) -> None:
        self._followers.append(deliver)

    def set_interest(self, interest: Interest) -> None:
        self._interest = interest

    def page(self) -> None:
        now = time.time_ns() // 1_000
        at = np.array([now])
        points = tuple(
            SeriesColumns(one, at, at, self._random.random(1), reduced=False) for one in self._interest.series
        )
        presence = FakeSource.presence_columns(())
        page = TailPage(TailCursor(), 1, 1, len(points), 0, 0, False, now, now, points, presence)
        for deliver in self._followers:
            deliver(page)


def main() -> int:
    """Exit code 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--panels", default="12,50")
    parser.add_argument("--no-baseline", action="store_true")
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    theme = ThemeHolder(app, "light")
    tell("explore", "machine", platform=app.platformName(), size=SIZE, **machine())
    for count in map(int, options.panels.split(",")):
        ours(count, options.seconds, theme)
        if not options.no_baseline:
            stock(count, options.seconds)
    tree(theme)
    return 0


def made(source: Source, tail: Tail, theme: ThemeHolder) -> ExploreScreen:
    clock = SystemClock()
    times = TimeRangeModel(clock, span_us=SPAN_US)
    context = ScreenContext(
        source,
        tail,
        FrameClock(clock),
        times,
        TimeCursor(),
        theme,
        clock,
        AnnotationBook(source, tail, lambda *_: None),
        Outlet(),
    )
    return ExploreScreen(context, AgentNames(source), lambda _menu: None)


def ours(count: int, seconds: float, theme: ThemeHolder) -> None:
    tail = Tail()
    screen = made(Source(200, 4), tail, theme)
    plotted = [
        [Plotted(f"agent-{4 * at % 200 + one + 1:04}", f"metric.{one}") for one in range(4)] for at in range(count)
    ]
    panels = [Panel(at + 1, tuple(some)) for at, some in enumerate(plotted)]
    draws: list[float] = []
    cpu: list[float] = []
    plain = TimeSurface.draw

    def timed(surface: TimeSurface) -> None:
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        plain(surface)
        draws.append(time.perf_counter() - began_s)
        cpu.append(time.thread_time() - began_cpu_s)

    TimeSurface.draw = timed  # type: ignore[method-assign]
    try:
        expose(screen)
        screen.history.begin(Layout(grid(panels)))
        lag = run(seconds, tail.page)
        visible = sum(panel.plot.is_visible_now() for panel in screen.desk.shown)
        tell(
            "explore", f"{count} panels of 4, live", who="ours", draw_ms=spread(draws), draw_cpu_ms=spread(cpu), draws_per_s=len(draws) / seconds,
            lag_ms=spread(lag), visible=visible,
        )  # fmt: skip
    finally:
        TimeSurface.draw = plain  # type: ignore[method-assign]
        close(screen)


def stock(count: int, seconds: float) -> None:
    holder = QWidget()
    box = QGridLayout(holder)
    across = next(number for number in range(1, count + 1) if number * number * 2 >= count)
    random, draws, cpu = np.random.default_rng(3), [], []
    plots = []
    for at in range(count):
        plot = pyqtgraph.PlotWidget()
        plot.setDownsampling(auto=True, mode="peak")
        plot.setClipToView(True)
        items = [plot.plot(pen=pyqtgraph.intColor(number)) for number in range(4)]
        box.addWidget(plot, at // across, at % across)
        plots.append((plot, items, [random.random(SPAN_US // 1_000_000 * A_SECOND) for _ in range(4)]))

    def redraw() -> None:
        for plot, items, values in plots:
            began_s, began_cpu_s = time.perf_counter(), time.thread_time()
            for place, item in enumerate(items):
                values[place] = np.append(values[place][1:], random.random(1))
                item.setData(values[place], skipFiniteCheck=True)
            plot.viewport().repaint()
            draws.append(time.perf_counter() - began_s)
            cpu.append(time.thread_time() - began_cpu_s)

    expose(holder)
    lag = run(seconds, redraw)
    tell(
        "explore", f"{count} panels of 4, live", who="pyqtgraph", draw_ms=spread(draws), draw_cpu_ms=spread(cpu), draws_per_s=len(draws) / seconds,
        lag_ms=spread(lag), visible=count,
    )  # fmt: skip
    close(holder)


def tree(theme: ThemeHolder) -> None:
    QApplication.processEvents()
    gc.collect()  # what was measured before
    source = Source(5_000, 50)
    screen = made(source, Tail(), theme)
    began_s, began_cpu_s = time.perf_counter(), time.thread_time()
    expose(screen)
    opened_s, opened_cpu_s = time.perf_counter() - began_s, time.thread_time() - began_cpu_s
    took, cpu = [], []
    for typed in TYPED:
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        screen.tree.search.setText(typed)
        screen.tree.search_now()
        screen.tree.view.repaint()
        QApplication.processEvents()
        took.append(time.perf_counter() - began_s)
        cpu.append(time.thread_time() - began_cpu_s)
    tell(
        "explore",
        "tree of 5,000 × 50",
        open_ms=round(opened_s * 1_000),
        answer_ms=spread(source.taken_s),
        open_cpu_ms=round(opened_cpu_s * 1_000),
        search_ms=spread(took),
        search_cpu_ms=spread(cpu),
        rows=len(screen.known.index),
    )
    close(screen)


def expose(widget: QWidget) -> None:
    widget.resize(*SIZE)
    widget.show()
    if not QTest.qWaitForWindowExposed(widget, EXPOSED_MS):
        raise SystemExit("the window is not exposed")


def run(seconds: float, work: Callable[[], object]) -> Iterable[float]:
    """Do the work ten times a second for so long; answers the lag of the event loop after the first second."""
    gc.collect()
    loop, lag, timer = QEventLoop(), LoopLag(), QTimer(interval=TICK_MS)
    timer.timeout.connect(work)
    timer.start()
    QTimer.singleShot(1_000, lag.start)
    QTimer.singleShot(round(seconds * 1_000), loop.quit)
    loop.exec()
    timer.stop()
    lag.stop()
    return lag.late_s


def close(widget: QWidget) -> None:
    widget.close()
    widget.deleteLater()
    QApplication.processEvents()


if __name__ == "__main__":
    sys.exit(main())
