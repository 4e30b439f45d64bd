"""Shapes that people's own agents publish, each with exactly the agents, figures, presence and logs that it holds."""

from typing import Any

import pytest

from models.domain.presence_words import Condition, Presence
from tests.helpers.reading import ARRIVAL_US, Reading

S = ARRIVAL_US / 1e6
Sent = list[tuple[str, Any]]
Figures = list[tuple[str, str, str, float]]

SHAPES: dict[str, tuple[Sent, Figures]] = {
    "a flow's message objects": (
        [("hall/mixer-1/climate", {"temperature": 21.5, "humidity": 40, "_msgid": "a1b2c3.d4"})],
        [("mixer-1", "climate.temperature", "", 21.5), ("mixer-1", "climate.humidity", "", 40)],
    ),
    "agent and metric, bare": (
        [("planner/cpu_percent", "12.5"), ("planner/memory_mb", "100"), ("crawler/queue", "3")],
        [("planner", "cpu_percent", "1", 0.125), ("planner", "memory_mb", "By", 1e8), ("crawler", "queue", "", 3)],
    ),
    "devices by number": (
        [("devices/42/telemetry", {"temp": 1}), ("devices/43/telemetry", {"temp": 2})],
        [("42", "temp", "", 1), ("43", "temp", "", 2)],
    ),
    "devices by UUID": (
        [("devices/5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11/telemetry", {"temp": 1})],
        [("5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11", "temp", "", 1)],
    ),
    "objects in objects": (
        [("bots/alpha/metrics", {"sys": {"cpu": {"user": 5}, "mem": {"rss_kb": 100}}, "ts": S})],
        [("alpha", "sys.cpu.user", "", 5), ("alpha", "sys.mem.rss_kb", "By", 1e5)],
    ),
    "lists of numbers, left out": ([("bots/alpha/metrics", {"load": [1, 2], "n": 1})], [("alpha", "n", "", 1)]),
    "several agents in one list": (
        [("fleet/metrics", [{"agent": "a", "cpu": 1}, {"agent": "b", "cpu": 2}])], [("a", "cpu", "", 1), ("b", "cpu", "", 2)],
    ),
    "moments gathered in a list": (
        [("bots/alpha/data", [{"ts": S - 2, "n": 1}, {"ts": S - 1, "n": 2}])], [("alpha", "n", "", 1), ("alpha", "n", "", 2)],
    ),
    "numbers as text": (
        [("bots/alpha/metrics", {"cpu": "12.5", "mem": {"used_kb": "3"}, "zone": "3", "fw": "1.2", "cpuId": "7", "batch": "007"})],
        [("alpha", "cpu", "", 12.5), ("alpha", "mem.used_kb", "By", 3e3)],
    ),
    "truths, which are no figures": ([("bots/alpha/metrics", {"busy": True, "ok": False, "n": 5})], [("alpha", "n", "", 5)]),
    "one topic, agents by key": (
        [("telemetry", {"agent_id": "a-1", "metrics": {"n": 1}}), ("telemetry", {"agent_id": "a-2", "metrics": {"n": 2}})],
        [("a-1", "metrics.n", "", 1), ("a-2", "metrics.n", "", 2)],
    ),
    "one topic, agents by an object": (
        [("up", {"device": {"id": "pump-1"}, "values": {"t": 1}})], [("pump-1", "values.t", "", 1)],
    ),
    "a value and its time": (
        [("sensors/kitchen/temp", {"value": 21.5, "ts": S}), ("sensors/kitchen/temp", "22")],
        [("kitchen", "temp", "", 21.5), ("kitchen", "temp", "", 22)],
    ),
    "a value and its unit": ([("plant/mixer/pressure", {"value": 5, "unit": "bar"})], [("mixer", "pressure", "bar", 5)]),
    "a value of a numbered agent": ([("sensors/lamp2", {"value": 5})], [("lamp2", "value", "", 5)]),
    "a metric by key": (
        [("metrics", {"agent": "alpha", "metric": "cpu", "value": 5, "unit": "%"}),
         ("metrics", {"agent": "alpha", "metric": "queue", "value": 7})],
        [("alpha", "cpu", "1", 0.05), ("alpha", "queue", "", 7)],
    ),
    "a metric by name": (
        [("bots/alpha/data", {"name": "cpu", "value": 5}), ("bots/alpha/data", {"name": "memory", "value": 7})],
        [("alpha", "cpu", "", 5), ("alpha", "memory", "", 7)],
    ),
    "an agent by name": ([("lab/data", {"name": "w-2", "value": 5, "x": 1})], [("w-2", "value", "", 5), ("w-2", "x", "", 1)]),
    "a list of metrics": (
        [("bots/alpha/metrics", {"ts": S, "metrics": [{"name": "cpu", "value": 5, "unit": "%"}, {"name": "depth", "value": 6}], "n": 1})],
        [("alpha", "n", "", 1), ("alpha", "cpu", "1", 0.05), ("alpha", "depth", "", 6)],
    ),
    "a list of metrics on a shared topic": (
        [("up", {"device": "pump-1", "readings": [{"sensor": "t", "value": 5}, {"sensor": "p", "value": 6}]})],
        [("pump-1", "t", "", 5), ("pump-1", "p", "", 6)],
    ),
    "values with their units": (
        [("bots/alpha/metrics", {"cpu": {"value": 5, "unit": "%"}, "heat": {"value": 3, "unit": "°C"}, "n": 1})],
        [("alpha", "n", "", 1), ("alpha", "cpu", "1", 0.05), ("alpha", "heat", "Cel", 3)],
    ),
    "roles first": ([("metrics/planner/cpu", "5"), ("metrics/agent-1/cpu", "6")], [("planner", "cpu", "", 5), ("agent-1", "cpu", "", 6)]),
    "a value under a dotted host": ([("servers/web01.example.org/load", "1.5")], [("web01.example.org", "load", "", 1.5)]),
    "made into JSON twice": ([("box-1/data", '"{\\"n\\": 5}"')], [("box-1", "n", "", 5)]),
    "use of a model": (
        [("ai/researcher/usage", {"model": "m", "tokens": {"prompt": 10}, "latency_ms": 300})],
        [("researcher", "usage.tokens.prompt", "", 10), ("researcher", "usage.latency_ms", "s", 0.3)],
    ),
    "parts of a robot": (
        [("acme/berlin/line1/robot7/joint/1/temp", "40"), ("acme/berlin/line1/robot7/joint/2/temp", "41")],
        [("robot7", "joint.1.temp", "", 40), ("robot7", "joint.2.temp", "", 41)],
    ),
}  # fmt: skip


def test_a_log_record_stays_one_whatever_is_attached() -> None:
    reading = Reading()
    body = {"level": "info", "message": "done", "data": [{"name": "cpu", "value": 5}]}
    batch = reading.send("bots/alpha/log", body)
    assert [one.text for one in batch.logs] == ["done"]
    assert not reading.points


@pytest.mark.parametrize("name", SHAPES)
def test_exactly_the_agents_and_figures(name: str) -> None:
    sent, figures = SHAPES[name]
    reading = Reading()
    for _ in range(40):  # long enough for decoders of their own
        reading.points.clear()
        for topic, payload in sent:
            batch = reading.send(topic, payload)
            assert not batch.unreadable
            assert [
                *batch.logs,
                *(one for one in batch.evidence if one.rank),
                *batch.tasks,
            ] == []  # but who is heard beside others
        assert [(p.agent, p.metric, p.unit, p.value) for p in reading.points] == figures
    assert reading.agents() == {one[0] for one in figures}
    assert len(reading.names.series) - 1 == len({one[:2] for one in figures})


ONLINE, OFFLINE = (Presence.ONLINE, Condition.OK), (Presence.OFFLINE, Condition.OK)


@pytest.mark.parametrize(
    ("topic", "payload", "agent", "said"),
    [
        ("bots/alpha/state", "thinking", "alpha", [ONLINE]), ("bots/alpha/status", "crashed", "alpha", [OFFLINE]),
        ("bots/alpha/status", {"status": "running", "version": "1.2.3", "pid": 331}, "alpha", [ONLINE]),
        ("workers/alice/alive", "true", "alice", [ONLINE]), ("fleet/a1/lwt", {"online": False, "reason": "will"}, "a1", [OFFLINE]),
        ("status/planner", "online", "planner", [ONLINE]), ("plant/device/pump-1/device-status", {"data": {"value": "OFFLINE"}}, "pump-1", [OFFLINE]),
        ("bots/alpha/status", {"value": "online"}, "alpha", [ONLINE]), ("bots/alpha/online", {"value": True}, "alpha", [ONLINE]), ("lwt/agent-1", "offline", "agent-1", [OFFLINE]),
        ("planner_agent/is_alive", "true", "planner_agent", [ONLINE]), ("agentX/status", '"online"', "agentX", [ONLINE]),
        ("bots/alpha/state", "initializing", "alpha", [(Presence.ONLINE, Condition.STARTING)]),
        ("alpha/heartbeat", str(int(S)), "alpha", []), ("alpha/heartbeat", "ping", "alpha", []),
        ("alpha/heartbeat", {"ts": S}, "alpha", []), ("fleet/heartbeat", {"agent": "beta", "ts": S}, "beta", []),
    ],
)  # fmt: skip
def test_who_is_there(topic: str, payload: object, agent: str, said: list[tuple[Presence, Condition]]) -> None:
    reading = Reading()
    batch = reading.send(topic, payload)
    assert [(one.presence, one.condition) for one in batch.evidence] == said
    assert [reading.names.agents[one] for one in batch.agent] == [agent]
    assert not reading.points
    assert not batch.unreadable
