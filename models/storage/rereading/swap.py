"""What was read again takes the place of what was: files get their names, then the catalogue is told, in one transaction.

Used by a recorder for what it decided just now, and at the next start where that was killed in between. What the catalogue
owes to other segments (recorded since, out of the range, removed by retention) stays.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import GapCause, Present
from models.storage.access import sync_folder
from models.storage.copies.merge_source import LOST
from models.storage.engine import open_reader
from models.storage.keeping.hour_columns import HourRow, decode
from models.storage.keeping.hour_store import HourStore
from models.storage.keeping.segment_hours import stored_hours
from models.storage.rereading.shadow import DECIDED, Shadow
from models.storage.segments.open_segment import DAMAGE_ALONE, OpenSegment, SegmentRow
from models.storage.segments.segment_file import remove_files
from models.storage.transaction import transaction
from models.storage.workspace import Workspace
from models.storage.writing.headlines import COLUMNS, Headlines
from models.storage.writing.take_in import load_headlines

_OTHERS = """SELECT id, state, layout, last_us FROM segment WHERE state IN ('open', 'closed')
    AND id NOT IN (SELECT id FROM anew.segment) ORDER BY id"""
_LONE_HOURS = "SELECT week, bucket, parts, data FROM hours WHERE segment_id = 0"
_TABLES = """
CREATE TEMP TABLE kept_agent(id INTEGER PRIMARY KEY);
CREATE TEMP TABLE kept_series(id INTEGER PRIMARY KEY);
CREATE TEMP TABLE later_agent(id INTEGER PRIMARY KEY);
CREATE TEMP TABLE later_task(agent_id INTEGER, task TEXT, PRIMARY KEY (agent_id, task));
"""
_DROP = "DROP TABLE kept_agent; DROP TABLE kept_series; DROP TABLE later_agent; DROP TABLE later_task"
# In a segment that is being written; whoever is only watched there has nothing. (Messages are counted in the catalogue.)
_TOLD_OF = " union ".join(
    ["select agent_id from series", *(f"select {column} from {table}" for table, column in (
        ("declaration", "agent_id"), ("log", "agent_id"), ("task_report", "agent_id"), ("attempt", "agent_id"),
        ("interaction", "from_id"), ("interaction", "to_id"),
    ))]
)  # fmt: skip
_WORDLESS = """given_name = '' AND given_group = '' AND note = '' AND maintenance_until_us = 0 AND retired_us = 0
    AND id NOT IN (SELECT agent_id FROM main.annotation)"""
_GONE = """FROM agent_now WHERE messages <= 0 AND agent_id NOT IN (SELECT id FROM anew.agent)
    AND agent_id NOT IN (SELECT id FROM kept_agent)"""
_DECLARED = ("convention", "own_name", "own_group", "host", "version")
_KEEP = "agent_id IN (SELECT id FROM later_agent)"
_LOST = ", ".join(f"'{GapCause(cause).value}'" for cause in LOST)
_AGENTS = f"""
INSERT OR IGNORE INTO agent SELECT * FROM anew.agent;
UPDATE agent SET {", ".join(f"{one} = iif(agent.id IN (SELECT id FROM kept_agent) AND n.{one} = '', agent.{one}, n.{one})" for one in _DECLARED)},
    interval_us = iif(agent.id IN (SELECT id FROM kept_agent) AND n.interval_us = 0, agent.interval_us, n.interval_us),
    capabilities = iif(agent.id IN (SELECT id FROM kept_agent) AND n.capabilities = '[]', agent.capabilities, n.capabilities)
    FROM anew.agent AS n WHERE n.id = agent.id;
INSERT OR IGNORE INTO agent_now SELECT agent_id, presence, condition, cause, since_us, 0, 0, 0, cpu, 0, memory, 0, 0, 0, 0, 0, 0,
    imported FROM anew.agent_now;
UPDATE agent_now SET messages = messages - h.n,
    first_seen_us = iif(first_seen_us < h.first_us, first_seen_us, 0), last_seen_us = iif(last_seen_us > h.last_us, last_seen_us, 0)
    FROM anew.heard_before AS h WHERE h.agent_id = agent_now.agent_id;
UPDATE agent_now SET messages = agent_now.messages + n.messages, last_seen_us = max(agent_now.last_seen_us, n.last_seen_us),
    first_seen_us = CASE WHEN agent_now.first_seen_us = 0 THEN n.first_seen_us WHEN n.first_seen_us = 0 THEN agent_now.first_seen_us
    ELSE min(agent_now.first_seen_us, n.first_seen_us) END
    FROM anew.agent_now AS n WHERE n.agent_id = agent_now.agent_id;
UPDATE agent_now SET presence = n.presence, condition = n.condition, cause = n.cause, since_us = n.since_us,
    imported = n.imported, cpu = n.cpu, memory = n.memory
    FROM anew.agent_now AS n WHERE n.agent_id = agent_now.agent_id AND NOT agent_now.{_KEEP};
"""
_THERE = f"""SELECT n.agent_id, n.presence, n.condition, n.cause, n.since_us, n.last_seen_us, agent.interval_us
    FROM anew.agent_now AS n JOIN anew.agent ON agent.id = n.agent_id WHERE NOT n.imported AND n.last_seen_us >= ?
    AND n.presence IN ({int(Presence.ONLINE)}, {int(Presence.LATE)}) AND n.agent_id NOT IN (SELECT id FROM later_agent)
    AND n.agent_id NOT IN (SELECT value FROM json_each(?)) ORDER BY 1"""
# Whoever is watched at present is as the recorder says; of all others it only knows that it has not heard them.
_WATCHED = f"""UPDATE agent_now SET presence = {int(Presence.UNKNOWN)}, cause = '{Cause.NOT_HEARD.value}'
    WHERE NOT imported AND presence IN ({int(Presence.ONLINE)}, {int(Presence.LATE)}) AND NOT {_KEEP}
    AND agent_id IN (SELECT agent_id FROM anew.agent_now) AND agent_id NOT IN (SELECT value FROM json_each(?))"""
_GOING = f"SELECT agent_id {_GONE}"
_NAMES = f"""
DELETE {_GONE};
DELETE FROM agent WHERE id NOT IN (SELECT agent_id FROM agent_now) AND {_WORDLESS};
DELETE FROM series WHERE id NOT IN (SELECT id FROM anew.series) AND id NOT IN (SELECT id FROM kept_series);
INSERT INTO series SELECT * FROM anew.series WHERE true ON CONFLICT(id) DO UPDATE SET
    imported = iif(series.id IN (SELECT id FROM kept_series), min(imported, excluded.imported), excluded.imported);
"""
_TASKS = """
DELETE FROM open_task WHERE reported_us BETWEEN (SELECT min(first_us) FROM anew.segment) AND (SELECT max(last_us) FROM anew.segment)
    OR agent_id NOT IN (SELECT agent_id FROM agent_now);
INSERT OR IGNORE INTO open_task SELECT * FROM anew.open_task AS n
    WHERE NOT EXISTS (SELECT 1 FROM later_task WHERE later_task.agent_id = n.agent_id AND later_task.task = n.task);
UPDATE agent_now SET tasks_open = (SELECT count(*) FROM open_task WHERE open_task.agent_id = agent_now.agent_id);
"""
_REST = f"""
DELETE FROM gap WHERE segment_id IN (SELECT id FROM anew.segment) AND cause NOT IN ({_LOST});
INSERT INTO gap(since_us, until_us, agent_id, cause, count, segment_id)
    SELECT since_us, until_us, agent_id, cause, count, segment_id FROM anew.gap ORDER BY id;
UPDATE topic_total SET agent_id = n.agent_id, kind = n.kind, revision = 1 + (SELECT coalesce(sum(taken_batch), 0) FROM main.segment)
    FROM anew.topic_total AS n WHERE n.topic_id = topic_total.topic_id AND n.last_us = topic_total.last_us
    AND (n.agent_id, n.kind) <> (topic_total.agent_id, topic_total.kind);
DELETE FROM remembered WHERE received_us BETWEEN
    (SELECT min(first_us) FROM anew.segment) AND (SELECT max(last_us) FROM anew.segment);
INSERT INTO remembered SELECT * FROM anew.remembered AS n WHERE true ON CONFLICT(topic_id) DO UPDATE SET
    received_us = excluded.received_us, properties = excluded.properties, payload = excluded.payload
    WHERE excluded.received_us >= remembered.received_us;
UPDATE segment SET generation = segment.generation + 1, layout = n.layout, samples = n.samples, logs = n.logs, tasks = n.tasks,
    unreadable = n.unreadable, bytes = n.bytes, unsealed_bytes = n.unsealed_bytes, seal_failures = 0
    FROM anew.segment AS n WHERE n.id = segment.id AND segment.state = 'closed';
"""
_HEADLINES = f"UPDATE agent_now SET {', '.join(f'{column} = ?' for column in COLUMNS)} WHERE agent_id = ?"


class Watched(NamedTuple):
    """Agents whose presence a recorder follows, which began to record at `since_us`."""

    since_us: int
    agents: list[int]


def swap_in(
    workspace: Workspace, catalogue: apsw.Connection, hours: HourStore, shadow: Shadow, watched: Watched | None
) -> tuple[list[int], list[Present]]:
    """Bring what was decided to its end; may be called again. `watched` None: no recorder watches anybody. Answers agents that
    are no more, and those that were heard since it began, are there, and are watched from now on. Raises the engine's errors,
    `OSError`."""
    token = shadow.decided()
    assert token, "nothing was decided"
    if catalogue.execute("SELECT 1 FROM workspace WHERE key = ? AND value = ?", (DECIDED, token)).fetchall():
        return [], []
    _put_in_place(workspace, catalogue, shadow)
    catalogue.execute("ATTACH ? AS anew", (str(shadow.workspace.catalogue),))
    try:
        return _Swap(workspace, catalogue, hours).run(token, watched)
    finally:
        catalogue.execute("DETACH anew")


def _put_in_place(workspace: Workspace, catalogue: apsw.Connection, shadow: Shadow) -> None:
    closed = {id_ for (id_,) in catalogue.execute("SELECT id FROM segment WHERE state = 'closed'")}
    for id_ in shadow.segments():
        made = shadow.file_of(id_)
        if id_ not in closed:
            remove_files(made)  # retention was first
        elif made.exists():
            _settle(workspace.segment(id_))
            made.replace(workspace.segment(id_))
    sync_folder(workspace.segments)


def _settle(path: Path) -> None:
    """A journal that a power cut left beside a file would be rolled back into the one that takes its place."""
    if Path(f"{path}-journal").exists():
        old = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            old.pragma("schema_version")
        finally:
            old.close()
        Path(f"{path}-journal").unlink(missing_ok=True)  # whatever it was, it is not the new file's
        sync_folder(path.parent)


class _Swap:
    """One use. The shadow is attached as `anew`."""

    def __init__(self, workspace: Workspace, catalogue: apsw.Connection, hours: HourStore) -> None:
        self._workspace, self._catalogue, self._hours = workspace, catalogue, hours

    def run(self, token: str, watched: Watched | None) -> tuple[list[int], list[Present]]:
        catalogue, there = self._catalogue, list[Present]()
        files = {
            id_: hours for id_ in self._ids("SELECT id FROM anew.segment") if (hours := self._hours_of(id_)) is not None
        }
        for statement in _TABLES.split(";"):
            catalogue.execute(statement)
        try:
            self._find_others()
            with transaction(catalogue):
                catalogue.execute("INSERT OR REPLACE INTO workspace(key, value) VALUES (?, ?)", (DECIDED, token))
                catalogue.execute(_AGENTS)
                if watched is not None:
                    rows: list[Any] = catalogue.execute(
                        _THERE, (watched.since_us, json.dumps(watched.agents))
                    ).fetchall()
                    there = [
                        Present(one, Presence(p), Condition(c), Cause(why), *rest) for one, p, c, why, *rest in rows
                    ]
                    known = [*watched.agents, *(one.agent for one in there)]
                    catalogue.execute(_WATCHED, (json.dumps(known),))
                gone = self._ids(_GOING)
                for statements in (_NAMES, _TASKS, _REST):
                    catalogue.execute(statements)
                for id_, rows in files.items():
                    self._hours.forget(id_)
                    self._hours.take(id_, rows)
                self._choose(load_headlines(catalogue))
        finally:
            catalogue.execute(_DROP)
        return gone, there

    def _hours_of(self, id_: int) -> list[HourRow] | None:
        """None where the segment is gone."""
        if not self._ids(f"SELECT id FROM main.segment WHERE state = 'closed' AND id = {id_}"):
            return None
        reader = open_reader(self._workspace.segment(id_))
        try:
            return stored_hours(reader) or []
        finally:
            reader.close()

    def _find_others(self) -> None:
        """What other segments, and roll-ups that outlived theirs, name."""
        catalogue = self._catalogue
        ((until_us,),) = catalogue.execute("SELECT coalesce(max(last_us), 0) FROM anew.segment").fetchall()
        tasks: list[Any] = catalogue.execute("SELECT agent_id, task FROM anew.open_task").fetchall()
        others: list[Any] = catalogue.execute(_OTHERS).fetchall()
        for id_, state, layout, last_us in others:
            row = SegmentRow(id_, 0, state, 0, last_us, 0, 0, 0, 0, 0, layout=layout)
            try:
                opened = OpenSegment(row, self._workspace.segment(id_))
            except DAMAGE_ALONE:
                continue
            try:
                self._keep(opened, tasks, later=state == "open" or last_us > until_us)
            finally:
                opened.connection.close()
        lone: list[Any] = catalogue.execute(_LONE_HOURS).fetchall()
        for week, bucket, parts, data in lone:
            series = [(one,) for one in set(decode(data, bucket, week, parts).series.tolist())]
            catalogue.executemany("INSERT OR IGNORE INTO kept_series VALUES (?)", series)
        catalogue.execute(
            "INSERT OR IGNORE INTO kept_agent SELECT agent_id FROM main.series JOIN kept_series USING (id)"
        )

    def _keep(self, opened: OpenSegment, tasks: list[Any], *, later: bool) -> None:
        catalogue = self._catalogue
        agents = opened.rows(_TOLD_OF if opened.was_open else "select id from agent")
        catalogue.executemany("INSERT OR IGNORE INTO kept_agent VALUES (?)", agents)
        catalogue.executemany("INSERT OR IGNORE INTO kept_series VALUES (?)", opened.rows("select id from series"))
        if later:
            changed = opened.rows("select agent_id from presence_change") if opened.was_open else []
            catalogue.executemany("INSERT OR IGNORE INTO later_agent VALUES (?)", [*agents, *changed])
            sql = "select agent_id, task from task_report where agent_id = ? and task = ? limit 1"
            told = [row for task in tasks for row in opened.rows(sql, *task)]
            catalogue.executemany("INSERT OR IGNORE INTO later_task VALUES (?, ?)", told)

    def _choose(self, headlines: Headlines) -> None:
        agents = self._ids("SELECT agent_id FROM agent_now")
        self._catalogue.executemany(_HEADLINES, [(*headlines.chosen(agent), agent) for agent in agents])

    def _ids(self, query: str) -> list[int]:
        return [int(id_) for (id_,) in self._catalogue.execute(query)]
