"""OpenTelemetry's OTLP as JSON, on whatever topic: metrics and log records of a resource, which is the agent.

Attributes of a data point are its labels. Of a histogram come `<name>.count`, `<name>.sum` and, under the name itself, the
mean of what was added since the point before. Spans are stored and derive nothing.
"""

from array import array
from collections.abc import Iterator
from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.records import Declaration, Level
from models.domain.timestamps import read_time
from mqtt.reading.contract_work import put_log
from mqtt.reading.decode import compact, read_object
from mqtt.reading.generic_numbers import contract_unit, number_of
from mqtt.reading.generic_topics import is_passing, names_agent
from mqtt.reading.log_levels import level_of
from mqtt.reading.log_shapes import LogRecord
from mqtt.reading.plan import Plan, Sink, Unread
from mqtt.reading.units import in_base

SOURCE = "opentelemetry"
MOST_INSTANCES = 100_000
MOST_SUMS = 100_000
_ROOTS = (b'"resourceMetrics"', b'"resourceLogs"', b'"resourceSpans"')
_LOOK_BYTES = 64
_CUMULATIVE = (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")
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

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        body = read_object(message.payload)
        if message.origin is Origin.REPLAY:
            return
        found: set[int] = set()
        for kind, scopes, inner in (
            ("resourceMetrics", "scopeMetrics", "metrics"),
            ("resourceLogs", "scopeLogs", "logRecords"),
        ):
            for resource in _objects(body.get(kind)):
                agent = self._agent(row, _attributes(_object(resource.get("resource")).get("attributes")), sink)
                found.add(agent)
                for scope in _objects(resource.get(scopes)):
                    records = _objects(scope.get(inner))
                    if inner == "metrics":
                        self._put_metrics(row, agent, message, records, sink)
                    else:
                        logger = _object(scope.get("scope")).get("name")
                        _put_logs(row, agent, message, records, logger if isinstance(logger, str) else None, sink)
        if not found and "resourceSpans" not in body:
            raise Unread("shape")
        sink.heard(row, found)

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
        self, row: int, agent: int, message: RawMessage, metrics: list[dict[str, Any]], sink: Sink
    ) -> None:  # fmt: skip
        sink.batch.kind[row] = Kind.METRICS
        moments: dict[int, tuple[array[int], list[float]]] = {}
        crowded = False
        for metric in metrics:
            for point, name, unit, kind, value, mean_of in _points(metric):
                series, scale = sink.figure(agent, name, unit, kind, SOURCE, _labels(point))
                if not series:
                    crowded = True
                    continue
                if mean_of is not None:
                    value = self._mean(series, *mean_of)  # noqa: PLW2901 - known now
                value = None if value is None else in_base(value, scale)  # noqa: PLW2901
                if value is None:
                    continue
                told = point.get("timeUnixNano")
                time_us = read_time(told, message.received_us) or message.received_us
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


_Point = tuple[dict[str, Any], str, str, SeriesKind, float | None, tuple[float, float] | None]


def _points(metric: dict[str, Any]) -> Iterator[_Point]:
    """(data point, name, unit, kind, value, count and sum whose mean is wanted) of all that a metric says."""
    name, unit = metric.get("name"), metric.get("unit")
    if not isinstance(name, str):
        return
    unit = unit if isinstance(unit, str) and unit else contract_unit(name)[0]
    for form in ("gauge", "sum"):
        data = _object(metric.get(form))
        total = data.get("isMonotonic") is True and data.get("aggregationTemporality") in _CUMULATIVE
        for point in _objects(data.get("dataPoints")):
            value = _number(point.get("asDouble", point.get("asInt")))
            yield point, name, unit, SeriesKind.COUNTER if total else SeriesKind.GAUGE, value, None
    for form in ("histogram", "exponentialHistogram", "summary"):
        data = _object(metric.get(form))
        cumulative = form == "summary" or data.get("aggregationTemporality") in _CUMULATIVE
        kind = SeriesKind.COUNTER if cumulative else SeriesKind.GAUGE
        for point in _objects(data.get("dataPoints")):
            count, total_ = _number(point.get("count")), _number(point.get("sum"))
            yield point, f"{name}.count", "", kind, count, None
            if total_ is None or count is None:
                continue
            yield point, f"{name}.sum", unit, kind, total_, None
            if cumulative:
                yield point, name, unit, SeriesKind.GAUGE, None, (count, total_)
            elif count:
                yield point, name, unit, SeriesKind.GAUGE, total_ / count, None


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


def _labels(point: dict[str, Any]) -> str:
    attributes = _attributes(point.get("attributes"))
    return compact(attributes) if attributes else ""


def _attributes(listed: object) -> dict[str, Any]:
    """OTLP's list of keys and typed values as an object."""
    return {key: _value(one.get("value")) for one in _objects(listed) if isinstance(key := one.get("key"), str)}


def _value(typed: object) -> Any:
    """What is inside `{"stringValue": …}` and its like. Nothing is lost: what is no such thing stays as it is."""
    if not isinstance(typed, dict) or len(typed) != 1:
        return typed
    kind, value = next(iter(typed.items()))
    if kind == "intValue":
        number = _number(value)
        return int(number) if number is not None else value
    if kind == "arrayValue":
        return [_value(one) for one in _objects(_object(value).get("values"))]
    if kind == "kvlistValue":
        return _attributes(_object(value).get("values"))
    return value


def _number(value: object) -> float | None:
    """OTLP sends 64-bit integers as text."""
    if isinstance(value, str) and len(value) <= 20 and value.lstrip("-").isdecimal():
        value = int(value)
    return number_of(value)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
