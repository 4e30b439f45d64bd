"""One number of a topic's messages over their arrival: all that is stored of it, or of the chosen time, and what comes."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from models.domain.json_path import Path, path_text
from models.domain.layouts.layout import Plotted
from models.domain.quantity import format_time
from models.domain.queries import Failed, GapsRequest, GapsResult, MessageLine, Result, SeriesColumns, Ticket
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text
from widgets.common.plain import PlainLabel, tooltip_text, visible
from widgets.common.throttle import Throttle
from widgets.common.words import problem_text
from widgets.frame.screen_context import ScreenContext
from widgets.frame.tool_buttons import FlatButton
from widgets.messages.field_history import FieldHistory
from widgets.messages.field_times import FieldTimes
from widgets.messages.recorded_field import RecordedField

if TYPE_CHECKING:  # pyqtgraph takes a while to load
    from widgets.plots.plot import TimePlot

_DRAWN_MS = 500
"""Pages that come sooner are drawn together."""
_NEWS_MS = 1_000
_GAPS_MS = 5_000
_PIXELS = 190
_WHOLE, _CHOSEN = range(2)


class FieldPlot(QWidget):
    """Empty until `show_field`; hidden it asks for nothing. GUI thread."""

    closed = Signal()
    moment_wanted = Signal(int, object, object)
    """Show what the agent of the field did (`Way`) at that moment (microseconds UTC)."""
    explore_wanted = Signal(list)
    """The series that the field is recorded as (`Plotted`) shall be explored."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self._context, self._source, self._range = context, context.source, context.times
        self.times = FieldTimes(context.clock, self)
        self.plot: TimePlot | None = None
        self.history = FieldHistory(context.source, self)
        self._recorded = RecordedField(context.source, self._offer_explore)
        self._plotted: Plotted | None = None
        self._topic, self._path, self._agent = b"", Path(), 0
        self._stopped = False  # by somebody
        self._behind = False  # rows came while nobody looked
        self._undrawn = False  # more of the past is known than is drawn
        self._other_range = False  # was chosen while nobody looked
        self._gaps: Ticket | None = None
        self._draw = Throttle(self._draw_past, _DRAWN_MS, self)
        self._news = Throttle(self._ask_news, _NEWS_MS, self)
        self._gap_throttle = Throttle(self._ask_gaps, _GAPS_MS, self)
        self._build()
        self.history.changed.connect(self._history_changed)
        self.history.came.connect(self._append)
        context.times.changed.connect(self._range_changed)
        self.hide()

    def _build(self) -> None:
        self._title = PlainLabel()
        self._title.setAccessibleName(self.tr("Plotted field"))
        self._note = PlainLabel()
        self._note.setProperty("tone", "muted")
        self.explore = plain_button(self.tr("Open in E&xplore"), self._explore)
        self.go_on = plain_button("", self._stop_or_go_on)
        self.stretch = QComboBox()
        self.stretch.addItems([self.tr("Whole history"), self.tr("Chosen time range")])
        self.stretch.setAccessibleName(self.tr("How much of the past is plotted"))
        self.stretch.setToolTip(self.tr("All messages of the topic that are stored, or those of the time range above"))
        self.stretch.activated.connect(self._begin)
        close = FlatButton(self._context.themes, "close", self.tr("Close the plot"))
        close.clicked.connect(self.close_plot)
        head = QHBoxLayout()
        head.setContentsMargins(12, 4, 6, 2)
        head.setSpacing(6)
        head.addWidget(self._title, 1)
        for widget in (self._note, self.go_on, self.explore, self.stretch, close):
            head.addWidget(widget)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(head)

    @property
    def field(self) -> tuple[bytes, Path]:
        """Topic and path of what is plotted."""
        return self._topic, self._path

    def show_field(self, line: MessageLine, path: Path) -> None:
        """Plot this number of the messages on the topic of this one; while the time range is paused, of that range."""
        from widgets.messages.field_curve import FieldCurve
        from widgets.plots.buffer import SeriesBuffer
        from widgets.plots.moment import fill_moments
        from widgets.plots.plot import TimePlot
        from widgets.plots.ways_out import fill_ways_out

        self._topic, self._path, self._agent = line.topic, path, line.agent
        self._buffer = SeriesBuffer(0)
        self._drop_plot()
        name = visible(path_text(path), 200)
        shared = self._context
        self.plot = TimePlot(name, "", shared.frames, self.times, shared.cursor, shared.themes, floor=None)
        self.plot.setMinimumHeight(_PIXELS)
        self.plot.show_notes(shared.notes)
        self.plot.show_notes_of({line.agent: ""} if line.agent else {})
        self.plot.menu_wanted.connect(partial(fill_moments, plot=self.plot))
        self.plot.menu_wanted.connect(partial(fill_ways_out, plot=self.plot, outlet=shared.outlet))
        self.plot.moment_wanted.connect(self._want_moment)
        curve = FieldCurve("", "", self._buffer)
        self.plot.set_curves([curve], [curve])
        shown = visible(line.topic.decode(errors="backslashreplace"))
        self.plot.set_subject(shown)
        self._title.set_text(self.tr("A field of {topic}").replace("{topic}", shown))
        self._column.addWidget(self.plot, 1)
        self._plotted = None
        self.explore.hide()
        self._recorded.look(line, path)
        self.stretch.setCurrentIndex(_WHOLE if self._range.live else _CHOSEN)
        self._begin()
        self.show()

    def rows_added(self) -> None:
        """The tail tells of new messages."""
        if self.plot is None or not self._range.live:
            return
        if self.isVisible():
            self._news.want()
        else:
            self._behind = True

    @Slot()
    def close_plot(self) -> None:
        """Let go of it."""
        self._let_go()
        self._recorded.stop()
        if self.plot is not None:
            self._drop_plot()
            self.hide()
            self.closed.emit()

    def _let_go(self) -> None:
        for throttle in (self._draw, self._news, self._gap_throttle):
            throttle.stop()
        self.history.stop()
        if self._gaps is not None:
            self._gaps.cancel()
            self._gaps = None

    def _drop_plot(self) -> None:
        if self.plot is not None:
            self._context.frames.unregister(self.plot)
            self._column.removeWidget(self.plot)
            self.plot.deleteLater()
            self.plot = None

    # ------------------------------------------------------------ the past

    @Slot()
    def _begin(self) -> None:
        self._let_go()
        self._stopped = self._behind = self._other_range = False
        self._buffer.clear()
        self.times.resume()
        now = self._range.current()
        chosen = self.stretch.currentIndex() == _CHOSEN
        since_us, until_us = (now.since_us, 0 if now.live else now.until_us) if chosen else (0, 0)
        self.history.begin(self._topic, self._path, since_us, until_us)
        self._tell()

    @Slot()
    def _history_changed(self) -> None:
        self._undrawn = True
        self._draw.want()
        if self.history.complete and self._range.live:
            self._news.want()
        self._tell()

    def _draw_past(self) -> None:
        self._undrawn = False
        if self.plot is not None:
            self._buffer.replace(self.history.columns())
            self._points_changed()
            self._tell()

    @Slot(object)
    def _append(self, columns: SeriesColumns) -> None:
        if self.plot is not None and len(columns.value):
            self._buffer.append(columns)
            self._points_changed()
        self._tell()

    def _points_changed(self) -> None:
        x = self._buffer.x_us
        if self.plot is not None and len(x):
            self.times.fit(int(x[0]), int(x[-1]))
            self._gap_throttle.want()
            self.plot.data_changed()

    def _ask_news(self) -> None:
        self._behind = False
        if self.plot is not None:
            self.history.ask_news()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        if self.plot is None:
            return
        if self.stretch.currentIndex() == _CHOSEN:
            self._other_range = not self.isVisible()
            if not self._other_range:
                self._begin()
        else:
            self.rows_added()

    @Slot()
    def _stop_or_go_on(self) -> None:
        self._stopped = self.history.reading
        if self._stopped:
            self.history.stop()
        else:
            self.history.go_on()
        self._tell()

    def _tell(self) -> None:
        if self.plot is None:
            return
        past = self.history
        missing, text = past.messages - past.numbers, self.tr("{n} messages")
        if missing:
            text = self.tr("{missing} of {n} messages had no number there")
        told = [text.replace("{missing}", count_text(missing)).replace("{n}", count_text(past.messages))]
        if past.problem is not None:
            told.append(" ".join(problem_text(past.problem)))
        elif not past.complete:
            words = self.tr("read back to {time}") if past.searched_us else self.tr("reading…")
            told.append(words.replace("{time}", format_time(past.searched_us, digits=0)))
        if past.reduced:
            told.append(self.tr("extremes are drawn"))
        self._note.set_text(" · ".join(told))
        self._note.setToolTip(
            self.tr(
                "So many values are drawn as the extremes of short stretches; choose a shorter time for every single one"
            )
            if past.reduced
            else ""
        )
        self.go_on.setVisible(not past.complete)
        self.go_on.setText(self.tr("&Stop") if past.reading else self.tr("&Go on"))
        none = self.tr("No message has this number") if past.complete else self.tr("No number so far")
        self.plot.set_sentence(self.tr("Loading…") if past.reading else none)

    # ------------------------------------------------------------ ways on

    @Slot(object, object)
    def _want_moment(self, way: object, at_us: int | None) -> None:
        """Nobody pointed at a moment: it is about the newest that is shown."""
        self.moment_wanted.emit(self._agent, way, self.times.current().until_us if at_us is None else at_us)

    def _offer_explore(self, plotted: Plotted) -> None:
        self._plotted = plotted
        told = self.tr(
            "This number is recorded as “{series}”: there with its unit, statistics and other series beside it"
        )
        self.explore.setToolTip(tooltip_text(told.replace("{series}", visible(plotted.metric, 120))))
        self.explore.show()

    @Slot()
    def _explore(self) -> None:
        if self._plotted is not None:
            self.explore_wanted.emit([self._plotted])

    # ------------------------------------------------------------ gaps

    def _ask_gaps(self) -> None:
        if self.plot is None or not len(self._buffer) or self._gaps is not None:
            return
        x = self._buffer.x_us
        self._gaps = self._source.ask(GapsRequest(int(x[0]), int(x[-1]) + 1, self._agent), self._take_gaps)

    def _take_gaps(self, result: Result | Failed) -> None:
        from widgets.plots.curves import spans_of
        from widgets.plots.gap_bands import gap_bands

        self._gaps = None
        if self.plot is not None and isinstance(result, GapsResult):  # else the list tells of the problem
            self.plot.set_gaps(spans_of(result.gaps, self._agent), gap_bands(result.gaps, self._agent))

    # ------------------------------------------------------------ Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.plot is None:
            return
        if self._other_range:
            self._begin()
            return
        if self._undrawn:
            self._draw.want()
        if not self._stopped:
            self.history.go_on()
            if self._behind:
                self.rows_added()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._behind |= self.history.complete
        self._let_go()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_plot()
        else:
            super().keyPressEvent(event)
