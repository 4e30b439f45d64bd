"""Delegation in our own contract: `agents/<to>/inbox/<from>`, in MQTT 3.1.1 by ids alone, in MQTT 5 with a response topic as well.

What agents say on `agents/<id>/task` is read as whatever else is; here is only what they send to our own inbox.
"""

import json
from typing import Any, NamedTuple

from models.domain.messages import Properties, RawMessage
from models.domain.publishing import OutgoingMessage
from models.domain.records import TaskState
from models.domain.tasks.commands import VALID_S, AgentCommand
from models.domain.tasks.orders import Fan, Gather, TaskOrder
from models.domain.tasks.work import Dispatch, Told, Work
from models.domain.timestamps import read_time
from mqtt.delegating.attempts import attempt_name, attempt_of
from mqtt.reading.contract_work import as_text, task_state
from mqtt.reading.decode import compact, read_json, read_object, read_text
from mqtt.reading.generic_numbers import number_of
from mqtt.reading.plan import Unread

_OURS = frozenset(("body", "reply_to", "task", "state", "result", "error"))

_OUR_NAME = "Murmurscope"
"""Of whoever gives tasks, for people: it has a topic of its own to be answered on, and no status."""
_INQUIRY = ".inquiry"
_TYPES = {"answer": "input"}  # agents answer each other, too: what one asked for has a word of its own


class Refusal(NamedTuple):
    """An order that makes no sense, and whom to tell."""

    sender: str
    reply_to: str
    task: str
    detail: str


class Withdrawal(NamedTuple):
    """An agent takes back what it asked for."""

    sender: str
    task: str


class Missing(NamedTuple):
    """An agent that was asked after an attempt does not know it."""

    agent: str
    task: str
    attempt: int


def inbox_of(prefix: str, agent: str) -> bytes:
    """What the topics of an agent's inbox begin with."""
    return f"{prefix}/{agent}/inbox/".encode()


def message_for(dispatch: Dispatch, prefix: str, us: str, now_us: int) -> OutgoingMessage:
    """The message that puts a task to an agent, cancels it, brings an answer, or asks how it stands. `us`: our id among the agents."""
    order = dispatch.work.order
    id_ = attempt_name(order.id, dispatch.attempt)
    body: dict[str, Any] = {"task": order.id}
    properties = None
    match dispatch.kind:
        case "task":
            body |= {"type": order.type, "input": json.loads(order.input), "attempt": dispatch.attempt}
            if order.parent:
                body["parent"] = order.parent
            expiry_s = None
            if order.deadline_us:
                body["deadline"] = order.deadline_us / 1_000_000
                expiry_s = max(1, -(-(order.deadline_us - now_us) // 1_000_000))
            answers = f"{prefix}/{us}/inbox/{dispatch.agent}"
            properties = Properties("application/json", answers, id_.encode(), expiry_s)
        case "answer":
            body["input"] = json.loads(dispatch.text)
            id_ += ".answer"
        case "inquiry":
            body["attempt"] = dispatch.attempt
            id_ = attempt_name(order.id + _INQUIRY, dispatch.attempt)
        case _:
            id_ += ".cancel"
    told = {"id": id_, "type": _TYPES.get(dispatch.kind, dispatch.kind), "from_name": _OUR_NAME, "body": body}
    return OutgoingMessage(f"{prefix}/{dispatch.agent}/inbox/{us}", compact(told).encode(), 1, properties=properties)


def command_for(command: AgentCommand, prefix: str, us: str) -> OutgoingMessage:
    """Never retained; in MQTT 5 it expires."""
    told = {
        "id": command.id,
        "type": "command",
        "from_name": _OUR_NAME,
        "body": {"command": command.name, "arguments": json.loads(command.arguments)},
    }
    answers = f"{prefix}/{us}/inbox/{command.agent}"
    properties = Properties("application/json", answers, command.id.encode(), VALID_S)
    return OutgoingMessage(f"{prefix}/{command.agent}/inbox/{us}", compact(told).encode(), 1, properties=properties)


def end_for(work: Work, prefix: str, us: str) -> OutgoingMessage:
    """What became of it, for the agent that asked."""
    order = work.order
    body: dict[str, Any] = {"task": order.id, "state": work.state.word}
    if work.result is not None:
        body["result"] = _json(work.result)
    if work.error or work.reason:
        body["error"] = work.error or work.reason
    told = {"id": f"{order.id}.end", "type": "result", "reply_to": order.reply_to or None, "body": body}
    return OutgoingMessage(f"{prefix}/{order.requester}/inbox/{us}", compact(told).encode())


def refusal_for(refusal: Refusal, prefix: str, us: str) -> OutgoingMessage:
    """Tell an agent why its order is not taken."""
    body = {"task": refusal.task, "state": TaskState.REJECTED.word, "error": refusal.detail}
    told = {"id": f"{refusal.reply_to}.end", "type": "result", "reply_to": refusal.reply_to, "body": body}
    return OutgoingMessage(f"{prefix}/{refusal.sender}/inbox/{us}", compact(told).encode())


def read_inbox(message: RawMessage, prefix: str, us: str) -> Told | Missing | TaskOrder | Refusal | Withdrawal | None:
    """What somebody says to us: an answer to a task, a task for others, or nothing that is of tasks."""
    sender = message.topic[len(inbox_of(prefix, us)) :].decode(errors="replace")
    try:
        told = read_object(message.payload)
    except Unread:
        return _mere_result(sender, message)
    body = told.get("body")
    kind, id_ = as_text(told.get("type")), as_text(told.get("id")) or ""
    reply_to = as_text(told.get("reply_to")) or _correlation(message)
    if reply_to:
        return _answer(sender, told, body, reply_to, message.received_us)
    if not isinstance(body, dict):
        return None
    if kind == "cancel":
        return Withdrawal(sender, as_text(body.get("task")) or "")
    return _order(sender, id_, body, message.received_us) if kind == "task" else None


def _correlation(message: RawMessage) -> str:
    """Of an answer; what names a response topic asks."""
    properties = message.properties
    if properties is None or properties.response_topic:
        return ""
    return (properties.correlation or b"").decode(errors="replace")


def _mere_result(sender: str, message: RawMessage) -> Told | None:
    """No object, but what MQTT 5 says to be the answer to a task: its result."""
    task, attempt = attempt_of(_correlation(message))
    if not attempt:
        return None
    try:
        result = as_text(read_json(message.payload))
    except Unread as unread:
        if unread.reason != "json":
            return None
        result = read_text(message.payload)
    return Told(sender, task, TaskState.COMPLETED, attempt, None, result, None, message.received_us)


def _answer(sender: str, told: dict[str, Any], body: Any, reply_to: str, received_us: int) -> Told | Missing | None:
    """An answer without a state is the result; so is an object without a word of ours, where MQTT 5 says that it answers."""
    if _OURS.isdisjoint(told):
        told, body = {"body": told}, told
    inner = body if isinstance(body, dict) else told if "body" not in told else {}
    name, attempt = attempt_of(reply_to)
    if name.endswith(_INQUIRY) and inner.get("state") == "unknown":
        return Missing(sender, name.removesuffix(_INQUIRY), attempt)
    task = as_text(inner.get("task")) or name
    if not task:
        return None
    error = as_text(inner.get("error"))
    state = task_state(inner.get("state")) if "state" in inner else TaskState.FAILED if error else TaskState.COMPLETED
    result = inner.get("result", body if "state" not in inner and error is None else None)
    return Told(
        sender, task, state, attempt, number_of(inner.get("progress")),
        None if result is None else as_text(result), error, received_us,
    )  # fmt: skip


def _order(sender: str, id_: str, body: dict[str, Any], received_us: int) -> TaskOrder | Refusal | None:
    task = as_text(body.get("task")) or (f"{sender}:{id_}" if id_ else "")
    if not task:
        return None
    try:
        to = body.get("to", [])
        attempts, deadline_us = body.get("attempts", 1), read_time(body.get("deadline"), received_us)
        return TaskOrder(
            task, as_text(body.get("type")) or "", compact(body.get("input")), (to,) if isinstance(to, str) else tuple(map(str, to)),
            as_text(body.get("capability")) or "", Fan(body.get("fan", Fan.BEST)), Gather(body.get("gather", Gather.ALL)),
            deadline_us or 0, attempts if type(attempts) is int else 1, idempotent=body.get("idempotent") is True,
            parent=as_text(body.get("parent")) or "", requester=sender, reply_to=id_,
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        return Refusal(sender, id_, task, str(error))


def _json(text: str) -> Any:
    try:
        return read_json(text.encode(errors="replace"))
    except Unread:
        return text
