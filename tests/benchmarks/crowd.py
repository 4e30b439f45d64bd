"""Five thousand agents in the window: how late its event loop is while screens are opened, searched, sorted and grouped.

    python -m tests.benchmarks.crowd FOLDER

`FOLDER` is a workspace of `big_store --agents 5000`. Everything is done by events on a virtual screen; each act is measured from its
first event until all is answered and painted. Prints JSON lines.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app.window.application import make_application
from app.window.places import EXPLORE, FLEET, LOGS, MESSAGES
from tests.benchmarks.measure import machine, spread, tell
from tests.benchmarks.stored_window import Lag, StoredWindow, history_of
from tests.helpers.x11 import x_environment, x_server
from widgets.fleet.fleet_state import Column

SIZE = (1900, 1000)
TYPED = "crawler-12"
KEY_S = 0.08


def timed(scene: StoredWindow, what: str, act: Callable[[], object]) -> None:
    with Lag() as lag:
        began_s = time.perf_counter()
        act()
        took_s = time.perf_counter() - began_s + scene.settled()
    tell("crowd", what, took_ms=round(took_s * 1000), lag_ms=spread(lag.late_s))


def type_into(scene: StoredWindow, line: QLineEdit, text: str) -> None:
    for key in text:
        QTest.keyClick(line, key)
        scene.run(KEY_S)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    tell("crowd", "machine", **machine())
    with x_server(*SIZE) as display:
        os.environ.update(x_environment(display))
        with Lag() as lag:
            scene = StoredWindow(make_application("en"), options.folder, SIZE)
            scene.until(lambda: scene.composition.screens.fleet.fleet is not None, "the fleet is there")
            scene.settled()
        screens, window = scene.composition.screens, scene.window
        assert screens is not None
        fleet = screens.fleet
        tell("crowd", "Fleet opened", agents=fleet.model.rowCount(), lag_ms=spread(lag.late_s))
        timed(scene, "Fleet: typed into its filter", lambda: type_into(scene, fleet._filter, TYPED))
        timed(scene, "Fleet: filter emptied", fleet._filter.clear)
        header = fleet.table.horizontalHeader()
        for column in (Column.CPU, Column.AGENT, Column.ERROR_RATIO, Column.PRESENCE):
            x = header.sectionViewportPosition(column) + 20
            place = QPoint(x, header.height() // 2)
            timed(
                scene, f"Fleet: sorted by {column.name.lower()}",
                lambda place=place: QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place),
            )  # fmt: skip
        timed(scene, "Fleet: by group", fleet.by_group.click)
        timed(scene, "Fleet: no longer by group", fleet.by_group.click)
        window.time_range.zoom(*history_of(options.folder))
        timed(scene, "Explore opened", lambda: window.show_screen(EXPLORE))
        tree = screens.explore.made().tree
        timed(scene, "Explore: typed into the tree", lambda: type_into(scene, tree.search, TYPED))
        timed(scene, "Explore: search emptied", tree.search.clear)
        timed(scene, "Logs opened, with its fields", lambda: window.show_screen(LOGS))
        timed(scene, "Messages opened", lambda: window.show_screen(MESSAGES))
        timed(scene, "back to Fleet", lambda: window.show_screen(FLEET))
        scene.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
