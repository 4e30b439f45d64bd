"""The folder in which history is read again: new files of the segments, and a catalogue as if they were all there is.

Nothing of it counts before it is *decided*, in one commit of that catalogue; then all of it does, and whoever opens the
workspace brings it to its end. Undecided, it is thrown away.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw

from models.domain.clock import Clock
from models.storage.access import prepare_folder, sync_folder
from models.storage.catalogue_file import open_catalogue
from models.storage.engine import WorkspaceDatabase, open_reader
from models.storage.names_table import CatalogueTopics
from models.storage.rereading.names_anew import NamesAnew
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

DECIDED = "decided"
_HEARD = "CREATE TABLE heard_before(agent_id INTEGER PRIMARY KEY, n INTEGER, first_us INTEGER, last_us INTEGER)"
_NEW_IDS = "CREATE TABLE new_{}(old INTEGER PRIMARY KEY, new INTEGER NOT NULL)"
NUMBERED = ("agent", "series")
_ADD_HEARD = """INSERT INTO heard_before VALUES (?, ?, ?, ?) ON CONFLICT(agent_id) DO UPDATE SET n = n + excluded.n,
    first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)"""


def shadow_of(workspace: Workspace) -> Workspace:
    """Paths of the files: `sealing(id)` is what is to take the place of a segment."""
    return Workspace(workspace.rereading)


def throw_away(workspace: Workspace) -> None:
    """Whatever is there. Raises nothing: the next start does what is left to do."""
    shutil.rmtree(workspace.rereading, ignore_errors=True)


class Shadow:
    """The catalogue of it, in the thread that reads. Raises the engine's errors and `OSError`."""

    def __init__(self, database: WorkspaceDatabase, workspace: Workspace) -> None:
        self.database, self.workspace = database, workspace
        self.connection: apsw.Connection = database.connection()

    @classmethod
    def make(cls, workspace: Workspace, clock: Clock) -> tuple["Shadow", NamesAnew]:
        """A new one in place of what is there, and the names of the workspace to be given out once more."""
        throw_away(workspace)
        own = shadow_of(workspace)
        prepare_folder(own)
        database = open_catalogue(own, clock)
        found = cls(database, own)
        connection = found.connection
        connection.pragma("synchronous", "OFF")  # it is of no worth before all is done
        reader = open_reader(workspace.catalogue)
        try:
            with transaction(connection):
                for statement in (_HEARD, *map(_NEW_IDS.format, NUMBERED)):
                    connection.execute(statement)
                connection.executemany("INSERT INTO topic VALUES (?, ?)", reader.execute("SELECT id, name FROM topic"))
            names = NamesAnew(reader, CatalogueTopics(connection))
        finally:
            reader.close()
        return found, names

    @classmethod
    def reopen(cls, workspace: Workspace, clock: Clock) -> "Shadow | None":
        """The one that is there; None where there is none that was ever whole."""
        own = shadow_of(workspace)
        if not own.catalogue.is_file():
            return None
        return cls(open_catalogue(own, clock), own)

    def add_heard(self, heard: Mapping[int, tuple[int, int, int]]) -> None:
        """What the messages of a segment told of agents before they were read again."""
        self.connection.executemany(_ADD_HEARD, [(agent, *told) for agent, told in heard.items()])

    def segments(self) -> list[int]:
        """Those that were read again."""
        return [int(id_) for (id_,) in self.rows("SELECT id FROM segment ORDER BY id")]

    def file_of(self, id_: int) -> Path:
        """What is to take the place of a segment."""
        return self.workspace.sealing(id_)

    def settle(self) -> None:
        """All of it is on the disk."""
        self.connection.pragma("synchronous", "FULL")
        self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        for folder in (self.workspace.segments, self.workspace.root, self.workspace.root.parent):
            sync_folder(folder)

    def decide(self, token: str) -> None:
        """From now on it is history, whatever happens. `token` tells it from every other one."""
        self.connection.execute("INSERT INTO workspace(key, value) VALUES (?, ?)", (DECIDED, token))

    def decided(self) -> str:
        """Its token; empty: it counts for nothing."""
        return next((str(value) for (value,) in self.rows("SELECT value FROM workspace WHERE key = ?", DECIDED)), "")

    def rows(self, query: str, *bindings: object) -> list[Any]:
        return self.connection.execute(query, bindings).fetchall()

    def close(self) -> None:
        """Let go of it."""
        self.database.close()
