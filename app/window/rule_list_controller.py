"""The list of mapping rules: read from their file, changed there, and taken up by the recorder."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.rules_file import LoadedRules, RulesFile
from app.window.latest_work import LatestWork
from app.window.recorder_link import RecorderLink
from models.domain.problems import Problem
from models.domain.rules import Rule, SameAgent
from widgets.common.theme import ThemeHolder
from widgets.messages.rule_list import RuleList


class RuleListController(QObject):
    """Shows the list, one at a time. GUI thread."""

    reread_wanted = Signal()

    def __init__(
        self, link: RecorderLink, file: RulesFile, path: Path, work: LatestWork, themes: ThemeHolder, window: QWidget
    ) -> None:
        super().__init__(window)
        self._link, self._file, self._path, self._work = link, file, path, work
        self._themes, self._window = themes, window
        self.list: RuleList | None = None

    @Slot()
    def open(self) -> None:
        """All rules and names."""
        shown = self._list()
        if not shown.isVisible():
            shown.begin()
        shown.show()
        shown.raise_()
        shown.activateWindow()
        self.refresh()

    def refresh(self) -> None:
        """The file may say something else."""
        if self.list is not None and self.list.isVisible():
            self._work.want("list", self._file.load, self._listed)

    def _list(self) -> RuleList:
        if self.list is None:
            self.list = RuleList(self._themes, self._window)
            self.list.remove_requested.connect(self._remove)
            self.list.put_back_requested.connect(self._put_back)
            self.list.file_requested.connect(self._open_file)
            self.list.reread_requested.connect(self.reread_wanted)
        return self.list

    def _listed(self, answer: LoadedRules | Problem) -> None:
        if isinstance(answer, Problem):
            self._list().show_problem(answer)
        else:
            self._list().show_rules(answer.rules, answer.problems)

    @Slot(object)
    def _remove(self, said: Rule | SameAgent) -> None:
        def job() -> int:  # work thread
            if isinstance(said, Rule):
                return self._file.remove(said)
            self._file.remove_same(said.name)
            return 1

        def removed(number: int) -> None:
            self._list().show_removed(said, number)

        self._change(job, removed)

    @Slot(object, int)
    def _put_back(self, said: Rule | SameAgent, number: int) -> None:
        def job() -> int:  # work thread
            if isinstance(said, Rule):
                self._file.add(said, number)
            else:
                self._file.add_same(*said)
            return number

        def there(_number: int) -> None:
            self._list().show_put_back(said)

        self._change(job, there)

    def _change(self, job: Callable[[], int], done: Callable[[int], None]) -> None:
        def told(answer: int | Problem) -> None:
            if isinstance(answer, Problem):
                self._list().show_problem(answer)
                return
            done(answer)
            self._link.wake(_nothing)
            self.refresh()

        self._work.want(f"change {id(job)}", job, told)

    @Slot()
    def _open_file(self) -> None:
        """With whatever the desktop opens such files with; one is begun where there is none."""

        def told(answer: Problem | None) -> None:
            if answer is not None:
                self._list().show_problem(answer)
            elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path))):
                self._list().show_problem(
                    Problem("file.unusable", {"path": str(self._path), "detail": "no program opens it"})
                )

        self._work.want("begin", self._file.begin, told)


def _nothing(_problem: Problem | None) -> None:
    """Where no recorder answers, the next one begins with what the file says."""
