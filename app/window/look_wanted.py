"""Is a workspace to be recorded here, or only to be looked at? Asked once the window is painted."""

from dataclasses import dataclass
from pathlib import Path

from models.domain.clock import SystemClock
from models.storage.workspace import Workspace

UNUSED = (
    "file.connect", "file.connect-now", "file.import", "file.import-workspace", "file.reread", "file.new-window",
)  # fmt: skip
"""Actions that make no sense on what is only looked at."""


class WindowClock(SystemClock):
    """The clocks of this computer, until the wall clock is to stand still."""

    def __init__(self) -> None:
        self._stands_us = 0

    def stand_at(self, wall_us: int) -> None:
        """Tell this time from now on (0: go on again)."""
        self._stands_us = wall_us

    def wall_us(self) -> int:
        return self._stands_us or super().wall_us()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be looked at, a backup or the folder of a workspace; `records_here`: its user could also record there."""

    source: Path
    records_here: bool


def wanted_look(workspace: Workspace) -> Wanted | None:
    """None: it is a workspace of this place, to be recorded as ever. Asks the disk; leaves no trace there."""
    if workspace.root.is_file():
        return Wanted(workspace.root, records_here=False)
    if not workspace.catalogue.exists():
        return None
    from models.storage.identity import home_of

    home = home_of(workspace)
    if home.held or (home.writable and not home.copied):
        return None
    return Wanted(workspace.root, records_here=home.writable)
