"""VRPC: agents that are called, and whether they are there."""

from typing import Any

import pytest

from models.domain.messages import Origin
from models.domain.presence_words import Presence
from models.domain.records import Outcome
from tests.unit.reading.test_home_made_talk import S, Talk

CLIENT = "lab.example/box/SnfX-Xnv"
CALL: dict[str, Any] = {"a": [5], "i": "SnfX-Xnv-1", "s": CLIENT, "v": 3}
ADD = "lab.example/py-agent-1/Counter/shared-1/add"


def test_calls_and_their_answers() -> None:
    talk = Talk()
    for answer in ({"r": 15}, {"e": {"message": "nope"}}):
        talk.tell(ADD, CALL)
        talk.tell(CLIENT, {**CALL, "c": "shared-1", "f": "add", **answer})
    assert talk.talks == [
        ("", "py-agent-1", "Counter.add", S // 4, Outcome.OK), ("", "py-agent-1", "Counter.add", S // 4, Outcome.ERROR),
    ]  # fmt: skip
    assert talk.agents() == {"py-agent-1"}
    assert not talk.points


def test_a_promise_is_no_answer_yet() -> None:
    talk = Talk()
    talk.tell(ADD, CALL)
    talk.tell(CLIENT, {**CALL, "r": "__p__1"})
    assert not talk.talks
    talk.tell(CLIENT, {"i": "__p__1", "s": CLIENT, "v": 3, "r": 15})
    talk.tell(CLIENT, {"i": "__p__1", "s": CLIENT, "v": 3, "r": 15})
    assert talk.talks == [("", "py-agent-1", "Counter.add", S // 2, Outcome.OK)]


def test_what_agents_and_clients_say_of_themselves() -> None:
    talk = Talk()
    info = "lab.example/py-agent-1/__agentInfo__"
    batch = talk.tell(info, {"status": "online", "hostname": "box", "version": "2.1", "v": 3})
    assert [(one.convention, one.host, one.version) for one in batch.declarations] == [("vrpc", "box", "2.1")]
    said = [
        batch,
        talk.tell(info, {"status": "offline", "hostname": "box", "version": "2.1", "v": 3}),
        talk.tell(info, ""),
    ]
    assert [one.evidence[0].presence for one in said] == [Presence.ONLINE, Presence.OFFLINE, Presence.STOPPED]
    talk.tell("lab.example/py-agent-1/Counter/__classInfo__", {"className": "Counter", "instances": [], "v": 3})
    talk.tell(f"{CLIENT}/__clientInfo__", {"status": "offline"})
    assert talk.agents() == {"py-agent-1"}
    assert not talk.points


@pytest.mark.parametrize(
    "body", [{"i": "x", "s": "on", "v": 3}, {"i": 7, "s": "a/b", "v": 3}, {"i": "x", "s": "a/b", "v": 3.5}]
)
def test_what_only_looks_like_a_call_is_read_as_ever(body: dict[str, object]) -> None:
    talk = Talk()
    talk.tell("plant/line-1/motor/m-1/data", {**body, "speed": 5})
    assert any(one.metric.endswith("speed") for one in talk.points)


def test_replays_call_nobody() -> None:
    talk = Talk()
    talk.tell(ADD, CALL, Origin.REPLAY)
    talk.tell(CLIENT, {**CALL, "r": 15})
    assert not talk.talks
