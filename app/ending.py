"""How a program in the foreground ends: Ctrl+C, SIGTERM and a closed terminal as an event to wait for, and the exit code they mean."""

import signal
import threading

from models.domain.problems import ExitCode


class Ending:
    """Takes the three signals over. Make it in the main thread."""

    def __init__(self) -> None:
        self.asked = threading.Event()
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
