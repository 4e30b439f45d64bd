"""The request and the replies of a message: looked for beside the GUI thread, shown in a window of its own."""

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from app.paired import marks_of_line, pair_lines
from app.window.latest_work import LatestWork
from models.domain.clock import Clock
from models.domain.paired import Marks, Paired
from models.domain.problems import Problem
from models.domain.quantity import format_time
from models.domain.queries import DataSource, Failed, MessageLine, RelatedRequest, RelatedResult, Result, Ticket
from models.storage.workspace import Workspace
from widgets.common.theme import ThemeHolder
from widgets.messages.paired_window import PairedWindow
from widgets.messages.whole_payload import with_whole

FIRST_REACH_US = 65_000_000
"""A little longer than a reply is waited for."""
MOST_REACH_US = 100 * 86_400_000_000
_ROUNDS = 3


class PairedController(QObject):
    """One window for all questions. GUI thread."""

    message_wanted = Signal(object)

    def __init__(
        self, source: DataSource, workspace: Workspace, clock: Clock, themes: ThemeHolder, window: QWidget
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._source, self._workspace, self._clock = source, workspace, clock
        self._themes, self._window = themes, window
        self._work = LatestWork(self)
        self._asked: MessageLine | None = None  # as it stood in a list
        self._line: MessageLine | None = None  # the same, whole
        self._marks: Marks | None = None  # None: not known yet
        self._reach_us = FIRST_REACH_US
        self._rounds = 0
        self._turn = 0  # answers of earlier ones are dropped
        self._ticket: Ticket | None = None
        self.shown: PairedWindow | None = None

    def shutdown(self) -> None:
        self._work.shutdown()

    @Slot(object)
    def ask(self, line: MessageLine) -> None:
        """Bring the window up; the answer follows."""
        if self.shown is None:
            self.shown = PairedWindow(self._themes, self._clock, self._window)
            self.shown.message_wanted.connect(self.message_wanted)
            self.shown.again_wanted.connect(self._again)
            self.shown.further_wanted.connect(self._further)
            self.shown.finished.connect(self._let_go)
        told = self.tr("Message of {time}").replace("{time}", format_time(line.key.received_us, digits=3))
        self.shown.begin(told)
        self.shown.show()
        self.shown.raise_()
        self.shown.activateWindow()
        self._asked, self._reach_us = line, FIRST_REACH_US
        self._start()

    def _start(self) -> None:
        assert self._asked is not None
        self._let_go()
        self._line = self._marks = None
        line, turn = self._asked, self._turn
        with_whole(self._source, line, lambda whole: self._begin(turn, whole), partial(self._told_problem, turn))

    def _begin(self, turn: int, line: MessageLine) -> None:
        if turn == self._turn:
            self._line = line
            self._work.want(
                "paired", partial(marks_of_line, self._workspace, line, self._clock), partial(self._marked, turn)
            )

    @Slot()
    def _again(self) -> None:
        """With what is known of it; unless an answer is on its way."""
        if self._asked is None or self._ticket is not None or not self._work.idle:
            return
        if self._marks is None:  # it could not be read, or not be told what belongs to it
            self._start()
        else:
            self._look(self._marks)

    @Slot()
    def _further(self) -> None:
        if self._marks is not None:
            self._reach_us = min(10 * self._reach_us, MOST_REACH_US)
            self._let_go()
            self._look(self._marks)

    @Slot()
    def _let_go(self) -> None:
        self._turn += 1
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def _marked(self, turn: int, answer: Marks | Problem) -> None:
        if turn != self._turn:
            return
        if isinstance(answer, Problem):
            self._told_problem(turn, answer)
        else:
            self._look(answer)

    def _look(self, marks: Marks) -> None:
        assert self._line is not None
        self._marks, self._rounds = marks, 0
        self._ask()

    def _ask(self) -> None:
        assert self._line is not None
        assert self._marks is not None
        request = RelatedRequest(self._line.key, self._line.topic, self._marks, self._reach_us)
        self._ticket = self._source.ask(request, partial(self._take, self._turn))

    def _take(self, turn: int, result: Result | Failed) -> None:
        if turn != self._turn or self._line is None:
            return
        self._ticket = None
        if isinstance(result, Failed):
            self._told_problem(turn, result.problem)
            return
        assert isinstance(result, RelatedResult)
        wanted = next((place for place, row in enumerate(result.rows) if row.key == self._line.key), -1)
        if wanted < 0:
            self._told_problem(turn, Problem("message.gone"))
            return
        job = partial(pair_lines, self._workspace, result.rows, wanted, self._clock)
        self._work.want("paired", job, partial(self._paired, turn, result))

    def _paired(self, turn: int, result: RelatedResult, answer: tuple[Paired | None, Marks] | Problem) -> None:
        if turn != self._turn or self.shown is None or self._line is None or self._marks is None:
            return
        if isinstance(answer, Problem):
            self._told_problem(turn, answer)
            return
        found, marks = answer
        more = self._marks.with_(marks)
        if more != self._marks and self._rounds < _ROUNDS:  # its request has others, by which more may be found
            self._marks, self._rounds = more, self._rounds + 1
            self._ask()
        else:
            self.shown.show_found(found, self._line, result)

    def _told_problem(self, turn: int, problem: Problem) -> None:
        if turn == self._turn and self.shown is not None:
            self.shown.show_problem(problem)
