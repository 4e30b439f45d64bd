"""How the user left the window: place, screen, theme, range, what was used last. One small file of the user; losing it
costs nothing."""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs

from models.storage.workspace import Workspace

log = logging.getLogger(__name__)


class LayoutFile:
    """Reads and replaces the file; trouble with it is logged and otherwise ignored."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or platformdirs.user_state_path("murmurscope") / "window.json"

    def load(self) -> dict[str, object]:
        """What was saved last; empty where there is nothing that can be read."""
        try:
            saved = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("%s is not used: %s", self._path, error)
            return {}
        return saved if isinstance(saved, dict) else {}

    def save(self, layout: Mapping[str, object]) -> None:
        """Put this into the file; what else it holds stays."""
        self.change(lambda saved: {**saved, **layout})

    def change(self, change: Callable[[dict[str, object]], Mapping[str, object]]) -> None:
        """Replace what the file holds by what `change` makes of it; other windows wait their turn meanwhile."""
        temporary = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                temporary.write_text(json.dumps(change(self.load()), indent=1), encoding="utf-8")
                temporary.replace(self._path)
            finally:
                os.close(folder)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)


def last_workspace(layout: Mapping[str, object]) -> Workspace:
    """Where the window was last, if that is still a workspace; else the default place."""
    root = layout.get("workspace")
    last = Workspace.at(root) if isinstance(root, str) and root else None
    return last if last is not None and last.catalogue.exists() else Workspace.default()
