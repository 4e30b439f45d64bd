"""The seam between the reader and the recognisers of conventions.

A recogniser answers twice: once per topic with a plan (or None), then the plan reads every message of that topic straight
into the columns of the batch. Messages come in the order they arrived, so that records of several topics keep their order.
"""

import json
import math
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from models.domain.batch import RecordBatch
from models.domain.crowd import LONGEST_AGENT, MOST_AGENTS, MOST_SERIES, MOST_SERIES_OF_AGENT
from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import Names, SeriesKey, SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import PresenceEvidence, Unreadable
from mqtt.reading.clients import Clients
from mqtt.reading.copies import Copies
from mqtt.reading.declarations import Declarations
from mqtt.reading.declared_topics import DeclaredTopics
from mqtt.reading.exchange import Exchange
from mqtt.reading.log_speakers import LogSpeakers
from mqtt.reading.object_shapes import ObjectShapes
from mqtt.reading.remembering import Remembering
from mqtt.reading.sequence import Sequences
from mqtt.reading.shapes import Shapes
from mqtt.reading.units import Scale, base_unit, measures_alike

MOST_TABLES = 5_000
LONGEST_METRIC = 200
LONGEST_LABELS = 2_000


class Unread(Exception):  # noqa: N818 - an answer about the message, not an error of ours
    """The message cannot be read. Reasons: empty, binary, text, json, too-deep, shape (readable, but not what its topic
    promises), no-birth (values by an alias that nobody explained), nobody (nothing tells whose it is), template (declared by one
    of a shape that we do not know, and no single number either), too-many-series (in part), too-many-agents, bug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Figure(NamedTuple):
    """A series (0: there is no room for it), and how its values come into the unit that it is kept in; None: they are."""

    series: int
    scale: Scale | None


class Tables:
    """Figures by metric, per topic and agent, for topics that bring other names each time. Bounded: beyond it all are made
    anew."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, int], dict[str, Figure]] = {}

    def of(self, topic: int, agent: int) -> dict[str, Figure]:
        """To be looked up and added to."""
        found = self._tables.get((topic, agent))
        if found is None:
            if len(self._tables) >= MOST_TABLES:
                self._tables.clear()
            found = self._tables[topic, agent] = {}
        return found


class Sink:
    """Where plans put what they read. One thread; `batch` is the one being filled."""

    def __init__(self, names: Names, exchange: Exchange | None = None) -> None:
        """`exchange`: where somebody watches it."""
        self.batch = RecordBatch()
        self.names = names
        self.declarations = Declarations()
        self.declared = DeclaredTopics()
        self.sequences = Sequences()
        self.copies = Copies()
        self.exchange = Exchange() if exchange is None else exchange
        self.shapes = Shapes()
        self.object_shapes = ObjectShapes()
        self.tables = Tables()
        self.clients = Clients()
        self.log_speakers = LogSpeakers()
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

    def series(self, agent: int, metric: str, unit: str, kind: SeriesKind, source: str, labels: str = "") -> int:
        """Id of a series; `unit` a base unit, `labels` as in `SeriesKey`. 0 where the agent or the workspace has too many, or
        a name is empty or too long."""
        return self.figure(agent, metric, unit, kind, source, labels).series

    def figure(self, agent: int, metric: str, unit: str, kind: SeriesKind, source: str, labels: str = "") -> Figure:
        """The series of values published in `unit`, and how they come into the unit it is kept in. What a series' numbers mean
        never changes: one begun before units were brought to base goes on as it was, and a figure that is now told in another
        measure (`5`, then `5 %`) begins a series of its own, with that unit among its labels."""
        base, scale = base_unit(unit)
        known = self.names.known_series(agent, metric, labels)
        if known:
            kept = self.names.series[known].unit
            if kept == unit:
                return Figure(known, None)
            if measures_alike(kept, base):
                return Figure(known, scale)
            labels = _with_unit(labels, base)
            known = self.names.known_series(agent, metric, labels)
            if known:
                return Figure(known, scale)
        if not 0 < len(metric) <= LONGEST_METRIC or len(labels) > LONGEST_LABELS or self._full_for(agent):
            return Figure(0, None)
        return Figure(self.names.series_of(SeriesKey(agent, metric, labels, base, kind, source)), scale)

    def put(self, row: int, time_us: int, figures: Sequence[Figure], values: Sequence[float]) -> None:
        """Add a few samples of message `row`, scaled. What is no number, or none that a double holds, is left out."""
        series, kept = array("I"), []
        for (one, scale), value in zip(figures, values, strict=True):
            if scale is not None:
                value = scale.of(value)  # noqa: PLW2901 - the same value
            if not one:
                self.unread(row, "too-many-series")
            elif math.isfinite(value):
                series.append(one)
                kept.append(value)
        if series:
            self.batch.add_samples(row, time_us, series, kept)

    def put_one(self, row: int, time_us: int, figure: Figure, value: float) -> None:
        """As `put`, of a message that holds a single one."""
        one, scale = figure
        if scale is not None:
            value = scale.of(value)
        if not one:
            self.unread(row, "too-many-series")
        elif math.isfinite(value):
            self.batch.add_samples(row, time_us, (one,), (value,))

    def _full_for(self, agent: int) -> bool:
        series = self.names.series
        return len(series) > MOST_SERIES or series.count(agent) >= MOST_SERIES_OF_AGENT

    def remember(self, row: int) -> None:
        """Later messages cannot be read without what this one declared (names, units, aliases, availability): the store keeps
        the last such message of each topic, an empty one forgets it, and every start reads them first."""
        batch = self.batch
        kept = self._remembering.takes(batch.topic[row], len(batch.messages[row].payload))
        (batch.remembered if kept else batch.forgotten).append(row)

    def name_late(self, row: int) -> None:
        """What was stored of the topic of message `row` so far was read by a guess, and only now somebody said what it is."""
        self.batch.late.append(self.batch.topic[row])

    def say(self, row: int, agent: int, word: tuple[Presence, Condition], cause: Cause, rank: int) -> None:
        """Message `row` says that an agent is there, or gone. A retained one that was replayed is old: only that somebody is
        gone still holds."""
        if self.batch.messages[row].origin is Origin.REPLAY:
            if word[0] is Presence.ONLINE:
                return
            cause = Cause.REPLAYED
        self.batch.evidence.append(PresenceEvidence(row, agent, *word, cause, rank))

    def heard(self, row: int, agents: Iterable[int]) -> None:
        """Message `row` is of all these agents; it is stored as that of one of them."""
        for agent in agents:
            if agent != self.batch.agent[row]:
                self.batch.evidence.append(
                    PresenceEvidence(row, agent, Presence.ONLINE, Condition.OK, Cause.HEARD, rank=0)
                )

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


def _with_unit(labels: str, unit: str) -> str:
    told = json.loads(labels) if labels else {}
    return json.dumps({**told, "unit": unit}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Plan(Protocol):
    """How one topic is read. The three ids are what its messages are stored with, unless `read` corrects the row."""

    topic: int
    agent: int
    kind: Kind

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        """Put what message `row` holds into `sink`. Raises `Unread`, before anything was put."""
        ...


@runtime_checkable
class Declarer(Protocol):
    """A recogniser some of whose topics declare what others mean. They are heard before the batch that holds them is read, as
    what they speak of often comes first."""

    def declares(self, levels: list[str]) -> bool:
        """Whether a topic is one of these."""
        ...

    def declare(self, message: RawMessage, levels: list[str], sink: Sink) -> None:
        """Take it, for plans to come; the plan of its topic reads the same message afterwards, and puts what is to be stored
        into the batch. Never raises on what the message holds."""
        ...


class Recogniser(Protocol):
    """Reads one convention."""

    uses_declarations: bool
    """Its plans depend on what agents declared, and are made anew when that changes."""

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        """A plan for the topic whose first message this is, or None. Raises `Unread` where there is no room."""
        ...
