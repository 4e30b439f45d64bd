"""The list of mapping rules: read from their file, changed there with undo, and taken up by the recorder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.rules_file import Change, LoadedRules, RulesFile
from app.window.latest_work import LatestWork
from app.window.recorder_link import RecorderLink
from models.domain.problems import Problem
from models.domain.rules import Rule, SameAgent
from widgets.common.plain import visible
from widgets.common.theme import ThemeHolder
from widgets.messages.rule_list import RuleList


class RuleListController(QObject):
    """Shows the list, one at a time. GUI thread."""

    reread_wanted = Signal()
    edit_wanted = Signal(object)
    """Somebody wants to change this Rule or SameAgent."""

    def __init__(
        self, link: RecorderLink, file: RulesFile, path: Path, work: LatestWork, themes: ThemeHolder, window: QWidget
    ) -> None:
        super().__init__(window)
        self._link, self._file, self._path, self._work = link, file, path, work
        self._themes, self._window = themes, window
        self._changes: list[tuple[str, Change]] = []  # of this session, with what each was
        self._problem: Problem | None = None
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
            self.list.edit_requested.connect(self.edit_wanted)
            self.list.move_requested.connect(self._move)
            self.list.remove_requested.connect(self._remove)
            self.list.undo_requested.connect(self._undo)
            self.list.file_requested.connect(self._open_file)
            self.list.reread_requested.connect(self.reread_wanted)
            self._show_undo()
        return self.list

    def _listed(self, answer: LoadedRules | Problem) -> None:
        if isinstance(answer, Problem):
            self._list().show_problem(answer)
            return
        self._list().show_rules(answer.rules, answer.problems)
        if self._problem is not None:
            self._list().show_problem(self._problem)
            self._problem = None

    def note(self, what: str, change: Change) -> None:
        """A change that was made elsewhere, in a word or two; it can be undone here."""
        self._changes.append((what, change))
        self._show_undo()
        self.refresh()

    @Slot(object)
    def _remove(self, said: Rule | SameAgent) -> None:
        about = self.tr("Put “{topic}” back").replace("{topic}", named(said))
        if isinstance(said, Rule):
            self._change(about, partial(self._file.remove, said))
        else:
            self._change(about, partial(self._file.remove_same, said.name))

    @Slot(object, bool)
    def _move(self, said: Rule, down: bool) -> None:
        about = self.tr("Move “{topic}” back").replace("{topic}", named(said))
        self._change(about, partial(self._file.move, said, down=down))

    def _change(self, about: str, job: Callable[[], Change]) -> None:
        def told(answer: Change | Problem) -> None:
            if isinstance(answer, Problem):
                self._refused(answer)
                return
            self.note(about, answer)
            self._link.wake(_nothing)

        self._work.want(f"change {id(job)}", job, told)

    @Slot()
    def _undo(self) -> None:
        if not self._changes:
            return
        _, change = self._changes.pop()
        self._show_undo()

        def told(answer: Problem | None) -> None:
            if answer is not None:
                self._changes.clear()  # those before it cannot be undone either
                self._show_undo()
                self._refused(answer)
                return
            self._link.wake(_nothing)
            self.refresh()

        self._work.want(f"undo {id(change)}", partial(self._file.undo, change), told)

    def _show_undo(self) -> None:
        if self.list is not None:
            self.list.show_undo(self._changes[-1][0] if self._changes else "")

    def _refused(self, problem: Problem) -> None:
        """Told with the rules as they are."""
        self._problem = problem
        self.refresh()

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


def named(said: Rule | SameAgent) -> str:
    """By its topic, or the name it is about; visible."""
    return visible(said.topic if isinstance(said, Rule) else said.name, 80)


def _nothing(_problem: Problem | None) -> None:
    """Where no recorder answers, the next one begins with what the file says."""
