"""What the data screen asks for: limits read and written, exports, imports and checks carried out, files chosen."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices

from app.settings import Retention, Settings, SettingsFile
from app.window.asking import Asking, LastFolder
from app.window.gui_inbox import GuiInbox
from app.window.hidden_keys_controller import HiddenKeysController
from app.window.job_queue import JobQueue
from app.window.places import FLEET
from app.window.recorder_link import RecorderLink
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.queries import DataSource, Failed, KeepLimit, Result, RetentionRequest, RetentionResult, StoreKind
from models.domain.time_range import moment_text
from widgets.common.words import problem_text
from widgets.data.data_screen import DataScreen
from widgets.data.jobs import INCIDENT, ExportOrder, Job, JobKind, JobState
from widgets.data.retention_form import Limits
from widgets.data.store_texts import DAY_US, GIB, removal_sentence
from widgets.frame.main_window import MainWindow


class DataController(QObject):
    """One for a window. GUI thread."""

    def __init__(
        self,
        window: MainWindow,
        screen: DataScreen,
        source: DataSource,
        link: RecorderLink,
        settings: SettingsFile,
        queue: JobQueue,
        asking: Asking,
        folder: LastFolder,
    ) -> None:
        super().__init__(window)
        self._window, self._screen, self._source, self._link = window, screen, source, link
        self._settings, self._asking = settings, asking
        self.queue = queue
        self._inbox = GuiInbox(self)
        self._folder = folder
        work, form = screen.work, screen.retention
        work.export.wanted.connect(self._export)
        work.import_wanted.connect(self.ask_files)
        work.folder_import_wanted.connect(self.ask_folder)
        work.check_wanted.connect(queue.verify)
        work.salvage_wanted.connect(queue.salvage)
        work.cancel_wanted.connect(queue.cancel)
        work.folder_wanted.connect(_open_folder)
        screen.span_wanted.connect(window.time_range.zoom)
        work.span_wanted.connect(self._show_fleet)  # who was imported is to be seen there
        form.wanted.connect(self._limits_wanted)
        queue.changed.connect(self._show_jobs)
        queue.ended.connect(self._ended)
        self._hidden = HiddenKeysController(screen.hidden_keys, link, settings, self)
        link.state_changed.connect(screen.show_recorder)
        screen.show_recorder(link.state)
        self._load()

    def shutdown(self) -> None:
        """Nothing is told any more."""
        self._inbox.close()

    # ------------------------------------------------------------ the work

    @Slot(object)
    def _export(self, order: ExportOrder) -> None:
        title = self.tr("Save as an incident") if order.dataset == INCIDENT else self.tr("Export")
        path = self._asking.new_file(title, self._folder.propose(order.path))
        if path:
            self._folder.note(path)
            self.queue.export(replace(order, path=path))

    def save_incident(self, agents: Sequence[str], pictures: Sequence[str]) -> None:
        """Ask where, then put what the time range shows of these agents (none: of all) into one file."""
        now = self._window.time_range.current()
        name = f"incident-{moment_text(now.until_us)[:16].replace(':', '')}.zip"
        order = ExportOrder(INCIDENT, "", name, "", now.since_us, now.until_us, tuple(agents), tuple(pictures))
        self._export(order)

    @Slot()
    def ask_files(self) -> None:
        """Let the user choose recordings or backups, then import them."""
        kinds = self.tr("Recorded traffic and backups (*.jsonl *.json *.txt *.gz *.tgz *.tar);;All files (*)")
        paths = self._asking.files(self.tr("Import recorded traffic or a backup"), self._folder.path, kinds)
        if paths:
            self._folder.note(paths[0])
            self.import_files(paths)

    @Slot()
    def ask_folder(self) -> None:
        """Let the user choose another workspace, then import what is new in it."""
        path = self._asking.folder(self.tr("Import another workspace"), self._folder.path)
        if path:
            self._folder.note(path)
            self.import_files([path])

    def import_files(self, paths: Sequence[str]) -> None:
        """Import them together."""
        self._screen.show_work()
        self.queue.import_files(paths)

    @Slot()
    def _show_fleet(self) -> None:
        self._window.show_screen(FLEET)

    @Slot()
    def _show_jobs(self) -> None:
        self._screen.work.show_jobs(self.queue.jobs)

    @Slot(object)
    def _ended(self, job: Job) -> None:
        if job.kind not in {JobKind.IMPORT, JobKind.SALVAGE}:
            return
        if job.state is JobState.DONE:
            self._window.refresh_requested.emit()
        elif job.problem is not None and job.problem.code == "import.known":
            question = f"{problem_text(job.problem)[0]} {self.tr('Shall all of it be stored a second time?')}"
            if self._asking.confirm(self.tr("Import again"), question, self.tr("Import again")):
                self.queue.import_files(job.paths, again=True, make_room=job.make_room)
        elif job.problem is not None and job.problem.code == "import.no-room":
            question = f"{problem_text(job.problem)[0]} {self.tr('Shall the oldest imports be removed for it?')}"
            if self._asking.confirm(self.tr("Make room for this import"), question, self.tr("Remove them")):
                self.queue.import_files(job.paths, again=job.again, make_room=True)

    # ------------------------------------------------------------ limits

    def _load(self) -> None:
        """On a thread of its own: the disk may be slow, and the recorder's link may not run."""

        def load() -> None:
            try:
                answer: Settings | Problem = self._settings.load()
            except EnvironmentProblem as error:
                answer = error.problem
            self._inbox.put(partial(self._loaded, answer))

        threading.Thread(target=load, name="settings", daemon=True).start()

    def _loaded(self, answer: Settings | Problem) -> None:
        if isinstance(answer, Problem):
            self._screen.retention.show_problem(answer)
            self._screen.hidden_keys.show_problem(answer)
        else:
            self._screen.hidden_keys.show_keys(answer.hidden_keys)
            self._screen.retention.show_problem(None)
            self._screen.show_limits(limits_of(answer.retention))

    @Slot(object)
    def _limits_wanted(self, limits: Mapping[StoreKind, Limits]) -> None:
        """Lower ones are asked about first, with what they would remove."""
        wanted = [KeepLimit(kind, round(gib * GIB), round(days * DAY_US)) for kind, (gib, days) in limits.items()]
        self._source.ask(RetentionRequest(tuple(wanted)), partial(self._removal_told, limits))

    def _removal_told(self, limits: Mapping[StoreKind, Limits], result: Result | Failed) -> None:
        form = self._screen.retention
        if isinstance(result, Failed):
            form.show_problem(result.problem)
            return
        assert isinstance(result, RetentionResult)
        if result.removals and not self._asking.confirm(
            self.tr("Keep less history"), removal_sentence(result), self.tr("Remove it")
        ):
            form.put_back()
            return
        job: Callable[[], None] = partial(_write, self._settings, retention_of(limits))
        self._link.carry_out(job, partial(self._saved, limits))

    def _saved(self, limits: Mapping[StoreKind, Limits], problem: Problem | None) -> None:
        self._screen.retention.show_problem(problem)
        if problem is None:
            self._screen.show_limits(limits)
            self._link.wake()
            self._screen.refresh()


def limits_of(retention: Retention) -> dict[StoreKind, Limits]:
    """The settings as the form shows them."""
    return {
        StoreKind.RECORDED: Limits(retention.gib, retention.days),
        StoreKind.IMPORTED: Limits(retention.import_gib, retention.import_days),
        StoreKind.HOURS: Limits(retention.hours_gib, retention.hours_days),
    }


def retention_of(limits: Mapping[StoreKind, Limits]) -> Retention:
    """The other way round."""
    return Retention(*limits[StoreKind.RECORDED], *limits[StoreKind.IMPORTED], *limits[StoreKind.HOURS])


def _write(file: SettingsFile, retention: Retention) -> None:
    """Worker thread: it waits for the disk."""
    file.save(replace(file.load(), retention=retention))


@Slot(str)
def _open_folder(path: str) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))
