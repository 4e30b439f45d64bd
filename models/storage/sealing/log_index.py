"""What makes log records of a sealed segment be found: words, agents and levels, and how many there were each minute.

The index (FTS5, which holds no text itself) narrows a search down; whoever uses it looks at the text of every candidate, as an
open segment does, so that both find the same: a text anywhere, in whatever case. That is why the words are listed once more,
in chunks that are searched as text: “fuse” is found in “refused” by way of the words that hold it.

A word is a run of ASCII digits and letters and of any other characters beyond ASCII, casefolded.
"""

import re
from collections.abc import Iterator
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt
import zstandard

from models.domain.records import Level
from models.storage.sealing.block_codec import LEVEL, Int64
from models.storage.sealing.packing import pack

MARK = "\ue000"
"""Begins the words that we add: which agent, which level. A text that holds it itself is always a candidate."""
MARKED_LEVEL = Level.WARN
"""From here on a level has a word; most records are below it."""
WORD = "[0-9a-z\x80-\U0010ffff]"
MINUTE_US = 60_000_000
_UNINDEXED = re.compile(f"{WORD}{{200}}|{MARK}")
"""No words that anybody looks for: what holds them is always a candidate."""
_CHUNK_BYTES = 256 * 1024
_PART_ROWS = 1_000_000
TABLES = """
CREATE VIRTUAL TABLE log_words USING fts5(words, content='', detail=none, columnsize=0, tokenize='ascii');
CREATE TABLE log_vocabulary (chunk INTEGER PRIMARY KEY, grams BLOB NOT NULL, words BLOB NOT NULL);
CREATE TABLE log_unindexed (part INTEGER PRIMARY KEY, ids BLOB NOT NULL);
CREATE TABLE log_minute (agent_id INTEGER NOT NULL, part INTEGER NOT NULL, minute BLOB NOT NULL, level BLOB NOT NULL,
    n BLOB NOT NULL, PRIMARY KEY (agent_id, part)) WITHOUT ROWID;
"""
"""`log_vocabulary`: the words, and their `grams` as bits. `log_minute`: packed columns of counts by minute of arrival and level; agent 0 stands for all together."""


def agent_word(agent: int) -> str:
    """Every record of the agent has it."""
    return f"{MARK}a{agent}"


def level_word(level: int) -> str:
    """Every record of the level has it, from `MARKED_LEVEL` on."""
    return f"{MARK}l{level}"


_KINDS = np.full(256, 37, np.uint32) + np.arange(256, dtype=np.uint32) % 27
_KINDS[np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz\n", np.uint8)] = np.arange(37)
"""Digits, letters and the line feed are told apart, everything else shares the rest of 64."""


def grams(text: bytes) -> npt.NDArray[np.bool_]:
    """Which three bytes stand in a row anywhere, by the kind of each: where one of a text is missing, so is the text."""
    some = _KINDS[np.frombuffer(text, np.uint8)]
    found = np.zeros(1 << 18, bool)
    found[some[:-2] << 12 | some[1:-1] << 6 | some[2:]] = True
    return found


class LogIndexWriter:
    """One use. Memory is bounded by the engine's own cache and by `_PART_ROWS`."""

    def __init__(self, target: apsw.Connection) -> None:
        for statement in TABLES.split(";"):
            target.execute(statement)
        target.execute("INSERT INTO log_words(log_words, rank) VALUES ('hashsize', 8388608)")
        self._target = target
        self._unindexed: list[int] = []
        self._counted: list[Int64] = []  # agent, level, minute of each record
        self._waiting = self._part = 0

    def add(self, columns: list[tuple[Any, ...]]) -> None:
        """A block of records, in the order of `row_shapes.LOG.columns`."""
        ids, _, _, received, agents, levels, loggers, texts, errors, *_ = columns
        said = zip(texts, loggers, errors, strict=True)
        every = [f"{text}\n{logger or ''}\n{error or ''}".casefold() for text, logger, error in said]
        look = _UNINDEXED.search("\n".join(every)) is not None
        rows = []
        for id_, agent, level, folded in zip(ids, agents, levels, every, strict=True):
            words = folded
            if look and _UNINDEXED.search(words):
                self._unindexed.append(id_)
                words = ""
            mark = f"{words} {MARK}a{agent}"
            rows.append((id_, f"{mark} {MARK}l{level}" if level >= MARKED_LEVEL else mark))
        self._target.executemany("INSERT INTO log_words(rowid, words) VALUES (?, ?)", rows)
        minutes = np.array(received, np.int64) // MINUTE_US
        self._counted.append(np.array((agents, levels, minutes), np.int64))
        self._waiting += len(rows)
        if self._waiting >= _PART_ROWS:
            self._write_part()

    def close(self) -> None:
        """Bring the index into its final shape."""
        self._write_part()
        self._target.execute("INSERT INTO log_words(log_words) VALUES ('optimize')")
        compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)
        chunks = (
            (number, compressor.compress(np.packbits(grams(chunk)).tobytes()), compressor.compress(chunk))
            for number, chunk in enumerate(self._chunks())
        )
        self._target.executemany("INSERT INTO log_vocabulary VALUES (?, ?, ?)", chunks)

    def _chunks(self) -> Iterator[bytes]:
        """All words but our own, each between two line feeds."""
        self._target.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'log_words', 'row')")
        words: list[str] = []
        size = 0
        for (word,) in self._target.execute("SELECT term FROM temp.vocabulary"):
            if str(word).startswith(MARK):
                continue
            words.append(str(word))
            size += len(words[-1]) + 1
            if size >= _CHUNK_BYTES:
                yield _joined(words)
                words, size = [], 0
        if words:
            yield _joined(words)

    def _write_part(self) -> None:
        if self._unindexed:
            packed = pack(np.array(self._unindexed, np.int64))
            self._target.execute("INSERT INTO log_unindexed(ids) VALUES (?)", (packed,))
        if self._counted:
            self._part += 1
            columns = np.concatenate(self._counted, axis=1)
            together = columns.copy()
            together[0] = 0
            of_somebody = columns[:, columns[0] != 0]  # a broker's log may be nobody's
            self._target.executemany(
                f"INSERT INTO log_minute VALUES (?, {self._part}, ?, ?, ?)",
                (row for some in (together, of_somebody) if some.size for row in _counts(some)),
            )
        self._unindexed, self._counted, self._waiting = [], [], 0


def _joined(words: list[str]) -> bytes:
    return ("\n" + "\n".join(words) + "\n").encode()


def _counts(columns: Int64) -> Iterator[tuple[Any, ...]]:
    """Rows of `log_minute`, but for the part."""
    agent, level, minute = columns
    order = np.lexsort((level, minute, agent))
    cells = columns[:, order]
    new = np.flatnonzero(np.r_[True, (cells[:, 1:] != cells[:, :-1]).any(axis=0)])
    n = np.diff(np.r_[new, len(order)])
    agent, level, minute = cells[:, new]
    starts = np.flatnonzero(np.r_[True, agent[1:] != agent[:-1]])
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(agent)], strict=True):
        part = slice(start, end)
        yield int(agent[start]), pack(minute[part]), pack(level[part]), pack(n[part])
