"""Who talked to whom as cells: who asked down the side, who was asked along the top, a figure of the pair where they meet."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from widgets.flow.pairs import Pair

Float32 = npt.NDArray[np.float32]


class Measure(Enum):
    """What the colours stand for; the value is the unit."""

    RATE = "1/min"
    FAILED = "1"
    REPLY = "s"


class Matrix(NamedTuple):
    """`pairs` by row, then column; `row`, `column`, `value` are theirs (NaN: no such figure). `senders` and `receivers`: nodes as
    listed, with names."""

    measure: Measure
    senders: list[int]
    receivers: list[int]
    sender_names: list[str]
    receiver_names: list[str]
    pairs: list[Pair]
    row: npt.NDArray[np.intp]
    column: npt.NDArray[np.intp]
    value: Float32

    def at(self, row: int, column: int) -> int:
        """Place in `pairs` of those that meet there; -1: they did not talk."""
        first, end = np.searchsorted(self.row, (row, row + 1))
        place = int(first + np.searchsorted(self.column[first:end], column))
        return place if place < end and self.column[place] == column else -1


NOTHING = Matrix(Measure.RATE, [], [], [], [], [], *(np.zeros(0, np.intp),) * 2, np.zeros(0, np.float32))


def matrix_of(pairs: Sequence[Pair], measure: Measure, *, by_name: bool) -> Matrix:
    """Rows and columns by name, or from the highest figure that stands in them."""
    value = _figures(pairs, measure)
    senders, row, sender_names = _listed(
        [one.sender for one in pairs], {one.sender: one.sender_name for one in pairs}, value, by_name
    )
    receivers, column, receiver_names = _listed(
        [one.receiver for one in pairs], {one.receiver: one.receiver_name for one in pairs}, value, by_name
    )
    order = np.lexsort((column, row))
    return Matrix(
        measure, senders, receivers, sender_names, receiver_names, [pairs[one] for one in order.tolist()], row[order],
        column[order], value[order],
    )  # fmt: skip


def _figures(pairs: Sequence[Pair], measure: Measure) -> Float32:
    """NaN where a pair has none."""
    if measure is Measure.RATE:
        return np.array([one.per_minute for one in pairs], np.float32)
    if measure is Measure.FAILED:
        return np.array([one.ratio for one in pairs], np.float32)
    return np.array([one.p95_us for one in pairs], np.float64).astype(np.float32) / np.float32(1e6)


def _listed(
    nodes: list[int], names: dict[int, str], value: Float32, by_name: bool
) -> tuple[list[int], npt.NDArray[np.intp], list[str]]:
    """Nodes in their order, where each of `nodes` stands in it, and their names."""
    known, place = np.unique(np.array(nodes, np.int64), return_inverse=True)
    worst = np.full(len(known), -1, np.float32)
    np.fmax.at(worst, place, value)
    told = known.tolist()
    folded = [names[one].casefold() for one in told]
    order = sorted(range(len(told)), key=lambda one: (0.0 if by_name else -float(worst[one]), folded[one], told[one]))
    stands = np.empty(len(told), np.intp)
    stands[order] = np.arange(len(told))
    return [told[one] for one in order], stands[place], [names[told[one]] for one in order]
