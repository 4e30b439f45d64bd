"""One number of a topic's messages, gathered page by page from the newest back, then what comes."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, Signal

from models.domain.json_path import Path
from models.domain.problems import Problem
from models.domain.queries import (
    DataSource,
    Failed,
    FieldRequest,
    FieldResult,
    Float64,
    Int64,
    Result,
    RowKey,
    SeriesColumns,
    Ticket,
)
from models.domain.reduce import envelope_index

MOST_POINTS = 250_000
"""Beyond twice as many the extremes of half as many stretches are kept: a million points put together anew with every page would
stall the window for a tenth of a second each time."""


class FieldHistory(QObject):
    """`begin` gathers; `stop` and `go_on` as somebody likes. GUI thread."""

    changed = Signal()
    """More is known of the past, or that was all, or no more is asked for."""
    came = Signal(object)
    """What was stored since (SeriesColumns)."""

    def __init__(self, source: DataSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._request: FieldRequest | None = None
        self._ticket: Ticket | None = None
        self._forget()

    def _forget(self) -> None:
        self.messages = self.numbers = 0
        self.complete = self.reduced = False
        self.problem: Problem | None = None
        self._parts: list[tuple[Int64, Float64]] = []  # newest first
        self._searched: RowKey | None = None
        self._newest: RowKey | None = None  # all up to this row is known, once it is complete
        self._told_newest: RowKey | None = None  # of the news that are being read

    @property
    def reading(self) -> bool:
        """Is a page of the past on its way?"""
        return self._ticket is not None and not self.complete

    @property
    def searched_us(self) -> int:
        """How far back it is known; 0: nowhere yet, or to the end."""
        return 0 if self._searched is None else self._searched.received_us

    def begin(self, topic: bytes, path: Path, since_us: int, until_us: int) -> None:
        """Forget everything, and gather what arrived in [since_us, until_us); `until_us` 0: open end."""
        self.stop()
        self._forget()
        self._request = FieldRequest(topic, path, since_us, until_us)
        self.go_on()

    def go_on(self) -> None:
        """Where it was stopped, or failed."""
        if self._ticket is None and self._request is not None and not self.complete:
            self.problem = None
            self._ask(self._take, before=self._searched)

    def stop(self) -> None:
        """What is known stays."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def ask_news(self) -> None:
        """Something was stored. Asked again while an answer is on its way, it does nothing."""
        if self._ticket is None and self.complete:
            self._told_newest = None
            self._ask(self._take_news, after=self._newest)

    def columns(self) -> SeriesColumns:
        """All of the past that is known, by arrival; of too many points their extremes."""
        parts = self._parts[::-1]
        at = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in parts)])
        value = np.concatenate([np.zeros(0), *(part[1] for part in parts)])
        if (at[1:] < at[:-1]).any():
            order = np.argsort(at, kind="stable")
            at, value = at[order], value[order]
        if len(at) > 2 * MOST_POINTS:
            kept = envelope_index(at, value, MOST_POINTS // 2)
            at, value, self.reduced = at[kept], value[kept], True
        self._parts = [(at, value)]
        return SeriesColumns(0, at, at, value, self.reduced)

    def _ask(
        self, take: Callable[[Result | Failed], None], before: RowKey | None = None, after: RowKey | None = None
    ) -> None:
        assert self._request is not None
        one = self._request
        request = FieldRequest(one.topic, one.path, one.since_us, one.until_us, before, after)
        self._ticket = self._source.ask(request, take)

    def _take(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            self.problem = result.problem
            self.changed.emit()
            return
        assert isinstance(result, FieldResult)
        self._count(result)
        order = np.argsort(result.received_us, kind="stable")
        self._parts.append((result.received_us[order], result.value[order]))
        if self._newest is None:
            self._newest = result.reach.newest
        self._searched = result.reach.searched
        self.complete = self._searched is None
        self.go_on()
        self.changed.emit()

    def _take_news(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            return  # what is drawn stays true; the next look tells again
        assert isinstance(result, FieldResult)
        self._count(result)
        at, value = result.received_us, result.value
        order = np.argsort(at, kind="stable")
        self.came.emit(SeriesColumns(0, at[order], at[order], value[order], False))
        self._told_newest = self._told_newest or result.reach.newest
        if result.reach.searched is not None:  # so much that one page did not hold it
            self._ask(self._take_news, before=result.reach.searched, after=self._newest)
        else:
            self._newest = self._told_newest or self._newest

    def _count(self, result: FieldResult) -> None:
        self.messages += result.messages
        self.numbers += len(result.value)
