"""Telegraf's MQTT output: line protocol and JSON, one point or many in a message, and the layout with a topic for each field.

The agent is the tag `host`; a series is the measurement and the field, its labels all other tags.
"""

from array import array
from typing import Any

import msgspec

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.records import Declaration
from models.domain.timestamps import read_time
from mqtt.reading.conventions.telegraf_units import MEASUREMENTS, unit_in_telegraf
from mqtt.reading.decode import FAILURES, compact, read_object, read_text
from mqtt.reading.generic_numbers import flatten, read_number
from mqtt.reading.generic_topics import levels_of, names_agent, place
from mqtt.reading.line_protocol import read_key, read_lines
from mqtt.reading.plan import Figure, Plan, Sink, Unread
from mqtt.reading.units import Scales, scaled, scales_of

SOURCE = "telegraf"
MOST_KEYS = 2_000
"""Measurements with their tags that a topic may bring before what is known of them is made anew."""
_LEAST_FIELD_LEVELS = 4  # telegraf/<host>/<plugin>/<field>

_Key = str | tuple[str, tuple[tuple[str, str], ...]]
_Moments = dict[int, tuple["array[int]", list[float]]]


class _Metric(msgspec.Struct, gc=False):
    name: str
    fields: dict[str, Any]
    tags: dict[str, str] = {}
    timestamp: float | str | None = None


class _Metrics(msgspec.Struct, gc=False):
    metrics: list[_Metric]


_decode_one = msgspec.json.Decoder(_Metric).decode
_decode_many = msgspec.json.Decoder(_Metrics).decode


class TelegrafRecogniser:
    """Claims a topic by what stands in its first message, and `telegraf…/<host>/<plugin>/…/<field>` by its name."""

    uses_declarations = False

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        payload = message.payload
        if payload[:1] == b"{":
            return JsonPlan(topic, message.topic) if b'"fields"' in payload and _is_json(payload) else None
        if b"=" in payload and b" " in payload and _is_lines(payload):
            return LinePlan(topic, message.topic)
        if len(levels) >= _LEAST_FIELD_LEVELS and levels[0].casefold().startswith(SOURCE) and all(levels[1:]):
            return FieldPlan(topic, levels, sink)
        return None


class _Points:
    """Whose the points of a topic are and which series they go to, by measurement and tags."""

    def __init__(self, topic: bytes) -> None:
        self._topic = topic
        self._known: dict[_Key, tuple[int, str, str, list[str], array[int], Scales | None]] = {}

    def put(
        self, row: int, key: _Key, names: list[str], values: list[float], time_us: int, moments: _Moments, sink: Sink
    ) -> int:
        """Add a point to the moments of its message; answers its agent. Raises `Unread`."""
        known = self._known.get(key)
        if known is None:
            named = read_key(key) if isinstance(key, str) else (key[0], dict(key[1]))
            if named is None:
                raise Unread("shape")
            agent = self._agent(row, named[1], sink)
            tags = {name: value for name, value in named[1].items() if name != "host"}
            known = agent, named[0], compact(tags) if tags else "", [], array("I"), None
        agent, measurement, labels, last_names, series, scales = known
        if names != last_names:
            figures = [
                sink.figure(agent, f"{measurement}.{name}", *unit_in_telegraf(measurement, name), SOURCE, labels)
                for name in names
            ]
            series, scales = array("I", [one.series for one in figures]), scales_of([one.scale for one in figures])
            if len(self._known) >= MOST_KEYS:
                self._known.clear()
            self._known[key] = agent, measurement, labels, names, series, scales
        if 0 in series:
            sink.unread(row, "too-many-series")
        found, put = moments.setdefault(time_us, (array("I"), []))
        for one, value in zip(*((series, values) if scales is None else scaled(series, values, scales)), strict=True):
            if one:
                found.append(one)
                put.append(value)
        return agent

    def _agent(self, row: int, tags: dict[str, str], sink: Sink) -> int:
        name = tags.get("host", "")
        if not names_agent(name):
            name = place(levels_of(self._topic), False, sink.declarations.has).agent
        agent = sink.agent(name)
        _declare(row, agent, name, sink)
        return agent


class _PointsPlan:
    """A topic whose messages hold points."""

    kind = Kind.METRICS

    def __init__(self, topic: int, name: bytes) -> None:
        self.topic, self.agent = topic, 0
        self._points = _Points(name)

    def _put_all(self, row: int, moments: _Moments, agents: list[int], broken: bool, sink: Sink) -> None:
        if agents:
            self.agent = sink.batch.agent[row] = agents[0]
        for time_us, (series, values) in moments.items():
            if series:
                sink.batch.add_samples(row, time_us, series, values)
        if broken:
            sink.unread(row, "shape")


class LinePlan(_PointsPlan):
    """Line protocol. A line that is none leaves the others as they are."""

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        text, received_us = read_text(message.payload), message.received_us
        moments: _Moments = {}
        agents, broken = [], False
        for line in read_lines(text):
            if line is None:
                broken = True
                continue
            time_us = received_us if line.time is None else read_time(int(line.time), received_us) or received_us
            agents.append(self._points.put(row, line.key, line.names, line.values, time_us, moments, sink))
        self._put_all(row, moments, agents, broken, sink)


class JsonPlan(_PointsPlan):
    """`{"name", "tags", "fields", "timestamp"}`, or many of them under `metrics`."""

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        received_us = message.received_us
        moments: _Moments = {}
        agents = []
        for metric in _decode(message.payload):
            names: list[str] = []
            values: list[float] = []
            flatten(metric.fields, "", names, values)
            time_us = read_time(metric.timestamp, received_us) or received_us
            key = metric.name, tuple(metric.tags.items())
            agents.append(self._points.put(row, key, names, values, time_us, moments, sink))
        self._put_all(row, moments, agents, False, sink)


class FieldPlan:
    """`telegraf/<host>/<plugin>/<field>`: a bare value, of which nothing else is told."""

    kind = Kind.METRICS

    def __init__(self, topic: int, levels: list[str], sink: Sink) -> None:
        self.topic = topic
        at = next((i for i in range(2, len(levels) - 1) if levels[i] in MEASUREMENTS), 2)
        self._host, self._path = levels[at - 1], levels[at:]
        self.agent = sink.names.known_agent(self._host)
        self._figure = Figure(0, None)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        text = read_text(message.payload)
        number = read_number(text)
        if number is None:
            if not text:
                raise Unread("empty")
            return  # a text or a truth
        if not self._figure.series:
            self._begin(row, sink)
        sink.put(row, message.received_us, (self._figure,), (number[0],))

    def _begin(self, row: int, sink: Sink) -> None:
        self.agent = sink.batch.agent[row] = sink.agent(self._host)
        unit = unit_in_telegraf(self._path[0], self._path[-1])
        self._figure = sink.figure(self.agent, ".".join(self._path), *unit, SOURCE)
        _declare(row, self.agent, self._host, sink)


def _declare(row: int, agent: int, name: str, sink: Sink) -> None:
    declaration = Declaration(row, agent, SOURCE)
    if sink.declarations.is_news(declaration, name):
        sink.batch.declarations.append(declaration)


def _decode(payload: bytes) -> list[_Metric]:
    try:
        return _decode_many(payload).metrics
    except FAILURES:
        pass
    try:
        return [_decode_one(payload)]
    except FAILURES:
        read_object(payload)  # says why, where it is no JSON at all
        raise Unread("shape") from None


def _is_json(payload: bytes) -> bool:
    try:
        return all(metric.fields for metric in _decode(payload))
    except Unread:
        return False


def _is_lines(payload: bytes) -> bool:
    """All of it, with the tag or the time that a line of another text hardly has."""
    try:
        lines = list(read_lines(read_text(payload)))
    except Unread:
        return False
    return bool(lines) and all(
        line is not None and read_key(line.key) is not None and (",host=" in line.key or len(line.time or "") >= 10)
        for line in lines
    )
