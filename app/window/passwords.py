"""The keyring for the window: asked on a thread of its own, answers come in the GUI thread."""

import queue
import threading
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from app.password_store import PasswordStore
from app.window.gui_inbox import GuiInbox, still_there
from models.domain.connection import Secret
from models.domain.problems import EnvironmentProblem, Problem

Found = Callable[[Secret | None, Problem | None], None]
Done = Callable[[Problem | None], None]


class Passwords(QObject):
    """Questions are answered in their order. GUI thread, and nothing waits."""

    def __init__(self, store: PasswordStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._inbox = GuiInbox(self)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def check(self, done: Done) -> None:
        """Is there a keyring?"""
        self._ask(self._store.check, lambda _nothing, problem: done(problem), done)

    def get(self, url: str, found: Found) -> None:
        """The password kept for this broker."""
        self._ask(partial(self._store.get, url), found, found)

    def put(self, url: str, secret: Secret, done: Done) -> None:
        """Keep it."""
        self._ask(partial(self._store.put, url, secret), lambda _nothing, problem: done(problem), done)

    def remove(self, url: str, done: Done) -> None:
        """Forget it."""
        self._ask(partial(self._store.remove, url), lambda _nothing, problem: done(problem), done)

    def shutdown(self) -> None:
        """No answer comes any more. A question that still waits for a person ends with the process."""
        self._jobs.put(None)
        self._inbox.close()

    def _ask(self, job: Callable[[], Secret | None], deliver: Found, receiver: Callable[..., None]) -> None:
        def run() -> None:
            answer: Secret | None = None
            problem: Problem | None = None
            try:
                answer = job()
            except EnvironmentProblem as error:
                problem = error.problem
            self._inbox.put(lambda: deliver(answer, problem) if still_there(receiver) else None)

        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="passwords", daemon=True)
            self._thread.start()
        self._jobs.put(run)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
