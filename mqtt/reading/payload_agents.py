"""Whose a home-made payload says it is: keys that name an agent, against what its topic tells."""

from typing import Any

from mqtt.reading.generic_topics import (
    AGENT_KEYS,
    Place,
    agent_in,
    agent_within,
    is_id,
    is_name,
    is_passing,
    names_measure,
)

_THINGS = ("device", "robot", "node", "worker", "bot", "machine", "thing", "vehicle")
_ID_KEYS = tuple(f"{one}{end}" for one in _THINGS for end in ("Id", "_id", "ID"))
STRONG_KEYS = (*AGENT_KEYS, *_ID_KEYS, "node", "device", "client", "clientId", "client_id")
WEAK_KEYS = ("robot", "worker", "bot", "sender", "publisher", "host", "hostname", "service", "source", "name", "id")
"""They count only where the topic is not sure."""
_STRONG, _WEAK = frozenset(STRONG_KEYS), frozenset((*_ID_KEYS, *WEAK_KEYS))
_HOSTS = ("hostname", "host")
_SERVICES = ("service", "service.name", "service_name", "serviceName", "application", "app")
_OF_PROCESS = frozenset(("pid", "hostname"))


def agent_told(body: dict[str, Any], place: Place) -> str | None:
    """The agent that an object names, None where it names none that counts."""
    if place.fixed:
        return None
    told = None if _STRONG.isdisjoint(body) else agent_in(body, STRONG_KEYS)[1] or agent_within(body, STRONG_KEYS)
    if told or place.sure:
        return told
    if _WEAK.isdisjoint(body):
        return None
    number = next((body[key] for key in _ID_KEYS if type(body.get(key)) is int), None)
    if number is not None:
        return str(number)
    key, told = agent_in(body, WEAK_KEYS)
    return None if key == "name" and told is not None and names_measure(told) else told


def agent_logging(body: dict[str, Any], place: Place) -> str | None:
    """As `agent_told`, of a log record. It runs on a host, and is none: that counts only where the topic names nobody."""
    if place.fixed:
        return None
    if not _STRONG.isdisjoint(body):
        told = agent_in(body)[1]
        if not told and not place.sure:  # else a client or a device is whom the record is about
            told = agent_in(body, STRONG_KEYS)[1] or agent_within(body, STRONG_KEYS)
        if told:
            return told
    if place.sure:
        return None
    return _program(body) or (None if is_name(place.agent) else agent_in(body, _HOSTS)[1])


def _program(body: dict[str, Any]) -> str | None:
    """The service that wrote a record, or the name that pino and bunyan give it beside its process; in Python's records a
    name is a logger's."""
    named = () if "levelname" in body or _OF_PROCESS.isdisjoint(body) else ("name",)
    for key in (*_SERVICES, *named):
        value = body.get(key)
        if isinstance(value, dict):
            value = value.get("name")
        if isinstance(value, str) and is_id(value) and not is_passing(value):
            return value  # `api` and `db` are services
    return None
