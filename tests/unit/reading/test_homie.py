import json
import random
from collections import Counter

import pytest

from models.domain.messages import Origin
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Level
from tests.helpers.reading import Reading, recorded

DESCRIPTION = {
    "homie": "5.0", "version": 1, "name": "Planner", "children": ["arm"],
    "nodes": {"host": {"properties": {
        "cpu": {"datatype": "float", "unit": "%"}, "mode": {"datatype": "enum", "format": "a,b"},
        "jobs": {"datatype": "integer"},
    }}},
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_whole_recording(size: int) -> None:
    reading, said, declared, unread = Reading(), [], [], []
    messages = recorded("homie4-clean-stop")
    for i in range(0, len(messages), size):
        batch = reading.read(*messages[i : i + size])
        said += [(one.presence, one.condition, one.cause) for one in batch.evidence]
        declared += batch.declarations
        unread += batch.unreadable
    assert reading.agents() == {"planner-01"}
    assert Counter((one.metric, one.unit) for one in reading.points) == {
        ("host.cpu", "1"): 14, ("host.memory", "1"): 14, ("host.latency", "s"): 14,
    }  # fmt: skip
    assert [one.value for one in reading.points if one.metric == "host.latency"] == [n / 1000 for n in range(40, 80, 3)]
    assert said == [
        (Presence.ONLINE, Condition.STARTING, Cause.STATUS), (Presence.ONLINE, Condition.OK, Cause.STATUS),
        (Presence.OFFLINE, Condition.OK, Cause.WILL),
    ]  # fmt: skip
    assert {one.name for one in declared} >= {"Planner agent"}
    assert {one.interval_us for one in declared} >= {15_000_000}
    assert not unread


def test_a_fifth_generation_device() -> None:
    reading = Reading()
    reading.send("homie/5/planner/$state", "init")
    reading.send("homie/5/planner/$description", DESCRIPTION)
    reading.send("homie/5/planner/$state", "ready")
    for path, value in (
        ("cpu", "12.5"),
        ("mode", "a"),
        ("jobs", "3"),
        ("cpu", "NaN"),
        ("cpu/set", "1"),
        ("cpu/$target", "9"),
    ):
        assert not reading.send(f"homie/5/planner/host/{path}", value).unreadable
    assert [(one.agent, one.metric, one.unit, one.value) for one in reading.points] == [
        ("planner", "host.cpu", "1", 0.125), ("planner", "host.jobs", "", 3),
    ]  # fmt: skip
    batch = reading.send("homie/5/planner/$log/warn", "the arm is slow")
    assert [(one.level, one.text) for one in batch.logs] == [(Level.WARN, "the arm is slow")]
    gone = reading.send("homie/5/planner/$state", "disconnected")
    assert [(one.presence, one.cause) for one in gone.evidence] == [(Presence.STOPPED, Cause.GOODBYE)]
    assert reading.agents() == {"planner"}


def test_children_are_lost_with_their_root() -> None:
    reading = Reading()
    reading.send("homie/5/planner/$description", DESCRIPTION)
    reading.send("homie/5/arm/$state", "ready")
    batch = reading.send("homie/5/planner/$state", "lost")
    assert [(reading.names.agents[one.agent], one.presence) for one in batch.evidence] == [
        ("planner", Presence.OFFLINE), ("arm", Presence.OFFLINE),
    ]  # fmt: skip


def test_an_alert_degrades_until_it_is_cleared() -> None:
    reading = Reading()
    reading.send("homie/5/planner/$state", "ready")
    conditions = [
        reading.send(f"homie/5/planner/$alert/{name}", said).evidence[0].condition
        for name, said in (("battery", "low"), ("arm", "hot"), ("battery", ""), ("arm", ""))
    ]
    assert conditions == [Condition.DEGRADED, Condition.DEGRADED, Condition.DEGRADED, Condition.OK]


def test_values_that_overtook_their_description_get_their_unit_and_keep_their_time() -> None:
    reading = Reading()
    reading.send("homie/5/planner/$state", "ready")
    reading.send("homie/5/planner/host/cpu", "10")
    first_us = reading.now_us
    reading.now_us += 1_000_000
    reading.send("homie/5/planner/$description", DESCRIPTION)
    reading.send("homie/5/planner/host/cpu", "20")
    assert [(one.unit, one.value, one.time_us) for one in reading.points] == [
        ("1", 0.1, first_us), ("1", 0.2, reading.now_us),
    ]  # fmt: skip


def test_what_nobody_describes_goes_without_a_unit() -> None:
    reading = Reading()
    reading.send("homie/5/planner/$state", "ready")
    for n in range(12):
        reading.send("homie/5/planner/host/cpu", str(n))
    assert [(one.unit, one.value) for one in reading.points] == [("", n) for n in range(12)]


def test_another_root_is_known_by_a_device_s_own_word() -> None:
    reading = Reading()
    reading.send("devices/lamp/$homie", "4.0.0")
    reading.send("devices/lamp/light/power/$datatype", "float")
    reading.send("devices/lamp/light/power/$unit", "W")
    reading.send("devices/lamp/light/power", "7.5")
    assert [(one.agent, one.metric, one.unit, one.value) for one in reading.points] == [
        ("lamp", "light.power", "W", 7.5)
    ]
    assert reading.agents() == {"lamp"}


def test_a_retained_description_names_and_retained_values_are_none() -> None:
    reading = Reading()
    batch = reading.send("homie/5/planner/$description", DESCRIPTION, Origin.REPLAY)
    assert batch.remembered == [0]
    reading.send("homie/5/planner/$state", "ready", Origin.REPLAY)
    reading.send("homie/5/planner/host/cpu", "10", Origin.REPLAY)
    assert not reading.points
    reading.send("homie/5/planner/host/cpu", "20")
    assert [(one.unit, one.value) for one in reading.points] == [("1", 0.2)]


def test_a_description_of_a_million_properties_is_capped() -> None:
    reading = Reading()
    properties = {f"p{n}": {"datatype": "integer"} for n in range(20_000)}
    reading.send("homie/5/planner/$description", {"homie": "5.0", "nodes": {"n": {"properties": properties}}})
    unread = Counter(
        one.reason for n in range(2_100) for one in reading.send(f"homie/5/planner/n/p{n}", "1").unreadable
    )
    assert len(reading.names.series) <= 2_001
    assert set(unread) <= {"too-many-series"}


@pytest.mark.parametrize("cases", [2_000, pytest.param(200_000, marks=pytest.mark.long)])
def test_broken_payloads_never_escape(cases: int) -> None:
    chance = random.Random(5)
    reading = Reading()
    whole = [json.dumps(DESCRIPTION).encode(), b"ready", b"12.5", b"float", b"%", b"low", b"15"]
    topics = (
        "$state",
        "$description",
        "$log/warn",
        "$alert/x",
        "host/cpu",
        "host/cpu/$unit",
        "$stats/interval",
        "$name",
    )
    for _ in range(cases):
        broken = bytearray(chance.choice(whole))
        for _ in range(chance.randint(0, 4)):
            at = chance.randrange(len(broken) + 1)
            broken[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 2))
        root = chance.choice(("homie/5/d", "homie/d"))
        batch = reading.send(f"{root}/{chance.choice(topics)}", bytes(broken), chance.choice([*Origin]))
        assert not any(one.reason == "bug" for one in batch.unreadable)


def test_a_property_that_is_described_anew_goes_on_in_the_unit_it_is_kept_in() -> None:
    reading = Reading()
    for unit, value in (("°C", "21"), ("°F", "70"), ("°C", "21")):
        nodes = {"n": {"properties": {"heat": {"datatype": "float", "unit": unit}}}}
        reading.send("homie/5/d/$description", {"homie": "5.0", "nodes": nodes})
        reading.send("homie/5/d/n/heat", value)
    assert [(one.unit, round(one.value, 2)) for one in reading.points] == [("Cel", 21), ("Cel", 21.11), ("Cel", 21)]


@pytest.mark.parametrize(
    ("word", "gone"), [("lost", (Presence.OFFLINE, Cause.WILL)), ("disconnected", (Presence.STOPPED, Cause.GOODBYE))]
)
def test_devices_below_are_gone_with_the_root_and_come_back_with_it(word: str, gone: tuple[Presence, Cause]) -> None:
    reading = Reading()
    for name, children in (("panel", ["circuit", "spare"]), ("circuit", ["cell", "panel"]), ("cell", [])):
        reading.send(f"ebus/5/{name}/$description", {"homie": "5.0", "name": name, "children": children})
        reading.send(f"ebus/5/{name}/$state", "ready")
    reading.send("ebus/5/cell/$state", "sleeping")

    def said(topic: str, payload: str) -> dict[str, tuple[Presence, Cause]]:
        batch = reading.send(topic, payload)
        return {reading.names.agents[one.agent]: (one.presence, one.cause) for one in batch.evidence}

    assert said("ebus/5/panel/$state", word) == dict.fromkeys(("panel", "circuit", "cell"), gone)
    assert said("ebus/5/panel/$state", "init") == dict.fromkeys(
        ("panel", "circuit", "cell"), (Presence.ONLINE, Cause.STATUS)
    )
    assert set(said("ebus/5/circuit/$state", "disconnected")) == {"circuit", "cell", "panel"}
    assert set(said("ebus/5/panel/$state", word)) == {"panel", "cell"}, "the circuit said itself that it is gone"


def test_an_element_of_an_array_is_described_as_all_of_them() -> None:
    reading = Reading()
    for attribute, text in (
        ("$homie", "3.0.1"),
        ("phase/$array", "1-3"),
        ("phase/watt/$unit", "kW"),
        ("phase/watt/$datatype", "float"),
    ):
        reading.send(f"devices/meter-1/{attribute}", text)
    reading.send("devices/meter-1/phase_2/watt", "1.5")
    assert [(one.agent, one.metric, one.unit, one.value) for one in reading.points] == [
        ("meter-1", "phase_2.watt", "W", 1_500)
    ]
