"""The Log menu: what can be done with the query and the log record at hand."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.window.at_hand_menu import AtHandMenu
from widgets.common.actions import ActionRegistry

if TYPE_CHECKING:  # loaded when its screen is first wanted
    from widgets.logs.logs_screen import LogsScreen


class LogMenu(AtHandMenu["LogsScreen"]):
    """GUI thread."""

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(actions, parent, "Log", "log")
        tr, add = self.tr, self.add
        add("clear", tr("Look for &everything"), lambda one: one.query.clear(), "Ctrl+U", lambda one: bool(one.query.text),
            tr("Take all conditions away"))  # fmt: skip
        add("save", tr("&Save this query…"), lambda one: one.kept.save(), None, lambda one: one.kept.can_save,
            tr("Keep the query by a name"))  # fmt: skip
        add("rate", tr("Plot the &rate of this query"), lambda one: one.plot_rate(), None, lambda one: one.query.narrows,
            tr("Show in Explore how many records the query finds a second, beside whatever else happened"))  # fmt: skip
        actions.separate("Log")
        add("around", tr("What happened &around it"), lambda one: one.at_hand.show_surroundings(0), "Ctrl+R", _has_line,
            tr("List everybody's records around the one at hand"))  # fmt: skip
        add("around-agent", tr("Around it, of its a&gent"), lambda one: one.at_hand.show_surroundings(1), None, _has_agent,
            tr("List the records of its agent around the one at hand"))  # fmt: skip
        add("around-task", tr("Around it, of its &task"), lambda one: one.at_hand.show_surroundings(-1), None, _has_task,
            tr("List the records of the same task, trace or conversation"))  # fmt: skip
        add("compare", tr("&Compare the two"), lambda one: one.at_hand.compare(), "Ctrl+Shift+J", lambda one: len(one.at_hand.selected) == 2,
            tr("Show what differs between the two selected records"))  # fmt: skip
        actions.separate("Log")
        add("copy-json", tr("Copy as &JSON"), lambda one: one.at_hand.copy_json(), "Ctrl+Shift+Q", _has_line,
            tr("Copy the selected records as exports write them"))  # fmt: skip
        add("message", tr("Show its &message"), lambda one: one.open_message(), None, _has_message,
            tr("Show the message that the record was read from"))  # fmt: skip
        add("plots", tr("Show on the &plots"), lambda one: one.show_on_plots(), "F7", _has_agent,
            tr("Show the plots of its agent at the moment when the record arrived"))  # fmt: skip
        add("fields", tr("&Fields and their values"), lambda one: one.toggle_facets(), "F4", lambda _: True,
            tr("Show or hide the fields beside the list"))  # fmt: skip


def _has_line(screen: "LogsScreen") -> bool:
    return screen.at_hand.line is not None


def _has_agent(screen: "LogsScreen") -> bool:
    return screen.at_hand.line is not None and screen.at_hand.line.agent > 0


def _has_task(screen: "LogsScreen") -> bool:
    return len(screen.at_hand.surroundings) > 1 + _has_agent(screen)


def _has_message(screen: "LogsScreen") -> bool:
    return screen.at_hand.line is not None and screen.at_hand.line.message > 0
