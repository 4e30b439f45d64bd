"""Reads the columns of a sealed segment's log records."""

from typing import Any, NamedTuple, cast

import apsw
import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from models.storage.sealing import number_column
from models.storage.sealing.block_codec import LARGEST_BYTES, Int64
from models.storage.sealing.log_fields import Kind
from models.storage.sealing.packing import unpack
from models.storage.store_errors import DamagedError


class LogPart(NamedTuple):
    """Records with the ids [first, end)."""

    number: int
    first: int
    n: int

    @property
    def end(self) -> int:
        return self.first + self.n


class FieldColumn(NamedTuple):
    """Values of one kind."""

    kind: Kind
    values: npt.NDArray[Any]  # none of what is odd
    words: tuple[Any, ...]
    packed_rows: bytes

    @property
    def rows(self) -> Int64:
        """Whose values they are; unpacked only where one of them is meant. A row may be there more than once, where two ways lead to
        the same name. Raises `DamagedError`."""
        try:
            return unpack(self.packed_rows)
        except ValueError as error:
            raise DamagedError(f"rows of a column of the log records: {error}") from error


class LogFields:
    """Through a connection of its own thread. Methods raise `DamagedError` and the engine's errors."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._parts: list[LogPart] | None = None

    @property
    def parts(self) -> list[LogPart]:
        """By their ids. None: the segment was sealed before there were columns, or holds no records."""
        if self._parts is None:
            there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'log_part'"
            rows = (
                self._connection.execute("SELECT part, first, n FROM log_part ORDER BY part").fetchall()
                if self._connection.execute(there).fetchall()
                else []
            )
            self._parts = [LogPart(*cast("tuple[int, int, int]", row)) for row in rows]
        return self._parts

    def columns(self, part: LogPart, field: str) -> list[FieldColumn]:
        """Of a field, as `attribute` names it; none where no record of the part has it."""
        query = """SELECT kind, f.data, f.words, r.rows FROM log_field f JOIN log_field_rows r ON r.part = f.part AND r.number = f.rows
            WHERE f.field = ? AND f.part = ?"""
        rows: list[Any] = self._connection.execute(query, (field, part.number)).fetchall()
        try:
            return [_column(*row) for row in rows]
        except (ValueError, zstandard.ZstdError, msgspec.MsgspecError) as error:
            raise DamagedError(f"the column {field} of the log records: {error}") from error

    def unindexed(self, part: LogPart) -> Int64:
        """Rows that the columns of attributes do not tell of."""
        return self._of_part("unindexed", part)

    def minutes(self, part: LogPart) -> Int64:
        """Of arrival, since 1970."""
        return self._of_part("minute", part)

    def levels(self, part: LogPart) -> Int64:
        return self._of_part("level", part)

    def _of_part(self, column: str, part: LogPart) -> Int64:
        query = f"SELECT {column} FROM log_part WHERE part = ?"
        ((data,),) = cast("list[tuple[bytes]]", self._connection.execute(query, (part.number,)).fetchall())
        try:
            return unpack(data)
        except ValueError as error:
            raise DamagedError(f"the {column} of the log records: {error}") from error


def _column(kind: int, data: bytes, words: bytes | None, packed: bytes) -> FieldColumn:
    said = tuple[Any, ...]()
    values: npt.NDArray[Any] = np.zeros(0, np.int64)
    if kind == Kind.FRACTION:
        values = number_column.unpack(data, len(unpack(packed)), np.float32)
    elif kind != Kind.ODD:
        values = unpack(data)
    if words is not None:
        told = zstandard.ZstdDecompressor().decompress(words, max_output_size=LARGEST_BYTES)
        said = tuple(msgspec.json.decode(told))
    return FieldColumn(Kind(kind), values, said, packed)
