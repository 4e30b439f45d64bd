"""Work beside the GUI thread of which only the newest matters: what a key press asked for is no use after the next one."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject

from app.window.gui_inbox import GuiInbox, still_there
from models.domain.problems import EnvironmentProblem, Problem

JOIN_LIMIT_S = 5.0

log = logging.getLogger(__name__)

Done = Callable[[Any], None]


class LatestWork(QObject):
    """One job at a time, on a thread that ends when nothing is left. GUI thread, but for the jobs."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._inbox = GuiInbox(self)
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[Callable[[], Any], Done]] = {}
        self._thread: threading.Thread | None = None

    def want(self, kind: str, job: Callable[[], Any], done: Done) -> None:
        """Do it after what is under way, in place of another one of its kind that still waits. `done` gets what `job` answers,
        or the `Problem` that it raised (`EnvironmentProblem`)."""
        with self._lock:
            self._waiting.pop(kind, None)
            self._waiting[kind] = job, done
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="latest-work", daemon=True)
                self._thread.start()

    @property
    def idle(self) -> bool:
        return self._thread is None

    def shutdown(self) -> None:
        """Forget what waits, and wait for what is under way."""
        with self._lock:
            self._waiting.clear()
            thread = self._thread
        if thread is not None:
            thread.join(JOIN_LIMIT_S)
            if thread.is_alive():
                log.error("work beside the window did not end within %s s", JOIN_LIMIT_S)
        self._inbox.close()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                kind = next(iter(self._waiting))
                job, done = self._waiting.pop(kind)
            answer: Any
            try:
                answer = job()
            except EnvironmentProblem as error:
                answer = error.problem
            except Exception as error:  # whoever wanted it waits for an answer
                log.exception("work beside the window failed")
                answer = Problem("query.failed", {"detail": type(error).__name__})
            self._inbox.put(partial(_tell, done, answer))


def _tell(done: Done, answer: Any) -> None:
    if still_there(done):
        done(answer)
