"""Names beside ids: loading them from the catalogue, and knowing which of them a segment already carries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import numpy as np
import numpy.typing as npt

from models.domain.names import Names, SeriesKey, SeriesKind
from models.domain.topic_table import MOST_TOPICS
from models.storage.store_errors import problems_of

SERIES_KEY = "agent_id, metric, labels, unit, kind, source"
"""Columns of a series table, as `series_key` takes them."""


def series_key(agent: int, metric: str, labels: str, unit: str, kind: int, source: str) -> SeriesKey:
    """From a row of a series table."""
    return SeriesKey(agent, metric, labels, unit, SeriesKind(kind), source)


def storable(text: str | None) -> str | None:
    """The text, with what UTF-8 cannot carry (lone surrogates) as visible escapes."""
    if text is None or text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


class CatalogueTopics:
    """The topics that the catalogue knows: a `domain.topic_table.TopicShelf`. Raises `EnvironmentProblem` store.*."""

    def __init__(self, catalogue: apsw.Connection) -> None:
        self._catalogue = catalogue
        self._path = Path(catalogue.filename)

    def id_of(self, name: bytes) -> int:
        with problems_of(self._path):
            found = self._catalogue.execute("SELECT id FROM topic WHERE name = ?", (name,)).fetchall()
        return int(found[0][0]) if found else 0  # type: ignore[arg-type]

    def name_of(self, id_: int) -> bytes:
        with problems_of(self._path):
            found = self._catalogue.execute("SELECT name FROM topic WHERE id = ?", (id_,)).fetchall()
        if not found:
            raise LookupError(f"topic {id_} is not in the catalogue")
        return bytes(found[0][0])  # type: ignore[arg-type]


def load_topics(connection: apsw.Connection, names: Names) -> None:
    """Fill `names` with the newest topics of a catalogue."""
    newest = (
        f"SELECT id, name FROM topic WHERE id > (SELECT coalesce(max(id), 0) FROM topic) - {MOST_TOPICS} ORDER BY id"
    )
    for id_, topic in connection.execute(newest):
        names.put_topic(id_, topic)
    names.topics.forget(others_too=len(names.topics) > MOST_TOPICS)


def load_names(connection: apsw.Connection, names: Names) -> None:
    """Fill `names` with every agent and series of a catalogue (or segment), and with the newest topics."""
    load_topics(connection, names)
    for id_, agent in connection.execute("SELECT id, name FROM agent"):
        names.put_agent(id_, agent)
    for id_, *key in connection.execute(f"SELECT id, {SERIES_KEY} FROM series"):
        names.put_series(id_, series_key(*key))


@dataclass(slots=True)
class NewNames:
    """Ids that a commit names for the first time in its segment, ascending."""

    topics: list[int] = field(default_factory=list)
    agents: list[int] = field(default_factory=list)
    series: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.topics) + len(self.agents) + len(self.series)

    def extend(self, more: "NewNames") -> None:
        self.topics += more.topics
        self.agents += more.agents
        self.series += more.series


class NamedIds:
    """Which ids a segment has named. Boolean arrays, as the question is asked for every sample."""

    def __init__(self) -> None:
        self._topics = _flags(0)
        self._agents = _flags(0)
        self._series = _flags(0)
        self._owner = np.zeros(0, np.uint32)  # agent of each series

    def missing(
        self, names: Names, topics: Sequence[int], agents: Iterable[int], series: npt.NDArray[np.uint32]
    ) -> NewNames:
        """What has to be named before these ids may be used. A new series needs its agent named, too. `series` ascends
        and holds each once."""
        self._topics = _grown(self._topics, len(names.topics))
        self._agents = _grown(self._agents, len(names.agents))
        self._series = _grown(self._series, len(names.series))
        new_series: list[int] = series[~self._series[series]].tolist()
        if len(self._owner) < len(self._series):
            self._owner = np.concatenate((self._owner, np.zeros(len(self._series) - len(self._owner), np.uint32)))
        owners = [names.series.agent(one) for one in new_series]
        self._owner[new_series] = owners
        new_agents = _unnamed(self._agents, [*agents, *owners])
        return NewNames(_unnamed(self._topics, topics), [one for one in new_agents if one], new_series)

    def owners(self, series: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Agents of some series that `missing` has seen: ascending, each once."""
        owners = np.sort(self._owner[series])  # several times quicker here than numpy's own `unique`
        once = np.ones(len(owners), np.bool_)
        np.not_equal(owners[1:], owners[:-1], out=once[1:])
        return owners[once]

    def mark(self, new: NewNames) -> None:
        """They are named now (committed)."""
        self._topics[new.topics] = True
        self._agents[new.agents] = True
        self._series[new.series] = True


def _unnamed(flags: npt.NDArray[np.bool_], ids: Sequence[int]) -> list[int]:
    """Those of the ids that are not flagged: ascending, each once."""
    every = np.fromiter(ids, np.int64, len(ids))
    return sorted(set(every[~flags[every]].tolist()))


def _flags(size: int) -> npt.NDArray[np.bool_]:
    return np.zeros(size, np.bool_)


def _grown(flags: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.bool_]:
    if len(flags) >= size:
        return flags
    return np.concatenate((flags, _flags(size + size // 2 - len(flags))))
