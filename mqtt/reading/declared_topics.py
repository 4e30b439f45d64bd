"""What was declared of topics beforehand: whose they are, which figures stand in their payloads under which names and units,
and which of them say whether an agent is there. Kept by whatever declared it, so that the same source takes it back.
"""

from collections.abc import Iterable
from typing import NamedTuple

from models.domain.names import SeriesKind
from mqtt.reading.value_templates import Extract

MOST_ENTITIES = 100_000
MOST_OF_TOPIC, MOST_RULES = 5_000, 256
"""Entities that speak of one topic, and different ways in which those of one agent are available."""


class DeclaredFigure(NamedTuple):
    """`extract` None: the only number of the payload. `other_metric` is taken where another thing of the agent is called
    `metric` already. `unit` as it is written."""

    topic: bytes
    extract: Extract | None
    metric: str
    other_metric: str
    unit: str
    kind: SeriesKind


class Words(NamedTuple):
    """A topic on which an agent's availability is told, and the words for it."""

    topic: bytes
    extract: Extract | None
    available: str
    unavailable: str


class Availability(NamedTuple):
    """`mode`: all, any, latest."""

    mode: str
    topics: tuple[Words, ...]


class Entity(NamedTuple):
    """One thing that an agent declares. `quiet` are topics of the agent of which nothing is read; `commands` are topics on which
    others speak to it."""

    agent: str
    source: str  # of its series
    figures: tuple[DeclaredFigure, ...] = ()
    quiet: tuple[bytes, ...] = ()
    commands: tuple[bytes, ...] = ()
    availability: Availability | None = None

    def topics(self) -> set[bytes]:
        """All that it speaks of, but for its availability."""
        return {*(one.topic for one in self.figures), *self.quiet, *self.commands}


class TopicDeclared(NamedTuple):
    """Of one topic. `agent` is empty where it is nobody's own; `watched_by` are the agents whose availability it tells."""

    agent: str
    source: str
    figures: tuple[DeclaredFigure, ...]
    words: tuple[Words, ...]
    watched_by: tuple[str, ...]


_Place = tuple[bytes, int]
"""A source, and which of its entities."""


class _Watch(NamedTuple):
    """What a source says of an agent's availability: once, however many of its entities go by it."""

    message: bytes
    agent: str
    source: str  # of its series
    rule: Availability


class DeclaredTopics:
    """One thread. Bounded: beyond that, what is declared is not taken."""

    def __init__(self) -> None:
        self._told: dict[bytes, tuple[Entity, ...]] = {}
        self._entities = 0
        self._topics: dict[bytes, dict[_Place, Entity]] = {}
        self._watches: dict[bytes, dict[_Watch, None]] = {}
        self._metrics: dict[tuple[str, str], _Place] = {}
        self._rules: dict[str, dict[Availability, int]] = {}  # agent -> how many sources say so
        self._words: dict[bytes, tuple[bool, int]] = {}  # topic -> was its last word "available", and its number
        self._count = 0
        self._changed: set[bytes] = set()

    def tell(self, source: bytes, entities: Iterable[Entity]) -> bool:
        """From now on the source says this, and nothing else. False: there is no room for it, and it says nothing."""
        entities = tuple(entities)
        before = self._told.get(source, ())
        if entities == before:
            return True
        fits = self._entities - len(before) + len(entities) <= MOST_ENTITIES
        self._take_back(source, before)
        if fits and entities:
            self._put(source, entities)
        return fits

    def take_changed(self) -> set[bytes]:
        """Topics of which something else is declared since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def of(self, topic: bytes) -> TopicDeclared | None:
        """None where nothing is declared."""
        places, watches = self._topics.get(topic, {}), self._watches.get(topic, {})
        if not places and not watches:
            return None
        figures: dict[tuple[object, ...], DeclaredFigure] = {}
        words: dict[Words, None] = {}
        watched_by: dict[str, None] = {}
        owners: list[Entity | _Watch] = []
        for place, one in places.items():
            for figure in one.figures:
                if figure.topic == topic:
                    key = one.agent, figure.extract or figure.metric  # the same value may be declared twice
                    figures.setdefault(key, self._named(figure, one.agent, place))
            if topic in one.quiet or any(figure.topic == topic for figure in one.figures):
                owners.append(one)
        for watch in watches:
            words.update((word, None) for word in watch.rule.topics if word.topic == topic)
            watched_by[watch.agent] = None
        if not owners and len(watched_by) == 1:
            owners = [*watches]
        agent, source = (owners[0].agent, owners[0].source) if owners else ("", "")
        own = tuple(figure for key, figure in figures.items() if key[0] == agent)
        return TopicDeclared(agent, source, own, tuple(words), tuple(watched_by))

    def _named(self, figure: DeclaredFigure, agent: str, place: _Place) -> DeclaredFigure:
        first = self._metrics.get((agent, figure.metric), place) == place
        return figure if first else figure._replace(metric=figure.other_metric)

    def note(self, topic: bytes, *, available: bool) -> None:
        """The last word on a topic."""
        self._count += 1
        self._words[topic] = available, self._count

    def is_there(self, agent: str) -> bool | None:
        """As all its topics together say: one of its entities that is available will do. None: they say nothing."""
        told = [self._holds(rule) for rule in self._rules.get(agent, ())]
        return True if True in told else False if False in told else None

    def _holds(self, rule: Availability) -> bool | None:
        known = [self._words[one.topic] for one in rule.topics if one.topic in self._words]
        if not known:
            return None
        if rule.mode == "any":
            return any(available for available, _ in known)
        if rule.mode == "latest":
            return max(known, key=lambda one: one[1])[0]
        return all(available for available, _ in known)

    def _put(self, source: bytes, entities: tuple[Entity, ...]) -> None:
        self._told[source] = entities
        self._entities += len(entities)
        for number, one in enumerate(entities):
            place = source, number
            for topic in one.topics():
                places = self._topics.setdefault(topic, {})
                if len(places) < MOST_OF_TOPIC:
                    places[place] = one
                    self._changed.add(topic)
            for figure in one.figures:
                self._metrics.setdefault((one.agent, figure.metric), place)
        self._watch(_watches(source, entities))

    def _watch(self, told: Iterable[_Watch]) -> None:
        for watch in told:
            for word in watch.rule.topics:
                watches = self._watches.setdefault(word.topic, {})
                if len(watches) < MOST_OF_TOPIC:
                    watches[watch] = None
                    self._changed.add(word.topic)
            rules = self._rules.setdefault(watch.agent, {})
            if watch.rule in rules or len(rules) < MOST_RULES:
                rules[watch.rule] = rules.get(watch.rule, 0) + 1

    def _take_back(self, source: bytes, entities: tuple[Entity, ...]) -> None:
        self._told.pop(source, None)
        self._entities -= len(entities)
        for number, one in enumerate(entities):
            place = source, number
            for topic in one.topics():
                places = self._topics.get(topic, {})
                if places.pop(place, None) is not None:
                    self._changed.add(topic)
                if not places:
                    self._topics.pop(topic, None)
                    self._forget_words(topic)
            for figure in one.figures:
                if self._metrics.get((one.agent, figure.metric)) == place:
                    del self._metrics[one.agent, figure.metric]
        self._unwatch(_watches(source, entities))

    def _unwatch(self, told: Iterable[_Watch]) -> None:
        for watch in told:
            for word in watch.rule.topics:
                watches = self._watches.get(word.topic, {})
                if watch in watches:
                    del watches[watch]
                    self._changed.add(word.topic)
                if not watches:
                    self._watches.pop(word.topic, None)
                    self._forget_words(word.topic)
            rules = self._rules.get(watch.agent, {})
            if watch.rule in rules:
                rules[watch.rule] -= 1
                if not rules[watch.rule]:
                    del rules[watch.rule]
                if not rules:
                    del self._rules[watch.agent]

    def _forget_words(self, topic: bytes) -> None:
        if topic not in self._topics and topic not in self._watches:
            self._words.pop(topic, None)


def _watches(message: bytes, entities: tuple[Entity, ...]) -> dict[_Watch, None]:
    """Different ones. Most entities of a message share what stands there once, so they are told apart by that first."""
    shared = {(id(one.availability), one.agent): one for one in entities}
    return {
        _Watch(message, one.agent, one.source, one.availability): None
        for one in shared.values()
        if one.availability is not None
    }
