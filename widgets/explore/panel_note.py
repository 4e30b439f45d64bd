"""What a panel names and does not draw, in one line."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from models.domain.layouts.layout import Plotted
from widgets.common.plain import visible
from widgets.explore.resolving import Resolved

MOST_NAMED = 6
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def panel_note(resolved: Resolved) -> str:
    """Empty: all of it is drawn."""
    told = []
    if missing := [_plotted_text(one) for one in resolved.missing] + resolved.missing_agents:
        text = translate("ExplorePanel", "Not in this workspace: {names}")
        told.append(text.replace("{names}", _some(missing)))
    if resolved.crowded:
        text = translate("ExplorePanel", "No axis is left for a third unit: {names}")
        told.append(text.replace("{names}", _some([f"{one.agent_id} {one.text}" for one in resolved.crowded])))
    if resolved.more:
        told.append(
            translate("ExplorePanel", "{n} more series than one panel shows").replace("{n}", str(resolved.more))
        )
    return " · ".join(told)


def _plotted_text(one: Plotted) -> str:
    return f"{one.agent} {one.metric or one.role or one.query} {one.labels}".strip()


def _some(names: Sequence[str]) -> str:
    more = f" … ({len(names)})" if len(names) > MOST_NAMED else ""
    return visible(", ".join(names[:MOST_NAMED]) + more)
