"""Layouts that every agent can be looked at with."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import count

from models.domain.layouts.changes import WHOLE
from models.domain.layouts.layout import Direction, Layout, Node, Panel, Plotted, Shown, Split


class Ready(StrEnum):
    RESOURCES = "resources"
    RESPONSES = "responses"
    FAILURES = "failures"
    TASKS = "tasks"


_Plots = tuple[Plotted, ...]


def _of(role: str, shown: Shown = Shown.AUTO) -> _Plots:
    return (Plotted(role=role, shown=shown),)


_ROWS: dict[Ready, tuple[tuple[_Plots, ...], ...]] = {
    Ready.RESOURCES: ((_of("cpu"),), (_of("memory"),)),
    Ready.RESPONSES: tuple((_of("response", shown),) for shown in (Shown.P50, Shown.P95, Shown.P99)),
    Ready.FAILURES: (
        (_of("failed") + _of("error_ratio"),),
        (_of("log_errors"), _of("errors")),
        (_of("attempts"), _of("successes")),
    ),
    # tasks are few: how many there were in each step reads better than so many thousandths a second
    Ready.TASKS: ((_of("finished", Shown.INCREASE),), (_of("failed", Shown.INCREASE),), (_of("error_ratio"),)),
}
"""What each panel shows, row by row."""


def ready_layout(which: Ready, agents: Sequence[str]) -> Layout:
    """About these agents, all of them in each panel."""
    numbers = count(1)
    rows = [[Panel(next(numbers), plotted) for plotted in row] for row in _ROWS[which]]
    return Layout(_even(Direction.ROWS, [_even(Direction.COLUMNS, row) for row in rows]), tuple(agents))


def _even(direction: Direction, parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Split(direction, tuple(parts), (WHOLE // len(parts),) * len(parts))
