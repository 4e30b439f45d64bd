"""Glances: an object for each plugin, or a topic for each field."""

from collections import Counter

import pytest

from models.domain.messages import Kind, Origin
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Presence
from mqtt.reading.conventions.glances import unit_in_glances
from tests.helpers.reading import Reading, recorded

INTERFACE = "bytes_sent bytes_recv speed bytes_all time_since_update bytes_recv_gauge bytes_recv_rate_per_sec bytes_sent_gauge bytes_sent_rate_per_sec bytes_all_gauge bytes_all_rate_per_sec"
FIELDS = {
    "load": "min1 min5 min15 cpucore",
    "mem": "total available percent used free active inactive buffers cached shared percent_min percent_max percent_mean",
    "cpu": "total user nice system idle iowait irq steal guest ctx_switches interrupts soft_interrupts syscalls cpucore"
    " time_since_update ctx_switches_gauge ctx_switches_rate_per_sec interrupts_gauge interrupts_rate_per_sec"
    " soft_interrupts_gauge soft_interrupts_rate_per_sec syscalls_gauge syscalls_rate_per_sec",
    "uptime": "seconds",
    "memswap": "total used free percent sin sout time_since_update",
    "processcount": "total running sleeping thread pid_max",
    **{f"network.{one}": INTERFACE for one in ("lo", "ifb0", "ifb1", "eth0")},
}


@pytest.mark.parametrize("size", [1, 9, 100])
def test_the_recording(size: int) -> None:
    reading = Reading()
    messages = recorded("glances-per-plugin")
    batches = [reading.read(*messages[i : i + size]) for i in range(0, len(messages), size)]
    assert reading.agents() == {"build-host-1", "build-host-2"}
    assert Counter((one.agent, one.metric) for one in reading.points) == {
        ("build-host-2", f"{plugin}.{field}"): 11 for plugin, fields in FIELDS.items() for field in fields.split()
    }
    assert len(reading.names.series) - 1 == len({one.metric for one in reading.points})
    units = {one.metric: one.unit for one in reading.points}
    assert [units[f"{one}"] for one in ("cpu.total", "mem.percent", "mem.used", "network.lo.bytes_recv", "uptime.seconds",
            "network.eth0.bytes_recv_rate_per_sec", "network.eth0.speed", "cpu.cpucore", "memswap.percent")] == [
        "1", "1", "By", "By", "s", "By/s", "bit/s", "", "1",
    ]  # fmt: skip
    assert [(one.convention, reading.names.agents[one.agent]) for batch in batches for one in batch.declarations] == [
        ("glances", "build-host-1"), ("glances", "build-host-2"),
    ]  # fmt: skip
    said = [(reading.names.agents[one.agent], one.presence, one.cause, one.rank) for b in batches for one in b.evidence]
    assert said == [
        ("build-host-1", Presence.OFFLINE, Cause.REPLAYED, 2), ("build-host-2", Presence.ONLINE, Cause.STATUS, 2),
        ("build-host-2", Presence.OFFLINE, Cause.WILL, 2),
    ]  # fmt: skip
    assert not any(batch.unreadable for batch in batches)


def test_a_topic_for_each_field() -> None:
    reading = Reading()
    for topic, value in (
        ("cpu/total", "12.5"), ("cpu/cpu_user_careful", "50.0"), ("cpu/history_size", "28800.0"), ("mem/used", "1024"),
        ("network/eth0/bytes_recv_gauge", "7"), ("system/os_name", "Linux"), ("system/platform", "64bit"), ("ip/public", "None"), ("alert/0/state", "[]"),
    ):  # fmt: skip
        batch = reading.send(f"home/glances/box/{topic}", value)
        assert not batch.unreadable
    assert [one[:3] + one[4:] for one in reading.points] == [
        ("box", "cpu.total", "1", 0.125), ("box", "mem.used", "By", 1024.0), ("box", "network.eth0.bytes_recv_gauge", "By", 7.0),
    ]  # fmt: skip
    assert len(reading.names.series) == 4
    assert reading.names.series[3].kind is SeriesKind.COUNTER


def test_a_root_of_another_name_is_told_by_what_the_plugin_sends() -> None:
    reading = Reading()
    reading.send("mon/web/cpu", {"total": 5.0, "history_size": 28800.0, "cpu_user_careful": 50.0})
    reading.send("mon/web/availability", "online")
    assert [(one.agent, one.metric, one.value) for one in reading.points] == [("web", "cpu.total", 0.05)]
    assert reading.agents() == {"web"}


def test_what_changes_on_the_way_is_read_as_it_is() -> None:
    reading = Reading()
    base = {"total": 5.0, "user": 1, "alias": None, "name": "x", "cpu_careful": 50.0}
    bodies = [base] * 6 + [base | {"user": 2.5, "new": 1}] + [{"total": 7}] * 6 + [base] * 2
    for body in bodies:
        assert not reading.send("glances/web/cpu", body).unreadable
    assert [one.value for one in reading.points if one.metric == "cpu.total"] == [0.05] * 7 + [0.07] * 6 + [0.05] * 2
    assert {one.metric for one in reading.points} == {"cpu.total", "cpu.user", "cpu.new"}


def test_a_replay_is_no_sample_and_nobody_is_online_by_it() -> None:
    reading = Reading()
    for topic, payload in (("cpu", {"total": 5}), ("cpu/total", "5"), ("availability", "online")):
        batch = reading.send(f"glances/web/{topic}", payload, Origin.REPLAY)
        assert not batch.sample_value
        assert not batch.evidence


def test_what_cannot_be_read() -> None:
    reading = Reading()
    told = [
        reading.send(f"glances/web/{topic}", payload).unreadable[0].reason
        for topic, payload in (("availability", "perhaps"), ("cpu", "{"), ("mem", "[1]"))
    ]
    assert told == ["shape", "json", "shape"]
    batch = reading.send("glances/web/mem", {f"m{n}": n for n in range(2_500)})
    assert [one.reason for one in batch.unreadable] == ["too-many-series"]
    assert len(batch.sample_value) == 2_000
    assert batch.kind == [Kind.METRICS]


@pytest.mark.parametrize(
    ("plugin", "field", "unit", "kind"),
    [
        ("diskio", "read_bytes", "By", SeriesKind.GAUGE), ("diskio", "read_bytes_gauge", "By", SeriesKind.COUNTER),
        ("percpu", "idle", "%", SeriesKind.GAUGE), ("fs", "percent", "%", SeriesKind.GAUGE), ("fs", "used", "By", SeriesKind.GAUGE),
        ("gpu", "temperature", "Cel", SeriesKind.GAUGE), ("containers", "cpu_percent", "%", SeriesKind.GAUGE),
        ("memswap", "sin", "By", SeriesKind.COUNTER), ("diskio", "read_time_gauge", "ms", SeriesKind.COUNTER), ("cpu", "ctx_switches", "", SeriesKind.GAUGE),
    ],
)  # fmt: skip
def test_units(plugin: str, field: str, unit: str, kind: SeriesKind) -> None:
    assert unit_in_glances(plugin, field) == (unit, kind)


def test_an_agent_that_was_known_already_still_tells_what_it_speaks() -> None:
    reading = Reading()
    reading.names.agent("box")
    batch = reading.read(*(reading.message("glances/box/cpu", {"total": 5}) for _ in range(3)))
    assert [one.convention for one in batch.declarations] == ["glances"]
    assert batch.agent == [1] * 3
