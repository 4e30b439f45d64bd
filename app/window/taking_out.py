"""What leaves the window as a file: pictures of plots and screens, and what is stored behind them."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import QWidget

from app.window.asking import Asking, LastFolder
from app.window.job_queue import JobQueue
from app.window.latest_work import LatestWork
from models.domain.layouts.layout import Plotted
from models.domain.problems import Problem, Severity, trouble
from models.domain.time_range import moment_text
from models.storage.whole_file import whole_file
from widgets.common.numbers import count_text
from widgets.common.plain import visible
from widgets.common.theme import ThemeHolder
from widgets.data.jobs import ExportOrder, Job, JobState
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice
from widgets.frame.outlet import Outlet, Taken
from widgets.plots.captioned import captioned, span_caption

_LONGEST_NAME = 60


class TakingOut(QObject):
    """Listens to the outlet of a window. Files are written beside the GUI thread. GUI thread."""

    def __init__(
        self,
        window: MainWindow,
        outlet: Outlet,
        asking: Callable[[], Asking],
        folder: LastFolder,
        queue: JobQueue,
        themes: ThemeHolder,
    ) -> None:
        super().__init__(window)
        self._window, self._asking, self._folder, self._queue = window, asking, folder, queue
        self._themes = themes
        self._work = LatestWork(self)
        self._followed: dict[int, str] = {}
        outlet.picture_wanted.connect(self._save_picture)
        outlet.data_wanted.connect(self._save_data)
        outlet.dataset_wanted.connect(self._save_dataset)
        queue.changed.connect(self._tell_progress)
        queue.ended.connect(self._ended)

    def shutdown(self) -> None:
        """A picture that is being written is finished."""
        self._work.shutdown()

    def save_screen(self, shown: QWidget, title: str) -> None:
        """Keep a picture of a whole screen, with its title and its time."""
        now, theme = self._window.time_range.current(), self._themes.theme
        detail = span_caption(now.since_us, now.until_us)
        picture = captioned(shown.grab(), title, detail, shown.font(), theme)
        self._save_picture(Taken(title, now.since_us, now.until_us), picture.toImage())

    @Slot(object, object)
    def _save_picture(self, taken: Taken, picture: QImage) -> None:
        path = self._asking().new_file(self.tr("Save picture"), self._folder.propose(_file_name(taken, "png")))
        if path:
            self._folder.note(path)
            self._work.want(path, partial(_write_picture, picture, path), partial(self._picture_saved, path))

    def _picture_saved(self, path: str, problem: Problem | None) -> None:
        if problem is not None:
            self._window.notices.show_problem(problem, key=path)
        else:
            self._tell_saved(path, self.tr("The picture is saved as {path}"))

    @Slot(object, object)
    def _save_data(self, taken: Taken, series: tuple[Plotted, ...]) -> None:
        self._save_dataset(taken, "samples", tuple((one.agent, one.metric, one.labels) for one in series))

    @Slot(object, str)
    def _save_dataset(self, taken: Taken, dataset: str, series: tuple[tuple[str, str, str], ...] = ()) -> None:
        path = self._asking().new_file(self.tr("Save data"), self._folder.propose(_file_name(taken, "csv")))
        if path:
            self._folder.note(path)
            order = ExportOrder(dataset, "csv", path, "", taken.since_us, taken.until_us, series=series)
            self._followed[self._queue.export(order)] = path
            self._tell_progress()

    @Slot()
    def _tell_progress(self) -> None:
        for job in self._queue.jobs:
            if job.number in self._followed and not job.state.ended:
                path = self._followed[job.number]
                text = self.tr("Writing {path}: {n} rows so far")
                if job.state is JobState.WAITING:
                    text = self.tr("{path} is written after what is being written now")
                text = text.replace("{n}", count_text(job.rows)).replace("{path}", visible(path))
                cancel = partial(self._queue.cancel, job.number)
                self._window.notices.show_notice(
                    Notice(path, Severity.INFO, text, action=self.tr("Cancel"), on_action=cancel)
                )

    @Slot(object)
    def _ended(self, job: Job) -> None:
        path = self._followed.pop(job.number, "")
        if not path:
            return
        if job.problem is not None:
            self._window.notices.show_problem(job.problem, key=path)
        elif job.state is JobState.CANCELLED:
            self._window.notices.clear(path)
        else:
            text = self.tr("{n} rows are saved as {path}")
            if job.damaged:
                text = self.tr("{n} rows are saved as {path}; some of what is stored of that time could not be read")
            self._tell_saved(path, text.replace("{n}", count_text(job.rows)))

    def _tell_saved(self, path: str, text: str) -> None:
        folder = QUrl.fromLocalFile(str(Path(path).parent))
        show = partial(QDesktopServices.openUrl, folder)
        text = text.replace("{path}", visible(path))
        self._window.notices.show_notice(
            Notice(path, Severity.INFO, text, action=self.tr("Open folder"), on_action=show)
        )


def _write_picture(picture: QImage, path: str) -> None:
    """Worker thread. Raises `EnvironmentProblem` file.unusable or file.full."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not picture.save(buffer, "PNG"):  # type: ignore[call-overload] # a device, as Qt has it
        raise trouble("file.unusable", path=path, detail="the picture is too large")
    with whole_file(Path(path), overwrite=True) as out:
        out.write(data.data())


def _file_name(taken: Taken, suffix: str) -> str:
    """What is shown, and of when; nothing in it that a file system or a shell would take amiss."""
    name = re.sub(r"[^\w.+-]+", "-", taken.title).strip("-.")[:_LONGEST_NAME] or "picture"
    since, until = (moment_text(at)[:19].replace(":", "").replace("Z", "") for at in (taken.since_us, taken.until_us))
    return f"{name}-{since}-{until}.{suffix}"
