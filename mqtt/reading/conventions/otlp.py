"""OpenTelemetry's OTLP as JSON, on whatever topic: metrics and log records of a resource, which is the agent.

Attributes of a data point are its labels. Of a histogram come `<name>.count`, `<name>.sum` and, under the name itself, the
mean of what was added since the point before. Spans are stored and derive nothing.
"""

from array import array
from collections.abc import Iterable
from itertools import chain
from typing import Any

from msgspec import Raw

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.records import Declaration, Level
from models.domain.timestamps import read_time
from mqtt.reading.contract_work import put_log
from mqtt.reading.conventions.otlp_points import (
    Point,
    UsualResource,
    as_object,
    number_in,
    objects,
    points,
    usual_metrics,
    usual_points,
)
from mqtt.reading.decode import compact, read_json, read_object
from mqtt.reading.generic_topics import is_passing, names_agent
from mqtt.reading.log_levels import level_of
from mqtt.reading.log_shapes import LogRecord
from mqtt.reading.plan import Figure, Plan, Sink, Unread
from mqtt.reading.units import in_base

SOURCE = "opentelemetry"
MOST_INSTANCES = 100_000
MOST_SUMS = 100_000
MOST_RESOURCES, MOST_FIGURES = 64, 4_096
"""Known by heart, of one topic."""
_ROOTS = (b'"resourceMetrics"', b'"resourceLogs"', b'"resourceSpans"')
_LOOK_BYTES = 64
_SEVERITY = "SEVERITY_NUMBER_"
_AGENT_KEYS = ("gen_ai.agent.name", "service.name", "gen_ai.agent.id", "service.instance.id")


class OtlpRecogniser:
    """Takes a topic whose first message is an export of metrics, logs or spans."""

    uses_declarations = False

    def __init__(self) -> None:
        self._instances: dict[str, str] = {}  # service -> the instance that bears its plain name

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        return OtlpPlan(topic, self._instances) if is_export(message.payload) else None


def is_export(payload: bytes) -> bool:
    """Whether it begins like one of metrics, logs or spans."""
    begin = payload[:_LOOK_BYTES].lstrip()
    return begin[:1] == b"{" and any(one in begin for one in _ROOTS)


class OtlpPlan:
    """One topic; each export names its resource anew."""

    def __init__(self, topic: int, instances: dict[str, str]) -> None:
        self.topic, self.agent, self.kind = topic, 0, Kind.METRICS
        self._instances = instances
        self._sums: dict[int, tuple[float, float]] = {}  # series of the mean -> count and sum of the point before
        self._resources: dict[bytes, dict[str, Any]] = {}  # JSON of resources -> their attributes
        self._figures: dict[tuple[int, str, str, SeriesKind, bytes], Figure] = {}  # by JSON of the attributes

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        usual = None if message.origin is Origin.REPLAY else usual_metrics(message.payload)
        if usual:
            sink.heard(row, self._read_usual(row, message, usual, sink))
            return
        body = read_object(message.payload)
        if message.origin is Origin.REPLAY:
            return
        found: set[int] = set()
        for kind, scopes, inner in (
            ("resourceMetrics", "scopeMetrics", "metrics"),
            ("resourceLogs", "scopeLogs", "logRecords"),
        ):
            for resource in objects(body.get(kind)):
                agent = self._agent(row, _attributes(as_object(resource.get("resource")).get("attributes")), sink)
                found.add(agent)
                for scope in objects(resource.get(scopes)):
                    records = objects(scope.get(inner))
                    if inner == "metrics":
                        told = chain.from_iterable(map(points, records))
                        self._put_metrics(row, agent, message, told, sink)
                    else:
                        logger = as_object(scope.get("scope")).get("name")
                        _put_logs(row, agent, message, records, logger if isinstance(logger, str) else None, sink)
        if not found and "resourceSpans" not in body:
            raise Unread("shape")
        sink.heard(row, found)

    def _read_usual(self, row: int, message: RawMessage, usual: list[UsualResource], sink: Sink) -> set[int]:
        found: set[int] = set()
        for one in usual:
            resource = bytes(one.resource)
            attributes = self._resources.get(resource)
            if attributes is None:
                if len(self._resources) >= MOST_RESOURCES:
                    self._resources.clear()
                attributes = _attributes(as_object(read_json(resource) if resource else None).get("attributes"))
                self._resources[resource] = attributes
            agent = self._agent(row, attributes, sink)
            found.add(agent)
            for scope in one.scope_metrics:
                told = chain.from_iterable(map(usual_points, scope.metrics))
                self._put_metrics(row, agent, message, told, sink)
        return found

    def _figure(self, agent: int, point: Point, sink: Sink) -> Figure:
        attributes = point.attributes
        if not isinstance(attributes, Raw):
            return sink.figure(agent, point.name, point.unit, point.kind, SOURCE, _labels(attributes))
        told = bytes(attributes)
        key = agent, point.name, point.unit, point.kind, told
        found = self._figures.get(key)
        if found is None:
            labels = _labels(read_json(told) if told else None)
            found = sink.figure(agent, point.name, point.unit, point.kind, SOURCE, labels)
            if found.series:
                if len(self._figures) >= MOST_FIGURES:
                    self._figures.clear()
                self._figures[key] = found
        return found

    def _agent(self, row: int, resource: dict[str, Any], sink: Sink) -> int:
        """A service is the agent. Where several instances of it send, the first keeps the name and the others bear theirs
        behind it; an instance id that is made anew with every start tells nothing."""
        named = next(
            (one for key in _AGENT_KEYS if isinstance(one := resource.get(key), str) and names_agent(one)), None
        )
        if named is None:
            raise Unread("shape")
        instance = resource.get("service.instance.id")
        name = named
        if isinstance(instance, str) and names_agent(instance) and not is_passing(instance):
            if named not in self._instances and len(self._instances) < MOST_INSTANCES:
                self._instances[named] = instance
            if self._instances.get(named, instance) != instance:
                name = f"{named}/{instance}"
        agent = self.agent = sink.batch.agent[row] = sink.agent(name)
        host, version = resource.get("host.name"), resource.get("service.version")
        declaration = Declaration(
            row, agent, SOURCE, host=host if isinstance(host, str) else None, version=version if isinstance(version, str) else None
        )  # fmt: skip
        if sink.declarations.is_news(declaration, name):
            sink.batch.declarations.append(declaration)
        return agent

    def _put_metrics(
        self, row: int, agent: int, message: RawMessage, told: Iterable[Point], sink: Sink
    ) -> None:  # fmt: skip
        sink.batch.kind[row] = Kind.METRICS
        moments: dict[int, tuple[array[int], list[float]]] = {}
        crowded = False
        told_before: object = None
        time_us = message.received_us
        for point in told:
            series, scale = self._figure(agent, point, sink)
            if not series:
                crowded = True
                continue
            value = point.value if point.mean_of is None else self._mean(series, *point.mean_of)
            value = None if value is None else in_base(value, scale)
            if value is None:
                continue
            if point.time != told_before:  # most share it
                told_before = point.time
                time_us = read_time(told_before, message.received_us) or message.received_us
            found, values = moments.setdefault(time_us, (array("I"), []))
            found.append(series)
            values.append(value)
        for time_us, (found, values) in sorted(moments.items()):
            sink.batch.add_samples(row, time_us, found, values)
        if crowded:
            sink.unread(row, "too-many-series")

    def _mean(self, series: int, count: float, total: float) -> float | None:
        """Of what was added since the point before; None where nothing was. A count that falls began again."""
        count_before, total_before = self._sums.get(series, (0.0, 0.0))
        if len(self._sums) >= MOST_SUMS and series not in self._sums:
            self._sums.clear()
        self._sums[series] = count, total
        if count < count_before:
            count_before = total_before = 0.0
        return (total - total_before) / (count - count_before) if count > count_before else None


def _put_logs(
    row: int, agent: int, message: RawMessage, records: list[dict[str, Any]], logger: str | None, sink: Sink
) -> None:
    sink.batch.kind[row] = Kind.LOG
    for one in records:
        level = level_of(_severity(one.get("severityNumber")), one)
        if level is None:
            level = level_of(one.get("severityText"), one)
        attributes = _attributes(one.get("attributes"))
        exception = [attributes.pop(f"exception.{part}", None) for part in ("type", "message", "stacktrace")]
        kind, text, stack = (part if isinstance(part, str) else None for part in exception)
        body = _value(one.get("body"))
        time_us = read_time(one.get("timeUnixNano") or one.get("observedTimeUnixNano"), message.received_us)
        record = LogRecord(
            Level.INFO if level is None else level, time_us, logger, body if isinstance(body, str) else compact(body),
            ": ".join(filter(None, (kind, text))) or None, stack, compact(attributes) if attributes else None,
        )  # fmt: skip
        put_log(sink, row, agent, message, record)


def _severity(told: object) -> object:
    """The number, or the word of its name: `SEVERITY_NUMBER_ERROR2`."""
    named = isinstance(told, str) and told.startswith(_SEVERITY)
    return told.removeprefix(_SEVERITY).rstrip("234") if isinstance(told, str) and named else told


def _labels(listed: object) -> str:
    attributes = _attributes(listed)
    return compact(attributes) if attributes else ""


def _attributes(listed: object) -> dict[str, Any]:
    """OTLP's list of keys and typed values as an object."""
    return {key: _value(one.get("value")) for one in objects(listed) if isinstance(key := one.get("key"), str)}


def _value(typed: object) -> Any:
    """What is inside `{"stringValue": …}` and its like. Nothing is lost: what is no such thing stays as it is."""
    if not isinstance(typed, dict) or len(typed) != 1:
        return typed
    kind, value = next(iter(typed.items()))
    if kind == "intValue":
        number = number_in(value)
        return int(number) if number is not None else value
    if kind == "arrayValue":
        return [_value(one) for one in objects(as_object(value).get("values"))]
    if kind == "kvlistValue":
        return _attributes(as_object(value).get("values"))
    return value
