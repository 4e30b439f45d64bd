"""The hour roll-ups in the catalogue: taken in from segments, joined when their samples are gone, removed last of all."""

import contextlib
import time
from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import numpy as np

from models.storage.keeping.hour_columns import (
    BUCKET,
    DAMAGED,
    HOUR_US,
    NOTHING,
    WEEK_HOURS,
    HourParts,
    HourRow,
    decode,
    decode_some,
    rows_of,
)
from models.storage.keeping.rollups import merged
from models.storage.transaction import transaction

_MANY = 8
"""Rows of one bucket and week are joined when there are so many: each costs some hundred bytes whatever it holds."""
_WEEK_US = WEEK_HOURS * HOUR_US
_INSERT = "INSERT INTO hours(week, bucket, segment_id, parts, bytes, data) VALUES (?, ?, ?, ?, ?, ?)"
_SCATTERED = """SELECT bucket, week FROM hours WHERE segment_id = 0 GROUP BY week, bucket
    HAVING count(*) >= ? LIMIT 64"""
_OF_ONE = "SELECT id, parts, data FROM hours WHERE bucket = ? AND week = ? AND segment_id = 0"
_WEEKS = "SELECT week, sum(bytes) FROM hours WHERE segment_id = 0 GROUP BY week ORDER BY week"
_LONE = """SELECT week, data FROM hours WHERE bucket = ? AND week BETWEEN ? AND ? AND (segment_id = 0 OR segment_id IN
    (SELECT id FROM segment WHERE state NOT IN ('open', 'closed')))"""


class HourStore:
    """Recorder's ingest thread. Raises the engine's errors."""

    def __init__(self, catalogue: apsw.Connection) -> None:
        self._catalogue = catalogue
        self._scattered = True  # perhaps; by whoever had it before
        self._used_bytes: int | None = None

    @property
    def used_bytes(self) -> int:
        """Of all roll-ups."""
        if self._used_bytes is None:
            rows = self._catalogue.execute("SELECT coalesce(sum(bytes), 0) FROM hours").fetchall()
            self._used_bytes = int(rows[0][0])  # type: ignore[arg-type]
        return self._used_bytes

    def knows(self, segment: int) -> bool:
        """Whether the roll-ups of a segment were taken in."""
        return bool(self._catalogue.execute("SELECT 1 FROM hours WHERE segment_id = ? LIMIT 1", (segment,)).fetchall())

    def take(self, segment: int, rows: Iterable[HourRow]) -> None:
        """Within a transaction: the roll-ups of a segment, once."""
        values = [(row.week, row.bucket, segment, row.parts, len(row.data), row.data) for row in rows]
        self._catalogue.executemany(_INSERT, values)
        self._used_bytes = None

    def outlive(self, segment: int) -> None:
        """Within the transaction that removes a segment: from now on they stand for its samples."""
        self._catalogue.execute("UPDATE hours SET segment_id = 0 WHERE segment_id = ?", (segment,))
        self._scattered = True

    def forget(self, segment: int) -> None:
        """Within the transaction in which somebody removes a segment and all that came of it."""
        self._catalogue.execute("DELETE FROM hours WHERE segment_id = ?", (segment,))
        self._used_bytes = None

    def tidy(self, end_s: float) -> None:
        """Join rows of the same series and week whose samples are gone, until `end_s` (monotonic); later calls do the rest."""
        while self._scattered:
            places = self._catalogue.execute(_SCATTERED, (_MANY,)).fetchall()
            self._scattered = bool(places)
            for bucket, week in places:
                if time.monotonic() > end_s:
                    return
                self._join(int(bucket), int(week))  # type: ignore[arg-type]

    def keep_within(self, most_bytes: int, oldest_us: int) -> None:
        """Remove the oldest weeks of what outlived its samples."""
        if self.used_bytes <= most_bytes and not self._older(oldest_us // _WEEK_US):
            return
        gone, left = [], self.used_bytes
        for week, size in self._catalogue.execute(_WEEKS).fetchall():
            if left <= most_bytes and (int(week) + 1) * _WEEK_US > oldest_us:  # type: ignore[arg-type]
                break
            gone.append((week,))
            left -= int(size)  # type: ignore[arg-type]
        if not gone:
            return  # the rest belongs to samples that are held
        with transaction(self._catalogue):
            self._catalogue.executemany("DELETE FROM hours WHERE week = ? AND segment_id = 0", gone)
        self._used_bytes = None

    def _older(self, week: int) -> bool:
        return bool(
            self._catalogue.execute("SELECT 1 FROM hours WHERE segment_id = 0 AND week < ? LIMIT 1", (week,)).fetchall()
        )

    def _join(self, bucket: int, week: int) -> None:
        """A row that is damaged is set aside: nobody reads it any more."""
        found: list[HourParts] = []
        ids: list[tuple[Any]] = []
        damaged: list[tuple[Any]] = []
        for id_, parts, data in self._catalogue.execute(_OF_ONE, (bucket, week)).fetchall():
            try:
                found.append(decode(bytes(data), bucket, week, int(parts)))  # type: ignore[arg-type]
                ids.append((id_,))
            except DAMAGED:
                damaged.append((id_,))
        with transaction(self._catalogue):
            self._catalogue.executemany("UPDATE hours SET segment_id = -1 WHERE id = ?", damaged)
            self._catalogue.executemany("DELETE FROM hours WHERE id = ?", ids)
            self.take(0, rows_of(merged(found)))


def lone_hours(catalogue: apsw.Connection, series: Sequence[int], since_us: int, until_us: int) -> HourParts:
    """What is known of [since, until) where samples are gone: parts of these series, one an hour, by series and hour. A
    damaged row tells nothing. Any reader."""
    found = [NOTHING]
    wanted = np.unique(np.array(series, np.uint32))
    for bucket in np.unique(wanted // BUCKET).tolist():
        weeks = (bucket, since_us // _WEEK_US, (until_us - 1) // _WEEK_US)
        for week, data in catalogue.execute(_LONE, weeks):
            with contextlib.suppress(*DAMAGED):
                found.append(decode_some(bytes(data), bucket, int(week), wanted))
    every = merged(found)
    return every.pick((every.hour * HOUR_US < until_us) & ((every.hour + 1) * HOUR_US > since_us))
