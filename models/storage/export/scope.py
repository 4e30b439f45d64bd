"""What is exported from where, and the order of rows over segments."""

import heapq
from collections.abc import Callable, Collection, Iterator
from operator import itemgetter
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from models.domain.problems import trouble
from models.domain.queries import CancelToken
from models.storage.export.cells import Shape
from models.storage.history.store_view import StoreView, clusters
from models.storage.sealing.row_reading import RowBlocks
from models.storage.segments.open_segment import DISORDER_US, OpenSegment, Row, SegmentRow, fetch

PAGE_ROWS = 10_000
PAGE_BYTES = 8 * 1024 * 1024


class Block(NamedTuple):
    """Some lines of one segment with their arrivals, in order, and the last row (of samples: batch) that they come from."""

    received_us: list[int]
    lines: list[str]
    last: int


class SeriesName(NamedTuple):
    """A series as the columns of `samples` name it."""

    agent: str
    metric: str
    labels: str = ""


class Scope:
    """One export: its range [since_us, until_us) by arrival (0: open end), its agent (0: all), its series (none: all), its shape."""

    def __init__(
        self, view: StoreView, shape: Shape, since_us: int, until_us: int, agent: str, token: CancelToken,
        series: Collection[SeriesName] = (),
    ) -> None:  # fmt: skip
        self.view, self.shape, self.token = view, shape, token
        self.since_us, self.until_us = since_us, until_us
        self.end_us = until_us or 2**62
        self.agent, self.agent_name = (_agent_id(view, agent) if agent else 0), agent
        self.series = frozenset(series)

    def row_range(self, opened: OpenSegment, table: str) -> tuple[int, int]:
        """Rowids [first, end) of a table among which everything in the range is."""
        return opened.row_range(table, self.since_us, self.until_us)

    def batch_range(self, opened: OpenSegment) -> tuple[int, int]:
        """Ids [first, end) of batches, likewise; of sealed chunks all, as those know their times themselves."""
        if opened.has_chunks:
            return 0, 1 << 62
        sql = "select id from batch where last_us >= ? order by last_us limit 1"
        first = opened.number(sql, self.since_us - DISORDER_US)
        return (first, opened.number("select max(id) from batch") + 1) if first else (0, 0)

    def held(self) -> list[int]:
        """Ids of the segments in the range, as of now."""
        self.view.refresh()
        return [row.id for row in self.view.overlapping(self.since_us, self.until_us)]

    def segments(self) -> list[list[SegmentRow]]:
        """Groups of segments in the range, oldest first; only within a group arrivals overlap."""
        return clusters(self.view.overlapping(self.since_us, self.until_us))

    def merged(self, read: Callable[["Scope", OpenSegment], Iterator[Block]]) -> Iterator[list[str]]:
        """Lines of all segments by (arrival, segment, place in the segment)."""

        def blocks(opened: OpenSegment, _row: SegmentRow) -> Iterator[Block]:
            for block in read(self, opened):
                self.token.check()
                yield block

        for group in self.segments():
            if len(group) == 1:
                for block in self.view.stream(group[0], blocks):
                    yield block.lines
            else:
                streams = [_flat(self.view.stream(row, blocks)) for row in group]
                page: list[str] = []
                for _, line in heapq.merge(*streams, key=itemgetter(0)):
                    page.append(line)
                    if len(page) >= PAGE_ROWS:
                        yield page
                        page = []
                yield page

    def rows(
        self,
        opened: OpenSegment,
        table: str,
        columns: str,
        agents: tuple[str, ...] = ("agent_id",),
        sizes: tuple[int, ...] = (),
    ) -> Iterator[list[Row]]:
        """Pages of rows of the range and agent, in order. The first column must be `received_us`; `sizes` tells which
        columns make rows large. No read transaction outlives a page."""
        first, end = self.row_range(opened, table)
        if table in opened.blocks:
            yield from self._sealed_rows(opened.blocks[table], columns, first, end)
            return
        where, bindings = "received_us >= ? and received_us < ?", [self.since_us, self.end_us]
        if self.agent and agents:
            where += f" and ({' or '.join(f'{column} = ?' for column in agents)})"
            bindings += [self.agent] * len(agents)
        sql = f"select {columns}, rowid from {table} where rowid >= ? and rowid < ? and {where} order by rowid"
        while first < end:
            page: list[Row] = []
            page_bytes, top = 0, min(end, first + PAGE_ROWS)
            cursor = opened.connection.execute(sql, (first, top, *bindings))
            first = top
            for found in cursor:
                row = cast("Row", found)
                page.append(row)
                page_bytes += sum([len(row[at] or "") for at in sizes])
                if page_bytes > PAGE_BYTES:
                    first = row[-1] + 1
                    break
            cursor.close()
            if page:
                yield page

    def _sealed_rows(self, blocks: RowBlocks, columns: str, first: int, end: int) -> Iterator[list[Row]]:
        def meets(blocks: RowBlocks, number: int) -> npt.NDArray[np.bool_]:
            received_us = blocks.array(number, "received_us")
            found: npt.NDArray[np.bool_] = (received_us >= self.since_us) & (received_us < self.end_us)
            return found & (blocks.array(number, "agent_id") == self.agent) if self.agent else found

        yield from blocks.pages([*columns.split(", "), blocks.shape.key], first, end, meets)


def _flat(blocks: Iterator[Block]) -> Iterator[tuple[int, str]]:
    for block in blocks:
        yield from zip(block.received_us, block.lines, strict=True)


def _agent_id(view: StoreView, name: str) -> int:
    """Raises `EnvironmentProblem` agent.unknown. An agent may be so new that only an open segment names it."""
    rows = fetch(view.catalogue, "select id from agent where name = ?", (name,))
    for row in reversed(view.newest()):
        nothing: list[Row] = []
        rows = rows or view.attempt(row, lambda o, _: o.rows("select id from agent where name = ?", name), nothing)
    if not rows:
        raise trouble("agent.unknown", agent=name)
    return int(rows[0][0])
