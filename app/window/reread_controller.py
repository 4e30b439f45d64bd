"""Reading history again with the present rules, at the user's word: asked about in a dialog, carried out among the other work."""

from PySide6.QtCore import QObject, Slot

from app.window.job_queue import JobQueue
from app.window.places import DATA
from app.window.recorder_link import RecorderLink
from models.domain.problems import Problem, Severity
from widgets.common.words import problem_text
from widgets.data.data_screen import DataScreen
from widgets.data.job_texts import progress
from widgets.data.jobs import Job, JobKind, JobState
from widgets.data.reread_dialog import RereadDialog
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice

NOTICE = "reread"


class RereadController(QObject):
    """One for a window. GUI thread."""

    def __init__(
        self, window: MainWindow, screen: DataScreen, link: RecorderLink, queue: JobQueue, *, read_only: bool
    ) -> None:
        super().__init__(window)
        self._window, self._screen, self._link, self._queue = window, screen, link, queue
        self._read_only = read_only
        self.dialog: RereadDialog | None = None
        screen.work.reread_wanted.connect(self.ask)
        queue.ended.connect(self._ended)

    @Slot()
    def ask(self) -> None:
        """Ask which part of history, or say why none can be read again now."""
        if self._read_only:
            self._window.notices.show_problem(Problem("look.read-only"), key=NOTICE)
        elif self._link.state is None:  # it may be starting
            self._window.notices.show_problem(Problem("reread.no-recorder"), key=NOTICE)
        else:
            if self.dialog is None:
                self.dialog = RereadDialog(self._window.time_range, self._window)
                self.dialog.wanted.connect(self._begin)
            self.dialog.begin(waits=self._queue.busy)
            self.dialog.open()
            self.dialog.raise_()

    @Slot(object, object)
    def _begin(self, since_us: int, until_us: int) -> None:
        self._window.notices.clear(NOTICE)
        self._screen.show_work()
        self._window.show_screen(DATA)
        self._queue.reread(since_us, until_us)

    @Slot(object)
    def _ended(self, job: Job) -> None:
        if job.kind is not JobKind.REREAD:
            return
        if job.state is JobState.DONE:
            self._window.refresh_requested.emit()
        if self._window.shown_screen == DATA or job.state is JobState.CANCELLED:
            return  # it is seen there
        if job.problem is not None:
            sentence, remedy = problem_text(job.problem)
            self._window.notices.show_notice(Notice(NOTICE, Severity.ERROR, sentence, remedy))
        else:
            sentence = self.tr("History was read again: {result}.").replace("{result}", progress(job, 0))
            left = job.reread is not None and job.reread.left_segments > 0
            self._window.notices.show_notice(Notice(NOTICE, Severity.WARNING if left else Severity.INFO, sentence))
