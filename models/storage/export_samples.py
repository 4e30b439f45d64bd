"""Dataset `samples`: every stored number with its times, read from the columns of the batches."""

import time
from collections.abc import Iterator
from typing import cast

import numpy as np

from models.storage.export_cells import END, float_texts, text_cell
from models.storage.export_scope import Block, Scope
from models.storage.open_segment import DISORDER_US, OpenSegment
from models.storage.sample_columns import Samples, decode

PAGE_BATCHES = 2_000
PAGE_BYTES = 4 * 1024 * 1024
PAGE_S = 0.2


class _SeriesCells:
    """Cells of each series, made once: what stands before and behind a value."""

    def __init__(self, opened: OpenSegment, jsonl: bool) -> None:
        self._opened, self._jsonl = opened, jsonl
        self.before: dict[int, str] = {}
        self.behind: dict[int, str] = {}
        self.rows: dict[int, tuple[str, str, str, str]] = {}
        self.agent: dict[int, int] = {}

    def learn(self, series: list[int]) -> None:
        for id_ in series:
            if id_ in self.rows:
                continue
            key = self._opened.series(id_)
            agent = self._opened.agent(key.agent)
            self.agent[id_] = key.agent
            self.rows[id_] = agent, key.metric, key.unit, key.labels
            self.before[id_] = f"{text_cell(agent)},{text_cell(key.metric)},{text_cell(key.unit)},"
            self.behind[id_] = f",{text_cell(key.labels)}{END}"


def read_samples(scope: Scope, opened: OpenSegment) -> Iterator[Block]:
    """By arrival; samples of one message by series."""
    cells = _SeriesCells(opened, scope.shape.jsonl)
    for page in _pages(scope, opened):
        for id_, blob in page:
            try:
                samples = decode(blob)
            except ValueError as error:  # a damaged batch costs only itself
                scope.view.note_damage(opened.id, error)
                continue
            block = _block(scope, id_, samples, cells)
            if block.lines:
                yield block


def _pages(scope: Scope, opened: OpenSegment) -> Iterator[list[tuple[int, bytes]]]:
    low, end = scope.batch_range(opened)
    has, needle = ("instr(agents, ?)", [np.array([scope.agent], "<u4").tobytes()]) if scope.agent else ("1", [])
    sql = f"""select id, samples from batch where id between ? and ? and first_us < ? and samples is not null
        and {has} order by id"""
    until = scope.end_us + (DISORDER_US if scope.until_us else 0)
    while low < end:
        page: list[tuple[int, bytes]] = []
        size, end_s = 0, time.monotonic() + PAGE_S
        top = min(end, low + PAGE_BATCHES) - 1
        cursor = opened.connection.execute(sql, (low, top, until, *needle))
        low = top + 1
        for row in cursor:
            id_, samples = cast("tuple[int, bytes]", row)
            page.append((id_, samples))
            size += len(samples)
            if size > PAGE_BYTES or time.monotonic() > end_s:
                low = id_ + 1
                break
        cursor.close()
        yield page


def _block(scope: Scope, batch: int, samples: Samples, cells: _SeriesCells) -> Block:
    known = np.unique(samples.series).tolist()
    cells.learn(known)
    order = np.argsort(samples.stamp, kind="stable")
    stamp = samples.stamp[order]
    received = samples.received_us[stamp]
    kept = (received >= scope.since_us) & (received < scope.end_us)
    if scope.agent:
        kept &= np.isin(samples.series[order], [id_ for id_ in known if cells.agent[id_] == scope.agent])
    if not kept.all():
        order, stamp, received = order[kept], stamp[kept], received[kept]
    stamps, series, values = stamp.tolist(), samples.series[order].tolist(), samples.value[order].tolist()
    times, arrivals = samples.time_us.tolist(), samples.received_us.tolist()
    if scope.shape.jsonl:
        rows = cells.rows
        lines = scope.shape.lines(
            (times[at], arrivals[at], rows[id_][0], rows[id_][1], rows[id_][2] or None, value, rows[id_][3])
            for at, id_, value in zip(stamps, series, values, strict=True)
        )
    else:
        text, before, behind = scope.shape.time, cells.before, cells.behind
        heads = [f"{text(own)},{text(arrived)}," for own, arrived in zip(times, arrivals, strict=True)]
        texts = float_texts(values)
        lines = [
            f"{heads[at]}{before[id_]}{value}{behind[id_]}"
            for at, id_, value in zip(stamps, series, texts, strict=True)
        ]
    return Block(received.tolist(), lines, batch)
