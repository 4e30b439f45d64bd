"""The simulated fleet: what it says, that it counts right, and that the same seed says the same."""

import json
from collections import Counter

from app.simulation.fleet import SimulatedFleet
from tests.helpers.asyncapi import broken_promises


def _kinds(messages):
    return Counter(m.topic.decode().split("/")[2] for m in messages)


def test_it_counts_exactly_what_it_made():
    fleet = SimulatedFleet(50, seed=3)
    messages = fleet.statuses(1_000.0) + fleet.next(2_000, 1_001.0)
    kinds = _kinds(messages)
    assert fleet.sent == {
        "status": kinds["status"], "metrics": kinds["metrics"], "log": kinds["log"], "task": kinds["task"],
        "message": kinds["inbox"],
    }  # fmt: skip
    assert sum(fleet.sent.values()) == len(messages)
    assert 0.87 < kinds["metrics"] / 2_000 < 0.93


def test_every_payload_is_json_and_numbered_without_a_gap_per_topic():
    fleet = SimulatedFleet(7, seed=1)
    seen: dict[bytes, list[int]] = {}
    for message in fleet.statuses(5.0) + fleet.next(500, 6.0) + fleet.next(500, 7.0):
        seen.setdefault(message.topic, []).append(json.loads(message.payload)["seq"])
    assert all(numbers == list(range(len(numbers))) for numbers in seen.values())


def test_every_question_is_answered_once():
    fleet = SimulatedFleet(9, seed=1)
    talk = [json.loads(m.payload) for m in fleet.next(10_000, 1.0) if b"/inbox/" in m.topic]
    asked = [body["id"] for body in talk if "reply_to" not in body]
    if len(talk) % 2:
        asked.pop()  # its answer would come next
    answered = [body["reply_to"] for body in talk if "reply_to" in body]
    assert asked == answered
    assert len(set(asked)) == len(asked)


def test_the_same_seed_says_the_same():
    assert SimulatedFleet(20, 5).next(300, 1.0) == SimulatedFleet(20, 5).next(300, 1.0)
    assert SimulatedFleet(20, 5).next(300, 1.0) != SimulatedFleet(20, 6).next(300, 1.0)


def test_every_agent_says_everything_whatever_their_number():
    for agents in (7, 50, 93, 300):
        fleet = SimulatedFleet(agents, seed=1)
        kinds = {tuple(m.topic.decode().split("/")[1:3]) for m in fleet.next(agents * 60, 1.0)}
        assert sum(kind == "metrics" for _, kind in kinds) == agents


def test_it_says_nothing_that_the_contract_does_not_know():
    fleet = SimulatedFleet(20, seed=1)
    messages = fleet.statuses(1_000.0) + fleet.next(3_000, 1_001.0) + fleet.statuses(1_002.0, "stopped")
    assert [fault for one in messages for fault in broken_promises(one.topic.decode(), one.payload)] == []
