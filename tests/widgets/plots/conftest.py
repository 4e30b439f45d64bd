"""A plot on a clock that moves only when told."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from models.domain.queries import SeriesColumns
from tests.helpers.clock import FakeClock
from widgets.common.frame_clock import FrameClock
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.plot import TimePlot

SECOND = 1_000_000


class Desk:
    """Everything a plot shares with others."""

    def __init__(self, app: QApplication, clock: FakeClock) -> None:
        self.clock = clock
        self.frame_clock = FrameClock(clock)
        self.range = TimeRangeModel(clock, span_us=60 * SECOND)
        self.cursor = TimeCursor()
        self.theme = ThemeHolder(app, "light")

    def plot(self, title: str = "CPU", unit: str = "1") -> TimePlot:
        plot = TimePlot(title, unit, self.frame_clock, self.range, self.cursor, self.theme)
        plot.resize(500, 160)
        return plot

    def samples(self, *seconds_ago: float, value: float | list[float] = 0.5) -> SeriesColumns:
        at = self.clock.wall_us() - (np.array(seconds_ago) * SECOND).astype(np.int64)
        order = np.argsort(at)
        values = np.broadcast_to(np.asarray(value, float), at.shape)[order].copy()
        return SeriesColumns(1, at[order], at[order], values, False)

    def buffer(self, columns: SeriesColumns) -> SeriesBuffer:
        buffer = SeriesBuffer(1)
        buffer.replace(columns)
        return buffer


@pytest.fixture
def desk(qapp: QApplication, clock: FakeClock) -> Desk:
    return Desk(qapp, clock)


@pytest.fixture
def shown(qtbot: QtBot, desk: Desk) -> Callable[[TimePlot], TimePlot]:
    """Shows a plot and draws its first frame."""

    def show(plot: TimePlot) -> TimePlot:
        qtbot.addWidget(plot)
        with qtbot.waitExposed(plot):
            plot.show()
        desk.frame_clock.tick()
        return plot

    return show
