"""A task as an object for scripts: the columns of the dataset `tasks`, and what only who gave it knows."""

import json
from typing import Any

from models.domain.tasks.work import Step, Work
from models.domain.timestamps import utc_text


def told_of(work: Work) -> dict[str, Any]:
    """Times ISO 8601; input and result as JSON; None for what is not there."""
    order = work.order
    return {
        "task": order.id, "parent": order.parent or None, "agent": work.agent or None, "requester": order.requester or None,
        "type": order.type, "state": work.state.word, "submitted": _time(work.created_us), "started": _time(work.started_us),
        "ended": _time(work.ended_us), "attempt": work.attempt, "result": _value(work.result), "error": work.error,
        "reason": work.reason or None, "sent": _time(work.sent_us), "deadline": _time(order.deadline_us),
        "input": _value(order.input), "to": list(order.to), "capability": order.capability or None, "attempts": work.attempts_most,
        "progress": work.progress,
    }  # fmt: skip


def told_of_step(step: Step) -> dict[str, Any]:
    """A line of its history."""
    return {
        "time": _time(step.time_us), "attempt": step.attempt, "agent": step.agent or None, "state": step.state.word,
        "reason": step.reason or None, "text": step.text or None,
    }  # fmt: skip


def _time(us: int) -> str | None:
    return utc_text(us) if us else None


def _value(text: str | None) -> Any:
    try:
        return json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return text
