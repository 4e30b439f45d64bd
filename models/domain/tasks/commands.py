"""Commands to agents: what is asked of the agent itself, not of its work."""

import json
from dataclasses import dataclass

from models.domain.problems import trouble
from models.domain.tasks.orders import INPUT_LIMIT_BYTES, refuse_as_level
from models.domain.tasks.work import Sending

KNOWN = ("ping", "pause", "resume", "drain", "restart")
"""What agents of our library understand without being taught; every other name is the user's own."""
HARMLESS = frozenset(("ping", "pause", "resume"))
"""All others are carried out only after the agent's name was typed."""
VALID_S = 60
"""The broker does not hand one out later than that."""
_NAME_LIMIT = 100


@dataclass(slots=True)
class AgentCommand:
    """One that was given. `arguments`: JSON. `state`: the agent's last word, or empty; `answer`: its result or error."""

    id: str
    agent: str
    name: str
    arguments: str = "null"
    asked_us: int = 0
    sending: Sending = Sending.SENDING
    state: str = ""
    answered_us: int = 0
    answer: str | None = None


def refuse_command(command: AgentCommand, confirmed: str) -> None:
    """`confirmed`: the agent's name, typed once more. Raises `EnvironmentProblem` command.unconfirmed, task.order."""
    refuse_as_level(command.agent)
    if not command.name or len(command.name) > _NAME_LIMIT or not command.name.isprintable():
        raise trouble("task.order", detail="the command's name is empty, too long or not printable")
    if len(command.arguments.encode(errors="replace")) > INPUT_LIMIT_BYTES:
        raise trouble("task.order", detail=f"the arguments are over {INPUT_LIMIT_BYTES // 1024} KiB")
    try:
        json.loads(command.arguments)
    except (ValueError, RecursionError) as error:
        raise trouble("task.order", detail="the arguments are no JSON") from error
    if command.name not in HARMLESS and confirmed != command.agent:
        raise trouble("command.unconfirmed", command=command.name, agent=command.agent)
