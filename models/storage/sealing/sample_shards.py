"""Samples of a segment, sorted by group and series: as many at a time as fit into memory."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.storage.sealing.sample_groups import Groups
from models.storage.sealing.sample_pages import SamplePage

Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]
Float64 = npt.NDArray[np.float64]
Gathered = list[tuple[npt.NDArray[Any], UInt32, Float64]]


class Shard(NamedTuple):
    """`series`, `group_start`: as in `Groups`. `start` has the first sample of each series, and the end; samples of a series
    are in the order of storing. `rows`, `row_start`: places of the rows of every group; `step`: the row of each sample
    within its group. A group is `sparse` where not every series has exactly one sample in each row."""

    series: UInt32
    group_start: Int64
    start: Int64
    value: Float64
    step: UInt32
    rows: UInt32
    row_start: Int64
    sparse: npt.NDArray[np.bool_]

    @property
    def groups(self) -> int:
        return len(self.sparse)


def ranker(groups: Groups) -> Callable[[SamplePage], SamplePage]:
    """A page as it comes, to one whose samples have places in `groups.series` for series, and whose stamps are left out."""
    sorted_at = np.argsort(groups.series).astype(np.uint32)
    ascending = groups.series[sorted_at]
    none = np.zeros(0, np.int64)

    def ranked(page: SamplePage) -> SamplePage:
        rank = sorted_at[np.searchsorted(ascending, page.series)]
        return SamplePage(page.first, none, none, none, none, rank, page.place, page.value)

    return ranked


def shards(groups: Groups, ranked: Iterable[SamplePage], first: int, end: int, most: int) -> Iterator[Shard]:
    """The samples of groups [first, end): at once, or in order of time where there are more than about `most`."""
    low, high = int(groups.start[first]), int(groups.start[end])
    part = Groups(groups.series[low:high], groups.n[low:high], groups.start[first : end + 1] - low)
    kind = np.uint16 if high - low <= 65_536 else np.uint32  # of 16 bits, numpy sorts in one pass
    gathered: Gathered = []
    size = 0
    for page in ranked:
        which = np.flatnonzero((page.series >= low) & (page.series < high))
        if not len(which):
            continue
        gathered.append(((page.series[which] - np.uint32(low)).astype(kind), page.place[which], page.value[which]))
        size += len(which)
        if size >= most:
            yield _shard(part, gathered)
            gathered, size = [], 0
    if size:
        yield _shard(part, gathered)


def _shard(groups: Groups, gathered: Gathered) -> Shard:
    rank = np.concatenate([one for one, _, _ in gathered])
    n = np.bincount(rank, minlength=len(groups.series))
    order = np.argsort(rank, kind="stable")
    place = np.concatenate([one for _, one, _ in gathered])[order]
    value = np.concatenate([one for _, _, one in gathered])[order]
    gathered.clear()
    del rank, order
    start = np.concatenate(([0], np.cumsum(n)))
    return Shard(groups.series, groups.start, start, value, *_rows(groups.start, start, n, place))


def _rows(
    group_start: Int64, start: Int64, n: Int64, place: UInt32
) -> tuple[UInt32, UInt32, Int64, npt.NDArray[np.bool_]]:
    """`step`, `rows`, `row_start` and `sparse` of a shard."""
    group = np.repeat(np.arange(len(group_start) - 1), np.diff(group_start))  # of each series
    lead = group_start[group]
    step = (np.arange(len(place)) - np.repeat(start[:-1], n)).astype(np.uint32)
    other = n != n[lead]  # series that have not the rows of the first one of their group
    alike = np.repeat(~other, n)
    same = np.zeros(len(place), np.bool_)
    same[alike] = place[alike] == place[(step + np.repeat(start[lead], n))[alike]]
    again = np.zeros(len(place), np.bool_)
    again[1:] = (place[1:] <= place[:-1]) & (step[1:] > 0)
    sparse = np.zeros(len(group_start) - 1, np.bool_)
    sparse[group[other]] = True
    sparse[np.repeat(group, n)[~same | again]] = True

    rows: list[UInt32] = []
    for one, few in enumerate(sparse.tolist()):
        first, lead_end, end = start[group_start[one]], start[group_start[one] + 1], start[group_start[one + 1]]
        if few:
            found, inverse = np.unique(place[first:end], return_inverse=True)
            step[first:end] = inverse
            rows.append(found)
        else:
            rows.append(place[first:lead_end])
    row_start = np.concatenate(([0], np.cumsum([len(one) for one in rows])))
    return step, np.concatenate(rows), row_start, sparse
