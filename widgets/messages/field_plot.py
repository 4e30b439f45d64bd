"""One number of a topic's messages over their arrival: the loaded ones, and what comes while one looks."""

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from models.domain.clock import Clock
from models.domain.json_path import Path, number_of, path_text
from models.domain.queries import (
    EventsRequest,
    EventsResult,
    Failed,
    MessageLine,
    Result,
    RowKey,
    SeriesColumns,
    Ticket,
)
from models.domain.time_range import fixed_range
from widgets.common.numbers import count_text
from widgets.common.plain import PlainLabel, visible
from widgets.common.throttle import Throttle
from widgets.frame.screen_context import ScreenContext
from widgets.frame.time_range import TimeRangeModel
from widgets.frame.tool_buttons import FlatButton

if TYPE_CHECKING:  # pyqtgraph takes a while to load
    from widgets.plots.plot import TimePlot

_SLICE_US = 4_000
"""Of the GUI thread at a time: a page of large documents takes longer than a frame has."""
_MOST_POINTS = 200_000
_GAPS_MS = 5_000
_PIXELS = 190


class LoadedTimes(TimeRangeModel):
    """From the first to the last point; a drag looks closer, a double click goes back to all of them."""

    def __init__(self, clock: Clock, parent: QWidget) -> None:
        super().__init__(clock, parent=parent)
        self._all = (0, 1)
        self._closer = False

    def fit(self, since_us: int, until_us: int) -> None:
        """There are points from here to there."""
        margin_us = max(500_000, (until_us - since_us) // 50)
        self._all = (since_us - margin_us, until_us + margin_us)
        if not self._closer:
            self._take(fixed_range(*self._all))

    def zoom(self, since_us: int, until_us: int, *, remember: bool = True) -> None:
        self._closer = True
        super().zoom(since_us, until_us, remember=remember)

    @Slot()
    def resume(self) -> None:
        self._closer = False
        self._take(fixed_range(*self._all))


class FieldPlot(QWidget):
    """Empty until `show_field`. Reads documents in slices, so that the window stays quick. GUI thread."""

    closed = Signal()
    moment_wanted = Signal(int, object, object)
    """Show what the agent of the field did (`Way`) at that moment (microseconds UTC)."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self._context, self._source, self._clock = context, context.source, context.clock
        self.times = LoadedTimes(context.clock, self)
        self.plot: TimePlot | None = None
        self._topic, self._path, self._agent = b"", Path(), 0
        self._waiting: deque[MessageLine] = deque()
        self._known: set[RowKey] = set()
        self._without = self._long = 0  # messages that have no such number, or are too long to be loaded whole
        self._gaps: Ticket | None = None
        self._title = PlainLabel()
        self._title.setAccessibleName(self.tr("Plotted field"))
        self._note = PlainLabel()
        self._note.setProperty("tone", "muted")
        close = FlatButton(context.themes, "close", self.tr("Close the plot"))
        close.clicked.connect(self.close_plot)
        head = QHBoxLayout()
        head.setContentsMargins(12, 4, 6, 2)
        head.addWidget(self._title, 1)
        head.addWidget(self._note)
        head.addWidget(close)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(head)
        self._slice = QTimer(self, interval=0)
        self._slice.timeout.connect(self._read_some)
        self._gap_throttle = Throttle(self._ask_gaps, _GAPS_MS, self)
        self.hide()

    @property
    def field(self) -> tuple[bytes, Path]:
        """Topic and path of what is plotted."""
        return self._topic, self._path

    def show_field(self, topic: bytes, path: Path, agent: int, rows: Sequence[MessageLine]) -> None:
        """Plot this number of these messages (those of other topics are left out), and of what `add` brings."""
        from widgets.messages.loaded_curve import LoadedCurve
        from widgets.plots.buffer import SeriesBuffer
        from widgets.plots.moment import fill_moments
        from widgets.plots.plot import TimePlot

        self._topic, self._path, self._agent = topic, path, agent
        self._waiting.clear()
        self._known.clear()
        self._without = self._long = 0
        self._buffer = SeriesBuffer(0, _MOST_POINTS)
        self.times.resume()
        self._drop_plot()
        name = visible(path_text(path), 200)
        shared = self._context
        self.plot = TimePlot(name, "", shared.frames, self.times, shared.cursor, shared.themes, floor=None)
        self.plot.setMinimumHeight(_PIXELS)
        self.plot.menu_wanted.connect(partial(fill_moments, plot=self.plot))
        self.plot.moment_wanted.connect(self._want_moment)
        curve = LoadedCurve("", "", self._buffer)
        self.plot.set_curves([curve], [curve])
        shown = visible(topic.decode(errors="backslashreplace"))
        self.plot.set_subject(shown)
        self._title.set_text(self.tr("A field of {topic}").replace("{topic}", shown))
        self._column.addWidget(self.plot, 1)
        self.show()
        self.add(rows)
        self._tell()

    @Slot(object, object)
    def _want_moment(self, way: object, at_us: int | None) -> None:
        """Nobody pointed at a moment: it is about the newest that is shown."""
        self.moment_wanted.emit(self._agent, way, self.times.current().until_us if at_us is None else at_us)

    def add(self, rows: Sequence[MessageLine]) -> None:
        """More messages were loaded, in any order; those that are known are left out."""
        if self.plot is None:
            return
        if len(self._known) > _MOST_POINTS:
            self._known.clear()
        new = [row for row in rows if row.topic == self._topic and row.key not in self._known]
        self._known.update(row.key for row in new)
        self._waiting.extend(new)
        if new:
            self._slice.start()

    @Slot()
    def close_plot(self) -> None:
        """Let go of it."""
        self._slice.stop()
        self._waiting.clear()
        if self._gaps is not None:
            self._gaps.cancel()
            self._gaps = None
        if self.plot is not None:
            self._drop_plot()
            self.hide()
            self.closed.emit()

    def _drop_plot(self) -> None:
        if self.plot is not None:
            self._context.frames.unregister(self.plot)
            self._column.removeWidget(self.plot)
            self.plot.deleteLater()
            self.plot = None

    @Slot()
    def _read_some(self) -> None:
        end_us = self._clock.monotonic_us() + _SLICE_US
        found: list[tuple[int, float]] = []
        while self._waiting:
            row = self._waiting.popleft()
            if len(row.payload) < row.size:
                self._long += 1
            elif (number := number_of(row.payload, self._path)) is None:
                self._without += 1
            else:
                found.append((row.key.received_us, number))
            if self._clock.monotonic_us() >= end_us:
                break
        else:
            self._slice.stop()
        if found and self.plot is not None:
            found.sort()
            at, value = (np.array(column) for column in zip(*found, strict=True))
            self._buffer.append(SeriesColumns(0, at, at, value.astype(np.float64), False))
            x = self._buffer.x_us
            self.times.fit(int(x[0]), int(x[-1]))
            self._gap_throttle.want()
            self.plot.data_changed()
        self._tell()

    def _tell(self) -> None:
        if self.plot is None:
            return
        text = self.tr("{n} loaded messages").replace("{n}", count_text(len(self._buffer)))
        if self._without:
            text += " · " + self.tr("{n} without this number").replace("{n}", count_text(self._without))
        if self._long:
            text += " · " + self.tr("{n} too long to be read here").replace("{n}", count_text(self._long))
        self._note.set_text(text)
        self.plot.set_sentence(self.tr("Loading…") if self._waiting else self.tr("No message has this number"))

    # ------------------------------------------------------------ gaps

    def _ask_gaps(self) -> None:
        if self.plot is None or not len(self._buffer) or self._gaps is not None:
            return
        x = self._buffer.x_us
        self._gaps = self._source.ask(EventsRequest(self._agent, int(x[0]), int(x[-1]) + 1), self._take_gaps)

    def _take_gaps(self, result: Result | Failed) -> None:
        from widgets.plots.curves import spans_of
        from widgets.plots.gap_bands import gap_bands

        self._gaps = None
        if self.plot is not None and isinstance(result, EventsResult):  # else the list tells of the problem
            self.plot.set_gaps(spans_of(result.gaps, self._agent), gap_bands(result.gaps, self._agent))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_plot()
        else:
            super().keyPressEvent(event)
