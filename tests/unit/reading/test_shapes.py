"""Agents that always send the same names are read by a decoder made for these; nobody may notice."""

import json
import random
from typing import Any

import pytest

from models.domain.batch import RecordBatch
from models.domain.messages import Properties
from mqtt.reading.shapes import MOST_SHAPES, STEADY, Shapes
from tests.helpers.reading import ARRIVAL_US, Reading

USUAL = {"a.b": 1, "c": 2.5}


def settled() -> Reading:
    reading = Reading()
    for _ in range(3 * STEADY):
        reading.send("agents/a/metrics", {"ts": 1_795_420_056, "metrics": USUAL})
    reading.points.clear()
    return reading


@pytest.mark.parametrize(
    "told",
    [
        {"metrics": {"a.b": 3, "c": 4, "d": 5}},
        {"metrics": {"a.b": 3}},
        {"metrics": {"c": 3, "a.b": 4}},
        {"metrics": {"a.b": True, "c": "x"}},
        {"metrics": {"a.b": None, "c": {"d": 7}}},
        {"metrics": {}},
        {"metrics": 5, "x": 6},
        {"a.b": 5},
        {"metrics": {"a.b": 1, "c": 2}, "ts": "2026-11-23T07:47:36Z"},
        {"metrics": {"a.b": 1, "c": 2}, "ts": 1_795_420_056.25, "boot": "b", "seq": 3.0},
        b'{"metrics":{"a.b":1e999,"c":2}}',
        b'{"metrics":{"a.b":NaN,"c":2}}',
        b'{"metrics":{"a.b":1,"a.b":9,"c":2}}',
        b'\xef\xbb\xbf{"metrics":{"a.b":1,"c":2}}\0',
        b'{"metrics":{"a.b":1,',
    ],
)
def test_what_deviates_is_read_as_ever(told: object) -> None:
    usual, fresh = settled(), Reading()
    batches = [one.send("agents/a/metrics", told) for one in (usual, fresh)]
    assert sorted(usual.points) == sorted(fresh.points)
    assert batches[0].unreadable == batches[1].unreadable


def test_the_usual_names_again_after_others() -> None:
    reading = settled()
    for told in ({"a.b": 3, "x": 4}, USUAL, USUAL):
        reading.send("agents/a/metrics", {"metrics": told})
    assert [(one.metric, one.value) for one in reading.points] == [
        ("a.b", 3.0), ("x", 4.0), ("a.b", 1.0), ("c", 2.5), ("a.b", 1.0), ("c", 2.5),
    ]  # fmt: skip


def test_numbering_goes_on() -> None:
    reading = settled()
    said = [reading.send("agents/a/metrics", {"boot": "b", "seq": seq, "metrics": USUAL}) for seq in (4, 5, 5, 9)]
    assert [batch.duplicate[0] for batch in said] == [False, False, True, False]
    assert [[gap.missing for gap in batch.gaps] for batch in said] == [[], [], [], [3]]


def test_inventing_names_all_the_time_costs_no_memory() -> None:
    shapes = Shapes()
    made = [shapes.of([f"m{n}"]) for n in range(MOST_SHAPES + 5)]
    assert [one is not None for one in made] == [True] * MOST_SHAPES + [False] * 5
    assert shapes.of(["m3"]) is made[3]


@pytest.mark.parametrize("names", [[], ['"'], ["a\n"], [f"m{n}" for n in range(65)]])
def test_names_that_make_no_decoder(names: list[str]) -> None:
    assert Shapes().of(names) is None


HOME_MADE: dict[str, Any] = {
    "ts": ARRIVAL_US / 1e6 - 1, "cpu": 0.5, "mem": {"used": 5, "free": 7.5, "unit": "B"}, "note": "warm", "ok": True,
    "seq": 5, "list": [1, 2], "none": None, "load": 3,
}  # fmt: skip
MEANT = {"status": "online", "name": "boiler-7", "agent": "b-2", "t": 21.5, "level": 3, "host": "h-1", "Job_Status": "up",
         "time": "2026-11-23T07:47:30Z", "agent_id": 7, "@m": 1}  # fmt: skip
OTHERS = ("x", "ts", "status", "state", "level", "message", "agent", "agent_id", "name", "host", "id", "seq", "t", "time",
          "a.b", "task", "job_status", "@m", "version")  # fmt: skip
VALUES = (1, 2.5, -1, 1e300, 10**30, True, None, "", "offline", "online", "error", "boiler-7", "2026-11-23T07:47:30Z",
          ARRIVAL_US / 1e6, ARRIVAL_US // 1000, [3], {"used": 9}, {"a": {"b": 1}}, "nan")  # fmt: skip
TOPICS = (
    "fleet/c-1/figures",
    "sensors/kitchen/data",
    "agents/b-1/custom",
    "home/lamp2/state",
    "x/log/y-3",
    "rack/9/json",
)


def seen(reading: Reading, batch: RecordBatch) -> list[object]:
    """All that was made of a message, by name."""
    names = reading.names.agents
    said = [(names[one.agent], *one[2:]) for one in batch.evidence]
    logs = [(names[one.agent], one.time_us, *one[3:]) for one in batch.logs]
    return [
        names[batch.agent[0]], batch.kind, sorted(reading.points_of(batch)), said, logs, batch.unreadable, batch.duplicate,
    ]  # fmt: skip


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("seed", range(5))
def test_home_made_objects_that_deviate_are_read_as_ever(topic: str, seed: int) -> None:
    some = random.Random(f"{topic}{seed}")
    usual = Reading()
    base = {key: HOME_MADE[key] for key in HOME_MADE if some.random() < 0.8 or key == "cpu"}
    meant = some.choice(({}, {}, *({key: value} for key, value in MEANT.items())))
    base |= meant
    expected = 0
    for _ in range(100):
        for _ in range(STEADY + 2):
            usual.send(topic, base)
        plan: Any = usual.reader._plans[topic.encode()]
        expected += plan._shaped is not None
        body: dict[str, Any] = json.loads(json.dumps(base))
        for _ in range(some.choice((1, 1, 2))):
            target = body["mem"] if isinstance(body.get("mem"), dict) and some.random() < 0.2 else body
            key = some.choice([*target, *OTHERS, *meant, *meant, *meant])
            if some.random() < 0.25:
                target.pop(key, None)
            else:
                target[key] = some.choice(VALUES)
        properties = Properties(user=(("agent", "told-9"),)) if some.random() < 0.02 else None
        payload = json.dumps(body).encode() + (b"\0" if some.random() < 0.02 else b"")
        fresh = Reading()
        for name in usual.names.agents[1:]:
            fresh.names.agent(name)
        told = [one.send(topic, payload, properties=properties) for one in (usual, fresh)]
        assert seen(usual, told[0]) == seen(fresh, told[1]), payload
        plan._wanted = STEADY  # it shall not lose patience
    assert expected > 80 or "log" in topic or meant


def test_a_usual_object_is_read_by_its_own_decoder() -> None:
    reading = Reading()
    for turn in range(2 * STEADY):
        reading.send("fleet/c-1/figures", {**HOME_MADE, "cpu": turn})
    assert reading.reader._sink.object_shapes._known
    reading.points.clear()
    reading.reader._sink.object_shapes = None  # whoever learns again would fail
    reading.send("fleet/c-1/figures", {**HOME_MADE, "cpu": 99})
    assert sorted((one.metric, one.value) for one in reading.points) == [
        ("figures.cpu", 99.0), ("figures.load", 3.0), ("figures.mem.free", 7.5), ("figures.mem.used", 5.0),
    ]  # fmt: skip
    assert {one.time_us for one in reading.points} == {ARRIVAL_US - 1_000_000}


BEYOND_A_DOUBLE = b"1" + b"0" * 400


@pytest.mark.parametrize(
    ("usual", "told"),
    [
        (b'{"a":1,"b":%s}' % BEYOND_A_DOUBLE, b'{"a":1,"b":2}'),
        (b'{"a":1,"in":{"b":%s}}' % BEYOND_A_DOUBLE, b'{"a":1,"in":{"b":2}}'),
        (b'{"a":1,"id":"x"}', b'{"a":1,"id":"\xff\xfe"}'),
        (b'{"a":1,"id":"x"}', b'{"a":1,"id":%s}' % BEYOND_A_DOUBLE),
    ],
)
def test_numbers_beyond_a_double_and_what_is_no_text_are_read_as_ever(usual: bytes, told: bytes) -> None:
    settled, fresh = Reading(), Reading()
    for _ in range(STEADY + 1):
        settled.send("rack/9/json", usual)
    settled.points.clear()
    batches = [one.send("rack/9/json", told) for one in (settled, fresh)]
    assert all(sum(one.stamp_count) == len(one.sample_series) == len(one.sample_value) for one in batches)
    assert sorted(settled.points) == sorted(fresh.points)
    assert batches[0].unreadable == batches[1].unreadable
