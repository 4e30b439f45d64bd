"""The recorder with a trouble inside that nobody could bring about from outside; it comes once, at SIGUSR1.

As a program: `python -m tests.helpers.troubled_recorder TROUBLE record …`. For tests: `Troubled`.
"""

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.helpers.recording import Recording

DAY_US = 86_400_000_000
SMALL_INBOX = 5_000
SMALL_INBOX_BYTES = 16_000_000


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
    """Build the trouble in. Raises `KeyError` where there is none of this name."""
    from app.password_store import PasswordStore
    from app.recorder import control_server, main, verbs
    from app.recorder.ingest import Ingest
    from mqtt.link import Link
    from mqtt.reading.reader import Reader

    def raises(owner: object, name: str, error: BaseException | None = None) -> Callable[[], None]:
        fault = error or RuntimeError(f"trouble: {trouble}")
        return lambda: _replace(owner, name, _once(asked, fault))

    def raises_at_once() -> None:
        asked.set()
        raises(PasswordStore, "get")()

    def shrinks() -> None:
        main.InboxLimits = functools.partial(  # type: ignore[assignment,misc]
            main.InboxLimits, waiting_messages=SMALL_INBOX, waiting_bytes=SMALL_INBOX_BYTES
        )

    troubles: dict[str, Callable[[], None]] = {
        "network-raises": raises(Link, "_write"),
        "network-dies": raises(Link, "_write", Fatal(trouble)),
        "network-hangs": lambda: _replace(Link, "_write", lambda: _hang(asked)),
        "reading-raises": raises(Reader, "read"),
        "ingest-dies": raises(Ingest, "_turn"),
        "control-dies": raises(control_server, "peer_is_ours"),
        "client-raises": raises(verbs.RecorderVerbs, "state"),
        "keyring-raises": raises_at_once,
        "import-raises": raises(main.Importer, "run"),
        "small-inbox": shrinks,
        "clock-forward": lambda: _step_clock(asked, DAY_US),
        "clock-back": lambda: _step_clock(asked, -DAY_US),
    }
    troubles[trouble]()


def main() -> int:
    from app.__main__ import main as run

    asked = threading.Event()
    trouble = sys.argv.pop(1)
    prepare(trouble, asked)
    signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    return run()


if __name__ == "__main__":
    sys.exit(main())
