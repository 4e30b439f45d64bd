"""Samples of chosen series, newest first: from the columns of the batches, and from the chunks of sealed segments."""

import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from models.domain.names import SeriesKey, SeriesKind
from models.domain.queries import CancelToken, SeriesColumns, SeriesRequest, SeriesResult
from models.domain.reduce import counter_index, envelope_index, plot_time
from models.storage.history.gaps import gaps_between
from models.storage.history.store_view import StoreView
from models.storage.names_table import SERIES_KEY, series_key
from models.storage.sealing.sample_reading import read_series
from models.storage.segments.open_segment import DISORDER_US, OpenSegment, SegmentRow, fetch
from models.storage.segments.sample_pick import Float64, Int64, Piece, UInt32, chosen, pick, pieces

FIRST_PAGE_S = 0.3
"""A question that takes longer gets what there is, and more later."""
PAGE_S = 0.2
PAGE_BATCHES = 4_000
PAGE_BYTES = 32 * 1024 * 1024
_COLUMNS = "select batch.id, samples from json_each(?) as wanted cross join batch on batch.id = wanted.value"
T = TypeVar("T", bound=np.generic)
Reduce = Callable[[Int64, Float64, int], Int64]


def answer_series(view: StoreView, request: SeriesRequest, now_us: int, token: CancelToken) -> Iterator[SeriesResult]:
    """Pages of rising completeness; the last says `complete`."""
    wanted = np.unique(np.array(request.series, np.uint32))
    keys = _keys_of(view, request.series)
    agents = {key.agent for key in keys.values()}
    counters = {id_ for id_, key in keys.items() if key.kind is SeriesKind.COUNTER}
    parts: dict[int, list[Piece]] = {int(series): [] for series in wanted}  # newest first
    told = time.monotonic()

    for row in reversed(view.overlapping(request.since_us, request.until_us)):
        for part in samples_in(view, row, request, wanted, agents):
            token.check()
            parts[part.series].append(part)
            if time.monotonic() - told > FIRST_PAGE_S:
                yield _result(view, request, parts, agents, counters, now_us, complete=False)
                told = time.monotonic() + 2 * FIRST_PAGE_S  # putting all together again is not free
    yield _result(view, request, parts, agents, counters, now_us, complete=True)


def samples_in(
    view: StoreView, row: SegmentRow, request: SeriesRequest, wanted: UInt32, agents: Collection[int]
) -> Iterator[Piece]:
    """What a segment has of the `wanted` series (ascending) of these agents in the time of the request, the newest first."""

    def read(opened: OpenSegment, row: SegmentRow) -> Iterator[Piece]:
        way = _sealed if opened.has_chunks else _batched
        return way(opened, request, wanted, agents, lambda error: view.note_damage(row.id, error))

    return view.stream(row, read)


def _keys_of(view: StoreView, series: Sequence[int]) -> dict[int, SeriesKey]:
    """Names of some series; a series so new that only a segment knows it is looked up there."""
    found: dict[int, SeriesKey] = {}
    newest = list(reversed(view.newest()))
    for id_ in series:
        rows = fetch(view.catalogue, f"select {SERIES_KEY} from series where id = ?", (id_,))
        if rows:
            found[id_] = series_key(*rows[0])
            continue
        for row in newest:
            key = view.attempt(row, lambda opened, _row, id_=id_: opened.series(id_), None)  # type: ignore[misc]
            if key is not None and key.agent:
                found[id_] = key
                break
    return found


Damaged = Callable[[Exception], None]


def _sealed(
    opened: OpenSegment, request: SeriesRequest, wanted: UInt32, _agents: Collection[int], damaged: Damaged
) -> Iterator[Piece]:
    return read_series(opened.connection, wanted.tolist(), request.since_us, request.until_us, damaged)


def _batched(
    opened: OpenSegment, request: SeriesRequest, wanted: UInt32, agents: Collection[int], damaged: Damaged
) -> Iterator[Piece]:
    """Page by page, the newest first; a page costs one short transaction."""
    since, until = request.since_us - DISORDER_US, request.until_us + DISORDER_US
    low = opened.number("select id from batch where last_us >= ? order by last_us limit 1", since)
    high = opened.number("select id from batch where last_us < ? order by last_us desc limit 1", until)
    if not low or not agents:
        return
    batches = opened.batch_agents.holding(agents, low, high + 1).tolist()
    while batches:
        blobs: list[bytes] = []
        size, end_s = 0, time.monotonic() + PAGE_S
        page = batches[-PAGE_BATCHES:]
        cursor = opened.connection.execute(_COLUMNS, (str(page[::-1]),))
        while some := cast("list[tuple[int, bytes]]", list(islice(cursor, 64))):
            blobs += [data for _, data in some]
            size += sum([len(data) for _, data in some])
            if size > PAGE_BYTES or time.monotonic() > end_s:
                page = page[bisect_left(page, some[-1][0]) :]
                break
        cursor.close(True)
        del batches[-len(page) :]
        part = pick(blobs[::-1], wanted, damaged)
        yield from pieces(chosen(part, (part.received_us >= request.since_us) & (part.received_us < request.until_us)))


def _result(
    view: StoreView,
    request: SeriesRequest,
    parts: dict[int, list[Piece]],
    agents: set[int],
    counters: Collection[int],
    now_us: int,
    *,
    complete: bool,
) -> SeriesResult:
    shared: dict[tuple[int, ...], tuple[Int64, Int64]] = {}  # times of series that came in the same messages
    columns = []
    for series in request.series:
        every = parts[series][::-1]
        if not every:
            columns.append(columns_of(series, *_NO_TIMES, np.zeros(0), 1))
            continue
        key = tuple(map(id, [one.time_us for one in every]))
        if key not in shared:
            shared[key] = _joined([one.time_us for one in every]), _joined([one.received_us for one in every])
        value, index = _joined([one.value for one in every]), counter_index if series in counters else envelope_index
        columns.append(columns_of(series, *shared[key], value, request.points_of(series), index))
    gaps = gaps_between(view, request.since_us, request.until_us, agents, now_us)
    return SeriesResult(request, tuple(columns), gaps, complete)


_NO_TIMES = np.zeros(0, np.int64), np.zeros(0, np.int64)


def _joined(arrays: Sequence[npt.NDArray[T]]) -> npt.NDArray[T]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def columns_of(
    series: int, at: Int64, received: Int64, value: Float64, max_points: int, index: Reduce = envelope_index
) -> SeriesColumns:
    """Samples of one series (own time, arrival, value), sorted by the agent's own time; where they are more than `max_points`,
    what `index` keeps of them by the time they are drawn at (`plot_time`). Own times stay as stored, so that a sample is the
    same in every page.
    """
    reduced = len(at) > max_points
    if reduced:
        drawn = plot_time(at, received)
        if (drawn[1:] < drawn[:-1]).any():
            order = np.argsort(drawn, kind="stable")
            at, received, value, drawn = at[order], received[order], value[order], drawn[order]
        kept = index(drawn, value, max(1, max_points // 2))
        at, received, value = at[kept], received[kept], value[kept]
    if len(at) > 1 and (at[1:] < at[:-1]).any():
        order = np.argsort(at, kind="stable")
        at, received, value = at[order], received[order], value[order]
    return SeriesColumns(series, at, received, value, reduced)
