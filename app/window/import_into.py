"""What is looked at, taken into a workspace of the user: through its recorder where one runs, by our own command."""

from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Slot

from app.demo_workspace import is_demo
from app.window.child_job import ChildJob
from app.window.new_window import start_window
from app.window.recent_workspaces import RecentWorkspaces
from models.domain.clock import SystemClock
from models.domain.problems import Problem
from models.domain.recorded import ImportResult
from models.storage.workspace import Workspace
from widgets.common.plain import visible
from widgets.data.import_into_dialog import ImportIntoDialog, Target
from widgets.data.job_texts import import_running_text, import_text
from widgets.frame.main_window import MainWindow


class ImportInto(QObject):
    """One for a window. GUI thread."""

    def __init__(self, source: Path, recent: RecentWorkspaces | None, window: MainWindow) -> None:
        super().__init__(window)
        self._source, self._recent, self._window = source, recent, window
        self._clock = SystemClock()
        self._child: ChildJob | None = None
        self._began_us = 0
        self._result: ImportResult | None = None
        self.dialog: ImportIntoDialog | None = None

    def open(self) -> None:
        """Ask into which workspace. While an import runs, its dialog comes to the front."""
        if self.dialog is None:
            dialog = self.dialog = ImportIntoDialog(self._source.name, self._targets(), self._window)
            dialog.import_wanted.connect(self._start)
            dialog.cancel_wanted.connect(self._cancel)
            dialog.open_wanted.connect(self._open_workspace)
            dialog.finished.connect(self._closed)
        self.dialog.open()
        self.dialog.raise_()

    def shutdown(self) -> None:
        """Cancel what runs, and wait for it."""
        if self._child is not None:
            self._child.shutdown()

    def _targets(self) -> list[Target]:
        """The default workspace and those that were open last."""
        default = Workspace.default()
        known = [one.workspace for one in self._recent.listed() if one.there] if self._recent is not None else []
        real = [one for one in known if one.root != self._source and not is_demo(one)]  # a demo mixes with nothing real
        found = [*real, *([default] if default not in known else [])]
        name = self.tr("Default workspace")
        return [
            Target(
                str(one.root), name if one == default else f"{visible(one.root.name, 40)} · {visible(str(one.root))}"
            )
            for one in found
        ]

    @Slot(str)
    def _start(self, root: str) -> None:
        self._began_us, self._result = self._clock.monotonic_us(), None
        self._child = ChildJob(["import", str(self._source), "--workspace", root], self)
        self._child.told.connect(self._told)
        self._child.ended.connect(self._ended)
        self._child.start()

    @Slot()
    def _cancel(self) -> None:
        if self._child is not None:
            self._child.cancel()

    @Slot(str, dict)
    def _told(self, kind: str, values: dict[str, Any]) -> None:
        if kind == "result":
            self._result = msgspec.convert(values, ImportResult)
        elif self.dialog is not None:
            text = import_running_text(values["messages"], self._clock.monotonic_us() - self._began_us)
            self.dialog.show_progress(values["done"], values["total"], text)

    @Slot(object, bool)
    def _ended(self, problem: Problem | None, _cancelled: bool) -> None:
        if self._child is not None:
            self._child.deleteLater()
            self._child = None
        if self.dialog is None:
            return
        if problem is None and self._result is not None:
            self.dialog.show_result(import_text(self._result, self._clock.monotonic_us() - self._began_us))
        else:
            self.dialog.show_problem(problem)

    @Slot(str)
    def _open_workspace(self, root: str) -> None:
        problem = start_window("--workspace", root)
        if problem is not None:
            self._window.notices.show_problem(problem)
        if self.dialog is not None:
            self.dialog.close()

    @Slot()
    def _closed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
