"""Queries that are kept: the menu beside the line in which they are typed, and the file behind it."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Slot

from app.queries_file import Queries, QueriesFile
from app.window.recorder_link import RecorderLink
from models.domain.problems import Problem
from widgets.logs.logs_screen import LogsScreen

_SETTLED_MS = 5_000
"""A query that stood so long was looked for."""


class QueryController(QObject):
    """The file is read and written on the link's thread. GUI thread."""

    def __init__(
        self, link: RecorderLink, file: QueriesFile, tell: Callable[[Problem], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link, self._file, self._tell = link, file, tell
        self._kept = Queries({}, ())
        self._screen: LogsScreen | None = None
        self._settled = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settled.timeout.connect(self._remember)

    @Slot(object)
    def attach(self, screen: LogsScreen) -> None:
        """The screen of logs is there."""
        self._screen = screen
        screen.kept.save_wanted.connect(self._save)
        screen.kept.forget_wanted.connect(self._forget)
        screen.query.changed.connect(self._settled.start)
        self._with_file(self._file.load)

    @Slot(str, str)
    def _save(self, name: str, text: str) -> None:
        self._with_file(partial(self._file.save, name, text))

    @Slot(str)
    def _forget(self, name: str) -> None:
        self._with_file(partial(self._file.forget, name))

    @Slot()
    def _remember(self) -> None:
        text = (
            self._screen.query.text.strip() if self._screen is not None and self._screen.query.problem is None else ""
        )
        if text and text not in self._kept.recent[:1]:
            self._with_file(partial(self._file.looked_for, text), quiet=True)

    def _with_file(self, work: Callable[[], Queries], *, quiet: bool = False) -> None:
        def job() -> None:  # worker thread
            self._kept = work()

        self._link.carry_out(job, partial(self._told, quiet))

    def _told(self, quiet: bool, problem: Problem | None) -> None:
        if problem is None and self._screen is not None:
            self._screen.kept.show_queries(self._kept.saved, self._kept.recent)
        elif problem is not None and not quiet:  # of what nobody asked to be kept nobody need hear
            self._tell(problem)
