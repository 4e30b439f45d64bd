"""Datasets put together from many rows: presence, agents, gaps, unreadable. What may grow large is sorted and merged
in a temporary database on disk, so that memory stays small."""

from collections.abc import Iterator, Sequence
from typing import Any

import apsw

from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import GapCause
from models.storage.export.cells import topic_text
from models.storage.export.scope import PAGE_ROWS, Scope
from models.storage.history.gaps import recording_ended
from models.storage.history.store_view import clusters
from models.storage.history.unreadable_topics import unreadable_topics
from models.storage.segments.open_segment import OpenSegment, Row, SegmentRow, fetch

_SCRATCH_CACHE_KIB = 16_384


def scratch_table(sql: str) -> apsw.Connection:
    """A private database with one table, that vanishes with its connection."""
    connection = apsw.Connection("")
    connection.pragma("journal_mode", "OFF")
    connection.pragma("synchronous", "OFF")
    connection.pragma("cache_size", -_SCRATCH_CACHE_KIB)
    connection.execute(sql)
    connection.execute("begin")
    return connection


def pages(scope: Scope, rows: Iterator[Sequence[Any]]) -> Iterator[list[str]]:
    """Rows as lines."""
    page: list[Sequence[Any]] = []
    for row in rows:
        page.append(row)
        if len(page) >= PAGE_ROWS:
            scope.token.check()
            yield scope.shape.lines(page)
            page = []
    yield scope.shape.lines(page)


def presence_lines(scope: Scope) -> Iterator[list[str]]:
    """Stretches that begin in the range, by their beginning, then agent; the end is that of the whole history. Whoever was there when
    recording ended is unknown since, as the next recorder will write down."""
    scratch = scratch_table("create table p (n integer primary key, agent, since, presence, condition, cause)")
    sql = "insert into p (agent, since, presence, condition, cause) values (?, ?, ?, ?, ?)"

    def changes(opened: OpenSegment, _row: SegmentRow) -> list[Row]:
        columns = "agent_id, time_us, presence, condition, cause"
        only, bindings = (" and agent_id = ?", [scope.agent]) if scope.agent else ("", [])
        return [
            (opened.agent(agent), *rest)
            for agent, *rest in opened.rows(
                f"select {columns} from presence_change where time_us >= ?{only} order by id", scope.since_us, *bindings
            )
        ]

    nothing: list[Row] = []
    for group in clusters(scope.view.overlapping(scope.since_us, 0)):
        for row in group:
            scope.token.check()
            scratch.executemany(sql, scope.view.attempt(row, changes, nothing))
    scratch.executemany(sql, _unknown_since_the_end(scope, scratch))
    presence = {int(one): one.name.lower() for one in Presence}
    conditions = {int(one): one.name.lower() for one in Condition}
    found = scratch.execute(
        """select * from (select agent, presence, condition, cause, since,
        lead(since) over (partition by agent order by since, n) as until, n from p) where since < ? order by since, agent, n""",
        (scope.end_us,),
    )
    rows = (
        (agent, presence[here], conditions[how], cause, since, until)
        for agent, here, how, cause, since, until, _ in found
    )
    yield from pages(scope, rows)
    scratch.close()


_LAST_PRESENCE = """select agent, presence from (select agent, presence,
    row_number() over (partition by agent order by since desc, n desc) as place from p) where place = 1"""


def _unknown_since_the_end(scope: Scope, changes: apsw.Connection) -> list[Row]:
    ended_us = recording_ended(scope.view)
    if not ended_us or ended_us < scope.since_us:
        return []
    sql = "select a.name, n.presence, n.imported from agent a left join agent_now n on n.agent_id = a.id where ? in (0, a.id)"
    known = list(fetch(scope.view.catalogue, sql, (scope.agent,)))
    last: dict[Any, Any] = {agent: presence for agent, presence, _ in known}
    last.update((agent, presence) for agent, presence in changes.execute(_LAST_PRESENCE))  # newer, after a crash
    for agent in (agent for agent, _, imported in known if imported):
        del last[agent]  # how an import ended stands
    there = (Presence.ONLINE, Presence.LATE)
    unknown = (ended_us, Presence.UNKNOWN, Condition.OK, Cause.NOT_RECORDING)
    return [(agent, *unknown) for agent, presence in last.items() if presence in there]


def agent_lines(scope: Scope, as_of_us: int) -> Iterator[list[str]]:
    """Agents that were heard in the range, as they are now (`as_of_us`), by name."""
    sql = """select a.id, a.name, a.given_name, a.own_name, a.given_group, a.own_group, a.convention,
        n.presence, n.condition, n.cause, n.first_seen_us, n.last_seen_us, n.messages
        from agent a join agent_now n on n.agent_id = a.id order by a.name"""
    rows = []
    for id_, name, given, own, given_group, own_group, convention, here, how, cause, first, last, n in fetch(
        scope.view.catalogue, sql
    ):
        heard = not first or (first < scope.end_us and last >= scope.since_us)
        if heard and scope.agent in (0, id_):
            presence = Presence(here).name.lower() if here else None
            condition = None if how is None else Condition(how).name.lower()
            group = given_group or own_group or None
            rows.append((name, given or own or None, group, convention or None, presence, condition, cause, as_of_us,
                         first, last, n or 0))  # fmt: skip
    yield from pages(scope, iter(rows))


def gap_lines(scope: Scope) -> Iterator[list[str]]:
    """Gaps that touch the range, by their beginning; of one agent: its own and everybody's. While no recorder runs, the
    last one has no end yet."""
    sql = """select g.since_us, g.until_us, a.name, g.cause, g.count from gap g left join agent a on a.id = g.agent_id
        where g.since_us < ? and g.until_us >= ? and (? = 0 or g.agent_id in (0, ?)) order by g.since_us, g.until_us, a.name, g.cause, g.id"""
    rows = list(fetch(scope.view.catalogue, sql, (scope.end_us, scope.since_us, scope.agent, scope.agent)))
    ended_us = recording_ended(scope.view)
    if ended_us and ended_us < scope.end_us:
        rows.append((ended_us, None, None, GapCause.NOT_RECORDING, 0))
    yield from pages(scope, iter(rows))


def annotation_lines(scope: Scope) -> Iterator[list[str]]:
    """What people marked that touches the range, by its beginning; of one agent: its own and everybody's. A moment ends when
    it begins."""
    sql = """select n.since_us, n.until_us, a.name, n.text, n.tags from annotation n left join agent a on a.id = n.agent_id
        where n.since_us < ? and n.until_us >= ? and (? = 0 or n.agent_id in (0, ?)) order by n.since_us, n.until_us, n.id"""
    bounds = (scope.end_us, scope.since_us, scope.agent, scope.agent)
    yield from pages(scope, iter(fetch(scope.view.catalogue, sql, bounds) if scope.view.has_annotations else []))


def unreadable_lines(scope: Scope) -> Iterator[list[str]]:
    """A row for each topic with messages that could not be read, by its last one. Memory grows with such topics only."""
    found = unreadable_topics(scope.view, scope.since_us, scope.until_us, scope.agent, scope.token)
    rows = [(topic_text(topic), one.messages, one.key.received_us, one.reason) for topic, one in found.items()]
    yield from pages(scope, iter(sorted(rows, key=lambda row: (row[2], row[0]))))
