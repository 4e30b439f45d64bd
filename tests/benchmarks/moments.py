"""A moment in the past, pinned: how long until the whole window stands there, and what a slide through time costs.

    python -m tests.benchmarks.moments FOLDER [--tries 20]

`FOLDER` is a workspace of `big_store`; the time range is all of it. On each screen in turn the cursor is pinned to moments all over the
history, and a time ends when what is shown stands there and is painted (in Explore twelve panels of four series). Then the slider of
the moment is moved for two seconds, sixty times a second: the lag of the event loop meanwhile, and how long after its last step all
stands. On a virtual screen; prints JSON lines.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QWidget

from app.window.application import make_application
from app.window.places import AGENT, EXPLORE, FLEET, LOGS, MESSAGES
from models.domain.layouts.changes import grid
from models.domain.layouts.layout import Layout, Panel, Plotted
from tests.benchmarks.measure import Figures, machine, spread, tell
from tests.benchmarks.stored_window import Lag, StoredWindow, history_of
from tests.helpers.x11 import x_environment, x_server
from widgets.frame.moment_bar import STEPS, MomentBar
from widgets.records.paged_list import PagedList

SIZE = (1900, 1000)
STEP_S = 1 / 60
SLIDES = 120
METRICS = ("process.cpu.utilization", "process.memory.usage", "agent.queue.length", "agent.request.duration")

Stands = Callable[[int], bool]


def screens(scene: StoredWindow) -> dict[str, tuple[QWidget, Stands]]:
    """Each screen's widget, and whether it stands at a moment."""
    made = scene.composition.screens
    assert made is not None
    fleet = made.fleet
    assert fleet.fleet is not None
    made.open_agent(int(fleet.fleet.agent[3]))
    agent, logs, messages = made.agent, made.logs_screen(), made.messages_screen()
    explore = made.explore.made()
    assert agent is not None
    index = explore.known.index
    scene.window.show_screen(EXPLORE)
    scene.until(lambda: len(index) > 1_000, "the series are there")
    panels = [
        Panel(at + 1, tuple(Plotted(index.ids[4 * at + one], METRICS[at % 4]) for one in range(4))) for at in range(12)
    ]
    explore.history.begin(Layout(grid(panels)))

    def listed(rows: PagedList) -> Stands:
        return lambda at_us: rows._start is not None and rows._start.received_us == at_us and not rows._begun

    def shown(at_us: int) -> bool:
        return fleet.fleet is not None and fleet.fleet.request.at_us == at_us and fleet._ticket is None

    def drawn(_at_us: int) -> bool:
        return not explore.desk.feed.loading

    return {
        FLEET: (fleet, shown),
        LOGS: (logs, listed(logs.rows)),
        MESSAGES: (messages, listed(messages.rows)),
        EXPLORE: (explore, drawn),
        AGENT: (agent, lambda at_us: listed(agent.logs)(at_us) and not agent.plots.feed.loading),
    }


def pin(scene: StoredWindow, widget: QWidget, stands: Stands, moments: list[int]) -> Figures:
    cursor, taken_s = scene.window.time_cursor, []
    with Lag() as lag:
        for at_us in moments:
            scene.run(0.2)  # so that nothing waits for its turn any more
            began_s = time.perf_counter()
            cursor.pin(at_us)
            scene.until(lambda at_us=at_us: stands(at_us), "all stands at the moment")
            widget.repaint()
            taken_s.append(time.perf_counter() - began_s)
    return {"pinned_ms": spread(taken_s), "pin_lag_ms": spread(lag.late_s)}


def slide(scene: StoredWindow, widget: QWidget, stands: Stands) -> Figures:
    bar = scene.window.findChild(MomentBar)
    assert bar is not None
    with Lag() as lag:
        for step in range(SLIDES):
            bar.slider.setValue(STEPS // 10 + step * STEPS * 8 // 10 // SLIDES)
            scene.run(STEP_S)
        at_us = scene.window.time_cursor.pinned_us
        assert at_us is not None
        took_s = scene.until(lambda: stands(at_us), "all stands where the slider stays")
        widget.repaint()
    return {"slide_lag_ms": spread(lag.late_s), "after_slide_ms": round(took_s * 1000, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tries", type=int, default=20)
    options = parser.parse_args()
    tell("moments", "machine", **machine())
    with x_server(*SIZE) as display:
        os.environ.update(x_environment(display))
        scene = StoredWindow(make_application("en"), options.folder, SIZE)
        scene.until(lambda: scene.composition.screens.fleet.fleet is not None, "the fleet is there")
        since_us, until_us = history_of(options.folder)
        scene.window.time_range.zoom(since_us, until_us)
        chance = np.random.default_rng(1)
        for name, (widget, stands) in screens(scene).items():
            scene.window.show_screen(name)
            scene.settled()
            moments = chance.integers(since_us, until_us, options.tries).tolist()
            found = {**pin(scene, widget, stands, moments), **slide(scene, widget, stands)}
            tell("moments", name, **found)
            scene.window.time_cursor.pin(None)
        scene.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
