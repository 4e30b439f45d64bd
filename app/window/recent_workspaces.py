"""Which workspaces were open here, the last first: kept in the layout file, so that all windows share one list."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from app.window.layout_file import LayoutFile
from models.domain.clock import Clock
from models.storage.workspace import Workspace

RECENT = "recent"
KEPT = 12


@dataclass(frozen=True, slots=True)
class RecentWorkspace:
    """`broker` is its address without any secret; empty: the broker on this computer, or none yet."""

    root: str
    broker: str
    used_us: int

    @property
    def workspace(self) -> Workspace:
        return Workspace(Path(self.root))

    @property
    def there(self) -> bool:
        """Is it still a workspace? Asks the disk."""
        return is_workspace(self.workspace)


def is_workspace(workspace: Workspace) -> bool:
    """Has something been recorded here, or a broker been chosen?"""
    return workspace.catalogue.exists() or workspace.settings.exists()


class RecentWorkspaces:
    """Every method reads or writes the file, which is small."""

    def __init__(self, file: LayoutFile, clock: Clock) -> None:
        self._file, self._clock = file, clock

    def listed(self) -> list[RecentWorkspace]:
        """The last used first."""
        return _read(self._file.load())

    def note(self, workspace: Workspace, broker: str | None = None) -> None:
        """It is in use now; `broker` None: as it was."""
        root = str(workspace.root)

        def noted(saved: dict[str, object]) -> dict[str, object]:
            before = _read(saved)
            known = next((one.broker for one in before if one.root == root), "")
            mine = RecentWorkspace(root, known if broker is None else broker, self._clock.wall_us())
            return {**saved, RECENT: _written([mine, *(one for one in before if one.root != root)])}

        self._file.change(noted)

    def forget(self, roots: Iterable[str]) -> None:
        """Take these off the list; nothing happens to the workspaces."""
        gone = set(roots)
        self._file.change(
            lambda saved: {**saved, RECENT: _written([one for one in _read(saved) if one.root not in gone])}
        )


def _read(saved: dict[str, object]) -> list[RecentWorkspace]:
    found = saved.get(RECENT)
    entries = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    read = [
        RecentWorkspace(str(one["root"]), str(one.get("broker") or ""), used if isinstance(used, int) else 0)
        for one in entries
        if isinstance(one.get("root"), str) and one["root"].startswith("/")
        for used in (one.get("used_us"),)
    ]
    return sorted(read, key=lambda one: -one.used_us)


def _written(workspaces: list[RecentWorkspace]) -> list[dict[str, object]]:
    return [asdict(one) for one in workspaces[:KEPT]]
