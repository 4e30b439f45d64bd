"""Topics of which something was declared beforehand: figures under their declared names and units, and availability."""

import math
from array import array
from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.records import Declaration, PresenceEvidence
from mqtt.reading.declared_topics import DeclaredFigure, TopicDeclared, Words
from mqtt.reading.decode import read_json, read_text, strip
from mqtt.reading.generic_numbers import DEEPEST, flatten, number_of
from mqtt.reading.generic_reading import NO_VALUE, time_in
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Figure, Plan, Sink, Unread
from mqtt.reading.units import Scale
from mqtt.reading.value_templates import MISSING, Extract, as_number, find

_RANK = 2
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

    __slots__ = ("_declared", "_figures", "_introduced", "_series", "agent", "kind", "topic")

    def __init__(self, topic: int, declared: TopicDeclared, sink: Sink) -> None:
        self.topic = topic
        self.agent = sink.agent(declared.agent)
        self.kind = Kind.METRICS if declared.figures else Kind.STATUS if declared.words else Kind.OTHER
        self._declared = declared
        self._figures = declared.figures
        self._introduced = False
        self._series: list[Figure | None] = [None] * len(declared.figures)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if not self._introduced:
            self._introduced = True
            name = sink.names.agents[self.agent]
            if not sink.declarations.has(name):
                declare(row, Declaration(row, self.agent, self._declared.source), name, sink)
        told = bool(self._declared.words) and tell_availability(row, message, self._declared, sink, self.agent)
        payload = strip(message.payload) if self._figures and message.origin is not Origin.REPLAY else b""
        if payload:
            try:
                self._read_figures(row, message, payload, sink)
            except Unread:
                if not told:
                    raise

    def _read_figures(self, row: int, message: RawMessage, payload: bytes, sink: Sink) -> None:
        series, values = array("I"), []
        body: Any = MISSING
        reason, refused = "", False
        for place, figure in enumerate(self._figures):
            extract = figure.extract
            if extract is not None and not extract.json and payload[:1] != b"{":
                value = _number_in(payload)
                if value is None and figure.unit and not reason:
                    reason = _why_not(payload)
            else:
                if body is MISSING:
                    body = read_json(payload)
                if extract is None or not extract.json:
                    value = _only_number(body)
                    if value is None and (extract is None or figure.unit):
                        reason = reason or "template"
                else:
                    value = as_number(find(body, extract.path))
            if value is None:
                continue
            id_, scale = self._series[place] or self._new_series(place, figure, sink)
            value = _scaled(value, extract, scale)
            if value is None or not id_:
                refused = refused or not id_
                continue
            series.append(id_)
            values.append(value)
        if series:
            own_us = time_in(body, message.received_us)[1] if isinstance(body, dict) else message.received_us
            sink.batch.add_samples(row, own_us, series, values)
        elif reason:
            raise Unread(reason)
        if refused:
            sink.unread(row, "too-many-series")

    def _new_series(self, place: int, figure: DeclaredFigure, sink: Sink) -> Figure:
        made = sink.figure(self.agent, figure.metric, figure.unit, figure.kind, self._declared.source)
        self._series[place] = made
        return made


class WatchedPlan:
    """A topic that is read as another convention has it, and that tells the availability of other agents besides."""

    __slots__ = ("_declared", "_inner", "agent", "kind", "topic")

    def __init__(self, inner: Plan, declared: TopicDeclared) -> None:
        self._inner, self._declared = inner, declared
        self.topic, self.agent, self.kind = inner.topic, inner.agent, inner.kind

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        tell_availability(row, message, self._declared, sink, self.agent, but_owner=True)
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


def tell_availability(row: int, message: RawMessage, declared: TopicDeclared, sink: Sink, owner: int, *, but_owner: bool = False) -> bool:  # fmt: skip
    """What the message means for the agents that it concerns. Others than the topic's owner it takes along where that one goes;
    that it is there does not mean that they are. `but_owner`: that one speaks for itself. False: it is no such word."""
    found = next(filter(None, (_word(message.payload, words) for words in declared.words)), None)
    if found is None:
        return False
    presence, condition = found
    gone = presence in _GONE
    sink.declared.note(message.topic, available=not gone)
    replayed = message.origin is Origin.REPLAY
    for name in declared.watched_by:
        there, agent = sink.declared.is_there(name), sink.agent(name)
        if there is None or (but_owner if agent == owner else there) or (there and (gone or replayed)):
            continue
        if there:
            told = PresenceEvidence(row, agent, presence, condition, Cause.STATUS, _RANK)
        else:
            cause = Cause.REPLAYED if replayed else Cause.GOODBYE if presence is Presence.STOPPED else Cause.WILL
            told = PresenceEvidence(row, agent, presence if gone else Presence.OFFLINE, Condition.OK, cause, _RANK)
        sink.batch.evidence.append(told)
    return True


def _word(payload: bytes, words: Words) -> tuple[Presence, Condition] | None:
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


def _number_in(payload: bytes) -> float | None:
    try:
        value = float(payload)
    except ValueError:
        try:
            return as_number(read_text(payload))
        except Unread:
            return None
    return value if math.isfinite(value) and b"_" not in payload else None


def _why_not(payload: bytes) -> str:
    """Empty where it is a reading that is missing, which is no failure."""
    text = read_text(payload)
    return "" if text.casefold() in NO_VALUE else "text"


def _only_number(body: Any) -> float | None:
    """Of an object that holds no other."""
    if not isinstance(body, dict):
        return as_number(body)
    names: list[str] = []
    values: list[float] = []
    flatten(body, "", names, values, DEEPEST)
    return values[0] if len(values) == 1 else None


def _scaled(value: float, extract: Extract | None, scale: Scale | None) -> float | None:
    """In the unit that its series is kept in; None where that is beyond any figure."""
    if extract is not None:
        value = value * extract.times / extract.by
    return number_of(value if scale is None else scale.of(value))
