"""Row blocks as tables for SQL: a sealed segment has a `message` and a `log` like an open one.

Conditions on whole numbers, and the order of row ids, are met here, a block at a time; texts of rows that do not meet them are
not touched. The tables live in the connection, nothing of them is in the file.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, cast

import apsw
import numpy as np
import numpy.typing as npt

from models.storage.sealing.row_reading import RowBlocks

_MEETS: dict[int, Callable[[Any, Any], Any]] = {
    apsw.SQLITE_INDEX_CONSTRAINT_EQ: operator.eq,
    apsw.SQLITE_INDEX_CONSTRAINT_GT: operator.gt,
    apsw.SQLITE_INDEX_CONSTRAINT_GE: operator.ge,
    apsw.SQLITE_INDEX_CONSTRAINT_LT: operator.lt,
    apsw.SQLITE_INDEX_CONSTRAINT_LE: operator.le,
}
_SMALL, _LARGE = -(2**63), 2**63 - 1
_DOWN = "down"


def register(connection: apsw.Connection, blocks: RowBlocks) -> None:
    """Give the connection a table of this name, for its whole life."""
    connection.create_module(
        blocks.shape.table, cast("Any", _Module(blocks)), eponymous=True, eponymous_only=True, read_only=True
    )


class _Module:
    def __init__(self, blocks: RowBlocks) -> None:
        self._blocks = blocks

    def Connect(self, _connection: apsw.Connection, *_: str) -> tuple[str, "_Table"]:  # noqa: N802 - apsw's name
        return f"CREATE TABLE rows ({', '.join(self._blocks.shape.columns)})", _Table(self._blocks)


class _Table:
    def __init__(self, blocks: RowBlocks) -> None:
        self._blocks = blocks
        self._numbers = {place for place, name in enumerate(blocks.shape.columns) if name in blocks.shape.numbers}

    def BestIndex(self, constraints: Sequence[tuple[int, int]], orders: Sequence[tuple[int, bool]]) -> Any:  # noqa: N802
        """Conditions as "column,operator", one for each argument; the cost falls with every one."""
        used: list[Any] = []
        told: list[str] = []
        cost = 1e9
        for column, compared in constraints:
            if compared in _MEETS and (column in self._numbers or column == -1):
                used.append((len(told), True))
                told.append(f"{max(column, 0)},{compared}")
                cost /= 1e6 if column <= 0 and compared == apsw.SQLITE_INDEX_CONSTRAINT_EQ else 10
            else:
                used.append(None)
        by_row = len(orders) == 1 and orders[0][0] in (-1, 0)
        if by_row and orders[0][1]:
            told.append(_DOWN)
        return used, 0, ";".join(told), by_row, cost

    def Open(self) -> "_Cursor":  # noqa: N802
        return _Cursor(self._blocks)

    def Disconnect(self) -> None:  # noqa: N802
        """Nothing is held."""


class _Cursor:
    """Goes through the rows of one block after the other; a column of a block is decoded when it is first asked for."""

    def __init__(self, blocks: RowBlocks) -> None:
        self._blocks = blocks
        self._names = blocks.shape.columns
        self._conditions: list[tuple[str, Callable[[Any, Any], Any], Any]] = []
        self._left: Sequence[int] = ()
        self._low, self._end = 0, 0
        self._down = False
        self._block = 0
        self._rows: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._ids: list[int] = []
        self._columns: dict[int, Sequence[Any]] = {}
        self._at = 0

    def Filter(self, _number: int, told: str | None, values: Sequence[Any] | None) -> None:  # noqa: N802
        words = told.split(";") if told else []
        self._down = words[-1:] == [_DOWN]
        self._conditions, self._low, self._end = [], _SMALL, _LARGE
        possible = True
        for word, value in zip(words[: len(words) - self._down], values or (), strict=True):
            column, compared = (int(one) for one in word.split(","))
            possible = possible and isinstance(value, int | float)
            if column == 0 and isinstance(value, int):
                self._narrow(compared, value)
            elif possible:
                self._conditions.append((self._names[column], _MEETS[compared], value))
        found = self._blocks.within(self._low, self._end) if possible else range(0)
        self._left = list(found) if self._down else list(reversed(found))
        self._ids, self._at = [], 0
        self._next_block()

    def _narrow(self, compared: int, value: int) -> None:
        if compared in (apsw.SQLITE_INDEX_CONSTRAINT_EQ, apsw.SQLITE_INDEX_CONSTRAINT_GE):
            self._low = max(self._low, value)
        if compared in (apsw.SQLITE_INDEX_CONSTRAINT_EQ, apsw.SQLITE_INDEX_CONSTRAINT_LE):
            self._end = min(self._end, value + 1)
        if compared == apsw.SQLITE_INDEX_CONSTRAINT_GT:
            self._low = max(self._low, value + 1)
        if compared == apsw.SQLITE_INDEX_CONSTRAINT_LT:
            self._end = min(self._end, value)

    def _next_block(self) -> None:
        blocks = self._blocks
        assert isinstance(self._left, list)
        while self._left and self._at >= len(self._ids):
            self._block = self._left.pop()
            first, n = int(blocks.directory[0][self._block]), int(blocks.directory[1][self._block])
            rows = np.arange(max(0, self._low - first), min(n, self._end - first))
            for name, meets, value in self._conditions:
                if not len(rows):
                    break
                rows = rows[meets(blocks.array(self._block, name)[rows], value)]
            self._rows = rows[::-1] if self._down else rows
            self._ids, self._at, self._columns = (self._rows + first).tolist(), 0, {}

    def Eof(self) -> bool:  # noqa: N802
        return self._at >= len(self._ids)

    def Next(self) -> None:  # noqa: N802
        self._at += 1
        if self._at >= len(self._ids):
            self._next_block()

    def Rowid(self) -> int:  # noqa: N802
        return self._ids[self._at]

    def Column(self, number: int) -> Any:  # noqa: N802
        if number <= 0:
            return self._ids[self._at]
        found = self._columns.get(number)
        if found is None:
            found = self._columns[number] = self._blocks.column(self._block, self._names[number], self._rows)
        return found[self._at]

    def Close(self) -> None:  # noqa: N802
        """Nothing is held."""
