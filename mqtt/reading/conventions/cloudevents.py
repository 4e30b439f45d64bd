"""CloudEvents: the envelope is taken off, and what is inside is read like any other payload of the agent in `source`.

Structured events are JSON with `specversion`, alone or many in a list; binary ones have the same names as MQTT 5 user
properties. An event is a sign of its source's life, whatever is inside.
"""

import base64
import binascii
from typing import Any

import msgspec

from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.records import Declaration
from mqtt.reading.conventions.otlp import is_export
from mqtt.reading.decode import read_json, read_object, strip
from mqtt.reading.generic_topics import is_role, names_agent
from mqtt.reading.plan import Plan, Recogniser, Sink, Unread

SOURCE = "cloudevents"
_CONTENT_TYPE = "application/cloudevents"
_MUST_HAVE = ("specversion", "type", "source", "id")
_PREFIXES = ("ce-", "ce_", "cloudEvents:", "cloudEvents_")
_OWN_TIMES = ("ts", "time", "timestamp", "@timestamp", "t")
_NO_FIGURES = ("empty", "text", "binary")
"""Why what is inside is not read, which is no failure: it may be a text or a picture."""
MOST_EVENTS = 1_000
"""Of a batch."""
_encode = msgspec.json.encode


class CloudEventsRecogniser:
    """Takes a topic whose first message is an event, or a batch of them. What is inside goes to `otlp`, or to `generic`."""

    uses_declarations = True  # those inside do

    def __init__(self, otlp: Recogniser, generic: Recogniser) -> None:
        self._otlp, self._generic = otlp, generic

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        return CloudEventsPlan(topic, levels, self._otlp, self._generic) if _is_event(message) else None


class CloudEventsPlan:
    """One topic; each event names its source anew, and may hold anything."""

    def __init__(self, topic: int, levels: list[str], otlp: Recogniser, generic: Recogniser) -> None:
        self.topic, self.agent, self.kind = topic, 0, Kind.OTHER
        self._levels, self._recognisers = levels, (otlp, generic)
        self._plans: list[Plan | None] = [None, None]

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if strip(message.payload)[:1] != b"[":
            self._read_event(row, message, *_opened(message), sink)
            return
        events = read_json(message.payload)
        if not isinstance(events, list) or not events:
            raise Unread("shape")
        found = set()
        for event in events[:MOST_EVENTS]:
            try:
                self._read_event(row, message, *_unwrapped(event), sink)
                found.add(sink.batch.agent[row])
            except Unread as failure:
                sink.unread(row, failure.reason)
        sink.heard(row, found - {0})

    def _read_event(self, row: int, message: RawMessage, event: dict[str, Any], content: bytes, sink: Sink) -> None:
        name = _agent_name(event)
        sink.batch.agent[row] = 0
        inside = message._replace(payload=content, properties=Properties(user=(("agent", name),)))
        try:
            self._read_inside(row, inside, sink)
        except Unread as failure:
            if failure.reason not in _NO_FIGURES:
                raise
        if message.origin is Origin.REPLAY or sink.batch.agent[row] not in (0, sink.names.known_agent(name)):
            return  # what is in it is somebody else's
        agent = sink.batch.agent[row] = sink.agent(name)
        declaration = Declaration(row, agent, SOURCE)
        if sink.declarations.is_news(declaration, name):
            sink.batch.declarations.append(declaration)

    def _read_inside(self, row: int, inside: RawMessage, sink: Sink) -> None:
        place = 0 if is_export(inside.payload) else 1
        plan = self._plans[place]
        if plan is None:
            plan = self._plans[place] = self._recognisers[place].claim(self.topic, self._levels, inside, sink)
        if plan is None:
            raise Unread("shape")
        sink.batch.kind[row] = plan.kind
        plan.read(row, inside, sink)


def _is_event(message: RawMessage) -> bool:
    properties = message.properties
    if properties is not None:
        if (properties.content_type or "").startswith(_CONTENT_TYPE):
            return True
        if {*_MUST_HAVE} <= _told(properties).keys():
            return True
    if b'"specversion"' not in message.payload:
        return False
    try:
        told = read_json(message.payload)
    except Unread:
        return False
    event = told[0] if isinstance(told, list) and told else told
    return isinstance(event, dict) and all(isinstance(event.get(key), str) for key in _MUST_HAVE)


def _opened(message: RawMessage) -> tuple[dict[str, Any], bytes]:
    """The event's attributes, and what is inside. Raises `Unread`."""
    properties = message.properties
    if properties is not None and not (properties.content_type or "").startswith(_CONTENT_TYPE):
        told = _told(properties)
        if "specversion" in told:
            return told, message.payload
    return _unwrapped(read_object(message.payload))


def _unwrapped(event: object) -> tuple[dict[str, Any], bytes]:
    """A structured event, and what is inside."""
    if not isinstance(event, dict) or not isinstance(event.get("source"), str):
        raise Unread("shape")
    packed = event.get("data_base64")
    if isinstance(packed, str):
        try:
            return event, base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError):
            raise Unread("shape") from None
    data = event.get("data")
    if isinstance(data, dict) and isinstance(event.get("time"), str) and not any(key in data for key in _OWN_TIMES):
        data = {**data, "time": event["time"]}
    return event, data.encode() if isinstance(data, str) else b"" if data is None else _encode(data)


def _told(properties: Properties) -> dict[str, Any]:
    """The user properties; whoever took them over from HTTP or AMQP left a prefix before them."""
    told = {}
    for key, value in properties.user:
        prefix = next((one for one in _PREFIXES if key.startswith(one)), "")
        told[key.removeprefix(prefix)] = value
    return told


def _agent_name(event: dict[str, Any]) -> str:
    """The last part of the source's path that is no mere word for what comes from there: `/fleet/crawler-1`,
    `urn:agents:crawler-1`, `//host/agents/crawler-1/events`."""
    source = str(event["source"]) if "source" in event else ""
    parts = [part for part in source.replace(":", "/").split("/") if part]
    kept = [part for part in parts if not is_role(part)] or parts
    if not kept or not names_agent(kept[-1]):
        raise Unread("shape")
    return kept[-1]
