"""Objects that hold one figure, and figures that are written as text.

`{"value": 21.5}` speaks of its topic as a bare 21.5 does; `{"metric": "cpu", "value": 5, "unit": "%"}` says itself what it is.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from mqtt.reading.generic_numbers import DEEPEST, TIME_KEYS
from mqtt.reading.generic_topics import (
    AGENT_KEYS,
    LONGEST_AGENT,
    Place,
    agent_in,
    is_name,
    is_numbered,
    names_agent,
    names_measure,
)
from mqtt.reading.home_made_tasks import TASK_KEYS
from mqtt.reading.log_shapes import TELL_TALE
from mqtt.reading.units import LONGEST_UNIT, known_unit, unit_of

VALUE_KEYS = frozenset(("value", "val", "Value"))
_METRIC_KEYS = ("metric", "metric_name", "metricName", "measurement", "quantity", "sensor", "field", "key", "variable")
_UNIT_KEYS = ("unit", "units", "unit_of_measurement", "uom")
DESCRIBING = frozenset((*_METRIC_KEYS, *_UNIT_KEYS, "name"))
"""Keys of an object with one figure that say what it is."""

_UNITS = frozenset(_UNIT_KEYS)
_NAMES_OF_ITEM = frozenset((*_METRIC_KEYS, "name", "id"))
_OF_ITEM = frozenset((*VALUE_KEYS, *DESCRIBING, *TIME_KEYS, "id", "type", "quality"))
_WRITTEN = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?").fullmatch
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_MEASURED = frozenset(
    "cpu mem hum batt bat memory ram swap disk load usage used free available utilization percent temp temperature humidity pressure voltage"
    " current power energy battery rssi snr signal linkquality latency duration delay elapsed uptime runtime queue queued depth"
    " count total rate speed throughput fps rps requests responses errors failures retries tokens cost price score value"
    " progress lat latitude lon lng longitude altitude distance weight height volume flow frequency illuminance lux co2 co pm"
    " noise".split()
)
_NAMING = frozenset("id version type name code model unit label key status state mode".split())
"""As the last word of a key."""


_LISTS = frozenset("metrics values readings measurements sensors data fields stats points".split())
_SHARED = (
    *TIME_KEYS,
    *AGENT_KEYS,
    "node",
    "device",
    "client",
    "clientId",
    "client_id",
    "host",
    "hostname",
    "service",
    "source",
)
_TOGETHER = ("logs", "records", "entries", "events")
_FLEETS = ("agents", "devices", "robots", "nodes", "workers", "hosts", "machines", "bots")
_IDS_IN_FLEET = (*AGENT_KEYS, "device_id", "deviceId", "robot_id", "node_id", "worker_id", "id", "name", "hostname")
_WRAPPING = ("data", "payload", "body")
_NESTED = frozenset((dict, list))
_CALL = frozenset(("id", "jsonrpc"))
_OF_MOMENT = frozenset(("ts", "values"))
_NO_FIGURES = TELL_TALE | TASK_KEYS


def gathered(bodies: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The objects, and behind each as objects of their own the figures in it that say themselves what they are: items of
    `{"metrics": [{"name": "cpu", "value": 5}]}`, and `{"cpu": {"value": 5, "unit": "%"}}`."""
    for body in bodies:
        if _NESTED.isdisjoint(map(type, body.values())):
            yield body  # as most are
            continue
        if (devices := _of_devices(body)) is not None:
            yield from devices
            continue
        params = body.get("params")
        if type(params) is dict and isinstance(body.get("method"), str) and _CALL.isdisjoint(body):
            yield {
                **{key: body[key] for key in _SHARED if key in body},
                **params,
            }  # a notification is what it notifies of
            continue
        if (records := _records(body)) is not None:
            yield from records
            continue
        if (fleet := _of_fleet(body)) is not None:
            yield from fleet
            continue
        if (inner := _wrapped(body)) is not None:
            yield inner
            continue
        items = [*_items(body)] if _NO_FIGURES.isdisjoint(body) else []
        if not items:
            yield body
            continue
        keys = {key for key, _ in items}
        yield {key: value for key, value in body.items() if key not in keys}
        shared = {key: body[key] for key in _SHARED if key in body}
        for _, item in items:
            yield {**shared, **item}


def _records(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Log records that were sent together: `{"service": "api", "logs": [{"level": …}, …]}`."""
    for key in _TOGETHER:
        said = body.get(key)
        if type(said) is list and said and all(type(one) is dict and not TELL_TALE.isdisjoint(one) for one in said):
            around = {one: value for one, value in body.items() if one != key and type(value) is str}
            return [{**around, **one} for one in said]
    return None


def _of_fleet(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """What one message tells of several agents: `{"agents": [{"id": "a", "cpu": 5}, …]}`."""
    for key in _FLEETS:
        said = body.get(key)
        if type(said) is not list or not said or not all(type(one) is dict for one in said):
            continue
        found = []
        for one in said:
            id_key, name = agent_in(one, _IDS_IN_FLEET)
            if name is None:
                return None
            found.append({**{inner: value for inner, value in one.items() if inner != id_key}, "agent": name})
        shared = {inner: body[inner] for inner in TIME_KEYS if inner in body}
        return [{**shared, **one} for one in found]
    return None


def _wrapped(body: dict[str, Any]) -> dict[str, Any] | None:
    """`{"type": "reading", "data": {"value": 5, "ts": …}}`: the value with what stands around it."""
    for key in _WRAPPING:
        inner = body.get(key)
        if type(inner) is dict and len(VALUE_KEYS.intersection(inner)) == 1 and all(one in _OF_ITEM for one in inner):
            around = {one: said for one, said in body.items() if one != key and one not in inner}
            return None if any(type(said) in (int, float, dict) for said in around.values()) else {**around, **inner}
    return None


def _of_devices(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """What a gateway tells of several devices at once: `{"pump": [{"ts": …, "values": {…}}], …}`."""
    found = []
    for name, moments in body.items():
        if type(moments) is not list or not moments or not names_agent(name):
            return None
        for one in moments:
            if type(one) is not dict or type(one.get("values")) is not dict or not one.keys() <= _OF_MOMENT:
                return None
            found.append({**one["values"], "ts": one.get("ts"), "agent": name})
    return found or None


def _items(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each with the key of the body that it stands under."""
    for key, value in body.items():
        if type(value) is list and key in _LISTS:
            found = [_item(one) for one in value]
            if all(found):
                yield from ((key, one) for one in found if one)
        elif type(value) is dict and not _UNITS.isdisjoint(value) and (item := _item({**value, "metric": key})):
            yield key, item


def _item(said: object) -> dict[str, Any] | None:
    """A figure with what it is; None where it is something else."""
    if not isinstance(said, dict) or not all(key in _OF_ITEM for key in said):
        return None
    metric = next((said[key] for key in (*_METRIC_KEYS, "name", "id") if _is_word(said.get(key))), None)
    if metric is None or len(VALUE_KEYS.intersection(said)) != 1:
        return None
    return {**{key: one for key, one in said.items() if key not in _NAMES_OF_ITEM}, "metric": metric}


class Single(NamedTuple):
    """`metric` "": the topic names it. `unit` "": none is told."""

    metric: str
    unit: str


def single(body: dict[str, Any]) -> Single:
    """What an object says of its only figure, which stands under one of `VALUE_KEYS`."""
    metric = next((body[key] for key in _METRIC_KEYS if _is_word(body.get(key))), "")
    name = body.get("name")
    if not metric and isinstance(name, str) and _is_word(name) and (names_measure(name) or not names_agent(name)):
        metric = name  # `cpu` is nobody
    unit = next((one for key in _UNIT_KEYS if isinstance(one := body.get(key), str)), "")
    if len(unit) > LONGEST_UNIT:
        unit = ""
    return Single(metric, known_unit(unit) or unit)


def _is_word(said: object) -> bool:
    return isinstance(said, str) and 0 < len(said) <= LONGEST_AGENT and said.isprintable() and not said.isspace()


def place_of_single(as_object: Place, bare: Place) -> Place:
    """Where the only figure of an object belongs: as a bare number, unless that costs an agent who is surely one."""
    if as_object.agent == bare.agent:
        return bare
    takes_away = is_numbered(as_object.agent) or not is_name(bare.agent.rpartition("/")[2])
    return as_object._replace(path=f"{as_object.path}.value" if as_object.path else "value") if takes_away else bare


def written(body: dict[str, Any], prefix: str, names: list[str], values: list[float], depth: int = DEEPEST) -> None:
    """As `flatten`, of the plain numbers that an object holds as text (`"21.5"`): only where the key speaks of something that
    is measured, as names and numbers of versions, zones and orders look the same."""
    for key, one in body.items():
        name = f"{prefix}.{key}" if prefix else key
        if type(one) is dict:
            if depth > 1:
                written(one, name, names, values, depth - 1)
        elif type(one) is str and _WRITTEN(one) and _is_measured(key):
            names.append(name)
            values.append(float(one))


def _is_measured(key: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(key)]
    if not words or words[-1] in _NAMING:
        return False
    return bool(unit_of(key)[0]) or not _MEASURED.isdisjoint(words)
