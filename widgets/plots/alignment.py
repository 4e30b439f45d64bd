"""Plots above each other begin and end at the same pixel, so that the same time is found straight below."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QPoint, QTimer

from widgets.plots.curve_plot import CurvePlot


class Alignment(QObject):
    """Where one of the plots that stand over each other has an axis at the right, all of them keep room for it. Plots beside
    them do not. GUI thread."""

    def __init__(self, plots: Callable[[], Iterable[CurvePlot]], parent: QObject) -> None:
        """`plots`: those that are shown just now, of which each was handed to `watch` once."""
        super().__init__(parent)
        self._plots = plots
        self._soon = QTimer(self, singleShot=True, interval=0)  # once all of them have their places
        self._soon.timeout.connect(self.align)

    def watch(self, plot: CurvePlot) -> None:
        """Look again whenever this one moved, came, went or got another axis."""
        plot.placed.connect(self._soon.start)

    def align(self) -> None:
        """Give each plot the room that it needs, now."""
        columns: dict[tuple[int, int], list[CurvePlot]] = {}
        for plot in self._plots():
            if plot.isVisible():
                columns.setdefault((plot.mapToGlobal(QPoint(0, 0)).x(), plot.width()), []).append(plot)
        for column in columns.values():
            two_axes = any(plot.has_right_axis for plot in column)
            for plot in column:
                plot.keep_right_room(keep=two_axes)
