"""Units as they are written, what is stored, and what becomes of a series whose unit is told otherwise one day."""

import math

import pytest

from models.domain.names import SeriesKey, SeriesKind
from mqtt.reading.units import base_unit, known_unit, scaled, scales_of, unit_of
from tests.helpers.reading import Reading


@pytest.mark.parametrize(
    ("written", "value", "unit", "stored"),
    [
        ("%", 29.0, "1", 0.29), ("percent", 7.0, "1", 0.07), ("MB", 104.3, "By", 104_300_000.0), ("MiB", 1.5, "By", 1_572_864.0),
        ("kB", 0.1, "By", 100.0), ("GiB", 2.0, "By", 2.0**31), ("B", 5.0, "By", 5.0), ("ms", 30.0, "s", 0.03),
        ("µs", 7.0, "s", 7e-6), ("ns", 3.0, "s", 3e-9), ("min", 1.5, "s", 90.0), ("h", 2.0, "s", 7200.0),
        ("days", 1.0, "s", 86_400.0), ("kHz", 2.5, "Hz", 2_500.0), ("MHz", 2_400.0, "Hz", 2.4e9), ("kW", 1.1, "W", 1_100.0),
        ("mW", 300.0, "W", 0.3), ("MW", 3.0, "W", 3e6), ("kWh", 1.2, "Wh", 1_200.0), ("mV", 3_300.0, "V", 3.3),
        ("mA", 7.0, "A", 0.007), ("°F", 212.0, "Cel", 100.0), ("°C", 21.5, "Cel", 21.5), ("MB/s", 3.0, "By/s", 3e6),
        ("Mbit/s", 10.0, "bit/s", 1e7), ("bit/s", 10.0, "bit/s", 10.0), ("req/s", 3.0, "/s", 3.0), ("lx", 30.0, "lx", 30.0), ("hPa", 1013.0, "hPa", 1013.0),
        ("MBy", 1.0, "By", 1e6), ("Cel", 3.0, "Cel", 3.0), ("1", 0.5, "1", 0.5), ("{thread}", 3.0, "{thread}", 3.0),
        ("furlongs", 3.0, "furlongs", 3.0), ("", 3.0, "", 3.0), ("x" * 33, 3.0, "", 3.0), ("km/h", 3.0, "km/h", 3.0),
    ],
)  # fmt: skip
def test_base_units_are_exact(written: str, value: float, unit: str, stored: float) -> None:
    base, scale = base_unit(written)
    assert (base, value if scale is None else scale.of(value)) == (unit, stored)


def test_hundredths_and_thousandths_are_the_nearest_doubles() -> None:
    for unit, by in (("%", 100), ("ms", 1_000), ("us", 1_000_000)):
        scale = base_unit(unit)[1]
        assert scale is not None
        assert all(scale.of(float(n)) == n / by for n in range(2_000))


def test_many_are_scaled_as_one() -> None:
    units = ("[degF]", "kWh", "", "ms")
    scales = scales_of([base_unit(unit)[1] for unit in units])
    assert scales is not None
    assert scaled([1, 2, 3, 4], (50.0, 1.5, 7.0, 30.0), scales) == ([1, 2, 3, 4], [10.0, 1500.0, 7.0, 0.03])
    assert scales_of([None, None]) is None


def test_what_is_no_unit() -> None:
    assert [known_unit(one) for one in ("px", "items", "", "/", "5", "MB/h", "x/s", "bit")] == [None] * 8


def test_what_no_double_holds_is_left_out() -> None:
    scale = base_unit("kWh")[1]
    scales = scales_of([scale, scale, None])
    assert scales is not None
    assert scaled([1, 2, 3], [1e308, 2.0, math.ulp(0.0)], scales) == ([2, 3], [2_000.0, math.ulp(0.0)])
    reading = Reading()
    batch = reading.send("fleet/c-1/metrics", {"disk_gb": 1e305, "x": 1})
    assert [(one.metric, one.value) for one in reading.points] == [("x", 1.0)]
    assert list(batch.sample_value) == [1.0]


@pytest.mark.parametrize(
    ("metric", "unit", "kind"),
    [
        ("cpu_percent", "%", SeriesKind.GAUGE), ("uptimeSec", "s", SeriesKind.GAUGE), ("a.b.rx_kb", "kBy", SeriesKind.GAUGE),
        ("memMiB", "MiBy", SeriesKind.GAUGE), ("requests_total", "", SeriesKind.COUNTER),
        ("tx_bytes_total", "By", SeriesKind.COUNTER), ("memory_total", "", SeriesKind.GAUGE),
        ("bytes_per_sec", "By/s", SeriesKind.GAUGE), ("s", "", SeriesKind.GAUGE), ("b", "", SeriesKind.GAUGE),
        ("process_status", "", SeriesKind.GAUGE), ("cpu", "", SeriesKind.GAUGE), ("", "", SeriesKind.GAUGE),
    ],
)  # fmt: skip
def test_units_by_name(metric: str, unit: str, kind: SeriesKind) -> None:
    assert unit_of(metric) == (unit, kind)


def test_figures_of_the_same_measure_are_one_series() -> None:
    reading = Reading()
    for text in ("980 kB", "1.5 MB", "2 MiB"):
        reading.send("box-1/memory", text)
    assert [(one.unit, one.value) for one in reading.points] == [
        ("By", 980_000.0),
        ("By", 1_500_000.0),
        ("By", 2_097_152.0),
    ]
    assert len(reading.names.series) == 2


def test_counts_of_whatever_are_one_series() -> None:
    reading = Reading()
    for text in ("7 items", "1 item", "0"):
        reading.send("box-1/queue", text)
    assert [(one.unit, one.value) for one in reading.points] == [("items", 7.0), ("items", 1.0), ("items", 0.0)]


def test_another_measure_is_another_series() -> None:
    reading = Reading()
    for text in ("5", "5 %", "6", "7 %", "30 ms"):
        reading.send("box-1/cpu", text)
    assert [(one.metric, one.unit, one.value) for one in reading.points] == [
        ("cpu", "", 5.0), ("cpu", "1", 0.05), ("cpu", "", 6.0), ("cpu", "1", 0.07), ("cpu", "s", 0.03),
    ]  # fmt: skip
    assert [one.labels for one in reading.names.series[1:]] == ["", '{"unit":"1"}', '{"unit":"s"}']
    labelled = reading.reader._sink.figure(1, "cpu", "GiB", SeriesKind.GAUGE, "x", "")
    assert reading.names.series[labelled.series].labels == '{"unit":"By"}'
    assert reading.reader._sink.series(1, "cpu", "By", SeriesKind.GAUGE, "x", '{"unit":"By"}') == labelled.series


def test_a_series_stored_in_another_unit_goes_on_in_it() -> None:
    """What was recorded before figures were brought to base units."""
    reading = Reading()
    agent = reading.names.agent("crawler-1")
    for metric, unit in (("latency_ms", "ms"), ("rate", "")):
        reading.names.series_of(SeriesKey(agent, metric, "", unit, SeriesKind.GAUGE, "generic"))
    body = {"latency_ms": 30, "wait_ms": 30, "rate": 3}
    for _ in range(8):  # long enough for a decoder of their own
        reading.send("fleet/crawler-1/metrics", body)
    assert {(one.metric, one.unit, one.value) for one in reading.points} == {
        ("latency_ms", "ms", 30.0), ("wait_ms", "s", 0.03), ("rate", "", 3.0),
    }  # fmt: skip
    assert len(reading.points) == 24


@pytest.mark.parametrize("topic", ["agents/c-1/metrics", "fleet/c-1/metrics"])
def test_the_quick_way_scales_as_the_long_one(topic: str) -> None:
    reading = Reading()
    for n in range(12):
        reading.send(topic, {"cpu_percent": n, "memory_mb": 0.5, "x": n})
    assert [one.value for one in reading.points if one.metric == "cpu_percent"] == [n / 100 for n in range(12)]
    assert {(one.unit, one.value) for one in reading.points if one.metric == "memory_mb"} == {("By", 500_000.0)}
    assert {one.unit for one in reading.points if one.metric == "x"} == {""}


def test_a_table_of_figures_keeps_their_scales() -> None:
    reading = Reading()
    for n in range(9):
        reading.send("metrics", {"agent": f"a{n % 2}", **({"wait_ms": 30} if n % 3 else {"wait_ms": 30, "y": 1})})
    assert {one.value for one in reading.points if one.metric == "wait_ms"} == {0.03}
