"""Interactions as they are fetched: the newest first, older ones as they are wanted, new ones as they come."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from models.domain.flow_queries import TalkLine, TalkRequest, TalkResult
from models.domain.queries import DataSource, Failed, Result, RowKey, Ticket


class TalkFeed(QObject):
    """GUI thread."""

    changed = Signal()
    failed = Signal(object)
    """The `Problem`; what was there stays."""

    def __init__(self, source: DataSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._ticket: Ticket | None = None
        self._older: RowKey | None = None  # there is more before this one
        self.request: TalkRequest | None = None
        self.lines: list[TalkLine] = []
        """Newest first."""

    @property
    def has_older(self) -> bool:
        """Is there more than was fetched?"""
        return self._older is not None

    def show(self, request: TalkRequest) -> bool:
        """Fetch this; the same again, or its open range moved on, fetches what is new. Says whether it begins anew."""
        before, self.request = self.request, request
        anew = before is None or request.until_us != 0 or replace(request, since_us=before.since_us) != before
        anew = anew and request != before
        if anew:
            self.lines, self._older = [], None
        else:
            self.lines = [line for line in self.lines if line.key.received_us >= request.since_us]
        self.stop()
        self._ticket = self._source.ask(request, self._take_newest)
        return anew

    def want_older(self) -> None:
        """Fetch a page more, unless one is on its way."""
        if self._ticket is None and self._older is not None and self.request is not None:
            self._ticket = self._source.ask(replace(self.request, before=self._older), self._take_older)

    def stop(self) -> None:
        """Ask for nothing more."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def _take_newest(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            self.failed.emit(result.problem)
            return
        assert isinstance(result, TalkResult)
        known = {line.key for line in self.lines}
        new = [line for line in result.rows if line.key not in known]
        if len(new) == len(result.rows):  # nothing of it is there: begin anew
            self.lines, self._older = new, result.reach.searched
        else:
            self.lines = new + self.lines
        self.changed.emit()

    def _take_older(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            self.failed.emit(result.problem)
            return
        assert isinstance(result, TalkResult)
        self.lines += result.rows
        self._older = result.reach.searched
        self.changed.emit()
