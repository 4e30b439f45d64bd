"""The hour roll-ups of one segment: made from its batches, kept in it once it is sealed."""

import logging
from collections.abc import Iterator
from typing import Any

import apsw
import numpy as np

from models.storage.keeping.hour_columns import HourRow, rows_of
from models.storage.keeping.rollups import HourSums, SeriesTraits
from models.storage.names_table import SERIES_KEY, series_key
from models.storage.segments import sample_columns

TABLE = """CREATE TABLE hours (id INTEGER NOT NULL PRIMARY KEY, week INTEGER NOT NULL, bucket INTEGER NOT NULL,
    parts INTEGER NOT NULL, data BLOB NOT NULL)"""
"""In a sealed segment; `hour_columns` says what a row is."""
_STORED = "SELECT week, bucket, parts, data FROM hours ORDER BY id"
_INSERT = "INSERT INTO main.hours(week, bucket, parts, data) VALUES (?, ?, ?, ?)"
_PAGE_BATCHES = 512
_PAGE_SAMPLES = 50_000
_PAGE = "SELECT id, samples FROM batch WHERE id > ? AND samples IS NOT NULL ORDER BY id LIMIT ?"
_log = logging.getLogger(__name__)


def summed_hours(segment: apsw.Connection) -> Iterator[list[HourRow]]:
    """Rows made from the batches of a closed segment of layout 1. Yields every some ten milliseconds, mostly nothing, so that
    who cannot wait goes on later. A damaged batch costs only itself. Raises the engine's errors."""
    keys: list[Any] = segment.execute(f"SELECT id, {SERIES_KEY} FROM series").fetchall()
    sums = HourSums(SeriesTraits.of((id_, series_key(*key)) for id_, *key in keys))
    after, n = 0, 0
    blobs: list[bytes] = []
    while page := segment.execute(_PAGE, (after, _PAGE_BATCHES)).fetchall():
        for id_, blob in page:
            after = int(id_)  # type: ignore[arg-type]
            blobs.append(bytes(blob))  # type: ignore[arg-type]
            n += len(blobs[-1]) // 16
            if n >= _PAGE_SAMPLES:
                _add(sums, blobs)
                blobs, n = [], 0
                yield []
    _add(sums, blobs)
    yield []
    for parts in sums.by_bucket():
        yield rows_of(parts)


def write_hours(source: apsw.Connection, target: apsw.Connection) -> None:
    """Part of sealing: make the table in `target` and fill it from the batches of `source`."""
    target.execute(TABLE)
    for rows in summed_hours(source):
        target.executemany(_INSERT, rows)


def stored_hours(segment: apsw.Connection) -> list[HourRow] | None:
    """Of a sealed segment; None where it keeps none."""
    if not segment.execute("SELECT 1 FROM sqlite_schema WHERE name = 'hours'").fetchall():
        return None
    return [HourRow(*row) for row in segment.execute(_STORED)]


def _add(sums: HourSums, blobs: list[bytes]) -> None:
    parts = []
    for blob in blobs:
        try:
            one = sample_columns.decode(blob)
        except ValueError as error:
            _log.warning("a damaged batch is left out of the roll-ups: %s", error)
            continue
        parts.append((one.series, one.time_us[one.stamp], one.received_us[one.stamp], one.value))
    if parts:
        series, time_us, received_us, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        sums.add(series, time_us, received_us, value)
