"""Passwords of brokers in the keyring of the desktop, by the broker's address. Knows no Qt.

What would write them readable to a disk is no keyring to us. Every question may wait for a person who is asked to unlock
the keyring, so it is asked on a thread of its own, and given up after a while.
"""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from models.domain.connection import Secret
from models.domain.problems import EnvironmentProblem, trouble

SERVICE = "murmurscope"
LIMIT_S = 60.0
"""Time to type the keyring's own password."""
_UNSAFE = ("keyrings.alt.", "keyring.backends.fail", "keyring.backends.null", "keyring.backends.chainer")
_NOBODY = "no program of this computer offers one"
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Keyring(Protocol):
    """The part of a `keyring` backend that is needed here. Blocks; raises what it likes."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


class PasswordStore:
    """Blocks for `limit_s` at most. Any thread, one question at a time.

    Every method raises `EnvironmentProblem`: "keyring.none" (there is none that we trust), "keyring.refused" (locked, or it
    said no) or "keyring.silent" (no answer in time).
    """

    def __init__(self, limit_s: float = LIMIT_S, find: "Callable[[], Keyring] | None" = None) -> None:
        self._limit_s = limit_s
        self._find = find or find_keyring
        self._asking: threading.Thread | None = None

    def check(self) -> None:
        """Is there a keyring? It need not be unlocked for that."""
        self._ask(lambda _keyring: None)

    def get(self, url: str) -> Secret | None:
        """The password kept for this address; None: none is."""
        value = self._ask(lambda keyring: keyring.get_password(SERVICE, url))
        return Secret(value) if value else None

    def put(self, url: str, secret: Secret) -> None:
        """Keep it, in place of the one before."""
        self._ask(lambda keyring: keyring.set_password(SERVICE, url, secret.value), secret)

    def remove(self, url: str) -> None:
        """Forget it; nothing happens where there is none."""

        def forget(keyring: Keyring) -> None:
            if keyring.get_password(SERVICE, url) is not None:
                keyring.delete_password(SERVICE, url)

        self._ask(forget)

    def _ask(self, question: Callable[[Keyring], _T], told: Secret | None = None) -> _T:
        if self._asking is not None and self._asking.is_alive():  # it still waits for the one before
            raise trouble("keyring.silent", seconds=round(self._limit_s))
        answers: queue.SimpleQueue[tuple[Any, EnvironmentProblem | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                answers.put((question(self._find()), None))
            except EnvironmentProblem as error:
                answers.put((None, error))
            except Exception as error:  # noqa: BLE001 - whatever stands behind the bus; no mistake of ours
                detail = str(error).strip().rstrip(".!") or type(error).__name__
                if told is not None:
                    detail = detail.replace(told.value, "***")
                _LOG.warning("the keyring failed: %s: %s", type(error).__name__, detail)
                answers.put((None, trouble("keyring.refused", detail=detail)))

        self._asking = threading.Thread(target=run, name="keyring", daemon=True)
        self._asking.start()
        try:
            value, problem = answers.get(timeout=self._limit_s)
        except queue.Empty:
            raise trouble("keyring.silent", seconds=round(self._limit_s)) from None
        self._asking.join(1)  # it has answered; else the next question might find it alive
        if problem is not None:
            raise problem
        return value  # type: ignore[no-any-return]


def find_keyring() -> Keyring:
    """The one that is set up on this computer, if its passwords never lie readable on a disk. Asks the session bus. Raises
    "keyring.none"."""
    import keyring  # takes a while, and most recorders never need it

    try:
        found: Any = keyring.get_keyring()
    except Exception as error:
        raise trouble("keyring.none", detail=str(error).strip().rstrip(".") or type(error).__name__) from error
    # where several were found, a chain of them falls back from a safe one to an unsafe one without a word
    several = getattr(found, "backends", None) or [found]
    for one in several:
        kind = f"{type(one).__module__}.{type(one).__qualname__}"
        if not kind.startswith(_UNSAFE) and "plaintext" not in kind.lower():
            return one  # type: ignore[no-any-return]
    unsafe = [type(one).__module__ for one in several if type(one).__module__.startswith("keyrings.alt.")]
    raise trouble("keyring.none", detail=f"{unsafe[0]} would write them to a file" if unsafe else _NOBODY)
