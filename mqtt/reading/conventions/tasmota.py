"""Tasmota firmware: `tele/<topic>/STATE`, `stat/<topic>/RESULT`, or with the prefix elsewhere, as its FullTopic may have it.

Times are local, without a zone. `MqttCount` and `Wifi.LinkCount` count connections since the start: what they rise by is that
many connections made.
"""

import re
from array import array
from collections.abc import Collection
from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.records import Attempt, Declaration, Outcome
from mqtt.reading.declared_plan import declare
from mqtt.reading.decode import read_object, read_text, strip
from mqtt.reading.generic_numbers import flatten, number_of, time_in
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Figure, Plan, Sink, Unread

SOURCE = "tasmota"
MOST_COUNTERS = 200_000
MOST_CONNECTIONS = 1_000
"""A counter that rises by more says nothing of connections."""
_RANK = 2
PREFIXES = ("tele", "stat")
MOST_PREFIXES = 32
"""Each one more means that all topics are claimed anew."""
_LEAF = re.compile(r"[A-Z][A-Z0-9_]{0,30}")
_SURE_LEAF = re.compile(r"LWT|STATE|SENSOR|RESULT|UPTIME|HASS_STATE|INFO\d|STATUS\d{0,2}|POWER\d{0,2}")
_NUMBER = re.compile(rb"\s*-?\d{1,20}(\.\d{1,20})?\s*")
_FIGURES = frozenset(("STATE", "SENSOR", "STATUS8", "STATUS10", "STATUS11"))
_WRAPPED = ("StatusSNS", "StatusSTS", "Info1", "Info2", "Info3")
_CONNECTIONS = {"MqttCount": "mqtt", "Wifi.LinkCount": "wi-fi"}
_SETTINGS = frozenset(("Sleep", "AP", "Channel"))
_UNITS = {
    "UptimeSec": "s", "Heap": "KiB", "RSSI": "%", "Signal": "dBm", "Humidity": "%", "Power": "W", "ApparentPower": "VA",
    "ReactivePower": "var", "Voltage": "V", "Current": "A", "Frequency": "Hz", "Today": "kWh", "Yesterday": "kWh", "Period": "Wh",
    "Illuminance": "lx", "CarbonDioxide": "ppm", "Vcc": "V", "Distance": "cm",
}  # fmt: skip
_COUNTERS = {"MqttCount": "{connection}", "LinkCount": "{connection}", "Total": "kWh", "UptimeSec": "s"}
_Words = dict[str, tuple[Presence, Condition]]
"""What a device says instead of `Online` and `Offline`."""
_HEAT = frozenset(("Temperature", "DewPoint", "HeatIndex"))


class TasmotaRecogniser:
    """Claims topics with a level `tele` or `stat`, or what a device announced for it, in front of, or behind, the device's, and
    a last one in capitals; and what devices announce below `tasmota/discovery`."""

    uses_declarations = False
    marks = (b"tasmota/discovery",)

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str], float] = {}  # agent and counter -> its last value
        self._prefixes = {*PREFIXES}
        self._announced: dict[str, _Words] = {}  # devices

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        if levels[:2] == ["tasmota", "discovery"] and len(levels) == 4:
            return AnnouncementPlan(topic) if levels[3] == "config" else OtherPlan(topic)
        found = device_of(levels, self._prefixes, self._announced)
        if found is None or (_NUMBER.fullmatch(message.payload) and not levels[-1].startswith("POWER")):
            return None  # a bare figure is somebody else's
        name, home = found
        sink.declarations.settle(home, name)
        leaf = levels[-1]
        if leaf == "LWT":
            return LwtPlan(topic, sink.agent(name), self._announced.get(name, {}))
        if leaf in _FIGURES:
            return FiguresPlan(topic, sink.agent(name), self._counts)
        if leaf.startswith("INFO"):
            return InfoPlan(topic, sink.agent(name))
        return QuietPlan(topic, sink.agent(name))

    def declares(self, levels: list[str]) -> bool:
        return levels[:2] == ["tasmota", "discovery"] and len(levels) == 4 and levels[3] == "config"

    def declare(self, message: RawMessage, levels: list[str], sink: Sink) -> None:  # noqa: ARG002
        """What a device has instead of `tele` and `Online`."""
        try:
            body = read_object(message.payload) if strip(message.payload) else {}
        except Unread:
            return  # said when it is its turn
        name, there, gone = _text(body.get("t")), _text(body.get("onln")), _text(body.get("ofln"))
        if not name or (name not in self._announced and len(self._announced) >= MOST_COUNTERS):
            return
        words = (
            {there: (Presence.ONLINE, Condition.OK), gone: (Presence.OFFLINE, Condition.OK)} if there and gone else {}
        )
        self._announced[name] = words
        told = body.get("tp")  # of commands, of their results, of what it sends by itself
        for prefix in told[1:3] if isinstance(told, list) else ():
            if (
                isinstance(prefix, str)
                and prefix
                and prefix not in self._prefixes
                and len(self._prefixes) < MOST_PREFIXES
            ):
                self._prefixes.add(prefix)
                sink.declarations.revision += 1  # what came of its topics before is claimed anew


class QuietPlan:
    """What a command led to, or a setting: a sign of life, and nothing that is measured."""

    kind = Kind.OTHER

    def __init__(self, topic: int, agent: int) -> None:
        self.topic, self.agent = topic, agent

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        """Nothing is derived, and that is no failure."""


class LwtPlan(QuietPlan):
    """`Online`, or the will's `Offline`."""

    kind = Kind.STATUS

    def __init__(self, topic: int, agent: int, words: _Words) -> None:
        super().__init__(topic, agent)
        self._words = words

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        _declare(row, self.agent, sink)
        text = read_text(message.payload)
        word = self._words.get(text) or (
            read_status_word(text, switches=True) if text else (Presence.OFFLINE, Condition.OK)
        )
        if word is None:
            raise Unread("shape")
        sink.say(row, self.agent, word, Cause.STATUS if word[0] is Presence.ONLINE else Cause.WILL, _RANK)


class InfoPlan(QuietPlan):
    """`INFO1` and its like, sent at a start: version and host name."""

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        body = _unwrapped(read_object(message.payload))
        version, host = body.get("Version"), body.get("Hostname")
        if isinstance(version, str) or isinstance(host, str):
            _declare(row, self.agent, sink, version=_text(version), host=_text(host))


class AnnouncementPlan(QuietPlan):
    """`tasmota/discovery/<mac>/config`: what a device calls itself, for `t`, its topic. Retained: no sign of life."""

    def __init__(self, topic: int) -> None:
        super().__init__(topic, 0)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        sink.remember(row)
        if not strip(message.payload):
            return
        body = read_object(message.payload)
        name = _text(body.get("t"))
        if name:
            told = (_text(body.get("dn")), _text(body.get("hn")), _text(body.get("sw")))
            _declare(row, sink.agent(name), sink, name=told[0], host=told[1], version=told[2])


class FiguresPlan(QuietPlan):
    """`STATE` and `SENSOR`, sent every 300 s unless set otherwise, and the same asked for by `STATUS`."""

    kind = Kind.METRICS

    def __init__(self, topic: int, agent: int, counts: dict[tuple[int, str], float]) -> None:
        super().__init__(topic, agent)
        self._counts = counts
        self._names: list[str] = []
        self._units: tuple[Any, Any] = (None, None)
        self._figures: list[Figure] = []

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = _unwrapped(read_object(message.payload))
        names: list[str] = []
        values: list[float] = []
        flatten(body, "", names, values)
        units = body.get("TempUnit"), body.get("PressureUnit")  # may be set otherwise at any time
        if names != self._names or units != self._units:
            self._figures = [self._figure(name, body, sink) for name in names]
            self._names, self._units = names, units
        time_us = time_in(body, message.received_us)[1]
        series, kept = array("I"), []
        for figure, value in zip(self._figures, values, strict=True):
            scaled = value if figure.scale is None else number_of(figure.scale.of(value))
            if figure.series and scaled is not None:
                series.append(figure.series)
                kept.append(scaled)
        if series:
            sink.batch.add_samples(row, time_us, series, kept)
        if any(not figure.series and _is_measured(name) for name, figure in zip(names, self._figures, strict=True)):
            sink.unread(row, "too-many-series")
        for name, value in zip(names, values, strict=True):
            if name in _CONNECTIONS:
                self._count(row, time_us, name, value, sink)

    def _figure(self, name: str, body: dict[str, Any], sink: Sink) -> Figure:
        word = name.rpartition(".")[2]
        if not _is_measured(name):
            return Figure(0, None)
        if word in _COUNTERS:
            return sink.figure(self.agent, name, _COUNTERS[word], SeriesKind.COUNTER, SOURCE)
        unit = _UNITS.get(word, "")
        if word in _HEAT and body.get("TempUnit") in ("C", "F"):
            unit = f"°{body['TempUnit']}"
        elif word in ("Pressure", "SeaPressure"):
            unit = _text(body.get("PressureUnit")) or ""
        return sink.figure(self.agent, name, unit, SeriesKind.GAUGE, SOURCE)

    def _count(self, row: int, time_us: int, name: str, value: float, sink: Sink) -> None:
        """Connections since the last message; after a start of the device it counts from one."""
        key = self.agent, name
        before = self._counts.get(key)
        if before is None and len(self._counts) >= MOST_COUNTERS:
            return
        self._counts[key] = value
        made = 0.0 if before is None else value - before if value >= before else value
        if made <= MOST_CONNECTIONS:
            attempt = Attempt(row, time_us, self.agent, Outcome.OK, None, None, _CONNECTIONS[name])
            sink.batch.attempts += [attempt] * int(made)


def device_of(
    levels: list[str], prefixes: Collection[str] = PREFIXES, announced: Collection[str] = ()
) -> tuple[str, tuple[str, ...]] | None:
    """Whose topic it is, and the levels that all of this prefix's begin with; None where Tasmota has no such topics. What stands
    in front of a device that was announced is not its name."""
    if len(levels) < 3 or not _LEAF.fullmatch(levels[-1]):
        return None
    if levels[-2] in prefixes:
        name, home = levels[:-2], levels[:-2]
    else:
        at = next((at for at, level in enumerate(levels[:-2]) if level in prefixes), None)
        if at is None or (at and levels[at] in PREFIXES and not _SURE_LEAF.fullmatch(levels[-1])):
            return None
        name, home = levels[at + 1 : -1], levels[:-1]
    if not all(name):
        return None
    ends = ("/".join(name[at:]) for at in range(len(name)))
    return next((one for one in ends if one in announced), "/".join(name)), tuple(home)


def _declare(row: int, agent: int, sink: Sink, **said: str | None) -> None:
    name = sink.names.agents[agent]
    if any(said.values()) or not sink.declarations.has(name):
        declare(row, Declaration(row, agent, SOURCE, **said), name, sink)  # type: ignore[arg-type]


def _unwrapped(body: dict[str, Any]) -> dict[str, Any]:
    for key in _WRAPPED:
        inner = body.get(key)
        if isinstance(inner, dict):
            return inner
    return body


def _is_measured(name: str) -> bool:
    return name.rpartition(".")[2] not in _SETTINGS


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value and value.isprintable() else None
