"""The samples behind plots: asked from history, then kept up to date by the tail. GUI thread."""

from collections.abc import Collection, Mapping
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance, Slot

from models.domain.headline import Headline
from models.domain.problems import Problem
from models.domain.queries import (
    DataSource,
    Failed,
    GapColumns,
    HourColumns,
    Result,
    SeriesColumns,
    SeriesRequest,
    SeriesResult,
    Ticket,
)  # fmt: skip
from models.domain.series_queries import MOST_POINTS
from models.domain.tail import Interest, Tail, TailPage
from models.domain.time_range import TimeRange
from widgets.plots.buffer import SeriesBuffer

_SETTLE_MS = 40
_HEAL_MS = 1_000
_HEAL_US = 5_000_000
_MARGIN = 4
"""History is asked for a quarter of the span more on each side, so that a small pan shows no hole."""
_LINE_POINTS, _KEPT_POINTS = 5_000_000, 16_000
"""Of all lines together; beyond that each has an envelope of so many, which shows the same on any screen. Two hundred series of a
month would be some gigabytes."""
_SLACK_US = 5_000_000
"""What a clock of an agent may be off and still be drawn by: its samples arrive that much before or after."""

NO_GAPS = GapColumns(np.empty(0, np.int64), np.empty(0, np.int64), [], np.empty(0, np.int64), np.empty(0, np.int64))


class ShownRange(Protocol):
    """What a feed has to know of the time that is shown: `TimeRangeModel` is one."""

    changed: SignalInstance

    @property
    def live(self) -> bool:
        """Does its end move on with the present?"""
        ...

    def current(self) -> TimeRange:
        """The range as it is at this moment."""
        ...


class SeriesFeed(QObject):
    """Fills a buffer for every watched series with what the time range shows. While inactive (hidden) it asks for nothing
    and wants nothing of the tail.

    `updated` carries the ids of series with new points; `state_changed` tells that loading began, ended or failed.
    """

    updated = Signal(object)  # frozenset[int]
    state_changed = Signal()

    def __init__(self, source: DataSource, tail: Tail, time_range: ShownRange, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source, self._tail, self._range = source, tail, time_range
        self._shown_as: dict[int, Headline | None] = {}
        self._whole: frozenset[int] = frozenset()
        self._active = False
        self._ticket: Ticket | None = None
        self._heal_ticket: Ticket | None = None
        self._more_tickets: list[Ticket] = []
        self._loaded: tuple[int, int] = (0, 0)
        self.buffers: dict[int, SeriesBuffer] = {}
        self.gaps: GapColumns = NO_GAPS
        self.loading = False
        self.problem: Problem | None = None
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._load)
        self._heal = QTimer(self, singleShot=True, interval=_HEAL_MS)
        self._heal.timeout.connect(self._ask_newest)
        time_range.changed.connect(self._range_changed)
        tail.follow(self._take_page)

    def watch(self, series: Mapping[int, Headline | None], whole: Collection[int] = ()) -> None:
        """From now on these; a headline says how published values become those shown. Of `whole` every sample is needed, not what
        lines show alone. Known buffers stay."""
        if dict(series) == self._shown_as and self._whole == frozenset(whole):
            return
        new = (set(series) - set(self._shown_as)) | (set(whole) - self._whole)
        self._shown_as, self._whole = dict(series), frozenset(whole)
        self.buffers = {one: self.buffers.get(one) or SeriesBuffer(one) for one in series}
        self._tell_tail()
        if not series:
            self.gaps = NO_GAPS  # those of others, who go on to other times, are theirs to ask for
        if new and self._active:
            if self._covered() and not self.loading:
                self._load_more(new)
            else:
                self._load()

    def shown_as(self, series: int) -> Headline | None:
        """How a watched series is converted; None: it is shown as published."""
        return self._shown_as.get(series)

    def set_active(self, active: bool) -> None:
        """Does anybody see it? What came meanwhile is asked for when it is shown again."""
        if active == self._active:
            return
        self._active = active
        self._tell_tail()
        if active:
            self._load()
        else:
            self._cancel()

    def reload(self) -> None:
        """Ask history again."""
        self._load()

    def _tell_tail(self) -> None:
        self._tail.set_interest(Interest(frozenset(self._shown_as) if self._active else frozenset()))

    # ------------------------------------------------------------ history

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        if self._active and not self._covered():
            self._settle.start()

    def _covered(self) -> bool:
        now = self._range.current()
        since, until = self._loaded
        exact = not any(buffer.reduced for buffer in self.buffers.values())
        return exact and since <= now.since_us and now.until_us <= until

    @Slot()
    def _load(self) -> None:
        self._cancel()
        if not self._active or not self._shown_as:
            return
        now = self._range.current()
        margin = 0 if now.live else now.span_us // _MARGIN
        until = now.until_us + _SLACK_US + margin
        request = self._request(self._shown_as, now.since_us - _SLACK_US - margin, until)
        self.loading, self.problem = True, None
        self.state_changed.emit()
        self._ticket = self._source.ask(request, self._take)
        self._heal.start()

    def _load_more(self, series: set[int]) -> None:
        """Of these alone what is known of the others already."""
        request = self._request(series, *self._loaded)
        self.loading, self.problem = True, None
        self.state_changed.emit()
        self._more_tickets.append(self._source.ask(request, self._take))
        self._heal.start()

    def _request(self, series: Collection[int], since_us: int, until_us: int) -> SeriesRequest:
        whole = self._whole.intersection(series)
        lines = max(1, len(self._shown_as) - len(self._whole))
        each = min(MOST_POINTS, max(_KEPT_POINTS, _LINE_POINTS // lines))
        return SeriesRequest(tuple(sorted(series)), since_us, until_us, each, _KEPT_POINTS, whole)

    def _take(self, result: Result | Failed) -> None:
        if isinstance(result, Failed):
            self.loading, self.problem = False, result.problem
            self.state_changed.emit()
            return
        assert isinstance(result, SeriesResult)
        hours = {one.series: one for one in result.hours}
        for columns in result.columns:
            buffer = self.buffers.get(columns.series)
            if buffer is not None:
                buffer.replace(self._as_shown(columns), result.request.until_us)
                buffer.hours = self._hours_as_shown(hours.get(columns.series))
        self.gaps = result.gaps
        if len(result.request.series) == len(self._shown_as):
            self._loaded = (result.request.since_us, result.request.until_us)
        self.loading = not result.complete
        self.state_changed.emit()
        self.updated.emit(frozenset(columns.series for columns in result.columns))

    def _cancel(self) -> None:
        self._settle.stop()
        self._heal.stop()
        for ticket in (self._ticket, self._heal_ticket, *self._more_tickets):
            if ticket is not None:
                ticket.cancel()
        self._more_tickets.clear()
        self._ticket = self._heal_ticket = None
        self.loading = False

    @Slot()
    def _ask_newest(self) -> None:
        """What was committed between the answer and the tail's next look: asked once more, taken without doubles."""
        if self._active and self._range.live:
            until = self._range.current().until_us + _SLACK_US
            request = self._request(self._shown_as, until - 2 * _SLACK_US - _HEAL_US, until)
            self._heal_ticket = self._source.ask(request, self._take_newest)

    def _take_newest(self, result: Result | Failed) -> None:
        if isinstance(result, SeriesResult):
            self._append(result.columns)

    # ------------------------------------------------------------ the tail

    def _take_page(self, page: TailPage) -> None:
        if not self._active:
            return
        if self._range.live:
            since, until = self._loaded
            self._loaded = (since, max(until, page.newest_received_us))
        self._append(page.points)

    def _append(self, columns: tuple[SeriesColumns, ...]) -> None:
        fresh = set()
        for one in columns:
            buffer = self.buffers.get(one.series)
            if buffer is not None and buffer.append(self._as_shown(one)):
                fresh.add(one.series)
                self._shorten(buffer)
        if fresh:
            self.updated.emit(frozenset(fresh))

    def _shorten(self, buffer: SeriesBuffer) -> None:
        """While live, forget what left the window long ago: twice the span stays."""
        now = self._range.current()
        if now.live and len(buffer) and int(buffer.x_us[0]) < now.since_us - now.span_us:
            buffer.trim(now.since_us - now.span_us // 2)
            self._loaded = (max(self._loaded[0], now.since_us - now.span_us // 2), self._loaded[1])

    def _as_shown(self, columns: SeriesColumns) -> SeriesColumns:
        headline = self._shown_as.get(columns.series)
        return columns if headline is None else columns._replace(value=headline.value(columns.value))

    def _hours_as_shown(self, hours: HourColumns | None) -> HourColumns | None:
        headline = self._shown_as.get(hours.series) if hours is not None else None
        if hours is None or headline is None:
            return hours
        low, high = headline.value(hours.low), headline.value(hours.high)
        return hours._replace(
            low=np.minimum(low, high),
            high=np.maximum(low, high),
            mean=headline.value(hours.mean),
            increase=hours.increase * headline.factor,
            quantiles=headline.value(hours.quantiles),
        )
