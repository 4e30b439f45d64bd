"""A disk that can fail at any call and lose power at any moment, below the product's own connections.

While it is installed, whatever the engine of this process does to files below its root passes through here, and what the
product does to files beside the engine (make, unlink, rename, sync a folder) as well.
"""

import contextlib
import ctypes
import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from tests.helpers.faulty_disk_engine import Call, EngineCalls
from tests.helpers.faulty_disk_picture import Image, Picture

IO_ERRORS = {
    "xOpen": apsw.SQLITE_CANTOPEN, "xRead": apsw.SQLITE_IOERR_READ, "xWrite": apsw.SQLITE_IOERR_WRITE,
    "xTruncate": apsw.SQLITE_IOERR_TRUNCATE, "xSync": apsw.SQLITE_IOERR_FSYNC, "xFileSize": apsw.SQLITE_IOERR_FSTAT,
    "xLock": apsw.SQLITE_IOERR_LOCK, "xUnlock": apsw.SQLITE_IOERR_UNLOCK, "xDelete": apsw.SQLITE_IOERR_DELETE,
    "xAccess": apsw.SQLITE_IOERR_ACCESS, "xFullPathname": apsw.SQLITE_CANTOPEN, "xShmMap": apsw.SQLITE_IOERR_SHMMAP,
    "xShmLock": apsw.SQLITE_IOERR_SHMLOCK,
}  # fmt: skip
"""What each call of the engine answers when it fails."""
SYSTEM_CALLS = ("os.open", "os.fsync", "os.unlink", "os.rename")
"""Calls of the product beside the engine."""
JOURNAL_CALLS = ("os.pwrite", "os.fdatasync")
"""Calls of the journal of what arrived."""
_FULL = {"xShmMap": apsw.SQLITE_IOERR_SHMSIZE}
GROWING = ("xWrite", "xOpen", "xShmMap", "os.open", "os.rename", "os.pwrite")
"""Calls that a full disk refuses."""
CHANGING = ("xWrite", "xTruncate", "xSync", "xDelete", *SYSTEM_CALLS, *JOURNAL_CALLS)


class Fault(NamedTuple):
    """Call `number` of `kind` fails, as broken or as `full`; `lasting`: and all that follow. Kind `space`: of `GROWING`."""

    kind: str
    number: int
    full: bool = False
    lasting: bool = False


class FaultyDisk:
    """All files below `root`. Use it inside `installed()`, from one thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: Counter[str] = Counter()  # since the last `fail`
        self.failed = 0
        self.before_change: Callable[[], None] = lambda: None
        self._fault: Fault | None = None
        self._images: dict[int, Image] = {}  # by inode
        self._names: dict[str, int] = {}  # as of the last sync of their folder
        self._open_files: dict[
            int, tuple[Image, Path | None]
        ] = {}  # by the engine's address; a folder its first sync syncs
        self._serial = 0
        self._engine = EngineCalls(self._engine_call, ("xClose", *IO_ERRORS))
        self._system = {name: getattr(os, name.partition(".")[2]) for name in (*SYSTEM_CALLS, *JOURNAL_CALLS)}
        self._system_room = os.statvfs

    @contextlib.contextmanager
    def installed(self) -> Iterator["FaultyDisk"]:
        """All databases opened inside have to be closed inside."""
        self._names = self._present_names()
        ours = {
            "open": self._open, "fsync": self._fsync, "unlink": self._unlink, "rename": self._rename,
            "replace": self._rename, "pwrite": self._pwrite, "fdatasync": self._fdatasync,
        }  # fmt: skip
        before = {name: getattr(os, name) for name in ours}
        try:
            os.statvfs = self._statvfs
            for name, function in ours.items():
                setattr(os, name, function)
            with self._engine.exchanged():
                yield self
        finally:
            os.statvfs = self._system_room
            for name, function in before.items():
                setattr(os, name, function)
            for image in self._images.values():
                os.close(image.handle)
        assert not self._engine.raised, self._engine.raised
        assert not self._open_files, "files were left open"

    def fail(self, fault: Fault) -> None:
        """Count calls from now on, and let some fail until `mend`."""
        self.calls.clear()
        self.failed = 0
        self._fault = fault

    def mend(self) -> None:
        """Nothing fails any more."""
        self._fault = None

    def picture(self) -> Picture:
        """For a power cut now."""
        names = self._present_names()
        files = {}
        for key in {*self._names.values(), *names.values()}:
            image = self._images[key]
            safe = image.content() if image.safe is None else bytes(image.safe)
            files[key] = (safe, tuple(image.pending))
        folders = [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_dir()]
        return Picture(dict(self._names), names, files, [".", *folders])

    # ---------------------------------------------------------------- the engine's calls

    def _engine_call(self, name: str, original: Call, arguments: tuple[Any, ...]) -> int:
        if name == "xClose":
            self._open_files.pop(arguments[0], None)
            return original(*arguments)
        if name in {"xDelete", "xAccess", "xFullPathname", "xOpen"}:
            return self._path_call(name, original, arguments)
        if arguments[0] not in self._open_files:
            return original(*arguments)
        error = self._verdict(name)
        if error:
            if name == "xShmLock" and arguments[3] & apsw.SQLITE_SHM_UNLOCK:
                original(*arguments)  # else the engine would lock itself out for ever, which no system does
            return _FULL.get(name, apsw.SQLITE_FULL) if error == errno.ENOSPC else IO_ERRORS[name]
        image, folder = self._open_files[arguments[0]]
        if name == "xWrite":
            _, data, amount, offset = arguments
            image.note(self._next_serial(), offset, ctypes.string_at(data, amount))
        elif name == "xTruncate":
            image.note(self._next_serial(), arguments[1], None)
        result = original(*arguments)
        if name == "xSync" and result == apsw.SQLITE_OK:
            image.synced()
            if folder is not None:
                self._folder_synced(folder)
                self._open_files[arguments[0]] = image, None
        return result

    def _path_call(self, name: str, original: Call, arguments: tuple[Any, ...]) -> int:
        path = Path(os.fsdecode(ctypes.string_at(arguments[1]))) if arguments[1] else None
        if path is None or not path.is_relative_to(self.root):
            return original(*arguments)
        error = self._verdict(name)
        if error:
            return IO_ERRORS[name]
        result = original(*arguments)
        if result != apsw.SQLITE_OK:
            return result
        if name == "xOpen":
            flags = arguments[3]  # the engine's own code goes by them, not by whether the file was there
            journal = flags & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL) and flags & apsw.SQLITE_OPEN_CREATE
            self._open_files[arguments[2]] = self._images[self._key(path)], path.parent if journal else None
        elif name == "xDelete" and arguments[2]:
            self._folder_synced(path.parent)
        return result

    # ---------------------------------------------------------------- calls beside the engine

    def _system_call(self, kind: str, path: Any) -> None:
        if self._own(path):
            error = self._verdict(kind)
            if error:
                raise OSError(error, os.strerror(error), str(path))

    def _own(self, path: Any) -> bool:
        return isinstance(path, (str, Path)) and Path(path).is_relative_to(self.root)

    def _open(self, path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if flags & os.O_CREAT:
            self._system_call("os.open", path)
        return int(self._system["os.open"](path, flags, *rest, **named))

    def _fsync(self, handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        self._system_call("os.fsync", path)
        self._system["os.fsync"](handle)
        if not self._own(path):
            return
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            self._folder_synced(path)
        else:
            self._images[self._key(path)].synced()

    def _pwrite(self, handle: int, data: Any, offset: int) -> int:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        self._system_call("os.pwrite", path)
        if self._own(path):
            self._images[self._key(path)].note(self._next_serial(), offset, bytes(data))
        return int(self._system["os.pwrite"](handle, data, offset))

    def _fdatasync(self, handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        self._system_call("os.fdatasync", path)
        self._system["os.fdatasync"](handle)
        if self._own(path):
            self._images[self._key(path)].synced()

    def _unlink(self, path: Any, **named: Any) -> None:
        self._system_call("os.unlink", path)
        self._system["os.unlink"](path, **named)

    def _rename(self, source: Any, target: Any, **named: Any) -> None:
        self._system_call("os.rename", source)
        self._system["os.rename"](source, target, **named)

    def _statvfs(self, path: Any) -> os.statvfs_result:
        found = self._system_room(path)
        full = self._fault is not None and self._fault.full and self.failed
        return os.statvfs_result((*found[:4], 0, *found[5:])) if full and self._own(path) else found

    # ---------------------------------------------------------------- what happens and what is safe

    def _verdict(self, kind: str) -> int:
        """The system's number of the error with which this call has to fail; 0: it works."""
        self.calls[kind] += 1
        wanted = self._fault
        self.calls["space"] += kind in GROWING
        if wanted is not None and (kind == wanted.kind or (wanted.kind == "space" and kind in GROWING)):
            number = self.calls[wanted.kind]
            if number == wanted.number or (wanted.lasting and number > wanted.number):
                self.failed += 1
                return errno.ENOSPC if wanted.full else errno.EIO
        if kind in CHANGING:
            self.before_change()
        return 0

    def _next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def _folder_synced(self, folder: Path) -> None:
        inside = str(folder.relative_to(self.root))
        present = {name: key for name, key in self._present_names().items() if str(Path(name).parent) == inside}
        self._names = {name: key for name, key in self._names.items() if str(Path(name).parent) != inside} | present

    def _present_names(self) -> dict[str, int]:
        return {str(path.relative_to(self.root)): self._key(path) for path in self.root.rglob("*") if path.is_file()}

    def _key(self, path: Path) -> int:
        inode = path.stat().st_ino
        if inode not in self._images:
            self._images[inode] = Image(self._system["os.open"](path, os.O_RDONLY))
        return inode
