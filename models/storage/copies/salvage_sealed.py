"""What could be read of a damaged sealed segment, as the tables of an open one: the rows of every whole block as `message`,
`log` and `batch`. A block has a check sum, a chunk of samples one for each column; the numbers beside them are held against
copies of theirs that have one, or against each other.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import apsw
import numpy as np
import zstandard

from models.storage.copies.salvage_pages import Kinds, Value
from models.storage.sealing.block_codec import Block, Int64
from models.storage.sealing.packing import pack
from models.storage.sealing.row_reading import RowBlocks
from models.storage.sealing.row_shapes import (
    DIRECTORY_COPIES,
    FORM,
    FORM_COPY,
    MESSAGE,
    MESSAGE_TABLES,
    SHAPES,
    TABLES,
    RowShape,
)
from models.storage.sealing.row_table import register
from models.storage.store_errors import DamagedError

_NOTHING: Int64 = np.zeros(0, np.int64)
_NO_FORM = """DELETE FROM message_form WHERE id NOT BETWEEN 0 AND ? OR topic_id NOT IN (SELECT id FROM topic)
    OR (agent_id <> 0 AND agent_id NOT IN (SELECT id FROM agent))"""
_FRAME = zstandard.FRAME_HEADER
_MOST_BLOCKS = 1 << 20
"""No segment has more, whatever a damaged row says."""
_PRINTABLE = 0x20
_ROW_ID: set[type] = {type(None)}
_WHOLE: set[type] = {int}
_BYTES: set[type] = {bytes}
SEALED_KINDS: dict[str, Kinds] = {
    "message_form": [_ROW_ID, *[_WHOLE] * 4],
    "sample_chunk": [_ROW_ID, *[_WHOLE] * 5, *[_BYTES] * 3],
    "sample_column": [_ROW_ID, _WHOLE, _BYTES, _BYTES | _ROW_ID],
    "sample_series": [_WHOLE] * 6,
    "sample_stamp": [_ROW_ID, *[_WHOLE] * 6, *[_BYTES] * 3],
}
"""As `salvage_pages.shapes`; blocks have the shape of a topic."""


class _Told(NamedTuple):
    """Of a block: as in a directory."""

    n: int
    first_us: int
    last_us: int


class TableFinder:
    """Tells tables apart whose rows have the same shape."""

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor()
        self._copies = {number: SHAPES[table].data for table, number in DIRECTORY_COPIES.items()}
        self._copies[FORM_COPY] = MESSAGE.data

    def table(self, table: str, row: Sequence[Value]) -> str:
        """Where a row belongs that could be one of `table`; empty: nowhere."""
        if table != "topic":
            return table
        id_, data = row
        assert isinstance(id_, int)
        assert isinstance(data, bytes)
        if not data.startswith(_FRAME):
            return table if min(data, default=0) >= _PRINTABLE else ""  # packed numbers begin with a small one
        if id_ < 0:
            return self._copies.get(id_, "")
        for shape in SHAPES.values():
            with contextlib.suppress(ValueError):
                Block(data, len(shape.ints), len(shape.texts), self._decompressor)
                return shape.data
        return ""


def create_sealed_tables(raw: apsw.Connection) -> None:
    """For what `TableFinder` finds, beside those of an open segment."""
    for table in SHAPES:
        raw.execute(TABLES.format(table=table))
    raw.execute(MESSAGE_TABLES)


Names = Mapping[int, tuple[Any, ...]]


def as_open(raw: apsw.Connection, messages: int, last_batch: int, topics: Names, agents: Names) -> bool:
    """Let the connection show the rows of all whole blocks as tables of an open segment. Of the rest is known that there were
    so many `messages` and batches, and what the catalogue knows by name. False: there is no block, and nothing was done."""
    if not any(_numbers(raw, shape) for shape in SHAPES.values()):
        return False
    for table, names in (("topic", topics), ("agent", agents)):
        raw.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", names.values())
    _restore_forms(raw)
    _show(raw, "batch", last_batch, _NOTHING, _NOTHING)
    _show(raw, "log", 0, _NOTHING, _NOTHING)
    begun: list[Any] = raw.execute("SELECT first_us, first_seq, n FROM batch WHERE n > 0 ORDER BY first_us").fetchall()
    first_us, first_seq, n = np.array(begun, np.int64).reshape(-1, 3).T
    _show(raw, "message", int((first_seq + n - 1).max(initial=messages)), first_us, first_seq)
    return True


def _show(raw: apsw.Connection, table: str, rows: int, first_us: Int64, first_seq: Int64) -> None:
    _write_directory(raw, SHAPES[table], rows, first_us, first_seq)
    raw.execute(f"DROP TABLE {table}")
    register(raw, RowBlocks(raw, SHAPES[table]))


def _numbers(raw: apsw.Connection, shape: RowShape) -> list[int]:
    query = f"SELECT block FROM {shape.data} WHERE block BETWEEN 0 AND ? ORDER BY block"
    return [int(number) for (number,) in raw.execute(query, (_MOST_BLOCKS,))]


def _restore_forms(raw: apsw.Connection) -> None:
    """What is not known of a form is told by a topic that does not exist."""
    blocks = RowBlocks(raw, MESSAGE)
    columns = _copied(blocks, FORM_COPY, len(FORM))
    if columns is None:
        place = MESSAGE.ints.index("form")
        found = [_block(raw, MESSAGE, number).integers(place).max() for number in _numbers(raw, MESSAGE)]
        end = int(max(found, default=-1)) + 1
        raw.execute(_NO_FORM, (end - 1,))
    else:
        end = len(columns[0])
        raw.execute("DELETE FROM message_form")
        rows = zip(*(column.tolist() for column in columns), strict=True)
        raw.executemany(
            "INSERT INTO message_form VALUES (?, ?, ?, ?, ?)", ((number, *row) for number, row in enumerate(rows))
        )
    raw.executemany("INSERT OR IGNORE INTO message_form VALUES (?, -1, 0, 0, 0)", ((number,) for number in range(end)))


def _write_directory(raw: apsw.Connection, shape: RowShape, rows: int, first_us: Int64, first_seq: Int64) -> None:
    """One in which blocks that are lost hold no rows. `first_us` and `first_seq`: of the batches, where they tell."""
    told = _copied(RowBlocks(raw, shape), DIRECTORY_COPIES[shape.table], 4)
    found: dict[int, _Told] = {}
    begins: dict[int, int] = {}  # messages, where the directory is lost
    for number in _numbers(raw, shape):
        block = _block(raw, shape, number)
        arrival = block.integers(shape.ints.index(shape.arrival))
        one = _Told(block.n, int(arrival.min()), int(arrival.max()))
        if told is None:
            begins[number] = _begin(arrival, first_us, first_seq)
        elif number >= len(told[0]) or one != tuple(int(column[number]) for column in told[1:]):
            continue
        found[number] = one
    count = max(found, default=-1) + 1 if told is None else len(told[0])
    columns = np.zeros((3, count), np.int64)
    if found:
        columns[:, list(found)] = np.array(list(found.values()), np.int64).T
    first = told[0] if told is not None else _places(columns[0], rows, begins)
    raw.execute(
        f"INSERT OR REPLACE INTO {shape.directory} VALUES (1, ?, ?, ?, ?, ?, 0)",
        (count, *(pack(column) for column in (first, *columns))),
    )


def _begin(received_us: Int64, first_us: Int64, first_seq: Int64) -> int:
    """The first message of a block, as most of the batches that begin in it have it by their arrivals; 0: nobody knows."""
    places = 1 + np.flatnonzero(received_us[1:] != received_us[:-1])
    batch = np.minimum(np.searchsorted(first_us, received_us[places]), len(first_us) - 1)
    begun = first_us[batch] == received_us[places] if len(first_us) else np.zeros(len(places), np.bool_)
    seqs, n = np.unique(first_seq[batch[begun]] - places[begun], return_counts=True)
    return int(seqs[n.argmax()]) if len(seqs) else 0


def _places(n: Int64, rows: int, begins: Mapping[int, int]) -> Int64:
    """Row id of the first row of every block, where the directory is lost. What nobody knows the beginning of follows the
    block before; what is missing of `rows` is taken to lie in the lost blocks (0 rows) between, the same in each. That is so
    where one block is lost, or some in a row."""
    lost = np.flatnonzero(n == 0).tolist()
    share, rest = divmod(max(rows - int(n.sum()), 0), len(lost) or 1)
    first = np.zeros(len(n), np.int64)
    end, missing = 1, 0  # behind the last whole block; in the lost ones since
    for number, size in enumerate(n.tolist()):
        if not size:
            first[number] = end
            missing += share + (rest if number == lost[-1] else 0)
            continue
        begin = begins.get(number, 0) if number and not n[number - 1] else 0
        first[number] = begin if begin >= end else end + missing
        end, missing = int(first[number]) + size, 0
    return first


def _copied(blocks: RowBlocks, number: int, columns: int) -> list[Int64] | None:
    try:
        return blocks.copied(number, columns)
    except DamagedError:
        return None


def _block(raw: apsw.Connection, shape: RowShape, number: int) -> Block:
    rows: list[Any] = raw.execute(f"SELECT data FROM {shape.data} WHERE block = ?", (number,)).fetchall()
    return Block(rows[0][0], len(shape.ints), len(shape.texts), zstandard.ZstdDecompressor())
