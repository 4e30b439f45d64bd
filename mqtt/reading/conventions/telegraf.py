"""Telegraf's MQTT output: line protocol and JSON, one point or many in a message, and the layout with a topic for each field.

The agent is the tag `host`; a series is the measurement and the field, its labels all other tags.
"""

import math
import re
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.records import Declaration
from models.domain.timestamps import read_time
from mqtt.reading.conventions.telegraf_units import MEASUREMENTS, unit_in_telegraf
from mqtt.reading.decode import FAILURES, compact, read_object, read_text
from mqtt.reading.generic_numbers import flatten, read_number
from mqtt.reading.generic_topics import levels_of, names_agent, place
from mqtt.reading.line_protocol import read_key, read_lines, shape_of
from mqtt.reading.plan import Figure, Plan, Sink, Unread
from mqtt.reading.shapes import STEADY
from mqtt.reading.units import Scales, scaled, scales_of

SOURCE = "telegraf"
MOST_POINTS = 2_000
"""Measurements with their tags that a topic may bring before what is known of them is made anew."""
_LEAST_FIELD_LEVELS = 4  # telegraf/<host>/<plugin>/<field>

_Key = str | tuple[str, tuple[tuple[str, str], ...]]


class _Metric(msgspec.Struct, gc=False):
    name: str = ""
    fields: dict[str, Any] = {}
    tags: dict[str, str] = {}
    timestamp: float | str | None = None


class _Message(_Metric, gc=False):
    metrics: list[_Metric] | None = None


_decode_message = msgspec.json.Decoder(_Message).decode


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


class _Point(NamedTuple):
    """A measurement with its tags and fields: whose it is, and where its values go."""

    agent: int
    series: "array[int]"
    scales: Scales | None

    def scaled(self, values: list[float]) -> tuple[Sequence[int], Sequence[float]]:
        """Series and values, as they are stored."""
        return (self.series, values) if self.scales is None else scaled(self.series, values, self.scales)


class _PointsPlan:
    """A topic whose messages hold points."""

    kind = Kind.METRICS

    def __init__(self, topic: int, name: bytes) -> None:
        self.topic, self.agent = topic, 0
        self._name = name
        self._points: dict[tuple[_Key, tuple[str, ...]], _Point] = {}

    def _point(self, row: int, key: _Key, names: list[str], sink: Sink) -> _Point | None:
        """None where the key is none."""
        known = key, tuple(names)
        point = self._points.get(known)
        if point is None:
            named = read_key(key) if isinstance(key, str) else (key[0], dict(key[1]))
            if named is None:
                return None
            point = self._new_point(row, *named, names, sink)
            if len(self._points) >= MOST_POINTS:
                self._points.clear()
            self._points[known] = point
        return point

    def _new_point(self, row: int, measurement: str, tags: dict[str, str], names: list[str], sink: Sink) -> _Point:
        agent = self._agent(row, tags, sink)
        others = {name: value for name, value in tags.items() if name != "host"}
        labels = compact(others) if others else ""
        figures = [
            sink.figure(agent, f"{measurement}.{name}", *unit_in_telegraf(measurement, name), SOURCE, labels)
            for name in names
        ]
        return _Point(agent, array("I", [one.series for one in figures]), scales_of([one.scale for one in figures]))

    def _agent(self, row: int, tags: dict[str, str], sink: Sink) -> int:
        name = tags.get("host", "")
        if not names_agent(name):
            name = place(levels_of(self._name), False, sink.declarations.has).agent
        agent = sink.agent(name)
        _declare(row, agent, name, sink)
        return agent

    def _put(self, row: int, found: list[tuple[int, _Point, list[float]]], sink: Sink) -> None:
        """Add the points of a message with their moments."""
        if found:
            self.agent = sink.batch.agent[row] = found[0][1].agent
            sink.heard(row, {point.agent for _, point, _ in found})
        moments: dict[int, tuple[array[int], list[float]]] = {}
        for time_us, point, told in found:
            series, values = moments.setdefault(time_us, (array("I"), []))
            new, more = point.scaled(told)
            if 0 in new:
                sink.unread(row, "too-many-series")
                more = [value for one, value in zip(new, more, strict=True) if one]
                new = [one for one in new if one]
            series.extend(new)
            values.extend(more)
        for time_us, (series, values) in moments.items():
            if series:
                sink.batch.add_samples(row, time_us, series, values)


class LinePlan(_PointsPlan):
    """Line protocol. A line that is none leaves the others as they are."""

    def __init__(self, topic: int, name: bytes) -> None:
        super().__init__(topic, name)
        self._shape: re.Pattern[bytes] | None = None  # for messages like the last ones, all of this key and point
        self._key = b""
        self._last: _Point | None = None
        self._steady, self._wanted = 0, STEADY

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        if self._shape is not None:
            if self._read_shaped(self._shape, row, message, sink):
                return
            self._shape, self._steady, self._wanted = None, 0, min(4 * self._wanted, 1 << 20)
        text, received_us = read_text(message.payload), message.received_us
        found, broken, line = [], False, None
        for line in read_lines(text):
            point = None if line is None else self._point(row, line.key, line.names, sink)
            if line is None or point is None:
                broken = True
                continue
            time_us = received_us if line.time is None else read_time(int(line.time), received_us) or received_us
            found.append((time_us, point, line.values))
        self._put(row, found, sink)
        if broken:
            sink.unread(row, "shape")
        elif len(found) == 1 and line is not None:
            self._learn(text, line.key, found[0][1])

    def _learn(self, text: str, key: str, point: _Point) -> None:
        """May the next messages be expected to be like this one?"""
        self._steady = self._steady + 1 if point is self._last else 0
        self._last, self._key = point, key.encode()
        if self._steady >= self._wanted and point.series and 0 not in point.series:
            self._shape, self._steady = shape_of(text), 0

    def _read_shaped(self, shape: "re.Pattern[bytes]", row: int, message: RawMessage, sink: Sink) -> bool:
        """False where the message is not what was expected: nothing of it was put anywhere."""
        found, point = shape.fullmatch(message.payload), self._last
        if found is None or point is None:
            return False
        key, *told, time = found.groups()
        try:
            values = [*map(float, told)]
        except ValueError:
            return False
        if key != self._key or len(values) != len(point.series) or not math.isfinite(sum(values)):
            return False
        time_us = read_time(int(time), message.received_us) or message.received_us
        sink.batch.add_samples(row, time_us, *point.scaled(values))
        return True


class JsonPlan(_PointsPlan):
    """`{"name", "tags", "fields", "timestamp"}`, or many of them under `metrics`."""

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        received_us, found = message.received_us, []
        for metric in _decode(message.payload):
            names: list[str] = []
            values: list[float] = []
            flatten(metric.fields, "", names, values)
            point = self._point(row, (metric.name, tuple(metric.tags.items())), names, sink)
            if point is not None:
                found.append((read_time(metric.timestamp, received_us) or received_us, point, values))
        self._put(row, found, sink)


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
        if number is None or number[1]:
            if not text:
                raise Unread("empty")
            return  # a text or a truth
        if not self._figure.series:
            self._begin(row, sink)
        sink.put_one(row, message.received_us, self._figure, number[0])

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
        message = _decode_message(payload)
    except FAILURES:
        read_object(payload)  # says why, where it is no JSON at all
        raise Unread("shape") from None
    return [message] if message.metrics is None else message.metrics


def _is_json(payload: bytes) -> bool:
    try:
        metrics = _decode(payload)
    except Unread:
        return False
    return bool(metrics) and all(metric.name and metric.fields for metric in metrics)


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
