"""Layouts of the Explore screen: saved, named, renamed, deleted, handed on as text, and taken up again with the window."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox

from app.layout_folder import LayoutFolder, load_layout
from app.window.explore_place import ExplorePlace
from app.window.latest_work import LatestWork
from app.window.layout_names import ask_name
from app.window.places import EXPLORE
from models.domain.layouts.layout import Layout
from models.domain.layouts.layout_text import read_layout, write_layout
from models.domain.layouts.ready import Ready
from models.domain.problems import EnvironmentProblem, Problem
from models.storage.workspace import Workspace
from widgets.common.actions import ActionRegistry
from widgets.common.plain import visible
from widgets.frame.main_window import MainWindow
from widgets.frame.palette_search import PaletteEntry

if TYPE_CHECKING:  # loaded when it is first wanted
    from widgets.explore.explore_screen import ExploreScreen

KEY = "explore"
_MOST_KEPT = 8
"""Workspaces whose layout is taken up again."""


class LayoutsController(QObject):
    """Files are read and written on a thread of their own. GUI thread."""

    name_changed = Signal()

    def __init__(
        self,
        window: MainWindow,
        actions: ActionRegistry,
        place: ExplorePlace,
        workspace: Workspace,
        saved: Mapping[str, object],
        refusal: str,
    ) -> None:
        """`saved`: what `save` gave when the window was closed; `refusal`: why nothing can be kept here, empty: it can."""
        super().__init__(window)
        self._window, self._actions, self._place, self._folder = window, actions, place, LayoutFolder(workspace.layouts)
        self._refusal = refusal
        self._work = LatestWork(self)
        self._names: list[str] = []
        self._name = ""  # of the layout on the screen; empty: it has none
        self._root = str(workspace.root)
        kept = saved.get(KEY)
        self._others = {str(root): one for root, one in kept.items()} if isinstance(kept, Mapping) else {}
        mine = self._others.pop(self._root, {})
        told = mine if isinstance(mine, Mapping) else {}
        self._kept = str(told.get("name", "")), str(told.get("text", ""))  # to begin with
        place.fill_layouts = self.fill_menu
        place.arrived.connect(self._arrived)

    def shutdown(self) -> None:
        self._work.shutdown()

    # ------------------------------------------------------------ over a restart

    def save(self) -> dict[str, object]:
        """What is on the screen, beside what other workspaces had."""
        screen = self._place.screen
        name, text = (self._name, write_layout(screen.history.layout)) if screen is not None else self._kept
        newest = {self._root: {"name": name, "text": text}} if text else {}
        return {KEY: dict([*newest.items(), *self._others.items()][:_MOST_KEPT])}

    @Slot(object)
    def _arrived(self, screen: "ExploreScreen") -> None:
        name, text = self._kept
        if text:
            try:
                screen.history.begin(read_layout(text, name))
                self._name = name
            except EnvironmentProblem as error:
                self._tell(error.problem)
        screen.history.steps_changed.connect(self._show_name)
        self._show_name()
        self.refresh()

    # ------------------------------------------------------------ what there is

    def refresh(self) -> None:
        """Look again which layouts there are."""
        self._work.want("names", self._folder.names, self._take_names)

    def _take_names(self, answer: list[str] | Problem) -> None:
        if isinstance(answer, Problem):
            self._tell(answer)
        else:
            self._names = answer

    def fill_menu(self, menu: QMenu) -> None:
        """Ready layouts, saved ones, and what can be done with them."""
        for which, title, tip in self._ready():
            menu.addAction(title, partial(self._show_ready, which)).setToolTip(tip)
        menu.addSeparator()
        for name in self._names:
            action = menu.addAction(visible(name, 80).replace("&", "&&"), partial(self.open, name))
            action.setCheckable(True)
            action.setChecked(name == self._name)
        if self._names:
            menu.addSeparator()
        for id_ in ("save", "save-as", "rename-layout", "delete-layout"):
            menu.addAction(self._actions[f"explore.{id_}"])
        menu.addSeparator()
        for id_ in ("copy-layout", "paste-layout", "open-layout"):
            menu.addAction(self._actions[f"explore.{id_}"])
        self.refresh()

    def entries(self) -> list[PaletteEntry]:
        """For the palette: every layout by its name."""
        ready = [
            PaletteEntry(f"layout-ready:{which}", title, tip, partial(self._show_ready, which))
            for which, title, tip in self._ready()
        ]
        saved = [
            PaletteEntry(f"layout:{name}", visible(name, 120), self.tr("Layout"), partial(self.open, name))
            for name in self._names
        ]
        return [*ready, *saved]

    def _ready(self) -> list[tuple[Ready, str, str]]:
        return [
            (Ready.RESOURCES, self.tr("Resources"), self.tr("CPU and memory of the chosen agents")),
            (Ready.RESPONSES, self.tr("Response times"), self.tr("Median, p95 and p99 of the chosen agents")),
            (Ready.FAILURES, self.tr("Errors and connections"), self.tr("Failed work and its share, errors in logs, and connections of the chosen agents")),
            (Ready.TASKS, self.tr("Tasks"), self.tr("Finished and failed work of the chosen agents, and the share that failed")),
        ]  # fmt: skip

    def _screen(self) -> "ExploreScreen":
        self._window.show_screen(EXPLORE)
        return self._place.made()

    def _show_ready(self, which: Ready) -> None:
        screen = self._screen()
        screen.show_ready(which)
        self._named("")

    # ------------------------------------------------------------ open and save

    def open(self, name: str) -> None:
        """Show a saved layout."""
        self._work.want("open", lambda: self._folder.load(name), partial(self._opened, name))

    def _opened(self, name: str, answer: Layout | Problem) -> None:
        if isinstance(answer, Problem):
            self._tell(answer)
            self.refresh()
            return
        self._screen().show_layout(answer)
        self._named(name)
        self._screen().history.stack.setClean()

    def save_layout(self) -> None:
        """Under the name that it has, else ask for one."""
        if self._name:
            self._write(self._name, only_new=False)
        else:
            self.save_as()

    def save_as(self) -> None:
        """Under another name."""
        text = self.tr("Name of the layout")
        ask_name(self._window, self.tr("Save layout"), text, self._name, partial(self._write, only_new=True))

    def _write(self, name: str, *, only_new: bool) -> None:
        layout = self._screen().history.layout

        def done(answer: Problem | None) -> None:
            if isinstance(answer, Problem) and answer.code == "file.exists":
                self._ask(self.tr("Replace the layout “{name}”?"), name, lambda: self._write(name, only_new=False))
            elif isinstance(answer, Problem):
                self._tell(answer)
            else:
                self._named(name)
                self._screen().history.stack.setClean()
                self._screen().tell(self.tr("Saved as “{name}”").replace("{name}", visible(name, 80)))
                self.refresh()

        self._work.want(f"save {name}", lambda: self._folder.save(name, layout, only_new=only_new), done)

    def rename(self) -> None:
        """Ask for another name of the layout on the screen."""
        name = self._name

        def write(new: str) -> None:
            def done(answer: Problem | None) -> None:
                if isinstance(answer, Problem):
                    self._tell(answer)
                else:
                    self._named(new)
                self.refresh()

            self._work.want(f"rename {name}", lambda: self._folder.rename(name, new), done)

        ask_name(self._window, self.tr("Rename layout"), self.tr("Name of the layout"), name, write)

    def delete(self) -> None:
        """Remove the file of the layout on the screen, which stays there."""
        name = self._name

        def remove() -> None:
            def done(answer: Problem | None) -> None:
                if isinstance(answer, Problem):
                    self._tell(answer)
                else:
                    self._named("")
                self.refresh()

            self._work.want(f"delete {name}", lambda: self._folder.delete(name), done)

        self._ask(self.tr("Delete the layout “{name}”? What is on the screen stays."), name, remove)

    # ------------------------------------------------------------ as text

    def copy_text(self) -> None:
        """Put the layout on the clipboard, to be pasted here, or by a colleague, or into a file."""
        screen = self._screen()
        QGuiApplication.clipboard().setText(write_layout(screen.history.layout))
        screen.tell(self.tr("The layout is on the clipboard"))

    def paste_text(self) -> None:
        """Show the layout that the clipboard holds."""
        try:
            layout = read_layout(QGuiApplication.clipboard().text(), self.tr("on the clipboard"))
        except EnvironmentProblem as error:
            self._tell(error.problem)
            return
        self._screen().show_layout(layout)
        self._named("")

    def ask_file(self) -> None:
        """Choose a file and show the layout in it."""
        dialog = QFileDialog(self._window, self.tr("Open layout file"))
        dialog.setNameFilters([self.tr("Layouts (*.toml)"), self.tr("All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.open_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def open_file(self, path: str) -> None:
        """Show the layout in this file; it is not one of the workspace until it is saved."""

        def done(answer: Layout | Problem) -> None:
            if isinstance(answer, Problem):
                self._tell(answer)
            else:
                self._screen().show_layout(answer)
                self._named("")

        self._work.want("file", lambda: load_layout(Path(path), Path(path).name), done)

    # ------------------------------------------------------------ inner

    @property
    def may_save(self) -> bool:
        return not self._refusal

    @property
    def has_name(self) -> bool:
        return bool(self._name) and not self._refusal

    def _named(self, name: str) -> None:
        self._name = name
        self._show_name()
        self.name_changed.emit()

    @Slot()
    def _show_name(self) -> None:
        screen = self._place.screen
        if screen is not None:
            screen.show_name(self._name, changed=bool(self._name) and not screen.history.stack.isClean())

    def _tell(self, problem: Problem) -> None:
        self._window.notices.show_problem(problem)

    def _ask(self, question: str, name: str, yes: Callable[[], object]) -> None:
        box = QMessageBox(self._window)
        box.setText(question.replace("{name}", visible(name, 80)))
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel)
        box.accepted.connect(yes)
        box.finished.connect(box.deleteLater)
        box.open()
