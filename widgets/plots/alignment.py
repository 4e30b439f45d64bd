"""What lies over time in panels above each other begins and ends at the same pixel: the same time is found straight below."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QPoint, QTimer, Slot
from PySide6.QtWidgets import QWidget

from widgets.plots.surface import TimeSurface

Placed = tuple[QWidget, TimeSurface]


class Alignment(QObject):
    """Panels that stand over each other leave the room that one of them needs for names or a second axis. GUI thread."""

    def __init__(self, shown: Callable[[], Iterable[Placed]], parent: QObject) -> None:
        """`shown`: the panels that are shown just now, with what in them lies over time."""
        super().__init__(parent)
        self._shown = shown
        self._soon = QTimer(self, singleShot=True, interval=0)  # once all of them have their places
        self._soon.timeout.connect(self.align)

    @Slot()
    def look_again(self) -> None:
        """A panel came, went, was resized, or needs other margins."""
        self._soon.start()

    @Slot()
    def align(self) -> None:
        """Give each the room that it needs, now."""
        columns: dict[tuple[int, int], list[Placed]] = {}
        for panel, surface in self._shown():
            if surface.isVisible():
                columns.setdefault((panel.mapToGlobal(QPoint(0, 0)).x(), panel.width()), []).append((panel, surface))
        for column in columns.values():
            beside = [_beside(*one) for one in column]
            needed = [(surface.own_margins(), out) for (_, surface), out in zip(column, beside, strict=True)]
            left = max(own[0] + out[0] for own, out in needed)
            right = max(own[1] + out[1] for own, out in needed)
            for (_, surface), out in zip(column, beside, strict=True):
                surface.keep_margins(left - out[0], right - out[1])


def _beside(panel: QWidget, surface: TimeSurface) -> tuple[int, int]:
    """Pixels of a panel at the left and at the right of what lies over time."""
    left = surface.mapTo(panel, QPoint(0, 0)).x()
    return left, panel.width() - left - surface.width()
