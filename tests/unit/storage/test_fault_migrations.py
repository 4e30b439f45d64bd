"""A migration of the catalogue that is killed, or loses power, at any moment: a whole schema is there, older or newer."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from models.storage.catalogue import SCHEMA
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.faulty_disk import FaultyDisk
from tests.helpers.faulty_disk_picture import SHAPES, Picture
from tests.helpers.old_catalogue import BATCHES, FOLDER, make_workspace, put_old_catalogue
from tests.helpers.store import rows
from tests.helpers.store_life import BATCH

OLD = range(1, SCHEMA)
TEMPLATE = """
import os, random, signal, sys, time
from models.domain.clock import SystemClock
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter

chance = random.Random(20261128)
longest_s = 0  # of one that is not killed: the first
for line in sys.stdin:
    began_s = time.perf_counter()
    pid = os.fork()
    if not pid:
        StoreWriter(Workspace.at(line.strip()), SystemClock()).close()
        os._exit(0)
    if longest_s:
        end_s = began_s + chance.uniform(0, longest_s)
        while time.perf_counter() < end_s:
            pass
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    longest_s = longest_s or time.perf_counter() - began_s
    print("done", flush=True)
"""


@pytest.fixture
def made(fast_folder: Path) -> Workspace:
    found = Workspace.at(fast_folder / "made")
    make_workspace(found, FakeClock())
    return found


def schema_in(path: Path) -> tuple[int, list[str]]:
    """Number of the schema and what it consists of; that its structure is whole, too."""
    connection = apsw.Connection(str(path))
    try:
        assert connection.pragma("integrity_check") == "ok"
        statements = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1").fetchall()
        return int(connection.pragma("user_version")), [str(sql) for (sql,) in statements]
    finally:
        connection.close()


def whole_schemas(made: Workspace, folder: Path) -> dict[int, list[str]]:
    """Of every schema."""
    found = {}
    for old in OLD:
        workspace = copied(made, folder / f"whole-{old}", old)
        found.update([schema_in(workspace.catalogue)])
        StoreWriter(workspace, FakeClock()).close()
        found.update([schema_in(workspace.catalogue)])
    assert sorted(found) == [*OLD, SCHEMA]
    return found


def copied(made: Workspace, folder: Path, schema: int) -> Workspace:
    workspace = Workspace.at(folder)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made.root, folder)
    put_old_catalogue(workspace, schema)
    return workspace


def check_migrated(workspace: Workspace, old: int, wholes: dict[int, list[str]]) -> int:
    """Answers the schema that was found."""
    found, statements = schema_in(workspace.catalogue)
    assert found in wholes
    assert found >= old
    assert statements == wholes[found], "half a schema"
    if found > old:
        assert schema_in(workspace.root / f"catalogue-{old}.bak") == (old, wholes[old])
    writer = StoreWriter(workspace, FakeClock())
    assert writer.problems == []
    writer.close()
    assert schema_in(workspace.catalogue) == (SCHEMA, wholes[SCHEMA])
    told = "SELECT given_name, note, messages FROM agent JOIN agent_now ON agent_id = id ORDER BY id LIMIT 2"
    assert rows(workspace, "catalogue", told) == [("Anna", "", BATCHES), ("", "=note 'x'", 1)]
    assert rows(workspace, "catalogue", "SELECT state, messages FROM segment") == [("closed", BATCHES * BATCH)]
    return found


def go_through_kills(made: Workspace, folder: Path, kills: int) -> None:
    wholes = whole_schemas(made, folder)
    template = subprocess.Popen(
        [sys.executable, "-c", TEMPLATE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert template.stdin
    assert template.stdout
    found = []
    try:
        for turn in range(1 + kills):
            old = OLD[turn % len(OLD)]
            workspace = copied(made, folder / "killed", old)
            template.stdin.write(f"{workspace.root}\n")
            assert template.stdout.readline()
            found.append(check_migrated(workspace, old, wholes) - old)
    finally:
        template.stdin.close()
        template.wait()
        template.stdout.close()
    print({steps: found.count(steps) for steps in sorted(set(found))})


def test_every_old_schema_is_kept_and_migrates(made: Workspace, fast_folder: Path) -> None:
    """A new migration? `python -m tests.helpers.old_catalogue <the schema before>` keeps one more."""
    assert sorted(int(path.stem) for path in FOLDER.glob("*.sql")) == list(OLD)
    wholes = whole_schemas(made, fast_folder)
    for old in OLD:
        assert check_migrated(copied(made, fast_folder / f"{old}", old), old, wholes) == old


def test_some_killed_migrations(made: Workspace, fast_folder: Path) -> None:
    go_through_kills(made, fast_folder, 12)


@pytest.mark.long
def test_two_hundred_killed_migrations(made: Workspace, fast_folder: Path) -> None:
    go_through_kills(made, fast_folder, 200)


def go_through_cuts(made: Workspace, folder: Path, every: int) -> None:
    chance, wholes, cuts = random.Random(5), whole_schemas(made, folder), 0
    for old in OLD:
        workspace = copied(made, folder / "cut", old)
        disk, pictures = FaultyDisk(workspace.root), list[Picture]()

        def look(disk: FaultyDisk = disk, pictures: list[Picture] = pictures) -> None:
            if not chance.randrange(every):
                pictures.append(disk.picture())

        disk.before_change = look
        with disk.installed():
            StoreWriter(workspace, FakeClock()).close()
        for picture in pictures:
            for shape in SHAPES:
                picture.after_power_cut(shape, chance, folder / shape)
                check_migrated(Workspace.at(folder / shape), old, wholes)
                shutil.rmtree(folder / shape)
                cuts += 1
    print(f"{cuts} power cuts")
    assert cuts


def test_some_power_cuts_within_a_migration(made: Workspace, fast_folder: Path) -> None:
    go_through_cuts(made, fast_folder, 100)


@pytest.mark.long
def test_many_power_cuts_within_a_migration(made: Workspace, fast_folder: Path) -> None:
    go_through_cuts(made, fast_folder, 8)
