"""`tasks.db` as others see it: read-only, page by page."""

import json
from collections.abc import Iterator
from typing import Self

import apsw

from models.domain.problems import trouble
from models.domain.records import TaskState
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.work import Step, Work
from models.storage.engine import open_reader
from models.storage.store_errors import DAMAGED, problems_of
from models.storage.tasks.command_rows import commands
from models.storage.tasks.rows import KNOWN, WHOSE, step_of, works
from models.storage.tasks.schema import SCHEMA
from models.storage.workspace import Workspace

_PAGE = 5_000
_STEPS = "SELECT task, time_us, attempt, agent, state, reason, text FROM task_step WHERE task = ? ORDER BY id"

_STEPS_UNTIL = """SELECT task, time_us, attempt, agent, state, reason, text FROM task_step
    WHERE task IN (SELECT value FROM json_each(?)) AND time_us <= ? ORDER BY id"""


class TaskReading:
    """One thread. Where no task was ever given there is no file, and nothing in it."""

    def __init__(self, workspace: Workspace) -> None:
        """Raises `EnvironmentProblem` workspace.newer, store.*"""
        self._path = workspace.tasks
        self._connection: apsw.Connection | None = None
        if self._path.exists():
            with problems_of(self._path):
                self._connection = open_reader(self._path)
                found = int(self._connection.pragma("user_version"))
            if found > SCHEMA:
                self.close()
                raise trouble("workspace.newer", found=found, known=SCHEMA)
            if not found:  # it is just being made
                self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def work(self, id_: str) -> Work | None:
        """None: no such task was given."""
        return next(iter(self._works("id = ?", id_)), None)

    def parts(self, id_: str) -> list[Work]:
        """Its children, in the order in which they were given."""
        return self._works("parent = ? ORDER BY created_us, id", id_)

    def newest(
        self, limit: int, *, states: tuple[TaskState, ...] = (), before: tuple[int, str] | None = None
    ) -> list[Work]:
        """A page of tasks, newest first; `before`: when it was given and the id of the last row of the page before."""
        where, bindings = ["1"], list[object]()
        if states:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            bindings += map(int, states)
        if before is not None:
            where.append("(created_us, id) < (?, ?)")
            bindings += before
        return self._works(f"{' AND '.join(where)} ORDER BY created_us DESC, id DESC LIMIT ?", *bindings, limit)

    def between(self, since_us: int, until_us: int, limit: int) -> list[Work]:
        """Given in [since, until) (0: open end), newest first; and what was given before and is open still."""
        where = "created_us < ? AND (created_us >= ? OR ended_us = 0) ORDER BY created_us DESC, id DESC LIMIT ?"
        return self._works(where, until_us or 2**62, since_us, limit)

    def standing_at(self, since_us: int, at_us: int, limit: int) -> list[Work]:
        """Given in [since, at], or before and open at that moment, newest first; each as it is now."""
        where = "created_us <= ? AND (created_us >= ? OR ended_us = 0 OR ended_us > ?) ORDER BY created_us DESC, id DESC LIMIT ?"
        return self._works(where, at_us, since_us, at_us, limit)

    def steps_until(self, ids: list[str], at_us: int) -> dict[str, list[Step]]:
        """The history of each of these as far as that moment, oldest first."""
        found: dict[str, list[Step]] = {}
        if self._connection is not None:
            with problems_of(self._path):
                for row in self._connection.execute(_STEPS_UNTIL, (json.dumps(ids), at_us)):
                    found.setdefault(row[0], []).append(step_of(row))
        return found

    def known(self, ids: list[str]) -> set[str]:
        """Which of these were given from here."""
        if self._connection is None:
            return set()
        with problems_of(self._path):
            return {str(id_) for (id_,) in self._connection.execute(KNOWN, (json.dumps(ids),)).fetchall()}

    def whose(self, ids: list[str]) -> dict[str, str]:
        """Who has each of these that were given from here; "": nobody, or it has ended."""
        if self._connection is None:
            return {}
        with problems_of(self._path):
            found = self._connection.execute(WHOSE, (json.dumps(ids),)).fetchall()
        return {str(id_): str(agent) for id_, agent in found}

    def given(self) -> Iterator[Work]:
        """All of them, in the order in which they were given, without a read transaction that outlives a page."""
        last = (-1, "")
        while page := self._works("(created_us, id) > (?, ?) ORDER BY created_us, id LIMIT ?", *last, _PAGE):
            yield from page
            last = page[-1].created_us, page[-1].order.id

    def ids(self) -> set[str]:
        """Of all of them."""
        if self._connection is None:
            return set()
        with problems_of(self._path):
            return {str(id_) for (id_,) in self._connection.execute("SELECT id FROM task").fetchall()}

    def steps(self, id_: str) -> list[Step]:
        """Its history, oldest first."""
        if self._connection is None:
            return []
        with problems_of(self._path):
            return [step_of(row) for row in self._connection.execute(_STEPS, (id_,)).fetchall()]

    def commands(self, limit: int, agent: str = "") -> list[AgentCommand]:
        """The newest commands, to everybody or to one agent, newest first."""
        if self._connection is None:
            return []
        with problems_of(self._path):
            return commands(self._connection, "? IN ('', agent) ORDER BY asked_us DESC, id DESC LIMIT ?", agent, limit)

    def _works(self, where: str, *bindings: object) -> list[Work]:
        if self._connection is None:
            return []
        with problems_of(self._path):
            return list(works(self._connection, where, *bindings))


def copied_tasks(workspace: Workspace) -> bytes | None:
    """The file as of now, while a recorder may be writing; None where there is none. A damaged one as it is. Raises store.*"""
    if not workspace.tasks.exists():
        return None
    copy = apsw.Connection(":memory:")
    try:
        with problems_of(workspace.tasks, let=DAMAGED):
            live = open_reader(workspace.tasks)
            try:
                with copy.backup("main", live, "main") as step:
                    step.step(-1)
            finally:
                live.close()
        return copy.serialize("main")
    except DAMAGED:
        return workspace.tasks.read_bytes()
    finally:
        copy.close()


def damage_of_tasks(workspace: Workspace, most: int) -> list[str]:
    """What the engine's own check finds in it; a recorder that starts sets it aside then."""
    if not workspace.tasks.exists():
        return []
    try:
        with problems_of(workspace.tasks, let=DAMAGED):
            reader = open_reader(workspace.tasks)
            try:
                found = reader.execute(f"PRAGMA quick_check({most})").fetchall()
            finally:
                reader.close()
    except DAMAGED as error:
        return [f"tasks.db: {error}"]
    return [f"tasks.db: {detail}" for (detail,) in found if detail != "ok"]
