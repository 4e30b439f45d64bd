"""Reads the row blocks of a sealed segment."""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt
import zstandard

from models.storage.sealing.block_codec import Block, Int64
from models.storage.sealing.packing import unpack
from models.storage.sealing.row_shapes import DIRECTORY_COPIES, FORM, FORM_COPY, MESSAGE, RowShape
from models.storage.store_errors import DamagedError

_KEPT = 2
"""Decoded blocks that are held for whoever asks again."""


class DamagedBlockError(DamagedError):
    """A block is not as it was written. `first` and `last` are its row ids."""

    def __init__(self, table: str, first: int, last: int, detail: str) -> None:
        super().__init__(f"{table} {first} to {last}: {detail}")
        self.first, self.last, self.detail = first, last, detail


class RowBlocks:
    """Blocks of one table, through a connection of its own thread. The directory is read when first needed. Methods raise
    `DamagedError`, and the engine's errors."""

    def __init__(self, connection: apsw.Connection, shape: RowShape) -> None:
        self.shape = shape
        self._connection = connection
        self._decompressor = zstandard.ZstdDecompressor()
        self._kept: OrderedDict[int, Block] = OrderedDict()
        self._directory: tuple[Int64, ...] | None = None
        self._forms: tuple[Int64, ...] | None = None
        self._topic_crcs: list[int] | None = None
        self._ints = {name: place for place, name in enumerate(shape.ints)}
        self._texts = {name: place for place, name in enumerate(shape.texts)}

    @property
    def directory(self) -> tuple[Int64, ...]:
        """Of every block: row id of its first row, rows, first and last arrival."""
        if self._directory is None:
            query = f"SELECT first, n, first_us, last_us FROM {self.shape.directory} ORDER BY part"
            try:
                parts = [[unpack(column) for column in row] for row in self._connection.execute(query)]
            except ValueError as error:
                raise DamagedError(f"the directory of {self.shape.table}: {error}") from error
            self._directory = tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))
        return self._directory

    @property
    def text_bytes(self) -> int:
        """Of all texts."""
        query = f"SELECT coalesce(sum(text_bytes), 0) FROM {self.shape.directory}"
        return int(next(iter(self._connection.execute(query)))[0])

    @property
    def count(self) -> int:
        """Of all rows."""
        return int(self.directory[1].sum())

    def within(self, low: int, end: int) -> range:
        """Blocks that may hold rows of [low, end)."""
        first, n, *_ = self.directory
        return range(int(np.searchsorted(first + n, low, "right")), int(np.searchsorted(first, end)))

    def first_row(self, at_us: int) -> int:
        """Smallest row id that arrived at `at_us` or later; one past the end where none did."""
        first, n, _, last_us = self.directory
        some = np.flatnonzero(last_us >= at_us)
        if not len(some):
            return int(first[-1] + n[-1]) if len(first) else 1
        block = int(some[0])
        return int(first[block] + np.argmax(self.array(block, "received_us") >= at_us))

    def block(self, number: int) -> Block:
        found = self._kept.get(number)
        if found is not None:
            self._kept.move_to_end(number)
            return found
        rows: list[Any] = self._connection.execute(
            f"SELECT data FROM {self.shape.data} WHERE block = ?", (number,)
        ).fetchall()
        try:
            if not rows:
                raise ValueError("the block is missing")
            found = Block(rows[0][0], len(self._ints), len(self._texts), self._decompressor)
            if found.n != self.directory[1][number]:
                raise ValueError("the block has another number of rows")
        except (ValueError, IndexError) as error:
            first, n, *_ = self.directory
            last = int(first[number] + n[number]) - 1
            raise DamagedBlockError(self.shape.table, int(first[number]), last, str(error)) from error
        self._kept[number] = found
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def check(self, number: int) -> None:
        """Decode every value of a block."""
        for column in self.shape.columns:
            try:
                self.column(number, column)
            except (ValueError, IndexError) as error:  # what no check sum finds, as it was written so
                first, n, *_ = self.directory
                last = int(first[number] + n[number]) - 1
                raise DamagedBlockError(self.shape.table, int(first[number]), last, str(error)) from error
        self._kept.pop(number, None)

    def check_copies(self) -> None:
        """Compare the copies of directory and forms with these, where the file has copies."""
        told = [(DIRECTORY_COPIES[self.shape.table], "directory", self.directory)]
        if self.shape is MESSAGE:
            told.append((FORM_COPY, "form", tuple(self._form(column) for column in FORM)))
        for number, name, columns in told:
            found = self.copied(number, len(columns))
            if found is not None and not np.array_equal(found, columns):
                raise DamagedError(f"the copy of {self.shape.table}_{name} is another")

    def copied(self, number: int, columns: int) -> list[Int64] | None:
        """Columns of numbers of a block that is a copy; None: there is none."""
        query = f"SELECT data FROM {self.shape.data} WHERE block = ?"
        rows: list[Any] = self._connection.execute(query, (number,)).fetchall()
        if not rows:
            return None
        try:
            block = Block(rows[0][0], columns, 0, self._decompressor)
        except ValueError as error:
            raise DamagedError(f"copy {-number} in {self.shape.data}: {error}") from error
        return [block.integers(column) for column in range(columns)]

    def array(self, number: int, column: str) -> Int64:
        """A column of whole numbers of a block; `crc` is none that is stored."""
        if column == self.shape.key:
            first, n, *_ = self.directory
            return np.arange(first[number], first[number] + n[number])
        if column in self._ints:
            return self.block(number).integers(self._ints[column])
        return self._form(column)[self.block(number).integers(self._ints["form"])]

    def column(self, number: int, column: str, rows: npt.NDArray[np.intp] | None = None) -> Sequence[Any]:
        """Values of a column as the engine gave them before sealing; of some `rows` of the block only, or of all."""
        if column in self._texts:
            texts = self.block(number).texts(self._texts[column])
            some = texts if rows is None else [texts[row] for row in rows.tolist()]
            return some if column in self.shape.blobs else [None if one is None else one.decode() for one in some]
        if column in self.shape.absent:
            return [None] * (self.block(number).n if rows is None else len(rows))
        if column == "crc":
            topics = self.column(number, "topic_id", rows)
            payloads = self.column(number, "payload", rows)
            return [zlib.crc32(payload, self._topic_crc(id_)) for id_, payload in zip(topics, payloads, strict=True)]
        values = self.array(number, column)
        found: list[int] = (values if rows is None else values[rows]).tolist()
        return found

    def joined(self, number: int, column: str) -> bytes:
        """All texts of a column, one behind the other."""
        return self.block(number).joined(self._texts[column])

    def value(self, number: int, column: str, row: int) -> Any:
        """One value, without decoding the others."""
        block = self.block(number)
        if column in self._texts:
            text = block.text(self._texts[column], row)
            return text if text is None or column in self.shape.blobs else text.decode()
        if column == self.shape.key:
            return int(self.directory[0][number]) + row
        if column in self._ints:
            return block.integer(self._ints[column], row)
        return self.column(number, column, np.array((row,)))[0]

    def pages(
        self, columns: Sequence[str], low: int, end: int, meets: Callable[["RowBlocks", int], npt.NDArray[np.bool_]]
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Rows of [low, end) for which `meets` is true (it gets a block's number and answers for all of its rows), a block at
        a time."""
        for number in self.within(low, end):
            ids = self.array(number, self.shape.key)
            rows = np.flatnonzero((ids >= low) & (ids < end) & meets(self, number))
            if len(rows):
                yield list(zip(*(self.column(number, name, rows) for name in columns), strict=True))

    def holding(self, table: str, id_: int) -> Int64:
        """Blocks that hold messages of an agent ("message_agent") or a topic ("message_topic")."""
        rows: list[Any] = self._connection.execute(f"SELECT blocks FROM {table} WHERE id = ?", (id_,)).fetchall()
        try:
            return unpack(rows[0][0]) if rows else np.zeros(0, np.int64)
        except ValueError as error:
            raise DamagedError(f"{table} {id_}: {error}") from error

    def _form(self, column: str) -> Int64:
        if self._forms is None:
            assert self.shape is MESSAGE
            query = f"SELECT {', '.join(FORM)} FROM message_form ORDER BY id"
            rows = np.array(self._connection.execute(query).fetchall(), np.int64).reshape(-1, len(FORM))
            self._forms = tuple(rows.T)
        return self._forms[FORM.index(column)]

    def _topic_crc(self, id_: int) -> int:
        if self._topic_crcs is None:
            rows: list[Any] = self._connection.execute("SELECT id, name FROM topic").fetchall()
            self._topic_crcs = [0] * (1 + max((row[0] for row in rows), default=0))
            for topic, name in rows:
                self._topic_crcs[topic] = zlib.crc32(name)
        return self._topic_crcs[id_] if id_ < len(self._topic_crcs) else 0
