"""Starting the program again as a child: the same interpreter or the same packaged executable, with a clean environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PASSWORD_VARIABLE = "MURMURSCOPE_PASSWORD"
"""In the environment, as the arguments of a process can be read by everybody."""


def is_frozen() -> bool:
    """Does the packaged program run?"""
    return bool(getattr(sys, "frozen", False))


def own_command(*arguments: str) -> list[str]:
    """Argument vector that runs this program with other arguments."""
    return [sys.executable, *([] if is_frozen() else ["-P", "-m", "app"]), *arguments]


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment for a child: ours is the `app` that `own_command` finds, whatever the folder. (That the libraries
    of the package are not forced on system programs, `packaging/restore_environment.py` has seen to.)"""
    environment = dict(os.environ)
    if not is_frozen():
        root = str(Path(__file__).resolve().parents[1])
        others = environment.get("PYTHONPATH", "")
        if others.split(os.pathsep)[0] != root:
            environment["PYTHONPATH"] = f"{root}{os.pathsep}{others}" if others else root
    environment.update(extra or {})
    return environment
