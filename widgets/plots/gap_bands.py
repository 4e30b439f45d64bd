"""What history does not cover, as bands of a plot."""

from PySide6.QtCore import QCoreApplication

from models.domain.queries import GapColumns
from widgets.common.words import gap_word
from widgets.plots.marks import Band

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def gap_bands(gaps: GapColumns, agent: int) -> list[Band]:
    """The stretches that concern this agent, with their reason."""
    bands = []
    rows = zip(gaps.since_us.tolist(), gaps.until_us.tolist(), gaps.cause, gaps.agent.tolist(), gaps.missing.tolist(), strict=True)  # fmt: skip
    for since_us, until_us, cause, whose, missing in rows:
        if whose in (0, agent):
            told = (
                translate("AgentEvents", "{n} messages missing: {cause}")
                if missing
                else translate("AgentEvents", "Nothing known: {cause}")
            )
            bands.append(
                Band(since_us, until_us, told.replace("{n}", str(missing)).replace("{cause}", gap_word(cause)))
            )
    return bands
