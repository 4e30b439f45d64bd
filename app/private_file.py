"""Replacing a small file of a workspace whole, for its owner alone: others see the old one or the new one, never a half."""

import os
import tempfile
from pathlib import Path

from models.domain.problems import trouble
from models.storage.access import sync_folder


def replace_file(path: Path, text: str, *, only_new: bool = False) -> bool:
    """Write it, durably. False: there was a file already, and only a new one was wanted.

    Raises `EnvironmentProblem` "workspace.read-only".
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)  # 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if only_new:
                path.hardlink_to(temporary)
            else:
                Path(temporary).replace(path)
        except FileExistsError:
            return False
        finally:
            Path(temporary).unlink(missing_ok=True)
        sync_folder(path.parent)  # else a power cut may bring the old name back
        return True
    except OSError as error:
        raise trouble("workspace.read-only", path=str(path), detail=error.strerror or "no reason") from error
