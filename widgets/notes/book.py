"""What people marked in time, as it stands now, for everything in a window that shows it; and the way to change it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from models.domain.annotations import Annotation, AnnotationsRequest, AnnotationsResult, put_command, remove_command
from models.domain.problems import Problem
from models.domain.queries import DataSource, Failed, Result, Ticket
from models.domain.tail import Tail, TailPage

Done = Callable[[Problem | None], None]
Submit = Callable[[list[dict[str, object]], Done], object]
_MOST_UNDONE = 100


class Draft(NamedTuple):
    """Something that somebody wants to mark: a moment (`until_us` is `since_us`) or a stretch, where these agents are shown."""

    since_us: int
    until_us: int
    agents: tuple[int, ...] = ()


class AnnotationBook(QObject):
    """Asks for all of them, again when the tail tells of a change. GUI thread."""

    changed = Signal()
    wanted = Signal(object)
    """Somebody wants to write one (`Draft`)."""
    edit_wanted = Signal(object)
    """Somebody wants to change this `Annotation`."""
    remove_wanted = Signal(list)
    """Somebody wants these `Annotation`s to go."""

    def __init__(self, source: DataSource, tail: Tail, submit: Submit, parent: QObject | None = None) -> None:
        """`submit`: as of the recorder's link."""
        super().__init__(parent)
        self._source, self._submit = source, submit
        self._ticket: Ticket | None = None
        self._told = -1  # changes when it was asked last; -1: never
        self._undoes: list[list[dict[str, object]]] = []
        self.all: tuple[Annotation, ...] = ()
        """By their beginning."""
        self.loaded = False
        self.problem: Problem | None = None
        """Why they could not be read."""
        tail.follow(self._take_page)

    def refresh(self) -> None:
        """Ask again."""
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket = self._source.ask(AnnotationsRequest(), self._take)

    @property
    def tags(self) -> dict[str, int]:
        """How many bear each tag, the most frequent first."""
        found: dict[str, int] = {}
        for one in self.all:
            for tag in one.tags:
                found[tag] = found.get(tag, 0) + 1
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0].casefold())))

    # ------------------------------------------------------------ changes

    def put(self, annotation: Annotation, done: Done) -> None:
        """Keep it, in place of an earlier one with this id. `done` gets None once it is stored."""
        before = next((one for one in self.all if one.id == annotation.id), None)
        undoes = put_command(before) if before is not None else remove_command(annotation.id)
        self._change([put_command(annotation)], [undoes], done)

    def remove(self, some: Sequence[Annotation], done: Done) -> None:
        """Keep these no more."""
        self._change([remove_command(one.id) for one in some], [put_command(one) for one in some], done)

    @property
    def can_undo(self) -> bool:
        return bool(self._undoes)

    def undo(self, done: Done) -> None:
        """Take the last change back that was made in this window."""
        if not self._undoes:
            return
        commands = self._undoes.pop()

        def told(problem: Problem | None) -> None:
            if problem is not None:
                self._undoes.append(commands)  # it may be tried again
            self._changed(problem, done)

        self._submit(commands, told)

    def _change(self, commands: list[dict[str, object]], undoes: list[dict[str, object]], done: Done) -> None:
        def told(problem: Problem | None) -> None:
            if problem is None:
                self._undoes = [*self._undoes, undoes][-_MOST_UNDONE:]
            self._changed(problem, done)

        self._submit(commands, told)

    def _changed(self, problem: Problem | None, done: Done) -> None:
        if problem is None:
            self.refresh()
        done(problem)
        self.changed.emit()

    # ------------------------------------------------------------ what there is

    def _take_page(self, page: TailPage) -> None:
        if page.annotation_changes != self._told:
            self._told = page.annotation_changes
            self.refresh()

    def _take(self, result: Result | Failed) -> None:
        self._ticket = None
        self.loaded = True
        if isinstance(result, Failed):
            self.problem, self._told = result.problem, -1  # with the next page it is asked again
        elif isinstance(result, AnnotationsResult):
            self.problem = None
            self.all = result.annotations
        self.changed.emit()
