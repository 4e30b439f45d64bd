"""What Flow does, in the View menu."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from widgets.common.actions import ActionRegistry

if TYPE_CHECKING:  # loaded when its screen is first wanted
    from widgets.flow.flow_screen import FlowScreen

Do = Callable[["FlowScreen"], object]
Fits = Callable[["FlowScreen"], bool]


class FlowMenu(QObject):
    """Registers its actions at once; they are enabled while they fit what is at hand on the screen. GUI thread."""

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(parent)
        self._actions = actions
        self._screen: FlowScreen | None = None
        self._enabled: list[tuple[QAction, Fits]] = []
        tr, add = self.tr, self._add
        actions.separate("View")
        add("replay", tr("Replay the flow"), lambda one: one.replay_button.toggle(), lambda _: True,
            tr("Go in Flow through the chosen time again, step by step; or end that"))  # fmt: skip
        add("by-group", tr("Flow by group, or by agent"), lambda one: one.grouped.toggle(), lambda _: True,
            tr("Draw in Flow the agents of one group as one, or each by itself again"))  # fmt: skip
        add("conversation", tr("Conversation of the two"), lambda one: one.show_conversation(), lambda one: one.chose,
            tr("Show what the chosen agents say to each other as a sequence, in a window of its own"))  # fmt: skip
        add("hide", tr("Hide what is chosen in Flow"), lambda one: one.views.hide_chosen(), lambda one: one.chose,
            tr("Draw the chosen agent or pair no more, until it is shown again"))  # fmt: skip
        add("show-hidden", tr("Show what is hidden in Flow"), lambda one: one.show_all(), lambda one: one.hides,
            tr("Draw again what was hidden or left out by the filter"))  # fmt: skip
        add("save", tr("Save interactions as CSV…"), lambda one: one.save_csv(), lambda _: True,
            tr("Write what was said in the chosen time, one row for each interaction"))  # fmt: skip
        self.refresh()

    @Slot(object)
    def attach(self, screen: "FlowScreen") -> None:
        """The screen is there."""
        self._screen = screen
        screen.at_hand_changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Something else is at hand, or another screen is shown."""
        screen = self._screen
        for action, fits in self._enabled:
            action.setEnabled(screen is not None and screen.isVisible() and fits(screen))

    def _add(self, name: str, text: str, run: Do, fits: Fits, tip: str) -> None:
        action = self._actions.add(f"flow.{name}", text, partial(self._run, run), None, "", "View", tip=tip)
        self._enabled.append((action, fits))

    def _run(self, run: Do) -> None:
        if self._screen is not None:
            run(self._screen)
