"""Does a sealed segment hold what its source holds? Asked of every row before it takes the source's place."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.storage.sealing.sample_comparison import compare_samples
from models.storage.segments.open_segment import OpenSegment, Row, SegmentRow
from models.storage.segments.schema import SEALED_LAYOUT
from models.storage.store_errors import DamagedError

PAGE_ROWS = 1_000
_ANY = SegmentRow(0, 0, "closed", 0, 0, 0, 0, 0, 0, 0)


def compare(source: Path, target: Path) -> None:
    """Raises `DamagedError` at the first difference, and where the source does not hold what once came (the check sum of a
    sealed message is computed from it); and the engine's errors."""
    before, after = OpenSegment(_ANY, source), OpenSegment(_ANY, target)
    try:
        if after.layout != SEALED_LAYOUT:
            raise DamagedError(f"{target.name} has layout {after.layout}")
        for table in _tables(before):
            if table in after.blocks:
                _compare_blocks(before, after, table)
            elif table != "meta":
                _compare_rows(before, after, table)
        compare_samples(before.connection, after.connection)
    finally:
        before.connection.close()
        after.connection.close()


def _tables(opened: OpenSegment) -> list[str]:
    query = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name"
    return [str(name) for (name,) in opened.rows(query)]


def _compare_blocks(before: OpenSegment, after: OpenSegment, table: str) -> None:
    blocks = after.blocks[table]
    left_out = (*blocks.shape.absent, *blocks.shape.fewer)
    columns = [name for name in blocks.shape.columns if name not in left_out]
    query = f"select {', '.join(columns)} from {table} where rowid >= ? and rowid < ? order by rowid"
    first, n, *_ = blocks.directory
    for number, (low, count) in enumerate(zip(first.tolist(), n.tolist(), strict=True)):
        found = [tuple(row) for row in zip(*(blocks.column(number, name) for name in columns), strict=True)]
        _compare(table, before.rows(query, low, low + count), found)
    count = before.number(f"select count(*) from {table}")
    if count != blocks.count or (np.diff(first) < n[:-1]).any():
        raise DamagedError(f"{blocks.count} rows of {table}, not {count}")


def _compare_rows(before: OpenSegment, after: OpenSegment, table: str) -> None:
    for left, right in zip(_pages(before, table), _pages(after, table), strict=True):
        _compare(table, left, right)


def _pages(opened: OpenSegment, table: str) -> Iterator[list[Row]]:
    """Rows by rowid, an empty page at the end."""
    names = [str(name) for _, name, *_ in opened.rows(f"pragma table_info({table})")]
    columns = ", ".join(f'"{name}"' for name in names)
    after = -1
    page: list[Row] = [()]
    while page:
        query = f"select rowid, {columns} from {table} where rowid > ? order by rowid limit {PAGE_ROWS}"
        page = opened.rows(query, after)
        after = page[-1][0] if page else after
        yield page


def _compare(table: str, left: list[Row], right: list[Row]) -> None:
    if left != right:
        wrong = next((one for one, other in zip(left, right, strict=False) if one != other), (left or right)[-1])
        raise DamagedError(f"{table} {wrong[0]} is not as it came")
