"""The ways that lead from a moment on a plot to what happened then."""

from collections.abc import Sequence
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QPointF, Qt
from PySide6.QtWidgets import QMenu

from widgets.plots.frame import Frame
from widgets.plots.marks import Band, PlacedMark, near

if TYPE_CHECKING:
    from widgets.plots.plot import TimePlot

_CLICK_PIXELS = 6
"""A press that ends so near to where it began is a click."""


class Way(Enum):
    """Where to."""

    LOGS = auto()
    MESSAGES = auto()


WAY_KEYS = {Qt.Key.Key_L: Way.LOGS, Qt.Key.Key_M: Way.MESSAGES}


def fill_moments(menu: QMenu, plot: "TimePlot") -> None:
    """Put in what leads on from the plot's moment; nothing where no moment is pointed at."""
    at_us = plot.moment
    if at_us is None:
        return
    translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
    menu.addAction(translate("PlotMenu", "&Logs of this moment\tL"), partial(plot.moment_wanted.emit, Way.LOGS, at_us))
    text = translate("PlotMenu", "&Messages of this moment\tM")
    menu.addAction(text, partial(plot.moment_wanted.emit, Way.MESSAGES, at_us))
    menu.addAction(translate("PlotMenu", "Look at this moment"), partial(plot.look_at, at_us))
    menu.addSeparator()


def mark_time(frame: Frame, placed: list[PlacedMark], at: QPointF) -> int | None:
    """The exact time of the event that is drawn there, the most important one of several; None: there is none."""
    if not frame.area.adjusted(-4, -6, 4, 4).contains(at):
        return None
    mark = near(placed, at.x() - frame.area.left())
    return max(mark.marks, key=lambda one: one.kind).at_us if mark is not None else None


def gap_time(frame: Frame, bands: Sequence[Band], at: QPointF) -> int | None:
    """When the gap that is drawn there began, as far as the plot shows it; None: there is none."""
    at_us = frame.time_of(at.x())
    begun = [one.since_us for one in bands if one.since_us <= at_us <= one.until_us]
    return max(*begun, frame.since_us) if begun and frame.area.contains(at) else None


def is_click(pressed: QPointF | None, released: QPointF) -> bool:
    """Did the pointer stay where the button went down?"""
    return pressed is not None and (released - pressed).manhattanLength() < _CLICK_PIXELS
