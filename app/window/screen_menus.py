"""What the screens do, in the menu bar: the Agent menu, and in View what narrows and arranges their tables."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu

from models.domain.problems import Severity
from widgets.common.actions import ActionRegistry
from widgets.common.tables import TableView
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice

if TYPE_CHECKING:  # loaded after the first paint
    from app.window.screens import Screens
    from widgets.fleet.agent_commands import Target

Allowed = Callable[[Sequence["Target"]], bool]


def _one(targets: "Sequence[Target]") -> bool:
    return len(targets) == 1


class ScreenMenus(QObject):
    """Registers its actions at once; those of agents are enabled while they fit the agents that are selected. GUI thread."""

    def __init__(self, actions: ActionRegistry, window: MainWindow) -> None:
        super().__init__(window)
        self._actions, self._window = actions, window
        self._screens: Screens | None = None
        self._allowed: list[tuple[QAction, Allowed]] = []
        tr, add = self.tr, self._add
        add("open", tr("&Open"), lambda screens: screens.open_selected(), "Ctrl+Return",
            lambda targets: _one(targets) and self._on_fleet(), tr("Show the selected agent in full"))  # fmt: skip
        add("series", tr("More ser&ies…"), lambda screens: screens.pick_series(), "Ctrl+M", lambda targets: _one(targets) and not self._on_fleet(),
            tr("Choose what else to plot of this agent"))  # fmt: skip
        add("explore", tr("E&xplore"), lambda screens: screens.commands.explore(), "Ctrl+Shift+X", bool,
            tr("Show the figures of the selected agents side by side"))  # fmt: skip
        actions.separate("Agent")
        add("task", tr("Gi&ve a task…"), lambda screens: screens.commands.ask_task(), None, bool,
            tr("Give a task to the selected agents"))  # fmt: skip
        for name, text, command, tip in (
            ("ping", tr("&Ping…"), "ping", tr("Ask the selected agents whether they listen")),
            ("pause", tr("Pa&use…"), "pause", tr("Have the selected agents begin nothing new, until they are resumed")),
            ("resume", tr("Resume wor&k…"), "resume", tr("Have the selected agents go on after a pause")),
            ("drain", tr("&Drain…"), "drain", tr("Have the selected agents end what they are at, and take nothing new")),
            ("restart", tr("Rest&art…"), "restart", tr("Have the selected agents end and begin again")),
            ("command", tr("Another &command…"), "", tr("Tell the selected agents something that they understand, with arguments")),
        ):  # fmt: skip
            add(name, text, partial(_tell, command), None, bool, tip)
        actions.separate("Agent")
        add("rename", tr("&Rename…"), lambda screens: screens.commands.ask_name(), "F2", _one,
            tr("Give the agent another name in this window"))  # fmt: skip
        add("group", tr("Set &group…"), lambda screens: screens.commands.ask_group(), "Ctrl+G", bool,
            tr("Put the selected agents into a group"))  # fmt: skip
        add("note", tr("&Note…"), lambda screens: screens.commands.ask_note(), "Ctrl+Shift+M", _one,
            tr("Write down what others should know of the agent"))  # fmt: skip
        add("births", tr("Ask for &birth certificates…"), lambda screens: screens.commands.ask_births(), "Ctrl+Shift+N",
            lambda targets: any(target.node for target in targets),
            tr("Ask the selected Sparkplug nodes to announce everything again"))  # fmt: skip
        actions.separate("Agent")
        pauses = (
            ("1h", tr("Maintenance for &1 hour"), 1, tr("Take the selected agents out of what is not well, for an hour")),
            ("4h", tr("Maintenance for &4 hours"), 4, tr("Take the selected agents out of what is not well, for 4 hours")),
            ("day", tr("Maintenance until tomorro&w, this time"), 24,
             tr("Take the selected agents out of what is not well, for a day")),
        )  # fmt: skip
        for name, text, hours, tip in pauses:
            add(f"maintenance-{name}", text, partial(_maintain, hours), None, bool, tip)
        add("maintenance-until", tr("&Maintenance until…"), lambda screens: screens.commands.ask_maintenance(), None, bool,
            tr("Take the selected agents out of what is not well, until a time of your choice"))  # fmt: skip
        add("maintenance-end", tr("&End maintenance"), lambda screens: screens.commands.end_maintenance(), None,
            lambda targets: any(target.maintenance for target in targets), tr("Back among the others"))  # fmt: skip
        actions.separate("Agent")
        add("retire", tr("Re&tire"), lambda screens: screens.commands.retire(retired=True), None,
            lambda targets: any(not target.retired for target in targets),
            tr("Hide the selected agents; their history stays"))  # fmt: skip
        add("restore", tr("Re&store"), lambda screens: screens.commands.retire(retired=False), None,
            lambda targets: any(target.retired for target in targets), tr("Show retired agents again"))  # fmt: skip
        self._add_view()
        self.refresh()

    def attach(self, screens: "Screens") -> None:
        """The screens are there."""
        self._screens = screens
        screens.targets_changed.connect(self.refresh)
        for action, button in ((self._not_well, screens.fleet.not_well), (self._by_group, screens.fleet.by_group)):
            action.setChecked(button.isChecked())
            action.toggled.connect(button.setChecked)
            button.toggled.connect(action.setChecked)
        self._why.setEnabled(True)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Other agents are selected, or they changed."""
        targets = self._screens.targets() if self._screens is not None else []
        for action, allowed in self._allowed:
            action.setEnabled(allowed(targets))

    def _add_view(self) -> None:
        actions, tr = self._actions, self.tr
        actions.separate("View")
        self._why = actions.add("view.why", tr("&Why?"), self._ask_why, "Shift+F1",
                                tip=tr("Why the agent, log record or message at hand is there: who read it, and from where"))  # fmt: skip
        self._why.setEnabled(False)
        actions.separate("View")
        self._not_well = actions.add("view.not-well", tr("Only agents that are &not well"), _nothing, "Ctrl+Shift+W",
                                     checkable=True, tip=tr("Hide in the fleet who is well"))  # fmt: skip
        self._by_group = actions.add("view.by-group", tr("Agents by &group"), _nothing, "Ctrl+Shift+G",
                                     checkable=True, tip=tr("Put the agents of a group together in the fleet"))  # fmt: skip
        actions.add_menu("view.columns", tr("Col&umns"), self._fill_columns, "table", "View",
                         tip=tr("Show and hide columns of the table that is shown"))  # fmt: skip

    def _ask_why(self) -> None:
        if self._screens is not None and not self._screens.ask_why():
            text = self.tr("Choose an agent, a log record or a message first; then ask why.")
            self._window.notices.show_notice(Notice("why", Severity.INFO, text))

    def _fill_columns(self, menu: QMenu) -> None:
        focused = QApplication.focusWidget()
        shown = [table for table in self._window.findChildren(TableView) if table.isVisible()]
        table = focused if isinstance(focused, TableView) else shown[0] if shown else None
        if table is not None:
            table.fill_header_menu(menu)
        else:
            menu.addAction(self.tr("No table is shown")).setEnabled(False)

    def _on_fleet(self) -> bool:
        return self._screens is not None and self._screens.on_fleet

    def _add(
        self, name: str, text: str, run: "Callable[[Screens], object]", keys: str | None, allowed: Allowed, tip: str
    ) -> None:
        action = self._actions.add(f"agent.{name}", text, partial(self._run, run), keys, "", "Agent", tip=tip)
        self._allowed.append((action, allowed))

    def _run(self, run: "Callable[[Screens], object]") -> None:
        if self._screens is not None and (targets := self._screens.targets()):
            self._screens.commands.about(targets)
            run(self._screens)


def _nothing(_checked: bool) -> None:
    """The button of the screen does it, once there is one."""


def _tell(command: str, screens: "Screens") -> None:
    screens.commands.ask_command(command)


def _maintain(hours: int, screens: "Screens") -> None:
    screens.commands.maintain(hours)
