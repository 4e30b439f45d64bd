"""Samples of chosen series, newest first, read from the columns of the batches."""

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from models.domain.queries import CancelToken, SeriesColumns, SeriesRequest, SeriesResult
from models.domain.reduce import envelope_index, plot_time
from models.storage.history_gaps import gaps_between
from models.storage.open_segment import DISORDER_US, OpenSegment, SegmentRow, fetch
from models.storage.sample_columns import decode
from models.storage.store_view import StoreView

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt32 = npt.NDArray[np.uint32]

FIRST_PAGE_S = 0.3
"""A question that takes longer gets what there is, and more later."""
PAGE_BATCHES = 4_000
PAGE_S = 0.2
MAX_NEEDLES = 50  # agents; for more it is cheaper to read all batches
PAGE_BYTES = 32 * 1024 * 1024
SMALL_BYTES = 16_384
"""Blobs below are read together: a numpy call costs more than their few samples."""


class Picked(NamedTuple):
    """Samples of wanted series, in order of arrival within each series."""

    series: UInt32
    time_us: Int64
    received_us: Int64
    value: Float64


NOTHING = Picked(np.array([], np.uint32), np.array([], np.int64), np.array([], np.int64), np.array([]))


def pick(blobs: Sequence[bytes], wanted: UInt32) -> Picked:
    """Samples of the `wanted` (ascending) series in some sample columns. Raises `ValueError` for a damaged blob."""
    parts: list[Picked] = []
    small: list[bytes] = []
    for blob in blobs:
        if len(blob) < SMALL_BYTES:
            small.append(blob)
            continue
        if small:
            parts.append(_pick_small(small, wanted))
            small = []
        parts.append(_pick_large(blob, wanted))
    if small:
        parts.append(_pick_small(small, wanted))
    return joined(parts)


def joined(parts: Sequence[Picked]) -> Picked:
    """Parts one after another."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return NOTHING
    return Picked(
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.received_us for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


def chosen(picked: Picked, which: Int64 | npt.NDArray[np.bool_]) -> Picked:
    """Some of the samples, by place or by mask."""
    return Picked(picked.series[which], picked.time_us[which], picked.received_us[which], picked.value[which])


def _pick_large(blob: bytes, wanted: UInt32) -> Picked:
    samples = decode(blob)
    starts, ends = np.searchsorted(samples.series, wanted), np.searchsorted(samples.series, wanted, side="right")
    found = [np.arange(start, end) for start, end in zip(starts, ends, strict=True) if end > start]
    if not found:
        return NOTHING
    places = np.concatenate(found)
    stamps = samples.stamp[places]
    return Picked(samples.series[places], samples.time_us[stamps], samples.received_us[stamps], samples.value[places])


def _pick_small(blobs: Sequence[bytes], wanted: UInt32) -> Picked:
    """All blobs as one array of words: places are computed for all of them at once."""
    sizes = np.fromiter(map(len, blobs), np.int64, len(blobs))
    if (sizes % 4).any() or (sizes < 8).any():
        raise ValueError("sample columns are cut short")
    words = np.frombuffer(b"".join(blobs), "<u4")
    start = (np.cumsum(sizes) - sizes) // 4
    n, stamps = words[start].astype(np.int64), words[start + 1].astype(np.int64)
    if (8 + 20 * stamps + 16 * n != sizes).any():
        raise ValueError("sample columns do not fit their header")
    values = start + 2 + 5 * stamps  # first words of each column, in every blob
    series = values + 2 * n
    blob = np.repeat(np.arange(len(blobs)), n)
    within = np.arange(len(blob)) - np.repeat(np.cumsum(n) - n, n)
    ids = words[series[blob] + within]
    kept = np.flatnonzero(np.isin(ids, wanted))
    blob, within = blob[kept], within[kept]
    stamp = words[series[blob] + n[blob] + within].astype(np.int64)
    if (stamp >= stamps[blob]).any():
        raise ValueError("sample columns point outside")
    time_at = start[blob] + 2 + 2 * stamp
    return Picked(
        ids[kept],
        _pairs(words, time_at).view("<i8"),
        _pairs(words, time_at + 2 * stamps[blob]).view("<i8"),
        _pairs(words, values[blob] + 2 * within).view("<f8"),
    )


def _pairs(words: UInt32, at: Int64) -> UInt32:
    return np.ascontiguousarray(np.column_stack((words[at], words[at + 1]))).ravel()


def answer_series(view: StoreView, request: SeriesRequest, now_us: int, token: CancelToken) -> Iterator[SeriesResult]:
    """Pages of rising completeness; the last says `complete`."""
    wanted = np.unique(np.array(request.series, np.uint32))
    agents = _agents_of(view, request.series)
    parts: list[Picked] = []
    told = time.monotonic()

    def pages(opened: OpenSegment, row: SegmentRow) -> Iterator[Picked]:
        for blobs in _blobs(opened, request, agents, token):
            try:
                part = pick(blobs, wanted)
            except ValueError as error:  # a damaged batch costs only itself
                view.note_damage(row.id, error)
                part = joined([found for blob in blobs if (found := pick_or_none(blob, wanted)) is not None])
            yield chosen(part, (part.received_us >= request.since_us) & (part.received_us < request.until_us))

    for row in reversed(view.overlapping(request.since_us, request.until_us)):
        for part in view.stream(row, pages):
            parts.append(part)
            if time.monotonic() - told > FIRST_PAGE_S:
                yield _result(view, request, parts, agents, now_us, complete=False)
                told = time.monotonic() + 2 * FIRST_PAGE_S  # sorting all again is not free
    yield _result(view, request, parts, agents, now_us, complete=True)


def pick_or_none(blob: bytes, wanted: UInt32) -> Picked | None:
    """As `pick` for one blob; None where it is damaged, which is for the caller to tell."""
    try:
        return pick([blob], wanted)
    except ValueError:
        return None


def _agents_of(view: StoreView, series: Sequence[int]) -> set[int]:
    """Agents of some series; a series so new that only a segment knows it is looked up there."""
    found: set[int] = set()
    newest = list(reversed(view.newest()))
    for id_ in series:
        rows = fetch(view.catalogue, "select agent_id from series where id = ?", (id_,))
        if rows:
            found.add(rows[0][0])
            continue
        for row in newest:
            agent = view.attempt(row, lambda opened, _row, id_=id_: opened.series(id_).agent, 0)  # type: ignore[misc]
            if agent:
                found.add(agent)
                break
    return found


def _blobs(opened: OpenSegment, request: SeriesRequest, agents: set[int], token: CancelToken) -> Iterator[list[bytes]]:
    """Pages of sample columns, newest page first. The list of agents is searched before samples are read from disk."""
    since, until = request.since_us - DISORDER_US, request.until_us + DISORDER_US
    low = opened.number("select id from batch where last_us >= ? order by last_us limit 1", since)
    high = opened.number("select id from batch where last_us < ? order by last_us desc limit 1", until)
    needles = [np.array([agent], "<u4").tobytes() for agent in sorted(agents)]
    if not low or not needles:
        return
    if len(needles) > MAX_NEEDLES:
        needles, has = [], "agents is not null"
    else:
        has = " or ".join("instr(agents, ?)" for _ in needles)
    sql = f"select id, samples from batch where id between ? and ? and first_us < ? and ({has}) order by id desc"
    while high >= low:
        token.check()
        blobs: list[bytes] = []
        size, end_s = 0, time.monotonic() + PAGE_S
        bottom = max(low, high - PAGE_BATCHES + 1)
        cursor = opened.connection.execute(sql, (bottom, high, until, *needles))
        high = bottom - 1
        for row in cursor:
            id_, samples = cast("tuple[int, bytes]", row)
            blobs.append(samples)
            size += len(samples)
            if size > PAGE_BYTES or time.monotonic() > end_s:
                high = id_ - 1
                break
        cursor.close()
        yield blobs[::-1]


def _result(
    view: StoreView, request: SeriesRequest, parts: Sequence[Picked], agents: set[int], now_us: int, *, complete: bool
) -> SeriesResult:
    every = joined(parts[::-1])
    order = np.argsort(every.series, kind="stable")
    ids = every.series[order]
    columns = []
    for series in request.series:
        start, end = np.searchsorted(ids, (series, series + 1))
        places = order[start:end]
        columns.append(columns_of(series, chosen(every, places), request.max_points))
    gaps = gaps_between(view, request.since_us, request.until_us, agents, now_us)
    return SeriesResult(request, tuple(columns), gaps, complete)


def columns_of(series: int, picked: Picked, max_points: int) -> SeriesColumns:
    """Samples of one series, sorted by the agent's own time; where they are more than `max_points`, the envelope that they
    have by the time they are drawn at (`plot_time`). Own times stay as stored, so that a sample is the same in every page.
    """
    at, received, value = picked.time_us, picked.received_us, picked.value
    reduced = len(at) > max_points
    if reduced:
        drawn = plot_time(at, received)
        order = np.argsort(drawn, kind="stable")
        kept = order[envelope_index(drawn[order], value[order], max(1, max_points // 2))]
        at, received, value = at[kept], received[kept], value[kept]
    if len(at) > 1 and (at[1:] < at[:-1]).any():
        order = np.argsort(at, kind="stable")
        at, received, value = at[order], received[order], value[order]
    return SeriesColumns(series, at, received, value, reduced)
