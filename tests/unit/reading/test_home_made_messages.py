"""What agents without a convention tell each other by name."""

import pytest

from models.domain.messages import Kind, Origin
from models.domain.records import Outcome
from tests.unit.reading.test_home_made_talk import S, Talk

HI = {"id": "m-1", "from": "planner", "to": "coder", "subject": "hi", "body": "got a minute?", "reply_to": None}


def test_a_message_is_its_senders_and_one_interaction() -> None:
    talk = Talk()
    batch = talk.tell("agents/coder/inbox", HI)
    assert batch.kind == [Kind.MESSAGE]
    assert talk.names.agents[batch.agent[0]] == "planner"
    assert talk.talks == [("planner", "coder", "message", None, Outcome.OK)]
    assert talk.agents() == {"planner", "coder"}


def test_what_is_for_everybody_is_for_nobody_in_particular() -> None:
    talk = Talk()
    talk.tell("agents/planner/presence", {"status": "online"})
    talk.tell("agents/broadcast", {**HI, "to": "broadcast"})
    talk.tell("team/chat", {**HI, "to": "reviewer"})  # of whom nothing else is known
    assert talk.talks == [("planner", "", "message", None, Outcome.OK)] * 2
    assert talk.agents() == {"planner"}


def test_a_question_and_its_answer_are_one_interaction() -> None:
    talk = Talk()
    talk.tell("agents/coder/inbox", {**HI, "type": "question"})
    talk.tell("agents/planner/inbox", {"from": "coder", "to": "planner", "content": "yes", "in_reply_to": "m-1"})
    assert talk.talks == [("planner", "coder", "question", S // 4, Outcome.OK)]
    talk.tell("agents/planner/inbox", {"from": "coder", "to": "planner", "content": "again", "in_reply_to": "m-1"})
    assert talk.talks[1:] == [("coder", "planner", "message", None, Outcome.OK)]


def test_a_question_that_nobody_answers_times_out() -> None:
    talk = Talk()
    talk.tell("agents/coder/inbox", {**HI, "type": "question"})
    talk.now_us += 60 * S
    talk.tell("x/crawler-1/cpu", "5")
    assert talk.talks == [("planner", "coder", "question", None, Outcome.TIMEOUT)]


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("energy/flow", {"from": "grid", "to": "home", "power": 5}),
        ("mail/incoming", {"from": "ann@example.org", "to": "bob@example.org", "subject": "hi", "body": "text"}),
        ("sms/incoming", {"from": "+48123", "to": "+48456", "text": "hi"}),
        ("agents/coder/inbox", {"from": "", "to": "robin", "body": "x"}),
        ("agents/coder/inbox", {"from": "cpu", "to": "coder", "body": "x"}),
    ],
)
def test_what_only_looks_like_one_is_none(topic: str, body: dict[str, object]) -> None:
    talk = Talk()
    batch = talk.tell(topic, body)
    assert not talk.talks
    assert not batch.unreadable
    assert talk.agents().isdisjoint(map(str, (body["from"], body["to"])))


def test_replays_say_nothing() -> None:
    talk = Talk()
    talk.tell("agents/coder/inbox", HI, Origin.REPLAY)
    assert not talk.talks
