"""Other workspaces: opened by their folder, or from the list of those that were open before. Each has a window of its own."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox

from app.window.new_window import start_window
from app.window.recent_workspaces import RecentWorkspace, RecentWorkspaces, is_workspace
from models.domain.clock import Clock
from models.domain.connection import parse_url
from models.domain.control import RecorderState
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.quantity import format_age
from models.storage.workspace import Workspace
from widgets.common.actions import ActionRegistry
from widgets.common.plain import tooltip_text, visible
from widgets.frame.main_window import MainWindow
from widgets.frame.palette_search import PaletteEntry

NAME_LIMIT = 40
Job = Callable[[], None]
CarryOut = Callable[[Job, Callable[[Problem | None], None]], None]
"""`RecorderLink.carry_out`: a job that waits for the disk, away from the GUI thread."""


class Workspaces(QObject):
    """Adds its actions to File; `actions` are for the broker chip. GUI thread."""

    def __init__(
        self,
        window: MainWindow,
        registry: ActionRegistry,
        present: Workspace,
        recent: RecentWorkspaces | None,
        clock: Clock,
    ) -> None:
        """`recent` None: nothing is remembered."""
        super().__init__(window)
        self._window, self._present, self._recent, self._clock = window, present, recent, clock
        self._carry_out: CarryOut | None = None
        self._noted_broker: str | None = None
        open_ = registry.add(
            "file.open-workspace", self.tr("&Open workspace…"), self._choose, "Ctrl+O", "folder", "File",
            tip=self.tr("Open what was recorded in another folder, in a window of its own"),
        )  # fmt: skip
        registry.add(
            "file.open-backup", self.tr("Open &backup…"), self._choose_backup, None, "", "File",
            tip=self.tr("Look at what a backup holds, in a window of its own; nothing in it is changed"),
        )  # fmt: skip
        menu = registry.add_menu(
            "file.recent", self.tr("&Recent workspaces"), self._fill, "clock", "File",
            tip=self.tr("Workspaces that were open before"),
        )  # fmt: skip
        self.actions: list[QAction] = [open_, menu.menuAction()]

    def start(self, carry_out: CarryOut, *, remember: bool = True) -> None:
        """The window is there; `remember`: this workspace is in use."""
        self._carry_out = carry_out
        if self._recent is not None and remember:
            self._recent.note(self._present)

    @Slot(object)
    def recorder_told(self, state: RecorderState | None) -> None:
        """Keep in mind which broker belongs to this workspace."""
        if state is None or self._recent is None:
            return
        broker = "" if state.embedded else state.broker_url
        if broker != self._noted_broker:
            self._noted_broker = broker
            self._recent.note(self._present, broker)

    def entries(self) -> list[PaletteEntry]:
        """The others, for the command palette."""
        kind = self.tr("Workspace")
        return [
            PaletteEntry(
                f"workspace:{one.root}", self._name(one.workspace), f"{kind} · {self._broker(one)} · {visible(one.root)}",
                partial(self.open, one.workspace),
            )
            for one in self._others()
            if one.there
        ]  # fmt: skip

    def open(self, workspace: Workspace) -> None:
        """Show a workspace in a window of its own, or bring the one that shows it to the front."""
        self._tell(start_window("--workspace", str(workspace.root)))

    # ------------------------------------------------------------ by its folder

    @Slot()
    def _choose(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Open workspace"), str(self._present.root.parent))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.open_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot()
    def _choose_backup(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Open backup"), str(self._present.root.parent))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(self.tr("Backups (*.gz *.tgz *.tar);;All files (*)"))
        dialog.fileSelected.connect(self.open_backup)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def open_backup(self, path: str) -> None:
        """Look at it, if it is one."""
        if self._carry_out is None:
            return
        file = Path(path)

        def looked(problem: Problem | None) -> None:
            self._tell(problem if problem is not None else start_window("--workspace", str(file)))

        self._carry_out(partial(refuse_other, file), looked)

    @Slot(str)
    def open_folder(self, path: str) -> None:
        """Open it where it is a workspace, offer to make one where it is empty, else say what it is."""
        if self._carry_out is None:
            return
        workspace = Workspace.at(path)
        empty: list[bool] = []

        def looked(problem: Problem | None) -> None:
            if problem is not None:
                self._tell(problem)
            elif empty[0]:
                self._offer(workspace)
            else:
                self.open(workspace)

        self._carry_out(lambda: empty.append(_is_empty(workspace)), looked)

    def _offer(self, workspace: Workspace) -> None:
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Open workspace"))
        box.setText(self.tr("There is no workspace in this folder yet."))
        path = visible(str(workspace.root))
        said = self.tr("{path} is empty. A workspace made here records one broker, which you choose in its window.")
        box.setInformativeText(said.replace("{path}", path))
        make = box.addButton(self.tr("&Make a workspace here"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(make)
        make.clicked.connect(partial(self.open, workspace))
        box.finished.connect(box.deleteLater)
        box.open()

    # ------------------------------------------------------------ from the list

    def _fill(self, menu: QMenu) -> None:
        recent = self._recent
        others = self._others()
        missing = []
        menu.setToolTipsVisible(True)
        for one in others:
            name = self._name(one.workspace)
            if one.there:
                said = f"{name} · {self._broker(one)} · {self._age(one)}"
            else:
                missing.append(one.root)
                said = self.tr("{name} · not there any more").replace("{name}", name)
            action = menu.addAction(said.replace("&", "&&"), partial(self.open, one.workspace))
            action.setEnabled(one.there)
            action.setToolTip(tooltip_text(visible(one.root)))
            action.setStatusTip(visible(one.root))
        if recent is None or not others:
            menu.addAction(self.tr("No other workspace was open yet")).setEnabled(False)
            return
        menu.addSeparator()
        remove = menu.addAction(self.tr("Remove those that are not there"), partial(recent.forget, missing))
        remove.setEnabled(bool(missing))
        menu.addAction(self.tr("Clear this list"), partial(recent.forget, [one.root for one in others]))

    def _others(self) -> list[RecentWorkspace]:
        listed = self._recent.listed() if self._recent is not None else []
        return [one for one in listed if one.workspace != self._present]

    def _name(self, workspace: Workspace) -> str:
        default = workspace == Workspace.default()
        return self.tr("Default workspace") if default else visible(workspace.root.name, NAME_LIMIT)

    def _broker(self, one: RecentWorkspace) -> str:
        if not one.broker:
            return self.tr("broker on this computer")
        try:
            return visible(parse_url(one.broker)[0].host, NAME_LIMIT)
        except EnvironmentProblem:
            return visible(one.broker, NAME_LIMIT)

    def _age(self, one: RecentWorkspace) -> str:
        return self.tr("{time} ago").replace("{time}", format_age(max(0, self._clock.wall_us() - one.used_us)))

    def _tell(self, problem: Problem | None) -> None:
        if problem is not None:
            self._window.notices.show_problem(problem, key="workspace")


def refuse_other(path: Path) -> None:
    """Raises `EnvironmentProblem` backup.unusable for what is no backup. Waits for the disk."""
    from models.storage.copies.format import is_backup, unusable

    if not is_backup(path):
        raise unusable(str(path), "it does not begin as a backup of Murmurscope does")


def _is_empty(workspace: Workspace) -> bool:
    """False: it is a workspace that this program may open. Waits for the disk. Raises `EnvironmentProblem` workspace.newer,
    workspace.network, workspace.foreign, workspace.read-only or file.unusable."""
    from models.storage.access import refuse_untouched  # brings the database, which waits until the first paint

    refuse_untouched(workspace)
    if is_workspace(workspace):
        return False
    try:
        if any(Path(workspace.root).iterdir()):
            raise trouble("workspace.foreign", path=str(workspace.root))
    except FileNotFoundError:
        pass  # somebody typed a name: it is made
    except OSError as error:
        raise trouble("file.unusable", path=str(workspace.root), detail=error.strerror or str(error)) from error
    nearest = next(folder for folder in (workspace.root, *workspace.root.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        raise trouble("workspace.read-only", path=str(nearest), detail="you may not write there")
    return True
