"""Devices that announce themselves as Home Assistant's discovery has it: who they are, which of their topics hold which figures,
and where they say whether they are there. Whatever the program: it needs no file of its own.
"""

import re
from collections.abc import Iterator
from typing import Any

from models.domain.crowd import MOST_REMEMBERED
from models.domain.messages import Kind, RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Presence, read_status_word
from models.domain.records import Declaration
from mqtt.reading.conventions.home_assistant_config import (
    MOST_AVAILABILITIES,
    Config,
    Device,
    is_command_key,
    is_config,
    is_topic_key,
    read_configs,
    read_device,
    text_of,
    written_out,
)
from mqtt.reading.conventions.home_assistant_devices import Devices
from mqtt.reading.declared_plan import declare
from mqtt.reading.declared_topics import Availability, DeclaredFigure, Entity, Words
from mqtt.reading.decode import read_object, read_text, strip
from mqtt.reading.generic_numbers import number_of
from mqtt.reading.plan import Plan, Sink, Unread
from mqtt.reading.value_templates import Extract, read_template

SOURCE = "home-assistant"
PREFIX, ITSELF = "homeassistant", "homeassistant/itself"  # the latter is no level of any topic
LONGEST_EXPIRY_S = 7 * 86_400
_OF_AVAILABILITY = (
    "availability",
    "availability_topic",
    "availability_template",
    "availability_mode",
    "payload_available",
    "payload_not_available",
)
_FIGURES = frozenset(("sensor", "number"))
_NO_FIGURES = frozenset(("timestamp", "date", "enum"))
_PASSING = re.compile(r"(0x)?[0-9a-f]{8,}", re.IGNORECASE)


_Heard = tuple[int, str, Declaration]
"""Hash of a payload, and what came of it: the agent, and what that declared."""


class HomeAssistantRecogniser:
    """Claims the discovery messages; what they declare is read by `declared_plan`."""

    uses_declarations = False

    def __init__(self) -> None:
        self._devices = Devices()
        self._heard: dict[bytes, _Heard] = {}  # by topic
        self._expiries: dict[str, dict[bytes, float]] = {}  # agent -> message -> its shortest, in seconds
        self._expiring: dict[bytes, str] = {}  # message -> agent
        self._intervals: dict[str, int] = {}  # agent -> the shortest of all its messages, in µs

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        if levels == [PREFIX, "status"]:
            return ItselfPlan(topic, sink.agent(PREFIX))
        return ConfigPlan(topic, levels, self) if is_config(levels) else None

    def declares(self, levels: list[str]) -> bool:
        return is_config(levels)

    def declare(self, message: RawMessage, levels: list[str], sink: Sink) -> None:
        try:
            self._take(message, levels, sink)
        except Unread:
            pass  # said when it is its turn

    def told_by(self, message: RawMessage, levels: list[str], sink: Sink) -> tuple[str, Declaration] | None:
        """The agent's name and what it declares, without its id; None where the message announces nobody. Raises `Unread`."""
        heard = self._take(message, levels, sink)
        if heard is None:
            return None
        _, agent, declaration = heard
        return agent, declaration._replace(interval_us=self._intervals.get(agent))

    def _take(self, message: RawMessage, levels: list[str], sink: Sink) -> _Heard | None:
        payload = strip(message.payload)
        digest = hash(payload)
        heard = self._heard.get(message.topic)
        if heard is None or heard[0] != digest:
            self._heard.pop(message.topic, None)
            told = self._read(message.topic, payload, levels, sink)
            if told is None:
                sink.declared.tell(message.topic, ())
                return None
            heard = digest, *told
            if len(self._heard) < MOST_REMEMBERED:
                self._heard[message.topic] = heard
        return heard

    def _read(self, topic: bytes, payload: bytes, levels: list[str], sink: Sink) -> tuple[str, Declaration] | None:
        """What a message says that was not heard before: for plans to come, and of the device."""
        told = written_out(read_object(payload)) if payload else {}
        device, configs = read_device(told), read_configs(levels, told)
        agent = self._devices.agent_of(device, configs, sink)
        expiries = [number_of(one.told.get("expire_after")) for one in configs]
        shortest = min((one for one in expiries if one is not None and 0 < one <= LONGEST_EXPIRY_S), default=None)
        self._expire(topic, agent, shortest if agent else None)
        if not agent:
            return None
        if not sink.declared.tell(topic, _entities(agent, device, configs)):
            raise Unread("too-many-series")
        name = device.name if device.name != agent else ""
        return agent, Declaration(0, 0, SOURCE, name or None, device.area or None, version=device.version or None)

    def _expire(self, source: bytes, agent: str, shortest: float | None) -> None:
        """What the message says of how often the agent is heard at least."""
        before = self._expiring.pop(source, None)
        if before is not None:
            del self._expiries[before][source]
            self._settle_interval(before)
        if shortest is not None and len(self._expiring) < MOST_REMEMBERED:
            self._expiring[source] = agent
            self._expiries.setdefault(agent, {})[source] = shortest
            self._settle_interval(agent)

    def _settle_interval(self, agent: str) -> None:
        if self._expiries[agent]:
            self._intervals[agent] = round(min(self._expiries[agent].values()) * 1_000_000)
        else:
            del self._expiries[agent], self._intervals[agent]


class ConfigPlan:
    """One discovery message. Whoever publishes it need not be the device that it tells of: no sign of its life."""

    kind = Kind.OTHER
    agent = 0

    def __init__(self, topic: int, levels: list[str], recogniser: HomeAssistantRecogniser) -> None:
        self.topic = topic
        self._levels = levels
        self._recogniser = recogniser

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        try:
            told = self._recogniser.told_by(message, self._levels, sink)
        except Unread:
            if self._levels[0] == PREFIX:
                raise
            return  # somebody else's `config`
        if told is not None:
            agent, declaration = told
            declare(row, declaration._replace(agent=sink.agent(agent)), agent, sink)
        if told is not None or not strip(message.payload):
            sink.remember(row)


class ItselfPlan:
    """`homeassistant/status`: whether Home Assistant is there."""

    kind = Kind.STATUS

    def __init__(self, topic: int, agent: int) -> None:
        self.topic, self.agent = topic, agent

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        word = read_status_word(read_text(message.payload))
        if word is None:
            raise Unread("shape")
        declare(row, Declaration(row, self.agent, SOURCE, "Home Assistant"), ITSELF, sink)
        sink.say(row, self.agent, word, Cause.STATUS if word[0] is Presence.ONLINE else Cause.WILL, 2)


def _entities(agent: str, device: Device, configs: list[Config]) -> Iterator[Entity]:
    """Those of a device mostly share their availability: it is read once."""
    last: list[object] = []
    availability = None
    for one in configs:
        said = [one.told.get(key) for key in _OF_AVAILABILITY]
        if not last or any(new is not old for new, old in zip(said, last, strict=True)):
            last, availability = said, _availability(one.told)
        yield _entity(agent, device, one, availability)


def _entity(agent: str, device: Device, config: Config, availability: Availability | None) -> Entity:
    figure = _figure(agent, device, config)
    quiet: list[bytes] = []
    commands: list[bytes] = []
    for key, value in config.told.items():
        if is_topic_key(key) and value and key != "availability_topic":
            (commands if is_command_key(key) else quiet).append(value.encode())
    if figure is not None:
        quiet = [topic for topic in quiet if topic != figure.topic]
    commands = [topic for topic in commands if topic not in quiet and (figure is None or topic != figure.topic)]
    figures = () if figure is None else (figure,)
    return Entity(agent, SOURCE, figures, tuple(quiet), tuple(commands), availability)


def _figure(agent: str, device: Device, config: Config) -> DeclaredFigure | None:
    told = config.told
    topic = told.get("state_topic")
    if not topic or config.component not in _FIGURES or text_of(told.get("device_class")) in _NO_FIGURES:
        return None
    unit, state_class = text_of(told.get("unit_of_measurement")), told.get("state_class")
    template = told.get("value_template")
    extract = read_template(template) if isinstance(template, str) and template else Extract()
    if extract is None and not unit and not isinstance(state_class, str):
        return None  # a text
    metric, other = _names(agent, device, config)
    kind = SeriesKind.COUNTER if state_class == "total_increasing" else SeriesKind.GAUGE
    return DeclaredFigure(topic.encode(), extract, metric, other, unit, kind)


def _names(agent: str, device: Device, config: Config) -> tuple[str, str]:
    """What the entity is called among those of its device, and what else it may be called."""
    object_ = _without(config.object, (*device.ids, device.name, agent))
    if _PASSING.fullmatch(object_):
        object_ = ""
    name = _without(text_of(config.told.get("name")), (device.name, agent))
    kind = text_of(config.told.get("device_class"))
    metric = name or object_ or kind or config.object
    unique = text_of(config.told.get("unique_id")) or config.object
    return metric, object_ if object_ and object_ != metric else f"{metric} {unique}"


def _without(name: str, fronts: tuple[str, ...]) -> str:
    """A name without the device's in front of it; the name where nothing is left."""
    for front in fronts:
        if front and name.casefold().startswith(front.casefold()):
            rest = name[len(front) :]
            if rest.strip(" _-:") and rest[0] in " _-:":
                return rest.strip(" _-:")
    return name


def _availability(told: dict[str, Any]) -> Availability | None:
    found = []
    if told.get("availability_topic"):
        found.append(_words(told["availability_topic"], told, told.get("availability_template")))
    several = [one for one in told.get("availability", ()) if one["topic"]]
    found += [_words(one["topic"], one, one.get("value_template")) for one in several]
    mode = told.get("availability_mode")
    return (
        Availability(mode if mode in ("all", "any") else "latest", tuple(found[:MOST_AVAILABILITIES]))
        if found
        else None
    )


def _words(topic: str, told: dict[str, Any], template: object) -> Words:
    extract = read_template(template) if isinstance(template, str) else None
    available, unavailable = told.get("payload_available", "online"), told.get("payload_not_available", "offline")
    return Words(topic.encode(), extract, text_of(available), text_of(unavailable))
