"""All agents and their series, sorted as people read them, found by typing. Columns, so that a quarter of a million series
cost what they weigh. GUI thread."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication

from models.domain.headline import headline
from models.domain.queries import Int64
from models.domain.series_names import SeriesNamesResult, SeriesWords
from widgets.common.plain import visible

_NAME_LIMIT = 160
_NONE = np.empty(0, np.int64)
Flags = npt.NDArray[np.bool_]


class Found(NamedTuple):
    """What fits: places of agents, and of each of them the places of series `rows[starts[i]:starts[i + 1]]`; with what the index
    knew then."""

    agents: Int64
    rows: Int64
    starts: Int64
    ids: Sequence[str]
    titles: Sequence[str]
    told: Int64


class SeriesIndex:
    """`place` of an agent counts in the order of titles, `row` of a series in the order of agents and names."""

    def __init__(self) -> None:
        self.words: list[SeriesWords] = []
        self.texts: list[str] = []  # of each of `words`, visible
        self.agents: list[int] = []  # local ids by title
        self.titles: list[str] = []  # name, and id where that is another
        self.names: list[str] = []
        self.ids: list[str] = []  # as exports use them
        self.series: Int64 = _NONE  # by row
        self.told: Int64 = _NONE  # place among `words`, by row
        self.starts: Int64 = np.zeros(1, np.int64)  # rows of agent i: starts[i] to starts[i + 1]
        self.newest = 0  # largest id of a series
        self.version = 0  # rises when places and rows are others
        self.headline: Mapping[str, Mapping[int, int]] = {}
        self.interval_us: Mapping[int, int] = {}
        self._places: dict[SeriesWords, int] = {}
        self._id, self._agent, self._told = _NONE, _NONE, _NONE  # by agent, and by name
        self._place_of: dict[str, int] = {}
        self._searched: list[str] = []
        self._names: list[tuple[str, str]] = []  # metric and labels, by which they stand
        self._in_order = True  # `words` are, as the store answers them at first
        self._called: list[str] = []  # as people do
        self._searched_titles: list[str] | None = None  # made when somebody looks for something

    def __len__(self) -> int:
        return len(self.series)

    def take(self, result: SeriesNamesResult, places: list[int] | None = None) -> bool:
        """Add what is new. False: nothing is. `places`: what `learn` answered for its words."""
        before = (self.headline, self.interval_us)
        self.headline, self.interval_us = result.headline, result.interval_us
        if not len(result.id):
            return before != (self.headline, self.interval_us)
        among = np.array(self.learn(result.words) if places is None else places, np.int64)
        new = result.id > self.newest
        self.newest = max(self.newest, int(result.id.max()))
        self._join(result.id[new], result.agent[new], among[result.told[new]])
        self._sort()
        return True

    def learn(self, some: Iterable[SeriesWords]) -> list[int]:
        """Know these names of series; answers their places among `words`. Where there are very many, some at a time leave the
        window time."""
        found = []
        for words in some:
            place = self._places.setdefault(words, len(self.words))
            found.append(place)
            if place == len(self.words):
                self.words.append(words)
                self.texts.append(words_text(words))
                unit = f" {words.unit}" if words.unit else ""
                self._searched.append(f"{words.metric} {self.texts[-1]}{unit}".casefold())
                self._called.append(_also_called(words).casefold())
                name = words.metric, words.labels
                self._in_order = self._in_order and (not self._names or self._names[-1] <= name)
                self._names.append(name)
        return found

    def _join(self, ids: Int64, agents: Int64, told: Int64) -> None:
        """Put new ones among those that are there. They come in order, unless an agent tells new words: that costs a sort."""
        rank = np.arange(len(self.words))
        if not self._in_order:
            rank[sorted(range(len(self.words)), key=self._names.__getitem__)] = np.arange(len(self.words))
        key = agents * len(self.words) + rank[told]
        if (key[1:] < key[:-1]).any():
            order = np.argsort(key, kind="stable")
            ids, agents, told, key = ids[order], agents[order], told[order], key[order]
        if not len(self._id):
            self._id, self._agent, self._told = ids, agents, told
            return
        at = np.searchsorted(self._agent * len(self.words) + rank[self._told], key, side="right")
        self._id = np.insert(self._id, at, ids)
        self._agent = np.insert(self._agent, at, agents)
        self._told = np.insert(self._told, at, told)

    def name_agents(self, agents: Sequence[int], ids: list[str], titles: list[str], names: list[str]) -> None:
        """All agents, in the order in which they shall stand."""
        if (ids, titles, names) == (self.ids, self.titles, self.names):
            return
        self.agents, self.ids, self.titles, self.names = list(agents), ids, titles, names
        self._place_of = {id_: place for place, id_ in enumerate(self.ids)}
        self._searched_titles = None
        self._sort()

    def _sort(self) -> None:
        """Rows in the order in which agents stand; those of an agent follow each other already. The name of a new agent may come
        a moment after its series."""
        agents = np.array(self.agents, np.int64)
        first = np.searchsorted(self._agent, agents)
        each = np.searchsorted(self._agent, agents, side="right") - first
        self.starts = np.concatenate(([0], np.cumsum(each)))
        rows = np.repeat(first - self.starts[:-1], each) + np.arange(int(self.starts[-1]))
        self.series, self.told = self._id[rows], self._told[rows]
        self.version += 1

    # ------------------------------------------------------------ by name

    def place_of(self, agent: str) -> int:
        """Of an agent by its id in exports; -1: it is not in this workspace."""
        return self._place_of.get(agent, -1)

    def row_of(self, place: int, metric: str, labels: str) -> int:
        """The series of that name; -1: there is none."""
        for row in range(int(self.starts[place]), int(self.starts[place + 1])):
            words = self.words[self.told[row]]
            if words.metric == metric and words.labels == labels:
                return row
        return -1

    def row_of_role(self, place: int, role: str) -> int:
        """The series that the fleet shows as that; -1: there is none."""
        series = self.headline.get(role, {}).get(self.agents[place], 0)
        own = self.series[self.starts[place] : self.starts[place + 1]]
        found = np.flatnonzero(own == series)
        return int(self.starts[place] + found[0]) if len(found) else -1

    # ------------------------------------------------------------ by typing

    def find(self, typed: str) -> Found:
        """Every word has to stand in the agent's title or id, or in the series' name, labels or unit; a word that stands nowhere
        fits what has its letters in this order. An agent that fits by itself is found with all its series."""
        if not typed.strip():
            every, rows = np.arange(len(self.agents)), np.arange(len(self.series))
            return Found(every, rows, self.starts, self.ids, self.titles, self.told)
        whose = np.repeat(np.arange(len(self.agents)), np.diff(self.starts))
        fits_agent, fits_row = np.ones(len(self.agents), bool), np.ones(len(self.series), bool)
        for word in typed.casefold().split():
            of_agent, of_words = self._fitting(word)
            fits_agent &= of_agent
            fits_row &= of_agent[whose] | of_words[self.told]
        rows = np.flatnonzero(fits_row)
        shown = fits_agent.copy()
        shown[whose[rows]] = True
        agents = np.flatnonzero(shown)
        starts = np.searchsorted(whose[rows], np.append(agents, len(self.agents)))
        return Found(agents, rows, starts, self.ids, self.titles, self.told)

    def _fitting(self, word: str) -> tuple[Flags, Flags]:
        if self._searched_titles is None:
            pairs = zip(self.titles, self.ids, strict=True)
            self._searched_titles = [f"{title}\n{id_}".casefold() for title, id_ in pairs]
        of_agent = np.fromiter((word in title for title in self._searched_titles), bool, len(self.agents))
        texts = zip(self._searched, self._called, strict=True)
        of_words = np.fromiter((word in text or word in called for text, called in texts), bool, len(self.words))
        if of_agent.any() or of_words.any() or len(word) < 2:
            return of_agent, of_words
        letters = re.compile(".*?".join(map(re.escape, word)))
        of_agent = np.fromiter((bool(letters.search(title)) for title in self._searched_titles), bool, len(self.agents))
        of_words = np.fromiter((bool(letters.search(text)) for text in self._searched), bool, len(self.words))
        return of_agent, of_words


def _also_called(words: SeriesWords) -> str:
    """What people call it, whatever its publisher does."""
    found = headline(words.metric, words.unit, words.labels)
    translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
    called = {
        "cpu": translate("SeriesIndex", "CPU processor load"),
        "memory": translate("SeriesIndex", "memory RAM"),
        "response": translate("SeriesIndex", "response time latency"),
    }
    return called.get(found.role, "") if found is not None else ""


def words_text(words: SeriesWords) -> str:
    """The name of a series as people read it: labels without the signs of JSON."""
    return visible(f"{words.metric} {labels_text(words.labels)}".strip(), _NAME_LIMIT)


def labels_text(labels: str) -> str:
    """`{"cpu":"0","mode":"user"}` is "cpu=0 mode=user"."""
    if not labels:
        return ""
    try:
        pairs = json.loads(labels)
    except ValueError:
        return labels
    return " ".join(f"{key}={value}" for key, value in pairs.items()) if isinstance(pairs, dict) else labels
