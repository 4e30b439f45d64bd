"""What a panel of Explore hands to others: its picture, and the stored samples of what it shows."""

from PySide6.QtCore import QRect
from PySide6.QtGui import QPixmap

from models.domain.layouts.layout import Plotted
from models.domain.time_range import TimeRange
from widgets.common.tokens import Theme
from widgets.explore.explore_panel import ExplorePanel
from widgets.frame.outlet import Taken
from widgets.plots.captioned import captioned, span_caption


def taken_of(panel: ExplorePanel, shown: TimeRange) -> Taken:
    """What it is called, and its time."""
    return Taken(panel.header.title.text(), shown.since_us, shown.until_us)


def panel_picture(panel: ExplorePanel, shown: TimeRange, theme: Theme) -> QPixmap:
    """All that is below its header, with its name, its time and in what resolution it is drawn in place of the header."""
    top = panel.header.geometry().bottom() + 1
    seen = panel.grab(QRect(0, top, panel.width(), panel.height() - top))
    told = [span_caption(shown.since_us, shown.until_us), panel.header.badge.text()]
    return captioned(seen, panel.header.title.text(), " · ".join(filter(None, told)), panel.font(), theme)


def stored_series(panel: ExplorePanel) -> tuple[Plotted, ...]:
    """The series whose samples it draws just now; what the recorder counts of agents is not kept as samples."""
    drawn = [curve for place, curve in enumerate(panel.curves) if panel.is_on(place) and curve.found.series >= 0]
    named = [Plotted(one.found.agent_id, one.found.words.metric, one.found.words.labels) for one in drawn]
    return tuple(dict.fromkeys(named))
