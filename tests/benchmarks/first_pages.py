"""From Enter to the first page: ten queries in Logs over ten million records, in the real window.

    python -m tests.benchmarks.first_pages FOLDER [--tries 10]

`FOLDER` is a workspace of `big_store`. Each query is typed on a virtual screen, between two tries another one. A time ends with the paint
event that first shows rows of it, or that there are none; *whole* when the list has its page of 200 or nothing is left to look at. Then
the search that looks longest is cancelled by another again and again: how long until its reader is free, and how many of its answers
came after all. Prints JSON lines.
"""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.window.application import make_application
from app.window.places import LOGS
from models.domain.queries import Failed, LogRequest, LogSummaryRequest, Result
from models.domain.search.parsing import parse
from tests.benchmarks.measure import Figures, machine, spread, tell
from tests.benchmarks.stored_window import Lag, StoredWindow, history_of
from tests.helpers.x11 import x_environment, x_server
from widgets.logs.logs_screen import LogsScreen

SIZE = (1900, 1000)
QUERIES = (
    "level:error",
    "level>=warn agent:crawler-1*",
    "case07q",
    '"connection refused" NOT level:debug',
    "(fetched OR merged) level:error",
    "latency>990",
    "latency:991 agent:planner-7",
    "step:7 level>=warn",
    'text:"connection refused by upstream "*" page "*',
    "NOT logger:http.client NOT agent:crawler-1* level:error after:RECENTLY",
    "latency>5000",
)
"""The last one finds nothing, so that every record is looked at."""
ANOTHER = "level:fatal"
CANCELLED_AFTER_S = (0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8)


def type_query(screen: LogsScreen, text: str) -> None:
    line = screen.box.line
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def enter(screen: LogsScreen) -> None:
    QTest.keyClick(screen.box.line, Qt.Key.Key_Return)


def ask(scene: StoredWindow, screen: LogsScreen, text: str, tries: int) -> Figures:
    rows, first_s, whole_s = screen.rows, list[float](), list[float]()
    with Lag() as lag:
        for _ in range(tries):
            type_query(screen, ANOTHER)
            enter(screen)
            scene.until(lambda: not rows._begun, "another query is answered")
            type_query(screen, text)
            began_s = time.perf_counter()
            enter(screen)
            scene.until(lambda: not rows._begun and (rows.model.rows or not rows._searching), "rows, or none")
            rows.repaint()
            first_s.append(time.perf_counter() - began_s)
            scene.until(lambda: not rows._searching, "the page is whole")
            whole_s.append(time.perf_counter() - began_s)
    return {
        "rows": rows.model.rowCount(), "first_ms": spread(first_s), "whole_ms": spread(whole_s),
        "lag_ms": spread(lag.late_s),
    }  # fmt: skip


def cancel(scene: StoredWindow, text: str, tries: int) -> Figures:
    """Questions that look at everything, each cancelled at another moment of its work."""
    source = scene.composition.source
    assert source is not None
    workers, free_s, late = source._workers, list[float](), 0
    cancelled = False

    def take(_: Result | Failed) -> None:
        nonlocal late
        late += cancelled

    for number in range(tries):
        scene.settled()
        for request in (LogRequest(query=parse(text, 0)), summary(scene, text)):
            cancelled = False
            ticket = source.ask(request, take)
            scene.run(CANCELLED_AFTER_S[number % len(CANCELLED_AFTER_S)])
            cancelled, began_s = True, time.perf_counter()
            ticket.cancel()
            while any(worker._question is ticket for worker in workers):
                time.sleep(0.0002)
            free_s.append(time.perf_counter() - began_s)
    scene.run(0.2)
    return {"free_ms": spread(free_s), "answers_after": late}


def summary(scene: StoredWindow, text: str) -> LogSummaryRequest:
    now = scene.window.time_range.current()
    return LogSummaryRequest(parse(text, 0), now.since_us, now.until_us, max(1, (now.until_us - now.since_us) // 100))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tries", type=int, default=10)
    options = parser.parse_args()
    tell("first_pages", "machine", **machine())
    with x_server(*SIZE) as display:
        os.environ.update(x_environment(display))
        scene = StoredWindow(make_application("en"), options.folder, SIZE)
        scene.settled()
        since_us, until_us = history_of(options.folder)
        scene.window.time_range.zoom(since_us, until_us)
        scene.window.show_screen(LOGS)
        assert scene.composition.screens is not None
        screen = scene.composition.screens.logs_screen()
        scene.settled()
        recently = datetime.fromtimestamp(until_us // 1_000_000 - 20 * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for query in QUERIES:
            text = query.replace("RECENTLY", recently)
            tell("first_pages", text, **ask(scene, screen, text, options.tries))
        tell("first_pages", "cancelled", **cancel(scene, QUERIES[-1], 4 * options.tries))
        scene.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
