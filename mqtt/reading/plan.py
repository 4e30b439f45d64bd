"""The seam between the reader and the recognisers of conventions.

A recogniser answers twice: once per topic with a plan (or None), then the plan reads every message of that topic straight
into the columns of the batch. Messages come in the order they arrived, so that records of several topics keep their order.
"""

from typing import Protocol

from models.domain.batch import RecordBatch
from models.domain.crowd import LONGEST_AGENT, MOST_AGENTS, MOST_SERIES, MOST_SERIES_OF_AGENT
from models.domain.messages import Kind, RawMessage
from models.domain.names import Names, SeriesKey, SeriesKind
from models.domain.records import Unreadable
from mqtt.reading.copies import Copies
from mqtt.reading.declarations import Declarations
from mqtt.reading.exchange import Exchange
from mqtt.reading.object_shapes import ObjectShapes
from mqtt.reading.remembering import Remembering
from mqtt.reading.sequence import Sequences
from mqtt.reading.shapes import Shapes

MOST_TABLES = 5_000
LONGEST_METRIC = 200


class Unread(Exception):  # noqa: N818 - an answer about the message, not an error of ours
    """The message cannot be read. Reasons: empty, binary, text, json, too-deep, shape (readable, but not what its topic
    promises), too-many-series (in part), too-many-agents, bug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Tables:
    """Series by metric, per topic and agent, for topics that bring other names each time. Bounded: beyond it all are made
    anew."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, int], dict[str, int]] = {}

    def of(self, topic: int, agent: int) -> dict[str, int]:
        """To be looked up and added to."""
        found = self._tables.get((topic, agent))
        if found is None:
            if len(self._tables) >= MOST_TABLES:
                self._tables.clear()
            found = self._tables[topic, agent] = {}
        return found


class Sink:
    """Where plans put what they read. One thread; `batch` is the one being filled."""

    def __init__(self, names: Names) -> None:
        self.batch = RecordBatch()
        self.names = names
        self.declarations = Declarations()
        self.sequences = Sequences()
        self.copies = Copies()
        self.exchange = Exchange()
        self.shapes = Shapes()
        self.object_shapes = ObjectShapes()
        self.tables = Tables()
        self._remembering = Remembering(names.crowd)

    def agent(self, name: str) -> int:
        """Id of an agent. Raises `Unread` where it would be one too many, or its name is no name."""
        known = self.names.known_agent(name)
        if known:
            return known
        if len(self.names.agents) > MOST_AGENTS:
            self.names.crowd.agents += 1
            raise Unread("too-many-agents")
        if len(name) > LONGEST_AGENT:
            raise Unread("shape")
        return self.names.agent(name)

    def series(self, agent: int, metric: str, unit: str, kind: SeriesKind, source: str) -> int:
        """Id of a series without labels; 0 where the agent or the workspace has too many, or its name is empty or
        too long."""
        known = self.names.known_series(agent, metric)
        if known:
            return known
        if not 0 < len(metric) <= LONGEST_METRIC or self._full_for(agent):
            return 0
        return self.names.series_of(SeriesKey(agent, metric, "", unit, kind, source))

    def _full_for(self, agent: int) -> bool:
        series = self.names.series
        return len(series) > MOST_SERIES or series.count(agent) >= MOST_SERIES_OF_AGENT

    def remember(self, row: int) -> None:
        """Later messages cannot be read without what this one declared (names, units, aliases, availability): the store keeps
        the last such message of each topic, an empty one forgets it, and every start reads them first."""
        batch = self.batch
        if self._remembering.takes(batch.topic[row], len(batch.messages[row].payload)):
            batch.remembered.append(row)

    def unread(self, row: int, reason: str) -> None:
        """Count a message as unreadable, in whole or in part: once, with the first reason."""
        if reason == "too-many-series" and self._full_for(self.batch.agent[row]):
            crowd = self.names.crowd
            if len(self.names.series) > MOST_SERIES:
                crowd.series += 1
            else:
                crowd.series_of_agent, crowd.largest_agent = (
                    crowd.series_of_agent + 1, self.names.agents[self.batch.agent[row]]
                )  # fmt: skip
        known = self.batch.unreadable
        if not known or known[-1].row != row:
            known.append(Unreadable(row, reason))


class Plan(Protocol):
    """How one topic is read. The three ids are what its messages are stored with, unless `read` corrects the row."""

    topic: int
    agent: int
    kind: Kind

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        """Put what message `row` holds into `sink`. Raises `Unread`, before anything was put."""
        ...


class Recogniser(Protocol):
    """Reads one convention."""

    uses_declarations: bool
    """Its plans depend on what agents declared, and are made anew when that changes."""

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        """A plan for the topic whose first message this is, or None. Raises `Unread` where there is no room."""
        ...
