"""Tasks put to agents, as messages, and what our own inbox says of them."""

import json

import pytest

from models.domain.messages import Origin, Properties
from models.domain.records import TaskState
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.orders import Fan, Gather, TaskOrder
from models.domain.tasks.work import Dispatch, Reason, Told, Work
from mqtt.delegating import a2a, contract
from mqtt.delegating.attempts import attempt_name, attempt_of
from mqtt.delegating.contract import Missing, Refusal, Withdrawal, read_inbox
from tests.helpers.a2a import Talk
from tests.helpers.reading import Reading

US, NOW_US = "murmurscope-1", 1_000_000_000
ORDER = TaskOrder("t", "sum", '{"a":1}', ("adder",), deadline_us=NOW_US + 1_500_000, parent="p")


def dispatch(kind="task", attempt=1, text="null", order=ORDER):
    return Dispatch(kind, Work(order, 1), "adder", attempt, text)


def body(message):
    return json.loads(message.payload)


@pytest.mark.parametrize("name", ["t", "job.3", "a.b.c", ""])
def test_an_attempts_name_is_taken_apart_as_it_was_put_together(name):
    assert attempt_of(attempt_name(name, 12)) == (name, 12)


class TestContract:
    def test_a_task(self):
        message = contract.message_for(dispatch(attempt=2), "agents", US, NOW_US)
        assert (message.topic, message.qos, message.retain) == (f"agents/adder/inbox/{US}", 1, False)
        assert body(message) == {
            "id": "t.2",
            "type": "task",
            "from_name": "Murmurscope",
            "body": {
                "task": "t", "type": "sum", "input": {"a": 1}, "attempt": 2, "parent": "p",
                "deadline": (NOW_US + 1_500_000) / 1e6,
            },
        }  # fmt: skip
        assert message.properties == Properties("application/json", f"agents/{US}/inbox/adder", b"t.2", 2)

    def test_cancelling_and_answering(self):
        assert body(contract.message_for(dispatch("cancel"), "agents", US, 0))["body"] == {"task": "t"}
        answer = contract.message_for(dispatch("answer", text='"yes"'), "agents", US, 0)
        assert (body(answer)["type"], body(answer)["body"]) == ("input", {"task": "t", "input": "yes"})

    def test_asking_how_one_stands_and_that_it_is_not_there(self):
        asked = body(contract.message_for(dispatch("inquiry", 2), "agents", US, 0))
        assert (asked["type"], asked["body"]) == ("inquiry", {"task": "t", "attempt": 2})

        def said(state):
            told = {"type": "result", "reply_to": asked["id"], "body": {"task": "t", "state": state}}
            return read_inbox(Reading().message(f"agents/{US}/inbox/adder", told, Origin.LIVE, None), "agents", US)

        assert said("unknown") == Missing("adder", "t", 2)
        found = said("completed")
        assert (found.task, found.attempt, found.state) == ("t", 2, TaskState.COMPLETED)

    def test_a_command_is_never_retained_and_expires(self):
        message = contract.command_for(AgentCommand("c", "adder", "ping"), "agents", US)
        assert not message.retain
        assert message.properties.expiry_s == 60
        assert body(message) == {
            "id": "c", "type": "command", "from_name": "Murmurscope", "body": {"command": "ping", "arguments": None},
        }  # fmt: skip

    def test_our_own_reader_sees_the_same(self):
        reading = Reading()
        sent = contract.message_for(dispatch(attempt=2), "agents", US, NOW_US)
        batch = reading.send(sent.topic, sent.payload, Origin.LIVE, sent.properties)
        [report] = batch.tasks
        assert reading.names.agents[report.agent] == "adder"
        assert (report.task, report.state, report.attempt, report.requester) == ("t", TaskState.SUBMITTED, 2, US)

    def test_what_came_of_it_for_the_agent_that_asked(self):
        order = TaskOrder("t", "sum", requester="boss", reply_to="m7")
        work = Work(order, 1, TaskState.FAILED, Reason.LATE, result='{"a":1}')
        message = contract.end_for(work, "agents", US)
        assert message.topic == f"agents/boss/inbox/{US}"
        assert body(message) == {
            "id": "t.end", "type": "result", "reply_to": "m7",
            "body": {"task": "t", "state": "failed", "result": {"a": 1}, "error": "late"},
        }  # fmt: skip


class TestInbox:
    def read(self, told, sender="adder", properties=None):
        message = Reading().message(f"agents/{US}/inbox/{sender}", told, Origin.LIVE, properties)
        found = read_inbox(message, "agents", US)
        return found._replace(time_us=0) if isinstance(found, Told) else found

    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ({"reply_to": "t.2", "type": "result", "body": {"task": "t", "state": "completed", "result": 6}},
             Told("adder", "t", TaskState.COMPLETED, 2, None, "6")),
            ({"reply_to": "t.1", "body": {"sum": 6}}, Told("adder", "t", TaskState.COMPLETED, 1, None, '{"sum":6}')),
            ({"reply_to": "t.1", "body": 6}, Told("adder", "t", TaskState.COMPLETED, 1, None, "6")),
            ({"reply_to": "t.1", "body": {"error": "no"}}, Told("adder", "t", TaskState.FAILED, 1, None, None, "no")),
            ({"reply_to": "t.1", "task": "t", "state": "working", "progress": 0.5},
             Told("adder", "t", TaskState.WORKING, 1, 0.5)),
            ({"reply_to": "c", "body": {"state": "completed"}}, Told("adder", "c", TaskState.COMPLETED)),
        ],
    )  # fmt: skip
    def test_answers(self, told, expected):
        assert self.read(told) == expected

    def test_an_answer_may_be_told_by_correlation_alone(self):
        answer = self.read({"body": 6}, properties=Properties(correlation=b"t.1"))
        assert answer == Told("adder", "t", TaskState.COMPLETED, 1, None, "6")

    @pytest.mark.parametrize(
        ("payload", "result"),
        [({"sum": 6}, '{"sum":6}'), ("6", "6"), ('"six"', "six"), ("six", "six"), ("[6]", "[6]"), ("null", None)],
    )
    def test_or_be_nothing_but_the_result(self, payload, result):
        answer = self.read(payload, properties=Properties(correlation=b"t.1"))
        assert answer == Told("adder", "t", TaskState.COMPLETED, 1, None, result)

    @pytest.mark.parametrize(
        ("payload", "properties"),
        [("6", None), ("6", Properties(correlation=b"x")), (b"\xff", Properties(correlation=b"t.1"))],
    )
    def test_what_is_no_answer_to_anything(self, payload, properties):
        assert self.read(payload, properties=properties) is None

    def test_an_agent_asks_by_mqtt_5(self):
        told = {"id": "m", "type": "task", "body": {"type": "sum"}}
        found = self.read(told, "boss", properties=Properties(response_topic="here", correlation=b"m"))
        assert isinstance(found, TaskOrder)

    def test_an_agent_asks(self):
        told = {
            "type": "sum", "input": [1], "to": "adder", "fan": "each", "gather": "first", "attempts": 3,
            "idempotent": True, "parent": "p",
        }  # fmt: skip
        found = self.read({"id": "m", "type": "task", "body": told}, "boss")
        assert found == TaskOrder(
            "boss:m", "sum", "[1]", ("adder",), "", Fan.EACH, Gather.FIRST, 0, 3, 1_000_000, True, "p", "boss", "m"
        )

    def test_an_agent_asks_nonsense_or_takes_back(self):
        assert isinstance(self.read({"id": "m", "type": "task", "body": {"type": "x", "fan": "many"}}), Refusal)
        assert isinstance(self.read({"id": "m", "type": "task", "body": {"type": "x", "to": 7}}), Refusal)
        assert self.read({"type": "cancel", "body": {"task": "t"}}) == Withdrawal("adder", "t")

    @pytest.mark.parametrize(
        "told", ["", "nonsense", "[1]", {"id": "m", "type": "task"}, {"type": "task", "body": {}}, {}]
    )
    def test_what_is_of_no_task_is_nothing(self, told):
        assert self.read(told) is None


class TestA2A:
    def put(self, talk, **more):
        sent = a2a.message_for(dispatch(**more), "o/u/adder", US, NOW_US)
        assert sent.topic == "$a2a/v1/request/o/u/adder"
        talk.send(sent.topic, sent.payload, Origin.LIVE, sent.properties)
        return sent

    def test_the_task_keeps_its_id_through_to_its_end(self):
        talk = Talk()
        sent = a2a.message_for(dispatch(), "o/u/adder", US, NOW_US)
        talk.tell(
            sent.topic,
            json.loads(sent.payload),
            response_topic=sent.properties.response_topic,
            correlation=sent.properties.correlation,
        )
        status = {"taskId": "t", "status": {"state": "TASK_STATE_COMPLETED"}}
        talk.tell(
            sent.properties.response_topic,
            {"jsonrpc": "2.0", "id": "t.1.task", "result": {"statusUpdate": status}},
            correlation=sent.properties.correlation,
        )
        assert talk.states == [("adder", "t", TaskState.SUBMITTED), ("adder", "t", TaskState.COMPLETED)]
        assert [one[:2] for one in talk.talks] == [(US, "adder")]

    def test_its_parts(self):
        told = body(self.put(Talk()))
        assert told["params"]["message"]["parts"] == [{"data": {"a": 1}}]
        assert told["params"]["metadata"] == {"parentTaskId": "p"}
        plain = body(self.put(Talk(), order=TaskOrder("t", "sum", '"add them"')))
        assert plain["params"]["message"]["parts"] == [{"text": "add them"}]

    def test_a_later_attempt_is_a_task_of_its_own(self):
        assert body(self.put(Talk(), attempt=2))["params"]["message"]["taskId"] == "t.2"
        assert body(self.put(Talk(), kind="cancel", attempt=2))["params"] == {"id": "t.2"}
