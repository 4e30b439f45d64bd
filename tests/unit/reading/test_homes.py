"""What lies beside an availability topic belongs to its agent; values behind their time come from hosts."""

import math

import pytest

from models.domain.messages import Origin
from mqtt.reading.generic_numbers import read_timed
from tests.helpers.reading import Reading, recorded

NOW_US = 1_795_441_200_000_000


def test_everything_beside_an_availability_is_that_agents() -> None:
    reading = Reading()
    reading.send("glances/web-host/network/eth0/bytes_recv", "12")
    reading.send("glances/web-host/availability", "online", origin=Origin.REPLAY)
    for topic in ("cpu/total", "percpu/0/total", "diskio/vda1/read_bytes", "load/min1", "ip/mask_cidr"):
        reading.send(f"glances/web-host/{topic}", "3.5")
    series = {key.metric for key in reading.names.series if key.agent == reading.names.known_agent("web-host")}
    assert {"cpu.total", "percpu.0.total", "diskio.vda1.read_bytes", "load.min1", "ip.mask_cidr"} <= series
    assert reading.agents() <= {"web-host", "eth0"}, "only what came before the availability was known may stand apart"


def test_a_name_with_a_slash_is_one_home() -> None:
    reading = Reading()
    reading.send("bridge/kitchen/plug/availability", "online")
    reading.send("bridge/kitchen/plug/energy/today", "3")
    reading.send("bridge/kitchen/lamp/availability", "online")
    reading.send("bridge/kitchen/lamp/energy/today", "3")
    assert reading.agents() == {"kitchen/plug", "kitchen/lamp"}


@pytest.mark.parametrize(
    "text", ["12:30", "1795419131", "a:1", "1795419131:x", "1795419131:", "10:20:30", "1795419131:1:"]
)
def test_clock_times_and_words_are_no_timed_values(text: str) -> None:
    assert read_timed(text, NOW_US) is None


def test_timed_values() -> None:
    timed = read_timed("1795441190.5:1.64:nan:-2e3", NOW_US)
    assert timed is not None
    assert timed.time_us == 1_795_441_190_500_000
    assert timed.values[0] == 1.64
    assert math.isnan(timed.values[1])
    assert timed.values[2] == -2000
    assert read_timed("1000000000:1", NOW_US) is None, "implausible times are no times"


def test_a_reporter_of_hosts_is_one_agent_with_the_times_of_its_payloads() -> None:
    reading = Reading()
    batch = reading.read(*recorded("collectd-5.12"))
    assert reading.agents() == {"edge-box-7"}
    assert not batch.unreadable
    count: dict[str, int] = {}
    for id_ in batch.sample_series:
        count[reading.names.series[id_].metric] = count.get(reading.names.series[id_].metric, 0) + 1
    assert count["cpu.percent-idle"] == 9
    assert count["memory.percent-used"] == 10
    assert [count[f"load.load.{term}"] for term in ("shortterm", "midterm", "longterm")] == [10, 10, 10]
    received = [batch.messages[row].received_us for row in batch.stamp_row]
    assert any(abs(own - arrival) > 1_000 for own, arrival in zip(batch.stamp_time_us, received, strict=True))


def test_resources_show_where_an_agent_begins_whatever_comes_first() -> None:
    reading = Reading()
    topics = ("now/history_size", "ip/mask_cidr", "irq/LOC", "network/eth0/bytes_recv", "cpu/user", "percpu/0/user")
    reading.read(*(reading.message(f"glances/web-host/{topic}", "3") for topic in topics))
    assert reading.agents() == {"web-host"}


def test_resources_of_a_namespace_collect_nobody() -> None:
    reading = Reading()
    for topic in ("plant/cpu/user", "plant/line1/robot-7/temp", "site-2/memory/used", "site-2/robot-8/temp"):
        reading.send(topic, "3")
    assert {"robot-7", "site-2"} <= reading.agents()
    assert "robot-8" not in reading.agents(), "what lies beside the memory of site-2 is of site-2"
