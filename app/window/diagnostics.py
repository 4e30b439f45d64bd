"""Gathers a diagnostics file away from the GUI thread, shows it to be read, and saves it."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from app.diagnostics.report import Asked, Report, gather, save_report
from app.window.gui_inbox import GuiInbox
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.queries import Cancelled, CancelToken
from widgets.common.plain import visible
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text
from widgets.help.diagnostics_dialog import DiagnosticsDialog

log = logging.getLogger(__name__)

Told = Callable[[dict[str, str] | None, Problem | None], None]


class Diagnostics(QObject):
    """One dialog at a time, filled anew whenever it is opened. GUI thread."""

    def __init__(self, asked: Callable[[], Asked], themes: ThemeHolder, window: QWidget) -> None:
        super().__init__(window)
        self._asked, self._themes, self._window = asked, themes, window
        self._inbox = GuiInbox(self)
        self._token = CancelToken()
        self._report: Report | None = None
        self.dialog: DiagnosticsDialog | None = None

    @Slot()
    def open(self) -> None:
        """Show the dialog; what it shows is gathered meanwhile."""
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.raise_()
            self.dialog.activateWindow()
            return
        self.dialog = DiagnosticsDialog(self._themes, self._window)
        self.dialog.names_wanted.connect(self._show_masked)
        self.dialog.save_requested.connect(self._choose_file)
        self.dialog.closed.connect(self._close)
        self.dialog.show()
        self._token, self._report = CancelToken(), None
        self._work(partial(self._gather, self._asked(), self._token), self._gathered)

    @Slot()
    def _close(self) -> None:
        self._token.cancelled = True
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _gather(self, asked: Asked, token: CancelToken) -> dict[str, str]:
        report = gather(asked, token)
        files = report.files(with_names=False)
        self._report = report
        return files

    @Slot(bool)
    def _show_masked(self, with_names: bool) -> None:
        if self._report is not None:
            self._work(partial(self._report.files, with_names=with_names), self._gathered)

    def _gathered(self, files: dict[str, str] | None, problem: Problem | None) -> None:
        if self.dialog is None:
            return
        if problem is not None:
            self.dialog.show_problem(problem)
        elif files is not None:
            self.dialog.show_files(files)

    # ------------------------------------------------------------ saving

    @Slot()
    def _choose_file(self) -> None:
        assert self.dialog is not None
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation) or str(Path.home())
        name = f"murmurscope-diagnostics-{datetime.now().astimezone():%Y-%m-%d-%H%M}.zip"
        chooser = QFileDialog(self.dialog, self.tr("Save diagnostics"), str(Path(folder) / name))
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setNameFilters([self.tr("Zip files (*.zip)")])
        chooser.setDefaultSuffix("zip")
        chooser.fileSelected.connect(self.save)
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    @Slot(str)
    def save(self, path: str) -> None:
        """Write what is shown into this file."""
        if self.dialog is None:
            return
        files: Mapping[str, str] = self.dialog.files

        def write() -> dict[str, str]:
            save_report(Path(path), files)
            return {}

        self._work(write, partial(self._saved, path))

    def _saved(self, path: str, _files: dict[str, str] | None, problem: Problem | None) -> None:
        if self.dialog is None:
            return
        if problem is not None:
            self.dialog.say(" ".join(problem_text(problem)), "error")
        else:
            self.dialog.say(self.tr("Saved as {path}").replace("{path}", visible(path)), "good")

    def _work(self, job: Callable[[], dict[str, str]], told: Told) -> None:
        def run() -> None:
            found: dict[str, str] | None = None
            problem: Problem | None = None
            try:
                found = job()
            except Cancelled:
                return
            except EnvironmentProblem as error:
                problem = error.problem
            except Exception as error:  # whoever opened it waits for an answer
                log.exception("diagnostics failed")
                problem = Problem("query.failed", {"detail": type(error).__name__})
            self._inbox.put(lambda: told(found, problem))

        threading.Thread(target=run, name="diagnostics", daemon=True).start()
