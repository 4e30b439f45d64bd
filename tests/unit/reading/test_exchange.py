"""Messages between agents: requests, replies, time-outs, delegated tasks."""

from typing import NamedTuple

import pytest

from models.domain.messages import Kind, Origin, Properties
from models.domain.records import Outcome, TaskState
from mqtt.reading.exchange import MOST_PENDING
from tests.helpers.reading import ARRIVAL_US, Reading

S = 1_000_000


class Seen(NamedTuple):
    sender: str
    receiver: str
    kind: str
    id: str
    reply_us: int | None
    outcome: Outcome


class Post(Reading):
    """Sends one message after the other, 250 ms apart."""

    def tell(
        self,
        sender: str,
        receiver: str,
        origin: Origin = Origin.LIVE,
        properties: Properties | None = None,
        **body: object,
    ) -> list[Seen]:
        batch = self.send(f"agents/{receiver}/inbox/{sender}", body, origin, properties)
        assert batch.kind == [Kind.MESSAGE]
        assert self.names.agents[batch.agent[0]] == sender
        self.now_us += 250_000
        return self.seen(batch)

    def seen(self, batch) -> list[Seen]:  # type: ignore[no-untyped-def]
        name = self.names.agents
        return [Seen(name[i.sender], name[i.receiver], *i[4:]) for i in batch.interactions]


def test_request_and_reply_are_one_interaction_at_the_request_s_time() -> None:
    post = Post()
    assert post.tell("a", "b", id="1", type="ask") == []
    assert post.tell("b", "a", reply_to="1", body={"x": 1}) == [Seen("a", "b", "ask", "1", 250_000, Outcome.OK)]
    assert post.tell("b", "a", reply_to="1") == []  # answered already


def test_the_time_is_the_request_s_own_where_plausible() -> None:
    post = Post()
    post.tell("a", "b", id="1", ts=ARRIVAL_US / S - 2)
    [one] = post.send("agents/a/inbox/b", {"reply_to": "1"}).interactions
    assert one.time_us == ARRIVAL_US - 2 * S


def test_request_and_reply_in_one_batch_over_two_topics() -> None:
    post = Post()
    batch = post.read(
        post.message("agents/b/inbox/a", {"id": 5}),
        post.message("agents/a/inbox/b", {"reply_to": 5}),
    )
    assert post.seen(batch) == [Seen("a", "b", "message", "5", 0, Outcome.OK)]
    assert batch.interactions[0].row == 1


@pytest.mark.parametrize("reply", [{"type": "error"}, {"body": {"error": "no"}}, {"error": "no"}])
def test_a_reply_may_tell_of_a_failure(reply: dict[str, object]) -> None:
    post = Post()
    post.tell("a", "b", id="1")
    assert post.tell("b", "a", reply_to="1", **reply)[0].outcome is Outcome.ERROR


def test_only_the_one_asked_can_answer() -> None:
    post = Post()
    post.tell("a", "b", id="1")
    assert post.tell("c", "a", reply_to="1") == []
    assert post.tell("b", "c", reply_to="1") == []
    assert len(post.tell("b", "a", reply_to="1")) == 1


def test_what_asks_for_no_reply_is_an_interaction_at_once() -> None:
    post = Post()
    assert post.tell("a", "b", type="event", id="1") == [Seen("a", "b", "event", "1", None, Outcome.OK)]
    assert post.tell("a", "b", body="hello") == [Seen("a", "b", "message", "", None, Outcome.OK)]


def test_sixty_seconds_without_reply_time_out_by_arrival() -> None:
    post = Post()
    post.tell("a", "b", id="1")
    post.now_us = ARRIVAL_US + 60 * S - 1
    assert post.send("agents/a/metrics", {"metrics": {"x": 1}}).interactions == []
    post.now_us += 1
    batch = post.send("agents/a/metrics", {"metrics": {"x": 1}})
    assert post.seen(batch) == [Seen("a", "b", "message", "1", None, Outcome.TIMEOUT)]
    assert batch.interactions[0].time_us == ARRIVAL_US
    assert post.tell("b", "a", reply_to="1") == []


def test_a_delegated_task_is_a_report_and_its_cancellation_none() -> None:
    post = Post()
    task = {"task": "t-1", "type": "sum", "input": [1]}
    batch = post.send("agents/b/inbox/a", {"id": "m", "type": "task", "body": task})
    [one] = batch.tasks
    assert (post.names.agents[one.agent], one.task, one.type, one.state, one.requester) == (
        "b", "t-1", "sum", TaskState.SUBMITTED, "a",
    )  # fmt: skip
    assert post.seen(batch) == [Seen("a", "b", "task", "m", None, Outcome.OK)]
    assert not post.send("agents/b/inbox/a", {"type": "cancel", "body": {"task": "t-1"}}).tasks
    batch = post.send("agents/b/inbox/a", {"type": "task", "body": {}})
    assert [one.reason for one in batch.unreadable] == ["shape"]


def test_mqtt_5_replies_come_on_any_topic() -> None:
    post = Post()
    asked = Properties(response_topic="lab/replies/a", correlation=b"\x00\x01")
    post.tell("a", "b", properties=asked, type="ask")
    answered = Properties(correlation=b"\x00\x01")
    batch = post.send("lab/replies/a", {"ok": 1}, properties=Properties(correlation=b"other"))
    assert batch.interactions == []
    assert post.seen(post.send("lab/replies/a", {"error": "x"}, properties=answered)) == [
        Seen("a", "b", "ask", "", 250_000, Outcome.ERROR)
    ]
    post.tell("a", "b", properties=asked, id="7")
    assert len(post.tell("b", "a", reply_to="7")) == 1  # found by id, so not found twice
    assert post.send("lab/replies/a", b"\xff\xfe", properties=answered).interactions == []
    post.tell("a", "b", properties=asked)
    assert len(post.send("lab/replies/a", b"\xff\xfe", properties=answered).interactions) == 1


def test_what_waited_in_the_broker_is_timed_by_its_own_clocks() -> None:
    post = Post()
    began = ARRIVAL_US / S - 3600
    post.tell("a", "b", Origin.BACKLOG, id="1", ts=began)
    assert post.tell("b", "a", Origin.BACKLOG, reply_to="1", ts=began + 2)[0].reply_us == pytest.approx(2 * S, abs=2)
    post.tell("a", "b", Origin.BACKLOG, id="1")
    assert post.tell("b", "a", Origin.BACKLOG, reply_to="1")[0].reply_us is None


def test_open_requests_are_bounded() -> None:
    post = Post()
    one = post.message("agents/b/inbox/a", {"id": "x"})
    messages = [one._replace(payload=b'{"id":"%d"}' % i) for i in range(MOST_PENDING + 3)]
    batch = post.read(*messages)
    assert [i.id for i in batch.interactions] == ["0", "1", "2"]
    assert {i.outcome for i in batch.interactions} == {Outcome.TIMEOUT}
