"""Homie 3 to 5: devices that describe themselves in attributes (`$name`, `$unit`) or in one `$description`, all retained.

A device is an agent, a property of type integer or float a series `node.property`. Values that come before their
description wait for it: QoS 0 overtakes.
"""

import re
from array import array
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from models.domain.crowd import MOST_SERIES_OF_AGENT
from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Declaration, PresenceEvidence
from mqtt.reading.contract_work import put_log
from mqtt.reading.decode import read_object, read_text, strip
from mqtt.reading.generic_numbers import read_number
from mqtt.reading.log_levels import LEVEL_WORDS
from mqtt.reading.log_lines import read_line
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Sink, Unread
from mqtt.reading.units import Scale, in_base

SOURCE = "homie"
MOST_DEVICES = 100_000
MOST_WAITING = 10
"""Values of a property that nobody describes; then it goes without a unit."""
_FIVE = "5"
_RANK = 2
_MOST_DEPTH = 16  # of devices below devices
_ELEMENT = re.compile(r"([^.]+)_\d+(\..+)")
_FIGURES = ("integer", "float")
_OF_PROPERTIES = ("$datatype", "$unit")
_DECLARING = frozenset(("$homie", "$description", *_OF_PROPERTIES))
_READ_ATTRIBUTES = frozenset(("$homie", "$name", "$fw/version", "$stats/interval"))
_STATES = {
    "init": (Presence.ONLINE, Condition.STARTING, Cause.STATUS),
    "ready": (Presence.ONLINE, Condition.OK, Cause.STATUS),
    "alert": (Presence.ONLINE, Condition.DEGRADED, Cause.STATUS),
    "sleeping": (Presence.ONLINE, Condition.ASLEEP, Cause.STATUS),
    "disconnected": (Presence.STOPPED, Condition.OK, Cause.GOODBYE),
    "lost": (Presence.OFFLINE, Condition.OK, Cause.WILL),
    "": (Presence.OFFLINE, Condition.OK, Cause.STATUS),  # removed
}


_GONE = ("lost", "disconnected")


class _Property(NamedTuple):
    """As far as it is described; `datatype` "" is not known yet."""

    datatype: str = ""
    unit: str = ""


class _Device:
    """What a device said of itself, shared by its topics."""

    def __init__(self, name: str) -> None:
        self.name = name  # the agent's
        self.properties: dict[str, _Property] = {}
        self.children: tuple[str, ...] = ()
        self.state = ""  # its last own word
        self.alerts: set[str] = set()
        self.waiting: dict[str, list[tuple[int, float]]] = {}  # moments and values of what nobody described yet

    def take_description(self, payload: bytes) -> dict[str, Any] | None:
        """All that it says of itself from now on; None: nothing. Raises `Unread`."""
        if not strip(payload):
            self.properties.clear()
            return None
        body = read_object(payload)
        self.properties = {}
        for node, one in _objects(body.get("nodes")):
            for name, prop in _objects(one.get("properties")):
                self.describe(f"{node}.{name}", datatype=_text(prop, "datatype"), unit=_text(prop, "unit"))
        children = body.get("children")
        if isinstance(children, list):
            self.children = tuple(one for one in children[:MOST_SERIES_OF_AGENT] if isinstance(one, str))
        return body

    def take_attribute(self, below: list[str], payload: bytes) -> None:
        """`<node>/<property>/$unit`. Raises `Unread`."""
        text = read_text(payload) if strip(payload) else ""
        attribute = below[2]
        self.describe(".".join(below[:2]), **{attribute[1:]: text.casefold() if attribute == "$datatype" else text})

    def property_of(self, path: str) -> _Property:
        """What is known of it; an element of an array of nodes (`phase_1.power`) is described as one of all (`phase.power`)."""
        found = self.properties.get(path)
        if found is None:
            element = _ELEMENT.fullmatch(path)
            found = self.properties.get(element[1] + element[2]) if element is not None else None
        return found or _Property()

    def describe(self, path: str, **said: str) -> None:
        if path in self.properties or len(self.properties) < 2 * MOST_SERIES_OF_AGENT:
            self.properties[path] = self.properties.get(path, _Property())._replace(**said)


class HomieRecogniser:
    """`<root>/<device>/…` below `homie`, and below any other root where a device says `$homie`; `<root>/5/<device>/…`."""

    uses_declarations = True

    def __init__(self) -> None:
        self._devices: dict[tuple[str, ...], _Device] = {}

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        home = self._home(levels, message)
        if home is None:
            return None
        device = self._device(home, sink)
        below = levels[len(home) :]
        if below[0] == "$state":
            return StatePlan(topic, device, self._devices, home[:-1], sink)
        if below[0] == "$description" and len(below) == 1:
            return DescriptionPlan(topic, device)
        if below[0] in ("$log", "$alert") and len(below) == 2:
            return LogPlan(topic, device, below[1]) if below[0] == "$log" else AlertPlan(topic, device, below[1])
        if any(level[:1] == "$" for level in below):
            return AttributePlan(topic, device, below)
        return ValuePlan(topic, device, ".".join(below)) if len(below) == 2 else OtherPlan(topic)

    def declares(self, levels: list[str]) -> bool:
        return levels[-1] in _DECLARING and len(levels) > 2

    def declare(self, message: RawMessage, levels: list[str], sink: Sink) -> None:
        home = self._home(levels, message)
        if home is None:
            return
        device, below = self._device(home, sink), levels[len(home) :]
        with suppress(Unread):  # said when it is its turn
            if below == ["$description"]:
                device.take_description(message.payload)
            elif len(below) == 3 and below[2] in _OF_PROPERTIES:
                device.take_attribute(below, message.payload)

    def _home(self, levels: list[str], message: RawMessage) -> tuple[str, ...] | None:
        """The levels that a device's topics begin with, where this is one of them."""
        depth = 3 if len(levels) > 3 and levels[1] == _FIVE else 2
        if len(levels) <= depth or not all(levels[:depth]) or any(level[:1] == "$" for level in levels[:depth]):
            return None
        home = tuple(levels[:depth])
        if home in self._devices:
            return home
        attribute = levels[depth]
        declares = attribute[:1] == "$" or any(level[:1] == "$" for level in levels[depth + 1 :])
        sure = attribute == "$homie" and message.payload[:1] in b"345" and len(levels) == depth + 1
        known_root = levels[0] == "homie" and declares
        fifth = depth == 3 and attribute in ("$state", "$description")
        return home if sure or known_root or fifth else None

    def _device(self, home: tuple[str, ...], sink: Sink) -> _Device:
        found = self._devices.get(home)
        if found is None:
            if len(self._devices) >= MOST_DEVICES:
                for old in list(islice(self._devices, MOST_DEVICES // 10)):
                    del self._devices[old]
            found = self._devices[home] = _Device(home[-1])
            sink.declarations.settle(home, home[-1])  # what came of it before is claimed anew
        return found


class _DevicePlan:
    """Of one topic; an agent is made with the first message that tells something."""

    kind = Kind.OTHER

    def __init__(self, topic: int, device: _Device) -> None:
        self.topic, self._device = topic, device
        self.agent = 0

    def _agent(self, row: int, sink: Sink) -> int:
        self.agent = sink.batch.agent[row] = sink.agent(self._device.name)
        return self.agent

    def _declare(self, row: int, sink: Sink, **said: Any) -> None:
        declaration = Declaration(row, self._agent(row, sink), SOURCE, **said)
        if sink.declarations.is_news(declaration, self._device.name):
            sink.batch.declarations.append(declaration)


class StatePlan(_DevicePlan):
    """`$state`. Devices below one that is gone are gone with it: they have no connection of their own."""

    kind = Kind.STATUS

    def __init__(
        self, topic: int, device: _Device, devices: dict[tuple[str, ...], _Device], root: tuple[str, ...], sink: Sink
    ) -> None:
        super().__init__(topic, device)
        self._devices, self._root = devices, root
        self.agent = sink.names.known_agent(device.name)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        word = read_text(message.payload).casefold()
        said = _STATES.get(word)
        if said is None:
            raise Unread("shape")
        self._agent(row, sink)
        before, self._device.state = self._device.state, word
        if not self._device.properties and word == "init":
            self._declare(row, sink)
        sink.say(row, self.agent, said[:2], said[2], _RANK)
        if word in _GONE or before in _GONE:
            self._tell_below(row, self._device, word if word in _GONE else "", sink)

    def _tell_below(self, row: int, top: _Device, word: str, sink: Sink) -> None:
        """That the devices below are gone as well; `word` empty: that they are as they last said themselves."""
        told, level = {top.name}, [top]
        for _ in range(_MOST_DEPTH):
            names = dict.fromkeys(name for one in level for name in one.children if name not in told)
            level = [one for name in names if (one := self._devices.get((*self._root, name))) is not None]
            told.update(names)
            for one in level:
                said, agent = _STATES.get(word or one.state), sink.names.known_agent(one.name)
                if agent and said is not None and one.state and one.state not in _GONE:
                    sink.say(row, agent, said[:2], said[2], _RANK)


class AttributePlan(_DevicePlan):
    """`$name`, `<node>/<property>/$unit` and their like."""

    def __init__(self, topic: int, device: _Device, below: list[str]) -> None:
        super().__init__(topic, device)
        self._what, self._below = "/".join(below), below

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        of_property = len(self._below) == 3
        if not (self._below[2] in _OF_PROPERTIES if of_property else self._what in _READ_ATTRIBUTES):
            return
        if of_property:
            sink.remember(row)
            self._device.take_attribute(self._below, message.payload)
            return
        text = read_text(message.payload) if strip(message.payload) else ""
        if self._what == "$homie":
            sink.remember(row)
            self._declare(row, sink)
        elif self._what == "$name" and text:
            self._declare(row, sink, name=text)
        elif self._what == "$fw/version" and text:
            self._declare(row, sink, version=text)
        elif self._what == "$stats/interval":
            found = read_number(text)
            if found is not None and 0 < found[0] <= 7 * 86_400:
                self._declare(row, sink, interval_us=round(found[0] * 1_000_000))


class DescriptionPlan(_DevicePlan):
    """All that a device of Homie 5 says of itself, in one JSON object."""

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        sink.remember(row)
        body = self._device.take_description(message.payload)
        if body is not None:
            self._declare(row, sink, name=_text(body, "name") or None)


class LogPlan(_DevicePlan):
    """`$log/<level>`."""

    kind = Kind.LOG

    def __init__(self, topic: int, device: _Device, level: str) -> None:
        super().__init__(topic, device)
        self._level = LEVEL_WORDS.get(level.casefold())

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        text = read_text(message.payload)
        record = read_line(text, message.received_us, certain=True) if text else None
        if record is None:
            raise Unread("empty")
        if self._level is not None:
            record = record._replace(level=self._level)
        put_log(sink, row, self._agent(row, sink), message, record)


class AlertPlan(_DevicePlan):
    """`$alert/<id>`: something wants attention until the topic is emptied."""

    kind = Kind.STATUS

    def __init__(self, topic: int, device: _Device, name: str) -> None:
        super().__init__(topic, device)
        self._name = name

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        alerts = self._device.alerts
        if strip(message.payload):
            if len(alerts) < MOST_SERIES_OF_AGENT:
                alerts.add(self._name)
        else:
            alerts.discard(self._name)
        if message.origin is not Origin.REPLAY:
            condition = Condition.DEGRADED if alerts else Condition.OK
            agent = self._agent(row, sink)
            sink.batch.evidence.append(PresenceEvidence(row, agent, Presence.ONLINE, condition, Cause.STATUS, 1))


class ValuePlan(_DevicePlan):
    """`<node>/<property>`: a plain text, of which only numbers make a series."""

    kind = Kind.METRICS

    def __init__(self, topic: int, device: _Device, path: str) -> None:
        super().__init__(topic, device)
        self._path = path
        self._series = array("I")
        self._unit = ""  # as it was described when the series began
        self._scale: Scale | None = None
        self._guessed = False  # nobody had described it when the series began

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        said = self._device.property_of(self._path)
        if self._guessed and (said.unit not in ("", self._unit) or said.datatype not in (*_FIGURES, "")):
            self._guessed = False
            sink.name_late(row)
        if said.datatype not in (*_FIGURES, ""):
            self._agent(row, sink)
            return
        payload = strip(message.payload)
        found = read_number(read_text(payload)) if payload else None
        self._agent(row, sink)
        if found is None:
            if said.datatype and payload.lower() not in (b"", b"nan"):
                raise Unread("shape")
            return
        if self._series and said.unit and said.unit != self._unit:
            self._series = array("I")  # described otherwise since
        if not self._series:
            waiting = self._device.waiting.setdefault(self._path, [])
            waiting.append((message.received_us, found[0]))
            known = sink.names.known_series(self.agent, self._path)
            if said.datatype or known or len(waiting) >= MOST_WAITING:
                self._guessed = not said.datatype
                self._begin(row, said.unit, sink)
            return
        self._add(row, message.received_us, found[0], sink)

    def _begin(self, row: int, told: str, sink: Sink) -> None:
        series, scale = sink.figure(self.agent, self._path, told, SeriesKind.GAUGE, SOURCE)
        waiting = self._device.waiting.pop(self._path)
        if not series:
            sink.unread(row, "too-many-series")
            return
        self._series, self._unit, self._scale = array("I", [series]), told, scale
        for time_us, value in waiting:
            self._add(row, time_us, value, sink)

    def _add(self, row: int, time_us: int, published: float, sink: Sink) -> None:
        value = in_base(published, self._scale)
        if value is not None:
            sink.batch.add_samples(row, time_us, self._series, (value,))


def _objects(value: object) -> list[tuple[str, dict[str, Any]]]:
    found = value.items() if isinstance(value, dict) else ()
    return [(key, one) for key, one in islice(found, MOST_SERIES_OF_AGENT) if isinstance(one, dict)]


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
