"""Does a sealed segment hold what its source holds? Asked of every row before it takes the source's place."""

import zlib
from collections.abc import Iterator
from pathlib import Path

from models.storage.open_segment import DamagedError, OpenSegment, Row, SegmentRow
from models.storage.segment import SEALED_LAYOUT

PAGE_ROWS = 1_000
_ANY = SegmentRow(0, 0, "closed", 0, 0, 0, 0, 0, 0, 0)


def compare(source: Path, target: Path) -> None:
    """Raises `DamagedError` at the first difference, and where the source does not hold what once came; and the engine's
    errors."""
    before, after = OpenSegment(_ANY, source), OpenSegment(_ANY, target)
    try:
        if after.layout != SEALED_LAYOUT:
            raise DamagedError(f"{target.name} has layout {after.layout}")
        for table in _tables(before):
            if table != "meta":
                _compare_table(before, after, table)
    finally:
        before.connection.close()
        after.connection.close()


def _tables(opened: OpenSegment) -> list[str]:
    query = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name"
    return [str(name) for (name,) in opened.rows(query)]


def _compare_table(before: OpenSegment, after: OpenSegment, table: str) -> None:
    for left, right in zip(_pages(before, table), _pages(after, table), strict=True):
        if left != right:
            raise DamagedError(f"the rows of {table} from {left[0][0] if left else right[0][0]} on do not compare")
        if table == "message":
            _check_sums(before, left)


def _pages(opened: OpenSegment, table: str) -> Iterator[list[Row]]:
    """Rows by rowid, an empty page at the end."""
    after = -1
    page: list[Row] = [()]
    while page:
        page = opened.rows(f"select rowid, * from {table} where rowid > ? order by rowid limit {PAGE_ROWS}", after)
        after = page[-1][0] if page else after
        yield page


def _check_sums(opened: OpenSegment, page: list[Row]) -> None:
    for row in page:
        seq, topic, crc, payload = row[0], row[3], row[7], row[9]
        if zlib.crc32(payload, zlib.crc32(opened.topic(topic))) != crc:
            raise DamagedError(f"message {seq} is not as it came")
