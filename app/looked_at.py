"""Folders that stand in for what a window looks at, in the user's cache: up to gigabytes each, and gone with their window.

The number of the process that owns one begins its name, so that what killed windows left can be told from what is in use.
"""

import os
import secrets
import shutil
from pathlib import Path

import platformdirs
import psutil

from models.storage.workspace import APP_NAME


def new_folder() -> Path:
    """A place for this process that is not there yet."""
    return _parent() / f"{os.getpid()}-{secrets.token_hex(4)}"


def take_away(folder: Path) -> None:
    """Remove one, whole or half unpacked. May take long, so not in a thread that somebody waits for; what a kill leaves,
    `sweep` removes."""
    for made in (folder, *folder.parent.glob(f".{folder.name}.*")):
        shutil.rmtree(made, ignore_errors=True)


def sweep() -> None:
    """Remove those of processes that are gone."""
    parent = _parent()
    for left in parent.glob("*-*") if parent.is_dir() else ():
        pid = left.name.lstrip(".").partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _parent() -> Path:
    return platformdirs.user_cache_path(APP_NAME) / "opened"
