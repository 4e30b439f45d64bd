"""Bringing segments of another workspace into this one, beside whatever is recorded: all of them appear at once, or none."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from models.domain.clock import Clock
from models.domain.names import Names
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import GapCause
from models.storage.access import create_private_file
from models.storage.copies.merge_copy import Renumbering, renumbering
from models.storage.copies.merge_source import LOST, HeldSegment, LostHistory, Words
from models.storage.engine import WorkspaceDatabase, open_database, open_reader
from models.storage.keeping.hour_store import HourStore
from models.storage.keeping.pins import Pins
from models.storage.keeping.retention import StoreLimits
from models.storage.names_table import series_key
from models.storage.sealing.seal import UNSEALED_BYTES
from models.storage.segments.import_mark import capture_key
from models.storage.segments.open_segment import OpenSegment, SegmentRow
from models.storage.segments.schema import LAYOUT, create_tables
from models.storage.segments.segment_file import remove_files
from models.storage.store_errors import problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace
from models.storage.writing.annotations import Kept, bring_annotations
from models.storage.writing.headlines import Headlines
from models.storage.writing.import_intake import joined, newer
from models.storage.writing.import_writer import imported_bytes, refuse_beyond
from models.storage.writing.intake import Intake, SegmentReader
from models.storage.writing.remembered import put_remembered
from models.storage.writing.segment_rows import insert_segment, take_back
from models.storage.writing.take_in import BATCHES_A_STEP, Rows, put_gaps, put_heard, put_names, put_present
from models.storage.writing.topic_totals import add_topics

_NEW_CAPTURE = "INSERT INTO capture VALUES (?, 'import', ?, ?, ?, ?, ?, ?)"
_FINISHED = """UPDATE segment SET state = 'closed', capture_id = ?, layout = ?, first_us = ?, last_us = ?, messages = ?,
    samples = ?, logs = ?, tasks = ?, duplicates = ?, dropped = ?, unreadable = ?, taken_batch = ?, payload_bytes = ?, bytes = ?,
    unsealed_bytes = ? WHERE id = ?"""
_TOTALS = """SELECT coalesce(min(first_us), 0), coalesce(max(last_us), 0), coalesce(sum(n), 0),
    coalesce(sum(n_samples), 0), coalesce(sum(n_logs), 0), coalesce(sum(n_tasks), 0), coalesce(sum(duplicates), 0),
    coalesce(sum(dropped), 0), coalesce(sum(unreadable), 0), coalesce(max(id), 0) FROM batch"""
_FOUND = f"""DELETE FROM gap WHERE agent_id = 0 AND since_us = ? AND until_us = ? AND count = ? AND segment_id >= 0
    AND cause IN ({", ".join(f"'{cause}'" for cause in LOST)})"""
_STILL_HELD = """ AND EXISTS (SELECT 1 FROM segment
    WHERE first_us = since_us AND last_us = until_us AND messages = count AND state IN ('open', 'closed'))"""
_TOLD_NO_MORE = "DELETE FROM gap WHERE segment_id = ? AND cause = ?"
_STILL_LOST = """INSERT INTO gap(since_us, until_us, agent_id, cause, count, segment_id) SELECT ?1, ?2, 0, ?3, ?4, 0
    WHERE NOT EXISTS (SELECT 1 FROM gap WHERE since_us = ?1 AND until_us = ?2 AND agent_id = 0 AND count = ?4)
    AND NOT EXISTS (SELECT 1 FROM segment WHERE first_us = ?1 AND last_us = ?2 AND messages = ?4 AND state IN ('open', 'closed'))"""
_SAID = """UPDATE agent SET given_name = iif(given_name = '', ?, given_name), given_group = iif(given_group = '', ?, given_group),
    note = iif(note = '', ?, note) WHERE name = ?"""
_PRESENT = f"""SELECT id FROM agent JOIN agent_now ON agent_id = agent.id
    WHERE presence IN ({int(Presence.ONLINE)}, {int(Presence.LATE)}) AND NOT imported"""


class Numbered(NamedTuple):
    """Names of a segment: their ids here, and rows for the catalogue. `ended`: agents (ids here) of whom is to be said that
    nobody looked any more when it ended."""

    ids: Renumbering
    rows: Rows
    ended: list[int]


@dataclass(slots=True)
class Part:
    """A segment on its way in. `after`: its last batch that is held already, by the segment `replaces` (0: none). `salvages`:
    the damaged segment of this workspace that it was made of (0: none); the catalogue knows that one up to `after`."""

    id: int
    path: Path
    source: HeldSegment
    layout: int
    rows: Rows
    after: int = 0
    replaces: int = 0
    salvages: int = 0
    intake: Intake | None = None  # of what is new in it
    gaps: list[tuple[Any, ...]] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)  # new messages that could not be read, by reason
    totals: tuple[int, ...] = ()
    bytes: int = 0


def sum_up(part: Part, headlines: Headlines, meanwhile: Callable[[], None]) -> None:
    """Read back what a finished copy tells. Any thread. Raises the engine's errors."""
    headlines.saw_agents(row[0] for row in part.rows.agent)
    for id_, *key in part.rows.series:
        headlines.consider(id_, series_key(*key))
    opened = OpenSegment(SegmentRow(part.id, 0, "closed", 0, 0, 0, 0, 0, 0, 0, layout=part.layout), part.path)
    connection = opened.connection
    try:
        reader = SegmentReader(connection, part.after)
        while (intake := reader.read(headlines, BATCHES_A_STEP)) is not None:
            reader.accept(intake)
            part.gaps += intake.gaps
            part.intake = intake if part.intake is None else joined(part.intake, intake)
            meanwhile()
        query = """SELECT reason, count(*) FROM unreadable WHERE seq >=
            (SELECT coalesce(max(first_seq + n), 0) FROM batch WHERE id <= ?) GROUP BY 1"""
        reasons: list[Any] = connection.execute(query, (part.after,)).fetchall()
        part.unreadable.update(dict(reasons))
        part.totals = next(iter(connection.execute(_TOTALS)))
    finally:
        connection.close()
    part.bytes = part.path.stat().st_size


class MergeWriter:
    """One merge. The thread of the `StoreWriter` that made it; between two calls that one may write its own.

    Until `finish`, its segments are in the state `importing`: invisible, and gone after a crash. Methods raise
    `EnvironmentProblem` store.*, import.too-large or import.no-room; then call `cancel`.
    """

    def __init__(
        self, workspace: Workspace, clock: Clock, catalogue: WorkspaceDatabase, names: Names, headlines: Headlines,
        hours: HourStore, limits: StoreLimits, recording_since: Callable[[], int], *, make_room: bool = False,
    ) -> None:  # fmt: skip
        """`recording_since` and `make_room` as for an `ImportWriter`."""
        self.running = True
        self.own_headlines = Headlines()
        """Of what is brought; for `sum_up`, by the thread that reads."""
        self._workspace = workspace
        self._clock = clock
        self._database = catalogue
        self._names = names
        self._headlines = headlines
        self._hours = hours
        self._limits = limits
        self._recording_since = recording_since
        self._held_bytes = 0 if make_room else imported_bytes(workspace, catalogue.connection())
        self.began_us = clock.wall_us()
        self._reserved: list[int] = []

    def reserve(self, layout: int) -> tuple[int, Path]:
        """Id and path of a segment that is about to be made."""
        with problems_of(self._workspace.catalogue):
            (id_,) = next(iter(self._catalogue.execute("SELECT coalesce(max(id), 0) + 1 FROM segment")))
            insert_segment(self._database, id_, 0, layout, self.began_us, "importing")
        self._reserved.append(id_)
        path = self._workspace.segment(id_)
        with problems_of(path):
            remove_files(path)
        return id_, path

    def known_of_damaged(self, id_: int) -> int | None:
        """The last batch that the catalogue has taken in of a damaged segment; None where there is none."""
        query = "SELECT taken_batch FROM segment WHERE id = ? AND state IN ('quarantined', 'closed')"
        with problems_of(self._workspace.catalogue):
            return next((int(taken) for (taken,) in self._catalogue.execute(query, (id_,))), None)

    def make_empty(self, path: Path) -> None:
        """A segment of the open layout without a row. (Here, as models are bound to a file meanwhile.)"""
        with problems_of(path):
            create_private_file(path)
            database = open_database(path, create=True)
            try:
                create_tables(database)
                database.connection().pragma("journal_mode", "DELETE")
            finally:
                database.close()

    def number(self, rows: Rows, ended: Iterable[str]) -> Numbered:
        """Ids here for the names that a segment carries, and for those in `ended` who are not present here by themselves."""
        names = self._names
        topics = [(old, names.topic(bytes(name))) for old, name in rows.topic]
        agents = {old: names.agent(name) for old, name in rows.agent}
        with problems_of(self._workspace.catalogue):
            present = {id_ for (id_,) in self._catalogue.execute(_PRESENT)}
        silent = [id_ for id_ in (names.agent(name) for name in ended) if id_ not in present]
        keys = [(row[0], series_key(agents.get(row[1], 0), *row[2:])) for row in rows.series]
        series = [(old, names.series_of(key)) for old, key in keys]
        told = {*agents.values(), *silent}
        here = Rows(
            [(new, names.topics[new]) for _, new in topics],
            [(id_, names.agents[id_]) for id_ in sorted(told)],
            [(new, *key) for (_, key), (_, new) in zip(keys, series, strict=True)],
        )
        return Numbered(
            Renumbering(renumbering(topics), renumbering(agents.items()), renumbering(series)), here, silent
        )

    def finish(
        self, parts: Sequence[Part], held: Iterable[HeldSegment], lost: Sequence[LostHistory], words: Sequence[Words],
        annotations: Sequence[Kept] = (),
    ) -> None:  # fmt: skip
        """Let everybody see it, in one step. `held`: what the source has and we have had before. Live traffic waits for it;
        that is why the files are synced, and tell that their import has ended, by whoever made them."""
        total = sum(part.bytes for part in parts)
        refuse_beyond(self._limits, total, self._held_bytes)
        with problems_of(self._workspace.catalogue):
            captures = self._captures(parts)
            with transaction(self._catalogue):
                self._catalogue.executemany(_NEW_CAPTURE, captures.values())
                self._take_in(parts, {key: row[0] for key, row in captures.items()})
                for found, some in ((_FOUND, [part.source for part in parts]), (_FOUND + _STILL_HELD, held)):
                    gaps = [(one.first_us, one.last_us, one.messages) for one in some]
                    self._catalogue.executemany(found, gaps)
                self._catalogue.executemany(
                    _STILL_LOST, [(one.since_us, one.until_us, one.cause, one.missing) for one in lost]
                )
                self._catalogue.executemany(_SAID, [(one.name, one.group, one.note, one.agent) for one in words])
                told_of = {one.agent: self._names.agent(one.agent) for one in annotations if one.agent}
                bring_annotations(self._catalogue, annotations, told_of)
        self.running = False
        for part in parts:
            if part.replaces:
                self._let_go(part.replaces)

    def drop(self, id_: int) -> None:
        """One of them cannot be brought."""
        self._reserved.remove(id_)
        with problems_of(self._workspace.segments):
            remove_files(self._workspace.segment(id_))
            self._catalogue.execute("DELETE FROM segment WHERE id = ?", (id_,))

    def cancel(self) -> None:
        """Take everything back, unless it is history already. What cannot be removed now is removed at the next start of the
        program."""
        if not self.running:
            return
        self.running = False

        def remove() -> None:
            for id_ in self._reserved:
                remove_files(self._workspace.segment(id_))

        with problems_of(self._workspace.segments):
            take_back(self._catalogue, self._reserved, remove)

    @property
    def _catalogue(self) -> apsw.Connection:
        connection: apsw.Connection = self._database.connection()
        return connection

    def _let_go(self, id_: int) -> None:
        """Of what was replaced. What somebody reads from first to last, or cannot be removed, goes at the next start."""
        with contextlib.suppress(OSError), Pins(self._workspace).removing(id_) as may:
            if may:
                remove_files(self._workspace.segment(id_))

    def _captures(self, parts: Sequence[Part]) -> dict[str, tuple[Any, ...]]:
        """A row for each capture of the source, by its id there. It is as old as this import, like any that was imported."""
        (last,) = next(iter(self._catalogue.execute("SELECT coalesce(max(id), 0) FROM capture")))
        rows: dict[str, tuple[Any, ...]] = {}
        for part in parts:
            meta = part.source.meta
            about = (meta.get(key, "") for key in ("broker", "client_id", "host", "version"))
            rows.setdefault(capture_key(meta), (last + len(rows) + 1, self.began_us, self._clock.wall_us(), *about))
        return rows

    def _take_in(self, parts: Sequence[Part], captures: dict[str, int]) -> None:
        """What the catalogue has to know of them. Within its transaction."""
        catalogue = self._catalogue
        found: Intake | None = None
        for part in parts:
            if part.intake is not None:
                found = part.intake if found is None else joined(found, part.intake)
        present = None if found is None else newer(catalogue, self.own_headlines, found, self._recording_since())
        rows = _each_once(part.rows for part in parts)
        self._headlines.saw_agents(row[0] for row in rows.agent)
        changed = {self._headlines.consider(id_, series_key(*key), imported=True) for id_, *key in rows.series}
        since_us = min((part.source.first_us for part in parts), default=0)
        put_names(catalogue, self._headlines, rows, changed - {0}, since_us, imported=True)
        if found is not None and present is not None:
            put_heard(catalogue, found)
            put_present(catalogue, self._headlines, present, imported=True)
            put_remembered(catalogue, found.remembered, imported=True)
        for part in parts:
            capture = captures[capture_key(part.source.meta)]
            unsealed = 0 if part.layout == LAYOUT else int(part.source.meta.get(UNSEALED_BYTES, "0"))
            sizes = (part.source.payload_bytes, part.bytes, unsealed, part.id)
            catalogue.execute(_FINISHED, (capture, part.layout, *part.totals, *sizes))
            if part.replaces:  # and be it that retention came before us
                catalogue.execute(_TOLD_NO_MORE, (part.replaces, GapCause.RETENTION.value))
                catalogue.execute("UPDATE gap SET segment_id = ? WHERE segment_id = ?", (part.id, part.replaces))
                catalogue.execute("UPDATE segment SET state = 'removed', bytes = 0 WHERE id = ?", (part.replaces,))
                self._hours.forget(part.replaces)
            if part.salvages:  # it tells by itself what is still missing
                catalogue.execute("UPDATE segment SET state = 'quarantined' WHERE id = ?", (part.salvages,))
                catalogue.execute(_TOLD_NO_MORE, (part.salvages, GapCause.DAMAGED.value))
                self._hours.forget(part.salvages)  # what came back is summed up with its own segment
            put_gaps(catalogue, part.id, part.gaps)
        if found is not None:
            add_topics(catalogue, found.topics)


def _each_once(named_by: Iterable[Rows]) -> Rows:
    """Many segments name nearly the same."""
    names: tuple[dict[int, Any], ...] = ({}, {}, {})
    for rows in named_by:
        for known, table in zip(names, rows, strict=True):
            known.update((row[0], row) for row in table if row[0] not in known)
    return Rows(*(list(known.values()) for known in names))


def end_of(part: Part, ended: Iterable[int]) -> list[tuple[object, ...]]:
    """Presence changes of agents (ids here) that were there when the recorder of a segment ended."""
    at_us = part.source.committed_us
    unknown = (int(Presence.UNKNOWN), int(Condition.OK), Cause.NOT_RECORDING.value)
    return [(at_us, agent, *unknown) for agent in ended]


def named(path: Path) -> Rows:
    """The names that a segment carries. Raises the engine's errors."""
    connection = open_reader(path, immutable=True)
    try:
        return Rows(
            connection.execute("SELECT id, name FROM topic").fetchall(),
            connection.execute("SELECT id, name FROM agent").fetchall(),
            connection.execute("SELECT id, agent_id, metric, labels, unit, kind, source FROM series").fetchall(),
        )
    finally:
        connection.close()
