"""Figures of tasks by type and agent: how many, how many succeeded, how long they waited and ran."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication

from models.domain.quantity import MISSING
from models.domain.records import TaskState
from models.domain.task_queries import TaskItem
from widgets.common.numbers import count_text, duration_text, value_text
from widgets.common.plain import visible
from widgets.common.sorted_table import Column, SortedTable

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Figures:
    """`finished`: completed or failed, over which `succeeded` is a ratio. `wait_us`, `run_us`: p50, p95, p99; None: no task tells."""

    type: str
    agent: str
    tasks: int
    open: int
    finished: int
    succeeded: int
    per_minute: float
    wait_us: tuple[int, ...] | None
    run_us: tuple[int, ...] | None

    @property
    def success(self) -> float | None:
        """None: nothing has finished."""
        return self.succeeded / self.finished if self.finished else None


def figures_of(items: Sequence[TaskItem], span_us: int) -> list[Figures]:
    """Of each type and agent. Tasks that gather others are left out: their parts count. `span_us`: over which a rate is taken."""
    groups: dict[tuple[str, str], list[TaskItem]] = {}
    for one in items:
        if not one.parts:
            groups.setdefault((one.type, one.agent), []).append(one)
    return [_figures(*key, some, span_us) for key, some in sorted(groups.items())]


def _figures(type_: str, agent: str, some: Sequence[TaskItem], span_us: int) -> Figures:
    finished = [one for one in some if one.state.finished]
    ended = sum(1 for one in some if one.ended_us)
    return Figures(
        type_, agent, len(some), len(some) - ended, len(finished), sum(one.state is TaskState.COMPLETED for one in finished),
        ended * 60_000_000 / span_us if span_us else 0.0, _quantiles([one.wait_us for one in some]),
        _quantiles([one.run_us for one in some]),
    )  # fmt: skip


def _quantiles(spans: Sequence[int | None]) -> tuple[int, ...] | None:
    told = [one for one in spans if one is not None]
    return tuple(int(one) for one in np.quantile(told, QUANTILES)) if told else None


def statistics_table() -> SortedTable[Figures]:
    """Sortable and copyable."""
    tr = translate
    columns: list[Column[Figures]] = [
        Column(tr("TaskFigures", "Type"), lambda one: visible(one.type) or MISSING),
        Column(tr("TaskFigures", "Agent"), lambda one: visible(one.agent) or tr("TaskFigures", "nobody yet")),
        Column(tr("TaskFigures", "Tasks"), lambda one: count_text(one.tasks), lambda one: one.tasks, number=True),
        Column(tr("TaskFigures", "Open"), lambda one: count_text(one.open), lambda one: one.open, number=True),
        Column(tr("TaskFigures", "Ended a minute"), lambda one: value_text(one.per_minute), lambda one: one.per_minute, number=True),
        Column(tr("TaskFigures", "Succeeded"), _success, lambda one: -1.0 if one.success is None else one.success, number=True),
        *(_quantile_column(tr("TaskFigures", "Waited p{q}"), place, waits=True) for place in range(3)),
        *(_quantile_column(tr("TaskFigures", "Ran p{q}"), place, waits=False) for place in range(3)),
    ]  # fmt: skip
    name = tr("TaskFigures", "Figures by type and agent")
    return SortedTable(name, columns, (120, 140, 60, 56, 112, 116, *(90,) * 6), lambda one: (one.type, one.agent), (1,))


def _success(one: Figures) -> str:
    if one.success is None:
        return translate("TaskFigures", "no data")
    of = translate("TaskFigures", "{share} of {n}")
    return of.replace("{share}", value_text(one.success, "1")).replace("{n}", count_text(one.finished))


def _quantile_column(title: str, place: int, *, waits: bool) -> Column[Figures]:
    def at(one: Figures) -> int | None:
        spans = one.wait_us if waits else one.run_us
        return None if spans is None else spans[place]

    return Column(
        title.replace("{q}", f"{QUANTILES[place] * 100:g}"),
        lambda one: MISSING if at(one) is None else duration_text(at(one)),
        lambda one: -1 if (us := at(one)) is None else us,
        number=True,
    )
