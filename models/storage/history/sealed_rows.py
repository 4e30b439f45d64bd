"""Rows of sealed segments for the lists, in the order of a span."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.domain.queries import RowKey
from models.storage.history.row_pages import Span
from models.storage.sealing.row_reading import RowBlocks
from models.storage.segments.open_segment import OpenSegment, holds


def may_hold(needle: str, joined: bytes) -> bool:
    """False: none of the texts in it holds the needle. Where one breaks off within a character, the next may complete it; so
    the sign for broken ones is not looked for here."""
    return "\ufffd" in needle or holds(needle, joined)


def rows_within(blocks: RowBlocks, number: int, span: Span) -> npt.NDArray[np.intp]:
    """Places of the span's rows in a block."""
    first, received_us = int(blocks.directory[0][number]), blocks.array(number, "received_us")
    rows = np.flatnonzero((received_us >= span.since_us) & (received_us < span.until_us))
    return rows[(rows >= span.low - first) & (rows < span.end - first)]


def tuples(
    blocks: RowBlocks, number: int, rows: npt.NDArray[np.intp], names: Sequence[str], *, up: bool
) -> Iterator[tuple[Any, ...]]:
    """The last row first, or `up` from the first."""
    if len(rows):
        yield from zip(*(blocks.column(number, name, rows if up else rows[::-1]) for name in names), strict=True)


def reached(opened: OpenSegment, blocks: RowBlocks, number: int, *, up: bool) -> RowKey:
    """Everything newer than this block was looked at (`up`: older), and it itself."""
    row = int(blocks.directory[1][number]) - 1 if up else 0
    return RowKey(blocks.value(number, "received_us", row), opened.id, int(blocks.directory[0][number]) + row)
