"""One branch of the topic tree: its children, what came on each, and which are loudest. Pure; GUI thread.

A branch is only made when somebody opens it, so that a hundred thousand topics cost nothing where nobody looks.
"""

from array import array
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from models.domain.queries import Float64, Int64
from widgets.messages.topic_columns import TopicColumns

SYSTEM = b"$"
MOST_LEVELS = 50
"""What lies deeper is one level, slashes and all: a topic may have 65,536 of them."""
_QUIET = 1e-6  # messages a second; less is none


class Branch:
    """What lies below `prefix` (empty, or ending with a slash). Children are numbered in the order they came.

    A child `ends` in a topic (its row in the columns, -1: none has exactly this name) and has `below` further topics.
    """

    def __init__(self, prefix: bytes, columns: TopicColumns, rows: Iterable[int]) -> None:
        self.prefix = prefix
        self._deepest = prefix.count(b"/") >= MOST_LEVELS
        self.names: list[bytes] = []
        self.ends: list[int] = []
        self.below: list[int] = []
        self._columns = columns
        self._number: dict[bytes, int] = {}
        self._rows = array("q")
        self._child = array("q")
        self.add(rows)

    def add(self, rows: Iterable[int]) -> None:
        """Take in topics that lie below this branch."""
        names, number, start, deepest = self._columns.names, self._number, len(self.prefix), self._deepest
        for row in rows:  # `split` in place: this runs for every topic there is
            name = names[row]
            end = -1 if deepest else name.find(b"/", start)
            level = name[start:] if end < 0 else name[start:end]
            child = number.get(level)
            if child is None:
                child = number[level] = len(self.names)
                self.names.append(level)
                self.ends.append(-1)
                self.below.append(0)
            if end >= 0:
                self.below[child] += 1
            else:
                self.ends[child] = row
            self._rows.append(row)
            self._child.append(child)

    def split(self, name: bytes) -> tuple[bytes, bool]:
        """The child that a topic below this branch belongs to; does it go on below that one?"""
        start = len(self.prefix)
        end = -1 if self._deepest else name.find(b"/", start)
        return (name[start:], False) if end < 0 else (name[start:end], True)

    def child(self, level: bytes) -> int:
        """Number of a child by its name; -1: there is none."""
        return self._number.get(level, -1)

    def name(self, child: int) -> bytes:
        """Full name of a child."""
        return self.prefix + self.names[child]

    def rows_of(self, child: int) -> Int64:
        """Topics that are this child or lie below it."""
        rows, children = self._arrays()
        return rows[children == child]

    def rows_below(self, child: int) -> list[int]:
        """Topics that lie below this child."""
        found: list[int] = self.rows_of(child).tolist()
        return [row for row in found if row != self.ends[child]]

    def sum(self, values: npt.NDArray[np.number]) -> Float64:
        """By child, the sum over its topics; `values` has one for every topic there is."""
        rows, children = self._arrays()
        return np.bincount(children, values[rows].astype(np.float64), len(self.names)).astype(np.float64)

    def newest_us(self) -> Int64:
        """By child, when the last message came on any of its topics."""
        rows, children = self._arrays()
        newest = np.zeros(len(self.names), np.int64)
        np.maximum.at(newest, children, self._columns.last_us[rows])
        return newest

    def loudest(self, rate: Float64, messages: Float64, wanted: npt.NDArray[np.bool_] | None) -> list[int]:
        """Children in order: by rate, those of about the same by messages; what begins with `$` after all else. `wanted`:
        only children that hold one of these topics."""
        children = np.arange(len(self.names))
        if wanted is not None:
            children = np.flatnonzero(self.sum(wanted.astype(np.float64)))
        # halves of an octave, so that two topics of about the same rate do not change places with every look
        loud = np.floor(2 * np.log2(np.maximum(rate[children], _QUIET)))
        found: list[int] = children[np.lexsort((children, -messages[children], -loud))].tolist()
        return found if self.prefix else sorted(found, key=lambda child: self.names[child].startswith(SYSTEM))

    def _arrays(self) -> tuple[Int64, Int64]:
        return np.array(self._rows, np.int64), np.array(self._child, np.int64)
