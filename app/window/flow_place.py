"""The screen of who talks to whom, made when it is first wanted."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.window.screen_place import ScreenPlace
from models.domain.flow_queries import TalkLine
from models.domain.queries import MessageLine, RowKey
from widgets.frame.screen_context import ScreenContext
from widgets.records.agent_names import AgentNames

if TYPE_CHECKING:  # loaded when it is first wanted
    from widgets.flow.flow_screen import FlowScreen


class FlowPlace(QObject):
    """GUI thread."""

    arrived = Signal(object)
    """The screen is there."""

    def __init__(
        self, place: ScreenPlace, context: Callable[[], ScreenContext], names: AgentNames, show_message: Callable[[RowKey], object],
        show_agent: Callable[[int], object], show_pair: Callable[[MessageLine], object], parent: QObject,
    ) -> None:  # fmt: skip
        """`show_message`, `show_agent`: on their screens; `show_pair`: a message with what answers it."""
        super().__init__(parent)
        self._place, self._context, self._names = place, context, names
        self._show_message, self._show_agent, self._show_pair = show_message, show_agent, show_pair
        self.screen: FlowScreen | None = None

    def made(self) -> "FlowScreen":
        """The screen, from now on."""
        if self.screen is None:
            from widgets.flow.flow_screen import FlowScreen

            self.screen = FlowScreen(self._context(), self._names)
            self.screen.agent_wanted.connect(self._show_agent)
            self.screen.talk_wanted.connect(self._show_talk)
            self.screen.pair_wanted.connect(self._show_pair)
            self._place.fill(self.screen)
            self.arrived.emit(self.screen)
        return self.screen

    @Slot(object)
    def _show_talk(self, line: TalkLine) -> None:
        """The message that completed it."""
        self._show_message(line.key._replace(seq=line.message))
