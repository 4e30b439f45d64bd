"""Commands to Mosquitto's dynamic security, and what it answered."""

from typing import Any

import pytest

from models.domain.messages import Kind, Origin
from models.domain.records import Outcome
from tests.helpers.reading import Reading, recorded

TOPIC = "$CONTROL/dynamic-security/v1"


@pytest.mark.parametrize("size", [1, 100])
def test_recording_of_an_administrator(size: int) -> None:
    reading = Reading()
    messages = recorded("mosquitto-2.0.11-dynsec-control")
    talks: list[Any] = []
    for i in range(0, len(messages), size):
        batch = reading.read(*messages[i : i + size])
        talks += batch.interactions
        assert not batch.unreadable
        assert set(batch.kind) == {Kind.MESSAGE}
    assert [one.outcome for one in talks].count(Outcome.OK) == 11
    assert [one.kind for one in talks if one.outcome is Outcome.ERROR] == ["createClient", "noSuchCommand"]
    assert [(one.kind, one.id) for one in talks][3] == ("createClient, listClients", "q4, q5")
    assert all(0 < one.reply_us < 50_000 for one in talks)
    assert [reading.agents(), reading.points] == [set(), []]


def test_one_failure_among_several_is_one() -> None:
    reading = Reading()
    reading.send(TOPIC, {"commands": [{"command": "a"}, {"command": "b"}]})
    batch = reading.send(f"{TOPIC}/response", {"responses": [{"command": "a"}, {"command": "b", "error": "no"}]})
    assert [one.outcome for one in batch.interactions] == [Outcome.ERROR]
    assert not reading.send(f"{TOPIC}/response", {"responses": [{"command": "a"}]}).interactions


@pytest.mark.parametrize(
    "payload", [b"x", {}, {"commands": []}, {"commands": "x"}, {"commands": [5]}, {"responses": [{}]}]
)
def test_what_is_no_command_is_unreadable(payload: object) -> None:
    assert len(Reading().send(TOPIC, payload).unreadable) == 1


def test_replays_ask_nothing() -> None:
    reading = Reading()
    reading.send(TOPIC, {"commands": [{"command": "a"}]}, Origin.REPLAY)
    assert not reading.send(f"{TOPIC}/response", {"responses": [{"command": "a"}]}).interactions
