"""The Explore menu: what can be done with the panel at hand, and with the layout."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from models.domain.layouts.layout import Kind, Side
from widgets.common.actions import ActionRegistry

if TYPE_CHECKING:  # loaded after the first paint
    from app.window.explore_place import ExplorePlace
    from app.window.layouts_controller import LayoutsController
    from widgets.explore.explore_screen import ExploreScreen

Run = Callable[["ExploreScreen"], object]
Fits = Callable[["ExploreScreen"], bool]


class ExploreMenu(QObject):
    """Registers its actions at once; they are enabled while their screen is shown and they fit. GUI thread."""

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(parent)
        self._actions = actions
        self._screen: ExploreScreen | None = None
        self._enabled: list[tuple[QAction, Fits]] = []
        self._of_layouts: dict[str, QAction] = {}
        self._layouts: LayoutsController | None = None
        tr, add = self.tr, self._add
        self._undo = add("undo", tr("&Undo"), lambda one: one.history.stack.undo(), "Ctrl+Z",
            tr("Take back the last change of the layout"), lambda one: one.history.stack.canUndo())  # fmt: skip
        self._redo = add("redo", tr("&Redo"), lambda one: one.history.stack.redo(), "Ctrl+Shift+Z",
            tr("Make the change again that was taken back"), lambda one: one.history.stack.canRedo())  # fmt: skip
        actions.separate("Explore")
        add("right", tr("New panel at the r&ight"), lambda one: one.commands.split(Side.RIGHT), "Ctrl+D",
            tr("Give half of the panel at hand to a new one at its right"))  # fmt: skip
        add("below", tr("New panel &below"), lambda one: one.commands.split(Side.BELOW), "Ctrl+Shift+D",
            tr("Give half of the panel at hand to a new one below it"))  # fmt: skip
        add("duplicate", tr("&Duplicate panel"), lambda one: one.commands.duplicate(), None,
            tr("The same panel once more, to change one of the two"))  # fmt: skip
        add("rename", tr("Re&name panel…"), lambda one: one.commands.ask_title(), "Shift+F2",
            tr("Give the panel at hand another title"))  # fmt: skip
        add("repeat", tr("Repeat &per agent"), lambda one: one.commands.toggle_repeat(), "Ctrl+Shift+I",
            tr("Show the panel at hand once for each agent of the layout, or all of them in one again"),
            lambda one: one.panel.has_curves)  # fmt: skip
        add("statistics", tr("S&tatistics"), lambda one: one.commands.toggle_statistics(), "Ctrl+Shift+O",
            tr("Number, extremes, mean and percentiles of the visible range, below the panel at hand"),
            lambda one: one.panel.may_tell_statistics)  # fmt: skip
        add("counters", tr("Counters as rate or value"), lambda one: one.commands.toggle_counters(), None,
            tr("Draw the counters of the panel at hand as they count, or by how much they rise a second"),
            lambda one: any(curve.found.is_counter for curve in one.panel.curves))  # fmt: skip
        add("compare", tr("Compare with &earlier…"), lambda one: one.commands.ask_compare(), None,
            tr("Draw in the panel at hand also how it was an hour, a day or a week before"),
            lambda one: one.panel.has_curves)  # fmt: skip
        for kind, text, tip in (
            ("plot", tr("As plot over time"), tr("Show the panel at hand over time")),
            ("distribution", tr("As distribution"), tr("Show in the panel at hand which values are how frequent")),
            ("values", tr("As newest values"), tr("Show the panel at hand in large figures")),
            (
                "heat",
                tr("As heat-map"),
                tr("Show the first series of the panel at hand as a row of colours for every agent"),
            ),
            (
                "table",
                tr("As table"),
                tr("Show extremes, mean and percentiles of every series of the panel at hand as rows"),
            ),
        ):
            add(f"as-{kind}", text, partial(_show_as, kind), None, tip, partial(_is_other_kind, kind))
        add("heat", tr("Heat-map of all agents"), lambda one: one.show_heat(), "F9",
            tr("The selected series, or the one of the panel at hand, as a row of colours for every agent that has it"),
            lambda one: one.heat_wanted is not None)  # fmt: skip
        add("threshold", tr("Set a threshold…"), lambda one: one.ask_threshold(), "Ctrl+Shift+H",
            tr("Draw a line at a value to watch for; it can be moved with the mouse"),
            lambda one: bool(one.panel.curves))  # fmt: skip
        add("maximise", tr("&Maximise panel"), lambda one: one.toggle_maximised(), "F12",
            tr("Show the panel at hand alone, or all of them again"))  # fmt: skip
        add("close", tr("&Close panel"), lambda one: one.commands.close(), "Ctrl+F4",
            tr("Take the panel at hand away"))  # fmt: skip
        actions.separate("Explore")
        add("copy-picture", tr("Copy picture of panel"), lambda one: one.copy_picture(), None,
            tr("Put the picture of the panel at hand on the clipboard"))  # fmt: skip
        add("copy-data", tr("Copy data of panel"), lambda one: one.copy_data(), None,
            tr("Put what the panel at hand draws on the clipboard, as CSV"))  # fmt: skip
        add("save-picture", tr("Save picture of panel…"), lambda one: one.save_picture(), "Shift+F4",
            tr("Keep the picture of the panel at hand, with its name and time, as a PNG file"))  # fmt: skip
        add("save-data", tr("Save data of panel…"), lambda one: one.save_data(), None,
            tr("Write the stored samples of what the panel at hand draws, of the time that is seen, as CSV"),
            lambda one: one.panel.has_curves)  # fmt: skip
        actions.separate("Explore")
        add("next", tr("Ne&xt panel"), lambda one: one.focus_panel(1), "F6", tr("Take the next panel in hand"))
        add("previous", tr("Pre&vious panel"), lambda one: one.focus_panel(-1), "Shift+F6",
            tr("Take the panel before in hand"))  # fmt: skip
        for id_, text, step, keys, tip in (
            ("forward", tr("Move panel &forward"), 1, "Ctrl+Shift+Right", tr("Let the panel change places with the next one")),
            ("backward", tr("Move panel bac&kward"), -1, "Ctrl+Shift+Left", tr("Let the panel change places with the one before")),
        ):  # fmt: skip
            add(id_, text, partial(_move, step), keys, tip)
        add(
            "larger",
            tr("Lar&ger"),
            lambda one: one.commands.grow(),
            "Ctrl+Shift++",
            tr("More room for the panel at hand"),
        )
        add("smaller", tr("&Smaller"), lambda one: one.commands.grow(0.8), "Ctrl+Shift+-",
            tr("Less room for the panel at hand"))  # fmt: skip
        actions.separate("Explore")
        add("logs", tr("S&how the logs of this moment"), lambda one: one.ask_logs(), "Ctrl+Shift+F",
            tr("Go to what was logged where the cursor stands"))  # fmt: skip
        add("messages", tr("Sho&w the messages of this moment"), lambda one: one.ask_messages(), None,
            tr("Go to what was published where the cursor stands"))  # fmt: skip
        add("agents", tr("Use the selected &agents"), lambda one: one.use_selected(), "Ctrl+Shift+U",
            tr("Let the layout be about the agents that are selected in the tree"),
            lambda one: bool(one.tree.selected_agents()))  # fmt: skip
        self._add_layouts()
        self.refresh()

    def _add_layouts(self) -> None:
        tr, actions = self.tr, self._actions
        actions.separate("Explore")
        actions.add_menu("explore.layouts", tr("&Layouts"), self._fill_layouts, "", "Explore",
                         tip=tr("Ready and saved layouts"))  # fmt: skip
        for name, text, run, keys, tip in (
            ("save", tr("Save la&yout"), lambda one: one.save_layout(), "Ctrl+S", tr("Keep the layout as a file of this workspace")),
            ("save-as", tr("Save layout as…"), lambda one: one.save_as(), "Shift+F12", tr("Keep the layout under another name")),
            ("rename-layout", tr("Rename layout…"), lambda one: one.rename(), None, tr("Give the saved layout another name")),
            ("delete-layout", tr("Delete layout…"), lambda one: one.delete(), None, tr("Remove the file of the saved layout")),
            ("copy-layout", tr("Copy layout as text"), lambda one: one.copy_text(), None, tr("Copy the layout, to give it to a colleague")),
            ("paste-layout", tr("Paste layout"), lambda one: one.paste_text(), None, tr("Show the layout that is on the clipboard")),
            ("open-layout", tr("&Open layout file…"), lambda one: one.ask_file(), None, tr("Show a layout from any file")),
        ):  # fmt: skip
            action = actions.add(
                f"explore.{name}", text, partial(self._with_layouts, run), keys, "", "Explore", tip=tip
            )
            self._of_layouts[name] = action

    def _fill_layouts(self, menu: QMenu) -> None:
        if self._layouts is not None:
            self._layouts.fill_menu(menu)

    def _with_layouts(self, run: Callable[["LayoutsController"], object]) -> None:
        if self._layouts is not None:
            run(self._layouts)

    def follow(self, place: "ExplorePlace", layouts: "LayoutsController", refusal: str) -> None:
        """The screen will be there, and layouts can be opened; `refusal`: why none can be saved."""
        place.arrived.connect(self.attach)
        if place.screen is not None:  # it was shown before
            self.attach(place.screen)
        self._layouts = layouts
        for name in ("save", "save-as", "rename-layout", "delete-layout") if refusal else ():
            self._of_layouts[name].setToolTip(refusal)
            self._of_layouts[name].setStatusTip(refusal)
        layouts.name_changed.connect(self.refresh)
        self.refresh()

    def attach(self, screen: "ExploreScreen") -> None:
        """The screen is there."""
        self._screen = screen
        screen.state_changed.connect(self.refresh)
        screen.tree.selection_changed.connect(self.refresh)
        screen.history.steps_changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Something else is at hand, or another screen is shown."""
        screen = self._screen
        shown = screen is not None and screen.isVisible()
        for action, fits in self._enabled:
            action.setEnabled(screen is not None and shown and fits(screen))
        saves = shown and self._layouts is not None and self._layouts.may_save
        named = shown and self._layouts is not None and self._layouts.has_name
        can = {"save": saves, "save-as": saves, "rename-layout": named, "delete-layout": named, "copy-layout": shown}
        for name, action in self._of_layouts.items():
            action.setEnabled(can.get(name, self._layouts is not None))
        stack = screen.history.stack if screen is not None else None
        for action, plain, with_what, what in (
            (self._undo, self.tr("&Undo"), self.tr("&Undo {what}"), stack.undoText() if stack else ""),
            (self._redo, self.tr("&Redo"), self.tr("&Redo {what}"), stack.redoText() if stack else ""),
        ):
            action.setText(with_what.replace("{what}", what) if what else plain)

    def _add(self, name: str, text: str, run: Run, keys: str | None, tip: str, fits: Fits | None = None) -> QAction:
        action = self._actions.add(f"explore.{name}", text, partial(self._run, run), keys, "", "Explore", tip=tip)
        self._enabled.append((action, fits or _always))
        return action

    def _run(self, run: Run) -> None:
        if self._screen is not None:
            run(self._screen)


def _always(_screen: "ExploreScreen") -> bool:
    return True


def _show_as(kind: str, screen: "ExploreScreen") -> None:
    screen.commands.show_as(Kind(kind))


def _is_other_kind(kind: str, screen: "ExploreScreen") -> bool:
    return screen.commands.panel.kind != kind


def _move(step: int, screen: "ExploreScreen") -> None:
    screen.commands.move_on(step)
