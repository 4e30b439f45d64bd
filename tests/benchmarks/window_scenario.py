"""One scenario of `tests.benchmarks.window`, in a process of its own on a screen that is there already: the real window through
its composition root, beside a real broker, recorder and load. Prints one JSON line."""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.settings import Retention
from app.window.application import make_application
from app.window.composition import Composition, WindowOptions
from app.window.error_hooks import ErrorHooks
from app.window.first_paint import FirstPaint
from app.window.places import EXPLORE
from models.domain.layouts.changes import grid
from models.domain.layouts.layout import Layout, Panel, Plotted
from models.storage.workspace import Workspace
from tests.benchmarks.loop_lag import LoopLag
from tests.benchmarks.measure import Cost, Figures, spread
from tests.benchmarks.stored_window import turn_wheel
from tests.benchmarks.traffic import Load, recording, settled, start_broker, taken_in
from widgets.agent.agent_screen import AgentScreen
from widgets.agent.series_picker import SeriesPicker
from widgets.common.tables import TableView
from widgets.fleet.fleet_state import Column
from widgets.plots.plot import TimePlot

LIMIT_S = 60.0
TRIES = 25
ZOOM_MS, NOTCHES = 50, 15
SCROLL_PIXELS = 30  # a step every 16 ms: about 70 rows a second


class Draws:
    """Counts and times every drawing of a plot; watches one buffer for the first drawing of each of its samples."""

    def __init__(self) -> None:
        self.taken_s: list[float] = []
        self.latency_s: list[float] = []
        self._watched: TimePlot | None = None
        self._seen_us = 0
        draw = TimePlot.draw

        def measured(plot: TimePlot) -> None:
            began_s = time.perf_counter()
            draw(plot)  # paints before it returns
            self.taken_s.append(time.perf_counter() - began_s)
            if plot is self._watched:
                self._look(plot)

        TimePlot.draw = measured

    def clear(self) -> None:
        self.taken_s.clear()
        self.latency_s.clear()

    def watch(self, plot: TimePlot) -> None:
        """From now on; what is drawn already does not count."""
        received = plot.curves[0].buffer.received_us
        self._watched, self._seen_us = plot, int(received.max()) if len(received) else 0

    def _look(self, plot: TimePlot) -> None:
        now_us, received = time.time_ns() // 1000, plot.curves[0].buffer.received_us
        new = received[received > self._seen_us]
        if len(new):
            self._seen_us = int(new.max())
            self.latency_s += ((now_us - new) / 1e6).tolist()


class TablePaints:
    """Counts finished paint events of tables."""

    def __init__(self) -> None:
        self.count = 0
        paint = TableView.paintEvent

        def counted(table: TableView, event: QPaintEvent) -> None:
            paint(table, event)
            self.count += 1

        TableView.paintEvent = counted


class Scene:
    """The window with its event loop; waits by running it."""

    def __init__(self, app: QApplication, workspace: Path, size: tuple[int, int]) -> None:
        self.app = app
        self.composition = Composition(app, Workspace.at(workspace), WindowOptions(theme="dark"))
        self.window = self.composition.window
        self.window.resize(*size)
        paint = FirstPaint(self.window)
        paint.painted.connect(self.composition.fill)
        self.window.show()
        self.window.activateWindow()

    def until(self, ready: Callable[[], object], what: str) -> None:
        end_s = time.monotonic() + LIMIT_S
        while not ready():
            assert time.monotonic() < end_s, f"not so after {LIMIT_S:g} s: {what}"
            self.run(0.02)

    def run(self, seconds: float) -> None:
        """Let the window live."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        loop.exec()

    def open_agent(self) -> AgentScreen:
        """The first agent of the fleet, with its figures there."""
        composition = self.composition
        self.until(lambda: composition.screens and composition.screens.fleet.fleet, "the fleet is shown")
        assert composition.screens is not None
        fleet = composition.screens.fleet
        self.until(lambda: fleet.fleet is not None and len(fleet.fleet.agent) > 3, "agents are there")
        assert fleet.fleet is not None
        composition.screens.open_agent(int(fleet.fleet.agent[3]))
        screen = composition.screens.agent
        assert screen is not None
        self.until(lambda: screen.facts.result and len(screen.facts.result.series) >= 8, "the agent's series are there")
        return screen

    def plot_everything(self, screen: AgentScreen) -> list[TimePlot]:
        """Tick series in the picker until it takes no more; the plots that can be seen then."""
        screen.pick_series()
        picker = screen.findChild(SeriesPicker)
        assert picker is not None
        for row in range(picker.list.count()):
            picker.list.item(row).setCheckState(Qt.CheckState.Checked)
        picker.close()
        screen.splitter.setSizes([self.window.height(), 1])
        self.run(1.0)
        return [plot for plot in (*screen.plots.main, *screen.plots.extra) if plot.is_visible_now()]


def agent_scenario(scene: Scene, options: argparse.Namespace, draws: Draws, measured: Callable[[], Figures]) -> Figures:
    """Twelve live plots."""
    screen = scene.open_agent()
    visible = scene.plot_everything(screen)
    scene.run(options.settle)
    draws.clear()
    late = scene.composition.frames.late
    found = measured()
    drawn = len(draws.taken_s) / options.duration
    figures = {"draws_per_s": round(drawn, 1), "draw_ms": spread(draws.taken_s)}
    return {"plots_visible": len(visible), **found, **figures, "draws_late": scene.composition.frames.late - late}


def latency_scenario(
    scene: Scene, options: argparse.Namespace, draws: Draws, measured: Callable[[], Figures]
) -> Figures:
    """From arrival to the end of the paint event that first shows it."""
    screen = scene.open_agent()
    scene.until(lambda: screen.plots.cpu.curves, "the CPU is plotted")
    scene.run(options.settle)
    draws.clear()
    draws.watch(screen.plots.cpu)
    return {**measured(), "paint_latency_ms": spread(draws.latency_s)}


def explore_scenario(
    scene: Scene, options: argparse.Namespace, draws: Draws, measured: Callable[[], Figures]
) -> Figures:
    """So many panels with four series of four agents each: live, and then while a wheel zooms in and out without a pause."""
    composition = scene.composition
    scene.until(lambda: composition.screens and composition.screens.fleet.fleet, "the fleet is shown")
    assert composition.screens is not None
    scene.window.show_screen(EXPLORE)
    screen = composition.screens.explore.made()
    index = screen.known.index
    wanted = 4 * options.panels
    scene.until(
        lambda: len(index.agents) >= options.agents and len(index) >= 4 * options.agents, "the series are there"
    )
    rows = [row for row in range(len(index)) if "cpu" in index.texts[index.told[row]]][:wanted]
    whose = [int(place) for place in np.searchsorted(index.starts, rows, side="right") - 1]
    plotted = [
        Plotted(index.ids[place], index.words[index.told[row]].metric, index.words[index.told[row]].labels)
        for place, row in zip(whose, rows, strict=True)
    ]
    panels = [Panel(at + 1, tuple(plotted[4 * at : 4 * at + 4])) for at in range(options.panels)]
    screen.history.begin(Layout(grid(panels)))
    scene.run(options.settle)
    draws.clear()
    found = measured()
    visible = sum(panel.plot.is_visible_now() for panel in screen.desk.shown)
    curves = sum(len(panel.curves) for panel in screen.desk.shown)
    figures = {"draws_per_s": round(len(draws.taken_s) / options.duration, 1), "draw_ms": spread(draws.taken_s)}
    draws.clear()
    zoomed = _while_zooming(screen.desk.shown[0].plot, measured)
    more = {"zoom_lag_ms": zoomed["lag_ms"], "zoom_draw_ms": spread(draws.taken_s)}
    return {"plots_visible": visible, "curves": curves, **found, **figures, **more}


def _while_zooming(plot: TimePlot, measured: Callable[[], Figures]) -> Figures:
    """Twenty notches a second: in, out, in …; a minute of a quarter of an hour is what is closest."""
    turn, step = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=ZOOM_MS), 0

    def notch() -> None:
        nonlocal step
        step += 1
        turn_wheel(plot, plot.frame.area.center().toPoint(), 1 if step // NOTCHES % 2 == 0 else -1)

    turn.timeout.connect(notch)
    turn.start()
    found = measured()
    turn.stop()
    return found


def fleet_scenario(
    scene: Scene, options: argparse.Namespace, paints: TablePaints, measured: Callable[[], Figures]
) -> Figures:
    """Sorted by CPU, scrolled without a pause; then sort clicks and typing into the filter, each until it is painted."""
    composition = scene.composition
    scene.until(lambda: composition.screens and composition.screens.fleet.fleet, "the fleet is shown")
    assert composition.screens is not None
    fleet = composition.screens.fleet
    scene.until(lambda: fleet.fleet is not None and len(fleet.fleet.agent) >= options.agents, "all agents are there")
    fleet.table.horizontalHeader().setSortIndicator(Column.CPU, Qt.SortOrder.DescendingOrder)
    scene.run(options.settle)
    bar = fleet.table.verticalScrollBar()
    scroll, place = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=16), 0

    def step() -> None:
        nonlocal place
        place += SCROLL_PIXELS
        whole = max(1, bar.maximum())
        bar.setValue(whole - abs(place % (2 * whole) - whole))  # down, up, down …

    scroll.timeout.connect(step)
    scroll.start()
    found = measured()
    scroll.stop()
    scene.run(0.5)
    sections = (Column.MEMORY, Column.CPU)
    header = fleet.table.horizontalHeader()

    def click(n: int) -> None:
        x = header.sectionViewportPosition(sections[n % 2]) + 20
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, header.height() // 2))

    def key(n: int) -> None:
        if n % 3 == 2:
            fleet._filter.clear()
        else:
            QTest.keyClick(fleet._filter, "crawler-1"[n % 3])

    return {
        **found, "rows": fleet.model.rowCount(), "sort_ms": spread(_until_painted(scene, paints, click)),
        "filter_ms": spread(_until_painted(scene, paints, key)),
    }  # fmt: skip


def _until_painted(scene: Scene, paints: TablePaints, act: Callable[[int], None]) -> list[float]:
    """Seconds from an input to the end of the paint event that it caused. Begins between two refreshes of the figures."""
    taken_s = []
    for n in range(TRIES):
        scene.run(0.15)
        began_s, before = time.perf_counter(), paints.count
        act(n)
        while paints.count == before:
            assert time.perf_counter() - began_s < LIMIT_S, "nothing was painted"
            scene.app.processEvents()
        taken_s.append(time.perf_counter() - began_s)
    return taken_s


def run(options: argparse.Namespace, folder: Path) -> Figures:
    workspace = folder / "workspace"
    draws, paints = Draws(), TablePaints()
    hooks = ErrorHooks()
    hooks.install()
    with (
        start_broker(folder / "broker", options.max_queued) as broker,
        recording(workspace, broker, "auto", Retention(gib=0, days=0)) as (recorder, client),
    ):
        load = Load(broker.url, options.agents, options.rate, 0, options.qos)
        app = make_application("en")
        width, height = options.size.split("x")
        scene = Scene(app, workspace, (int(width), int(height)))

        def measured() -> Figures:
            lag = LoopLag()
            pids = {"window_cpu": os.getpid(), "recorder_cpu": recorder.pid, "broker_cpu": broker.pid}
            costs = {name: Cost(pid) for name, pid in pids.items()}
            load_cost = Cost(load.pid)
            lag.start()
            scene.run(options.duration)
            lag.stop()
            cpu = {name: cost.cpu_percent() for name, cost in costs.items()}
            peak = costs["window_cpu"].peak_mib()
            return {"lag_ms": spread(lag.late_s), **cpu, "load_cpu": load_cost.cpu_percent(), "window_peak_mib": peak}

        scenario = {"agent": agent_scenario, "latency": latency_scenario, "explore": explore_scenario}.get(
            options.scenario
        )
        found = (
            scenario(scene, options, draws, measured) if scenario else fleet_scenario(scene, options, paints, measured)
        )
        counters = client.hello("cli").counters
        sent = load.stop()
        rows, _ = settled(lambda: taken_in(Workspace.at(workspace)), int(str(sent["total"])))
        scene.window.close()
        scene.composition.close()
    hooks.uninstall()
    return {
        **found, "sent": sent["total"], "reached_rate": sent["rate"], "stored": rows,
        "lost": int(str(sent["total"])) - rows, "commit_p50_ms": counters.commit_p50_us / 1000,
        "commit_p99_ms": counters.commit_p99_us / 1000, "settle_s": options.settle, "faults": hooks.count,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=("agent", "latency", "fleet", "explore"))
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--agents", type=int, required=True)
    parser.add_argument("--duration", type=float, required=True)
    parser.add_argument("--settle", type=float, required=True)
    parser.add_argument("--size", required=True)
    parser.add_argument("--panels", type=int, default=12, help="of explore")
    parser.add_argument("--max-queued", type=int)
    parser.add_argument("--qos", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="window-") as folder:
        print(json.dumps(run(options, Path(folder))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
