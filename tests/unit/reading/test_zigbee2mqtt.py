"""Zigbee2MQTT: the bridge, and devices whose names may hold slashes."""

from collections import Counter
from typing import Any

import pytest

from models.domain.messages import Origin
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level, Outcome
from tests.helpers.reading import Reading, recorded

PLUG = {
    "friendly_name": "kitchen/plug-2", "type": "Router", "ieee_address": "0x1",
    "definition": {"exposes": [
        {"type": "switch", "features": [{"type": "binary", "property": "state", "access": 7}]},
        {"type": "numeric", "property": "power", "unit": "W", "access": 1},
        {"type": "numeric", "property": "energy", "unit": "kWh", "access": 1},
        {"type": "numeric", "property": "secret", "access": 2},
        {"type": "light", "features": [{"type": "numeric", "property": "brightness", "access": 7}, {"type": "composite", "features": []}]},
        {"type": "composite", "property": "color", "features": [{"type": "numeric", "property": "x", "access": 7}]},
    ]},
}  # fmt: skip


def series(reading: Reading) -> dict[tuple[str, str, str], int]:
    return Counter((one.agent, one.metric, one.unit) for one in reading.points)


def said(reading: Reading, topic: str, payload: Any) -> list[tuple[str, Presence]]:
    batch = reading.send(topic, payload)
    return [(reading.names.agents[one.agent], one.presence) for one in batch.evidence]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_recording(size: int) -> None:
    reading, told, logs, conventions = Reading(), [], [], []
    messages = recorded("synthetic-zigbee2mqtt-2")
    for at in range(0, len(messages), size):
        batch = reading.read(*messages[at : at + size])
        assert not batch.unreadable
        told += [(reading.names.agents[one.agent], one.presence, one.cause) for one in batch.evidence]
        logs += batch.logs
        conventions += [(reading.names.agents[one.agent], one.convention, one.version) for one in batch.declarations]
    assert reading.agents() == {"bridge", "kitchen/plug"}
    assert series(reading) == dict.fromkeys((
        ("bridge", "process.memory_used_mb", "By"), ("bridge", "process.memory_percent", "1"), ("bridge", "process.uptime_sec", "s"),
        ("bridge", "os.memory_used_mb", "By"), ("bridge", "os.memory_percent", "1"), ("bridge", "os.load_average.1m", ""),
        ("bridge", "os.load_average.5m", ""), ("bridge", "os.load_average.15m", ""), ("bridge", "mqtt.queued", ""),
        ("bridge", "mqtt.published", ""), ("bridge", "mqtt.received", ""), ("kitchen/plug", "power", ""), ("kitchen/plug", "linkquality", ""),
    ), 5)  # fmt: skip
    assert reading.names.series[reading.names.known_series(1, "mqtt.published")].kind is SeriesKind.COUNTER
    assert told == [
        ("bridge", Presence.ONLINE, Cause.STATUS), ("kitchen/plug", Presence.ONLINE, Cause.STATUS),
        ("kitchen/plug", Presence.OFFLINE, Cause.WILL), ("bridge", Presence.OFFLINE, Cause.WILL),
    ]  # fmt: skip
    assert Counter(one.level for one in logs) == {Level.INFO: 2, Level.DEBUG: 1, Level.WARN: 1, Level.ERROR: 1}
    assert {one.logger for one in logs} <= {"z2m", None}
    assert ("bridge", "zigbee2mqtt", "2.6.0") in conventions
    assert ("kitchen/plug", "zigbee2mqtt", None) in conventions


def test_names_with_numbers_and_slashes() -> None:
    reading = Reading()
    for name in ("kitchen/lamp2", "0x00158d00018255df", "attic/left/sensor-3", "status"):
        batch = reading.send(
            f"zigbee2mqtt/{name}", {"power": 5, "state": "stopped", "update": {"installed_version": 7}}
        )
        assert not batch.evidence, "a motor's state"
        reading.send(f"zigbee2mqtt/{name}/set", {"power": 7})
        reading.send(f"zigbee2mqtt/{name}/get/power", "")
    assert not reading.send("zigbee2mqtt/kitchen/lamp2", "").unreadable, "it was renamed"
    assert reading.agents() == {"kitchen/lamp2", "0x00158d00018255df", "attic/left/sensor-3", "status"}
    assert len(reading.points) == 4


def test_attributes_on_topics_of_their_own() -> None:
    reading = Reading()
    reading.send("zigbee2mqtt/kitchen/lamp/availability", "online")
    reading.send("zigbee2mqtt/kitchen/lamp/power", "5")
    reading.send("zigbee2mqtt/porch/power", "5")
    assert series(reading) == {("kitchen/lamp", "power", ""): 1, ("porch", "power", ""): 1}


def test_what_devices_expose_gives_units_and_leaves_the_rest_out() -> None:
    reading = Reading()
    batch = reading.send(
        "zigbee2mqtt/bridge/devices", [PLUG, {"friendly_name": "Coordinator", "type": "Coordinator"}, 5]
    )
    assert (batch.remembered, batch.agent) == ([0], [1])
    batch = reading.send(
        "zigbee2mqtt/kitchen/plug-2",
        {"power": 5, "energy": 2, "secret": 1, "linkquality": 9, "brightness": 7, "state": "ON"},
    )
    assert [one.convention for one in batch.declarations] == ["zigbee2mqtt"]
    assert series(reading) == {
        ("kitchen/plug-2", "power", "W"): 1, ("kitchen/plug-2", "energy", "Wh"): 1, ("kitchen/plug-2", "brightness", ""): 1,
    }  # fmt: skip
    assert said(reading, "zigbee2mqtt/kitchen/plug-2/availability", {"state": "online"}) == [
        ("kitchen/plug-2", Presence.ONLINE)
    ]
    assert said(reading, "zigbee2mqtt/bridge/state", "online") == [("bridge", Presence.ONLINE)], (
        "that says nothing of its devices"
    )
    assert sorted(said(reading, "zigbee2mqtt/bridge/state", {"state": "offline"})) == [
        ("bridge", Presence.OFFLINE), ("kitchen/plug-2", Presence.OFFLINE),
    ]  # fmt: skip


def test_announced_to_home_assistant_as_well_it_is_one_agent_with_one_series() -> None:
    reading = Reading()
    reading.send("zigbee2mqtt/bridge/devices", [PLUG])
    for object_, name in (("power", None), ("linkquality", "Linkquality")):
        reading.send(f"homeassistant/sensor/0x1/{object_}/config", {
            "device": {"identifiers": ["zigbee2mqtt_0x1"], "name": "kitchen/plug-2"}, "name": name, "state_topic": "zigbee2mqtt/kitchen/plug-2",
            "value_template": f"{{{{ value_json.{object_} }}}}", "availability_mode": "all", "object_id": f"plug_{object_}",
            "availability": [{"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"}],
        })  # fmt: skip
    reading.send("homeassistant/binary_sensor/1221_z/connection_state/config", {
        "device": {"identifiers": ["zigbee2mqtt_bridge_0x9"], "name": "Zigbee2MQTT Bridge"}, "state_topic": "zigbee2mqtt/bridge/state",
        "device_class": "connectivity",
    })  # fmt: skip
    reading.send("zigbee2mqtt/kitchen/plug-2", {"power": 5, "linkquality": 9})
    assert series(reading) == {("kitchen/plug-2", "power", "W"): 1, ("kitchen/plug-2", "Linkquality", ""): 1}
    assert sorted(said(reading, "zigbee2mqtt/bridge/state", {"state": "offline"})) == [
        ("bridge", Presence.OFFLINE), ("kitchen/plug-2", Presence.OFFLINE),
    ]  # fmt: skip
    assert reading.agents() == {"bridge", "kitchen/plug-2"}


def test_groups_are_nobody() -> None:
    reading = Reading()
    reading.send("zigbee2mqtt/all_lamps", {"brightness": 5})
    reading.send("zigbee2mqtt/bridge/groups", [{"id": 1, "friendly_name": "all_lamps"}])
    assert reading.send("zigbee2mqtt/all_lamps", {"brightness": 5}).agent == [0]
    assert len(reading.points) == 1


def test_another_base_is_known_by_its_info() -> None:
    reading = Reading()
    batch = reading.read(
        reading.message("home/zig/kitchen/lamp2", {"power": 5}),
        reading.message("home/zig/bridge/info", {"version": "2.6.0", "coordinator": {}}),
    )
    assert reading.agents() == {"home/zig/bridge", "kitchen/lamp2"}
    assert [one.version for one in batch.declarations if one.version] == ["2.6.0"]


def test_requests_of_the_bridge_and_how_long_it_took() -> None:
    reading = Reading()
    reading.send("zigbee2mqtt/bridge/request/permit_join", {"time": 254, "transaction": "t-1"})
    reading.send("zigbee2mqtt/bridge/request/device/remove", {"id": "x"})
    reading.now_us += 30_000
    done = reading.send(
        "zigbee2mqtt/bridge/response/permit_join", {"data": {}, "status": "ok", "transaction": "t-1"}
    ).interactions
    done += reading.send(
        "zigbee2mqtt/bridge/response/device/remove", {"status": "error", "error": "no such device"}
    ).interactions
    done += reading.send("zigbee2mqtt/bridge/response/permit_join", {"status": "ok", "transaction": "t-2"}).interactions
    bridge = reading.names.known_agent("bridge")
    assert [(one.sender, one.receiver, one.kind, one.id, one.reply_us, one.outcome) for one in done] == [
        (0, bridge, "permit_join", "t-1", 30_000, Outcome.OK), (0, bridge, "device/remove", "", 30_000, Outcome.ERROR),
    ]  # fmt: skip


def test_recalled_units_are_known_again() -> None:
    reading = Reading()
    reading.reader.recall([reading.message("zigbee2mqtt/bridge/devices", [PLUG])])
    reading.send("zigbee2mqtt/kitchen/plug-2", {"power": 5, "x": 7})
    assert series(reading) == {("kitchen/plug-2", "power", "W"): 1}


@pytest.mark.parametrize(
    "payload",
    [
        "", "{", "[]", "[[]]", "5", '{"state":5}', '[{"friendly_name":5},{"friendly_name":"a","definition":{"exposes":[5,{"features":[[]]}]}}]',
        '{"os":{"load_average":[null,"x"]},"process":5}', '{"version":5,"coordinator":1}', '{"transaction":{}}', '{"level":"info"}',
        '[{"friendly_name":"a","definition":{"exposes":[{"type":"numeric","property":"","access":1},{"type":"numeric","property":"p","access":true,"unit":5}]}}]',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "leaf",
    ["state", "info", "devices", "groups", "health", "logging", "request/x", "response/x", "event", "", "request"],
)
@pytest.mark.parametrize("origin", [Origin.LIVE, Origin.REPLAY])
def test_broken(leaf: str, payload: str, origin: Origin) -> None:
    reading = Reading()
    for base in ("zigbee2mqtt", "zig"):
        batch = reading.send(f"{base}/bridge/{leaf}", payload, origin)
        assert not [one for one in batch.unreadable if one.reason == "bug"]
    reading.send("zigbee2mqtt/a", {"p": 5})


def test_devices_that_were_never_heard_are_nobody_when_the_bridge_comes_and_goes() -> None:
    reading = Reading()
    exposes = [{"type": "numeric", "property": "power", "access": 1}]
    lamps = [{"friendly_name": name, "type": "Router", "definition": {"exposes": exposes}} for name in ("lamp", "lost")]
    reading.send("zigbee2mqtt/bridge/devices", lamps)
    reading.send("zigbee2mqtt/lamp", {"power": 3})
    for state in ("online", "offline"):
        batch = reading.send("zigbee2mqtt/bridge/state", {"state": state})
    assert reading.agents() == {"bridge", "lamp"}
    assert {reading.names.agents[one.agent] for one in batch.evidence} == {"bridge", "lamp"}
