"""`backup`: everything that a workspace holds, as of one moment, while a recorder may be writing.

Why it is consistent. The catalogue is copied first, in one step, and says which segments there are; segments are added one by
one after it. Nothing in the catalogue is about a batch that its segment does not hold, so a segment that went on meanwhile is
what a kill of the recorder leaves: ahead of the catalogue, and the next recorder takes in the rest. (The other way round the
catalogue would know batches that are not there.) Of the segments that were being written all but the newest had ended, so what
the backup holds is everything up to one commit. A segment begun later is not in it. Closed segments are read as they are; one
that retention removes before its turn is marked removed in our copy too, with the gap that retention leaves. That is why the
copy of the catalogue comes last in the file. Imports under way are left out.

A backup since some time leaves out the segments that ended before. Its copy of the catalogue marks them as removed, with a gap
that says so: who looks at it sees that there was history, and where it begins to be missing.
"""

import gzip
import hashlib
import io
import os
import platform
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import apsw

from models.domain.clock import Clock
from models.domain.problems import trouble
from models.domain.records import GapCause
from models.storage.copies.format import ABOUT, CATALOGUE, FORMAT, MANIFEST, TASKS, About, Held, Manifest, encode
from models.storage.history.store_view import read_catalogue
from models.storage.keeping.pins import pinned
from models.storage.keeping.retention import ClosedSegment, Retention, StoreLimits
from models.storage.segments.open_segment import DAMAGE, open_reading
from models.storage.segments.schema import SEALED_LAYOUT
from models.storage.segments.segment_copy import copied_segment
from models.storage.segments.segment_file import files_size
from models.storage.store_errors import problems_of
from models.storage.tasks.reading import copied_tasks
from models.storage.whole_file import whole_file
from models.storage.workspace import Workspace

Progress = Callable[[int, int], None]
"""Gets the bytes put in and about how many there will be."""
Damaged = Callable[[int, str], None]
"""Gets a segment that cannot be read and why; it goes in as it is, or is not there at all."""
_SEGMENTS = """SELECT id, state, layout, taken_batch, first_us, last_us, messages FROM segment
    WHERE state IN ('open', 'closed', 'quarantined') ORDER BY id"""


class BackedUp(NamedTuple):
    """What a backup holds, in bytes of files, and what it was told to leave out: segments, and the messages in them."""

    size_bytes: int
    left_out: int
    left_out_messages: int


class _Row(NamedTuple):
    id: int
    state: str
    layout: int
    taken_batch: int
    first_us: int
    last_us: int
    messages: int


def backup_file(
    workspace: Workspace, path: Path, texts: Mapping[str, bytes], version: str, clock: Clock, *, overwrite: bool,
    progress: Progress, damaged: Damaged, since_us: int = 0,
) -> BackedUp:  # fmt: skip
    """As `backup`, into a file that appears whole or not at all. Raises also file.exists, file.unusable and file.full."""
    with whole_file(path, overwrite=overwrite, rights=0o600) as out:
        return backup(
            workspace, out, texts, version, clock, scratch=path.absolute().parent, progress=progress, damaged=damaged,
            since_us=since_us,
        )  # fmt: skip


def backup(
    workspace: Workspace, out: BinaryIO, texts: Mapping[str, bytes], version: str, clock: Clock, *, scratch: Path,
    progress: Progress, damaged: Damaged, since_us: int = 0,
) -> BackedUp:  # fmt: skip
    """Write a backup to `out`, which need not be seekable, and answer what it holds. Segments that ended before `since_us`
    are left out (0: none).

    `texts` are the files of the workspace that people edit, by name; `version` is the program's. The segment that is being
    written is copied to a nameless file in `scratch` first. Raises `EnvironmentProblem` workspace.*, store.*, backup.changed,
    and what `out` and `scratch` raise.
    """
    tasks = copied_tasks(workspace)  # first: it says how far reports were taken, and nothing of what was not recorded
    live = read_catalogue(workspace)
    copy = apsw.Connection(":memory:")
    try:
        with problems_of(workspace.catalogue):
            with copy.backup("main", live, "main") as step:
                step.step(-1)  # at once: it would begin again after every commit
            copy.execute("DELETE FROM segment WHERE state = 'importing'")
            rows = [_Row(*row) for row in copy.execute(_SEGMENTS)]
            old = [row for row in rows if row.state != "open" and row.last_us < since_us]
            _leave_out(workspace, copy, old)
            rows = [row for row in rows if row not in old]
            schema = int(copy.pragma("user_version"))
        about = About(
            FORMAT, version, schema, SEALED_LAYOUT, clock.wall_us(),
            files_size(workspace.catalogue) + sum(files_size(workspace.segment(row.id)) for row in rows),
            since_us if old else 0, platform.node(),
        )  # fmt: skip
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=1) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            files = _Files(archive, about, progress)
            files.add_bytes(ABOUT, encode(about))
            for name, text in texts.items():
                files.add_bytes(name, text)
            if tasks is not None:
                files.add_bytes(TASKS, tasks)
            segments = _Segments(workspace, live, copy, files, scratch, damaged)
            with pinned(workspace, lambda: [row.id for row in rows]):
                for row in rows:
                    segments.add(row)
            files.add_bytes(CATALOGUE, copy.serialize("main"))
            held = files.size_bytes
            files.add_bytes(MANIFEST, encode(Manifest(files.held[1:], segments.missing)))
        return BackedUp(held, len(old), sum(row.messages for row in old))
    finally:
        copy.close()
        live.close()


def _leave_out(workspace: Workspace, copy: apsw.Connection, rows: Sequence[_Row]) -> None:
    """Say in our copy of the catalogue that they are not here. A damaged one has its gap already."""
    retention = Retention(workspace, copy, StoreLimits())
    for row in rows:
        if row.state == "closed":
            gone = ClosedSegment(row.id, row.first_us, row.last_us, row.messages, 0, 0)
            retention.mark_removed(gone, GapCause.LEFT_OUT)
        else:
            copy.execute("UPDATE segment SET state = 'removed', bytes = 0 WHERE id = ?", (row.id,))


class _Files:
    """The archive, and what went into it."""

    def __init__(self, archive: tarfile.TarFile, about: About, progress: Progress) -> None:
        self.held: list[Held] = []
        self.size_bytes = 0
        self._archive, self._about, self._progress = archive, about, progress

    def add_bytes(self, name: str, data: bytes) -> None:
        self.add(name, io.BytesIO(data), len(data), Path(name))

    def add(self, name: str, file: BinaryIO, size_bytes: int, path: Path) -> None:
        """`path` is what a problem with reading names."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size_bytes, 0o600, self._about.created_us // 1_000_000
        reading = _Reading(file, path, self._count)
        self._archive.addfile(info, reading)  # type: ignore[arg-type] # it reads, and that is all that is needed
        self.held.append(Held(name, size_bytes, reading.digest.hexdigest()))

    def tell(self) -> None:
        """Say how far it is."""
        self._progress(self.size_bytes, max(self.size_bytes, self._about.size_bytes))

    def _count(self, size_bytes: int) -> None:
        self.size_bytes += size_bytes
        self.tell()


class _Reading:
    """A file that is hashed and counted as it is read."""

    def __init__(self, file: BinaryIO, path: Path, count: Callable[[int], None]) -> None:
        self.digest = hashlib.sha256()
        self._file, self._path, self._count = file, path, count

    def read(self, size: int) -> bytes:
        with problems_of(self._path):
            data = self._file.read(size)
        self.digest.update(data)
        self._count(len(data))
        return data


class _Segments:
    """Puts segments into a backup."""

    def __init__(
        self, workspace: Workspace, live: apsw.Connection, copy: apsw.Connection, files: _Files, scratch: Path,
        damaged: Damaged,
    ) -> None:  # fmt: skip
        self.missing: list[int] = []
        self._workspace, self._live, self._copy, self._files = workspace, live, copy, files
        self._scratch, self._damaged = scratch, damaged

    def add(self, row: _Row) -> None:
        path = self._workspace.segment(row.id)
        try:
            if row.state == "quarantined":
                self._add_damaged(row.id, path)
            elif (row.state == "closed" or _is_sealed(path)) and not _has_log(path):
                self._add_as_it_is(path)
            else:
                self._add_copy(row, path)
        except FileNotFoundError:
            self._leave_out(row)
        except DAMAGE as error:
            if not path.exists():
                self._leave_out(row)
                return
            self._damaged(row.id, str(error))
            self._add_damaged(row.id, path)

    def _add_copy(self, row: _Row, path: Path) -> None:
        with copied_segment(path, self._scratch, self._files.tell) as file:
            if file is None:
                self._leave_out(row)
            else:
                self._files.add(f"segments/{path.name}", file, os.fstat(file.fileno()).st_size, path)

    def _add_as_it_is(self, path: Path) -> None:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            self._files.add(f"segments/{path.name}", file, before.st_size, path)
            after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise trouble("backup.changed", path=str(path))  # just then its log was being let go of

    def _add_damaged(self, id_: int, path: Path) -> None:
        """With its log, for whoever mends it. Nobody else writes it any more."""
        for ending in ("", "-wal"):
            part = Path(f"{path}{ending}")
            if part.exists() and (part.stat().st_size or not ending):
                with part.open("rb") as file:
                    self._files.add(f"segments/{part.name}", file, os.fstat(file.fileno()).st_size, part)
            elif not ending:
                self._tell_missing(id_)

    def _leave_out(self, row: _Row) -> None:
        """There is no such file any more, or not yet; our copy of the catalogue has to say so."""
        query = "SELECT id, first_us, last_us, messages, state FROM segment WHERE id = ?"
        with problems_of(self._workspace.catalogue):
            found = self._live.execute(query, (row.id,)).fetchall()
        if found and found[0][4] == "removed":
            gone = ClosedSegment._make((*found[0][:4], 0, 0))
            Retention(self._workspace, self._copy, StoreLimits()).mark_removed(gone)
        elif row.state == "open" and not row.taken_batch:  # its recorder was killed, or is just making it
            self._copy.execute("DELETE FROM segment WHERE id = ?", (row.id,))
        else:
            self._tell_missing(row.id)

    def _tell_missing(self, id_: int) -> None:
        self.missing.append(id_)
        self._damaged(id_, "the file is gone")


def _is_sealed(path: Path) -> bool:
    """It may have ended, and been sealed, since the catalogue was copied."""
    reader = open_reading(path, closed=False)
    try:
        return reader.execute("SELECT value FROM meta WHERE key = 'layout'").fetchall() == [(str(SEALED_LAYOUT),)]
    except apsw.SQLError:  # it is just being made
        return False
    finally:
        reader.close()


def _has_log(path: Path) -> bool:
    return any(Path(f"{path}{ending}").exists() for ending in ("-wal", "-journal"))
