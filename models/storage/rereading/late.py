"""Topics whose values stand under guesses though they have names now: kept in the catalogue until that history was read again."""

import json
from collections.abc import Collection
from typing import Any

import apsw

from models.domain.clock import Clock
from models.storage.segments.open_segment import DAMAGE, OpenSegment, SegmentRow
from models.storage.store_errors import problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

MOST_TOPICS = 10_000
"""Where more are late, all history is."""
STEP_US = 20_000
_SINCE, _LEFT, _TOPICS = "late_since_us", "late_left_us", "late_topics"
_ASK = "SELECT value FROM workspace WHERE key = ?"
_PUT = "INSERT OR REPLACE INTO workspace(key, value) VALUES (?, ?)"
_SIZE = "SELECT coalesce(sum(bytes), 0) FROM segment WHERE state = 'closed' AND last_us >= ?"
_RECORDED = """SELECT segment.id, segment.state, first_us FROM segment JOIN capture ON capture.id = capture_id
    WHERE state IN ('open', 'closed') AND kind = 'record' ORDER BY segment.id"""
_HOLDS = "select 1 from topic where id in (select value from json_each(?)) limit 1"


class Late:
    """The thread of the `StoreWriter`; its figures are read by any. Methods raise `EnvironmentProblem` store.*

    `since_us`: from there on history has to be read again; `left_us`: the same, left to the user (0: nothing is). `topics` are
    those of which it is not known yet since when they are recorded. `times` counts how often some were noticed.
    """

    def __init__(self, workspace: Workspace, catalogue: apsw.Connection, clock: Clock) -> None:
        self._workspace, self._catalogue, self._clock = workspace, catalogue, clock
        self.since_us, self.left_us = int(self._stored(_SINCE, "0")), int(self._stored(_LEFT, "0"))
        self.topics: frozenset[int] = frozenset(json.loads(self._stored(_TOPICS, "[]")))
        self.times = 0
        self._looked_to = 0  # segments up to this one hold none of the topics
        self._meanwhile_us = 0  # as `since_us`, of what was noticed since history is being read again
        self._span_us = (0, 0)

    def note(self, topics: Collection[int]) -> None:
        """Before what names them is stored, so that no kill between the two leaves the guesses."""
        if not topics:
            return
        self.times += 1
        self._looked_to = 0
        if len(self.topics) + len(topics) <= MOST_TOPICS:
            self._put(self.since_us, self.left_us, self.topics.union(topics))
        else:
            self._meanwhile_us = 1
            self._put(1, self.left_us, frozenset())

    def look_up(self) -> None:
        """Find out for a while since when the `topics` are recorded: call again while there are some."""
        until_us = self._clock.monotonic_us() + STEP_US
        with problems_of(self._workspace.catalogue):
            rows: list[Any] = self._catalogue.execute(_RECORDED).fetchall()
        for id_, state, first_us in rows:
            if id_ <= self._looked_to:
                continue
            if self._holds(id_, state):
                self._meanwhile_us = _first(self._meanwhile_us, first_us)
                self._put(_first(self.since_us, first_us), self.left_us, frozenset())
                return
            self._looked_to = id_
            if self._clock.monotonic_us() >= until_us:
                return
        self._put(self.since_us, self.left_us, frozenset())  # what is recorded of them is gone

    def leave(self) -> None:
        """It is too much to be read again unasked."""
        self._put(0, _first(self.left_us, self.since_us), self.topics)

    def begin(self, since_us: int, until_us: int) -> None:
        """History of [since, until) is being read again (0: open end)."""
        self._meanwhile_us, self._span_us = 0, (since_us, until_us)

    def done(self) -> None:
        """It is."""
        since_us, until_us = self._span_us
        if not until_us:
            left_us = 0 if since_us <= self.left_us else self.left_us
            self._put(self._meanwhile_us if since_us <= self.since_us else self.since_us, left_us, self.topics)

    def size_bytes(self) -> int:
        """Of the closed segments to be read again."""
        with problems_of(self._workspace.catalogue):
            return int(next(iter(self._catalogue.execute(_SIZE, (self.since_us,))))[0])

    def _holds(self, id_: int, state: str) -> bool:
        row = SegmentRow(id_, 0, state, 0, 0, 0, 0, 0, 0, 0)
        try:
            opened = OpenSegment(row, self._workspace.segment(id_))
        except DAMAGE:  # it cannot be read again either
            return False
        try:
            return bool(opened.rows(_HOLDS, json.dumps([*self.topics])))
        except DAMAGE:
            return False
        finally:
            opened.connection.close()

    def _stored(self, key: str, otherwise: str) -> str:
        return next((str(value) for (value,) in self._catalogue.execute(_ASK, (key,))), otherwise)

    def _put(self, since_us: int, left_us: int, topics: frozenset[int]) -> None:
        if (since_us, left_us, topics) == (self.since_us, self.left_us, self.topics):
            return
        values = ((_SINCE, str(since_us)), (_LEFT, str(left_us)), (_TOPICS, json.dumps(sorted(topics))))
        with problems_of(self._workspace.catalogue), transaction(self._catalogue):
            self._catalogue.executemany(_PUT, values)
        self.since_us, self.left_us, self.topics = since_us, left_us, topics


def _first(one_us: int, other_us: int) -> int:
    return min(one_us, other_us) if one_us and other_us else one_us or other_us
