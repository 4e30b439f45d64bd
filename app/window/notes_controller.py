"""Annotations in the window: the dialog, the list, and the way to the moment of one."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from models.domain.annotations import Annotation, new_id
from models.domain.clock import Clock
from models.domain.problems import Problem, Severity
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice
from widgets.notes.book import AnnotationBook, Draft

if TYPE_CHECKING:  # loaded when they are first wanted
    from app.window.screens import Screens
    from widgets.notes.note_dialog import AnnotationDialog
    from widgets.notes.note_list import AnnotationList

_NOTICE = "annotation"


class NotesController(QObject):
    """GUI thread."""

    def __init__(
        self, book: AnnotationBook, screens: "Screens", window: MainWindow, themes: ThemeHolder, clock: Clock
    ) -> None:
        super().__init__(window)
        self._book, self._screens, self._names = book, screens, screens.names
        self._window, self._themes, self._clock = window, themes, clock
        self.list: AnnotationList | None = None
        self.dialogs: list[AnnotationDialog] = []
        """Those that are open."""
        book.wanted.connect(self._ask)
        book.edit_wanted.connect(self._edit)
        book.remove_wanted.connect(self._remove)
        book.refresh()

    # ------------------------------------------------------------ writing

    @Slot()
    def annotate(self) -> None:
        """The moment where the cursor or the window stands, else now."""
        cursor, now = self._window.time_cursor, self._window.time_range.current()
        at_us = cursor.time_us if cursor.time_us is not None else cursor.pinned_us
        if at_us is None:
            at_us = self._clock.wall_us() if now.live else now.until_us
        self._ask(Draft(at_us, at_us, self._screens.agents_shown()))

    @Slot(object)
    def _ask(self, draft: Draft) -> None:
        """It concerns the agent that is shown, or everybody where several are."""
        agent = draft.agents[0] if len(draft.agents) == 1 else 0
        id_, agent_id = new_id(self._clock.wall_us()), self._names.id_of(agent)
        self._edit(Annotation(id_, draft.since_us, draft.until_us, agent, agent_id, "", (), 0))

    @Slot(object)
    def _edit(self, annotation: Annotation) -> None:
        from widgets.notes.note_dialog import AnnotationDialog

        open_one = next((one for one in self.dialogs if one.id == annotation.id), None)
        if open_one is None:
            self._names.refresh()
            open_one = AnnotationDialog(annotation, self._book, self._names, self._window)
            self.dialogs.append(open_one)
            open_one.finished.connect(lambda _code, gone=open_one: self.dialogs.remove(gone))
        open_one.show()
        open_one.raise_()
        open_one.activateWindow()

    @Slot(list)
    def _remove(self, some: list[Annotation]) -> None:
        def told(problem: Problem | None) -> None:
            if problem is not None:
                self._window.notices.show_problem(problem)
                return
            text = self.tr("The annotation was deleted.")
            notice = Notice(_NOTICE, Severity.INFO, text, action=self.tr("Undo"), on_action=self.undo)
            self._window.notices.show_notice(notice)

        self._book.remove(some, told)

    @Slot()
    def undo(self) -> None:
        """Take the last change back."""

        def told(problem: Problem | None) -> None:
            if problem is not None:
                self._window.notices.show_problem(problem)
            else:
                self._window.notices.clear(_NOTICE)

        self._book.undo(told)

    # ------------------------------------------------------------ the list

    @Slot()
    def open(self) -> None:
        """All annotations."""
        from widgets.notes.note_list import AnnotationList

        if self.list is None:
            self.list = AnnotationList(self._book, self._names, self._themes, self._window)
            self.list.jump_wanted.connect(self.show_annotation)
        self._names.refresh()
        if not self.list.isVisible():
            self.list.begin()
        self.list.show()
        self.list.raise_()
        self.list.activateWindow()

    @Slot(object)
    def show_annotation(self, one: Annotation) -> None:
        """Take the window to its time: a stretch is shown whole, with as much around it."""
        times = self._window.time_range
        if one.is_stretch:
            around_us = max((one.until_us - one.since_us) // 2, 1_000_000)
            times.zoom(one.since_us - around_us, one.until_us + around_us)
        self._screens.stand_at(one.since_us)
