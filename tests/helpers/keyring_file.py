"""A keyring for tests, chosen by PYTHON_KEYRING_BACKEND=tests.helpers.keyring_file.KeyringFile: a file that several processes
share, named by MURMURSCOPE_TEST_KEYRING. The product never has such a one: it would refuse it by name, were it `keyrings.alt`."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

VARIABLE = "MURMURSCOPE_TEST_KEYRING"


class KeyringFile(KeyringBackend):
    """{"locked": true} in the file: it refuses."""

    priority = 9.0

    def get_password(self, service: str, username: str) -> str | None:
        return self._load().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._save({**self._load(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        held = self._load()
        held.pop(f"{service} {username}")
        self._save(held)

    def _load(self) -> dict[str, str]:
        path = Path(os.environ[VARIABLE])
        held = json.loads(path.read_text()) if path.exists() else {}
        if held.get("locked"):
            raise KeyringLocked("Failed to unlock the collection!")
        return held

    def _save(self, held: dict[str, str]) -> None:
        Path(os.environ[VARIABLE]).write_text(json.dumps(held))


def variables(path: Path) -> dict[str, str]:
    """Of a process that is to use it."""
    return {"PYTHON_KEYRING_BACKEND": "tests.helpers.keyring_file.KeyringFile", VARIABLE: str(path)}
