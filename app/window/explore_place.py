"""The Explore screen, made when it is first wanted, and the ways that lead to it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMenu

from app.window.places import EXPLORE
from app.window.screen_place import ScreenPlace
from models.domain.layouts.layout import Plotted
from widgets.frame.main_window import MainWindow
from widgets.frame.screen_context import ScreenContext
from widgets.records.agent_names import AgentNames

if TYPE_CHECKING:  # loaded when it is first wanted
    from widgets.explore.explore_screen import ExploreScreen


class ExplorePlace(QObject):
    """GUI thread."""

    arrived = Signal(object)
    """The screen is there."""

    def __init__(
        self, window: MainWindow, place: ScreenPlace, context: Callable[[], ScreenContext], names: AgentNames
    ) -> None:
        super().__init__(window)
        self._window, self._place, self._context, self._names = window, place, context, names
        self.screen: ExploreScreen | None = None
        self.fill_layouts: Callable[[QMenu], object] = _nothing
        """Puts saved and ready layouts into a menu."""

    def made(self) -> "ExploreScreen":
        """The screen, as soon as somebody wants it."""
        from widgets.explore.explore_screen import ExploreScreen

        if self.screen is None:
            self.screen = ExploreScreen(self._context(), self._names, self._fill_layouts)
            self._place.fill(self.screen)
            self.arrived.emit(self.screen)
        return self.screen

    @Slot(list)
    def show_agents(self, agents: Sequence[str]) -> None:
        """The figures of these agents (ids in exports), side by side."""
        self._window.show_screen(EXPLORE)
        self.made().explore_agents(agents)

    @Slot(list)
    def show_series(self, plotted: Sequence[Plotted]) -> None:
        """These series, beside what is there."""
        self._window.show_screen(EXPLORE)
        self.made().explore_series(plotted)

    def _fill_layouts(self, menu: QMenu) -> None:
        self.fill_layouts(menu)


def _nothing(_menu: QMenu) -> None:
    """There are no layouts."""
