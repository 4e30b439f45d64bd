"""Which series come in the same messages, and in what order they are stored: alike beside alike, so that small groups can
share a column."""

import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.storage.sealing.sample_pages import SamplePage

UInt32 = npt.NDArray[np.uint32]
Int64 = npt.NDArray[np.int64]


class Groups(NamedTuple):
    """`series` in the order of storing: group after group, ascending within each. `start` has the first of every group, and
    the end; `n` how many samples each series has."""

    series: UInt32
    n: Int64
    start: Int64

    def shards(self, most_samples: int) -> Iterator[tuple[int, int]]:
        """Runs [first, end) of groups with few enough samples to be sorted in memory; a larger group is one by itself."""
        sums = np.concatenate(([0], np.cumsum(self.n)))[self.start]
        first, groups = 0, len(self.start) - 1
        while first < groups:
            end = int(np.searchsorted(sums, sums[first] + most_samples, side="right")) - 1
            end = min(max(end, first + 1), groups)
            yield first, end
            first = end


class GroupFinder:
    """Takes pages, then tells the groups: series are in one as soon as one message held both."""

    def __init__(self) -> None:
        self._series: list[UInt32] = []
        self._n: list[Int64] = []
        self._pairs = np.zeros(0, np.uint64)

    def add(self, page: SamplePage) -> None:
        """Take note of who came with whom."""
        if not len(page.series):
            return
        series = np.sort(page.series)
        begins = np.flatnonzero(np.diff(series, prepend=series[0] ^ 1))
        self._series.append(series[begins])
        self._n.append(np.diff(begins, append=len(series)))
        stamp = page.place - np.uint32(page.first)
        least = np.zeros(len(page.seq), np.uint32)
        least[stamp[::-1]] = page.series[::-1]  # of a stamp; within a batch series ascend
        pairs = np.sort(np.concatenate((self._pairs, least[stamp].astype(np.uint64) << np.uint64(32) | page.series)))
        self._pairs = pairs[np.diff(pairs, prepend=pairs[0] ^ np.uint64(1)) != 0]

    def groups(self, kinds: Mapping[int, str]) -> Groups:
        """`kinds`: what each series measures; groups that measure the same are stored beside each other."""
        if not self._series:
            return Groups(np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(1, np.int64))
        every = np.concatenate(self._series)
        series, where = np.unique(every, return_inverse=True)
        n = np.bincount(where, np.concatenate(self._n)).astype(np.int64)
        left = np.searchsorted(series, self._pairs >> np.uint64(32))
        right = np.searchsorted(series, self._pairs & np.uint64(2**32 - 1))
        label = _components(len(series), left, right)
        order = np.argsort(label, kind="stable")
        bounds = np.flatnonzero(np.diff(label[order], prepend=-1, append=len(series)))
        members = [order[start:end] for start, end in itertools.pairwise(bounds)]
        words = [kinds.get(one, "") for one in series.tolist()]
        members.sort(key=lambda one: (len(one), [words[at] for at in one.tolist()], int(one[0])))
        order = np.concatenate(members)
        start = np.cumsum([0, *map(len, members)])
        return Groups(series[order], n[order], start)


def _components(n: int, left: Int64, right: Int64) -> Int64:
    """The smallest node that each of `n` nodes is connected with, by edges `left`–`right`."""
    label = np.arange(n)
    while True:
        low = np.minimum(label[left], label[right])
        if (label[left] == label[right]).all():
            return label
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        while (label[label] != label).any():
            label = label[label]
