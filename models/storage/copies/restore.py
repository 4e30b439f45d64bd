"""`restore`: a workspace from a backup. All of it is unpacked beside, checked, and only then given its name."""

import contextlib
import errno
import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from models.domain.problems import EnvironmentProblem, trouble
from models.storage.access import refuse_newer, refuse_untouched, sync_folder
from models.storage.catalogue import SCHEMA
from models.storage.copies.format import (
    ABOUT,
    CATALOGUE,
    FORMAT,
    LARGEST_JSON_BYTES,
    LAYOUTS,
    MANIFEST,
    About,
    Held,
    Manifest,
    decode,
    may_hold,
    unusable,
)
from models.storage.segments.schema import SEALED_LAYOUT
from models.storage.store_errors import NO_SPACE, environment_problem
from models.storage.whole_file import beside
from models.storage.workspace import Workspace

_BLOCK_BYTES = 1024 * 1024
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


class Restored(NamedTuple):
    """What a backup held, and the segments that were gone already when it was made."""

    about: About
    size_bytes: int
    missing: list[int]


def restore(workspace: Workspace, path: Path, progress: Callable[[int, int], None]) -> Restored:
    """Bring the backup `path` back into a workspace that is an empty folder or none yet. `progress` gets the bytes
    unpacked, and of about how many. `path` may be a pipe.

    Raises `EnvironmentProblem` workspace.used, workspace.network, workspace.read-only, backup.unusable, backup.newer,
    file.unusable, file.full or store.io. After an exception nothing is there that was not there before.
    """
    refuse_untouched(workspace)
    root = workspace.root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise trouble("workspace.used", path=str(root))
    made = [folder for folder in root.parents if not folder.exists()]
    part = beside(root)
    try:
        with path.open("rb") as file:
            try:
                part.mkdir(mode=0o700, parents=True)
                restored = _Unpacking(part, str(path), progress).run(file)
                refuse_newer(Workspace(part))
                _appear(part, root)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                for folder in made:
                    with contextlib.suppress(OSError):
                        folder.rmdir()
                raise
    except OSError as error:
        raise _problem(error, path, root) from error
    return restored


def _problem(error: OSError, path: Path, root: Path) -> EnvironmentProblem | OSError:
    if error.errno in NO_SPACE:
        return trouble("file.full", path=str(root))
    if error.filename is not None and str(error.filename) == str(path):
        return trouble("file.unusable", path=str(path), detail=error.strerror or str(error))
    return environment_problem(error, root) or error


def _appear(part: Path, root: Path) -> None:
    for folder in (part / "segments", part / LAYOUTS, part):
        if folder.exists():
            sync_folder(folder)
    try:
        part.rename(root)  # only an empty folder is replaced
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise trouble("workspace.used", path=str(root)) from error
        raise
    sync_folder(root.parent)


class _PlainFile(tarfile.TarInfo):
    """A backup holds plain files with short names. Whatever else a tar could hold is refused before it is looked at."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_PlainFile":
        found = super().frombuf(buf, encoding, errors)
        if found.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise tarfile.ReadError(f"“{found.name}” in it is no plain file")
        return found


class _Unpacking:
    """One use."""

    def __init__(self, folder: Path, name: str, progress: Callable[[int, int], None]) -> None:
        self._folder, self._name, self._progress = folder, name, progress
        self._held: dict[str, Held] = {}
        self._done = self._total = 0

    def run(self, file: IO[bytes]) -> Restored:
        """Everything, checked. Raises `EnvironmentProblem` backup.*, and `OSError` of the disk."""
        (self._folder / "segments").mkdir(mode=0o700)
        try:
            with (
                gzip.GzipFile(fileobj=file, mode="rb") as packed,
                tarfile.open(fileobj=packed, mode="r|", tarinfo=_PlainFile) as archive,
            ):
                about, manifest = self._unpack(archive)
                while block := packed.read(_BLOCK_BYTES):  # on to the check sum of all
                    if any(block):
                        raise self._unusable("something follows its end")
        except _BROKEN as error:
            raise self._unusable(str(error) or "it ends too early") from error
        return Restored(about, sum(one.size_bytes for one in manifest.files), manifest.missing)

    def _unpack(self, archive: tarfile.TarFile) -> tuple[About, Manifest]:
        about: About | None = None
        manifest: Manifest | None = None
        for place, info in enumerate(archive):
            if manifest is not None:
                raise self._unusable("something follows its end")
            if (info.name == ABOUT) != (place == 0):
                raise self._unusable("it does not begin as a backup of Murmurscope does")
            if info.name == ABOUT:
                about = decode(self._json(archive, info), About, self._name)
                self._refuse_newer(about)
                self._total = about.size_bytes
            elif info.name == MANIFEST:
                manifest = decode(self._json(archive, info), Manifest, self._name)
            else:
                self._write(archive, info)
        if about is None or manifest is None:
            raise self._unusable("it ends too early")
        self._compare(manifest)
        return about, manifest

    def _refuse_newer(self, about: About) -> None:
        if about.murmurscope_backup > FORMAT or about.catalogue_schema > SCHEMA or about.segment_layout > SEALED_LAYOUT:
            raise trouble("backup.newer", path=self._name, version=about.version)

    def _json(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
        if info.size > LARGEST_JSON_BYTES:
            raise self._unusable(f"{info.name} in it is too large")
        file = archive.extractfile(info)
        assert file is not None
        return file.read()

    def _write(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        if not may_hold(info.name) or info.name in self._held:
            raise self._unusable(f"“{info.name}” in it does not belong there")
        source = archive.extractfile(info)
        assert source is not None
        digest = hashlib.sha256()
        (self._folder / info.name).parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(self._folder / info.name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as target:
            while block := source.read(_BLOCK_BYTES):
                target.write(block)
                digest.update(block)
                self._done += len(block)
                self._progress(self._done, max(self._done, self._total))
            target.flush()
            os.fsync(target.fileno())
        self._held[info.name] = Held(info.name, info.size, digest.hexdigest())

    def _compare(self, manifest: Manifest) -> None:
        wanted = {one.name: one for one in manifest.files}
        if CATALOGUE not in wanted or len(wanted) != len(manifest.files) or wanted.keys() != self._held.keys():
            raise self._unusable("its files are not those that its manifest names")
        for name, one in wanted.items():
            if self._held[name] != one:
                raise self._unusable(f"{name} in it is not as it was backed up")

    def _unusable(self, detail: str) -> EnvironmentProblem:
        return unusable(self._name, detail)
