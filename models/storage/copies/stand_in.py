"""A workspace to look at and to take from, in place of a backup or of somebody's copied folder: that itself is never touched.

A backup is unpacked. Of a folder only what would have to be written is copied (the catalogue, and segments that were not closed
well); the closed segments, nearly all of it, are links to where they lie. Then our copy is opened once as a recorder would open
it, which brings the catalogue up to date, and closed again: from there on everything in it is at rest.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from models.domain.clock import Clock
from models.domain.problems import trouble
from models.storage.access import create_private_file, refuse_newer
from models.storage.copies.restore import restore
from models.storage.engine import open_database
from models.storage.keeping.retention import NO_LIMIT, StoreLimits
from models.storage.lock import FRESH_BEAT_US, own_host, read_lock
from models.storage.store_errors import DAMAGED, engine_error, problems_of
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter

Progress = Callable[[int, int], None]
"""Gets the bytes done and about how many there are; what it raises ends the work."""
_BLOCK_BYTES = 4 * 1024 * 1024
_KEEP_ALL = StoreLimits(
    retention_bytes=NO_LIMIT, retention_s=NO_LIMIT, import_bytes=NO_LIMIT, import_s=NO_LIMIT, hours_bytes=NO_LIMIT,
    hours_s=NO_LIMIT,
)  # fmt: skip
_LOGS = ("-wal", "-journal")
_GOES_ON = "UPDATE capture SET ended_us = NULL WHERE id = (SELECT max(id) FROM capture WHERE kind = 'record')"
_LAST = """SELECT coalesce((SELECT host FROM capture WHERE kind = 'record' ORDER BY id DESC LIMIT 1), ''),
    coalesce((SELECT max(last_us) FROM segment WHERE state = 'closed' AND capture_id =
        (SELECT max(id) FROM capture WHERE kind = 'record')), (SELECT max(last_us) FROM segment WHERE state = 'closed'), 0)"""


class StoodIn(NamedTuple):
    """`until_us`: as of when history is told (0: there is none). `made_us`: when the backup was made (0: a folder). `since_us`: it holds nothing that ended before (0: everything).
    `host`: where it was made, or recorded last; "" where nobody knows. `missing`: segments that it should hold and does not."""

    workspace: Workspace
    until_us: int = 0
    made_us: int = 0
    since_us: int = 0
    host: str = ""
    missing: int = 0


def stand_in(source: Path, folder: Path, clock: Clock, progress: Progress) -> StoodIn:
    """Make `folder`, which is not there yet, stand in for `source`, a backup or a folder. Any thread or process.

    Raises `EnvironmentProblem` backup.*, workspace.missing, workspace.newer, workspace.recorded, file.*, store.*; then the
    caller removes what is in `folder`.
    """
    copy = Workspace.at(folder)
    if source.is_dir():
        found = _of_folder(Workspace.at(source), copy, clock, progress)
    else:
        restored = restore(copy, source, progress)
        about = restored.about
        found = StoodIn(copy, 0, about.created_us, about.since_us, about.host, len(restored.missing))
    StoreWriter(copy, clock, _KEEP_ALL).close()
    with problems_of(copy.catalogue):
        _changed(copy, _GOES_ON)  # to whoever holds its lock: who was there at the end is seen as there
        ((host, until_us),) = _changed(copy, _LAST)
    return found._replace(host=found.host or str(host), until_us=int(until_us))


def _of_folder(original: Workspace, copy: Workspace, clock: Clock, progress: Progress) -> StoodIn:
    refuse_newer(original)
    if not original.catalogue.is_file():
        raise trouble("workspace.missing", path=str(original.root))
    lock = read_lock(original)
    elsewhere = lock.host not in ("", own_host()) and abs(clock.wall_us() - lock.beat_us) < FRESH_BEAT_US
    if lock.held or elsewhere:
        raise trouble("workspace.recorded", path=str(original.root), host=lock.host or own_host())
    with problems_of(original.root):
        copy.root.mkdir(mode=0o700, parents=True)
        copy.segments.mkdir(mode=0o700)
        copier = _Copier(progress)
        texts = (original.settings, original.templates, original.rules, original.queries)
        for path in (original.catalogue, original.tasks, *texts):
            copier.copy([path, *_logs(path)], copy.root)
        if layouts := sorted(original.layouts.glob("*.toml")):
            copy.layouts.mkdir(mode=0o700)
            copier.copy(layouts, copy.layouts)
        closed = _closed(copy)
        taken = {path: id_ in closed and not _logs(path) for id_, path in _segments(original)}
        copier.total += sum(path.stat().st_size for path, linked in taken.items() if not linked)
        for path, linked in taken.items():
            if linked:
                (copy.segments / path.name).symlink_to(path)
            else:
                copier.copy([path, *_logs(path)], copy.segments)
    return StoodIn(copy)


def _segments(workspace: Workspace) -> list[tuple[int, Path]]:
    found = [(int(path.stem), path) for path in workspace.segments.glob("*.db") if path.stem.isdigit()]
    return sorted(found)


def _logs(path: Path) -> list[Path]:
    """What belongs to a database that was not closed well. Its shared memory is made anew."""
    found = [Path(f"{path}{ending}") for ending in _LOGS]
    return [one for one in found if one.exists() and one.stat().st_size]


def _closed(copy: Workspace) -> set[int]:
    """Segments that nobody writes any more, not even whoever mends a workspace. None where the catalogue is damaged."""
    try:
        database = open_database(copy.catalogue)
        try:
            query = "SELECT id FROM segment WHERE state IN ('closed', 'quarantined')"
            return {id_ for (id_,) in database.connection().execute(query)}
        finally:
            database.close()
    except Exception as error:
        if not isinstance(engine_error(error), (*DAMAGED, apsw.SQLError)):
            raise
        return set()


class _Copier:
    """Copies files, for their owner alone, and tells how far it is."""

    def __init__(self, progress: Progress) -> None:
        self.total = 0
        self._done = 0
        self._progress = progress

    def copy(self, paths: list[Path], folder: Path) -> None:
        for path in paths:
            if path.exists():
                create_private_file(folder / path.name)
                with (folder / path.name).open("wb", buffering=0) as target:
                    for block in _blocks(path):
                        target.write(block)
                        self._done += len(block)
                        self._progress(self._done, max(self._done, self.total))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _changed(workspace: Workspace, statement: str) -> list[Any]:
    """What the catalogue answers."""
    database = open_database(workspace.catalogue)
    try:
        rows: list[Any] = database.connection().execute(statement).fetchall()
    finally:
        database.close()
    return rows


def remove_stand_in(folder: Path) -> None:
    """Links go, what they lead to stays."""
    shutil.rmtree(folder, ignore_errors=True)
