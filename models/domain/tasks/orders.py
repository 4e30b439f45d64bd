"""What somebody asks for when they delegate a task, and what of it makes no sense."""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.domain.problems import EnvironmentProblem, Problem

INPUT_LIMIT_BYTES = 256 * 1024
"""Of a task's input or an answer as JSON: it travels in one line of the control channel and in one message."""
NAME_LIMIT = 512
MOST_ATTEMPTS = 100
MOST_AGENTS = 5_000
LONGEST_US = 366 * 86_400 * 1_000_000
_NO_TOPIC = "+#\0"


class Fan(StrEnum):
    """To how many of those that are named a task goes."""

    BEST = "best"  # one of them: the least loaded, then the one with the fewest errors
    EACH = "each"  # all of them, a task each, whose results are gathered


class Gather(StrEnum):
    """What comes of the results of a task's children."""

    ALL = "all"  # all have to complete; a list of their results
    FIRST = "first"  # the first that completes; the others are cancelled
    MAJORITY = "majority"  # what more than half of them agree on
    MERGED = "merged"  # all have to complete; their objects put together, the later agent's word counting


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """`to`: agents by name; none: whoever says that it is capable of `capability` (none either: of the type). `input` and all
    that travels is JSON text. `deadline_us`: wall time, 0 none. `attempts`: how often it is tried at most. `idempotent`: it may
    be sent again where nobody knows whether it was sent. `parent`: another task that it is part of. `reply_to`: the message
    in which an agent, `requester`, asked for it and waits for the end."""

    id: str
    type: str
    input: str = "null"
    to: tuple[str, ...] = ()
    capability: str = ""
    fan: Fan = Fan.BEST
    gather: Gather = Gather.ALL
    deadline_us: int = 0
    attempts: int = 1
    backoff_us: int = 1_000_000
    idempotent: bool = False
    parent: str = ""
    requester: str = ""
    reply_to: str = ""

    @property
    def parts(self) -> int:
        """How many tasks of their own those that it names will get."""
        return len(self.to) if self.fan is Fan.EACH else 0

    @property
    def wanted(self) -> str:
        """What an agent must be capable of where none is named."""
        return self.capability or self.type


def new_task_id() -> str:
    """A UUID of version 7: those made later sort later."""
    moment = time.time_ns() // 1_000_000
    number = (moment & (1 << 48) - 1) << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def refuse_nonsense(order: TaskOrder, now_us: int) -> None:
    """Raises `EnvironmentProblem` task.order for an order that nobody could carry out."""
    detail = _nonsense(order, now_us)
    if detail:
        raise EnvironmentProblem(Problem("task.order", {"detail": detail}))


def refuse_circles(orders: Sequence[TaskOrder], known: Callable[[str], TaskOrder | None]) -> None:
    """`known`: an order that was given before, by its id. Raises `EnvironmentProblem` task.order where one would be part of itself,
    at whatever remove."""
    together = {one.id: one for one in orders}
    for order in orders:
        above, seen = order.parent, {order.id}
        while above:
            if above in seen:
                detail = "it would be part of one of its own parts"
                raise EnvironmentProblem(Problem("task.order", {"detail": detail}))
            seen.add(above)
            found = known(above) or together.get(above)
            above = found.parent if found is not None else ""


def refuse_as_level(agent: str) -> None:
    """Raises `EnvironmentProblem` task.order for a name that cannot be in a topic."""
    if not agent or len(agent) > NAME_LIMIT or not agent.isprintable() or any(sign in agent for sign in _NO_TOPIC):
        raise EnvironmentProblem(Problem("task.order", {"detail": f"“{agent}” cannot be in a topic"}))


def _nonsense(order: TaskOrder, now_us: int) -> str:
    named = (("id", order.id), ("type", order.type), *(("agent", one) for one in order.to))
    if max(len(order.capability), len(order.parent), len(order.reply_to)) > NAME_LIMIT:
        return f"its capability, its parent or the message that it answers has a name of over {NAME_LIMIT} characters"
    for what, text in named:
        if not text or len(text) > NAME_LIMIT or not text.isprintable():
            return f"its {what} is empty, too long or not printable"
    bad = next((one for one in order.to if any(sign in one for sign in _NO_TOPIC)), None)
    if bad is not None:
        return f"“{bad}” cannot be in a topic"
    if len(order.to) > MOST_AGENTS or len(set(order.to)) < len(order.to):
        return f"it names an agent twice, or over {MOST_AGENTS:,}"
    if not 1 <= order.attempts <= MOST_ATTEMPTS:
        return f"it is to be tried at least once and at most {MOST_ATTEMPTS} times"
    if not 0 <= order.backoff_us <= LONGEST_US:
        return "the wait between two attempts is negative or over a year"
    if order.deadline_us and not now_us < order.deadline_us <= now_us + LONGEST_US:
        return "its deadline has passed, or is over a year away"
    if order.parent == order.id:
        return "it cannot be part of itself"
    if len(order.input.encode(errors="replace")) > INPUT_LIMIT_BYTES:
        return f"its input is over {INPUT_LIMIT_BYTES // 1024} KiB"
    try:
        order.input.encode()
        json.loads(order.input)
    except (ValueError, RecursionError):
        return "its input is no JSON"
    return ""
