"""The seam between the reader and the recognisers of conventions.

A recogniser answers twice: once per topic with a plan (or None), then the plan reads every message of that topic straight
into the columns of the batch. Messages come in the order they arrived, so that records of several topics keep their order.
"""

from typing import Protocol

from models.domain.batch import RecordBatch
from models.domain.messages import Kind, RawMessage
from models.domain.names import Names, SeriesKey, SeriesKind
from models.domain.records import Unreadable
from mqtt.reading.copies import Copies
from mqtt.reading.declarations import Declarations
from mqtt.reading.exchange import Exchange
from mqtt.reading.sequence import Sequences
from mqtt.reading.shapes import Shapes

MOST_AGENTS = 100_000
MOST_SERIES_OF_AGENT = 2_000
LONGEST_METRIC = 200


class Unread(Exception):  # noqa: N818 - an answer about the message, not an error of ours
    """The message cannot be read. Reasons: empty, binary, text, json, too-deep, shape (readable, but not what its topic
    promises), too-many-series (in part), too-many-agents, bug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
        self._series_of: dict[int, int] = {}  # agent -> how many series
        for key in names.series[1:]:
            self._series_of[key.agent] = self._series_of.get(key.agent, 0) + 1

    def agent(self, name: str) -> int:
        """Id of an agent. Raises `Unread` where it would be one too many."""
        known = self.names.known_agent(name)
        if known:
            return known
        if len(self.names.agents) > MOST_AGENTS:
            raise Unread("too-many-agents")
        return self.names.agent(name)

    def series(self, agent: int, metric: str, unit: str, kind: SeriesKind, source: str) -> int:
        """Id of a series without labels; 0 where the agent has too many, or its name is empty or too long."""
        known = self.names.known_series(agent, metric)
        if known:
            return known
        count = self._series_of.get(agent, 0)
        if count >= MOST_SERIES_OF_AGENT or not 0 < len(metric) <= LONGEST_METRIC:
            return 0
        self._series_of[agent] = count + 1
        return self.names.series_of(SeriesKey(agent, metric, "", unit, kind, source))

    def unread(self, row: int, reason: str) -> None:
        """Count a message as unreadable, in whole or in part: once, with the first reason."""
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
