"""What the control channel may ask of the orchestrator."""

from dataclasses import fields
from typing import Any

from app.recorder.tasks.desk import Desk
from models.domain.problems import Problem, trouble
from models.domain.tasks.commands import AgentCommand, refuse_command
from models.domain.tasks.orders import Fan, Gather, TaskOrder, new_task_id

LIMIT_S = 10.0
MOST_AT_AN_AGENT = 100_000
_ENUMS = {"fan": Fan, "gather": Gather}
_KINDS = {one.name: type(one.default) for one in fields(TaskOrder)} | {"id": str, "type": str}


class TaskVerbs:
    """Any thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What became of a damaged file, and why no task can be given at present."""
        return self._desk.warnings

    def carry_out(self, request: dict[str, Any]) -> list[str]:
        """Answers the ids of the tasks that it was about. Raises recorder.request, task.*, store.*"""
        match request.get("do"):
            case "submit":
                orders = request.get("orders")
                if not isinstance(orders, list) or not all(isinstance(one, dict) for one in orders):
                    raise _request("orders is not a list of objects")
                made = [order_from(one) for one in orders]
                self._desk.submit(made, LIMIT_S)
                return [one.id for one in made]
            case "cancel":
                self._desk.cancel(_text(request, "task"), LIMIT_S)
            case "retry":
                self._desk.retry(_text(request, "task"), LIMIT_S)
            case "answer":
                self._desk.answer(_text(request, "task"), _text(request, "input"), LIMIT_S)
            case "limit":
                most = request.get("most")
                if type(most) is not int or not 1 <= most <= MOST_AT_AN_AGENT:
                    raise _request(f"most is no number from 1 to {MOST_AT_AN_AGENT:,}")
                self._desk.limit(_text(request, "agent"), most, LIMIT_S)
                return []
            case "command":
                return [self._command(request)]
            case other:
                raise _request(f"unknown task request {str(other)[:40]!r}")
        return [_text(request, "task")]

    def _command(self, request: dict[str, Any]) -> str:
        command = AgentCommand(
            new_task_id(), _text(request, "agent"), _text(request, "command"), _text(request, "arguments")
        )
        confirmed = request.get("confirmed")
        refuse_command(command, confirmed if isinstance(confirmed, str) else "")
        self._desk.command(command, LIMIT_S)
        return command.id


def order_from(told: dict[str, Any]) -> TaskOrder:
    """An order as the control channel has it; an id is made where there is none. Raises recorder.request."""
    values: dict[str, Any] = {}
    for name, value in told.items():
        kind = _KINDS.get(name)
        if kind is None:
            raise _request(f"an order has no {name[:40]!r}")
        if name == "to" and isinstance(value, list) and all(isinstance(one, str) for one in value):
            values[name] = tuple(value)
        elif name in _ENUMS and isinstance(value, str) and value in list(_ENUMS[name]):
            values[name] = _ENUMS[name](value)
        elif name not in _ENUMS and name != "to" and type(value) is kind:
            values[name] = value
        else:
            raise _request(f"{name} is not what it has to be")
    return TaskOrder(**{"id": new_task_id(), "type": "", **values})


def _text(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise _request(f"{name} is no text")
    return value


def _request(detail: str) -> Exception:
    return trouble("recorder.request", detail=detail)
