"""collectd: values behind their time."""

from collections import Counter

import pytest

from models.domain.clock import Instant
from models.domain.headline import headline
from models.domain.messages import Origin
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from tests.helpers.reading import ARRIVAL_US, Reading, recorded

S = ARRIVAL_US // 1_000_000
TEN = (
    *(f"memory.{kind}-{one}" for kind in ("memory", "percent") for one in "used buffered cached free slab_unrecl slab_recl".split()),
    *(f"load.load.{one}term" for one in ("short", "mid", "long")), "uptime.uptime",
    *(f"df-root.df_complex-{one}" for one in ("free", "reserved", "used")),
    *(f"processes.ps_state-{one}" for one in "running sleeping zombies stopped paging blocked".split()),
)  # fmt: skip
NINE = (
    *(f"interface-{name}.if_{what}.{way}" for name in ("lo", "ifb0", "ifb1", "eth0")
      for what in ("packets", "octets", "errors", "dropped") for way in ("rx", "tx")),
    "processes.fork_rate", *(f"cpu.percent-{one}" for one in "user system wait nice interrupt softirq steal idle".split()),
)  # fmt: skip


def test_the_recording() -> None:
    reading, keeper, last = Reading(), PresenceKeeper(), {}
    messages = recorded("collectd-5.12")
    for i in range(0, len(messages), 50):
        batch = reading.read(*messages[i : i + 50])
        assert not batch.unreadable
        at_us = batch.messages[-1].received_us
        for change in keeper.observe(batch, Instant(at_us, at_us)):
            last[reading.names.agents[change.agent]] = change.presence, change.cause
    assert reading.agents() == {"edge-box-7"}
    assert Counter(one.metric for one in reading.points) == dict.fromkeys(TEN, 10) | dict.fromkeys(NINE, 9)
    assert len(reading.names.series) - 1 == len(TEN) + len(NINE)
    assert last == {"edge-box-7": (Presence.ONLINE, Cause.HEARD)}
    assert next(one for one in reading.points if one.metric == "memory.memory-used").time_us == 1_795_419_172_063_000
    units = {one.metric: one.unit for one in reading.points}
    assert [units[one] for one in ("cpu.percent-idle", "memory.memory-used", "interface-lo.if_octets.rx", "uptime.uptime")] == [
        "1", "By", "By/s", "s",
    ]  # fmt: skip
    shown = headline("cpu.percent-idle", "1", "")
    assert shown is not None
    assert shown.value(0.25) == 0.75
    assert headline("memory.memory-used", "By", "") is not None


@pytest.mark.parametrize(
    ("topic", "payload", "points"),
    [
        ("collectd/box/cpu/percent-idle", f"{S}.5:50\0", [("box", "cpu.percent-idle", "1", 0.5)]),
        ("site/a/box/disk-sda/disk_octets", f"{S}:1:2", [("box", "disk-sda.disk_octets.read", "By/s", 1.0), ("box", "disk-sda.disk_octets.write", "By/s", 2.0)]),
        ("collectd/box/df-a/b/df_complex-used", f"{S}:3", [("box", "df-a.b/df_complex-used", "", 3.0)]),
        ("collectd/box/curl-x/response_time-y", f"{S}:0.25", [("box", "curl-x.response_time-y", "s", 0.25)]),
        ("box/load/load", f"{S}:1:2:3", [("box", f"load.load.{term}term", "", n) for n, term in enumerate(("short", "mid", "long"), 1)]),
        ("db.3/vmem/vmpage_io-swap", f"{S}:4:5\0", [("db.3", "vmem.vmpage_io-swap.in", "/s", 4.0), ("db.3", "vmem.vmpage_io-swap.out", "/s", 5.0)]),
        ("db.3/users/users", f"{S}:2\0", [("db.3", "users.users", "", 2.0)]),
        ("site/db.3/tcpconns-22-local/tcp_connections-LISTEN", f"{S}:1\0", [("db.3", "tcpconns-22-local.tcp_connections-LISTEN", "", 1.0)]),
        ("collectd/box/x/if_octets", f"{S}:-nan:inf\0", []), ("collectd/box/x/odd", f"{S}:1:nan:3", [("box", "x.odd.1", "", 1.0), ("box", "x.odd.3", "", 3.0)]),
    ],
)  # fmt: skip
def test_values(topic: str, payload: str, points: list[tuple[str, str, str, float]]) -> None:
    reading = Reading()
    assert not reading.send(topic, payload).unreadable
    assert [(one.agent, one.metric, one.unit, one.value) for one in reading.points] == points
    assert reading.agents() == ({one[0] for one in points} or {"box"})
    assert not reading.send(topic, payload, Origin.REPLAY).sample_value


def test_another_text_on_the_topic_is_counted() -> None:
    reading = Reading()
    reading.send("collectd/box/cpu/percent-idle", f"{S}:50")
    for broken in ("x", "12", f"{S}:", f"{S}:1:", f"{S}:1e", "1:2", f"{S}:" + "9" * 2_000):
        batch = reading.send("collectd/box/cpu/percent-idle", broken)
        assert [one.reason for one in batch.unreadable] == ["text"]


def test_an_agent_that_was_known_already_still_tells_what_it_speaks() -> None:
    reading = Reading()
    reading.names.agent("box")
    batch = reading.read(*(reading.message("collectd/box/cpu/percent-idle", f"{S}:5") for _ in range(3)))
    assert [one.convention for one in batch.declarations] == ["collectd"]
    assert batch.agent == [1] * 3
