"""The keyring, asked beside the recorder's main thread: unlocking it may take a person a minute."""

import logging
import threading
from collections.abc import Callable

from app.password_store import PasswordStore
from app.recorder.log_file import SecretMask
from app.recorder.supervisor import Requests
from models.domain.connection import Connection, Secret
from models.domain.problems import EnvironmentProblem, Problem

_LOG = logging.getLogger(__name__)


class KeptPasswords:
    """`broker_link.SecretFinder`."""

    def __init__(self, store: PasswordStore, requests: Requests, mask: SecretMask) -> None:
        self._store, self._requests, self._mask = store, requests, mask

    def find(self, connection: Connection, found: Callable[[Secret | None, Problem | None], None]) -> None:
        """Ask; `found` is called in the main thread."""

        def ask() -> None:
            secret: Secret | None = None
            problem: Problem | None = None
            try:
                secret = self._store.get(connection.url)
            except EnvironmentProblem as error:
                problem = error.problem
            except Exception as error:  # noqa: BLE001 - whoever asked waits for an answer; it is logged and counted
                _LOG.exception("the keyring could not be asked")
                problem = Problem("keyring.refused", {"detail": type(error).__name__})
            self._mask.hide(secret)
            self._requests.ask(lambda: found(secret, problem))

        threading.Thread(target=ask, name="kept-password", daemon=True).start()
