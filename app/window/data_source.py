"""History for the widgets: questions are answered on reader threads and delivered in the GUI thread."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Slot

from app.window.gui_inbox import GuiInbox, still_there
from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.queries import Cancelled, CancelToken, Failed, Request, Result, Ticket

READERS = 3
DEADLINE_US = 30_000_000
CHECK_MS = 500
OLDEST_EVERY = 4  # so that a stream of new questions never starves an old one
JOIN_LIMIT_S = 5.0

log = logging.getLogger(__name__)

Deliver = Callable[[Result | Failed], None]


class Reader(Protocol):
    """What answers on one thread; `models.storage.history.reader.HistoryReader` is one."""

    def answer(self, request: Request, token: CancelToken) -> Iterator[Result]: ...
    def interrupt(self) -> None: ...
    def close(self) -> None: ...


class Question:
    """A `Ticket`: one question under way. The reader sees nothing of it but request and token."""

    def __init__(self, source: "HistorySource", request: Request, deliver: Deliver, asked_us: int) -> None:
        self.request, self.deliver, self.asked_us = request, deliver, asked_us
        self.token = CancelToken()
        self.open = True  # GUI thread: may still deliver
        self._source = source

    def cancel(self) -> None:
        """As in `Ticket`."""
        self._source.close_question(self)


class HistorySource(QObject):
    """Implements `DataSource`. `ask`, `shutdown` and what is delivered: GUI thread.

    Readers are made on their own threads by `make_reader`, again after a mistake; one that cannot be made
    (`EnvironmentProblem`) fails the question at hand and is tried again with the next. The newest question is answered
    first, as it is what the user looks at now; every fourth time it is the oldest one's turn.
    """

    def __init__(
        self, make_reader: Callable[[], Reader], clock: Clock, parent: QObject | None = None, *, readers: int = READERS
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._inbox = GuiInbox(self)
        self._waiting: list[Question] = []  # oldest first; guarded by `_changed`
        self._changed = threading.Condition()
        self._picked = 0
        self._ending = False
        self._asked: dict[Question, None] = {}  # GUI thread: everything that is not answered yet, oldest first
        self._workers = [_Worker(self, make_reader, number) for number in range(readers)]
        self._deadline = QTimer(self)
        self._deadline.setInterval(CHECK_MS)
        self._deadline.timeout.connect(self.check_deadlines)

    @property
    def pending(self) -> int:
        """Questions without their last answer."""
        return len(self._asked)

    def ask(self, request: Request, deliver: Deliver) -> Ticket:
        """As in `DataSource`."""
        question = Question(self, request, deliver, self._clock.monotonic_us())
        self._asked[question] = None
        if not self._deadline.isActive():
            self._deadline.start()
        with self._changed:
            self._waiting.append(question)
            self._changed.notify()
        return question

    def close_question(self, question: Question) -> None:
        """Nothing of it is delivered any more, and its reader stops soon."""
        if not question.open:
            return
        question.open = False
        question.token.cancelled = True
        self._asked.pop(question, None)
        if not self._asked:
            self._deadline.stop()
        with self._changed:
            if question in self._waiting:
                self._waiting.remove(question)
                return
        for worker in self._workers:
            worker.interrupt(question)

    @Slot()
    def check_deadlines(self) -> None:
        """Fail what was asked more than 30 s ago."""
        oldest_us = self._clock.monotonic_us() - DEADLINE_US
        for question in [one for one in self._asked if one.asked_us < oldest_us]:
            self.close_question(question)
            problem = Problem("query.deadline", {"seconds": DEADLINE_US // 1_000_000})
            if still_there(question.deliver):
                question.deliver(Failed(question.request, problem))

    def shutdown(self) -> None:
        """Cancel everything and end the threads."""
        for question in list(self._asked):
            self.close_question(question)
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.thread.join(JOIN_LIMIT_S)
            if worker.thread.is_alive():
                log.error("%s did not end within %s s", worker.thread.name, JOIN_LIMIT_S)
        self._inbox.close()

    # ------------------------------------------------------------ for the workers, on their threads

    def take(self) -> Question | None:
        """Wait for a question; None: end."""
        with self._changed:
            while not self._waiting and not self._ending:
                self._changed.wait()
            if self._ending:
                return None
            self._picked += 1
            return self._waiting.pop(0 if self._picked % OLDEST_EVERY == 0 else -1)

    def hand_over(self, question: Question, answer: Result | Failed | None) -> None:
        """Deliver in the GUI thread, if it is still wanted; None: that was all."""
        self._inbox.put(lambda: self._deliver(question, answer))

    def _deliver(self, question: Question, answer: Result | Failed | None) -> None:
        if not question.open:
            return
        if answer is None or isinstance(answer, Failed):
            question.open = False
            self._asked.pop(question, None)
            if not self._asked:
                self._deadline.stop()
        if answer is not None and still_there(question.deliver):
            question.deliver(answer)


class _Worker:
    """One thread with a reader of its own."""

    def __init__(self, source: HistorySource, make_reader: Callable[[], Reader], number: int) -> None:
        self._source, self._make_reader = source, make_reader
        self._reader: Reader | None = None
        self._question: Question | None = None
        self._lock = threading.Lock()  # an interrupt must never hit the question after the one that is meant
        self.thread = threading.Thread(target=self._run, name=f"history-{number}", daemon=True)
        self.thread.start()

    def interrupt(self, question: Question) -> None:
        """GUI thread."""
        with self._lock:
            if self._question is question and self._reader is not None:
                self._reader.interrupt()

    def _run(self) -> None:
        while (question := self._source.take()) is not None:
            failed = self._answer(question)
            self._hold(None)
            self._source.hand_over(question, failed)
        self._drop_reader()

    def _hold(self, question: Question | None) -> None:
        with self._lock:
            self._question = question

    def _answer(self, question: Question) -> Failed | None:
        """Hand over every page; returns what went wrong. The thread outlives everything."""
        try:
            if self._reader is None:
                made = self._make_reader()
                with self._lock:
                    self._reader = made
            self._hold(question)
            question.token.check()
            for page in self._reader.answer(question.request, question.token):
                self._source.hand_over(question, page)
                question.token.check()
        except Cancelled:
            return None
        except EnvironmentProblem as error:
            return Failed(question.request, error.problem)
        except Exception as error:
            if question.token.cancelled:  # an interrupted database complains in its own words
                return None
            log.exception("a question could not be answered: %r", question.request)
            self._drop_reader()
            return Failed(question.request, Problem("query.failed", {"detail": type(error).__name__}))
        return None

    def _drop_reader(self) -> None:
        with self._lock:
            reader, self._reader = self._reader, None
        if reader is None:
            return
        try:
            reader.close()
        except Exception:
            log.exception("a reader could not be closed")
