"""Where files begin, until the folder itself knows: a recorder may be killed before anything could be written there."""

from pathlib import Path

import msgspec

from app.files.status import files_place
from models.storage.workspace import Workspace


class _Beginning(msgspec.Struct):
    folder: str
    since: int


def beginning_of(workspace: Workspace, folder: Path, newest: int) -> int:
    """The segment after which rows are asked for: the `newest` one, unless an earlier recorder left some unwritten. Call
    it before anything is recorded. Raises `OSError`."""
    path = _path(workspace)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Beginning)
        if found.folder == str(folder):
            return min(found.since, newest)
    except (FileNotFoundError, msgspec.DecodeError):
        pass  # the usual case; or a kill while it was written: nothing was recorded yet
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(msgspec.json.encode(_Beginning(str(folder), newest)))
    return newest


def forget_beginning(workspace: Workspace) -> None:
    """From now on the folder knows."""
    _path(workspace).unlink(missing_ok=True)


def _path(workspace: Workspace) -> Path:
    return files_place(workspace) / "beginning.json"
