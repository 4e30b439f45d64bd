"""What was recorded of tasks while, or before, the orchestrator last ran: reports and messages to it, in the order of arrival."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from models.domain.messages import Origin, RawMessage
from models.domain.presence_words import Presence
from models.domain.queries import CancelToken, MessageRequest
from models.domain.records import TaskState
from models.domain.tasks.work import Told
from models.storage.history.message_lists import answer_messages
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment, fetch

PAGE = 1_000
SLACK_US = 2_000_000
"""Reports are looked for from so long before: a commit may hold messages that arrived a little apart."""
PAYLOAD_LIMIT = 1 << 28
_REPORTS = """select received_us, agent_id, task, state, attempt, progress, result, error from task_report
    where rowid >= ? and rowid < ? and received_us >= ? order by rowid"""
_AGENTS = """select a.name, a.capabilities, a.convention, a.own_group, n.presence from agent a left join agent_now n on n.agent_id = a.id"""


class Known(NamedTuple):
    """An agent as the catalogue has it."""

    name: str
    capabilities: tuple[str, ...]
    convention: str
    group: str
    presence: Presence


def known_agents(view: StoreView) -> list[Known]:
    """All of them."""
    rows = fetch(view.catalogue, _AGENTS)
    return [
        Known(name, _texts(told), convention, group, Presence(presence or Presence.UNKNOWN))
        for name, told, convention, group, presence in rows
    ]


def reports_since(view: StoreView, since_us: int) -> list[Told]:
    """What was recorded of any tasks from this arrival on, oldest first; imports tell of other times and are left out."""
    found: list[Told] = []
    for row in view.overlapping(since_us - SLACK_US, 0):
        if not row.imported and (row.is_open or row.tasks):
            found += view.stream(row, lambda opened, _row: _reports(opened, since_us - SLACK_US))
    return sorted(found, key=lambda one: one.time_us)


def inbox_since(view: StoreView, inbox: bytes, since_us: int) -> Iterator[RawMessage]:
    """Messages on topics that begin with `inbox` (which ends with "/"), oldest first."""
    request: MessageRequest | None = MessageRequest(
        topic=inbox[:-1], branch=True, since_us=max(0, since_us - SLACK_US), limit=PAGE, payload_limit=PAYLOAD_LIMIT,
        oldest_first=True,
    )  # fmt: skip
    while request is not None:
        result = next(answer_messages(view, request, CancelToken()))
        for one in result.rows:
            if one.origin in (Origin.LIVE, Origin.BACKLOG):
                yield RawMessage(
                    one.topic, one.payload, one.qos, False, False, 0, one.properties, one.key.received_us, one.origin, 0
                )
        searched = result.reach.searched
        request = replace(request, after=searched) if searched is not None else None


def _reports(opened: OpenSegment, since_us: int) -> Iterator[Told]:
    first, end = opened.row_range("task_report", since_us, 0)
    for received_us, agent, task, state, attempt, progress, result, error in opened.rows(
        _REPORTS, first, end, since_us
    ):
        yield Told(opened.agent(agent), task, TaskState(state), attempt or 0, progress, result, error, received_us)


def _texts(told: str) -> tuple[str, ...]:
    found = json.loads(told or "[]")
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()
