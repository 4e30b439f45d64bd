"""The recorder with a trouble inside that nobody could bring about from outside; it comes once, at SIGUSR1.

As a program: `python -m tests.helpers.troubled_recorder TROUBLE record …`. For tests: `Troubled`.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.helpers.recording import Recording

DAY_US = 86_400_000_000


class Fatal(BaseException):
    """Ends the thread that it is raised in."""


class Troubled(Recording):
    """A `Recording` whose `record` has the trouble of this name inside. `strike` lets it come."""

    def __init__(self, root: Path, trouble: str) -> None:
        super().__init__(root)
        self._trouble = trouble

    def argv(self, *arguments: str) -> list[str]:
        words = super().argv(*arguments)
        if arguments[0] != "record":
            return words
        return [words[0], "-m", "tests.helpers.troubled_recorder", self._trouble, *words[3:]]

    def strike(self) -> None:
        os.kill(self.pid, signal.SIGUSR1)


def _replace(owner: Any, name: str, before: Callable[[], None]) -> None:
    """Have something done before every call of a method."""
    original = getattr(owner, name)

    def changed(*args: object, **named: object) -> object:
        before()
        return original(*args, **named)

    setattr(owner, name, changed)


def _once(asked: threading.Event, error: BaseException) -> Callable[[], None]:
    def act() -> None:
        if asked.is_set():
            asked.clear()
            raise error

    return act


def _hang(asked: threading.Event) -> None:
    if asked.is_set():
        asked.clear()
        threading.Event().wait()


def _step_clock(asked: threading.Event, step_us: int) -> None:
    from models.domain.clock import SystemClock

    now_us = SystemClock.wall_us
    SystemClock.wall_us = lambda self: now_us(self) + (step_us if asked.is_set() else 0)  # type: ignore[method-assign]


def prepare(trouble: str, asked: threading.Event) -> None:
    """Build the trouble in."""
    from app.password_store import PasswordStore
    from app.recorder import control_server, verbs
    from app.recorder.ingest import Ingest
    from app.recorder.main import Importer
    from mqtt.link import Link
    from mqtt.reading.reader import Reader

    mistake = RuntimeError(f"trouble: {trouble}")
    match trouble:
        case "network-raises":
            _replace(Link, "_write", _once(asked, mistake))
        case "network-dies":
            _replace(Link, "_write", _once(asked, Fatal(trouble)))
        case "network-hangs":
            _replace(Link, "_write", lambda: _hang(asked))
        case "reading-raises":
            _replace(Reader, "read", _once(asked, mistake))
        case "ingest-dies":
            _replace(Ingest, "_turn", _once(asked, mistake))
        case "control-dies":
            _replace(control_server, "peer_is_ours", _once(asked, mistake))
        case "client-raises":
            _replace(verbs.RecorderVerbs, "state", _once(asked, mistake))
        case "keyring-raises":
            asked.set()
            _replace(PasswordStore, "get", _once(asked, mistake))
        case "import-raises":
            _replace(Importer, "run", _once(asked, mistake))
        case "clock-forward":
            _step_clock(asked, DAY_US)
        case "clock-back":
            _step_clock(asked, -DAY_US)
        case _:
            raise ValueError(trouble)


def main() -> int:
    from app.__main__ import main as run

    asked = threading.Event()
    trouble = sys.argv.pop(1)
    prepare(trouble, asked)
    signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    return run()


if __name__ == "__main__":
    sys.exit(main())
