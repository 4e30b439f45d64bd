"""What the menu of a plot offers to keep as a file: its picture and its data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from models.domain.layouts.layout import Plotted
from widgets.frame.outlet import Outlet, Taken

if TYPE_CHECKING:
    from widgets.plots.plot import TimePlot

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def fill_ways_out(menu: QMenu, plot: "TimePlot", outlet: Outlet, series: Sequence[Plotted] = ()) -> None:
    """Offer the picture of this plot, and the stored samples of its series where it has some."""
    taken = Taken(plot.full_title, plot.frame.since_us, plot.frame.until_us)
    menu.addAction(
        translate("PlotMenu", "Save picture…"), lambda: outlet.picture_wanted.emit(taken, plot.picture().toImage())
    )
    if series:
        text = translate("PlotMenu", "Save data as CSV…")
        menu.addAction(text, lambda: outlet.data_wanted.emit(taken, tuple(series)))
