"""The context menu of a plot."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from widgets.common.numbers import count_text
from widgets.plots.gestures import Gestures
from widgets.plots.plot_data import MOST_COPIED, PlotTable, as_csv, point_count

if TYPE_CHECKING:
    from widgets.plots.plot import TimePlot


def plot_menu(plot: "TimePlot", gestures: Gestures) -> QMenu:
    """A menu for this plot; deletes itself when it closes."""
    menu = QMenu(plot)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
    clipboard = QGuiApplication.clipboard()
    menu.addAction(translate("PlotMenu", "Copy picture"), plot.copy)
    points = point_count(plot.raw, plot.frame.since_us, plot.frame.until_us)
    text = translate("PlotMenu", "Copy data as CSV")
    if points > MOST_COPIED:
        text = translate("PlotMenu", "Copy data as CSV (the newest {n} of {all} points)")
        text = text.replace("{n}", count_text(MOST_COPIED)).replace("{all}", count_text(points))
    menu.addAction(text, lambda: clipboard.setText(_csv(plot)))
    menu.addAction(translate("PlotMenu", "Show as table"), lambda: _table(plot).show())
    menu.addSeparator()
    plot.menu_wanted.emit(menu)
    plot.fill_notes(menu)
    menu.addAction(translate("PlotMenu", "Go live"), gestures.live)
    return menu


def _csv(plot: "TimePlot") -> str:
    return as_csv(plot.raw, plot.frame.since_us, plot.frame.until_us)


def _table(plot: "TimePlot") -> PlotTable:
    table = PlotTable(plot.title, plot.raw, plot.frame.since_us, plot.frame.until_us, plot)
    table.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return table
