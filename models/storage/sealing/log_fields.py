"""What log records have in their fields, a column for each: a search looks at the numbers of one field instead of at every record.

The columns say less than the records: of a field with many texts a number of 16 bits each, of fractions the nearest that four bytes
hold. So a column tells of every record that it has what is sought, that it has not, or that one has to look. Attributes go by the
name that a query has for them, logger and error by theirs. What a column cannot say (a list, an object, a number beyond 2^53) is told
as odd; a record whose attributes cannot be told at all, or among too many names, as unindexed. A segment sealed before there were
columns has no such tables and is searched record by record.
"""

import json
import zlib
from array import array
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import apsw
import msgspec
import numpy as np
import zstandard

from models.domain.search.terms import Place, attribute
from models.storage.sealing import number_column
from models.storage.sealing.block_codec import LEVEL, Int64
from models.storage.sealing.log_index import MINUTE_US
from models.storage.sealing.packing import pack

PART_ROWS = 131_072
MOST_FIELDS = 256
"""Columns of a part, those of the fields that most records have."""
MOST_WORDS = 256
LONGEST_WORD = 256
"""Different values of a field that are kept as they are, and how long one may be; of more, or longer ones, 16 bits."""
WHOLE = 1 << 53
"""Whole numbers below it are the same as fractions."""
_MOST_NAMES = 4_096
_MOST_VALUES = 64
_MOST_BRACKETS = 100
"""Met in a part, in a record: what has more would make the columns larger than the records."""

TABLES = """
CREATE TABLE log_part (part INTEGER NOT NULL PRIMARY KEY, first INTEGER NOT NULL, n INTEGER NOT NULL, minute BLOB NOT NULL,
    level BLOB NOT NULL, unindexed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE log_field_rows (part INTEGER NOT NULL, number INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (part, number)) WITHOUT ROWID;
CREATE TABLE log_field (field TEXT NOT NULL, part INTEGER NOT NULL, kind INTEGER NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL,
    words BLOB, PRIMARY KEY (field, part, kind)) WITHOUT ROWID;
"""
"""A part is some records with consecutive ids from `first` on, counted from 0 in its columns. `log_field.rows`: the number of the rows
that have a value of this kind; fields that come together share them. All numbers are packed."""


class Kind(IntEnum):
    """How a column tells the values of a field."""

    WHOLE = 0  # themselves
    FRACTION = 1  # float32
    WORD = 2  # places in `words`: JSON values
    HASH = 3  # `hash_of` of texts
    ODD = 4  # not at all


def hash_of(text: str) -> int:
    """Of a text, whatever its case."""
    return zlib.crc32(text.casefold().encode("utf-8", "surrogatepass")) & 0xFFFF


class LogFieldWriter:
    """One use. Memory is bounded by a part."""

    def __init__(self, target: apsw.Connection) -> None:
        for statement in TABLES.split(";"):
            target.execute(statement)
        self._target = target
        self._decode = msgspec.json.Decoder().decode
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)
        self._part = self._first = self._n = 0
        self._begin(0)

    def add(self, columns: list[tuple[Any, ...]]) -> None:
        """A block of records, in the order of `row_shapes.LOG.columns`."""
        ids, _, _, received, _, levels, loggers, _, errors, _, attributes = columns
        if ids[0] != self._first + self._n or self._n + len(ids) > PART_ROWS:
            self.close()
            self._begin(ids[0])
        for field, texts in ((Place.LOGGER, loggers), (Place.ERROR, errors)):
            for row, text in enumerate(texts, self._n):
                if text:
                    self._add(row, field, text)
        for row, text in enumerate(attributes, self._n):
            if text and not self._add_attributes(row, text):
                self._unindexed.append(row)
        self._minutes.append(np.array(received, np.int64) // MINUTE_US)
        self._levels.append(np.array(levels, np.int64))
        self._n += len(ids)

    def close(self) -> None:
        """Write what waits."""
        if not self._n:
            return
        by_rows = sorted(self._columns.items(), key=lambda one: -one[1].n)
        for _, column in by_rows[MOST_FIELDS:]:
            self._unindexed.extend(column.all_rows())
        row_sets: dict[bytes, int] = {}
        for field, column in by_rows[:MOST_FIELDS]:
            for kind, rows, data, words in column.packed():
                number = row_sets.setdefault(pack(np.frombuffer(rows, np.uint32).astype(np.int64)), len(row_sets))
                compressed = self._compressor.compress(words) if words else None
                self._target.execute(
                    "INSERT INTO log_field VALUES (?, ?, ?, ?, ?, ?)",
                    (field, self._part, kind, number, data, compressed),
                )
        told = ((self._part, number, rows) for rows, number in row_sets.items())
        self._target.executemany("INSERT INTO log_field_rows VALUES (?, ?, ?)", told)
        minutes, levels = np.concatenate(self._minutes), np.concatenate(self._levels)
        unindexed = np.unique(np.array(self._unindexed, np.int64))
        row = (self._part, self._first, self._n, pack(minutes), pack(levels), pack(unindexed))
        self._target.execute("INSERT INTO log_part VALUES (?, ?, ?, ?, ?, ?)", row)
        self._part += 1
        self._n = 0

    def _begin(self, first: int) -> None:
        self._first = first
        self._columns: dict[str, _Column] = {}
        self._names: dict[str, str] = {}  # of attributes, by their paths
        self._minutes: list[Int64] = []
        self._levels: list[Int64] = []
        self._unindexed = array("I")

    def _add(self, row: int, field: str, value: object) -> bool:
        """False: there are too many fields."""
        column = self._columns.get(field)
        if column is None:
            if len(self._columns) >= _MOST_NAMES:
                return False
            column = self._columns[field] = _Column()
        column.add(row, value)
        return True

    def _add_attributes(self, row: int, text: str) -> bool:
        """False: they are not told, or not all of them."""
        try:
            document = self._decode(text)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return False
        if not isinstance(document, dict):
            return True  # it has no names that one could ask for
        if text.count("[") + text.count("{") > _MOST_BRACKETS or ("\\" in text and not _as_written(document, text)):
            return False
        for count, (path, value) in enumerate(_values(document), 1):
            field = self._names.get(path) or self._names.setdefault(path, attribute(path))
            if count > _MOST_VALUES or not self._add(row, field, value):
                return False
        return True


def _as_written(document: dict[str, object], text: str) -> bool:
    """A query finds a name in the text of the record: one written with escapes that are not needed is not found there."""
    return all(json.dumps(key.partition(".")[0], ensure_ascii=False)[1:-1] in text for key in document)


def _values(document: dict[str, object]) -> Iterator[tuple[str, object]]:
    left = [("", document)]
    while left:
        way, inner = left.pop()
        for key, value in inner.items():
            path = f"{way}{key}"
            yield path, value
            if isinstance(value, dict):
                left.append((f"{path}.", value))


class _Column:
    """The values of a field in a part."""

    def __init__(self) -> None:
        self.n = 0
        self._whole = array("I"), array("q")
        self._fraction = array("I"), array("f")
        self._word = array("I"), array("H")  # places in the words, without words hashes
        self._words: dict[object, int] | None = {}
        self._constants = array("I")  # told as words, too
        self._odd = array("I")

    def add(self, row: int, value: object) -> None:
        self.n += 1
        kind = type(value)
        if kind is str:
            self._add_word(row, value, str(value))
        elif kind is int and -WHOLE < value < WHOLE:  # type: ignore[operator]
            rows, whole = self._whole
            rows.append(row)
            whole.append(value)  # type: ignore[arg-type]
        elif kind is float and -WHOLE < value < WHOLE:  # type: ignore[operator]
            rows, fraction = self._fraction
            rows.append(row)
            fraction.append(value)  # type: ignore[arg-type]
        elif value is None or kind is bool:
            self._add_word(row, value, "")
            self._constants.append(row)
        else:
            self._odd.append(row)

    def _add_word(self, row: int, value: object, text: str) -> None:
        rows, codes = self._word
        rows.append(row)
        code = self._words.get(value) if self._words is not None else None
        if code is not None:
            codes.append(code)
        elif self._words is not None and len(self._words) < MOST_WORDS and len(text) <= LONGEST_WORD:
            codes.append(len(self._words))
            self._words[value] = len(self._words)
        else:
            if self._words is not None:
                self._forget_words()
            self._word[1].append(hash_of(text))

    def _forget_words(self) -> None:
        """There are too many."""
        assert self._words is not None
        hashes = np.array([hash_of(one) if isinstance(one, str) else 0 for one in self._words], np.uint16)
        rows, codes = self._word
        self._word = rows, array("H", hashes[np.frombuffer(codes, np.uint16)].tobytes() if codes else b"")
        self._words = None

    def all_rows(self) -> Iterator[int]:
        for rows in (self._whole[0], self._fraction[0], self._word[0], self._odd):
            yield from rows

    def packed(self) -> Iterator[tuple[Kind, "array[int]", bytes, bytes]]:
        """Of every kind that there is: rows, values, words."""
        rows, whole = self._whole
        if rows:
            yield Kind.WHOLE, rows, pack(np.frombuffer(whole, np.int64)), b""
        rows, fractions = self._fraction
        if rows:
            yield Kind.FRACTION, rows, number_column.pack(np.frombuffer(fractions, np.float32)), b""
        rows, codes = self._word
        if rows and self._words is not None:
            words = msgspec.json.encode(list(self._words))
            yield Kind.WORD, rows, pack(np.frombuffer(codes, np.uint16).astype(np.int64)), words
        elif rows:
            yield Kind.HASH, rows, pack(np.frombuffer(codes, np.uint16).astype(np.int64)), b""
            self._odd += self._constants
        if self._odd:
            yield Kind.ODD, self._odd, b"", b""
