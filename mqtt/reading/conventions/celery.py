"""Celery's events, where its `event_exchange` is RabbitMQ's `amq.topic`: `worker/online`, `task/received`, and many in `task/multi`.

A worker is an agent; whoever only sends tasks is named as their requester. A task's name and requester are told once.
"""

from array import array
from itertools import islice
from typing import Any, NamedTuple

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Declaration, TaskReport, TaskState
from models.domain.timestamps import read_time
from mqtt.reading.contract_work import as_text
from mqtt.reading.decode import compact, read_json
from mqtt.reading.generic_numbers import number_of
from mqtt.reading.generic_topics import names_agent
from mqtt.reading.plan import Figure, Plan, Sink, Unread

SOURCE = "celery"
MOST_TASKS = 50_000
MOST_EVENTS = 1_000
"""Of one message; a worker sends what it gathered in a tenth of a second."""
LONGEST_TASK = 512
_RANK = 2
_GROUPS = ("worker", "task")
_LOADS = ("loadavg.1m", "loadavg.5m", "loadavg.15m")
_STATES = {
    "task-received": TaskState.SUBMITTED, "task-started": TaskState.WORKING, "task-succeeded": TaskState.COMPLETED,
    "task-failed": TaskState.FAILED, "task-rejected": TaskState.REJECTED, "task-revoked": TaskState.CANCELED,
    "task-retried": TaskState.SUBMITTED,
}  # fmt: skip
_PRESENCE = {"worker-online": Presence.ONLINE, "worker-heartbeat": Presence.ONLINE, "worker-offline": Presence.STOPPED}


class _Sent(NamedTuple):
    """What is told of a task only once."""

    name: str | None
    requester: str | None
    time_us: int | None


class CeleryRecogniser:
    """`…/worker/<event>` and `…/task/<event>`."""

    uses_declarations = False

    def __init__(self) -> None:
        self._tasks: dict[str, _Sent] = {}

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        if len(levels) < 2 or levels[-2] not in _GROUPS or b'"hostname"' not in message.payload:
            return None
        try:
            events = _events(message.payload)
        except Unread:
            return None
        group = f"{levels[-2]}-"
        named = all(isinstance(one.get("type"), str) and one["type"].startswith(group) for one in events)
        return CeleryPlan(topic, self._tasks) if named and "hostname" in events[0] else None


class CeleryPlan:
    """One kind of event, of all workers."""

    kind = Kind.TASK
    agent = 0

    def __init__(self, topic: int, tasks: dict[str, _Sent]) -> None:
        self.topic, self._tasks = topic, tasks

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        found: set[int] = set()
        for event in _events(message.payload):
            kind, host = event.get("type"), event.get("hostname")
            if not isinstance(kind, str) or not isinstance(host, str) or not names_agent(host):
                sink.unread(row, "shape")
                continue
            time_us = read_time(event.get("timestamp"), message.received_us) or message.received_us
            if kind == "task-sent":
                self._remember(event, host, time_us)
            elif kind in _STATES or kind in _PRESENCE:
                agent = sink.batch.agent[row] = sink.agent(host)
                found.add(agent)
                if kind in _PRESENCE:
                    _tell_worker(row, agent, kind, event, time_us, sink)
                else:
                    self._tell_task(row, agent, kind, event, time_us, sink)
        sink.heard(row, found)

    def _remember(self, event: dict[str, Any], requester: str | None, time_us: int | None) -> _Sent:
        """A task that is sent again by its own worker stays its requester's."""
        task, name = event.get("uuid"), event.get("name")
        known = self._tasks.get(task) if isinstance(task, str) else None
        if known is not None:
            return known
        sent = _Sent(name if isinstance(name, str) else None, requester, time_us)
        if isinstance(task, str) and len(task) <= LONGEST_TASK:
            if len(self._tasks) >= MOST_TASKS:
                for old in list(islice(self._tasks, MOST_TASKS // 10)):
                    del self._tasks[old]
            self._tasks[task] = sent
        return sent

    def _tell_task(self, row: int, agent: int, kind: str, event: dict[str, Any], time_us: int, sink: Sink) -> None:
        task, retries = event.get("uuid"), event.get("retries")
        if not isinstance(task, str) or not 0 < len(task) <= LONGEST_TASK:
            sink.unread(row, "shape")
            return
        sent = self._remember(event, None, None)
        if kind == "task-received" and not retries and sent.time_us is not None:
            time_us = min(time_us, sent.time_us)  # it waited in its queue
        parent = as_text(event.get("parent_id"))
        attempt = retries + 1 if type(retries) is int and 0 <= retries < 1 << 30 and kind == "task-received" else None
        error = as_text(event.get("exception"))
        sink.batch.tasks.append(
            TaskReport(
                row, time_us, agent, task, sent.name, _STATES[kind], parent if parent != task else None, sent.requester,
                attempt, None, as_text(event.get("result")), error,
            )
        )  # fmt: skip
        runtime = number_of(event.get("runtime"))
        if runtime is not None:
            labels = compact({"name": sent.name}) if sent.name else ""
            sink.put(row, time_us, [sink.figure(agent, "runtime", "s", SeriesKind.GAUGE, SOURCE, labels)], [runtime])


def _tell_worker(row: int, agent: int, kind: str, event: dict[str, Any], time_us: int, sink: Sink) -> None:
    sink.batch.kind[row] = Kind.STATUS
    interval_s, version = number_of(event.get("freq")), event.get("sw_ver")
    declaration = Declaration(
        row, agent, SOURCE, interval_us=round(interval_s * 1e6) if interval_s and 0 < interval_s < 1e5 else None,
        version=version if isinstance(version, str) else None,
    )  # fmt: skip
    if sink.declarations.is_news(declaration, sink.names.agents[agent]):
        sink.batch.declarations.append(declaration)
    gone = _PRESENCE[kind] is Presence.STOPPED
    sink.say(row, agent, (_PRESENCE[kind], Condition.OK), Cause.GOODBYE if gone else Cause.STATUS, _RANK)
    loads = event.get("loadavg")
    told = [("active", event.get("active")), ("processed", event.get("processed"))]
    told += zip(_LOADS, loads if isinstance(loads, list) else (), strict=False)
    known = [(name, number) for name, value in told if (number := number_of(value)) is not None]
    figures = [_figure(agent, name, sink) for name, _ in known]
    sink.put(row, time_us, figures, array("d", [number for _, number in known]))


def _figure(agent: int, name: str, sink: Sink) -> Figure:
    counted = SeriesKind.COUNTER if name == "processed" else SeriesKind.GAUGE
    return sink.figure(agent, name, "" if name in _LOADS else "{task}", counted, SOURCE)


def _events(payload: bytes) -> list[dict[str, Any]]:
    """At least one. Raises `Unread`."""
    told = read_json(payload)
    found = [one for one in (told if isinstance(told, list) else [told])[:MOST_EVENTS] if isinstance(one, dict)]
    if not found:
        raise Unread("shape")
    return found
