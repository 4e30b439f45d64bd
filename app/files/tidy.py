"""Finished files are compressed, and the oldest removed where all together grow too large."""

import contextlib
import gzip
import os
from collections.abc import Callable
from pathlib import Path

from app.files.folder import FilesFolder
from app.files.names import GZ, PART
from models.storage.access import sync_folder

_SLICE_BYTES = 1024 * 1024
_LEVEL = 6


def compress_one(folder: FilesFolder, stopping: Callable[[], bool]) -> bool:
    """Compress the oldest finished file; false: there is none, or we are to stop. Killed anywhere, the next call does it
    again. Raises `OSError`."""
    for name in folder.finished():
        path = folder.path / str(name)
        if name.end == PART:
            continue
        if name.end == GZ + PART:
            path.unlink()  # of a kill
        elif not name.end:
            return _compress(path, stopping)
    return False


def _compress(path: Path, stopping: Callable[[], bool]) -> bool:
    target, part = Path(f"{path}{GZ}"), Path(f"{path}{GZ}{PART}")
    if not target.exists():
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with path.open("rb") as source, os.fdopen(handle, "wb") as out:
                with gzip.GzipFile("", "wb", _LEVEL, out) as packed:
                    while data := source.read(_SLICE_BYTES):
                        if stopping():
                            return False
                        packed.write(data)
                out.flush()
                os.fsync(handle)
                status = os.fstat(source.fileno())
            os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
            part.replace(target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    sync_folder(path.parent)
    path.unlink()
    return True


def remove_beyond(folder: FilesFolder, total_bytes: int, room_bytes: int) -> int:
    """Remove the oldest finished files, so that they and `room_bytes` for those that still grow are within `total_bytes`.
    Answers how many. Raises `OSError`."""
    sizes = [(name, (folder.path / str(name)).stat().st_size) for name in folder.finished()]
    beyond = sum(size for _, size in sizes) + room_bytes - total_bytes
    removed = 0
    for name, size in sizes:
        if beyond <= 0:
            break
        (folder.path / str(name)).unlink()
        beyond -= size
        removed += 1
    return removed
