"""Where tasks lie on a timeline: a row for each agent, in it as many lanes as it works on tasks at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from models.domain.task_queries import TaskItem

MOST_LANES = 8
"""Where an agent has more at a time, they share the lane that ends first."""


class Bar(NamedTuple):
    """`from_us` to `to_us`: at work, or (`waits`) in the queue until now or its end; `queued_us`: since when it waited before."""

    item: TaskItem
    lane: int
    queued_us: int
    from_us: int
    to_us: int
    waits: bool


@dataclass(slots=True)
class Row:
    """Of one agent; "": of nobody yet. `whole`: of tasks that are done in parts, by several. Bars by their beginning."""

    agent: str
    whole: bool = False
    lanes: int = 1
    bars: list[Bar] = field(default_factory=list)


def rows_of(items: Sequence[TaskItem], now_us: int) -> list[Row]:
    """By name; what nobody has and wholes last. What has not ended goes on until `now_us`. A task that tells no time is left out."""
    rows: dict[tuple[bool, str], Row] = {}
    spans = sorted(((_span(one, now_us), one) for one in items), key=lambda pair: pair[0][:2])
    ends: dict[tuple[bool, str], list[int]] = {}
    for (from_us, to_us, queued_us, waits), item in spans:
        if not from_us:
            continue
        key = (bool(item.parts), "" if item.parts else item.agent)
        row = rows.setdefault(key, Row(key[1], key[0]))
        lane = _lane(ends.setdefault(key, []), from_us, to_us)
        row.bars.append(Bar(item, lane, queued_us, from_us, to_us, waits))
    for key, row in rows.items():
        row.lanes = len(ends[key])
    return sorted(rows.values(), key=lambda one: (one.whole, not one.agent, one.agent.casefold(), one.agent))


def _span(item: TaskItem, now_us: int) -> tuple[int, int, int, bool]:
    began = item.started_us or item.submitted_us or item.ended_us
    end = item.ended_us or max(now_us, began)
    waits = not item.started_us and bool(item.submitted_us)
    queued = item.submitted_us if item.started_us and item.submitted_us else began
    return began, max(began, end), min(queued, began), waits


def _lane(ends: list[int], from_us: int, to_us: int) -> int:
    free = next((place for place, end in enumerate(ends) if end <= from_us), -1)
    if free < 0 and len(ends) < MOST_LANES:
        ends.append(to_us)
        return len(ends) - 1
    lane = free if free >= 0 else min(range(len(ends)), key=ends.__getitem__)
    ends[lane] = max(ends[lane], to_us)
    return lane
