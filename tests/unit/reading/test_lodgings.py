"""What lies below the place where somebody says that it is there is mostly its own; what a program says besides figures."""

from typing import Any

import pytest

from models.domain.messages import Origin
from models.domain.rules import Rules, rule_of
from tests.helpers.reading import ARRIVAL_US, Reading

S = ARRIVAL_US // 1_000_000
Sent = list[tuple[str, Any]]

PROGRAMS: dict[str, tuple[Sent, set[str], set[tuple[str, str]]]] = {
    "a printer": (
        [("octoPrint/mqtt", "connected"), ("octoPrint/temperature/tool0", {"actual": 200.1, "target": 210.0, "_timestamp": S}),
         ("octoPrint/temperature/bed", {"actual": 60.2, "target": 60.0}), ("octoPrint/event/PrintStarted", {"name": "a.gcode", "size": 5})],
        {"octoPrint"},
        {("octoPrint", f"temperature.{one}") for one in ("tool0.actual", "tool0.target", "bed.actual", "bed.target")}
        | {("octoPrint", "PrintStarted.size")},
    ),
    "cameras": (
        [("frigate/available", "online"), ("frigate/front_door/person", "1"), ("frigate/cam1/person", "0"), ("frigate/cam1/motion", "ON"),
         ("frigate/front_door/person/snapshot", b"\xff\xd8\xff\xe0\x00\x10JFIF"), ("frigate/stats", {"service": {"uptime": 5, "pid": 7}})],
        {"frigate"}, {("frigate", "front_door.person"), ("frigate", "cam1.person"), ("frigate", "service.uptime")},
    ),
    "a charger": (
        [("evcc/status", "online"), ("evcc/loadpoints/1/chargePower", "0"), ("evcc/loadpoints/1/charging", "false"),
         ("evcc/loadpoints/1/title", "Garage left"), ("evcc/site/gridPower", "-1200"), ("evcc/updated", str(S))],
        {"evcc"}, {("evcc", "loadpoints.1.chargePower"), ("evcc", "site.gridPower")},
    ),
    "agents of a language model": (
        [("lab/planner/status", {"status": "thinking"}), ("lab/planner/thought", {"text": "look at it", "step": 3}),
         ("lab/coder/status", "idle"), ("lab/coder/tool_call", {"tool": "search", "took_ms": 3})],
        {"planner", "coder"}, {("planner", "thought.step"), ("coder", "tool_call.took_ms")},
    ),
    "robots below a gateway": (
        [("lab/lwt", "online"), ("lab/robot-1/temp", "40"), ("lab/robot-2", {"temp": 41}), ("lab/hall/temp", "20"), ("lab/network/eth0/rx", "5")],
        {"lab", "robot-1", "robot-2"},
        {("robot-1", "temp"), ("robot-2", "temp"), ("lab", "hall.temp"), ("lab", "network.eth0.rx")},
    ),
    "words of a namespace": (
        [("shop/status", "busy"), ("shop/anna/orders", {"n": 5}), ("shop/ben/orders", {"n": 6})],
        {"shop", "anna/orders", "ben/orders"}, {("anna/orders", "n"), ("ben/orders", "n")},
    ),
    "a plug": ([("home/plug/state", "ON"), ("home/plug/power", {"w": 5})], {"plug"}, {("plug", "power.w")}),
}  # fmt: skip


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_exactly_these_agents_and_series(name: str, backwards: bool) -> None:
    sent, agents, series = PROGRAMS[name]
    for at_once in (True, False):
        if backwards and not at_once:
            continue  # who speaks before it says that it is there was taken for somebody
        reading = Reading()
        messages = [reading.message(topic, payload) for topic, payload in (sent[::-1] if backwards else sent)]
        batches = [messages] if at_once else [[one] for one in messages]
        for batch in batches:
            assert not reading.read(*batch).unreadable
        assert reading.agents() == agents
        assert {(one.agent, one.metric) for one in reading.points} == series


def test_a_retained_word_tells_as_well_whose_topics_are() -> None:
    reading = Reading()
    reading.send("frigate/available", "offline", Origin.REPLAY)
    reading.send("frigate/front_door/person", "1")
    assert {one.agent for one in reading.points} == {"frigate"}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("a/b/window", "open"), ("a/b/motion", "true"), ("a/b/led", "ON"), ("a/b/state", "heat_cool"), ("a/b/colour", "#FF8800"),
        ("a/b/ip", "192.168.1.33"), ("a/b/fw", "v1.11.0"), ("a/b/mac", "A4:CF:12:B1:D2:E3"), ("a/b/since", "2026-11-23T07:47:36Z"),
        ("a/b/since", "07:47"), ("a/b/title", "My Home"), ("a/b/deviceName", "Garage left"), ("a/b/json", "true"), ("a/b/text", '"on"'),
        ("a/b/picture", b"\x89PNG\r\n\x1a\n\x00"), ("a/b/last_seen", str(S)),
    ],
)  # fmt: skip
def test_nothing_to_record_and_no_failure(topic: str, payload: object) -> None:
    reading = Reading()
    assert not reading.send(topic, payload).unreadable
    assert (reading.agents(), reading.points) == (set(), [])


@pytest.mark.parametrize(
    "payload", ["it is open", "1,2,3", "12:00:01 up 3 days, load average: 0.1", "12px", "<a>5</a>", "a=5;b=6", "x" * 60]
)
def test_what_may_hold_figures_is_asked_for(payload: str) -> None:
    assert [one.reason for one in Reading().send("a/b/text", payload).unreadable] == ["text"]


def test_a_word_where_a_rule_says_that_a_number_comes() -> None:
    reading = Reading(rules=Rules((rule_of({"topic": "plant/{agent}/{metric}", "means": "number"}),)))
    assert [one.reason for one in reading.send("plant/mixer/speed", "fast").unreadable] == ["text"]
    assert not reading.send("plant2/mixer/speed", "fast").unreadable


@pytest.mark.parametrize(
    ("topic", "payload", "agent", "metrics"),
    [
        ("fleet/telemetry", {"deviceId": "r-1", "x": 1}, "r-1", {"x"}), ("fleet/telemetry", {"robot_id": "r-2", "x": 1}, "r-2", {"x"}),
        ("fleet/telemetry", {"robot": "r-3", "x": 1}, "r-3", {"x"}), ("fleet/telemetry", {"device_id": 7, "x": 1}, "7", {"x"}),
        ("devices/pump-8/messages/events/%24.ct=application%2Fjson", {"rpm": 1}, "pump-8", {"rpm"}),
        ("devices/pump-8/messages/events/$.ct=application%2Fjson", {"rpm": 1}, "pump-8", {"rpm"}),
        ("esp32/kitchen/temperature", "21.5", "kitchen", {"temperature"}), ("p/a12/status", "1", "a12", {"status"}),
        ("turtle1/odom", {"header": {"stamp": {"sec": S, "nanosec": 5}}, "x": 1}, "turtle1", {"odom.x"}),
        ("acme/north/device/pump-01/sensors/dht1/temperature", {"type": "device-data", "data": {"value": 5, "ts": "2026-11-23T07:47:30Z"}},
         "pump-01", {"dht1.temperature"}),
        ("acme/north/device/pump-01/telemetry/cpu", {"type": "device-data", "data": {"value": 5}}, "pump-01", {"cpu"}),
        ("shelly-a8032a/events/rpc", {"src": "shelly-a8032a", "method": "NotifyStatus", "params": {"ts": S, "switch:0": {"id": 0, "w": 5}}},
         "shelly-a8032a", {"switch:0.w"}),
        ("box-1/stats", {"cams": {"pid": 5, "fps": 6}, "pid": 7, "serial": 8}, "box-1", {"cams.fps"}),
    ],
)  # fmt: skip
def test_whose_and_what(topic: str, payload: object, agent: str, metrics: set[str]) -> None:
    reading = Reading()
    for _ in range(12):  # long enough for a decoder of its own
        assert not reading.send(topic, payload).unreadable
    assert {(one.agent, one.metric) for one in reading.points} == {(agent, one) for one in metrics}
    assert reading.agents() == {agent}


def test_a_gateway_tells_of_several_devices() -> None:
    reading = Reading()
    at_ms = ARRIVAL_US // 1000 - 5_000
    body = {
        "Device A": [{"ts": at_ms, "values": {"t": 1}}, {"ts": at_ms + 1000, "values": {"t": 2}}],
        "Device B": [{"ts": at_ms, "values": {"t": 3}}],
    }
    assert not reading.send("v1/gateway/telemetry", body).unreadable
    assert [(p.agent, p.metric, p.value, p.time_us // 1000 - at_ms) for p in reading.points] == [
        ("Device A", "t", 1, 0), ("Device A", "t", 2, 1000), ("Device B", "t", 3, 0),
    ]  # fmt: skip
    assert {one.agent for one in reading.read(reading.message("v1/gateway/telemetry", body)).evidence} == {
        1
    }  # the other's is the message
    assert [one.reason for one in reading.send("v1/devices/me/telemetry", {"t": 1}).unreadable] == ["nobody"]
    assert not reading.send("v1/devices/me/telemetry", {"device": "pump-1", "t": 1}).unreadable


def test_callers_with_ids_made_anew_are_nobody() -> None:
    reading = Reading()
    for caller in ("rpc-8d91e0c6cd", "session_0a1b2c3d", "mqttjs_8d91e0c6", "5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11"):
        body = {"correlationId": f"c-{caller}", "replyTo": f"replies/{caller}", "from": caller, "op": "mul"}
        reading.send("calc/request", body)
        batch = reading.send(f"replies/{caller}", {"correlationId": f"c-{caller}", "result": 6})
        assert len(batch.interactions) == 1
    assert reading.agents() == {"calc"}


def test_a_record_of_logs_tells_of_others() -> None:
    reading = Reading()
    reading.send("svc/gateway/log", {"level": "info", "message": "connected", "client": "dev-7", "device": "d-9"})
    reading.send("pricing/log", {"level": 30, "time": S * 1000, "pid": 7, "hostname": "box", "msg": "up"})
    reading.send(
        "prod/logs", {"level": 30, "time": S * 1000, "pid": 7, "hostname": "box", "name": "search", "msg": "up"}
    )
    reading.send("prod/logs", {"level": 30, "time": S * 1000, "pid": 7, "hostname": "box2", "msg": "up"})
    reading.send("app/log", {"levelname": "INFO", "name": "app.db", "message": "m"})
    reading.send("app/log", {"level": "info", "service": "mailer", "message": "m"})
    assert reading.agents() == {"gateway", "pricing", "search", "box2", "app", "mailer"}
