"""The stretch of time that the plot of a field shows."""

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from models.domain.clock import Clock
from models.domain.time_range import fixed_range
from widgets.frame.time_range import TimeRangeModel


class FieldTimes(TimeRangeModel):
    """From the first to the last point; a drag looks closer, a double click goes back to all of them."""

    def __init__(self, clock: Clock, parent: QWidget | None) -> None:
        super().__init__(clock, parent=parent)
        self._all = (0, 1)
        self._closer = False

    def fit(self, since_us: int, until_us: int) -> None:
        """There are points from here to there."""
        margin_us = max(500_000, (until_us - since_us) // 50)
        self._all = (since_us - margin_us, until_us + margin_us)
        if not self._closer:
            self._take(fixed_range(*self._all))

    def zoom(self, since_us: int, until_us: int, *, remember: bool = True) -> None:
        self._closer = True
        super().zoom(since_us, until_us, remember=remember)

    @Slot()
    def resume(self) -> None:
        self._closer = False
        self._take(fixed_range(*self._all))
