"""A list of stored rows, newest first, fetched page by page as one scrolls down; follows live at its top.

While somebody reads further down nothing moves: a button says how many rows are new.
"""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from models.domain.queries import (
    DataSource,
    Failed,
    LogRequest,
    LogResult,
    MessageRequest,
    MessageResult,
    Result,
    RowKey,
    TaskRequest,
    TaskResult,
    Ticket,
)  # fmt: skip
from widgets.common.state_view import StateStack, ViewState, failed, loading
from widgets.common.tables import TableView
from widgets.common.theme import ThemeHolder
from widgets.common.throttle import Throttle
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.records.paged_model import PagedModel

PAGE = 200
REFRESH_MS = 1_000
TIME_PIXELS, DATED_PIXELS = 110, 182
_AHEAD_PIXELS = 400

ListRequest = LogRequest | MessageRequest | TaskRequest


class PagedList(QWidget):
    """Filter row, button for new rows, table, state. Subclasses make the requests. GUI thread.

    Hidden it asks for nothing. While the time range is live it lists the newest rows of all time, else those of the range.
    """

    opened = Signal(object)
    """A row was double-clicked or Enter was pressed on it."""

    pages = True
    """False: the answer has no pages, more rows come with a higher limit."""

    def __init__(
        self,
        name: str,
        model: PagedModel,
        source: DataSource,
        time_range: TimeRangeModel,
        cursor: TimeCursor,
        theme: ThemeHolder,
        refresh_ms: int = REFRESH_MS,
    ) -> None:
        super().__init__()
        self.model = model
        self._source, self._range, self._cursor = source, time_range, cursor
        self._agent: int | None = None  # nobody was chosen yet
        self._more = False
        self._limit = PAGE
        self._stale = True
        self._ticket: Ticket | None = None
        self._older: Ticket | None = None
        self._waiting_rows: list[Any] = []
        self._throttle = Throttle(self._ask_newest, refresh_ms, self)
        self.table = TableView(name)
        self.table.setModel(model)
        self.table.setMouseTracking(True)
        self.stack = StateStack(self.table, theme)
        self.new_button = QPushButton()
        self.new_button.setAutoDefault(False)
        self.new_button.hide()
        self.filters = QHBoxLayout()
        self.filters.setContentsMargins(8, 4, 8, 4)
        self.filters.addStretch(1)
        self.filters.addWidget(self.new_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self.filters)
        column.addWidget(self.stack, 1)
        self.new_button.clicked.connect(self._show_new)
        self.table.activated.connect(self._open)
        self.table.entered.connect(self._point)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        time_range.changed.connect(self._range_changed)

    # ------------------------------------------------------------ for subclasses

    def request(self, before: RowKey | None, since_us: int, until_us: int, limit: int) -> ListRequest:
        """The question for one page."""
        raise NotImplementedError

    def empty_state(self) -> ViewState:
        """What to say when there is no row."""
        raise NotImplementedError

    # ------------------------------------------------------------ what is shown

    @property
    def agent(self) -> int:
        """Whose rows are listed; 0: everybody's."""
        return self._agent or 0

    def show_agent(self, agent: int) -> None:
        """List what concerns this agent; 0: everybody."""
        if agent != self._agent:
            self._agent = agent
            self.reload()

    @Slot()
    def reload(self) -> None:
        """Begin anew: another agent, filter or time."""
        self._stale = True
        self._cancel()
        if not self.isVisible() or self._agent is None:
            return
        self._stale = False
        self._limit = PAGE
        self._set_waiting([])
        self.stack.show_state(loading())
        self._ticket = self._ask(None, self._take_first)

    def rows_added(self) -> None:
        """The tail tells of new rows: look at the newest soon."""
        if not self._range.live:
            return
        if self.isVisible() and self._agent is not None:
            self._throttle.want()
        else:
            self._stale = True

    @property
    def at_top(self) -> bool:
        return self.table.verticalScrollBar().value() <= self.table.verticalScrollBar().minimum()

    # ------------------------------------------------------------ asking

    def _ask(self, before: RowKey | None, deliver: Any) -> Ticket:
        now = self._range.current()
        since, until = (0, 0) if now.live else (now.since_us, now.until_us)
        return self._source.ask(self.request(before, since, until, self._limit), deliver)

    def _ask_newest(self) -> None:
        if self._ticket is None and not self._stale:
            self._ticket = self._ask(None, self._take_newest)

    def _cancel(self) -> None:
        self._throttle.stop()
        for ticket in (self._ticket, self._older):
            if ticket is not None:
                ticket.cancel()
        self._ticket = self._older = None

    def _take_first(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            self.stack.show_state(failed(result.problem, self.reload))
            return
        rows, self._more = self._read(result)
        self.model.replace(rows)
        self.table.scrollToTop()
        self._show_rows()

    def _take_newest(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            return  # what is listed stays true; the next look tells again
        rows, more = self._read(result)
        if not self.pages or not self.model.rows:
            if rows != self.model.rows:
                self._keep_place(rows)
                self._more = more
            self._show_rows()
            return
        newest = self.model.rows[0].key
        fresh = [row for row in rows if row.key > newest]
        if not self.at_top:
            self._set_waiting(fresh)
        elif len(fresh) == len(rows) and more:  # more came than one page: what lies between is not known
            self.model.replace(rows)
            self._more = more
        else:
            self.model.put_first(fresh)

    def _keep_place(self, rows: Sequence[Any]) -> None:
        bar = self.table.verticalScrollBar()
        place, row = bar.value(), self.table.currentIndex().row()
        self.model.replace(rows)
        bar.setValue(place)
        if 0 <= row < len(rows):
            self.table.setCurrentIndex(self.model.index(row, 0))

    @Slot(int)
    def _scrolled(self, value: int) -> None:
        bar = self.table.verticalScrollBar()
        if self.at_top and self._waiting_rows:
            self._show_new()
        if self._more and self._older is None and self.model.rows and value >= bar.maximum() - _AHEAD_PIXELS:
            if not self.pages:
                self._limit += PAGE
            before = self.model.rows[-1].key if self.pages else None
            self._older = self._ask(before, self._take_older)

    def _take_older(self, result: Result | Failed) -> None:
        self._older = None
        if isinstance(result, Failed):
            return
        rows, self._more = self._read(result)
        if self.pages:
            self.model.put_last(rows)
        else:
            self._keep_place(rows)

    def _read(self, result: Result) -> tuple[list[Any], bool]:
        if isinstance(result, LogResult | MessageResult):
            return list(result.rows), result.more
        assert isinstance(result, TaskResult)
        return list(result.rows), len(result.rows) >= result.request.limit

    # ------------------------------------------------------------ new rows, states, pointer

    def _set_waiting(self, rows: list[Any]) -> None:
        self._waiting_rows = rows
        self.new_button.setVisible(bool(rows))
        count = f"{len(rows)}+" if len(rows) >= PAGE else str(len(rows))
        self.new_button.setText(self.tr("{n} new").replace("{n}", count))

    @Slot()
    def _show_new(self) -> None:
        rows = self._waiting_rows
        self._set_waiting([])
        if len(rows) >= PAGE:
            self.reload()
            return
        self.model.put_first(rows)
        self.table.scrollToTop()

    def _show_rows(self) -> None:
        if self.model.rows:
            self.stack.show_content()
        else:
            self.stack.show_state(self.empty_state())

    @Slot(QModelIndex)
    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.model.rows[index.row()])

    @Slot(QModelIndex)
    def _point(self, index: QModelIndex) -> None:
        self._cursor.move(self.model.time_of(self.model.rows[index.row()]))

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        self._fit_times()
        self.reload()

    def _fit_times(self) -> None:
        """Paused, times bear their date."""
        self.table.setColumnWidth(0, TIME_PIXELS if self._range.live else DATED_PIXELS)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_times()
        if self._stale:
            self.reload()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._ticket is not None or self._older is not None:
            self._stale = True
        self._cancel()
