"""Delegation to agents that speak A2A over MQTT: `$a2a/v1/request/<organisation>/<unit>/<agent>`, with the id of the task as we
gave it. MQTT 5 alone: replies find their way by response topic and correlation. They are read as whatever else is."""

import json
from typing import Any

from models.domain.messages import Properties
from models.domain.publishing import OutgoingMessage
from models.domain.tasks.work import Dispatch
from mqtt.delegating.attempts import attempt_name
from mqtt.reading.decode import compact

_METHODS = {"task": "SendMessage", "answer": "SendMessage", "cancel": "CancelTask"}


def message_for(dispatch: Dispatch, address: str, us: str, now_us: int) -> OutgoingMessage:
    """`address`: organisation, unit and agent as in topics. A later attempt is a task of its own for its agent."""
    order = dispatch.work.order
    task = order.id if dispatch.attempt == 1 else attempt_name(order.id, dispatch.attempt)
    id_ = f"{attempt_name(order.id, dispatch.attempt)}.{dispatch.kind}"
    if dispatch.kind == "cancel":
        params: dict[str, Any] = {"id": task}
    else:
        told = json.loads(dispatch.text if dispatch.kind == "answer" else order.input)
        part = {"text": told} if isinstance(told, str) else {"data": told}
        message = {"messageId": id_, "role": "ROLE_USER", "parts": [part], "taskId": task, "contextId": order.id}
        params = {"message": message, "metadata": {"parentTaskId": order.parent} if order.parent else {}}
    body = {"jsonrpc": "2.0", "id": id_, "method": _METHODS[dispatch.kind], "params": params}
    group = address.rpartition("/")[0]
    replies = "/".join(filter(None, ("$a2a/v1/reply", group, us, order.id)))
    expiry_s = max(1, -(-(order.deadline_us - now_us) // 1_000_000)) if order.deadline_us else None
    properties = Properties("application/json", replies, id_.encode(), expiry_s)
    return OutgoingMessage(f"$a2a/v1/request/{address}", compact(body).encode(), 1, properties=properties)
