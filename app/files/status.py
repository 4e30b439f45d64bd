"""How the files are, as their process tells the recorder and `info`: a small file in the workspace, replaced whole."""

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from models.domain.problems import Problem
from models.storage.workspace import Workspace


class FilesStatus(msgspec.Struct):
    """`behind`: messages that are stored and not in the files yet, `lost`: gone from the store before they were;
    `rows`: written, per dataset, `removed`: files, to stay within the size. `beat_us`: wall time."""

    pid: int
    beat_us: int
    folder: str
    format: str
    rows: dict[str, int] = {}
    behind: int = 0
    lost: int = 0
    removed: int = 0
    problem: Problem | None = None

    def as_dict(self) -> dict[str, Any]:
        """For `info`."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        told["problem"] = None if self.problem is None else self.problem.sentence()
        return {key: value for key, value in told.items() if key not in ("pid", "beat_us")}


def files_place(workspace: Workspace) -> Path:
    """Where the process keeps its own files: not the folder that rows are written to."""
    return workspace.root / "files"


def write_status(workspace: Workspace, status: FilesStatus) -> None:
    """Where it cannot be written, it grows old, which is told."""
    with contextlib.suppress(OSError):
        place = files_place(workspace)
        place.mkdir(mode=0o700, exist_ok=True)
        part = place / ".status.json.part"
        part.write_bytes(msgspec.json.encode(status))
        part.replace(place / "status.json")


def read_status(workspace: Workspace) -> FilesStatus | None:
    """None where no files were ever asked for."""
    try:
        return msgspec.json.decode((files_place(workspace) / "status.json").read_bytes(), type=FilesStatus)
    except (OSError, msgspec.DecodeError):
        return None
