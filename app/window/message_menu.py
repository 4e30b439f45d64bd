"""The Message menu: what can be done with the message, the topic and the number at hand."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.window.at_hand_menu import AtHandMenu
from widgets.common.actions import ActionRegistry

if TYPE_CHECKING:  # loaded when its screen is first wanted
    from widgets.messages.messages_screen import MessagesScreen


class MessageMenu(AtHandMenu["MessagesScreen"]):
    """GUI thread."""

    publish_requested = Signal()
    rules_requested = Signal()

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(actions, parent, "Message", "message")
        tr, add = self.tr, self.add
        actions.add("message.publish", tr("&Publish…"), self.publish_requested.emit, "Ctrl+P", "message", "Message",
                    tip=tr("Write a message and publish it through the recorder"))  # fmt: skip
        add("again", tr("Publish &again…"), lambda one: one.publish_again(), "Ctrl+Shift+A", _has_message,
                  tr("Fill the form from the message at hand"))  # fmt: skip
        add("clear", tr("Remove the &retained message…"), lambda one: one.clear_retained(), None, _has_topic,
                  tr("Let the broker forget what it keeps for the topic at hand"))  # fmt: skip
        actions.separate("Message")
        add("copy-topic", tr("Copy &topic"), lambda one: one.copy_topic(), "Ctrl+Shift+T",
                  lambda one: _has_message(one) or _has_topic(one), tr("Copy the full name of the topic at hand"))  # fmt: skip
        add("copy-payload", tr("&Copy payload"), lambda one: one.copy_payload(), "Ctrl+Shift+Y", _has_message,
                  tr("Copy the payload of the message at hand, whole"))  # fmt: skip
        add("copy-command", tr("Copy as &mosquitto_pub"), lambda one: one.copy_shell_line(), "Ctrl+Shift+K", _has_message,
                  tr("Copy a command that publishes the message at hand again"))  # fmt: skip
        actions.separate("Message")
        add("teach", tr("Teac&h what it means…"), lambda one: one.teach(), "Ctrl+Shift+E",
                  lambda one: _has_message(one) and not one.teach_refusal,
                  tr("Make a rule of the message at hand: this number is, this agent is, this is a log record"))  # fmt: skip
        actions.add("message.rules", tr("Mapping r&ules…"), self.rules_requested.emit, None, "", "Message",
                    tip=tr("All rules and second names of agents, to look through, take out and put back")).setEnabled(False)  # fmt: skip
        actions.separate("Message")
        add("plot", tr("Plot this &field"), lambda one: one.plot_field(), "Ctrl+L",
                  lambda one: _has_message(one) and one.pane.pages.json.number_at_hand is not None,
                  tr("Plot the number at hand over the whole history of its topic"))  # fmt: skip
        add("paired", tr("Request and repl&y"), lambda one: one.show_paired(), "Shift+F5", _has_message,
                  tr("Show the request and the replies that the message at hand belongs to, beside each other"))  # fmt: skip
        add("plots", tr("Show on the p&lots"), lambda one: one.show_on_plots(), "Shift+F7",
                  lambda one: one.message is not None and one.message.agent > 0,
                  tr("Show the plots of its agent at the moment when the message arrived"))  # fmt: skip
        add("agent", tr("&Go to agent"), lambda one: one.go_to_agent(), "Ctrl+J",
                  lambda one: one.message is not None and one.message.agent > 0,
                  tr("Show the agent that the message at hand belongs to"))  # fmt: skip

    def refuse_teaching(self, why: str) -> None:
        """Rules cannot be changed here, and why; empty: they can. The screen of messages is told by itself."""
        self._actions["message.rules"].setEnabled(not why)
        for id_ in ("message.rules", "message.teach") if why else ():
            self._actions[id_].setToolTip(why)
            self._actions[id_].setStatusTip(why)


def _has_message(screen: "MessagesScreen") -> bool:
    return screen.message is not None


def _has_topic(screen: "MessagesScreen") -> bool:
    return screen.topic_at_hand is not None
