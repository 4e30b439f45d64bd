"""Which segments somebody reads from first to last (an export, a backup), so that retention leaves them until it is done.

A shared lock on one byte of a file for each: the operating system lets go of it when the reader ends in any way, and a
sealed segment that takes the place of an open one is the same segment.
"""

import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterable, Iterator

from models.storage.workspace import Workspace

_FLOCK = "hhqqi0q"  # struct flock


@contextlib.contextmanager
def pinned(workspace: Workspace, wanted: Callable[[], Iterable[int]]) -> Iterator[None]:
    """Nothing of what `wanted` names is removed meanwhile. It is asked again until all that it names is pinned, as one may be
    removed while it is asked. Where no recorder was ever at work, or nothing may be locked, nothing is pinned."""
    try:
        handle = os.open(workspace.pins, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        held: set[int] = set()
        with contextlib.suppress(OSError):  # a file system without locks
            while new := set(wanted()) - held:
                for segment in sorted(new):
                    _lock(handle, fcntl.F_OFD_SETLKW, fcntl.F_RDLCK, segment)
                held |= new
        yield
    finally:
        os.close(handle)


class Pins:
    """The side of retention. Recorder's ingest thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.pins

    def make(self) -> None:
        """The file, before anybody can want to pin. Raises `OSError`."""
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    @contextlib.contextmanager
    def removing(self, segment: int) -> Iterator[bool]:
        """Whether it may be removed; if so, whoever wants to pin it waits for the end. Raises `OSError`."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                _lock(handle, fcntl.F_OFD_SETLK, fcntl.F_WRLCK, segment)
            except OSError as error:
                yield error.errno not in (errno.EACCES, errno.EAGAIN)
            else:
                yield True
        finally:
            os.close(handle)


def _lock(handle: int, command: int, kind: int, segment: int) -> None:
    fcntl.fcntl(handle, command, struct.pack(_FLOCK, kind, os.SEEK_SET, segment, 1, 0))
