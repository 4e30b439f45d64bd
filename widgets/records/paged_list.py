"""A list of stored rows, newest first, fetched page by page as one scrolls down; follows live at its top.

While somebody reads further down nothing moves: a button says how many rows are new. A search that finds little shows what
it has, and how far back it looked.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView

from models.domain.queries import Failed, Reach, Result, RowKey, Ticket
from widgets.common.state_view import StateKind, ViewState, failed, loading
from widgets.common.throttle import Throttle
from widgets.common.words import problem_text
from widgets.frame.screen_context import ScreenContext
from widgets.records.new_rows import NewRows
from widgets.records.newer_pages import NewerPages
from widgets.records.page import ListRequest, Page, rows_of
from widgets.records.paged_model import PagedModel
from widgets.records.record_table import RecordTable

PAGE = 200
KEPT = 5_000
"""Rows that stay while new ones come in at the top; older ones are read again when somebody scrolls down."""
REFRESH_MS = 1_000
MOMENT_MS = 80
"""A list follows a moment that is slid at most so often."""
_AHEAD_PIXELS = 400


class PagedList(RecordTable):
    """Subclasses make the requests. GUI thread.

    Hidden it asks for nothing. While the time range is live it lists the newest rows of all time, else those of the range.
    """

    pages = True
    """False: the answer has no pages, more rows come with a higher limit, and at a moment there are none above it."""

    def __init__(self, name: str, model: PagedModel, context: ScreenContext, refresh_ms: int = REFRESH_MS) -> None:
        super().__init__(name, model, context)
        self._source = context.source
        self._agent: int | None = None  # nobody was chosen yet
        self._limit = PAGE
        self._stale = True  # what is listed is not what is asked for
        self._begun = False  # the first page is on its way
        self._behind = False  # rows came while nobody looked
        self._new = NewRows(self.new_button, lambda: self.tr("{n} new"))
        self._held = False
        self._pointed: RowKey | None = None  # a row to go to, once it is listed
        self._listed: RowKey | None = None  # all of its time and before it is listed, as far as somebody scrolled
        self._searched: RowKey | None = None  # where older rows go on; None: there are none
        self._more = False
        self._searching = False  # goes on by itself
        self._wanted = 0  # rows until it stops
        self._ticket: Ticket | None = None
        self._older: Ticket | None = None
        self._start: RowKey | None = None  # where the list stands in the past
        self._newer = NewerPages(model, self._ask_newer, self._grown, self._caught_up)
        self._throttle = Throttle(self._ask_newest, refresh_ms, self)
        self._moments = Throttle(self.reload, MOMENT_MS, self)
        self.chosen.connect(self._another_chosen)
        self.new_button.clicked.connect(self._show_new)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        context.times.changed.connect(self._range_changed)
        context.cursor.pinned.connect(self._pinned)

    # ------------------------------------------------------------ for subclasses

    def request(self, page: Page) -> ListRequest:
        """The question for one page."""
        raise NotImplementedError

    def empty_state(self) -> ViewState:
        """What to say when there is no row."""
        raise NotImplementedError

    def none_in_time(self, sentence: str) -> ViewState:
        """For a subclass: nothing in the chosen time, translated, with the way out of it."""
        return ViewState(StateKind.EMPTY, sentence, "", self.tr("Back to live"), self._range.resume)

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

    def stand_at(self, key: RowKey) -> None:
        """List what arrived around this row, or moment, and go to it: older rows below, newer ones above."""
        self._start = self._pointed = key
        self.reload(standing=True)

    @property
    def standing(self) -> bool:
        """Does the list begin somewhere in the past?"""
        return self._start is not None

    @Slot()
    def reload(self, *, standing: bool = False) -> None:
        """Begin anew: another agent, filter or time. `standing`: at the same place in the past."""
        if not standing:
            at_us = self._cursor.pinned_us
            self._start = None if at_us is None else RowKey(at_us, 0, 0)
            self._pointed = self._start or self._pointed
        self._newer.begin(None)
        self._stale = True
        self._cancel()
        if not self.isVisible() or self._agent is None:
            return
        self._stale = self._behind = False
        self._begun = True
        self._limit = PAGE
        self._new.begin()
        self._tell("")
        self.stack.show_state(loading())
        start = self._start
        before = start._replace(seq=start.seq + 1) if start is not None else None
        self._ticket = self._ask(before, None, self._take_first)

    def rows_added(self) -> None:
        """The tail tells of new rows: look at the newest soon."""
        if not self._range.live:
            return
        if self.isVisible() and self._agent is not None:
            self._throttle.want()
        else:
            self._behind = True

    def hold(self, held: bool) -> None:
        """While held nothing moves even at the top: somebody reads a record beside the list."""
        if held != self._held:
            self._held = held
            if self._following and self._new.count:
                self._show_new()

    def point_at(self, key: RowKey) -> None:
        """Make this row the one at hand, now or with the page that lists it, unless another is chosen first."""
        self._pointed = key
        if not self._stale and not self._begun:
            self._go_to_pointed()

    def _go_to_pointed(self) -> None:
        pointed = self._pointed
        row = next((row for row, one in enumerate(self.model.rows) if one.key == pointed), -1)
        if row < 0 and self.standing and pointed is not None:  # a moment: the first that came then or later
            row = sum(one.key >= pointed for one in self.model.rows) - 1 if self.pages else 0
        if row >= 0:
            with QSignalBlocker(self) if pointed is not None and not pointed.segment else nullcontext():
                self.table.selectRow(row)  # which is choosing it, but for a moment that is passed by
            self.table.scrollTo(self.model.index(row, 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    @Slot(object)
    def _another_chosen(self, row: Any) -> None:
        if row.key != self._pointed:
            self._pointed = None

    @property
    def _following(self) -> bool:
        return self.at_top and not self._held and not self.standing

    # ------------------------------------------------------------ asking

    def _ask(self, before: RowKey | None, after: RowKey | None, deliver: Any, limit: int = -1) -> Ticket:
        since, until = self._stretch()
        page = Page(before, after, since, until, self._limit if limit < 0 else limit)
        return self._source.ask(self.request(page), deliver)

    def _ask_newer(self, at: RowKey, deliver: Any) -> Ticket:
        since, until = self._stretch()
        return self._source.ask(self.request(Page(None, at, since, until, PAGE, oldest_first=True)), deliver)

    def _grown(self, rows: int) -> None:
        """Nothing moves below rows that came in above."""
        bar = self.table.verticalScrollBar()
        bar.setValue(bar.value() + rows * self.table.verticalHeader().defaultSectionSize())
        if self._pointed is not None:
            self._go_to_pointed()
        self._show_rows()

    def _caught_up(self, newest: RowKey | None) -> None:
        """What was counted meanwhile is listed above by now."""
        self._new.begin(newest)
        if self._ticket is not None:  # it counts on from an older row
            self._ticket.cancel()
            self._ticket = None
            self._throttle.want()

    def _stretch(self) -> tuple[int, int]:
        now = self._range.current()
        return (0, 0) if now.live else (now.since_us, now.until_us)

    def _ask_newest(self) -> None:
        """At the top, the rows that came since; else only how many."""
        if self._ticket is not None or self._stale:
            return
        self._behind = False
        if not self.pages:
            self._ticket = self._ask(None, None, self._take_all)
        elif self._following or not self.model.rows:
            self._ask_new_rows()
        else:
            self._ticket = self._ask(None, self._new.counted, self._take_count, 0)

    def _ask_new_rows(self) -> None:
        self._ticket = self._ask(None, self._listed, self._take_newest)

    def _ask_older(self) -> None:
        if self._older is None and self._more:
            if not self.pages:
                self._limit += PAGE
            self._older = self._ask(self._searched, None, self._take_older if self.pages else self._take_all)

    def _cancel(self) -> None:
        self._throttle.stop()
        self._newer.stop()
        for ticket in (self._ticket, self._older):
            if ticket is not None:
                ticket.cancel()
        self._ticket = self._older = None

    # ------------------------------------------------------------ answers

    def _take_first(self, result: Result | Failed) -> None:
        self._ticket, self._begun = None, False
        if isinstance(result, Failed):
            self.stack.show_state(failed(result.problem, self.reload))
            return
        self._begin_with(result)
        self.table.scrollToTop()
        if self._pointed is not None:
            self._go_to_pointed()
        self._newer.begin(self._start if self.pages else None)

    def _begin_with(self, result: Result) -> None:
        rows, reach = rows_of(result)
        self._listed = reach.newest
        self._new.begin(reach.newest)
        self._wanted = PAGE
        self.model.replace(rows)
        self._reached(reach, len(rows))

    def _take_newest(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            return  # what is listed stays true; the next look tells again
        rows, reach = rows_of(result)
        if not self.at_top and self.model.rows:  # somebody scrolled meanwhile: nothing moves
            self._throttle.want()
            return
        if reach.searched is not None:  # more came than one page: what lies between is not known
            self._cancel()
            self._begin_with(result)
        else:
            self._listed = reach.newest or self._listed
            self._new.begin(reach.newest)
            self.model.put_first(rows)
            self._trim()
            self._show_rows()

    def _take_count(self, result: Result | Failed) -> None:
        self._ticket = None
        if not isinstance(result, Failed):
            reach = rows_of(result)[1]
            self._new.add(max(0, reach.matched), reach.newest)
            if self._following and self._new.count:  # somebody came back meanwhile
                self._show_new()

    def _take_older(self, result: Result | Failed) -> None:
        self._older = None
        if isinstance(result, Failed):
            self._searching = False
            self._tell(problem_text(result.problem)[0])
            self._show_rows()
            return
        rows, reach = rows_of(result)
        self.model.put_last(rows)
        self._reached(reach, len(rows))

    def _take_all(self, result: Result | Failed) -> None:
        """An answer without pages replaces what is listed."""
        self._ticket = self._older = None
        if isinstance(result, Failed):
            return
        rows, reach = rows_of(result)
        self._more = reach.searched is not None
        if rows != self.model.rows:
            self._keep_place(rows)
        self._show_rows()

    def _reached(self, reach: Reach, found: int) -> None:
        """The search goes on by itself until there is a page of rows more."""
        self._searched, self._more = reach.searched, reach.searched is not None
        self._wanted -= found
        self._searching = self._more and self.pages and self._wanted > 0
        if self._searching and reach.searched is not None:
            back = self.model.moment(reach.searched.received_us, digits=0)
            self._tell(self.tr("searched back to {time}").replace("{time}", back))
            self._ask_older()
        else:
            self._tell("")
        self._show_rows()

    def _trim(self) -> None:
        if len(self.model.rows) > KEPT and self._older is None:
            self.model.keep_first(KEPT // 2)
            self._searched, self._more = self.model.rows[-1].key, True

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
        if self._following and self._new.count:
            self._show_new()
        if value <= bar.minimum() + _AHEAD_PIXELS:
            self._newer.go_on()
        if self.model.rows and self._older is None and value >= bar.maximum() - _AHEAD_PIXELS:
            self._wanted = PAGE
            self._ask_older()

    # ------------------------------------------------------------ new rows, states, pointer

    @Slot()
    def _show_new(self) -> None:
        if self.standing:
            self.reload()
            return
        self._new.begin()
        self.table.scrollToTop()
        if self._ticket is not None:  # it only counts
            self._ticket.cancel()
        self._ask_new_rows()

    def _tell(self, hint: str) -> None:
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def _show_rows(self) -> None:
        if self.model.rows:
            self.stack.show_content()
        elif self._older is not None:
            sentence = self.tr("Searching…")
            self.stack.show_state(ViewState(StateKind.LOADING, sentence, self.hint.text()))
        else:
            self.stack.show_state(self.empty_state())

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        self._fit_times()
        if self._cursor.pinned_us is None:
            self.reload()
        elif self._start is not None:  # else the moment is to be told yet
            self._moments.want()

    @Slot(object)
    def _pinned(self, _at_us: int | None) -> None:
        """The window stands at another moment, or at none any more."""
        self._moments.want()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_times()
        if self._stale:
            self.reload(standing=True)
        else:
            if self._behind:
                self._throttle.want()
            if self._searching:
                self._ask_older()
            if self.at_top:
                self._newer.go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._stale |= self._begun
        self._behind |= self._ticket is not None
        self._cancel()
