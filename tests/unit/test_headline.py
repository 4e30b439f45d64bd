import numpy as np
import pytest

from models.domain.headline import Headline, base_unit, headline


def found(metric: str, unit: str = "", labels: str = "") -> Headline:
    answer = headline(metric, unit, labels)
    assert answer is not None, metric
    return answer


@pytest.mark.parametrize(
    ("metric", "unit", "role", "base"),
    [
        ("process.cpu.utilization", "1", "cpu", "1"), ("process.cpu.utilization", "", "cpu", "1"),
        ("system.cpu.utilization", "1", "cpu", "1"), ("cpu_percent", "", "cpu", "1"), ("cpu", "", "cpu", ""),
        ("metrics.cpu.total", "%", "cpu", "1"), ("sys/cpu_usage", "%", "cpu", "1"),
        ("process.memory.usage", "By", "memory", "By"), ("process.memory.usage", "", "memory", "By"),
        ("rss", "", "memory", ""), ("memory_mb", "", "memory", "By"), ("mem_percent", "", "memory", "1"),
        ("system.memory.utilization", "1", "memory", "1"), ("agent.request.duration", "s", "response", "s"),
        ("gen_ai.client.operation.duration", "s", "response", "s"), ("latency_ms", "", "response", "s"),
        ("response_time", "ms", "response", "s"), ("agent.connection.attempts", "{connection}", "attempts", "{connection}"),
        ("CPU Percentage", "1", "cpu", "1"), ("Processor use", "1", "cpu", "1"), ("Virtual Memory", "By", "memory", "By"),
        ("Memory Percentage", "1", "memory", "1"), ("Memory Used", "By", "memory", "By"), ("Response time", "s", "response", "s"),
        ("agent.connection.successes", "", "successes", ""), ("connections_failed", "", "errors", ""),
    ],
)  # fmt: skip
def test_known_names_have_a_role(metric: str, unit: str, role: str, base: str) -> None:
    assert (found(metric, unit).role, found(metric, unit).unit) == (role, base)


@pytest.mark.parametrize(
    ("metric", "unit", "labels"),
    [
        ("cpu_count", "", ""), ("cpu_load", "", ""), ("load.cpu", "", ""), ("cpu_temperature", "", ""), ("cpu", "By", ""),
        ("process.cpu.time", "s", ""), ("latency", "", ""), ("memory_total", "By", ""), ("", "", ""), ("...", "", ""),
        ("system.cpu.utilization", "1", '{"state":"user"}'), ("system.memory.usage", "By", '{"state":"free"}'),
    ],
)  # fmt: skip
def test_other_names_have_none(metric: str, unit: str, labels: str) -> None:
    assert headline(metric, unit, labels) is None


def test_own_before_host_total_before_part_idle_last() -> None:
    order = [
        found("process.cpu.utilization", "1"),
        found("process.cpu.utilization", "1", '{"thread":"7"}'),
        found("cpu_percent"),
        found("system.cpu.utilization", "1"),
        found("system.cpu.utilization", "1", '{"cpu":"0"}'),
        found("usage_idle"),
        found("usage_idle", "", '{"cpu":"cpu0"}'),
    ]
    assert [one.rank for one in order] == sorted({one.rank for one in order})
    assert found("cpu", "", '{"cpu":"cpu-total"}').rank == found("cpu").rank
    hosts = [found("cpu.usage_idle", "1", f'{{"cpu":"{one}","dc":"eu"}}') for one in ("cpu-total", "cpu0")]
    assert hosts[0].rank == found("usage_idle").rank < hosts[1].rank
    assert found("cpu.usage_active", "1").rank < hosts[0].rank
    assert found("cpu", "1", '{"unit":"1"}').rank == found("cpu", "1").rank
    assert found("memory_mb").rank < found("mem_percent").rank < found("system.memory.usage", "By").rank
    assert found("system.memory.usage", "By", '{"state":"used"}').rank == found("system.memory.usage", "By").rank


def test_idle_is_shown_as_what_is_left() -> None:
    telegraf = found("usage_idle")
    assert telegraf.from_idle
    assert telegraf.unit == "1"
    assert telegraf.value(75.0) == pytest.approx(0.25)
    otel = found("system.cpu.utilization", "1", '{"state":"idle"}')
    assert otel.from_idle
    np.testing.assert_allclose(otel.value(np.array([0.9, 1.0])), [0.1, 0.0])
    assert found("cpu.idle").value(60.0) == pytest.approx(40.0)


def test_labels_that_are_no_json_object_are_a_part() -> None:
    assert found("cpu", "", "core0").rank == found("cpu", "", "[1]").rank > found("cpu").rank


def test_units_come_to_base() -> None:
    assert (base_unit("%"), base_unit("MB"), base_unit(""), base_unit("widgets")) == ("1", "By", "", "widgets")
    assert found("memory_mb").value(1.5) == 1_500_000
