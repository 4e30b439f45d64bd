"""Tasmota: one agent a device, whichever way round its topics are; its counters of connections are connections."""

from collections import Counter

import pytest

from models.domain.messages import Kind, Origin
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Presence
from models.domain.records import Outcome
from tests.helpers.reading import Reading, recorded


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_recording(size: int) -> None:
    reading, said, attempts = Reading(), [], []
    messages = recorded("synthetic-tasmota")
    for at in range(0, len(messages), size):
        batch = reading.read(*messages[at : at + size])
        assert not batch.unreadable
        said += [(one.presence, one.cause) for one in batch.evidence]
        attempts += [(one.outcome, one.target) for one in batch.attempts]
    assert reading.agents() == {"tasmota_AB12CD"}
    assert Counter((one.metric, one.unit) for one in reading.points) == dict.fromkeys((
        ("UptimeSec", "s"), ("Heap", "By"), ("LoadAvg", ""), ("MqttCount", "{connection}"), ("Wifi.RSSI", "1"), ("Wifi.Signal", "dBm"),
        ("Wifi.LinkCount", "{connection}"), ("ESP32.Temperature", "Cel"), ("ENERGY.Power", "W"), ("ENERGY.Voltage", "V"),
        ("ENERGY.Total", "Wh"),
    ), 5)  # fmt: skip
    assert reading.names.series[reading.names.known_series(1, "MqttCount")].kind is SeriesKind.COUNTER
    assert said == [(Presence.ONLINE, Cause.STATUS), (Presence.OFFLINE, Cause.WILL)]
    assert attempts == [(Outcome.OK, "mqtt")]


def test_its_time_has_no_zone() -> None:
    reading = Reading()
    reading.read(*recorded("synthetic-tasmota"))
    assert {one.time_us % 1_000_000 for one in reading.points} == {0}, "its own, to the second"


@pytest.mark.parametrize("topic", ["plug-1/tele/STATE", "attic/plug-1/stat/STATUS11", "tele/plug-1/STATE"])
def test_topics_the_other_way_round(topic: str) -> None:
    reading = Reading()
    reading.send(
        topic, {"StatusSTS": {"LoadAvg": 5, "Wifi": {"LinkCount": 2}}} if "STATUS" in topic else {"LoadAvg": 5}
    )
    assert reading.agents() == {"attic/plug-1" if "attic" in topic else "plug-1"}
    assert ("LoadAvg", 5.0) in {(one.metric, one.value) for one in reading.points}


def test_what_commands_lead_to_is_a_sign_of_life_alone() -> None:
    reading = Reading()
    for topic, payload in (
        ("stat/plug-1/POWER", "ON"), ("stat/plug-1/RESULT", '{"POWER":"ON","Dimmer":50}'), ("stat/plug-1/STATUS", '{"Status":{"Power":1}}'),
        ("tele/plug-1/UPTIME", '{"Uptime":"1T"}'),
    ):  # fmt: skip
        batch = reading.send(topic, payload)
        assert (batch.agent, batch.unreadable, batch.evidence) == ([1], [], [])
    assert reading.send("cmnd/plug-1/POWER", "ON").agent == [0]
    assert not reading.points


def test_a_device_tells_what_it_is() -> None:
    reading = Reading()
    batch = reading.read(
        reading.message("tasmota/discovery/A1/config", {"t": "plug-1", "dn": "Plug", "hn": "plug-1-77", "sw": "14.1.0"}),
        reading.message("tasmota/discovery/A1/sensors", {"sn": {"ENERGY": {"Power": 5}}}),
        reading.message("tele/plug-1/INFO1", {"Info1": {"Module": "x", "Version": "14.2.0(tasmota)"}}),
    )  # fmt: skip
    assert [(one.convention, one.name, one.host, one.version) for one in batch.declarations] == [
        ("tasmota", "Plug", "plug-1-77", "14.1.0"), ("tasmota", None, None, "14.2.0(tasmota)"),
    ]  # fmt: skip
    assert (batch.remembered, batch.agent, batch.unreadable, reading.points) == ([0], [0, 0, 1], [], [])


def test_connections_are_counted_from_the_first_message_on_and_over_a_restart() -> None:
    reading = Reading()
    made = [
        len(reading.send("tele/plug-1/STATE", {"MqttCount": count, "Wifi": {"LinkCount": 1}}, origin).attempts)
        for count, origin in ((3, Origin.LIVE), (3, Origin.LIVE), (5, Origin.LIVE), (1, Origin.LIVE), (9_999_999, Origin.LIVE), (2, Origin.REPLAY))
    ]  # fmt: skip
    assert made == [0, 0, 2, 1, 0, 0]


def test_retained_is_not_alive() -> None:
    reading = Reading()
    assert not reading.send("tele/plug-1/LWT", "Online", Origin.REPLAY).evidence
    batch = reading.send("tele/plug-1/LWT", "Offline", Origin.REPLAY)
    assert [(one.presence, one.cause) for one in batch.evidence] == [(Presence.OFFLINE, Cause.REPLAYED)]


@pytest.mark.parametrize("topic", ["tele/LWT", "tele//STATE", "tele/plug-1/state", "x/plug-1/STATE"])
def test_others_are_not_claimed(topic: str) -> None:
    reading = Reading()
    reading.send(topic, "5")
    assert not [key for key in reading.names.series if key.source == "tasmota"]


@pytest.mark.parametrize(
    "payload",
    ["", "{", "5", "[]", '{"StatusSNS":5}', '{"Time":{}}', '{"TempUnit":[],"A":{"Temperature":5,"Pressure":7}}'],
)
@pytest.mark.parametrize(
    "topic", ["tele/p/STATE", "tele/p/SENSOR", "tele/p/LWT", "tele/p/INFO1", "tasmota/discovery/A/config"]
)
def test_broken(topic: str, payload: str) -> None:
    batch = Reading().send(topic, payload)
    assert not [one for one in batch.unreadable if one.reason == "bug"]
    assert batch.kind[0] in (Kind.METRICS, Kind.STATUS, Kind.OTHER)


def test_a_device_that_is_set_to_another_unit_goes_on_in_the_one_it_is_kept_in() -> None:
    reading = Reading()
    for heat, unit in ((21, "C"), (70, "F"), (21, "C")):
        reading.send("tele/plug/SENSOR", {"SI7021": {"Temperature": heat}, "TempUnit": unit})
    assert [(one.unit, round(one.value, 2)) for one in reading.points] == [("Cel", 21), ("Cel", 21.11), ("Cel", 21)]


def test_a_bare_figure_is_no_tasmota() -> None:
    reading = Reading()
    reading.send("plant/press-1/stat/OEE", "81.5")
    assert [(one.agent, one.value) for one in reading.points] != []
    assert {key.source for key in reading.names.series[1:]} == {"generic"}
    assert reading.send("stat/plug/POWER", "1").agent == [reading.names.known_agent("plug")]


def test_a_prefix_may_stand_in_the_middle() -> None:
    reading = Reading()
    reading.send("site/tele/plug-1/LWT", "Online")
    reading.send("site/tele/plug-1/SENSOR", {"ENERGY": {"Period": 2}})
    reading.send("site/tele/press-3/DATA", {"load": 5})
    assert [(one.agent, one.metric, one.unit) for one in reading.points] == [
        ("plug-1", "ENERGY.Period", "Wh"), ("press-3", "load", ""),
    ]  # fmt: skip


def test_a_device_announces_its_own_prefixes_and_words() -> None:
    reading = Reading()
    reading.send("home/plug-1/telem/STATE", {"Sleep": 50, "Wifi": {"RSSI": 78}})  # not known yet
    announced = {
        "t": "plug-1",
        "dn": "Bedroom",
        "tp": ["cmd", "st", "telem"],
        "onln": "Up",
        "ofln": "Down",
        "sw": "14.2.0",
    }
    for _ in range(2):
        reading.send("tasmota/discovery/0200AB12/config", announced, Origin.REPLAY)
    before = len(reading.points)
    said = [reading.send("home/plug-1/telem/LWT", word).evidence[0] for word in ("Up", "Down", "Online")]
    assert [(one.presence, one.cause) for one in said] == [
        (Presence.ONLINE, Cause.STATUS), (Presence.OFFLINE, Cause.WILL), (Presence.ONLINE, Cause.STATUS),
    ]  # fmt: skip
    reading.send("home/plug-1/telem/STATE", {"Sleep": 50, "Wifi": {"RSSI": 78}})
    assert [(one.agent, one.metric, one.unit) for one in reading.points[before:]] == [("plug-1", "Wifi.RSSI", "1")]
