import json
import random
from collections import Counter

import pytest

from models.domain.messages import Origin
from models.domain.names import SeriesKind
from models.domain.records import Level
from tests.helpers.reading import ARRIVAL_US, Reading, recorded

NS = ARRIVAL_US * 1_000


def metrics(*found: dict[str, object], **resource: str) -> dict[str, object]:
    attributes = [
        {"key": key, "value": {"stringValue": value}} for key, value in (resource or {"service.name": "a"}).items()
    ]
    return {"resourceMetrics": [{"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [*found]}]}]}


def gauge(name: str, value: object, **more: object) -> dict[str, object]:
    return {"name": name, "unit": "1", "gauge": {"dataPoints": [{"asDouble": value, "timeUnixNano": str(NS), **more}]}}


@pytest.mark.parametrize("size", [1, 19])
def test_a_whole_recording(size: int) -> None:
    reading, logs, unread, declared = Reading(), [], [], []
    messages = recorded("otlp-json-js-sdk")
    for i in range(0, len(messages), size):
        batch = reading.read(*messages[i : i + size])
        logs += batch.logs
        unread += batch.unreadable
        declared += batch.declarations
    assert reading.agents() == {"research-agent"}
    assert [(one.host, one.version) for one in declared] == [("node-9", "2.0.0")]
    assert Counter(one.level for one in logs) == {Level.INFO: 10, Level.ERROR: 3}
    assert all(one.stack and one.error for one in logs if one.level is Level.ERROR)
    assert {one.logger for one in logs} == {"agent"}
    memory = [one for one in reading.points if one.metric == "process.memory.usage"]
    assert len(memory) == 6
    assert {one.unit for one in memory} == {"By"}
    last = {}
    series = {(one.metric, one.labels): one for one in reading.names.series}
    for one in reading.points:
        last[one.metric] = one.value
    assert last["gen_ai.client.operation.duration.count"] == 13
    assert last["gen_ai.client.operation.duration.sum"] == pytest.approx(14.3)
    ok, error = (f'{{"outcome":"{word}"}}' for word in ("ok", "error"))
    assert series["agent.tasks.completed", ok].kind is SeriesKind.COUNTER
    assert ("agent.tasks.completed", error) in series
    shares = [one.value for one in reading.points if one.metric == "system.cpu.utilization"]
    assert shares
    assert all(0 <= one <= 1 for one in shares)
    assert not unread


def test_labels_tell_series_apart_and_times_are_the_point_s_own() -> None:
    reading = Reading()
    core = lambda n: {"attributes": [{"key": "core", "value": {"intValue": str(n)}}]}  # noqa: E731
    reading.send(
        "otel", metrics(gauge("cpu", 0.5, **core(0)), gauge("cpu", 0.7, **core(1), timeUnixNano=str(NS - 10**9)))
    )
    assert [(one.time_us, one.value) for one in reading.points] == [(ARRIVAL_US - 1_000_000, 0.7), (ARRIVAL_US, 0.5)]
    assert [one.labels for one in reading.names.series[1:]] == ['{"core":0}', '{"core":1}']


def test_instances_of_a_service_that_last_are_agents_and_passing_ones_are_not() -> None:
    reading = Reading()
    for instance in ("ra-1", "ra-2", "6f1c2a52-3d1e-4f0e-9a0a-0123456789ab", "ra-1"):
        reading.send("otel", metrics(gauge("cpu", 1), **{"service.name": "research", "service.instance.id": instance}))
    assert reading.agents() == {"research", "research/ra-2"}


def test_of_a_histogram_come_count_sum_and_the_mean_of_what_was_added() -> None:
    reading = Reading()
    for count, total in ((2, 1.0), (2, 1.0), (4, 5.0), (1, 3.0)):  # the last: it began again
        point = {"count": str(count), "sum": total, "timeUnixNano": str(NS)}
        reading.send(
            "otel",
            metrics({"name": "d", "unit": "ms", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}}),
        )
    assert [one.value for one in reading.points if one.metric == "d"] == [0.0005, 0.002, 0.003]
    assert [one.value for one in reading.points if one.metric == "d.count"] == [2, 2, 4, 1]


def test_whole_numbers_come_as_text_and_what_is_no_number_makes_no_point() -> None:
    reading = Reading()
    point = {"asInt": "9007199254740993", "timeUnixNano": str(NS)}
    nothing = {"asDouble": "NaN", "timeUnixNano": str(NS)}
    batch = reading.send("otel", metrics({"name": "n", "gauge": {"dataPoints": [point, nothing]}}))
    assert [one.value for one in reading.points] == [9007199254740992.0]
    assert not batch.unreadable


def test_spans_are_stored_and_nothing_is_derived() -> None:
    reading = Reading()
    assert not reading.send("otel", {"resourceSpans": []}).unreadable
    assert not reading.agents()


def test_a_retained_export_is_old() -> None:
    reading = Reading()
    reading.send("otel", metrics(gauge("cpu", 1)), Origin.REPLAY)
    assert not reading.points


def test_a_million_series_are_capped_and_said() -> None:
    reading = Reading()
    batch = reading.send("otel", metrics(*(gauge(f"m{n}", 1) for n in range(3_000))))
    assert [one.reason for one in batch.unreadable] == ["too-many-series"]
    assert len(reading.points) == 2_000


@pytest.mark.parametrize(
    ("cases", "seed"), [(1_000, 3), *(pytest.param(20_000, 4 + part, marks=pytest.mark.long) for part in range(5))]
)
def test_broken_exports_never_escape(cases: int, seed: int) -> None:
    chance = random.Random(seed)
    reading = Reading()
    whole = [one.payload for one in recorded("otlp-json-js-sdk")]
    junk: list[object] = [None, 1, "x", [], {}, True, 1e308, {"stringValue": 1}, [None]]

    def broken(value: object) -> object:
        if chance.random() < 0.02:
            return chance.choice(junk)
        if isinstance(value, dict):
            return {key: broken(one) for key, one in value.items() if chance.random() > 0.01}
        return [broken(one) for one in value] if isinstance(value, list) else value

    for _ in range(cases):
        batch = reading.send("otel", json.dumps(broken(json.loads(chance.choice(whole)))))
        assert not any(one.reason == "bug" for one in batch.unreadable)


@pytest.mark.parametrize(
    ("told", "level"), [("SEVERITY_NUMBER_ERROR", Level.ERROR), ("SEVERITY_NUMBER_WARN3", Level.WARN)]
)
def test_enumerations_may_come_by_name(told: str, level: Level) -> None:
    reading = Reading()
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "a"}}]}
    records = [{"severityNumber": told, "body": {"stringValue": "x"}}]
    batch = reading.send("o", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]})
    assert [one.level for one in batch.logs] == [level]
    points = {"dataPoints": [{"asInt": "5", "timeUnixNano": str(NS)}], "isMonotonic": True}
    total = {"name": "n", "sum": {**points, "aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE"}}
    reading.send("o", metrics(total))
    assert [one.kind for one in reading.names.series[1:]] == [SeriesKind.COUNTER]
