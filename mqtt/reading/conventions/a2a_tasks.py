"""What A2A says of tasks, in its versions 0.2, 0.3 and 1.0: states, texts, artifacts. Shared by all that carry it over MQTT."""

from itertools import islice
from typing import Any, NamedTuple

from models.domain.messages import RawMessage
from models.domain.records import TaskReport, TaskState
from models.domain.timestamps import read_time
from mqtt.reading.contract_work import as_text, task_state
from mqtt.reading.plan import Sink

MOST_TASKS = 50_000
MOST_PARTS = 1_000
LONGEST_ARTIFACT = 100_000
"""Characters of a task's artifacts that are kept as its result; the messages have the rest."""
LONGEST_TASK = 512

_ENDS = frozenset((TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED))
_FINAL = _ENDS | {TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED}
FAILURES = frozenset((TaskState.FAILED, TaskState.REJECTED))


class News(NamedTuple):
    """What a message says of a task. `state` UNKNOWN: nothing of how it is. `answers`: a request for the task is answered by
    it, nothing more is to come."""

    task: str
    state: TaskState
    answers: bool
    text: str = ""
    artifact: str = ""
    appends: bool = False
    time: object = None
    """As told."""
    snapshot: bool = False
    """How it is, not that it became so."""


def news_of(result: Any) -> News | None:
    """Read the `result` of an answer, or an event; None where it is of no task."""
    if not isinstance(result, dict):
        return None
    kind = result.get("kind")
    for wrapper, folded in _WRAPPERS.items():
        inner = result.get(wrapper)
        if isinstance(inner, dict):
            return _read(inner, folded)
    if isinstance(kind, str):
        return _read(result, kind)
    if "artifact" in result:
        return _read(result, "artifact-update")
    if "status" in result:
        return _read(result, "status-update" if "taskId" in result or "final" in result else "task")
    return None


_WRAPPERS = {"statusUpdate": "status-update", "artifactUpdate": "artifact-update", "task": "task"}


def _read(body: dict[str, Any], kind: str) -> News | None:
    task = _text(body.get("taskId") if kind != "task" else body.get("id")) or _text(body.get("id"))
    if not 0 < len(task) <= LONGEST_TASK:
        return None
    if kind == "artifact-update":
        artifact = body.get("artifact")
        parts = parts_text(artifact.get("parts")) if isinstance(artifact, dict) else ""
        return News(task, TaskState.UNKNOWN, False, artifact=parts, appends=body.get("append") is True)
    if kind not in ("status-update", "task"):
        return None
    status = body.get("status")
    if not isinstance(status, dict):
        return None
    state = task_state(status.get("state"))
    message = status.get("message")
    text = parts_text(message.get("parts")) if isinstance(message, dict) else _text(message)
    artifacts = body.get("artifacts")
    made = "\n".join(
        parts_text(one.get("parts"))
        for one in (artifacts[:MOST_PARTS] if isinstance(artifacts, list) else ())
        if isinstance(one, dict)
    )
    answers = state in _FINAL or body.get("final") is True
    return News(task, state, answers, text, made, False, status.get("timestamp"), kind == "task")


def parts_text(parts: object) -> str:
    """The text of a message's or an artifact's parts; data as JSON, files by name or address."""
    if not isinstance(parts, list):
        return ""
    return "".join(_part(part) for part in parts[:MOST_PARTS] if isinstance(part, dict))


def _part(part: dict[str, Any]) -> str:
    for key in ("text", "data", "url"):
        if part.get(key) is not None:
            return as_text(part[key]) or ""
    file = part.get("file")
    named = file if isinstance(file, dict) else part
    return _text(named.get("name")) or _text(named.get("filename")) or _text(named.get("uri"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class _Task:
    __slots__ = ("agent", "artifact", "asked_us", "requester", "state")

    def __init__(self, agent: int, requester: str, asked_us: int) -> None:
        self.agent, self.requester, self.asked_us = agent, requester, asked_us
        self.state = TaskState.UNKNOWN
        self.artifact = ""


class Tasks:
    """Makes task reports. Remembers of each task whose it is, its last state, and artifacts that came before its end. Bounded:
    the tasks known longest are forgotten first."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Task] = {}

    def agent_of(self, task: str) -> int:
        """Who was seen to work on it; 0 where nobody was."""
        found = self._tasks.get(task)
        return 0 if found is None else found.agent

    def submit(
        self, row: int, message: RawMessage, task: str, agent: int, requester: str, parent: str | None, sink: Sink
    ) -> None:
        """Somebody asked `agent` for a task; 0: whoever of many takes it. The same request may come again."""
        if not 0 < len(task) <= LONGEST_TASK or task in self._tasks:
            return
        known = self._new(task, agent, requester, message.received_us)
        if agent:
            known.state = TaskState.SUBMITTED
            sink.batch.tasks.append(
                TaskReport(row, message.received_us, agent, task, None, TaskState.SUBMITTED, parent, requester or None)
            )

    def refuse(
        self, row: int, message: RawMessage, task: str, error: str, state: TaskState, sink: Sink
    ) -> None:  # fmt: skip
        """The request for a task was answered by an error: where nobody began with it, nobody will."""
        known = self._tasks.get(task)
        if known is not None and known.agent and known.state is TaskState.SUBMITTED:
            known.state = state
            self._report(row, message.received_us, known, task, state, None, error, sink)

    def tell(self, row: int, message: RawMessage, news: News, agent: int, requester: str, sink: Sink) -> None:
        """Report what `agent` says of a task. The task stays with whoever was asked for it; it ends once."""
        known = self._tasks.get(news.task)
        if known is None:
            if not agent:
                return
            known = self._new(news.task, agent, requester, 0)
        known.agent = known.agent or agent
        if news.artifact:
            before = known.artifact + ("" if news.appends or not known.artifact else "\n")
            known.artifact = (news.artifact if news.snapshot else before + news.artifact)[:LONGEST_ARTIFACT]
        state = news.state
        if not known.agent or state is TaskState.UNKNOWN:
            return
        if state is known.state and (news.snapshot or state is not TaskState.WORKING):
            return
        if known.state is TaskState.UNKNOWN and state is not TaskState.SUBMITTED and known.asked_us:
            self._report(row, known.asked_us, known, news.task, TaskState.SUBMITTED, None, None, sink)
        known.state = state
        time_us = read_time(news.time, message.received_us) or message.received_us
        failed = state in FAILURES
        result = None if failed or state not in _ENDS else known.artifact or news.text or None
        self._report(row, time_us, known, news.task, state, result, (news.text or None) if failed else None, sink)
        if state in _ENDS:
            known.artifact = ""

    @staticmethod
    def _report(
        row: int, time_us: int, known: _Task, task: str, state: TaskState, result: str | None, error: str | None,
        sink: Sink,
    ) -> None:  # fmt: skip
        sink.batch.tasks.append(
            TaskReport(
                row, time_us, known.agent, task, None, state, None, known.requester or None, None, None, result, error
            )
        )

    def _new(self, task: str, agent: int, requester: str, asked_us: int) -> _Task:
        if len(self._tasks) >= MOST_TASKS:
            for old in list(islice(self._tasks, MOST_TASKS // 10)):
                del self._tasks[old]
        found = self._tasks[task] = _Task(agent, requester, asked_us)
        return found
