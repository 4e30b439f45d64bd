"""Bringing the catalogue up to date from a segment: names, declarations, what every agent is doing, gaps, row counts.

The same steps serve live recording, the redo after a crash, and the rebuilding of a lost catalogue: what has been taken in
is written in the same transaction as what came of it, so nothing counts twice.
"""

import json
from collections.abc import Iterable
from typing import Any

import apsw

from models.domain.names import SeriesKey, SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import TaskState
from models.storage.headlines import COLUMNS, CPU, MEMORY, Headlines
from models.storage.intake import Intake, SegmentReader
from models.storage.names_table import NewNames
from models.storage.segment_file import SegmentFile
from models.storage.topic_totals import add_topics
from models.storage.transaction import transaction

BATCHES_A_STEP = 256
_OPEN_STATES = (TaskState.SUBMITTED, TaskState.WORKING, TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED)
_NEW_AGENT = "INSERT OR IGNORE INTO agent VALUES (?, ?, '', '', '', '', '', '', '', '', '[]', 0, 0, 0)"
_NEW_AGENT_NOW = (
    "INSERT OR IGNORE INTO agent_now VALUES "
    f"(?, {int(Presence.UNKNOWN)}, {int(Condition.OK)}, '{Cause.NOT_HEARD}', ?, 0, 0, 0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0)"
)
_SEEN = """UPDATE agent_now SET messages = messages + ?, last_seen_us = max(last_seen_us, ?),
    first_seen_us = CASE WHEN first_seen_us = 0 THEN ? ELSE min(first_seen_us, ?) END WHERE agent_id = ?"""
_PRESENCE = "UPDATE agent_now SET presence = ?, condition = ?, cause = ?, since_us = ? WHERE agent_id = ?"
_HEADLINES = f"UPDATE agent_now SET {', '.join(f'{column} = ?' for column in COLUMNS)} WHERE agent_id = ?"
_DECLARED = """UPDATE agent SET convention = ?, own_name = coalesce(?, own_name), own_group = coalesce(?, own_group),
    interval_us = coalesce(?, interval_us), host = coalesce(?, host), version = coalesce(?, version),
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
    for id_, *key in catalogue.execute("SELECT id, agent_id, metric, labels, unit, kind, source FROM series"):
        headlines.consider(id_, _series_key(key))
    return headlines


class SegmentTaker:
    """Takes one segment in. `read` then `apply`, as often as `read` finds something. Recorder's ingest thread."""

    def __init__(self, catalogue: apsw.Connection, headlines: Headlines, segment: SegmentFile) -> None:
        self._catalogue = catalogue
        self._headlines = headlines
        self.segment = segment
        self._reader = SegmentReader(segment.connection, segment.taken_batch)
        self._rechosen: set[int] = set()
        self._created_us = int(segment.meta().get("created_us", "0"))
        self._names: tuple[NewNames, dict[str, list[Any]]] = (NewNames(), {})

    def read(self) -> Intake | None:
        """What the next batches told, None when all is taken in. Touches the segment only; changes nothing."""
        new = self.segment.new_names
        connection = self.segment.connection
        rows = {
            "topic": _named(connection, "id, name", "topic", new.topics),
            "agent": _named(connection, "id, name", "agent", new.agents),
            "series": _named(connection, "id, agent_id, metric, labels, unit, kind, source", "series", new.series),
        }
        self._headlines.saw_agents(new.agents)
        changed = (self._headlines.consider(row[0], _series_key(row[1:])) for row in rows["series"])
        self._rechosen.update(agent for agent in changed if agent)
        self._names = (NewNames(list(new.topics), list(new.agents), list(new.series)), rows)
        return self._reader.read(self._headlines, BATCHES_A_STEP)

    def apply(self, intake: Intake) -> None:
        """Write it to the catalogue, in one transaction, and go on behind it."""
        with transaction(self._catalogue):
            self._put_names(self._names[1])
            self._put_agents(intake)
            self._put_tasks(intake.tasks)
            self._catalogue.executemany(
                "INSERT INTO gap(since_us, until_us, agent_id, cause, count, segment_id) VALUES (?, ?, ?, ?, ?, ?)",
                [(*gap, self.segment.id) for gap in intake.gaps],
            )
            self._catalogue.execute(
                _SEGMENT,
                (*intake.totals, intake.payload_bytes, intake.first_us, intake.last_us, self.segment.size_bytes,
                 intake.last_batch, self.segment.id),
            )  # fmt: skip
            add_topics(self._catalogue, intake.topics)
        taken = self._names[0]
        self.segment.new_names = NewNames(
            self.segment.new_names.topics[len(taken.topics) :],
            self.segment.new_names.agents[len(taken.agents) :],
            self.segment.new_names.series[len(taken.series) :],
        )
        self._rechosen.clear()
        self._reader.accept(intake)
        self.segment.taken_batch = intake.last_batch

    def _put_names(self, rows: dict[str, list[Any]]) -> None:
        catalogue = self._catalogue
        catalogue.executemany("INSERT OR IGNORE INTO topic(id, name) VALUES (?, ?)", rows["topic"])
        catalogue.executemany(_NEW_AGENT, rows["agent"])
        catalogue.executemany(_NEW_AGENT_NOW, [(row[0], self._created_us) for row in rows["agent"]])
        catalogue.executemany("INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?, ?, ?, ?)", rows["series"])
        catalogue.executemany(_HEADLINES, [(*self._headlines.chosen(agent), agent) for agent in sorted(self._rechosen)])

    def _put_agents(self, intake: Intake) -> None:
        catalogue = self._catalogue
        seen = [(n, live_us, first_us, first_us, agent) for agent, (n, first_us, live_us) in intake.agents.items()]
        catalogue.executemany(_SEEN, seen)
        catalogue.executemany(_DECLARED, [(*row[1:], row[0]) for row in intake.declarations])
        latest = {row[0]: row for row in intake.presence}
        catalogue.executemany(_PRESENCE, [(*row[1:], row[0]) for row in latest.values()])
        role = self._headlines.role[intake.samples.series]
        for wanted, column in ((CPU, "cpu"), (MEMORY, "memory")):
            some = intake.samples.pick(role == wanted)
            shown = self._headlines.shown(some.series, some.value).tolist()
            values = dict(zip(self._headlines.agent[some.series].tolist(), shown, strict=True))  # the last one stays
            statement = f"UPDATE agent_now SET {column} = ? WHERE agent_id = ?"
            catalogue.executemany(statement, [(value, agent) for agent, value in values.items()])

    def _put_tasks(self, tasks: Iterable[tuple[int, str, int, int]]) -> None:
        latest = {(agent, task): (state, received_us) for agent, task, state, received_us in tasks}
        opened = [(*key, us) for key, (state, us) in latest.items() if state in _OPEN_STATES]
        ended = [key for key, (state, _) in latest.items() if state not in (*_OPEN_STATES, TaskState.UNKNOWN)]
        self._catalogue.executemany(_TASK_OPEN, opened)
        self._catalogue.executemany("DELETE FROM open_task WHERE agent_id = ? AND task = ?", ended)
        self._catalogue.executemany(_TASKS_OPEN, [(agent,) for agent in sorted({agent for agent, _ in latest})])


def _named(connection: apsw.Connection, columns: str, table: str, ids: list[int]) -> list[Any]:
    query = f"SELECT {columns} FROM {table} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
    return connection.execute(query, (json.dumps(ids),)).fetchall() if ids else []


def _series_key(row: Iterable[Any]) -> SeriesKey:
    agent, metric, labels, unit, kind, source = row
    return SeriesKey(agent, metric, labels, unit, SeriesKind(kind), source)
