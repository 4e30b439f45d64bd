"""Solace Agent Mesh: cards of many on one topic, requests and sub-tasks, replies on topics of their own."""

import pytest

from models.domain.messages import Kind, Origin
from models.domain.records import Outcome, TaskState
from tests.helpers.a2a import S, Talk

BASE = "acme/dev/a2a/v1"


class Mesh(Talk):
    """`gw-1` asks `Orchestrator` for `task-1`, which asks `Analyst` for `sub-1`."""

    def card(self, name: str, origin: Origin = Origin.LIVE):  # type: ignore[no-untyped-def]
        card = {
            "name": name, "version": "1.2", "url": f"solace:{BASE}/agent/request/{name}", "capabilities": {},
            "skills": [{"id": "s", "name": "Reports"}], "protocolVersion": "0.3.0",
        }  # fmt: skip
        return self.tell(f"{BASE}/discovery/agentcards", card, origin=origin)

    def request(self, agent: str, task: str, user: dict[str, str], method: str = "message/stream", **metadata: str):  # type: ignore[no-untyped-def]
        message = {"kind": "message", "messageId": "m", "role": "user", "parts": [], "metadata": metadata}
        body = {"jsonrpc": "2.0", "id": task, "method": method, "params": {"message": message}}
        return self.tell(f"{BASE}/agent/request/{agent}", body, user)

    def status(self, place: str, task: str, state: str):  # type: ignore[no-untyped-def]
        update = {"kind": "status-update", "taskId": task, "status": {"state": state}, "final": False}
        return self.tell(f"{BASE}/{place}", {"jsonrpc": "2.0", "id": task, "result": update})

    def response(self, place: str, task: str, state: str = "completed", agent: str | None = None):  # type: ignore[no-untyped-def]
        parts = [{"kind": "text", "text": f"result of {task}"}]
        status = {"state": state, "message": {"kind": "message", "parts": parts}}
        done = {"kind": "task", "id": task, "status": status, "metadata": {"agent_name": agent} if agent else {}}
        return self.tell(f"{BASE}/{place}", {"jsonrpc": "2.0", "id": task, "result": done})


def test_a_task_with_a_task_of_its_own() -> None:
    mesh = Mesh()
    replies = {
        "replyTo": f"{BASE}/gateway/response/gw-1/task-1",
        "a2aStatusTopic": f"{BASE}/gateway/status/gw-1/task-1",
    }
    mesh.request("Orchestrator", "task-1", {"clientId": "gw-1", **replies})
    mesh.status("gateway/status/gw-1/task-1", "task-1", "working")
    batch = mesh.request("Analyst", "sub-1", {"delegating_agent_name": "Orchestrator"}, parentTaskId="task-1")
    assert [(one.parent, one.requester) for one in batch.tasks] == [("task-1", "Orchestrator")]
    mesh.status("agent/status/Orchestrator/sub-1", "sub-1", "working")
    mesh.response("agent/response/Orchestrator/sub-1", "sub-1", agent="Analyst")
    [done] = mesh.response("gateway/response/gw-1/task-1", "task-1", "failed").tasks
    assert (done.error, done.requester) == ("result of task-1", "gw-1")
    assert mesh.talks == [
        ("Orchestrator", "Analyst", "message/stream", S // 2, Outcome.OK),
        ("gw-1", "Orchestrator", "message/stream", 5 * S // 4, Outcome.ERROR),
    ]  # fmt: skip
    assert mesh.states == [
        ("Orchestrator", "task-1", TaskState.SUBMITTED), ("Orchestrator", "task-1", TaskState.WORKING),
        ("Analyst", "sub-1", TaskState.SUBMITTED), ("Analyst", "sub-1", TaskState.WORKING),
        ("Analyst", "sub-1", TaskState.COMPLETED), ("Orchestrator", "task-1", TaskState.FAILED),
    ]  # fmt: skip
    assert mesh.senders == ["gw-1", "Orchestrator", "Orchestrator", "Analyst", "Analyst", "Orchestrator"]
    assert mesh.agents() == {"gw-1", "Orchestrator", "Analyst"}
    assert not mesh.unread


def test_cards_of_all_come_on_one_topic_and_their_beat_is_the_interval() -> None:
    mesh = Mesh()
    told = []
    for _ in range(6):
        told += mesh.card("Analyst").declarations
        told += mesh.card("Orchestrator").declarations
        mesh.now_us += 10 * S - S // 2
    assert [
        (mesh.names.agents[one.agent], one.convention, one.group, one.capabilities, one.interval_us) for one in told
    ] == [
        (name, "solace-agent-mesh", "acme/dev", ("Reports",), interval)
        for interval in (None, 10 * S)
        for name in ("Analyst", "Orchestrator")
    ]
    assert mesh.agents() == {"Analyst", "Orchestrator"}


def test_a_replayed_card_declares_and_is_no_beat() -> None:
    mesh = Mesh()
    batch = mesh.card("Analyst", Origin.REPLAY)
    assert (len(batch.declarations), batch.evidence, batch.kind) == (1, [], [Kind.STATUS])


def test_an_error_and_a_cancellation_that_nobody_answers() -> None:
    mesh = Mesh()
    mesh.request("Analyst", "t", {"clientId": "cli"}, "message/send")
    mesh.request("Analyst", "c", {"clientId": "cli"}, "tasks/cancel")
    error = {"code": -32603, "message": "no model"}
    mesh.tell(f"{BASE}/client/response/cli", {"jsonrpc": "2.0", "id": "t", "error": error})
    mesh.now_us += 61 * S
    mesh.card("Analyst")
    assert mesh.talks == [
        ("cli", "Analyst", "tasks/cancel", None, Outcome.OK), ("cli", "Analyst", "message/send", S // 2, Outcome.ERROR),
    ]  # fmt: skip


def test_without_properties_the_task_joins() -> None:
    mesh = Mesh()
    mesh.request("Analyst", "t", {})
    mesh.response("gateway/response/gw-1/t", "t")
    assert mesh.talks == [("", "Analyst", "message/stream", S // 4, Outcome.OK)]


@pytest.mark.parametrize("below", ["trust/agent/x", "discovery/other", "agent/request", "agent/else/x/y"])
def test_other_topics_of_the_mesh_are_nobody_s(below: str) -> None:
    mesh = Mesh()
    mesh.tell(f"{BASE}/{below}", {"name": "x", "skills": [], "n": 5})
    assert not mesh.agents()
    assert not mesh.points


def test_what_the_mesh_tells_of_itself_is_no_agent_s() -> None:
    mesh = Mesh()
    data = {"session_id": "s", "agent_id": "Analyst", "events_compacted": 12, "remaining_tokens": 900}
    event = {
        "event_type": "session.compact_response",
        "source_component": "WebUI",
        "namespace": "acme/dev",
        "data": data,
    }
    mesh.tell("acme/dev/sam/events/session/compact_response", event)
    mesh.tell("acme/dev/sam/v1/feedback/submit", {"id": "f", "task_id": "t", "type": "up", "rating": 1})
    assert not mesh.agents()
    assert not mesh.points
    assert not mesh.states
    assert not mesh.unread
    mesh.tell("robots/sam/events/door/open", {"angle": 5})
    assert mesh.agents()


def test_who_tells_how_its_task_is_is_named_even_where_the_request_was_not_seen() -> None:
    mesh = Mesh()
    update = {"kind": "status-update", "taskId": "t", "status": {"state": "working"}, "final": False}
    body = {"jsonrpc": "2.0", "id": "t", "result": update}
    mesh.tell(f"{BASE}/gateway/status/gw-1/t", body, {"delegating_agent_name": "Analyst", "clientId": "gw-1"})
    assert mesh.senders == ["Analyst"]
    assert mesh.states == [("Analyst", "t", TaskState.WORKING)]


def test_a_topic_that_only_looks_like_it_is_read_as_any_other() -> None:
    mesh = Mesh()
    mesh.tell("lab/a2a/crawler-1/temperature", "21.5")
    assert [one.agent for one in mesh.points] == ["crawler-1"]


@pytest.mark.parametrize(("code", "state"), [(-32603, TaskState.FAILED), (-32602, TaskState.REJECTED)])
def test_a_task_that_broke_is_none_that_was_refused(code: int, state: TaskState) -> None:
    mesh = Mesh()
    mesh.request("Analyst", "t", {"clientId": "cli"}, "message/send")
    mesh.tell(f"{BASE}/client/response/cli", {"jsonrpc": "2.0", "id": "t", "error": {"code": code, "message": "m"}})
    assert [one for *_, one in mesh.states] == [TaskState.SUBMITTED, state]
