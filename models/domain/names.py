"""Local integer ids for what has a name: topics, agents, series. Ids inside, names in exports and links."""

from enum import IntEnum
from typing import NamedTuple, TypeVar

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


class Names:
    """Ids of one workspace. Used by the recorder's ingest thread alone.

    The three lists are indexed by id; entry 0 is unused, so that 0 can mean "none". Ids only grow.
    """

    def __init__(self) -> None:
        self.topics: list[bytes] = [b""]
        self.agents: list[str] = [""]
        self.series: list[SeriesKey] = [SeriesKey(0, "", "", "", SeriesKind.GAUGE, "")]
        self._topic_ids: dict[bytes, int] = {}
        self._agent_ids: dict[str, int] = {}
        self._series_ids: dict[tuple[int, str, str], int] = {}

    def topic(self, name: bytes) -> int:
        """Id of a topic, new where needed."""
        found = self._topic_ids.get(name)
        if found is None:
            found = self._topic_ids[name] = len(self.topics)
            self.topics.append(name)
        return found

    def agent(self, name: str) -> int:
        """Id of an agent, new where needed."""
        found = self._agent_ids.get(name)
        if found is None:
            found = self._agent_ids[name] = len(self.agents)
            self.agents.append(name)
        return found

    def known_agent(self, name: str) -> int:
        """Id of an agent that exists already, else 0."""
        return self._agent_ids.get(name, 0)

    def series_of(self, key: SeriesKey) -> int:
        """Id of the series with this agent, metric and labels, new where needed. Unit and kind of the first stay."""
        short = (key.agent, key.metric, key.labels)
        found = self._series_ids.get(short)
        if found is None:
            found = self._series_ids[short] = len(self.series)
            self.series.append(key)
        return found

    def known_series(self, agent: int, metric: str, labels: str = "") -> int:
        """Id of a series that exists already, else 0."""
        return self._series_ids.get((agent, metric, labels), 0)

    def put_topic(self, id_: int, name: bytes) -> None:
        """Take a stored pair. Raises `ValueError` where the id is taken by another name."""
        _put(self.topics, id_, name, b"")
        self._topic_ids[name] = id_

    def put_agent(self, id_: int, name: str) -> None:
        """Take a stored pair. Raises `ValueError` where the id is taken by another name."""
        _put(self.agents, id_, name, "")
        self._agent_ids[name] = id_

    def put_series(self, id_: int, key: SeriesKey) -> None:
        """Take a stored pair. Raises `ValueError` where the id is taken by another series."""
        _put(self.series, id_, key, self.series[0])
        self._series_ids[key.agent, key.metric, key.labels] = id_


def _put(names: list[_T], id_: int, name: _T, empty: _T) -> None:
    while len(names) <= id_:
        names.append(empty)
    if names[id_] not in (empty, name):
        raise ValueError(f"id {id_} is {names[id_]!r}, not {name!r}")
    names[id_] = name
