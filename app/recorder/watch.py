"""Notices threads that died or hang."""

import threading
from collections.abc import Callable

from models.domain.clock import Clock

LIMIT_US = 5_000_000
OWN_PAUSE_US = 2_000_000


class Watch:
    """Every watched thread says `beat` again and again. `look` is for the main thread, about every second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beats: dict[str, int] = {}
        self._limits: dict[str, int] = {}
        self._threads: dict[str, Callable[[], bool]] = {}
        self._looked_us = clock.monotonic_us()

    def add(self, name: str, is_alive: Callable[[], bool], limit_us: int = LIMIT_US) -> None:
        """Watch from now on. `limit_us`: longest time between two beats."""
        self._beats[name] = self._clock.monotonic_us()
        self._limits[name] = limit_us
        self._threads[name] = is_alive

    def beat(self, name: str) -> None:
        """`name` lives. Any thread."""
        self._beats[name] = self._clock.monotonic_us()

    def beat_of(self, name: str) -> Callable[[], None]:
        """`beat` for one name."""
        return lambda: self.beat(name)

    def look(self) -> tuple[str, str] | None:
        """The first thread that is "dead" or "stuck", with which of the two; None: all is well."""
        now_us = self._clock.monotonic_us()
        we_slept = now_us - self._looked_us > OWN_PAUSE_US  # frozen or starved as a whole: nobody could beat
        self._looked_us = now_us
        for name, is_alive in self._threads.items():
            if not is_alive():
                return name, "dead"
            if we_slept:
                self._beats[name] = now_us
            elif now_us - self._beats[name] > self._limits[name]:
                return name, "stuck"
        return None


def alive(thread: threading.Thread) -> Callable[[], bool]:
    """Is this thread alive? As `Watch.add` asks."""
    return thread.is_alive
