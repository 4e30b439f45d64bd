"""Topics of which something was declared beforehand: figures under their declared names and units, and availability."""

import math
from array import array
from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.records import Declaration, PresenceEvidence
from mqtt.reading.declared_topics import DeclaredFigure, TopicDeclared, Words
from mqtt.reading.decode import read_json, read_text, strip
from mqtt.reading.generic_numbers import DEEPEST, flatten, number_of, time_in
from mqtt.reading.generic_reading import NO_VALUE
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Figure, Plan, Sink, Unread
from mqtt.reading.value_templates import as_number, find

_RANK = 2
_MOST_WORDS, _LONGEST_WORD = 16, 256
_Word = tuple[Presence, Condition]
_GONE = (Presence.OFFLINE, Presence.STOPPED)


class DeclaredRecogniser:
    """Claims what `Sink.declared` knows to be one agent's. A topic that tells the availability of several belongs to whoever
    stands between them and us."""

    uses_declarations = False  # of each topic it is told when something else is declared

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        declared = sink.declared.of(message.topic)
        if declared is None:
            return None
        if declared.agent:
            return DeclaredPlan(topic, declared, sink)
        return None if declared.words else OtherPlan(topic)


class DeclaredPlan:
    """One topic of an agent. Where nothing is declared to stand in its messages they are a sign of life all the same."""

    __slots__ = ("_availability", "_figures", "_introduced", "_series", "_source", "agent", "kind", "topic")

    def __init__(self, topic: int, declared: TopicDeclared, sink: Sink) -> None:
        self.topic = topic
        self.agent = sink.agent(declared.agent)
        self.kind = Kind.METRICS if declared.figures else Kind.STATUS if declared.words else Kind.OTHER
        self._availability = AvailabilityTopic(declared) if declared.words else None
        self._figures, self._source = declared.figures, declared.source
        self._introduced = False
        self._series: list[Figure | None] = [None] * len(declared.figures)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if not self._introduced:
            self._introduce(row, sink)
        told = self._availability is not None and self._availability.tell(row, message, sink, self.agent)
        payload = strip(message.payload) if self._figures and message.origin is not Origin.REPLAY else b""
        if payload:
            try:
                self._read_figures(row, message.received_us, payload, sink)
            except Unread:
                if not told:
                    raise

    def _introduce(self, row: int, sink: Sink) -> None:
        self._introduced = True
        name = sink.names.agents[self.agent]
        if not sink.declarations.has(name):
            declare(row, Declaration(row, self.agent, self._source), name, sink)

    def _read_figures(self, row: int, time_us: int, payload: bytes, sink: Sink) -> None:
        series, values = array("I"), []
        reason, refused = "", False
        body = _body(payload, self._figures)
        for place, figure in enumerate(self._figures):
            value = _value(body, figure)
            if value is None:
                reason = reason or _why_not(body, figure)
                continue
            id_, scale = self._series[place] or self._new_series(place, figure, sink)
            if scale is not None:
                value = number_of(scale.of(value))
            if id_ and value is not None:
                series.append(id_)
                values.append(value)
            refused = refused or not id_
        if series:
            own_us = time_in(body, time_us)[1] if type(body) is dict else time_us
            sink.batch.add_samples(row, own_us, series, values)
        elif reason:
            raise Unread(reason)
        if refused:
            sink.unread(row, "too-many-series")

    def _new_series(self, place: int, figure: DeclaredFigure, sink: Sink) -> Figure:
        made = sink.figure(self.agent, figure.metric, figure.unit, figure.kind, self._source)
        self._series[place] = made
        return made


class WatchedPlan:
    """A topic that is read as another convention has it, and that tells the availability of other agents besides."""

    __slots__ = ("_availability", "_inner", "agent", "kind", "topic")

    def __init__(self, inner: Plan, declared: TopicDeclared) -> None:
        self._inner, self._availability = inner, AvailabilityTopic(declared)
        self.topic, self.agent, self.kind = inner.topic, inner.agent, inner.kind

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        self._availability.tell(row, message, sink, self.agent, but_owner=True)
        try:
            self._inner.read(row, message, sink)
        finally:
            self.agent = self._inner.agent  # some get to know it with the first message


def watched(plan: Plan, topic: bytes, sink: Sink) -> Plan:
    """The plan, and whatever else the topic was declared to tell."""
    if isinstance(plan, DeclaredPlan):
        return plan
    declared = sink.declared.of(topic)
    return plan if declared is None or not declared.words else WatchedPlan(plan, declared)


def declare(row: int, declaration: Declaration, name: str, sink: Sink) -> None:
    """Tell what an agent says of itself, where it is news."""
    if sink.declarations.is_news(declaration, name):
        sink.batch.declarations.append(declaration._replace(row=row))


class AvailabilityTopic:
    """A topic on which the availability of agents is told."""

    __slots__ = ("_known", "_watched_by", "_words")

    def __init__(self, declared: TopicDeclared) -> None:
        self._words, self._watched_by = declared.words, declared.watched_by
        self._known: dict[bytes, _Word | None] = {}  # what payloads say: there are few

    def tell(self, row: int, message: RawMessage, sink: Sink, owner: int, *, but_owner: bool = False) -> bool:
        """What the message means for the agents that it concerns. Others than the topic's owner it takes along where that one
        goes; that it is there does not mean that they are, and whoever was never heard of is not made by it. `but_owner`: that one speaks for itself. False: it is no such word."""
        payload = message.payload
        found = self._known[payload] if payload in self._known else self._read(payload)
        if found is None:
            return False
        presence, condition = found
        gone, replayed = presence in _GONE, message.origin is Origin.REPLAY
        sink.declared.note(message.topic, available=not gone)
        for name in self._watched_by:
            there, agent = sink.declared.is_there(name), sink.names.known_agent(name)
            if not agent or there is None or (but_owner if agent == owner else there) or (there and (gone or replayed)):
                continue
            if there:
                told = PresenceEvidence(row, agent, presence, condition, Cause.STATUS, _RANK)
            else:
                cause = Cause.REPLAYED if replayed else Cause.GOODBYE if presence is Presence.STOPPED else Cause.WILL
                told = PresenceEvidence(row, agent, presence if gone else Presence.OFFLINE, Condition.OK, cause, _RANK)
            sink.batch.evidence.append(told)
        return True

    def _read(self, payload: bytes) -> _Word | None:
        found = next(filter(None, (_word(payload, words) for words in self._words)), None)
        if len(self._known) < _MOST_WORDS and len(payload) <= _LONGEST_WORD:
            self._known[payload] = found
        return found


def _word(payload: bytes, words: Words) -> _Word | None:
    """What the payload says by the declared words, else by those that everybody uses."""
    try:
        text = _text_of(payload, words)
    except Unread:
        return None
    if text is None:
        return None
    told = read_status_word(text, switches=True)
    if text == words.available:
        return told if told is not None and told[0] not in _GONE else (Presence.ONLINE, Condition.OK)
    if text == words.unavailable:
        return told if told is not None and told[0] in _GONE else (Presence.OFFLINE, Condition.OK)
    return told if text else (Presence.OFFLINE, Condition.OK)  # cleared


def _text_of(payload: bytes, words: Words) -> str | None:
    payload = strip(payload)
    if payload[:1] != b"{":
        return read_text(payload)
    body = read_json(payload)
    path = words.extract.path if words.extract is not None and words.extract.json else ("state",)
    found = find(body, path)
    if found is True or found is False:
        return "true" if found else "false"
    return found if isinstance(found, str) else None


def _body(payload: bytes, figures: tuple[DeclaredFigure, ...]) -> Any:
    """The payload as the figures need it: decoded, or as it is where it is a bare value. Raises `Unread`."""
    bare = payload[:1] != b"{" and all(one.extract is not None and not one.extract.json for one in figures)
    return payload if bare else read_json(payload)


def _value(body: Any, figure: DeclaredFigure) -> float | None:
    """What stands where the declaration says, by its template; None where there is no number."""
    extract = figure.extract
    if extract is None or not extract.json:
        value = _bare_number(body) if type(body) is bytes else _only_number(body)
    elif len(extract.path) == 1 and type(body) is dict:
        value = as_number(body.get(extract.path[0]))
    else:
        value = as_number(find(body, extract.path))
    if value is not None and extract is not None and (extract.times != 1 or extract.by != 1):
        return number_of(value * extract.times / extract.by)
    return value


def _bare_number(payload: bytes) -> float | None:
    try:
        value = float(payload)
    except ValueError:
        try:
            return as_number(read_text(payload))
        except Unread:
            return None
    return value if math.isfinite(value) and b"_" not in payload else None


def _only_number(body: Any) -> float | None:
    """Of an object that holds no other."""
    if not isinstance(body, dict):
        return as_number(body)
    names: list[str] = []
    values: list[float] = []
    flatten(body, "", names, values, DEEPEST)
    return values[0] if len(values) == 1 else None


def _why_not(body: Any, figure: DeclaredFigure) -> str:
    """Why there is no number where one was declared. Empty: it is missing, or may be a text, which is no failure."""
    if type(body) is bytes:
        return "text" if figure.unit and read_text(body).casefold() not in NO_VALUE else ""
    read = figure.extract is not None and (figure.extract.json or not figure.unit)
    return "" if read else "template"
