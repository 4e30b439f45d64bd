"""`tasks.db` for writing: what the orchestrator knows, stored before anything is sent."""

import json
from collections.abc import Iterable

import apsw

from models.domain.clock import Clock
from models.domain.problems import Problem, trouble
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.work import Changes, Work
from models.storage.access import create_private_file, sync_folder
from models.storage.catalogue_file import set_aside
from models.storage.engine import WorkspaceDatabase, let_go, open_database
from models.storage.store_errors import DAMAGED, engine_error, problems_of
from models.storage.tasks.command_rows import commands, put_command
from models.storage.tasks.keeping import SLICE, remove_old
from models.storage.tasks.rows import KNOWN, PUT, PUT_STEP, row_of, step_row, works
from models.storage.tasks.schema import SCHEMA, TASK_MODELS
from models.storage.transaction import transaction
from models.storage.workspace import Workspace


class TaskFile:
    """One thread, with the recorder's lock held. Every method raises `EnvironmentProblem` store.* where the disk does not do it;
    then nothing of it is stored, and it may be called again."""

    def __init__(self, workspace: Workspace, us: str, clock: Clock) -> None:
        """Opens it, or makes it; a damaged one is set aside whole, and `damage` says so. `us`: our id among the agents. Raises
        also workspace.newer."""
        self._path, self._us = workspace.tasks, us
        self.damage: Problem | None = None
        with problems_of(self._path):
            try:
                self._database = self._open()
            except Exception as error:
                if not isinstance(engine_error(error), DAMAGED):
                    raise
                aside = set_aside(self._path, clock)
                self.damage = Problem("store.corrupt", {"path": str(aside), "detail": str(error)})
                self._database = self._open()

    def close(self) -> None:
        self._database.close()

    def open_works(self) -> list[Work]:
        """Tasks that have not ended, and all parts of those that gather."""
        with problems_of(self._path):
            found = {one.order.id: one for one in works(self._connection, "ended_us = 0")}
            for id_ in [one.order.id for one in found.values() if one.children]:
                found.update((one.order.id, one) for one in works(self._connection, "parent = ?", id_))
        return list(found.values())

    def work(self, id_: str) -> Work | None:
        """A task of whatever state; None: there is none."""
        with problems_of(self._path):
            return next(works(self._connection, "id = ?", id_), None)

    def parts(self, id_: str) -> list[Work]:
        """All children of a task."""
        with problems_of(self._path):
            return list(works(self._connection, "parent = ?", id_))

    def known(self, ids: list[str]) -> set[str]:
        """Which of these are there."""
        with problems_of(self._path):
            return {str(id_) for (id_,) in self._connection.execute(KNOWN, (json.dumps(ids),)).fetchall()}

    def limits(self) -> dict[str, int]:
        """How many tasks each agent may have, as the user said."""
        with problems_of(self._path):
            return dict(self._connection.execute("SELECT agent, most FROM agent_limit"))

    def limit(self, agent: str, most: int) -> None:
        with problems_of(self._path):
            self._connection.execute("INSERT OR REPLACE INTO agent_limit (agent, most) VALUES (?, ?)", (agent, most))

    def put_command(self, command: AgentCommand) -> None:
        """A new one, before it is published; or as it stands now."""
        with problems_of(self._path):
            put_command(self._connection, command)

    def unanswered(self, since_us: int) -> list[AgentCommand]:
        """Commands that were given since then, of which their agents have said nothing yet."""
        with problems_of(self._path):
            return commands(self._connection, "answered_us = 0 AND asked_us >= ?", since_us)

    @property
    def is_copy(self) -> bool:
        """Was it written by somebody else, who has the open tasks?"""
        with problems_of(self._path):
            row = self._connection.execute("SELECT us FROM heard").fetchone()
        return row is not None and row[0] != self._us

    @property
    def heard_us(self) -> int:
        """Up to which arrival the reports were taken; 0: none yet."""
        with problems_of(self._path):
            row = self._connection.execute("SELECT received_us FROM heard").fetchone()
        return int(row[0]) if row else 0

    def store(self, changes: Changes, heard_us: int, commands: Iterable[AgentCommand] = ()) -> None:
        """All of a turn, durably, with how far reports were taken."""
        with problems_of(self._path), transaction(self._connection):
            self._connection.executemany(PUT, map(row_of, changes.works.values()))
            self._connection.executemany(PUT_STEP, map(step_row, changes.steps))
            for command in commands:
                put_command(self._connection, command)
            self._connection.execute(
                "INSERT OR REPLACE INTO heard (id, us, received_us) VALUES (1, ?, ?)", (self._us, heard_us)
            )

    def remove_old(self, before_us: int) -> bool:
        """A slice of what ended before that; answers whether there is more."""
        with problems_of(self._path), transaction(self._connection):
            return remove_old(self._connection, before_us) >= SLICE

    @property
    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection = self._database.connection()
        return connection

    def _open(self) -> WorkspaceDatabase:
        if not self._path.exists():
            create_private_file(self._path)
            sync_folder(self._path.parent)
        database = open_database(self._path, create=True)
        try:
            found = int(database.connection().pragma("user_version"))
            if found > SCHEMA:
                raise trouble("workspace.newer", found=found, known=SCHEMA)
            damage = str(database.connection().pragma("quick_check", 1))
            if damage != "ok":
                raise apsw.CorruptError(damage)
            if found < SCHEMA:
                with database.bind_ctx(TASK_MODELS), database.atomic():
                    database.create_tables(TASK_MODELS)
                    database.execute_sql(f"PRAGMA user_version = {SCHEMA}")
        except BaseException:
            let_go(database)
            raise
        return database
