"""Dataset `samples`: every stored number with its times, read from the columns of the batches or from sealed chunks."""

import time
from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np

from models.storage.export.cells import END, float_texts, text_cell
from models.storage.export.scope import Block, Scope, SeriesName
from models.storage.sealing.sample_order import Ordered, read_in_order
from models.storage.segments.open_segment import DISORDER_US, OpenSegment
from models.storage.segments.sample_columns import Samples, decode
from models.storage.segments.sample_pick import Float64, Int64, UInt32

PAGE_BATCHES = 2_000
PAGE_BYTES = 4 * 1024 * 1024
PAGE_S = 0.2
BLOCK_ROWS = 10_000
_NAMED = """select series.id from series join agent on agent.id = series.agent_id
    where agent.name = ? and series.metric = ? and series.labels = ?"""


class _Rows(NamedTuple):
    """Samples in order; `stamp` says which of the times is a sample's."""

    time_us: Int64
    received_us: Int64
    stamp: Int64 | UInt32
    series: UInt32
    value: Float64


class _SeriesCells:
    """Cells of each series, made once: what stands before and behind a value."""

    def __init__(self, opened: OpenSegment) -> None:
        self._opened = opened
        self.before: dict[int, str] = {}
        self.behind: dict[int, str] = {}
        self.rows: dict[int, tuple[str, str, str, str]] = {}
        self.agent: dict[int, int] = {}
        self.names: dict[int, SeriesName] = {}
        self.rank = np.zeros(1, np.int64)  # of each series, by name: numbers differ from workspace to workspace

    def learn(self, series: UInt32) -> list[int]:
        """Answers which series there are."""
        known: list[int] = np.unique(series).tolist()
        new = [id_ for id_ in known if id_ not in self.rows]
        for id_ in new:
            key = self._opened.series(id_)
            agent = self._opened.agent(key.agent)
            self.agent[id_] = key.agent
            self.names[id_] = SeriesName(agent, key.metric, key.labels)
            self.rows[id_] = agent, key.metric, key.unit, key.labels
            self.before[id_] = f"{text_cell(agent)},{text_cell(key.metric)},{text_cell(key.unit)},"
            self.behind[id_] = f",{text_cell(key.labels)}{END}"
        if new:
            self.rank = np.zeros(1 + max(self.rows), np.int64)
            self.rank[sorted(self.rows, key=self._name)] = np.arange(len(self.rows))
        return known

    def _name(self, id_: int) -> tuple[str, str, str, str]:
        agent, metric, unit, labels = self.rows[id_]
        return agent, metric, labels, unit


def read_samples(scope: Scope, opened: OpenSegment) -> Iterator[Block]:
    """By arrival; samples of one message by agent, metric and labels."""
    cells = _SeriesCells(opened)
    if opened.has_chunks:
        yield from _sealed(scope, opened, cells)
        return
    for page in _pages(scope, opened):
        for id_, blob in page:
            try:
                samples = decode(blob)
            except ValueError as error:  # a damaged batch costs only itself
                scope.view.note_damage(opened.id, error)
                continue
            rows = _in_range(scope, samples, cells)
            if len(rows.stamp):
                yield Block(rows.received_us[rows.stamp].tolist(), _lines(scope, rows, cells), id_)


def _sealed(scope: Scope, opened: OpenSegment, cells: _SeriesCells) -> Iterator[Block]:
    wanted = None
    if scope.agent:
        wanted = {id_ for (id_,) in opened.rows("select id from series where agent_id = ?", scope.agent)}
    if scope.series:
        found = {id_ for one in scope.series for (id_,) in opened.rows(_NAMED, *one)}
        wanted = found if wanted is None else wanted & found
    for part in read_in_order(
        opened.connection, scope.since_us, scope.end_us, scope.batch_range(opened), wanted,
        lambda error: scope.view.note_damage(opened.id, error),
    ):  # fmt: skip
        cells.learn(part.series)
        for low, high in _whole_batches(part):
            first, last = int(part.stamp[low]), int(part.stamp[high - 1])
            order = low + np.lexsort((cells.rank[part.series[low:high]], part.stamp[low:high]))
            rows = _Rows(
                part.time_us[first : last + 1],
                part.received_us[first : last + 1],
                part.stamp[order] - first,
                part.series[order],
                part.value[order],
            )
            received = rows.received_us[rows.stamp].tolist()
            yield Block(received, _lines(scope, rows, cells), int(part.batch[last]))


def _whole_batches(part: Ordered) -> Iterator[tuple[int, int]]:
    """Runs of samples, some batches each: whoever comes back goes on behind a batch."""
    batch = part.batch[part.stamp]
    low = 0
    while low < len(batch):
        high = min(low + BLOCK_ROWS, len(batch))
        high = int(np.searchsorted(batch, batch[high - 1], side="right"))
        yield low, high
        low = high


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


def _in_range(scope: Scope, samples: Samples, cells: _SeriesCells) -> _Rows:
    known = cells.learn(samples.series)
    order = np.lexsort((cells.rank[samples.series], samples.stamp))
    received = samples.received_us[samples.stamp[order]]
    kept = (received >= scope.since_us) & (received < scope.end_us)
    if scope.agent:
        kept &= np.isin(samples.series[order], [id_ for id_ in known if cells.agent[id_] == scope.agent])
    if scope.series:
        kept &= np.isin(samples.series[order], [id_ for id_ in known if cells.names[id_] in scope.series])
    if not kept.all():
        order = order[kept]
    return _Rows(
        samples.time_us, samples.received_us, samples.stamp[order], samples.series[order], samples.value[order]
    )  # fmt: skip


def _lines(scope: Scope, rows: _Rows, cells: _SeriesCells) -> list[str]:
    stamps, series, values = rows.stamp.tolist(), rows.series.tolist(), rows.value.tolist()
    times, arrivals = rows.time_us.tolist(), rows.received_us.tolist()
    if scope.shape.jsonl:
        named = cells.rows
        return scope.shape.lines(
            (times[at], arrivals[at], named[id_][0], named[id_][1], named[id_][2] or None, value, named[id_][3])
            for at, id_, value in zip(stamps, series, values, strict=True)
        )
    text = scope.shape.time
    heads = [f"{text(own)},{text(arrived)}," for own, arrived in zip(times, arrivals, strict=True)]
    before = map(cells.before.__getitem__, series)
    behind = map(cells.behind.__getitem__, series)
    return list(map("".join, zip(map(heads.__getitem__, stamps), before, float_texts(values), behind, strict=True)))
