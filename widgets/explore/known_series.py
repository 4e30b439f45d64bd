"""Keeps the index of all series up to date: asked once, then for what is new. GUI thread."""

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from models.domain.problems import Problem
from models.domain.queries import DataSource, Failed, Result, Ticket
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult
from models.domain.tail import Tail, TailPage
from widgets.explore.series_index import SeriesIndex
from widgets.records.agent_names import AgentNames

_NEWS_MS = 1_500
"""The catalogue knows a new series within about a second."""


class KnownSeries(QObject):
    """While inactive (hidden) it asks for nothing."""

    changed = Signal()
    """There are more series or agents, or a problem came or went."""

    def __init__(self, source: DataSource, tail: Tail, names: AgentNames, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source, self._names = source, names
        self._ticket: Ticket | None = None
        self._active = False
        self._again = False
        self.index = SeriesIndex()
        self.loaded = False
        self.problem: Problem | None = None
        self._news = QTimer(self, singleShot=True, interval=_NEWS_MS)
        self._news.timeout.connect(self.refresh)
        names.changed.connect(self._named)
        tail.follow(self._take_page)

    def set_active(self, active: bool) -> None:
        """Does anybody see it?"""
        if active and not self._active:
            self._active = True
            self._named()
            self.refresh()
        self._active = active

    @Slot()
    def refresh(self) -> None:
        """Ask for what is new, after what is asked already."""
        if not self._active:
            return
        if self._ticket is not None:
            self._again = True
            return
        self._names.refresh()
        self._ticket = self._source.ask(SeriesNamesRequest(self.index.newest), self._take)

    def _take_page(self, page: TailPage) -> None:
        if page.new_names and self._active and not self._news.isActive():
            self._news.start()

    @Slot()
    def _named(self) -> None:
        if self._active:
            agents, names = self._names.agents, self._names
            ids, shown = [names.id_of(one) for one in agents], [names.name(one) for one in agents]
            titles = [
                name if _letters(name) == _letters(id_) else names.title(agent)
                for agent, id_, name in zip(agents, ids, shown, strict=True)
            ]
            self.index.name_agents(agents, ids, titles, shown)
            self.changed.emit()

    def _take(self, result: Result | Failed) -> None:
        self._ticket = None
        was = self.problem
        if isinstance(result, Failed):
            self.problem = result.problem
            self.changed.emit()
            return
        assert isinstance(result, SeriesNamesResult)
        self.problem = None
        if self.index.take(result) or not self.loaded or was is not None:
            self.loaded = True
            self.changed.emit()
        if self._again:
            self._again = False
            self.refresh()


def _letters(name: str) -> str:
    """“Crawler 1” says no less than “crawler-1”."""
    return "".join(filter(str.isalnum, name.casefold()))
