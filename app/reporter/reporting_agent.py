"""An agent with what only the reporter needs: a connection that is there or says why not, and lines of files."""

import threading
from typing import Any, Self

from mqtt.agent import Agent


class ReportingAgent(Agent):
    """Arguments as of `Agent`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._tried = threading.Event()
        super().__init__(*args, **options)

    def open(self, wait_s: float = 10.0) -> Self:
        """Connect, and wait for it. Raises `Refused` where the broker says no, `OSError` where it cannot be reached,
        `TimeoutError`."""
        self.start()
        self._tried.wait(wait_s)
        if not self.connected.is_set():
            failure = self.failure
            self.close()
            raise failure or TimeoutError(f"no answer from the broker within {wait_s:g} s")
        return self

    @property
    def room(self) -> int:
        """So many messages more find room in the queue."""
        return max(0, self._queue_limit - (self._sent - self._answered))

    def line(self, file: str, line: bytes) -> None:
        """One line of a followed file, as it is. `file` may have several levels."""
        name = "".join("-" if sign in "+#\0" else sign for sign in file).encode("utf-8", "replace").decode()
        self._publish(f"{self._base}/tail/{name}", line)

    def _on_connect(self, *args: Any) -> None:
        super()._on_connect(*args)
        self._tried.set()

    def _on_fail(self, *args: Any) -> None:
        super()._on_fail(*args)
        self._tried.set()
