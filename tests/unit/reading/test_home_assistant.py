"""Whatever announces itself as Home Assistant's discovery has it: one agent a device, its figures by name and unit."""

from collections import Counter
from typing import Any

import pytest

from models.domain.clock import Instant
from models.domain.messages import Kind, Origin
from models.domain.names import SeriesKind
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level
from mqtt.reading import declared_topics
from mqtt.reading.conventions.home_assistant_config import MOST_AVAILABILITIES, read_configs, written_out
from tests.helpers.reading import Reading, recorded

DEVICE = {"identifiers": ["box-1"], "name": "Box", "sw_version": "2", "suggested_area": "Lab"}


def announce(reading: Reading, object_: str = "load", component: str = "sensor", **told: Any) -> None:
    config = {"unique_id": f"u_{object_}", "state_topic": f"odd/{object_}", "device": DEVICE, **told}
    reading.send(f"homeassistant/{component}/{object_}/config", config)


def series(reading: Reading) -> dict[tuple[str, str, str], int]:
    return Counter((one.agent, one.metric, one.unit) for one in reading.points)


def said(reading: Reading, topic: str, payload: str, origin: Origin = Origin.LIVE) -> list[tuple[str, Presence, Cause]]:
    batch = reading.send(topic, payload, origin)
    return [(reading.names.agents[one.agent], one.presence, one.cause) for one in batch.evidence]


# ---------------------------------------------------------------- real programs


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_ha_mqtt_discoverable(size: int) -> None:
    reading, last = play("ha-discoverable", size)
    assert reading.agents() == {"sched-42"}
    assert series(reading) == {("sched-42", "CPU", "1"): 12, ("sched-42", "Memory", "By"): 12, ("sched-42", "Response time", "s"): 12}  # fmt: skip
    assert [one.value for one in reading.points if one.metric == "Response time"] == [n / 1000 for n in range(30, 42)]
    assert last == {"sched-42": (Presence.OFFLINE, Cause.WILL)}


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_mqtt_io(size: int) -> None:
    reading, last = play("mqtt-io-2.7", size)
    assert series(reading) == {("io-5", "temp1", ""): 7}
    assert reading.agents() == {"io-5"}
    assert last == {"io-5": (Presence.STOPPED, Cause.GOODBYE)}


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_esphome(size: int) -> None:
    reading, last = play("synthetic-esphome", size)
    assert series(reading) == {("kitchen-node", "Uptime", "s"): 5, ("kitchen-node", "free_heap", ""): 4}
    assert reading.agents() == {"kitchen-node"}
    assert reading.names.series[reading.names.known_series(1, "Uptime")].kind is SeriesKind.COUNTER
    assert last == {"kitchen-node": (Presence.OFFLINE, Cause.WILL)}


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_psmqtt(size: int) -> None:
    """Its announcements are not retained; some of what it sends it does not announce."""
    reading, last = play("psmqtt-2.6", size)
    assert reading.agents() == {"host-7"}
    assert {(metric, unit): n for (_, metric, unit), n in series(reading).items()} == {
        ("CPU Percentage", "1"): 12, ("Memory Percentage", "1"): 12, ("Uptime", "s"): 12, ("Disk Used", "By"): 12,
        ("getloadavg.last1min", ""): 12, ("virtual_memory.available", ""): 12, ("num_tasks_errors", ""): 4,
        ("num_tasks_success", ""): 4, ("num_mqtt_disconnects", ""): 4,
    }  # fmt: skip
    assert last == {"host-7": (Presence.OFFLINE, Cause.WILL)}


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_linux2mqtt(size: int) -> None:
    """What it does not announce of its objects is not a series; an availability for each of its figures."""
    reading, last = play("linux2mqtt-1.7", size)
    assert series(reading) == {
        ("build-host", "CPU", "1"): 4, ("build-host", "Virtual Memory", "By"): 5, ("build-host", "Network Connections", ""): 5,
        ("build-host", "Disk Usage (Volume:/)", "By"): 5, ("build-host", "Network Throughput (NIC:lo)", "bit/s"): 4,
    }  # fmt: skip
    assert reading.agents() == {"build-host"}
    assert last == {"build-host": (Presence.OFFLINE, Cause.WILL)}


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lnxlink(size: int) -> None:
    """Nulls at the goodbye; `ON` and `OFF` for its availability."""
    reading, last = play("lnxlink-2026.10", size)
    assert {(agent, unit): n for (agent, _, unit), n in series(reading).items()} == {
        ("desk-9", "1"): 5, ("desk-9", "By"): 5, ("desk-9", "bit/s"): 5,
    }  # fmt: skip
    assert len(series(reading)) == 8
    assert reading.agents() == {"desk-9"}
    assert last == {"desk-9": (Presence.OFFLINE, Cause.WILL)}


def play(name: str, size: int) -> tuple[Reading, dict[str, tuple[Presence, Cause]]]:
    """Nothing unreadable; presence at the end."""
    reading, keeper, last, logs = Reading(), PresenceKeeper(), {}, []
    messages = recorded(name)
    for at in range(0, len(messages), size):
        batch = reading.read(*messages[at : at + size])
        assert not batch.unreadable
        logs += batch.logs
        now = Instant(batch.messages[-1].received_us, batch.messages[-1].received_us)
        for change in [*keeper.observe(batch, now), *keeper.tick(now)]:
            last[reading.names.agents[change.agent]] = (change.presence, change.cause)
    assert Counter(one.level for one in logs) == (
        {Level.DEBUG: 5, Level.WARN: 3, Level.ERROR: 1} if "esphome" in name else {}
    )
    return reading, last


# ---------------------------------------------------------------- who it is


def test_a_device_is_declared_once_with_what_it_says_of_itself() -> None:
    reading = Reading()
    config = {"state_topic": "odd/a", "device": DEVICE, "name": "A", "expire_after": 20}
    batch = reading.read(
        reading.message("homeassistant/sensor/a/config", config),
        reading.message("homeassistant/sensor/b/config", {**config, "state_topic": "odd/b", "expire_after": 5}),
        reading.message("homeassistant/sensor/a/config", config),
    )
    assert [(one.name, one.group, one.version, one.interval_us) for one in batch.declarations] == [
        ("Box", "Lab", "2", 5_000_000)
    ]
    assert [one.convention for one in batch.declarations] == ["home-assistant"]
    assert batch.remembered == [0, 1, 2]
    assert batch.agent == [0, 0, 0], "a bridge may announce devices that are gone"
    assert reading.agents() == {"box-1"}


def test_values_of_the_same_batch_may_come_first() -> None:
    reading = Reading()
    batch = reading.read(
        reading.message("x/kitchen/thing/load", "5"),
        reading.message("homeassistant/sensor/load/config", {"stat_t": "x/kitchen/thing/load", "name": "Load", "unit_of_meas": "%", "dev": {"ids": "k-1"}}),
    )  # fmt: skip
    assert not batch.unreadable
    assert series(reading) == {("k-1", "Load", "1"): 1}


def test_what_came_before_it_was_announced_stays_as_it_was_and_what_comes_next_does_not() -> None:
    reading = Reading()
    reading.send("shed/node-4/temp", "5")
    reading.send("homeassistant/sensor/temp/config", {"stat_t": "shed/node-4/temp", "name": "Heat", "unit_of_meas": "°C", "dev": {"ids": "node-4"}})  # fmt: skip
    reading.send("shed/node-4/temp", "6")
    assert series(reading) == {("node-4", "temp", ""): 1, ("node-4", "Heat", "Cel"): 1}


def test_more_may_be_announced_of_a_topic() -> None:
    reading = Reading()
    for key in ("x", "y"):
        announce(reading, key, state_topic="odd/both", name=key, value_template=f"{{{{ value_json.{key} }}}}")
        reading.send("odd/both", {"x": 1, "y": 2})
    assert [(one.metric, one.value) for one in reading.points] == [("x", 1), ("x", 1), ("y", 2)]


def test_what_is_not_announced_belongs_to_the_same_agent() -> None:
    reading = Reading()
    announce(reading, state_topic="lab/box-1/load", name="Load")
    reading.send("lab/box-1/other/temp", "5")
    reading.send("lab/box-1/status", "online")
    assert reading.agents() == {"box-1"}
    assert set(series(reading)) == {("box-1", "other.temp", "")}


@pytest.mark.parametrize(
    ("ids", "agent"),
    [
        (["fz-2", "02:00:00:00:00:02"], "fz-2"), (["a4cf12d1e203"], "Freezer"), (["02:00:00:00:00:02"], "Freezer"),
        (["5"], "Freezer"), (["hub_0x158d"], "Freezer"), ([], "Freezer"), (["sched-42"], "sched-42"),
    ],
)  # fmt: skip
def test_an_identifier_that_somebody_gave_it_goes_before_its_name(ids: list[str], agent: str) -> None:
    reading = Reading()
    announce(
        reading, device={"identifiers": ids, "name": "Freezer"}, state_topic="x/sensor/Freezer/heat/state", name="Heat"
    )
    reading.send("x/sensor/Freezer/heat/state", "5")
    reading.send("x/sensor/Freezer/other/state", "5")
    assert reading.agents() == {agent}


@pytest.mark.parametrize("turn", [1, -1])
def test_a_device_that_nothing_ties_to_its_topics_is_whoever_lies_there(turn: int) -> None:
    """As psmqtt's, whose name may be set."""
    reading = Reading()

    def tell() -> None:
        for object_, name in (("total", "Node three"), ("other", "Other")):
            announce(
                reading, object_, device={"ids": name}, state_topic=f"psmqtt/node-3/cpu_percent/{object_}", name=object_
            )

    for step in (tell, lambda: reading.send("psmqtt/node-3/psmqtt_status", "online"))[::turn]:
        step()
    for topic in ("cpu_percent/total", "cpu_percent/other", "boot"):
        reading.send(f"psmqtt/node-3/{topic}", "5")
    assert set(series(reading)) == {("node-3", "total", ""), ("Other", "other", ""), ("node-3", "boot", "")}
    assert reading.agents() == {"node-3", "Other"}


def test_devices_of_a_program_keep_their_names_whichever_is_heard_first_after_a_restart() -> None:
    for turn in (1, -1):
        reading = Reading()
        for name in ("host-9", "p/host-9_process_broker"):
            reading.names.agent(name)
        for path in ("system", "process/broker")[::turn]:
            reading.send(f"homeassistant/sensor/p_{path.replace('/', '_')}/load/config", {
                "name": "Load", "state_topic": f"p/host-9/{path}", "value_template": "{{ value_json.load }}",
                "device": {"identifiers": [f"p/host-9_{path.replace('/', '_')}"], "name": path},
            })  # fmt: skip
        reading.send("p/host-9/system", {"load": 1})
        reading.send("p/host-9/process/broker", {"load": 2})
        assert series(reading) == {("host-9", "Load", ""): 1, ("p/host-9_process_broker", "Load", ""): 1}


def test_without_a_device_the_topics_tell_whose_it_is() -> None:
    reading = Reading()
    reading.send("homeassistant/sensor/node_a/temp/config", {"stat_t": "shed/node-4/temp", "name": "node-4 Temp"})
    reading.send("shed/node-4/temp", "5")
    assert series(reading) == {("node-4", "Temp", ""): 1}


def test_one_device_with_two_kinds_of_topics_is_one_agent() -> None:
    reading = Reading()
    for object_, topic in (("a", "odd/a"), ("b", "lab/box-1/b")):
        announce(reading, object_, state_topic=topic, name=object_)
        reading.send(topic, "1")
    assert set(series(reading)) == {("box-1", "a", ""), ("box-1", "b", "")}


@pytest.mark.parametrize("turn", [1, -1])
def test_several_devices_of_one_program_are_several_agents(turn: int) -> None:
    """As penguin-metrics announces a computer, and a process on it."""
    reading = Reading()
    for path, name in (("system", "Host"), ("process/indexer", "Process: indexer"))[::turn]:
        reading.send(f"homeassistant/sensor/p_{path.replace('/', '_')}/load/config", {
            "unique_id": f"p/host-9_{path}_load", "name": "Load", "state_topic": f"p/host-9/{path}", "value_template": "{{ value_json.load }}",
            "device": {"identifiers": [f"p/host-9_{path.replace('/', '_')}"], "name": name}, "availability_topic": "p/host-9/status",
        })  # fmt: skip
    reading.send("p/host-9/system", {"load": 1})
    reading.send("p/host-9/process/indexer", {"load": 2})
    assert series(reading) == {("host-9", "Load", ""): 1, ("indexer", "Load", ""): 1}
    assert sorted(said(reading, "p/host-9/status", "offline")) == [
        ("host-9", Presence.OFFLINE, Cause.WILL), ("indexer", Presence.OFFLINE, Cause.WILL),
    ]  # fmt: skip


def test_all_of_a_device_in_one_message() -> None:
    reading = Reading()
    reading.send(
        "homeassistant/device/box/config",
        {
            "dev": {"cns": [["mac", "02:5b"]], "name": "Box"}, "o": {"name": "x"}, "~": "odd/box", "avty_t": "~/up", "stat_t": "~/state",
            "cmps": {
                "a": {"p": "sensor", "name": "Box Load", "unit_of_meas": "%", "val_tpl": "{{ value_json.load }}"},
                "b": {"p": "sensor", "name": "Box Heat", "dev_cla": "temperature", "unit_of_meas": "°C", "stat_t": "~/heat"},
                "c": {"p": "switch", "stat_t": "~/plug", "cmd_t": "~/plug/do"}, "gone": {"p": "sensor"}, "odd": 5,
            },
        },
    )  # fmt: skip
    assert said(reading, "odd/box/up", "online") == [("02:5b", Presence.ONLINE, Cause.STATUS)]
    batch = reading.read(
        reading.message("odd/box/state", {"load": 5, "more": 7}), reading.message("odd/box/heat", "21.5"),
        reading.message("odd/box/plug", "ON"), reading.message("odd/box/plug/do", "OFF"),
    )  # fmt: skip
    assert series(reading) == {("02:5b", "Load", "1"): 1, ("02:5b", "Heat", "Cel"): 1}
    assert (batch.unreadable, batch.evidence) == ([], [])
    assert batch.agent == [1, 1, 1, 0], "a command is no sign of its life"


def test_what_a_thousand_entities_share_is_cut_before_it_is_multiplied() -> None:
    shared = {"avty": [{"t": f"box/up/{n}"} for n in range(1_000)], "~": "box"}
    whole = written_out({**shared, "cmps": {f"c{n}": {"p": "sensor", "stat_t": f"~/{n}"} for n in range(1_000)}})
    configs = read_configs(["homeassistant", "device", "box", "config"], whole)
    assert (len(configs), {len(one.told["availability"]) for one in configs}) == (1_000, {MOST_AVAILABILITIES})


# ---------------------------------------------------------------- values


def test_an_empty_announcement_takes_it_back() -> None:
    reading = Reading()
    announce(reading, name="Load", unit_of_measurement="%")
    reading.send("odd/load", "50")
    batch = reading.send("homeassistant/sensor/load/config", "")
    assert (batch.remembered, batch.unreadable) == ([0], [])
    reading.send("odd/load", "50")
    assert [(one.agent, one.metric) for one in reading.points] == [("box-1", "Load"), ("odd", "load")]


def test_what_is_no_figure_is_none_and_no_failure() -> None:
    reading = Reading()
    announce(reading, "load", unit_of_measurement="%")
    announce(reading, "mode", name="Mode", value_template="{{ value_json.m | upper }}")
    announce(reading, "when", device_class="timestamp")
    announce(reading, "door", "binary_sensor", device_class="connectivity", json_attributes_topic="odd/door/more")
    announce(reading, "plug", "switch", command_topic="odd/plug/set")
    for topic, payload in (
        ("load", "nan"), ("load", "unknown"), ("load", ""), ("mode", '{"m":"eco"}'), ("when", "2026-11-23T08:00:00Z"),
        ("door", "ON"), ("door/more", '{"a":5}'), ("plug", "OFF"), ("plug/set", "ON"),
    ):  # fmt: skip
        batch = reading.send(f"odd/{topic}", payload)
        assert not batch.unreadable
        assert not batch.evidence
        assert batch.agent == [0 if topic == "plug/set" else 1]
    assert not reading.points


def test_what_ought_to_be_a_figure_and_is_none_is_counted() -> None:
    reading = Reading()
    announce(reading, "load", unit_of_measurement="%")
    announce(reading, "odd", unit_of_measurement="W", value_template="{{ value_json.a + value_json.b }}")
    announce(reading, "json", unit_of_measurement="W", value_template="{{ value_json.a }}")
    reasons = [reading.send(f"odd/{topic}", payload).unreadable for topic, payload in (
        ("load", "twelve"), ("odd", '{"a":1,"b":2}'), ("odd", '{"a":1}'), ("json", "{"),
    )]  # fmt: skip
    assert [[one.reason for one in some] for some in reasons] == [["text"], ["template"], [], ["json"]]
    assert [(one.metric, one.value) for one in reading.points] == [("odd", 1.0)], "its only number"


def test_scales() -> None:
    reading = Reading()
    announce(reading, "a", unit_of_measurement="%", value_template="{{ value_json.x * 100 }}")
    announce(reading, "b", unit_of_measurement="MiB", state_class="total_increasing")
    announce(reading, "c", unit_of_measurement="GiB", value_template="{{ value_json.x }}")
    reading.send("odd/a", '{"x":0.25}')
    reading.send("odd/b", "1.5")
    reading.send("odd/c", '{"x":1e308}')
    assert [(one.metric, one.unit, one.value) for one in reading.points] == [("a", "1", 0.25), ("b", "By", 1.5 * 2**20)]


def test_a_replay_gives_no_point() -> None:
    reading = Reading()
    announce(reading, name="Load")
    batch = reading.send("odd/load", "5", Origin.REPLAY)
    assert (reading.points, batch.kind) == ([], [Kind.METRICS])


def test_names() -> None:
    reading = Reading()
    for object_, told in (
        ("box-1_cpu", {}), ("x", {"name": "Box Load"}), ("y", {"name": "Load"}), ("0x00158d0001", {"device_class": "power"}),
        ("box", {"name": "Box"}),
    ):  # fmt: skip
        announce(reading, object_, **told)
        reading.send(f"odd/{object_}", "1")
    assert [one.metric for one in reading.points] == ["cpu", "Load", "y", "power", "Box"]


# ---------------------------------------------------------------- availability


def test_several_topics_of_a_device_are_one_presence() -> None:
    reading = Reading()
    for name in ("a", "b"):
        announce(reading, name, availability_topic=f"odd/{name}/up")
    assert said(reading, "odd/a/up", "online") == [("box-1", Presence.ONLINE, Cause.STATUS)]
    assert said(reading, "odd/b/up", "online") == [("box-1", Presence.ONLINE, Cause.STATUS)]
    assert said(reading, "odd/a/up", "offline") == [], "the other is still there"
    assert said(reading, "odd/b/up", "offline") == [("box-1", Presence.OFFLINE, Cause.WILL)]


@pytest.mark.parametrize(
    ("mode", "after_one"), [("all", Presence.OFFLINE), ("any", None), ("latest", Presence.OFFLINE)]
)
def test_modes(mode: str, after_one: Presence | None) -> None:
    reading = Reading()
    announce(reading, availability=[{"topic": "odd/1"}, {"t": "odd/2"}], availability_mode=mode)
    said(reading, "odd/1", "online")
    said(reading, "odd/2", "online")
    assert [one[1] for one in said(reading, "odd/1", "offline")] == ([after_one] if after_one else [])


def test_words_of_their_own() -> None:
    reading = Reading()
    announce(
        reading, avty={"t": "odd/lwt", "val_tpl": "{{ value_json.state }}", "pl_avail": "ON", "pl_not_avail": "dead"},
    )  # fmt: skip
    for payload, expected in (
        ('{"state":"ON"}', Presence.ONLINE), ('{"state":"dead"}', Presence.OFFLINE), ('{"state":"stopped"}', Presence.STOPPED),
        ('{"state":"hm"}', None), ('{"state":5}', None), ("{", None), ("", Presence.OFFLINE),
    ):  # fmt: skip
        assert [one[1] for one in said(reading, "odd/lwt", payload)] == ([expected] if expected else [])


def test_retained_is_not_alive() -> None:
    reading = Reading()
    announce(reading, availability_topic="odd/up")
    assert said(reading, "odd/up", "online", Origin.REPLAY) == []
    assert said(reading, "odd/up", "offline", Origin.REPLAY) == [("box-1", Presence.OFFLINE, Cause.REPLAYED)]


def test_a_bridge_takes_its_devices_along_and_stays_an_agent_of_its_own() -> None:
    reading = Reading()
    for name in ("a", "b"):
        reading.send(f"homeassistant/sensor/{name}/config", {
            "state_topic": f"zoo/{name}/x", "device": {"identifiers": [f"dev-{name}"]},
            "availability_topic": "zoo/keeper-1/status",
        })  # fmt: skip
    told = said(reading, "zoo/keeper-1/status", "offline")
    assert sorted(one[0] for one in told) == ["dev-a", "dev-b", "keeper-1"]
    assert {one[1] for one in told} == {Presence.OFFLINE}


def test_home_assistant_itself() -> None:
    reading = Reading()
    batch = reading.send("homeassistant/status", "online")
    assert [(one.name, one.convention) for one in batch.declarations] == [("Home Assistant", "home-assistant")]
    assert said(reading, "homeassistant/status", "offline") == [("homeassistant", Presence.OFFLINE, Cause.WILL)]
    assert said(reading, "homeassistant/status", "online", Origin.REPLAY) == []
    reading.send("homeassistant/sensor/porch-2/temp", "5")
    assert reading.agents() == {"homeassistant", "porch-2"}


def test_one_topic_that_everybody_speaks_of_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared_topics, "MOST_OF_TOPIC", 3)
    monkeypatch.setattr(declared_topics, "MOST_RULES", 2)
    reading = Reading()
    for n in range(6):
        announce(
            reading,
            f"n{n}",
            availability_topic="zoo/up-1",
            availability=[{"topic": f"odd/{n}/up"}],
            device={"ids": f"d{n % 2}"},
        )
    assert len(said(reading, "zoo/up-1", "offline")) <= 3
    for n in range(6):
        reading.send(f"homeassistant/sensor/n{n}/config", "")
    assert {one[0] for one in said(reading, "zoo/up-1", "offline")} <= {"up-1", "zoo"}


# ---------------------------------------------------------------- from one start to the next


def test_recalled_it_reads_on_as_before() -> None:
    first = Reading()
    messages = recorded("ha-discoverable")
    batch = first.read(*messages)
    kept = [batch.messages[row] for row in batch.remembered]
    assert [one.topic.rpartition(b"/")[2] for one in kept] == [b"config"] * 3
    again = Reading()
    again.reader.recall(kept)
    assert not again.points
    values = [one for one in messages if one.topic.endswith((b"/state", b"/availability"))]
    told = again.read(*values)
    assert series(again) == series(first)
    assert again.agents() == {"sched-42"}
    assert told.evidence[-1].presence is Presence.OFFLINE
    assert again.read(kept[0]).declarations, "a new segment is told, too"


def test_nothing_comes_of_what_is_recalled() -> None:
    reading = Reading()
    config = reading.message("homeassistant/sensor/load/config", {"stat_t": "odd/load", "dev": {"ids": "box-1"}})
    reading.reader.recall([config, reading.message("odd/load", "5")])
    assert len(reading.names.series) == 1


# ---------------------------------------------------------------- whatever arrives


def test_hostile_announcements_are_bounded() -> None:
    reading = Reading()
    components = {f"c{n}": {"p": "sensor", "name": f"n{n}", "stat_t": f"odd/{n}"} for n in range(2_000)}
    reading.send("homeassistant/device/x/config", {"dev": {"ids": "mad"}, "cmps": components})
    for n in (0, 999, 1_000, 1_999):
        reading.send(f"odd/{n}", "1")
    assert set(series(reading)) == {("mad", "n0", ""), ("mad", "n999", ""), ("odd", "1000", ""), ("odd", "1999", "")}
    batch = reading.send(
        "homeassistant/sensor/y/config", {"dev": {"ids": "<b>x</b>"}, "name": "\u202egnp", "stat_t": "odd/y"}
    )
    reading.send("odd/y", "1")
    assert not batch.unreadable
    assert "<b>x</b>" in reading.agents(), "literally"
    assert all("\u202e" not in key.metric for key in reading.names.series)


@pytest.mark.parametrize(
    "payload",
    [
        "{", "[]", "5", '"x"', "{}", '{"device":5}', '{"device":{"identifiers":[[1],{},null,true,1.5]},"stat_t":5}', '{"~":5,"stat_t":"~/x","name":[]}',
        '{"availability":[5,{"topic":5},{"t":"#"}],"stat_t":"a/+/b"}', '{"cmps":{"a":{"p":5}}}', '{"dev":{"cns":[[1,2,3],5]},"val_tpl":5,"stat_t":"x"}',
        '{"dev":{"ids":"a"},"stat_t":"\\ud800"}', '{"dev":{"ids":"a"},"stat_t":"x","exp_aft":1e999,"unit_of_meas":{},"stat_cla":[],"dev_cla":{}}',
        '{"avty_t":"x","pl_avail":{},"avty_mode":[],"dev":{"ids":"a"}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "topic", ["homeassistant/sensor/x/config", "homeassistant/device/x/config", "a/b/light/c/d/config"]
)
def test_broken_announcements(topic: str, payload: str) -> None:
    reading = Reading()
    batch = reading.send(topic, payload)
    assert not [one for one in batch.unreadable if one.reason == "bug"]
    reading.send("x", "5")


def test_what_a_thousand_entities_share_is_kept_once() -> None:
    """Their availability, told on 64 topics: else it would be 64,000 places to look at with every announcement."""
    reading = Reading()
    declared = reading.reader._sink.declared
    several = [{"t": f"gw/1/there/{i}"} for i in range(64)]
    entities = {f"c{i}": {"p": "sensor", "stat_t": f"gw/1/s/{i}"} for i in range(1_000)}
    for name in ("a", "b"):
        announcement = {"dev": {"ids": ["gw-1"], "name": name}, "avty": several, "avty_mode": "all", "cmps": entities}
        reading.send("homeassistant/device/gw-1/config", announcement)
        assert [len(told) for told in declared._watches.values()] == [1] * 64
    reading.send("gw/1/there/7", "offline")
    assert declared.is_there("gw-1") is False
    reading.send("homeassistant/device/gw-1/config", b"")
    assert (declared._watches, declared._words, declared._rules, declared._topics) == ({}, {}, {}, {})


def test_a_device_whose_topics_are_tasmotas_is_the_one_that_tasmota_tells_of() -> None:
    reading = Reading()
    reading.send("homeassistant/switch/AB12CD_RL_1/config", {
        "name": "Kitchen", "stat_t": "tele/plug-1/STATE", "avty_t": "tele/plug-1/LWT", "pl_avail": "Online", "pl_not_avail": "Offline",
        "cmd_t": "cmnd/plug-1/POWER", "val_tpl": "{{value_json.POWER}}", "uniq_id": "AB12CD_RL_1", "dev": {"ids": ["AB12CD"], "name": "Kitchen"},
    })  # fmt: skip
    assert said(reading, "tele/plug-1/LWT", "Online") == [("plug-1", Presence.ONLINE, Cause.STATUS)]
    reading.send("tele/plug-1/STATE", {"LoadAvg": 5})
    assert series(reading) == {("plug-1", "LoadAvg", ""): 1}
    assert reading.agents() == {"plug-1"}
