"""Looking at a backup, or at a workspace that was copied here: nothing in it can be changed, and no recorder is started.

A child process makes a folder of ours that stands in for it (`models.storage.copies.stand_in`), which goes when the window does. The
clock of such a window stands where the history ends, so that everything is seen as it was then.
"""

import threading
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMessageBox

from app.looked_at import new_folder, take_away
from app.version import VERSION
from app.window.child_job import ChildJob
from app.window.import_into import ImportInto
from app.window.look_wanted import UNUSED, Wanted, WindowClock
from app.window.new_window import start_window
from app.window.places import opening
from app.window.recent_workspaces import RecentWorkspaces
from app.window.screen_place import ScreenPlace
from models.domain.problems import EnvironmentProblem, Problem, Severity
from models.domain.quantity import format_time
from models.storage.workspace import Workspace
from widgets.common.actions import ActionRegistry
from widgets.common.plain import visible
from widgets.common.state_view import failed
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice

NOTICE = "looking"


class Looking(QObject):
    """One for a window. `ready` gives the `Workspace` that stands in. GUI thread."""

    ready = Signal(object)

    def __init__(
        self, wanted: Wanted, window: MainWindow, actions: ActionRegistry, places: dict[str, ScreenPlace],
        clock: WindowClock, recent: RecentWorkspaces | None,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._wanted, self._window, self._actions, self._clock, self._recent = wanted, window, actions, clock, recent
        self._places = places
        self._folder = new_folder()
        self._lock: Any = None
        self._import: ImportInto | None = None
        self._child = ChildJob(["look-at", str(wanted.source), str(self._folder)], self)
        self._child.told.connect(self._told)
        self._child.ended.connect(self._ended)
        self._unpacking = False
        self._found: dict[str, Any] | None = None

    def start(self) -> None:
        """Begin to make what stands in."""
        for id_ in UNUSED:
            self._actions[id_].setEnabled(False)
        self._window.setWindowTitle(f"{visible(self._wanted.source.name, 80)} – Murmurscope")
        self._window.show_reading(self.tr("Read-only"), self.tr("Nothing that is looked at here is changed."), [])
        self._show(0, 0)
        self._unpacking = True
        self._child.start()

    def shutdown(self) -> None:
        """Take everything away that was made, in a thread of its own: it may be gigabytes. The program ends after that."""
        if self._import is not None:
            self._import.shutdown()
        if self._unpacking:
            self._unpacking = False
            self._child.end_at_once()
        if self._lock is not None:
            self._lock.release()
        threading.Thread(target=take_away, args=(self._folder,), name="take-away").start()

    # ------------------------------------------------------------ making it

    @Slot(str, dict)
    def _told(self, kind: str, values: dict[str, Any]) -> None:
        if kind == "result":
            self._found = values
        else:
            self._show(values["done"], values["total"])

    def _show(self, done: int, total: int) -> None:
        for place in self._places.values():
            place.show_state(opening(done, total))

    @Slot(object, bool)
    def _ended(self, problem: Problem | None, _cancelled: bool) -> None:
        self._unpacking = False
        if problem is None and self._found is not None:
            problem = self._hold()
        if problem is not None or self._found is None:
            for place in self._places.values():
                place.show_state(failed(problem or Problem("look.folder")))
            return
        self._clock.stand_at(self._found["until_us"])
        self._tell(self._found)
        self.ready.emit(Workspace(self._folder))

    def _hold(self) -> Problem | None:
        """Nobody else writes it, and it counts as recorded: who was present at its end is shown as present."""
        from models.storage.lock import RecorderLock

        self._lock = RecorderLock(Workspace(self._folder), self._clock)
        try:
            self._lock.acquire(VERSION)
        except EnvironmentProblem as error:
            return error.problem
        return None

    # ------------------------------------------------------------ what it is, and what to do with it

    def _tell(self, found: dict[str, Any]) -> None:
        is_backup, host = bool(found["made_us"]), visible(found["host"], 60) or "?"
        text = (
            self.tr("Read-only: backup of {time} from {host}")
            if is_backup
            else self.tr("Read-only: copy of a workspace from {host}, until {time}")
        )
        time_us = found["made_us"] or found["until_us"]
        text = text.replace("{time}", format_time(time_us)[:16] if time_us else "?").replace("{host}", host)
        add, tr = self._actions.add, self.tr
        actions = [
            add("file.import-looked-at", tr("Import into my wor&kspace…"), self._import_it, None, "import", "File",
                tip=tr("Take in what is new in what is looked at, beside what a workspace of yours holds")),
        ]  # fmt: skip
        if self._wanted.records_here:
            actions.append(add(
                "file.record-here", tr("&Record here…"), self._ask_to_record, None, "record", "File",
                tip=tr("Make this copy a workspace of this computer, with a recorder of its own"),
            ))  # fmt: skip
        actions.append(add("file.close-looked-at", tr("C&lose"), self._window.close, "Ctrl+W", "close", "File",
                           tip=tr("Close this window; what was looked at stays as it was")))  # fmt: skip
        where = tr("{path}\nEverything is shown as it was then; the clock of this window stands still.")
        self._window.show_reading(text, where.replace("{path}", visible(str(self._wanted.source))), actions)
        sentence = tr("You are looking at a backup.") if is_backup else tr("You are looking at a copied workspace.")
        remedy = tr("Everything is as it was then. Nothing is recorded, and nothing in it is changed.")
        if found["since_us"]:
            left_out = tr("History that ended before {time} is not in it.")
            remedy = f"{left_out.replace('{time}', format_time(found['since_us'])[:16])} {remedy}"
        if found["missing"]:
            remedy = f"{tr('Files of history that were damaged or missing when it was made: {n}.').replace('{n}', str(found['missing']))} {remedy}"
        self._window.notices.show_notice(
            Notice(
                NOTICE,
                Severity.INFO,
                sentence,
                remedy,
                action=tr("Import into my workspace…"),
                on_action=self._import_it,
            )
        )

    @Slot()
    def _import_it(self) -> None:
        if self._import is None:
            self._import = ImportInto(self._wanted.source, self._recent, self._window)
        self._import.open()

    @Slot()
    def _ask_to_record(self) -> None:
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Record here"))
        box.setText(self.tr("Make this copy a workspace of this computer?"))
        said = self.tr(
            "From then on a recorder writes {path}, connects to the broker of its settings with a session of its own, and"
            " removes history beyond the limits of its settings. The original goes on by itself."
        )
        box.setInformativeText(said.replace("{path}", visible(str(self._wanted.source))))
        record = box.addButton(self.tr("&Record here"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        record.clicked.connect(self._record)
        box.finished.connect(box.deleteLater)
        box.open()

    @Slot()
    def _record(self) -> None:
        problem = start_window("--new-window", "--record-here", "--workspace", str(self._wanted.source))
        if problem is not None:
            self._window.notices.show_problem(problem)
        else:
            self._window.close()
