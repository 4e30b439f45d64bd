"""CloudEvents: the envelope is taken off, and what is inside is read like any other payload of the agent in `source`.

Structured events are JSON with `specversion`; binary ones have the same names as MQTT 5 user properties.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from models.domain.messages import Kind, Properties, RawMessage
from models.domain.records import Declaration
from mqtt.reading.decode import read_object
from mqtt.reading.generic_topics import names_agent
from mqtt.reading.plan import Plan, Recogniser, Sink, Unread

SOURCE = "cloudevents"
_CONTENT_TYPE = "application/cloudevents"
_MUST_HAVE = ("specversion", "type", "source", "id")
_OWN_TIMES = ("ts", "time", "timestamp", "@timestamp", "t")
_encode = msgspec.json.encode


class CloudEventsRecogniser:
    """Takes a topic whose first message is an event. `inner` are asked for what is inside, in this order."""

    uses_declarations = True  # those inside do

    def __init__(self, inner: Sequence[Recogniser]) -> None:
        self._inner = inner

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        if not _is_event(message):
            return None
        return CloudEventsPlan(topic, levels, self._inner)


class CloudEventsPlan:
    """One topic; each event names its source anew."""

    def __init__(self, topic: int, levels: list[str], inner: Sequence[Recogniser]) -> None:
        self.topic, self.agent, self.kind = topic, 0, Kind.OTHER
        self._levels, self._recognisers = levels, inner
        self._plan: Plan | None = None

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        event, content = _opened(message)
        name = _agent_name(event)
        inside = message._replace(payload=content, properties=Properties(user=(("agent", name),)))
        plan = self._plan
        if plan is None:
            for one in self._recognisers:
                plan = self._plan = one.claim(self.topic, self._levels, inside, sink)
                if plan is not None:
                    break
            else:
                raise Unread("shape")
            sink.batch.kind[row] = plan.kind
        plan.read(row, inside, sink)
        agent = sink.names.known_agent(name)
        if not agent or agent != sink.batch.agent[row]:
            return  # nothing in it was the agent's
        declaration = Declaration(row, agent, SOURCE)
        if sink.declarations.is_news(declaration, name):
            sink.batch.declarations.append(declaration)


def _is_event(message: RawMessage) -> bool:
    properties = message.properties
    if properties is not None:
        if (properties.content_type or "").startswith(_CONTENT_TYPE):
            return True
        if {*_MUST_HAVE} <= {key for key, _ in properties.user}:
            return True
    if b'"specversion"' not in message.payload:
        return False
    try:
        body = read_object(message.payload)
    except Unread:
        return False
    return all(isinstance(body.get(key), str) for key in _MUST_HAVE)


def _opened(message: RawMessage) -> tuple[dict[str, Any], bytes]:
    """The event's attributes, and what is inside. Raises `Unread`."""
    properties = message.properties
    if properties is not None and not (properties.content_type or "").startswith(_CONTENT_TYPE):
        told = dict(properties.user)
        if "specversion" in told:
            return told, message.payload
    event = read_object(message.payload)
    if not isinstance(event.get("source"), str):
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


def _agent_name(event: dict[str, Any]) -> str:
    """The last part of the source's path: `/fleet/crawler-1`, `urn:agents:crawler-1`, `//host/agents/crawler-1`."""
    source = str(event["source"]) if "source" in event else ""
    name = source.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    if not names_agent(name):
        raise Unread("shape")
    return name
