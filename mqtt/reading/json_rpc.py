"""JSON-RPC 2.0, which A2A and MCP speak: requests, answers and notifications, also several in one message."""

from typing import Any, NamedTuple

from mqtt.reading.contract_work import as_text
from mqtt.reading.decode import read_json, read_object, strip
from mqtt.reading.plan import Unread

MOST_CALLS = 100
"""Of one message; nobody sends more."""


class Call(NamedTuple):
    """One of them. A notification has no `id`, an answer no `method`."""

    id: str
    method: str
    params: dict[str, Any]
    result: Any
    error: dict[str, Any] | None

    @property
    def error_text(self) -> str | None:
        """What the error says; None where there is none."""
        if self.error is None:
            return None
        return as_text(self.error.get("message")) or as_text(self.error.get("code")) or "error"


def read_calls(payload: bytes) -> list[Call]:
    """At least one. Raises `Unread`."""
    if strip(payload)[:1] != b"[":
        return [_call(read_object(payload))]
    told = read_json(payload)
    found = [_call(one) for one in told[:MOST_CALLS] if isinstance(one, dict)] if isinstance(told, list) else []
    if not found:
        raise Unread("shape")
    return found


def _call(body: dict[str, Any]) -> Call:
    method, params, error = body.get("method"), body.get("params"), body.get("error")
    if not isinstance(method, str):
        method = ""
    if not method and "result" not in body and error is None:
        raise Unread("shape")
    return Call(
        as_text(body.get("id")) or "",
        method,
        params if isinstance(params, dict) else {},
        body.get("result"),
        error if isinstance(error, dict) else None if error is None else {"message": error},
    )
