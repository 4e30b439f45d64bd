"""Bringing the catalogue up to date from a segment: names, declarations, what every agent is doing, gaps, row counts.

The same steps serve live recording, the redo after a crash, and the rebuilding of a lost catalogue: what has been taken in
is written in the same transaction as what came of it, so nothing counts twice.
"""

import json
from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import apsw

from models.domain.conventions import LOG_LIBRARIES
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import TaskState
from models.storage.names_table import SERIES_KEY, NewNames, series_key
from models.storage.segments.message_columns import RecentMessages
from models.storage.transaction import transaction
from models.storage.writing.headlines import COLUMNS, CPU, MEMORY, Headlines
from models.storage.writing.import_intake import newer
from models.storage.writing.intake import HeadlineSamples, Intake, SegmentReader
from models.storage.writing.remembered import put_remembered
from models.storage.writing.topic_totals import add_topics

BATCHES_A_STEP, MESSAGES_A_STEP, MESSAGES_A_SHORT_STEP, NAMES_A_STEP = 256, 5_000, 2_000, 500
"""A step takes some tens of milliseconds at the most, a short one some milliseconds; whoever has something better to do looks up between two."""
_OPEN_STATES = (TaskState.SUBMITTED, TaskState.WORKING, TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED)
NEW_AGENT = "INSERT OR IGNORE INTO agent VALUES (?, ?, '', '', '', '', '', '', '', '', '[]', 0, 0, 0)"
_NEW_AGENT_NOW = (
    "INSERT OR IGNORE INTO agent_now VALUES "
    f"(?, {int(Presence.UNKNOWN)}, {int(Condition.OK)}, '{Cause.NOT_HEARD}', ?, 0, 0, 0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0)"
)
_SERIES = """INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT(id) DO UPDATE SET imported = 0 WHERE imported > excluded.imported"""
_SEEN = """UPDATE agent_now SET messages = messages + ?, last_seen_us = max(last_seen_us, ?),
    first_seen_us = CASE WHEN first_seen_us = 0 THEN ? ELSE min(first_seen_us, ?) END WHERE agent_id = ?"""
_PRESENCE = "UPDATE agent_now SET presence = ?, condition = ?, cause = ?, since_us = ?, imported = ? WHERE agent_id = ?"
_VALUES = "UPDATE agent_now SET cpu = coalesce(?, cpu), memory = coalesce(?, memory) WHERE agent_id = ?"
_HEADLINES = f"UPDATE agent_now SET {', '.join(f'{column} = ?' for column in COLUMNS)} WHERE agent_id = ?"
_LIBRARIES = ", ".join(f"'{one}'" for one in sorted(LOG_LIBRARIES))
# `conventions.spoken`: what a log record shows does not take the place of what an agent declared.
_DECLARED = f"""UPDATE agent SET
    convention = iif(?1 IN ('', {_LIBRARIES}) AND convention NOT IN ('', {_LIBRARIES}), convention, ?1),
    own_name = coalesce(?, own_name), own_group = coalesce(?, own_group), interval_us = coalesce(?, interval_us), host = coalesce(?, host), version = coalesce(?, version),
    capabilities = coalesce(?, capabilities) WHERE id = ?"""
_TASK_OPEN = """INSERT INTO open_task(agent_id, task, reported_us) VALUES (?, ?, ?)
    ON CONFLICT(agent_id, task) DO UPDATE SET reported_us = excluded.reported_us"""
_TASKS_OPEN = """UPDATE agent_now SET tasks_open = (SELECT count(*) FROM open_task WHERE open_task.agent_id =
    agent_now.agent_id) WHERE agent_id = ?"""
_SEGMENT = """UPDATE segment SET messages = messages + ?, samples = samples + ?, logs = logs + ?, tasks = tasks + ?,
    duplicates = duplicates + ?, dropped = dropped + ?, unreadable = unreadable + ?, payload_bytes = payload_bytes + ?,
    first_us = min(first_us, ?), last_us = max(last_us, ?), bytes = ?, taken_batch = ? WHERE id = ?"""


def load_headlines(catalogue: apsw.Connection) -> Headlines:
    """The present choice, from all series that the catalogue knows."""
    headlines = Headlines()
    headlines.saw_agents([id_ for (id_,) in catalogue.execute("SELECT id FROM agent")])
    query = f"SELECT id, imported, {SERIES_KEY} FROM series"
    for id_, imported, *key in catalogue.execute(query):
        headlines.consider(id_, series_key(*key), imported=bool(imported))
    return headlines


class Rows(NamedTuple):
    """What a segment names: rows of the tables of the same names."""

    topic: list[Any]
    agent: list[Any]
    series: list[Any]


def put_names(
    catalogue: apsw.Connection, headlines: Headlines, rows: Rows, rechosen: Iterable[int], since_us: int, *, imported: bool
) -> None:  # fmt: skip
    """Names that a segment tells. `rechosen` are the agents for which another series stands now; agents not yet heard are
    so since `since_us`."""
    catalogue.executemany("INSERT OR IGNORE INTO topic(id, name) VALUES (?, ?)", rows.topic)
    catalogue.executemany(NEW_AGENT, rows.agent)
    catalogue.executemany(_NEW_AGENT_NOW, [(row[0], since_us) for row in rows.agent])
    catalogue.executemany(_SERIES, [(*row, int(imported)) for row in rows.series])
    catalogue.executemany(_HEADLINES, [(*headlines.chosen(agent), agent) for agent in sorted(rechosen)])


def put_heard(catalogue: apsw.Connection, intake: Intake) -> None:
    """How much came from every agent, and when."""
    seen = [(n, live_us, first_us, first_us, agent) for agent, (n, first_us, live_us) in intake.agents.items()]
    catalogue.executemany(_SEEN, seen)


def put_present(catalogue: apsw.Connection, headlines: Headlines, intake: Intake, *, imported: bool) -> None:
    """What is so since: declarations, presence, values, tasks."""
    catalogue.executemany(_DECLARED, [(*row[1:], row[0]) for row in intake.declarations])
    latest = {row[0]: row for row in intake.presence}
    catalogue.executemany(_PRESENCE, [(*row[1:], int(imported), row[0]) for row in latest.values()])
    role = headlines.role[intake.samples.series]
    cpu, memory = (_last_shown(headlines, intake.samples.pick(role == wanted)) for wanted in (CPU, MEMORY))
    catalogue.executemany(_VALUES, [(cpu.get(agent), memory.get(agent), agent) for agent in cpu | memory])
    _put_tasks(catalogue, intake.tasks)


def _last_shown(headlines: Headlines, samples: HeadlineSamples) -> dict[int, float]:
    """Of each agent the newest value, as it is shown."""
    shown = headlines.shown(samples.series, samples.value).tolist()
    return dict(zip(headlines.agent[samples.series].tolist(), shown, strict=True))  # the last one stays


def put_gaps(catalogue: apsw.Connection, segment: int, gaps: Iterable[tuple[Any, ...]]) -> None:
    """Gaps that a segment tells of."""
    statement = "INSERT INTO gap(since_us, until_us, agent_id, cause, count, segment_id) VALUES (?, ?, ?, ?, ?, ?)"
    catalogue.executemany(statement, ((*gap, segment) for gap in gaps))


def _put_tasks(catalogue: apsw.Connection, tasks: Iterable[tuple[int, str, int, int]]) -> None:
    latest = {(agent, task): (state, received_us) for agent, task, state, received_us in tasks}
    opened = [(*key, us) for key, (state, us) in latest.items() if state in _OPEN_STATES]
    ended = [key for key, (state, _) in latest.items() if state not in (*_OPEN_STATES, TaskState.UNKNOWN)]
    catalogue.executemany(_TASK_OPEN, opened)
    catalogue.executemany("DELETE FROM open_task WHERE agent_id = ? AND task = ?", ended)
    catalogue.executemany(_TASKS_OPEN, [(agent,) for agent in sorted({agent for agent, _ in latest})])


class Taken(Protocol):
    """A segment that is taken in."""

    new_names: NewNames
    taken_batch: int

    @property
    def id(self) -> int: ...
    @property
    def connection(self) -> apsw.Connection: ...
    @property
    def size_bytes(self) -> int: ...
    def meta(self) -> dict[str, str]: ...


T = TypeVar("T", bound=Taken)


class SegmentTaker(Generic[T]):
    """Takes one segment in. `read` then `apply`, as often as `read` finds something; whoever must not be held up asks
    `read_names` before. Recorder's ingest thread."""

    def __init__(
        self, catalogue: apsw.Connection, headlines: Headlines, segment: T, recent: RecentMessages | None = None
    ) -> None:  # fmt: skip
        self._catalogue = catalogue
        self._headlines = headlines
        self.segment = segment
        self._reader = SegmentReader(segment.connection, segment.taken_batch, recent)
        self._rechosen: set[int] = set()
        meta = segment.meta()
        self._created_us = int(meta.get("created_us", "0"))
        self._imported = meta.get("kind") == "import"  # taken in anew, as the catalogue was lost
        self._names = (NewNames(), Rows([], [], []))

    def read(self, most_messages: int = MESSAGES_A_STEP) -> Intake | None:
        """What the next batches told, None when all is taken in. Touches the segment only; changes nothing."""
        new = self.segment.new_names
        self._look_up(NewNames(list(new.topics), list(new.agents), list(new.series)))
        return self._reader.read(self._headlines, BATCHES_A_STEP, most_messages=most_messages)

    def read_names(self) -> bool:
        """Are there so many new names that `apply_names` should write some, ahead of the batches that use them? Touches the
        segment only."""
        new = self.segment.new_names
        if len(new.topics) + len(new.agents) + len(new.series) <= NAMES_A_STEP:
            return False
        topics = new.topics[:NAMES_A_STEP]
        agents = new.agents[: NAMES_A_STEP - len(topics)]
        self._look_up(NewNames(topics, agents, new.series[: NAMES_A_STEP - len(topics) - len(agents)]))
        return True

    def apply_names(self) -> None:
        """Write those that were read to the catalogue, in one transaction."""
        with transaction(self._catalogue):
            self._put_names()
        self._named()

    def _look_up(self, new: NewNames) -> None:
        connection = self.segment.connection
        rows = Rows(
            _named(connection, "id, name", "topic", new.topics),
            _named(connection, "id, name", "agent", new.agents),
            _named(connection, f"id, {SERIES_KEY}", "series", new.series),
        )
        self._headlines.saw_agents(new.agents)
        changed = (
            self._headlines.consider(row[0], series_key(*row[1:]), imported=self._imported) for row in rows.series
        )
        self._rechosen.update(agent for agent in changed if agent)
        self._names = (new, rows)

    def apply(self, intake: Intake) -> None:
        """Write it to the catalogue, in one transaction, and go on behind it."""
        catalogue, imported = self._catalogue, self._imported
        present = newer(catalogue, self._headlines, intake, 0) if imported else intake
        with transaction(catalogue):
            self._put_names()
            put_heard(catalogue, intake)
            put_present(catalogue, self._headlines, present, imported=imported)
            put_remembered(catalogue, intake.remembered, imported=imported)
            put_gaps(catalogue, self.segment.id, intake.gaps)
            catalogue.execute(
                _SEGMENT,
                (*intake.totals, intake.payload_bytes, intake.first_us, intake.last_us, self.segment.size_bytes,
                 intake.last_batch, self.segment.id),
            )  # fmt: skip
            add_topics(self._catalogue, intake.topics)
        self._named()
        self._reader.accept(intake)
        self.segment.taken_batch = intake.last_batch

    def _put_names(self) -> None:
        rows, since_us = self._names[1], self._created_us
        put_names(self._catalogue, self._headlines, rows, self._rechosen, since_us, imported=self._imported)

    def _named(self) -> None:
        """These are known now."""
        taken, new = self._names[0], self.segment.new_names
        self.segment.new_names = NewNames(
            new.topics[len(taken.topics) :], new.agents[len(taken.agents) :], new.series[len(taken.series) :]
        )
        self._rechosen.clear()


def _named(connection: apsw.Connection, columns: str, table: str, ids: list[int]) -> list[Any]:
    query = f"SELECT {columns} FROM {table} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
    return connection.execute(query, (json.dumps(ids),)).fetchall() if ids else []
