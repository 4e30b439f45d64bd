"""Catalogues as older programs left them: `old_catalogues/<schema>.sql`, one for every schema before the present one.

A new migration needs one more: run this with the catalogue's schema number of the program before (`SCHEMA - 1`).

    python -m tests.helpers.old_catalogue 5
"""

import io
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import apsw
import apsw.shell

from models.storage import catalogue_file
from models.storage.access import prepare_folder
from models.storage.catalogue_file import MIGRATIONS, open_catalogue
from models.storage.segments.segment_file import remove_files
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.store_life import BATCH, numbered

FOLDER = Path(__file__).parent / "old_catalogues"
BATCHES = 4


def make_workspace(workspace: Workspace, clock: FakeClock) -> None:
    """What all of them know: one segment, an agent with a name of the user's, and one with a note."""
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "client")
    for number in range(BATCHES):
        writer.commit(numbered(writer, clock, number * BATCH))
        clock.advance(1_100_000)
        writer.housekeep()
    writer.submit([{"do": "agent.rename", "agent": "a", "name": "Anna"}, {"do": "agent.note", "agent": "agent-0", "note": "=note 'x'"}])  # fmt: skip
    writer.close()


def put_old_catalogue(workspace: Workspace, schema: int) -> None:
    """Let the workspace of `make_workspace` have the catalogue of an older program."""
    (known,) = next(iter(_opened(workspace.segment(1)).execute("SELECT value FROM meta WHERE key = 'workspace'")))
    remove_files(workspace.catalogue)
    connection = _opened(workspace.catalogue)
    connection.pragma("auto_vacuum", "INCREMENTAL")
    connection.execute((FOLDER / f"{schema}.sql").read_text())
    connection.execute("UPDATE workspace SET value = ? WHERE key = 'id'", (known,))
    connection.pragma("journal_mode", "WAL")
    connection.close()


def write_old_catalogue(schema: int) -> None:
    """Keep what a program with this schema would have made of the same."""
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), FakeClock()
        make_workspace(Workspace.at(folder / "now"), clock)
        migrations = folder / "migrations"
        migrations.mkdir()
        for path in sorted(MIGRATIONS.glob("0*.py"))[:schema]:
            (migrations / path.name).write_text(path.read_text())
        old = Workspace.at(folder / "old")
        prepare_folder(old)
        with patch.object(catalogue_file, "SCHEMA", schema):
            database = open_catalogue(old, clock, migrations)
        connection = database.connection()
        connection.execute("ATTACH ? AS now", (str(folder / "now" / "catalogue.db"),))
        connection.execute("DELETE FROM workspace")
        for (table,) in connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
            columns, present = (
                [f'"{row[1]}"' for row in connection.execute(f'PRAGMA {where}.table_info("{table}")')]
                for where in ("main", "now")
            )
            shared = ", ".join(column for column in columns if column in present)
            if table != "schema_migration" and shared:
                connection.execute(f'INSERT INTO main."{table}"({shared}) SELECT {shared} FROM now."{table}"')
        connection.execute("DETACH now")
        out = io.StringIO()
        apsw.shell.Shell(stdout=out, db=connection).process_command(".dump")
        database.close()
    lines = [line.rstrip() for line in out.getvalue().splitlines() if not line.startswith("--")]
    (FOLDER / f"{schema}.sql").write_text("\n".join(lines).strip() + "\n")


def _opened(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path))


if __name__ == "__main__":
    write_old_catalogue(int(sys.argv[1]))
