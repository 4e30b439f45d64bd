"""What a workspace holds, told so that another one can say which of it is new: segments by where and when they were begun.

A segment that came from elsewhere keeps telling its first origin, so that it is known whatever ways it went.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw

from models.domain.presence_words import Presence
from models.domain.records import GapCause
from models.storage.history.store_view import read_catalogue
from models.storage.segments.open_segment import DAMAGE, DAMAGE_ALONE, OpenSegment, SegmentRow
from models.storage.store_errors import problems_of
from models.storage.workspace import Workspace
from models.storage.writing.annotations import Kept

LOST = (GapCause.RETENTION.value, GapCause.DAMAGED.value, GapCause.LEFT_OUT.value)
"""Causes of gaps that stand for a whole segment, and end where somebody brings that segment."""
SALVAGED = "salvaged"
"""Key in the `meta` of a segment that was made of what could be read of a damaged one: workspace and number of that."""
_SEGMENTS = """SELECT segment.id, segment.layout, state, segment.first_us, segment.last_us, messages, payload_bytes,
    coalesce(kind, 'record')
    FROM segment LEFT JOIN capture ON capture.id = capture_id
    WHERE state IN ('open', 'closed', 'quarantined') ORDER BY segment.id"""
_GAPS = f"""SELECT since_us, until_us, cause, count FROM gap WHERE agent_id = 0 AND cause IN ({", ".join(f"'{cause}'" for cause in LOST)}) ORDER BY id"""
_WORDS = """SELECT name, given_name, given_group, note FROM agent
    WHERE given_name <> '' OR given_group <> '' OR note <> '' ORDER BY id"""
_MARKED = """SELECT n.id, n.since_us, n.until_us, coalesce(a.name, ''), n.text, n.tags, n.changed_us
    FROM annotation n LEFT JOIN agent a ON a.id = n.agent_id ORDER BY n.id"""
_ANNOTATION_SCHEMA = 9
_THERE = """SELECT name FROM agent JOIN agent_now ON agent_id = agent.id
    WHERE presence IN (?, ?) AND NOT imported ORDER BY agent.id"""


class HeldSegment(NamedTuple):
    """A segment that can be read. `last_batch`: how far it is filled. `origin` tells it from every other one, in whatever workspace.
    `parted`: it was the newest of another workspace when it was brought, and says that nobody looked after its end."""

    id: int
    layout: int
    origin: str
    recorded: bool
    is_open: bool
    first_us: int
    last_us: int
    messages: int
    payload_bytes: int
    last_batch: int
    committed_us: int
    parted: bool
    meta: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LostHistory:
    """A gap in place of a segment."""

    since_us: int
    until_us: int
    cause: str
    missing: int


class Words(NamedTuple):
    """What the user said of an agent."""

    agent: str
    name: str
    group: str
    note: str


class Held(NamedTuple):
    """What a workspace holds. `unreadable`: segments that nobody can read. `there`: agents that were present when recording
    ended."""

    segments: list[HeldSegment]
    unreadable: int
    lost: list[LostHistory]
    words: list[Words]
    there: list[str]
    annotations: list[Kept]

    @property
    def recorded_until_us(self) -> int:
        """When the last recorder stored its last batch; 0: none did."""
        return max((one.committed_us for one in self.segments if one.recorded), default=0)

    def is_last(self, segment: HeldSegment) -> bool:
        """Did a recorder end with this one?"""
        return segment.recorded and segment.committed_us == self.recorded_until_us


def read_held(workspace: Workspace, *, ours: bool = False) -> Held:
    """Any thread. `ours`: what just cannot be read is an error, as what is held and not known to be would be brought again.
    Raises the problems of `read_catalogue`, and `EnvironmentProblem` store.*"""
    with problems_of(workspace.catalogue):
        return _read_held(workspace, (*(DAMAGE_ALONE if ours else DAMAGE), apsw.SQLError))


def _read_held(workspace: Workspace, damage: tuple[type[BaseException], ...]) -> Held:
    catalogue = read_catalogue(workspace)
    try:
        (own,) = next(iter(catalogue.execute("SELECT value FROM workspace WHERE key = 'id'")))
        rows: list[Any] = catalogue.execute(_SEGMENTS).fetchall()
        found = [_segment(workspace, str(own), row, damage) for row in rows]
        segments = [one for one in found if one is not None]
        lost = [LostHistory(*row) for row in catalogue.execute(_GAPS)]
        lost += [  # of one that was set aside there is a gap already
            LostHistory(row[3], row[4], GapCause.DAMAGED.value, row[5])
            for row, one in zip(rows, found, strict=True)
            if one is None and row[2] != "quarantined"
        ]
        there = catalogue.execute(_THERE, (int(Presence.ONLINE), int(Presence.LATE))).fetchall()
        marked = int(catalogue.pragma("user_version")) >= _ANNOTATION_SCHEMA
        return Held(
            segments,
            len(found) - len(segments),
            lost,
            [Words(*row) for row in catalogue.execute(_WORDS)],
            [str(name) for (name,) in there],
            [Kept(*row) for row in catalogue.execute(_MARKED)] if marked else [],
        )
    finally:
        catalogue.close()


def _segment(
    workspace: Workspace, own: str, row: tuple[Any, ...], damage: tuple[type[BaseException], ...]
) -> HeldSegment | None:
    id_, layout, state, first_us, last_us, messages, payload_bytes, kind = row
    if state == "quarantined":
        return None
    try:
        told = SegmentRow(id_, 0, state, first_us, last_us, messages, 0, 0, 0, 0, layout=layout)
        opened = OpenSegment(told, workspace.segment(id_))
        try:
            meta = {str(key): str(value) for key, value in opened.rows("select key, value from meta")}
            last = opened.rows("select id, committed_us from batch order by id desc limit 1")
        finally:
            opened.connection.close()
    except damage:
        return None
    last_batch, committed_us = last[0] if last else (0, 0)
    return HeldSegment(
        id_, layout, origin_of(meta, own), kind == "record", state == "open", first_us, last_us, messages, payload_bytes, last_batch,
        committed_us, "parted" in meta, meta,
    )  # fmt: skip


def origin_of(meta: Mapping[str, str], workspace: str) -> str:
    """Its first place: workspace, number there, and when it was begun, as copies of a workspace go on with the same numbers."""
    return meta.get("origin") or "/".join(
        (meta.get("workspace", workspace), meta.get("segment", ""), meta.get("created_us", ""))
    )
