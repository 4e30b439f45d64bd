"""Samples of chosen series, newest first: from the columns of the batches, and from the chunks of sealed segments."""

import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import cast

import numpy as np

from models.domain.names import SeriesKey, SeriesKind
from models.domain.queries import CancelToken, SeriesRequest, SeriesResult
from models.domain.reduce import counter_index, envelope_index
from models.storage.history.gaps import gaps_between
from models.storage.history.gathered import Gathered, Index, SharedTimes
from models.storage.history.store_view import StoreView
from models.storage.names_table import SERIES_KEY, series_key
from models.storage.sealing.sample_reading import read_series
from models.storage.segments.open_segment import DISORDER_US, OpenSegment, SegmentRow, fetch
from models.storage.segments.sample_pick import Piece, UInt32, chosen, pick, pieces

FIRST_PAGE_S = 0.3
"""A question that takes longer gets what there is, and more later."""
LATER_PAGE_S = 0.9
PAGE_S = 0.2
PAGE_BATCHES = 4_000
PAGE_BYTES = 32 * 1024 * 1024
_COLUMNS = "select batch.id, samples from json_each(?) as wanted cross join batch on batch.id = wanted.value"


def answer_series(view: StoreView, request: SeriesRequest, now_us: int, token: CancelToken) -> Iterator[SeriesResult]:
    """Pages of rising completeness; the last says `complete`."""
    wanted = np.unique(np.array(request.series, np.uint32))
    keys = _keys_of(view, request.series)
    agents = {key.agent for key in keys.values()}
    counters = {id_ for id_, key in keys.items() if key.kind is SeriesKind.COUNTER}
    span_us = request.until_us - request.since_us
    found = {
        id_: Gathered(most := request.points_of(id_), request.kept_points or most, span_us, _index(id_ in counters))
        for id_ in request.series
    }
    began = time.monotonic()
    due = began + FIRST_PAGE_S
    for row in reversed(view.overlapping(request.since_us, request.until_us)):
        for part in samples_in(view, row, request, wanted, agents):
            token.check()
            found[part.series].add(part)
            if time.monotonic() > due:
                yield _result(view, request, found, agents, now_us, complete=False)
                now = time.monotonic()
                due = now + max(LATER_PAGE_S, now - began)  # putting all together again is not free
    yield _result(view, request, found, agents, now_us, complete=True)


def _index(counts: bool) -> Index:
    return counter_index if counts else envelope_index


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
    found: dict[int, Gathered],
    agents: set[int],
    now_us: int,
    *,
    complete: bool,
) -> SeriesResult:
    shared = SharedTimes()
    columns = tuple(found[series].columns(series, shared) for series in request.series)
    return SeriesResult(
        request, columns, gaps_between(view, request.since_us, request.until_us, agents, now_us), complete
    )
