"""Whose topic is it?"""

import pytest

from mqtt.reading.generic_topics import names_agent, place
from tests.helpers.reading import Reading


@pytest.mark.parametrize(
    ("topic", "agent", "metric"),
    [
        ("sensors/kitchen/temp", "kitchen", "temp"),
        ("crawler-1/cpu", "crawler-1", "cpu"),
        ("fleet/crawler-1/cpu/value", "crawler-1", "cpu"),
        ("crawler-1/value", "crawler-1", "value"),
        ("sensors/kitchen/value", "kitchen", "value"),
        ("kitchen-node/sensor/uptime/state", "kitchen-node", "uptime"),
        ("telegraf-field/edge-3/cpu/usage_idle", "edge-3", "cpu.usage_idle"),
        ("hmd/sensor/Scheduler-agent/CPU/state", "Scheduler-agent", "CPU"),
        ("homie/planner-01/host/cpu", "planner-01", "host.cpu"),
        ("factory/line1/robot-7/temp", "robot-7", "temp"),
        ("plant/line1/press/temp", "line1", "press.temp"),
        ("home/livingroom/lamp/power_w", "livingroom/lamp", "power_w"),
        ("devices/42/temp", "42", "temp"),
        ("devices/43/temp", "43", "temp"),
        ("temp", "temp", "value"),
        ("sensors/temp", "sensors", "temp"),
        ("fleet/crawler-1/tasks/1234/progress", "crawler-1", "tasks.progress"),
        ("fleet/crawler-1/5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11/progress", "crawler-1", "progress"),
        ("fleet/5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11/cpu", "5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11", "cpu"),
        ("shellyplus1-a8032abe54dc/status/switch:0/apower", "shellyplus1-a8032abe54dc", "switch:0.apower"),
        ("esp32-kitchen/sensor/bme280/temperature", "esp32-kitchen", "bme280.temperature"),
        ("x/heartbeat", "x", "heartbeat"),
        ("/leading/crawler-1/cpu", "crawler-1", "cpu"),
        ("", "?", "value"),
        ("///", "?", "value"),
    ],
)  # fmt: skip
def test_a_bare_number(topic: str, agent: str, metric: str) -> None:
    assert place(topic.split("/"), True, lambda _: False)[:2] == (agent, metric)


@pytest.mark.parametrize(
    ("topic", "agent", "path"),
    [
        ("fleet/crawler-1/metrics", "crawler-1", ""),
        ("fleet/planner/metrics", "planner", ""),
        ("acme/research/planner/metrics", "research/planner", ""),
        ("crawler-1", "crawler-1", ""),
        ("crawler-1/jobs", "crawler-1", "jobs"),
        ("app/worker-1/billing", "worker-1", "billing"),
        ("glances/build-host-2/cpu", "build-host-2", "cpu"),
        ("tele/tasmota_AB12CD/SENSOR", "tasmota_AB12CD", ""),
        ("tele/tasmota_AB12CD/STATE", "tasmota_AB12CD", ""),
        ("zigbee2mqtt/kitchen/plug", "kitchen/plug", ""),
        ("zigbee2mqtt/kitchen/plug/availability", "kitchen/plug", ""),
        ("zigbee2mqtt/0x00158d00018255df", "0x00158d00018255df", ""),
        ("zigbee2mqtt/bridge/health", "bridge", ""),
        ("psmqtt/box/psmqtt_status", "box", ""),
        ("metrics", "metrics", ""),
    ],
)  # fmt: skip
def test_an_object(topic: str, agent: str, path: str) -> None:
    assert place(topic.split("/"), False, lambda _: False)[:2] == (agent, path)


def test_an_agent_that_declared_itself_is_found_anywhere() -> None:
    found = place("acme/planner/odd/thing/x".split("/"), True, {"planner"}.__contains__)
    assert found[:3] == ("planner", "odd.thing.x", True)


def test_a_lone_root_is_not_sure() -> None:
    assert not place(["lab", "metrics"], False, lambda _: False).sure
    assert place(["lab", "crawler-1", "metrics"], False, lambda _: False).sure


@pytest.mark.parametrize(
    "text", ["", " ", "cpu", "a\nb", "x" * 129, "5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11", "\u202eabc"]
)
def test_what_names_no_agent(text: str) -> None:
    assert not names_agent(text)


def test_behind_agents_one_level_is_the_agent() -> None:
    reading = Reading()
    reading.send("a2a/team/agents/builder/status", {"status": "online"})
    reading.send("acme/lab/workers/sorter/inbox/size", "5")
    assert reading.agents() == {"builder", "sorter"}
