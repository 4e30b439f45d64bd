"""How a program in the foreground ends: Ctrl+C, SIGTERM and a closed terminal as an event to wait for, and the exit code they mean."""

import os
import select
import signal
import threading

from models.domain.problems import ExitCode


class _Asked(threading.Event):
    """One that signal handlers may set: the usual one takes a lock, which the thread they interrupt may hold in `wait`; then
    nothing could ever end it."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = False
        self._ear, self._mouth = os.pipe()

    def set(self) -> None:
        self._asked = True
        os.write(self._mouth, b"\0")

    def is_set(self) -> bool:
        return self._asked

    def wait(self, timeout: float | None = None) -> bool:
        select.select([self._ear], [], [], timeout)
        return self._asked


class Ending:
    """Takes the three signals over. Make it in the main thread."""

    def __init__(self) -> None:
        self.asked: threading.Event = _Asked()
        self._first = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    @property
    def exit_code(self) -> int:
        """130 after Ctrl+C, else 0; the first signal counts."""
        return ExitCode.INTERRUPTED if self._first == signal.SIGINT else ExitCode.OK

    def _ask(self, number: int, _frame: object) -> None:
        self._first = self._first or number
        self.asked.set()
