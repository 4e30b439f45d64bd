"""Zigbee2MQTT: `<base>/bridge/…` is the bridge, everything else below the base a device, whose name may hold slashes. What
devices measure, and in which units, `bridge/devices` tells; without it their objects are read as they are.
"""

from array import array
from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Presence, read_status_word
from models.domain.records import Declaration, Outcome
from mqtt.reading.contract_work import put_log
from mqtt.reading.declared_plan import declare
from mqtt.reading.declared_topics import Availability, DeclaredFigure, Entity, Words
from mqtt.reading.decode import read_json, read_object, read_text, strip
from mqtt.reading.exchange import Request, Sent
from mqtt.reading.generic_numbers import flatten, number_of
from mqtt.reading.generic_reading import GenericPlan
from mqtt.reading.generic_topics import Place
from mqtt.reading.log_shapes import read_log
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Figure, Plan, Sink, Unread
from mqtt.reading.value_templates import Extract

SOURCE = "zigbee2mqtt"
USUAL_BASE = ("zigbee2mqtt",)
BRIDGE, TITLE = "bridge", "Zigbee2MQTT"
MOST_BASES, MOST_DEVICES, MOST_FIGURES = 100, 5_000, 200
_RANK = 2
_COMMANDS = frozenset(("set", "get"))
_STATE = Extract(("state",), json=True)
_COUNTERS = frozenset(("mqtt.published", "mqtt.received"))
_ADDING_UP = frozenset(("energy", "produced_energy"))
_UNITS = {"memory_used_mb": "MB", "memory_percent": "%", "uptime_sec": "s"}


class Zigbee2MqttRecogniser:
    """Claims everything below `zigbee2mqtt`, and below any other base of whose bridge `info` was heard."""

    uses_declarations = True

    def __init__(self) -> None:
        self._bases: set[tuple[str, ...]] = {USUAL_BASE}
        self._groups: dict[bytes, set[bytes]] = {}  # list -> topics of groups, which are several devices at once

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        base = next((levels[:depth] for depth in (1, 2, 3) if tuple(levels[:depth]) in self._bases), None)
        if base is None or len(levels) <= len(base) or not all(levels):
            return None
        below = levels[len(base) :]
        if below[0] == BRIDGE:
            return self._of_bridge(topic, base, below[1:], sink)
        if any(message.topic in some for some in self._groups.values()) or not _COMMANDS.isdisjoint(below[1:]):
            return OtherPlan(topic)
        return None if sink.declared.of(message.topic) else self._of_device(topic, levels, len(base), message, sink)

    def declares(self, levels: list[str]) -> bool:
        return levels[-2:-1] == [BRIDGE] and levels[-1] in ("info", "devices", "groups") and len(levels) > 2

    def declare(self, message: RawMessage, levels: list[str], sink: Sink) -> None:
        try:
            told = read_json(message.payload) if strip(message.payload) else []
        except Unread:
            return  # said when it is its turn
        base = levels[:-2]
        if levels[-1] == "info" and isinstance(told, dict) and "coordinator" in told and tuple(base) not in self._bases:
            if len(base) <= 3 and len(self._bases) < MOST_BASES:
                self._bases.add(tuple(base))
                sink.declarations.settle((*base, BRIDGE), _bridge(base))
                sink.declarations.revision += 1  # what came of it before is claimed anew
        elif levels[-1] == "groups" and isinstance(told, list) and tuple(base) in self._bases:
            groups = {_topic(base, one["friendly_name"]) for one in told[:MOST_DEVICES] if _is_named(one)}
            if self._groups.get(message.topic, set()) != groups:
                self._groups[message.topic] = groups
                sink.declarations.revision += 1
        elif levels[-1] == "devices" and isinstance(told, list) and tuple(base) in self._bases:
            devices = [_entity(base, one) for one in told[:MOST_DEVICES] if _is_named(one)]
            sink.declared.tell(message.topic, [one for one in devices if one is not None])

    def _of_bridge(self, topic: int, base: list[str], below: list[str], sink: Sink) -> Plan:
        agent = sink.agent(_bridge(base))
        match below:
            case ["state"]:
                return BridgeStatePlan(topic, agent)
            case ["info" | "devices" | "groups"]:
                return BridgeInfoPlan(topic, agent)
            case ["health"]:
                return HealthPlan(topic, agent)
            case ["logging"]:
                return LoggingPlan(topic, agent)
            case ["request", *path] if path:
                return RequestPlan(topic, agent, "/".join(path))
            case ["response", *path] if path:
                return ResponsePlan(topic, agent, "/".join(path))
            case _:
                return BridgePlan(topic, agent)

    @staticmethod
    def _of_device(topic: int, levels: list[str], depth: int, message: RawMessage, sink: Sink) -> Plan:
        """A device's name goes to where an availability, or an object, was told of it."""
        end, path = len(levels), ""
        if levels[-1] == "availability" and end > depth + 1:
            end -= 1
        elif message.payload[:1] != b"{" and end > depth + 1:
            home = sink.declarations.home_of(levels)
            end = home[0] if home is not None and home[0] > depth else end - 1
            path = ".".join(levels[end:])
        name = "/".join(levels[depth:end])
        if not path:
            sink.declarations.settle(tuple(levels[:end]), name)
        places = Place(name, path, True, True), Place(name, path or levels[-1], True, True)
        return DevicePlan(topic, message.topic, levels, places, sink)


class DevicePlan(GenericPlan):
    """A device of which nothing was declared. What it says of updates is no figure, and its `state` is a switch's, a motor's:
    whether it is there stands on its availability alone."""

    __slots__ = ()
    reads_texts = False
    no_figures = GenericPlan.no_figures | {"update", "update_available", "last_seen"}

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.payload or self._presence == "availability":  # else the device was removed, or is called otherwise
            super().read(row, message, sink)

    def _agent(self, row: int, name: str, sink: Sink) -> int:
        agent = super()._agent(row, name, sink)
        _declare(row, agent, sink)
        return agent

    def _words(self, body: dict[str, Any]) -> list[tuple[Any, Cause, int]]:
        return super()._words(body) if self._presence == "availability" else []


class BridgePlan:
    """Lists and events of the bridge."""

    kind = Kind.OTHER

    def __init__(self, topic: int, agent: int) -> None:
        self.topic, self.agent = topic, agent

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        """Nothing is derived, and that is no failure."""


class BridgeStatePlan(BridgePlan):
    """`{"state":"online"}`, before version 2 a plain word; `offline` is its will."""

    kind = Kind.STATUS

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        payload = strip(message.payload)
        told = read_object(payload).get("state") if payload[:1] == b"{" else read_text(payload)
        word = read_status_word(told) if isinstance(told, str) else None
        if word is None:
            raise Unread("shape")
        _declare(row, self.agent, sink, TITLE)
        sink.say(row, self.agent, word, Cause.STATUS if word[0] is Presence.ONLINE else Cause.WILL, _RANK)


class BridgeInfoPlan(BridgePlan):
    """What the bridge is, and what is behind it: `Zigbee2MqttRecogniser.declare` has heard it."""

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        sink.remember(row)
        told = read_json(message.payload) if strip(message.payload) else None
        version = told.get("version") if isinstance(told, dict) else None
        if isinstance(version, str):
            _declare(row, self.agent, sink, TITLE, version[:100])


class LoggingPlan(BridgePlan):
    """The bridge's log."""

    kind = Kind.LOG

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        record = read_log(read_object(message.payload), message.received_us, needs_level=False)
        if record is None:
            raise Unread("shape")
        put_log(sink, row, self.agent, message, record)


class HealthPlan(BridgePlan):
    """Figures of the bridge's process and of its computer. `response_time` is the moment at which it was told; what it counts
    of devices stands under numbers that nobody knows them by."""

    kind = Kind.METRICS

    def __init__(self, topic: int, agent: int) -> None:
        super().__init__(topic, agent)
        self._figures: dict[str, Figure] = {}

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload)
        names: list[str] = []
        values: list[float] = []
        for part in ("process", "os", "mqtt"):
            if isinstance(body.get(part), dict):
                flatten(body[part], part, names, values)
        load = body["os"].get("load_average") if isinstance(body.get("os"), dict) else None
        for minutes, value in zip((1, 5, 15), load if isinstance(load, list) else (), strict=False):
            number = number_of(value)
            if number is not None:
                names.append(f"os.load_average.{minutes}m")
                values.append(number)
        series, kept = array("I"), []
        for name, value in zip(names, values, strict=True):
            figure = self._figures.get(name) or self._figure(name, sink)
            scaled = value if figure.scale is None else number_of(figure.scale.of(value))
            if figure.series and scaled is not None:
                series.append(figure.series)
                kept.append(scaled)
        if series:
            sink.batch.add_samples(row, message.received_us, series, kept)
        if len(series) < len(names):
            sink.unread(row, "too-many-series")

    def _figure(self, name: str, sink: Sink) -> Figure:
        kind = SeriesKind.COUNTER if name in _COUNTERS else SeriesKind.GAUGE
        figure = sink.figure(self.agent, name, _UNITS.get(name.rpartition(".")[2], ""), kind, SOURCE)
        if figure.series and len(self._figures) < MOST_FIGURES:
            self._figures[name] = figure
        return figure


class RequestPlan(BridgePlan):
    """What somebody asks of the bridge: no sign of its life. Without a `transaction` the next answer of the kind is its answer."""

    kind = Kind.MESSAGE

    def __init__(self, topic: int, bridge: int, path: str) -> None:
        super().__init__(topic, 0)
        self._bridge, self._path = bridge, path

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:  # noqa: ARG002
        if message.origin is not Origin.REPLAY:
            transaction = _transaction(message.payload)
            sent = Sent(None, message.received_us, message.origin)
            key = (SOURCE, self._bridge, self._path, transaction)
            sink.exchange.ask(Request(sent, 0, self._bridge, self._path, transaction, (key,)))


class ResponsePlan(BridgePlan):
    """What the bridge answers."""

    kind = Kind.MESSAGE

    def __init__(self, topic: int, agent: int, path: str) -> None:
        super().__init__(topic, agent)
        self._path = path

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload)
        key = (SOURCE, self.agent, self._path, _transaction(message.payload))
        outcome = Outcome.ERROR if body.get("status") == "error" else Outcome.OK
        done = sink.exchange.answer(key, row, Sent(None, message.received_us, message.origin), outcome)
        if done is not None:
            sink.batch.interactions.append(done)


def _bridge(base: list[str]) -> str:
    return BRIDGE if tuple(base) == USUAL_BASE else "/".join([*base, BRIDGE])


def _declare(row: int, agent: int, sink: Sink, name: str | None = None, version: str | None = None) -> None:
    """Once, and where there is more to say. `bridge` and `lamp` are no names that are anybody's on other topics."""
    known_as = f"{SOURCE}/{sink.names.agents[agent]}"
    if version is not None or not sink.declarations.has(known_as):
        declare(row, Declaration(row, agent, SOURCE, name, version=version), known_as, sink)


def _transaction(payload: bytes) -> str:
    """Empty where there is none."""
    try:
        body = read_json(strip(payload))
    except Unread:
        return ""
    told = body.get("transaction") if isinstance(body, dict) else None
    return str(told)[:200] if isinstance(told, str | int) and not isinstance(told, bool) else ""


def _topic(base: list[str], name: str) -> bytes:
    return "/".join([*base, name]).encode()


def _is_named(device: Any) -> bool:
    name = device.get("friendly_name") if isinstance(device, dict) else None
    return isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()


def _entity(base: list[str], device: dict[str, Any]) -> Entity | None:
    """A device with the figures that it exposes; None for the coordinator, and where it exposes none."""
    definition, name = device.get("definition"), device["friendly_name"]
    if device.get("type") == "Coordinator" or not isinstance(definition, dict):
        return None
    topic = _topic(base, name)
    found: dict[str, str] = {}
    _collect(definition.get("exposes"), found)
    figures = tuple(_figure(topic, *one) for one in found.items())
    words = tuple(
        Words(one, _STATE, "online", "offline") for one in (_topic(base, "bridge/state"), topic + b"/availability")
    )
    return Entity(name, SOURCE, figures, (topic,), (), Availability("all", words)) if figures else None


def _collect(exposes: Any, found: dict[str, str]) -> None:
    """Properties that are numbers and published, with their units."""
    for one in exposes[:MOST_FIGURES] if isinstance(exposes, list) else ():
        if not isinstance(one, dict):
            continue
        name, unit, access = one.get("property"), one.get("unit"), one.get("access")
        if isinstance(one.get("features"), list) and one.get("type") != "composite":
            _collect([each for each in one["features"] if isinstance(each, dict) and "features" not in each], found)
        elif (
            one.get("type") == "numeric" and isinstance(name, str) and name.isprintable() and 0 < len(name) <= 100
            and isinstance(access, int) and access & 1 and len(found) < MOST_FIGURES
        ):  # fmt: skip
            found[name] = unit[:32] if isinstance(unit, str) else ""


def _figure(topic: bytes, name: str, unit: str) -> DeclaredFigure:
    kind = SeriesKind.COUNTER if name in _ADDING_UP else SeriesKind.GAUGE
    return DeclaredFigure(topic, Extract((name,), json=True), name, f"{name} (2)", unit, kind)
