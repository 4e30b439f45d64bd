"""Agents that always send the same names are read by a decoder made for these; nobody may notice."""

import pytest

from mqtt.reading.shapes import MOST_SHAPES, STEADY, Shapes
from tests.helpers.reading import Reading

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
