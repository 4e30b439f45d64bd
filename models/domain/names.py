"""Local integer ids for what has a name: topics, agents, series. Ids inside, names in exports and links."""

from array import array
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeVar, overload

from models.domain.crowd import Crowd
from models.domain.topic_table import TopicTable

_T = TypeVar("_T")


class SeriesKind(IntEnum):
    GAUGE = 0
    COUNTER = 1  # only rises, or restarts from zero


class SeriesKey(NamedTuple):
    """What tells one series from another. `labels` is compact JSON with sorted keys, or empty."""

    agent: int
    metric: str
    labels: str
    unit: str  # UCUM-like: "1", "%", "By", "s", "{connection}"; "" when the publisher named none
    kind: SeriesKind
    source: str  # recogniser or rule that made it


class _Told(NamedTuple):
    """What a series is called, without whose it is: a fleet tells the same of all its agents."""

    metric: str
    labels: str
    unit: str
    kind: SeriesKind
    source: str


class SeriesTable(Sequence[SeriesKey]):
    """The series by id. A million of them are kept: some 90 bytes each, where a tuple and a key in a dictionary take 300."""

    def __init__(self) -> None:
        self._agents = array("I")
        self._told: list[_Told] = []
        self._shared: dict[_Told, _Told] = {}
        self._ids: dict[int, dict[str | tuple[str, str], int]] = {}  # agent -> metric (and labels) -> id
        self.append(_NO_SERIES)

    def __len__(self) -> int:
        return len(self._agents)

    @overload
    def __getitem__(self, index: int) -> SeriesKey: ...
    @overload
    def __getitem__(self, index: slice) -> list[SeriesKey]: ...
    def __getitem__(self, index: int | slice) -> SeriesKey | list[SeriesKey]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        return SeriesKey(self._agents[index], *self._told[index])

    def agent(self, id_: int) -> int:
        """Whose a series is."""
        return self._agents[id_]

    def id_of(self, agent: int, metric: str, labels: str) -> int:
        """0 where there is none such."""
        return self._ids.get(agent, _EMPTY).get((metric, labels) if labels else metric, 0)

    def count(self, agent: object) -> int:
        """How many series an agent has."""
        return len(self._ids.get(agent, _EMPTY)) if isinstance(agent, int) else 0

    def append(self, key: SeriesKey) -> int:
        """A new one; answers its id."""
        self._agents.append(0)
        self._told.append(_NOTHING_TOLD)
        self._set(len(self._agents) - 1, key)
        return len(self._agents) - 1

    def reach(self, id_: int) -> None:
        """Ids up to this one are for `put` alone."""
        while len(self._agents) <= id_:
            self._agents.append(0)
            self._told.append(_NOTHING_TOLD)

    def put(self, id_: int, key: SeriesKey) -> None:
        """Take a stored pair. Raises `ValueError` where the id is taken by another series."""
        self.reach(id_)
        if self[id_] not in (_NO_SERIES, key):
            raise ValueError(f"id {id_} is {self[id_]!r}, not {key!r}")
        self._set(id_, key)

    def _set(self, id_: int, key: SeriesKey) -> None:
        told = _Told(*key[1:])
        shared = self._shared.get(told)
        if shared is None:
            shared = told
            if len(self._shared) < _MOST_SHARED:
                self._shared[told] = told
        self._agents[id_], self._told[id_] = key.agent, shared
        if id_:
            name = (shared.metric, shared.labels) if shared.labels else shared.metric
            self._ids.setdefault(key.agent, {})[name] = id_


_NO_SERIES = SeriesKey(0, "", "", "", SeriesKind.GAUGE, "")
_NOTHING_TOLD = _Told(*_NO_SERIES[1:])
_MOST_SHARED = 20_000  # whoever puts a counter into a name shares nothing
_EMPTY: dict[str | tuple[str, str], int] = {}


class Names:
    """Ids of one workspace. Used by the recorder's ingest thread alone.

    The three lists are indexed by id; entry 0 is unused, so that 0 can mean "none". Ids only grow.
    """

    def __init__(self) -> None:
        self.topics = TopicTable()
        self.agents: list[str] = [""]
        self.series = SeriesTable()
        self.crowd = Crowd()
        self.same: Mapping[str, str] = {}
        """Names that agents are called by besides their own, as the user says (`rules.Rules.same`)."""
        self._agent_ids: dict[str, int] = {}

    def topic(self, name: bytes) -> int:
        """Id of a topic, new where needed."""
        return self.topics.id_of(name)

    def agent(self, name: str) -> int:
        """Id of an agent, new where needed."""
        name = self.same.get(name, name)
        found = self._agent_ids.get(name)
        if found is None:
            found = self._agent_ids[name] = len(self.agents)
            self.agents.append(name)
        return found

    @property
    def agents_known(self) -> int:
        """How many names of agents there are, whatever their ids."""
        return len(self._agent_ids)

    def known_agent(self, name: str) -> int:
        """Id of an agent that exists already, else 0."""
        return self._agent_ids.get(self.same.get(name, name), 0)

    def series_of(self, key: SeriesKey) -> int:
        """Id of the series with this agent, metric and labels, new where needed. Unit and kind of the first stay."""
        return self.series.id_of(key.agent, key.metric, key.labels) or self.series.append(key)

    def known_series(self, agent: int, metric: str, labels: str = "") -> int:
        """Id of a series that exists already, else 0."""
        return self.series.id_of(agent, metric, labels)

    def put_topic(self, id_: int, name: bytes) -> None:
        """Take a stored pair. Raises `ValueError` where the id is taken by another name."""
        self.topics.put(id_, name)

    def put_agent(self, id_: int, name: str) -> None:
        """Take a stored pair. Raises `ValueError` where the id is taken by another name."""
        _put(self.agents, id_, name, "")
        self._agent_ids[name] = id_

    def put_series(self, id_: int, key: SeriesKey) -> None:
        """Take a stored pair. Raises `ValueError` where the id is taken by another series."""
        self.series.put(id_, key)


def _put(names: list[_T], id_: int, name: _T, empty: _T) -> None:
    while len(names) <= id_:
        names.append(empty)
    if names[id_] not in (empty, name):
        raise ValueError(f"id {id_} is {names[id_]!r}, not {name!r}")
    names[id_] = name
