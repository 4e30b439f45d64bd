"""The actions every window has, whatever screens it shows."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QActionGroup

from models.domain.quantity import format_duration
from widgets.common.actions import ActionRegistry
from widgets.common.theme import THEME_CHOICES, ThemeHolder
from widgets.frame.edit_actions import EditActions
from widgets.frame.time_range import PRESETS_US, TimeRangeModel


@dataclass(frozen=True, slots=True)
class FrameSlots:
    """What the window itself does."""

    quit: Callable[[], object]
    refresh: Callable[[], object]
    full_screen: Callable[[bool], object]
    close_panel: Callable[[], object]
    custom_range: Callable[[], object]
    copy_range: Callable[[], object]
    paste_range: Callable[[], object]
    shortcuts: Callable[[], object]
    moment: Callable[[], object]
    leave_moment: Callable[[], object]
    screen_before: Callable[[], object]


class FrameActions(QObject):
    """Registers them all; screens and the composition add theirs after. Those with a button too are attributes."""

    def __init__(
        self, actions: ActionRegistry, theme: ThemeHolder, times: TimeRangeModel, slots: FrameSlots, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        add, tr = actions.add, self.tr
        add("file.quit", tr("&Quit"), slots.quit, "Ctrl+Q", menu="File", role=QAction.MenuRole.QuitRole,
            tip=tr("Close this window; recording ends with the last window unless it runs on its own"))  # fmt: skip
        EditActions(actions, self)
        add("edit.copy-range", tr("C&opy time range"), slots.copy_range, "Ctrl+Shift+R", "", "Edit",
            tip=tr("Copy the time range as text, to give it to a colleague"))  # fmt: skip
        add("edit.paste-range", tr("&Paste time range"), slots.paste_range, "Ctrl+Shift+V", menu="Edit",
            tip=tr("Show the time range that the clipboard names"))  # fmt: skip
        self.toggle_live = add("view.live", tr("&Live or paused"), times.toggle, "Space", "live",
            tip=tr("Hold the view or follow the present; recording goes on either way"))  # fmt: skip
        add("view.refresh", tr("&Refresh"), slots.refresh, "F5", tip=tr("Ask again for everything that is shown"))
        add("view.moment", tr("Look at a &moment"), slots.moment, "Ctrl+H", "clock",
            tip=tr("Show the whole window as it was at one moment, and slide through the time range"))  # fmt: skip
        self.leave_moment = add("view.leave-moment", tr("&Back to now"), slots.leave_moment,
            tip=tr("Let go of the moment that is shown"))  # fmt: skip
        self.full_screen = add("view.full-screen", tr("&Full screen"), slots.full_screen, "F11", checkable=True,
            tip=tr("Give the window the whole screen"))  # fmt: skip
        self.close_panel = add("view.close-panel", tr("&Close side panel"), slots.close_panel, "Esc", "close",
            tip=tr("Close the panel at the right"))  # fmt: skip
        actions.separate("View")
        self._add_ranges(actions, times, slots)
        actions.separate("View")
        self._add_themes(actions)
        self.back = add("go.range-back", tr("&Earlier time range"), times.back, "Alt+Left", "back", "Go",
            tip=tr("Back to the time range that was shown before"))  # fmt: skip
        self.forward = add("go.range-forward", tr("&Later time range"), times.forward, "Alt+Right", "forward", "Go",
            tip=tr("Forward to the time range that “earlier” came from"))  # fmt: skip
        self.screen_before = add("go.screen-before", tr("&Screen before"), slots.screen_before, "Alt+Backspace", "", "Go",
            tip=tr("Back to the screen that was shown before this one; once more: here again"))  # fmt: skip
        self.screen_before.setEnabled(False)
        actions.separate("Go")
        add("help.shortcuts", tr("&Keyboard shortcuts"), slots.shortcuts, "Ctrl+?", menu="Help",
            tip=tr("All actions and their keys in one list"))  # fmt: skip

    def _add_ranges(self, actions: ActionRegistry, times: TimeRangeModel, slots: FrameSlots) -> None:
        for span_us in PRESETS_US:
            span_text = format_duration(span_us)
            text = self.tr("Last {span}").replace("{span}", span_text)
            tip = self.tr("Follow the last {span} up to the present").replace("{span}", span_text)
            actions.add(f"view.last-{span_us}", text, lambda span=span_us: times.show_last(span), tip=tip)
        actions.add("view.custom-range", self.tr("Custom time r&ange…"), slots.custom_range, "Ctrl+T", "clock",
                    tip=self.tr("Choose both ends of the time range"))  # fmt: skip

    def _add_themes(self, actions: ActionRegistry) -> None:
        self.toggle_theme = actions.add(
            "view.toggle-theme", self.tr("Light or &dark"), self._theme.toggle, "Ctrl+Shift+L", "moon",
            tip=self.tr("Change between light and dark"),
        )  # fmt: skip
        names = {
            "system": self.tr("Theme of the desktop"),
            "light": self.tr("Light theme"),
            "dark": self.tr("Dark theme"),
        }
        tips = {
            "system": self.tr("Light or dark as the desktop is"),
            "light": self.tr("Dark text on a light ground"),
            "dark": self.tr("Light text on a dark ground"),
        }
        self._themes = QActionGroup(self)
        for choice in THEME_CHOICES:
            action = actions.add(
                f"view.theme-{choice}",
                names[choice],
                lambda ticked, which=choice: self._theme.choose(which) if ticked else None,
                checkable=True,
                tip=tips[choice],
            )
            action.setData(choice)
            self._themes.addAction(action)
        self._theme.changed.connect(self._tick_theme)
        self._tick_theme()

    @Slot()
    def _tick_theme(self) -> None:
        for action in self._themes.actions():
            action.setChecked(action.data() == self._theme.choice)
