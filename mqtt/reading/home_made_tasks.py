"""Tasks that programs without a convention tell of: an object with a task's id and a word for its state.

The id stands under a key such as `task_id`; where the topic says that it is of tasks (`tasks/1234/status`), under `id`, or
as a level; under `id`, too, beside `from` and `to`. Whose it is: `from` and `to` say it where they are told, else the message.
"""

from itertools import pairwise
from typing import Any, NamedTuple

from models.domain.messages import RawMessage
from models.domain.records import TaskReport, TaskState
from mqtt.reading.contract_work import as_text, own_time, task_state
from mqtt.reading.generic_numbers import number_of
from mqtt.reading.generic_topics import AGENT_KEYS, agent_in, names_agent

TASK_KEYS = frozenset(("task", "task_id", "taskId", "job", "job_id", "jobId"))
"""An object without any of these tells of a task only where its topic says so."""
_IDS = ("task_id", "taskId", "job_id", "jobId", "task", "job")
_STATES = ("state", "status", "task_status", "task_state", "phase")
_LEVELS = frozenset(("task", "tasks", "job", "jobs", "task-status", "task_status", "task-result", "task_result"))
_WORKERS = (
    *AGENT_KEYS,
    "worker",
    "worker_id",
    "workerId",
    "assignee",
    "executor",
    "node",
    "device",
    "host",
    "hostname",
)
_PARENTS = ("parent", "parent_id", "parentId", "parent_task", "parent_task_id", "parentTaskId")
_REQUESTERS = ("requester", "requested_by", "submitted_by", "created_by")
_RESULTS, _ERRORS = ("result", "output"), ("error", "reason", "error_message")
_ITS_OWN = frozenset(
    "progress percent attempt attempts retry retries priority duration duration_s duration_ms elapsed elapsed_s elapsed_ms"
    " took took_ms step steps total timeout timeout_s ts time timestamp created created_at started started_at ended ended_at"
    " finished finished_at updated updated_at deadline id seq version".split()
)
LONGEST_TASK = 512


class Told(NamedTuple):
    """A report, whose agent and requester are those that it names, or None. `alone`: it holds nothing besides."""

    report: TaskReport
    agent: str | None
    alone: bool


def of_tasks(levels: list[str]) -> bool:
    """Whether a topic says that it is of tasks."""
    return not _LEVELS.isdisjoint(level.casefold() for level in levels)


def levels_beside(levels: list[str], task: str) -> list[str]:
    """A topic's levels without those that speak of tasks, or of this one."""
    return [level for level in levels if level.casefold() not in _LEVELS and level != task]


def read_task(row: int, message: RawMessage, body: dict[str, Any], levels: list[str], presence: bool) -> Told | None:
    """`presence`: the topic is one of its agent's status, whose state is not a task's."""
    here = of_tasks(levels)
    if presence and not here:
        return None
    sender, receiver = _name(body, "from"), _name(body, "to")
    by_id = ("id",) if here or (sender and receiver) else ()
    key = next((one for one in (*_IDS, *by_id) if isinstance(body.get(one), str | int)), None)
    task = as_text(body[key]) if key is not None else _level_behind(levels) if here else None
    state = next((found for one in _STATES if (found := task_state(body.get(one)))), TaskState.UNKNOWN)
    if not task or len(task) > LONGEST_TASK or state is TaskState.UNKNOWN:
        return None
    asked = state is TaskState.SUBMITTED
    requester = _first(body, _REQUESTERS) or (sender if asked else receiver)
    attempt = body.get("attempt")
    report = TaskReport(
        row, own_time(body, message), 0, task, as_text(body.get("type")), state, _first(body, _PARENTS), requester,
        attempt if type(attempt) is int and 0 <= attempt < 1 << 31 else None, number_of(body.get("progress")),
        _first(body, _RESULTS), _first(body, _ERRORS),
    )  # fmt: skip
    alone = not any(type(value) in (int, float) and one not in _ITS_OWN and one != key for one, value in body.items())
    return Told(report, agent_in(body, _WORKERS)[1] or (receiver if asked else sender), alone)


def _level_behind(levels: list[str]) -> str | None:
    """The level behind the one that says that it is of tasks."""
    for one, behind in pairwise(levels):
        if one.casefold() in _LEVELS and behind.casefold() not in ("status", "state", "result", "results", "events"):
            return behind
    return None


def _first(body: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((as_text(body[key]) for key in keys if body.get(key) is not None), None)


def _name(body: dict[str, Any], key: str) -> str | None:
    value = body.get(key)
    return value if isinstance(value, str) and names_agent(value) else None
