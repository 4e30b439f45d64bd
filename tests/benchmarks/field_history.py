"""Plotting a number over all messages of a topic: `python -m tests.benchmarks.field_history [--messages 1000000]`.

A topic with so many messages, half of them sealed and half as a recorder writes them, with as many on other topics between
them. First by a reader alone, then in the plot of the window, with the lag of the window's loop meanwhile. Prints JSON lines.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from models.domain.clock import SystemClock
from models.domain.messages import Kind, Origin, RawMessage
from models.domain.queries import CancelToken, FieldRequest, MessageLine, RowKey
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.benchmarks.measure import machine, spread, tell
from tests.helpers.clock import FIRST_WALL_US, FakeClock

TOPIC, PATH = b"agents/planner-1/metrics", ("metrics", "agent.queue.depth")
BATCH = 2_000
STEP_US = 20_000


def payload(number: int) -> bytes:
    return (
        b'{"ts":%d.25,"boot":"b-7","seq":%d,"metrics":{"process.cpu.utilization":0.%d,"process.memory.usage":%d,'
        b'"agent.queue.depth":%d}}'
    ) % (FIRST_WALL_US // 1_000_000, number // (2 if number % 2 else 50), number % 97, 10**8 + number, number % 1_000)


def write(workspace: Workspace, first: int, end: int) -> None:
    """Messages of one capture. Of every two one is of the topic."""
    clock = FakeClock()
    clock.advance(first * STEP_US)
    writer = StoreWriter(workspace, clock)
    reader = Reader(writer.names, "agents", clock)
    writer.begin_capture("mqtt://127.0.0.1:1883", "field")
    for at in range(first, end, BATCH):
        some = []
        for number in range(at, min(end, at + BATCH)):
            topic = TOPIC if number % 2 else b"agents/crawler-%d/metrics" % (number % 50)
            at_us = FIRST_WALL_US + number * STEP_US
            some.append(
                RawMessage(topic, payload(number), 1, False, False, 1 + number % 60_000, None, at_us, Origin.LIVE, 1)
            )
        clock.advance(len(some) * STEP_US)
        writer.commit(reader.read(some))
        writer.housekeep()
    writer.close()


def seal_all(workspace: Workspace) -> None:
    clock = FakeClock()
    clock.advance(30 * 86_400_000_000)
    writer = StoreWriter(workspace, clock)
    for id_ in writer.sealing.waiting():
        argv = [sys.executable, "-m", "app", "seal-segment", "--workspace", str(workspace.root), "--segment", str(id_)]
        subprocess.run(argv, check=True)
        writer.sealing.swap_in(id_)
    writer.close()


def by_reader(workspace: Workspace) -> None:
    reader, began_s, cpu_s = HistoryReader(workspace), time.monotonic(), time.process_time()
    pages_s, messages, before = [], 0, None
    while True:
        page_s = time.monotonic()
        (found,) = reader.answer(FieldRequest(TOPIC, PATH, before=before), CancelToken())
        pages_s.append(time.monotonic() - page_s)
        messages += found.messages
        before = found.reach.searched
        if before is None:
            break
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    reader.close()
    tell("field_history", "by a reader alone", messages=messages, seconds=round(took_s, 2), cpu_s=round(cpu_s, 2), first_page_ms=round(pages_s[0] * 1e3),
         longest_page_ms=round(max(pages_s) * 1e3), pages=len(pages_s), us_per_message=round(took_s / messages * 1e6, 2))  # fmt: skip


def in_the_window(workspace: Workspace) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication

    from app.window.data_source import HistorySource
    from tests.benchmarks.loop_lag import LoopLag
    from tests.widgets.fakes import FakeTail
    from widgets.common.frame_clock import FrameClock
    from widgets.common.theme import ThemeHolder
    from widgets.frame.outlet import Outlet
    from widgets.frame.screen_context import ScreenContext
    from widgets.frame.time_range import TimeCursor, TimeRangeModel
    from widgets.messages.field_plot import FieldPlot
    from widgets.notes.book import AnnotationBook

    app, clock = QApplication(sys.argv[:1]), SystemClock()
    source = HistorySource(partial(HistoryReader, workspace, clock), clock)
    frames, times = FrameClock(clock), TimeRangeModel(clock)
    tail, themes = FakeTail(), ThemeHolder(app, "light")
    book = AnnotationBook(source, tail, lambda *_: None)
    plot = FieldPlot(ScreenContext(source, tail, frames, times, TimeCursor(), themes, clock, book, Outlet()))
    plot.resize(1_280, 400)
    plot.show()
    line = MessageLine(RowKey(0, 1, 1), TOPIC, 0, Kind.METRICS, Origin.LIVE, 1, False, False, 0, b"", None)
    app.processEvents()
    plot.show_field(line, PATH)  # the library of plots is loaded with the first
    plot.close_plot()
    lag, began_s, cpu_s, first_s = LoopLag(), time.monotonic(), time.process_time(), 0.0
    lag.start()
    plot.show_field(line, PATH)
    while not plot.history.complete:
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        first_s = first_s or (time.monotonic() - began_s if len(plot._buffer) else 0.0)
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    until_s = time.monotonic() + 1.5  # the last page is drawn
    while time.monotonic() < until_s:
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    lag.stop()
    tell("field_history", "in the window", points=len(plot._buffer), note=plot._note.text(), seconds=round(took_s, 2), cpu_s=round(cpu_s, 2),
         first_points_ms=round(first_s * 1e3), lag_ms=spread(lag.late_s))  # fmt: skip
    plot.close_plot()
    source.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="a workspace that was filled before, or is to be kept")
    args = parser.parse_args()
    tell("field_history", "machine", **machine())
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.at(args.folder or Path(folder) / "workspace")
        if not workspace.catalogue.exists():
            write(workspace, 0, args.messages)
            seal_all(workspace)
            write(workspace, args.messages, 2 * args.messages)
        by_reader(workspace)
        in_the_window(workspace)


if __name__ == "__main__":
    main()
