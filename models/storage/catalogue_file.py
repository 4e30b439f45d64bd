"""Opening `catalogue.db` for writing: refuse what a newer program wrote, migrate what an older one did, set aside what is
damaged."""

import logging
import shutil
import uuid
from concurrent.futures import Executor
from pathlib import Path

import apsw
from playhouse.migrations import Runner

from models.domain.clock import Clock
from models.domain.problems import Problem, trouble
from models.storage.access import create_private_file, sync_folder
from models.storage.catalogue import SCHEMA
from models.storage.catalogue import Workspace as WorkspaceRow
from models.storage.engine import APPLICATION_ID, WorkspaceDatabase, let_go, open_database, open_reader
from models.storage.log_copying import LogCopying
from models.storage.segments.log_check import UNDER_WAY, lost_commits
from models.storage.store_errors import DAMAGED, IMPOSSIBLE, engine_error
from models.storage.workspace import Workspace

MIGRATIONS = Path(__file__).parent / "migrations"
_log = logging.getLogger(__name__)
FILE_ENDINGS = ("", "-wal", "-shm", "-journal")


def open_catalogue(workspace: Workspace, clock: Clock, migrations: Path = MIGRATIONS) -> WorkspaceDatabase:
    """The catalogue at the present schema; made where there is none.

    Raises `EnvironmentProblem` workspace.newer (nothing was touched), and the engine's errors.
    """
    path = workspace.catalogue
    if path.exists() and path.stat().st_size:
        _refuse_newer(path)
    elif not path.exists():
        create_private_file(path)
        sync_folder(path.parent)
    database = open_database(path, create=True, incremental_vacuum=True)
    try:
        _migrate(database, path, migrations)
        if not WorkspaceRow.select().where(WorkspaceRow.key == "id").exists(database):
            rows = [{"key": "id", "value": str(uuid.uuid4())}, {"key": "created_us", "value": str(clock.wall_us())}]
            WorkspaceRow.insert_many(rows).execute(database)
    except BaseException:
        let_go(database)
        raise
    return database


def open_or_replace_catalogue(
    workspace: Workspace, clock: Clock, aside: Executor | None = None
) -> tuple[WorkspaceDatabase, Problem | None]:
    """As `open_catalogue`; a damaged one is set aside (the problem says so) and an empty one is made in its place, for the
    segments to fill. `aside`: see `LogCopying`."""
    database, replaced = _open_or_replace(workspace, clock)
    if aside is not None:
        LogCopying(database.connection(), workspace.catalogue, aside)
    return database, replaced


def _open_or_replace(workspace: Workspace, clock: Clock) -> tuple[WorkspaceDatabase, Problem | None]:
    path = workspace.catalogue
    kept: Problem | None = None
    try:
        kept = _keep_unreachable(path, clock)
        database = open_catalogue(workspace, clock)
        try:
            damage = _damage(database.connection())
        except BaseException:
            let_go(database)
            raise
        if not damage:
            return database, kept
        let_go(database)
    except Exception as error:
        if not isinstance(engine_error(error), (*DAMAGED, *IMPOSSIBLE)):
            raise
        damage = str(error)
    aside = set_aside(path, clock)
    _log.error("%s is damaged and set aside as %s: %s", path, aside, damage)
    return open_catalogue(workspace, clock), Problem("store.corrupt", {"path": str(aside), "detail": damage})


def _damage(connection: apsw.Connection) -> str:
    """What the engine's check finds; empty: nothing. Asked twice, as it calls damage also what just now could not be read."""
    found = str(connection.pragma("quick_check", 1))
    if found != "ok":
        connection.pragma("shrink_memory")  # read it anew
        found = str(connection.pragma("quick_check", 1))
    return "" if found == "ok" else found


def _keep_unreachable(path: Path, clock: Clock) -> Problem | None:
    """Where a log holds changes that the engine cannot reach, the catalogue goes on as it was before them, and what the
    segments know is taken in again. Both files are kept as they are, beside it, as words of the user may be among them."""
    log = Path(f"{path}-wal")
    if not log.exists() or not log.stat().st_size or not path.stat().st_size:
        return None
    _refuse_newer(path)
    database = open_database(path)
    try:
        lost = lost_commits(database.connection(), path)
    finally:
        let_go(database)
    if lost <= UNDER_WAY:
        return None
    aside = _aside(path, clock)
    for ending in ("", "-wal"):
        create_private_file(Path(f"{aside}{ending}"))
        shutil.copyfile(f"{path}{ending}", f"{aside}{ending}")
    sync_folder(path.parent)
    _log.error("the log of %s is damaged; kept as %s", path, aside)
    return Problem("store.corrupt", {"path": str(aside), "detail": f"{lost} changes in its log cannot be reached"})


def set_aside(path: Path, clock: Clock, reason: str = "damaged") -> Path:
    """Move a database with all its files out of the way, whole; nothing is deleted. Answers the new path."""
    aside = _aside(path, clock, reason)
    for ending in FILE_ENDINGS:
        file = Path(f"{path}{ending}")
        if file.exists():
            file.rename(f"{aside}{ending}")
    sync_folder(path.parent)
    return aside


def _aside(path: Path, clock: Clock, reason: str = "damaged") -> Path:
    return path.with_name(f"{path.name}.{reason}-{clock.wall_us()}")


def _refuse_newer(path: Path) -> None:
    hot = Path(f"{path}-journal").exists()  # the power went while it was made: readers cannot roll that back
    try:
        reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE) if hot else open_reader(path)
        try:
            found, application = int(reader.pragma("user_version")), int(reader.pragma("application_id"))
        finally:
            reader.close()
    except apsw.ReadOnlyError as error:
        raise trouble("workspace.read-only", path=str(path), detail=str(error)) from error
    if application not in (0, APPLICATION_ID):
        raise trouble("store.io", path=str(path), detail="it is the database of another program")
    if found > SCHEMA:
        raise trouble("workspace.newer", found=found, known=SCHEMA)


def _migrate(database: WorkspaceDatabase, path: Path, migrations: Path) -> None:
    found = int(database.connection().pragma("user_version"))
    if found == SCHEMA:
        return
    runner = Runner(database, directory=str(migrations))
    known = [migration.idx for migration in runner.migrations()]
    if known != list(range(1, SCHEMA + 1)):
        raise RuntimeError(f"migrations {known} in {migrations} do not lead to schema {SCHEMA}")
    if found:
        _back_up(database.connection(), path.with_name(f"{path.stem}-{found}.bak"))
    runner.up()
    reached = int(database.connection().pragma("user_version"))
    if reached != SCHEMA:
        raise RuntimeError(f"migrations ended at schema {reached}, not {SCHEMA}")


def _back_up(source: apsw.Connection, path: Path) -> None:
    """A consistent copy that is on the disk before the migration begins."""
    for ending in FILE_ENDINGS:
        Path(f"{path}{ending}").unlink(missing_ok=True)
    create_private_file(path)
    target = apsw.Connection(str(path))
    try:
        target.pragma("synchronous", "FULL")
        with target.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(1_000)
        target.pragma("journal_mode", "DELETE")  # one file, readable anywhere
    finally:
        target.close()
    sync_folder(path.parent)
