"""A2A over MQTT: cards, tasks, who answered whom and when."""

from typing import Any

import pytest

from models.domain.clock import Instant
from models.domain.messages import Kind, Origin
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.records import Outcome, TaskState
from tests.helpers.a2a import REPLY, REQUEST, S, Talk
from tests.helpers.reading import Reading, recorded

CARD = {"name": "Planner", "version": "2", "skills": [{"id": "plan", "name": "Planning"}, {"id": "bare"}]}
DISCOVERY = "$a2a/v1/discovery/o/u/planner"


def test_recording_of_the_sdk() -> None:
    reading, keeper, presence = Reading(), PresenceKeeper(), {}
    name = reading.names.agents
    tasks: dict[str, list[Any]] = {}
    talks: list[Any] = []
    declared: list[Any] = []
    for message in recorded("a2a-over-mqtt-sdk-0.1"):
        batch = reading.read(message)
        for change in keeper.observe(batch, Instant(message.received_us, message.received_us)):
            presence[name[change.agent]] = (change.presence, change.cause)
        for one in batch.tasks:
            assert (name[one.agent], one.requester) == ("summariser", "client")
            tasks.setdefault(one.task, []).append(one)
        talks += batch.interactions
        declared += [
            (name[one.agent], one.convention, *one[3:5], one.version, one.capabilities) for one in batch.declarations
        ]
        assert not batch.unreadable
    assert reading.agents() == {"summariser", "planner", "client"}
    assert not reading.points
    asked = (TaskState.SUBMITTED, TaskState.WORKING, TaskState.WORKING)
    assert [tuple(one.state for one in reports) for reports in tasks.values()] == [
        (*asked, TaskState.COMPLETED), (*asked, TaskState.COMPLETED), (*asked, TaskState.FAILED),
        (*asked, TaskState.COMPLETED),
    ]  # fmt: skip
    assert [(reports[-1].result, reports[-1].error) for reports in tasks.values()] == [
        ("Summary of: report one", None), ("Summary of: report two", None), (None, "Internal error"),
        ("Summary of: report four", None),
    ]  # fmt: skip
    assert [(name[one.sender], name[one.receiver], one.kind, one.outcome) for one in talks] == [
        ("client", "summariser", "SendMessage", outcome)
        for outcome in (Outcome.OK, Outcome.OK, Outcome.ERROR, Outcome.OK)
    ]
    assert all(750_000 < one.reply_us < 810_000 for one in talks)
    assert declared == [
        ("summariser", "a2a", "Summariser", "example.org/lab", "0.1.0", ("Summariser",)),
        ("planner", "a2a", "Planner", "example.org/lab", "0.1.0", ("Planner",)),
        ("client", "a2a", None, "example.org/lab", None, None),
    ]
    assert presence == {
        "summariser": (Presence.OFFLINE, Cause.WILL),
        "planner": (Presence.ONLINE, Cause.STATUS),
        "client": (Presence.ONLINE, Cause.HEARD),
    }


@pytest.mark.parametrize(
    ("status", "source", "said"),
    [
        ("online", "agent", (Presence.ONLINE, Cause.STATUS, 2)),
        ("offline", "agent", (Presence.STOPPED, Cause.GOODBYE, 2)),
        ("offline", "lwt", (Presence.OFFLINE, Cause.WILL, 2)),
        ("online", "broker", (Presence.ONLINE, Cause.BROKER, 3)),
        ("offline", "broker", (Presence.OFFLINE, Cause.BROKER, 3)),
    ],
)
def test_a_card_s_properties_say_whether_the_agent_is_there(status: str, source: str, said: object) -> None:
    batch = Talk().tell(DISCOVERY, CARD, {"a2a-status": status, "a2a-status-source": source})
    [one] = batch.evidence
    assert (one.presence, one.cause, one.rank) == said
    assert batch.kind == [Kind.STATUS]
    assert batch.remembered == [0]


def test_a_retained_card_tells_who_was_there_never_who_is() -> None:
    talk = Talk()
    batch = talk.tell(DISCOVERY, CARD, {"a2a-status": "online"}, Origin.REPLAY)
    assert (batch.evidence, len(batch.declarations)) == ([], 1)
    [gone] = talk.tell(DISCOVERY, CARD, {"a2a-status": "offline", "a2a-status-source": "lwt"}, Origin.REPLAY).evidence
    assert (gone.presence, gone.cause) == (Presence.OFFLINE, Cause.REPLAYED)
    assert talk.agents() == {"planner"}


def test_what_the_broker_adds_to_a_retained_card_holds_now() -> None:
    batch = Talk().tell(DISCOVERY, CARD, {"a2a-status": "online", "a2a-status-source": "broker"}, Origin.REPLAY)
    [change] = PresenceKeeper().observe(batch, Instant(batch.messages[0].received_us, 1))
    assert (change.presence, change.cause) == (Presence.ONLINE, Cause.BROKER)


def test_a_card_without_end_is_cut() -> None:
    skills = [{"name": "s" * 10_000}] * 5_000
    [one] = Talk().tell(DISCOVERY, {"name": "<b>\u202e" * 1_000, "version": "1" * 9_999, "skills": skills}).declarations
    assert (len(one.name or ""), len(one.version or ""), len(one.capabilities or ())) == (256, 256, 200)
    assert {len(skill) for skill in one.capabilities or ()} == {256}


def test_an_emptied_card_means_gone_and_makes_nobody() -> None:
    talk = Talk()
    assert not talk.tell(DISCOVERY, b"").evidence
    assert not talk.agents()
    talk.tell(DISCOVERY, CARD)
    [one] = talk.tell(DISCOVERY, b"").evidence
    assert one.presence is Presence.OFFLINE


@pytest.mark.parametrize("payload", [{"name": "x"}, {"skills": []}, {"name": 5, "skills": []}, [1], "online"])
def test_what_is_no_card_makes_no_agent(payload: object) -> None:
    talk = Talk()
    talk.tell(DISCOVERY, payload)
    assert len(talk.unread) == 1
    assert not talk.agents()


def test_agents_of_one_name_in_two_units_are_two_and_stay_who_they_are() -> None:
    talk = Talk()
    talk.tell("$a2a/v1/discovery/o/a/planner", CARD)
    talk.tell("$a2a/v1/discovery/o/b/planner", CARD)
    assert talk.agents() == {"planner", "o/b/planner"}
    again = Talk()
    for name in ("planner", "o/b/planner"):  # as after a start, when the other comes first
        again.names.agent(name)
    again.tell("$a2a/v1/discovery/o/b/planner", CARD)
    again.tell("$a2a/v1/discovery/o/a/planner", CARD)
    assert again.senders == ["o/b/planner", "planner"]


def test_a_stream_is_answered_by_its_end_however_long_it_goes_on() -> None:
    talk = Talk()
    talk.ask()
    for _ in range(3):
        talk.now_us += 50 * S
        talk.state("TASK_STATE_WORKING")
    talk.state("TASK_STATE_REJECTED", message={"parts": [{"text": "too long"}]})
    [(*ends, kind, reply_us, outcome)] = talk.talks
    assert (ends, kind, outcome) == (["client", "planner"], "SendMessage", Outcome.REFUSED)
    assert reply_us == 151 * S
    talk.now_us += 61 * S
    talk.tell(DISCOVERY, CARD)
    assert len(talk.talks) == 1


def test_who_does_not_answer_in_time_let_the_requester_wait() -> None:
    talk = Talk()
    talk.ask()
    talk.now_us += 60 * S
    talk.tell(DISCOVERY, CARD)
    assert talk.talks == [("client", "planner", "SendMessage", None, Outcome.TIMEOUT)]


def test_a_request_sent_again_is_one_and_its_time_counts_from_the_first() -> None:
    talk = Talk()
    talk.ask(correlation=b"1")
    talk.ask(correlation=b"2")
    talk.reply({"statusUpdate": {"taskId": "t", "status": {"state": "TASK_STATE_COMPLETED"}}}, correlation=b"1")
    assert talk.talks == [("client", "planner", "SendMessage", S // 2, Outcome.OK)]
    talk.reply({"statusUpdate": {"taskId": "t", "status": {"state": "TASK_STATE_COMPLETED"}}}, correlation=b"2")
    assert len(talk.talks) == 1
    assert talk.states == [("planner", "t", TaskState.SUBMITTED), ("planner", "t", TaskState.COMPLETED)]


def test_a_task_that_needs_more_is_answered_and_goes_on_with_the_next_request() -> None:
    talk = Talk()
    talk.ask(correlation=b"c")
    talk.state("TASK_STATE_INPUT_REQUIRED")
    talk.ask(correlation=b"c")
    talk.state("TASK_STATE_WORKING")
    talk.state("TASK_STATE_COMPLETED")
    assert [state for _, _, state in talk.states] == [
        TaskState.SUBMITTED, TaskState.INPUT_REQUIRED, TaskState.WORKING, TaskState.COMPLETED,
    ]  # fmt: skip
    assert [outcome for *_, outcome in talk.talks] == [Outcome.OK, Outcome.OK]


def test_an_error_answers_and_a_task_that_nobody_began_is_rejected() -> None:
    talk = Talk()
    talk.ask()
    error = {"code": -32004, "message": "overloaded", "data": {"a2a_error": "responder_unavailable"}}
    batch = talk.tell(REPLY, {"jsonrpc": "2.0", "id": "other", "error": error}, correlation=b"c")
    assert talk.talks == [("client", "planner", "SendMessage", S // 4, Outcome.ERROR)]
    [report] = batch.tasks
    assert (report.state, report.error) == (TaskState.REJECTED, "overloaded")


def test_what_is_asked_of_a_task_is_answered_at_once_and_says_nothing_twice() -> None:
    talk = Talk()
    talk.ask()
    talk.state("TASK_STATE_WORKING")
    body = {"jsonrpc": "2.0", "id": "g", "method": "GetTask", "params": {"id": "t"}}
    talk.tell(REQUEST, body, response_topic=REPLY, correlation=b"g")
    talk.reply({"id": "t", "status": {"state": "TASK_STATE_WORKING"}}, correlation=b"g")
    assert talk.talks == [("client", "planner", "GetTask", S // 4, Outcome.OK)]
    assert [state for *_, state in talk.states] == [TaskState.SUBMITTED, TaskState.WORKING]
    body = {"jsonrpc": "2.0", "id": "x", "method": "CancelTask", "params": {"id": "t"}}
    talk.tell(REQUEST, body, response_topic=REPLY, correlation=b"x")
    talk.reply({"statusUpdate": {"taskId": "t", "status": {"state": "TASK_STATE_CANCELED"}}}, correlation=b"x")
    talk.state("TASK_STATE_CANCELED")
    assert [(kind, outcome) for *_, kind, _, outcome in talk.talks] == [
        ("GetTask", Outcome.OK), ("CancelTask", Outcome.OK), ("SendMessage", Outcome.OK),
    ]  # fmt: skip
    assert [state for *_, state in talk.states][2:] == [TaskState.CANCELED]


def test_a_pool_s_task_is_whose_answer_says_so() -> None:
    talk = Talk()
    talk.ask(topic="$a2a/v1/request/o/u/pool/workers")
    assert talk.agents() == {"client"}
    talk.state("TASK_STATE_WORKING", {"a2a-responder-agent-id": "w-1"})
    batch = talk.state("TASK_STATE_COMPLETED", {"a2a-responder-agent-id": "w-1"})
    assert talk.talks == [("client", "w-1", "SendMessage", S // 2, Outcome.OK)]
    assert talk.states == [
        ("w-1", "t", TaskState.SUBMITTED), ("w-1", "t", TaskState.WORKING), ("w-1", "t", TaskState.COMPLETED),
    ]  # fmt: skip
    assert batch.tasks[0].requester == "client"


def test_a_task_handed_over_stays_one_task_and_the_words_are_the_new_one_s() -> None:
    talk = Talk()
    talk.ask()
    talk.state("TASK_STATE_WORKING", {"a2a-responder-agent-id": "helper"})
    talk.state("TASK_STATE_COMPLETED", {"a2a-responder-agent-id": "helper"})
    assert talk.senders == ["client", "helper", "helper"]
    assert {(agent, task) for agent, task, _ in talk.states} == {("planner", "t")}
    assert talk.talks == [("client", "planner", "SendMessage", S // 2, Outcome.OK)]


def test_artifacts_become_the_result() -> None:
    talk = Talk()
    talk.ask()
    for text, append in (("one", False), ("two", False), (" three", True)):
        talk.reply({"artifactUpdate": {"taskId": "t", "artifact": {"parts": [{"text": text}]}, "append": append}})
    [report] = talk.state("TASK_STATE_COMPLETED", message={"parts": [{"text": "done"}]}).tasks
    assert report.result == "one\ntwo three"
    assert len(talk.talks) == 1


def test_version_0_3_and_0_2() -> None:
    talk = Talk()
    talk.ask(method="message/stream")
    talk.reply({"kind": "task", "id": "t", "status": {"state": "submitted"}})
    talk.reply({"kind": "status-update", "taskId": "t", "status": {"state": "working"}, "final": False})
    talk.reply({"kind": "artifact-update", "taskId": "t", "artifact": {"parts": [{"kind": "text", "text": "a"}]}})
    batch = talk.reply({"kind": "status-update", "taskId": "t", "status": {"state": "completed"}, "final": True})
    assert (batch.tasks[0].result, talk.talks[0][3]) == ("a", 5 * S // 4 - S // 4)
    talk.ask(method="message/send", task="u")
    talk.reply({"kind": "message", "messageId": "m", "parts": [{"kind": "text", "text": "hello"}]})
    talk.ask(method="tasks/sendSubscribe", task="v")
    talk.reply({"id": "v", "status": {"state": "working"}, "final": False})
    talk.reply({"id": "v", "status": {"state": "failed"}, "final": True})
    assert [(kind, outcome) for *_, kind, _, outcome in talk.talks] == [
        ("message/stream", Outcome.OK), ("message/send", Outcome.OK), ("tasks/sendSubscribe", Outcome.ERROR),
    ]  # fmt: skip
    assert [(task, state) for _, task, state in talk.states] == [
        ("t", TaskState.SUBMITTED), ("t", TaskState.WORKING), ("t", TaskState.COMPLETED), ("u", TaskState.SUBMITTED),
        ("v", TaskState.SUBMITTED), ("v", TaskState.WORKING), ("v", TaskState.FAILED),
    ]  # fmt: skip


def test_a_single_answer_with_the_task_as_it_is() -> None:
    talk = Talk()
    talk.ask()
    task = {"id": "t", "status": {"state": "TASK_STATE_COMPLETED"}, "artifacts": [{"parts": [{"data": {"n": 1}}]}]}
    [report] = talk.reply({"task": task}).tasks
    assert report.result == '{"n":1}'
    assert len(talk.talks) == 1


def test_without_properties_the_json_rpc_id_joins() -> None:
    talk = Talk()
    body = {"jsonrpc": "2.0", "id": 7, "method": "SendMessage", "params": {"metadata": {"sender": "client"}}}
    talk.tell("$a2a/v1/request/planner", body)
    talk.tell("$a2a/v1/response/client", {"jsonrpc": "2.0", "id": 7, "result": {"message": {"parts": []}}})
    assert talk.talks == [("client", "planner", "SendMessage", S // 4, Outcome.OK)]
    assert talk.agents() == {"client", "planner"}


def test_events_tell_of_tasks_and_are_their_agent_s() -> None:
    talk = Talk()
    status = {"state": "TASK_STATE_WORKING"}
    talk.tell("$a2a/v1/event/o/u/planner", {"statusUpdate": {"taskId": "t", "status": status}})
    talk.tell(
        "$a2a/v1/event/o/u/planner", {"jsonrpc": "2.0", "method": "x", "params": {"taskId": "t", "status": status}}
    )
    talk.tell("$a2a/v1/event/o/u/planner", {"anything": 1})
    assert talk.states == [("planner", "t", TaskState.WORKING)] * 2
    assert (talk.senders, talk.unread, talk.points) == (["planner"] * 3, [], [])


def test_what_is_encrypted_is_joined_all_the_same() -> None:
    talk = Talk()
    sealed = {"content_type": "application/jose+json"}
    talk.tell(REQUEST, "{}", response_topic=REPLY, correlation=b"c", **sealed)
    talk.tell(REPLY, "eyJ", correlation=b"c", **sealed)
    assert talk.talks == [("client", "planner", "encrypted", S // 4, Outcome.OK)]
    assert not talk.unread


def test_an_artifact_s_bytes_are_a_sign_of_work() -> None:
    talk = Talk()
    talk.ask()
    talk.tell(REPLY, b"\xff\x00", {"a2a-event-type": "task-artifact-update"}, correlation=b"c")
    assert (talk.senders, talk.unread, talk.talks) == (["client", "planner"], [], [])


@pytest.mark.parametrize(
    "topic", ["$a2a", "$a2a/v1", "$a2a/v1/discovery", "$a2a/v1/discovery//x", "$a2a/v1/group/n/chat"]
)
def test_other_topics_below_the_root_are_nobody_s(topic: str) -> None:
    talk = Talk()
    talk.tell(topic, CARD)
    assert not talk.agents()
    assert not talk.unread


def test_replayed_talk_derives_nothing() -> None:
    talk = Talk()
    body = {"jsonrpc": "2.0", "id": "r", "method": "SendMessage", "params": {"message": {"taskId": "t"}}}
    talk.tell(REQUEST, body, origin=Origin.REPLAY, response_topic=REPLY, correlation=b"c")
    talk.state("TASK_STATE_WORKING")
    assert (talk.talks, talk.states) == ([], [])


def test_a_crowd_of_tasks_is_bounded() -> None:
    from mqtt.reading.conventions import a2a_tasks

    tasks, reading = a2a_tasks.Tasks(), Reading()
    batch = reading.send("x", "1")
    message, sink = batch.messages[0], reading.reader._sink
    for i in range(a2a_tasks.MOST_TASKS + 5):
        tasks.submit(0, message, str(i), 1, "", None, sink)
    assert len(tasks._tasks) <= a2a_tasks.MOST_TASKS
