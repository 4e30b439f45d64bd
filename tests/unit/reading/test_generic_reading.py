"""Home-made payloads on topics that follow no convention."""

import pytest

from models.domain.messages import Kind, Origin, Properties
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Level
from mqtt.reading.generic_numbers import read_number
from tests.helpers.reading import ARRIVAL_US, Reading

S = 1_000_000


@pytest.mark.parametrize(
    ("topic", "payload", "point"),
    [
        ("sensors/kitchen/temp", "21.5", ("kitchen", "temp", "", 21.5)),
        ("crawler-1/cpu", " 5 %\n", ("crawler-1", "cpu", "1", 0.05)),
        ("box/memory", "104 MB\0", ("box", "memory", "By", 104_000_000.0)),
        ("box/uptime", "24 seconds", ("box", "uptime", "s", 24.0)),
        ("box/load", "-1e3", ("box", "load", "", -1000.0)),
        ("box/queue", "7 items", ("box", "queue", "items", 7.0)),
        ("box/heartbeat", "17", ("box", "heartbeat", "", 17.0)),
        ("fleet/crawler-1/metrics", {"latency_ms": 3}, ("crawler-1", "latency_ms", "s", 0.003)),
        ("fleet/crawler-1/disk", {"root": {"free_gb": 3}}, ("crawler-1", "disk.root.free_gb", "By", 3e9)),
        ("lab/data", {"agentId": "w 1", "x": 1}, ("w 1", "x", "", 1.0)),
        ("lab/data", {"name": "w-2", "x": 1}, ("w-2", "x", "", 1.0)),
        ("lab/data", {"hostname": "h", "client": "c", "x": 1}, ("c", "x", "", 1.0)),
        ("lab/data", {"agent": 5, "id": "5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11", "x": 1}, ("lab", "x", "", 1.0)),
        ("fleet/crawler-1/metrics", {"host": "box", "name": "cpu", "x": 1}, ("crawler-1", "x", "", 1.0)),
    ],
)
def test_figures(topic: str, payload: object, point: tuple[str, str, str, float]) -> None:
    reading = Reading()
    batch = reading.send(topic, payload)
    assert [(p.agent, p.metric, p.unit, p.value) for p in reading.points] == [point]
    assert reading.agents() == {point[0]}
    assert batch.kind == [Kind.METRICS]
    assert reading.names.agents[batch.agent[0]] == point[0]
    assert not batch.unreadable


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("lab/x-1/blob", b"\x00\x01\x02", "binary"), ("lab/x-1/blob", b"\xff\xfe", "binary"),
        ("lab/x-1/note", "hello there", "text"), ("lab/x-1/data", "{", "json"), ("lab/x-1/data", "[1,2]", "shape"),
        ("lab/x-1/data", "", "empty"), ("lab/x-1/data", " \0", "empty"), ("lab/x-1/data", "[" * 50_000, "too-deep"),
        ("lab/x-1/data", '{"a":' * 50_000 + "1" + "}" * 50_000, "too-deep"), ("lab/x-1/t", "1e999", "text"),
        ("lab/x-1/t", "12px", "text"), ("lab/x-1/t", "1" * 70, "text"),
    ],
)  # fmt: skip
def test_what_nobody_reads_is_counted_and_makes_no_agent(topic: str, payload: object, reason: str) -> None:
    reading = Reading()
    batch = reading.send(topic, payload)
    assert [one.reason for one in batch.unreadable] == [reason]
    assert (batch.kind, batch.agent, reading.agents()) == ([Kind.OTHER], [0], set())


def test_moments_are_no_figures_wherever_they_stand() -> None:
    reading = Reading()
    for n in range(20):
        now = ARRIVAL_US / S + n
        body = {
            "_timestamp": now,
            "last_seen": now * 1000,
            "cycle_time": 12.5,
            "x": n,
            "header": {"stamp": now, "n": n},
        }
        reading.send("robots/r-1/odom", body)
    assert {one.metric for one in reading.points} == {"odom.cycle_time", "odom.x", "odom.header.n"}
    assert len(reading.points) == 60


@pytest.mark.parametrize("payload", ["nan", "NaN", "unknown", "None", '{"x": null, "y": "5", "z": true, "w": [1]}'])
def test_a_missing_reading_is_neither_a_point_nor_a_failure(payload: str) -> None:
    reading = Reading()
    batch = reading.send("lab/x-1/temp", payload)
    assert not reading.points
    assert not batch.unreadable


def test_depth_and_number_of_series_are_bounded() -> None:
    reading = Reading()
    deep: object = 1
    for key in "gfedcba":
        deep = {key: deep}
    reading.send("lab/x-1/data", {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}, "deep": deep})
    assert [p.metric for p in reading.points] == ["a.b.c.d.e.f"]
    batch = reading.send("lab/x-1/data", {f"m{i}": i for i in range(300)})
    assert [one.reason for one in batch.unreadable] == ["too-many-series"]
    assert len(batch.sample_value) == 199


@pytest.mark.parametrize(
    ("body", "time_us"),
    [
        ({"ts": ARRIVAL_US // S}, ARRIVAL_US // S * S), ({"time": ARRIVAL_US // 1000}, ARRIVAL_US // 1000 * 1000),
        ({"@timestamp": "2026-11-23T07:47:00Z"}, 1_795_420_020 * S), ({"Time": "2026-11-23T07:47:30"}, 1_795_420_050 * S),
        ({"date": "yesterday"}, ARRIVAL_US), ({"ts": 12}, ARRIVAL_US),
    ],
)  # fmt: skip
def test_own_time(body: dict[str, object], time_us: int) -> None:
    reading = Reading()
    reading.send("lab/x-1/data", body | {"x": 1})
    assert [(p.metric, p.time_us) for p in reading.points] == [("x", time_us)]


def test_a_t_that_is_no_time_is_a_temperature() -> None:
    reading = Reading()
    reading.send("lab/x-1/data", {"t": 21.5})
    assert [(p.metric, p.value) for p in reading.points] == [("t", 21.5)]


@pytest.mark.parametrize(
    ("topic", "payload", "presence", "condition", "cause", "rank"),
    [
        ("crawler-1/status", "online", Presence.ONLINE, Condition.OK, Cause.STATUS, 1),
        ("crawler-1/status", "Offline", Presence.OFFLINE, Condition.OK, Cause.WILL, 2),
        ("crawler-1/status", "stopped", Presence.STOPPED, Condition.OK, Cause.GOODBYE, 1),
        ("crawler-1/status", "degraded", Presence.ONLINE, Condition.DEGRADED, Cause.STATUS, 1),
        ("crawler-1/psmqtt_status", "online", Presence.ONLINE, Condition.OK, Cause.STATUS, 1),
        ("tele/crawler-1/LWT", "Online", Presence.ONLINE, Condition.OK, Cause.STATUS, 2),
        ("crawler-1/lwt", "ON", Presence.ONLINE, Condition.OK, Cause.STATUS, 2),
        ("crawler-1/online", "0", Presence.OFFLINE, Condition.OK, Cause.WILL, 2),
        ("crawler-1/connected", "true", Presence.ONLINE, Condition.OK, Cause.STATUS, 2),
        ("homie/crawler-1/$state", "lost", Presence.OFFLINE, Condition.OK, Cause.WILL, 2),
        ("crawler-1/availability", '{"state": "online"}', Presence.ONLINE, Condition.OK, Cause.STATUS, 2),
        ("crawler-1/availability", "", Presence.OFFLINE, Condition.OK, Cause.STATUS, 2),
        ("fleet/crawler-1", {"online": True}, Presence.ONLINE, Condition.OK, Cause.STATUS, 1),
        ("fleet/crawler-1", {"status": "busy"}, Presence.ONLINE, Condition.OK, Cause.STATUS, 1),
        ("fleet/crawler-1", {"state": "stopped"}, Presence.STOPPED, Condition.OK, Cause.GOODBYE, 1),
    ],
)
def test_presence(
    topic: str, payload: object, presence: Presence, condition: Condition, cause: Cause, rank: int
) -> None:
    reading = Reading()
    batch = reading.send(topic, payload)
    assert [one[2:] for one in batch.evidence] == [(presence, condition, cause, rank)]
    assert reading.agents() == {"crawler-1"}
    assert batch.kind == [Kind.STATUS]
    assert not batch.unreadable


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("home/plug", {"state": "ON", "power": 5}), ("crawler-1/state", "ON"), ("home/door", "online"),
        ("fleet/crawler-1", {"task": "t", "state": "stopped"}), ("fleet/crawler-1", {"mqtt": {"connected": False}}),
        ("fleet/crawler-1", {"alive": 1}),
    ],
)  # fmt: skip
def test_what_is_no_presence(topic: str, payload: object) -> None:
    assert not Reading().send(topic, payload).evidence


def test_presence_and_figures_in_one_object() -> None:
    reading = Reading()
    batch = reading.send("fleet/crawler-1/status", {"status": "online", "queue": 3})
    assert len(batch.evidence) == 1
    assert [(p.metric, p.value) for p in reading.points] == [("queue", 3.0)]


def test_a_replay_says_offline_but_neither_online_nor_figures() -> None:
    reading = Reading()
    assert [one.cause for one in reading.send("x-1/status", "offline", Origin.REPLAY).evidence] == [Cause.REPLAYED]
    batch = reading.send("x-1/status", {"status": "online", "queue": 3}, Origin.REPLAY)
    assert not batch.evidence
    assert not batch.sample_value


def test_a_user_property_names_the_agent_before_everything() -> None:
    reading = Reading()
    told = Properties(user=(("x", "y"), ("agent", "planner")))
    for topic, payload in (
        ("fleet/c-1/metrics", {"agent": "other", "x": 1}),
        ("c-1/cpu", "5"),
        ("c-1/status", "online"),
    ):
        batch = reading.send(topic, payload, properties=told)
        assert reading.names.agents[batch.agent[0]] == "planner"


def test_several_agents_share_a_topic() -> None:
    reading = Reading()
    for name in ("a", "b", "a"):
        reading.send("metrics", {"agent": name, "x": 1})
    assert [p.agent for p in reading.points] == ["a", "b", "a"]
    assert reading.agents() == {"a", "b"}


def test_an_agent_that_declares_itself_is_found_in_its_topics_from_then_on() -> None:
    reading = Reading()
    reading.send("acme/planner/odd/thing/x", "1")
    reading.send("agents/planner/status", {"state": "online", "name": "Planner"})
    reading.send("acme/planner/odd/thing/x", "2")
    assert [p.agent for p in reading.points] == ["planner/odd/thing", "planner"]


@pytest.mark.parametrize(
    "topic",
    [
        "$SYS/vernemq/x",
        "$other/x",
        "homie/x-1/$stats/uptime",
        "home/lamp-1/set",
        "ha/sensor/x/config",
        "cmnd/t-1/x",
    ],
)
@pytest.mark.parametrize("payload", [b"24 seconds", b"5", b"\xff", b"", b'{"name": "x", "y": 5}'])
def test_topics_that_are_stored_and_not_read(topic: str, payload: bytes) -> None:
    reading = Reading()
    batch = reading.send(topic, payload)
    assert (batch.kind, batch.agent, batch.unreadable, reading.points) == ([Kind.OTHER], [0], [], [])
    assert not reading.agents()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", (42.0, "")), ("+.5", (0.5, "")), ("5%", (5.0, "%")), ("20ms", (20.0, "ms")), ("21.5 °C", (21.5, "Cel")),
        ("3 req/s", (3.0, "/s")), ("", None), ("1e999", None), ("nan", None), ("0x1F", None), ("10.0.0.1", None),
        ("12:30", None), ("5 of 7", None), ("2026-11-23", None), ("1,5", None), ("٣", (3.0, "")),
    ],
)  # fmt: skip
def test_bare_numbers(text: str, number: tuple[float, str] | None) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("topic", "payload", "agent", "level", "text"),
    [
        ("logs/crawler-1", {"level": 40, "time": 1, "msg": "slow"}, "crawler-1", Level.WARN, "slow"),
        ("homie/p-1/$log/warn", "battery low", "p-1", Level.WARN, "battery low"),
        ("p-1/debug", "\x1b[0;36m[W][sensor:093]: slow\x1b[0m", "p-1", Level.WARN, "slow"),
        ("p-1/out", "2026-11-23 07:47:36,459 ERROR plain: broke", "p-1", Level.ERROR, "broke"),
        ("p-1/out", "ERROR: broke", "p-1", Level.ERROR, "broke"),
        ("p-1/logs", "no level here", "p-1", Level.INFO, "no level here"),
    ],
)
def test_logs(topic: str, payload: object, agent: str, level: Level, text: str) -> None:
    reading = Reading()
    batch = reading.send(topic, payload)
    assert [(reading.names.agents[one.agent], one.level, one.text) for one in batch.logs] == [(agent, level, text)]
    assert batch.kind == [Kind.LOG]
    assert not reading.points
