"""Folder, lock, catalogue: what happens before the first message."""

import fcntl
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import peewee
import pytest

from models.domain.problems import EnvironmentProblem
from models.storage import catalogue
from models.storage.access import file_system_kind, prepare_folder
from models.storage.catalogue_file import MIGRATIONS, open_catalogue, set_aside
from models.storage.engine import WorkspaceDatabase, open_database
from models.storage.lock import FRESH_BEAT_US, RecorderLock, read_lock
from models.storage.segments import schema as segment
from models.storage.workspace import Workspace
from tests.helpers.clock import FakeClock


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def problem(raised: pytest.ExceptionInfo[EnvironmentProblem]) -> str:
    return raised.value.problem.code


def test_folder_and_files_are_for_the_owner_alone(workspace: Workspace, clock: FakeClock) -> None:
    prepare_folder(workspace)
    database = open_catalogue(workspace, clock)
    database.connection().execute("INSERT INTO audit VALUES (1, 1, '')")
    assert mode(workspace.root) == 0o700
    assert {path.name: oct(mode(path)) for path in workspace.root.iterdir() if path.is_file()} == {
        name: oct(0o600) for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm")
    }
    database.close()


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "fuse.glusterfs"])
def test_network_file_systems_are_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "net work"
    escaped = str(folder).replace(" ", "\\040")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/a rw\n"
        f"30 22 0:40 / {escaped} rw,relatime shared:1 - {kind} server:/x rw\n"
        "broken line\n"
    )
    with pytest.raises(EnvironmentProblem) as raised:
        prepare_folder(Workspace.at(folder / "ws"), mounts)
    assert problem(raised) == "workspace.network"
    assert raised.value.problem.params["kind"] == kind
    assert not folder.exists()
    assert file_system_kind(tmp_path / "net", mounts) == "ext4"
    prepare_folder(Workspace.at(tmp_path / "here"), mounts)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_folder_that_may_not_be_written_is_refused(workspace: Workspace) -> None:
    workspace.root.mkdir(mode=0o500)
    with pytest.raises(EnvironmentProblem) as raised:
        prepare_folder(workspace)
    assert problem(raised) == "workspace.read-only"


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "ws").write_text("")
    with pytest.raises(EnvironmentProblem) as raised:
        prepare_folder(Workspace.at(tmp_path / "ws"))
    assert problem(raised) == "store.io"


def test_newer_catalogue_is_refused_and_not_touched(workspace: Workspace, clock: FakeClock) -> None:
    prepare_folder(workspace)
    open_catalogue(workspace, clock).close()
    connection = apsw.Connection(str(workspace.catalogue))
    connection.pragma("user_version", catalogue.SCHEMA + 1)
    connection.close()
    before = workspace.catalogue.read_bytes()
    with pytest.raises(EnvironmentProblem) as raised:
        open_catalogue(workspace, clock)
    assert problem(raised) == "workspace.newer"
    assert workspace.catalogue.read_bytes() == before


def test_database_of_another_program_is_refused(workspace: Workspace, clock: FakeClock) -> None:
    prepare_folder(workspace)
    connection = apsw.Connection(str(workspace.catalogue))
    connection.pragma("application_id", 7)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = workspace.catalogue.read_bytes()
    with pytest.raises(EnvironmentProblem) as raised:
        open_catalogue(workspace, clock)
    assert problem(raised) == "store.io"
    assert workspace.catalogue.read_bytes() == before


def test_a_bundle_that_forgot_the_migrations_fails_loudly(
    workspace: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    prepare_folder(workspace)
    with pytest.raises(RuntimeError, match="do not lead to schema"):
        open_catalogue(workspace, clock, migrations=tmp_path)


def test_migrating_an_older_catalogue_backs_it_up_first(
    workspace: Workspace, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_folder(workspace)
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.py").write_text((MIGRATIONS / "0001_first.py").read_text())
    monkeypatch.setattr("models.storage.catalogue_file.SCHEMA", 1)
    open_catalogue(workspace, clock, migrations=folder).close()
    second = folder / "0002_second.py"
    second.write_text("def up(m, db):\n    db.execute_sql('CREATE TABLE half (x)')\n    raise RuntimeError('broken')\n")
    monkeypatch.setattr("models.storage.catalogue_file.SCHEMA", 2)
    with pytest.raises(RuntimeError, match="broken"):
        open_catalogue(workspace, clock, migrations=folder)
    connection = apsw.Connection(str(workspace.catalogue))
    assert connection.pragma("user_version") == 1
    assert not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'half'").fetchall()
    connection.close()
    second.write_text(
        "def up(m, db):\n    db.execute_sql('CREATE TABLE whole (x)')\n    db.execute_sql('PRAGMA user_version = 2')\n"
    )
    open_catalogue(workspace, clock, migrations=folder).close()
    backup = apsw.Connection(str(workspace.root / "catalogue-1.bak"))
    assert backup.pragma("user_version") == 1
    assert backup.execute("SELECT count(*) FROM workspace").fetchall() == [(2,)]
    assert backup.pragma("journal_mode") == "delete"
    backup.close()
    assert mode(workspace.root / "catalogue-1.bak") == 0o600


def test_a_catalogue_of_the_first_schema_is_brought_up_to_date(
    workspace: Workspace, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_folder(workspace)
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.py").write_text((MIGRATIONS / "0001_first.py").read_text())
    with monkeypatch.context() as before:
        before.setattr("models.storage.catalogue_file.SCHEMA", 1)
        database = open_catalogue(workspace, clock, migrations=folder)
    connection = database.connection()
    connection.execute("INSERT INTO series VALUES (1, 1, 'cpu', '', '1', 0, 'test')")
    connection.execute("INSERT INTO agent_now VALUES (1, 1, 0, 'heard', 5, 5, 9, 3, 0.5, 1, NULL, 0, 0, 0, 0, 0, 2)")
    database.close()
    database = open_catalogue(workspace, clock)
    connection = database.connection()
    assert connection.execute("SELECT metric, imported FROM series").fetchall() == [("cpu", 0)]
    assert connection.execute("SELECT cpu, tasks_open, imported FROM agent_now").fetchall() == [(0.5, 2, 0)]
    assert connection.execute("SELECT count(*) FROM imported_file").fetchall() == [(0,)]
    database.close()


def schema_of(database: WorkspaceDatabase) -> dict[str, object]:
    """Columns (name, type, not null, key) and indexes (columns, unique) of every table."""
    connection = database.connection()
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found: dict[str, object] = {}
    for table in tables:
        columns = [(row[1], row[2], row[3], row[5]) for row in connection.execute(f"PRAGMA table_info({table})")]
        indexes = sorted(
            (name, unique, [column[2] for column in connection.execute(f"PRAGMA index_info({name})")])
            for _, name, unique, origin, _ in connection.execute(f"PRAGMA index_list({table})")
            if origin == "c"
        )
        found[table] = (columns, indexes)
    return found


@pytest.mark.parametrize(
    ("models", "kind"), [(catalogue.CATALOGUE_MODELS, "catalogue"), (segment.SEGMENT_MODELS, "segment")]
)
def test_models_equal_the_real_schema(
    workspace: Workspace, clock: FakeClock, models: list[type[peewee.Model]], kind: str
) -> None:
    prepare_folder(workspace)
    expected = open_database(workspace.root / "models.db", create=True)
    with expected.bind_ctx(models):
        expected.create_tables(models, safe=False)
    if kind == "catalogue":
        real = open_catalogue(workspace, clock)
    else:
        real = open_database(workspace.segment(1), create=True)
        segment.create_tables(real)
    found = schema_of(real)
    found.pop("schema_migration", None)
    assert found == schema_of(expected)
    real.close()
    expected.close()


def test_set_aside_moves_all_files_of_a_database(workspace: Workspace, clock: FakeClock) -> None:
    prepare_folder(workspace)
    for ending in ("", "-wal", "-shm"):
        Path(f"{workspace.catalogue}{ending}").write_text(f"x{ending}")
    aside = set_aside(workspace.catalogue, clock)
    assert [Path(f"{aside}{ending}").read_text() for ending in ("", "-wal", "-shm")] == ["x", "x-wal", "x-shm"]
    assert not list(workspace.root.glob("catalogue.db"))


def test_lock_keeps_a_second_recorder_out_and_says_who_holds_it(workspace: Workspace, clock: FakeClock) -> None:
    first, second = RecorderLock(workspace, clock), RecorderLock(workspace, clock)
    assert not read_lock(workspace).held
    first.acquire("1.0")
    with pytest.raises(EnvironmentProblem) as raised:
        second.acquire("1.0")
    assert problem(raised) == "workspace.busy"
    assert raised.value.problem.params == {"pid": os.getpid(), "since": "2026-01-01T00:00:00Z"}
    state = read_lock(workspace)
    assert (state.held, state.alive, state.pid, state.version) == (True, True, os.getpid(), "1.0")
    inode = workspace.lock.stat().st_ino
    clock.advance(5_000_000)
    first.beat()
    assert read_lock(workspace).beat_us == clock.wall_us()
    assert workspace.lock.stat().st_ino == inode
    first.release()
    first.release()
    assert not read_lock(workspace).held
    second.acquire("1.1")
    assert read_lock(workspace).version == "1.1"
    second.release()


def test_lock_goes_with_its_process(workspace: Workspace, clock: FakeClock) -> None:
    program = (
        "import sys; from models.domain.clock import SystemClock; from models.storage.lock import RecorderLock\n"
        "from models.storage.workspace import Workspace\n"
        "RecorderLock(Workspace.at(sys.argv[1]), SystemClock()).acquire('1'); print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(workspace.root)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdin
    assert child.stdout.readline() == "held\n"
    assert read_lock(workspace).pid == child.pid
    lock = RecorderLock(workspace, clock)
    with pytest.raises(EnvironmentProblem):
        lock.acquire("1")
    child.kill()
    child.wait()
    child.stdout.close()
    child.stdin.close()
    state = read_lock(workspace)
    assert (state.held, state.alive, state.pid) == (False, False, child.pid)
    lock.acquire("1")
    lock.release()


def test_a_fresh_heartbeat_of_another_computer_counts(workspace: Workspace, clock: FakeClock) -> None:
    prepare_folder(workspace)
    workspace.lock.write_text(json.dumps({"pid": 1, "host": "elsewhere", "beat_us": clock.wall_us() - 1_000_000}))
    lock = RecorderLock(workspace, clock)
    with pytest.raises(EnvironmentProblem) as raised:
        lock.acquire("1")
    assert problem(raised) == "workspace.busy-elsewhere"
    clock.advance(FRESH_BEAT_US)
    lock.acquire("1")
    lock.release()


def test_a_note_that_is_no_note_does_no_harm(workspace: Workspace, clock: FakeClock) -> None:
    prepare_folder(workspace)
    workspace.lock.write_bytes(b"\xff[garbage")
    with workspace.lock.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert read_lock(workspace).held
        with pytest.raises(EnvironmentProblem):
            RecorderLock(workspace, clock).acquire("1")
