"""One agent screen over history and tail made in memory, on a clock that moves only when told."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from models.domain.problems import Problem
from models.domain.queries import SeriesColumns
from tests.helpers.clock import FakeClock
from tests.widgets.fakes import SECOND, FakeSource, FakeTail
from widgets.agent.agent_screen import AgentScreen
from widgets.common.frame_clock import FrameClock
from widgets.common.theme import ThemeHolder
from widgets.frame.outlet import Outlet
from widgets.frame.screen_context import ScreenContext
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.notes.book import AnnotationBook


class Desk:
    """Everything a screen is given."""

    def __init__(self, app: QApplication, clock: FakeClock) -> None:
        self.clock = clock
        self.source, self.tail = FakeSource(), FakeTail()
        self.frame_clock = FrameClock(clock)
        self.range = TimeRangeModel(clock, span_us=60 * SECOND)
        self.cursor = TimeCursor()
        self.theme = ThemeHolder(app, "light")
        self.submitted: list[tuple[list[dict], Callable[[Problem | None], None]]] = []
        self.notes = AnnotationBook(self.source, self.tail, lambda *asked: self.submitted.append(asked))
        self.context = ScreenContext(
            self.source, self.tail, self.frame_clock, self.range, self.cursor, self.theme, clock, self.notes, Outlet()
        )

    @property
    def now(self) -> int:
        return self.clock.wall_us()

    def screen(self) -> AgentScreen:
        screen = AgentScreen(self.context, lambda menu, agent: menu.addAction(f"Rename {agent.id}"))
        screen.resize(900, 700)
        return screen

    def fill(self, series: int, seconds_ago: range, value: float) -> None:
        at = np.sort(self.now - np.array(seconds_ago) * SECOND)
        self.source.samples[series] = (at, np.full(len(at), value))

    def points(self, series: int, *values: float) -> SeriesColumns:
        """Samples of this very moment."""
        at = np.full(len(values), self.now)
        return SeriesColumns(series, at, at, np.array(values, float), False)

    def draw(self) -> None:
        while self.frame_clock.running:
            self.frame_clock.tick()


@pytest.fixture
def desk(qapp: QApplication, clock: FakeClock) -> Desk:
    return Desk(qapp, clock)


@pytest.fixture
def shown(qtbot: QtBot, desk: Desk) -> Callable[[QWidget], QWidget]:
    """Shows a widget, answers what it asks, draws."""

    def show(widget: QWidget) -> QWidget:
        qtbot.addWidget(widget)
        with qtbot.waitExposed(widget):
            widget.show()
        desk.source.answer_all()
        desk.draw()
        return widget

    return show
