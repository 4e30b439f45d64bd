"""Keeps the index of all series up to date: asked once, then for what is new. GUI thread."""

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from models.domain.problems import Problem
from models.domain.queries import DataSource, Failed, Result, Ticket
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult
from models.domain.tail import Tail, TailPage
from widgets.plots.series_index import SeriesIndex
from widgets.records.agent_names import AgentNames

_AT_ONCE = 1_000
"""So many names of series are learnt in some milliseconds."""
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
        self._version = -1  # of the names that the index has
        self.problem: Problem | None = None
        self._news = QTimer(self, singleShot=True, interval=_NEWS_MS)
        self._news.timeout.connect(self.refresh)
        self._learning: tuple[SeriesNamesResult, list[int]] | None = (
            None  # an answer, and places of the names known so far
        )
        self._learn_more = QTimer(self, singleShot=True, interval=0)
        self._learn_more.timeout.connect(self._learn)
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
        if self._ticket is not None or self._learning is not None:
            self._again = True
            return
        self._names.refresh()
        self._ticket = self._source.ask(SeriesNamesRequest(self.index.newest), self._take)

    def _take_page(self, page: TailPage) -> None:
        if page.new_names and self._active and not self._news.isActive():
            self._news.start()

    @Slot()
    def _named(self) -> None:
        if self._active and self._version != self._names.version:
            agents, names = self._names.agents, self._names
            self._version = names.version
            ids, shown = [names.id_of(one) for one in agents], [names.name(one) for one in agents]
            titles = [
                name if name == id_ or _letters(name) == _letters(id_) else names.title(agent)
                for agent, id_, name in zip(agents, ids, shown, strict=True)
            ]
            self.index.name_agents(agents, ids, titles, shown)
            self.changed.emit()

    def _take(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            self.problem = result.problem
            self.changed.emit()
            return
        assert isinstance(result, SeriesNamesResult)
        if len(result.words) > _AT_ONCE:  # hardly ever: mostly a fleet tells the same of all its agents
            self._learning = result, []
            self._learn_more.start()
        else:
            self._use(result)

    @Slot()
    def _learn(self) -> None:
        """Some of very many names, then let the window have its turn."""
        assert self._learning is not None
        result, places = self._learning
        places += self.index.learn(result.words[len(places) : len(places) + _AT_ONCE])
        if len(places) < len(result.words):
            self._learn_more.start()
        else:
            self._learning = None
            self._use(result, places)

    def _use(self, result: SeriesNamesResult, places: list[int] | None = None) -> None:
        was, self.problem = self.problem, None
        if self.index.take(result, places) or not self.loaded or was is not None:
            self.loaded = True
            self.changed.emit()
        if self._again:
            self._again = False
            self.refresh()


def _letters(name: str) -> str:
    """“Crawler 1” says no less than “crawler-1”."""
    return "".join(filter(str.isalnum, name.casefold()))
