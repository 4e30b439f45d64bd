"""Writes messages and log records as blocks, in the order of their row ids."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import apsw
import numpy as np

from models.storage.sealing.block_codec import Encoder, Int64, Texts
from models.storage.sealing.packing import pack
from models.storage.sealing.row_shapes import (
    BATCH,
    DIRECTORY_COPIES,
    FORM,
    FORM_COPY,
    LOG,
    MESSAGE,
    MESSAGE_TABLES,
    TABLES,
    RowShape,
)
from models.storage.writing.unacknowledged import BATCHES

_PART_BLOCKS = 100_000
Columns = list[tuple[Any, ...]]
"""Rows of one block, column by column in the order of `RowShape.columns`."""


class BlockWriter:
    """Blocks of one table. One use."""

    def __init__(self, target: apsw.Connection, shape: RowShape) -> None:
        for statement in TABLES.format(table=shape.table).split(";"):
            target.execute(statement)
        self._target, self._shape, self._encoder = target, shape, Encoder()
        self.blocks = 0
        self._directory: list[tuple[int, int, int, int]] = []
        self._parts: list[Int64] = []
        self._text_bytes = 0

    def write(self, first: int, received_us: Int64, ints: list[Int64], texts: Sequence[Texts]) -> int:
        """One block; answers its number."""
        data = self._encoder.encode(ints, texts)
        self._target.execute(f"INSERT INTO {self._shape.data} VALUES (?, ?)", (self.blocks, data))
        self._directory.append((first, len(received_us), int(received_us.min()), int(received_us.max())))
        self._text_bytes += sum([len(one) for column in texts for one in column if one])
        self.blocks += 1
        if len(self._directory) >= _PART_BLOCKS:
            self._write_directory()
        return self.blocks - 1

    def close(self) -> None:
        if self._directory or not self.blocks:
            self._write_directory()
        self.write_copy(DIRECTORY_COPIES[self._shape.table], list(np.hstack(self._parts)))

    def write_copy(self, number: int, columns: list[Int64]) -> None:
        """What is needed to read the blocks, once more."""
        if len(columns[0]):
            data = self._encoder.encode(columns, ())
            self._target.execute(f"INSERT INTO {self._shape.data} VALUES (?, ?)", (number, data))

    def _write_directory(self) -> None:
        columns = np.array(self._directory, np.int64).reshape(-1, 4).T
        self._target.execute(
            f"INSERT INTO {self._shape.directory} VALUES (NULL, ?, ?, ?, ?, ?, ?)",
            (len(self._directory), *(pack(column) for column in columns), self._text_bytes),
        )
        self._parts.append(columns)
        self._directory, self._text_bytes = [], 0


def blocks_of(source: apsw.Connection, shape: RowShape, told: Mapping[str, str] | None = None) -> Iterator[Columns]:
    """The rows of a layout 1 table, cut into blocks. `told`: SQL for columns that are taken over otherwise than they are."""
    columns = [(told or {}).get(name, name) for name in shape.columns]
    query = f"SELECT {', '.join(columns)} FROM {shape.table} ORDER BY rowid"
    texts = [shape.columns.index(name) for name in shape.texts]
    rows: list[tuple[Any, ...]] = []
    size, following = 0, -1
    for row in source.execute(query):
        if rows and (row[0] != following or len(rows) >= shape.rows or size >= shape.size_bytes):
            yield list(zip(*rows, strict=True))
            rows, size = [], 0
        rows.append(row)
        following = row[0] + 1
        size += sum([len(row[place] or "") for place in texts])
    if rows:
        yield list(zip(*rows, strict=True))


def write_messages(source: apsw.Connection, target: apsw.Connection) -> None:
    """All messages."""
    for statement in MESSAGE_TABLES.split(";"):
        target.execute(statement)
    writer = BlockWriter(target, MESSAGE)
    forms = _forms(source)
    writer.write_copy(FORM_COPY, list(np.array(list(forms), np.int64).reshape(-1, len(FORM)).T))
    target.executemany(
        f"INSERT INTO message_form(id, {', '.join(FORM)}) VALUES (?, ?, ?, ?, ?)",
        ((number, *form) for form, number in forms.items()),
    )
    holders: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})  # of agents, of topics
    for seq, received, topic, agent, kind, flags, _, properties, payload in blocks_of(source, MESSAGE):
        form = [forms[one] for one in zip(topic, agent, kind, flags, strict=True)]
        received_us = np.array(received, np.int64)
        block = writer.write(
            seq[0], received_us, [received_us, np.array(form, np.int64)], [_encoded(properties), payload]
        )
        for held, ids in zip(holders, (agent, topic), strict=True):
            for id_ in set(ids):
                held.setdefault(id_, []).append(block)
    writer.close()
    for name, held in zip(("message_agent", "message_topic"), holders, strict=True):
        packed = ((id_, pack(np.array(blocks, np.int64))) for id_, blocks in sorted(held.items()))
        target.executemany(f"INSERT INTO {name} VALUES (?, ?)", packed)


def _forms(source: apsw.Connection) -> dict[tuple[Any, ...], int]:
    """Numbered as they are met. They are written before the messages, so that of a file that is cut off later its beginning
    can be read."""
    forms: dict[tuple[Any, ...], int] = {}
    for form in source.execute(f"SELECT {', '.join(FORM)} FROM message NOT INDEXED ORDER BY seq"):
        forms.setdefault(form, len(forms))
    return forms


class BlockTaker(Protocol):
    """Makes something else of the same rows."""

    def add(self, columns: Columns) -> None: ...
    def close(self) -> None: ...


def write_logs(source: apsw.Connection, target: apsw.Connection, takers: Sequence[BlockTaker]) -> None:
    """All log records; every one of `takers` is given each block of them, and closed."""
    writer = BlockWriter(target, LOG)
    for columns in blocks_of(source, LOG):
        write_log_block(writer, columns)
        for taker in takers:
            taker.add(columns)
    writer.close()
    for taker in takers:
        taker.close()


def write_batches(source: apsw.Connection, target: apsw.Connection) -> None:
    """All commits, without their samples, which stand elsewhere. Packet ids are kept of the newest: nobody asks for others."""
    newest = "SELECT id FROM batch WHERE packets IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ?"
    rows = source.execute(newest, (BATCHES - 1,)).fetchall()
    told = {**dict.fromkeys(BATCH.absent, "NULL"), "packets": f"iif(id >= {rows[0][0] if rows else 0}, packets, NULL)"}
    writer = BlockWriter(target, BATCH)
    for columns in blocks_of(source, BATCH, told):
        ints = [np.array(columns[BATCH.columns.index(name)], np.int64) for name in BATCH.ints]
        packets = columns[BATCH.columns.index("packets")]
        writer.write(columns[0][0], ints[BATCH.ints.index(BATCH.arrival)], ints, [packets])
    writer.close()


def write_log_block(writer: BlockWriter, columns: Columns) -> None:
    """One block of records, in the order of `LOG.columns`."""
    ids, *ints = columns[:6]
    seq, time_us, received_us, agent, level = (np.array(column, np.int64) for column in ints)
    texts = [_encoded(column) for column in columns[6:]]
    writer.write(ids[0], received_us, [seq, time_us, received_us, agent, level], texts)


def _encoded(texts: tuple[str | None, ...]) -> list[bytes | None]:
    return [None if one is None else one.encode() for one in texts]
