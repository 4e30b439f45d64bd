"""A program that the recorder keeps running: started again when it ends, ended with us even if we are killed."""

import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.own_process import child_environment
from models.domain.clock import Clock

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FIRST_PAUSE_US = 1_000_000
LONGEST_PAUSE_US = 60_000_000
PROVEN_US = 60_000_000  # one that ran for so long starts again at once
END_LIMIT_S = 3.0
_IF_PARENT_LIVES = 'test "$PPID" = "$0" && exec "$@"'
"""For /bin/sh: killed before the kernel was told to end us with it, our parent would leave us behind for ever."""
_LOG = logging.getLogger(__name__)


class Child:
    """One child process. Use it from the main thread: the kernel ends the child when the thread that started it ends."""

    def __init__(self, name: str, clock: Clock, output: Path) -> None:
        self._name = name
        self._clock = clock
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._started_us = 0
        self._pause_us = 0
        self._next_us = 0

    @property
    def pid(self) -> int:
        """Of the running child, else 0."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    @property
    def exit_code(self) -> int | None:
        """Of the last one that ended; None while it runs or before the first start."""
        return None if self._process is None else self._process.poll()

    def output_tail(self) -> str:
        """The last line that the child wrote, cut to 300 characters."""
        try:
            lines = self._output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][-300:] if lines else ""

    def start(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Raises `OSError` where the program cannot be run."""
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                bound_to_parent(argv),
                env=child_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,  # Ctrl+C is ours to hear: children end after we have stored what is there
            )
        self._started_us = self._clock.monotonic_us()

    def keep(self, start: Callable[[], None]) -> bool:
        """Call about every second: starts an ended child again by `start`, each time later. True if it did so now."""
        if self._process is None or self._process.poll() is None:
            return False
        now_us = self._clock.monotonic_us()
        if self._next_us == 0:
            ran_us = now_us - self._started_us
            self._pause_us = FIRST_PAUSE_US if ran_us > PROVEN_US or not self._pause_us else 2 * self._pause_us
            self._next_us = now_us + min(self._pause_us, LONGEST_PAUSE_US)
            _LOG.warning("%s ended with %s: %s", self._name, self._process.returncode, self.output_tail())
        if now_us < self._next_us:
            return False
        self._next_us = 0
        start()
        return True

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(END_LIMIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


def find_program(name: str) -> str | None:
    """Path of a system program, also where an ordinary user's PATH does not look."""
    return shutil.which(name) or shutil.which(name, path=SYSTEM_PATH)


def bound_to_parent(argv: Sequence[str]) -> list[str]:
    """The same command, made to end with the thread that starts it (where util-linux is there to arrange it); begun by
    nobody else than this process."""
    setpriv = find_program("setpriv")
    if setpriv is None:
        return list(argv)
    return [setpriv, "--pdeathsig", "TERM", "/bin/sh", "-c", _IF_PARENT_LIVES, str(os.getpid()), *argv]
