"""What stands in a panel in which nothing is drawn: why, and a way on."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from models.domain.layouts.layout import Kind, Panel
from models.domain.queries import GapColumns
from widgets.common.words import gap_sentence

_ALL = 0.98
"""A gap that covers so much of the time that is shown is the reason."""
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def nothing_chosen(*, alone: bool, anybody: bool) -> str:
    """Of an empty panel; `alone`: it is the only one, `anybody`: there are agents to choose from."""
    if not anybody:
        return translate(
            "PanelSentence", "No agent was heard yet: connect to a broker above, and series come to stand at the left"
        )
    if alone:
        return translate(
            "PanelSentence", "Drag series here, select them at the left and press Enter, or choose a ready layout above"
        )
    return translate("PanelSentence", "Drag series here, or select them at the left and press Enter")


def nothing_found(panel: Panel, agents: Sequence[str], missing_agents: Sequence[str]) -> str:
    """Of a panel that names what is not in this workspace; `agents` are those of the layout."""
    if panel.kind is Kind.HEAT:
        return translate(
            "PanelSentence", "No agent of this workspace has such figures: choose another series at the left"
        )
    named = any(one.agent for one in panel.plotted)
    if not agents and not named:
        return translate("PanelSentence", "Choose agents: select some at the left, then “Use the selected agents”")
    if not named and set(agents) <= set(missing_agents):
        return translate(
            "PanelSentence",
            "None of the agents of this layout is in this workspace: select others at the left, then “Use the selected agents”",
        )
    if panel.plotted[0].role:
        return translate(
            "PanelSentence", "No agent of this layout has such figures: select others at the left, or drag series here"
        )
    return translate(
        "PanelSentence", "None of what this panel names is in this workspace: drag series here, or close the panel"
    )


def too_many() -> str:
    """Of ranks and steps where the store handed out an envelope, which says nothing of them."""
    return translate("PanelSentence", "Too many samples to tell this exactly: choose a shorter time")


def nothing_measured(since_us: int, until_us: int, now_us: int, gaps: GapColumns, agents: Sequence[int]) -> str:
    """Of a panel whose series have no sample in this time; of `gaps` count those of everybody, and of the agent that is shown
    alone."""
    if since_us >= now_us:
        return translate("PanelSentence", "This time is yet to come: choose “Live” or another time above")
    sentences = (
        translate("PanelSentence", "Nothing was measured in this time."),
        _reason(since_us, min(until_us, now_us), gaps, agents),
        translate("PanelSentence", "A double click on the line below shows all of history."),
    )
    return " ".join(filter(None, sentences))


def _reason(since_us: int, until_us: int, gaps: GapColumns, agents: Sequence[int]) -> str:
    """Empty: no gap covers all of it."""
    ours = {0, agents[0]} if len(agents) == 1 else {0}
    rows = zip(gaps.since_us.tolist(), gaps.until_us.tolist(), gaps.cause, gaps.agent.tolist(), strict=True)
    for from_us, to_us, cause, agent in rows:
        covered = min(to_us, until_us) - max(from_us, since_us)
        if agent in ours and covered >= _ALL * (until_us - since_us):
            return gap_sentence(cause)
    return ""
