"""Layouts that every agent can be looked at with."""

from collections.abc import Sequence
from enum import StrEnum

from models.domain.layouts.changes import WHOLE
from models.domain.layouts.layout import Direction, Layout, Node, Panel, Plotted, Shown, Split


class Ready(StrEnum):
    RESOURCES = "resources"
    RESPONSES = "responses"
    FAILURES = "failures"
    TASKS = "tasks"


_PANELS: dict[Ready, tuple[tuple[Plotted, ...], ...]] = {
    Ready.RESOURCES: ((Plotted(role="cpu"),), (Plotted(role="memory"),)),
    Ready.RESPONSES: tuple((Plotted(role="response", shown=shown),) for shown in (Shown.P50, Shown.P95, Shown.P99)),
    Ready.FAILURES: tuple((Plotted(role=role),) for role in ("log_errors", "errors", "attempts", "successes")),
    Ready.TASKS: tuple((Plotted(role=role),) for role in ("finished", "failed", "error_ratio")),
}


def ready_layout(which: Ready, agents: Sequence[str]) -> Layout:
    """About these agents, all of them in each panel."""
    panels = [Panel(number, plotted) for number, plotted in enumerate(_PANELS[which], 1)]
    root: Node = Split(Direction.ROWS, tuple(panels), (WHOLE // len(panels),) * len(panels))
    return Layout(root, tuple(agents))
