"""Room kept on the disk, to be given back when it is full: removing history has to be written down before a byte is freed."""

import contextlib
import os
import shutil
from pathlib import Path

from models.storage.access import create_private_file

_PLENTY = 8
"""The reserve is made only where so many times its size is free: it must not be what fills the disk."""


class Reserve:
    """A file of `size_bytes` (0: none is kept). Recorder's ingest thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, size_bytes: int) -> None:
        """Make it where it is missing and the disk has plenty of room; not being able to is no problem yet."""
        if not size_bytes:
            return
        with contextlib.suppress(OSError):
            if self._path.exists() and self._path.stat().st_size >= size_bytes:
                return
            self._path.unlink(missing_ok=True)  # a kill while it was made
            if shutil.disk_usage(self._path.parent).free < _PLENTY * size_bytes:
                return
            create_private_file(self._path)
            try:
                handle = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
                try:
                    os.posix_fallocate(handle, 0, size_bytes)
                finally:
                    os.close(handle)
            except OSError:
                self._path.unlink()
                raise

    def give_back(self) -> bool:
        """Was there one? It is gone now."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
