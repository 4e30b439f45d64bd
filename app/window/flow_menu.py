"""What Flow does, in the View menu."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.window.at_hand_menu import AtHandMenu
from widgets.common.actions import ActionRegistry

if TYPE_CHECKING:  # loaded when its screen is first wanted
    from widgets.flow.flow_screen import FlowScreen


class FlowMenu(AtHandMenu["FlowScreen"]):
    """GUI thread."""

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(actions, parent, "View", "flow")
        tr, add = self.tr, self.add
        actions.separate("View")
        add("replay", tr("Replay the flow"), lambda one: one.replay_button.toggle(), None, lambda _: True,
            tr("Go in Flow through the chosen time again, step by step; or end that"))  # fmt: skip
        add("by-group", tr("Flow by group, or by agent"), lambda one: one.grouped.toggle(), None, lambda _: True,
            tr("Draw in Flow the agents of one group as one, or each by itself again"))  # fmt: skip
        add("conversation", tr("Conversation of the two"), lambda one: one.show_conversation(), None, _chose,
            tr("Show what the chosen agents say to each other as a sequence, in a window of its own"))  # fmt: skip
        add("hide", tr("Hide what is chosen in Flow"), lambda one: one.views.hide_chosen(), None, _chose,
            tr("Draw the chosen agent or pair no more, until it is shown again"))  # fmt: skip
        add("show-hidden", tr("Show what is hidden in Flow"), lambda one: one.show_all(), None, lambda one: one.hides,
            tr("Draw again what was hidden or left out by the filter"))  # fmt: skip
        add("save", tr("Save interactions as CSV…"), lambda one: one.save_csv(), None, lambda _: True,
            tr("Write what was said in the chosen time, one row for each interaction"))  # fmt: skip


def _chose(screen: "FlowScreen") -> bool:
    return screen.chose
